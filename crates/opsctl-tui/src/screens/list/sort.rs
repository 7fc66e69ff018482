//! Choosing the column to sort by.

use ratatui::{
    Frame,
    layout::{Margin, Rect},
    text::{Line, Span},
};

use crate::{
    keymap::{Command, Key},
    screens::screen::{After, Pane, PaneKeys},
    state::{Cursor, ListView, Model, Mouse, MouseWhat, Overlay, Role, list::SortPicker},
    widgets::{areas, popup},
};

const COLUMNS: u16 = 70;

pub(crate) fn open(model: &mut Model, view: &ListView) {
    let mut cursor = Cursor { at: view.sort, top: 0 };
    let count = view.topic.list().columns();
    cursor.settle(count, usize::from(inside(model, count).height));
    model.overlay = Some(Overlay::Sort(SortPicker { cursor }));
}

/// Sorts by this; the same once more turns the order round.
pub(crate) fn choose(view: &mut ListView, by: usize) {
    view.reversed = view.sort == by && !view.reversed;
    view.sort = by;
}

fn count(model: &Model) -> usize {
    model.view().list().map_or(0, |view| view.topic.list().columns())
}

fn rows(count: usize) -> u16 {
    count as u16 + 2
}

fn inside(model: &Model, count: usize) -> Rect {
    let area = areas(model.size).content;
    let (width, height) = (COLUMNS.min(area.width.saturating_sub(2)), rows(count).min(area.height));
    let outer = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    outer.inner(Margin { horizontal: 2, vertical: 1 })
}

impl Pane for SortPicker {
    fn keys(&self) -> PaneKeys {
        PaneKeys::Bound(vec![
            (Command::Open, "sort by it"),
            (Command::Down, "down"),
            (Command::Up, "up"),
            (Command::Back, "close"),
        ])
    }

    fn key(&mut self, model: &mut Model, _: &Key, meaning: Option<Command>) -> After {
        let count = count(model);
        let height = usize::from(inside(model, count).height);
        match meaning {
            Some(Command::Open) => return take(model, self.cursor.at),
            Some(Command::Back | Command::Sort) => return After::close(),
            Some(command) => {
                self.cursor.step(command, count, height);
            }
            None => {}
        }
        After::stay()
    }

    /// A click chooses, one beside it closes.
    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> After {
        let count = count(model);
        let inside = inside(model, count);
        match mouse.what {
            MouseWhat::Scroll(lines) => {
                self.cursor.scroll(lines.signum(), count, usize::from(inside.height));
                After::stay()
            }
            MouseWhat::Click if inside.contains((mouse.column, mouse.row).into()) => {
                take(model, self.cursor.top + usize::from(mouse.row - inside.y))
            }
            MouseWhat::Click => After::close(),
        }
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        let look = model.look;
        let Some(view) = model.view().list() else { return };
        let list = view.topic.list();
        let size = (COLUMNS, rows(list.columns()));
        let inside = popup(frame, area, size, "Sort by", look.style(Role::Accent), look);
        let titles = (self.cursor.top..).map_while(|at| Some((at, list.title(at)?)));
        for (y, (at, title)) in (inside.y..inside.bottom()).zip(titles) {
            let here = at == self.cursor.at;
            let is_now = view.sort == at;
            let row = Rect { y, height: 1, ..inside };
            if here {
                frame.buffer_mut().set_style(row, look.style(Role::Cursor));
            }
            let words = match is_now {
                true => format!("again: {}", title.words[usize::from(!view.reversed)]),
                false => title.words[0].to_owned(),
            };
            let sign = if is_now { look.sign("●", "*") } else { " " };
            let line = Line::from(vec![
                Span::styled(if here { look.pointer() } else { " " }, look.style(Role::Accent)),
                Span::raw(format!("{sign} {:<28}", title.what)),
                Span::styled(words, look.style(Role::Dim)),
            ]);
            frame.buffer_mut().set_line(row.x, row.y, &line, row.width);
        }
    }
}

fn take(model: &mut Model, by: usize) -> After {
    if by >= count(model) {
        return After::stay();
    }
    if let Some(view) = model.view_mut().list_mut() {
        choose(view, by);
    }
    model.changed();
    After::close()
}
