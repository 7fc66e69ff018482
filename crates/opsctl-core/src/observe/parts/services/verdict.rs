//! Verdicts on services.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{SeenService, crashing};
use crate::{
    domain::{
        Deployment, Environment, Gauge, Protection, Rollout, Service, Standing, Task, Text, Thresholds,
        words::{some_of, span},
    },
    observe::{
        estate::Part,
        verdict::{Finding, Kind, NAMED, Scene, Severity, Subject, Verdict, is_fresh},
    },
};

/// Characters of AWS's words in a reason.
const WORDS_MAX: usize = 240;
/// An event that is older explains nothing.
const EVENT_OLD: SignedDuration = SignedDuration::from_mins(30);

pub(in crate::observe::parts) fn judge(scene: &Scene<'_>, all: &mut Vec<Verdict>) {
    let Scene { environment, thresholds, snapshot, now } = *scene;
    let part = &snapshot.estate.services;
    let awake = awake_groups(environment, part);
    let one = |seen: &SeenService| {
        let found = found(environment, thresholds, seen, &awake, now)?;
        Some(scene.said_of(Subject::Service(seen.service.id.clone()), found, part.seen_at(seen)))
    };
    all.extend(part.rows.iter().filter_map(|seen| one(seen)));
}

/// Services of each group that are awake though they might sleep, by the group's name.
fn awake_groups<'a>(environment: &'a Environment, part: &'a Part<SeenService>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut awake: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    if environment.services.groups.is_empty() {
        return awake;
    }
    for seen in part.rows.iter().filter(|seen| seen.service.desired > 0 && !seen.service.placement.is_daemon) {
        let id = &seen.service.id;
        if environment.services.is_always_on(id) {
            continue;
        }
        for group in environment.services.groups_of(id) {
            awake.entry(&group.name).or_default().push(&id.name.0);
        }
    }
    awake
}

fn found(
    environment: &Environment,
    thresholds: &Thresholds,
    seen: &SeenService,
    awake: &BTreeMap<&str, Vec<&str>>,
    now: Timestamp,
) -> Option<Finding> {
    // One that is being deleted stands as it shall.
    if !seen.service.is_active() {
        return None;
    }
    // Nothing that runs at all says more than how it came to be so.
    let crashing = || crashing::found(seen, now).filter(|_| !is_down(&seen.service));
    match seen.service.standing() {
        Standing::Failing if has_failed(&seen.service) => Some(failing(seen, now)),
        Standing::Failing => crashing().or_else(|| Some(failing(seen, now))),
        Standing::Below => crashing().or_else(|| below(thresholds, seen, now)),
        Standing::Asleep => asleep(environment, seen, awake).or_else(|| at_zero(environment, seen)),
        Standing::Deploying | Standing::Steady => crashing(),
    }
    .or_else(|| below_minimum(seen))
    .or_else(|| load(thresholds, seen, now))
}

/// `3 of 5 tasks run`, and since when.
fn counts(seen: &SeenService, now: Timestamp) -> String {
    let Service { running, desired, pending, .. } = seen.service;
    let run = match (running, desired) {
        (0, 1) => "its only task does not run".to_owned(),
        (0, desired) => format!("none of {desired} tasks runs"),
        (running, desired) => format!("{running} of {desired} tasks run"),
    };
    let pending = if pending > 0 { format!(", {pending} on the way up") } else { String::new() };
    let since = match seen.since {
        Some((_, at)) => format!(" since {}", span(now.duration_since(at))),
        None => String::new(),
    };
    format!("{run}{since}{pending}")
}

fn has_failed(service: &Service) -> bool {
    service.deployments.iter().any(|deployment| deployment.rollout == Some(Rollout::Failed))
}

fn is_down(service: &Service) -> bool {
    service.desired > 0 && service.running == 0
}

fn failing(seen: &SeenService, now: Timestamp) -> Finding {
    let service = &seen.service;
    let failed = service.deployments.iter().find(|deployment| deployment.rollout == Some(Rollout::Failed));
    let what = match (failed, service.primary()) {
        (Some(failed), primary) => broken(failed, primary),
        (None, Some(primary)) => {
            let tasks = if primary.failed == 1 { "task" } else { "tasks" };
            format!("{} {tasks} of {} failed to start", primary.failed, primary.task_definition.0)
        }
        (None, None) => "its deployment fails".to_owned(),
    };
    let counts = match service.running >= service.desired {
        true => format!("all {} tasks run", service.desired),
        false => counts(seen, now),
    };
    let why = why(seen, now).map(|why| format!(": {why}")).unwrap_or_default();
    let (kind, severity) = match is_down(service) {
        true => (Kind::ServiceDown, Severity::Critical),
        false => (Kind::ServiceFailing, Severity::Warning),
    };
    Finding(kind, severity, format!("{what}; {counts}{why}"))
}

fn broken(failed: &Deployment, primary: Option<&Deployment>) -> String {
    let what = &failed.task_definition.0;
    match primary.filter(|primary| primary.id != failed.id) {
        Some(back) => format!("the deployment of {what} failed and was rolled back to {}", back.task_definition.0),
        None => format!("the deployment of {what} failed"),
    }
}

fn below(thresholds: &Thresholds, seen: &SeenService, now: Timestamp) -> Option<Finding> {
    let grace = SignedDuration::try_from(thresholds.service_below_after).unwrap_or(SignedDuration::MAX);
    let is_young = |at: Timestamp| now.duration_since(at) < grace;
    let starts = seen.service.primary().is_some_and(|primary| {
        primary.rollout == Some(Rollout::InProgress) && primary.created_at.is_some_and(is_young)
    });
    // What stood so when it was first looked at may have stood so for long.
    if starts || seen.since.is_some_and(|(_, at)| is_young(at)) {
        return None;
    }
    let why = why(seen, now).map(|why| format!(": {why}")).unwrap_or_default();
    let (kind, severity) = match is_down(&seen.service) {
        true => (Kind::ServiceDown, Severity::Critical),
        false => (Kind::ServiceBelow, Severity::Warning),
    };
    Some(Finding(kind, severity, format!("{}{why}", counts(seen, now))))
}

fn below_minimum(seen: &SeenService) -> Option<Finding> {
    let (service, scaling) = (&seen.service, seen.scaling.as_ref()?);
    if service.desired == 0 || service.desired >= scaling.min {
        return None;
    }
    let suspended = if scaling.out_suspended { "; scaling out is suspended" } else { "" };
    let reason = format!(
        "it shall have {} of autoscaling's {} tasks at least: the count rises at the next scaling only{suspended}",
        service.desired, scaling.min
    );
    Some(Finding(Kind::BelowMinimum, Severity::Warning, reason))
}

/// Asleep on purpose is well; not where the configuration says otherwise.
fn asleep(environment: &Environment, seen: &SeenService, awake: &BTreeMap<&str, Vec<&str>>) -> Option<Finding> {
    let id = &seen.service.id;
    if let Some(group) = environment.services.groups_of(id).find(|group| group.is_always_on(id)) {
        let reason = format!("it is at zero, and group {} says that it never sleeps", group.name);
        return Some(Finding(Kind::ServiceDown, Severity::Critical, reason));
    }
    if !may_sleep(environment, seen) {
        return None;
    }
    let mut groups = environment.services.groups_of(id);
    let (name, others) = groups.find_map(|group| Some((&group.name, awake.get(group.name.as_str())?)))?;
    let others = some_of(others.iter().copied(), NAMED);
    let reason = format!("it sleeps while others of group {name} are awake ({others})");
    Some(Finding(Kind::Asleep, Severity::Notice, reason))
}

/// Whether the configuration means it to sleep now and then.
fn may_sleep(environment: &Environment, seen: &SeenService) -> bool {
    let mut groups = environment.services.groups_of(&seen.service.id);
    groups.any(|group| environment.protection != Protection::TypeName || group.sleep_allowed)
}

/// At zero, and nothing says that it may be.
fn at_zero(environment: &Environment, seen: &SeenService) -> Option<Finding> {
    if may_sleep(environment, seen) {
        return None;
    }
    let minimum = seen.scaling.as_ref().map(|scaling| scaling.min).filter(|min| *min > 0);
    let why = match (minimum, environment.protection) {
        (Some(1), _) => "autoscaling's minimum is 1 task".to_owned(),
        (Some(min), _) => format!("autoscaling's minimum is {min} tasks"),
        (None, Protection::TypeName) => format!("no group says that it may sleep in {}", environment.name),
        (None, Protection::Confirm | Protection::ReadOnly) => return None,
    };
    Some(Finding(Kind::Asleep, Severity::Warning, format!("it is at zero, though {why}")))
}

fn load(thresholds: &Thresholds, seen: &SeenService, now: Timestamp) -> Option<Finding> {
    let over = |name: &str, gauge: &Option<Gauge>, most: u32| {
        let gauge = gauge.as_ref().filter(|gauge| is_fresh(gauge, now) && gauge.value > f64::from(most))?;
        let ago = span(now.duration_since(gauge.at));
        Some(format!("{name} {:.0} % (over {most} %; {ago} ago)", gauge.value))
    };
    let cpu = over("CPU", &seen.cpu, thresholds.service_cpu_percent);
    let memory = over("memory", &seen.memory, thresholds.service_memory_percent);
    let both: Vec<String> = cpu.into_iter().chain(memory).collect();
    (!both.is_empty()).then(|| Finding(Kind::ServiceLoad, Severity::Warning, both.join(", ")))
}

/// Why tasks do not run: what the newest task that ended by itself says, else what ECS last said about the service.
fn why(seen: &SeenService, now: Timestamp) -> Option<String> {
    let ended = seen.stopped.iter().find(|task| task.stopped_by_itself());
    if let Some(words) = ended.and_then(Task::why) {
        return Some(words);
    }
    let primary = seen.service.primary();
    let failed = seen.service.deployments.iter().find(|deployment| deployment.rollout == Some(Rollout::Failed));
    let reason = failed.or(primary).filter(|deployment| deployment.rollout == Some(Rollout::Failed));
    if let Some(reason) = reason.and_then(|deployment| deployment.rollout_reason.as_ref()) {
        return Some(short(reason.as_str()));
    }
    let event =
        seen.service.events.iter().find(|event| !event.message.as_str().contains("has reached a steady state"))?;
    let is_young = now.duration_since(event.at) < EVENT_OLD;
    let words = event.message.as_str();
    let words = words.strip_prefix(&format!("(service {}) ", seen.service.id.name.0)).unwrap_or(words);
    is_young.then(|| short(words))
}

pub(super) fn short(words: &str) -> String {
    Text::capped(words, WORDS_MAX).to_string()
}
