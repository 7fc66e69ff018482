//! A list's filter as it is shown: while it is typed, while it holds, and where nothing fits it.

use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::Style,
};

use crate::{
    domain::{Text, words::thousands},
    keymap::{Command, Key, query::Query},
    state::{Field, Look, Role, Typed},
    widgets::fit::{cut, width},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Did {
    Changed,
    Kept,
    GivenUp,
    Moved(Command),
    Nothing,
}

/// Takes a key while a filter is typed: enter keeps it, esc gives it up. Typing and walking through what is found go together.
pub(crate) fn key(typing: &mut Option<Field>, key: &Key) -> Did {
    let Some(field) = typing else { return Did::Nothing };
    match field.key(key) {
        Typed::Changed => Did::Changed,
        Typed::Enter => {
            *typing = None;
            Did::Kept
        }
        Typed::Escape => {
            *typing = None;
            Did::GivenUp
        }
        Typed::Nothing => match key.to_string().as_str() {
            "down" | "ctrl-n" => Did::Moved(Command::Down),
            "up" | "ctrl-p" => Did::Moved(Command::Up),
            "pgdn" => Did::Moved(Command::PageDown),
            "pgup" => Did::Moved(Command::PageUp),
            _ => Did::Nothing,
        },
    }
}

const HINT: &str = "words   !not   ~letters   /regular expression/";

/// The line in which it is typed: what can be typed as long as nothing is; how many fit, of all.
pub(crate) fn draw(field: &Field, (fitting, all): (usize, usize), frame: &mut Frame<'_>, area: Rect, look: Look) {
    let query = Query::parse(field.text());
    let (found, role) = match query.wrong() {
        Some(_) => (" not a regular expression yet ".to_owned(), Role::Warning),
        None => (format!(" {} of {} ", thousands(fitting as u64), thousands(all as u64)), Role::Dim),
    };
    let columns = width(&found) as u16;
    let line = Rect { width: area.width.saturating_sub(columns + 1), ..area };
    field.draw(" / ", frame, line, look.style(Role::Strong), look);
    let room = usize::from(line.width).saturating_sub(8);
    if field.text().is_empty() && room > 0 {
        frame.buffer_mut().set_stringn(line.x + 6, line.y, cut(HINT, room, look), room, look.style(Role::Dim));
    }
    frame.buffer_mut().set_string(line.right(), area.y, found, look.style(role));
}

/// `3 fit "cts-dlq"`.
pub(crate) fn words(filter: &str, fitting: usize) -> String {
    let fit = if fitting == 1 { "fits" } else { "fit" };
    format!("{} {fit} \"{}\"", thousands(fitting as u64), Text::line(filter))
}

/// Why nothing is listed, and how to go on; `back` is the key that takes the filter away.
pub(crate) fn nothing(what: &str, filter: &str, back: &str) -> String {
    let query = Query::parse(filter);
    if let Some(wrong) = query.wrong() {
        return format!("{}: {back} takes the filter away", Text::line(wrong));
    }
    let has_operator = filter.split_whitespace().any(|word| word.starts_with(['!', '~', '/']));
    let hint = if has_operator {
        String::new()
    } else {
        format!("; ~{} finds its letters scattered", Text::line(filter.trim()))
    };
    format!("No {what} fits \"{}\": {back} takes the filter away{hint}", Text::line(filter))
}

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
