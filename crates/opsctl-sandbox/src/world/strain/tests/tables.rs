use serde_json::{Value, json};

use super::{Scene, service};

const JOBS: &str = r#"
[[job]]
family = "report"
revision = 1
after_seconds = 14400
log_group = "/aws/ecs/report"
command = ["npm", "run", "report"]
lines = [[0.5, "report: reading orders"]]
database = "orders"
table = { name = "orders", mode = "reads" }

[[job]]
family = "migrate"
revision = 1
after_seconds = 3
log_group = "/aws/ecs/migrate"
command = ["npm", "run", "migrate"]
lines = [[0.5, "migrate: starting"], [1.0, "migrate: 0042_add_constraint applied"]]
database = "orders"
table = { name = "orders", mode = "alters" }
"#;

fn scene() -> Scene {
    let pool = "pool = { connections = 5, connections_max = 15 }";
    Scene::new("limits = { connections = 200 }", &format!("{}{JOBS}", service("api", 2, pool)))
}

/// Starts a task; its ARN.
fn run(scene: &mut Scene, family: &str, variables: Value) -> String {
    let network = json!({ "awsvpcConfiguration": { "subnets": ["subnet-1"] } });
    let overrides = json!({ "containerOverrides": [{ "name": family, "environment": variables }] });
    let told = scene.ok(
        "ecs",
        "RunTask",
        json!({ "cluster": "main", "taskDefinition": family,
        "networkConfiguration": network, "overrides": overrides }),
    );
    told["tasks"][0]["taskArn"].as_str().expect("a task").to_owned()
}

fn described(scene: &mut Scene, task: &str) -> Value {
    scene.ok("ecs", "DescribeTasks", json!({ "cluster": "main", "tasks": [task] }))["tasks"][0].take()
}

fn exit_code(scene: &mut Scene, task: &str) -> Option<i64> {
    described(scene, task)["containers"][0]["exitCode"].as_i64()
}

fn stop(scene: &mut Scene, task: &str) {
    scene.ok("ecs", "StopTask", json!({ "cluster": "main", "task": task }));
}

fn unhealthy(scene: &mut Scene) -> usize {
    scene.events("api").iter().filter(|event| event.contains("is unhealthy in")).count()
}

#[test]
fn a_migration_that_waits_for_a_reader_holds_up_everybody_until_the_reader_ends() {
    let mut scene = scene();
    let report = run(&mut scene, "report", json!([]));
    scene.pass(120);
    assert_eq!(unhealthy(&mut scene), 0, "a reader alone harms nobody");
    let calm = scene.metric("DatabaseConnections");
    let migration = run(&mut scene, "migrate", json!([]));
    scene.pass(240);
    assert_eq!(described(&mut scene, &migration)["lastStatus"], "RUNNING");
    assert_eq!(scene.lines("/aws/ecs/migrate"), ["migrate: starting"]);
    assert!(unhealthy(&mut scene) >= 2, "{:?}", scene.events("api"));
    assert!(scene.metric("DatabaseConnections") > calm + 15.0, "{calm}: {}", scene.metric("DatabaseConnections"));
    let log = scene.lines("/aws/rds/cluster/orders/postgresql");
    let told =
        |words: &str| log.iter().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {log:#?}"));
    let (_, holder) = told("Process holding the lock: ").split_once("Process holding the lock: ").expect("a process");
    let holder = holder.split('.').next().expect("a number");
    assert!(told("application_name=report").contains(&format!("[{holder}]:")), "{log:#?}");
    assert!(told("still waiting for AccessExclusiveLock").contains("migrate@orders"), "{log:#?}");
    stop(&mut scene, &report);
    scene.pass(12);
    assert_eq!(exit_code(&mut scene, &migration), Some(0));
    assert_eq!(scene.lines("/aws/ecs/migrate").len(), 2);
    scene.pass(120);
    let then = unhealthy(&mut scene);
    scene.pass(600);
    assert_eq!(unhealthy(&mut scene), then, "all is well again");
}

#[test]
fn ending_the_migration_leaves_its_lock_for_a_while() {
    let mut scene = scene();
    run(&mut scene, "report", json!([]));
    scene.pass(60);
    let migration = run(&mut scene, "migrate", json!([]));
    scene.pass(30);
    let is_locked = |scene: &mut Scene| {
        scene.pass(1);
        let place = crate::world::template::Place {
            environment: String::new(),
            account: super::ACCOUNT.into(),
            region: super::REGION.into(),
        };
        scene.world.is_locked(&place, "orders")
    };
    assert!(is_locked(&mut scene));
    stop(&mut scene, &migration);
    scene.pass(20);
    assert!(is_locked(&mut scene), "the server has not noticed yet");
    scene.pass(40);
    assert!(!is_locked(&mut scene));
    // A second migration waits again.
    run(&mut scene, "migrate", json!([]));
    scene.pass(30);
    assert!(is_locked(&mut scene));
}

#[test]
fn with_a_lock_timeout_a_migration_gives_up_and_without_a_reader_it_runs() {
    for variables in [
        json!([{ "name": "LOCK_TIMEOUT", "value": "5s" }]),
        json!([{ "name": "PGOPTIONS", "value": "-c lock_timeout=5000" }]),
    ] {
        let mut scene = scene();
        run(&mut scene, "report", json!([]));
        scene.pass(60);
        let migration = run(&mut scene, "migrate", variables.clone());
        scene.pass(30);
        assert_eq!(exit_code(&mut scene, &migration), Some(1), "{variables}");
        let lines = scene.lines("/aws/ecs/migrate");
        assert!(lines.iter().any(|line| line.contains("canceling statement due to lock timeout")), "{lines:?}");
        assert_eq!(unhealthy(&mut scene), 0);
    }
    let mut scene = scene();
    let migration = run(&mut scene, "migrate", json!([]));
    scene.pass(30);
    assert_eq!((exit_code(&mut scene, &migration), unhealthy(&mut scene)), (Some(0), 0));
}
