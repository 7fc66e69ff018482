//! [`update`]: what an event does to the model, and what is to be done outside for it. Pure.

use std::mem::{Discriminant, discriminant};

use super::{
    able::{Able, able, scope},
    activity,
    effect::Effect,
    estate::{self, EstateView, Topic},
    event::{Event, Mouse, Notice},
    field::Typed,
    flow, help, home, letters, message,
    model::{Model, Overlay, View},
    observed, overlay, palette, queues, run_view, title,
};
use crate::keymap::{Command, Key, Resolved, Scope};

/// Takes an event in.
pub fn update(model: &mut Model, event: Event) -> Vec<Effect> {
    let before = place(model);
    let breaks_off = matches!(event, Event::Mouse(_) | Event::Paste(_));
    let effects = take(model, event);
    if breaks_off || place(model) != before {
        // A sequence of keys belongs to where it was begun.
        model.pending.clear();
    }
    effects
}

/// What takes the keys.
fn place(model: &Model) -> (Option<Discriminant<Overlay>>, usize, Discriminant<View>) {
    (model.overlay.as_ref().map(discriminant), model.views.len(), discriminant(model.view()))
}

fn take(model: &mut Model, event: Event) -> Vec<Effect> {
    match event {
        Event::Key(key) => on_key(model, key),
        Event::Paste(text) => on_paste(model, &text),
        Event::Mouse(mouse) => on_mouse(model, mouse),
        Event::Resize(columns, rows) => {
            model.size = (columns, rows);
            flow::settle(model);
            observed::settle(model);
            observed::focus(model)
        }
        Event::Tick(now) => observed::tick(model, now),
        Event::Terminate => overlay::terminate(model),
        Event::Observed(snapshot) => observed::observed(model, snapshot),
        Event::Looked(ticket, answer) => letters::looked(model, ticket, answer),
        Event::Matched(ticket, answer) => letters::matched(model, ticket, answer),
        Event::Planned(ticket, answer) => flow::planned(model, ticket, answer),
        Event::Progress(ticket, progress) => run_view::progress(model, ticket, *progress),
        Event::Finished(ticket, answer) => run_view::finished(model, ticket, answer),
        Event::Runs(ticket, answer) => activity::runs(model, ticket, answer),
        Event::JournalRead(ticket, answer) => run_view::journal_read(model, ticket, answer),
        Event::Sent(ticket, answer) => letters::sent(model, ticket, answer),
        Event::AlarmHistory(ticket, answer) => estate::alarm_read(model, ticket, answer),
        Event::Edited(ticket, answer) => letters::edited(model, ticket, answer),
        Event::Saved(ticket, answer) => letters::saved(model, ticket, answer),
        Event::Acknowledged(answer) => home::acknowledged(model, answer),
        Event::Said(notice) => {
            model.say(notice);
            Vec::new()
        }
    }
}

fn on_key(model: &mut Model, key: Key) -> Vec<Effect> {
    model.notice = None;
    if let Some(effects) = overlay::key(model, &key) {
        return effects;
    }
    if let Some(typed) = filter_key(model, &key) {
        return typed;
    }
    let keymap = model.keymap.clone();
    match keymap.resolve(scope(model), &[model.pending.as_slice(), &[key]].concat()) {
        Resolved::Command(command) => {
            model.pending.clear();
            command_given(model, command)
        }
        Resolved::Pending(_) => {
            model.pending.push(key);
            Vec::new()
        }
        Resolved::Nothing if model.pending.is_empty() => unbound(model, key),
        Resolved::Nothing => {
            let typed: Vec<String> = model.pending.drain(..).chain([key]).map(|key| key.to_string()).collect();
            model.say(Notice::bad(&format!("{} means nothing here", typed.join(" "))));
            Vec::new()
        }
    }
}

fn unbound(model: &mut Model, key: Key) -> Vec<Effect> {
    let help = model.keymap.key_for(scope(model), Command::Help);
    let hint = help.map(|key| format!("; {key} shows the keys")).unwrap_or_default();
    model.say(Notice::bad(&format!("{key} means nothing here{hint}")));
    Vec::new()
}

/// Gives a command as a key or the palette would: one that can't be given says why.
pub fn command_given(model: &mut Model, command: Command) -> Vec<Effect> {
    match able(model, command) {
        Able::Yes => carry_out(model, command),
        Able::No(because) => {
            model.say(Notice::bad(&format!("{}: {because}", command.name())));
            Vec::new()
        }
        Able::NotHere => {
            model.say(Notice::bad(&format!("{} has no meaning here", command.name())));
            Vec::new()
        }
    }
}

fn carry_out(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Quit => overlay::quit(model),
        Command::Help => {
            model.overlay = Some(Overlay::Help(help::Help::default()));
            Vec::new()
        }
        Command::Palette => palette::open(model),
        Command::Home => go(model, View::Home(home::HomeView::default())),
        Command::Queues => go(model, View::Queues(queues::QueuesView::default())),
        Command::Services => go(model, list_of(Topic::Services)),
        Command::Databases => go(model, list_of(Topic::Databases)),
        Command::Alarms => go(model, list_of(Topic::Alarms)),
        Command::Consumers => go(model, list_of(Topic::Consumers)),
        Command::Activity => activity::open(model),
        Command::Environment => observed::next_environment(model),
        Command::Refresh => refresh(model),
        Command::Theme => {
            model.look.theme = model.look.theme.next();
            model.say(Notice::note(&format!("theme: {}", model.look.theme.name())));
            Vec::new()
        }
        Command::Suspend => vec![Effect::Suspend],
        Command::Redraw => vec![Effect::Redraw],
        Command::Back if stepped_back(model) => Vec::new(),
        Command::Back => back(model),
        _ => match model.view() {
            View::Home(_) => home::command(model, command),
            View::Queues(_) => queues::command(model, command),
            View::Estate(_) => estate::command(model, command),
            View::Letters(_) => letters::command(model, command),
            View::Message(_) => message::command(model, command),
            View::Activity(_) => activity::command(model, command),
            View::Run(_) => run_view::command(model, command),
        },
    }
}

fn list_of(topic: Topic) -> View {
    View::Estate(Box::new(EstateView::of(topic)))
}

/// Goes to a view that stands for itself: an open one of its kind is taken up as it was left.
pub fn go(model: &mut Model, view: View) -> Vec<Effect> {
    match model.views.iter().position(|open| is_same(open, &view)) {
        Some(at) => close(model, at + 1),
        None => {
            // Home stays below: the way back ends there.
            close(model, 1);
            let left = model.left.iter().position(|left| is_same(left, &view)).map(|at| model.left.remove(at));
            model.views.push(left.unwrap_or(view));
        }
    }
    observed::settle(model);
    observed::focus(model)
}

/// Whether both stand for the same list.
fn is_same(left: &View, right: &View) -> bool {
    let topic = |view: &View| match view {
        View::Estate(view) => Some(view.topic),
        _ => None,
    };
    discriminant(left) == discriminant(right) && topic(left) == topic(right)
}

/// Closes all views but the first `kept`. Lists are remembered as they are, without what was selected for something.
fn close(model: &mut Model, kept: usize) {
    for mut view in model.views.split_off(kept) {
        match &mut view {
            View::Queues(view) => view.typing = None,
            View::Estate(view) => {
                view.typing = None;
                view.selected.clear();
            }
            View::Home(_) | View::Letters(_) | View::Message(_) | View::Activity(_) | View::Run(_) => continue,
        }
        model.left.retain(|left| !is_same(left, &view));
        model.left.push(view);
    }
}

/// Opens a view on top of the one shown.
pub fn open(model: &mut Model, view: View) -> Vec<Effect> {
    model.views.push(view);
    observed::settle(model);
    observed::focus(model)
}

/// Whether the view itself had something to go back from: a filter, a group.
fn stepped_back(model: &mut Model) -> bool {
    let stepped = match model.view_mut() {
        View::Letters(view) => letters::back(view),
        View::Home(_) | View::Queues(_) | View::Estate(_) | View::Message(_) | View::Activity(_) | View::Run(_) => {
            false
        }
    };
    if stepped {
        observed::settle(model);
    }
    stepped
}

fn back(model: &mut Model) -> Vec<Effect> {
    if let Some(effects) = home::back(model).or_else(|| queues::back(model)).or_else(|| estate::back(model)) {
        return effects;
    }
    if model.views.len() > 1 {
        close(model, model.views.len() - 1);
    } else {
        model.only = None;
    }
    observed::settle(model);
    observed::focus(model)
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    let mut effects = match model.view() {
        View::Activity(_) => activity::ask(model),
        View::Letters(_) => letters::look_again(model),
        View::Run(_) => run_view::read_journal(model),
        View::Home(_) | View::Queues(_) | View::Estate(_) | View::Message(_) => Vec::new(),
    };
    effects.push(Effect::Refresh(model.only.clone()));
    effects
}

/// Views with an open filter line take typing first.
fn filter_key(model: &mut Model, key: &Key) -> Option<Vec<Effect>> {
    match model.view_mut() {
        View::Home(view) if view.typing.is_some() => Some(home::filter_key(model, key)),
        View::Queues(view) if view.typing.is_some() => Some(queues::filter_key(model, key)),
        View::Estate(view) if view.typing.is_some() => Some(estate::filter_key(model, key)),
        View::Letters(view) if view.typing.is_some() => Some(letters::filter_key(model, key)),
        _ => None,
    }
}

fn on_paste(model: &mut Model, text: &str) -> Vec<Effect> {
    if let Some(field) = overlay::field(model) {
        field.paste(text);
        return overlay::typed(model, Typed::Changed);
    }
    match model.view_mut() {
        View::Home(view) if view.typing.is_some() => home::paste(model, text),
        View::Queues(view) if view.typing.is_some() => queues::paste(model, text),
        View::Estate(view) if view.typing.is_some() => estate::paste(model, text),
        View::Letters(view) if view.typing.is_some() => letters::paste(model, text),
        _ => {
            // Pasted text is never taken for keys.
            model.say(Notice::note("there is no place for pasted text here"));
            Vec::new()
        }
    }
}

fn on_mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    if model.overlay.is_some() {
        return overlay::mouse(model, mouse);
    }
    if let Some(command) = title::tab_at(model, mouse) {
        return command_given(model, command);
    }
    if let Some(environment) = title::chip_at(model, mouse) {
        // The chip of the one that is shown alone shows all again.
        let only = (model.only.as_ref() != Some(&environment)).then_some(environment);
        return observed::show_only(model, only);
    }
    match model.view() {
        View::Home(_) => home::mouse(model, mouse),
        View::Queues(_) => queues::mouse(model, mouse),
        View::Estate(_) => estate::mouse(model, mouse),
        View::Letters(_) => letters::mouse(model, mouse),
        View::Message(_) => message::mouse(model, mouse),
        View::Activity(_) => activity::mouse(model, mouse),
        View::Run(_) => run_view::mouse(model, mouse),
    }
}

/// The scope that keys are looked up in: an overlay's, or the view's.
pub fn key_scope(model: &Model) -> Scope {
    match &model.overlay {
        Some(Overlay::Flow(_)) => Scope::Plan,
        Some(
            Overlay::Help(_)
            | Overlay::Palette(_)
            | Overlay::Details(_)
            | Overlay::Sheet(_)
            | Overlay::Sort(_)
            | Overlay::Columns(_)
            | Overlay::Diff(_)
            | Overlay::Acknowledge(_)
            | Overlay::Quitting(_),
        )
        | None => scope(model),
    }
}
