//! An ECS service as conditions see it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::look::{Looking, of};
use crate::{
    cloud::{
        CloudError, ErrorKind,
        ecs::Wanted,
        metrics::{Gauges, SERVICE_CPU, SERVICE_MEMORY, Series},
    },
    domain::{self, Rollout, ServiceId, Standing, TargetState, Task, Text},
};

const EVENTS_MAX: usize = 10;
const STOPPED_MAX: usize = 50;

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Service {
    /// Its cluster and name, `cluster/name`
    #[schemars(with = "String")]
    pub name: Text,
    /// Tasks that shall run
    pub desired: u32,
    /// Tasks that run
    pub running: u32,
    /// Tasks that are being started
    pub pending: u32,
    /// Revision of its task definition, `family:revision`
    #[schemars(with = "String")]
    pub revision: Text,
    /// Whether its newest deployment is the only one and completed, as many tasks run as shall, at least one, and as many targets of its
    /// load balancers are healthy, where that can be read
    pub is_steady: Option<bool>,
    /// Whether no task runs and none shall
    pub is_asleep: bool,
    /// `steady`, `deploying`, `asleep`, `below desired` or `failing`
    pub state: String,
    /// Its deployments, the newest first
    pub deployments: Vec<Deployment>,
    /// Tasks of the newest deployment that failed
    pub failed_tasks: Option<u32>,
    /// Targets that its load balancers find healthy; unknown without a load balancer
    pub healthy_targets: Option<u32>,
    /// Whether autoscaling sets its count of tasks
    pub has_autoscaling: Option<bool>,
    /// Smallest count of tasks that autoscaling sets
    pub minimum: Option<u32>,
    /// Largest count of tasks that autoscaling sets
    pub maximum: Option<u32>,
    /// Percent of the CPU that its tasks reserved, minutes late
    pub cpu_percent: Option<f64>,
    /// Percent of the memory that its tasks reserved, minutes late
    pub memory_percent: Option<f64>,
    /// Its newest events, ten at most
    pub events: Vec<Event>,
    /// Tasks that stopped within about an hour, the newest first
    pub stopped: Option<Vec<StoppedTask>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Deployment {
    /// Revision of the task definition, `family:revision`
    #[schemars(with = "String")]
    pub revision: Text,
    /// Whether it is the one that shall be
    pub is_primary: bool,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`; unknown where ECS does not say it
    pub rollout: Option<String>,
    /// Tasks that shall run
    pub desired: u32,
    /// Tasks that run
    pub running: u32,
    /// Tasks that are being started
    pub pending: u32,
    /// Tasks that failed
    pub failed_tasks: u32,
    /// Seconds since it began
    pub age_seconds: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Event {
    /// What ECS says
    #[schemars(with = "String")]
    pub text: Text,
    /// Seconds since then
    pub age_seconds: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StoppedTask {
    /// Seconds since it stopped
    pub age_seconds: Option<i64>,
    /// Exit code of the container that ended it: the first that is not 0, else 0
    pub exit_code: Option<i32>,
    /// Why, in ECS's words, with the container's reason
    #[schemars(with = "Option<String>")]
    pub reason: Option<Text>,
    /// `EssentialContainerExited`, `TaskFailedToStart`, ...
    #[schemars(with = "Option<String>")]
    pub stop_code: Option<Text>,
    /// Whether it stopped by itself: not for a deployment, a smaller count or a person
    pub is_by_itself: bool,
    /// Revision of its task definition
    #[schemars(with = "String")]
    pub revision: Text,
}

pub(super) async fn see(looking: &Looking<'_>) -> Result<Service, Text> {
    let no_name = || Text::line(&format!("{} is not a service's name; write cluster/name", looking.name));
    let id = ServiceId::parse(looking.name).ok_or_else(no_name)?;
    let cloud = looking.cloud;
    let service = cloud.ecs.service(&id).await.map_err(|error| of(&error))?;
    // A service that was deleted is described for a while.
    if service.status.as_str() == "INACTIVE" {
        return Err(Text::line(&format!("service {id} was deleted")));
    }
    let (targets, scaling, stopped, gauges) = tokio::join!(
        healthy_targets(looking, &service),
        scaling(looking, &id),
        stopped(looking, &id),
        gauges(looking, &id)
    );
    let mut seen = shown(&service, looking.now, &targets);
    if let Some(scaling) = scaling {
        seen.has_autoscaling = Some(scaling.is_some());
        (seen.minimum, seen.maximum) =
            (scaling.as_ref().map(|scaling| scaling.min), scaling.as_ref().map(|scaling| scaling.max));
    }
    seen.stopped = stopped;
    let gauge = |series: &Series| gauges.get(series, looking.name).map(|gauge| gauge.value);
    (seen.cpu_percent, seen.memory_percent) = (gauge(&SERVICE_CPU), gauge(&SERVICE_MEMORY));
    Ok(seen)
}

/// What is known of the targets in a service's load balancers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Targets {
    /// It has no load balancer, or nobody asked.
    None,
    /// So many are healthy in the group that has the fewest.
    Healthy(u32),
    /// They may not be read: ECS's word counts.
    Unreadable,
    Unknown,
}

/// A service as `DescribeServices` tells it, with what is known of its targets.
fn shown(service: &domain::Service, now: Timestamp, targets: &Targets) -> Service {
    let standing = service.standing();
    let age = |at: Timestamp| now.duration_since(at).as_secs().max(0);
    Service {
        name: Text::line(&service.id.to_string()),
        desired: service.desired,
        running: service.running,
        pending: service.pending,
        revision: Text::line(&service.task_definition.0),
        is_steady: is_steady(service, targets),
        is_asleep: service.desired == 0 && service.running == 0,
        state: standing.into_str().to_owned(),
        deployments: service.deployments.iter().map(|deployment| deployment_of(deployment, &age)).collect(),
        failed_tasks: service.primary().map(|primary| primary.failed),
        healthy_targets: match targets {
            Targets::Healthy(healthy) => Some(*healthy),
            Targets::None | Targets::Unreadable | Targets::Unknown => None,
        },
        has_autoscaling: None,
        minimum: None,
        maximum: None,
        cpu_percent: None,
        memory_percent: None,
        events: service
            .events
            .iter()
            .take(EVENTS_MAX)
            .map(|event| Event { text: Text::line(event.message.as_str()), age_seconds: age(event.at) })
            .collect(),
        stopped: None,
    }
}

fn deployment_of(deployment: &domain::Deployment, age: &impl Fn(Timestamp) -> i64) -> Deployment {
    Deployment {
        revision: Text::line(&deployment.task_definition.0),
        is_primary: deployment.is_primary,
        rollout: deployment.rollout.and_then(|rollout| match rollout {
            Rollout::InProgress => Some("IN_PROGRESS".to_owned()),
            Rollout::Completed => Some("COMPLETED".to_owned()),
            Rollout::Failed => Some("FAILED".to_owned()),
            Rollout::Other => None,
        }),
        desired: deployment.desired,
        running: deployment.running,
        pending: deployment.pending,
        failed_tasks: deployment.failed,
        age_seconds: deployment.created_at.map(age),
    }
}

/// None: the targets decide, and are not known.
fn is_steady(service: &domain::Service, targets: &Targets) -> Option<bool> {
    if !is_steady_by_ecs(service) {
        return Some(false);
    }
    match targets {
        Targets::None | Targets::Unreadable => Some(true),
        Targets::Healthy(healthy) => Some(*healthy >= service.desired),
        Targets::Unknown => None,
    }
}

/// Whether ECS says all of it: counts that fit alone are also those of an update that reads do not show yet, of a service at zero,
/// and of one that was rolled back.
fn is_steady_by_ecs(service: &domain::Service) -> bool {
    let [deployment] = service.deployments.as_slice() else { return false };
    let is_completed = matches!(deployment.rollout, None | Some(Rollout::Completed | Rollout::Other));
    let fits = |running: u32, desired: u32, pending: u32| desired > 0 && running == desired && pending == 0;
    deployment.is_primary
        && is_completed
        && service.standing() == Standing::Steady
        && fits(service.running, service.desired, service.pending)
        && fits(deployment.running, deployment.desired, deployment.pending)
}

async fn healthy_targets(looking: &Looking<'_>, service: &domain::Service) -> Targets {
    // Where ECS itself says no, nobody need ask.
    if service.target_groups.is_empty() || !(looking.asks("healthy_targets") || is_steady_by_ecs(service)) {
        return Targets::None;
    }
    let mut fewest = u32::MAX;
    for group in &service.target_groups {
        match healthy(looking, group).await {
            Ok(healthy) => fewest = fewest.min(healthy),
            Err(error) => {
                looking.lack(&format!("target health is not known: {error}"));
                return if error.kind == ErrorKind::Denied { Targets::Unreadable } else { Targets::Unknown };
            }
        }
    }
    Targets::Healthy(fewest)
}

/// Healthy targets of a group; under blue/green deployments the tasks are in one of two.
async fn healthy(looking: &Looking<'_>, group: &domain::TargetGroup) -> Result<u32, CloudError> {
    let balancers = &looking.cloud.load_balancers;
    let mut most = 0;
    for arn in std::iter::once(&group.arn).chain(&group.alternate) {
        let targets = balancers.health(arn).await?;
        let healthy = targets.iter().filter(|target| target.state == TargetState::Healthy).count();
        most = most.max(u32::try_from(healthy).unwrap_or(u32::MAX));
    }
    Ok(most)
}

/// Outer none: not asked for, or not known. Inner none: it has no autoscaling.
async fn scaling(looking: &Looking<'_>, id: &ServiceId) -> Option<Option<domain::Scaling>> {
    if !looking.asks_any(&["has_autoscaling", "minimum", "maximum"]) {
        return None;
    }
    let all = looking.known("autoscaling is", looking.cloud.autoscaling.services().await)?;
    Some(all.get(id).cloned())
}

async fn stopped(looking: &Looking<'_>, id: &ServiceId) -> Option<Vec<StoppedTask>> {
    if !looking.asks("stopped") {
        return None;
    }
    let tasks = looking.known("stopped tasks are", looking.cloud.ecs.tasks(id, Wanted::Stopped).await)?;
    // What is listed and not described may be the very task that matters.
    if !tasks.missing.is_empty() {
        looking.lack("some stopped tasks are listed and cannot be described");
    }
    Some(newest(tasks.found).iter().map(|task| stopped_of(looking, task)).collect())
}

/// The newest stopped tasks, the newest first.
pub(crate) fn newest(mut tasks: Vec<Task>) -> Vec<Task> {
    tasks.sort_by_key(|task| std::cmp::Reverse(task.stopped_at));
    tasks.truncate(STOPPED_MAX);
    tasks
}

pub(super) fn stopped_of(looking: &Looking<'_>, task: &Task) -> StoppedTask {
    let codes = task.containers.iter().filter_map(|container| container.exit_code);
    let exit_code = codes.clone().find(|code| *code != 0).or_else(|| codes.clone().next());
    let container = task.containers.iter().find_map(|container| container.reason.as_ref());
    let reasons: Vec<&str> = task.stopped_reason.iter().chain(container).map(Text::as_str).collect();
    StoppedTask {
        age_seconds: task.stopped_at.map(|at| looking.age(at)),
        exit_code,
        reason: (!reasons.is_empty()).then(|| Text::line(&reasons.join(": "))),
        stop_code: task.stop_code.clone(),
        is_by_itself: task.stopped_by_itself(),
        revision: Text::line(&task.task_definition.0),
    }
}

async fn gauges(looking: &Looking<'_>, id: &ServiceId) -> Gauges {
    let asked = [("cpu_percent", SERVICE_CPU), ("memory_percent", SERVICE_MEMORY)];
    let series: Vec<Series> =
        asked.into_iter().filter(|(field, _)| looking.asks(field)).map(|(_, series)| series).collect();
    if series.is_empty() {
        return Gauges::default();
    }
    let name = id.to_string();
    let answer = looking.cloud.metrics.gauges_named(&series, &[&name]).await;
    looking.known("CPU and memory are", answer).unwrap_or_default()
}
