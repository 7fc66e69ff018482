//! Where the parts of Home stand.

use ratatui::layout::Rect;

use crate::{state::model::Model, widgets::areas::areas};

/// Where the parts of the view stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) summary: Rect,
    pub(super) table: Rect,
    pub(super) detail: Rect,
}

/// Rows of the detail area: a rule, what and where, three lines of reason, keys.
const DETAIL: u16 = 6;

pub(super) fn places(area: Rect, environments: usize) -> Places {
    // The list comes first: it keeps at least half of the room.
    let detail = if area.height >= 14 { DETAIL } else { area.height.min(if area.height >= 9 { 3 } else { 0 }) };
    let wanted = u16::try_from(environments).unwrap_or(u16::MAX).saturating_add(1);
    let room = (area.height - detail).saturating_sub(6);
    let summary = if room >= 2 { wanted.min(room.max(2)).min(area.height / 3) } else { 0 };
    let part = |y: u16, height: u16| Rect { y, height, ..area };
    let table = part(area.y + summary, area.height - summary - detail);
    Places { summary: part(area.y, summary), table, detail: part(table.bottom(), detail) }
}

pub(super) fn places_of(model: &Model) -> Places {
    places(areas(model.size).content, model.shown_sites().count())
}

pub(super) fn height(model: &Model) -> usize {
    usize::from(places_of(model).table.height).saturating_sub(1)
}
