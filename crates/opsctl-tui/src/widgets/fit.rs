//! Text made to fit: cut at the end or in the middle, aligned, by what it takes on the screen.

use std::borrow::Cow;

use ratatui::{
    style::Style,
    text::{Line, Span},
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::state::{Look, Role};

pub fn width(text: &str) -> usize {
    text.width()
}

/// Cut at the end to at most `columns`.
pub fn cut<'a>(text: &'a str, columns: usize, look: Look) -> Cow<'a, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    let sign = look.ellipsis();
    let kept = head(text, columns.saturating_sub(sign.width()));
    Cow::Owned(if columns == 0 { String::new() } else { format!("{kept}{sign}") })
}

/// Cut in the middle to at most `columns`: names differ at their ends.
pub fn cut_middle<'a>(text: &'a str, columns: usize, look: Look) -> Cow<'a, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    let sign = look.ellipsis();
    if columns <= sign.width() + 2 {
        return cut(text, columns, look);
    }
    let rest = columns - sign.width();
    let tail_columns = rest / 2;
    let head = head(text, rest - tail_columns);
    let mut tail = String::new();
    let mut taken = 0;
    for character in text.chars().rev() {
        let columns = character.width().unwrap_or(0);
        if taken + columns > tail_columns {
            break;
        }
        taken += columns;
        tail.insert(0, character);
    }
    Cow::Owned(format!("{head}{sign}{tail}"))
}

fn head(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    for (at, character) in text.char_indices() {
        let columns_of = character.width().unwrap_or(0);
        if taken + columns_of > columns {
            return &text[..at];
        }
        taken += columns_of;
    }
    text
}

/// Words broken into lines of at most `columns`; a longer word is broken in itself. Line feeds break too.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut taken = 0;
        for word in paragraph.split_inclusive(' ') {
            let mut word = word;
            if taken + word.trim_end().width() > columns && taken > 0 {
                lines.push(line.trim_end().to_owned());
                line = String::new();
                taken = 0;
            }
            while word.trim_end().width() > columns {
                let part = head(word, columns);
                // A character wider than the line is dropped rather than looped over.
                if part.is_empty() {
                    word = "";
                    break;
                }
                lines.push(part.to_owned());
                word = &word[part.len()..];
            }
            line.push_str(word);
            taken += word.width();
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// Text in exactly `columns`: cut or filled up.
pub fn pad(text: &str, columns: usize, align: Align, look: Look) -> String {
    let text = cut(text, columns, look);
    let gap = " ".repeat(columns - text.width().min(columns));
    match align {
        Align::Left => format!("{text}{gap}"),
        Align::Right => format!("{gap}{text}"),
    }
}

/// A line of parts with a gap that pushes `right` to the end of `columns`; what does not fit is cut from the left part.
pub fn spread<'a>(left: Vec<Span<'a>>, right: Vec<Span<'a>>, columns: usize, look: Look) -> Line<'a> {
    let right_columns: usize = right.iter().map(Span::width).sum();
    let mut room = columns.saturating_sub(right_columns);
    let mut spans = Vec::new();
    for span in left {
        if span.width() <= room {
            room -= span.width();
            spans.push(span);
        } else {
            let text = cut(&span.content, room, look).into_owned();
            room -= text.width().min(room);
            spans.push(Span::styled(text, span.style));
            break;
        }
    }
    spans.push(Span::raw(" ".repeat(room)));
    spans.extend(right);
    Line::from(spans)
}

/// Text whose characters at `found` (indices of characters) stand out.
pub fn marked(text: &str, found: &[usize], style: Style, look: Look) -> Vec<Span<'static>> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut run = String::new();
    let mut run_found = false;
    for (at, character) in text.chars().enumerate() {
        let is_found = found.contains(&at);
        if is_found != run_found && !run.is_empty() {
            let with = if run_found { style.patch(look.style(Role::Match)) } else { style };
            spans.push(Span::styled(std::mem::take(&mut run), with));
        }
        run_found = is_found;
        run.push(character);
    }
    if !run.is_empty() {
        let with = if run_found { style.patch(look.style(Role::Match)) } else { style };
        spans.push(Span::styled(run, with));
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::look::{Symbols, Theme};

    const LOOK: Look = Look { theme: Theme::Dark, symbols: Symbols::Unicode };

    #[test]
    fn cutting_counts_columns_not_characters() {
        assert_eq!(cut("orders-dlq", 6, LOOK), "order…");
        assert_eq!(cut("日本語", 5, LOOK), "日本…");
        assert_eq!(cut("日本語", 4, LOOK), "日…");
        assert_eq!(cut_middle("payments-events-subscription-dlq", 15, LOOK), "payment…ion-dlq");
        assert_eq!(cut("abc", 0, LOOK), "");
        assert_eq!(pad("7", 4, Align::Right, LOOK), "   7");
    }

    #[test]
    fn words_wrap_and_long_ones_break() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a\n\nb", 10), ["a", "", "b"]);
        assert_eq!(wrap("日本", 1), [""]);
    }

    #[test]
    fn the_right_part_stays_at_the_end() {
        let line = spread(vec![Span::raw("a long left part")], vec![Span::raw("right")], 12, LOOK);
        assert_eq!(line.to_string(), "a long…right");
        assert_eq!(spread(vec![Span::raw("ab")], vec![Span::raw("c")], 6, LOOK).to_string(), "ab   c");
    }
}
