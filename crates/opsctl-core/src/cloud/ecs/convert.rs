//! From ECS's answers to our types.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Told as _;
use crate::domain::{
    Breaker, CapacityProvider, Container, ContainerDefinition, Definition, Deployment, DeploymentId, LogDestination,
    Mark, Network, Placement, Replacing, Rollout, Service, ServiceEvent, ServiceId, Strategy, TargetGroup,
    TargetGroupArn, Task, TaskArn, TaskDefinition, Text,
};

/// A service; an error names what the answer lacks.
pub(super) fn service(service: &Value) -> Result<Service, String> {
    let name = service.word("serviceName").ok_or("a service has no name")?;
    let cluster = service.word("clusterArn").ok_or("a service has no cluster")?;
    // Under CodeDeploy and other controllers, task sets have the load balancers.
    let primary = service.list("taskSets").iter().find(|set| set.word("status") == Some("PRIMARY"));
    let balancers = primary.map(|set| set.list("loadBalancers")).filter(|some| !some.is_empty());
    let balancers = balancers.unwrap_or_else(|| service.list("loadBalancers"));
    Ok(Service {
        id: ServiceId::new(last(cluster), name),
        status: service.text("status"),
        desired: told_count(service, "desiredCount")?,
        running: told_count(service, "runningCount")?,
        pending: told_count(service, "pendingCount")?,
        // Under an external controller each task set has its own.
        task_definition: definition_name(
            primary.filter(|_| service.word("taskDefinition").is_none()).unwrap_or(service),
            "taskDefinition",
        ),
        deployments: service.list("deployments").iter().map(deployment).collect(),
        events: service.list("events").iter().filter_map(event).collect(),
        target_groups: balancers.iter().filter_map(target_group).collect(),
        replacing: replacing(service),
        placement: placement(service),
    })
}

fn replacing(service: &Value) -> Replacing {
    let configuration = &service["deploymentConfiguration"];
    let breaker = &configuration["deploymentCircuitBreaker"];
    let controller = service["deploymentController"].line("type");
    Replacing {
        percent_min: configuration.number("minimumHealthyPercent"),
        percent_max: configuration.number("maximumPercent"),
        breaker: match (breaker.is("enable"), breaker.is("rollback")) {
            (false, _) => Breaker::Off,
            (true, false) => Breaker::Ends,
            (true, true) => Breaker::RollsBack,
        },
        controller: controller.filter(|controller| controller.as_str() != "ECS"),
        strategy: match configuration.word("strategy") {
            None | Some("ROLLING") => Strategy::Rolling,
            Some("BLUE_GREEN") => Strategy::BlueGreen,
            Some("LINEAR") => Strategy::Linear,
            Some("CANARY") => Strategy::Canary,
            Some(_) => Strategy::Other,
        },
        bake_minutes: configuration.number("bakeTimeInMinutes").unwrap_or_default(),
    }
}

pub(super) fn placement(service: &Value) -> Placement {
    let provider = |provider: &Value| CapacityProvider {
        name: provider.text("capacityProvider"),
        base: count(provider, "base"),
        weight: count(provider, "weight"),
    };
    Placement {
        is_daemon: service.word("schedulingStrategy") == Some("DAEMON"),
        launch_type: service.line("launchType"),
        providers: service.list("capacityProviderStrategy").iter().map(provider).collect(),
    }
}

/// None: a Classic Load Balancer, which has no target groups.
fn target_group(balancer: &Value) -> Option<TargetGroup> {
    let advanced = balancer.get("advancedConfiguration");
    let alternate = advanced.and_then(|advanced| advanced.word("alternateTargetGroupArn"));
    Some(TargetGroup {
        arn: TargetGroupArn(balancer.word("targetGroupArn")?.to_owned()),
        alternate: alternate.map(|arn| TargetGroupArn(arn.to_owned())),
        container: balancer.line("containerName"),
        port: balancer.number("containerPort"),
    })
}

fn deployment(deployment: &Value) -> Deployment {
    Deployment {
        id: DeploymentId(deployment.word("id").unwrap_or_default().to_owned()),
        is_primary: deployment.word("status") == Some("PRIMARY"),
        task_definition: definition_name(deployment, "taskDefinition"),
        desired: count(deployment, "desiredCount"),
        running: count(deployment, "runningCount"),
        pending: count(deployment, "pendingCount"),
        failed: count(deployment, "failedTasks"),
        rollout: deployment.word("rolloutState").map(|state| match state {
            "IN_PROGRESS" => Rollout::InProgress,
            "COMPLETED" => Rollout::Completed,
            "FAILED" => Rollout::Failed,
            _ => Rollout::Other,
        }),
        rollout_reason: deployment.line("rolloutStateReason"),
        created_at: deployment.time("createdAt"),
    }
}

fn event(event: &Value) -> Option<ServiceEvent> {
    let id = event.word("id").unwrap_or_default().to_owned();
    Some(ServiceEvent { id, at: event.time("createdAt")?, message: event.text("message") })
}

/// A task; none without an ARN.
pub(super) fn task(task: &Value) -> Result<Task, String> {
    let arn = task.word("taskArn").ok_or("a task has no ARN")?;
    Ok(Task {
        arn: TaskArn(arn.to_owned()),
        status: task.text("lastStatus"),
        desired_status: task.text("desiredStatus"),
        task_definition: definition_name(task, "taskDefinitionArn"),
        started_by: task.line("startedBy"),
        group: task.line("group"),
        health: task.line("healthStatus").filter(|health| health.as_str() != "UNKNOWN"),
        zone: task.line("availabilityZone"),
        created_at: task.time("createdAt"),
        started_at: task.time("startedAt"),
        stopped_at: task.time("stoppedAt"),
        stop_code: task.line("stopCode"),
        stopped_reason: task.line("stoppedReason"),
        containers: task.list("containers").iter().map(container).collect(),
    })
}

fn container(container: &Value) -> Container {
    Container {
        name: container.text("name"),
        status: container.text("lastStatus"),
        exit_code: container.number("exitCode"),
        reason: container.line("reason"),
    }
}

fn count(of: &Value, name: &str) -> u32 {
    of.number(name).unwrap_or_default()
}

/// A count that decides what is set and what is remembered: what is there and no number is never taken for none.
fn told_count(of: &Value, name: &str) -> Result<u32, String> {
    match of.get(name) {
        Some(told) if told.as_i64().is_none() && !told.is_null() => Err(format!("{name} is no whole number")),
        Some(_) | None => Ok(count(of, name)),
    }
}

fn definition_name(of: &Value, name: &str) -> TaskDefinition {
    TaskDefinition::of_arn(of.word(name).unwrap_or_default())
}

pub(super) fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// A service's network; none where it is not `awsvpc`.
pub(super) fn network(service: &Value) -> Option<Network> {
    let network = service.get("networkConfiguration")?.get("awsvpcConfiguration")?;
    Some(Network {
        subnets: network.words("subnets"),
        security_groups: network.words("securityGroups"),
        public_ip: network.word("assignPublicIp") == Some("ENABLED"),
    })
}

/// A task definition; an error names what the answer lacks.
pub(super) fn definition(definition: &Value) -> Result<Definition, String> {
    let arn = definition.word("taskDefinitionArn").ok_or("a task definition has no ARN")?;
    Ok(Definition {
        name: TaskDefinition::of_arn(arn),
        arn: arn.to_owned(),
        is_active: definition.word("status").is_none_or(|status| status == "ACTIVE"),
        network_mode: definition.line("networkMode"),
        role: definition.line("taskRoleArn"),
        execution_role: definition.line("executionRoleArn"),
        containers: definition.list("containerDefinitions").iter().map(container_definition).collect(),
        cpu: definition.line("cpu"),
        memory: definition.line("memory"),
        registered_at: definition.time("registeredAt"),
    })
}

fn container_definition(container: &Value) -> ContainerDefinition {
    let log = container.get("logConfiguration");
    let driver = log.and_then(|log| log.word("logDriver"));
    let options = log.and_then(|log| log.get("options"));
    let option = |name: &str| options?.word(name).filter(|value| !value.is_empty()).map(str::to_owned);
    let log = option("awslogs-group").filter(|_| driver == Some("awslogs")).map(|group| LogDestination {
        group,
        prefix: option("awslogs-stream-prefix"),
        region: option("awslogs-region"),
        creates_group: option("awslogs-create-group").as_deref() == Some("true"),
        is_blocking: option("mode").as_deref() == Some("blocking"),
    });
    let variables = container.list("environment").iter();
    let hosts = variables.filter_map(|pair| host(pair.word("name")?, pair.word("value")?));
    ContainerDefinition {
        name: container.word("name").unwrap_or_default().to_owned(),
        image: container.text("image"),
        // ECS takes a container that says nothing for an essential one.
        is_essential: container.get("essential").and_then(Value::as_bool).unwrap_or(true),
        command: container.words("command"),
        log_driver: driver.map(Text::line),
        log,
        hosts: hosts.collect(),
        secrets: container.list("secrets").iter().map(|secret| secret.text("name")).collect(),
        cpu: container.number("cpu").filter(|cpu| *cpu > 0),
        memory: container.number("memory"),
        variables: marks(container.list("environment"), "value"),
        secret_places: marks(container.list("secrets"), "valueFrom"),
    }
}

fn marks(pairs: &[Value], value: &str) -> BTreeMap<Text, Mark> {
    pairs.iter().map(|pair| (pair.text("name"), Mark::of(pair.word(value).unwrap_or_default()))).collect()
}

/// A variable that names a host, with a value that is one: nothing else of a task's variables is safe to show.
fn host(name: &str, value: &str) -> Option<(Text, Text)> {
    let upper = name.to_ascii_uppercase();
    let is_named = ["HOST", "HOSTNAME", "ENDPOINT"].iter().any(|ending| upper.ends_with(ending));
    let is_host = value.len() <= 253 && value.contains('.');
    let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    (is_named && is_host && is_plain).then(|| (Text::line(name), Text::line(value)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_count_that_is_no_number_is_not_taken_for_zero() {
        let told = |desired: Value| {
            service(
                &json!({ "serviceName": "api", "clusterArn": "arn:aws:ecs:r:1:cluster/main", "desiredCount": desired }),
            )
        };
        assert_eq!(told(json!(3)).map(|service| service.desired), Ok(3));
        assert_eq!(told(json!(null)).map(|service| service.desired), Ok(0));
        assert_eq!(told(json!("3")), Err("desiredCount is no whole number".to_owned()));
        assert!(told(json!(2.5)).is_err());
    }
}
