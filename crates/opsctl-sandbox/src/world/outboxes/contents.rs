//! What an outbox holds from the start: rows with a past.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    Outbox,
    tables::{TRIES_MAX, Table},
    write::{Row, insert},
};
use crate::world::sql::{Contents, Failure, Writing};

/// From a row's creation until it was published, milliseconds.
const PUBLISHED_AFTER: i64 = 1_800;
/// From a row's creation until its last try, milliseconds: the back-off of all tries together.
const GIVEN_UP_AFTER: i64 = 1_020_000;

/// Rows whose times are spread evenly from the oldest to the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::world) struct Rows {
    pub(in crate::world) state: RowState,
    pub(in crate::world) count: u64,
    pub(in crate::world) newest: Duration,
    pub(in crate::world) oldest: Duration,
    pub(in crate::world) error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::world) enum RowState {
    Pending,
    /// Given up after the last try.
    Failed,
    Published,
    /// Claimed by a relay that is gone.
    Stuck,
}

impl RowState {
    /// As the table has it; a table without such a state has the row pending.
    pub(super) fn word(self, table: Table) -> &'static str {
        match (table, self) {
            (Table::Transfers | Table::OpenOutbox, Self::Pending) | (Table::Transfers, Self::Stuck) => "PENDING",
            (Table::Transfers, Self::Failed) => "FAILED",
            (Table::Transfers, Self::Published) => "SENT",
            (Table::OpenOutbox, Self::Failed) => "DEAD",
            (Table::OpenOutbox, Self::Published) => "DELIVERED",
            (Table::OpenOutbox, Self::Stuck) => "DELIVERING",
            (Table::Modulith, Self::Published) => "COMPLETED",
            (Table::Modulith, Self::Pending | Self::Failed | Self::Stuck) => "",
        }
    }
}

impl Outbox {
    /// What makes the table, and its rows as they are at `now`.
    pub(in crate::world) fn contents(self: &Arc<Self>, now: Timestamp, rows: Vec<Rows>) -> Contents {
        let outbox = Arc::clone(self);
        Arc::new(move |writing| {
            writing.run_all(outbox.table.statements().make)?;
            let mut random = Rng::with_seed(outbox.seed ^ 0x0b0c);
            rows.iter().try_for_each(|rows| outbox.put(writing, now, rows, &mut random))
        })
    }

    fn put(&self, writing: &Writing<'_>, now: Timestamp, rows: &Rows, random: &mut Rng) -> Result<(), Failure> {
        let now = now.as_millisecond();
        let milliseconds = |age: Duration| i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let (oldest, newest) = (milliseconds(rows.oldest), milliseconds(rows.newest));
        for index in 0..rows.count {
            let steps = i64::try_from(rows.count.saturating_sub(1).max(1)).unwrap_or(i64::MAX);
            let share = i64::try_from(index).unwrap_or(i64::MAX);
            let at = now - oldest + (oldest - newest) / steps * share;
            let (attempts, due, done) = match rows.state {
                RowState::Pending => (0, at, at),
                RowState::Failed => (TRIES_MAX, at + GIVEN_UP_AFTER, at + GIVEN_UP_AFTER),
                RowState::Published => (0, at, at + PUBLISHED_AFTER),
                RowState::Stuck => (1, at, at + PUBLISHED_AFTER),
            };
            let error = rows.error.as_deref();
            let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
            let row = Row { count: index + 1, at, state: rows.state, attempts, error, due, done };
            insert(writing, self, random, &row)?;
        }
        Ok(())
    }
}

/// How far a row's tries lie apart: a second, doubled by each, an hour at most.
pub(super) fn backoff(tries: u32) -> SignedDuration {
    SignedDuration::from_secs(1_i64 << tries.min(12)).min(SignedDuration::from_hours(1))
}
