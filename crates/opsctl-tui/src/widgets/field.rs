//! A line being typed, as it is drawn.

use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::Style,
};

use super::fit::width;
use crate::state::{
    field::Field,
    look::{Look, Role},
};

impl Field {
    /// Draws label and text into one row and shows the terminal's cursor there.
    pub fn draw(&self, label: &str, frame: &mut Frame<'_>, area: Rect, style: Style, look: Look) {
        let label_columns = (width(label) as u16).min(area.width);
        let room = usize::from(area.width - label_columns).saturating_sub(1);
        let scroll = self.0.visual_scroll(room.max(1));
        let buffer = frame.buffer_mut();
        buffer.set_stringn(area.x, area.y, label, usize::from(label_columns), look.style(Role::Key));
        let mut skipped = 0;
        let shown: String = self
            .text()
            .chars()
            .skip_while(|character| {
                let is_left = skipped < scroll;
                skipped += unicode_width::UnicodeWidthChar::width(*character).unwrap_or(0);
                is_left
            })
            .collect();
        buffer.set_stringn(area.x + label_columns, area.y, &shown, room + 1, style);
        let at = self.0.visual_cursor().saturating_sub(scroll).min(room) as u16;
        frame.set_cursor_position(Position { x: area.x + label_columns + at, y: area.y });
    }
}
