//! [`update`]: what an event does to the model, and what is to be done outside for it. Pure.

use std::{
    mem::{Discriminant, discriminant, take},
    sync::Arc,
};

use jiff::Timestamp;

use crate::{
    able::able,
    keymap::{Command, Key, Resolved},
    navigate::{self, back, next_environment, scope, show_only, with_shown},
    observe::{Focus, Snapshot, verdict::verdicts},
    quitting, run_events, runbook_events,
    screens::{
        flow::planning,
        home,
        letters::{choose, edits, filter, looks},
        list::sheet,
        opens_tab,
        screen::{Able, Change},
    },
    state::{Effect, Event, Help, Model, Mouse, Notice, Overlay, Palette, Setting, View, Way, model::Due},
    title,
};

/// A console's model at the start, ready to be drawn.
pub fn begin(setting: Setting, now: Timestamp, size: (u16, u16)) -> Model {
    let mut model = Model::new(setting, now, size);
    settle(&mut model);
    model
}

pub fn update(model: &mut Model, event: Event) -> Vec<Effect> {
    let before = place(model);
    let breaks_off = matches!(event, Event::Mouse(_) | Event::Paste(_));
    let mut effects = taken(model, event);
    effects.extend(finish(model));
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

fn taken(model: &mut Model, event: Event) -> Vec<Effect> {
    match event {
        Event::Key(key) => return on_key(model, key),
        Event::Paste(text) => return on_paste(model, &text),
        Event::Mouse(mouse) => return on_mouse(model, mouse),
        Event::Resize(columns, rows) => {
            model.size = (columns, rows);
            model.changed();
        }
        Event::Tick(now) => tick(model, now),
        Event::Terminate => return quitting::terminate(model),
        Event::Observed(snapshot) => observed(model, snapshot),
        Event::Looked(ticket, answer) => return looks::looked(model, ticket, answer),
        Event::Matched(ticket, answer) => filter::matched(model, ticket, answer),
        Event::Planned(ticket, answer) => planning::planned(model, ticket, answer),
        Event::Progress(ticket, progress) => run_events::progress(model, ticket, *progress),
        Event::Finished(ticket, answer) => return run_events::finished(model, ticket, answer),
        Event::Runs(ticket, answer) => run_events::listed(model, ticket, answer),
        Event::JournalRead(ticket, answer) => run_events::journal_read(model, ticket, answer),
        Event::Sent(ticket, answer) => edits::sent(model, ticket, answer),
        Event::AlarmHistory(ticket, answer) => sheet::alarm_read(model, ticket, answer),
        Event::Edited(ticket, answer) => edits::edited(model, ticket, answer),
        Event::Saved(ticket, answer) => return choose::saved(model, ticket, answer),
        Event::Runbooks(answer) => runbook_events::read(model, answer),
        Event::Open(open) => runbook_events::open(model, open),
        Event::Names(environment, kind, answer) => runbook_events::names(model, &environment, kind, answer),
        Event::RunbookHeard(ticket, heard) => return runbook_events::heard(model, ticket, *heard),
        Event::RunbookFinished(ticket, answer) => return runbook_events::finished(model, ticket, answer),
        Event::Stood(ticket, answer) => runbook_events::stood(model, ticket, answer),
        Event::Acknowledged(answer) => home::acknowledge::answered(model, answer),
        Event::Said(notice) => model.say(notice),
    }
    Vec::new()
}

fn finish(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Some(command) = model.due.command.take() {
        effects.extend(command_given(model, command));
    }
    if let Some(way) = model.due.way.take() {
        effects.extend(navigate::go(model, way));
    }
    let Due { rows, focus, let_go, .. } = take(&mut model.due);
    if let_go {
        model.views.iter_mut().for_each(|view| view.screen_mut().let_go());
    }
    if rows {
        settle(model);
    }
    if focus {
        effects.push(Effect::Focus(watched(model)));
    }
    effects
}

/// Brings what is shown up to date with what is known now. Views below wait until they are shown again.
fn settle(model: &mut Model) {
    with_shown(model, |screen, model| screen.settle(model));
    navigate::settle(model);
}

/// The same for what such a change changes.
fn settle_on(model: &mut Model, change: Change) {
    if model.view().screen().depends_on(change) {
        with_shown(model, |screen, model| screen.settle(model));
    }
    if model.overlay.as_ref().is_some_and(|overlay| overlay.pane().depends_on(change)) {
        navigate::settle(model);
    }
}

fn watched(model: &Model) -> Focus {
    let services = sheet::service(model).into_iter().collect();
    Focus { services, ..model.view().screen().focus(model) }
}

/// Takes a snapshot in; an older one than is there is dropped.
fn observed(model: &mut Model, snapshot: Arc<Snapshot>) {
    let now = model.now;
    let Some(site) = model.sites.iter_mut().find(|site| site.environment.name == snapshot.environment) else { return };
    if site.snapshot.as_ref().is_some_and(|known| known.number > snapshot.number) {
        return;
    }
    site.verdicts = verdicts(&site.environment, &site.environment.watch.thresholds, &snapshot, now);
    site.snapshot = Some(snapshot);
    settle_on(model, Change::Seen);
    model.moved();
}

/// Time has passed: what depends on it is judged again.
fn tick(model: &mut Model, now: Timestamp) {
    let day = |at: Timestamp| at.as_second().div_euclid(86_400);
    let is_new_day = day(model.now) != day(now);
    model.now = now;
    for site in &mut model.sites {
        if let Some(snapshot) = &site.snapshot {
            site.verdicts = verdicts(&site.environment, &site.environment.watch.thresholds, snapshot, now);
        }
    }
    settle_on(model, Change::Time);
    if is_new_day {
        // Runs of today are listed by their time, earlier ones by their day.
        settle_on(model, Change::Runs);
    }
}

fn on_key(model: &mut Model, key: Key) -> Vec<Effect> {
    model.notice = None;
    if let Some(effects) = navigate::key(model, &key) {
        return effects;
    }
    if let Some(effects) = with_shown(model, |screen, model| screen.field().is_some().then(|| screen.key(model, &key)))
    {
        return effects;
    }
    let keymap = model.keymap.clone();
    match keymap.resolve(scope(model), &[model.pending.as_slice(), &[key]].concat()) {
        Resolved::Command(command) => {
            model.pending.clear();
            return command_given(model, command);
        }
        Resolved::Pending(_) => model.pending.push(key),
        Resolved::Nothing if model.pending.is_empty() => {
            let help = keymap.key_for(scope(model), Command::Help);
            let hint = help.map(|key| format!("; {key} shows the keys")).unwrap_or_default();
            model.say(Notice::bad(&format!("{key} means nothing here{hint}")));
        }
        Resolved::Nothing => {
            let typed: Vec<String> = model.pending.drain(..).chain([key]).map(|key| key.to_string()).collect();
            model.say(Notice::bad(&format!("{} means nothing here", typed.join(" "))));
        }
    }
    Vec::new()
}

/// Gives a command as a key or the palette would: one that can't be given says why.
fn command_given(model: &mut Model, command: Command) -> Vec<Effect> {
    match able(model, command) {
        Able::Yes => carry_out(model, command),
        able => {
            able.say(model, command);
            Vec::new()
        }
    }
}

fn carry_out(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Quit => return quitting::quit(model),
        Command::Help => model.overlay = Some(Overlay::Help(Help::default())),
        Command::Palette => open_palette(model, ""),
        Command::Views => open_palette(model, "go to "),
        command if opens_tab(command) => model.go(Way::To(command)),
        Command::Environment => next_environment(model),
        Command::Refresh => {
            let mut effects = with_shown(model, |screen, model| screen.refresh(model));
            effects.push(Effect::Refresh(model.only.clone()));
            return effects;
        }
        Command::Theme => {
            model.look.theme = model.look.theme.next();
            model.say(Notice::note(&format!("theme: {}", model.look.theme.into_str())));
        }
        Command::Suspend => return vec![Effect::Suspend],
        Command::Redraw => return vec![Effect::Redraw],
        Command::Back => back(model),
        _ => return with_shown(model, |screen, model| screen.command(model, command)),
    }
    Vec::new()
}

fn open_palette(model: &mut Model, text: &str) {
    model.overlay = Some(Overlay::Palette(Palette::with(text)));
    model.settle();
}

fn on_paste(model: &mut Model, text: &str) -> Vec<Effect> {
    if navigate::paste(model, text) {
        return Vec::new();
    }
    let typed = with_shown(model, |screen, model| {
        screen.field()?.paste(text);
        Some(screen.typed(model))
    });
    typed.unwrap_or_else(|| {
        // Pasted text is never taken for keys.
        model.say(Notice::note("there is no place for pasted text here"));
        Vec::new()
    })
}

fn on_mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    if let Some(effects) = navigate::mouse(model, mouse) {
        return effects;
    }
    if let Some(command) = title::tab_at(model, mouse) {
        return command_given(model, command);
    }
    if let Some(environment) = title::chip_at(model, mouse) {
        // The chip of the one that is shown alone shows all again.
        let only = (model.only.as_ref() != Some(&environment)).then_some(environment);
        show_only(model, only);
        return Vec::new();
    }
    with_shown(model, |screen, model| screen.mouse(model, mouse))
}
