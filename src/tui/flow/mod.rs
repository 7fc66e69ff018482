//! An operation on its way from a key to consent: planned, shown, perhaps changed, agreed to.

use ratatui::{Frame, layout::Rect};

use super::{
    effect::Effect,
    field::Field,
    model::Model,
    ticket::{Load, Ticket},
};
use crate::{domain::EnvironmentName, keymap::Key, operations::Operation, plan::Plan, run::Failure};

/// An operation on its way to consent.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Where.
    pub environment: EnvironmentName,
    /// What is wanted.
    pub operation: Operation,
    /// The plan.
    pub plan: Load<Plan>,
}

impl Flow {
    /// The line that is typed in, if one is.
    pub(super) fn field(&mut self) -> Option<&mut Field> {
        None
    }
}

/// Begins: plans the operation.
pub(super) fn begin(_model: &mut Model, _environment: &EnvironmentName, _operation: Operation) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn planned(_model: &mut Model, _ticket: Ticket, _answer: Result<Box<Plan>, Failure>) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn key(model: &mut Model, _key: &Key) -> Vec<Effect> {
    model.overlay = None;
    Vec::new()
}
pub(super) fn draw(_model: &Model, _flow: &Flow, _frame: &mut Frame<'_>, _area: Rect) {}
