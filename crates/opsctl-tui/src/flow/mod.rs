//! An operation on its way from a key to consent: planned, shown, perhaps changed, agreed to.

mod consent;
mod draw;
mod keys;
mod options;
mod options_draw;
mod shown;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub(super) use draw::draw;
pub(super) use keys::{key, mouse, typed};

use self::{consent::Consenting, options::Form};
use super::{
    effect::Effect,
    event::Notice,
    field::Field,
    model::{Model, Overlay},
    page::Page,
    queues,
    ticket::{Load, Ticket},
};
use crate::{
    domain::{EnvironmentName, Invocation, QueueName, RunId, Text},
    gate::{self, Ask, Refusal},
    observe::words::within,
    operations::{Operation, command_line, resume_line, values::Uncertain},
    plan::Plan,
    run::Failure,
};

/// A plan that is older is made anew before it is agreed to: the world goes on.
pub const PLAN_SECONDS_MAX: i64 = 300;

/// An operation on its way to consent.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Where.
    pub environment: EnvironmentName,
    /// What is wanted.
    pub wanted: Wanted,
    /// The plan.
    pub plan: Load<Plan>,
    /// When the plan was asked for.
    pub asked_at: Timestamp,
    /// When it came.
    pub planned_at: Option<Timestamp>,
    /// Frames that had been drawn then.
    pub planned_frame: u64,
    /// The moment since which nobody has pressed a key of consent, this plan being there: [`super::model::Model::moment`].
    pub quiet_since: Duration,
    /// Whether somebody said yes before this plan was seen: what they agreed to was not this.
    pub early: bool,
    /// What the gate asks for it, or why there is no use in asking.
    pub asked: Option<Result<Ask, Refusal>>,
    /// What to know about this plan besides: why it was made anew, what differs.
    pub notes: Vec<Text>,
    /// The answer in the making.
    pub consenting: Consenting,
    /// How it is done, being changed.
    pub options: Option<Form>,
    /// The plan as shown.
    pub page: Page,
    /// First line of it that is seen.
    pub top: usize,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// This, planned now.
    Operation(Box<Operation>),
    /// What an earlier run left, as it was planned then.
    Resume(RunId),
}

impl Flow {
    fn new(model: &Model, environment: &EnvironmentName, wanted: Wanted) -> Self {
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

    /// The line that is typed in, if one is.
    pub(super) fn field(&mut self) -> Option<&mut Field> {
        match &mut self.options {
            Some(form) => form.field(),
            None => self.consenting.field(),
        }
    }

    /// The plan that can be agreed to: none while another one is awaited or failed.
    fn ready(&self) -> Option<&Plan> {
        match &self.plan {
            Load::Here(plan) => Some(plan),
            Load::Idle | Load::Waiting(..) | Load::Failed(..) => None,
        }
    }

    /// What it is about, in words.
    fn title(&self) -> String {
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
pub(super) fn subject(operation: &Operation) -> String {
    Text::line(&format!("{} {}", operation.name(), operation.named())).to_string()
}

/// Begins: plans the operation.
pub fn begin(model: &mut Model, environment: &EnvironmentName, operation: Operation) -> Vec<Effect> {
    let flow = Flow::new(model, environment, Wanted::Operation(Box::new(operation)));
    model.overlay = Some(Overlay::Flow(Box::new(flow)));
    plan_again(model, None)
}

/// Begins: goes on with a run, once it was agreed to anew.
pub(super) fn resume(model: &mut Model, environment: &EnvironmentName, run: RunId) -> Vec<Effect> {
    let flow = Flow::new(model, environment, Wanted::Resume(run));
    model.overlay = Some(Overlay::Flow(Box::new(flow)));
    plan_again(model, None)
}

/// Asks for a plan; an answer to an earlier question counts no longer.
fn plan_again(model: &mut Model, why: Option<Text>) -> Vec<Effect> {
    let (ticket, now) = (model.ticket(), model.now);
    let Some(Overlay::Flow(flow)) = &mut model.overlay else { return Vec::new() };
    flow.plan.ask(ticket);
    flow.asked_at = now;
    flow.notes = why.into_iter().collect();
    flow.early = false;
    flow.consenting.forget();
    match &flow.wanted {
        Wanted::Operation(operation) => vec![Effect::Plan(ticket, flow.environment.clone(), operation.clone())],
        Wanted::Resume(run) => vec![Effect::PlanResume(ticket, run.clone())],
    }
}

/// Takes a plan in.
pub(super) fn planned(model: &mut Model, ticket: Ticket, answer: Result<Box<Plan>, Failure>) -> Vec<Effect> {
    let (now, frames, moment) = (model.now, model.frames, model.moment);
    let Some(Overlay::Flow(flow)) = &mut model.overlay else { return Vec::new() };
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
        return Vec::new();
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
    settle(model);
    Vec::new()
}

/// Brings what is shown up to date with plan and size.
pub(super) fn settle(model: &mut Model) {
    let (size, look) = (model.size, model.look);
    let expires = expires(model);
    let invocation = model.invocation();
    let Some(Overlay::Flow(flow)) = &mut model.overlay else { return };
    let command = flow.command(&invocation).unwrap_or_default();
    let plan = match &flow.plan {
        Load::Here(plan) | Load::Waiting(_, Some(plan)) => Some(plan),
        Load::Idle | Load::Waiting(_, None) | Load::Failed(..) => None,
    };
    let environment = model.sites.iter().map(|site| &site.environment).find(|one| one.name == flow.environment);
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
fn expires(model: &Model) -> Option<Text> {
    let Some(Overlay::Flow(flow)) = &model.overlay else { return None };
    let plan = flow.plan.shown()?;
    let Operation::Redrive(redrive) = &plan.operation else { return None };
    let name = QueueName(redrive.queue.rsplit(['/', ':']).next().unwrap_or_default().to_owned());
    let at = queues::place_of(model, &flow.environment, &name)?;
    let (_, seen) = queues::seen_at(model, at)?;
    let known = queues::expires_seconds(seen, model.now)?.max(0);
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
fn copy_command(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Flow(flow)) = &model.overlay else { return Vec::new() };
    match flow.command(&model.invocation()) {
        Some(command) => vec![Effect::Copy(command)],
        None => {
            model.say(Notice::bad("there is no plan yet"));
            Vec::new()
        }
    }
}
