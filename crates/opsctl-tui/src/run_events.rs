//! What runs tell: how far they are, how they ended, what their journals say.

use crate::{
    domain::Text,
    journal::{Entry, RunSummary},
    keymap::{Command, Scope},
    navigate::with_shown,
    run::{End, Failure, Progress, Report},
    screens::{flow::planning::subject, letters::edits, runs::activity},
    state::{Effect, Load, Model, Notice, Overlay, Past, RunState, Ticket, View, run::Subject},
};

pub(crate) fn progress(model: &mut Model, ticket: Ticket, mut progress: Progress) {
    let Some(run) = model.runs.iter_mut().find(|run| run.ticket == ticket && run.is_active()) else { return };
    let had_name = run.run().is_some();
    run.sample(&progress);
    run.hear(&mut progress);
    run.progress = Some(progress);
    match model.view() {
        View::Run(view) if view.subject == Subject::Here(ticket) => model.settle(),
        View::Activity(_) if had_name => activity::progressed(model, ticket),
        // By its name it takes the place of what its journal tells.
        View::Activity(_) => model.settle(),
        View::Run(_) | View::Home(_) | View::List(_) | View::Letters(_) | View::Message(_) => {}
        View::Runbooks(_) | View::Runbook(_) | View::RunbookRun(_) => {}
    }
}

pub(crate) fn finished(model: &mut Model, ticket: Ticket, end: Result<Box<Report>, Failure>) -> Vec<Effect> {
    let is_shown = model.view().run().is_some_and(|view| view.subject == Subject::Here(ticket));
    let seen = is_shown && model.overlay.is_none();
    let Some(run) = model.runs.iter_mut().find(|run| run.ticket == ticket && run.is_active()) else {
        return Vec::new();
    };
    run.end = Some(end);
    let environment = run.plan.environment.clone();
    let notice = notice(run);
    if !seen {
        let key = model.keymap.key_for(Scope::Everywhere, Command::Activity);
        let where_to = key.map(|key| format!("; {key} shows it")).unwrap_or_default();
        model.say(Notice { text: Text::line(&format!("{}{where_to}", notice.text)), ..notice });
    }
    let is_over = !model.is_busy();
    if model.leaving && is_over {
        return vec![Effect::Quit];
    }
    if is_over {
        // Nothing is left to ask about.
        model.overlay.take_if(|overlay| matches!(overlay, Overlay::Quitting(_)));
    }
    model.settle();
    // What it changed is worth a fresh look.
    let mut effects = vec![Effect::Refresh(Some(environment))];
    if model.views.iter_mut().any(|view| view.activity_mut().is_some()) {
        effects.extend(activity::ask(model));
    }
    effects.extend(edits::ask_sent(model, ticket));
    if model.view().run().is_some() {
        effects.extend(with_shown(model, |screen, model| screen.refresh(model)));
    }
    effects
}

fn notice(run: &RunState) -> Notice {
    let what = format!("{} in {}", subject(&run.plan.operation), run.plan.environment);
    match &run.end {
        Some(Ok(report)) => {
            let how = report.details.words();
            let text = format!("{what}: {}, {how}", report.end.words());
            match report.end {
                End::Done | End::Nothing => Notice::good(&text),
                End::Failed | End::Refused | End::Partly | End::Stale | End::Interrupted => Notice::bad(&text),
            }
        }
        Some(Err(failure)) => Notice::bad(&format!("{what}: {}", failure.what)),
        None => Notice::note(&what),
    }
}

pub(crate) fn listed(model: &mut Model, ticket: Ticket, answer: Result<Vec<RunSummary>, Failure>) {
    let good = answer.is_ok();
    let answer = answer.map(|runs| runs.into_iter().map(Past::from).collect());
    if model.history.answer(ticket, answer) && good {
        let now = model.now;
        model.views.iter_mut().filter_map(View::activity_mut).for_each(|view| view.read_at = Some(now));
    }
    model.settle();
}

pub(crate) fn journal_read(model: &mut Model, ticket: Ticket, answer: Result<Vec<Entry>, Failure>) {
    let mut views = model.views.iter_mut().filter_map(View::run_mut);
    let asked = views.find(|view| matches!(view.journal, Load::Waiting(waited, _) if waited == ticket));
    if let Some(view) = asked {
        view.journal.answer(ticket, answer);
        view.worded = None;
    }
    model.settle();
}
