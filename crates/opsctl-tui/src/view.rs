//! [`view`]: the whole screen from the model. Pure.
//!
//! ```text
//!  opsctl  1 Home 4  2 Queues  3 Services  0 +4            dev  staging  PROD   03:12:44 UTC
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

use crate::{
    footer,
    state::{Model, Role, event::Tone, model::World},
    title,
    widgets::{SMALLEST, areas, is_too_small, put_wrapped, spread},
};

/// Columns between what was said and what stands on the right.
const GAP: usize = 2;

pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let size = (frame.area().width, frame.area().height);
    if is_too_small(size) {
        return too_small(model, frame);
    }
    let areas = areas(size);
    title::draw(model, frame, areas.title);
    title::draw_rule(model, frame, areas.title.y + 1);
    model.view().screen().draw(model, frame, areas.content);
    let line = model.look.sign("─", "-").repeat(usize::from(size.0));
    frame.buffer_mut().set_string(0, areas.status.y - 1, line, model.look.style(Role::Line));
    status(model, frame, areas.status);
    footer::draw(model, frame, areas.footer);
    if let Some(overlay) = &model.overlay {
        overlay.pane().draw(model, frame, areas.content);
    }
}

fn too_small(model: &Model, frame: &mut Frame<'_>) {
    let text = format!("opsctl needs {} x {} characters", SMALLEST.0, SMALLEST.1);
    let area = frame.area();
    put_wrapped(frame, area, &[(text, Role::Warning)], model.look);
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
    let width = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let (mut right, columns) = (spend(model), usize::from(area.width));
    // What is said matters more than what looking costs.
    if width(&left) + GAP + width(&right) > columns {
        right = world(model);
    }
    right.insert(0, Span::raw(" ".repeat(GAP)));
    let line: Line<'_> = spread(left, right, columns, look);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

/// Where it all comes from, unless that is AWS.
fn world(model: &Model) -> Vec<Span<'static>> {
    let sandbox = || Span::styled("sandbox", model.look.style(Role::Good));
    (model.world == World::Sandbox).then(sandbox).into_iter().collect()
}

/// The same, and what looking costs.
fn spend(model: &Model) -> Vec<Span<'static>> {
    let look = model.look;
    let snapshots = || model.sites.iter().filter_map(|site| site.snapshot.as_ref());
    let calls: u32 = snapshots().map(|snapshot| snapshot.spend.calls_per_minute).sum();
    let dollars = snapshots().map(|snapshot| snapshot.spend.dollars_per_hour).fold(0.0, |sum, dollars| sum + dollars);
    let mut spans = world(model);
    if !spans.is_empty() {
        spans.push(Span::styled(look.dot(), look.style(Role::Dim)));
    }
    if snapshots().any(|snapshot| snapshot.spend.bounded) {
        spans.push(Span::styled("at its bound: ", look.style(Role::Warning)));
    }
    let text = format!("{calls} calls/min{}${dollars:.2}/h ", look.dot());
    spans.push(Span::styled(text, look.style(Role::Dim)));
    spans
}
