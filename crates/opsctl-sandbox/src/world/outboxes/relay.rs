//! A relay: takes what is due and publishes it.

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::json;

use super::{Outbox, Shared, contents::backoff};
use crate::{
    domain::Value,
    world::{
        World,
        actors::Behaviour,
        sql::{Failure, Parameters, time_text},
    },
};

/// Rows of a batch.
const BATCH: u32 = 50;
/// How long published rows are kept, and how often they are looked for, milliseconds.
const KEPT: i64 = 3_600_000;
const CLEANED_EVERY: i64 = 300_000;

#[derive(Debug)]
pub(in crate::world) struct Relay {
    pub(in crate::world) outbox: Shared,
    pub(in crate::world) behaviour: Behaviour,
    /// Seconds of work that a slow relay has left over from earlier runs.
    spare_seconds: u32,
    cleaned_at: i64,
}

/// A row that is due.
struct Taken {
    id: Value,
    event: String,
    group: String,
    body: String,
    tries: u32,
}

impl Relay {
    pub(in crate::world) fn new(outbox: Shared, behaviour: Behaviour) -> Self {
        Self { outbox, behaviour, spare_seconds: 0, cleaned_at: 0 }
    }

    /// One run: all that is due, in batches, as far as the relay comes.
    pub(in crate::world) fn run(&mut self, world: &mut World, at: Timestamp, random: &mut Rng) {
        let outbox = Shared::clone(&self.outbox);
        let Outbox { place, worker, .. } = &*outbox;
        if !worker.takes(world, at, place) {
            return;
        }
        let works = self.behaviour != Behaviour::Down && world.database_serves(at, place, &outbox.key.server);
        // Another session's transaction ends this run; what is due then is due later.
        let done = works && self.publish(world, at, random).is_ok();
        worker.note_run(world, place, at, done);
    }

    fn publish(&mut self, world: &mut World, at: Timestamp, random: &mut Rng) -> Result<(), Failure> {
        let mut left = self.rows_of_run();
        while left > 0 {
            let batch = self.outbox.due(world, at, left.min(BATCH))?;
            let Ok(taken) = u32::try_from(batch.len()) else { break };
            for row in &batch {
                let fails = match &self.behaviour {
                    Behaviour::Failing(predicate) | Behaviour::Crashing(predicate) => {
                        predicate.holds(&row.body, random)
                    }
                    Behaviour::Healthy | Behaviour::Slow { .. } | Behaviour::Down => false,
                };
                let published = if fails { Err(self.outbox.error.clone()) } else { self.outbox.send(world, at, row) };
                self.outbox.note(world, at, row, published)?;
            }
            left -= taken;
            if taken == 0 {
                break;
            }
        }
        self.clean(world, at)
    }

    /// Rows that it comes to in a run.
    fn rows_of_run(&mut self) -> u32 {
        let Behaviour::Slow { seconds } = self.behaviour else { return self.outbox.rows_max };
        self.spare_seconds += self.outbox.period_seconds;
        let rows = self.spare_seconds / seconds.max(1);
        self.spare_seconds %= seconds.max(1);
        rows.min(self.outbox.rows_max)
    }

    fn clean(&mut self, world: &mut World, at: Timestamp) -> Result<(), Failure> {
        let now = at.as_millisecond();
        if now - self.cleaned_at < CLEANED_EVERY {
            return Ok(());
        }
        self.cleaned_at = now;
        let before = [("before".to_owned(), Value::Text(time_text(now - KEPT)))];
        let clean = self.outbox.table.statements().clean;
        world.sql.run(now, &self.outbox.key, clean, Parameters::Named(&before)).map(drop)
    }
}

impl Outbox {
    fn due(&self, world: &mut World, at: Timestamp, limit: u32) -> Result<Vec<Taken>, Failure> {
        let now = at.as_millisecond();
        let statements = self.table.statements();
        let text = if self.is_ordered { statements.due_in_order } else { statements.due };
        let values =
            [("now".to_owned(), Value::Text(time_text(now))), ("limit".to_owned(), Value::Integer(limit.into()))];
        let found = world.sql.run(now, &self.key, text, Parameters::Named(&values))?;
        let text = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            Value::Null | Value::Integer(_) | Value::Real(_) | Value::Bytes(_) => String::new(),
        };
        let row = |row: Vec<Value>| match row.as_slice() {
            [id, event, group, body, Value::Integer(tries)] => Some(Taken {
                id: id.clone(),
                event: text(event),
                group: text(group),
                body: text(body),
                tries: u32::try_from(*tries).unwrap_or(u32::MAX),
            }),
            _ => None,
        };
        Ok(found.rows.rows.into_iter().filter_map(row).collect())
    }

    /// Sends a row's event; the error is SQS's.
    fn send(&self, world: &mut World, at: Timestamp, row: &Taken) -> Result<(), String> {
        let caller = self.place.caller();
        let url = format!("{}/{}/{}", caller.origin, caller.account, self.queue);
        let mut request = json!({ "QueueUrl": url, "MessageBody": row.body });
        if self.queue.ends_with(".fifo") {
            request["MessageGroupId"] = json!(row.group);
            request["MessageDeduplicationId"] = json!(row.event);
        }
        let sent = world.ask(at, &caller, ("sqs", "SendMessage"), request);
        sent.map(drop).map_err(|error| format!("{}: {}", error.shown_code(), error.message))
    }

    fn note(&self, world: &mut World, at: Timestamp, row: &Taken, came: Result<(), String>) -> Result<(), Failure> {
        let now = at.as_millisecond();
        let statements = self.table.statements();
        let due = at.saturating_add(backoff(row.tries)).unwrap_or(Timestamp::MAX).as_millisecond();
        let (text, error) = match came {
            Ok(()) => (statements.publish, Value::Null),
            Err(words) => (statements.fail, Value::Text(words)),
        };
        let values = [
            ("id", row.id.clone()),
            ("now", Value::Text(time_text(now))),
            ("due", Value::Text(time_text(due))),
            ("error", error),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value));
        world.sql.run(now, &self.key, text, Parameters::Named(&values)).map(drop)
    }
}
