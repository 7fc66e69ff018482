//! What waits in an outbox, as its service measures it.

use jiff::Timestamp;

use super::Outbox;
use crate::{
    domain::Value,
    world::{
        World,
        sql::{Parameters, time_text},
    },
};

/// Rows that wait, and the age of the oldest in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::world) struct Backlog {
    pub(in crate::world) rows: f64,
    pub(in crate::world) lag_seconds: f64,
}

impl Outbox {
    /// None: another session writes just now.
    pub(in crate::world) fn backlog(&self, world: &mut World, at: Timestamp) -> Option<Backlog> {
        let now = at.as_millisecond();
        let values = [("now".to_owned(), Value::Text(time_text(now)))];
        let text = self.table.statements().backlog;
        let found = world.sql.run(now, &self.key, text, Parameters::Named(&values)).ok()?;
        let number = |value: Option<&Value>| match value {
            Some(Value::Integer(number)) => *number as f64,
            Some(Value::Real(number)) => *number,
            Some(Value::Null | Value::Text(_) | Value::Bytes(_)) | None => 0.0,
        };
        let row = found.rows.rows.first()?;
        Some(Backlog { rows: number(row.first()), lag_seconds: number(row.get(1)).max(0.0) })
    }
}
