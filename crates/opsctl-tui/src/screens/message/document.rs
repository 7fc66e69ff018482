//! A message as lines, laid out once.

use unicode_width::UnicodeWidthChar;

use crate::{
    domain::{Message, Payload, Text, message::hex},
    messages::{
        decode::{DEPTH_MAX, Decoded, Encoded, decode},
        json::is_json,
    },
    state::message::{Document, How, Kind, Line, Row},
    widgets::{
        json::{self, Part},
        words,
    },
};

/// Lines at most; what comes after is counted.
const LINES_MAX: usize = 20_000;
/// Columns of a line at most: longer ones are broken in any case.
const COLUMNS_MAX: usize = 8_000;
const BINARY_BYTES: usize = 64;

impl Document {
    pub(crate) fn of(message: &Message, edited: Option<&str>, how: How) -> Self {
        let mut writer = Writer { decode: how.decode, ..Writer::default() };
        attributes(&mut writer, message);
        body(&mut writer, message, edited);
        system(&mut writer, message);
        let mut document =
            Self { id: message.id.0.clone(), how, lines: writer.lines, encoded: writer.encoded, ..Self::default() };
        document.lay_out();
        document
    }

    pub(crate) fn is_of(&self, message: &Message, how: How) -> bool {
        self.id == message.id.0 && self.how == how && !self.lines.is_empty()
    }

    /// A row's pieces, and how far it is moved to the right.
    pub(crate) fn row(&self, row: usize) -> Option<(usize, impl Iterator<Item = (Kind, &str)>)> {
        let row = *self.rows.get(row)?;
        let line = &self.lines[row.line];
        let mut from = 0;
        let pieces = line.pieces.iter().filter_map(move |(kind, to)| {
            let (start, end) = (from.max(row.from), (*to).min(row.to));
            from = *to;
            (start < end).then(|| (*kind, &line.text[start..end]))
        });
        Some((row.indent, pieces))
    }

    fn lay_out(&mut self) {
        for (at, line) in self.lines.iter().enumerate() {
            let columns = if self.how.wrap { self.how.columns.max(8) } else { COLUMNS_MAX };
            // What is broken goes on a little further in.
            let hang = (line.indent + 2).min(columns / 2);
            let (mut from, mut taken, mut indent) = (0, 0, 0);
            for (byte, character) in line.text.char_indices() {
                let width = character.width().unwrap_or(0);
                if indent + taken + width > columns {
                    self.rows.push(Row { line: at, from, to: byte, indent });
                    self.widest = self.widest.max(indent + taken);
                    (from, taken, indent) = (byte, 0, hang);
                }
                taken += width;
            }
            self.widest = self.widest.max(indent + taken);
            self.rows.push(Row { line: at, from, to: line.text.len(), indent });
        }
    }
}

fn safe(text: &str) -> String {
    let text = String::from(Text::capped(text, text.len()));
    if text.contains(['\n', '\t']) { text.replace('\n', " ").replace('\t', "    ") } else { text }
}

#[derive(Default)]
struct Writer {
    lines: Vec<Line>,
    decode: bool,
    encoded: usize,
    depth: usize,
    decoding: usize,
    left_out: usize,
    /// Whether plain text was just decoded: what JSON has after a value is none of it.
    is_text_end: bool,
}

impl Writer {
    fn line(&mut self) {
        if self.lines.len() >= LINES_MAX {
            self.left_out += 1;
            return;
        }
        let indent = self.depth * 2;
        let mut line = Line { indent, ..Line::default() };
        if indent > 0 {
            line.text = " ".repeat(indent);
            line.pieces.push((Kind::Plain, indent));
        }
        self.lines.push(line);
    }

    fn put(&mut self, kind: Kind, text: &str) {
        if self.left_out > 0 {
            return;
        }
        if let Some(line) = self.lines.last_mut() {
            line.text.push_str(&safe(text));
            line.pieces.push((kind, line.text.len()));
        }
    }

    fn whole(&mut self, kind: Kind, text: &str) {
        self.line();
        self.put(kind, text);
    }

    fn heading(&mut self, title: &str, note: &str) {
        if !self.lines.is_empty() {
            self.line();
        }
        self.whole(Kind::Heading, title);
        if !note.is_empty() {
            self.put(Kind::Note, &format!("  {note}"));
        }
    }

    fn end_of_lines(&mut self) {
        if self.left_out > 0 {
            let text = format!("{} more are not shown", words::of(self.left_out as u64, "line"));
            let mut line = Line { text, ..Line::default() };
            line.pieces.push((Kind::Note, line.text.len()));
            self.lines.push(line);
            self.left_out = 0;
        }
    }

    fn plain(&mut self, text: &str) {
        for line in text.lines() {
            self.whole(Kind::Plain, line.trim_end_matches('\r'));
        }
    }

    /// A JSON text, beginning on the line that is open.
    fn json(&mut self, text: &str) {
        let mut before = None::<Part<'_>>;
        let outer = self.depth;
        for part in json::parts(text) {
            let closes = matches!(part, Part::CloseObject | Part::CloseArray);
            let after_open = matches!(before, Some(Part::OpenObject | Part::OpenArray));
            let after_text = std::mem::take(&mut self.is_text_end);
            if closes {
                self.depth = self.depth.saturating_sub(1).max(outer);
            }
            match before {
                None | Some(Part::Key(_)) => {}
                Some(_) if closes && after_open => {}
                Some(_) => {
                    if !closes && !after_open && !after_text {
                        self.put(Kind::Sign, ",");
                    }
                    self.line();
                }
            }
            self.part(part);
            if matches!(part, Part::OpenObject | Part::OpenArray) {
                self.depth += 1;
            }
            before = Some(part);
        }
        self.depth = outer;
    }

    fn part(&mut self, part: Part<'_>) {
        match part {
            Part::OpenObject => self.put(Kind::Sign, "{"),
            Part::CloseObject => self.put(Kind::Sign, "}"),
            Part::OpenArray => self.put(Kind::Sign, "["),
            Part::CloseArray => self.put(Kind::Sign, "]"),
            Part::Key(key) => {
                self.put(Kind::Key, key);
                self.put(Kind::Sign, ": ");
            }
            Part::String(string) => self.string(string),
            Part::Number(number) => self.put(Kind::Number, number),
            Part::Word(word) => self.put(Kind::Number, word),
        }
    }

    /// A string of a JSON text: as it is, or what is encoded in it.
    fn string(&mut self, string: &str) {
        // Words of a few letters are not looked into.
        let decoded = (string.len() > 3).then(|| decode(&json::unescaped(string))).flatten();
        let Some(decoded) = decoded else { return self.put(Kind::String, string) };
        self.encoded += 1;
        if !self.decode || self.decoding >= DEPTH_MAX {
            return self.put(Kind::String, string);
        }
        self.put(Kind::Note, decoded.how.words());
        self.decoded(&decoded);
    }

    fn decoded(&mut self, decoded: &Decoded) {
        self.depth += 1;
        self.decoding += 1;
        match decoded.is_json {
            true => {
                self.line();
                self.json(decoded.text.trim());
            }
            false => self.plain(&decoded.text),
        }
        self.is_text_end = !decoded.is_json;
        self.decoding -= 1;
        self.depth -= 1;
    }
}

fn attributes(writer: &mut Writer, message: &Message) {
    if message.attributes.is_empty() {
        return;
    }
    writer.heading("Attributes", "");
    let widest = message.attributes.keys().map(|name| name.chars().count()).max().unwrap_or(0).min(32);
    for (name, value) in &message.attributes {
        writer.whole(Kind::Plain, "  ");
        writer.put(Kind::Key, &format!("{name:widest$}"));
        writer.put(Kind::Label, &format!("  {:8}  ", value.data_type));
        match &value.payload {
            Payload::Text(text) if value.data_type.starts_with("Number") => writer.put(Kind::Number, text),
            Payload::Text(text) => attribute_text(writer, text),
            Payload::Binary(bytes) => {
                let shown = &bytes[..bytes.len().min(BINARY_BYTES)];
                writer.put(Kind::String, &hex(shown));
                let more = if bytes.len() > shown.len() { ", the first are shown" } else { "" };
                writer.put(Kind::Note, &format!("  {}{more}", words::of(bytes.len() as u64, "byte")));
            }
        }
    }
}

fn attribute_text(writer: &mut Writer, text: &str) {
    match decode(text) {
        Some(decoded) if writer.decode => {
            writer.encoded += 1;
            writer.put(Kind::Note, decoded.how.words());
            writer.depth += 1;
            writer.decoded(&decoded);
            writer.depth -= 1;
        }
        Some(_) => {
            writer.encoded += 1;
            writer.put(Kind::String, text);
        }
        None => writer.put(Kind::String, text),
    }
}

fn body(writer: &mut Writer, message: &Message, edited: Option<&str>) {
    let text = edited.unwrap_or(&message.body);
    let is_json = is_json(text);
    let kind = if is_json { "JSON" } else { "text" };
    let size = words::of(text.len() as u64, "byte");
    let what = if edited.is_some() { ", edited: it goes like this with a redrive" } else { "" };
    writer.heading("Body", &format!("{kind}, {size}{what}"));
    let encoded = if is_json { None } else { decode(text).filter(|decoded| decoded.how != Encoded::Lines) };
    match encoded {
        Some(decoded) if writer.decode => {
            writer.encoded += 1;
            writer.whole(Kind::Note, decoded.how.words());
            writer.decoded(&decoded);
        }
        encoded => {
            writer.encoded += usize::from(encoded.is_some());
            match is_json {
                true => {
                    writer.line();
                    writer.json(text);
                }
                false if text.is_empty() => writer.whole(Kind::Note, "empty"),
                false => writer.plain(text),
            }
        }
    }
    writer.end_of_lines();
}

fn system(writer: &mut Writer, message: &Message) {
    writer.heading("System", "");
    let system = &message.system;
    let sequence = system.sequence.map(|sequence| sequence.to_string());
    let facts = [
        ("id", Some(message.id.0.as_str())),
        ("sender", system.sender.as_deref()),
        ("message group", system.group.as_deref()),
        ("deduplication id", system.deduplication_id.as_deref()),
        ("sequence", sequence.as_deref()),
        ("died in", system.dead_letter_source.as_ref().map(|arn| arn.0.as_str())),
        ("trace header", system.trace_header.as_deref()),
    ];
    for (label, value) in facts {
        if let Some(value) = value {
            writer.whole(Kind::Label, &format!("  {label:16}  "));
            writer.put(Kind::Plain, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::message;

    fn text(document: &Document) -> String {
        let rows = (0..document.rows.len()).filter_map(|row| document.row(row));
        let rows = rows.map(|(indent, pieces)| {
            let text: String = pieces.map(|(_, text)| text).collect();
            format!("{}{text}", " ".repeat(indent)).trim_end().to_owned()
        });
        rows.collect::<Vec<_>>().join("\n")
    }

    fn how(decode: bool, columns: usize) -> How {
        How { decode, wrap: true, columns }
    }

    #[test]
    fn what_is_encoded_is_decoded_on_demand() {
        let body = r#"{"detail":"{\"code\":\"X\",\"n\":1.50}","trace":"Error: a\n  at b","data":"eyJhIjogInNvbWUgdGV4dCJ9","id":"o-1"}"#;
        let message = message(body).attribute("tenant", "acme").build();
        let document = Document::of(&message, None, how(false, 100));
        assert_eq!(document.encoded, 3);
        insta::assert_snapshot!(text(&document), @r#"
        Attributes
          tenant  String    acme

        Body  JSON, 112 bytes
        {
          "detail": "{\"code\":\"X\",\"n\":1.50}",
          "trace": "Error: a\n  at b",
          "data": "eyJhIjogInNvbWUgdGV4dCJ9",
          "id": "o-1"
        }

        System
          id                6f1d3f1e-0000-4000-8000-000000000001
        "#);
        insta::assert_snapshot!(text(&Document::of(&message, None, how(true, 40))), @r#"
        Attributes
          tenant  String    acme

        Body  JSON, 112 bytes
        {
          "detail": JSON in a string
            {
              "code": "X",
              "n": 1.50
            },
          "trace": several lines
            Error: a
              at b
          "data": JSON in base64
            {
              "a": "some text"
            },
          "id": "o-1"
        }

        System
          id                6f1d3f1e-0000-4000-8
          000-000000000001
        "#);
    }

    #[test]
    fn a_large_body_is_laid_out_soon_and_bounded() {
        let numbers = format!("[{}]", vec!["1"; 500_000].join(","));
        let long = serde_json::json!({ "text": "é\u{1b}[2J".repeat(180_000) }).to_string();
        for body in [numbers, long, "x\n".repeat(500_000), "y".repeat(1_048_576)] {
            let message = message(&body).build();
            let started_at = std::time::Instant::now();
            let document = Document::of(&message, None, how(false, 80));
            let took = started_at.elapsed();
            assert!(document.lines.len() <= LINES_MAX + 20, "{}", document.lines.len());
            assert!(!document.lines.iter().any(|line| line.text.contains('\u{1b}')));
            assert!(took < std::time::Duration::from_secs(2), "{took:?}");
        }
    }
}
