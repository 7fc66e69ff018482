//! One-off tasks as they are told by ECS's answers: tokens, failures, ends, lines, databases.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::world::{
    World,
    rds::{Capacity, Cluster, Instance},
};

const ACCOUNT: &str = "111111111111";
const REGION: &str = "af-south-1";

fn caller() -> Caller {
    Caller { account: ACCOUNT.into(), region: REGION.into(), origin: String::new() }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1_000) + SignedDuration::from_secs(seconds)
}

fn job() -> JobFixture {
    JobFixture {
        family: "migration".into(),
        revision: 3,
        image: "migration:3".into(),
        program: Program { outcome: Outcome::Exits { after_seconds: 10, code: 0 }, ..Program::default() },
        log: Some(LogConfig { group: "logs".into(), prefix: "ecs".into(), ..LogConfig::default() }),
        script: (0..10).map(|second| (f64::from(second), format!("line {second}"))).collect(),
        ..JobFixture::default()
    }
}

fn world(job: &JobFixture) -> World {
    let mut world = World::new(7, at(0));
    world.ecs.define_job(&caller(), job);
    world.ecs.fill_until(&caller(), "main", at(0));
    world.logs.create_group(0, ACCOUNT, REGION, "logs");
    world
}

fn call(world: &mut World, seconds: i64, action: &str, request: Value) -> Result<Value, ApiError> {
    world.ask_json(at(seconds), &caller(), ("ecs", action), request)
}

fn request() -> Value {
    json!({
        "cluster": "main", "taskDefinition": "migration", "startedBy": "opsctl/dev", "clientToken": "one",
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-1"] } },
    })
}

fn run(world: &mut World, seconds: i64) -> String {
    let answer = call(world, seconds, "RunTask", request()).expect("started");
    answer["tasks"][0]["taskArn"].as_str().unwrap_or_else(|| panic!("no task: {answer}")).to_owned()
}

fn task(world: &mut World, seconds: i64, arn: &str) -> Value {
    let request = json!({ "cluster": "main", "tasks": [arn] });
    let mut answer = call(world, seconds, "DescribeTasks", request).expect("described");
    answer["tasks"].get_mut(0).map(Value::take).unwrap_or_default()
}

fn lines(world: &mut World, seconds: i64, arn: &str) -> Vec<String> {
    let id = arn.rsplit('/').next().expect("an id");
    let request =
        json!({ "logGroupName": "logs", "logStreamName": format!("ecs/migration/{id}"), "startFromHead": true });
    let Ok(answer) = world.ask_json(at(seconds), &caller(), ("logs", "GetLogEvents"), request) else {
        return Vec::new();
    };
    let events = answer["events"].as_array().expect("events");
    events.iter().map(|event| event["message"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_task_runs_writes_its_lines_and_ends() {
    let mut world = world(&job());
    let arn = run(&mut world, 0);
    let status = |world: &mut World, seconds| task(world, seconds, &arn)["lastStatus"].as_str().map(str::to_owned);
    let seen: Vec<_> = [1, 5, 13, 23, 25, 30].into_iter().filter_map(|seconds| status(&mut world, seconds)).collect();
    assert_eq!(seen, ["PROVISIONING", "PENDING", "RUNNING", "STOPPING", "DEPROVISIONING", "STOPPED"]);
    let ended = task(&mut world, 30, &arn);
    assert_eq!(
        (&ended["stopCode"], &ended["containers"][0]["exitCode"]),
        (&"EssentialContainerExited".into(), &0.into())
    );
    assert_eq!(lines(&mut world, 60, &arn).len(), 10);
    assert!(task(&mut world, 3_700, &arn).is_null(), "shown for about an hour");
}

#[test]
fn a_token_is_one_task_for_as_long_as_it_is_remembered() {
    let mut world = world(&job());
    let arn = run(&mut world, 0);
    assert_eq!(run(&mut world, 3_000), arn, "the same, though it has stopped");
    let mut other = request();
    other["startedBy"] = "somebody".into();
    let error = call(&mut world, 3_000, "RunTask", other).expect_err("a conflict");
    assert_eq!(error.code, "ConflictException");
    assert!(error.message.contains(&arn), "{}", error.message);
    assert_ne!(run(&mut world, 4_000), arn, "an hour after its end it is forgotten");
}

#[test]
fn what_cannot_be_placed_is_told_with_http_200() {
    let mut world = world(&job());
    world.ecs.refuse_tasks(&caller(), "main", Some("RESOURCE:MEMORY"));
    let answer = call(&mut world, 0, "RunTask", request()).expect("HTTP 200");
    assert_eq!((&answer["tasks"], &answer["failures"][0]["reason"]), (&json!([]), &"RESOURCE:MEMORY".into()));
    world.ecs.refuse_tasks(&caller(), "main", None);
    run(&mut world, 1);
}

#[test]
fn requests_that_ecs_refuses() {
    let mut world = world(&job());
    let ids = |count: usize| (0..count).map(|number| format!("x-{number}")).collect::<Vec<_>>();
    let network = |subnets: usize, groups: usize| json!({ "awsvpcConfiguration": { "subnets": ids(subnets), "securityGroups": ids(groups) } });
    for (name, value) in [
        ("networkConfiguration", Value::Null),
        ("networkConfiguration", network(0, 1)),
        ("networkConfiguration", network(17, 1)),
        ("networkConfiguration", network(1, 6)),
        ("startedBy", "a b".into()),
        ("startedBy", "x".repeat(129).into()),
        ("clientToken", "x".repeat(65).into()),
        ("clientToken", "a b".into()),
        ("overrides", json!({ "containerOverrides": [{ "name": "x", "command": ["x".repeat(8_192)] }] })),
    ] {
        let mut wrong = request();
        wrong[name] = value.clone();
        let error = call(&mut world, 0, "RunTask", wrong).expect_err(name);
        assert_eq!(error.code, "InvalidParameterException", "{name} {value}");
    }
    let filters = json!({ "cluster": "main", "startedBy": "opsctl/dev", "family": "migration" });
    assert_eq!(call(&mut world, 0, "ListTasks", filters).expect_err("one filter").code, "InvalidParameterException");
}

#[test]
fn who_started_it_and_of_which_family_finds_what_runs() {
    let mut world = world(&job());
    let arn = run(&mut world, 0);
    for (seconds, status, found) in
        [(1, None, json!([arn])), (60, None, json!([])), (60, Some("STOPPED"), json!([arn]))]
    {
        for mut request in [json!({ "startedBy": "opsctl/dev" }), json!({ "family": "migration" })] {
            request["cluster"] = "main".into();
            if let Some(status) = status {
                request["desiredStatus"] = status.into();
            }
            let listed = call(&mut world, seconds, "ListTasks", request).expect("listed");
            assert_eq!(listed["taskArns"], found, "{seconds} {status:?}");
        }
    }
}

#[test]
fn without_its_log_group_or_secret_a_task_never_starts() {
    let mut world = world(&job());
    world.logs.delete_group(ACCOUNT, REGION, "logs");
    let arn = run(&mut world, 0);
    let ended = task(&mut world, 60, &arn);
    assert_eq!(ended["stopCode"], "TaskFailedToStart");
    assert!(
        ended["stoppedReason"].as_str().is_some_and(|reason| reason.contains("log group does not exist")),
        "{ended}"
    );
    assert!(ended["containers"][0].get("exitCode").is_none() && ended.get("startedAt").is_none(), "{ended}");
    let program = Program { outcome: Outcome::CannotInitialize, ..Program::default() };
    let mut world = self::world(&JobFixture { program, ..job() });
    let arn = run(&mut world, 0);
    let reason = task(&mut world, 60, &arn)["stoppedReason"].take();
    assert!(reason.as_str().is_some_and(|reason| reason.starts_with("ResourceInitializationError")), "{reason}");
}

#[test]
fn a_driver_may_make_its_log_group() {
    let mut job = job();
    job.log.as_mut().expect("a log").creates_group = true;
    let mut world = world(&job);
    world.logs.delete_group(ACCOUNT, REGION, "logs");
    let arn = run(&mut world, 0);
    assert_eq!(lines(&mut world, 60, &arn).len(), 10);
}

#[test]
fn a_stopped_program_writes_no_more_and_one_that_does_not_obey_is_killed() {
    let mut world = world(&job());
    let stop = |world: &mut World, seconds, arn: &str| {
        call(world, seconds, "StopTask", json!({ "cluster": "main", "task": arn, "reason": "enough" }))
            .expect("stopped");
    };
    let arn = run(&mut world, 0);
    stop(&mut world, 15, &arn);
    let ended = task(&mut world, 60, &arn);
    assert_eq!((&ended["stopCode"], &ended["stoppedReason"]), (&"UserInitiated".into(), &"enough".into()));
    assert_eq!(ended["containers"][0]["exitCode"], 143);
    assert!((3..=6).contains(&lines(&mut world, 60, &arn).len()));
    let program = Program { ignores_sigterm: true, ..job().program };
    let mut world = self::world(&JobFixture { program, ..job() });
    let arn = run(&mut world, 0);
    stop(&mut world, 15, &arn);
    assert_eq!(task(&mut world, 40, &arn)["lastStatus"], "STOPPING", "30 seconds are given");
    let ended = task(&mut world, 60, &arn);
    assert_eq!((&ended["lastStatus"], &ended["containers"][0]["exitCode"]), (&"STOPPED".into(), &137.into()));
}

#[test]
fn a_program_without_its_database_fails_and_waits_for_one_that_wakes() {
    let job = JobFixture { database: Some("orders".into()), ..job() };
    let mut world = world(&job);
    let arn = run(&mut world, 0);
    assert_eq!(task(&mut world, 60, &arn)["containers"][0]["exitCode"], 1);
    assert!(lines(&mut world, 60, &arn).last().is_some_and(|line| line.contains("ENOTFOUND")));
    let mut world = self::world(&job);
    let instance = Instance::new("orders-1", "db.serverless", "aurora-postgresql", "16.6", "af-south-1a", at(0));
    let mut cluster = Cluster::new("orders", "aurora-postgresql", "16.6", &["orders-1"], at(0));
    cluster.capacity = Some(Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) });
    world.put_cluster(ACCOUNT, REGION, cluster, vec![instance]);
    let arn = run(&mut world, 0);
    assert_eq!(task(&mut world, 30, &arn)["lastStatus"], "RUNNING", "it waits for the database");
    assert_eq!(task(&mut world, 60, &arn)["containers"][0]["exitCode"], 0);
    assert!(lines(&mut world, 60, &arn).iter().any(|line| line.contains("which wakes")));
}

#[test]
fn starting_has_a_bucket_of_its_own_and_definitions_come_by_revision() {
    let mut world = world(&job());
    let mut started = 0;
    for number in 0..150 {
        let mut one = request();
        one["clientToken"] = format!("t{number}").into();
        started += usize::from(call(&mut world, 0, "RunTask", one).is_ok());
    }
    assert_eq!(started, 100);
    let listed = call(&mut world, 10, "ListTaskDefinitions", json!({ "familyPrefix": "migration" })).expect("listed");
    let arns = listed["taskDefinitionArns"].as_array().expect("ARNs");
    assert_eq!((arns.len(), arns[2].as_str().is_some_and(|arn| arn.ends_with(":3"))), (3, true));
    let told = call(&mut world, 10, "DescribeTaskDefinition", json!({ "taskDefinition": "migration" })).expect("told");
    let container = &told["taskDefinition"]["containerDefinitions"][0];
    assert_eq!(container["logConfiguration"]["options"]["awslogs-group"], "logs");
}
