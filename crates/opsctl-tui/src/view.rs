//! [`view`]: the whole screen from the model. Pure.
//!
//! ```text
//! opsctl   1 Home 4   2 Queues   3 Activity              dev  staging  PROD   03:12:44 UTC
//! ──────────────────────────────────────────────────────────────────────────────────────
//! content
//! ──────────────────────────────────────────────────────────────────────────────────────
//! what was said last                                      sandbox   61 calls/min   $0.02/h
//! enter open   R redrive   / filter   ? help
//! ```

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    activity, estate,
    event::Tone,
    fit::spread,
    flow, footer, help, home, letters, message,
    model::{Model, Overlay, View},
    palette, queues, quitting, run_view,
    theme::Role,
    title,
};

/// Fewest columns and rows on which something can be shown.
const SMALLEST: (u16, u16) = (40, 10);

/// Whether nothing can be shown on a terminal of this size.
pub(super) fn is_too_small((columns, rows): (u16, u16)) -> bool {
    columns < SMALLEST.0 || rows < SMALLEST.1
}

/// Where things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// Views and environments.
    pub title: Rect,
    /// What the view shows, without the rules above and below.
    pub content: Rect,
    /// What was said, and what looking costs.
    pub status: Rect,
    /// Keys.
    pub footer: Rect,
}

/// Where things stand on a terminal of this size.
pub fn areas((columns, rows): (u16, u16)) -> Areas {
    let row = |y: u16| Rect { x: 0, y: y.min(rows.saturating_sub(1)), width: columns, height: 1.min(rows) };
    Areas {
        title: row(0),
        content: Rect { x: 0, y: 2, width: columns, height: rows.saturating_sub(5) },
        status: row(rows.saturating_sub(2)),
        footer: row(rows.saturating_sub(1)),
    }
}

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let size = (frame.area().width, frame.area().height);
    if is_too_small(size) {
        return too_small(model, frame);
    }
    let areas = areas(size);
    title::draw(model, frame, areas.title);
    title::draw_rule(model, frame, areas.title.y + 1);
    draw_view(model, frame, areas.content);
    let line = model.look.sign("─", "-").repeat(usize::from(size.0));
    frame.buffer_mut().set_string(0, areas.status.y - 1, line, model.look.style(Role::Line));
    status(model, frame, areas.status);
    footer::draw(model, frame, areas.footer);
    match &model.overlay {
        None => {}
        Some(Overlay::Help(overlay)) => help::draw(model, overlay, frame, areas.content),
        Some(Overlay::Palette(overlay)) => palette::draw(model, overlay, frame, areas.content),
        Some(Overlay::Details(overlay)) => queues::draw_details(model, overlay, frame, areas.content),
        Some(Overlay::Sheet(overlay)) => estate::draw_sheet(model, overlay, frame, areas.content),
        Some(Overlay::Sort(overlay)) if matches!(model.view(), View::Estate(_)) => {
            estate::draw_sort(model, overlay, frame, areas.content);
        }
        Some(Overlay::Sort(overlay)) => queues::draw_sort(model, overlay, frame, areas.content),
        Some(Overlay::Columns(overlay)) => letters::draw_columns(model, overlay, frame, areas.content),
        Some(Overlay::Diff(overlay)) => letters::draw_diff(model, overlay, frame, areas.content),
        Some(Overlay::Flow(overlay)) => flow::draw(model, overlay, frame, areas.content),
        Some(Overlay::Acknowledge(overlay)) => home::draw_acknowledge(model, overlay, frame, areas.content),
        Some(Overlay::Quitting(overlay)) => quitting::draw(model, overlay, frame, areas.content),
    }
}

fn draw_view(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    match model.view() {
        View::Home(view) => home::draw(model, view, frame, area),
        View::Queues(view) => queues::draw(model, view, frame, area),
        View::Estate(view) => estate::draw(model, view, frame, area),
        View::Letters(view) => letters::draw(model, view, frame, area),
        View::Message(view) => message::draw(model, view, frame, area),
        View::Activity(view) => activity::draw(model, view, frame, area),
        View::Run(view) => run_view::draw(model, view, frame, area),
    }
}

fn too_small(model: &Model, frame: &mut Frame<'_>) {
    let text = format!("opsctl needs {} x {} characters", SMALLEST.0, SMALLEST.1);
    let area = frame.area();
    let lines = super::fit::wrap(&text, usize::from(area.width.max(1)));
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        frame.buffer_mut().set_stringn(area.x, y, line, usize::from(area.width), model.look.style(Role::Warning));
    }
}

fn status(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let left = match &model.notice {
        Some(notice) => {
            let role = match notice.tone {
                Tone::Note => Role::Text,
                Tone::Good => Role::Good,
                Tone::Bad => Role::Warning,
            };
            vec![Span::raw(" "), Span::styled(notice.text.as_str(), look.style(role))]
        }
        None => Vec::new(),
    };
    let right = spend(model);
    let line: Line<'_> = spread(left, right, usize::from(area.width), look);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

/// Where it all comes from, and what looking costs.
fn spend(model: &Model) -> Vec<Span<'static>> {
    let look = model.look;
    let snapshots = || model.sites.iter().filter_map(|site| site.snapshot.as_ref());
    let calls: u32 = snapshots().map(|snapshot| snapshot.spend.calls_per_minute).sum();
    let dollars = snapshots().map(|snapshot| snapshot.spend.dollars_per_hour).fold(0.0, |sum, dollars| sum + dollars);
    let mut spans = Vec::new();
    if model.world == super::model::World::Sandbox {
        spans.push(Span::styled("sandbox", look.style(Role::Good)));
        spans.push(Span::styled(look.dot(), look.style(Role::Dim)));
    }
    if snapshots().any(|snapshot| snapshot.spend.bounded) {
        spans.push(Span::styled("at its bound: ", look.style(Role::Warning)));
    }
    let text = format!("{calls} calls/min{}${dollars:.2}/h ", look.dot());
    spans.push(Span::styled(text, look.style(Role::Dim)));
    spans
}
