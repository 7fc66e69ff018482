//! Signs and short texts that several screens show alike.

use ratatui::{Frame, layout::Rect};

use super::fit::{width, wrap};
use crate::{
    domain::Text,
    observe::Severity,
    state::{
        look::{Look, Role},
        model::Site,
    },
};

pub(crate) fn sign(severity: Severity, look: Look) -> (&'static str, Role) {
    match severity {
        Severity::Critical => (look.sign("✖", "!"), Role::Critical),
        Severity::Warning => (look.sign("▲", "*"), Role::Warning),
        Severity::Notice => (look.sign("•", "-"), Role::Text),
    }
}

/// An environment's name as it is shown, safe.
pub(crate) fn environment(site: &Site, look: Look) -> String {
    Text::line(&look.environment_name(&site.environment)).to_string()
}

/// Parts side by side as long as there is room; one that is longer than a line is broken between words.
pub(crate) fn packed(parts: &[String], dot: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(last) if width(last) + width(dot) + width(part) <= room => {
                last.push_str(dot);
                last.push_str(part);
            }
            _ => lines.extend(wrap(part, room)),
        }
    }
    lines
}

/// Draws text below each other, broken into lines, with a margin of two columns.
pub(crate) fn draw_lines(lines: &[(String, Role)], frame: &mut Frame<'_>, area: Rect, look: Look) {
    let room = usize::from(area.width).saturating_sub(4);
    let lines = lines.iter().flat_map(|(text, role)| wrap(text, room).into_iter().map(move |line| (line, *role)));
    for (y, (line, role)) in (area.y..area.bottom()).zip(lines) {
        frame.buffer_mut().set_string(area.x + 2, y, line, look.style(role));
    }
}
