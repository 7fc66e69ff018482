//! [`Diff`]: what an edit changed, line by line.

use crate::{
    domain::{MessageId, Text},
    state::cursor::Cursor,
};

/// What an edit changed, and whether to keep it.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    pub(crate) id: MessageId,
    pub(crate) body: String,
    pub(crate) lines: Vec<Changed>,
    /// What is to be known about the new text.
    pub(crate) warnings: Vec<Text>,
    pub(crate) scroll: Cursor,
    pub(crate) is_keep: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Changed {
    pub(crate) what: What,
    pub(crate) text: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Old,
    New,
    Same,
    /// Lines that are alike and not shown.
    Gap,
}
