//! Verdicts on what of an environment can't be seen beside its queues: all that is denied together, the rest part by part.

use jiff::Timestamp;

use super::{Finding, Kind, SAMPLE_OLD, Severity, Subject, Verdict, said_of};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::Environment,
    observe::{
        estate::{Estate, Lack, Part},
        focus::PartName,
        snapshot::Snapshot,
        words::span,
    },
};

pub(super) fn verdicts(environment: &Environment, snapshot: &Snapshot, now: Timestamp) -> Vec<Verdict> {
    let mut all = Vec::new();
    let mut denied = Denied::default();
    for (name, error, at) in failed(&snapshot.estate) {
        all.extend(of_part(environment, snapshot, &mut denied, Shown { what: name.words(), at, now }, error));
    }
    for lack in lacks(&snapshot.estate) {
        all.extend(of_lack(environment, snapshot, &mut denied, lack, now));
    }
    let Denied { what, actions } = denied;
    if !what.is_empty() {
        let (denied, actions) = (what.join(", "), actions.join(", "));
        let reason =
            format!("{denied} may not be looked at: allow {actions} for the credentials of {}", environment.name);
        all.push(Finding(Kind::Denied, Severity::Notice, reason));
    }
    all.into_iter().map(|finding| said_of(environment, Subject::Environment, finding)).collect()
}

/// All that is denied, and what to allow.
#[derive(Default)]
struct Denied<'a> {
    what: Vec<&'a str>,
    actions: Vec<&'a str>,
}

impl<'a> Denied<'a> {
    fn note(&mut self, what: &'a str, action: &'a str) {
        self.what.push(what);
        if !self.actions.contains(&action) {
            self.actions.push(action);
        }
    }
}

/// What is shown of something that can't be seen.
struct Shown<'a> {
    what: &'a str,
    /// When it was seen; none: nothing is shown.
    at: Option<Timestamp>,
    now: Timestamp,
}

fn of_part<'a>(
    environment: &Environment,
    snapshot: &Snapshot,
    denied: &mut Denied<'a>,
    shown: Shown<'a>,
    error: &'a CloudError,
) -> Option<Finding> {
    let Shown { what, at, now } = shown;
    let seen = at.map(|at| format!("; what is shown is {} old", span(now.duration_since(at)))).unwrap_or_default();
    if is_told_by_listing(snapshot, error) {
        return None;
    }
    Some(match error.kind {
        ErrorKind::Denied => {
            denied.note(what, &error.action);
            return None;
        }
        ErrorKind::Throttled => {
            let reason = format!("AWS throttles looks at {what}: they come more slowly{seen}");
            Finding(Kind::Throttled, Severity::Notice, reason)
        }
        ErrorKind::CredentialsExpired | ErrorKind::CredentialsMissing | ErrorKind::ClockSkew => {
            let reason = format!("{what} can't be seen: {}{seen}", error.hint(environment));
            Finding(Kind::Credentials, Severity::Warning, reason)
        }
        ErrorKind::NotFound | ErrorKind::Unreachable | ErrorKind::Unknown | ErrorKind::Invalid => {
            let reason = format!("{what} can't be seen: {error}{seen}");
            Finding(Kind::Unreachable, Severity::Notice, reason)
        }
    })
}

/// Rows that are missing are told at once, as a part is. Figures that come late are told when what is shown says nothing about now.
fn of_lack<'a>(
    environment: &Environment,
    snapshot: &Snapshot,
    denied: &mut Denied<'a>,
    lack: &'a Lack,
    now: Timestamp,
) -> Option<Finding> {
    let Lack { what, words, since, error, hides_rows } = lack;
    if let Some(error) = error
        && (*hides_rows || error.kind == ErrorKind::Denied)
    {
        let at = snapshot.estate.services.rows.iter().filter_map(|row| row.seen_at).min();
        let shown = Shown { what: what.as_str(), at: at.filter(|_| *hides_rows), now };
        return of_part(environment, snapshot, denied, shown, error);
    }
    let lasts = now.duration_since(*since);
    if lasts < SAMPLE_OLD || error.as_ref().is_some_and(|error| is_told_by_listing(snapshot, error)) {
        return None;
    }
    let is_slowed = error.as_ref().is_none_or(|error| error.kind == ErrorKind::Throttled);
    let kind = if is_slowed { Kind::Throttled } else { Kind::Unreachable };
    Some(Finding(kind, Severity::Notice, format!("{words}; so since {}", span(lasts))))
}

/// Whether the listing of the queues failed for the same reason, and says so: what all parts have in common is told once.
fn is_told_by_listing(snapshot: &Snapshot, error: &CloudError) -> bool {
    let Some(listing) = &snapshot.listing.error else { return false };
    match error.kind {
        ErrorKind::CredentialsExpired | ErrorKind::CredentialsMissing => {
            matches!(listing.kind, ErrorKind::CredentialsExpired | ErrorKind::CredentialsMissing)
        }
        ErrorKind::ClockSkew | ErrorKind::Unreachable => listing.kind == error.kind,
        ErrorKind::Denied | ErrorKind::Throttled | ErrorKind::NotFound | ErrorKind::Unknown | ErrorKind::Invalid => {
            false
        }
    }
}

fn lacks(estate: &Estate) -> impl Iterator<Item = &Lack> {
    let Estate { services, databases, alarms, mappings, lags } = estate;
    [&services.lacks, &databases.lacks, &alarms.lacks, &mappings.lacks, &lags.lacks].into_iter().flatten()
}

type Failed<'a> = (PartName, &'a CloudError, Option<Timestamp>);

fn failed(estate: &Estate) -> Vec<Failed<'_>> {
    fn of<T>(name: PartName, part: &Part<T>) -> Option<Failed<'_>> {
        part.error.as_ref().map(|error| (name, error, part.at))
    }
    let Estate { services, databases, alarms, mappings, lags } = estate;
    let each = [
        of(PartName::Services, services),
        of(PartName::Databases, databases),
        of(PartName::Alarms, alarms),
        of(PartName::Mappings, mappings),
        of(PartName::Lags, lags),
    ];
    each.into_iter().flatten().collect()
}
