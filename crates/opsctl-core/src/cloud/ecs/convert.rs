//! The SDK's shapes as ours.

use aws_sdk_ecs::{primitives::DateTime, types};
use jiff::Timestamp;

use crate::domain::{
    Text,
    migration::{ContainerDefinition, Definition, LogDestination, Network},
    service::{
        Container, Deployment, DeploymentId, Rollout, Service, ServiceEvent, ServiceId, Task, TaskArn, TaskDefinition,
    },
    target::{TargetGroup, TargetGroupArn},
};

/// A service; an error names what the answer lacks.
pub(super) fn service(service: types::Service) -> Result<Service, String> {
    let name = service.service_name.ok_or("a service has no name")?;
    let cluster = service.cluster_arn.ok_or("a service has no cluster")?;
    let events = service.events.unwrap_or_default().into_iter().filter_map(event).collect();
    // Under CodeDeploy and other controllers, task sets have the load balancers.
    let task_sets = service.task_sets.unwrap_or_default();
    let primary = task_sets.into_iter().find(|set| set.status.as_deref() == Some("PRIMARY"));
    let balancers = primary.and_then(|set| set.load_balancers).filter(|some| !some.is_empty());
    let balancers = balancers.or(service.load_balancers).unwrap_or_default();
    Ok(Service {
        id: ServiceId::new(last(&cluster), &name),
        status: text(service.status),
        desired: count(service.desired_count),
        running: count(service.running_count),
        pending: count(service.pending_count),
        task_definition: TaskDefinition::of_arn(&service.task_definition.unwrap_or_default()),
        deployments: service.deployments.unwrap_or_default().into_iter().map(deployment).collect(),
        events,
        target_groups: balancers.into_iter().filter_map(target_group).collect(),
    })
}

/// None: a Classic Load Balancer, which has no target groups.
fn target_group(balancer: types::LoadBalancer) -> Option<TargetGroup> {
    let alternate = balancer.advanced_configuration.and_then(|advanced| advanced.alternate_target_group_arn);
    Some(TargetGroup {
        arn: TargetGroupArn(balancer.target_group_arn?),
        alternate: alternate.map(TargetGroupArn),
        container: line(balancer.container_name),
        port: balancer.container_port.and_then(|port| u32::try_from(port).ok()),
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
        group: line(task.group),
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

/// A service's network; none where it is not `awsvpc`.
pub(super) fn network(network: types::NetworkConfiguration) -> Option<Network> {
    let network = network.awsvpc_configuration?;
    Some(Network {
        subnets: network.subnets,
        security_groups: network.security_groups.unwrap_or_default(),
        public_ip: network.assign_public_ip == Some(types::AssignPublicIp::Enabled),
    })
}

/// A task definition; an error names what the answer lacks.
pub(super) fn definition(definition: types::TaskDefinition) -> Result<Definition, String> {
    let arn = definition.task_definition_arn.ok_or("a task definition has no ARN")?;
    let containers = definition.container_definitions.unwrap_or_default().into_iter();
    Ok(Definition {
        name: TaskDefinition::of_arn(&arn),
        arn,
        is_active: definition.status.is_none_or(|status| status == types::TaskDefinitionStatus::Active),
        network_mode: line(definition.network_mode.map(|mode| mode.as_str().to_owned())),
        role: line(definition.task_role_arn),
        execution_role: line(definition.execution_role_arn),
        containers: containers.map(container_definition).collect(),
    })
}

fn container_definition(container: types::ContainerDefinition) -> ContainerDefinition {
    let driver = container.log_configuration.as_ref().map(|log| log.log_driver.as_str().to_owned());
    let options = container.log_configuration.and_then(|log| log.options).unwrap_or_default();
    let option = |name: &str| options.get(name).filter(|value| !value.is_empty()).cloned();
    let log = option("awslogs-group").filter(|_| driver.as_deref() == Some("awslogs")).map(|group| LogDestination {
        group,
        prefix: option("awslogs-stream-prefix"),
        region: option("awslogs-region"),
        creates_group: option("awslogs-create-group").as_deref() == Some("true"),
        is_blocking: option("mode").as_deref() == Some("blocking"),
    });
    let variables = container.environment.unwrap_or_default().into_iter();
    let hosts = variables.filter_map(|pair| host(pair.name?, pair.value?));
    ContainerDefinition {
        name: container.name.unwrap_or_default(),
        image: text(container.image),
        // ECS takes a container that says nothing for an essential one.
        is_essential: container.essential.unwrap_or(true),
        command: container.command.unwrap_or_default(),
        log_driver: line(driver),
        log,
        hosts: hosts.collect(),
        secrets: container.secrets.unwrap_or_default().iter().map(|secret| Text::line(&secret.name)).collect(),
    }
}

/// A variable that names a host, with a value that is one: nothing else of a task's variables is safe to show.
fn host(name: String, value: String) -> Option<(Text, Text)> {
    let upper = name.to_ascii_uppercase();
    let is_named = ["HOST", "HOSTNAME", "ENDPOINT"].iter().any(|ending| upper.ends_with(ending));
    let is_host = value.len() <= 253 && value.contains('.');
    let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    (is_named && is_host && is_plain).then(|| (Text::line(&name), Text::line(&value)))
}
