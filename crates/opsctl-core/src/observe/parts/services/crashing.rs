//! A crash loop that comes and goes: tasks end by themselves and are started again, and whenever somebody looks, as many run as shall.
//!
//! The events that every look at services brings anyway make a service suspect; only then its stopped tasks are asked for, and they
//! decide. ECS's `failedTasks` would not tell: it starts anew once a task runs (API reference, `Deployment`).

use jiff::{SignedDuration, Timestamp};

use super::{SeenService, verdict::short};
use crate::{
    domain::{Service, ServiceEvent, Task, words::span},
    observe::verdict::{Finding, Kind, Severity},
};

/// As long as ECS shows stopped tasks (API reference: about an hour).
const WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// So many tasks that end by themselves are a loop.
const ENDED_MIN: usize = 3;

/// What an event tells, in ECS's words (ECS developer guide, "Amazon ECS service event messages").
enum Told {
    Started(usize),
    Stopped(usize),
    /// Health checks of a container or a load balancer failed for a task.
    Unhealthy,
    DeploymentEnded,
    Other,
}

fn told(event: &ServiceEvent) -> Told {
    let words = event.message.as_str();
    let number = |after: &str| -> Option<usize> {
        let (_, rest) = words.split_once(after)?;
        rest.split(' ').next()?.parse().ok()
    };
    if let Some(count) = number(" has started ") {
        Told::Started(count)
    } else if let Some(count) = number(" has stopped ") {
        Told::Stopped(count)
    } else if words.contains(" deployment completed") {
        Told::DeploymentEnded
    } else if ["is unhealthy in", "failed container health checks", "failed ELB health checks"]
        .iter()
        .any(|sign| words.contains(sign))
    {
        Told::Unhealthy
    } else {
        Told::Other
    }
}

/// From when on starts of tasks are no part of a deployment.
fn since(service: &Service, now: Timestamp) -> Timestamp {
    let earliest = now.checked_sub(WITHIN).unwrap_or(Timestamp::MIN);
    let ended = service.events.iter().find(|event| matches!(told(event), Told::DeploymentEnded)).map(|event| event.at);
    let created = service.primary().and_then(|primary| primary.created_at);
    ended.max(created).map_or(earliest, |at| at.max(earliest))
}

/// Whether events tell of tasks that were started again and again, or found unhealthy: worth a look at the tasks that stopped.
pub(super) fn is_suspect(service: &Service, now: Timestamp) -> bool {
    let since = since(service, now);
    let (mut started, mut stopped, mut unhealthy) = (0, 0, 0);
    for event in service.events.iter().filter(|event| event.at > since) {
        match told(event) {
            Told::Started(count) => started += count,
            Told::Stopped(count) => stopped += count,
            Told::Unhealthy => unhealthy += 1,
            Told::DeploymentEnded | Told::Other => {}
        }
    }
    started >= stopped + ENDED_MIN || unhealthy >= ENDED_MIN
}

pub(super) fn found(seen: &SeenService, now: Timestamp) -> Option<Finding> {
    let service = &seen.service;
    let since = since(service, now);
    let is_of_the_loop = |task: &&Task| task.stopped_by_itself() && task.stopped_at.is_some_and(|at| at > since);
    let ended: Vec<&Task> = seen.stopped.iter().filter(is_of_the_loop).collect();
    if ended.len() < ENDED_MIN || service.desired == 0 {
        return None;
    }
    let first = ended.iter().filter_map(|task| task.stopped_at).min().unwrap_or(now);
    let why = ended.iter().find_map(|task| task.why()).map(|why| format!(": {}", short(&why))).unwrap_or_default();
    let reason = format!(
        "its tasks keep ending and being started again: {} ended by themselves within {}, though {} of {} run now{why}",
        ended.len(),
        span(now.duration_since(first)),
        service.running,
        service.desired
    );
    Some(Finding(Kind::ServiceCrashing, Severity::Warning, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Replacing, ServiceId, TaskDefinition, Text};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).expect("a time")
    }

    /// Events, each so many minutes after the first, the newest last.
    fn service(events: &[(i64, &str)]) -> Service {
        let event = |(minute, words): &(i64, &str)| ServiceEvent {
            id: minute.to_string(),
            at: at(*minute),
            message: Text::line(&format!("(service api) {words}")),
        };
        Service {
            id: ServiceId::new("main", "api"),
            status: Text::from("ACTIVE"),
            desired: 2,
            running: 2,
            pending: 0,
            task_definition: TaskDefinition("api:3".to_owned()),
            deployments: Vec::new(),
            events: events.iter().rev().map(event).collect(),
            target_groups: Vec::new(),
            replacing: Replacing::default(),
            placement: Default::default(),
        }
    }

    #[test]
    fn starts_that_nothing_explains_make_a_service_suspect() {
        const START: &str = "has started 1 tasks: (task a).";
        const STOP: &str = "has stopped 1 running tasks: (task a).";
        const SICK: &str = "(task a) failed container health checks.";
        const STEADY: &str = "has reached a steady state.";
        const DEPLOYED: &str = "(deployment ecs-svc/1) deployment completed.";
        for (events, now, is) in [
            (&[(0, START), (10, STEADY), (20, START), (30, START)][..], 31, true),
            (&[(0, START), (20, START), (30, START)], 85, false),
            (&[(0, "has started 3 tasks: (task a).")], 1, true),
            (&[(0, START), (1, START), (2, START), (3, DEPLOYED)], 10, false),
            (&[(0, START), (5, STOP), (10, START), (15, STOP), (20, START), (25, STOP)], 30, false),
            (&[(0, SICK), (5, STOP), (6, START), (10, SICK), (15, STOP), (20, SICK)], 30, true),
            (&[(0, STEADY), (10, STEADY), (20, STEADY)], 30, false),
        ] {
            assert_eq!(is_suspect(&service(events), at(now)), is, "{events:?} at {now}");
        }
    }
}
