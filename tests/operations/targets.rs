//! Waking services behind load balancers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use opsctl::{
    domain::Protection,
    operations::{Operation, Wake, values::Seconds},
    run::{self, End, Report},
    sandbox::world::{
        Fault,
        ecs::{Breaker, Program, ServiceFixture, TargetCheck},
    },
};

use crate::support::stage::{Stage, caller};

/// From a count that is set to the last task that runs, and on to the end of the first health checks.
const HEALTHY_SECONDS: f64 = 13.0 + 12.0;
const LOOK_SECONDS: f64 = 2.0;

/// The service `api`, at zero, behind two target groups.
fn stage(target_check: TargetCheck) -> Stage {
    let stage = Stage::new(Protection::Confirm, &[]);
    let fixture = ServiceFixture {
        cluster: "main".into(),
        name: "api".into(),
        family: "api".into(),
        image: "api:1".into(),
        revision: 3,
        program: Program { target_check, ..Program::default() },
        desired: 0,
        breaker: Breaker::Off,
        tags: BTreeMap::new(),
    };
    stage.sandbox.with(|world, now| {
        world.ecs.settle(now, &caller(), &fixture);
        world.balance(&caller(), "main", "api", "api-public", 8080);
        world.balance(&caller(), "main", "api", "api-private", 8081);
    });
    stage
}

fn wake() -> Operation {
    Operation::Wake(Wake { service: vec!["api".to_owned()], timeout: Seconds(60), ..Wake::default() })
}

/// The calls from the `nth` on, so many.
fn fault(stage: &Stage, kind: &str, nth: u64, times: u64) {
    let fault = serde_json::json!({ "call": "elasticloadbalancing:DescribeTargetHealth", "kind": kind, "nth": nth, "times": times });
    stage.fault(serde_json::from_value::<Fault>(fault).expect("a fault"));
}

fn because(report: &Report) -> &str {
    report.failure.as_ref().map_or("", |failure| failure.what.as_str())
}

/// What it tells of target health.
fn notes(report: &Report) -> Vec<&str> {
    report.notes.iter().map(|note| note.as_str()).filter(|note| note.contains("target health")).collect()
}

/// Runs it; answers its report, and what it told on the way.
async fn wake_told(stage: &mut Stage) -> (Report, Vec<String>) {
    let planned = stage.plan(&wake()).await.expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut context = stage.context().await;
    let listener = Arc::clone(&told);
    context.progress = Arc::new(move |progress| {
        let words = progress.task.as_ref().map(ToString::to_string);
        listener.lock().expect("no panic").extend(words);
    });
    let report = run::execute(approved, &context).await;
    let told = told.lock().expect("no panic").clone();
    (report, told)
}

#[tokio::test(start_paused = true)]
async fn a_service_is_awake_once_its_targets_are_healthy() {
    let mut stage = stage(TargetCheck::Passes);
    let plan = stage.plan(&wake()).await.expect("a plan").plan;
    assert!(plan.calls.iter().any(|call| call.action == "elasticloadbalancing:DescribeTargetHealth"), "{plan:#?}");
    // More calls than the health checks last would end in a note.
    fault(&stage, "denied", 12, 999);
    let (report, told) = wake_told(&mut stage).await;
    assert_eq!((report.end, notes(&report)), (End::Done, vec![]), "{report:#?}");
    let seconds = report.services()[0].seconds.unwrap_or_default();
    assert!((HEALTHY_SECONDS - LOOK_SECONDS..=HEALTHY_SECONDS + LOOK_SECONDS).contains(&seconds), "{seconds} s");
    let waits = "api 1 of 1 run, 0 of 1 targets healthy: Initial health checks in progress";
    assert!(told.iter().any(|words| words.contains(waits)), "{told:#?}");
}

#[tokio::test(start_paused = true)]
async fn targets_that_are_never_healthy_are_told_with_their_reason() {
    let mut stage = stage(TargetCheck::BAD_GATEWAY);
    let (report, told) = wake_told(&mut stage).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    let words = "1 of 1 run, 0 of 1 targets healthy: Health checks failed with these codes: [502]";
    assert_eq!(
        (because(&report).contains(&format!("main/api: {}", words)), notes(&report)),
        (true, vec![]),
        "{report:#?}"
    );
    assert!(told.last().is_some_and(|last| last.contains(words)), "{told:#?}");
}

#[tokio::test(start_paused = true)]
async fn where_target_health_is_denied_ecs_decides_and_a_note_says_so() {
    let mut stage = stage(TargetCheck::BAD_GATEWAY);
    fault(&stage, "denied", 1, 999);
    let report = stage.run(&wake()).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    let notes = notes(&report);
    assert_eq!(notes.len(), 1, "{report:#?}");
    assert!(notes[0].contains("target health of main/api is not known"), "{notes:?}");
    assert!(notes[0].contains("allow elasticloadbalancing:DescribeTargetHealth"), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_asked_again() {
    for (kind, times) in [("throttled", 6), ("refused", 6), ("lost-before", 6)] {
        let mut stage = stage(TargetCheck::Passes);
        fault(&stage, kind, 1, times);
        let report = stage.run(&wake()).await;
        assert_eq!((report.end, notes(&report)), (End::Done, vec![]), "{kind}: {report:#?}");
    }
    let mut stage = stage(TargetCheck::Passes);
    fault(&stage, "throttled", 1, 9_999);
    let report = stage.run(&wake()).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    let words = "target health is not known: elasticloadbalancing:DescribeTargetHealth failed: Throttling";
    assert!(because(&report).contains(words), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_hostile_description_stays_one_harmless_line() {
    let description = "\u{9b}2J\u{202e}done\nall targets healthy\u{7f}";
    let mut stage = stage(TargetCheck::Fails { reason: "Target.FailedHealthChecks", description });
    let (report, told) = wake_told(&mut stage).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    let said = told.iter().map(String::as_str).chain([because(&report)]);
    let harmful = |character: char| character.is_control() || character == '\u{202e}';
    assert!(said.clone().any(|words| words.contains("all targets healthy")), "{told:#?}");
    assert!(said.clone().all(|words| !words.contains(harmful)), "{told:#?}");
}
