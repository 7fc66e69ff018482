//! [`Form`]: how an operation is done, being changed.

use crate::{
    domain::Text,
    operations::Operation,
    state::{cursor::Cursor, field::Field},
};

#[derive(Debug, Clone)]
pub struct Form {
    pub(crate) operation: Operation,
    pub(crate) lines: Vec<Line>,
    /// Which one has the focus.
    pub(crate) cursor: Cursor,
    pub(crate) resuming: bool,
}

/// A line of a form.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Name as on the command line.
    pub(crate) name: String,
    pub(crate) help: Text,
    /// What it takes, in a word: `N`, `TIME`.
    pub(crate) takes: String,
    /// What stands in it.
    pub(crate) value: Filled,
    /// What is wrong with it.
    pub(crate) wrong: Option<Text>,
}

/// What stands in a line.
#[derive(Debug, Clone)]
pub(crate) enum Filled {
    /// Text; none: as it is without.
    Typed(Field),
    Whether(bool),
    /// One of these: names with their help.
    OneOf(Vec<(String, String)>, usize),
}
