//! Tables of any length: only the rows on the screen are ever made.

use std::borrow::Cow;

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use crate::{
    state::{Cursor, Look, Role},
    widgets::fit::{Align, cut, cut_middle, marked, spread, width},
};

/// A column: where there is no room, those of lowest weight are left out first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape<'a> {
    /// Title, safe to show.
    pub title: &'a str,
    /// Fewest columns of the screen that are of use.
    pub min: u16,
    /// As many as it needs at most.
    pub ideal: u16,
    pub align: Align,
    pub cut: Cut,
    /// The higher, the longer it stays.
    pub weight: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    End,
    /// The middle: names differ at their ends.
    Middle,
}

#[derive(Debug, Clone)]
pub struct Cell<'a> {
    /// Text, safe to show.
    pub text: Cow<'a, str>,
    pub style: Style,
    /// Characters that stand out because a search found them: indices, ascending.
    pub found: Vec<usize>,
}

impl<'a> Cell<'a> {
    pub fn new(text: impl Into<Cow<'a, str>>, style: Style) -> Self {
        Self { text: text.into(), style, found: Vec::new() }
    }

    pub fn with_found(self, found: Vec<usize>) -> Self {
        Self { found, ..self }
    }
}

/// A row that is not made of cells alone: from this column on, the line takes what is left of the row.
pub type Over<'a> = Option<(usize, Line<'a>)>;

pub struct Table<'a, C> {
    pub columns: &'a [Shape<'a>],
    pub rows: usize,
    /// Where one is; none: there is no cursor.
    pub cursor: Option<Cursor>,
    /// Column that it is sorted by, and whether upwards.
    pub sorted: Option<(usize, bool)>,
    pub cell: C,
    pub look: Look,
}

/// Places of the columns that fit: index, and columns of the screen. One column stands between two.
pub fn fit_columns(columns: &[Shape<'_>], room: u16) -> Vec<(usize, u16)> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let needed = |kept: &[usize]| kept.iter().map(|at| columns[*at].min + 1).sum::<u16>().saturating_sub(1);
    while needed(&kept) > room && kept.len() > 1 {
        let lightest =
            kept.iter().copied().enumerate().min_by_key(|(at, column)| (columns[*column].weight, usize::MAX - at));
        let Some((at, _)) = lightest else { break };
        kept.remove(at);
    }
    let mut left = room.saturating_sub(needed(&kept));
    let mut widths: Vec<u16> = kept.iter().map(|at| columns[*at].min.min(room)).collect();
    // What is left goes round, heaviest first, a column at a time, until all have what they need.
    let mut order: Vec<usize> = (0..kept.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(columns[kept[*at]].weight));
    while left > 0 {
        let before = left;
        for at in &order {
            if left > 0 && widths[*at] < columns[kept[*at]].ideal {
                widths[*at] += 1;
                left -= 1;
            }
        }
        if before == left {
            break;
        }
    }
    kept.into_iter().zip(widths).collect()
}

/// The column whose title stands at `x` of the screen, in a table drawn into `area`.
pub fn column_at(columns: &[Shape<'_>], area: Rect, x: u16) -> Option<usize> {
    let mut from = area.x + 1;
    fit_columns(columns, area.width.saturating_sub(2)).into_iter().find_map(|(column, width)| {
        let to = from + width;
        let inside = (from..to).contains(&x);
        from = to + 1;
        inside.then_some(column)
    })
}

impl<'a, C: Fn(usize, usize) -> Cell<'a>> Table<'a, C> {
    /// Draws title line and the rows that fit into `area`.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect) {
        self.draw_over(frame, area, |_| None);
    }

    /// The same, where rows may have a line in place of some of their cells.
    pub fn draw_over(&self, frame: &mut Frame<'_>, area: Rect, over: impl Fn(usize) -> Over<'a>) {
        if area.height == 0 || area.width < 2 {
            return;
        }
        let look = self.look;
        let places = fit_columns(self.columns, area.width.saturating_sub(2));
        let buffer = frame.buffer_mut();
        buffer.set_line(area.x, area.y, &self.titles(&places), area.width);
        let top = self.cursor.map_or(0, |cursor| cursor.top);
        for (line, row) in (top..self.rows).take(usize::from(area.height) - 1).enumerate() {
            let y = area.y + 1 + line as u16;
            let here = self.cursor.is_some_and(|cursor| cursor.at == row);
            if here {
                buffer.set_style(Rect { x: area.x, y, width: area.width, height: 1 }, look.style(Role::Cursor));
                buffer.set_string(area.x, y, look.pointer(), look.style(Role::Accent));
            }
            let mut x = area.x + 1;
            let over = over(row);
            for (column, columns) in &places {
                if let Some((from, line)) = &over
                    && column >= from
                {
                    let room = area.right().saturating_sub(x + 1);
                    let line = spread(line.spans.clone(), Vec::new(), usize::from(room), look);
                    buffer.set_line(x, y, &line, room);
                    break;
                }
                let cell = (self.cell)(row, *column);
                self.put(buffer, x, y, *columns, &self.columns[*column], &cell);
                x += columns + 1;
            }
        }
    }

    fn put(
        &self,
        buffer: &mut ratatui::buffer::Buffer,
        x: u16,
        y: u16,
        columns: u16,
        column: &Shape<'_>,
        cell: &Cell<'_>,
    ) {
        let room = usize::from(columns);
        let text = match column.cut {
            Cut::End => cut(&cell.text, room, self.look),
            Cut::Middle => cut_middle(&cell.text, room, self.look),
        };
        let gap = match column.align {
            Align::Left => 0,
            Align::Right => room.saturating_sub(width(&text)) as u16,
        };
        if cell.found.is_empty() {
            buffer.set_stringn(x + gap, y, text, room, cell.style);
        } else {
            let found = kept(&cell.text, &text, &cell.found, self.look);
            buffer.set_line(x + gap, y, &Line::from(marked(&text, &found, cell.style, self.look)), columns);
        }
    }

    fn titles(&self, places: &[(usize, u16)]) -> Line<'static> {
        let style = self.look.style(Role::Heading);
        let mut spans = vec![Span::raw(" ")];
        for (at, columns) in places {
            let column = &self.columns[*at];
            let sign = match self.sorted {
                Some((by, up)) if by == *at => {
                    if up {
                        self.look.sign("▲", "^")
                    } else {
                        self.look.sign("▼", "v")
                    }
                }
                _ => "",
            };
            let title = format!("{}{sign}", column.title);
            spans.push(Span::styled(
                crate::widgets::fit::pad(&title, usize::from(*columns), column.align, self.look),
                style,
            ));
            spans.push(Span::raw(" "));
        }
        Line::from(spans)
    }
}

/// Where characters of `whole` stand in `cut`, which lost some at the end or in the middle.
fn kept(whole: &str, cut: &str, found: &[usize], look: Look) -> Vec<usize> {
    if whole == cut {
        return found.to_vec();
    }
    let (length, left) = (whole.chars().count(), cut.chars().count());
    let head = whole.chars().zip(cut.chars()).take_while(|(one, other)| one == other).count();
    let sign = look.ellipsis().chars().count();
    let lost = length.saturating_sub(left.saturating_sub(sign));
    let place = |at: usize| {
        if at < head {
            return Some(at);
        }
        (at >= head + lost).then(|| at - lost + sign)
    };
    found.iter().filter_map(|at| place(*at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(title: &str, min: u16, ideal: u16, weight: u8) -> Shape<'_> {
        Shape { title, min, ideal, align: Align::Left, cut: Cut::End, weight }
    }

    #[test]
    fn the_lightest_columns_go_first_and_room_goes_to_the_heaviest() {
        let columns = [column("name", 10, 30, 9), column("type", 5, 5, 1), column("visible", 6, 8, 5)];
        assert_eq!(fit_columns(&columns, 80), [(0, 30), (1, 5), (2, 8)]);
        assert_eq!(fit_columns(&columns, 30), [(0, 15), (1, 5), (2, 8)]);
        assert_eq!(fit_columns(&columns, 20), [(0, 12), (2, 7)]);
        assert_eq!(fit_columns(&columns, 6), [(0, 6)]);
    }

    #[test]
    fn found_characters_stay_marked_where_a_name_is_cut() {
        let look = Look { theme: crate::state::look::Theme::Dark, symbols: crate::state::look::Symbols::Unicode };
        let name = "payments-events-subscription-dlq";
        let cut = cut_middle(name, 15, look);
        assert_eq!(cut, "payment…ion-dlq");
        assert_eq!(kept(name, &cut, &[0, 6, 7, 20, 29, 31], look), [0, 6, 12, 14]);
        assert_eq!(kept("short", "short", &[1, 4], look), [1, 4]);
    }

    #[test]
    fn a_click_finds_the_title_under_it() {
        let columns = [column("name", 10, 30, 9), column("type", 5, 5, 1)];
        let area = Rect { x: 0, y: 2, width: 40, height: 5 };
        assert_eq!(
            [0, 1, 30, 31, 32, 36, 37].map(|x| column_at(&columns, area, x)),
            [None, Some(0), Some(0), None, Some(1), Some(1), None]
        );
    }
}
