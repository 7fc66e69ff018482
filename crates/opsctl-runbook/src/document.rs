//! [`Document`]: a runbook's Markdown taken apart: its title, its steps, and the typed blocks with their places.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::files::{Problem, problem::nearest};

/// Largest runbook that is read, in bytes.
pub const BYTES_MAX: usize = 1024 * 1024;
/// Most steps of a runbook.
pub const STEPS_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub title: Option<Heading>,
    /// From the title to the first step, its block included.
    pub introduction: Range<usize>,
    pub header: Option<Block>,
    pub steps: Vec<Section>,
    pub links: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Without marks of emphasis, code and links.
    pub text: String,
    pub span: Range<usize>,
}

/// A `##` heading and all that stands below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub heading: Heading,
    /// What follows the heading, its block included.
    pub body: Range<usize>,
    pub block: Option<Block>,
}

/// The TOML of a typed block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub toml: String,
    /// The whole block with its fences.
    pub span: Range<usize>,
    /// Where pieces of `toml` stand in the file: offset there, offset here. A block in a list or a quotation is not in one piece.
    pieces: Vec<(usize, usize)>,
}

/// A link to a file or a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub target: String,
    pub span: Range<usize>,
}

impl Block {
    /// Where a part of the TOML stands in the file.
    pub fn place(&self, span: &Range<usize>) -> Range<usize> {
        let place = |offset: usize| match self.pieces.iter().rfind(|(here, _)| *here <= offset) {
            Some((here, there)) => there + (offset - here),
            None => self.span.start,
        };
        place(span.start)..place(span.end).max(place(span.start))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockKind {
    Runbook,
    Step,
}

/// Markdown as runbooks have it: what is drawn in the terminal is parsed alike.
pub fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_FOOTNOTES
}

/// Takes a runbook apart. What is wrong with it as a document is the second part.
pub fn read(text: &str) -> (Document, Vec<Problem>) {
    let mut reading = Reading {
        text,
        document: Document {
            title: None,
            introduction: 0..text.len(),
            header: None,
            steps: Vec::new(),
            links: Vec::new(),
        },
        problems: Vec::new(),
        depth: 0,
    };
    let mut events = Parser::new_ext(text, options()).into_offset_iter();
    while let Some((event, span)) = events.next() {
        match event {
            Event::Start(Tag::Heading { level, .. }) if reading.depth == 0 => {
                let text = plain(&mut events, |end| matches!(end, TagEnd::Heading(_)), &mut reading.document.links);
                reading.heading(level, Heading { text, span });
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(words))) => {
                let content = code(&mut events);
                reading.fence(&words, span, &content);
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                reading.document.links.push(Link { target: dest_url.to_string(), span });
                reading.depth += 1;
            }
            Event::Start(_) => reading.depth += 1,
            Event::End(_) => reading.depth = reading.depth.saturating_sub(1),
            Event::Text(_)
            | Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }
    reading.end()
}

/// The words of the first paragraph of some Markdown; empty: there is none.
pub fn first_paragraph(text: &str) -> String {
    let mut events = Parser::new_ext(text, options()).into_offset_iter();
    let found = events.find(|(event, _)| matches!(event, Event::Start(Tag::Paragraph)));
    if found.is_none() {
        return String::new();
    }
    plain(&mut events, |end| matches!(end, TagEnd::Paragraph), &mut Vec::new())
}

/// The text up to the end of what is open, and the links in it.
fn plain<'a>(
    events: &mut impl Iterator<Item = (Event<'a>, Range<usize>)>,
    ends: impl Fn(&TagEnd) -> bool,
    links: &mut Vec<Link>,
) -> String {
    let mut text = String::new();
    for (event, span) in events {
        match event {
            Event::End(end) if ends(&end) => break,
            Event::Text(piece) | Event::Code(piece) => text.push_str(&piece),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            Event::Start(Tag::Link { dest_url, .. }) => links.push(Link { target: dest_url.to_string(), span }),
            Event::Start(_)
            | Event::End(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }
    text.trim().to_owned()
}

/// Pieces of a code block, each with its place.
fn code<'a>(events: &mut impl Iterator<Item = (Event<'a>, Range<usize>)>) -> Vec<(CowStr<'a>, Range<usize>)> {
    let mut pieces = Vec::new();
    for (event, span) in events {
        let Event::Text(piece) = event else { break };
        pieces.push((piece, span));
    }
    pieces
}

struct Reading<'a> {
    text: &'a str,
    document: Document,
    problems: Vec<Problem>,
    /// How many lists, quotations and the like are open: a heading in one is no step.
    depth: usize,
}

impl Reading<'_> {
    fn heading(&mut self, level: HeadingLevel, heading: Heading) {
        match level {
            HeadingLevel::H1 if self.document.title.is_none() && self.document.steps.is_empty() => {
                self.document.introduction.start = heading.span.end;
                self.document.title = Some(heading);
            }
            HeadingLevel::H1 => {
                let problem = Problem::error(heading.span, "a second title")
                    .help("a file is one runbook: make this a step with `##`, or a file of its own");
                self.problems.push(problem);
            }
            HeadingLevel::H2 => self.step(heading),
            HeadingLevel::H3 | HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => {}
        }
    }

    fn step(&mut self, heading: Heading) {
        self.close(heading.span.start);
        if heading.text.is_empty() {
            let problem = Problem::error(heading.span.clone(), "a step without a name");
            self.problems.push(problem.help("write what is done after `##`"));
        }
        if self.document.steps.len() == STEPS_MAX {
            let problem = Problem::error(heading.span.clone(), format!("more than {STEPS_MAX} steps"));
            self.problems.push(problem.help("split the runbook"));
        }
        let body = heading.span.end..self.text.len();
        self.document.steps.push(Section { heading, body, block: None });
    }

    /// What was open before this place ends there.
    fn close(&mut self, at: usize) {
        match self.document.steps.last_mut() {
            Some(step) => step.body.end = at,
            None => self.document.introduction.end = at,
        }
    }

    fn fence(&mut self, words: &str, span: Range<usize>, content: &[(CowStr<'_>, Range<usize>)]) {
        let Some(kind) = self.block_kind(words, &span) else { return };
        let mut block = Block { toml: String::new(), span: span.clone(), pieces: Vec::new() };
        for (piece, place) in content {
            block.pieces.push((block.toml.len(), place.start));
            block.toml.push_str(piece);
        }
        let place = match (kind, self.document.steps.last_mut()) {
            (BlockKind::Runbook, None) => &mut self.document.header,
            (BlockKind::Step, Some(step)) => &mut step.block,
            (BlockKind::Runbook, Some(_)) => {
                let problem = Problem::error(self.fence_line(&span), "the `toml runbook` block stands in a step");
                self.problems.push(problem.help("move it up, between the title and the first `##`"));
                return;
            }
            (BlockKind::Step, None) => {
                let problem = Problem::error(self.fence_line(&span), "a `toml step` block before the first step");
                self.problems.push(problem.help("put a `## heading` before it: the heading is the step's name"));
                return;
            }
        };
        if place.is_some() {
            let (message, help) = match kind {
                BlockKind::Runbook => ("a second `toml runbook` block", "a runbook has one: put all keys into it"),
                BlockKind::Step => ("a second `toml step` block in this step", "give it a `## heading` of its own"),
            };
            let problem = Problem::error(self.fence_line(&span), message).help(help);
            self.problems.push(problem);
            return;
        }
        *place = Some(block);
    }

    /// What sort of block the words after a fence announce; none: code that is shown and nothing else.
    fn block_kind(&mut self, words: &str, span: &Range<usize>) -> Option<BlockKind> {
        let mut words = words.split_whitespace();
        if words.next() != Some("toml") {
            return None;
        }
        match words.next() {
            Some("runbook") => Some(BlockKind::Runbook),
            Some("step") => Some(BlockKind::Step),
            Some(other) => {
                // Other tools write other things after the language; only what looks like ours is a mistake.
                if nearest(other, &["runbook", "step"]).is_some() {
                    let problem = Problem::error(self.fence_line(span), format!("`toml {other}` is not a known block"));
                    self.problems.push(problem.suggest(other, &["runbook", "step"]));
                }
                None
            }
            None => None,
        }
    }

    fn fence_line(&self, span: &Range<usize>) -> Range<usize> {
        let line = self.text[span.clone()].lines().next().unwrap_or_default().len();
        span.start..span.start + line
    }

    fn end(mut self) -> (Document, Vec<Problem>) {
        if self.document.title.is_none() {
            let problem = Problem::error(0..self.text.lines().next().unwrap_or_default().len(), "no title");
            self.problems.push(problem.help("begin with a line such as `# Drain a dead-letter queue`"));
        }
        if self.document.steps.is_empty() {
            let problem = Problem::error(self.text.len()..self.text.len(), "no steps");
            self.problems.push(problem.help("each `## heading` is a step, and its text says what to do"));
        }
        (self.document, self.problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_steps_and_fenced_blocks_are_theirs() {
        let text = "# Drain *it*\n\nWhy.\n\n```toml runbook\nowner = \"a\"\n```\n\n## Look at `it`\n\nText.\n\n### Not a step\n\n\
                    ```sh\nls\n```\n\n## Redrive\n\n1. first\n\n   ```toml step\n   do = \"redrive\"\n   id = \"x\"\n   ```\n";
        let (document, problems) = read(text);
        assert_eq!(problems, []);
        assert_eq!(document.title.as_ref().map(|title| title.text.as_str()), Some("Drain it"));
        let header = document.header.expect("a header");
        assert_eq!(header.toml, "owner = \"a\"\n");
        assert_eq!(&text[header.place(&(0..5))], "owner");
        let names: Vec<_> = document.steps.iter().map(|step| step.heading.text.as_str()).collect();
        assert_eq!(names, ["Look at it", "Redrive"]);
        assert_eq!(document.steps[0].block, None);
        let block = document.steps[1].block.as_ref().expect("a block");
        assert_eq!(block.toml, "do = \"redrive\"\nid = \"x\"\n");
        let at = block.toml.find("id").expect("there");
        assert_eq!(&text[block.place(&(at..at + 2))], "id", "in a list, each line has its own place");
        assert!(text[document.steps[0].body.clone()].contains("Not a step"));
    }

    #[test]
    fn places_hold_with_windows_line_ends() {
        let text = "# T\r\n\r\n## S\r\n\r\n```toml step\r\ndo = \"x\"\r\nbad = 1\r\n```\r\n";
        let (document, problems) = read(text);
        assert_eq!(problems, []);
        let block = document.steps[0].block.as_ref().expect("a block");
        let at = block.toml.find("bad").expect("there");
        assert_eq!(&text[block.place(&(at..at + 3))], "bad");
    }

    #[test]
    fn what_is_wrong_is_told_all_at_once() {
        let text = "```toml step\n```\n\n## A\n```toml step\n```\n```toml step\n```\n```toml steps\n```\n```toml runbook\n```\n# B\n##\n";
        let (_, problems) = read(text);
        let messages: Vec<_> = problems.iter().map(|problem| problem.message.as_str().to_owned()).collect();
        assert_eq!(
            messages,
            [
                "a `toml step` block before the first step",
                "a second `toml step` block in this step",
                "`toml steps` is not a known block",
                "the `toml runbook` block stands in a step",
                "a second title",
                "a step without a name",
                "no title",
            ]
        );
    }

    #[test]
    fn markdown_that_a_team_has_already_is_a_runbook_by_hand() {
        let text = "Queue too large\n===============\n\n- item\n\n  ## not a step\n\n> ## nor this\n\nFirst\n-----\n\n```toml\nx = 1\n```\n\nSecond\n------\n";
        let (document, problems) = read(text);
        assert_eq!(problems, []);
        let names: Vec<_> = document.steps.iter().map(|step| step.heading.text.as_str()).collect();
        assert_eq!(names, ["First", "Second"]);
        assert_eq!(document.title.map(|title| title.text), Some("Queue too large".to_owned()));
    }

    #[test]
    fn links_are_collected_with_their_places() {
        let text = "# T [a](x.md)\n\nSee [b](other.md#part).\n\n## S\n";
        let (document, _) = read(text);
        let targets: Vec<_> = document.links.iter().map(|link| (&*link.target, &text[link.span.clone()])).collect();
        assert_eq!(targets, [("x.md", "[a](x.md)"), ("other.md#part", "[b](other.md#part)")]);
    }
}
