//! Keys while something lies over the view.

use super::{
    effect::Effect,
    estate,
    event::{Mouse, Notice},
    field::{Field, Typed},
    flow, help, home, letters,
    model::{Model, Overlay, View},
    palette, queues, run_view,
};
use crate::keymap::{Command, Key, Resolved, Scope};

/// Whether to leave although runs are active.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quitting {
    /// Whether "leave" has the focus; "stay" has it at first.
    pub leave: bool,
}

/// Takes a key where an overlay is open; `None`: there is none.
pub(super) fn key(model: &mut Model, key: &Key) -> Option<Vec<Effect>> {
    let effects = match model.overlay.as_ref()? {
        Overlay::Help(_) => help::key(model, key),
        Overlay::Palette(_) => palette::key(model, key),
        Overlay::Details(_) => queues::details_key(model, key),
        Overlay::Sheet(_) => estate::sheet_key(model, key),
        Overlay::Sort(_) if matches!(model.view(), View::Estate(_)) => estate::sort_key(model, key),
        Overlay::Sort(_) => queues::sort_key(model, key),
        Overlay::Columns(_) => letters::columns_key(model, key),
        Overlay::Diff(_) => letters::diff_key(model, key),
        Overlay::Flow(_) => flow::key(model, key),
        Overlay::Acknowledge(_) => home::acknowledge_key(model, key),
        Overlay::Quitting(_) => quitting_key(model, key),
    };
    Some(effects)
}

/// What a key means in an overlay that has no typing in it.
pub(super) fn meaning(model: &Model, key: &Key) -> Option<Command> {
    meaning_in(model, super::update::key_scope(model), key)
}

/// What a key means in such an overlay, in this scope.
pub(super) fn meaning_in(model: &Model, scope: Scope, key: &Key) -> Option<Command> {
    match model.keymap.resolve(scope, std::slice::from_ref(key)) {
        Resolved::Command(Command::Quit) => Some(Command::Back),
        Resolved::Command(command) => Some(command),
        Resolved::Pending(_) | Resolved::Nothing => None,
    }
}

/// The line that is typed in, where the overlay has one.
pub(super) fn field(model: &mut Model) -> Option<&mut Field> {
    match model.overlay.as_mut()? {
        Overlay::Palette(palette) => Some(&mut palette.field),
        Overlay::Flow(flow) => flow.field(),
        Overlay::Columns(picker) => Some(&mut picker.field),
        Overlay::Acknowledge(asking) => Some(&mut asking.field),
        Overlay::Help(_)
        | Overlay::Details(_)
        | Overlay::Sheet(_)
        | Overlay::Sort(_)
        | Overlay::Diff(_)
        | Overlay::Quitting(_) => None,
    }
}

/// The line that is typed in has changed.
pub(super) fn typed(model: &mut Model, typed: Typed) -> Vec<Effect> {
    match &model.overlay {
        Some(Overlay::Palette(_)) if typed == Typed::Changed => palette::typed(model),
        Some(Overlay::Flow(_)) if typed == Typed::Changed => flow::typed(model),
        Some(Overlay::Columns(_)) if typed == Typed::Changed => letters::columns_typed(model),
        _ => {}
    }
    Vec::new()
}

pub(super) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    match &model.overlay {
        Some(Overlay::Help(_)) => help::mouse(model, mouse),
        Some(Overlay::Palette(_)) => palette::mouse(model, mouse),
        Some(Overlay::Details(_)) => queues::details_mouse(model, mouse),
        Some(Overlay::Sheet(_)) => estate::sheet_mouse(model, mouse),
        Some(Overlay::Sort(_)) if matches!(model.view(), View::Estate(_)) => estate::sort_mouse(model, mouse),
        Some(Overlay::Sort(_)) => queues::sort_mouse(model, mouse),
        Some(Overlay::Columns(_)) => letters::columns_mouse(model, mouse),
        Some(Overlay::Diff(_)) => letters::diff_mouse(model, mouse),
        Some(Overlay::Flow(_)) => flow::mouse(model, mouse),
        Some(Overlay::Acknowledge(_) | Overlay::Quitting(_)) | None => Vec::new(),
    }
}

/// Leaves; asks first where runs are active.
pub(super) fn quit(model: &mut Model) -> Vec<Effect> {
    if model.runs.iter().any(|run| run.is_active()) {
        model.overlay = Some(Overlay::Quitting(Quitting::default()));
        return Vec::new();
    }
    vec![Effect::Quit]
}

/// The outside asks for the end: runs are stopped after what is in hand, and the console ends when they have.
pub(super) fn terminate(model: &mut Model) -> Vec<Effect> {
    let active: Vec<Effect> =
        model.runs.iter().filter(|run| run.is_active()).map(|run| Effect::Cancel(run.ticket)).collect();
    if active.is_empty() {
        return vec![Effect::Quit];
    }
    model.leaving = true;
    for run in model.runs.iter_mut().filter(|run| run.is_active()) {
        run.cancelled = true;
    }
    run_view::settle_open(model);
    model.say(Notice::note("stopping runs after what is in hand"));
    active
}

fn quitting_key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let meaning = meaning(model, key);
    let Some(Overlay::Quitting(quitting)) = &mut model.overlay else { return Vec::new() };
    match (key.to_string().as_str(), meaning) {
        ("left" | "right" | "tab" | "backtab" | "h" | "l", _) => quitting.leave = !quitting.leave,
        ("y", _) => return stop_and_leave(model),
        ("n" | "esc" | "ctrl-c", _) => model.overlay = None,
        ("enter", _) if quitting.leave => return stop_and_leave(model),
        ("enter", _) | (_, Some(Command::Back)) => model.overlay = None,
        _ => {}
    }
    Vec::new()
}

fn stop_and_leave(model: &mut Model) -> Vec<Effect> {
    model.overlay = None;
    if model.leaving {
        // Asked for twice: the journals have it all, and Activity goes on from there.
        return vec![Effect::Quit];
    }
    terminate(model)
}
