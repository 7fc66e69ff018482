//! Lines broken between words at the terminal's width.

use std::os::fd::AsFd;

use unicode_width::UnicodeWidthStr;

/// Narrower terminals break lines themselves: there is no room for an indent.
const WIDTH_MIN: usize = 20;

/// Columns of the terminal that a stream is; none where it is a file or a pipe.
pub(super) fn width_of(stream: impl AsFd) -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(stream)?;
    Some(usize::from(width.0))
}

/// A text's lines, each broken between words where it is wider than `width`. What follows hangs under the line's own text:
/// after its indent and its label, if two spaces set one off. A word that is wider is left whole, to be copied as it is.
pub(super) fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    let lines = text.split('\n');
    match width {
        Some(width) if width >= WIDTH_MIN => lines.flat_map(|line| wrap_line(line, width)).collect(),
        _ => lines.map(str::to_owned).collect(),
    }
}

fn wrap_line(line: &str, width: usize) -> Vec<String> {
    let hang = " ".repeat(hang(line, width));
    let mut lines = Vec::new();
    let mut rest = line.to_owned();
    while rest.width() > width
        && let Some(at) = break_at(&rest, width)
    {
        let next = rest.split_off(at);
        lines.push(rest.trim_end().to_owned());
        rest = format!("{hang}{}", next.trim_start());
    }
    lines.push(rest);
    lines
}

/// The last space within the width; else the first after it.
fn break_at(line: &str, width: usize) -> Option<usize> {
    let indent = line.len() - line.trim_start().len();
    let spaces = line.match_indices(' ').map(|(at, _)| at).filter(|at| *at > indent);
    let (fitting, wider): (Vec<usize>, Vec<usize>) = spaces.partition(|at| line[..*at].width() <= width);
    fitting.last().or(wider.first()).copied()
}

fn hang(line: &str, width: usize) -> usize {
    let text = line.trim_start();
    let indent = line.len() - text.len();
    let label = text.find("  ").map(|at| {
        let gap = text[at..].len() - text[at..].trim_start().len();
        indent + text[..at].width() + gap
    });
    label.filter(|hang| *hang <= width / 3).unwrap_or(indent + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_hang() {
        let text = "  engine  client-side, because of a filter\n  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b\nshort\n\n  a 日本 日本 日本 日本 日本 日本";
        insta::assert_snapshot!(wrap(text, Some(30)).join("\n"), @"
          engine  client-side, because
                  of a filter
          aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            b
        short

          a 日本 日本 日本 日本 日本
            日本
        ");
        assert_eq!(wrap(text, None).join("\n"), text);
        assert_eq!(wrap(text, Some(10)).join("\n"), text);
    }
}
