//! What a run that changes rows has done.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{Text, Value},
    operations::rows::Target,
    outboxes::{Deed, look},
};

/// Rows in doubt that are named one by one.
pub(super) const NAMED_MAX: usize = 100;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RowTally {
    pub outbox: String,
    /// What it did, or what a restore undid.
    #[serde(default)]
    pub deed: Deed,
    /// Rows that the run has changed, earlier tries of it included.
    pub done: u64,
    /// Rows of which nobody knows whether they were changed.
    pub in_doubt: u64,
    /// Ids of the first of those, their columns with commas.
    pub named_in_doubt: Vec<Text>,
    /// Rows that a restore has put back to what they were before a run.
    pub put_back: u64,
    /// Rows that a restore has left, for they are not as that run left them.
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

impl RowTally {
    pub(super) fn new(target: &Target) -> Self {
        Self { outbox: target.outbox.name.clone(), deed: target.deed, ..Self::default() }
    }

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
