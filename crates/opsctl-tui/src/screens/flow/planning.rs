//! An operation on its way from a key to consent: planned, shown, perhaps changed, agreed to.

use std::time::Duration;

use jiff::SignedDuration;

use crate::{
    domain::{EnvironmentName, Invocation, QueueName, RunId, Text, words::within},
    gate,
    operations::{Operation, command_line, plan::Plan, resume_line, values::Uncertain},
    run::Failure,
    screens::flow::{draw, shown},
    state::{
        effect::Effect,
        event::Notice,
        flow::{Consenting, Flow, Wanted},
        model::Model,
        page::Page,
        ticket::{Load, Ticket},
        view::Overlay,
    },
    widgets::ages::expires_seconds,
};

/// A plan that is older is made anew before it is agreed to: the world goes on.
pub const PLAN_SECONDS_MAX: i64 = 300;

impl Flow {
    pub(super) fn new(model: &Model, environment: &EnvironmentName, wanted: Wanted) -> Self {
        Self {
            environment: environment.clone(),
            wanted,
            plan: Load::Idle,
            asked_at: model.now,
            planned_at: None,
            planned_frame: 0,
            quiet_since: Duration::ZERO,
            early: false,
            asked: None,
            notes: Vec::new(),
            consenting: Consenting::default(),
            options: None,
            page: Page::default(),
            top: 0,
        }
    }

    /// The plan that can be agreed to: none while another one is awaited or failed.
    pub(super) fn ready(&self) -> Option<&Plan> {
        match &self.plan {
            Load::Here(plan) => Some(plan),
            Load::Idle | Load::Waiting(..) | Load::Failed(..) => None,
        }
    }

    /// What it is about, in words.
    pub(super) fn title(&self) -> String {
        let planned = self.plan.shown().map(|plan| &plan.operation);
        let what = match (&self.wanted, planned) {
            (Wanted::Operation(operation), _) => subject(operation),
            (Wanted::Resume(run), Some(operation)) => format!("go on with {run}: {}", subject(operation)),
            (Wanted::Resume(run), None) => format!("go on with {run}"),
        };
        Text::line(&what).to_string()
    }

    /// The command line that does the same.
    fn command(&self, invocation: &Invocation) -> Option<String> {
        let line = match (&self.wanted, self.plan.shown()) {
            (Wanted::Operation(operation), _) => command_line(operation, &self.environment, invocation),
            (Wanted::Resume(run), Some(plan)) => resume_line(&plan.operation, run, &self.environment, invocation),
            (Wanted::Resume(_), None) => return None,
        };
        Some(Text::line(&line).to_string())
    }
}

/// An operation and what it is about: `redrive orders-dlq`.
pub(crate) fn subject(operation: &Operation) -> String {
    Text::line(&format!("{} {}", operation.name(), operation.named())).to_string()
}

/// Begins: plans the operation.
pub fn begin(model: &mut Model, environment: &EnvironmentName, operation: Operation) -> Vec<Effect> {
    plan(model, environment, Wanted::Operation(Box::new(operation)))
}

/// Begins: goes on with a run, once it was agreed to anew.
pub(crate) fn resume(model: &mut Model, environment: &EnvironmentName, run: RunId) -> Vec<Effect> {
    plan(model, environment, Wanted::Resume(run))
}

fn plan(model: &mut Model, environment: &EnvironmentName, wanted: Wanted) -> Vec<Effect> {
    let mut flow = Flow::new(model, environment, wanted);
    let effects = plan_again(&mut flow, model, None);
    model.overlay = Some(Overlay::Flow(Box::new(flow)));
    effects
}

/// Asks for a plan; an answer to an earlier question counts no longer.
pub(super) fn plan_again(flow: &mut Flow, model: &mut Model, why: Option<Text>) -> Vec<Effect> {
    let ticket = model.ticket();
    flow.plan.ask(ticket);
    flow.asked_at = model.now;
    flow.notes = why.into_iter().collect();
    flow.early = false;
    flow.consenting.forget();
    match &flow.wanted {
        Wanted::Operation(operation) => vec![Effect::Plan(ticket, flow.environment.clone(), operation.clone())],
        Wanted::Resume(run) => vec![Effect::PlanResume(ticket, run.clone())],
    }
}

/// Takes a plan in.
pub(crate) fn planned(model: &mut Model, ticket: Ticket, answer: Result<Box<Plan>, Failure>) {
    let (now, frames, moment) = (model.now, model.frames, model.moment);
    let Some(Overlay::Flow(flow)) = &mut model.overlay else { return };
    let before = flow.plan.shown().cloned();
    let answer = answer.map(|plan| {
        let mut plan = *plan;
        if matches!(flow.wanted, Wanted::Resume(_)) {
            // It is decided anew each time.
            plan.decide_uncertain(Uncertain::default());
        }
        plan
    });
    if !flow.plan.answer(ticket, answer) {
        return;
    }
    flow.planned_at = Some(now);
    flow.planned_frame = frames;
    flow.quiet_since = moment;
    // What was typed was typed for the plan before.
    flow.consenting.forget();
    if let (Some(before), Some(plan)) = (before, flow.ready())
        && before.operation == plan.operation
    {
        let differs = before.differences(plan).into_iter().map(|what| Text::line(&format!("differs now: {what}")));
        flow.notes.extend(differs);
    }
    model.settle();
}

/// Brings what is shown up to date with plan and size.
pub(super) fn settle(flow: &mut Flow, model: &Model) {
    let (size, look) = (model.size, model.look);
    let expires = expires(flow, model);
    let command = flow.command(&model.invocation()).unwrap_or_default();
    let plan = match &flow.plan {
        Load::Here(plan) | Load::Waiting(_, Some(plan)) => Some(plan),
        Load::Idle | Load::Waiting(_, None) | Load::Failed(..) => None,
    };
    let environment = model.site(&flow.environment).map(|site| site.environment.as_ref());
    flow.asked = plan.zip(environment).map(|(plan, environment)| gate::ask(plan, environment));
    let columns = usize::from(draw::inside_columns(size));
    flow.page = match plan {
        Some(plan) => shown::page(plan, &command, &flow.notes, expires.as_ref(), (columns, look)),
        None => Page::default(),
    };
    let rows = draw::page_rows(flow, size);
    flow.page.settle(&mut flow.top, rows);
}

/// What CloudWatch says of the queue that is redriven, where that is sooner than what the plan's look says.
fn expires(flow: &Flow, model: &Model) -> Option<Text> {
    let plan = flow.plan.shown()?;
    let Operation::Redrive(redrive) = &plan.operation else { return None };
    let name = QueueName(redrive.queue.rsplit(['/', ':']).next().unwrap_or_default().to_owned());
    let (_, seen) = model.queue(&flow.environment, &name)?;
    let known = expires_seconds(seen, model.now)?.max(0);
    let sampled = plan.expires_at.map(|at| at.duration_since(model.now).as_secs().max(0));
    let words = |seconds: i64| within(SignedDuration::from_secs(seconds));
    match sampled {
        None => Some(Text::line(&format!("{}, by CloudWatch", words(known)))),
        Some(sampled) if known < sampled => {
            Some(Text::line(&format!("{}, by CloudWatch; the oldest in the look: {}", words(known), words(sampled))))
        }
        Some(_) => None,
    }
}

/// The terminal's clipboard gets the command line.
pub(super) fn copy_command(flow: &Flow, model: &mut Model) -> Vec<Effect> {
    match flow.command(&model.invocation()) {
        Some(command) => vec![Effect::Copy(command)],
        None => {
            model.say(Notice::bad("there is no plan yet"));
            Vec::new()
        }
    }
}
