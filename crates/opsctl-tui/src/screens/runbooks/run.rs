//! A run of a runbook: its steps, what is asked, and what can be done with it.

use std::sync::Arc;

use ratatui::{Frame, layout::Rect};

use super::{
    agree::show,
    begin as form, decide, run_draw, run_page,
    shown::{Shown, driven, end, first_open, shown},
};
use crate::{
    domain::{EnvironmentName, RunId, Text},
    keymap::{Command, Scope},
    runbook::drive::By,
    screens::screen::{Able, Change, Screen, moves},
    state::{
        Driven, Effect, Load, Model, Mouse, MouseWhat, Notice, RunbookRunView, View,
        run::{Known, Subject},
        runbook::{Begin, Offer, Question},
    },
};

/// Opens the view of a run.
pub(crate) fn open(model: &mut Model, subject: Subject) -> Vec<Effect> {
    let mut view = RunbookRunView::new(subject);
    let effects = read(&mut view, model);
    model.open(View::RunbookRun(Box::new(view)));
    effects
}

/// The command line that goes on with a run.
pub(crate) fn copy_command(model: &Model, known: &Known) -> Vec<Effect> {
    let command = known.run.as_ref().map(|run| model.invocation().command(&format!("runbook resume {run}")));
    command.into_iter().map(Effect::Copy).collect()
}

fn read(view: &mut RunbookRunView, model: &mut Model) -> Vec<Effect> {
    let run = match &view.subject {
        Subject::Past(run) => Some(run.clone()),
        Subject::Driven(_) => driven(model, view).and_then(|driven| driven.run.clone()),
        Subject::Here(_) => None,
    };
    let Some(run) = run else { return Vec::new() };
    let ticket = model.ticket();
    view.stood.ask(ticket);
    vec![Effect::ReadStanding(ticket, run)]
}

/// Who carried out an open run last, and what is needed to go on with it; else why that is not possible.
fn open_run<'a>(model: &'a Model, view: &'a RunbookRunView) -> Result<(Text, Shown<'a>), &'static str> {
    match (driven(model, view), &view.stood) {
        (Some(driven), _) if driven.is_active() => return Err("it is running here"),
        (Some(_), _) => {}
        (None, Load::Here(_) | Load::Waiting(_, Some(_))) => {}
        (None, Load::Idle | Load::Waiting(_, None)) => return Err("still reading its journal"),
        (None, Load::Failed(..)) => return Err("its journal can't be read"),
    }
    if end(model, view).is_some() {
        return Err("it has ended: start a new run");
    }
    let driver = view.stood.shown().map_or_else(|| model.person.clone(), |stood| stood.driver.clone());
    match shown(model, view) {
        Some(shown) if shown.run.is_some() => Ok((driver, shown)),
        Some(_) | None => Err("it never started"),
    }
}

fn able_to_resume(model: &Model, view: &RunbookRunView, command: Command) -> Able {
    let (driver, shown) = match open_run(model, view) {
        Ok(known) => known,
        Err(because) => return Able::no(because),
    };
    if model.leaving {
        return Able::no("opsctl is quitting");
    }
    if model.site(shown.environment).is_none() {
        return Able::no("its environment is not configured here");
    }
    match (command == Command::TakeOver, driver == model.person) {
        (true, true) => Able::no("you already run it"),
        (false, false) => {
            let key = model.keymap.key_for(Scope::RunbookRun, Command::TakeOver).unwrap_or("take-over");
            Able::no(&format!("{driver} runs it: {key} takes it over"))
        }
        (true, false) | (false, true) => Able::Yes,
    }
}

fn resume(view: &mut RunbookRunView, model: &mut Model, by: By) -> Vec<Effect> {
    let asked_once = std::mem::replace(&mut view.takes_over, by == By::Anybody);
    let Ok((driver, shown)) = open_run(model, view) else { return Vec::new() };
    if by == By::Anybody && !asked_once {
        let key = model.keymap.key_for(Scope::RunbookRun, Command::TakeOver).unwrap_or("take-over");
        let words = format!("{driver} is not notified and can no longer resume it: {key} again to take it over");
        model.say(Notice::bad(&words));
        return Vec::new();
    }
    let Some(run) = shown.run.cloned() else { return Vec::new() };
    let (environment, runbook) = (shown.environment.clone(), Arc::new(shown.runbook.clone()));
    let (begun_at, steps) = (shown.begun_at, shown.steps.to_vec());
    let ticket = model.ticket();
    let mut driven = Driven::begun(ticket, runbook, environment.clone(), (Some(run.clone()), begun_at));
    driven.steps = steps;
    driven.index = first_open(&driven.steps);
    model.driven.push(driven);
    (view.subject, view.picked, view.takes_over) = (Subject::Driven(ticket), None, false);
    model.settle();
    vec![Effect::CarryOut(ticket, Box::new(Begin::Again { run, environment, by }))]
}

/// Opens what answers the question.
fn answer(model: &mut Model, driven: &Driven) -> Vec<Effect> {
    let Some(asked) = driven.asked.as_deref() else { return Vec::new() };
    let ticket = driven.ticket;
    let title = driven.runbook.steps.get(asked.index).map(|step| step.name.clone()).unwrap_or_default();
    let to = (ticket, asked.number);
    match &asked.question {
        Question::Agree { .. } => show(model, ticket, asked.clone(), None),
        Question::Answer(ask) => return form::ask(model, to, &driven.environment, (&title, ask)),
        Question::Hand => decide::open(model, to, (title, None), vec![Offer::Done, Offer::NotDone]),
        Question::Decide { because, left, check_failed } => {
            let offers = decide::offers(left.as_ref(), *check_failed);
            decide::open(model, to, (title, Some(because.clone())), offers);
        }
    }
    Vec::new()
}

fn decline(model: &mut Model, driven: &Driven) {
    let Some(asked) = driven.asked.as_deref() else { return };
    let title = driven.runbook.steps.get(asked.index).map(|step| step.name.clone()).unwrap_or_default();
    let offer = match asked.question {
        Question::Agree { .. } => Offer::Refuse,
        Question::Answer(_) => Offer::NoAnswer,
        Question::Hand | Question::Decide { .. } => return,
    };
    decide::open(model, (driven.ticket, asked.number), (title, None), vec![offer]);
}

impl Screen for RunbookRunView {
    fn scope(&self) -> Scope {
        Scope::RunbookRun
    }

    fn wanted(&self) -> &'static [Command] {
        &[Command::Open, Command::Journal, Command::Next, Command::Cancel, Command::Resume, Command::Export]
    }

    fn settle(&mut self, model: &Model) {
        self.page = run_page::page(model, self, run_draw::columns(model));
        let rows = run_draw::page_rows(model, self);
        self.page.settle(&mut self.top, rows);
    }

    fn depends_on(&self, change: Change) -> bool {
        match change {
            Change::Runs | Change::Time => true,
            Change::Seen => false,
        }
    }

    fn able(&self, model: &Model, command: Command) -> Able {
        let driven = driven(model, self);
        let asked = driven.and_then(|driven| driven.asked.as_ref());
        let run = shown(model, self).and_then(|shown| shown.run);
        match command {
            command if moves(command) => Able::Yes,
            Command::Next | Command::Previous => Able::Yes,
            Command::Open => Able::when(asked.is_some(), "nothing to answer now"),
            Command::Decline => match asked.map(|asked| &asked.question) {
                Some(Question::Agree { .. } | Question::Answer(_)) => Able::Yes,
                Some(Question::Hand | Question::Decide { .. }) | None => Able::no("nothing to decline"),
            },
            Command::Cancel => match driven {
                Some(driven) if driven.is_active() && !driven.cancelled => Able::Yes,
                Some(driven) if driven.is_active() => Able::no("it is already stopping"),
                Some(_) | None => Able::no("it is not running here"),
            },
            Command::Resume | Command::TakeOver => able_to_resume(model, self, command),
            Command::Journal | Command::Export | Command::Copy | Command::CopyCommand => {
                Able::when(run.is_some(), "it has no journal yet")
            }
            _ => Able::NotHere,
        }
    }

    fn command(&mut self, model: &mut Model, command: Command) -> Vec<Effect> {
        let rows = run_draw::page_rows(model, self);
        if self.page.step(&mut self.top, command, rows) {
            return Vec::new();
        }
        if command != Command::TakeOver {
            self.takes_over = false;
        }
        let driven = driven(model, self).cloned();
        match (command, driven) {
            (Command::Open, Some(driven)) => return answer(model, &driven),
            (Command::Decline, Some(driven)) => decline(model, &driven),
            (Command::Cancel, Some(driven)) => {
                if let Some(driven) = model.driven.iter_mut().find(|known| known.ticket == driven.ticket) {
                    driven.cancelled = true;
                }
                model.say(Notice::note("stopping after the current call; the run stays open"));
                model.settle();
                return vec![Effect::Cancel(driven.ticket)];
            }
            (Command::Resume, _) => return resume(self, model, By::Resume),
            (Command::TakeOver, _) => return resume(self, model, By::Anybody),
            (Command::Next | Command::Previous, _) => self.pick(model, command == Command::Next),
            (Command::Journal, _) => {
                self.shows_timeline = !self.shows_timeline;
                self.top = 0;
                model.settle();
                if self.shows_timeline {
                    return read(self, model);
                }
            }
            (Command::Export, _) => return self.run(model).map(Effect::Export).into_iter().collect(),
            (Command::Copy, _) => {
                return self.run(model).map(|run| Effect::Copy(run.to_string())).into_iter().collect();
            }
            (Command::CopyCommand, _) => {
                let command = |run| model.invocation().command(&format!("runbook resume {run}"));
                return self.run(model).map(|run| Effect::Copy(command(run))).into_iter().collect();
            }
            _ => {}
        }
        Vec::new()
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> Vec<Effect> {
        if let MouseWhat::Scroll(lines) = mouse.what {
            let rows = run_draw::page_rows(model, self);
            self.page.scroll(&mut self.top, lines, rows);
        }
        Vec::new()
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        run_draw::draw(model, self, frame, area);
    }

    fn refresh(&mut self, model: &mut Model) -> Vec<Effect> {
        read(self, model)
    }

    fn place(&self, model: &Model) -> Option<EnvironmentName> {
        shown(model, self).map(|shown| shown.environment.clone())
    }
}

impl RunbookRunView {
    fn run(&self, model: &Model) -> Option<RunId> {
        shown(model, self)?.run.cloned()
    }

    /// Looks at the step after or before; back at the one that is at work, it follows that again.
    fn pick(&mut self, model: &mut Model, forward: bool) {
        let Some((index, all)) = shown(model, self).map(|shown| (shown.index, shown.steps.len())) else { return };
        let at = self.picked.unwrap_or(index);
        let to = if forward { (at + 1).min(all.saturating_sub(1)) } else { at.saturating_sub(1) };
        self.picked = (to != index).then_some(to);
        (self.top, self.shows_timeline) = (0, false);
        model.settle();
    }
}
