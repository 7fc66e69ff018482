use serde_json::json;

use super::{Scene, queue, service};
use crate::world::{Input, PutMessage, rds::Connected};

const WRITER: &str = "orders.cluster-c333333333333.af-south-1.rds.amazonaws.com";

fn writer(scene: &mut Scene) -> String {
    scene.pass(0);
    scene.world.cluster(scene.now(), super::ACCOUNT, super::REGION, "orders").expect("there").members[0].clone()
}

fn fail_over(scene: &mut Scene) {
    scene.rds("FailoverDBCluster", &[("DBClusterIdentifier", "orders")]);
}

fn put(scene: &mut Scene, count: u32) {
    for number in 0..count {
        scene.world.put(scene.now(), &super::caller(), "work", PutMessage::new(number.to_string())).expect("put");
    }
}

#[test]
fn a_failover_reverts_while_programs_write_and_the_api_calls_it_well() {
    for paused in [false, true] {
        let mut scene = Scene::new("reverts_while_written = true", &service("api", 2, ""));
        scene.pass(60);
        assert_eq!(writer(&mut scene), "orders-1");
        for _ in 0..2 {
            if paused {
                scene.scale("api", 0);
                scene.pass(30);
            }
            let before = writer(&mut scene);
            fail_over(&mut scene);
            let mut refused = 0;
            for _ in 0..90 {
                scene.pass(1);
                refused += u32::from(scene.world.connect(scene.now(), WRITER) == Connected::Refused);
            }
            let told = scene.rds("DescribeDBClusters", &[]);
            assert!(told.contains("<Status>available</Status>"), "{told}");
            let events = scene.rds(
                "DescribeEvents",
                &[("SourceType", "db-cluster"), ("SourceIdentifier", "orders"), ("Duration", "5")],
            );
            assert!(events.contains("Completed failover to DB instance: "), "{events}");
            assert_eq!(writer(&mut scene) != before, paused, "paused: {paused}");
            let expected = if paused { 5..25 } else { 50..70 };
            assert!(expected.contains(&refused), "{refused} s without an answer");
        }
    }
}

#[test]
fn consumers_that_are_paused_write_nothing_either() {
    for enabled in [true, false] {
        let consumer = "rate_per_second = 50.0\nfunction = \"worker\"\ndatabase = { prod = \"orders\" }";
        let work = queue("work", "producer = { template = \"order\", rate_per_second = 2.0 }", consumer);
        let mut scene = Scene::new("reverts_while_written = true", &work);
        scene.pass(60);
        let id = scene.world.lambda.of_queue(super::ACCOUNT, super::REGION, "work").remove(0);
        let form = [("UUID".to_owned(), id)].into();
        let input = Input { fields: form, ..json!({ "Enabled": enabled }).into() };
        scene
            .world
            .ask_json(scene.now(), &super::caller(), ("lambda", "UpdateEventSourceMapping"), input)
            .expect("updated");
        scene.pass(30);
        fail_over(&mut scene);
        scene.pass(90);
        assert_eq!(writer(&mut scene), if enabled { "orders-1" } else { "orders-2" });
    }
}

#[test]
fn without_that_fault_a_failover_holds_while_programs_write() {
    let mut scene = Scene::new("", &service("api", 2, ""));
    scene.pass(60);
    fail_over(&mut scene);
    scene.pass(60);
    assert_eq!(writer(&mut scene), "orders-2");
}

/// A worker with two tasks that works on a queue.
fn stale(is_stale: bool) -> Scene {
    let pool = format!("pool = {{ connections = 5, connections_max = 10, stale_after_failover = {is_stale} }}");
    let consumer = "rate_per_second = 50.0\nservice = \"main/worker\"\ndatabase = { prod = \"orders\" }";
    let work = queue("work", "visibility_seconds = 10\nreceives_max = 100", consumer);
    Scene::new("", &format!("{}{work}", service("worker", 2, &pool)))
}

#[test]
fn tasks_go_on_with_stale_connections_until_they_are_restarted() {
    let mut scene = stale(true);
    put(&mut scene, 10);
    scene.pass(10);
    assert_eq!(scene.deleted("work"), 10);
    fail_over(&mut scene);
    scene.pass(120);
    assert_eq!(writer(&mut scene), "orders-2");
    put(&mut scene, 100);
    scene.pass(300);
    assert_eq!(scene.deleted("work"), 10, "all of them fail, for hours");
    let tasks = scene.tasks(("serviceName", "worker"), "RUNNING");
    assert_eq!(tasks.len(), 2, "and their health checks find nothing");
    let lines = scene.lines("/aws/ecs/worker");
    assert!(lines.iter().any(|line| line.ends_with("cannot execute INSERT in a read-only transaction")), "{lines:?}");
    // A new task does its part. (The other one hands its messages back again and again.)
    scene.ok("ecs", "StopTask", json!({ "cluster": "main", "task": tasks[0]["taskArn"] }));
    put(&mut scene, 100);
    scene.pass(60);
    assert!(scene.deleted("work") > 110, "{}", scene.deleted("work"));
    put(&mut scene, 20);
    scene.pass(5);
    assert!(scene.counts("work").in_flight > 0, "the old one still fails");
    scene.ok("ecs", "UpdateService", json!({ "cluster": "main", "service": "worker", "forceNewDeployment": true }));
    scene.pass(180);
    put(&mut scene, 100);
    scene.pass(60);
    assert_eq!(scene.counts("work"), Default::default());
}

#[test]
fn pools_that_reconnect_need_no_restart() {
    let mut scene = stale(false);
    fail_over(&mut scene);
    scene.pass(120);
    put(&mut scene, 100);
    scene.pass(30);
    assert_eq!(scene.counts("work"), Default::default());
}
