//! Where things stand in the letters' screen, and what all its parts draw alike.

use ratatui::{Frame, layout::Rect, style::Style};

use crate::{
    domain::{Environment, EnvironmentName, QueueName},
    keymap::{Command, Scope},
    observe::Seen,
    state::{LettersView, Level, Load, Look, Model, Narrow, Role},
    widgets::{areas, cut, put_rule},
};

/// Rows of an error under the filter line at most.
const ERROR_ROWS_MAX: usize = 6;
/// With fewer rows than this only the list is shown.
const ROWS_FEW: u16 = 10;

pub(crate) struct Places {
    pub(crate) head: Rect,
    pub(crate) filter: Rect,
    pub(crate) table: Rect,
    pub(crate) pane: Rect,
}

pub(crate) fn places(area: Rect, view: &LettersView) -> Places {
    let filter_rows = match (view.level, &view.filter, &view.typing) {
        (Level::Groups, ..) | (Level::Messages, None, None) => 0,
        (Level::Messages, filter, _) => 1 + filter.as_ref().map_or(0, |filter| error_lines(filter).len()),
    } as u16;
    let pane_rows = match (view.level, view.details) {
        _ if area.height < ROWS_FEW => 0,
        (Level::Groups, true) => (area.height / 2).min(16),
        (Level::Groups, false) => 4,
        (Level::Messages, _) => 2,
    };
    // Why there is nothing newer takes a row more: what to try.
    let head_rows = (2 + u16::from(is_stale(view))).min(area.height);
    let rest = area.height - head_rows;
    let filter_rows = filter_rows.min(rest);
    let pane_rows = pane_rows.min(rest - filter_rows);
    let part = |y: u16, height: u16| Rect { y: area.y + y, height, ..area };
    let table_rows = rest - filter_rows - pane_rows;
    Places {
        head: part(0, head_rows),
        filter: part(head_rows, filter_rows),
        table: part(head_rows + filter_rows, table_rows),
        pane: part(area.height - pane_rows, pane_rows),
    }
}

pub(crate) fn table_height(view: &LettersView, size: (u16, u16)) -> usize {
    usize::from(places(areas(size).content, view).table.height).saturating_sub(1)
}

/// The best key of a command, or its name.
pub(crate) fn key(model: &Model, command: Command) -> String {
    model.keymap.key_for(Scope::DeadLetters, command).map_or_else(|| command.name(), str::to_owned)
}

/// Whether what is shown may no longer be so.
pub(crate) fn is_stale(view: &LettersView) -> bool {
    matches!(view.letters, Load::Failed(_, Some(_)))
}

/// Plain, or that of old figures.
pub(crate) fn style(view: &LettersView, look: Look, role: Role) -> Style {
    look.style(if is_stale(view) { Role::Stale } else { role })
}

pub(crate) fn error_lines(filter: &Narrow) -> Vec<String> {
    let Some(failure) = filter.failure() else { return Vec::new() };
    failure.what.as_str().lines().take(ERROR_ROWS_MAX).map(str::to_owned).collect()
}

/// A rule above the pane, and lines of a label and a text in it.
pub(crate) fn pane(model: &Model, frame: &mut Frame<'_>, area: Rect, lines: &[(String, String, Role)]) {
    if area.height < 2 {
        return;
    }
    let look = model.look;
    put_rule(frame, area, look.sign("─", "-"), look.style(Role::Line));
    let room = usize::from(area.width).saturating_sub(11);
    for (y, (label, text, role)) in (area.y + 1..area.bottom()).zip(lines) {
        let label_role = if *role == Role::Key { Role::Key } else { Role::Dim };
        let text_role = if *role == Role::Key { Role::Text } else { *role };
        frame.buffer_mut().set_stringn(area.x + 1, y, label, 8, look.style(label_role));
        frame.buffer_mut().set_stringn(area.x + 10, y, cut(text, room, look), room, look.style(text_role));
    }
}

pub(crate) fn environment<'a>(model: &'a Model, name: &EnvironmentName) -> Option<&'a Environment> {
    model.site(name).map(|site| site.environment.as_ref())
}

pub(crate) fn seen<'a>(model: &'a Model, environment: &EnvironmentName, queue: &QueueName) -> Option<&'a Seen> {
    model.queue(environment, queue).map(|(_, seen)| seen)
}

/// The dead-letter queue of the queue that is shown, where it is known.
pub(crate) fn dead_letter(model: &Model, view: &LettersView) -> Option<QueueName> {
    let name = seen(model, &view.environment, &view.queue)?.feeds()?.name();
    seen(model, &view.environment, &name).map(|seen| seen.name.clone())
}
