//! Any command, queue or environment by name.

use ratatui::{Frame, layout::Rect};

use super::{
    effect::Effect,
    field::{Field, Typed},
    list::Cursor,
    model::{Model, Overlay},
};
use crate::keymap::Key;

/// The palette overlay.
#[derive(Debug, Clone, Default)]
pub struct Palette {
    /// What is typed.
    pub field: Field,
    /// Which of the found.
    pub cursor: Cursor,
}

pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    model.overlay = Some(Overlay::Palette(Palette::default()));
    Vec::new()
}

pub(super) fn key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let Some(Overlay::Palette(palette)) = &mut model.overlay else { return Vec::new() };
    match palette.field.key(key) {
        Typed::Escape => model.overlay = None,
        Typed::Changed | Typed::Enter | Typed::Nothing => {}
    }
    Vec::new()
}

/// What is typed has changed.
pub(super) fn typed(_model: &mut Model) {}

/// Draws it.
pub(super) fn draw(_model: &Model, _palette: &Palette, _frame: &mut Frame<'_>, _area: Rect) {}

pub(super) fn mouse(_model: &mut Model, _mouse: super::event::Mouse) -> Vec<Effect> {
    Vec::new()
}
