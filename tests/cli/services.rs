//! `opsctl services`, `tasks`.

use std::collections::BTreeMap;

use opsctl::sandbox::world::{
    autoscaling::{Suspended, Target},
    ecs::{Breaker, Program, ServiceFixture},
};

use super::ground::{DEV, Ended, Ground, caller};

/// A service of `dev` in the ECS cluster `main`, with autoscaling from 2 to 4.
pub(super) fn service(ground: &Ground, name: &str, desired: u32) {
    service_of(ground, "main", name, desired);
}

pub(super) fn service_of(ground: &Ground, cluster: &str, name: &str, desired: u32) {
    ground.sandbox.with(|world, now| {
        let fixture = ServiceFixture {
            cluster: cluster.into(),
            name: name.into(),
            family: name.into(),
            image: format!("{name}:1"),
            revision: 3,
            program: Program::default(),
            desired,
            breaker: Breaker::Off,
            tags: BTreeMap::new(),
        };
        world.ecs.settle(now, &caller(DEV), &fixture);
        let suspended = Suspended { dynamic_scaling_in_suspended: true, ..Suspended::default() };
        let target = Target { min: 2, max: 4, suspended, created_at: now, actions: Vec::new() };
        world.autoscaling.put(&caller(DEV), &format!("service/{cluster}/{name}"), target);
    });
}

fn names(ended: &Ended) -> Vec<String> {
    let rows = ended.json()["services"].as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| format!("{} {}", row["standing"].as_str().expect("text"), row["id"]["name"])).collect()
}

#[test]
fn services_are_listed_the_worst_first() {
    let ground = Ground::new();
    for (name, desired) in [("api", 2), ("worker", 0), ("broken", 2)] {
        service(&ground, name, desired);
    }
    ground.sandbox.with(|world, now| {
        world.ecs.stop_all(now, &caller(DEV), "main", "broken", "by hand");
    });
    ground.sandbox.with(|world, _| world.balance(&caller(DEV), "main", "worker", "worker-dev", 8080));
    let seen = ground.opsctl(&["services", "-e", "dev", "--output", "json"]).expect(0);
    assert_eq!(names(&seen), ["below \"broken\"", "asleep \"worker\"", "steady \"api\""]);
    let worker = &seen.json()["services"][1];
    assert_eq!((&worker["scaling"]["min"], &worker["task_definition"]), (&2.into(), &"worker:3".into()));
    let [group] = worker["target_groups"].as_array().expect("a list").as_slice() else { panic!("one: {worker}") };
    assert!(group["arn"].as_str().is_some_and(|arn| arn.contains(":targetgroup/worker-dev/")), "{group}");
    assert_eq!((&group["container"], &group["port"]), (&"worker".into(), &8080.into()));
    let table = ground.opsctl(&["services", "-e", "dev", "ap*"]).expect(0);
    assert!(table.out.contains("2 to 4, suspended: in") && !table.out.contains("worker"), "{table:?}");
    assert!(table.out.contains("(service api) has reached a steady state."), "{table:?}");
    let lines = ground.opsctl(&["services", "-e", "dev", "--output", "jsonl"]).expect(0);
    assert_eq!(lines.out.lines().filter(|line| line.contains("opsctl/service/1")).count(), 3, "{lines:?}");
    let tasks = ground.opsctl(&["tasks", "-e", "dev", "--service", "broken"]).expect(0);
    assert!(tasks.out.contains("UserInitiated: by hand (broken: exit code 143)"), "{tasks:?}");
    let wrong = ground.opsctl(&["tasks", "-e", "dev", "--service", "brokn"]).expect(2);
    assert!(wrong.err.contains("did you mean broken?"), "{wrong:?}");
}

#[test]
fn a_group_wakes_with_its_events_and_kong_is_left() {
    let ground = Ground::quick();
    for (name, desired) in [("kong", 1), ("auth-service", 0), ("offers-service", 0), ("offers-worker", 0)] {
        service_of(&ground, "tsdevstack-dev", name, desired);
    }
    let wake = ["wake", "-e", "dev", "--group", "tsdevstack"];
    let woken = ground.opsctl(&[&wake[..], &["--yes", "--output", "json"]].concat()).expect(0);
    let services = woken.json()["details"]["services"].as_array().cloned().expect("services");
    let names: Vec<&str> = services.iter().filter_map(|one| one["service"]["name"].as_str()).collect();
    assert_eq!(names, ["auth-service", "offers-service", "offers-worker"]);
    assert!(services.iter().all(|one| one["is_done"] == true && one["to"] == 2), "{services:?}");
    assert!(woken.err.contains("has reached a steady state"), "{woken:?}");
    let again = ground.opsctl(&wake).expect(0);
    assert!(again.err.contains("There is nothing to do."), "{again:?}");
    let refused = ground.opsctl(&["sleep", "-e", "dev", "--service", "kong", "--yes"]).expect(3);
    assert!(refused.err.contains("kong is always on"), "{refused:?}");
    let unknown = ground.opsctl(&["wake", "-e", "dev", "--group", "nobody"]).expect(2);
    assert!(unknown.err.contains("it can be one of: tsdevstack"), "{unknown:?}");
    let unnamed = ground.opsctl(&["wake", "-e", "dev"]).expect(2);
    assert!(unnamed.err.contains("neither a group nor a service was named"), "{unnamed:?}");
}

#[test]
fn an_environment_that_denies_is_told_and_scaling_that_is_denied_is_unknown() {
    let ground = Ground::new();
    service(&ground, "api", 2);
    let deny = |action: &str| {
        let denial = serde_json::from_value(serde_json::json!({ "action": action })).expect("a denial");
        ground.sandbox.with(|world, _| world.denials.push(denial));
    };
    deny("application-autoscaling:*");
    let seen = ground.opsctl(&["services", "-e", "dev", "--output", "json"]).expect(0);
    let row = &seen.json()["services"][0];
    assert!(row["scaling"].is_null() && row["scaling_unknown"].is_string(), "{row}");
    deny("ecs:ListClusters");
    let seen = ground.opsctl(&["services", "-e", "dev"]).expect(1);
    assert!(seen.err.contains("allow ecs:ListClusters"), "{seen:?}");
}
