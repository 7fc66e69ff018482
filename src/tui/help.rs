//! The keys of the view, from the keymap.

use ratatui::{Frame, layout::Rect};

use super::{effect::Effect, list::Cursor, model::Model, overlay};
use crate::keymap::{Command, Key};

/// The help overlay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Help {
    /// First line shown.
    pub scroll: Cursor,
}

pub(super) fn key(model: &mut Model, key: &Key) -> Vec<Effect> {
    if let Some(Command::Back | Command::Help | Command::Open) = overlay::meaning(model, key) {
        model.overlay = None;
    }
    Vec::new()
}

/// Draws it.
pub(super) fn draw(_model: &Model, _help: &Help, _frame: &mut Frame<'_>, _area: Rect) {}

pub(super) fn mouse(_model: &mut Model, _mouse: super::event::Mouse) -> Vec<Effect> {
    Vec::new()
}
