//! An operation on its way from a key to consent: planned, shown, perhaps changed, agreed to.

use std::time::Duration;

use jiff::SignedDuration;

use crate::{
    domain::{EnvironmentName, Invocation, QueueName, Text, words::within},
    gate,
    operations::{
        Operation, command_line,
        plan::{
            Fact, Plan, SampledGroup, labels,
            words::{NOTHING, Part as Section},
        },
        resume_line,
        values::Uncertain,
    },
    run::Failure,
    screens::{flow::draw, runbooks::answer},
    state::{Consenting, Effect, Flow, Load, Look, Model, Notice, Overlay, Page, Role, Ticket, Wanted, flow::Step},
    widgets::{
        expires_seconds,
        page::{bar, part, thousands},
    },
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

    pub(super) fn title(&self) -> String {
        let planned = self.plan.shown().map(|plan| &plan.operation);
        let what = match (&self.wanted, planned) {
            (Wanted::Operation(operation), _) => subject(operation),
            (Wanted::Resume(run), Some(operation)) => format!("go on with {run}: {}", subject(operation)),
            (Wanted::Resume(run), None) => format!("go on with {run}"),
            (Wanted::Step(step), Some(operation)) => format!("{}: {}", step.name, subject(operation)),
            (Wanted::Step(step), None) => step.name.to_string(),
        };
        Text::line(&what).to_string()
    }

    fn command(&self, invocation: &Invocation) -> Option<String> {
        let line = match (&self.wanted, self.plan.shown()) {
            (Wanted::Operation(operation), _) => command_line(operation, &self.environment, invocation),
            (Wanted::Resume(run), Some(plan)) => resume_line(&plan.operation, run, &self.environment, invocation),
            (Wanted::Step(_), Some(plan)) => command_line(&plan.operation, &self.environment, invocation),
            (Wanted::Resume(_) | Wanted::Step(_), None) => return None,
        };
        Some(Text::line(&line).to_string())
    }
}

/// An operation and what it is about: `redrive orders-dlq`.
pub(crate) fn subject(operation: &Operation) -> String {
    Text::line(&format!("{} {}", operation.name(), operation.named())).to_string()
}

pub fn begin(model: &mut Model, environment: &EnvironmentName, operation: Operation) -> Vec<Effect> {
    plan(model, environment, Wanted::Operation(Box::new(operation)))
}

pub(crate) fn plan(model: &mut Model, environment: &EnvironmentName, wanted: Wanted) -> Vec<Effect> {
    let mut flow = Flow::new(model, environment, wanted);
    let effects = plan_again(&mut flow, model, None);
    model.overlay = Some(Overlay::Flow(Box::new(flow)));
    effects
}

/// Shows the plan of a step of a runbook, for consent; `before` waits for it already.
pub(crate) fn step(model: &mut Model, step: Step, plan: Box<Plan>, notes: Vec<Text>, before: Option<Flow>) {
    let environment = plan.environment.clone();
    let mut flow = Flow::new(model, &environment, Wanted::Step(Box::new(step)));
    flow.plan = Load::Here(*plan);
    flow.planned_at = Some(model.now);
    flow.planned_frame = model.frames;
    flow.quiet_since = model.moment;
    flow.notes = notes;
    if let Some(before) = before {
        flow.notes.splice(..0, before.notes);
        flow.consenting.reason = before.consenting.reason;
        if let (Some(before), Some(plan)) = (before.plan.shown(), flow.ready()) {
            let differs = before.differences(plan).into_iter().map(|what| Text::line(&format!("differs now: {what}")));
            let differs: Vec<Text> = differs.collect();
            flow.notes.extend(differs);
        }
    }
    model.overlay = Some(Overlay::Flow(Box::new(flow)));
    model.settle();
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
        Wanted::Step(step) => answer::plan_anew(model, step),
    }
}

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
        Some(plan) => page(plan, &command, &flow.notes, expires.as_ref(), (columns, look)),
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

pub(super) fn copy_command(flow: &Flow, model: &mut Model) -> Vec<Effect> {
    match flow.command(&model.invocation()) {
        Some(command) => vec![Effect::Copy(command)],
        None => {
            model.say(Notice::bad("there is no plan yet"));
            Vec::new()
        }
    }
}

/// Facts that come right after the summary: what, where, how many, how long still.
const FIRST: [&str; 9] = [
    labels::RUN,
    labels::FROM,
    labels::TO,
    labels::MESSAGES,
    labels::ONLY_WHERE,
    labels::AT_MOST,
    labels::SELECTED,
    labels::EXPIRES_IN,
    labels::MESSAGE_KEYS,
];
/// Items of a list that are shown; the rest is counted.
const ITEMS_MAX: usize = 50;
const BAR_COLUMNS: usize = 10;

/// `expires` says sooner than the plan does when messages begin to be deleted.
pub(crate) fn page(
    plan: &Plan,
    command: &str,
    notes: &[Text],
    expires: Option<&Text>,
    (columns, look): (usize, Look),
) -> Page {
    let mut page = Page::new(columns);
    let warning = look.sign("▲", "!");
    for note in notes {
        page.text(note.as_str(), Role::Accent);
    }
    for blocker in Section::Blockers.items(plan).iter().take(ITEMS_MAX) {
        page.item(look.sign("✗", "x"), Role::Critical, blocker, Role::Critical);
    }
    page.text(plan.summary.as_str(), Role::Strong);
    if plan.empty {
        page.text(NOTHING, Role::Good);
    }
    let is_first = |fact: &&Fact| FIRST.contains(&fact.label.as_str());
    let width = plan.facts.iter().map(|fact| fact.label.chars().count()).max().unwrap_or(0).max("command".len());
    for fact in plan.facts.iter().filter(is_first) {
        let soon = fact.label == labels::EXPIRES_IN;
        if let Some(sooner) = expires.filter(|_| soon) {
            page.pair(labels::EXPIRES_IN, width, sooner.as_str(), Role::Accent);
            continue;
        }
        pair(&mut page, fact, width, if soon { Role::Accent } else { Role::Text });
    }
    if let Some(sooner) = expires.filter(|_| !plan.facts.iter().any(|fact| fact.label == labels::EXPIRES_IN)) {
        page.pair(labels::EXPIRES_IN, width, sooner.as_str(), Role::Accent);
    }
    if let Some(text) = &plan.no_way_back {
        page.item(warning, Role::Warning, text.as_str(), Role::Warning);
    }
    for text in Section::Warnings.items(plan).iter().take(ITEMS_MAX) {
        page.item(warning, Role::Warning, text, Role::Warning);
    }
    for fact in plan.facts.iter().filter(|fact| !is_first(fact)) {
        pair(&mut page, fact, width, Role::Text);
    }
    page.pair("cost", width, &Section::Cost.items(plan).join(", "), Role::Text);
    groups(&mut page, &plan.groups, look);
    for section in [Section::Changes, Section::Calls] {
        let items = section.items(plan);
        if !items.is_empty() {
            page.blank();
            page.heading(section.title());
        }
        for item in items.iter().take(ITEMS_MAX) {
            page.item(look.sign("·", "-"), Role::Dim, Text::line(item).as_str(), Role::Text);
        }
        more(&mut page, items.len());
    }
    page.blank();
    page.pair(
        "plan",
        width,
        &format!("{} for {} ({}, {})", plan.fingerprint, plan.environment, plan.account, plan.region),
        Role::Dim,
    );
    page.pair("command", width, command, Role::Dim);
    page
}

fn pair(page: &mut Page, fact: &Fact, width: usize, role: Role) {
    page.pair(Text::line(&fact.label).as_str(), width, fact.value.as_str(), role);
}

fn groups(page: &mut Page, groups: &[SampledGroup], look: Look) {
    let total: u64 = groups.iter().map(|group| group.count).sum();
    if total == 0 {
        return;
    }
    page.blank();
    page.heading(&format!("Why they failed, {} sampled", thousands(total)));
    for group in groups.iter().take(ITEMS_MAX) {
        let (done, open) = bar(group.count as f64 / total as f64, BAR_COLUMNS, look);
        page.line(vec![
            part(format!("  {done}"), Role::Accent),
            part(open, Role::Line),
            part(format!(" {:>3}  ", group.count), Role::Text),
            part(Text::line(group.title.as_str()).to_string(), Role::Text),
        ]);
    }
    more(page, groups.len());
}

fn more(page: &mut Page, items: usize) {
    if items > ITEMS_MAX {
        page.text(&format!("  and {} more", items - ITEMS_MAX), Role::Dim);
    }
}
