//! The keys of the view, from the keymap, each with what it does and, where it can't be given now, why.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    able::able,
    keymap::{Binding, Command, Key},
    navigate::scope,
    screens::screen::{Able, After, Pane, PaneKeys},
    state::{Cursor, Help, Model, Mouse, MouseWhat, Role},
    widgets::{Align, areas, cut, pad, popup, width, wrap},
};

const KEYS: usize = 17;
/// Columns of the screen from which on there are two columns of help.
const TWO_FROM: u16 = 116;
const COLUMN_MAX: usize = 78;
const KEYS_MAX: usize = 3;

impl Pane for Help {
    fn keys(&self) -> PaneKeys {
        PaneKeys::Bound(vec![(Command::Down, "down"), (Command::Up, "up"), (Command::Back, "close")])
    }

    fn key(&mut self, model: &mut Model, _: &Key, meaning: Option<Command>) -> After {
        match meaning {
            Some(Command::Back | Command::Help | Command::Open) => return After::close(),
            Some(command) => self.scroll(model, |window, last| {
                window.step(command, last + 1, 1);
            }),
            None => {}
        }
        After::stay()
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> After {
        match mouse.what {
            MouseWhat::Click => return After::close(),
            MouseWhat::Scroll(lines) => self.scroll(model, |window, last| window.scroll(lines, last + 1, 1)),
        }
        After::stay()
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        let look = model.look;
        let lines = page(model, area);
        let size = (page_columns(area) as u16 + 4, (lines.len() as u16).saturating_add(2));
        let title = format!("Keys: {}", scope(model).help());
        let inside = popup(frame, area, size, &title, look.style(Role::Accent), look);
        let height = usize::from(inside.height);
        let top = self.scroll.top.min(lines.len().saturating_sub(height));
        for (y, line) in (inside.y..inside.bottom()).zip(lines.iter().skip(top)) {
            frame.buffer_mut().set_line(inside.x, y, line, inside.width);
        }
        let below = lines.len().saturating_sub(top + height);
        if below > 0 || top > 0 {
            let down = model.keymap.key_for(scope(model), Command::Down).unwrap_or("down");
            let more = format!(" {below} more lines: {down} ");
            let x = inside.right().saturating_sub(width(&more) as u16);
            frame.buffer_mut().set_string(x, inside.bottom(), more, look.style(Role::Accent));
        }
    }
}

impl Help {
    fn scroll(&mut self, model: &Model, change: impl FnOnce(&mut Cursor, usize)) {
        let area = areas(model.size).content;
        let height = usize::from(area.height.saturating_sub(2));
        let last = page(model, area).len().saturating_sub(height);
        let mut window = Cursor { at: self.scroll.top, top: self.scroll.top };
        change(&mut window, last);
        self.scroll = Cursor { at: window.at, top: window.at };
    }
}

/// Columns of text: of one column of help, or of two and what is between them.
fn page_columns(area: Rect) -> usize {
    let room = usize::from(area.width).saturating_sub(6);
    if area.width >= TWO_FROM { room.min(2 * COLUMN_MAX + 2) } else { room.min(COLUMN_MAX) }
}

fn page(model: &Model, area: Rect) -> Vec<Line<'static>> {
    let columns = page_columns(area);
    if area.width < TWO_FROM {
        return sections(model, columns).into_iter().flatten().collect();
    }
    let half = (columns - 2) / 2;
    let sections = sections(model, half);
    let total: usize = sections.iter().map(Vec::len).sum();
    let (mut left, mut right): (Vec<Line<'static>>, Vec<Line<'static>>) = (Vec::new(), Vec::new());
    for (at, entry) in sections.into_iter().enumerate() {
        // What belongs together stays together: an entry is one to three lines, and a heading comes with its first.
        let fits = at == 0 || left.len() + entry.len() <= total.div_ceil(2);
        if fits && right.is_empty() { left.extend(entry) } else { right.extend(entry) }
    }
    if right.first().is_some_and(|line| line.width() == 0) {
        right.remove(0);
    }
    let rows = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    let row = |_| {
        let mut line = left.next().unwrap_or_default();
        let gap = (half + 2).saturating_sub(line.width());
        line.spans.push(Span::raw(" ".repeat(gap)));
        line.spans.extend(right.next().unwrap_or_default().spans);
        line
    };
    (0..rows).map(row).collect()
}

/// Lines of each entry; those of a new scope begin with its heading.
fn sections(model: &Model, columns: usize) -> Vec<Vec<Line<'static>>> {
    let look = model.look;
    let here = scope(model);
    let mut sections = Vec::new();
    let mut last = None;
    for binding in model.keymap.bindings(here) {
        let able = able(model, binding.command);
        if able == Able::NotHere {
            continue;
        }
        let mut lines = Vec::new();
        if last != Some(binding.scope) {
            if last.is_some() {
                lines.push(Line::default());
            }
            lines.push(Line::from(Span::styled(binding.scope.help(), look.style(Role::Heading))));
            last = Some(binding.scope);
        }
        lines.extend(entry(model, binding, &able, columns));
        sections.push(lines);
    }
    sections
}

fn entry(model: &Model, binding: &Binding, able: &Able, columns: usize) -> Vec<Line<'static>> {
    let look = model.look;
    let keys: Vec<&str> = binding.keys.iter().take(KEYS_MAX).map(String::as_str).collect();
    let keys = pad(&keys.join(", "), KEYS - 1, Align::Left, look);
    let room = columns.saturating_sub(KEYS).max(10);
    let can = *able == Able::Yes;
    let (key_role, role) = if can { (Role::Key, Role::Text) } else { (Role::Dim, Role::Dim) };
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut texts: Vec<(String, Role)> =
        wrap(&binding.command.help(), room).into_iter().map(|text| (text, role)).collect();
    if let Able::No(because) = able {
        texts.extend(wrap(&format!("not now: {because}"), room).into_iter().map(|text| (text, Role::Dim)));
    }
    for (at, (text, role)) in texts.into_iter().enumerate() {
        let keys = if at == 0 { keys.clone() } else { " ".repeat(KEYS - 1) };
        lines.push(Line::from(vec![
            Span::styled(format!("{keys} "), look.style(key_role)),
            Span::styled(cut(&text, room, look).into_owned(), look.style(role)),
        ]));
    }
    lines
}
