//! What lets a Lambda function run: its EventBridge rule, its reserved concurrency. What setting one would change.

use super::{
    EnableRule, Memory, RestoreConcurrency, ToToggle, Turn,
    memory::{Known, as_before},
};
use crate::{
    cloud::{Cloud, CloudError, ErrorKind, events::Rule},
    domain::{Outbox, Relay, Setting, Text, Toggle, Try},
    journal::TurnedOffBy,
    operations::{Bound, Operation, OperationError, Planned, Planner, command_line, plan::Plan, resolve::did_you_mean},
};

/// Looks until the setting is shown.
const LOOKS: u64 = 2;

pub(super) enum Starter {
    /// A rule of the default event bus, by name.
    Rule(String),
    /// A function, by its name: its reserved concurrency.
    Function(String),
}

impl Starter {
    fn name(&self) -> &str {
        let (Self::Rule(name) | Self::Function(name)) = self;
        name
    }

    fn toggle(&self) -> Toggle {
        match self {
            Self::Rule(name) => Toggle::Rule(name.clone()),
            Self::Function(name) => Toggle::Concurrency(name.clone()),
        }
    }
}

struct Scene {
    now: Setting,
    /// When the run began.
    from: Setting,
    /// Of a rule.
    rule: Option<Rule>,
    /// How it stood before opsctl turned it off.
    before: Option<TurnedOffBy>,
    /// From what to what the run has set it already, or was about to.
    earlier: Option<(Setting, Setting)>,
}

pub(super) async fn plan(
    starter: Starter,
    turn: Turn,
    cloud: &Cloud,
    planner: &Planner,
) -> Result<Planned, OperationError> {
    check_name(&starter)?;
    let toggle = starter.toggle();
    let scene = Scene::look(&starter, cloud, planner).await?;
    let from = scene.from;
    let (to, because) = scene.wanted(turn);
    let is_there = match turn {
        Turn::On => !from.is_off(),
        Turn::Off => from.is_off(),
    };
    let mut plan = planner.draft();
    plan.resource = Text::line(starter.name());
    plan.summary = Text::line(&summary(&starter, turn));
    plan.empty = is_there;
    plan.observe(toggle.to_string(), format!("{} to {}", from.words(), to.words()));
    plan.fact(label(&starter), starter.name());
    plan.fact("now", from.words().as_str());
    if is_there {
        plan.warn(format!("nothing to do: {}", from.words()));
    } else {
        plan.fact("after", format!("{}{because}", to.words()));
        calls(&mut plan, &starter, to);
    }
    scene.describe_rule(&mut plan, turn);
    of_outboxes(&mut plan, &starter, turn, cloud).await;
    let memory = if to.is_off() { Memory::Keep(from) } else { Memory::Forget };
    let name = toggle.to_string();
    Ok(Planned { plan, bound: Bound::Toggle(vec![ToToggle { toggle, name, from, to, memory }]) })
}

/// Neither service takes other names; an ARN may be of another account or region.
fn check_name(starter: &Starter) -> Result<(), OperationError> {
    let name = starter.name();
    let is_name = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.');
    if !name.is_empty() && name.chars().all(is_name) {
        return Ok(());
    }
    let what = format!("`{name}` is not the name of a {}", label(starter));
    Err(OperationError::usage(
        &what,
        Try::WriteItSo.says(format!("give the {}'s name, without what an ARN has before it", label(starter))),
    ))
}

fn label(starter: &Starter) -> &'static str {
    match starter {
        Starter::Rule(_) => "rule",
        Starter::Function(_) => "function",
    }
}

fn summary(starter: &Starter, turn: Turn) -> String {
    match (starter, turn) {
        (Starter::Rule(name), Turn::On) => format!("enable rule {name}"),
        (Starter::Rule(name), Turn::Off) => format!("disable rule {name}"),
        (Starter::Function(name), Turn::On) => format!("restore the concurrency of function {name}"),
        (Starter::Function(name), Turn::Off) => format!("stop function {name} by a reserved concurrency of 0"),
    }
}

fn calls(plan: &mut Plan, starter: &Starter, to: Setting) {
    let (change, write, read) = match to {
        Setting::Enabled(true) => ("the rule starts its targets again", "events:EnableRule", "events:DescribeRule"),
        Setting::Enabled(false) => {
            ("the rule starts nothing more after a short while", "events:DisableRule", "events:DescribeRule")
        }
        Setting::Reserved(None) => (
            "the function takes of the account's unreserved concurrency",
            "lambda:DeleteFunctionConcurrency",
            "lambda:GetFunctionConcurrency",
        ),
        Setting::Reserved(Some(0)) => (
            "every new call of the function is throttled; calls that run go on",
            "lambda:PutFunctionConcurrency",
            "lambda:GetFunctionConcurrency",
        ),
        Setting::Reserved(Some(_)) | Setting::RetentionSeconds(_) | Setting::MutedUntil(_) => (
            "so many calls of the function may run at once",
            "lambda:PutFunctionConcurrency",
            "lambda:GetFunctionConcurrency",
        ),
    };
    plan.change(change);
    plan.call(write, Some(starter.name()), 1);
    plan.call(read, Some(starter.name()), LOOKS);
}

impl Scene {
    async fn look(starter: &Starter, cloud: &Cloud, planner: &Planner) -> Result<Self, OperationError> {
        let (toggle, known) = (starter.toggle(), Known::read(cloud, planner).await?);
        let unknown = |error| not_there(starter, cloud, error);
        let (now, rule) = match starter {
            Starter::Rule(name) => {
                let rule = cloud.events.rule(name).await.map_err(unknown)?;
                (Setting::Enabled(rule.enabled), Some(rule))
            }
            Starter::Function(name) => {
                (Setting::Reserved(cloud.lambda.concurrency(name).await.map_err(unknown)?), None)
            }
        };
        let (before, earlier) = (known.before(&toggle).cloned(), known.earlier(&toggle));
        Ok(Self { now, from: known.from(&toggle, now), rule, before, earlier })
    }

    /// What it is set to, and in words why to that.
    fn wanted(&self, turn: Turn) -> (Setting, String) {
        let before = self.before.as_ref().filter(|before| !before.from.is_off());
        let by = before.map(as_before);
        match (turn, self.rule.is_some(), before) {
            // A resume puts back what the run had begun to, though it may be forgotten by now.
            (Turn::On, false, _) if self.earlier.is_some_and(|(_, to)| !to.is_off()) => {
                (self.earlier.map_or(self.now, |(_, to)| to), by.unwrap_or_default())
            }
            (Turn::On, false, Some(before)) => (before.from, by.unwrap_or_default()),
            (Turn::On, false, None) => {
                (Setting::Reserved(None), " (opsctl did not set the 0, and remembers no other value)".to_owned())
            }
            (Turn::On, true, _) => {
                (Setting::Enabled(true), by.unwrap_or_else(|| " (opsctl did not disable it)".to_owned()))
            }
            (Turn::Off, false, _) => (Setting::Reserved(Some(0)), String::new()),
            (Turn::Off, true, _) => (Setting::Enabled(false), String::new()),
        }
    }

    fn describe_rule(&self, plan: &mut Plan, turn: Turn) {
        let Some(rule) = &self.rule else { return };
        if let Some(schedule) = &rule.schedule {
            plan.fact("schedule", schedule.as_str());
        }
        if let Some(owner) = &rule.managed_by {
            plan.block(format!("{owner} manages the rule, and nobody else may change it"));
        }
        if !rule.is_plain && turn == Turn::Off {
            plan.block(
                "the rule takes CloudTrail's management events as well, which enabling it again would not bring back",
            );
        }
    }
}

fn not_there(starter: &Starter, cloud: &Cloud, error: CloudError) -> OperationError {
    if error.kind != ErrorKind::NotFound {
        return error.into();
    }
    let environment = cloud.environment();
    let known = environment.databases.outboxes.iter().filter_map(|outbox| named(outbox, starter));
    let known: Vec<String> = known.map(str::to_owned).collect();
    let words = format!("see `{}`", environment.command("outbox list"));
    let hint = did_you_mean(starter.name(), &known).unwrap_or(words);
    let (name, region) = (starter.name(), &environment.region);
    OperationError::usage(
        &format!("there is no {} {name} in {} ({region})", label(starter), environment.name),
        Try::NameAnother.says(&hint),
    )
}

/// What of this kind an outbox's relay runs by.
fn named<'a>(outbox: &'a Outbox, starter: &Starter) -> Option<&'a str> {
    let Relay::Function { function, rule } = &outbox.relay else { return None };
    match starter {
        Starter::Rule(_) => rule.as_deref(),
        Starter::Function(_) => Some(function),
    }
}

/// Outboxes that it publishes, and what else keeps their relay from running.
async fn of_outboxes(plan: &mut Plan, starter: &Starter, turn: Turn, cloud: &Cloud) {
    let environment = cloud.environment();
    let is_meant = |outbox: &&Outbox| named(outbox, starter) == Some(starter.name());
    let outboxes: Vec<&Outbox> = environment.databases.outboxes.iter().filter(is_meant).collect();
    let names: Vec<&str> = outboxes.iter().map(|outbox| outbox.name.as_str()).collect();
    if names.is_empty() {
        return;
    }
    plan.fact("outboxes", names.join(", "));
    if turn == Turn::Off {
        plan.warn(format!("rows of {} wait until it is turned on again", names.join(", ")));
        return;
    }
    let Some(Relay::Function { function, rule }) = outboxes.first().map(|outbox| &outbox.relay) else { return };
    let shown = |operation: Operation| command_line(&operation, &environment.name, &environment.invocation);
    match (starter, rule) {
        (Starter::Rule(_), _) if cloud.lambda.concurrency(function).await.ok().flatten() == Some(0) => {
            let command = shown(Operation::RestoreConcurrency(RestoreConcurrency { function: function.clone() }));
            plan.warn((
                format!("function {function} is throttled besides (its reserved concurrency is 0)"),
                Try::UseOther.says(format!("`{command}` puts that back")),
            ));
        }
        (Starter::Function(_), Some(rule)) if cloud.events.rule(rule).await.is_ok_and(|rule| !rule.enabled) => {
            let command = shown(Operation::EnableRule(EnableRule { rule: rule.clone() }));
            plan.warn((
                format!("rule {rule}, which starts it, is disabled besides"),
                Try::UseOther.says(format!("`{command}` enables it")),
            ));
        }
        (Starter::Rule(_) | Starter::Function(_), _) => {}
    }
}
