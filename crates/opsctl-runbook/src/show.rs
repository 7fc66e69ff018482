//! Markdown as lines for a terminal. Typed blocks are left out: what they say is shown beside the text.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::{document::options, domain::Text};

/// Lines that are shown of one text.
const LINES_MAX: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub role: Role,
    /// Without line breaks; whoever draws it wraps it.
    pub text: Text,
    /// Columns before it, those of a list's sign not among them.
    pub indent: usize,
    /// A list's sign: `-`, `2.`.
    pub sign: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Text,
    Heading,
    /// Never wrapped: it is copied.
    Code,
    Quote,
    Blank,
}

/// The lines of some Markdown.
pub fn lines(markdown: &str) -> Vec<Line> {
    let mut drawing = Drawing::default();
    for event in Parser::new_ext(markdown, options()) {
        drawing.event(event);
        if drawing.lines.len() >= LINES_MAX {
            break;
        }
    }
    drawing.flush();
    while drawing.lines.last().is_some_and(|line| line.role == Role::Blank) {
        drawing.lines.pop();
    }
    drawing.lines
}

/// The same as text, unwrapped.
pub fn plain(markdown: &str) -> String {
    let line = |line: &Line| {
        let sign = line.sign.as_ref().map(|sign| format!("{sign} ")).unwrap_or_default();
        let mark = if line.role == Role::Quote { "│ " } else { "" };
        format!("{:indent$}{sign}{mark}{}", "", line.text, indent = line.indent)
    };
    lines(markdown).iter().map(line).collect::<Vec<_>>().join("\n")
}

#[derive(Default)]
struct Drawing {
    lines: Vec<Line>,
    text: String,
    /// Of each open list the number of its next item; none: it has no numbers.
    lists: Vec<Option<u64>>,
    sign: Option<String>,
    quotes: usize,
    heading: bool,
    /// Whether what is inside a code block is shown.
    code: Option<bool>,
    link: Option<String>,
    cells: usize,
}

impl Drawing {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.code.is_some() => self.code_lines(&text),
            Event::Text(text) | Event::InlineHtml(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text.push_str(&text);
            }
            Event::Code(text) => self.text.push_str(&format!("`{text}`")),
            Event::Html(text) => self.text.push_str(text.trim_end()),
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.flush(),
            Event::Rule => self.line(Role::Text, "───"),
            Event::TaskListMarker(done) => self.text.push_str(if done { "[x] " } else { "[ ] " }),
            Event::FootnoteReference(name) => self.text.push_str(&format!("[{name}]")),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.flush();
                self.heading = true;
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.quotes += 1;
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                let is_typed = match &kind {
                    CodeBlockKind::Fenced(words) => {
                        let words: Vec<&str> = words.split_whitespace().collect();
                        matches!(words.as_slice(), ["toml", "runbook" | "step", ..])
                    }
                    CodeBlockKind::Indented => false,
                };
                self.code = Some(!is_typed);
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                self.sign = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}.", *number - 1)
                    }
                    _ => "-".to_owned(),
                });
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => self.link = Some(dest_url.to_string()),
            Tag::TableRow | Tag::TableHead => self.cells = 0,
            Tag::TableCell => {
                if self.cells > 0 {
                    self.text.push_str(" | ");
                }
                self.cells += 1;
            }
            Tag::FootnoteDefinition(name) => self.text.push_str(&format!("[{name}] ")),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                let text = std::mem::take(&mut self.text);
                self.line(Role::Heading, &text);
                self.heading = false;
            }
            TagEnd::Paragraph => {
                self.flush();
                if self.lists.is_empty() {
                    self.blank();
                }
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::CodeBlock if self.code.take() == Some(true) => self.blank(),
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
                if self.lists.is_empty() {
                    self.blank();
                }
            }
            TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead => self.flush(),
            TagEnd::Table => self.blank(),
            TagEnd::Link | TagEnd::Image => {
                if let Some(target) = self.link.take()
                    && !self.text.ends_with(&target)
                {
                    self.text.push_str(&format!(" <{target}>"));
                }
            }
            _ => {}
        }
    }

    fn code_lines(&mut self, text: &str) {
        if self.code == Some(true) {
            for line in text.lines() {
                self.line(Role::Code, line);
            }
        }
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() {
            let role = if self.quotes > 0 { Role::Quote } else { Role::Text };
            self.line(role, text.trim());
        }
    }

    fn line(&mut self, role: Role, text: &str) {
        let depth = self.lists.len().saturating_sub(1);
        let sign = self.sign.take();
        // What goes on in an item stands under its text.
        let inside = if self.lists.is_empty() || sign.is_some() { 0 } else { 2 };
        let indent = depth * 2 + inside + if role == Role::Code { 2 } else { 0 };
        self.lines.push(Line { role, text: Text::capped(text, 10_000), indent, sign });
    }

    fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| line.role != Role::Blank) {
            self.lines.push(Line { role: Role::Blank, text: Text::default(), indent: 0, sign: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_drawn_and_typed_blocks_are_left_out() {
        let text = "Some *text* with `code` and a [link](https://x.y).\n\n1. one\n   more\n2. two\n   - inner\n\n```toml step\ndo = \"x\"\n```\n\n\
                    ```sh\nls -l\n```\n\n> quoted\n\n| a | b |\n| - | - |\n| 1 | 2 |\n";
        insta::assert_snapshot!(plain(text));
    }

    #[test]
    fn hostile_text_is_made_safe() {
        assert!(!plain("a\u{1b}[2Jb\u{202e}").contains(['\u{1b}', '\u{202e}']));
    }
}
