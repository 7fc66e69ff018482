//! The view that is shown, handed the rest of the model.

use crate::{
    keymap::Scope,
    screens::screen::Screen,
    state::{home::HomeView, model::Model, view::View},
};

/// Hands the view that is shown the model without it. What it opens comes on top of it.
pub(crate) fn with_shown<T>(model: &mut Model, give: impl FnOnce(&mut dyn Screen, &mut Model) -> T) -> T {
    let at = model.views.len() - 1;
    let mut view = std::mem::replace(&mut model.views[at], View::Home(HomeView::default()));
    let answer = give(view.screen_mut(), model);
    model.views[at] = view;
    answer
}

/// The scope of the view that is shown.
pub(crate) fn scope(model: &Model) -> Scope {
    model.view().screen().scope()
}
