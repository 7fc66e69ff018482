//! Verdicts on an environment itself, and on its queues that could not be looked at, taken together.

use std::sync::Arc;

use super::{Finding, Kind, NAMED, Scene, Severity, Subject, Verdict};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::words::{some_of, span, thousands},
    observe::snapshot::{Seen, Snapshot},
};

pub(super) fn verdicts(scene: &Scene<'_>) -> impl Iterator<Item = Verdict> {
    let all = [listing(scene), denied(scene), silent(scene), throttled(scene.snapshot)];
    all.into_iter().flatten().map(|(subject, finding)| scene.said_of(subject, finding, None))
}

/// The queues can't be listed: why, what to do, and how old what is shown is.
fn listing(scene: &Scene<'_>) -> Option<(Subject, Finding)> {
    let Scene { environment, snapshot, now, .. } = *scene;
    let error = snapshot.listing.error.as_ref()?;
    let CloudError { kind, message, .. } = error;
    let hint = error.hint(environment);
    let seen = match snapshot.listing.at {
        Some(at) => format!("; what is shown is {} old", span(now.duration_since(at))),
        None => String::new(),
    };
    let is_of_credentials = error.trouble.as_ref().is_some_and(|trouble| !trouble.is_of_endpoint());
    let (kind, words) = match kind {
        _ if is_of_credentials => (Kind::Credentials, format!("{message}: {hint}")),
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
    Some((subject, Finding(kind, severity, format!("{words}{seen}"))))
}

/// Queues that may not be looked at: one verdict for all of them.
fn denied(scene: &Scene<'_>) -> Option<(Subject, Finding)> {
    let Scene { environment, snapshot, .. } = *scene;
    let (first, names, count) = failing(snapshot, |kind| kind == ErrorKind::Denied)?;
    let error = first.error.as_ref()?;
    if count == 1 {
        let reason = format!("it may not be looked at: {}", error.hint(environment));
        return Some((Subject::Queue(first.name.clone()), Finding(Kind::Denied, Severity::Notice, reason)));
    }
    let (all, action) = (thousands(snapshot.queues.len() as u64), &error.action);
    let reason = format!("{} of {all} queues may not be looked at ({action} is denied): {names}", thousands(count));
    Some((Subject::Queues, Finding(Kind::Denied, Severity::Notice, reason)))
}

/// Queues that do not answer although the environment does.
fn silent(scene: &Scene<'_>) -> Option<(Subject, Finding)> {
    let snapshot = scene.snapshot;
    // Deleted queues go with the next listing; the rest is said elsewhere.
    let is_meant = |kind| matches!(kind, ErrorKind::Unknown | ErrorKind::Unreachable | ErrorKind::Invalid);
    let (first, names, count) = failing(snapshot, is_meant).filter(|_| snapshot.listing.error.is_none())?;
    if count == 1 {
        let reason = format!("it does not answer: {}", first.error.as_ref()?.message);
        return Some((Subject::Queue(first.name.clone()), Finding(Kind::Unreachable, Severity::Notice, reason)));
    }
    let all = thousands(snapshot.queues.len() as u64);
    let reason = format!("{} of {all} queues do not answer: {names}", thousands(count));
    Some((Subject::Queues, Finding(Kind::Unreachable, Severity::Notice, reason)))
}

/// The first queue whose last question failed so, the first few by name, and how many there are.
fn failing(snapshot: &Snapshot, is_meant: impl Fn(ErrorKind) -> bool) -> Option<(&Seen, String, u64)> {
    let is_failing = |seen: &&Arc<Seen>| seen.error.as_ref().is_some_and(|error| is_meant(error.kind));
    let failing: Vec<&Arc<Seen>> = snapshot.queues.iter().filter(is_failing).collect();
    let names = some_of(failing.iter().map(|seen| seen.name.as_str()), NAMED);
    Some((failing.first()?, names, failing.len() as u64))
}

fn throttled(snapshot: &Snapshot) -> Option<(Subject, Finding)> {
    let throttled = snapshot.spend.throttled;
    if throttled == 0 || snapshot.listing.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Throttled) {
        return None;
    }
    let calls = if throttled == 1 { "call" } else { "calls" };
    let reason =
        format!("AWS throttled {} {calls} in the last minute: figures come more slowly", thousands(throttled.into()));
    Some((Subject::Queues, Finding(Kind::Throttled, Severity::Notice, reason)))
}
