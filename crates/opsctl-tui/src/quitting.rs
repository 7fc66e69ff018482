//! Whether to leave although runs are active.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    fit::cut, flow::subject, model::Model, overlay::Quitting, page::bar, popup::popup, run_view::RunState, theme::Role,
};

/// Runs named at most.
const RUNS_MAX: usize = 5;
/// Columns of a bar.
const BAR_COLUMNS: usize = 8;

/// Draws it.
pub(super) fn draw(model: &Model, quitting: &Quitting, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let active: Vec<&RunState> = model.runs.iter().filter(|run| run.is_active()).collect();
    let rows = active.len().min(RUNS_MAX + 1) as u16;
    let inside = popup(frame, area, (64, rows + 9), "Leave?", look.style(Role::Warning), look);
    let columns = usize::from(inside.width);
    let mut lines: Vec<(String, Role)> = Vec::new();
    lines.push((
        match active.len() {
            1 => "A run is active:".to_owned(),
            runs => format!("{runs} runs are active:"),
        },
        Role::Strong,
    ));
    for run in active.iter().take(RUNS_MAX) {
        let (done, open) = bar(run.share(), BAR_COLUMNS, look);
        let share = format!("{done}{open} {:>3.0} %", (run.share() * 100.0).floor());
        lines.push((format!("  {share}  {} in {}", subject(&run.plan.operation), run.plan.environment), Role::Text));
    }
    if active.len() > RUNS_MAX {
        lines.push((format!("  and {} more", active.len() - RUNS_MAX), Role::Dim));
    }
    lines.push((String::new(), Role::Text));
    let words = match model.leaving {
        false => [
            "Leaving stops what is active after what is in hand: nothing",
            "is lost, and Activity (or --resume) goes on with it.",
        ],
        true => [
            "It is stopping after what is in hand. Leaving at once loses",
            "nothing either: Activity (or --resume) goes on with it.",
        ],
    };
    lines.extend(words.map(|text| (text.to_owned(), Role::Text)));
    let buffer = frame.buffer_mut();
    for (y, (text, role)) in (inside.y..inside.bottom().saturating_sub(2)).zip(lines) {
        buffer.set_stringn(inside.x, y, cut(&text, columns, look), columns, look.style(role));
    }
    let button = |text: &'static str, focused: bool| match focused {
        true => Span::styled(format!("[ {text} ]"), look.style(Role::Cursor)),
        false => Span::styled(format!("  {text}  "), look.style(Role::Dim)),
    };
    let (stay, leave) = if model.leaving { ("Wait", "Leave at once") } else { ("Stay", "Stop and leave") };
    let line = Line::from(vec![button(stay, !quitting.leave), Span::raw("  "), button(leave, quitting.leave)]);
    if inside.height > 2 {
        buffer.set_line(inside.x, inside.bottom() - 2, &line, inside.width);
        let keys = "y leave   n stay   tab choose   enter take it";
        buffer.set_stringn(inside.x, inside.bottom() - 1, keys, columns, look.style(Role::Dim));
    }
}
