//! [`ListView`]: a list of queues, services, databases, alarms or consumers, and what lies over it.

use std::collections::{BTreeSet, HashMap};

use crate::{
    cloud::alarms::History,
    domain::EnvironmentName,
    keymap::Scope,
    observe::Severity,
    state::{
        cursor::Cursor,
        field::Field,
        look::{Page, Role},
        ticket::Load,
    },
};

/// What a list is of, by the scope in which its keys are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic(pub Scope);

impl Default for Topic {
    fn default() -> Self {
        Self(Scope::Queues)
    }
}

#[derive(Debug, Clone, Default)]
pub struct ListView {
    pub topic: Topic,
    pub cursor: Cursor,
    pub typing: Option<Field>,
    pub filter: String,
    /// The column that it is sorted by, a place among the topic's; 0: the worst first.
    pub sort: usize,
    pub reversed: bool,
    pub grouping: Grouping,
    /// Groups of which only the heading is shown, by their keys.
    pub folded: BTreeSet<String>,
    /// Whether only a part of it is shown: of queues those for dead letters.
    pub narrowed: bool,
    pub wide: bool,
    /// Columns after the name that were moved out to the left.
    pub shifted: usize,
    /// What was selected, by environment and by what it is known by.
    pub selected: BTreeSet<(EnvironmentName, String)>,
    pub rows: Vec<ListRow>,
    pub groups: Vec<ListGroup>,
    pub totals: Totals,
    /// Columns of the longest name among them.
    pub longest: u16,
    /// What of them needs somebody: how bad it is, and its weight among those as bad.
    pub needs: HashMap<At, (Severity, u32)>,
    /// What of the environments is not known, or old, in words.
    pub gaps: Vec<Gap>,
    /// What the cursor stays on; none: on the first row, until somebody moves.
    pub under: Option<Under>,
}

/// What stands under common headings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Grouping {
    #[default]
    None,
    Environment,
    /// As the topic groups: queues by system, services by what wakes and sleeps together.
    Own,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Under {
    Thing(EnvironmentName, String),
    Group(String),
}

/// A thing's place: the environment's in the model, and its own among the topic's rows there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct At {
    pub site: u16,
    pub row: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListRow {
    /// Heading of a group: its index.
    Heading(u32),
    Thing(At),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListGroup {
    /// None: it spans environments.
    pub environment: Option<EnvironmentName>,
    /// What is common to them; none: the environment, or nothing.
    pub name: Option<String>,
    pub things: usize,
    /// As the topic counts in groups.
    pub tallies: [u64; 2],
    pub folded: bool,
}

impl ListGroup {
    pub fn key(&self) -> String {
        let environment = self.environment.as_ref().map_or("", |environment| environment.0.as_str());
        format!("{environment} {}", self.name.as_deref().unwrap_or_default())
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub all: usize,
    /// Of these: as the topic counts. Those that are not well come first.
    pub tallies: [u64; 2],
    pub fitting: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub environment: EnvironmentName,
    /// What, and why; safe to show.
    pub words: String,
    pub role: Role,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SortPicker {
    pub cursor: Cursor,
}

#[derive(Debug, Clone)]
pub struct Sheet {
    pub topic: Topic,
    pub environment: EnvironmentName,
    pub id: String,
    pub page: Page,
    pub top: usize,
    /// What an alarm went through; of other things: not asked for.
    pub history: Load<History>,
}
