//! An outbox as typed, in `opsctl.toml` and in the presets. No rule lives here.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::{
    domain::{Literal, RowState, Times},
    files::Spot,
};

/// A table whose rows a relay publishes: where it is, what its columns mean, who reads it. Say a preset, or one of `null_time`, `flag`,
/// `status`, `present`, `satellite`, `offset`, `cdc`; what is said beside a preset takes the place of what the preset says. A place in a
/// row is a column, or a column and a JSON pointer into it: `payload/key/transferId`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outbox {
    /// Name of the connection that leads to its database.
    pub connection: Option<Spot<String>>,
    /// The table: `table` or `schema.table`. None: as the preset has it.
    pub table: Option<Spot<String>>,
    /// Known system that the table is of; docs/outboxes.md lists them.
    pub preset: Option<Spot<String>>,
    /// Who reads the table and publishes.
    pub relay: Option<Relay>,
    /// Whether the relay sends to a FIFO topic or queue, which drops an event that it has seen within five minutes.
    pub fifo: Option<Spot<bool>>,
    /// An oldest ready row that is older than this needs somebody, in seconds (1 to 604,800). None: 300.
    #[schemars(range(min = 1, max = 604_800))]
    pub lag_seconds: Option<Spot<i64>>,
    /// Columns that name one row together. None: `id`.
    pub id: Option<Vec<Spot<String>>>,
    /// Column of a time that is NULL until the row is published.
    pub null_time: Option<Spot<String>>,
    /// Column that says by one value whether the row is published.
    pub flag: Option<Flag>,
    /// Column whose values stand for states. Rows with any other value are shown as unaccounted.
    pub status: Option<Status>,
    /// A row that is there is pending, and published rows are gone.
    pub present: Option<Spot<bool>>,
    /// The state follows from other tables that have a row for it.
    pub satellite: Option<Satellites>,
    /// A row's position is compared with that of a consumer.
    pub offset: Option<Offset>,
    /// The relay reads the database's log: no row says whether it was sent.
    pub cdc: Option<Cdc>,
    /// How often a row was tried, and how often it may be: then it has failed.
    pub attempts: Option<Attempts>,
    /// Column of the time before which the relay passes over a row.
    pub due: Option<Spot<String>>,
    /// How a relay claims a row.
    pub lease: Option<Lease>,
    /// How a row says that the relay gave up on it, where its status does not.
    pub dead: Option<Dead>,
    /// Which rows wait for something other than the relay; all must hold.
    pub held: Option<Vec<Scope>>,
    /// Column of the time after which a row that is not published is never sent.
    pub expiry: Option<Spot<String>>,
    /// Which rows of the table belong to this outbox; all must hold.
    pub scope: Option<Vec<Scope>>,
    /// Columns in whose order the relay takes rows.
    pub order: Option<Vec<Spot<String>>>,
    /// Place of what keeps rows in order with each other: an aggregate's id, a FIFO group.
    pub group: Option<Spot<String>>,
    /// Whether the relay sends nothing more of a group while an older row of it has failed.
    pub group_blocks: Option<Spot<bool>>,
    /// How times are written in these columns. None: `tz`.
    pub times: Option<Spot<Times>>,
    /// Column of the time when the row was written.
    pub created: Option<Spot<String>>,
    /// Column of the time when the row was published.
    pub published_at: Option<Spot<String>>,
    /// Place of the relay's last error.
    pub error: Option<Spot<String>>,
    /// Place of the event's type.
    #[serde(rename = "type")]
    pub kind: Option<Spot<String>>,
    /// Place of the id that brokers and consumers deduplicate by. None: the row's own.
    pub event_id: Option<Spot<String>>,
    /// Where the event itself is.
    pub body: Option<Body>,
    /// Whether the body is code, or signed, so that only the product can publish it.
    pub opaque: Option<Spot<bool>>,
    /// Whether the relay takes rows with FOR UPDATE SKIP LOCKED, so that a lock keeps it away from a row.
    pub relay_locks: Option<Spot<bool>>,
    /// Column that names who has claimed a row.
    pub holder: Option<Spot<String>>,
    /// What a replay sets so that the relay sends a row again.
    pub rearm: Option<Vec<ColumnChange>>,
    /// How a replay moves a row from one of the other tables to another.
    pub rearm_move: Option<Move>,
    /// Why there is no replay, and what helps instead.
    pub replay_refused: Option<Refused>,
    /// What sets a waiting row aside in the table's own terms. None: parked rows are moved to a table beside the outbox.
    pub park: Option<Vec<ColumnChange>>,
    /// What claims the row first, in the same transaction, where the product knows no way from waiting to set aside.
    pub park_claim: Option<Vec<ColumnChange>>,
    /// Why rows may not leave for a table beside the outbox, and what helps instead.
    pub park_refused: Option<Refused>,
    /// What frees a row whose claim has run out.
    pub release: Option<Vec<ColumnChange>>,
    /// Sentences that every plan of a replay says.
    pub notes: Option<Vec<Spot<String>>>,
}

/// Who reads the table and publishes: one of `service`, `function`, `rule` or both, `lock`, `nobody`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxRelay")]
pub struct Relay {
    /// ECS service: its name, or `cluster/name`.
    pub service: Option<Spot<String>>,
    /// Lambda function.
    pub function: Option<Spot<String>>,
    /// EventBridge rule that starts the function.
    pub rule: Option<Spot<String>>,
    /// Table in which a relay's instances agree on who works.
    pub lock: Option<RelayLock>,
    /// Whether nobody reads it by itself: the application publishes again when it restarts, or when it is asked to.
    pub nobody: Option<Spot<bool>>,
}

/// Table in which a relay's instances agree on who works.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxLock")]
pub struct RelayLock {
    /// Its name, in the outbox's schema unless it says another.
    #[schemars(required)]
    pub table: Option<Spot<String>>,
    /// Column of the time until which the lock holds.
    #[schemars(required)]
    pub until: Option<Spot<String>>,
    /// Column that names the holder.
    pub owner: Option<Spot<String>>,
    /// Column that tells the outbox's lock from others, and its value there.
    pub column: Option<Spot<String>>,
    /// The value of `column` in the row of this outbox's lock.
    pub value: Option<Spot<TypedValue>>,
}

/// Column that says by one value whether the row is published.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxFlag")]
pub struct Flag {
    /// Column of the flag.
    #[schemars(required)]
    pub column: Option<Spot<String>>,
    /// Its value in rows that are published. None: true.
    pub published: Option<Spot<TypedValue>>,
}

/// Column whose values stand for states.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxStatus")]
pub struct Status {
    /// Column of the status.
    #[schemars(required)]
    pub column: Option<Spot<String>>,
    /// Values of rows that wait for the relay.
    pub ready: Option<Vec<Spot<TypedValue>>>,
    /// Values of rows that are sent later.
    pub scheduled: Option<Vec<Spot<TypedValue>>>,
    /// Values of rows that a relay has claimed.
    pub in_progress: Option<Vec<Spot<TypedValue>>>,
    /// Values of rows that the relay gave up on.
    pub failed: Option<Vec<Spot<TypedValue>>>,
    /// Values of rows that are published.
    pub published: Option<Vec<Spot<TypedValue>>>,
    /// Values of rows that are set aside.
    pub held: Option<Vec<Spot<TypedValue>>>,
    /// Values of rows that are never sent, being too old.
    pub expired: Option<Vec<Spot<TypedValue>>>,
    /// State of rows where it is NULL. None: unaccounted.
    pub null: Option<Spot<RowState>>,
    /// Column of a time; a row where it is set is published whatever its status.
    pub done: Option<Spot<String>>,
}

/// The state follows from other tables.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxSatellites")]
pub struct Satellites {
    /// Column that the other tables point to.
    #[schemars(required)]
    pub key: Option<Spot<String>>,
    /// Column of a time; a row where it is set is published.
    pub finished: Option<Spot<String>>,
    /// The other tables; the first that has a row counts.
    #[schemars(required)]
    pub tables: Option<Vec<Satellite>>,
}

/// Another table, and what a row in it means.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxSatellite")]
pub struct Satellite {
    /// Its name, in the outbox's schema unless it says another.
    #[schemars(required)]
    pub table: Option<Spot<String>>,
    /// Column that points to the outbox.
    #[schemars(required)]
    pub column: Option<Spot<String>>,
    /// State of the outbox's row.
    #[schemars(required)]
    pub state: Option<Spot<RowState>>,
    /// Column of a time there: the row is in that state until then, and ready after it.
    pub due: Option<Spot<String>>,
}

/// Positions of consumers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxOffset")]
pub struct Offset {
    /// Table of the consumers' positions.
    pub table: Option<Spot<String>>,
    /// Column of a row's position in the outbox.
    pub position: Option<Spot<String>>,
    /// Column of the last position that a consumer has done.
    pub acked: Option<Spot<String>>,
    /// Column of the consumer's name.
    pub consumer_column: Option<Spot<String>>,
    /// The consumer's name. One outbox is looked at for one consumer.
    pub consumer: Option<Spot<TypedValue>>,
    /// Column of the row's transaction (`xid8`), which comes before the position.
    pub transaction: Option<Spot<String>>,
    /// Column of the consumer's last transaction.
    pub acked_transaction: Option<Spot<String>>,
}

/// The relay reads the database's log.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxLog")]
pub struct Cdc {
    /// Name of PostgreSQL's replication slot.
    pub slot: Option<Spot<String>>,
}

/// How often a row was tried, and how often it may be.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxAttempts")]
pub struct Attempts {
    /// Column of the number of attempts.
    #[schemars(required)]
    pub column: Option<Spot<String>>,
    /// A row that was tried so often has failed (1 to 1,000,000). None: the status tells.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max: Option<Spot<i64>>,
    /// Column of that number, where each row has its own.
    pub max_column: Option<Spot<String>>,
}

/// How a relay claims a row: one of `until`, `since` with `ttl_seconds`, `owner`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxLease")]
pub struct Lease {
    /// Column of the time until which the claim holds.
    pub until: Option<Spot<String>>,
    /// Column of the time of the claim.
    pub since: Option<Spot<String>>,
    /// For how long the claim holds after `since`, in seconds (1 to 604,800).
    #[schemars(range(min = 1, max = 604_800))]
    pub ttl_seconds: Option<Spot<i64>>,
    /// Column that names the holder, where no time says how long the claim holds.
    pub owner: Option<Spot<String>>,
}

/// How a row says that the relay gave up on it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxDead")]
pub struct Dead {
    /// Column that says so.
    #[schemars(required)]
    pub column: Option<Spot<String>>,
    /// Its value in such rows. None: any that is not NULL.
    pub value: Option<Spot<TypedValue>>,
}

/// A condition on one column: `values`, `except` or `null`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxScope")]
pub struct Scope {
    /// Column that tells.
    #[schemars(required)]
    pub column: Option<Spot<String>>,
    /// Its values in the rows of this outbox.
    pub values: Option<Vec<Spot<TypedValue>>>,
    /// In place of `values`: those that it does not have.
    pub except: Option<Vec<Spot<TypedValue>>>,
    /// In place of `values`: whether it is NULL in them.
    pub null: Option<Spot<bool>>,
}

/// Where the event itself is.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxBody")]
pub struct Body {
    /// Place of the body.
    #[schemars(required)]
    pub column: Option<Spot<String>>,
    /// Table that holds it, where it is another.
    pub table: Option<Spot<String>>,
    /// Column of that table by which its row is found.
    pub key: Option<Spot<String>>,
    /// Column of the outbox that has the same value.
    pub from: Option<Spot<String>>,
}

/// What a column becomes: one of `to`, `null`, `now`, `in_seconds`, `one_more`, `above`, `like`, `reason`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxChange")]
pub struct ColumnChange {
    /// Column that is set.
    #[schemars(required)]
    pub set: Option<Spot<String>>,
    /// The value that it gets.
    pub to: Option<Spot<TypedValue>>,
    /// Whether it becomes NULL.
    pub null: Option<Spot<bool>>,
    /// Whether it gets the time of the change.
    pub now: Option<Spot<bool>>,
    /// It gets the time of the change and so many seconds (1 to 31,536,000).
    #[schemars(range(min = 1, max = 31_536_000))]
    pub in_seconds: Option<Spot<i64>>,
    /// Whether it becomes one more than it was.
    pub one_more: Option<Spot<bool>>,
    /// It becomes at least one more than this column, and never less than it was.
    pub above: Option<Spot<String>>,
    /// It becomes what this column is.
    pub like: Option<Spot<String>>,
    /// Whether it gets the reason for which the row is set aside.
    pub reason: Option<Spot<bool>>,
}

/// How a replay moves a row from one of the other tables to another, in one transaction.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxMove")]
pub struct Move {
    /// Table that the row leaves.
    #[schemars(required)]
    pub from: Option<Spot<String>>,
    /// Table that the row comes into.
    #[schemars(required)]
    pub to: Option<Spot<String>>,
    /// Column of both that points to the outbox.
    #[schemars(required)]
    pub column: Option<Spot<String>>,
    /// Columns of the outbox that are copied.
    pub copied: Option<Vec<Spot<String>>>,
    /// Column that gets the time of the move.
    pub now: Option<Spot<String>>,
    /// Columns of the outbox that must be NULL.
    pub only_null: Option<Vec<Spot<String>>>,
    /// Columns of `from` that are written down, so that a restore can put the row back.
    pub kept: Option<Vec<Spot<String>>>,
}

/// Why something is not done to these rows.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxRefused")]
pub struct Refused {
    /// The reason.
    #[schemars(required)]
    pub because: Option<Spot<String>>,
    /// What helps instead.
    #[schemars(required)]
    pub instead: Option<Spot<String>>,
}

/// A value as typed: a text, a whole number, true or false.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum TypedValue {
    Truth(bool),
    Number(i64),
    Word(String),
}

impl From<&TypedValue> for Literal {
    fn from(given: &TypedValue) -> Self {
        match given {
            TypedValue::Truth(truth) => Self::Integer(i64::from(*truth)),
            TypedValue::Number(number) => Self::Integer(*number),
            TypedValue::Word(word) => Self::Text(word.clone()),
        }
    }
}

impl JsonSchema for TypedValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "OutboxValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "boolean"] })
    }
}
