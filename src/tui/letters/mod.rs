//! A queue's dead letters: failure groups first, then messages.

use ratatui::{Frame, layout::Rect};

use super::{
    able::Able,
    effect::Effect,
    event::{Letters, Mouse},
    field::Field,
    list::Cursor,
    model::Model,
    ticket::{Load, Ticket},
};
use crate::{
    domain::{EnvironmentName, QueueName},
    keymap::{Command, Key},
    run::Failure,
};

/// The view of a queue's dead letters.
#[derive(Debug, Clone)]
pub struct LettersView {
    /// Where.
    pub environment: EnvironmentName,
    /// Queue.
    pub queue: QueueName,
    /// What a look brought.
    pub letters: Load<Letters>,
    /// Where one is.
    pub cursor: Cursor,
    /// The filter being typed.
    pub typing: Option<Field>,
}

/// Opens it, and looks.
pub(super) fn open(_model: &mut Model, _environment: &EnvironmentName, _queue: &QueueName) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn look_again(_model: &mut Model) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn settle(_model: &Model, _view: &mut LettersView) {}
pub(super) fn able(_model: &Model, _view: &LettersView, _command: Command) -> Able {
    Able::NotHere
}
pub(super) fn command(_model: &mut Model, _command: Command) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn looked(_model: &mut Model, _ticket: Ticket, _answer: Result<Box<Letters>, Failure>) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn matched(_model: &mut Model, _ticket: Ticket, _answer: Result<Vec<bool>, Failure>) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn edited(_model: &mut Model, _ticket: Ticket, _answer: Result<Option<String>, Failure>) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn filter_key(_model: &mut Model, _key: &Key) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn paste(_model: &mut Model, _text: &str) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn mouse(_model: &mut Model, _mouse: Mouse) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn draw(_model: &Model, _view: &LettersView, _frame: &mut Frame<'_>, _area: Rect) {}
