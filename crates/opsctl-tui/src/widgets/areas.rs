//! Where things stand on the screen.

use ratatui::{Frame, layout::Rect, style::Style};

use crate::{
    state::{Look, Role, Symbols},
    widgets::fit::cut,
};

/// Fewest columns and rows on which something can be shown.
pub(crate) const SMALLEST: (u16, u16) = (40, 10);

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

pub fn areas((columns, rows): (u16, u16)) -> Areas {
    let row = |y: u16| Rect { x: 0, y: y.min(rows.saturating_sub(1)), width: columns, height: 1.min(rows) };
    Areas {
        title: row(0),
        content: Rect { x: 0, y: 2, width: columns, height: rows.saturating_sub(5) },
        status: row(rows.saturating_sub(2)),
        footer: row(rows.saturating_sub(1)),
    }
}

/// Clears a box of at most this size in the middle of `area`, frames it and gives what is inside.
pub(crate) fn popup(
    frame: &mut Frame<'_>,
    area: Rect,
    (columns, rows): (u16, u16),
    title: &str,
    edge: Style,
    look: Look,
) -> Rect {
    let width = columns.min(area.width.saturating_sub(2));
    let height = rows.min(area.height);
    let outer = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    boxed(frame, outer, title, edge, look)
}

/// Clears and frames `outer`; gives what is inside, with a column free at both sides.
pub(crate) fn boxed(frame: &mut Frame<'_>, outer: Rect, title: &str, edge: Style, look: Look) -> Rect {
    if outer.width < 4 || outer.height < 2 {
        return Rect { width: 0, height: 0, ..outer };
    }
    frame.render_widget(ratatui::widgets::Clear, outer);
    let [corners, across, down] = match look.symbols {
        Symbols::Unicode => [["╭", "╮", "╰", "╯"], ["─"; 4], ["│"; 4]],
        Symbols::Ascii => [["+"; 4], ["-"; 4], ["|"; 4]],
    };
    let buffer = frame.buffer_mut();
    let (right, bottom) = (outer.right() - 1, outer.bottom() - 1);
    for x in outer.x..=right {
        buffer.set_string(x, outer.y, across[0], edge);
        buffer.set_string(x, bottom, across[0], edge);
    }
    for y in outer.y..=bottom {
        buffer.set_string(outer.x, y, down[0], edge);
        buffer.set_string(right, y, down[0], edge);
    }
    for (corner, (x, y)) in
        corners.into_iter().zip([(outer.x, outer.y), (right, outer.y), (outer.x, bottom), (right, bottom)])
    {
        buffer.set_string(x, y, corner, edge);
    }
    let room = usize::from(outer.width).saturating_sub(4);
    let title = format!(" {} ", cut(title, room.saturating_sub(2), look));
    buffer.set_stringn(outer.x + 2, outer.y, title, room, look.style(Role::Strong));
    Rect { x: outer.x + 2, y: outer.y + 1, width: outer.width - 4, height: outer.height - 2 }
}
