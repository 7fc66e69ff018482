//! What conditions see of the sandbox's things.

use std::{collections::BTreeMap, time::Duration};

use jiff::SignedDuration;
use opsctl::{
    domain::{Protection, ServiceGroup},
    messages::{Condition, Judged},
    runbook::{
        Kind,
        things::{Observed, Wanted, deadline, fields, fields_of, names, observe},
    },
    sandbox::world::{
        Denial, Fault,
        ecs::{Outcome, Program, TargetCheck},
    },
};
use serde_json::Value;

use crate::{
    operations::{orders, services},
    support::stage::{QueueSetup, Stage, caller},
};

/// Kinds that have fields.
fn kinds() -> Vec<Kind> {
    let mut kinds: Vec<Kind> = fields().into_iter().map(|field| field.kind).collect();
    kinds.dedup();
    kinds
}

fn asking(word: &str, kind: Kind, name: &str, fields: &[&str]) -> Wanted {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    Wanted { fields, ..Wanted::new(word, kind, name) }
}

/// All that a kind has, asked for.
fn all_of(word: &str, kind: Kind, name: &str) -> Wanted {
    let fields = fields_of(kind).into_iter().map(|field| field.path).collect();
    Wanted { fields, ..Wanted::new(word, kind, name) }
}

fn dead(fields: &[&str]) -> Wanted {
    asking("queue", Kind::Queue, "orders-dlq", fields)
}

async fn see(stage: &Stage, wanted: &[Wanted]) -> Observed {
    observe(&stage.cloud().await, wanted).await
}

async fn see_one(stage: &Stage, wanted: Wanted) -> (Value, String) {
    let observed = see(stage, std::slice::from_ref(&wanted)).await;
    let error = observed.errors.get(&wanted.word).map(ToString::to_string).unwrap_or_default();
    (observed.things[&wanted.word].clone(), error)
}

fn judge(condition: &str, observed: &Observed) -> Judged {
    let words: Vec<String> = observed.things.keys().cloned().collect();
    let condition = Condition::compile(condition, &words).unwrap_or_else(|error| panic!("{error}"));
    condition.judge(Value::Object(observed.things.clone())).expect("judged")
}

fn calls(stage: &Stage, service: &str, name: &str) -> u64 {
    stage.sandbox.with(|world, _| world.calls_made().count(service, name))
}

async fn pass(stage: &Stage, seconds: u64) {
    stage.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_seen_with_its_age_and_its_sources() {
    let stage = Stage::new(Protection::ReadOnly, &orders(12));
    pass(&stage, 600).await;
    let wanted = dead(&["oldest_seconds", "sources[].messages", "consumers"]).with_deadline();
    let observed = see(&stage, &[wanted, asking("source", Kind::Queue, "orders", &["oldest_seconds"])]).await;
    assert_eq!(observed.errors, BTreeMap::new());
    let queue = &observed.things["queue"];
    for (field, value) in [("messages", 12), ("visible", 12), ("in_flight", 0)] {
        assert_eq!(queue[field], value, "{field}: {queue:#}");
    }
    assert_eq!((&queue["is_dead_letter"], &queue["is_fifo"]), (&Value::Bool(true), &Value::Bool(false)));
    assert_eq!(queue["sources"][0]["name"], "orders");
    assert_eq!(queue["consumers"], Value::Array(Vec::new()));
    let age = queue["oldest_seconds"].as_i64().expect("an age");
    assert!((600..=4_300).contains(&age), "{age}");
    let expires = queue["retention_seconds"].as_i64().expect("retention") - age;
    assert_eq!(queue["expires_in_seconds"], expires);
    let source = &observed.things["source"];
    assert_eq!((&source["dead_letter"], &source["receives_max"]), (&"orders-dlq".into(), &3.into()));
    assert_eq!(source["oldest_seconds"], 0, "it is empty: nothing in it is old");
    assert_eq!(judge("queue.messages == 12 and source.oldest_seconds < 300", &observed), Judged::Holds);
    let deadline = deadline(&observed).expect("messages expire");
    assert_eq!((deadline.word.as_str(), deadline.at), ("queue", observed.at + SignedDuration::from_secs(expires)));
    assert_eq!(deadline.text.as_str(), "the oldest of ~12 messages in orders-dlq expires within 3 d 22 h");
    assert_eq!(calls(&stage, "sqs", "ReceiveMessage"), 0, "a look is no receive");
}

#[tokio::test(start_paused = true)]
async fn what_costs_a_call_of_its_own_is_asked_only_where_it_is_wanted() {
    let stage = Stage::new(Protection::ReadOnly, &orders(2));
    pass(&stage, 600).await;
    let (queue, error) = see_one(&stage, dead(&["messages"])).await;
    assert_eq!(
        (&queue["messages"], &queue["oldest_seconds"], &queue["sources"]),
        (&2.into(), &Value::Null, &Value::Null)
    );
    assert_eq!(error, "", "what nobody asked for is not missing");
    let count = |service, name| calls(&stage, service, name);
    assert_eq!(count("cloudwatch", "GetMetricData") + count("sqs", "ListDeadLetterSourceQueues"), 0);
    assert_eq!(count("lambda", "ListEventSourceMappings"), 0);
    // The whole word asks for all of it.
    see_one(&stage, dead(&[""])).await;
    assert!(count("cloudwatch", "GetMetricData") > 0 && count("lambda", "ListEventSourceMappings") > 0);
}

#[tokio::test(start_paused = true)]
async fn a_figure_that_cannot_be_had_is_unknown_and_says_why() {
    let stage = Stage::new(Protection::ReadOnly, &orders(2));
    let fault = serde_json::json!({ "call": "GetMetricData", "kind": "denied", "times": 99 });
    stage.fault(serde_json::from_value::<Fault>(fault).expect("a fault"));
    let observed = see(&stage, &[dead(&["oldest_seconds"])]).await;
    let why = observed.errors["queue"].as_str();
    assert!(why.starts_with("the age of its oldest message is not known: cloudwatch:GetMetricData failed"), "{why}");
    let unknown = |what: &str| Judged::Unknown { what: what.into() };
    assert_eq!(judge("queue.oldest_seconds < 300", &observed), unknown("queue.oldest_seconds is not known"));
    assert_eq!(judge("queue.messages == 2", &observed), Judged::Holds);
    let observed = see(&stage, &[asking("queue", Kind::Queue, "orders-dql", &[])]).await;
    assert_eq!(observed.things["queue"], Value::Null);
    let why = observed.errors["queue"].as_str();
    assert!(why.starts_with("there is no queue orders-dql in dev") && why.contains("did you mean orders-dlq"), "{why}");
    assert_eq!(judge("queue.messages == 0", &observed), unknown("queue.messages is not known"));
}

fn fail(stage: &Stage, outcome: Outcome) {
    stage.sandbox.with(|world, now| {
        let definition = world.ecs.define(&caller(), "api", "api:4", 4, Program { outcome, ..Program::default() });
        world.ecs.deploy(now, &caller(), "main", "api", &definition);
    });
}

#[tokio::test(start_paused = true)]
async fn a_service_is_steady_only_when_all_of_it_fits() {
    let stage = services::stage(Protection::ReadOnly, &[("api", 2), ("idle", 0)], &[&["api", "idle"]]);
    let wanted = || all_of("service", Kind::Service, "main/api");
    let (service, error) = see_one(&stage, wanted()).await;
    assert_eq!((&service["is_steady"], &service["state"]), (&true.into(), &"steady".into()), "{service:#} {error}");
    assert_eq!((&service["revision"], &service["has_autoscaling"]), (&"api:3".into(), &false.into()));
    let (idle, _) = see_one(&stage, all_of("service", Kind::Service, "main/idle")).await;
    assert_eq!((&idle["is_steady"], &idle["is_asleep"]), (&false.into(), &true.into()), "nothing serves at zero");

    fail(&stage, Outcome::CannotPull);
    pass(&stage, 75).await;
    let observed = see(&stage, &[wanted()]).await;
    assert_eq!(judge("service.is_steady", &observed), Judged::Not);
    assert_eq!(judge("service.failed_tasks > 0 and (service.deployments | length) == 2", &observed), Judged::Holds);
    assert_eq!(judge(r#"any(service.stopped[]; .stop_code == "TaskFailedToStart")"#, &observed), Judged::Holds);
    let events = observed.things["service"]["events"].as_array().expect("events");
    assert!(!events.is_empty() && events.len() <= 10 && events.iter().all(|event| event["age_seconds"].is_i64()));

    // Rolled back by the circuit breaker: as many run as shall, and it is not what was wanted.
    pass(&stage, 1_200).await;
    let (service, _) = see_one(&stage, wanted()).await;
    assert_ne!(service["is_steady"], Value::Bool(true), "{service:#}");
    let (_, error) = see_one(&stage, asking("service", Kind::Service, "api", &[])).await;
    assert!(error.contains("write cluster/name"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn exit_codes_are_seen_though_the_service_looks_steady_in_between() {
    let stage = services::stage(Protection::ReadOnly, &[("api", 2)], &[&["api"]]);
    fail(&stage, Outcome::Exits { after_seconds: 5, code: 137 });
    pass(&stage, 75).await;
    let observed = see(&stage, &[asking("service", Kind::Service, "main/api", &["stopped[].exit_code"])]).await;
    let recent = "any(service.stopped[]; .exit_code == 137 and .age_seconds < 900 and .is_by_itself)";
    assert_eq!(judge(recent, &observed), Judged::Holds);
    assert_eq!(judge("all(service.stopped[]; .age_seconds > 900)", &observed), Judged::Not);
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_decides_whether_a_service_is_steady_where_it_can_be_asked() {
    for (check, steady, healthy) in [(TargetCheck::Passes, true, 2), (TargetCheck::BAD_GATEWAY, false, 0)] {
        let stage = Stage::new(Protection::ReadOnly, &[]);
        let mut fixture = services::fixture("main", "api", 2);
        fixture.program = Program { target_check: check, ..Program::default() };
        stage.sandbox.with(|world, now| {
            world.ecs.settle(now, &caller(), &fixture);
            world.balance(&caller(), "main", "api", "api-public", 8080);
        });
        pass(&stage, 60).await;
        let wanted = || asking("service", Kind::Service, "main/api", &["is_steady"]);
        let (service, _) = see_one(&stage, wanted()).await;
        let is_steady_by_ecs = service["running"] == 2 && service["pending"] == 0;
        assert_eq!(service["is_steady"], steady, "{service:#}");
        assert!(!is_steady_by_ecs || service["healthy_targets"] == healthy, "{service:#}");
        for (kind, expected) in [("throttled", Value::Null), ("denied", true.into())] {
            let fault = serde_json::json!({ "call": "DescribeTargetHealth", "kind": kind, "times": 99 });
            stage.fault(serde_json::from_value::<Fault>(fault).expect("a fault"));
            let (service, error) = see_one(&stage, wanted()).await;
            if is_steady_by_ecs {
                assert_eq!(service["is_steady"], expected, "{kind}: {service:#}");
                assert!(error.starts_with("target health is not known"), "{error}");
            }
            stage.sandbox.with(|world, _| world.faults.clear());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_counts_who_is_awake() {
    let services = [("api", 2), ("auth", 1), ("worker", 0), ("kong", 1), ("other", 0)];
    let stage = services::stage(Protection::ReadOnly, &services, &[&["auth"], &["api", "worker"]]);
    let observed = see(&stage, &[all_of("group", Kind::Group, "all")]).await;
    let group = &observed.things["group"];
    let counts = ["all", "awake", "asleep", "others"].map(|field| group[field].as_u64().expect("a count"));
    assert_eq!((counts, &group["is_awake"]), ([4, 3, 1, 0], &false.into()), "{group:#}");
    assert_eq!(
        judge(r#"any(group.services[]; .state == "asleep" and .name == "main/worker")"#, &observed),
        Judged::Holds
    );
    let (group, error) = see_one(&stage, asking("group", Kind::Group, "none", &[])).await;
    assert_eq!((group, error.as_str()), (Value::Null, "there is no group none in the configuration of dev"));
}

#[tokio::test(start_paused = true)]
async fn nothing_wakes_a_database_that_has_paused() {
    let stage = Stage::prod();
    pass(&stage, 900).await;
    let cloud = stage.cloud().await;
    let databases = names(Kind::Database, &cloud).await.expect("databases");
    let outboxes = names(Kind::Outbox, &cloud).await.expect("outboxes");
    let wanted: Vec<Wanted> = databases
        .iter()
        .map(|name| all_of(name, Kind::Database, name))
        .chain(outboxes.iter().map(|name| all_of(name, Kind::Outbox, name)))
        .collect();
    let first = see(&stage, &wanted).await;
    let paused = |observed: &Observed| -> Vec<String> {
        let paused = observed.things.iter().filter(|(_, thing)| thing["is_paused"] == true);
        paused.map(|(word, _)| word.clone()).collect()
    };
    pass(&stage, 300).await;
    let second = see(&stage, &wanted).await;
    assert_eq!(paused(&first), paused(&second));
    for name in &databases {
        assert!(second.things[name]["status"].is_string(), "{:#}", second.things[name]);
    }
}

/// A word for a thing of each kind in `prod`, with all that it has asked for.
async fn one_of_each(stage: &mut Stage) -> Vec<Wanted> {
    let group = ServiceGroup { name: "all".into(), stages: vec![vec!["*".into()]], ..ServiceGroup::default() };
    stage.environment.services.groups.push(group);
    let cloud = stage.cloud().await;
    let mut wanted = Vec::new();
    for kind in kinds() {
        let found = names(kind, &cloud).await.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        let name = found.first().unwrap_or_else(|| panic!("prod has no {kind:?}"));
        wanted.push(all_of(<&str>::from(kind), kind, name));
    }
    wanted
}

/// Ways to all that a thing shows.
fn ways(thing: &Value, before: &str, all: &mut Vec<String>) {
    match thing {
        Value::Object(fields) => {
            for (name, value) in fields {
                let way = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
                all.push(way.clone());
                ways(value, &way, all);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| ways(value, &format!("{before}[]"), all)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn each_kind_shows_the_fields_that_its_table_has() {
    let mut stage = Stage::prod();
    pass(&stage, 3_600).await;
    let wanted = one_of_each(&mut stage).await;
    let observed = see(&stage, &wanted).await;
    for Wanted { word, kind, .. } in &wanted {
        let thing = &observed.things[word];
        assert!(thing.is_object(), "{word}: {:?}", observed.errors.get(word));
        let mut shown = Vec::new();
        ways(thing, "", &mut shown);
        let table: Vec<String> = fields_of(*kind).into_iter().map(|field| field.path).collect();
        let extra: Vec<&String> = shown.iter().filter(|way| !table.contains(way)).collect();
        assert!(extra.is_empty(), "{word} shows what its table lacks: {extra:?}");
        let first = table.iter().filter(|way| !way.contains(['.', '[']));
        let missing: Vec<&String> = first.filter(|way| !shown.contains(way)).collect();
        assert!(missing.is_empty(), "{word} lacks what its table has: {missing:?}");
    }
    assert_eq!(observed.things["environment"]["name"], "prod");
    assert!(!observed.things["environment"]["verdicts"].as_array().expect("verdicts").is_empty());
}

/// Whatever is denied, hangs or breaks: what it would have told is unknown, and never holds.
#[tokio::test(start_paused = true)]
async fn where_every_call_fails_no_condition_holds() {
    let mut stage = Stage::prod();
    pass(&stage, 600).await;
    let wanted = one_of_each(&mut stage).await;
    stage.sandbox.with(|world, _| {
        world.denials.push(Denial { account: "*".into(), queue: "*".into(), action: "*".into() });
    });
    let observed = see(&stage, &wanted).await;
    for Wanted { word, kind, .. } in &wanted {
        // What the configuration says is known without a call.
        if matches!(kind, Kind::Environment) {
            continue;
        }
        assert!(observed.errors.contains_key(word), "{word}: nothing says that it could not be seen");
        for field in fields_of(*kind).iter().filter(|field| !field.path.contains(['.', '['])) {
            if ["name", "relay"].contains(&field.path.as_str()) {
                continue;
            }
            let path = &field.path;
            for condition in
                [format!("{word}.{path} < 1e9"), format!("{word}.{path} != 0"), format!("{word}.{path} | not")]
            {
                assert!(
                    matches!(judge(&condition, &observed), Judged::Unknown { .. }),
                    "{condition}: {:#}",
                    observed.things[word]
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_thing_that_never_answers_holds_up_nobody_else_for_ever() {
    let stage = Stage::new(Protection::ReadOnly, &orders(2));
    let fault = serde_json::json!({ "call": "DescribeAlarms", "kind": "hang", "times": 99 });
    stage.fault(serde_json::from_value::<Fault>(fault).expect("a fault"));
    let began = stage.sandbox.clock().now();
    let observed = see(&stage, &[dead(&[]), asking("alarm", Kind::Alarm, "busy", &[])]).await;
    assert_eq!((&observed.things["queue"]["messages"], &observed.things["alarm"]), (&2.into(), &Value::Null));
    assert!(observed.errors.contains_key("alarm"));
    assert!(stage.sandbox.clock().now().duration_since(began).as_secs() <= 40, "bounded");
}

#[tokio::test(start_paused = true)]
async fn names_are_those_of_real_things() {
    let queue = QueueSetup { name: "orders".to_owned(), ..QueueSetup::default() };
    let stage = Stage::new(Protection::ReadOnly, &[queue]);
    let cloud = stage.cloud().await;
    assert_eq!(names(Kind::Queue, &cloud).await.expect("queues"), ["orders"]);
    assert_eq!(names(Kind::Environment, &cloud).await.expect("one"), ["dev"]);
    assert_eq!(names(Kind::Number, &cloud).await.expect("none"), Vec::<String>::new());
    let prod = Stage::prod();
    let deny = |action: &str| {
        prod.sandbox.with(|world, _| {
            world.denials.push(Denial { account: "*".into(), queue: "*".into(), action: action.into() });
        })
    };
    deny("lambda:ListFunctions");
    deny("events:ListRules");
    let cloud = prod.cloud().await;
    let functions = names(Kind::Function, &cloud).await.expect("those of relays");
    assert!(functions.contains(&"cts-outbox-worker".to_owned()), "{functions:?}");
    let rules = names(Kind::Rule, &cloud).await.expect("those of relays");
    assert!(rules.contains(&"cts-outbox-worker-every-minute".to_owned()), "{rules:?}");
    assert!(names(Kind::Queue, &cloud).await.is_ok());
}
