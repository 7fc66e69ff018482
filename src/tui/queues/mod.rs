//! Queues: every queue of every environment.

use ratatui::{Frame, layout::Rect};

use super::{able::Able, effect::Effect, event::Mouse, field::Field, list::Cursor, model::Model};
use crate::{
    domain::{EnvironmentName, QueueName},
    keymap::{Command, Key},
};

/// The queues view.
#[derive(Debug, Clone, Default)]
pub struct QueuesView {
    /// Where one is.
    pub cursor: Cursor,
    /// The filter being typed.
    pub typing: Option<Field>,
}

/// A queue's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// Where.
    pub environment: EnvironmentName,
    /// Queue.
    pub queue: QueueName,
    /// First line shown.
    pub scroll: Cursor,
}

/// Which column to sort by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SortPicker {
    /// Which.
    pub cursor: Cursor,
}

pub(super) fn settle(_model: &Model, _view: &mut QueuesView) {}
pub(super) fn visible(_model: &Model, _view: &QueuesView) -> Vec<(EnvironmentName, QueueName)> {
    Vec::new()
}
pub(super) fn able(_model: &Model, _view: &QueuesView, _command: Command) -> Able {
    Able::NotHere
}
pub(super) fn command(_model: &mut Model, _command: Command) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn filter_key(_model: &mut Model, _key: &Key) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn paste(_model: &mut Model, _text: &str) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn details_key(model: &mut Model, _key: &Key) -> Vec<Effect> {
    model.overlay = None;
    Vec::new()
}
pub(super) fn sort_key(model: &mut Model, _key: &Key) -> Vec<Effect> {
    model.overlay = None;
    Vec::new()
}
pub(super) fn mouse(_model: &mut Model, _mouse: Mouse) -> Vec<Effect> {
    Vec::new()
}
pub(super) fn draw(_model: &Model, _view: &QueuesView, _frame: &mut Frame<'_>, _area: Rect) {}
pub(super) fn draw_details(_model: &Model, _details: &Details, _frame: &mut Frame<'_>, _area: Rect) {}
pub(super) fn draw_sort(_model: &Model, _picker: &SortPicker, _frame: &mut Frame<'_>, _area: Rect) {}
