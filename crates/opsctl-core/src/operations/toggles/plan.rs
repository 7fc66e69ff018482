//! What setting a rule or a reserved concurrency would change.

use super::{EnableRule, RestoreConcurrency, ToToggle, Turn};
use crate::{
    cloud::{Cloud, CloudError, ErrorKind, events::Rule},
    domain::{Outbox, Relay, Setting, Text, Toggle},
    journal::{TurnedOff, TurnedOffBy},
    operations::{Bound, Operation, OperationError, Planned, Planner, command_line, plan::Plan, resolve::did_you_mean},
};

/// Looks until the setting is shown.
const LOOKS: u64 = 2;

struct Scene {
    now: Setting,
    /// Of a rule.
    rule: Option<Rule>,
    /// How it stood before opsctl turned it off.
    before: Option<TurnedOffBy>,
    /// From what to what the run has set it already, or was about to.
    earlier: Option<(Setting, Setting)>,
}

pub(super) async fn plan(
    toggle: Toggle,
    turn: Turn,
    cloud: &Cloud,
    planner: &Planner,
) -> Result<Planned, OperationError> {
    check_name(&toggle)?;
    let scene = Scene::look(&toggle, cloud, planner).await?;
    // What this run has set itself is no change of the world.
    let from = scene.earlier.filter(|(_, to)| *to == scene.now).map_or(scene.now, |(from, _)| from);
    let (to, because) = scene.wanted(turn);
    let is_there = match turn {
        Turn::On => !from.is_off(),
        Turn::Off => from.is_off(),
    };
    let mut plan = planner.draft();
    plan.resource = Text::line(toggle.name());
    plan.summary = Text::line(&summary(&toggle, turn));
    plan.empty = is_there;
    plan.observe(toggle.to_string(), format!("{} to {}", from.words(), to.words()));
    plan.fact(label(&toggle), toggle.name());
    plan.fact("now", from.words().as_str());
    if is_there {
        plan.warn(format!("nothing to do: {}", from.words()));
    } else {
        plan.fact("after", format!("{}{because}", to.words()));
        calls(&mut plan, &toggle, to);
    }
    scene.describe_rule(&mut plan, turn);
    of_outboxes(&mut plan, &toggle, turn, cloud).await;
    Ok(Planned { plan, bound: Bound::Toggle(ToToggle { toggle, from, to }) })
}

/// Neither service takes other names; an ARN may be of another account or region.
fn check_name(toggle: &Toggle) -> Result<(), OperationError> {
    let name = toggle.name();
    let is_name = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.');
    if !name.is_empty() && name.chars().all(is_name) {
        return Ok(());
    }
    let what = format!("`{name}` is not the name of a {}", label(toggle));
    Err(OperationError::usage(&what, &format!("give the {}'s name, without what an ARN has before it", label(toggle))))
}

fn label(toggle: &Toggle) -> &'static str {
    match toggle {
        Toggle::Rule(_) => "rule",
        Toggle::Concurrency(_) => "function",
    }
}

fn summary(toggle: &Toggle, turn: Turn) -> String {
    match (toggle, turn) {
        (Toggle::Rule(name), Turn::On) => format!("enable rule {name}"),
        (Toggle::Rule(name), Turn::Off) => format!("disable rule {name}"),
        (Toggle::Concurrency(name), Turn::On) => format!("restore the concurrency of function {name}"),
        (Toggle::Concurrency(name), Turn::Off) => format!("stop function {name} by a reserved concurrency of 0"),
    }
}

fn calls(plan: &mut Plan, toggle: &Toggle, to: Setting) {
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
        Setting::Reserved(Some(_)) => (
            "so many calls of the function may run at once",
            "lambda:PutFunctionConcurrency",
            "lambda:GetFunctionConcurrency",
        ),
    };
    plan.change(change);
    plan.call(write, Some(toggle.name()), 1);
    plan.call(read, Some(toggle.name()), LOOKS);
}

impl Scene {
    async fn look(toggle: &Toggle, cloud: &Cloud, planner: &Planner) -> Result<Self, OperationError> {
        let caller = cloud.identity.caller().await?;
        let before = TurnedOff::read(&planner.state, &caller.account, &cloud.environment().region)?.of(toggle).cloned();
        let earlier = planner.taken_up()?.and_then(|(_, history)| history.settings.get(toggle).copied());
        let unknown = |error| not_there(toggle, cloud, error);
        let (now, rule) = match toggle {
            Toggle::Rule(name) => {
                let rule = cloud.events.rule(name).await.map_err(unknown)?;
                (Setting::Enabled(rule.enabled), Some(rule))
            }
            Toggle::Concurrency(name) => {
                (Setting::Reserved(cloud.lambda.concurrency(name).await.map_err(unknown)?), None)
            }
        };
        Ok(Self { now, rule, before, earlier })
    }

    /// What it is set to, and in words why to that.
    fn wanted(&self, turn: Turn) -> (Setting, String) {
        let before = self.before.as_ref().filter(|before| !before.from.is_off());
        let by = before.map(|TurnedOffBy { at, run, .. }| format!(", as before {run} at {}", at.strftime("%F %T UTC")));
        match (turn, self.now, before) {
            // A resume puts back what the run had begun to, though it may be forgotten by now.
            (Turn::On, Setting::Reserved(_), _) if self.earlier.is_some_and(|(_, to)| !to.is_off()) => {
                (self.earlier.map_or(self.now, |(_, to)| to), by.unwrap_or_default())
            }
            (Turn::On, Setting::Reserved(_), Some(before)) => (before.from, by.unwrap_or_default()),
            (Turn::On, Setting::Reserved(_), None) => {
                (Setting::Reserved(None), " (opsctl did not set the 0, and remembers no other value)".to_owned())
            }
            (Turn::On, Setting::Enabled(_), _) => {
                (Setting::Enabled(true), by.unwrap_or_else(|| " (opsctl did not disable it)".to_owned()))
            }
            (Turn::Off, Setting::Reserved(_), _) => (Setting::Reserved(Some(0)), String::new()),
            (Turn::Off, Setting::Enabled(_), _) => (Setting::Enabled(false), String::new()),
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

fn not_there(toggle: &Toggle, cloud: &Cloud, error: CloudError) -> OperationError {
    if error.kind != ErrorKind::NotFound {
        return error.into();
    }
    let environment = cloud.environment();
    let known = environment.databases.outboxes.iter().filter_map(|outbox| named(outbox, toggle));
    let known: Vec<String> = known.map(str::to_owned).collect();
    let words = format!("see `{}`", environment.command("outbox list"));
    let hint = did_you_mean(toggle.name(), &known).unwrap_or(words);
    let (name, region) = (toggle.name(), &environment.region);
    OperationError::usage(&format!("there is no {} {name} in {} ({region})", label(toggle), environment.name), &hint)
}

/// What of this kind an outbox's relay runs by.
fn named<'a>(outbox: &'a Outbox, toggle: &Toggle) -> Option<&'a str> {
    let Relay::Function { function, rule } = &outbox.relay else { return None };
    match toggle {
        Toggle::Rule(_) => rule.as_deref(),
        Toggle::Concurrency(_) => Some(function),
    }
}

/// Outboxes that it publishes, and what else keeps their relay from running.
async fn of_outboxes(plan: &mut Plan, toggle: &Toggle, turn: Turn, cloud: &Cloud) {
    let environment = cloud.environment();
    let is_meant = |outbox: &&Outbox| named(outbox, toggle) == Some(toggle.name());
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
    match (toggle, rule) {
        (Toggle::Rule(_), _) if cloud.lambda.concurrency(function).await.ok().flatten() == Some(0) => {
            let command = shown(Operation::RestoreConcurrency(RestoreConcurrency { function: function.clone() }));
            plan.warn(format!("function {function} is throttled besides: its reserved concurrency is 0; `{command}`"));
        }
        (Toggle::Concurrency(_), Some(rule)) if cloud.events.rule(rule).await.is_ok_and(|rule| !rule.enabled) => {
            let command = shown(Operation::EnableRule(EnableRule { rule: rule.clone() }));
            plan.warn(format!("rule {rule}, which starts it, is disabled besides; `{command}`"));
        }
        (Toggle::Rule(_) | Toggle::Concurrency(_), _) => {}
    }
}
