//! Statements for a database, and what comes of them, whatever server runs them.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::Text;

/// One statement. Its values stand where its text has placeholders, as the server writes them (`$1`, `?`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// SQL, as the server speaks it.
    pub text: String,
    /// In the order of the placeholders.
    pub values: Vec<Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// Names of the columns; empty where no row came.
    pub columns: Vec<String>,
    /// As many values in each as there are columns.
    pub rows: Vec<Vec<Value>>,
    /// Rows that the statement changed. PostgreSQL counts the rows of a SELECT, too; MySQL counts rows that matched.
    pub changed: u64,
}

/// A value in a row, or in a statement.
///
/// In a statement for PostgreSQL a placeholder has the type that the server infers (the column's, mostly), and a value is written as
/// that type, so that indexes count, partial ones too. For MySQL an integer is compared as a number and a text as a text: a text
/// column needs [`Value::Text`].
///
/// In a row, what is neither integer, real nor bytes is its text: PostgreSQL's as it writes it, times in UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    Null,
    /// Any integer; 0 or 1 for a boolean.
    Integer(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// What a transaction may cost the server, and what one of its statements may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The server gives a statement up after so long. MySQL bounds reads only: a write that takes longer is given up here, by ending
    /// the connection, which the server notices when the statement is done.
    pub statement: Duration,
    /// So long a statement waits for a lock. MySQL and MariaDB count whole seconds: it is rounded up there.
    pub lock: Duration,
    pub rows_max: usize,
    /// Of all texts and bytes of the rows.
    pub bytes_max: usize,
}

impl Bounds {
    /// For a look that nobody waits for long.
    pub const LOOK: Self = Self {
        statement: Duration::from_secs(5),
        lock: Duration::from_secs(1),
        rows_max: 10_000,
        bytes_max: 16 * 1_048_576,
    };
}

/// Why a statement or a transaction did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlError {
    pub kind: SqlKind,
    /// SQLSTATE, or MySQL's number; empty: the server did not say it.
    pub code: Text,
    /// The server's message without its detail. It may quote values of rows: for a person's eyes, **never for the journal or a log**,
    /// which get [`SqlKind::words`] and the code.
    pub words: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SqlKind {
    NoTable,
    NoColumn,
    /// A grant is missing, or row level security refuses.
    Denied,
    /// A value or an expression is not of the type that is needed.
    Type,
    LockTimeout,
    StatementTimeout,
    /// A deadlock or a serialization failure: the transaction was rolled back, and may be tried again.
    Conflict,
    /// The server or the transaction only reads.
    ReadOnly,
    /// CHECK, UNIQUE, foreign key, NOT NULL, or a trigger that raised an error.
    Constraint,
    /// More rows or bytes came than the bounds allow.
    TooLarge,
    /// The connection broke before COMMIT was sent: nothing of the transaction stays.
    Lost,
    /// The connection broke, or the server gave way, after COMMIT was sent: nobody knows whether the transaction stays. **Look, don't
    /// repeat.**
    Unknown,
    /// The SQL itself is wrong, or whatever else the server says.
    Other,
}

impl SqlError {
    /// An error that no server told.
    pub fn new(kind: SqlKind, words: &str) -> Self {
        Self { kind, code: Text::default(), words: Text::line(words) }
    }
}

impl SqlKind {
    /// In words that hold no value of any row: for the journal.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoTable => "the table does not exist",
            Self::NoColumn => "a column does not exist",
            Self::Denied => "not allowed",
            Self::Type => "a value is of another type",
            Self::LockTimeout => "a lock was not released in time",
            Self::StatementTimeout => "a statement took too long",
            Self::Conflict => "another transaction was in the way",
            Self::ReadOnly => "the server only reads",
            Self::Constraint => "a constraint or a trigger refused it",
            Self::TooLarge => "the answer is too large",
            Self::Lost => "the connection broke, and nothing was committed",
            Self::Unknown => "the connection broke during COMMIT: the outcome is unknown",
            Self::Other => "the server refused it",
        }
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.words)?;
        if self.code.is_empty() { Ok(()) } else { write!(formatter, " ({})", self.code) }
    }
}

impl std::error::Error for SqlError {}

impl From<&str> for Statement {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }
}
