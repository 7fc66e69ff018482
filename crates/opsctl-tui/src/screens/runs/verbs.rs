//! What can be done with a run: stop it, go on with it, put back what it took, read its journal. The same in the list of runs
//! and in the view of one.

use crate::{
    domain::{EnvironmentName, Text},
    journal::{Record, RunSummary},
    keymap::Command,
    operations::{Operation, OperationKind, Restore, command_line},
    run::End,
    screens::{flow::planning, runbooks, screen::Able},
    state::{
        Driven, Effect, Model, Notice, Past, RunState, RunView, Ticket, View, Wanted,
        run::{Known, Standing, Subject},
    },
};

impl From<RunSummary> for Past {
    fn from(summary: RunSummary) -> Self {
        let known = Known::past(&summary);
        let did = match &summary.last.record {
            Record::Ended { did, .. } => Some(did.clone()),
            _ => None,
        };
        Self { summary, known, did }
    }
}

impl Known {
    pub fn here(state: &RunState) -> Self {
        let standing = match &state.end {
            None => Standing::Active { stopping: state.cancelled },
            Some(Ok(report)) => Standing::Ended { end: report.end, left: report.next.is_some() },
            Some(Err(_)) => Standing::NotBegun,
        };
        let report = state.end.as_ref().and_then(|end| end.as_ref().ok());
        Self {
            subject: Subject::Here(state.ticket),
            run: state.run().cloned(),
            environment: Some(state.plan.environment.clone()),
            operation: Some(state.plan.operation.clone()),
            runbook: None,
            standing,
            snapshot: report.map(|report| report.snapshot.is_some()),
        }
    }

    pub fn past(summary: &RunSummary) -> Self {
        let (is_left, snapshot) = match &summary.last.record {
            Record::Ended { is_left, has_snapshot, .. } => (*is_left, Some(*has_snapshot)),
            _ => (false, None),
        };
        let operation = match &summary.opened.record {
            Record::Opened { plan, .. } => {
                plan.get("operation").and_then(|operation| serde_json::from_value(operation.clone()).ok())
            }
            _ => None,
        };
        let standing = match summary.end() {
            Some(end) => Standing::Ended { end, left: is_left },
            None if summary.busy => Standing::Elsewhere,
            None => Standing::BrokeOff,
        };
        Self {
            subject: Subject::Past(summary.run.clone()),
            run: Some(summary.run.clone()),
            environment: summary.environment().map(|name| EnvironmentName(name.to_owned())),
            operation,
            runbook: summary.runbook().cloned(),
            standing,
            snapshot,
        }
    }

    /// A run of a runbook, of this console.
    pub fn driven(driven: &Driven) -> Self {
        let standing = match &driven.end {
            None => Standing::Active { stopping: driven.cancelled },
            Some(Ok(report)) => match report.end {
                Some(end) => Standing::Ended { end, left: false },
                None => Standing::BrokeOff,
            },
            Some(Err(_)) => Standing::NotBegun,
        };
        Self {
            subject: Subject::Driven(driven.ticket),
            run: driven.run.clone(),
            environment: Some(driven.environment.clone()),
            operation: None,
            runbook: Some(Text::line(&driven.runbook.name)),
            standing,
            snapshot: Some(false),
        }
    }

    fn ticket(&self) -> Option<Ticket> {
        match &self.subject {
            Subject::Here(ticket) | Subject::Driven(ticket) => Some(*ticket),
            Subject::Past(_) => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoOn {
    Resume,
    PlanAnew,
}

pub fn go_on(known: &Known) -> Result<GoOn, &'static str> {
    match known.standing {
        Standing::Ended { .. } | Standing::NotBegun if known.runbook.is_some() => Err("it has ended: begin a new run"),
        Standing::Active { .. } => Err("it is running"),
        Standing::Elsewhere => Err("another process works on it"),
        Standing::BrokeOff => Ok(GoOn::Resume),
        Standing::NotBegun if known.run.is_some() => Ok(GoOn::Resume),
        Standing::NotBegun => Ok(GoOn::PlanAnew),
        Standing::Ended { end: End::Done | End::Nothing, .. } => Err("it is done: nothing of it is left"),
        Standing::Ended { end: End::Stale, .. } => Ok(GoOn::PlanAnew),
        Standing::Ended { end: End::Failed | End::Refused | End::Partly | End::Interrupted, left } => {
            Ok(if left { GoOn::Resume } else { GoOn::PlanAnew })
        }
    }
}

pub(crate) fn able(model: &Model, known: &Known, command: Command) -> Able {
    let site = known.environment.as_ref().and_then(|name| model.site(name));
    match command {
        Command::Cancel => match known.standing {
            Standing::Active { stopping: false } => Able::Yes,
            Standing::Active { stopping: true } => Able::no("it is stopping already, after what is in hand"),
            Standing::Elsewhere => Able::no("another process works on it: stop it there"),
            Standing::BrokeOff | Standing::Ended { .. } | Standing::NotBegun => Able::no("it runs no more"),
        },
        Command::Resume | Command::Operate(OperationKind::Restore) if site.is_none() => {
            Able::no("its environment is not configured here")
        }
        Command::Resume => match go_on(known) {
            Ok(_) => Able::Yes,
            Err(because) => Able::no(because),
        },
        Command::Operate(OperationKind::Restore) if known.runbook.is_some() => {
            Able::no("it is a run of a runbook: the runs of its steps can be put back")
        }
        Command::Operate(OperationKind::Restore) => match (known.standing, known.snapshot, &known.run) {
            (Standing::Active { .. } | Standing::Elsewhere, ..) => Able::no("it is running"),
            (_, Some(false), _) => Able::no("it kept no snapshot: nothing can be put back"),
            (_, _, None) => Able::no("it was never begun"),
            (Standing::BrokeOff | Standing::Ended { .. } | Standing::NotBegun, Some(true) | None, Some(_)) => Able::Yes,
        },
        Command::Journal | Command::Copy => Able::when(known.run.is_some(), "it has no journal yet"),
        Command::CopyCommand => {
            Able::when(known.operation.is_some() || known.runbook.is_some(), "what it did can't be read")
        }
        _ => Able::NotHere,
    }
}

/// Carries a command out, which [`able`] allowed.
pub(crate) fn give(model: &mut Model, known: &Known, command: Command) -> Vec<Effect> {
    match command {
        Command::Cancel => cancel(model, known),
        Command::Resume => resume(model, known),
        Command::Operate(OperationKind::Restore) => restore(model, known),
        Command::CopyCommand if known.runbook.is_some() => runbooks::run::copy_command(model, known),
        Command::CopyCommand => {
            let invocation = model.invocation();
            let line = known.operation.as_ref().zip(known.environment.as_ref());
            line.map(|(operation, environment)| {
                // What was read from a file is made safe before a person pastes it into a shell.
                let line = command_line(operation, environment, &invocation);
                vec![Effect::Copy(Text::line(&line).to_string())]
            })
            .unwrap_or_default()
        }
        Command::Copy => known.run.iter().map(|run| Effect::Copy(run.to_string())).collect(),
        _ => Vec::new(),
    }
}

fn cancel(model: &mut Model, known: &Known) -> Vec<Effect> {
    let Some(ticket) = known.ticket() else { return Vec::new() };
    if let Some(run) = model.runs.iter_mut().find(|run| run.ticket == ticket) {
        run.cancelled = true;
    }
    if let Some(driven) = model.driven.iter_mut().find(|driven| driven.ticket == ticket) {
        driven.cancelled = true;
    }
    model.say(Notice::note("stopping after what is in hand"));
    model.settle();
    vec![Effect::Cancel(ticket)]
}

fn resume(model: &mut Model, known: &Known) -> Vec<Effect> {
    let Some(environment) = known.environment.clone() else { return Vec::new() };
    if known.runbook.is_some() {
        // Where it stands is looked at first: it is gone on with from there.
        return runbooks::run::open(model, known.subject.clone());
    }
    match (go_on(known), &known.run, &known.operation) {
        (Ok(GoOn::Resume), Some(run), _) => planning::plan(model, &environment, Wanted::Resume(run.clone())),
        (Ok(GoOn::PlanAnew | GoOn::Resume), _, Some(operation)) => {
            planning::begin(model, &environment, operation.clone())
        }
        (Ok(_), _, None) | (Err(_), ..) => {
            model.say(Notice::bad("what it did can't be read from its journal"));
            Vec::new()
        }
    }
}

fn restore(model: &mut Model, known: &Known) -> Vec<Effect> {
    let (Some(environment), Some(run)) = (known.environment.clone(), known.run.clone()) else { return Vec::new() };
    planning::begin(model, &environment, Operation::Restore(Restore::of(run)))
}

pub(crate) fn open(model: &mut Model, known: &Known, journal: bool) -> Vec<Effect> {
    if known.runbook.is_some() && !journal {
        return runbooks::run::open(model, known.subject.clone());
    }
    let past = matches!(known.subject, Subject::Past(_));
    let mut view = RunView::new(known.subject.clone(), journal || past);
    let effects = if journal || past { read_journal(&mut view, model) } else { Vec::new() };
    model.open(View::Run(view));
    effects
}

pub(crate) fn state<'a>(model: &'a Model, view: &RunView) -> Option<&'a RunState> {
    match &view.subject {
        Subject::Here(ticket) => model.runs.iter().find(|run| run.ticket == *ticket),
        Subject::Past(_) | Subject::Driven(_) => None,
    }
}

pub(crate) fn summary<'a>(model: &'a Model, view: &RunView) -> Option<&'a RunSummary> {
    past(model, view).map(|past| &past.summary)
}

fn past<'a>(model: &'a Model, view: &RunView) -> Option<&'a Past> {
    match &view.subject {
        Subject::Here(_) | Subject::Driven(_) => None,
        Subject::Past(id) => model.history.shown()?.iter().find(|past| past.summary.run == *id),
    }
}

pub(crate) fn known(model: &Model, view: &RunView) -> Option<Known> {
    state(model, view).map(Known::here).or_else(|| past(model, view).map(|past| past.known.clone()))
}

pub(crate) fn environment(model: &Model, view: &RunView) -> Option<EnvironmentName> {
    match &view.subject {
        Subject::Here(_) => state(model, view).map(|run| run.plan.environment.clone()),
        Subject::Driven(ticket) => model.driven(*ticket).map(|driven| driven.environment.clone()),
        Subject::Past(_) => {
            let name = summary(model, view)?.environment()?;
            Some(EnvironmentName(name.to_owned()))
        }
    }
}

/// Asks for the journal of this run, where its journal is shown.
pub(super) fn read_journal(view: &mut RunView, model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    if !view.shows_journal {
        return Vec::new();
    }
    let run = match &view.subject {
        Subject::Past(run) => Some(run.clone()),
        Subject::Here(_) => state(model, view).and_then(|run| run.run().cloned()),
        Subject::Driven(ticket) => model.driven(*ticket).and_then(|driven| driven.run.clone()),
    };
    let Some(run) = run else { return Vec::new() };
    view.journal.ask(ticket);
    view.worded = None;
    model.settle();
    vec![Effect::ReadJournal(ticket, run)]
}
