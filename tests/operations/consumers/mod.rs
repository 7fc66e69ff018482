//! Pausing and resuming consumers, by themselves and around a redrive.

mod back;

use std::{collections::BTreeMap, time::Duration};

use opsctl::{
    domain::{AccountId, ConsumerId, MappingId, Protection, ServiceGroup, ServiceRules},
    journal::Paused,
    operations::{Operation, PauseConsumers, Redrive, ResumeConsumers, Wake},
    run::{End, Report},
    sandbox::world::{
        Fault, PutMessage,
        actors::{Behaviour, Consumer, Worker},
        ecs::{Breaker, Program, ServiceFixture},
        lambda::{Mapping, State},
        rds::{Capacity, Cluster, Instance},
        template::Place,
    },
};

use crate::support::stage::{ACCOUNT, QueueSetup, REGION, Stage, arn, caller};

/// `orders` with its DLQ that holds `dead` messages.
fn stage(protection: Protection, dead: usize) -> Stage {
    let dlq = QueueSetup {
        name: "orders-dlq".into(),
        messages: dead,
        died_in: Some("orders".into()),
        ..QueueSetup::default()
    };
    let attributes = BTreeMap::from([("VisibilityTimeout".to_owned(), "4".to_owned())]);
    let source = QueueSetup {
        attributes,
        name: "orders".into(),
        dead_letter: Some(("orders-dlq".into(), 3)),
        ..QueueSetup::default()
    };
    let mut stage = Stage::new(protection, &[dlq, source]);
    stage.environment.services =
        ServiceRules { consumers: vec![("orders".into(), "main/worker".into())], ..ServiceRules::default() };
    stage
}

/// A mapping of `orders` that takes what there is.
fn mapping(stage: &Stage, function: &str, state: State) -> String {
    stage.sandbox.with(|world, now| {
        let mut mapping = Mapping::new(function, &arn("orders"), now);
        mapping.state = state;
        let id = world.lambda.put(ACCOUNT, REGION, mapping);
        let worker = Worker::Mapping(id.clone());
        let consumer =
            Consumer { behaviour: Behaviour::Healthy, rate_per_second: 100.0, worker, ..Consumer::default() };
        let place = Place { environment: "dev".into(), account: ACCOUNT.into(), region: REGION.into() };
        world.actors.add(now, place, "orders", consumer);
        id
    })
}

fn worker(stage: &Stage, tasks: u32) {
    let fixture = ServiceFixture {
        cluster: "main".into(),
        name: "worker".into(),
        family: "worker".into(),
        image: "worker:1".into(),
        revision: 1,
        program: Program::default(),
        desired: tasks,
        breaker: Breaker::Off,
        tags: BTreeMap::new(),
    };
    stage.sandbox.with(|world, now| world.ecs.settle(now, &caller(), &fixture));
}

fn state(stage: &Stage, id: &str) -> State {
    let now = stage.sandbox.clock().now();
    stage.sandbox.with(|world, _| world.lambda.mapping(now, ACCOUNT, REGION, id).expect("there").state)
}

fn tasks(stage: &Stage) -> (u32, usize) {
    let now = stage.sandbox.clock().now();
    stage.sandbox.with(|world, _| {
        world.advance(now);
        let view = world.ecs.view(&caller(), "main", "worker").expect("there");
        (view.desired, view.running)
    })
}

/// Who is remembered as paused.
fn remembered(stage: &Stage) -> Vec<ConsumerId> {
    let paused = Paused::read(&stage.folder(), &AccountId(ACCOUNT.into()), REGION).expect("readable");
    paused.all().map(|(id, _)| id).collect()
}

fn pause() -> Operation {
    Operation::PauseConsumers(PauseConsumers { queue: "orders".into(), ..PauseConsumers::default() })
}

fn resume() -> Operation {
    Operation::ResumeConsumers(ResumeConsumers { queue: Some("orders".into()), ..ResumeConsumers::default() })
}

fn redrive() -> Operation {
    Operation::Redrive(Redrive {
        queue: "orders-dlq".into(),
        ramp: "all".parse().ok(),
        engine: opsctl::operations::values::EngineChoice::Client,
        pause_consumers: true,
        ..Redrive::default()
    })
}

fn fault(stage: &Stage, call: &str, kind: &str, times: u64) {
    let fault = serde_json::json!({ "call": call, "kind": kind, "times": times });
    stage.fault(serde_json::from_value::<Fault>(fault).expect("a fault"));
}

fn because(report: &Report) -> &str {
    report.failure.as_ref().map_or("", |failure| failure.what.as_str())
}

fn has_note(report: &Report, words: &str) -> bool {
    report.notes.iter().any(|note| note.as_str().contains(words))
}

#[tokio::test(start_paused = true)]
async fn what_was_paused_is_resumed_and_nothing_else() {
    let mut stage = stage(Protection::TypeName, 0);
    let (own, others) = (mapping(&stage, "orders", State::Enabled), mapping(&stage, "audit", State::Disabled));
    worker(&stage, 3);
    let planned = stage.plan(&pause()).await.expect("a plan").plan;
    let left = planned.facts.iter().find(|fact| fact.label == "left as is").expect("told");
    assert_eq!(left.value.as_str(), "audit (paused, not by opsctl)");
    assert!(planned.warnings.iter().any(|text| text.as_str().contains("still takes messages")), "{planned:#?}");
    let report = stage.run(&pause()).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!(
        (state(&stage, &own), state(&stage, &others), tasks(&stage)),
        (State::Disabled, State::Disabled, (0, 0))
    );
    assert!(has_note(&report, "opsctl consumers resume --queue orders --env dev"), "{report:#?}");
    assert_eq!(remembered(&stage).len(), 2);
    assert!(stage.plan(&pause()).await.expect("a plan").plan.empty, "all are paused");
    let planned = stage.plan(&resume()).await.expect("a plan").plan;
    let by = format!(", paused by {} at 2026-11-21", report.run);
    assert_eq!(planned.facts.iter().filter(|fact| fact.value.as_str().contains(&by)).count(), 2, "{planned:#?}");
    let report = stage.run(&resume()).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!((state(&stage, &own), state(&stage, &others), tasks(&stage)), (State::Enabled, State::Disabled, (3, 3)));
    assert_eq!(remembered(&stage), []);
    assert!(stage.plan(&resume()).await.expect("a plan").plan.empty);
}

#[tokio::test(start_paused = true)]
async fn who_was_resumed_by_somebody_else_is_forgotten() {
    let mut stage = stage(Protection::Confirm, 0);
    let id = mapping(&stage, "orders", State::Enabled);
    worker(&stage, 2);
    assert_eq!(stage.run(&pause()).await.end, End::Done);
    stage.sandbox.with(|world, now| {
        world.lambda.mapping(now, ACCOUNT, REGION, &id).expect("there").state = State::Enabled;
        assert!(world.ecs.set_desired(now, &caller(), "main", "worker", 1));
    });
    let report = stage.run(&resume()).await;
    assert_eq!((report.end, tasks(&stage).0, remembered(&stage).len()), (End::Done, 1, 0), "{report:#?}");
    // Paused by hand from now on: not ours to resume.
    stage
        .sandbox
        .with(|world, now| world.lambda.mapping(now, ACCOUNT, REGION, &id).expect("there").state = State::Disabled);
    assert!(stage.plan(&resume()).await.expect("a plan").plan.empty);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_for_and_a_state_that_changes_is_waited_for() {
    for kind in ["lost-after", "lost-before", "throttled"] {
        let mut stage = stage(Protection::Confirm, 0);
        let id = mapping(&stage, "orders", State::Enabled);
        fault(&stage, "UpdateEventSourceMapping", kind, 1);
        let report = stage.run(&pause()).await;
        assert_eq!((report.end, state(&stage, &id)), (End::Done, State::Disabled), "{kind}: {report:#?}");
    }
    let mut stage = stage(Protection::Confirm, 0);
    let id = mapping(&stage, "orders", State::Enabled);
    let cloud = stage.cloud().await;
    assert_eq!(stage.run(&pause()).await.end, End::Done);
    cloud.lambda.set_enabled(&MappingId(id.clone()), true).await.expect("on its way up");
    let report = stage.run(&pause()).await;
    assert_eq!((report.end, state(&stage, &id)), (End::Done, State::Disabled), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_said_and_not_remembered() {
    let mut stage = stage(Protection::Confirm, 4);
    let id = mapping(&stage, "orders", State::Enabled);
    fault(&stage, "UpdateEventSourceMapping", "denied", 9);
    let report = stage.run(&pause()).await;
    assert_eq!((report.end, remembered(&stage)), (End::Failed, vec![]), "{report:#?}");
    assert!(because(&report).contains("allow lambda:UpdateEventSourceMapping"), "{report:#?}");
    let report = stage.run(&redrive()).await;
    assert_eq!((report.end, stage.count("orders-dlq"), remembered(&stage)), (End::Failed, 4, vec![]), "{report:#?}");
    assert!(because(&report).contains("nothing was moved"), "{report:#?}");
    assert_eq!(state(&stage, &id), State::Enabled);
    fault(&stage, "ListEventSourceMappings", "denied", 9);
    let planned = stage.plan(&pause()).await.expect("a plan").plan;
    assert!(planned.blockers.iter().any(|text| text.as_str().contains("are not known")), "{planned:#?}");
}

#[tokio::test(start_paused = true)]
async fn always_on_members_are_refused() {
    let mut stage = stage(Protection::Confirm, 0);
    worker(&stage, 1);
    let always_on = vec!["worker".to_owned()];
    stage.environment.services.groups =
        vec![ServiceGroup { name: "all".into(), always_on, size: 1, ..ServiceGroup::default() }];
    let planned = stage.plan(&pause()).await.expect("a plan").plan;
    assert!(planned.blockers.iter().any(|text| text.as_str() == "main/worker is always on"), "{planned:#?}");
    let unknown = Operation::PauseConsumers(PauseConsumers { queue: "ordres".into(), ..PauseConsumers::default() });
    let error = stage.plan(&unknown).await.expect_err("no such queue");
    assert!(error.hint(&stage.environment).as_str().contains("did you mean orders"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_messages_while_they_are_moved() {
    let mut stage = stage(Protection::Confirm, 40);
    let id = mapping(&stage, "orders", State::Enabled);
    worker(&stage, 2);
    let planned = stage.plan(&redrive()).await.expect("a plan").plan;
    let paused: Vec<&str> =
        planned.facts.iter().filter(|fact| fact.label == "paused meanwhile").map(|fact| fact.value.as_str()).collect();
    assert_eq!(paused.len(), 2, "{planned:#?}");
    let report = stage.run(&redrive()).await;
    assert_eq!((report.end, report.details.tally().moved), (End::Done, 40), "{report:#?}");
    assert!(has_note(&report, "2 consumers were resumed"), "{report:#?}");
    assert_eq!((state(&stage, &id), tasks(&stage), remembered(&stage)), (State::Enabled, (2, 2), vec![]));
}

#[tokio::test(start_paused = true)]
async fn consumers_come_back_when_the_run_fails() {
    let mut stage = stage(Protection::Confirm, 40);
    let id = mapping(&stage, "orders", State::Enabled);
    fault(&stage, "SendMessage*", "denied", 1_000);
    let report = stage.run(&redrive()).await;
    assert_eq!(report.end, End::Failed, "{report:#?}");
    assert_eq!((state(&stage, &id), stage.count("orders-dlq"), remembered(&stage)), (State::Enabled, 40, vec![]));
    assert!(has_note(&report, "1 consumer was resumed"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn consumers_come_back_when_somebody_stops_it() {
    // While consumers are being paused, and while messages are being moved.
    for seconds in [3, 16] {
        let mut stage = stage(Protection::Confirm, 400);
        let id = mapping(&stage, "orders", State::Enabled);
        worker(&stage, 1);
        let (cancel, clock) = (stage.cancel.clone(), stage.sandbox.clock());
        let slowly = match redrive() {
            Operation::Redrive(redrive) => Operation::Redrive(Redrive { rate: Some(10), ..redrive }),
            other => other,
        };
        let (report, ()) = tokio::join!(stage.run(&slowly), async {
            clock.sleep(Duration::from_secs(seconds)).await;
            cancel.cancel();
        });
        assert_eq!(report.end, End::Interrupted, "{report:#?}");
        assert!(stage.count("orders-dlq") > 0, "{report:#?}");
        assert_eq!(
            (state(&stage, &id), tasks(&stage), remembered(&stage)),
            (State::Enabled, (1, 1), vec![]),
            "{report:#?}"
        );
    }
}

/// Waits until what the killed run left in this process has let go of its journal, as it does when a process ends.
async fn released(stage: &Stage) {
    let run = stage.folder().list().expect("runs").first().expect("a run").run.clone();
    for _ in 0..1_000 {
        if !stage.folder().open(&run).expect("a folder").is_busy() {
            return;
        }
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the journal of {run} is held");
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_is_gone_on_with_or_its_consumers_are_resumed() {
    for goes_on in [true, false] {
        let mut stage = stage(Protection::Confirm, 400);
        let id = mapping(&stage, "orders", State::Enabled);
        worker(&stage, 2);
        let slowly = match redrive() {
            Operation::Redrive(redrive) => Operation::Redrive(Redrive { rate: Some(20), ..redrive }),
            other => other,
        };
        let clock = stage.sandbox.clock();
        tokio::select! {
            report = stage.run(&slowly) => panic!("it was to be killed: {report:#?}"),
            () = clock.sleep(Duration::from_secs(20)) => {}
        }
        released(&stage).await;
        assert_eq!((state(&stage, &id), tasks(&stage), remembered(&stage).len()), (State::Disabled, (0, 0), 2));
        let report = if goes_on { stage.resume().await } else { stage.run(&resume()).await };
        assert_eq!(report.end, End::Done, "{report:#?}");
        assert_eq!(
            (state(&stage, &id), tasks(&stage), remembered(&stage)),
            (State::Enabled, (2, 2), vec![]),
            "{report:#?}"
        );
        assert_eq!(goes_on, stage.count("orders-dlq") == 0);
    }
}

#[tokio::test(start_paused = true)]
async fn consumers_that_do_not_come_back_are_the_first_thing_said() {
    let mut stage = stage(Protection::Confirm, 4);
    let id = mapping(&stage, "orders", State::Enabled);
    let deny = serde_json::json!({ "call": "UpdateEventSourceMapping", "kind": "denied", "nth": 2, "times": 99 });
    stage.fault(serde_json::from_value(deny).expect("a fault"));
    let report = stage.run(&redrive()).await;
    assert_eq!((report.end, report.details.tally().moved), (End::Partly, 4), "{report:#?}");
    assert!(report.notes[0].as_str().starts_with("CONSUMERS ARE STILL PAUSED"), "{report:#?}");
    let next = report.next.as_ref().expect("a way on").as_str();
    assert_eq!(next, "opsctl consumers resume --queue orders --env dev");
    assert_eq!((state(&stage, &id), remembered(&stage).len()), (State::Disabled, 1));
}

#[tokio::test(start_paused = true)]
async fn a_pause_and_a_watch_for_bounces_contradict() {
    let mut stage = stage(Protection::Confirm, 4);
    mapping(&stage, "orders", State::Enabled);
    for (ramp, max_bounce) in [(Some("1,all"), None), (None, Some("5"))] {
        let redrive = Operation::Redrive(Redrive {
            queue: "orders-dlq".into(),
            ramp: ramp.and_then(|ramp| ramp.parse().ok()),
            max_bounce: max_bounce.and_then(|most| most.parse().ok()),
            pause_consumers: true,
            ..Redrive::default()
        });
        let planned = stage.plan(&redrive).await.expect("a plan").plan;
        assert!(planned.blockers.iter().any(|text| text.as_str().contains("--ramp all")), "{planned:#?}");
    }
}

/// A service that works on the cluster `orders`, which has paused; `worker` takes messages of `orders` and needs it as well.
fn sleepers() -> Stage {
    let mut stage = stage(Protection::Confirm, 0);
    let mut fixture = ServiceFixture {
        cluster: "main".into(),
        name: "api".into(),
        family: "api".into(),
        image: "api:1".into(),
        revision: 1,
        program: Program { healthy_after_seconds: Some(10), ..Program::default() },
        desired: 0,
        breaker: Breaker::Off,
        tags: BTreeMap::new(),
    };
    stage.sandbox.with(|world, now| {
        world.ecs.settle(now, &caller(), &fixture);
        (fixture.name, fixture.family, fixture.program) = ("worker".into(), "worker".into(), Program::default());
        world.ecs.settle(now, &caller(), &fixture);
        let capacity = Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) };
        let member = Instance::new("orders-1", "db.serverless", "aurora-postgresql", "16.6", "af-south-1a", now);
        let mut cluster = Cluster::new("orders", "aurora-postgresql", "16.6", &["orders-1"], now);
        cluster.capacity = Some(capacity);
        world.put_cluster(ACCOUNT, REGION, cluster, vec![member]);
        let place = Place { environment: "dev".into(), account: ACCOUNT.into(), region: REGION.into() };
        let worker = |name: &str| Worker::Service { cluster: "main".into(), name: name.into() };
        world.actors.add_caller(now, place.clone(), worker("api"), "orders");
        let (behaviour, database) = (Behaviour::Healthy, Some("orders".to_owned()));
        let consumer = Consumer { behaviour, rate_per_second: 50.0, worker: worker("worker"), database, hands: None };
        world.actors.add(now, place, "orders", consumer);
        for number in 0..20 {
            world.put(now, &caller(), "orders", PutMessage::new(number.to_string())).expect("put");
        }
    });
    let stages = vec![vec!["api".to_owned()], vec!["worker".to_owned()]];
    stage.environment.services.groups =
        vec![ServiceGroup { name: "all".into(), stages, size: 1, ..ServiceGroup::default() }];
    stage
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_wakes_before_its_database_fills_the_dead_letter_queue() {
    let worker = Wake { service: vec!["worker".into()], ..Wake::default() };
    let all = Wake { group: Some("all".into()), ..Wake::default() };
    for (wake, dead) in [(worker, 20), (all, 0)] {
        let mut stage = sleepers();
        let report = stage.run(&Operation::Wake(wake)).await;
        assert_eq!(report.end, End::Done, "{report:#?}");
        let clock = stage.sandbox.clock();
        clock.sleep(Duration::from_secs(60)).await;
        stage.sandbox.with(|world, now| world.advance(now));
        assert_eq!((stage.count("orders"), stage.count("orders-dlq")), (0, dead));
    }
}
