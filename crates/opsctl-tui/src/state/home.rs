//! [`HomeView`]: what needs somebody, worst first, in every environment.

use jiff::Timestamp;

use crate::{
    domain::EnvironmentName,
    observe::Verdict,
    state::{cursor::Cursor, field::Field, list::Totals, look::Standing},
};

#[derive(Debug, Clone, Default)]
pub struct HomeView {
    pub rows: Vec<Verdict>,
    pub cursor: Cursor,
    pub summaries: Vec<Summary>,
    /// Whether each environment's stand together, instead of the worst of all first.
    pub by_environment: bool,
    /// Whether the cursor stays on what it is on: once somebody has moved it.
    pub pinned: bool,
    pub typing: Option<Field>,
    pub filter: String,
    pub order: HomeOrder,
    /// Whether what was acknowledged is shown, and nothing else.
    pub acknowledged_only: bool,
    /// What is acknowledged of the environments shown.
    pub acknowledged: usize,
    /// Rows before the filter.
    pub all: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HomeOrder {
    #[default]
    Worst,
    /// The environment, in the configuration's order; then how bad it is.
    Environment,
    Messages,
    Name,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub environment: EnvironmentName,
    pub standing: Standing,
    /// Queues; none: they were never listed.
    pub queues: Option<usize>,
    pub full: usize,
    pub dead_letters: u64,
    pub denied: usize,
    pub silent: usize,
    /// Messages in all dead-letter queues over the last half hour, as the sparkline has them.
    pub levels: Vec<Option<u64>>,
    /// Services, databases and alarms: how many stand how; none: not known.
    pub estate: [Option<Totals>; 3],
    /// When the oldest of the figures was seen.
    pub oldest: Option<Timestamp>,
}

/// Asks for how long and why something is acknowledged.
#[derive(Debug, Clone)]
pub struct Asking {
    /// What is acknowledged, as it was when this opened.
    pub verdict: Verdict,
    pub field: Field,
    pub wrong: Option<&'static str>,
}
