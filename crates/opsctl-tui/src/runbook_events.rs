//! What runs of runbooks tell and ask, and what a person answers.

use std::sync::Arc;

use crate::{
    domain::{EnvironmentName, Text},
    journal::RunSummary,
    keymap::{Command, Scope},
    navigate::with_shown,
    run::{End, Failure},
    runbook::{Kind, drive::RunbookReport, shelf::Shelved},
    screens::{
        runbooks::{agree::show, words::waits_for},
        runs::activity,
    },
    state::{
        Effect, Load, Model, Notice, Overlay, RunbookRunView, Ticket, View, Wanted,
        run::Subject,
        runbook::{Asked, Heard, Purpose, Question, Stood},
    },
};

pub(crate) fn read(model: &mut Model, answer: Result<Arc<Vec<Shelved>>, Failure>) {
    model.runbooks = Some(answer);
    model.settle();
}

pub(crate) fn open(model: &mut Model, open: Vec<RunSummary>) {
    model.open = open;
    model.changed();
}

pub(crate) fn names(model: &mut Model, environment: &EnvironmentName, kind: Kind, answer: Result<Vec<String>, Text>) {
    if let Some(Overlay::Values(form)) = &mut model.overlay
        && form.environment == *environment
    {
        form.names.insert(kind, answer);
    }
}

pub(crate) fn stood(model: &mut Model, ticket: Ticket, answer: Result<Box<Stood>, Failure>) {
    for view in &mut model.views {
        if let View::RunbookRun(view) = view
            && matches!(view.stood, Load::Waiting(awaited, _) if awaited == ticket)
        {
            view.stood.answer(ticket, answer);
            break;
        }
    }
    model.settle();
}

/// A run got on. What it asks is said where the person looks.
pub(crate) fn heard(model: &mut Model, ticket: Ticket, heard: Heard) -> Vec<Effect> {
    let (asked, has_moved) = (heard.asked.clone(), heard.moved.is_some());
    let Some(driven) = model.driven.iter_mut().find(|driven| driven.ticket == ticket && driven.is_active()) else {
        return Vec::new();
    };
    driven.hear(heard);
    let mut effects = asked.map(|asked| called(model, ticket, *asked)).unwrap_or_default();
    let reads_on = |view: &RunbookRunView| view.subject == Subject::Driven(ticket) && view.shows_timeline;
    if has_moved && model.view().runbook_run().is_some_and(reads_on) {
        effects.extend(with_shown(model, |screen, model| screen.refresh(model)));
    }
    if model.view().screen().depends_on(crate::screens::screen::Change::Runs) {
        model.settle();
    }
    effects
}

fn called(model: &mut Model, ticket: Ticket, asked: Asked) -> Vec<Effect> {
    if let Some(before) = model.overlay.take_if(|overlay| is_about(overlay, ticket)) {
        // A plan that was asked for anew takes the place of the one that was too old.
        if let (Overlay::Flow(before), Question::Agree { .. }) = (before, &asked.question) {
            show(model, ticket, asked.clone(), Some(*before));
        }
    }
    let is_shown = model.view().runbook_run().is_some_and(|view| view.subject == Subject::Driven(ticket));
    if is_shown {
        return Vec::new();
    }
    let Some(driven) = model.driven(ticket) else { return Vec::new() };
    let words = format!("{} waits for {}", driven.runbook.name, waits_for(driven, &asked));
    vec![Effect::Attention(Some(Text::line(&words)))]
}

/// Whether an overlay is about a question of a run.
fn is_about(overlay: &Overlay, ticket: Ticket) -> bool {
    match overlay {
        Overlay::Flow(flow) => matches!(&flow.wanted, Wanted::Step(step) if step.ticket == ticket),
        Overlay::Values(form) => matches!(form.purpose, Purpose::Answer(of, _) if of == ticket),
        Overlay::Decide(deciding) => deciding.ticket == ticket,
        Overlay::Help(_)
        | Overlay::Palette(_)
        | Overlay::Sheet(_)
        | Overlay::Sort(_)
        | Overlay::Columns(_)
        | Overlay::Diff(_)
        | Overlay::Acknowledge(_)
        | Overlay::Quitting(_) => false,
    }
}

pub(crate) fn finished(model: &mut Model, ticket: Ticket, answer: Result<Box<RunbookReport>, Failure>) -> Vec<Effect> {
    let Some(driven) = model.driven.iter_mut().find(|driven| driven.ticket == ticket && driven.is_active()) else {
        return Vec::new();
    };
    if let Ok(report) = &answer {
        driven.steps.clone_from(&report.steps);
        driven.run = Some(report.run.clone());
    }
    let was_asking = driven.asked.take().is_some();
    (driven.doing, driven.running) = (None, None);
    let notice = notice(&driven.runbook.name, &driven.environment, &answer);
    let environment = driven.environment.clone();
    driven.end = Some(answer);
    model.overlay.take_if(|overlay| is_about(overlay, ticket));
    let is_shown = model.view().runbook_run().is_some_and(|view| view.subject == Subject::Driven(ticket));
    if !is_shown || model.overlay.is_some() {
        let key = model.keymap.key_for(Scope::Everywhere, Command::Runbooks);
        let where_to = key.map(|key| format!("; {key} lists the open ones")).unwrap_or_default();
        model.say(Notice { text: Text::line(&format!("{}{where_to}", notice.text)), ..notice });
    }
    let is_over = !model.is_busy();
    if model.leaving && is_over {
        return vec![Effect::Quit];
    }
    if is_over {
        model.overlay.take_if(|overlay| matches!(overlay, Overlay::Quitting(_)));
    }
    model.settle();
    let mut effects = vec![Effect::Refresh(Some(environment))];
    if was_asking && model.asking().next().is_none() {
        effects.push(Effect::Attention(None));
    }
    let lists = |view: &View| matches!(view, View::Activity(_) | View::Runbooks(_));
    if model.views.iter().any(lists) {
        effects.extend(activity::ask(model));
    }
    if model.view().runbook_run().is_some() {
        effects.extend(with_shown(model, |screen, model| screen.refresh(model)));
    }
    effects
}

fn notice(name: &str, environment: &EnvironmentName, end: &Result<Box<RunbookReport>, Failure>) -> Notice {
    let what = format!("runbook {name} in {environment}");
    match end {
        Ok(report) => match (report.end, &report.waits_for) {
            (Some(end), _) => {
                let text = format!("{what}: {}", end.words());
                match end {
                    End::Done | End::Nothing => Notice::good(&text),
                    End::Failed | End::Refused | End::Partly | End::Stale | End::Interrupted => Notice::bad(&text),
                }
            }
            (None, Some(waits_for)) => Notice::note(&format!("{what} is left open: waits for {waits_for}")),
            (None, None) => Notice::note(&format!("{what} is left open")),
        },
        Err(failure) => Notice::bad(&format!("{what}: {}", failure.what)),
    }
}
