//! One consent is one run. A plan that stands in a file, or a fingerprint that was given by `--approve`, is used up by the run that
//! it led to, as the journals have it; a run that was refused before it did anything uses up nothing.

use std::time::Duration;

use super::{Context, End};
use crate::{
    domain::Environment,
    gate::{Answer, Approved, Once, Refusal},
    journal::{Consented, Held, JournalError, Lines, Record, RunSummary, StateFolder},
    operations::plan::Plan,
};

/// What is held while a run is opened: of two that begin at once with the same plan the second must find the first.
const LOCK: &str = "plans";
/// Looks for the lock; it is held for as long as a journal's first line takes.
const LOOKS_MAX: u32 = 500;
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(super) enum NotOpened {
    Used(Refusal),
    Journal(JournalError),
}

/// The earlier run that has used this consent, as the refusal that names it; none: it is unused. A resume is asked about all runs
/// but its own.
pub fn used(
    state: &StateFolder,
    plan: &Plan,
    answer: &Answer,
    resumed: Option<&str>,
    environment: &Environment,
) -> Result<Option<Refusal>, JournalError> {
    let by_fingerprint = matches!(answer, Answer::Fingerprint(_)) && plan.id == plan.fingerprint.0;
    let is_same = |run: &RunSummary| {
        let fingerprint = run.plan_text("/fingerprint") == Some(plan.fingerprint.0.as_str());
        let how = matches!(&run.opened.record, Record::Opened { how: Consented::Fingerprint, .. });
        fingerprint && (run.plan_text("/id") == Some(plan.id.as_str()) || by_fingerprint && how)
    };
    let runs = state.list()?;
    let earlier = runs.iter().filter(|run| resumed != Some(run.run.as_str()) && is_same(run));
    let used = earlier.into_iter().find(|run| has_begun(state, run));
    let consent = if plan.id == plan.fingerprint.0 { Once::Fingerprint } else { Once::Plan };
    let resume = |run: &RunSummary| environment.command(&format!("{} --resume {}", plan.operation.name(), run.run));
    Ok(used.map(|run| Refusal::Used { consent, run: run.run.clone(), resume: resume(run) }))
}

/// Whether a run has done anything, or can still be gone on with.
fn has_begun(state: &StateFolder, run: &RunSummary) -> bool {
    match run.end() {
        Some(End::Refused | End::Stale | End::Failed) => acted(state, run),
        Some(_) | None => true,
    }
}

/// Whether a journal says more than that the run was opened, verified and ended. One that can't be read may say so.
fn acted(state: &StateFolder, run: &RunSummary) -> bool {
    let lines = state.open(&run.run).and_then(|folder| Lines::open(&folder.journal()));
    let Ok(mut lines) = lines else { return true };
    lines.any(|line| {
        let idle = |record: &Record| {
            matches!(
                record,
                Record::Opened { .. } | Record::Resumed { .. } | Record::Verified { .. } | Record::Ended { .. }
            )
        };
        line.map_or(true, |line| !idle(&line.entry.record))
    })
}

/// Looks whether the consent is unused, and keeps everybody else from using it until the answer is dropped: by then the run's
/// journal must name the plan.
pub(super) async fn claim(approved: &Approved, resumed: Option<&str>, context: &Context) -> Result<Held, NotOpened> {
    let held = hold(context).await.map_err(NotOpened::Journal)?;
    if approved.is_again() {
        return Ok(held);
    }
    let answer = &approved.consent().answer;
    let used = used(&context.state, approved.plan(), answer, resumed, context.environment());
    match used.map_err(NotOpened::Journal)? {
        Some(refusal) => Err(NotOpened::Used(refusal)),
        None => Ok(held),
    }
}

async fn hold(context: &Context) -> Result<Held, JournalError> {
    for _ in 0..LOOKS_MAX {
        if let Some(held) = context.state.hold(LOCK)? {
            return Ok(held);
        }
        context.cloud.clock().sleep(LOOK_EVERY).await;
    }
    Err(JournalError::Busy { run: "of another process".to_owned() })
}
