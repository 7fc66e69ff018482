//! Keys in a plan.

use super::{
    consent::{self, Line},
    copy_command, draw, options, plan_again, settle,
};
use crate::{
    effect::Effect,
    event::{Mouse, MouseWhat, Notice},
    field::Typed,
    gate::Ask,
    keymap::{Command, Key},
    model::{Model, Overlay},
    overlay,
    ticket::Load,
    update, view,
};

/// Takes a key.
pub(crate) fn key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let Some(Overlay::Flow(flow)) = &model.overlay else { return Vec::new() };
    if view::is_too_small(model.size) {
        // Nothing of it is seen: all that can be done is to give it up.
        let typing = flow.options.is_some() || flow.consenting.line.is_some();
        let gives_up = *key == Key::CTRL_C || (!typing && overlay::meaning(model, key) == Some(Command::Back));
        return if gives_up { close(model) } else { Vec::new() };
    }
    if flow.options.is_some() {
        return options::key(model, key);
    }
    if flow.consenting.line.is_some() {
        return typing(model, key);
    }
    match overlay::meaning(model, key) {
        Some(command) => given(model, command),
        None => begin_to_type(model, key),
    }
}

/// A line that is typed in has changed by pasting.
pub(crate) fn typed(model: &mut Model) {
    let Some(Overlay::Flow(flow)) = &mut model.overlay else { return };
    flow.consenting.said = None;
    if let Some(form) = &mut flow.options {
        form.check();
    }
}

fn given(model: &mut Model, command: Command) -> Vec<Effect> {
    let size = model.size;
    let Some(Overlay::Flow(flow)) = &mut model.overlay else { return Vec::new() };
    let rows = draw::page_rows(flow, size);
    if flow.page.step(&mut flow.top, command, rows) {
        return Vec::new();
    }
    let asks_type = matches!(&flow.asked, Some(Ok(Ask::Type(_)))) && !is_empty(model);
    match command {
        Command::Back => close(model),
        Command::Approve if asks_type => focus(model, Line::Phrase),
        Command::Next if asks_type => focus(model, Line::Phrase),
        Command::Previous if asks_type => focus(model, Line::Reason),
        Command::Approve => approve(model),
        Command::Open => enter(model),
        Command::Next | Command::Previous | Command::Left | Command::Right => turn(model),
        Command::Options => options::open(model),
        Command::Refresh => plan_again(model, None),
        Command::Copy | Command::CopyCommand => copy_command(model),
        Command::Theme => {
            model.look.theme = model.look.theme.next();
            settle(model);
            Vec::new()
        }
        Command::Suspend => update::command_given(model, command),
        Command::Redraw => vec![Effect::Redraw],
        _ => Vec::new(),
    }
}

fn is_empty(model: &Model) -> bool {
    matches!(&model.overlay, Some(Overlay::Flow(flow)) if flow.ready().is_some_and(|plan| plan.empty))
}

/// Gives up; an answer that comes later finds nobody.
fn close(model: &mut Model) -> Vec<Effect> {
    model.overlay = None;
    model.say(Notice::note("given up: nothing was done"));
    Vec::new()
}

fn approve(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Flow(flow)) = &model.overlay else { return Vec::new() };
    match (&flow.plan, &flow.asked) {
        (Load::Here(plan), Some(Ok(_))) if !plan.empty => consent::give(model),
        (Load::Here(_), _) => {
            model.say(Notice::bad("there is nothing to agree to: the plan says why"));
            Vec::new()
        }
        // It is not there yet: that is said, and remembered.
        (Load::Idle | Load::Waiting(..), _) => consent::give(model),
        (Load::Failed(..), _) => {
            model.say(Notice::bad("there is no plan"));
            Vec::new()
        }
    }
}

/// The button that has the focus; where there is no question, the one thing that can be done.
fn enter(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Flow(flow)) = &model.overlay else { return Vec::new() };
    match (&flow.plan, &flow.asked) {
        (Load::Here(plan), Some(Ok(_))) if plan.empty => close(model),
        (Load::Here(_), Some(Ok(Ask::Yes))) if flow.consenting.yes => approve(model),
        (Load::Here(_), Some(Ok(Ask::Type(_)))) => focus(model, Line::Phrase),
        (Load::Here(_), _) => close(model),
        (Load::Failed(..), _) => plan_again(model, None),
        (Load::Idle | Load::Waiting(..), _) => Vec::new(),
    }
}

fn turn(model: &mut Model) -> Vec<Effect> {
    if let Some(Overlay::Flow(flow)) = &mut model.overlay {
        let asks_yes = matches!(flow.asked, Some(Ok(Ask::Yes))) && flow.ready().is_some_and(|plan| !plan.empty);
        flow.consenting.yes = asks_yes && !flow.consenting.yes;
    }
    Vec::new()
}

fn focus(model: &mut Model, line: Line) -> Vec<Effect> {
    if let Some(Overlay::Flow(flow)) = &mut model.overlay {
        flow.consenting.line = Some(line);
    }
    Vec::new()
}

/// Where a name is asked for, whoever just types it is understood.
fn begin_to_type(model: &mut Model, key: &Key) -> Vec<Effect> {
    let is_empty = is_empty(model);
    let Some(Overlay::Flow(flow)) = &mut model.overlay else { return Vec::new() };
    let asked = flow.ready().is_some() && matches!(flow.asked, Some(Ok(Ask::Type(_)))) && !is_empty;
    if asked && key.character().is_some() {
        flow.consenting.line = Some(Line::Phrase);
        flow.consenting.phrase.key(key);
    }
    Vec::new()
}

/// Keys while the phrase or the reason is typed.
fn typing(model: &mut Model, key: &Key) -> Vec<Effect> {
    let size = model.size;
    let Some(Overlay::Flow(flow)) = &mut model.overlay else { return Vec::new() };
    let Some(line) = flow.consenting.line else { return Vec::new() };
    let Some(field) = flow.consenting.field() else { return Vec::new() };
    if *key == Key::CTRL_C {
        return close(model);
    }
    match field.key(key) {
        Typed::Changed => flow.consenting.said = None,
        Typed::Escape => flow.consenting.line = None,
        Typed::Enter => return consent::give(model),
        Typed::Nothing => match (key.to_string().as_str(), line) {
            ("tab", Line::Phrase) => flow.consenting.line = Some(Line::Reason),
            ("backtab", Line::Reason) => flow.consenting.line = Some(Line::Phrase),
            ("tab", Line::Reason) | ("backtab", Line::Phrase) => flow.consenting.line = None,
            (key, _) => {
                let rows = draw::page_rows(flow, size);
                let command = match key {
                    "down" => Command::Down,
                    "up" => Command::Up,
                    "pgdn" => Command::PageDown,
                    "pgup" => Command::PageUp,
                    _ => return Vec::new(),
                };
                flow.page.step(&mut flow.top, command, rows);
            }
        },
    }
    Vec::new()
}

/// The wheel turns the plan's pages.
pub(crate) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let size = model.size;
    let Some(Overlay::Flow(flow)) = &mut model.overlay else { return Vec::new() };
    if let MouseWhat::Scroll(lines) = mouse.what {
        match &mut flow.options {
            Some(form) => form.scroll(lines),
            None => {
                let rows = draw::page_rows(flow, size);
                flow.page.scroll(&mut flow.top, lines, rows);
            }
        }
    }
    Vec::new()
}
