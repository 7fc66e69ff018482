//! Verdicts on outboxes.

use jiff::{SignedDuration, Timestamp};

use super::relay::{Relaying, relay};
use crate::{
    domain::{
        Backlog, Environment, Outbox, RowCount, RowState, Trouble,
        words::{counted, span, thousands},
    },
    observe::verdict::{Finding, Kind, Scene, Severity, Subject, Verdict},
};

pub(in crate::observe::parts) fn judge(scene: &Scene<'_>, all: &mut Vec<Verdict>) {
    let part = &scene.snapshot.estate.outboxes;
    for seen in &*part.rows {
        let Some(outbox) = scene.environment.databases.outboxes.iter().find(|outbox| outbox.name == seen.name) else {
            continue;
        };
        let relaying = relay(outbox, seen, &scene.snapshot.estate.services);
        let found = seen
            .backlog
            .as_ref()
            .and_then(|backlog| of_backlog((scene.environment, outbox), backlog, &relaying, scene.now));
        let found = found.or_else(|| seen.trouble.as_ref().and_then(of_trouble));
        let at = seen.backlog.as_ref().map(|backlog| backlog.at);
        all.extend(found.map(|found| scene.said_of(Subject::Outbox(seen.name.clone()), found, at)));
    }
}

fn of_trouble(trouble: &Trouble) -> Option<Finding> {
    match trouble {
        Trouble::Paused => None,
        Trouble::Unreachable(words) | Trouble::Refused(words) => {
            Some(Finding(Kind::OutboxUnseen, Severity::Notice, format!("the table can't be read: {words}")))
        }
    }
}

/// The worst of an outbox.
fn of_backlog(of: (&Environment, &Outbox), backlog: &Backlog, relaying: &Relaying, now: Timestamp) -> Option<Finding> {
    stalled(of, backlog, relaying, now)
        .or_else(|| unread(backlog))
        .or_else(|| failed(backlog))
        .or_else(|| {
            left(
                backlog,
                RowState::Stuck,
                Kind::OutboxStuck,
                Severity::Warning,
                "claimed by a relay that did not finish",
            )
        })
        .or_else(|| {
            left(
                backlog,
                RowState::Unaccounted,
                Kind::OutboxUnaccounted,
                Severity::Notice,
                "in a state that the mapping does not know",
            )
        })
        .or_else(|| hidden(backlog))
}

/// Rows wait for longer than they may.
fn stalled(
    (environment, outbox): (&Environment, &Outbox),
    backlog: &Backlog,
    relaying: &Relaying,
    now: Timestamp,
) -> Option<Finding> {
    let most = SignedDuration::from_secs(i64::try_from(outbox.lag_seconds).unwrap_or(i64::MAX));
    let lag = backlog.lag(now);
    let is_late = lag.is_some_and(|lag| lag > most);
    let ready = backlog.count(RowState::Ready)?;
    let waits = ready.figure().is_some_and(|rows| rows > 0);
    if !waits || !(is_late || relaying.is_asleep()) {
        return None;
    }
    let rows = rows(ready);
    let oldest = lag.map(|lag| format!(", oldest {}", span(lag))).unwrap_or_default();
    let rate = match backlog.rate() {
        Some(0.0) => ", none published in 5 min".to_owned(),
        Some(rate) => format!(", {}/min published", thousands(rate.round() as u64)),
        None => String::new(),
    };
    let why = match relaying {
        Relaying::Asleep(words, _) => match relaying.wakes(environment) {
            Some(command) => format!(": {words}; `{command}`"),
            None => format!(": {words}"),
        },
        Relaying::Awake(_) | Relaying::Unknown(_) => String::new(),
    };
    let severity = if is_late { Severity::Critical } else { Severity::Warning };
    Some(Finding(Kind::OutboxStalled, severity, format!("{rows} ready{oldest}{rate}{why}")))
}

/// Nobody reads the log that the relay should.
fn unread(backlog: &Backlog) -> Option<Finding> {
    let slot = backlog.slot.as_ref().filter(|slot| slot.is_left())?;
    Some(Finding(Kind::OutboxStalled, Severity::Warning, format!("nothing is published: {}", slot.words())))
}

fn failed(backlog: &Backlog) -> Option<Finding> {
    let failed = backlog.count(RowState::Failed)?;
    if failed.figure().is_none_or(|rows| rows == 0) {
        return None;
    }
    let kind = backlog.failed_kinds.first().map(|(kind, count)| format!(", {} of type {kind}", thousands(*count)));
    let held: u64 = backlog.blocked.iter().map(|blocked| blocked.held).sum();
    let groups = backlog.blocked.len() as u64;
    let blocked = match (held, backlog.group_blocks) {
        (0, _) => String::new(),
        (held, true) => format!("; {} held in {}", thousands(held), counted(groups, "blocked group")),
        (held, false) => {
            format!("; {} younger rows of {} will overtake them", thousands(held), counted(groups, "group"))
        }
    };
    let reason = format!("{} failed{}{blocked}", rows(failed), kind.unwrap_or_default());
    Some(Finding(Kind::OutboxFailed, Severity::Warning, reason))
}

fn left(backlog: &Backlog, state: RowState, kind: Kind, severity: Severity, words: &str) -> Option<Finding> {
    let count = backlog.count(state).filter(|count| count.figure().is_some_and(|rows| rows > 0))?;
    Some(Finding(kind, severity, format!("{} {words}", rows(count))))
}

/// A count of nothing under row level security proves nothing.
fn hidden(backlog: &Backlog) -> Option<Finding> {
    let is_empty = backlog.counts.values().all(|count| *count == RowCount::Exactly(0));
    let reason = "row level security hides rows from this login: an empty table proves nothing";
    (backlog.may_hide && is_empty).then(|| Finding(Kind::OutboxUnseen, Severity::Notice, reason.to_owned()))
}

fn rows(count: RowCount) -> String {
    let noun = if count == RowCount::Exactly(1) { "row" } else { "rows" };
    format!("{} {noun}", count.words())
}
