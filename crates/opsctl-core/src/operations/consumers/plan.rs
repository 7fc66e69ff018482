//! What pausing or resuming consumers would change.

use super::{
    Consumers, PauseConsumers, ResumeConsumers, Turn,
    find::{Found, Scene, Which},
};
use crate::{
    cloud::Cloud,
    domain::{ConsumerId, QueueArn, QueueName, Scaling, Text, service_rules::fits, words::counted},
    journal::Pause,
    operations::{Bound, OperationError, Planned, Planner, plan::Plan, resolve},
};

/// Between looks while waiting, seconds.
const LOOK_EVERY_SECONDS: u64 = 2;
/// A mapping takes about so long to change its state, seconds; AWS says no figure.
const SWITCH_SECONDS: u64 = 20;

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
        plan.warn(format!(
            "nobody is known to take messages of {name}: no event source mapping reads it, and no `consumers` of \
             opsctl.toml names a service for it"
        ));
    }
    plan.observe("queue: arn", &queue.arn);
    Ok(Planned { plan, bound: Bound::Consumers(found.bound) })
}

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
        plan.warn(format!("opsctl has paused no consumer of {whose} that is paused still"));
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
        plan.warn("no consumer is to be paused: none is known that takes messages there now");
    } else {
        plan.change("consumers are paused first and resumed at the end, also when the run fails or is stopped");
    }
    Ok(found.bound)
}

fn describe(plan: &mut Plan, found: &Found, scene: &Scene, cloud: &Cloud, label: &str) {
    let bound = &found.bound;
    for switch in &bound.mappings {
        let by = paused_by(scene, bound.turn, &ConsumerId::Mapping(switch.id.clone()));
        plan.fact(label, format!("mapping {} of {} ({}){by}", switch.function, switch.queue, switch.id.0));
        let to = if switch.enabled { "paused to enabled" } else { "enabled to paused" };
        plan.observe(format!("mapping {}", switch.id.0), format!("{}, {to}", switch.function));
    }
    for (_, change) in &bound.services {
        let by = paused_by(scene, bound.turn, &ConsumerId::Service(change.service.clone()));
        plan.fact(label, format!("service {} {} to {}{by}", change.service, change.from, change.to));
        plan.observe(format!("service {}", change.service), format!("desired {} to {}", change.from, change.to));
    }
    if !found.left.is_empty() {
        plan.fact("left as is", found.left.join(", "));
    }
    if let Err(error) = &scene.mappings {
        plan.block(format!("the event source mappings are not known: {error}"));
    }
    for unseen in &found.unseen {
        plan.block(format!("not known, and may be a consumer: {unseen}"));
    }
    for service in &found.always_on {
        plan.block(format!("{service} is always on"));
    }
    warn(plan, found, scene, cloud);
    let (mappings, services) = (bound.mappings.len() as u64, bound.services.len() as u64);
    let calls = [
        ("lambda:UpdateEventSourceMapping", mappings),
        ("lambda:GetEventSourceMapping", mappings * (SWITCH_SECONDS / LOOK_EVERY_SECONDS)),
        ("ecs:UpdateService", services),
    ];
    for (action, times) in calls.into_iter().filter(|(_, times)| *times > 0) {
        plan.call(action, None, times);
    }
    plan.messages_estimate = plan.messages_estimate.max(bound.count() as u64);
}

fn warn(plan: &mut Plan, found: &Found, scene: &Scene, cloud: &Cloud) {
    let bound = &found.bound;
    if bound.turn == Turn::Resume {
        return;
    }
    if !bound.mappings.is_empty() {
        plan.warn("a mapping on its way down still takes messages: what is waited for is that it says Disabled");
    }
    let rules = &cloud.environment().services;
    for (queue, change) in &bound.services {
        let service = &change.service;
        if let Some(Scaling { min, max, .. }) = scene.scaling.as_ref().and_then(|all| all.get(service))
            && (*min > 0 || *max > 0)
        {
            plan.warn(format!(
                "{service}: autoscaling ({min} to {max}) may wake it at its next scale-out, on the queue's depth for instance"
            ));
        }
        let is_other = |(pattern, worker): &&(String, String)| pattern != queue.as_str() && fits(worker, service);
        let others = rules.consumers.iter().filter(is_other);
        let others: Vec<&str> = others.map(|(pattern, _)| pattern.as_str()).collect();
        if !others.is_empty() {
            plan.warn(format!("{service} takes messages of {} as well, which wait meanwhile", others.join(", ")));
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
