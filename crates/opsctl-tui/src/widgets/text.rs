//! Text put on the screen, a row each.

use ratatui::{Frame, layout::Rect, style::Style, text::Span};

use crate::{
    state::{Cursor, Look, Mouse, MouseWhat, Role},
    widgets::fit::{cut, width, wrap},
};

pub(crate) fn row(area: Rect, at: u16) -> Rect {
    Rect { y: area.y + at, height: 1, ..area }
}

pub(crate) fn last_row(area: Rect) -> Rect {
    row(area, area.height.saturating_sub(1))
}

/// An area without so many columns at its left and right.
pub(crate) fn within(area: Rect, columns: u16) -> Rect {
    Rect { x: area.x + columns, width: area.width.saturating_sub(2 * columns), ..area }
}

/// Text in the first row of an area, cut where there is no room.
pub(crate) fn put(frame: &mut Frame<'_>, area: Rect, text: &str, style: Style, look: Look) {
    let room = usize::from(area.width);
    frame.buffer_mut().set_stringn(area.x, area.y, cut(text, room, look), room, style);
}

pub(crate) fn put_right(frame: &mut Frame<'_>, area: Rect, text: &str, style: Style) {
    let x = area.right().saturating_sub(width(text) as u16 + 2);
    frame.buffer_mut().set_stringn(x, area.y, text, usize::from(area.width), style);
}

/// Texts below each other as far as there is room, each cut.
pub(crate) fn put_lines<T: AsRef<str>>(
    frame: &mut Frame<'_>,
    area: Rect,
    lines: impl IntoIterator<Item = (T, Style)>,
    look: Look,
) {
    for (at, (text, style)) in (0..area.height).zip(lines) {
        put(frame, row(area, at), text.as_ref(), style, look);
    }
}

/// Texts below each other as far as there is room, broken into lines.
pub(crate) fn put_wrapped(frame: &mut Frame<'_>, area: Rect, texts: &[(String, Role)], look: Look) {
    let broken = |(text, role): &(String, Role)| {
        let style = look.style(*role);
        wrap(text, usize::from(area.width)).into_iter().map(move |line| (line, style))
    };
    put_lines(frame, area, texts.iter().flat_map(broken), look);
}

pub(crate) fn put_rule(frame: &mut Frame<'_>, area: Rect, sign: &str, style: Style) {
    frame.buffer_mut().set_string(area.x, area.y, sign.repeat(usize::from(area.width)), style);
}

/// What is to be pressed; one has the focus.
pub(crate) fn button(text: &str, focused: bool, look: Look) -> Span<'static> {
    match focused {
        true => Span::styled(format!("[ {text} ]"), look.style(Role::Cursor)),
        false => Span::styled(format!("  {text}  "), look.style(Role::Dim)),
    }
}

/// How many lines are not seen above and below; empty where all are.
pub(crate) fn hidden(above: usize, below: usize, look: Look) -> String {
    let said = [(above, look.sign("↑", "^"), "above"), (below, look.sign("↓", "v"), "more")];
    let said = said.iter().filter(|(lines, ..)| *lines > 0).map(|(lines, sign, word)| format!("{sign} {lines} {word}"));
    said.collect::<Vec<_>>().join("   ")
}

/// What the mouse did to the cursor of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pointed {
    Moved,
    /// The row under the cursor was clicked.
    Again,
    Nothing,
}

/// Takes the mouse where a table of so many rows is drawn into `area`, its titles first.
pub(crate) fn pointed(cursor: &mut Cursor, mouse: Mouse, area: Rect, rows: usize) -> Pointed {
    let height = usize::from(area.height).saturating_sub(1);
    match mouse.what {
        MouseWhat::Scroll(lines) => cursor.scroll(lines, rows, height),
        MouseWhat::Click => {
            let line = mouse.row.checked_sub(area.y + 1).map(usize::from).filter(|line| *line < height);
            match line.map(|line| cursor.top + line).filter(|row| *row < rows) {
                None => return Pointed::Nothing,
                Some(row) if row == cursor.at => return Pointed::Again,
                Some(row) => cursor.go(row, rows, height),
            }
        }
    }
    Pointed::Moved
}
