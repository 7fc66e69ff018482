//! [`Output`]: data on standard output, everything else on standard error.

use std::{
    io::{self, Write},
    path::Path,
};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::{
    args::{Color, Format},
    wrap::{width_of, wrap},
};
use crate::domain::Text;

/// Where a command writes. What writes data fails where standard output is gone or full.
pub struct Output {
    pub format: Format,
    data: Box<dyn Write + Send>,
    notes: Box<dyn Write + Send>,
    /// Columns, where a terminal shows it.
    data_width: Option<usize>,
    notes_width: Option<usize>,
}

/// What goes from the terminal before something is drawn again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erase {
    Nothing,
    /// So many lines above the cursor.
    Lines(usize),
    Screen,
}

const HEADING: Style = Style::new().bold();
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
const QUIET: Style = Style::new().dimmed();

impl Output {
    pub fn of_process(format: Format, color: Color) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let data: Box<dyn Write + Send> = Box::new(AutoStream::new(io::stdout(), choice));
        let notes: Box<dyn Write + Send> = Box::new(AutoStream::new(io::stderr(), choice));
        Self { format, data, notes, data_width: width_of(io::stdout()), notes_width: width_of(io::stderr()) }
    }

    /// One that writes elsewhere, as if nobody saw it.
    pub fn into(format: Format, data: Box<dyn Write + Send>, notes: Box<dyn Write + Send>) -> Self {
        Self { format, data, notes, data_width: None, notes_width: None }
    }

    /// Text among the data; a terminal shows it broken between words.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        wrap(text, self.data_width).iter().try_for_each(|line| writeln!(self.data, "{line}"))
    }

    /// A line of data that is copied from the screen: a command, a path, a message's body. Never broken.
    pub fn whole(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.data, "{text}")
    }

    /// A label and a path: on one line where that has room, else the path on its own, whole, so that it can be copied. A terminal shows
    /// the home folder as `~`.
    pub fn path(&mut self, label: &str, path: &str) -> io::Result<()> {
        let home = self.data_width.and_then(|_| etcetera::home_dir().ok());
        let lines = path_lines(label, path, home.as_deref(), self.data_width);
        lines.iter().try_for_each(|line| self.whole(line))
    }

    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        wrap(text, self.data_width).iter().try_for_each(|line| writeln!(self.data, "{HEADING}{line}{HEADING:#}"))
    }

    /// Rows as columns, as one document with its schema, or a line each of the schema `row`; `nothing` is said where there are none.
    pub fn rows<R: Serialize>(
        &mut self,
        (row, nothing): (&str, Option<&str>),
        rows: &[R],
        table: impl FnOnce() -> Table,
        document: impl FnOnce() -> (&'static str, Value),
    ) -> io::Result<()> {
        match self.format {
            Format::Human if rows.is_empty() => nothing.into_iter().for_each(|nothing| self.note(nothing)),
            Format::Human => self.table(&table())?,
            Format::Json => {
                let (schema, data) = document();
                self.document(schema, &data)?;
            }
            Format::Jsonl => rows.iter().try_for_each(|one| self.json_line(row, one))?,
        }
        Ok(())
    }

    pub fn table(&mut self, table: &Table) -> io::Result<()> {
        self.table_lines(table).iter().try_for_each(|line| writeln!(self.data, "{line}"))
    }

    /// A table's lines as they are shown, with their styles.
    pub fn table_lines(&self, table: &Table) -> Vec<String> {
        let mut shown = Vec::new();
        for (index, Laid { text, mark, is_whole }) in table.laid(self.data_width).into_iter().enumerate() {
            let width = self.data_width.filter(|_| !is_whole);
            for (at, line) in wrap(&text, width).into_iter().enumerate() {
                shown.push(match mark {
                    _ if index == 0 => format!("{QUIET}{line}{QUIET:#}"),
                    Some((style, length)) if at == 0 => {
                        let (marked, rest) = line.split_at(length.min(line.len()));
                        format!("{style}{marked}{style:#}{rest}")
                    }
                    Some(_) | None => line,
                });
            }
        }
        shown
    }

    /// Columns and lines of the terminal that shows the data, as they are now; none: no terminal does.
    pub fn screen(&mut self) -> Option<(usize, usize)> {
        self.data_width?;
        let (width, height) = terminal_size::terminal_size_of(io::stdout())?;
        self.data_width = Some(usize::from(width.0));
        Some((usize::from(width.0), usize::from(height.0)))
    }

    /// Lines in place of what was drawn before on the terminal.
    pub fn redraw(&mut self, erase: Erase, lines: &[String]) -> io::Result<()> {
        self.flush()?;
        // Not through what strips colours: they may not be wanted, and this is.
        let mut terminal = io::stdout();
        match erase {
            Erase::Nothing | Erase::Lines(0) => {}
            Erase::Lines(drawn) => write!(terminal, "\r\u{1b}[{drawn}A\u{1b}[J")?,
            Erase::Screen => write!(terminal, "\u{1b}[H\u{1b}[2J")?,
        }
        terminal.flush()?;
        lines.iter().try_for_each(|line| writeln!(self.data, "{line}"))?;
        self.flush()
    }

    /// Text as lines of the terminal that shows the data.
    pub fn wrapped(&self, text: &str) -> Vec<String> {
        wrap(text, self.data_width)
    }

    /// One JSON document that names its schema.
    pub fn document(&mut self, schema: &str, data: &impl Serialize) -> io::Result<()> {
        self.whole(&escape(&serde_json::to_string_pretty(&Document { schema, data })?))
    }

    /// Data that names its own schema: a plan, a report. One document, or one line.
    pub fn value(&mut self, data: &impl Serialize) -> io::Result<()> {
        let text = match self.format {
            Format::Jsonl => serde_json::to_string(data)?,
            Format::Human | Format::Json => serde_json::to_string_pretty(data)?,
        };
        self.whole(&escape(&text))
    }

    pub fn json_line(&mut self, schema: &str, data: &impl Serialize) -> io::Result<()> {
        self.whole(&escape(&serde_json::to_string(&Document { schema, data })?))
    }

    pub fn data(&mut self) -> &mut (dyn Write + Send) {
        &mut self.data
    }

    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.data.write_all(bytes)
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.data.flush()
    }

    /// Something to know, on standard error.
    pub fn note(&mut self, text: &str) {
        self.say("", Style::new(), text);
    }

    /// Something to look at, on standard error.
    pub fn warning(&mut self, text: &str) {
        self.say("warning: ", WARNING, text);
    }

    /// What went wrong, on standard error.
    pub fn error(&mut self, text: &str) {
        // A configuration's problems are listed with their own headings.
        let heading = if text.starts_with("error: ") { "" } else { "error: " };
        self.say(heading, ERROR, text);
    }

    fn say(&mut self, heading: &str, style: Style, text: &str) {
        let lines = wrap(&format!("{heading}{text}"), self.notes_width);
        for (index, line) in lines.iter().enumerate() {
            // Nobody is there to be told that standard error is gone.
            let _ = match line.strip_prefix(heading).filter(|_| index == 0 && !heading.is_empty()) {
                Some(rest) => writeln!(self.notes, "{style}{heading}{style:#}{rest}"),
                None => writeln!(self.notes, "{line}"),
            };
        }
    }
}

fn path_lines(label: &str, path: &str, home: Option<&Path>, width: Option<usize>) -> Vec<String> {
    let below_home = home.and_then(|home| Path::new(path).strip_prefix(home).ok());
    let path = below_home.map_or_else(|| path.to_owned(), |rest| format!("~/{}", rest.display()));
    let line = format!("  {label}: {path}");
    match width {
        Some(width) if line.width() > width => {
            // Without an indent where that is what it takes.
            let indent = if path.width() + 4 > width { "" } else { "    " };
            vec![format!("  {label}:"), format!("{indent}{path}")]
        }
        Some(_) | None => vec![line],
    }
}

#[derive(Serialize)]
struct Document<'a, T> {
    schema: &'a str,
    #[serde(flatten)]
    data: &'a T,
}

/// JSON whose characters are all safe on a terminal: what [`Text`] would replace stands there as an escape.
fn escape(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        let is_plain = matches!(character, ' '..='~' | '\n')
            || Text::line(character.encode_utf8(&mut [0; 4])).as_str().starts_with(character);
        if is_plain {
            safe.push(character);
        } else {
            // Such characters stand in strings only, so that an escape means the same.
            for unit in character.encode_utf16(&mut [0; 2]) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    safe
}

/// Columns of text, two spaces apart.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    /// How each row's first cell is shown.
    marks: Vec<Option<Style>>,
    right: Vec<bool>,
    whole: Vec<bool>,
}

/// A line of a table.
struct Laid {
    text: String,
    /// A style for so many bytes at the line's start.
    mark: Option<(Style, usize)>,
    /// Whether it is copied from the screen, and so never broken.
    is_whole: bool,
}

impl Table {
    /// With these headings; those that start with `~` or `#` are numbers, to the right, those that start with `$` commands (`#` and `$` are
    /// not shown).
    pub fn new(headings: &[&str]) -> Self {
        let right = headings.iter().map(|heading| heading.starts_with(['~', '#'])).collect();
        let whole = headings.iter().map(|heading| heading.starts_with('$')).collect();
        let headings = headings.iter().map(|heading| heading.trim_start_matches(['#', '$']).to_owned()).collect();
        Self { rows: vec![headings], marks: vec![None], right, whole }
    }

    /// Adds a row. Every cell is made one safe line.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(|cell| Text::line(cell.as_ref()).to_string()).collect());
        self.marks.push(None);
    }

    /// The same, its first cell in a style.
    pub fn marked<T: AsRef<str>>(&mut self, style: Style, cells: impl IntoIterator<Item = T>) {
        self.row(cells);
        self.marks.pop();
        self.marks.push(Some(style));
    }

    pub fn count(&self) -> usize {
        self.rows.len() - 1
    }

    /// The lines, headings first. Where a terminal is too narrow for the last columns, each of them stands on a line of its own.
    pub fn lines(&self, terminal: Option<usize>) -> Vec<String> {
        self.laid(terminal).into_iter().map(|laid| laid.text).collect()
    }

    fn laid(&self, terminal: Option<usize>) -> Vec<Laid> {
        let columns = self.right.len();
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let wide: usize = widths.iter().map(|width| width + 2).sum();
        let Some(terminal) = terminal.filter(|terminal| wide > terminal + 2) else {
            return (0..self.rows.len()).map(|row| self.first(row, &widths, "  ")).collect();
        };
        let fits =
            |count: usize, gap: usize| widths[..count].iter().map(|width| width + gap).sum::<usize>() <= terminal + gap;
        // All but the last, closer together if need be; else as many as fit.
        let most = columns.saturating_sub(1);
        let (beside, gap) = match (fits(most, 2), fits(most, 1)) {
            (true, _) => (most, "  "),
            (false, true) => (most, " "),
            (false, false) => ((1..most).rev().find(|count| fits(*count, 2)).unwrap_or(1), "  "),
        };
        let lines = |at: usize| {
            let cells = self.rows[at].iter().zip(&self.whole).skip(beside).filter(|(cell, _)| !cell.is_empty());
            let below =
                cells.map(|(cell, is_whole)| Laid { text: format!("    {cell}"), mark: None, is_whole: *is_whole });
            std::iter::once(self.first(at, &widths[..beside], gap)).chain(below).collect::<Vec<_>>()
        };
        (0..self.rows.len()).flat_map(lines).collect()
    }

    fn first(&self, at: usize, widths: &[usize], between: &str) -> Laid {
        let row = &self.rows[at];
        let mark = self.marks[at].and_then(|style| Some((style, row.first()?.len())));
        Laid { text: self.lay_out(row, widths, between), mark, is_whole: false }
    }

    fn lay_out(&self, row: &[String], widths: &[usize], between: &str) -> String {
        let mut line = String::new();
        for ((cell, width), right) in row.iter().zip(widths).zip(&self.right) {
            let gap = " ".repeat(width.saturating_sub(cell.width()));
            let (before, after) = if *right { (gap.as_str(), "") } else { ("", gap.as_str()) };
            line.push_str(&format!("{before}{cell}{after}{between}"));
        }
        line.truncate(line.trim_end().len());
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_know_wide_and_hostile_text() {
        let mut table = Table::new(&["NAME", "~VISIBLE", "REST"]);
        table.row(["日本", "~5", "x"]);
        table.row(["a\u{1b}[2J\nb", "~12345", ""]);
        insta::assert_snapshot!(table.lines(None).join("\n"), @"
        NAME     ~VISIBLE  REST
        日本           ~5  x
        a␛[2J b    ~12345
        ");
    }

    #[test]
    fn the_last_column_of_a_wide_table_stands_on_its_own_line() {
        let mut table = Table::new(&["NAME", "~VISIBLE", "REST"]);
        table.row(["orders", "~5", "of orders"]);
        assert_eq!(table.lines(Some(30)).len(), 2);
        assert_eq!(table.lines(Some(20)), ["NAME    ~VISIBLE", "    REST", "orders        ~5", "    of orders"]);
        assert_eq!(table.lines(Some(15)), ["NAME   ~VISIBLE", "    REST", "orders       ~5", "    of orders"]);
        let narrow = ["NAME", "    ~VISIBLE", "    REST", "orders", "    ~5", "    of orders"];
        assert_eq!(table.lines(Some(10)), narrow);
    }

    #[test]
    fn a_command_is_never_broken_and_a_mark_colours_its_cell_alone() {
        let out = Output {
            format: Format::Human,
            data: Box::new(io::sink()),
            notes: Box::new(io::sink()),
            data_width: Some(24),
            notes_width: None,
        };
        let mut table = Table::new(&["SEVERITY", "WHY", "$COMMAND"]);
        table.marked(
            WARNING,
            ["warning", "it is longer than the terminal", "opsctl tasks --service main/api --env dev"],
        );
        let shown = out.table_lines(&table);
        insta::assert_snapshot!(anstream::adapter::strip_str(&shown.join("\n")), @"
        SEVERITY
            WHY
            COMMAND
        warning
            it is longer than
              the terminal
            opsctl tasks --service main/api --env dev
        ");
        assert_eq!(shown[3], format!("{WARNING}warning{WARNING:#}"));
    }

    #[test]
    fn a_path_stands_whole_on_a_line() {
        let path = "/users/ann/.local/state/opsctl/runs/20261121T030000-000003/journal.jsonl";
        let lines = |home: Option<&str>, width| path_lines("journal", path, home.map(Path::new), width);
        assert_eq!(lines(None, None), [format!("  journal: {path}")]);
        let short = "~/.local/state/opsctl/runs/20261121T030000-000003/journal.jsonl";
        assert_eq!(lines(Some("/users/ann"), Some(80)), [format!("  journal: {short}")]);
        assert_eq!(lines(Some("/users/an"), Some(80)), ["  journal:".to_owned(), format!("    {path}")]);
        assert_eq!(lines(Some("/users/ann"), Some(64)), ["  journal:".to_owned(), short.to_owned()]);
    }

    #[test]
    fn json_is_safe_and_means_the_same() {
        let hostile = "a\u{202e}b\u{9b}c\u{7f}d\u{e0041}é😀\u{1b}";
        let json = escape(&serde_json::to_string(hostile).expect("json"));
        assert!(
            json.chars().all(|character| Text::line(&character.to_string()).as_str().starts_with(character)),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<String>(&json).expect("json"), hostile);
    }
}
