//! What lies over the view, handed the rest of the model.

use crate::{
    keymap::{Command, Key, Resolved, Scope},
    screens::pane::{After, Pane},
    shown::scope,
    state::{effect::Effect, event::Mouse, model::Model, view::Overlay},
};

impl Overlay {
    pub fn pane(&self) -> &dyn Pane {
        match self {
            Self::Help(pane) => pane,
            Self::Palette(pane) => pane,
            Self::Sheet(pane) => pane.as_ref(),
            Self::Sort(pane) => pane,
            Self::Columns(pane) => pane.as_ref(),
            Self::Diff(pane) => pane.as_ref(),
            Self::Flow(pane) => pane.as_ref(),
            Self::Acknowledge(pane) => pane.as_ref(),
            Self::Quitting(pane) => pane,
        }
    }

    pub fn pane_mut(&mut self) -> &mut dyn Pane {
        match self {
            Self::Help(pane) => pane,
            Self::Palette(pane) => pane,
            Self::Sheet(pane) => pane.as_mut(),
            Self::Sort(pane) => pane,
            Self::Columns(pane) => pane.as_mut(),
            Self::Diff(pane) => pane.as_mut(),
            Self::Flow(pane) => pane.as_mut(),
            Self::Acknowledge(pane) => pane.as_mut(),
            Self::Quitting(pane) => pane,
        }
    }
}

/// Hands what lies over the view the model without it; none: nothing does.
fn with_pane(model: &mut Model, give: impl FnOnce(&mut dyn Pane, &mut Model) -> After) -> Option<Vec<Effect>> {
    let mut overlay = model.overlay.take()?;
    let After { closes, effects } = give(overlay.pane_mut(), model);
    // It may have opened another in its place.
    if !closes && model.overlay.is_none() {
        model.overlay = Some(overlay);
    }
    Some(effects)
}

/// Takes a key where an overlay is open; none: there is none.
pub(crate) fn key(model: &mut Model, key: &Key) -> Option<Vec<Effect>> {
    let meaning = match model.keymap.resolve(key_scope(model), std::slice::from_ref(key)) {
        Resolved::Command(Command::Quit) => Some(Command::Back),
        Resolved::Command(command) => Some(command),
        Resolved::Pending(_) | Resolved::Nothing => None,
    };
    with_pane(model, |pane, model| pane.key(model, key, meaning))
}

pub(crate) fn mouse(model: &mut Model, mouse: Mouse) -> Option<Vec<Effect>> {
    with_pane(model, |pane, model| pane.mouse(model, mouse))
}

/// Takes pasted text into the line that is typed in; `false`: there is none.
pub(crate) fn paste(model: &mut Model, text: &str) -> bool {
    let Some(mut overlay) = model.overlay.take() else { return false };
    let pane = overlay.pane_mut();
    let field = pane.field();
    let is_taken = field.is_some();
    if let Some(field) = field {
        field.paste(text);
        pane.typed(model);
    }
    model.overlay = Some(overlay);
    is_taken
}

/// Brings what it shows up to date.
pub(crate) fn settle(model: &mut Model) {
    if let Some(mut overlay) = model.overlay.take() {
        overlay.pane_mut().settle(model);
        model.overlay = Some(overlay);
    }
}

/// The scope that keys are looked up in: an overlay's, or the view's.
pub(crate) fn key_scope(model: &Model) -> Scope {
    let below = scope(model);
    model.overlay.as_ref().map_or(below, |overlay| overlay.pane().scope(below))
}
