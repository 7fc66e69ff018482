//! Statements for a database, and what comes of them, whatever server runs them.

use serde::{Deserialize, Serialize};

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
    pub changed: u64,
}

/// A value in a row, or in a statement.
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

impl From<&str> for Statement {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }
}
