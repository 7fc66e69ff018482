//! [`Shown`]: a run of a runbook, as far as it is known.

use jiff::Timestamp;

use crate::{
    domain::{EnvironmentName, RunId},
    journal::{End, HeldBack},
    runbook::{Runbook, StepState, drive::StepReport},
    state::{Driven, Model, RunbookRunView, run::Subject},
};

/// A run as it is shown, whether it is carried out here or its journal tells of it.
pub(super) struct Shown<'a> {
    pub(super) runbook: &'a Runbook,
    pub(super) environment: &'a EnvironmentName,
    pub(super) run: Option<&'a RunId>,
    pub(super) begun_at: Timestamp,
    pub(super) steps: &'a [StepReport],
    /// The step that is at work, from 0.
    pub(super) index: usize,
    /// The earlier run that it goes on from.
    pub(super) continues: Option<&'a RunId>,
    /// What it holds back, once it has ended or was left.
    pub(super) held: &'a [HeldBack],
}

pub(super) fn shown<'a>(model: &'a Model, view: &'a RunbookRunView) -> Option<Shown<'a>> {
    if let Some(driven) = driven(model, view) {
        let Driven { runbook, environment, run, begun_at, steps, index, .. } = driven;
        let (run, begun_at, index) = (run.as_ref(), *begun_at, *index);
        let report = driven.end.as_ref().and_then(|end| end.as_ref().ok());
        let continues = report.and_then(|report| report.continues.as_ref());
        let held = report.map_or(&[][..], |report| &report.held);
        return Some(Shown { runbook, environment, run, begun_at, steps, index, continues, held });
    }
    let stood = view.stood.shown()?;
    let index = first_open(&stood.steps);
    let (runbook, environment, steps) = (&stood.runbook, &stood.environment, &stood.steps);
    let (run, begun_at, continues, held) = (Some(&stood.run), stood.begun_at, stood.continues.as_ref(), &stood.held);
    Some(Shown { runbook, environment, run, begun_at, steps, index, continues, held })
}

pub(super) fn driven<'a>(model: &'a Model, view: &RunbookRunView) -> Option<&'a Driven> {
    match &view.subject {
        Subject::Driven(ticket) => model.driven(*ticket),
        Subject::Here(_) | Subject::Past(_) => None,
    }
}

/// How it ended; none: it is open, or nothing is known of it.
pub(super) fn end(model: &Model, view: &RunbookRunView) -> Option<End> {
    match driven(model, view) {
        Some(driven) => driven.end.as_ref()?.as_ref().ok()?.end,
        None => view.stood.shown()?.end,
    }
}

/// The first step that is not over; the last one where all are.
pub(super) fn first_open(steps: &[StepReport]) -> usize {
    let is_open = |step: &StepReport| matches!(step.state, StepState::Waiting | StepState::Running | StepState::Failed);
    steps.iter().position(is_open).unwrap_or(steps.len().saturating_sub(1))
}
