//! What pausing or resuming consumers would change.

use super::{
    Consumers, PauseConsumers, ResumeConsumers, Turn,
    find::{Found, Scene, Which},
};
use crate::{
    cloud::Cloud,
    domain::{QueueArn, QueueName, Text, consumer::ConsumerId, words::counted},
    journal::Pause,
    operations::{
        Bound, OperationError, Planned, Planner,
        plan::{Call, Fact, Plan},
        resolve,
    },
};

/// Between looks while waiting, seconds.
const LOOK_EVERY_SECONDS: u64 = 2;
/// A mapping takes about so long to change its state, seconds; AWS says no figure.
const SWITCH_SECONDS: u64 = 20;

/// Observes and plans a pause.
pub(in crate::operations) async fn pause(
    asked: &PauseConsumers,
    cloud: &Cloud,
    planner: &Planner,
) -> Result<Planned, OperationError> {
    let queue = resolve::queue(cloud, &asked.queue).await?;
    let has_workers = cloud.environment().services.has_consumers(queue.name.as_str());
    let scene = Scene::look(cloud, planner, if has_workers { Which::All } else { Which::None }).await?;
    let found = scene.to_pause(cloud, std::slice::from_ref(&queue.arn), asked.timeout);
    let mut plan = planner.draft();
    plan.resource = Text::line(queue.name.as_str());
    describe(&mut plan, &found, &scene, cloud, "pause");
    let (count, name) = (found.bound.count(), &queue.name);
    plan.summary = Text::line(&format!("pause {} of {name}", counted(count as u64, "consumer")));
    plan.empty = count == 0;
    if count == 0 && found.left.is_empty() {
        plan.warnings.push(Text::line(&format!(
            "nobody is known to take messages of {name}: no event source mapping reads it, and no `consumers` of \
             opsctl.toml names a service for it"
        )));
    }
    plan.observed.insert("queue: arn".to_owned(), queue.arn.to_string());
    Ok(Planned { plan, bound: Bound::Consumers(found.bound) })
}

/// Observes and plans a resumption.
pub(in crate::operations) async fn resume(
    asked: &ResumeConsumers,
    cloud: &Cloud,
    planner: &Planner,
) -> Result<Planned, OperationError> {
    // The queue may be gone by now: its name is enough.
    let queue = asked.queue.as_deref().map(|given| given.trim().rsplit(['/', ':']).next().unwrap_or_default());
    let queue = queue.map(|name| QueueName(name.to_owned()));
    let scene = Scene::look(cloud, planner, Which::Paused(queue.as_ref())).await?;
    let found = scene.to_resume(queue.as_ref(), asked.timeout);
    let mut plan = planner.draft();
    let whose = queue.as_ref().map_or_else(|| "all queues".to_owned(), ToString::to_string);
    plan.resource = Text::line(queue.as_ref().map_or("consumers", QueueName::as_str));
    describe(&mut plan, &found, &scene, cloud, "resume");
    let count = found.bound.count();
    plan.summary = Text::line(&format!("resume {} of {whose}", counted(count as u64, "consumer")));
    // Forgetting is a change of our own notes; it is done where nothing else is.
    plan.empty = count == 0 && found.bound.forget.is_empty();
    if count == 0 {
        plan.warnings.push(Text::line(&format!("opsctl has paused no consumer of {whose} that is paused still")));
    }
    Ok(Planned { plan, bound: Bound::Consumers(found.bound) })
}

/// What pausing the consumers of these queues around another operation adds to that one's plan.
pub(in crate::operations) async fn around(
    queues: &[QueueArn],
    cloud: &Cloud,
    planner: &Planner,
    plan: &mut Plan,
) -> Result<Consumers, OperationError> {
    let rules = &cloud.environment().services;
    let has_workers = queues.iter().any(|queue| rules.has_consumers(queue.name().as_str()));
    let scene = Scene::look(cloud, planner, if has_workers { Which::All } else { Which::None }).await?;
    let found = scene.to_pause(cloud, queues, super::TIMEOUT);
    describe(plan, &found, &scene, cloud, "paused meanwhile");
    if found.bound.count() == 0 {
        plan.warnings.push(Text::from("no consumer is to be paused: none is known that takes messages there now"));
    } else {
        plan.changes.push(Text::from(
            "consumers are paused first and resumed at the end, also when the run fails or is stopped",
        ));
    }
    Ok(found.bound)
}

fn describe(plan: &mut Plan, found: &Found, scene: &Scene, cloud: &Cloud, label: &str) {
    let bound = &found.bound;
    for switch in &bound.mappings {
        let by = paused_by(scene, bound.turn, &ConsumerId::Mapping(switch.id.clone()));
        fact(plan, label, &format!("mapping {} of {} ({}){by}", switch.function, switch.queue, switch.id.0));
        let to = if switch.enabled { "paused to enabled" } else { "enabled to paused" };
        plan.observed.insert(format!("mapping {}", switch.id.0), format!("{}, {to}", switch.function));
    }
    for (_, change) in &bound.services {
        let by = paused_by(scene, bound.turn, &ConsumerId::Service(change.service.clone()));
        fact(plan, label, &format!("service {} {} to {}{by}", change.service, change.from, change.to));
        let value = format!("desired {} to {}", change.from, change.to);
        plan.observed.insert(format!("service {}", change.service), value);
    }
    if !found.left.is_empty() {
        fact(plan, "left as is", &found.left.join(", "));
    }
    match &scene.mappings {
        Ok(_) => {}
        Err(error) => plan.blockers.push(Text::line(&format!("the event source mappings are not known: {error}"))),
    }
    for unseen in &found.unseen {
        plan.blockers.push(Text::line(&format!("not known, and may be a consumer: {unseen}")));
    }
    for service in &found.always_on {
        plan.blockers.push(Text::line(&format!("{service} is always on")));
    }
    warn(plan, found, scene, cloud);
    call(plan, "lambda:UpdateEventSourceMapping", bound.mappings.len() as u64);
    let looks = if bound.mappings.is_empty() { 0 } else { SWITCH_SECONDS / LOOK_EVERY_SECONDS };
    call(plan, "lambda:GetEventSourceMapping", bound.mappings.len() as u64 * looks);
    call(plan, "ecs:UpdateService", bound.services.len() as u64);
    plan.messages_estimate = plan.messages_estimate.max(bound.count() as u64);
}

fn warn(plan: &mut Plan, found: &Found, scene: &Scene, cloud: &Cloud) {
    let bound = &found.bound;
    if bound.turn == Turn::Resume {
        return;
    }
    if !bound.mappings.is_empty() {
        let text = "a mapping on its way down still takes messages: what is waited for is that it says Disabled";
        plan.warnings.push(Text::from(text));
    }
    let rules = &cloud.environment().services;
    for (queue, change) in &bound.services {
        let scaling = scene.scaling.as_ref().and_then(|all| all.get(&change.service));
        match scaling {
            Some(scaling) if scaling.min > 0 || scaling.max > 0 => plan.warnings.push(Text::line(&format!(
                "{}: autoscaling ({} to {}) may wake it at its next scale-out, on the queue's depth for instance",
                change.service, scaling.min, scaling.max
            ))),
            Some(_) | None => {}
        }
        let others = rules.consumers.iter().filter(|(pattern, worker)| {
            pattern != queue.as_str() && crate::domain::service_rules::fits(worker, &change.service)
        });
        let others: Vec<&str> = others.map(|(pattern, _)| pattern.as_str()).collect();
        if !others.is_empty() {
            let text =
                format!("{} takes messages of {} as well, which wait meanwhile", change.service, others.join(", "));
            plan.warnings.push(Text::line(&text));
        }
    }
}

/// Whose pause it is that ends, and of when.
fn paused_by(scene: &Scene, turn: Turn, id: &ConsumerId) -> String {
    match (turn, scene.paused.of(id)) {
        (Turn::Resume, Some(Pause { run, at, .. })) => {
            format!(", paused by {run} at {}", at.strftime("%F %T UTC"))
        }
        (Turn::Resume, None) | (Turn::Pause, _) => String::new(),
    }
}

fn fact(plan: &mut Plan, label: &str, value: &str) {
    plan.facts.push(Fact { label: label.to_owned(), value: Text::line(value) });
}

fn call(plan: &mut Plan, action: &str, times_estimate: u64) {
    if times_estimate > 0 {
        plan.calls.push(Call { action: action.to_owned(), resource: plan.resource.clone(), times_estimate });
    }
}
