//! [`Problem`]: one thing wrong in a file that a person wrote, shown with the text underlined.

use std::{fmt, ops::Range, path::Path};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use crate::domain::Text;

/// Most problems that are shown of one file: a binary file would have thousands.
pub const PROBLEMS_MAX: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is taken; a person should look.
    Warning,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// What is wrong, one line.
    pub message: Text,
    /// Which part of the text, in bytes.
    pub span: Range<usize>,
    /// Words beside the underlined text.
    pub label: Option<Text>,
    /// What to do, one line.
    pub help: Option<Text>,
}

impl Problem {
    pub fn error(span: Range<usize>, message: impl AsRef<str>) -> Self {
        let message = Text::line(message.as_ref());
        Self { severity: Severity::Error, message, span, label: None, help: None }
    }

    pub fn warning(span: Range<usize>, message: impl AsRef<str>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message) }
    }

    #[must_use]
    pub fn label(mut self, label: impl AsRef<str>) -> Self {
        self.label = Some(Text::line(label.as_ref()));
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(Text::line(help.as_ref()));
        self
    }

    /// Suggests the nearest of `known` to `written`, else lists them all.
    #[must_use]
    pub fn suggest(self, written: &str, known: &[&str]) -> Self {
        match nearest(written, known) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self.help(format!("it can be {}", one_of(known))),
        }
    }
}

/// Problems with the file they are about: what a report shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    pub file: Text,
    pub text: String,
    /// In the order in which they stand in the file.
    pub list: Vec<Problem>,
}

/// A problem for machines: places are counted from 1, in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Located {
    pub severity: Severity,
    pub file: Text,
    pub line: usize,
    pub column: usize,
    pub message: Text,
    pub help: Option<Text>,
}

impl Problems {
    /// Puts problems in the order of the file. Of very many it keeps [`PROBLEMS_MAX`], errors before warnings.
    pub fn new(file: &Path, text: impl Into<String>, mut list: Vec<Problem>) -> Self {
        if list.len() > PROBLEMS_MAX {
            list.sort_by_key(|problem| problem.severity);
            list.truncate(PROBLEMS_MAX);
        }
        list.sort_by_key(|problem| (problem.span.start, problem.span.end));
        Self { file: Text::line(&file.display().to_string()), text: text.into(), list }
    }

    pub fn errors(&self) -> usize {
        self.list.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    pub fn warnings(&self) -> usize {
        self.list.len() - self.errors()
    }

    /// Line and column of a byte offset, from 1, in characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..floor(&self.text, offset)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    pub fn located(&self) -> Vec<Located> {
        let locate = |problem: &Problem| {
            let (line, column) = self.position(problem.span.start);
            let Problem { severity, message, help, .. } = problem.clone();
            Located { severity, file: self.file.clone(), line, column, message, help }
        };
        self.list.iter().map(locate).collect()
    }

    /// Every problem for people: where, the text underlined, what to do; without colour unless asked.
    pub fn render(&self, paint: Paint) -> String {
        let renderer = match paint {
            Paint::Plain => Renderer::plain(),
            Paint::Coloured => Renderer::styled(),
        };
        let shown = Shown::new(&self.text);
        let blocks: Vec<String> = self.list.iter().map(|problem| self.block(&renderer, &shown, problem)).collect();
        blocks.join("\n\n")
    }

    fn block(&self, renderer: &Renderer, shown: &Shown, problem: &Problem) -> String {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let place = AnnotationKind::Primary.span(shown.span(&problem.span));
        let place = match &problem.label {
            Some(label) => place.label(label.as_str()),
            None => place,
        };
        let snippet = Snippet::source(&shown.text).path(self.file.as_str()).annotation(place);
        let mut group: Group<'_> = level.primary_title(problem.message.as_str()).element(snippet);
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    Plain,
    Coloured,
}

/// `2 errors, 1 warning`.
impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |number: usize, word: &str| match number {
            0 => None,
            1 => Some(format!("1 {word}")),
            more => Some(format!("{more} {word}s")),
        };
        let parts: Vec<String> =
            [count(self.errors(), "error"), count(self.warnings(), "warning")].into_iter().flatten().collect();
        formatter.pad(&if parts.is_empty() { "no problem".to_owned() } else { parts.join(", ") })
    }
}

/// The file's text made safe to show, and the way from its offsets to the shown ones.
struct Shown<'a> {
    original: &'a str,
    text: String,
}

impl<'a> Shown<'a> {
    fn new(original: &'a str) -> Self {
        Self { original, text: safe(original) }
    }

    fn span(&self, span: &Range<usize>) -> Range<usize> {
        let start = floor(self.original, span.start);
        let end = floor(self.original, span.end).max(start);
        safe(&self.original[..start]).len()..safe(&self.original[..end]).len()
    }
}

fn safe(text: &str) -> String {
    Text::capped(&text.replace("\r\n", "\n"), text.len() + 1).to_string()
}

/// The last character boundary at or before `offset`; the two characters that end a line are one.
fn floor(text: &str, offset: usize) -> usize {
    let at = text.floor_char_boundary(offset.min(text.len()));
    if text[..at].ends_with('\r') && text[at..].starts_with('\n') { at - 1 } else { at }
}

/// The name among `known` that `written` was probably meant to be.
pub fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '.', ' '], "-");
    let written = plain(written);
    let distance = |name: &&str| strsim::damerau_levenshtein(&written, &plain(name));
    let best = known.iter().copied().min_by_key(distance)?;
    // A third of the letters may be wrong: more is another word.
    (distance(&best) <= best.chars().count().div_ceil(3)).then_some(best)
}

/// "`a`, `b` or `c`".
pub fn one_of(known: &[&str]) -> String {
    match known {
        [] => "nothing".to_owned(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_shown_and_still_underlined_at_the_right_place() {
        let text = "a = \"\u{202e}\" # x\r\nbad = 1\r\n";
        let at = text.find("bad").expect("there");
        let problems =
            Problems::new(Path::new("f\u{1b}.toml"), text, vec![Problem::error(at..at + 3, "no \u{1b}[31m")]);
        let shown = problems.render(Paint::Plain);
        assert_eq!(shown, "error: no ␛[31m\n --> f␛.toml:2:1\n  |\n2 | bad = 1\n  | ^^^");
        assert_eq!(problems.position(at), (2, 1));
    }

    #[test]
    fn a_suggestion_is_near_or_not_made() {
        let known = ["read-only", "confirm", "type-name"];
        assert_eq!(nearest("readonly", &known), Some("read-only"));
        assert_eq!(nearest("type_name", &known), Some("type-name"));
        assert_eq!(nearest("none", &known), None);
        assert_eq!(one_of(&known), "`read-only`, `confirm` or `type-name`");
    }

    #[test]
    fn of_very_many_problems_no_error_is_dropped_for_a_warning() {
        let warnings = std::iter::repeat_n(Problem::warning(0..1, "w"), 1_000);
        let problems = Problems::new(Path::new("f"), "xy", warnings.chain([Problem::error(1..2, "e")]).collect());
        assert_eq!((problems.errors(), problems.list.len()), (1, PROBLEMS_MAX));
    }

    #[test]
    fn counts_read_like_words() {
        let list = vec![Problem::error(0..1, "a"), Problem::error(0..1, "b"), Problem::warning(0..1, "c")];
        assert_eq!(Problems::new(Path::new("f"), "x", list).to_string(), "2 errors, 1 warning");
        assert_eq!(Problems::new(Path::new("f"), "x", Vec::new()).to_string(), "no problem");
    }
}
