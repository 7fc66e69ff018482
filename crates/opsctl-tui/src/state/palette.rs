//! [`Palette`]: any command, view, queue or environment by name.

use std::sync::Arc;

use super::{cursor::Cursor, field::Field, list::Topic};
use crate::keymap::{
    Command,
    palette::{Entry, Found},
};

#[derive(Debug, Clone, Default)]
pub struct Palette {
    pub field: Field,
    pub cursor: Cursor,
    /// Everything that can be found; none: it was opened just now.
    pub offers: Option<Arc<Offers>>,
    /// What was found, best first.
    pub found: Vec<Found>,
}

impl Palette {
    pub fn with(text: &str) -> Self {
        Self { field: Field::with(text), ..Self::default() }
    }
}

/// Everything that can be found; made when the palette opens.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Offers {
    pub entries: Vec<Entry>,
    pub whats: Vec<Choice>,
    /// What things of some are known by.
    pub ids: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Command(Command),
    /// An environment: its index among the model's sites.
    Environment(usize),
    /// A thing of a list, of an environment: what it is known by, among [`Offers::ids`].
    Thing(usize, Topic, usize),
    /// A group of services of an environment, to wake or to put to sleep, or a migration of it: its name, among
    /// [`Offers::ids`].
    Group(usize, Command, usize),
}
