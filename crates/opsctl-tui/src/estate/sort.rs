//! Choosing the column to sort by.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    effect::Effect,
    event::{Mouse, MouseWhat},
    keymap::{Command, Key},
    list::Cursor,
    model::{Model, Overlay, View},
    observed, overlay,
    popup::popup,
    queues::SortPicker,
    theme::Role,
};

const COLUMNS: u16 = 70;

/// How many there are to choose from.
fn count(model: &Model) -> usize {
    match model.view() {
        View::Estate(view) => view.topic.columns().len(),
        View::Home(_) | View::Queues(_) | View::Letters(_) | View::Message(_) | View::Activity(_) | View::Run(_) => 0,
    }
}

/// Opens it on what is sorted by now.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let View::Estate(view) = model.view() else { return Vec::new() };
    let at = view.topic.columns().iter().position(|listed| listed.at == view.sort).unwrap_or(0);
    let mut cursor = Cursor { at, top: 0 };
    cursor.settle(count(model), usize::from(inside(model).height));
    model.overlay = Some(Overlay::Sort(SortPicker { cursor }));
    Vec::new()
}

/// Takes a key.
pub(crate) fn key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let meaning = overlay::meaning(model, key);
    let (height, rows) = (usize::from(inside(model).height), count(model));
    let Some(Overlay::Sort(picker)) = &mut model.overlay else { return Vec::new() };
    let at = picker.cursor.at;
    match meaning {
        Some(Command::Open) => return choose_row(model, at),
        Some(Command::Back | Command::Sort) => model.overlay = None,
        Some(command) => {
            picker.cursor.step(command, rows, height);
        }
        None => {}
    }
    Vec::new()
}

fn choose_row(model: &mut Model, row: usize) -> Vec<Effect> {
    let View::Estate(view) = model.view() else { return Vec::new() };
    match view.topic.columns().get(row).map(|listed| listed.at) {
        Some(at) => choose(model, at),
        None => Vec::new(),
    }
}

/// Sorts by this; the same once more turns the order round.
pub(super) fn choose(model: &mut Model, by: usize) -> Vec<Effect> {
    model.overlay = None;
    if let View::Estate(view) = model.view_mut() {
        view.reversed = view.sort == by && !view.reversed;
        view.sort = by;
    }
    observed::settle(model);
    observed::focus(model)
}

/// Takes the mouse: a click chooses, one beside it closes.
pub(crate) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let (inside, rows) = (inside(model), count(model));
    let Some(Overlay::Sort(picker)) = &mut model.overlay else { return Vec::new() };
    match mouse.what {
        MouseWhat::Scroll(lines) => {
            picker.cursor.scroll(lines.signum(), rows, usize::from(inside.height));
            Vec::new()
        }
        MouseWhat::Click if inside.contains((mouse.column, mouse.row).into()) => {
            let row = picker.cursor.top + usize::from(mouse.row - inside.y);
            choose_row(model, row)
        }
        MouseWhat::Click => {
            model.overlay = None;
            Vec::new()
        }
    }
}

fn rows(model: &Model) -> u16 {
    count(model) as u16 + 2
}

fn inside(model: &Model) -> Rect {
    let area = crate::view::areas(model.size).content;
    let (width, height) = (COLUMNS.min(area.width.saturating_sub(2)), rows(model).min(area.height));
    let outer = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    outer.inner(ratatui::layout::Margin { horizontal: 2, vertical: 1 })
}

/// Draws it.
pub(crate) fn draw(model: &Model, picker: &SortPicker, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let View::Estate(view) = model.view() else { return };
    let inside = popup(frame, area, (COLUMNS, rows(model)), "Sort by", look.style(Role::Accent), look);
    let columns = view.topic.columns();
    for (y, (at, listed)) in (inside.y..inside.bottom()).zip(columns.iter().enumerate().skip(picker.cursor.top)) {
        let here = at == picker.cursor.at;
        let is_now = view.sort == listed.at;
        let row = Rect { y, height: 1, ..inside };
        if here {
            frame.buffer_mut().set_style(row, look.style(Role::Cursor));
        }
        let words = match is_now {
            true => format!("again: {}", listed.words[usize::from(!view.reversed)]),
            false => listed.words[0].to_owned(),
        };
        let sign = if is_now { look.sign("●", "*") } else { " " };
        let line = Line::from(vec![
            Span::styled(if here { look.pointer() } else { " " }, look.style(Role::Accent)),
            Span::raw(format!("{sign} {:<28}", listed.what)),
            Span::styled(words, look.style(Role::Dim)),
        ]);
        frame.buffer_mut().set_line(row.x, row.y, &line, row.width);
    }
}
