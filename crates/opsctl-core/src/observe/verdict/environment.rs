//! Verdicts on an environment itself, and on its queues that could not be looked at, taken together.

use jiff::Timestamp;

use super::{Kind, Rank, Severity, Subject, Verdict};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{
        Environment, Text,
        words::{span, thousands},
    },
    observe::snapshot::{Seen, Snapshot},
};

/// Queues named in a verdict on several.
const NAMED: usize = 3;

/// What is to be said about the environment.
pub(super) fn verdicts(environment: &Environment, snapshot: &Snapshot, now: Timestamp) -> Vec<Verdict> {
    let mut all = Vec::new();
    all.extend(listing(environment, snapshot, now));
    all.extend(denied(environment, snapshot));
    all.extend(silent(environment, snapshot));
    all.extend(throttled(environment, snapshot));
    all
}

fn verdict(environment: &Environment, subject: Subject, severity: Severity, kind: Kind, reason: &str) -> Verdict {
    let environment = environment.name.clone();
    Verdict { severity, environment, subject, kind, reason: Text::line(reason), messages: 0, rank: Rank::default() }
}

/// The queues can't be listed: why, what to do, and how old what is shown is.
fn listing(environment: &Environment, snapshot: &Snapshot, now: Timestamp) -> Option<Verdict> {
    let error = snapshot.listing.error.as_ref()?;
    let CloudError { kind, message, .. } = error;
    let hint = error.hint(environment);
    let seen = match snapshot.listing.at {
        Some(at) => format!("; what is shown is {} old", span(now.duration_since(at))),
        None => String::new(),
    };
    let (kind, words) = match kind {
        ErrorKind::CredentialsExpired => (Kind::Credentials, format!("the credentials do not work (any more): {hint}")),
        ErrorKind::CredentialsMissing => (Kind::Credentials, format!("{message}: {hint}")),
        ErrorKind::ClockSkew => (Kind::Credentials, format!("AWS refuses this machine's clock: {hint}")),
        ErrorKind::Unreachable => (Kind::Unreachable, format!("AWS is not reached: {hint}")),
        ErrorKind::Unknown => (Kind::Unreachable, format!("AWS does not answer: {message}")),
        ErrorKind::Denied => (Kind::Denied, format!("the queues can't be listed: {hint}")),
        ErrorKind::Throttled => (Kind::Throttled, "AWS throttles the listing of the queues".to_owned()),
        ErrorKind::NotFound | ErrorKind::Invalid => (Kind::Unreachable, format!("the queues can't be listed: {error}")),
    };
    let severity = if kind == Kind::Throttled { Severity::Notice } else { Severity::Warning };
    let is_of_queues = matches!(kind, Kind::Denied | Kind::Throttled);
    let subject = if is_of_queues { Subject::Queues } else { Subject::Environment };
    Some(verdict(environment, subject, severity, kind, &format!("{words}{seen}")))
}

/// Queues that may not be looked at: one verdict for all of them.
fn denied(environment: &Environment, snapshot: &Snapshot) -> Option<Verdict> {
    let (first, names, count) = failing(snapshot, |kind| kind == ErrorKind::Denied)?;
    let error = first.error.as_ref()?;
    if count == 1 {
        let reason = format!("it may not be looked at: {}", error.hint(environment));
        let subject = Subject::Queue(first.name.clone());
        return Some(verdict(environment, subject, Severity::Notice, Kind::Denied, &reason));
    }
    let (all, action) = (thousands(snapshot.queues.len() as u64), &error.action);
    let reason = format!("{} of {all} queues may not be looked at ({action} is denied): {names}", thousands(count));
    Some(verdict(environment, Subject::Queues, Severity::Notice, Kind::Denied, &reason))
}

/// Queues that do not answer although the environment does.
fn silent(environment: &Environment, snapshot: &Snapshot) -> Option<Verdict> {
    let is_meant = |kind| match kind {
        ErrorKind::Unknown | ErrorKind::Unreachable | ErrorKind::Invalid => true,
        // Deleted queues go with the next listing; the rest is said elsewhere.
        ErrorKind::NotFound
        | ErrorKind::Denied
        | ErrorKind::Throttled
        | ErrorKind::CredentialsExpired
        | ErrorKind::CredentialsMissing
        | ErrorKind::ClockSkew => false,
    };
    let (first, names, count) = failing(snapshot, is_meant).filter(|_| snapshot.listing.error.is_none())?;
    if count == 1 {
        let reason = format!("it does not answer: {}", first.error.as_ref()?.message);
        let subject = Subject::Queue(first.name.clone());
        return Some(verdict(environment, subject, Severity::Notice, Kind::Unreachable, &reason));
    }
    let all = thousands(snapshot.queues.len() as u64);
    let reason = format!("{} of {all} queues do not answer: {names}", thousands(count));
    Some(verdict(environment, Subject::Queues, Severity::Notice, Kind::Unreachable, &reason))
}

/// The first queue whose last question failed so, the first few by name, and how many there are.
fn failing(snapshot: &Snapshot, is_meant: impl Fn(ErrorKind) -> bool) -> Option<(&Seen, String, u64)> {
    let mut failing =
        snapshot.queues.iter().filter(|seen| seen.error.as_ref().is_some_and(|error| is_meant(error.kind)));
    let first = failing.next()?;
    let mut names = vec![first.name.as_str()];
    names.extend(failing.by_ref().take(NAMED - 1).map(|seen| seen.name.as_str()));
    let (mut text, more) = (names.join(", "), failing.count() as u64);
    if more > 0 {
        text = format!("{text} and {} more", thousands(more));
    }
    Some((first, text, names.len() as u64 + more))
}

fn throttled(environment: &Environment, snapshot: &Snapshot) -> Option<Verdict> {
    let throttled = snapshot.spend.throttled;
    if throttled == 0 || snapshot.listing.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Throttled) {
        return None;
    }
    let calls = if throttled == 1 { "call" } else { "calls" };
    let reason =
        format!("AWS throttled {} {calls} in the last minute: figures come more slowly", thousands(throttled.into()));
    Some(verdict(environment, Subject::Queues, Severity::Notice, Kind::Throttled, &reason))
}
