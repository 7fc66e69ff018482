//! How the rows of a table say what has been published: typed parts, never free SQL.

use serde::{Deserialize, Serialize};

use super::{
    state::RowState,
    table::{Field, TableName},
};

/// What the columns of a table mean. Names are as the server has them, letter by letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowMapping {
    pub table: TableName,
    /// Columns that name one row together; never empty.
    pub id: Vec<String>,
    pub primitive: Primitive,
    /// Which rows of the table are this outbox's; all of these must hold. Empty: all rows.
    pub scope: Vec<Scope>,
    pub attempts: Option<Attempts>,
    /// Column of the time before which the relay passes over a row; NULL is due.
    pub due: Option<String>,
    pub lease: Option<Lease>,
    pub dead: Option<Dead>,
    /// Rows that wait for something other than the relay are those for which all of these hold; empty: none.
    pub held: Vec<Scope>,
    /// Column of the time after which a row that is not published is never sent.
    pub expiry: Option<String>,
    /// Columns in whose order the relay takes rows, ascending. May be empty: then `id` is the order.
    pub order: Vec<String>,
    /// What keeps rows in order with each other: the key of an aggregate, of a FIFO topic.
    pub group: Option<Field>,
    /// Whether the relay sends nothing more of a group while an older row of it has failed or is stuck.
    pub group_blocks: bool,
    /// How times are written in this table's columns.
    pub times: Times,
    pub created: Option<String>,
    pub published_at: Option<String>,
    /// The last error of the relay.
    pub error: Option<Field>,
    /// Type of the event.
    pub kind: Option<Field>,
    /// Id that consumers and brokers deduplicate by; none: `id`.
    pub event_id: Option<Field>,
    pub body: Option<Body>,
    /// Whether the body is code or signed: nobody else could publish it.
    pub opaque: bool,
    /// Whether the relay takes rows with `FOR UPDATE SKIP LOCKED`: a lock on a row then keeps it away.
    pub relay_locks: bool,
    /// Column that names who has claimed the row.
    pub holder: Option<String>,
    pub rearm: Rearm,
    pub park: Park,
    pub release: Release,
    /// What a plan has to say: one sentence each.
    pub notes: Vec<String>,
}

impl RowMapping {
    /// Columns that rows are sorted by, ending with those that name a row: a total order.
    pub fn sorted_by(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        for column in self.order.iter().chain(&self.id) {
            if !columns.contains(&column.as_str()) {
                columns.push(column);
            }
        }
        columns
    }

    /// States of rows that are set aside in the table's own terms; empty: there are none, or they would go on holding their group.
    pub fn parkable(&self) -> &'static [RowState] {
        if self.park.set.is_empty() || self.group_blocks {
            return &[];
        }
        &[RowState::Ready, RowState::Scheduled, RowState::Stuck, RowState::Expired]
    }

    /// States from which a replay brings a row back; empty where there is no replay. Published rows are among them only where what says
    /// that they are published is set back.
    pub fn rearmable(&self) -> Vec<RowState> {
        let set = |column: &String| match &self.rearm {
            Rearm::Set(changes) => changes.iter().any(|change| change.column == *column),
            Rearm::Move(_) | Rearm::Refused(_) => false,
        };
        let published = match &self.primitive {
            Primitive::NullTime { column } | Primitive::Flag { column, .. } => set(column),
            Primitive::Status { column, done, .. } => set(column) && done.as_ref().is_none_or(set),
            Primitive::Present | Primitive::Satellite { .. } | Primitive::Offset(_) | Primitive::Cdc { .. } => false,
        };
        let states: &[RowState] = match &self.rearm {
            Rearm::Set(_) if published => &[RowState::Failed, RowState::Expired, RowState::Published],
            Rearm::Set(_) => &[RowState::Failed, RowState::Expired],
            Rearm::Move(_) => &[RowState::Failed],
            Rearm::Refused(_) => &[],
        };
        states.to_vec()
    }
}

/// How a row says whether it was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Primitive {
    /// NULL is not published.
    NullTime { column: String },
    /// Published where the column has this value; NULL is not published.
    Flag { column: String, published: Literal },
    Status {
        column: String,
        /// Each value once.
        states: Vec<(Literal, RowState)>,
        /// State of NULL; none: unaccounted.
        null: Option<RowState>,
        /// Column of a time; a row where it is set has been published, whatever its status.
        done: Option<String>,
    },
    /// A row that is there is pending; published rows are gone.
    Present,
    /// The state follows from the tables that hold a row of it; the first that does counts.
    Satellite {
        /// Column of this table that the others point to.
        key: String,
        members: Vec<Satellite>,
        /// Column of a time: published where it is set.
        finished: Option<String>,
    },
    /// A row's position is compared with that of a consumer.
    Offset(Offset),
    /// The relay reads the log of the database: no row says whether it was sent. Its lag is the slot's.
    Cdc { slot: Option<String> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Satellite {
    pub table: TableName,
    /// Column that points to the outbox's row.
    pub column: String,
    pub state: RowState,
    /// Column of a time in that table: in the state only later than that ([`RowState::Scheduled`]), else ready.
    pub due: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// The table of the consumers' positions.
    pub table: TableName,
    /// Column of a row's position in the outbox.
    pub position: String,
    /// Column of the last position that a consumer has done.
    pub acked: String,
    /// Column of the consumer's name, and its value.
    pub consumer: (String, Literal),
    /// PostgreSQL: transaction ids (`xid8`) come before positions: the outbox's column and the consumer's. A row at or above
    /// `pg_snapshot_xmin` waits for an older transaction and is held.
    pub transaction: Option<(String, String)>,
}

/// A value that a column may have. Booleans are 0 and 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Literal {
    Integer(i64),
    Text(String),
}

/// A condition on one column of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    pub column: String,
    pub is: In,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum In {
    /// One of these; never empty.
    Values(Vec<Literal>),
    /// None of these, or NULL; never empty.
    Except(Vec<Literal>),
    Null,
    NotNull,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// A row counts as never tried where it is NULL.
    pub column: String,
    /// A row that would be ready or scheduled has failed once it was tried so often. None: the status alone tells.
    pub max: Option<AttemptsMax>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptsMax {
    Number(u32),
    Column(String),
}

/// How a relay claims a row. Without a status for it, a claim is what makes a row in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lease {
    /// Column of the time until which the claim holds.
    Until(String),
    /// Column of the time of the claim, and for how long it holds.
    Since { column: String, ttl_seconds: u32 },
    /// Column that names the holder. Such a claim has no end: none is ever known to be stuck.
    Owner(String),
}

/// How a row says that the relay gave up on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dead {
    NotNull(String),
    /// The column has this value.
    Is(String, Literal),
}

/// How a table's columns write times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Times {
    /// With a zone: PostgreSQL's `timestamptz`, MySQL's `TIMESTAMP`.
    Tz,
    /// Without a zone, in UTC.
    Utc,
    /// Without a zone, in the zone of the application, which is taken to be that of the database session.
    Local,
    /// Seconds since 1970.
    EpochS,
    /// Milliseconds since 1970.
    EpochMs,
    /// Text, ISO 8601 in UTC: `2026-05-01T09:30:00.000Z`.
    Text,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    Inline(Field),
    /// In a column of another table, whose `key` has the value of this table's `from`.
    Joined {
        table: TableName,
        key: String,
        from: String,
        column: String,
    },
}

/// What makes the relay send a row again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rearm {
    /// Columns of the row get these values; never empty.
    Set(Vec<Change>),
    Move(Move),
    Refused(Refusal),
}

/// Why something is not done to these rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why: a sentence without a full stop.
    pub because: String,
    /// What helps instead.
    pub instead: String,
}

/// How a row is set aside, so that the relay passes over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Park {
    /// A claim that is made first, in the same transaction, where the product's rules know no shorter way; may be empty.
    pub claim: Vec<Change>,
    /// In the table's own terms; empty: there are none.
    pub set: Vec<Change>,
    /// Why a row may not leave for a table beside this one; none: it may.
    pub stays: Option<Refusal>,
}

/// What frees a row whose claim has run out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// Columns of the row get these values; never empty.
    Set(Vec<Change>),
    Refused(Refusal),
}

/// A row of one satellite is replaced by one of another, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    pub from: TableName,
    pub to: TableName,
    /// Column of both that points to the outbox's row, and the outbox's column it points to.
    pub column: String,
    pub key: String,
    /// Columns of `to` that get the value of the outbox's column of the same name.
    pub copied: Vec<String>,
    /// Column of `to` that gets the time of the move.
    pub now: Option<String>,
    /// Columns of the outbox that must be NULL: other rows take another way, which only the product knows.
    pub only_null: Vec<String>,
    /// Columns of `from` that are written down, so that the row can be put back.
    pub kept: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub column: String,
    pub to: Becomes,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Becomes {
    Null,
    Value(Literal),
    Now,
    /// Now and so many seconds.
    In(u32),
    /// One more than it was; NULL counts as 0.
    OneMore,
    /// What it was, and at least one more than this column: leaves room for one more attempt.
    AtLeastOneMoreThan(String),
    /// What this column is.
    Like(String),
    /// Why the row is set aside, as somebody said.
    Reason,
}
