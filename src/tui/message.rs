//! One message: body, attributes, history.

use ratatui::{Frame, layout::Rect};

use super::{able::Able, effect::Effect, event::Mouse, list::Cursor, model::Model};
use crate::{
    domain::{EnvironmentName, MessageId, QueueName},
    keymap::Command,
};

/// The view of one message: that of the letters below it.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageView {
    /// Where.
    pub environment: EnvironmentName,
    /// Queue.
    pub queue: QueueName,
    /// Which.
    pub id: MessageId,
    /// First line shown.
    pub scroll: Cursor,
}

pub(super) fn able(_model: &Model, _view: &MessageView, _command: Command) -> Able {
    Able::NotHere
}
pub(super) fn command(_model: &mut Model, _command: Command) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn mouse(_model: &mut Model, _mouse: Mouse) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn draw(_model: &Model, _view: &MessageView, _frame: &mut Frame<'_>, _area: Rect) {}
