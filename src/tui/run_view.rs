//! One run: its progress, then its report; its journal.

use jiff::Timestamp;
use ratatui::{Frame, layout::Rect};

use super::{
    able::Able,
    effect::Effect,
    event::Mouse,
    list::Cursor,
    model::Model,
    ticket::{Load, Ticket},
};
use crate::{
    domain::{EnvironmentName, RunId},
    journal::Entry,
    keymap::Command,
    plan::Plan,
    run::{Failure, Progress, Report},
};

/// A run of this console.
#[derive(Debug, Clone)]
pub struct RunState {
    /// The ticket that its events carry.
    pub ticket: Ticket,
    /// The plan that was approved.
    pub plan: Box<Plan>,
    /// When it was started.
    pub started_at: Timestamp,
    /// How far it is.
    pub progress: Option<Progress>,
    /// How it ended.
    pub end: Option<Result<Box<Report>, Failure>>,
    /// Whether it was asked to stop.
    pub cancelled: bool,
}

impl RunState {
    /// Whether it is still going on.
    pub fn is_active(&self) -> bool {
        self.end.is_none()
    }
}

/// Which run is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One of this console.
    Here(Ticket),
    /// One that only its journal tells of.
    Past(RunId),
}

/// The view of one run.
#[derive(Debug, Clone)]
pub struct RunView {
    /// Which.
    pub subject: Subject,
    /// Its journal, where it is shown.
    pub journal: Load<Vec<Entry>>,
    /// First line shown.
    pub scroll: Cursor,
}

/// Where the run acts, as far as it is known here.
pub(super) fn environment(model: &Model, view: &RunView) -> Option<EnvironmentName> {
    match &view.subject {
        Subject::Here(ticket) => {
            let run = model.runs.iter().find(|run| run.ticket == *ticket)?;
            Some(run.plan.environment.clone())
        }
        Subject::Past(_) => None,
    }
}

pub(super) fn progress(model: &mut Model, ticket: Ticket, progress: Progress) -> Vec<Effect> {
    if let Some(run) = model.runs.iter_mut().find(|run| run.ticket == ticket) {
        run.progress = Some(progress);
    }
    Vec::new()
}
pub(super) fn finished(model: &mut Model, ticket: Ticket, end: Result<Box<Report>, Failure>) -> Vec<Effect> {
    if let Some(run) = model.runs.iter_mut().find(|run| run.ticket == ticket) {
        run.end = Some(end);
    }
    if model.leaving && !model.runs.iter().any(RunState::is_active) {
        return vec![Effect::Quit];
    }
    Vec::new()
}
pub(super) fn journal_read(_model: &mut Model, _ticket: Ticket, _answer: Result<Vec<Entry>, Failure>) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn able(_model: &Model, _view: &RunView, _command: Command) -> Able {
    Able::NotHere
}
pub(super) fn command(_model: &mut Model, _command: Command) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn mouse(_model: &mut Model, _mouse: Mouse) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn draw(_model: &Model, _view: &RunView, _frame: &mut Frame<'_>, _area: Rect) {}
