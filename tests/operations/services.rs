//! Waking services and putting them to sleep.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::SignedDuration;
use opsctl::{
    clock::Clock,
    cloud::Connect,
    domain::{Protection, ServiceGroup, ServiceRules},
    operations::{Operation, Sleep, Wake, values::Seconds},
    run::{self, End, Report},
    sandbox::{
        Options, Sandbox,
        world::{
            Fault, World,
            ecs::{Breaker, Outcome, Program, ServiceFixture},
        },
    },
};

use crate::support::stage::{Stage, caller, environment};

/// From a count that is set to the last task that runs: scheduler, provisioning, image.
const START_SECONDS: f64 = 13.0;
/// Between looks.
const LOOK_SECONDS: f64 = 2.0;

pub(crate) fn fixture(cluster: &str, name: &str, desired: u32) -> ServiceFixture {
    ServiceFixture {
        cluster: cluster.into(),
        name: name.into(),
        family: name.into(),
        image: format!("{name}:1"),
        revision: 3,
        program: Program::default(),
        desired,
        breaker: Breaker::Fails,
        tags: BTreeMap::new(),
    }
}

/// Services with so many tasks in the cluster `main`, and a group of these stages, in which `kong` is always on.
pub(crate) fn stage(protection: Protection, services: &[(&str, u32)], stages: &[&[&str]]) -> Stage {
    let mut stage = Stage::new(protection, &[]);
    for (name, desired) in services {
        let fixture = fixture("main", name, *desired);
        stage.sandbox.with(|world, now| world.ecs.settle(now, &caller(), &fixture));
    }
    let stages = stages.iter().map(|stage| stage.iter().map(|name| (*name).to_owned()).collect()).collect();
    let group =
        ServiceGroup { name: "all".into(), stages, always_on: vec!["kong".into()], size: 1, sleep_allowed: false };
    stage.environment.services = ServiceRules { groups: vec![group], ..ServiceRules::default() };
    stage
}

fn wake() -> Operation {
    Operation::Wake(Wake { group: Some("all".to_owned()), ..Wake::default() })
}

fn wake_for(seconds: u32) -> Operation {
    Operation::Wake(Wake { group: Some("all".to_owned()), timeout: Seconds(seconds), ..Wake::default() })
}

fn sleep() -> Operation {
    Operation::Sleep(Sleep { group: Some("all".to_owned()), ..Sleep::default() })
}

pub(super) fn running(stage: &Stage, service: &str) -> (u32, usize) {
    let clock = stage.sandbox.clock();
    stage.sandbox.with(|world, _| {
        world.advance(clock.now());
        let view = world.ecs.view(&caller(), "main", service).expect("there");
        (view.desired, view.running)
    })
}

pub(super) fn fault(kind: &str, times: u64) -> Fault {
    serde_json::from_value(serde_json::json!({ "call": "UpdateService", "kind": kind, "times": times }))
        .expect("a fault")
}

pub(super) fn because(report: &Report) -> &str {
    report.failure.as_ref().map_or("", |failure| failure.what.as_str())
}

#[tokio::test(start_paused = true)]
async fn stages_wait_for_one_another_and_services_of_a_stage_do_not() {
    let names: Vec<String> = (0..12).map(|number| format!("api-{number:02}")).collect();
    let mut services: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), 0)).collect();
    services.extend([("kong", 1), ("auth", 0), ("worker", 0)]);
    let mut stage = stage(Protection::Confirm, &services, &[&["auth"], &["api-*"], &["worker"]]);
    let report = stage.run(&wake()).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!((report.services().len(), running(&stage, "worker"), running(&stage, "kong")), (14, (1, 1), (1, 1)));
    let slowest = START_SECONDS + LOOK_SECONDS;
    assert!(report.services().iter().all(|one| one.seconds.is_some_and(|seconds| seconds <= slowest)), "{report:#?}");
    assert!((3.0 * START_SECONDS..=3.0 * slowest + 1.0).contains(&report.seconds), "{} s", report.seconds);
    let again = stage.plan(&wake()).await.expect("a plan").plan;
    assert!(again.empty && again.messages_estimate == 0, "nothing is at zero any more: {again:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_slept_wakes_as_large_as_it_was() {
    let mut stage = stage(Protection::Confirm, &[("kong", 1), ("api", 3), ("worker", 2)], &[&["api"], &["worker"]]);
    let report = stage.run(&sleep()).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!(report.services()[0].service.name.0, "worker", "who calls goes first");
    assert_eq!(["api", "worker", "kong"].map(|name| running(&stage, name)), [(0, 0), (0, 0), (1, 1)]);
    let report = stage.run(&wake()).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!(["api", "worker"].map(|name| running(&stage, name)), [(3, 3), (2, 2)]);
}

#[tokio::test(start_paused = true)]
async fn without_capacity_the_time_runs_out_and_a_resume_waits_on() {
    let mut stage = stage(Protection::Confirm, &[("api", 0), ("worker", 0)], &[&["api"], &["worker"]]);
    stage.sandbox.with(|world, now| world.ecs.fill_until(&caller(), "main", now + SignedDuration::from_secs(75)));
    let report = stage.run(&wake_for(60)).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    let words = because(&report);
    assert!(words.contains("main/api: 0 of 1 run") && words.contains("was unable to place a task"), "{words}");
    assert!(words.contains("main/worker: not set"), "{words}");
    assert!(
        report.notes.iter().any(|note| note.as_str().contains("ECS goes on by itself with 1 service")),
        "{report:#?}"
    );
    assert!(report.next.as_ref().is_some_and(|next| next.as_str().contains("wake --resume")), "{report:#?}");
    let report = stage.resume().await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!([running(&stage, "api"), running(&stage, "worker")], [(1, 1), (1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_fails_meanwhile_ends_it_and_no_later_stage_begins() {
    let mut stage = stage(Protection::Confirm, &[("api", 0), ("worker", 0)], &[&["api"], &["worker"]]);
    let (sandbox, operation) = (stage.sandbox.clone(), wake());
    let deploys = async {
        sandbox.clock().sleep(Duration::from_secs(6)).await;
        sandbox.with(|world, now| {
            let program = Program { outcome: Outcome::CannotPull, ..Program::default() };
            let definition = world.ecs.define(&caller(), "api", "api:4", 4, program);
            world.ecs.deploy(now, &caller(), "main", "api", &definition);
        });
    };
    let (report, ()) = tokio::join!(stage.run(&operation), deploys);
    assert_eq!(report.end, End::Partly, "{report:#?}");
    let words = because(&report);
    assert!(words.contains("failed: ECS deployment circuit breaker: tasks failed to start"), "{words}");
    assert!(words.contains("CannotPullContainerError") && words.contains("no later stage was begun"), "{words}");
    assert_eq!(running(&stage, "worker").0, 0);
}

#[tokio::test(start_paused = true)]
async fn throttles_and_lost_answers_are_got_over() {
    for (kind, times) in [("throttled", 6), ("lost-after", 1), ("lost-before", 2)] {
        let mut stage = stage(Protection::Confirm, &[("api", 0)], &[&["api"]]);
        stage.fault(fault(kind, times));
        let report = stage.run(&wake()).await;
        assert_eq!((report.end, running(&stage, "api")), (End::Done, (1, 1)), "{kind}: {report:#?}");
    }
    let mut stage = stage(Protection::Confirm, &[("api", 0)], &[&["api"]]);
    stage.sandbox.with(|world, now| world.ecs.drain_updates(now, &caller()));
    assert_eq!(stage.run(&wake()).await.end, End::Done, "others had used up the throttle");
}

/// Somebody else sets a count.
pub(super) fn set(sandbox: &Sandbox, service: &str, desired: u32) {
    assert!(sandbox.with(|world, now| world.ecs.set_desired(now, &caller(), "main", service, desired)), "{service}");
}

fn program(outcome: Outcome) -> Program {
    Program { outcome, ..Program::default() }
}

/// Runs it, and does something so many seconds after its begin.
pub(super) async fn run_while(
    stage: &mut Stage,
    operation: &Operation,
    seconds: u64,
    act: impl FnOnce(&Sandbox),
) -> Report {
    let sandbox = stage.sandbox.clone();
    let acts = async {
        sandbox.clock().sleep(Duration::from_secs(seconds)).await;
        act(&sandbox);
    };
    let (report, ()) = tokio::join!(stage.run(operation), acts);
    report
}

#[tokio::test(start_paused = true)]
async fn what_somebody_set_meanwhile_is_left_as_it_is() {
    let mut stage = stage(Protection::Confirm, &[("api", 0), ("worker", 0)], &[&["api"], &["worker"]]);
    let report = run_while(&mut stage, &wake(), 6, |sandbox| set(sandbox, "worker", 5)).await;
    assert_eq!((report.end, running(&stage, "worker")), (End::Done, (5, 5)), "{report:#?}");
    let report = run_while(&mut stage, &sleep(), 1, |sandbox| set(sandbox, "api", 4)).await;
    assert_eq!((report.end, running(&stage, "api").0), (End::Partly, 4), "{report:#?}");
    assert!(because(&report).contains("somebody set its desired count to 4 since the plan"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn autoscaling_that_wants_more_fails_no_waking() {
    let mut stage = stage(Protection::Confirm, &[("api", 0), ("worker", 0)], &[&["api"], &["worker"]]);
    stage.sandbox.with(|world, now| world.ecs.fill_until(&caller(), "main", now + SignedDuration::from_secs(40)));
    let report = run_while(&mut stage, &wake(), 25, |sandbox| set(sandbox, "api", 3)).await;
    assert_eq!(
        (report.end, running(&stage, "api"), running(&stage, "worker")),
        (End::Done, (3, 3), (1, 1)),
        "{report:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_it_plans_sets_nothing() {
    let mut stage = stage(Protection::Confirm, &[("api", 0)], &[&["api"]]);
    stage.cancel.cancel();
    let report = stage.run(&wake()).await;
    assert_eq!((report.end, running(&stage, "api").0), (End::Interrupted, 0), "{report:#?}");
    assert!(report.services().iter().all(|service| !service.is_set), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn credentials_of_another_account_stop_it_before_the_next_stage() {
    let mut stage = stage(Protection::Confirm, &[("api", 0), ("worker", 0)], &[&["api"], &["worker"]]);
    let report = run_while(&mut stage, &wake(), 6, |sandbox| {
        let other = r#"{"call":"sts:*","times":1000,"kind":"other-account"}"#;
        sandbox.with(|world, _| world.faults.add(serde_json::from_str::<Fault>(other).expect("a fault")));
    })
    .await;
    assert_eq!((report.end, running(&stage, "api"), running(&stage, "worker").0), (End::Partly, (1, 1), 0));
    assert!(because(&report).contains("credentials are of account 999999999999 now"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_comes_up_and_falls_again_is_not_up() {
    let mut stage = stage(Protection::Confirm, &[("worker", 0)], &[&["api"], &["worker"]]);
    let falls = Program { outcome: Outcome::Exits { after_seconds: 5, code: 1 }, ..Program::default() };
    let api = ServiceFixture { program: falls, breaker: Breaker::Off, ..fixture("main", "api", 0) };
    stage.sandbox.with(|world, now| world.ecs.settle(now, &caller(), &api));
    let report = stage.run(&wake_for(120)).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(because(&report).contains("its tasks do not stay up"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_up_and_not_well_is_waited_for() {
    let mut stage = stage(Protection::Confirm, &[("worker", 0)], &[&["api"], &["worker"]]);
    let api =
        ServiceFixture { program: program(Outcome::CannotPull), breaker: Breaker::Off, ..fixture("main", "api", 0) };
    stage.sandbox.with(|world, now| {
        world.ecs.settle(now, &caller(), &api);
        world.ecs.set_desired(now, &caller(), "main", "api", 2);
    });
    let report = stage.run(&wake_for(60)).await;
    assert_eq!((report.end, running(&stage, "worker").0), (End::Partly, 0), "{report:#?}");
    assert!(because(&report).contains("main/api: 0 of 2 run"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_whose_deployment_failed_can_sleep() {
    let mut stage = stage(Protection::Confirm, &[("api", 2)], &[&["api"]]);
    stage.sandbox.with(|world, now| {
        let definition = world.ecs.define(&caller(), "api", "api:4", 4, program(Outcome::CannotPull));
        world.ecs.deploy(now, &caller(), "main", "api", &definition);
    });
    stage.sandbox.clock().sleep(Duration::from_secs(300)).await;
    let report = stage.run(&sleep()).await;
    assert_eq!((report.end, running(&stage, "api")), (End::Done, (0, 0)), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_size_is_remembered_for_one_waking() {
    let mut stage = stage(Protection::Confirm, &[("api", 3)], &[&["api"]]);
    assert_eq!(stage.run(&sleep()).await.end, End::Done);
    assert_eq!(stage.run(&wake()).await.end, End::Done);
    stage.sandbox.with(|world, now| world.ecs.set_desired(now, &caller(), "main", "api", 0));
    stage.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let report = stage.run(&wake()).await;
    assert_eq!((report.end, running(&stage, "api")), (End::Done, (1, 1)), "somebody else put it to zero: {report:#?}");
}

#[tokio::test(start_paused = true)]
async fn always_on_in_any_group_is_always_on() {
    let mut stage = stage(Protection::Confirm, &[("api", 1), ("kong", 1)], &[&["api"]]);
    let everything = ServiceGroup {
        name: "everything".into(),
        stages: vec![vec!["*".into()]],
        size: 1,
        sleep_allowed: true,
        ..ServiceGroup::default()
    };
    stage.environment.services.groups.insert(0, everything);
    let group = Operation::Sleep(Sleep { group: Some("everything".to_owned()), ..Sleep::default() });
    let report = stage.run(&group).await;
    assert_eq!((report.end, running(&stage, "kong")), (End::Done, (1, 1)), "{report:#?}");
    let kong = Operation::Sleep(Sleep { service: vec!["kong".to_owned()], ..Sleep::default() });
    assert!(!stage.plan(&kong).await.expect("a plan").plan.blockers.is_empty());
    let nobody = ServiceGroup { name: "nobody".into(), stages: vec![vec!["zzz*".into()]], ..ServiceGroup::default() };
    stage.environment.services.groups.push(nobody);
    let nobody = Operation::Wake(Wake { group: Some("nobody".to_owned()), ..Wake::default() });
    assert!(stage.plan(&nobody).await.is_err(), "a group of nobody is a mistake, not a success");
}

#[tokio::test(start_paused = true)]
async fn a_denied_update_fails_and_sets_nothing() {
    let mut stage = stage(Protection::Confirm, &[("api", 0)], &[&["api"]]);
    stage.fault(fault("denied", 9));
    let report = stage.run(&wake()).await;
    assert_eq!((report.end, running(&stage, "api")), (End::Failed, (0, 0)), "{report:#?}");
    assert!(because(&report).contains("ecs:UpdateService"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_stale_when_somebody_was_quicker() {
    let mut stage = stage(Protection::Confirm, &[("api", 0)], &[&["api"]]);
    let planned = stage.plan(&wake()).await.expect("a plan");
    stage.sandbox.with(|world, now| world.ecs.set_desired(now, &caller(), "main", "api", 4));
    let approved = stage.approve(planned.plan).expect("approval");
    let context = stage.context().await;
    let report = run::execute(approved, &context).await;
    assert_eq!((report.end, running(&stage, "api").0), (End::Stale, 4), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_says_what_goes_on_and_a_resume_finds_it() {
    let mut stage = stage(Protection::Confirm, &[("api", 0)], &[&["api"]]);
    let (clock, cancel, operation) = (stage.sandbox.clock(), stage.cancel.clone(), wake());
    let stops = async {
        clock.sleep(Duration::from_secs(5)).await;
        cancel.cancel();
    };
    let (report, ()) = tokio::join!(stage.run(&operation), stops);
    assert_eq!(report.end, End::Interrupted, "{report:#?}");
    assert!(report.notes.iter().any(|note| note.as_str().contains("ECS goes on by itself")), "{report:#?}");
    stage.cancel = tokio_util::sync::CancellationToken::new();
    let report = stage.resume().await;
    assert_eq!((report.end, running(&stage, "api")), (End::Done, (1, 1)), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn sleep_is_refused_where_it_must_not_be() {
    let mut typed = stage(Protection::TypeName, &[("api", 2), ("kong", 1)], &[&["api"]]);
    let blockers = typed.plan(&sleep()).await.expect("a plan").plan.blockers;
    assert!(blockers[0].as_str().contains("sleep_allowed"), "{blockers:?}");
    typed.environment.services.groups[0].sleep_allowed = true;
    assert!(typed.plan(&sleep()).await.expect("a plan").plan.blockers.is_empty());
    let kong = Operation::Sleep(Sleep { service: vec!["kong".to_owned()], ..Sleep::default() });
    let blockers = typed.plan(&kong).await.expect("a plan").plan.blockers;
    assert!(blockers.iter().any(|blocker| blocker.as_str().contains("main/kong is always on")), "{blockers:?}");
    let nobody = Operation::Wake(Wake { service: vec!["apii".to_owned()], ..Wake::default() });
    let error = typed.plan(&nobody).await.expect_err("no such service");
    assert_eq!(error.to_string(), "there is no service apii");
}

/// At ten milliseconds a call, and within the throttles that everybody shares.
#[tokio::test(start_paused = true)]
async fn three_hundred_services_are_listed_within_two_seconds() {
    let clock = Clock::virtual_from("2026-11-21T03:00:00Z".parse().expect("a time"), 1.0);
    let options = Options { latency: Duration::from_millis(10), ..Options::default() };
    let sandbox = Sandbox::new(World::new(7, clock.now()), clock, options);
    for number in 0..300 {
        let fixture = fixture(&format!("main-{}", number % 4), &format!("s-{number:03}"), 2);
        sandbox.with(|world, now| world.ecs.settle(now, &caller(), &fixture));
    }
    let connect = Connect::through(clock, sandbox.http_client());
    let cloud = connect.cloud(Arc::new(environment(Protection::Confirm))).await.expect("clients");
    let started = clock.now();
    let (services, scaling) = tokio::join!(cloud.ecs.all(), cloud.autoscaling.services());
    let took = clock.now().duration_since(started);
    assert_eq!((services.expect("listed").found.len(), scaling.expect("listed").len()), (300, 0));
    assert!(took < SignedDuration::from_secs(2), "{took}");
}
