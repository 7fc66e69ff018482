//! [`Document`]: a message as lines, laid out once: drawing them touches only those on the screen.

/// A message as lines.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) how: How,
    pub(crate) lines: Vec<Line>,
    pub(crate) rows: Vec<Row>,
    pub(crate) encoded: usize,
    pub(crate) widest: usize,
}

/// How a message is laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct How {
    pub(crate) decode: bool,
    pub(crate) wrap: bool,
    pub(crate) columns: usize,
}

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Heading,
    Label,
    Note,
    Key,
    String,
    Number,
    Sign,
}

/// A line: safe text, and where pieces of a kind end in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) pieces: Vec<(Kind, usize)>,
    pub(crate) indent: usize,
}

/// A row of the screen: part of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Columns that it is moved to the right.
    pub(crate) indent: usize,
}
