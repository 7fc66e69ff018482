//! Transactional outboxes: tables that services write events into, and the relays that publish them into the world's queues.
//!
//! Both are actors. A service inserts a row in its database; a relay takes what is due, the oldest first, publishes it as anybody
//! would by `SendMessage`, so that a FIFO queue drops what it has seen, and writes down what came of it.

mod backlog;
mod contents;
mod relay;
mod tables;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

pub(super) use backlog::Backlog;
pub(super) use contents::{RowState, Rows};
pub(super) use relay::Relay;
pub(super) use tables::Table;

use super::{actors::Worker, fleet::MessageTemplate, sql::Key, template::Place};

/// An outbox, its service and its relay.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) place: Place,
    pub(super) key: Key,
    pub(super) table: Table,
    /// What the service writes; group and deduplication id, where the table has them, are the template's.
    pub(super) template: MessageTemplate,
    /// Type of events whose body tells none.
    pub(super) event_type: String,
    pub(super) queue: String,
    pub(super) worker: Worker,
    /// From one run of the relay to the next.
    pub(super) period_seconds: u32,
    /// Rows of a run at most.
    pub(super) rows_max: u32,
    /// Whether a row waits for the older ones of its group, so that one that can't be published blocks the rest.
    pub(super) is_ordered: bool,
    /// What a try that fails writes down.
    pub(super) error: String,
    /// Decides the texts of its rows.
    pub(super) seed: u64,
}

impl Outbox {
    /// `database.table`: by this name timelines know its service and its relay.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.key.name, self.table.name())
    }
}

pub(super) type Shared = Arc<Outbox>;
