//! Verdicts on what of an environment can't be seen beside its queues: all that is denied together, the rest part by part.

use jiff::Timestamp;

use super::{Finding, Kind, SAMPLE_OLD, Scene, Severity, Subject, Verdict};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::words::span,
    observe::{
        estate::{Known, Lack},
        parts::PartName,
        snapshot::Snapshot,
    },
};

pub(super) fn verdicts(scene: &Scene<'_>) -> Vec<Verdict> {
    let mut all = Vec::new();
    let mut denied = Denied::default();
    for (name, Known { error, at, .. }) in scene.snapshot.estate.known() {
        let shown = Shown { part: name, what: name.words(), at };
        let finding = error.and_then(|error| of_part(scene, &mut denied, shown, error));
        all.extend(finding.map(|finding| (vec![name], finding)));
    }
    for (name, part) in scene.snapshot.estate.known() {
        for lack in part.lacks {
            let finding = of_lack(scene, &mut denied, name, lack);
            all.extend(finding.map(|finding| (vec![name], finding)));
        }
    }
    let Denied { mut parts, what, actions } = denied;
    if !what.is_empty() {
        parts.sort();
        parts.dedup();
        let (denied, actions) = (what.join(", "), actions.join(", "));
        let name = &scene.environment.name;
        let reason = format!("{denied} may not be looked at: allow {actions} for the credentials of {name}");
        all.push((parts, Finding(Kind::Denied, Severity::Notice, reason)));
    }
    all.into_iter().map(|(parts, finding)| scene.said_of(Subject::Parts(parts), finding, None)).collect()
}

#[derive(Default)]
struct Denied<'a> {
    parts: Vec<PartName>,
    what: Vec<&'a str>,
    actions: Vec<&'a str>,
}

impl<'a> Denied<'a> {
    fn note(&mut self, part: PartName, what: &'a str, action: &'a str) {
        self.parts.push(part);
        self.what.push(what);
        if !self.actions.contains(&action) {
            self.actions.push(action);
        }
    }
}

/// What is shown of something that can't be seen.
struct Shown<'a> {
    part: PartName,
    what: &'a str,
    /// When it was seen; none: nothing is shown.
    at: Option<Timestamp>,
}

fn of_part<'a>(scene: &Scene<'_>, denied: &mut Denied<'a>, shown: Shown<'a>, error: &'a CloudError) -> Option<Finding> {
    let Shown { part, what, at } = shown;
    let seen =
        at.map(|at| format!("; what is shown is {} old", span(scene.now.duration_since(at)))).unwrap_or_default();
    if is_told_by_listing(scene.snapshot, error) {
        return None;
    }
    Some(match error.kind {
        ErrorKind::Denied => {
            denied.note(part, what, &error.action);
            return None;
        }
        ErrorKind::Throttled => {
            let reason = format!("AWS throttles looks at {what}: they come more slowly{seen}");
            Finding(Kind::Throttled, Severity::Notice, reason)
        }
        ErrorKind::CredentialsExpired | ErrorKind::CredentialsMissing | ErrorKind::ClockSkew => {
            let reason = format!("{what} can't be seen: {}{seen}", error.hint(scene.environment));
            Finding(Kind::Credentials, Severity::Warning, reason)
        }
        ErrorKind::NotFound | ErrorKind::Unreachable | ErrorKind::Unknown | ErrorKind::Invalid => {
            let reason = format!("{what} can't be seen: {error}{seen}");
            Finding(Kind::Unreachable, Severity::Notice, reason)
        }
    })
}

/// Rows that are missing are told at once, as a part is. Figures that come late are told when what is shown says nothing about now.
fn of_lack<'a>(scene: &Scene<'_>, denied: &mut Denied<'a>, part: PartName, lack: &'a Lack) -> Option<Finding> {
    let Lack { what, words, since, error, hides_rows, look: _ } = lack;
    if let Some(error) = error
        && (*hides_rows || error.kind == ErrorKind::Denied)
    {
        let at = scene.snapshot.estate.services.rows.iter().filter_map(|row| row.seen_at).min();
        let shown = Shown { part, what: what.as_str(), at: at.filter(|_| *hides_rows) };
        return of_part(scene, denied, shown, error);
    }
    let lasts = scene.now.duration_since(*since);
    if lasts < SAMPLE_OLD || error.as_ref().is_some_and(|error| is_told_by_listing(scene.snapshot, error)) {
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
        ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Throttled => false,
        ErrorKind::Invalid | ErrorKind::Unknown => false,
    }
}
