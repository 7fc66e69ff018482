//! What is known of the run that a view shows.

use crate::{
    domain::EnvironmentName,
    journal::RunSummary,
    state::{
        effect::Effect,
        model::Model,
        run::{Known, Past, RunState, RunView, Subject},
    },
};

pub(crate) fn state<'a>(model: &'a Model, view: &RunView) -> Option<&'a RunState> {
    match &view.subject {
        Subject::Here(ticket) => model.runs.iter().find(|run| run.ticket == *ticket),
        Subject::Past(_) => None,
    }
}

/// What journals tell of the run.
pub(crate) fn summary<'a>(model: &'a Model, view: &RunView) -> Option<&'a RunSummary> {
    past(model, view).map(|past| &past.summary)
}

fn past<'a>(model: &'a Model, view: &RunView) -> Option<&'a Past> {
    match &view.subject {
        Subject::Here(_) => None,
        Subject::Past(id) => model.history.shown()?.iter().find(|past| past.summary.run == *id),
    }
}

pub(crate) fn known(model: &Model, view: &RunView) -> Option<Known> {
    state(model, view).map(Known::here).or_else(|| past(model, view).map(|past| past.known.clone()))
}

/// Where the run acts, as far as it is known here.
pub(crate) fn environment(model: &Model, view: &RunView) -> Option<EnvironmentName> {
    match &view.subject {
        Subject::Here(_) => state(model, view).map(|run| run.plan.environment.clone()),
        Subject::Past(_) => {
            let name = summary(model, view)?.plan_text("/environment")?;
            Some(EnvironmentName(name.to_owned()))
        }
    }
}

/// Asks for the journal of this run, where its journal is shown.
pub(super) fn read_journal(view: &mut RunView, model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    if !view.shows_journal {
        return Vec::new();
    }
    let run = match &view.subject {
        Subject::Past(run) => Some(run.clone()),
        Subject::Here(_) => state(model, view).and_then(|run| run.run().cloned()),
    };
    let Some(run) = run else { return Vec::new() };
    view.journal.ask(ticket);
    view.worded = None;
    model.settle();
    vec![Effect::ReadJournal(ticket, run)]
}
