//! What a replay has done.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{Text, Value},
    outboxes::look,
};

/// Rows in doubt that are named one by one.
pub(super) const NAMED_MAX: usize = 100;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    pub outbox: String,
    /// Rows that the run has re-armed, earlier tries of it included.
    pub done: u64,
    /// Rows of which nobody knows whether they were re-armed.
    pub in_doubt: u64,
    /// Ids of the first of those, their columns with commas.
    pub named_in_doubt: Vec<Text>,
    /// Rows that a restore has put back to what they were before a replay.
    pub put_back: u64,
    /// Rows that a restore has left, for they are not as the replay left them.
    pub changed: u64,
    /// Chosen, and locked or changed by somebody else.
    pub left: u64,
    /// On which the filter failed.
    pub unreadable: u64,
    /// Rows that failed again, of those that were watched, and rows that were published meanwhile.
    pub failed_again: u64,
    pub published: u64,
    /// Of the ramp, from 1.
    pub step: u32,
    pub batches: u64,
    /// The longest that rows were locked, to the end of COMMIT.
    pub lock_milliseconds_max: u64,
}

impl Replayed {
    /// Whether it has changed a row, or may have.
    pub(super) fn is_begun(&self) -> bool {
        self.done + self.in_doubt + self.put_back > 0
    }
}

/// An id, safe to show.
pub(super) fn id_words(id: &[Value]) -> Text {
    let columns: Vec<String> = id.iter().map(|value| look::text(value).to_string()).collect();
    Text::line(&columns.join(","))
}
