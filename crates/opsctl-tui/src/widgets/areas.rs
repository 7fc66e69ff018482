//! Where things stand on the screen.

use ratatui::layout::Rect;

/// Fewest columns and rows on which something can be shown.
pub(crate) const SMALLEST: (u16, u16) = (40, 10);

/// Whether nothing can be shown on a terminal of this size.
pub(crate) fn is_too_small((columns, rows): (u16, u16)) -> bool {
    columns < SMALLEST.0 || rows < SMALLEST.1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    pub title: Rect,
    /// What the view shows, without the rules above and below.
    pub content: Rect,
    /// What was said, and what looking costs.
    pub status: Rect,
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
