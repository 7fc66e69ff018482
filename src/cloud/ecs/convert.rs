//! The SDK's shapes as ours.

use aws_sdk_ecs::{primitives::DateTime, types};
use jiff::Timestamp;

use crate::domain::{
    Text,
    service::{
        Container, Deployment, DeploymentId, Rollout, Service, ServiceEvent, ServiceId, Task, TaskArn, TaskDefinition,
    },
};

/// A service; an error names what the answer lacks.
pub(super) fn service(service: types::Service) -> Result<Service, String> {
    let name = service.service_name.ok_or("a service has no name")?;
    let cluster = service.cluster_arn.ok_or("a service has no cluster")?;
    let events = service.events.unwrap_or_default().into_iter().filter_map(event).collect();
    Ok(Service {
        id: ServiceId::new(last(&cluster), &name),
        status: text(service.status),
        desired: count(service.desired_count),
        running: count(service.running_count),
        pending: count(service.pending_count),
        task_definition: TaskDefinition::of_arn(&service.task_definition.unwrap_or_default()),
        deployments: service.deployments.unwrap_or_default().into_iter().map(deployment).collect(),
        events,
    })
}

fn deployment(deployment: types::Deployment) -> Deployment {
    Deployment {
        id: DeploymentId(deployment.id.unwrap_or_default()),
        is_primary: deployment.status.as_deref() == Some("PRIMARY"),
        task_definition: TaskDefinition::of_arn(&deployment.task_definition.unwrap_or_default()),
        desired: count(deployment.desired_count),
        running: count(deployment.running_count),
        pending: count(deployment.pending_count),
        failed: count(deployment.failed_tasks),
        rollout: deployment.rollout_state.map(|state| match state {
            types::DeploymentRolloutState::InProgress => Rollout::InProgress,
            types::DeploymentRolloutState::Completed => Rollout::Completed,
            types::DeploymentRolloutState::Failed => Rollout::Failed,
            _ => Rollout::Other,
        }),
        rollout_reason: line(deployment.rollout_state_reason),
        created_at: time(deployment.created_at),
    }
}

fn event(event: types::ServiceEvent) -> Option<ServiceEvent> {
    let at = time(event.created_at)?;
    Some(ServiceEvent { id: event.id.unwrap_or_default(), at, message: text(event.message) })
}

/// A task; none without an ARN.
pub(super) fn task(task: types::Task) -> Result<Task, String> {
    let arn = task.task_arn.ok_or("a task has no ARN")?;
    let health = task.health_status.map(|health| health.as_str().to_owned()).filter(|health| health != "UNKNOWN");
    Ok(Task {
        arn: TaskArn(arn),
        status: text(task.last_status),
        desired_status: text(task.desired_status),
        task_definition: TaskDefinition::of_arn(&task.task_definition_arn.unwrap_or_default()),
        started_by: line(task.started_by),
        health: line(health),
        zone: line(task.availability_zone),
        created_at: time(task.created_at),
        started_at: time(task.started_at),
        stopped_at: time(task.stopped_at),
        stop_code: line(task.stop_code.map(|code| code.as_str().to_owned())),
        stopped_reason: line(task.stopped_reason),
        containers: task.containers.unwrap_or_default().into_iter().map(container).collect(),
    })
}

fn container(container: types::Container) -> Container {
    Container {
        name: text(container.name),
        status: text(container.last_status),
        exit_code: container.exit_code,
        reason: line(container.reason),
    }
}

fn count(count: i32) -> u32 {
    u32::try_from(count).unwrap_or_default()
}

fn text(text: Option<String>) -> Text {
    line(text).unwrap_or_default()
}

fn line(text: Option<String>) -> Option<Text> {
    text.map(|text| Text::line(&text))
}

fn time(time: Option<DateTime>) -> Option<Timestamp> {
    let time = time?;
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

/// What stands behind an ARN's last slash.
pub(super) fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
