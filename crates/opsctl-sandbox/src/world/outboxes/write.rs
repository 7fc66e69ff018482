//! What a service writes into its outbox.

use fastrand::Rng;
use jiff::Timestamp;

use super::{Outbox, contents::RowState};
use crate::{
    domain::Value,
    world::{
        World,
        sql::{Failure, Parameters, Writing, time_text},
        uuid,
    },
};

/// Rows that wait at most: where so many do, the service writes no more.
const WAITING_MAX: i64 = 20_000;

/// A row, whatever its past.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) count: u64,
    pub(super) at: Timestamp,
    pub(super) state: RowState,
    pub(super) attempts: u32,
    pub(super) error: Option<&'a str>,
    /// When it may be tried.
    pub(super) due: i64,
    /// When it was published, claimed or tried last.
    pub(super) done: i64,
}

impl World {
    /// Lets a service write some events, if its database serves.
    pub(in crate::world) fn write_events(
        &mut self,
        at: Timestamp,
        outbox: &Outbox,
        random: &mut Rng,
        count: &mut u64,
        events: usize,
    ) {
        if events == 0 || !self.database_serves(at, &outbox.place, &outbox.key.server) {
            return;
        }
        let now = at.as_millisecond();
        // A database that somebody has locked takes nothing now: the service goes on, as services do.
        drop(self.sql.change(now, &outbox.key, |writing| {
            let limit = [("limit".to_owned(), Value::Integer(WAITING_MAX))];
            let waiting = writing.run(outbox.table.statements().waiting, Parameters::Named(&limit))?;
            if waiting.rows.rows.first().and_then(|row| row.first()) == Some(&Value::Integer(WAITING_MAX)) {
                return Ok(());
            }
            for _ in 0..events {
                let row =
                    Row { count: *count, at, state: RowState::Pending, attempts: 0, error: None, due: now, done: now };
                insert(writing, outbox, random, &row)?;
                *count += 1;
            }
            Ok(())
        }));
    }
}

pub(super) fn insert(writing: &Writing<'_>, outbox: &Outbox, random: &mut Rng, row: &Row<'_>) -> Result<(), Failure> {
    let id = uuid(random);
    let message = outbox.template.write(random, row.count, row.at, &outbox.place);
    let text = |text: &str| Value::Text(text.to_owned());
    let optional = |given: Option<&str>| given.map_or(Value::Null, text);
    let values = [
        ("event", optional(message.deduplication_id.as_deref().or(Some(&id)))),
        ("id", text(&id)),
        ("group", optional(message.group.as_deref())),
        ("type", text(&outbox.event_type)),
        ("body", text(&message.body)),
        ("state", text(row.state.word(outbox.table))),
        ("attempts", Value::Integer(row.attempts.into())),
        ("error", optional(row.error)),
        ("due", Value::Text(time_text(row.due))),
        ("at", Value::Text(time_text(row.at.as_millisecond()))),
        ("done", Value::Text(time_text(row.done))),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value));
    writing.run(outbox.table.statements().insert, Parameters::Named(&values)).map(drop)
}
