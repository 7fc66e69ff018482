//! Runbooks: the list of them and of their open runs, one as it is read, a run with its steps.

pub mod agree;
pub mod answer;
pub mod begin;
mod begin_draw;
mod decide;
mod list;
mod read;
pub mod run;
mod run_draw;
mod run_page;
mod shown;
pub mod words;

use std::{collections::HashSet, sync::Arc};

use crate::{
    domain::RunId,
    runbook::{Runbook, StepState, shelf::Shelved},
    state::{Driven, Look, Model, Role},
};

/// Runs of runbooks of this console, newest first; what was gone on with stands once.
pub(crate) fn latest_driven(model: &Model) -> impl Iterator<Item = &Driven> {
    let mut known: HashSet<&RunId> = HashSet::new();
    model.driven.iter().rev().filter(move |driven| driven.run.as_ref().is_none_or(|run| known.insert(run)))
}

/// The runbook of this name, where it can be carried out.
pub(crate) fn named(model: &Model, name: &str) -> Option<Arc<Runbook>> {
    let shelved = model.shelved().iter().find(|shelved| shelved.name == name)?;
    shelved.runbook().cloned().map(Arc::new)
}

pub(crate) fn shelved<'a>(model: &'a Model, name: &str) -> Option<&'a Shelved> {
    model.shelved().iter().find(|shelved| shelved.name == name)
}

/// How a step stands: a sign, and what it means. The words stand beside it.
fn sign(state: StepState, look: Look) -> (&'static str, Role) {
    match state {
        StepState::Waiting => (look.sign("·", "."), Role::Dim),
        StepState::Running => (look.sign("▶", ">"), Role::Accent),
        StepState::Verified | StepState::ByHand => (look.sign("✓", "+"), Role::Good),
        StepState::Failed => (look.sign("✗", "x"), Role::Critical),
        StepState::Skipped => (look.sign("▲", "!"), Role::Warning),
        StepState::NotNeeded | StepState::NothingToDo => (look.sign("–", "-"), Role::Text),
    }
}
