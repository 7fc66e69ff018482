//! [`Digest`]: what lists show of messages, prepared once for each look.

use crate::domain::Text;

/// What lists show of messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Digest {
    /// Each message's line, in the order of the messages.
    pub lines: Vec<Line>,
    /// What can be a column, in the order in which it was found.
    pub places: Vec<Place>,
    /// Whether they come from more than one place.
    pub sources_differ: bool,
    /// Whether any has a message group.
    pub has_message_groups: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Body, without what looks like a secret.
    pub preview: Text,
    /// The queue that it died in, or whatever else is known of where it comes from.
    pub source: Text,
}

/// Where a column's values come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Path {
    /// An attribute of this name.
    Attribute(String),
    /// A JSON pointer into the body.
    Body(String),
}

/// What can be a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Where its values come from.
    pub path: Path,
    pub title: Text,
    /// Each message's value, in the order of the messages; those at the end may be left out.
    pub values: Vec<Option<Text>>,
    /// What its values look like.
    pub look: ValuesLook,
}

/// What a column's values look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ValuesLook {
    /// Columns of the screen that the longest takes.
    pub longest: usize,
    /// Whether all are numbers.
    pub numbers: bool,
    /// Whether any has several words.
    pub words: bool,
}
