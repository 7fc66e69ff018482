//! One look at one environment, as long as it may take.

use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    cli::{
        error::CliError,
        world::{Chosen, Place},
    },
    cloud::{CloudError, ErrorKind},
    domain::{Environment, Text, Try, words::counted_is},
    journal::StateFolder,
    observe::{
        Look, Once, Scope, Snapshot, Verdict, Wanted, cache, once,
        verdict::{self, verdicts},
    },
};

/// How long an environment has for the rest, once everything in it was given up.
const GRACE: Duration = Duration::from_millis(500);

/// What is known of an environment that could be looked at.
pub(super) struct Looked {
    pub(super) environment: Arc<Environment>,
    pub(super) at: Timestamp,
    pub(super) snapshot: Arc<Snapshot>,
    /// Worst first.
    pub(super) verdicts: Vec<Verdict>,
    /// What of it could not be looked at, and why. What is denied is a verdict, and not among it.
    pub(super) missing: Vec<Text>,
    /// As CloudWatch bills them; none: a watch counts them.
    pub(super) metrics_asked: Option<u64>,
}

impl Looked {
    pub(super) fn of(environment: Arc<Environment>, snapshot: Arc<Snapshot>, now: Timestamp) -> Self {
        let verdicts = verdicts(&environment, &environment.watch.thresholds, &snapshot, now);
        let missing = missing(&snapshot);
        Self { environment, at: now, snapshot, verdicts, missing, metrics_asked: None }
    }
}

/// # Errors
/// It can't be reached within `timeout`, the credentials are another account's, or nothing of it could be seen.
pub(super) async fn look(
    place: &Place,
    chosen: &Chosen,
    timeout: Duration,
    (folder, runs): (Option<&Path>, Option<&StateFolder>),
) -> Result<Looked, CliError> {
    let (clock, environment) = (chosen.connect.clock, place.environment());
    let begun = clock.now();
    let late = || {
        let what = format!("{}: no answer came within {} s", environment.name, timeout.as_secs());
        let doctor = environment.command("doctor");
        CliError::failed(
            &what,
            Try::GiveOther.says(format!("find out what hangs with `{doctor}`, or wait longer with --timeout")),
        )
    };
    let site = tokio::time::timeout(clock.real(timeout), place.site(&chosen.connect)).await.map_err(|_| late())?;
    let passed = Duration::try_from(clock.now().duration_since(begun)).unwrap_or_default();
    let left = timeout.saturating_sub(passed);
    let environment = Arc::clone(&site.environment);
    let earlier = match folder {
        Some(folder) => cache::load(folder, &environment, begun),
        None => None,
    };
    let wanted = Wanted {
        queues: Some(Scope::Configured),
        looks: &Look::ALL,
        is_bounded: true,
        deadline: Some(left),
        earlier: earlier.as_ref(),
        runs,
        ..Wanted::default()
    };
    let read = site.read(|cloud| async { Ok(once(cloud, &wanted).await) });
    let Once { snapshot, metrics_asked, ages_asked, .. } =
        tokio::time::timeout(clock.real(left) + GRACE, read).await.map_err(|_| late())??;
    if let Some(error) = nothing_seen(&snapshot, begun) {
        return Err(CliError::cloud(error, &environment));
    }
    if let (Some(folder), Some(at), None) = (folder, snapshot.listing.at, &snapshot.listing.error)
        && let Err(error) = cache::store(folder, &environment, at, &snapshot.queues)
    {
        tracing::debug!(%error, "what was seen is not kept");
    }
    let metrics_asked = Some(metrics_asked + ages_asked);
    Ok(Looked { metrics_asked, ..Looked::of(environment, Arc::new(snapshot), clock.now()) })
}

/// Why nothing of an environment was seen since `begun`; none: something was.
pub(super) fn nothing_seen(snapshot: &Snapshot, begun: Timestamp) -> Option<&CloudError> {
    let has_come = snapshot.estate.known().any(|(_, part)| part.at.is_some_and(|at| at >= begun));
    snapshot.listing.error.as_ref().filter(|_| !has_come)
}

fn missing(snapshot: &Snapshot) -> Vec<Text> {
    let mut missing = Vec::new();
    let mut note = |what: &str, error: Option<&CloudError>| {
        if let Some(error) = error.filter(|error| error.kind != ErrorKind::Denied) {
            missing.push(Text::line(&format!("{what}: {error}")));
        }
    };
    note("queues", snapshot.listing.error.as_ref());
    note("ages of oldest messages", snapshot.metrics_error.as_ref());
    for (name, part) in snapshot.estate.known() {
        note(name.words(), part.error);
        for lack in part.lacks.iter().filter(|lack| lack.hides_rows) {
            note(lack.what.as_str(), lack.error.as_ref());
        }
    }
    // A queue that is gone is no longer there to be looked at.
    let is_meant = |error: &&CloudError| !matches!(error.kind, ErrorKind::Denied | ErrorKind::NotFound);
    let mut silent = snapshot.queues.iter().filter_map(|seen| seen.error.as_ref()).filter(is_meant).peekable();
    if let Some(first) = silent.peek().copied() {
        let words = counted_is(silent.count() as u64, "queue", "does not answer", "do not answer");
        missing.push(Text::line(&format!("{words}: {first}")));
    }
    missing
}

/// Verdicts of several environments, the worst first.
pub(super) fn worst_first<'a>(all: impl Iterator<Item = (&'a Looked, &'a Verdict)>) -> Vec<(&'a Looked, &'a Verdict)> {
    let mut all: Vec<_> = all.collect();
    all.sort_by(|(_, left), (_, right)| verdict::order(left, right));
    all
}
