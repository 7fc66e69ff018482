//! Whether to leave although runs are active.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{model::Model, overlay::Quitting, popup::popup, theme::Role};

/// Draws it.
pub(super) fn draw(model: &Model, quitting: &Quitting, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let active = model.runs.iter().filter(|run| run.is_active()).count();
    let runs = if active == 1 { "A run is active.".to_owned() } else { format!("{active} runs are active.") };
    let inside = popup(frame, area, (56, 8), "Leave?", look.style(Role::Warning), look);
    let lines = [
        runs,
        "Leaving stops after what is in hand: nothing is lost,".to_owned(),
        "and `--resume` or Activity goes on with it.".to_owned(),
    ];
    let buffer = frame.buffer_mut();
    for (y, text) in (inside.y..inside.bottom()).zip(lines) {
        buffer.set_stringn(inside.x, y, text, usize::from(inside.width), look.style(Role::Text));
    }
    let button = |text: &'static str, focused: bool| {
        let style = if focused { look.style(Role::Cursor) } else { look.style(Role::Dim) };
        Span::styled(if focused { format!("[{text}]") } else { format!(" {text} ") }, style)
    };
    let line = Line::from(vec![
        button(" Stay ", !quitting.leave),
        Span::raw("  "),
        button(" Stop and leave ", quitting.leave),
    ]);
    if inside.height > 4 {
        buffer.set_line(inside.x, inside.y + 4, &line, inside.width);
    }
}
