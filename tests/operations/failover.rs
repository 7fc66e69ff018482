//! Failovers: who is chosen, lost answers, refusals, times, resumes.

use std::sync::Arc;

use jiff::Timestamp;
use opsctl::{
    domain::{DatabaseRules, Protection, Text},
    operations::{Failover, Operation},
    run::{self, End, Report},
    sandbox::world::{
        Fault,
        rds::{Capacity, Cluster, Instance, Maintenance},
    },
};

use crate::support::stage::{ACCOUNT, REGION, Stage};

const AURORA: &str = "aurora-postgresql";

fn instance(name: &str, class: &str, engine: &str, zone: &str, tier: u8, now: Timestamp) -> Instance {
    let mut instance = Instance::new(name, class, engine, "16.6", zone, now);
    instance.tier = Some(tier);
    instance
}

/// A stage with `orders`, a cluster: one writes, three is the first to be promoted.
fn stage_of(engine: &str) -> Stage {
    let stage = Stage::new(Protection::TypeName, &[]);
    stage.sandbox.with(|world, now| {
        let instances = vec![
            instance("one", "db.r6g.large", engine, "af-south-1a", 1, now),
            instance("two", "db.r6g.large", engine, "af-south-1b", 1, now),
            instance("three", "db.r6g.xlarge", engine, "af-south-1c", 1, now),
        ];
        let cluster = Cluster::new("orders", engine, "16.6", &["one", "two", "three"], now);
        world.put_cluster(ACCOUNT, REGION, cluster, instances);
        let mut pair = instance("pair", "db.m6g.large", "postgres", "af-south-1a", 0, now);
        pair.secondary_zone = Some("af-south-1b".to_owned());
        world.put_instance(ACCOUNT, REGION, pair);
        world.put_instance(ACCOUNT, REGION, instance("alone", "db.t4g.micro", "postgres", "af-south-1a", 0, now));
    });
    stage
}

pub(crate) fn stage() -> Stage {
    stage_of(AURORA)
}

fn failover(database: &str, to: Option<&str>) -> Operation {
    Operation::Failover(Failover { database: database.to_owned(), to: to.map(str::to_owned) })
}

pub(crate) fn orders() -> Operation {
    failover("orders", None)
}

fn fault(stage: &Stage, text: &str) {
    stage.fault(serde_json::from_str::<Fault>(text).expect("a fault"));
}

/// Failovers of the cluster that began in the world, and who writes.
fn world(stage: &Stage) -> (u32, String) {
    stage.sandbox.with(|world, now| {
        let cluster = world.cluster(now, ACCOUNT, REGION, "orders").expect("there");
        (cluster.failovers, cluster.members[0].clone())
    })
}

fn objective(stage: &mut Stage, seconds: u64) {
    stage.environment.databases =
        DatabaseRules { objectives: vec![("ord*".to_owned(), seconds)], ..DatabaseRules::default() };
}

fn words(texts: &[impl ToString]) -> String {
    texts.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn what(report: &Report) -> &str {
    report.failure.as_ref().map_or("", |failure| failure.what.as_str())
}

#[tokio::test(start_paused = true)]
async fn the_first_to_be_promoted_writes_and_the_seconds_are_measured() {
    let mut stage = stage();
    objective(&mut stage, 300);
    let plan = stage.plan(&orders()).await.expect("a plan").plan;
    assert_eq!(plan.summary.as_str(), "let three write in place of one");
    let why = plan.facts.iter().find(|fact| fact.label == "why this one").expect("a reason");
    assert_eq!(why.value.as_str(), "tier 1: the first to be promoted of 2 readers");
    let report = stage.run(&orders()).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!(world(&stage), (1, "three".to_owned()));
    let done = report.details.failover().expect("what was done");
    assert_eq!((done.writer_before.as_deref(), done.writer_after.as_deref()), (Some("one"), Some("three")));
    // The API shows it after 12 s: noticed within one more.
    let seconds = done.seconds_to_writer.expect("measured");
    assert!((12.0..=13.0).contains(&seconds), "{seconds}");
    let available = done.seconds_to_available.expect("measured");
    assert!((28.0..=29.0).contains(&available), "{available}");
    assert_eq!((done.rto_seconds, done.within_rto), (Some(300), Some(true)));
    assert!(done.events.iter().any(|event| event.completes()), "{:?}", done.events);
}

#[tokio::test(start_paused = true)]
async fn a_named_reader_writes() {
    let mut stage = stage();
    let report = stage.run(&failover("orders", Some("two"))).await;
    assert_eq!((report.end, world(&stage)), (End::Done, (1, "two".to_owned())), "{report:#?}");
    assert_eq!(report.command.as_str(), "opsctl failover orders --to two --env dev");
}

#[tokio::test(start_paused = true)]
async fn a_multi_az_cluster_fails_over_as_aurora_does() {
    let mut stage = stage_of("postgres");
    let report = stage.run(&orders()).await;
    assert_eq!((report.end, world(&stage)), (End::Done, (1, "three".to_owned())), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_multi_az_instance_gives_way_to_its_standby_once() {
    let mut stage = stage();
    let report = stage.run(&failover("pair", None)).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    let done = report.details.failover().expect("what was done");
    let seconds = done.seconds_to_writer.expect("measured");
    assert!((70.0..=71.0).contains(&seconds), "{seconds}");
    // Soon after another one RDS gives it up, and says so by an event alone.
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(60)).await;
    let plan = stage.plan(&failover("pair", None)).await.expect("a plan").plan;
    assert!(words(&plan.warnings).contains("RDS may abandon another"), "{:?}", plan.warnings);
    let report = stage.run(&failover("pair", None)).await;
    assert_eq!(report.end, End::Failed, "{report:#?}");
    assert!(what(&report).contains("Abandoning user requested failover"), "{report:#?}");
    let failovers =
        stage.sandbox.with(|world, now| world.instance(now, ACCOUNT, REGION, "pair").expect("there").failovers);
    assert_eq!(failovers, 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_after_and_never_asked_again() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"FailoverDBCluster","kind":"lost-after"}"#);
    let report = stage.run(&orders()).await;
    assert_eq!((report.end, world(&stage)), (End::Done, (1, "three".to_owned())), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_arrived_is_not_repeated() {
    for kind in ["lost-before", "hang", "{\"server-error\":503}"] {
        let mut stage = stage();
        let kind = if kind.starts_with('{') { kind.to_owned() } else { format!("{kind:?}") };
        fault(&stage, &format!(r#"{{"call":"FailoverDBCluster","kind":{kind}}}"#));
        let report = stage.run(&orders()).await;
        assert_eq!((report.end, world(&stage).0), (End::Partly, 0), "{kind} {report:#?}");
        assert!(what(&report).contains("no sign of a failover"), "{report:#?}");
        // A resume looks, and asks for nothing.
        let again = stage.resume().await;
        assert_eq!((again.end, world(&stage).0), (End::Partly, 0), "{again:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_was_not_applied_and_is_made_again() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"FailoverDBCluster","times":2,"kind":"throttled"}"#);
    let report = stage.run(&orders()).await;
    assert_eq!((report.end, world(&stage).0), (End::Done, 1), "{report:#?}");
    let mut stage = self::stage();
    fault(&stage, r#"{"call":"FailoverDBCluster","times":99,"kind":"throttled"}"#);
    let report = stage.run(&orders()).await;
    assert_eq!((report.end, world(&stage).0), (End::Failed, 0), "{report:#?}");
    assert!(what(&report).starts_with("nothing was done"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn looks_that_fail_meanwhile_end_nothing() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"DescribeDB*","nth":6,"times":30,"kind":"throttled"}"#);
    let report = stage.run(&orders()).await;
    assert_eq!((report.end, world(&stage).0), (End::Done, 1), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_goes_stale_where_another_one_writes_meanwhile() {
    let mut stage = stage();
    let plan = stage.plan(&orders()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    stage.cloud().await.rds.fail_over_cluster("orders", Some("two")).await.expect("a colleague's");
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(60)).await;
    let context = stage.context().await;
    let report = run::execute(approved, &context).await;
    assert_eq!((report.end, world(&stage)), (End::Stale, (1, "two".to_owned())), "{report:#?}");
    assert!(what(&report).contains("writer: one then, two now"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_take_over_blocks() {
    let mut stage = stage();
    let blockers = |plan: opsctl::operations::plan::Plan| words(&plan.blockers);
    let plan = stage.plan(&failover("alone", None)).await.expect("a plan").plan;
    assert!(blockers(plan).contains("a single instance"));
    let plan = stage.plan(&failover("orders", Some("one"))).await.expect("a plan").plan;
    assert!(blockers(plan).contains("one writes already"));
    stage.sandbox.with(|world, now| {
        world.instance(now, ACCOUNT, REGION, "three").expect("there").status = "creating".to_owned();
    });
    let plan = stage.plan(&failover("orders", Some("three"))).await.expect("a plan").plan;
    assert!(blockers(plan).contains("three is creating"));
    let plan = stage.plan(&orders()).await.expect("a plan").plan;
    assert_eq!((plan.summary.as_str(), plan.blockers), ("let two write in place of one", vec![]));
    stage.sandbox.with(|world, now| {
        world.cluster(now, ACCOUNT, REGION, "orders").expect("there").members = vec!["one".to_owned()];
    });
    let plan = stage.plan(&orders()).await.expect("a plan").plan;
    assert!(blockers(plan.clone()).contains("there is no reader"));
    assert!(stage.approve(plan).is_err(), "the gate refuses");
}

#[tokio::test(start_paused = true)]
async fn a_failover_that_goes_on_blocks_another() {
    let mut stage = stage();
    stage.cloud().await.rds.fail_over_cluster("orders", Some("two")).await.expect("a colleague's");
    let plan = stage.plan(&orders()).await.expect("a plan").plan;
    assert!(words(&plan.blockers).contains("orders is failing-over, not available"), "{plan:#?}");
    assert!(words(&plan.warnings).contains("Started cross AZ failover"), "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_should_be_known_is_said_before() {
    let mut stage = stage();
    stage.sandbox.with(|world, now| {
        let cluster = world.cluster(now, ACCOUNT, REGION, "orders").expect("there");
        cluster.capacity = Some(Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) });
        cluster.pending = vec![Maintenance::new("system-update", "New\u{9b}31m system")];
        world.instance(now, ACCOUNT, REGION, "two").expect("there").class = "db.t4g.medium".to_owned();
    });
    objective(&mut stage, 20);
    let plan = stage.plan(&failover("orders", Some("two"))).await.expect("a plan").plan;
    let warnings = words(&plan.warnings);
    for part in ["it has paused", "maintenance is pending: system-update", "smaller than the writer's", "RTO of 20 s"] {
        assert!(warnings.contains(part), "{part}: {warnings}");
    }
    assert!(!warnings.contains('\u{9b}'), "{warnings:?}");
    let behind = plan.facts.iter().find(|fact| fact.label == "behind by").expect("said");
    assert_eq!(behind.value.as_str(), "not known", "no sample is not zero");
}

#[tokio::test(start_paused = true)]
async fn a_missed_objective_is_said_and_is_no_failure_of_the_failover() {
    let mut stage = stage();
    objective(&mut stage, 5);
    let report = stage.run(&orders()).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!(report.details.failover().expect("done").within_rto, Some(false));
    assert!(words(&report.notes).contains("RTO of 5 s: MISSED"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_leaves_it_to_aws_and_a_resume_looks() {
    let mut stage = stage();
    let plan = stage.plan(&orders()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let mut context = stage.context().await;
    let cancel = stage.cancel.clone();
    context.progress = Arc::new(move |_| cancel.cancel());
    let report = run::execute(approved, &context).await;
    assert_eq!(report.end, End::Interrupted, "{report:#?}");
    assert!(what(&report).contains("goes on in AWS"), "{report:#?}");
    assert!(report.next.expect("how to look").as_str().contains("--resume"));
    stage.cancel = tokio_util::sync::CancellationToken::new();
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(600)).await;
    let report = stage.resume().await;
    assert_eq!((report.end, world(&stage)), (End::Done, (1, "three".to_owned())), "{report:#?}");
    let seconds = report.details.failover().expect("done").seconds_to_writer.expect("from the event");
    assert!((27.0..=30.0).contains(&seconds), "RDS's time, not this run's: {seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_before_the_call_asks_for_nothing() {
    let mut stage = stage();
    stage.cancel.cancel();
    let report = stage.run(&orders()).await;
    assert_eq!((report.end, world(&stage).0), (End::Interrupted, 0), "{report:#?}");
    let next = report.next.as_ref().map(Text::as_str);
    assert_eq!(next, Some("opsctl failover orders --env dev"), "there is nothing to take up: {report:#?}");
    let error = run::plan_of(&stage.folder(), &report.run).expect_err("nothing to take up");
    assert!(error.to_string().contains("never asked for its failover"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_it_is_throttled_asks_for_nothing_more() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"FailoverDBCluster","kind":"throttled"}"#);
    let (clock, cancel, operation) = (stage.sandbox.clock(), stage.cancel.clone(), orders());
    let stops = async {
        clock.sleep(std::time::Duration::from_millis(500)).await;
        cancel.cancel();
    };
    let (report, ()) = tokio::join!(stage.run(&operation), stops);
    assert_eq!((report.end, world(&stage).0), (End::Interrupted, 0), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn after_a_kill_another_failover_is_blocked_until_it_was_looked() {
    let mut stage = stage();
    let plan = stage.plan(&orders()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let context = stage.context().await;
    let running = tokio::spawn(async move { run::execute(approved, &context).await });
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(5)).await;
    running.abort();
    assert!(running.await.expect_err("aborted").is_cancelled());
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(600)).await;
    let blockers = stage.plan(&orders()).await.expect("a plan").plan.blockers;
    assert!(words(&blockers).contains("was never ended: `opsctl failover --resume"), "{blockers:?}");
    assert_eq!(stage.resume().await.end, End::Done);
    assert!(stage.plan(&orders()).await.expect("a plan").plan.blockers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_sick_reader_takes_nothing_from_a_failover_that_worked() {
    let mut stage = stage();
    let operation = orders();
    let sandbox = stage.sandbox.clone();
    let falls_sick = async {
        sandbox.clock().sleep(std::time::Duration::from_secs(2)).await;
        sandbox.with(|world, now| {
            world.instance(now, ACCOUNT, REGION, "two").expect("there").status = "storage-full".to_owned();
        });
    };
    let (report, ()) = tokio::join!(stage.run(&operation), falls_sick);
    assert_eq!((report.end, world(&stage)), (End::Done, (1, "three".to_owned())), "{report:#?}");
    assert!(words(&report.notes).contains("not everything is available yet: two is storage-full"), "{report:#?}");
    assert!(report.seconds < 300.0, "{} s", report.seconds);
}

#[tokio::test(start_paused = true)]
async fn mysql_chooses_its_writer_itself() {
    let mut stage = stage_of("mysql");
    let error = stage.plan(&failover("orders", Some("two"))).await.expect_err("no choice");
    assert!(error.to_string().contains("RDS lets nobody choose"), "{error}");
    let report = stage.run(&orders()).await;
    assert_eq!((report.end, world(&stage).0), (End::Done, 1), "{report:#?}");
    assert_ne!(world(&stage).1, "one");
}

#[tokio::test(start_paused = true)]
async fn an_arn_of_elsewhere_is_not_taken_by_its_name() {
    let mut stage = stage();
    let arn = |region: &str, account: &str, kind: &str| format!("arn:aws:rds:{region}:{account}:{kind}:orders");
    for given in [arn("us-east-1", ACCOUNT, "cluster"), arn(REGION, ACCOUNT, "snapshot")] {
        assert!(stage.plan(&failover(&given, None)).await.is_err(), "{given}");
    }
    let plan = stage.plan(&failover(&arn(REGION, ACCOUNT, "cluster"), None)).await.expect("a plan").plan;
    assert_eq!(plan.resource.as_str(), "orders");
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_is_taken_up_and_asks_for_nothing() {
    let mut stage = stage();
    let plan = stage.plan(&orders()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let context = stage.context().await;
    let running = tokio::spawn(async move { run::execute(approved, &context).await });
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(5)).await;
    running.abort();
    assert!(running.await.expect_err("aborted").is_cancelled());
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(1)).await;
    let report = stage.resume().await;
    assert_eq!((report.end, world(&stage)), (End::Done, (1, "three".to_owned())), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn unknown_names_are_explained() {
    let mut stage = stage();
    for (database, to, part) in [
        ("order", None, "did you mean orders?"),
        ("two", None, "fail over orders; `--to two` lets that one write"),
        ("orders", Some("pair"), "it can be one of: three, two"),
        ("pair", Some("one"), "leave --to out"),
    ] {
        let error = stage.plan(&failover(database, to)).await.expect_err("refused");
        let hint = error.hint(&stage.environment).to_string();
        assert!(hint.contains(part), "{error}: {hint}");
    }
}
