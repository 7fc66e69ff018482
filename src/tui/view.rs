//! [`view`]: the whole screen from the model. Pure.
//!
//! ```text
//! opsctl   1 Home 4   2 Queues   3 Activity              dev  staging  PROD   03:12:44 UTC
//! ──────────────────────────────────────────────────────────────────────────────────────
//! content
//! ──────────────────────────────────────────────────────────────────────────────────────
//! what was said last                                      sandbox   61 calls/min   $0.02/h
//! enter open   R redrive   / filter   ? help
//! ```

use ratatui::{
    Frame,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{
    activity,
    event::{Mouse, MouseWhat, Tone},
    fit::{spread, width},
    flow, footer, help, home, letters, message,
    model::{Model, Overlay, View},
    palette, queues, quitting, run_view,
    theme::Role,
};
use crate::{domain::Protection, keymap::Command};

/// Fewest columns and rows on which something can be shown.
const SMALLEST: (u16, u16) = (40, 10);

/// Where things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// Views and environments.
    pub title: Rect,
    /// What the view shows, without the rules above and below.
    pub content: Rect,
    /// What was said, and what looking costs.
    pub status: Rect,
    /// Keys.
    pub footer: Rect,
}

/// Where things stand on a terminal of this size.
pub fn areas((columns, rows): (u16, u16)) -> Areas {
    let row = |y: u16| Rect { x: 0, y: y.min(rows.saturating_sub(1)), width: columns, height: 1.min(rows) };
    Areas {
        title: row(0),
        content: Rect { x: 0, y: 2, width: columns, height: rows.saturating_sub(5) },
        status: row(rows.saturating_sub(2)),
        footer: row(rows.saturating_sub(1)),
    }
}

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let size = (frame.area().width, frame.area().height);
    if size.0 < SMALLEST.0 || size.1 < SMALLEST.1 {
        return too_small(model, frame);
    }
    let areas = areas(size);
    title(model, frame, areas.title);
    rule(model, frame, 1);
    draw_view(model, frame, areas.content);
    rule(model, frame, areas.status.y - 1);
    status(model, frame, areas.status);
    footer::draw(model, frame, areas.footer);
    match &model.overlay {
        None => {}
        Some(Overlay::Help(overlay)) => help::draw(model, overlay, frame, areas.content),
        Some(Overlay::Palette(overlay)) => palette::draw(model, overlay, frame, areas.content),
        Some(Overlay::Details(overlay)) => queues::draw_details(model, overlay, frame, areas.content),
        Some(Overlay::Sort(overlay)) => queues::draw_sort(model, overlay, frame, areas.content),
        Some(Overlay::Columns(overlay)) => letters::draw_columns(model, overlay, frame, areas.content),
        Some(Overlay::Diff(overlay)) => letters::draw_diff(model, overlay, frame, areas.content),
        Some(Overlay::Flow(overlay)) => flow::draw(model, overlay, frame, areas.content),
        Some(Overlay::Quitting(overlay)) => quitting::draw(model, overlay, frame, areas.content),
    }
}

fn draw_view(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    match model.view() {
        View::Home(view) => home::draw(model, view, frame, area),
        View::Queues(view) => queues::draw(model, view, frame, area),
        View::Letters(view) => letters::draw(model, view, frame, area),
        View::Message(view) => message::draw(model, view, frame, area),
        View::Activity(view) => activity::draw(model, view, frame, area),
        View::Run(view) => run_view::draw(model, view, frame, area),
    }
}

fn too_small(model: &Model, frame: &mut Frame<'_>) {
    let text = format!("opsctl needs {} x {} characters", SMALLEST.0, SMALLEST.1);
    let area = frame.area();
    let lines = super::fit::wrap(&text, usize::from(area.width.max(1)));
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        frame.buffer_mut().set_stringn(area.x, y, line, usize::from(area.width), model.look.style(Role::Warning));
    }
}

/// Views that stand for themselves, with the commands that open them.
const TABS: [(Command, &str); 3] =
    [(Command::Home, "Home"), (Command::Queues, "Queues"), (Command::Activity, "Activity")];

/// Columns of the program's name.
const NAME: &str = " opsctl ";

fn tabs(model: &Model) -> Vec<(Command, String)> {
    let needy = model.shown_sites().map(|site| site.verdicts.len()).sum::<usize>();
    let active = model.runs.iter().filter(|run| run.is_active()).count();
    let count = |command: Command| match command {
        Command::Home if needy > 0 => format!(" {needy}"),
        Command::Activity if active > 0 => format!(" {active}"),
        _ => String::new(),
    };
    TABS.iter().map(|(command, name)| (*command, format!(" {name}{} ", count(*command)))).collect()
}

fn title(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let shown = root(model);
    let mut left = vec![Span::styled(NAME, look.style(Role::Accent).add_modifier(Modifier::BOLD))];
    for (command, text) in tabs(model) {
        let style = match command == shown {
            true => Style::default().add_modifier(Modifier::BOLD | Modifier::REVERSED),
            false => look.style(Role::Dim),
        };
        left.push(Span::styled(text, style));
    }
    let mut right = Vec::new();
    for site in &model.sites {
        let hidden = model.only.as_ref().is_some_and(|only| *only != site.environment.name);
        let style = if hidden { look.style(Role::Dim) } else { look.environment(&site.environment) };
        right.push(Span::styled(format!(" {} ", look.environment_name(&site.environment)), style));
        right.push(Span::raw(" "));
    }
    right.push(Span::styled(format!("{} ", model.now.strftime("%H:%M:%S UTC")), look.style(Role::Dim)));
    let line = spread(left, right, usize::from(area.width), look);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

/// The command of the tab that the view shown belongs to.
fn root(model: &Model) -> Command {
    let tab = |view: &View| match view {
        View::Home(_) => Some(Command::Home),
        View::Queues(_) => Some(Command::Queues),
        View::Activity(_) => Some(Command::Activity),
        View::Letters(_) | View::Message(_) | View::Run(_) => None,
    };
    model.views.iter().rev().find_map(tab).unwrap_or(Command::Home)
}

/// The tab under the mouse.
pub(super) fn tab_at(model: &Model, mouse: Mouse) -> Option<Command> {
    if mouse.what != MouseWhat::Click || mouse.row != 0 {
        return None;
    }
    let mut from = width(NAME);
    tabs(model).into_iter().find_map(|(command, text)| {
        let to = from + width(&text);
        let inside = (from..to).contains(&usize::from(mouse.column));
        from = to;
        inside.then_some(command)
    })
}

/// A rule; where the view belongs to an environment in which names are typed, it says so.
fn rule(model: &Model, frame: &mut Frame<'_>, y: u16) {
    let look = model.look;
    let columns = usize::from(frame.area().width);
    let strict = place(model).filter(|environment| environment.protection == Protection::TypeName);
    let line = look.sign("─", "-").repeat(columns);
    match strict {
        None => frame.buffer_mut().set_string(0, y, line, look.style(Role::Line)),
        Some(environment) => {
            let style = look.environment(environment);
            let words = format!(" {}: every change asks for its name ", look.environment_name(environment));
            frame.buffer_mut().set_string(0, y, look.sign("━", "=").repeat(columns), look.style(Role::Critical));
            let x = columns.saturating_sub(width(&words) + 2);
            if y == 1 {
                frame.buffer_mut().set_stringn(x as u16, y, words, columns - x, style);
            }
        }
    }
}

/// The environment that the view is about, if it is about one.
fn place(model: &Model) -> Option<&crate::domain::Environment> {
    let name = match model.view() {
        View::Home(_) | View::Queues(_) | View::Activity(_) => model.only.clone(),
        View::Letters(view) => Some(view.environment.clone()),
        View::Message(view) => Some(view.environment.clone()),
        View::Run(view) => run_view::environment(model, view),
    }?;
    model.site(&name).map(|site| site.environment.as_ref())
}

fn status(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let left = match &model.notice {
        Some(notice) => {
            let role = match notice.tone {
                Tone::Note => Role::Text,
                Tone::Good => Role::Good,
                Tone::Bad => Role::Warning,
            };
            vec![Span::raw(" "), Span::styled(notice.text.as_str(), look.style(role))]
        }
        None => Vec::new(),
    };
    let right = spend(model);
    let line: Line<'_> = spread(left, right, usize::from(area.width), look);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

/// Where it all comes from, and what looking costs.
fn spend(model: &Model) -> Vec<Span<'static>> {
    let look = model.look;
    let snapshots = || model.sites.iter().filter_map(|site| site.snapshot.as_ref());
    let calls: u32 = snapshots().map(|snapshot| snapshot.spend.calls_per_minute).sum();
    let dollars: f64 = snapshots().map(|snapshot| snapshot.spend.dollars_per_hour).sum();
    let mut spans = Vec::new();
    if model.world == super::model::World::Sandbox {
        spans.push(Span::styled("sandbox", look.style(Role::Good)));
        spans.push(Span::styled(look.dot(), look.style(Role::Dim)));
    }
    if snapshots().any(|snapshot| snapshot.spend.bounded) {
        spans.push(Span::styled("at its bound: ", look.style(Role::Warning)));
    }
    let text = format!("{calls} calls/min{}${dollars:.2}/h ", look.dot());
    spans.push(Span::styled(text, look.style(Role::Dim)));
    spans
}
