//! Verdicts on what of an environment can't be seen beside its queues: all that is denied together, the rest part by part.

use jiff::Timestamp;

use super::{Finding, Kind, Severity, Subject, Verdict, said_of};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::Environment,
    observe::{
        estate::{Estate, Part},
        focus::PartName,
        snapshot::Snapshot,
        words::span,
    },
};

pub(super) fn verdicts(environment: &Environment, snapshot: &Snapshot, now: Timestamp) -> Vec<Verdict> {
    let failed = failed(&snapshot.estate);
    let mut all = Vec::new();
    let (mut denied, mut actions): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for (name, error, at) in failed {
        let what = name.words();
        let seen = at.map(|at| format!("; what is shown is {} old", span(now.duration_since(at)))).unwrap_or_default();
        match error.kind {
            ErrorKind::Denied => {
                denied.push(what);
                actions.push(&error.action);
            }
            ErrorKind::Throttled => {
                let reason = format!("AWS throttles looks at {what}: they come more slowly{seen}");
                all.push(Finding(Kind::Throttled, Severity::Notice, reason));
            }
            // The listing of the queues says what all have in common.
            _ if snapshot.listing.error.is_some() => {}
            ErrorKind::CredentialsExpired | ErrorKind::CredentialsMissing | ErrorKind::ClockSkew => {
                let reason = format!("{what} can't be seen: {}{seen}", error.hint(environment));
                all.push(Finding(Kind::Credentials, Severity::Warning, reason));
            }
            ErrorKind::NotFound | ErrorKind::Unreachable | ErrorKind::Unknown | ErrorKind::Invalid => {
                let reason = format!("{what} can't be seen: {error}{seen}");
                all.push(Finding(Kind::Unreachable, Severity::Notice, reason));
            }
        }
    }
    if !denied.is_empty() {
        let (denied, actions) = (denied.join(", "), actions.join(", "));
        let reason =
            format!("{denied} may not be looked at: allow {actions} for the credentials of {}", environment.name);
        all.push(Finding(Kind::Denied, Severity::Notice, reason));
    }
    all.into_iter().map(|finding| said_of(environment, Subject::Environment, finding)).collect()
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
