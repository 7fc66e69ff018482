//! Outboxes: tables whose rows a relay publishes.

mod mapping;
mod seen;
mod state;
mod table;
mod upkeep;

pub use mapping::{
    Attempts, AttemptsMax, Becomes, Body, Change, Dead, In, Lease, Literal, Move, Offset, Park, Primitive, Rearm,
    Refusal, Release, RowMapping, Satellite, Scope, Times,
};
pub use seen::{
    Backlog, Blocked, ErrorGroups, PUBLISHED_WITHIN, RowCount, SeenFunction, SeenLock, SeenOutbox, Trouble,
};
pub use state::RowState;
pub use table::{Field, TableName};
pub use upkeep::{DeadRows, Slot, SlotState, Snapshot, Upkeep};

use serde::{Deserialize, Serialize};

/// The oldest ready row may be so old, in seconds, where nothing else is configured.
pub const LAG_SECONDS: u64 = 300;

/// An outbox, as configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// Its name in the configuration.
    pub name: String,
    /// Name of the connection that leads to its database.
    pub connection: String,
    /// Name of the preset that its mapping began with.
    pub preset: Option<String>,
    pub mapping: RowMapping,
    pub relay: Relay,
    /// Whether the relay sends to a FIFO topic or queue: AWS drops an event that it has seen within five minutes.
    pub fifo: bool,
    /// An oldest ready row that is older than this needs somebody, in seconds.
    pub lag_seconds: u64,
}

/// Who reads the table and publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relay {
    Unknown,
    /// Nobody looks at the table by itself: the application sends again when it restarts, or when it is asked to.
    Nobody,
    /// An ECS service, by name or `cluster/name`.
    Service(String),
    /// A Lambda function, and the EventBridge rule that starts it.
    Function {
        function: String,
        rule: Option<String>,
    },
    Lock(RelayLock),
}

/// A table in which a relay's instances agree on who works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayLock {
    pub table: TableName,
    /// Which of its rows; none: any.
    pub row: Option<(String, Literal)>,
    /// Column of the time until which the lock holds, written as the outbox's own times are.
    pub until: String,
    /// Column that names the holder.
    pub owner: Option<String>,
}

impl Outbox {
    /// The table and how its rows are told apart, in words.
    pub fn words(&self) -> String {
        let how = match (&self.preset, &self.mapping.primitive) {
            (Some(preset), _) => preset.clone(),
            (None, Primitive::NullTime { .. }) => "a time that is NULL until published".to_owned(),
            (None, Primitive::Flag { .. }) => "a flag".to_owned(),
            (None, Primitive::Status { .. }) => "a status".to_owned(),
            (None, Primitive::Present) => "rows that are gone when published".to_owned(),
            (None, Primitive::Satellite { .. }) => "rows of other tables".to_owned(),
            (None, Primitive::Offset(_)) => "a consumer's position".to_owned(),
            (None, Primitive::Cdc { .. }) => "the database's log".to_owned(),
        };
        format!("{} ({how})", super::Text::line(&self.mapping.table.to_string()))
    }
}

impl From<&Literal> for super::Value {
    fn from(literal: &Literal) -> Self {
        match literal {
            Literal::Integer(number) => Self::Integer(*number),
            Literal::Text(text) => Self::Text(text.clone()),
        }
    }
}
