//! ECS as it is told by its answers.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::world::{
    World,
    autoscaling::{Suspended, Target},
};

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn caller() -> Caller {
    Caller { account: "111111111111".into(), region: "af-south-1".into(), origin: String::new() }
}

fn at(seconds: i64) -> Timestamp {
    START + SignedDuration::from_hours(1_000) + SignedDuration::from_secs(seconds)
}

fn fixture(desired: u32, breaker: Breaker) -> ServiceFixture {
    ServiceFixture {
        cluster: "main".into(),
        name: "api".into(),
        family: "api".into(),
        image: "api:1".into(),
        revision: 3,
        program: Program::default(),
        desired,
        breaker,
        tags: BTreeMap::new(),
    }
}

fn world(desired: u32, breaker: Breaker) -> World {
    let mut world = World::new(7, at(0));
    world.ecs.settle(at(0), &caller(), &fixture(desired, breaker));
    world
}

fn call(world: &mut World, seconds: i64, action: &str, request: Value) -> Result<Value, ApiError> {
    world.ask_json(at(seconds), &caller(), ("ecs", action), request)
}

fn describe(world: &mut World, seconds: i64) -> Value {
    let request = json!({ "cluster": "main", "services": ["api"] });
    call(world, seconds, "DescribeServices", request).expect("described")["services"][0].take()
}

fn set(world: &mut World, seconds: i64, count: u32) -> Value {
    let request = json!({ "cluster": "main", "service": "api", "desiredCount": count });
    call(world, seconds, "UpdateService", request).expect("updated")["service"].take()
}

fn counts(service: &Value) -> [i64; 3] {
    ["desiredCount", "runningCount", "pendingCount"].map(|name| service[name].as_i64().expect("a count"))
}

#[test]
fn waking_takes_time_makes_no_deployment_and_shows_late() {
    let mut world = world(0, Breaker::Off);
    let before = describe(&mut world, 0)["deployments"][0]["id"].clone();
    let updated = set(&mut world, 1, 2);
    assert_eq!(counts(&updated), [2, 0, 0]);
    assert_eq!(updated["deployments"][0]["id"], before, "a desired count makes no deployment");
    assert_eq!(counts(&describe(&mut world, 1)), [0, 0, 0], "reads lag");
    assert_eq!(counts(&describe(&mut world, 3)), [2, 0, 2]);
    let service = describe(&mut world, 15);
    assert_eq!(counts(&service), [2, 2, 0]);
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
    let events: Vec<&str> =
        service["events"].as_array().expect("events").iter().filter_map(|event| event["message"].as_str()).collect();
    assert_eq!(events[0], "(service api) has reached a steady state.");
    assert!(events[1].starts_with("(service api) has started 2 tasks: (task "), "{events:?}");
}

#[test]
fn tasks_go_through_their_stages_and_are_forgotten() {
    let mut world = world(0, Breaker::Off);
    set(&mut world, 0, 1);
    let list = |world: &mut World, seconds, status: &str| {
        let request = json!({ "cluster": "main", "serviceName": "api", "desiredStatus": status });
        call(world, seconds, "ListTasks", request).expect("listed")["taskArns"].take()
    };
    let arns = list(&mut world, 2, "RUNNING");
    let mut status = |seconds| {
        let request = json!({ "cluster": "main", "tasks": arns });
        call(&mut world, seconds, "DescribeTasks", request).expect("described")["tasks"][0].take()
    };
    assert_eq!([2, 5, 14].map(|seconds| status(seconds)["lastStatus"].clone()), ["PROVISIONING", "PENDING", "RUNNING"]);
    set(&mut world, 20, 0);
    let request = json!({ "cluster": "main", "tasks": list(&mut world, 30, "STOPPED") });
    let stopped = call(&mut world, 30, "DescribeTasks", request.clone()).expect("described");
    let stopped = &stopped["tasks"][0];
    assert_eq!(
        (&stopped["lastStatus"], &stopped["stopCode"]),
        (&"STOPPED".into(), &"ServiceSchedulerInitiated".into())
    );
    let reason = stopped["stoppedReason"].as_str().expect("a reason");
    assert!(reason.starts_with("Scaling activity initiated by (deployment ecs-svc/"), "{reason}");
    let later = call(&mut world, 3_700, "DescribeTasks", request).expect("described");
    assert_eq!(later["failures"][0]["reason"], "MISSING", "an hour later nobody knows it");
}

#[test]
fn an_image_that_is_missing_trips_the_breaker_which_rolls_back() {
    let mut world = world(2, Breaker::RollsBack);
    let program = Program { outcome: Outcome::CannotPull, ..Program::default() };
    let definition = world.ecs.define(&caller(), "api", "api:2", 4, program);
    let request = json!({ "cluster": "main", "service": "api", "taskDefinition": definition });
    let updated = call(&mut world, 0, "UpdateService", request).expect("updated")["service"].take();
    let id = updated["deployments"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!((&updated["deployments"][0]["rolloutState"], counts(&updated)), (&"IN_PROGRESS".into(), [2, 2, 0]));
    let service = describe(&mut world, 60);
    let failed = service["deployments"].as_array().expect("deployments").iter().find(|one| one["id"] == id.as_str());
    assert!(failed.is_none_or(|one| one["rolloutState"] == "FAILED"), "{failed:?}");
    let service = describe(&mut world, 300);
    assert_eq!(
        (service["taskDefinition"].as_str().map(|arn| arn.ends_with("api:3")), counts(&service)),
        (Some(true), [2, 2, 0])
    );
    assert_eq!(service["deployments"].as_array().map(Vec::len), Some(1));
    let view = world.ecs.view(&caller(), "main", "api").expect("there");
    let said = |words: &str| view.events.iter().any(|event| event.contains(words));
    assert!(said("deployment failed: tasks failed to start") && said("rolling back to deployment"), "{view:?}");
}

#[test]
fn without_capacity_nothing_starts_and_it_is_said() {
    let mut world = world(0, Breaker::Off);
    world.ecs.fill_until(&caller(), "main", at(60));
    set(&mut world, 0, 1);
    assert_eq!(counts(&describe(&mut world, 40)), [1, 0, 0]);
    let event = world.ecs.view(&caller(), "main", "api").expect("there").events[0].clone();
    assert!(event.starts_with("(service api) was unable to place a task. Reason: Capacity is unavailable"), "{event}");
    assert_eq!(counts(&describe(&mut world, 100)), [1, 1, 0]);
}

#[test]
fn run_task_is_safe_with_a_token_and_ends() {
    let mut world = world(0, Breaker::Off);
    let program = Program { outcome: Outcome::Exits { after_seconds: 5, code: 3 }, ..Program::default() };
    world.ecs.define(&caller(), "migration", "m:1", 1, program);
    let network = json!({ "awsvpcConfiguration": { "subnets": ["subnet-1"] } });
    let run = |count| {
        let place = json!({ "cluster": "main", "taskDefinition": "migration:1", "networkConfiguration": network });
        let mut request = json!({ "clientToken": "t", "count": count });
        request.as_object_mut().expect("a map").extend(place.as_object().expect("a map").clone());
        request
    };
    let first = call(&mut world, 0, "RunTask", run(1)).expect("run");
    let again = call(&mut world, 1, "RunTask", run(1)).expect("run");
    assert_eq!(first["tasks"][0]["taskArn"], again["tasks"][0]["taskArn"]);
    assert_eq!(call(&mut world, 1, "RunTask", run(2)).expect_err("other parameters").code, "ConflictException");
    let request = json!({ "cluster": "main", "tasks": [first["tasks"][0]["taskArn"]] });
    let task = call(&mut world, 60, "DescribeTasks", request).expect("described")["tasks"][0].take();
    assert_eq!(
        (&task["stopCode"], &task["containers"][0]["exitCode"]),
        (&"EssentialContainerExited".into(), &3.into())
    );
    world.ecs.fill_until(&caller(), "main", at(90));
    let full = json!({ "cluster": "main", "taskDefinition": "migration", "networkConfiguration": network });
    let answer = call(&mut world, 61, "RunTask", full).expect("HTTP 200");
    assert_eq!(
        (answer["tasks"].as_array().map(Vec::len), answer["failures"].as_array().map(Vec::len)),
        (Some(0), Some(1))
    );
}

#[test]
fn lists_have_pages_and_bounds() {
    let mut world = World::new(7, at(0));
    for number in 0..23 {
        let name = format!("s{number:02}");
        world.ecs.settle(at(0), &caller(), &ServiceFixture { name, ..fixture(0, Breaker::Off) });
    }
    let mut list = |request: Value| call(&mut world, 0, "ListServices", request);
    let first = list(json!({ "cluster": "main" })).expect("listed");
    assert_eq!(first["serviceArns"].as_array().map(Vec::len), Some(10), "ten where no number is given");
    let rest = list(json!({ "cluster": "main", "maxResults": 100, "nextToken": first["nextToken"] })).expect("listed");
    assert_eq!((rest["serviceArns"].as_array().map(Vec::len), rest.get("nextToken")), (Some(13), None));
    assert_eq!(list(json!({ "cluster": "gone" })).expect_err("gone").code, "ClusterNotFoundException");
    let eleven: Vec<String> = (0..11).map(|number| format!("s{number:02}")).collect();
    let request = json!({ "cluster": "main", "services": eleven });
    let refused = call(&mut world, 0, "DescribeServices", request).expect_err("eleven");
    assert_eq!(refused.code, "InvalidParameterException");
    let request = json!({ "cluster": "main", "services": ["s01", "nobody"] });
    let answer = call(&mut world, 0, "DescribeServices", request).expect("described");
    assert_eq!(answer["failures"][0]["reason"], "MISSING");
}

#[test]
fn everybody_shares_the_throttles() {
    let mut world = world(0, Breaker::Off);
    let request = json!({ "cluster": "main", "service": "api", "desiredCount": 0 });
    let throttled = (0..60).filter(|_| call(&mut world, 0, "UpdateService", request.clone()).is_err()).count();
    assert_eq!(throttled, 10);
    let error = call(&mut world, 0, "UpdateService", request).expect_err("throttled");
    assert_eq!((error.code, error.message.as_str()), ("ThrottlingException", "Rate exceeded"));
}

#[test]
fn pausing_autoscaling_may_wake_a_service() {
    let mut world = world(0, Breaker::Off);
    let target = Target { min: 2, max: 4, suspended: Suspended::default(), created_at: at(0), actions: Vec::new() };
    world.autoscaling.put(&caller(), "service/main/api", target);
    let body = json!({ "ServiceNamespace": "ecs", "ResourceId": "service/main/api", "ScalableDimension": "ecs:service:DesiredCount",
        "SuspendedState": { "DynamicScalingInSuspended": true } });
    let scaling = |action| ("application-autoscaling", action);
    world.ask_json(at(0), &caller(), scaling("RegisterScalableTarget"), body).expect("registered");
    assert_eq!(counts(&describe(&mut world, 0))[0], 2);
    let body = json!({ "ServiceNamespace": "ecs" });
    let answer = world.ask_json(at(0), &caller(), scaling("DescribeScalableTargets"), body).expect("described");
    assert_eq!(answer["ScalableTargets"][0]["SuspendedState"]["DynamicScalingInSuspended"], true);
}

#[test]
fn a_forced_deployment_replaces_every_task_by_the_same_revision() {
    let mut world = world(2, Breaker::Off);
    let before = describe(&mut world, 0);
    let request = json!({ "cluster": "main", "service": "api", "forceNewDeployment": true });
    let updated = call(&mut world, 0, "UpdateService", request).expect("updated")["service"].take();
    assert_ne!(updated["deployments"][0]["id"], before["deployments"][0]["id"]);
    assert_eq!(updated["taskDefinition"], before["taskDefinition"]);
    assert_eq!(describe(&mut world, 5)["deployments"].as_array().map(Vec::len), Some(2));
    let after = describe(&mut world, 60);
    assert_eq!((after["deployments"].as_array().map(Vec::len), counts(&after)), (Some(1), [2, 2, 0]));
    assert_eq!(after["deployments"][0]["rolloutState"], "COMPLETED");
}

/// Task definitions of service deployments and their statuses, the newest first.
fn deployed(world: &mut World, seconds: i64, statuses: &[&str]) -> Vec<(String, String)> {
    let request = json!({ "cluster": "main", "service": "api", "status": statuses });
    let listed = call(world, seconds, "ListServiceDeployments", request).expect("listed");
    let briefs = listed["serviceDeployments"].as_array().expect("a list").clone();
    let one = |brief: &Value| {
        let request = json!({ "serviceRevisionArns": [brief["targetServiceRevisionArn"]] });
        let told = call(world, seconds, "DescribeServiceRevisions", request).expect("described");
        let arn = told["serviceRevisions"][0]["taskDefinition"].as_str().expect("an ARN").to_owned();
        let name = arn.rsplit('/').next().expect("a name").to_owned();
        (name, brief["status"].as_str().expect("a status").to_owned())
    };
    briefs.iter().map(one).collect()
}

#[test]
fn service_deployments_tell_what_ran_before() {
    let mut world = world(2, Breaker::RollsBack);
    let pair = |name: &str, status: &str| (name.to_owned(), status.to_owned());
    let before = [pair("api:3", "SUCCESSFUL"), pair("api:2", "SUCCESSFUL")];
    assert_eq!(deployed(&mut world, 0, &[]), before);
    let program = Program { outcome: Outcome::CannotPull, ..Program::default() };
    let definition = world.ecs.define(&caller(), "api", "api:2", 4, program);
    let request = json!({ "cluster": "main", "service": "api", "taskDefinition": definition });
    call(&mut world, 0, "UpdateService", request).expect("updated");
    assert_eq!(deployed(&mut world, 1, &[])[0], pair("api:4", "IN_PROGRESS"));
    assert_eq!(deployed(&mut world, 300, &[])[0], pair("api:4", "ROLLBACK_SUCCESSFUL"));
    assert_eq!(deployed(&mut world, 300, &["SUCCESSFUL"]), before, "what the breaker brought back is not listed");
}

#[test]
fn by_a_revision_that_was_deregistered_nothing_new_begins() {
    let mut world = world(1, Breaker::Off);
    call(&mut world, 0, "DeregisterTaskDefinition", json!({ "taskDefinition": "api:2" })).expect("deregistered");
    let request = json!({ "cluster": "main", "service": "api", "taskDefinition": "api:2" });
    let refused = call(&mut world, 0, "UpdateService", request).expect_err("inactive");
    assert_eq!((refused.code, refused.message.as_str()), ("ClientException", "TaskDefinition is inactive"));
    let told = call(&mut world, 0, "DescribeTaskDefinition", json!({ "taskDefinition": "api:2" })).expect("described");
    assert_eq!(told["taskDefinition"]["status"], "INACTIVE");
    let listed = call(&mut world, 0, "ListTaskDefinitions", json!({ "familyPrefix": "api" })).expect("listed");
    assert_eq!(listed["taskDefinitionArns"].as_array().map(Vec::len), Some(2));
}
