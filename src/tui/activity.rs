//! Activity: what is being done, and what journals tell of.

use ratatui::{Frame, layout::Rect};

use super::{
    able::Able,
    effect::Effect,
    event::Mouse,
    list::Cursor,
    model::{Model, View},
    ticket::Ticket,
};
use crate::{journal::RunSummary, keymap::Command, run::Failure};

/// The activity view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActivityView {
    /// Where one is.
    pub cursor: Cursor,
}

/// Opens it, and reads the journals.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let mut effects = super::update::go(model, View::Activity(ActivityView::default()));
    effects.extend(ask(model));
    effects
}
/// Reads the journals again.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    model.history.ask(ticket);
    vec![Effect::ReadRuns(ticket)]
}
pub(super) fn runs(model: &mut Model, ticket: Ticket, answer: Result<Vec<RunSummary>, Failure>) -> Vec<Effect> {
    model.history.answer(ticket, answer);
    Vec::new()
}
pub(super) fn able(_model: &Model, _view: &ActivityView, _command: Command) -> Able {
    Able::NotHere
}
pub(super) fn command(_model: &mut Model, _command: Command) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn mouse(_model: &mut Model, _mouse: Mouse) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn draw(_model: &Model, _view: &ActivityView, _frame: &mut Frame<'_>, _area: Rect) {}
