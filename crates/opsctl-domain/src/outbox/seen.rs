//! An outbox as it was last seen.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{RowState, Slot, Upkeep};
use crate::{Text, template::template, words::thousands};

/// How many rows there are, as far as that was worth finding out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowCount {
    Exactly(u64),
    /// More than this: rows are counted one by one only so far.
    MoreThan(u64),
    /// The server's own estimate: no index serves the count.
    About(u64),
    /// Not counted, and the server has no estimate.
    Unknown,
}

/// An outbox, and what a look at its table told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenOutbox {
    /// Its name in the configuration.
    pub name: String,
    /// Table and preset, in words.
    pub what: Text,
    pub connection: String,
    /// As it was last seen; none: never.
    pub backlog: Option<Backlog>,
    /// Why the last look told nothing; what is above is older then.
    pub trouble: Option<Trouble>,
    /// The Lambda function that publishes its rows, where one does.
    pub function: Option<SeenFunction>,
    /// The lock by which the relay's instances agree on who works, where they have one.
    #[serde(default)]
    pub lock: Option<SeenLock>,
}

/// The lock by which a relay's instances agree on who works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeenLock {
    Taken {
        /// Until when it holds; in the past: it has run out.
        until: Timestamp,
        /// Who has it, or had it last, where a column says so.
        owner: Option<Text>,
    },
    /// Nobody has it: there is no such row, or no time in it.
    Free,
    /// It can't be read: why.
    Unknown(Text),
}

/// What lets a Lambda function run, or keeps it from that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenFunction {
    pub name: String,
    /// Reserved concurrency; 0 throttles every call. None: it takes of the account's.
    pub concurrency: Option<u32>,
    /// The EventBridge rule that starts it, and whether it is enabled.
    pub rule: Option<(String, bool)>,
    /// Why one of these is not known.
    pub unknown: Option<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// The database has paused: a look would wake it.
    Paused,
    /// The database can't be reached, or does not let us in.
    Unreachable(Text),
    /// The mapping does not fit the table, or the table may not be read.
    Refused(Text),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backlog {
    pub at: Timestamp,
    /// Product and version of the server.
    pub server: Text,
    /// States that the mapping does not know are missing.
    pub counts: BTreeMap<RowState, RowCount>,
    /// When the oldest ready row was written; none: there is none, or no column says it.
    pub oldest_ready: Option<Timestamp>,
    /// Rows published within [`PUBLISHED_WITHIN`]; none: no column says when.
    pub published: Option<RowCount>,
    /// Failed rows by type, the most first.
    pub failed_kinds: Vec<(Text, u64)>,
    /// A sample of failed rows by their errors; none: no column has them, or none failed.
    #[serde(default)]
    pub failed_errors: Option<ErrorGroups>,
    /// Groups in which an older failed or stuck row stands before rows that wait, the worst first.
    pub blocked: Vec<Blocked>,
    /// Whether the relay really stops at such a row; else the order is lost there, and nothing is held.
    pub group_blocks: bool,
    /// Row level security may hide rows: a count of zero proves nothing.
    pub may_hide: bool,
    /// The statement that makes the index without which rows are only estimated.
    pub index_wanted: Option<String>,
    /// The slot by which the relay reads the database's log, where that is what it reads.
    #[serde(default)]
    pub slot: Option<Slot>,
    #[serde(default)]
    pub upkeep: Upkeep,
    /// Rows in the table beside the outbox, where opsctl has set some aside; none: there is no such table.
    #[serde(default)]
    pub parked: Option<RowCount>,
    /// Rows to be published at the looks before, the oldest first.
    pub recent: Vec<(Timestamp, f64)>,
}

/// Rows that were published within so long count as the rate.
pub const PUBLISHED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    pub group: Text,
    /// Id of the row at the head.
    pub head: Text,
    pub head_state: RowState,
    /// Rows that wait behind it.
    pub held: u64,
}

/// Error texts of sampled rows, by what they have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorGroups {
    pub sampled: u64,
    /// Text, with `…` for what differs from row to row, and rows; the most first, [`ErrorGroups::GROUPS_MAX`] at most.
    pub groups: Vec<(Text, u64)>,
    /// Rows of groups that are not shown.
    pub other: u64,
}

impl ErrorGroups {
    pub const GROUPS_MAX: usize = 20;

    /// Of the texts of a sample; none: a row without one.
    pub fn of<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut counted: BTreeMap<String, u64> = BTreeMap::new();
        for text in texts {
            let text = text.map(template).filter(|text| !text.is_empty());
            *counted.entry(text.unwrap_or_else(|| "no error text".to_owned())).or_default() += 1;
        }
        let sampled = counted.values().sum();
        let mut groups: Vec<(String, u64)> = counted.into_iter().collect();
        // Stable: equals stay in the order of their texts.
        groups.sort_by_key(|(_, rows)| Reverse(*rows));
        let other = groups.iter().skip(Self::GROUPS_MAX).map(|(_, rows)| rows).sum();
        let shown = groups.iter().take(Self::GROUPS_MAX).map(|(text, rows)| (Text::line(text), *rows));
        Self { sampled, groups: shown.collect(), other }
    }
}

impl RowCount {
    /// A figure to compare and sort by; none: nothing is known.
    pub fn figure(self) -> Option<u64> {
        match self {
            Self::Exactly(rows) | Self::MoreThan(rows) | Self::About(rows) => Some(rows),
            Self::Unknown => None,
        }
    }

    /// `1,204`, `100,000+`, `~60,700`, `?`.
    pub fn words(self) -> String {
        match self {
            Self::Exactly(rows) => thousands(rows),
            Self::MoreThan(rows) => format!("{}+", thousands(rows)),
            Self::About(rows) => format!("~{}", thousands(rows)),
            Self::Unknown => "?".to_owned(),
        }
    }

    /// Both together; as sure as the less sure of them.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (Some(one), Some(two)) = (self.figure(), other.figure()) else { return Self::Unknown };
        let rows = one.saturating_add(two);
        match (self, other) {
            (Self::About(_), _) | (_, Self::About(_)) => Self::About(rows),
            (Self::MoreThan(_), _) | (_, Self::MoreThan(_)) => Self::MoreThan(rows),
            _ => Self::Exactly(rows),
        }
    }
}

impl Backlog {
    pub fn count(&self, state: RowState) -> Option<RowCount> {
        self.counts.get(&state).copied()
    }

    /// Rows that still have to be published, whatever the relay does with them now.
    pub fn pending(&self) -> RowCount {
        let pending = self.counts.iter().filter(|(state, _)| state.is_pending());
        pending.fold(RowCount::Exactly(0), |sum, (_, count)| sum.and(*count))
    }

    pub fn lag(&self, now: Timestamp) -> Option<SignedDuration> {
        self.oldest_ready.map(|at| now.duration_since(at).max(SignedDuration::ZERO))
    }

    /// Rows a minute.
    pub fn rate(&self) -> Option<f64> {
        let rows = self.published?.figure()?;
        Some(rows as f64 * 60.0 / PUBLISHED_WITHIN.as_secs_f64())
    }
}

impl Trouble {
    pub fn words(&self) -> String {
        match self {
            Self::Paused => "the database is paused: looking would wake it".to_owned(),
            Self::Unreachable(words) | Self::Refused(words) => words.to_string(),
        }
    }
}
