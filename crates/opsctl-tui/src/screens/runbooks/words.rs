//! What runs of runbooks wait for, in words.

use crate::{
    journal::{Record, RunSummary},
    state::{
        Driven,
        runbook::{Asked, Question},
    },
};

/// What a question waits for, in words that follow "waits for".
pub(crate) fn waits_for(driven: &Driven, asked: &Asked) -> String {
    let step = driven.runbook.steps.get(asked.index).map(|step| step.name.to_string()).unwrap_or_default();
    match &asked.question {
        Question::Agree { plan, .. } => format!("approval of `{}`", plan.summary),
        Question::Answer(_) => format!("an answer to `{step}`"),
        Question::Hand => format!("someone to do `{step}`"),
        Question::Decide { .. } => format!("a decision on `{step}`"),
    }
}

/// A run that its journal has as open.
pub(crate) fn open_words(summary: &RunSummary) -> String {
    match (&summary.last.record, summary.busy) {
        (_, true) => "running in another process".to_owned(),
        (Record::RunbookLeft { waits_for, .. }, false) => format!("left open, waits for {waits_for}"),
        (_, false) => "interrupted".to_owned(),
    }
}
