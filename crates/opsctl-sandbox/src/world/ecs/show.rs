//! Documents as ECS answers them.

use serde_json::{Value, json};

use super::{
    PlaceKey,
    model::{Breaker, Cluster, Definition, Deployment, LogConfig, Service, Stage, Standing, Task},
    targets::address,
};
use crate::world::{call::given, hash};

/// Seconds since 1970, as awsJson1_1 has times.
pub(super) fn time(at: i64) -> f64 {
    at as f64 / 1_000.0
}

pub(super) fn arn(place: &PlaceKey, rest: &str) -> String {
    format!("arn:aws:ecs:{}:{}:{rest}", place.1, place.0)
}

pub(super) fn cluster(place: &PlaceKey, name: &str, cluster: &Cluster) -> Value {
    let count = |wanted: fn(&Task) -> bool| cluster.tasks.values().filter(|task| wanted(task)).count();
    json!({
        "clusterArn": arn(place, &format!("cluster/{name}")),
        "clusterName": name,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": count(Task::is_running),
        "pendingTasksCount": count(Task::is_pending),
        "activeServicesCount": cluster.services.values().filter(|one| one.standing == Standing::Active).count(),
        "statistics": [], "tags": [], "settings": [{ "name": "containerInsights", "value": "disabled" }],
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"], "defaultCapacityProviderStrategy": [],
    })
}

pub(super) fn service(place: &PlaceKey, cluster_name: &str, name: &str, cluster: &Cluster, service: &Service) -> Value {
    let count = |wanted: fn(&Task) -> bool| cluster.tasks_of(name).filter(|(_, task)| wanted(task)).count();
    let enable = service.breaker != Breaker::Off;
    let deployments: Vec<Value> = service
        .deployments
        .iter()
        .enumerate()
        .map(|(index, one)| deployment(place, cluster, service, one, index == 0))
        .collect();
    let events = service.events.iter();
    let events: Vec<Value> =
        events.map(|event| json!({ "id": event.id, "createdAt": time(event.at), "message": event.message })).collect();
    let placement = &service.placement;
    let is_by_ecs = placement.controller() == "ECS";
    // Under another controller than ECS, task sets take the place of deployments.
    let task_sets: Vec<Value> = match is_by_ecs {
        true => Vec::new(),
        false => vec![task_set(place, cluster_name, cluster, service)],
    };
    let has_providers = !placement.capacity_provider_strategy.is_empty();
    let launch_type = placement.launch_type.as_deref().unwrap_or(if placement.is_daemon() { "EC2" } else { "FARGATE" });
    given(json!({
        "serviceArn": arn(place, &format!("service/{cluster_name}/{name}")),
        "serviceName": name,
        "clusterArn": arn(place, &format!("cluster/{cluster_name}")),
        "loadBalancers": service.balancers, "serviceRegistries": [],
        "status": service.standing,
        "desiredCount": service.desired,
        "runningCount": count(Task::is_running),
        "pendingCount": count(Task::is_pending),
        "launchType": (!has_providers).then_some(launch_type),
        "capacityProviderStrategy": has_providers.then_some(&placement.capacity_provider_strategy),
        "platformVersion": "LATEST", "platformFamily": "Linux",
        "taskDefinition": arn(place, &format!("task-definition/{}", service.primary().definition)),
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": { "enable": enable, "rollback": service.breaker == Breaker::RollsBack },
            "maximumPercent": service.percent_max, "minimumHealthyPercent": service.percent_min,
            "strategy": service.strategy, "bakeTimeInMinutes": service.bake_minutes,
        },
        "deployments": if is_by_ecs { deployments } else { Vec::new() },
        "taskSets": (!is_by_ecs).then_some(task_sets),
        "roleArn": format!("arn:aws:iam::{}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", place.0),
        "events": events,
        "createdAt": time(service.created_at),
        "placementConstraints": [], "placementStrategy": [],
        "networkConfiguration": service.network,
        "healthCheckGracePeriodSeconds": service.grace_seconds,
        "schedulingStrategy": if placement.is_daemon() { "DAEMON" } else { "REPLICA" },
        "deploymentController": { "type": placement.controller() },
        "enableECSManagedTags": true, "propagateTags": "SERVICE", "enableExecuteCommand": false,
        "availabilityZoneRebalancing": "DISABLED",
    }))
}

fn task_set(place: &PlaceKey, cluster_name: &str, cluster: &Cluster, service: &Service) -> Value {
    let primary = service.primary();
    let count = |wanted: fn(&Task) -> bool| cluster.tasks_by(&primary.id).filter(|(_, task)| wanted(task)).count();
    json!({
        "id": primary.id, "status": "PRIMARY",
        "clusterArn": arn(place, &format!("cluster/{cluster_name}")),
        "taskDefinition": arn(place, &format!("task-definition/{}", primary.definition)),
        "computedDesiredCount": service.desired, "runningCount": count(Task::is_running),
        "pendingCount": count(Task::is_pending), "scale": { "value": 100.0, "unit": "PERCENT" },
        "stabilityStatus": if service.is_steady { "STEADY_STATE" } else { "STABILIZING" },
        "loadBalancers": service.balancers, "createdAt": time(primary.created_at), "updatedAt": time(primary.updated_at),
    })
}

fn deployment(place: &PlaceKey, cluster: &Cluster, service: &Service, one: &Deployment, is_primary: bool) -> Value {
    let count = |wanted: fn(&Task) -> bool| cluster.tasks_by(&one.id).filter(|(_, task)| wanted(task)).count();
    json!({
        "id": one.id,
        "status": if is_primary { "PRIMARY" } else { "ACTIVE" },
        "taskDefinition": arn(place, &format!("task-definition/{}", one.definition)),
        "desiredCount": if is_primary { service.desired } else { 0 },
        "runningCount": count(Task::is_running),
        "pendingCount": count(Task::is_pending),
        "failedTasks": one.failed,
        "createdAt": time(one.created_at),
        "updatedAt": time(one.updated_at),
        "launchType": "FARGATE", "platformVersion": "1.4.0", "platformFamily": "Linux",
        "networkConfiguration": service.network,
        "rolloutState": one.rollout,
        "rolloutStateReason": one.reason,
    })
}

pub(super) fn task(
    place: &PlaceKey,
    cluster_name: &str,
    id: &str,
    task: &Task,
    definition: &Definition,
    now: i64,
) -> Value {
    let has_stopped = task.is_ending();
    let health = match (task.healthy_at, task.unhealthy_at) {
        (Some(at), _) if at <= now && !has_stopped => "HEALTHY",
        (_, Some(at)) if at <= now => "UNHEALTHY",
        (Some(_) | None, Some(_) | None) => "UNKNOWN",
    };
    let task_arn = arn(place, &format!("task/{cluster_name}/{id}"));
    let stop = task.stop.as_ref();
    let container = given(json!({
        "containerArn": arn(place, &format!("container/{cluster_name}/{id}/{}", &id[..12])),
        "taskArn": task_arn, "name": definition.container, "image": definition.image,
        "lastStatus": container_status(task.stage), "networkInterfaces": interfaces(id, task), "healthStatus": health,
        "cpu": "0", "runtimeId": task.started_at.map(|_| format!("{id}-{:010}", hash(definition.container.bytes()) % 10_000_000_000)),
        "imageDigest": task.started_at.map(|_| digest(&definition.image)),
        "exitCode": stop.filter(|_| task.stage >= Stage::Stopping).and_then(|stop| stop.exit_code),
        "reason": stop.and_then(|stop| stop.container_reason.as_ref()),
    }));
    let more = others(definition).map(|other| {
        given(json!({
            "containerArn": arn(place, &format!("container/{cluster_name}/{id}/{:012x}", hash(other["name"].to_string().bytes()) >> 16)),
            "taskArn": task_arn, "name": other["name"], "image": other["image"],
            "lastStatus": container_status(task.stage), "networkInterfaces": interfaces(id, task), "healthStatus": "UNKNOWN",
            "cpu": "0", "exitCode": (task.stage > Stage::Stopping && task.started_at.is_some()).then_some(0),
        }))
    });
    let containers: Vec<Value> = std::iter::once(container).chain(more).collect();
    given(json!({
        "attachments": attachments(place, id, task), "attributes": [{ "name": "ecs.cpu-architecture", "value": "x86_64" }],
        "availabilityZone": format!("{}{}", place.1, char::from(b'a' + id.as_bytes()[0] % 3)),
        "clusterArn": arn(place, &format!("cluster/{cluster_name}")),
        "taskArn": task_arn,
        "taskDefinitionArn": arn(place, &format!("task-definition/{}", task.definition)),
        "createdAt": time(task.created_at),
        "cpu": definition.cpu.as_deref().unwrap_or("256"), "memory": definition.memory.as_deref().unwrap_or("512"),
        "ephemeralStorage": { "sizeInGiB": 20 }, "launchType": "FARGATE", "platformVersion": "1.4.0", "platformFamily": "Linux",
        "connectivity": "CONNECTED", "enableExecuteCommand": false,
        "group": task.group, "healthStatus": health,
        "lastStatus": task.stage,
        "desiredStatus": if has_stopped { "STOPPED" } else { "RUNNING" },
        "overrides": task.overrides, "tags": task.tags, "version": task.stage as u32 + 1,
        "startedBy": task.started_by,
        "startedAt": task.started_at.map(time),
        "connectivityAt": task.pull_at.map(time),
        "pullStartedAt": task.pull_at.map(time),
        "pullStoppedAt": task.started_at.map(time),
        "executionStoppedAt": task.stopping_at.filter(|_| task.started_at.is_some()).map(time),
        "stoppingAt": task.stopping_at.map(time),
        "stoppedAt": task.stopped_at.map(time),
        "stopCode": stop.map(|stop| stop.code),
        "stoppedReason": stop.map(|stop| &stop.reason),
        "containers": containers,
    }))
}

/// Containers beside the first.
fn others(definition: &Definition) -> impl Iterator<Item = &Value> {
    let registered =
        definition.registered.as_ref().and_then(|registered| registered["containerDefinitions"].as_array());
    registered.into_iter().flatten().skip(1)
}

fn digest(image: &str) -> String {
    let part = |salt: u8| hash(image.bytes().chain([salt]));
    format!("sha256:{:016x}{:016x}{:016x}{:016x}", part(1), part(2), part(3), part(4))
}

/// Id of a task's network interface as an attachment.
fn attachment(id: &str) -> String {
    let [a, b, c, d, e] = [0..8, 8..12, 13..16, 17..20, 20..32].map(|part| id.get(part).unwrap_or_default());
    format!("{a}-{b}-4{c}-8{d}-{e}")
}

fn interfaces(id: &str, task: &Task) -> Value {
    match task.subnet {
        Some(_) if task.stage > Stage::Provisioning => {
            json!([{ "attachmentId": attachment(id), "privateIpv4Address": address(id) }])
        }
        Some(_) | None => json!([]),
    }
}

/// The network interface of a task that has one of its own.
fn attachments(place: &PlaceKey, id: &str, task: &Task) -> Value {
    let Some(subnet) = &task.subnet else { return json!([]) };
    let status = match task.stage {
        Stage::Provisioning => "ATTACHING",
        Stage::Pending | Stage::Running | Stage::Deactivating | Stage::Stopping => "ATTACHED",
        Stage::Deprovisioning => "DETACHING",
        Stage::Stopped => "DELETED",
    };
    let ip = address(id);
    let mac: Vec<&str> = (0..5).filter_map(|index| id.get(index * 2..index * 2 + 2)).collect();
    let details = [
        ("subnetId", subnet.clone()),
        ("networkInterfaceId", format!("eni-0{}", id.get(..16).unwrap_or_default())),
        ("macAddress", format!("0a:{}", mac.join(":"))),
        ("privateDnsName", format!("ip-{}.{}.compute.internal", ip.replace('.', "-"), place.1)),
        ("privateIPv4Address", ip),
    ];
    let known = if task.stage == Stage::Provisioning { 1 } else { details.len() };
    let details = details.iter().take(known).map(|(name, value)| json!({ "name": name, "value": value }));
    json!([{ "id": attachment(id), "type": "ElasticNetworkInterface", "status": status, "details": details.collect::<Vec<_>>() }])
}

fn container_status(stage: Stage) -> &'static str {
    match stage {
        Stage::Provisioning | Stage::Pending => "PENDING",
        Stage::Running | Stage::Deactivating => "RUNNING",
        Stage::Stopping | Stage::Deprovisioning | Stage::Stopped => "STOPPED",
    }
}

pub(super) fn definition(place: &PlaceKey, family: &str, revision: usize, definition: &Definition) -> Value {
    let mode = definition.network_mode.as_deref().unwrap_or("bridge");
    let named = |pairs: &[(String, String)], value_name: &str| -> Vec<Value> {
        pairs.iter().map(|(name, value)| json!({ "name": name, value_name: value })).collect()
    };
    let mut container = given(json!({
        "name": definition.container, "image": definition.image, "cpu": 0, "essential": true,
        "portMappings": [], "mountPoints": [], "volumesFrom": [],
        "environment": named(&definition.environment, "value"),
        "secrets": named(&definition.secrets, "valueFrom"),
        "command": (!definition.command.is_empty()).then_some(&definition.command),
        "logConfiguration": definition.log.as_ref().map(|log| log_configuration(place, log)),
    }));
    let registered = definition.registered.as_ref();
    fill(&mut container, registered.map(|registered| &registered["containerDefinitions"][0]));
    let more = others(definition).map(|other| {
        let mut container = json!({
            "cpu": 0, "essential": true, "portMappings": [], "mountPoints": [], "volumesFrom": [], "environment": [],
        });
        fill(&mut container, Some(other));
        container
    });
    let containers: Vec<Value> = std::iter::once(container).chain(more).collect();
    let mut shown = given(json!({
        "taskDefinitionArn": arn(place, &format!("task-definition/{family}:{revision}")),
        "family": family, "revision": revision,
        "status": if definition.is_inactive { "INACTIVE" } else { "ACTIVE" },
        "registeredAt": time(definition.registered_at),
        "networkMode": mode, "compatibilities": ["EC2", "FARGATE"],
        "cpu": definition.cpu.as_deref().unwrap_or("256"), "memory": definition.memory.as_deref().unwrap_or("512"),
        "volumes": [], "placementConstraints": [],
        "requiresCompatibilities": (mode == "awsvpc").then_some(["FARGATE"]),
        "taskRoleArn": definition.role,
        "executionRoleArn": definition.execution_role,
        "containerDefinitions": containers,
    }));
    for name in ["volumes", "placementConstraints", "requiresCompatibilities", "runtimePlatform", "ephemeralStorage"] {
        if let Some(value) = registered.and_then(|registered| registered.get(name)).filter(|value| !value.is_null()) {
            shown[name] = value.clone();
        }
    }
    shown
}

/// What was registered counts before what is shown where nothing was said.
fn fill(container: &mut Value, registered: Option<&Value>) {
    for (name, value) in
        registered.and_then(Value::as_object).into_iter().flatten().filter(|(_, value)| !value.is_null())
    {
        container[name.as_str()] = value.clone();
    }
}

fn log_configuration(place: &PlaceKey, log: &LogConfig) -> Value {
    let options = given(json!({
        "awslogs-group": log.group, "awslogs-region": &*place.1, "awslogs-stream-prefix": log.prefix,
        "mode": if log.is_blocking { "blocking" } else { "non-blocking" },
        "awslogs-create-group": log.creates_group.then_some("true"),
    }));
    json!({ "logDriver": "awslogs", "options": options })
}
