//! Outboxes: one short connection each, that never wakes a database which has paused.

mod relay;
mod verdict;

use std::{cmp::Ordering, time::Duration};

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::OnceCell;

pub use relay::{Relaying, Waking, relay, relaying_now};
pub(super) use verdict::judge;

use super::{Found, Look, PartName, Spec};
use crate::{
    cloud::{Cloud, CloudError, ErrorKind},
    databases::{self, PauseState, pause_state},
    domain::{Backlog, Connection, Outbox, Relay, SeenFunction, SeenLock, SeenOutbox, Text, Trouble},
    observe::{
        estate::{Row, settle},
        register::Register,
    },
    outboxes::look,
};

/// Databases that are asked at once.
const CONCURRENCY: usize = 4;
/// How long all of one outbox may take.
const OUTBOX_TIMEOUT: Duration = Duration::from_secs(20);
/// Looks of which the rows that waited are kept: an hour, at one a minute.
const RECENT_MAX: usize = 60;

pub(super) const OUTBOXES: Spec = Spec::listing(PartName::Outboxes, 60, |register, asking| {
    let cloud = asking.cloud.clone();
    // What is known of the databases, so that no look wakes one that has paused.
    let databases: Vec<databases::Seen> = register.estate.databases.rows.iter().map(|row| row.seen.clone()).collect();
    Some(Box::pin(async move {
        let outboxes = cloud.environment().databases.outboxes.clone();
        let seen = look_at(&cloud, outboxes, databases).await;
        Ok(Found::put(move |register, at| register.outboxes(at, seen)))
    }))
});

/// Looks at outboxes. `known` is what is known of databases: whether one of another database has paused is asked first.
pub async fn look_at(cloud: &Cloud, outboxes: Vec<Outbox>, known: Vec<databases::Seen>) -> Vec<SeenOutbox> {
    let paused = Pauses { cloud, known, now: OnceCell::new() };
    let ask = |outbox: Outbox| {
        let paused = &paused;
        async move { seen(&outbox, paused).await }
    };
    stream::iter(outboxes).map(ask).buffer_unordered(CONCURRENCY).collect().await
}

/// Which databases have paused, as far as that is known without connecting to them.
struct Pauses<'a> {
    cloud: &'a Cloud,
    known: Vec<databases::Seen>,
    /// As RDS and CloudWatch say it now: asked once, where what is known does not tell.
    now: OnceCell<Result<Vec<databases::Seen>, CloudError>>,
}

impl Pauses<'_> {
    /// # Errors
    /// A connection would wake the database, or nobody knows whether it would.
    async fn check(&self, connection: &Connection) -> Result<(), Trouble> {
        let target = self.cloud.endpoints.target(connection).await;
        let target = target.map_err(|error| Trouble::Unreachable(error.words))?;
        let mut state = pause_state(&target, &self.known);
        if state == PauseState::Unknown {
            state = match self.now.get_or_init(|| databases::seen_now(self.cloud)).await {
                Ok(seen) => pause_state(&target, seen),
                Err(error) => {
                    let words =
                        format!("not connected, because it is not known whether the database is paused: {error}");
                    return Err(Trouble::Unreachable(Text::line(&words)));
                }
            };
        }
        match state {
            PauseState::Awake => Ok(()),
            PauseState::Unknown => Err(Trouble::Unreachable(Text::from(
                "not connected, because it is not known whether the database is paused",
            ))),
            PauseState::Paused { .. } => Err(Trouble::Paused),
        }
    }
}

async fn seen(outbox: &Outbox, pauses: &Pauses<'_>) -> SeenOutbox {
    let mut seen = SeenOutbox {
        name: outbox.name.clone(),
        what: Text::line(&outbox.words()),
        connection: outbox.connection.clone(),
        backlog: None,
        trouble: None,
        function: None,
        lock: None,
    };
    let (looked, function) = tokio::join!(backlog(outbox, pauses), function(pauses.cloud, outbox));
    seen.function = function;
    match looked {
        Ok((backlog, lock)) => (seen.backlog, seen.lock) = (Some(backlog), lock),
        Err(trouble) => seen.trouble = Some(trouble),
    }
    seen
}

async fn backlog(outbox: &Outbox, pauses: &Pauses<'_>) -> Result<(Backlog, Option<SeenLock>), Trouble> {
    let cloud = pauses.cloud;
    let looked = async {
        let connection = cloud.environment().databases.connection(&outbox.connection);
        let none = || Trouble::Unreachable(Text::line(&format!("there is no connection {}", outbox.connection)));
        let connection = connection.ok_or_else(none)?;
        pauses.check(connection).await?;
        let (mut session, sql) = look::open(cloud, outbox, connection).await?;
        let now = cloud.clock().now();
        let looked = look::backlog(&mut session, &sql, now).await;
        let lock = if looked.is_ok() { look::lock(&mut session, &sql, &outbox.relay, now).await } else { None };
        session.close().await;
        let backlog = looked.map_err(|error| look::Unread::Sql(error).trouble(outbox))?;
        Ok((backlog, lock))
    };
    let clock = cloud.clock();
    tokio::select! {
        looked = looked => looked,
        () = clock.sleep(OUTBOX_TIMEOUT) => {
            Err(Trouble::Unreachable(Text::line(&format!("no answer within {} s", OUTBOX_TIMEOUT.as_secs()))))
        }
    }
}

/// What keeps the Lambda function that is the relay from running.
async fn function(cloud: &Cloud, outbox: &Outbox) -> Option<SeenFunction> {
    let Relay::Function { function, rule } = &outbox.relay else { return None };
    let rule = async {
        match rule {
            Some(rule) => cloud.events.rule(rule).await.map(Some),
            None => Ok(None),
        }
    };
    let (concurrency, rule) = tokio::join!(cloud.lambda.concurrency(function), rule);
    let mut unknown = None;
    let mut told = |error: CloudError| {
        let is_denied = error.kind == ErrorKind::Denied;
        let words = if is_denied { format!("not allowed: {}", error.action) } else { error.to_string() };
        unknown.get_or_insert(Text::line(&words));
    };
    let concurrency = concurrency.map_err(&mut told).ok().flatten();
    let rule = rule.map_err(&mut told).ok().flatten().map(|rule| (rule.name, rule.enabled));
    Some(SeenFunction { name: function.clone(), concurrency, rule, unknown })
}

impl Row for SeenOutbox {
    type Kept = Self;

    fn order(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }

    /// Texts of rows are not kept on disk.
    fn keep(&self) -> Self {
        let mut kept = self.clone();
        if let Some(backlog) = &mut kept.backlog {
            backlog.failed_errors = None;
        }
        kept
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

impl Register {
    /// What a look could not tell is as it was seen before.
    pub(in crate::observe) fn outboxes(&mut self, at: Timestamp, mut seen: Vec<SeenOutbox>) {
        for one in &mut seen {
            let before = self.estate.outboxes.rows.iter().find(|before| before.name == one.name);
            let before = before.and_then(|before| before.backlog.as_ref());
            match (&mut one.backlog, before) {
                (None, Some(before)) => one.backlog = Some(before.clone()),
                (Some(backlog), before) => {
                    let mut recent = before.map(|before| before.recent.clone()).unwrap_or_default();
                    recent.extend(backlog.pending().figure().map(|rows| (backlog.at, rows as f64)));
                    recent.drain(..recent.len().saturating_sub(RECENT_MAX));
                    backlog.recent = recent;
                }
                (None, None) => {}
            }
        }
        let is_new = settle(&mut self.estate.outboxes, seen);
        self.came(Look::Outboxes, at, is_new);
        self.note_unknown(Look::Outboxes, Vec::new());
    }
}
