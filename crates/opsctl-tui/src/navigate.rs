//! Ways between views and environments.

use crate::{
    domain::EnvironmentName,
    keymap::{Command, Key, Resolved, Scope},
    screens::screen::{After, Pane, Screen},
    state::{Effect, HomeView, ListView, Model, Mouse, Notice, Overlay, Under, View, Way},
};

pub(crate) fn go(model: &mut Model, way: Way) -> Vec<Effect> {
    match way {
        Way::To(command) => to(model, command),
        Way::Thing(topic, environment, name) => {
            let list = topic.list();
            let site = model.site(&environment);
            let thing = site.and_then(|site| list.thing(site, list.find(site, &name).first().copied()?));
            let under = thing.map(|thing| Under::Thing(environment.clone(), thing.id()));
            let effects = to(model, list.head().tab.command);
            match under {
                Some(under) => show(model, environment, under),
                None => {
                    let words = format!("{name} is not among the {} seen last", list.head().nouns[1]);
                    model.say(Notice::bad(&words));
                }
            }
            effects
        }
    }
}

/// Puts the cursor of the list that is shown on a thing: what would hide it is taken away, and what was meant before.
fn show(model: &mut Model, environment: EnvironmentName, under: Under) {
    model.only.take_if(|only| *only != environment);
    if let Some(view) = model.view_mut().list_mut() {
        let ListView { selected, filter, typing, folded, under: pinned, .. } = view;
        selected.clear();
        filter.clear();
        *typing = None;
        folded.clear();
        *pinned = Some(under);
    }
}

/// Goes to a view that stands for itself: an open one of its kind is taken up as it was left.
fn to(model: &mut Model, command: Command) -> Vec<Effect> {
    let is_it = |view: &View| view.screen().tab().is_some_and(|tab| tab.command == command);
    match model.views.iter().position(is_it) {
        Some(at) => close(model, at + 1),
        None => {
            // Home stays below: the way back ends there.
            close(model, 1);
            let left = model.left.iter().position(is_it).map(|at| model.left.remove(at));
            model.views.extend(left.or_else(|| View::standing().into_iter().find(is_it)));
        }
    }
    model.changed();
    with_shown(model, |screen, model| screen.entered(model))
}

/// Closes all views but the first `kept`. Lists are remembered as they are, without what was selected for something.
pub(crate) fn close(model: &mut Model, kept: usize) {
    for mut view in model.views.split_off(kept) {
        if view.screen_mut().leave() {
            let tab = view.screen().tab();
            model.left.retain(|left| left.screen().tab() != tab);
            model.left.push(view);
        }
    }
}

/// Goes back: within the view, then to the one below, then to every environment.
pub(crate) fn back(model: &mut Model) {
    if with_shown(model, |screen, model| screen.back(model)) {
        return;
    }
    if model.views.len() > 1 {
        let kept = model.views.len() - 1;
        close(model, kept);
    } else {
        model.only = None;
    }
    model.changed();
}

/// Shows the next environment alone, and after the last all again.
pub(crate) fn next_environment(model: &mut Model) {
    let names: Vec<EnvironmentName> = model.sites.iter().map(|site| site.environment.name.clone()).collect();
    let at = model.only.as_ref().and_then(|only| names.iter().position(|name| name == only));
    let only = match at {
        None => names.first().cloned(),
        Some(at) => names.get(at + 1).cloned(),
    };
    show_only(model, only);
}

pub(crate) fn show_only(model: &mut Model, only: Option<EnvironmentName>) {
    model.only = only;
    model.due.let_go = true;
    let words = model.only.as_ref().map_or("every environment".to_owned(), |only| format!("{only} only"));
    model.say(Notice::note(&words));
    model.changed();
}

/// Hands the view that is shown the model without it. What it opens comes on top of it.
pub(crate) fn with_shown<T>(model: &mut Model, give: impl FnOnce(&mut dyn Screen, &mut Model) -> T) -> T {
    let at = model.views.len() - 1;
    let mut view = std::mem::replace(&mut model.views[at], View::Home(HomeView::default()));
    let answer = give(view.screen_mut(), model);
    model.views[at] = view;
    answer
}

pub(crate) fn scope(model: &Model) -> Scope {
    model.view().screen().scope()
}

/// What lies over the view, whether it is lent to be drawn or to be changed.
macro_rules! of_overlay {
    ($overlay:expr, $unboxed:ident) => {
        match $overlay {
            Overlay::Help(pane) => pane,
            Overlay::Palette(pane) => pane,
            Overlay::Sheet(pane) => pane.$unboxed(),
            Overlay::Sort(pane) => pane,
            Overlay::Columns(pane) => pane.$unboxed(),
            Overlay::Diff(pane) => pane.$unboxed(),
            Overlay::Flow(pane) => pane.$unboxed(),
            Overlay::Acknowledge(pane) => pane.$unboxed(),
            Overlay::Values(pane) => pane.$unboxed(),
            Overlay::Decide(pane) => pane.$unboxed(),
            Overlay::Quitting(pane) => pane,
        }
    };
}

impl Overlay {
    pub fn pane(&self) -> &dyn Pane {
        of_overlay!(self, as_ref)
    }

    pub fn pane_mut(&mut self) -> &mut dyn Pane {
        of_overlay!(self, as_mut)
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
