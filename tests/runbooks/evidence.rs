//! Evidence of the sandbox's things.

use std::{collections::BTreeMap, time::Duration};

use opsctl::{
    domain::{AccountId, Protection},
    runbook::{
        Kind,
        evidence::{Evidence, EvidenceKind, collect},
        things::Wanted,
    },
    sandbox::world::{
        Fault,
        ecs::{LogConfig, Outcome, Program},
    },
};
use serde_json::Value;

use crate::{
    operations::{orders, services},
    support::stage::{Stage, caller},
};

async fn take(stage: &Stage, things: &[(Kind, &str)], which: &[EvidenceKind]) -> Vec<Evidence> {
    let things: Vec<Wanted> = things.iter().map(|(kind, name)| Wanted::new("it", *kind, name)).collect();
    collect(&stage.cloud().await, &things, which).await
}

fn lost(evidence: &Evidence) -> &str {
    evidence.lost.as_ref().map_or("", |lost| lost.as_str())
}

fn receives(stage: &Stage) -> u64 {
    stage.sandbox.with(|world, _| world.calls_made().count("sqs", "ReceiveMessage"))
}

#[tokio::test(start_paused = true)]
async fn what_ecs_forgets_is_taken_down() {
    let stage = services::stage(Protection::ReadOnly, &[("api", 2), ("kong", 1)], &[&["api"]]);
    stage.sandbox.with(|world, now| {
        let log = LogConfig { group: "/ecs/api".into(), prefix: "ecs".into(), ..LogConfig::default() };
        world.logs.create_group(now.as_millisecond(), &caller().account, &caller().region, "/ecs/api");
        let outcome = Outcome::Exits { after_seconds: 5, code: 137 };
        let definition = world.ecs.define(&caller(), "api", "api:4", 4, Program { outcome, ..Program::default() });
        world.ecs.log_to(&caller(), "api", &log, &[(1.0, "starting, password=hunter2secret".to_owned())]);
        world.ecs.deploy(now, &caller(), "main", "api", &definition);
    });
    stage.sandbox.clock().sleep(Duration::from_secs(180)).await;
    let which = [EvidenceKind::Logs, EvidenceKind::StoppedTasks, EvidenceKind::Events, EvidenceKind::Metrics];
    let all = take(&stage, &[(Kind::Service, "main/api")], &which).await;
    let of: BTreeMap<EvidenceKind, &Evidence> = all.iter().map(|evidence| (evidence.kind, evidence)).collect();
    assert_eq!((all.len(), of.len()), (4, 4), "{all:#?}");
    let stopped = of[&EvidenceKind::StoppedTasks];
    assert!(stopped.lost.is_none() && stopped.summary.as_str().ends_with("stopped tasks"), "{stopped:?}");
    let tasks = stopped.document.as_array().expect("tasks").iter();
    let new = tasks.filter(|task| task["task_definition"] == "api:4").map(|task| &task["containers"][0]["exit_code"]);
    assert!(new.clone().count() > 0 && new.clone().all(|code| code == 137), "{:#}", stopped.document);
    let events = of[&EvidenceKind::Events].document["events"].as_array().expect("events");
    assert!(
        events.iter().any(|event| event["message"].as_str().expect("words").contains("has started 2 tasks")),
        "{events:#?}"
    );
    let logs = of[&EvidenceKind::Logs];
    let text = logs.document.to_string();
    assert!(text.contains("starting, password=") && !text.contains("hunter2secret"), "{logs:?} {text}");
    assert_eq!(stopped.file_name(), "stopped-tasks-main_api.json");
    // Of a group each service by itself.
    let group = take(&stage, &[(Kind::Group, "all")], &[EvidenceKind::Events]).await;
    let about: Vec<&str> = group.iter().map(|evidence| evidence.about.as_str()).collect();
    assert_eq!(about, ["main/api", "main/kong"]);
}

#[tokio::test(start_paused = true)]
async fn metrics_stand_side_by_side() {
    let stage = Stage::prod();
    stage.sandbox.clock().sleep(Duration::from_secs(4_000)).await;
    let things = [(Kind::Database, "storo-prod"), (Kind::Queue, "cts-dlq"), (Kind::Alarm, "no-metric-of-its-own")];
    let all = take(&stage, &things, &[EvidenceKind::Metrics]).await;
    let [evidence] = all.as_slice() else { panic!("one for all: {all:#?}") };
    assert_eq!(evidence.lost, None);
    let metrics = evidence.document["metrics"].as_array().expect("metrics");
    let of = |thing: &str, metric: &str| {
        let found = metrics.iter().find(|one| one["thing"] == thing && one["metric"] == metric);
        found.map_or(0, |found| found["points"].as_array().expect("points").len())
    };
    assert!(of("cts-dlq", "ApproximateAgeOfOldestMessage") > 50, "an hour of minutes: {metrics:#?}");
    assert!(metrics.iter().any(|one| one["metric"] == "CPUUtilization"), "{metrics:#?}");
    assert_eq!(evidence.document["from"].as_str().expect("a time").len(), "2026-11-21T03:00:00Z".len());
}

#[tokio::test(start_paused = true)]
async fn samples_are_in_the_document_alone() {
    let stage = Stage::new(Protection::Confirm, &orders(3));
    let all = take(&stage, &[(Kind::Queue, "orders-dlq")], &[EvidenceKind::Samples]).await;
    let [evidence] = all.as_slice() else { panic!("one: {all:#?}") };
    assert_eq!((evidence.summary.as_str(), &evidence.lost), ("3 messages in 1 failure group", &None));
    let text = evidence.document.to_string();
    assert!(text.contains("transferId"), "{text}");
    assert!(!format!("{evidence:#?}").contains("transferId"), "what prints evidence shows no text of messages");
    let messages = evidence.document["messages"].as_array().expect("messages");
    assert!(messages.iter().all(|message| message["receipt"] == ""), "a handle lets its holder delete the message");
    assert_eq!(stage.count("orders-dlq"), 3);
    let visible = stage.cloud().await;
    let queue = opsctl::operations::resolve::queue(&visible, "orders-dlq").await.expect("there");
    assert_eq!(queue.counts.visible, 3, "they were put back");
}

#[tokio::test(start_paused = true)]
async fn without_leave_nothing_is_received() {
    let read_only = Stage::new(Protection::ReadOnly, &orders(3));
    let few = Stage::new(Protection::Confirm, &orders(3));
    let mut other = Stage::new(Protection::Confirm, &orders(3));
    other.environment.account = Some(AccountId("999999999999".to_owned()));
    for (stage, queue, why) in [
        (&read_only, "orders-dlq", "read-only"),
        (&few, "orders", "after 3 receives they move"),
        (&other, "orders-dlq", "pinned to 999999999999"),
        (&few, "order-dlq", "there is no queue order-dlq"),
    ] {
        let all = take(stage, &[(Kind::Queue, queue)], &[EvidenceKind::Samples]).await;
        assert!(lost(&all[0]).contains(why) && all[0].document == Value::Null, "{queue}: {all:#?}");
        assert_eq!(receives(stage), 0, "{queue}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_had_is_said() {
    let stage = services::stage(Protection::Confirm, &[("api", 1)], &[&["api"]]);
    let all = take(&stage, &[(Kind::Alarm, "x")], &[EvidenceKind::Samples, EvidenceKind::Samples]).await;
    assert_eq!((all.len(), lost(&all[0])), (1, "nothing is named of which there are samples"));
    for (call, which) in [
        ("DescribeServices", EvidenceKind::Events),
        ("ListTasks", EvidenceKind::StoppedTasks),
        ("ListTasks", EvidenceKind::Logs),
        ("GetMetricData", EvidenceKind::Metrics),
    ] {
        let fault = serde_json::json!({ "call": call, "kind": "denied", "times": 99 });
        stage.fault(serde_json::from_value::<Fault>(fault).expect("a fault"));
        let all = take(&stage, &[(Kind::Service, "main/api")], &[which]).await;
        assert!(all.len() == 1 && lost(&all[0]).contains(call), "{call}: {all:#?}");
        stage.sandbox.with(|world, _| world.faults.clear());
    }
    for (kind, name) in [(Kind::Service, "api"), (Kind::Group, "none"), (Kind::Migration, "none")] {
        let all = take(&stage, &[(kind, name)], &[EvidenceKind::StoppedTasks]).await;
        assert!(lost(&all[0]).contains(name), "{all:#?}");
    }
}
