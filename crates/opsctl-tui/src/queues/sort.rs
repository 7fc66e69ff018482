//! Choosing the column to sort by.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{QueuesView, SortBy};
use crate::{
    effect::Effect,
    event::{Mouse, MouseWhat},
    keymap::{Command, Key},
    list::Cursor,
    model::{Model, Overlay, View},
    observed, overlay,
    popup::popup,
    theme::Role,
};

/// Which column to sort by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SortPicker {
    /// Which.
    pub cursor: Cursor,
}

/// Opens it on what is sorted by now.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let View::Queues(view) = model.view() else { return Vec::new() };
    let at = SortBy::ALL.iter().position(|by| *by == view.sort).unwrap_or(0);
    model.overlay = Some(Overlay::Sort(SortPicker { cursor: Cursor { at, top: 0 } }));
    Vec::new()
}

/// Takes a key.
pub(crate) fn key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let meaning = overlay::meaning(model, key);
    let height = usize::from(inside(model).height);
    let Some(Overlay::Sort(picker)) = &mut model.overlay else { return Vec::new() };
    match meaning {
        Some(Command::Open) => {
            let by = SortBy::ALL[picker.cursor.at.min(SortBy::ALL.len() - 1)];
            choose(model, by)
        }
        Some(Command::Back | Command::Sort) => {
            model.overlay = None;
            Vec::new()
        }
        Some(command) => {
            picker.cursor.step(command, SortBy::ALL.len(), height);
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// Sorts by this; the same once more turns the order round.
pub(super) fn choose(model: &mut Model, by: SortBy) -> Vec<Effect> {
    model.overlay = None;
    if let View::Queues(view) = model.view_mut() {
        let QueuesView { sort, reversed, .. } = view;
        *reversed = *sort == by && !*reversed;
        *sort = by;
    }
    observed::settle(model);
    observed::focus(model)
}

/// Takes the mouse: a click chooses, one beside it closes.
pub(crate) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let inside = inside(model);
    let Some(Overlay::Sort(picker)) = &mut model.overlay else { return Vec::new() };
    match mouse.what {
        MouseWhat::Scroll(lines) => {
            picker.cursor.scroll(lines.signum(), SortBy::ALL.len(), usize::from(inside.height));
            Vec::new()
        }
        MouseWhat::Click if inside.contains((mouse.column, mouse.row).into()) => {
            let at = picker.cursor.top + usize::from(mouse.row - inside.y);
            SortBy::ALL.get(at).copied().map_or_else(Vec::new, |by| choose(model, by))
        }
        MouseWhat::Click => {
            model.overlay = None;
            Vec::new()
        }
    }
}

const COLUMNS: u16 = 66;

fn inside(model: &Model) -> Rect {
    let area = crate::view::areas(model.size).content;
    let (width, height) = (COLUMNS.min(area.width.saturating_sub(2)), rows().min(area.height));
    let outer = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    outer.inner(ratatui::layout::Margin { horizontal: 2, vertical: 1 })
}

fn rows() -> u16 {
    SortBy::ALL.len() as u16 + 2
}

/// Draws it.
pub(crate) fn draw(model: &Model, picker: &SortPicker, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let View::Queues(view) = model.view() else { return };
    let inside = popup(frame, area, (COLUMNS, rows()), "Sort by", look.style(Role::Accent), look);
    let lines = SortBy::ALL.iter().enumerate().skip(picker.cursor.top);
    for (y, (at, by)) in (inside.y..inside.bottom()).zip(lines) {
        let here = at == picker.cursor.at;
        let is_now = view.sort == *by;
        let row = Rect { y, height: 1, ..inside };
        if here {
            frame.buffer_mut().set_style(row, look.style(Role::Cursor));
        }
        let words = match is_now {
            true => format!("again: {}", by.words()[usize::from(!view.reversed)]),
            false => by.words()[0].to_owned(),
        };
        let sign = if is_now { look.sign("●", "*") } else { " " };
        let line = Line::from(vec![
            Span::styled(if here { look.pointer() } else { " " }, look.style(Role::Accent)),
            Span::raw(format!("{sign} {:<28}", by.title())),
            Span::styled(words, look.style(Role::Dim)),
        ]);
        frame.buffer_mut().set_line(row.x, row.y, &line, row.width);
    }
}
