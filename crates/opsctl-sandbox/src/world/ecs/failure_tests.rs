//! Tasks that fail by what AWS would look at: image, command, environment, secrets, health check; and what a service makes of it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::world::{Denial, World};

fn caller() -> Caller {
    Caller { account: "111111111111".into(), region: "af-south-1".into(), origin: String::new() }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1_000) + SignedDuration::from_secs(seconds)
}

fn world() -> World {
    let mut world = World::new(7, at(0));
    call(&mut world, 0, "CreateCluster", json!({ "clusterName": "main" })).expect("a cluster");
    world
}

fn call(world: &mut World, seconds: i64, action: &str, request: Value) -> Result<Value, ApiError> {
    world.ask_json(at(seconds), &caller(), ("ecs", action), request)
}

/// Registers a container with these members.
fn register(world: &mut World, members: Value) {
    let mut container = json!({ "name": "app", "image": "app:1", "essential": true });
    container.as_object_mut().expect("a map").extend(members.as_object().expect("a map").clone());
    let request = json!({ "family": "app", "networkMode": "awsvpc", "containerDefinitions": [container] });
    call(world, 0, "RegisterTaskDefinition", request).expect("registered");
}

fn network() -> Value {
    json!({ "awsvpcConfiguration": { "subnets": ["subnet-1"] } })
}

fn tasks(world: &mut World, seconds: i64, status: &str) -> Vec<Value> {
    let request = json!({ "cluster": "main", "desiredStatus": status });
    let arns = call(world, seconds, "ListTasks", request).expect("listed")["taskArns"].take();
    if arns.as_array().is_none_or(Vec::is_empty) {
        return Vec::new();
    }
    let request = json!({ "cluster": "main", "tasks": arns });
    call(world, seconds, "DescribeTasks", request).expect("described")["tasks"].as_array().cloned().unwrap_or_default()
}

/// The task of a `RunTask`, a minute later.
fn ran(world: &mut World, overrides: &Value) -> Value {
    let container = json!([{ "name": "app" }]);
    let mut overrides = json!({ "containerOverrides": [overrides] });
    overrides["containerOverrides"][0]["name"] = container[0]["name"].clone();
    let request = json!({ "cluster": "main", "taskDefinition": "app", "networkConfiguration": network(), "overrides": overrides });
    let started = call(world, 0, "RunTask", request).expect("started");
    let request = json!({ "cluster": "main", "tasks": [started["tasks"][0]["taskArn"]] });
    call(world, 60, "DescribeTasks", request).expect("described")["tasks"][0].take()
}

#[test]
fn a_task_ends_by_what_it_is_made_of() {
    let shell = |script: &str| json!({ "command": ["sh", "-c", script] });
    let secret = |from: &str| json!({ "secrets": [{ "name": "PASSWORD", "valueFrom": from }] });
    let arn = |name: &str| format!("arn:aws:secretsmanager:af-south-1:111111111111:secret:{name}");
    let unhealthy = json!({ "healthCheck": { "command": ["CMD-SHELL", "exit 1"], "interval": 5, "retries": 2 } });
    for (members, overrides, code, exit_code, words) in [
        (
            json!({ "image": "nginx:missing" }),
            json!({}),
            "TaskFailedToStart",
            None,
            "CannotPullContainerError: pull image",
        ),
        (json!({ "image": "Nginx:1" }), json!({}), "TaskFailedToStart", None, "invalid reference format"),
        (
            json!({ "command": ["no-such-program"] }),
            json!({}),
            "TaskFailedToStart",
            None,
            "CannotStartContainerError: ",
        ),
        (
            shell("sleep 5; exit 3"),
            json!({}),
            "EssentialContainerExited",
            Some(3),
            "Essential container in task exited",
        ),
        (
            json!({}),
            json!({ "command": ["sleep 5; exit 3"] }),
            "EssentialContainerExited",
            Some(3),
            "Essential container",
        ),
        (
            json!({ "entryPoint": ["sh", "-c"], "command": ["false"] }),
            json!({}),
            "EssentialContainerExited",
            Some(1),
            "",
        ),
        (
            shell("test -n \"$URL\" || exit 2; sleep 3600"),
            json!({ "environment": [{ "name": "URL", "value": "" }] }),
            "EssentialContainerExited",
            Some(2),
            "",
        ),
        (shell("tail /dev/zero"), json!({}), "EssentialContainerExited", Some(137), "OutOfMemoryError"),
        (
            secret(&arn("none-AbCdEf")),
            json!({}),
            "TaskFailedToStart",
            None,
            "Secrets Manager can't find the specified secret",
        ),
        (secret(&arn("app-AbCdEf:user::")), json!({}), "TaskFailedToStart", None, "did not contain json key user"),
        (
            secret(&arn("denied-AbCdEf")),
            json!({}),
            "TaskFailedToStart",
            None,
            "not authorized to perform: secretsmanager:GetSecretValue",
        ),
        (secret("/app/none"), json!({}), "TaskFailedToStart", None, "invalid ssm parameters: /app/none"),
        (
            json!({ "logConfiguration": { "logDriver": "awslogs", "options": { "awslogs-group": "none" } } }),
            json!({}),
            "TaskFailedToStart",
            None,
            "The specified log group does not exist",
        ),
        (secret(&arn("app-AbCdEf:password::")), json!({}), "", None, ""),
        (secret("/app/there"), json!({}), "", None, ""),
        (unhealthy, json!({}), "", None, ""),
        (json!({ "command": ["npm", "start"] }), json!({}), "", None, ""),
    ] {
        let mut world = world();
        for name in ["app", "denied"] {
            world.secrets.put(at(0), ("111111111111", "af-south-1"), name, "AbCdEf", "{\"password\": \"x\"}");
        }
        world.ssm.put(at(0), "111111111111", "af-south-1", "/app/there", "x");
        world.denials.push(Denial { account: "*".into(), queue: "denied*".into(), action: "secretsmanager:*".into() });
        register(&mut world, members.clone());
        let task = ran(&mut world, &overrides);
        assert_eq!(task["stopCode"].as_str().unwrap_or_default(), code, "{members}: {task:#}");
        assert_eq!(task["containers"][0]["exitCode"].as_i64(), exit_code, "{members}");
        let told = format!("{} {}", task["stoppedReason"], task["containers"][0]["reason"]);
        assert!(told.contains(words), "{members}: {told}");
        let is_unhealthy = task["healthStatus"] == "UNHEALTHY";
        assert_eq!(is_unhealthy, members.get("healthCheck").is_some(), "{members}: {}", task["healthStatus"]);
    }
}

/// Creates the service `api` of that container, and tells it after so many seconds.
fn service(members: Value, desired: u32, more: Value, seconds: i64) -> (World, Value) {
    let mut world = world();
    register(&mut world, members);
    let mut request = json!({ "cluster": "main", "serviceName": "api", "taskDefinition": "app", "desiredCount": desired,
                              "networkConfiguration": network() });
    request.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
    call(&mut world, 0, "CreateService", request).expect("created");
    let told = told(&mut world, seconds);
    (world, told)
}

fn told(world: &mut World, seconds: i64) -> Value {
    let request = json!({ "cluster": "main", "services": ["api"] });
    call(world, seconds, "DescribeServices", request).expect("described")["services"][0].take()
}

fn events(service: &Value) -> Vec<&str> {
    service["events"].as_array().expect("events").iter().filter_map(|event| event["message"].as_str()).collect()
}

#[test]
fn whatever_keeps_tasks_from_starting_trips_the_breaker() {
    let breaker =
        json!({ "deploymentConfiguration": { "deploymentCircuitBreaker": { "enable": true, "rollback": false } } });
    for members in [
        json!({ "image": "app:missing" }),
        json!({ "command": ["sh", "-c", "sleep 5; exit 3"] }),
        json!({ "secrets": [{ "name": "P", "valueFrom": "none" }] }),
        json!({ "healthCheck": { "command": ["CMD-SHELL", "exit 1"], "interval": 5, "retries": 1 } }),
    ] {
        let (mut world, service) = service(members.clone(), 2, breaker.clone(), 600);
        let deployment = &service["deployments"][0];
        assert_eq!(deployment["rolloutState"], "FAILED", "{members}: {deployment:#}");
        assert!(deployment["failedTasks"].as_i64() >= Some(3), "{members}: {deployment}");
        assert!(
            events(&service).iter().any(|event| event.contains("deployment failed: tasks failed to start")),
            "{members}"
        );
        let stopped = tasks(&mut world, 600, "STOPPED");
        assert!(
            stopped.iter().all(|task| task["stoppedReason"].as_str().is_some_and(|why| !why.is_empty())),
            "{members}"
        );
    }
}

#[test]
fn without_a_breaker_the_pauses_between_starts_grow() {
    let (mut world, first) = service(json!({ "image": "app:missing" }), 1, json!({}), 120);
    let failures = |service: &Value| service["deployments"][0]["failedTasks"].as_i64().expect("a count");
    let (early, middle, late) =
        (failures(&first), failures(&told(&mut world, 600)), failures(&told(&mut world, 7_800)));
    assert!(early >= 4, "{early} within two minutes");
    assert!(late - middle < 2 * early, "{late} after two hours, {middle} after ten minutes");
    let service = told(&mut world, 7_800);
    assert!(events(&service).iter().any(|event| event.contains("is unable to consistently start tasks successfully")));
    assert_eq!(service["deployments"][0]["rolloutState"], "IN_PROGRESS");
}

#[test]
fn a_health_check_that_fails_is_told_by_task_and_event() {
    let check =
        json!({ "healthCheck": { "command": ["CMD", "false"], "interval": 5, "retries": 2, "startPeriod": 3 } });
    let (mut world, _) = service(check, 1, json!({}), 20);
    let service = told(&mut world, 40);
    assert!(
        events(&service).iter().any(|event| event.ends_with("failed container health checks.")),
        "{:?}",
        events(&service)
    );
    let stopped = tasks(&mut world, 40, "STOPPED");
    assert_eq!(stopped[0]["stoppedReason"], "Task failed container health checks", "{stopped:?}");
}

#[test]
fn tasks_that_begin_together_are_ready_one_after_another_with_networks_of_their_own() {
    let (mut world, _) = service(json!({}), 8, json!({}), 2);
    let running = |world: &mut World, seconds| {
        let service = told(world, seconds);
        service["runningCount"].as_i64().expect("a count")
    };
    let counts: Vec<i64> = (5..16).map(|seconds| running(&mut world, seconds)).collect();
    let between = counts.iter().filter(|count| (1..8).contains(*count)).count();
    assert!(between >= 2 && counts.last() == Some(&8), "{counts:?}");
    let tasks = tasks(&mut world, 20, "RUNNING");
    let mut addresses: Vec<&str> = Vec::new();
    for task in &tasks {
        let attachment = &task["attachments"][0];
        assert_eq!(
            (&attachment["type"], &attachment["status"]),
            (&json!("ElasticNetworkInterface"), &json!("ATTACHED"))
        );
        let interface = &task["containers"][0]["networkInterfaces"][0];
        assert_eq!(interface["attachmentId"], attachment["id"]);
        let details = attachment["details"].as_array().expect("details");
        let ip = details.iter().find(|detail| detail["name"] == "privateIPv4Address").expect("an address");
        assert_eq!(ip["value"], interface["privateIpv4Address"]);
        addresses.push(ip["value"].as_str().expect("text"));
        let time = |name: &str| task[name].as_f64().expect("a time");
        assert!(time("createdAt") < time("pullStartedAt") && time("pullStartedAt") < time("startedAt"), "{task}");
    }
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), 8);
}

#[test]
fn behind_a_load_balancer_tasks_are_registered_drained_and_then_stopped() {
    let arn = "arn:aws:elasticloadbalancing:af-south-1:111111111111:targetgroup/api/0123456789abcdef";
    let balancer = json!({ "loadBalancers": [{ "targetGroupArn": arn, "containerName": "app", "containerPort": 80 }] });
    let (mut world, service) = service(json!({}), 1, balancer, 20);
    let said = format!("(service api) registered 1 targets in (target-group {arn})");
    assert!(events(&service).contains(&said.as_str()), "{:?}", events(&service));
    call(&mut world, 30, "UpdateService", json!({ "cluster": "main", "service": "api", "desiredCount": 0 }))
        .expect("updated");
    let task = tasks(&mut world, 32, "STOPPED").remove(0);
    assert_eq!((&task["lastStatus"], &task["desiredStatus"]), (&json!("DEACTIVATING"), &json!("STOPPED")));
    assert!(task.get("stoppingAt").is_none() && task["containers"][0].get("exitCode").is_none(), "{task}");
    let task = tasks(&mut world, 60, "STOPPED").remove(0);
    assert_eq!((&task["lastStatus"], &task["containers"][0]["exitCode"]), (&json!("STOPPED"), &json!(143)));
    let service = told(&mut world, 60);
    for words in ["has begun draining connections on 1 tasks.", "deregistered 1 targets in (target-group "] {
        assert!(events(&service).iter().any(|event| event.contains(words)), "{words}: {:?}", events(&service));
    }
}

/// A service behind a target group, whose command serves nobody.
fn silent(grace: i64, more: Value) -> World {
    let arn = "arn:aws:elasticloadbalancing:af-south-1:111111111111:targetgroup/api/0123456789abcdef";
    let mut behind = json!({ "loadBalancers": [{ "targetGroupArn": arn, "containerName": "app", "containerPort": 80 }],
        "healthCheckGracePeriodSeconds": grace });
    behind.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
    service(json!({ "command": ["sleep", "86400"] }), 1, behind, 10).0
}

#[test]
fn a_task_whose_target_is_unhealthy_is_replaced_after_the_grace_period() {
    for grace in [0, 60, 300] {
        let mut world = silent(grace, json!({}));
        let first = tasks(&mut world, 20, "RUNNING")[0]["taskArn"].clone();
        let started =
            tasks(&mut world, 20, "RUNNING")[0]["startedAt"].as_f64().expect("a time") as i64 - at(0).as_second();
        let stops = started + grace.max(12);
        assert_eq!(tasks(&mut world, stops - 1, "RUNNING")[0]["taskArn"], first, "{grace}: not before");
        let stopped = tasks(&mut world, stops + 8, "STOPPED").remove(0);
        let arn = "arn:aws:elasticloadbalancing:af-south-1:111111111111:targetgroup/api/0123456789abcdef";
        assert_eq!(stopped["taskArn"], first, "{grace}");
        assert_eq!(stopped["stoppedReason"], format!("Task failed ELB health checks in (target-group {arn})"));
        assert_eq!(
            (&stopped["stopCode"], &stopped["containers"][0]["exitCode"]),
            (&json!("ServiceSchedulerInitiated"), &json!(143))
        );
        let told = told(&mut world, stops + 30);
        let id = first.as_str().and_then(|arn| arn.rsplit('/').next()).expect("an id");
        for words in [
            format!(
                "(service api) (port 80) is unhealthy in (target-group {arn}) due to (reason Health checks failed)."
            ),
            format!("(service api) has stopped 1 running tasks: (task {id})."),
            format!("(service api) deregistered 1 targets in (target-group {arn})"),
        ] {
            assert!(events(&told).contains(&words.as_str()), "{words}: {:?}", events(&told));
        }
        assert!(told["deployments"][0]["failedTasks"].as_i64() >= Some(1), "{told:#}");
        assert_ne!(tasks(&mut world, stops + 30, "RUNNING")[0]["taskArn"], first, "another task runs");
    }
}

#[test]
fn unhealthy_targets_trip_the_circuit_breaker_too() {
    let breaker =
        json!({ "deploymentConfiguration": { "deploymentCircuitBreaker": { "enable": true, "rollback": false } } });
    let mut world = silent(5, breaker);
    assert_eq!(told(&mut world, 300)["deployments"][0]["rolloutState"], "FAILED");
}

#[test]
fn a_deployment_whose_tasks_are_unhealthy_is_rolled_back() {
    let mut world = World::new(7, at(0));
    let program = Program::default();
    let fixture = ServiceFixture {
        cluster: "main".into(),
        name: "api".into(),
        family: "api".into(),
        image: "api:1".into(),
        revision: 1,
        program,
        desired: 2,
        breaker: Breaker::RollsBack,
        tags: Default::default(),
    };
    world.ecs.settle(at(0), &caller(), &fixture);
    let arn = world.balance(&caller(), "main", "api", "api", 8080);
    world.ecs.deploy_next(at(1), &caller(), "main", "api", Outcome::Unhealthy);
    let service = told(&mut world, 900);
    let words = format!(
        "(service api) (port 8080) is unhealthy in (target-group {arn}) due to (reason Health checks failed with these codes: [503])."
    );
    assert!(events(&service).contains(&words.as_str()), "{:?}", events(&service));
    assert!(
        events(&service).iter().any(|event| event.contains("rolling back to deployment")),
        "{:?}",
        events(&service)
    );
    assert_eq!(
        (&service["runningCount"], &service["deployments"][0]["rolloutState"]),
        (&json!(2), &json!("COMPLETED"))
    );
    assert!(service["taskDefinition"].as_str().is_some_and(|name| name.ends_with("api:1")), "{service:#}");
}

#[test]
fn a_grace_period_covers_container_health_checks_too() {
    let check = json!({ "healthCheck": { "command": ["CMD", "false"], "interval": 5, "retries": 1 } });
    let (mut world, _) = service(check, 1, json!({ "healthCheckGracePeriodSeconds": 120 }), 20);
    assert!(tasks(&mut world, 120, "STOPPED").is_empty());
    assert_eq!(tasks(&mut world, 140, "STOPPED")[0]["stoppedReason"], "Task failed container health checks");
}

#[test]
fn a_service_is_deleted_once_it_has_no_tasks() {
    let (mut world, _) = service(json!({}), 1, json!({}), 20);
    let delete = |world: &mut World, seconds, force: bool| {
        call(world, seconds, "DeleteService", json!({ "cluster": "main", "service": "api", "force": force }))
    };
    assert_eq!(delete(&mut world, 20, false).expect_err("refused").code, "InvalidParameterException");
    assert_eq!(delete(&mut world, 20, true).expect("deleted")["service"]["status"], "DRAINING");
    let update = json!({ "cluster": "main", "service": "api", "desiredCount": 2 });
    assert_eq!(call(&mut world, 21, "UpdateService", update).expect_err("gone").code, "ServiceNotActiveException");
    assert_eq!(told(&mut world, 60)["status"], "INACTIVE");
    let listed = call(&mut world, 60, "ListServices", json!({ "cluster": "main" })).expect("listed");
    assert_eq!(listed["serviceArns"], json!([]));
    let again = json!({ "cluster": "main", "serviceName": "api", "taskDefinition": "app" });
    assert_eq!(call(&mut world, 61, "CreateService", again).expect("created")["service"]["status"], "ACTIVE");
}

#[test]
fn a_task_definition_is_told_as_it_was_registered() {
    let mut world = world();
    let container = json!({ "name": "app", "image": "app:1", "cpu": 128, "memory": 256, "essential": true,
        "portMappings": [{ "containerPort": 80, "protocol": "tcp" }], "healthCheck": { "command": ["CMD", "true"] } });
    let sidecar = json!({ "name": "proxy", "image": "envoy:1", "essential": false });
    let request = json!({ "family": "two", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "512",
        "memory": "1024", "containerDefinitions": [container, sidecar] });
    call(&mut world, 0, "RegisterTaskDefinition", request).expect("registered");
    let told = call(&mut world, 0, "DescribeTaskDefinition", json!({ "taskDefinition": "two" })).expect("described");
    let containers = told["taskDefinition"]["containerDefinitions"].as_array().expect("containers");
    assert_eq!(containers.len(), 2);
    for (told, given) in containers.iter().zip([&container, &sidecar]) {
        for (name, value) in given.as_object().expect("members") {
            assert_eq!(&told[name], value, "{name}");
        }
    }
    let run = json!({ "cluster": "main", "taskDefinition": "two", "networkConfiguration": network() });
    let task = call(&mut world, 0, "RunTask", run).expect("started")["tasks"][0].take();
    let names: Vec<_> =
        task["containers"].as_array().expect("containers").iter().map(|one| one["name"].clone()).collect();
    assert_eq!(
        (names, &task["cpu"], &task["memory"]),
        (vec![json!("app"), json!("proxy")], &json!("512"), &json!("1024"))
    );
}
