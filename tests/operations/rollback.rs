//! Rolling services back: the revision that ran before runs again, or ECS is seen to bring it back.

use std::time::Duration;

use opsctl::{
    operations::{Operation, Rollback, plan::Plan, values::Seconds},
    run::{self, End, Report},
    sandbox::world::{
        Denial,
        ecs::{Breaker, Outcome},
    },
};

use super::{
    restart::{deploy, deployed, stage},
    services::{because, fault, run_while, running},
};
use crate::support::stage::{Stage, caller};

fn rollback(to: Option<&str>) -> Operation {
    let to = to.map(str::to_owned);
    Operation::Rollback(Rollback { service: "api".to_owned(), to, timeout: Seconds(120) })
}

fn words(report: &Report) -> String {
    report.services().iter().map(run::Ended::words).collect::<Vec<_>>().join("; ")
}

fn fact<'a>(plan: &'a Plan, label: &str) -> Vec<&'a str> {
    plan.facts.iter().filter(|fact| fact.label == label).map(|fact| fact.value.as_str()).collect()
}

/// Two tasks of revision 3, and a deployment of revision 4 that began so many seconds ago.
async fn after(breaker: Breaker, outcome: Outcome, seconds: u64) -> Stage {
    let stage = stage(breaker, &[("api", 2)]);
    deploy(&stage.sandbox, "api", 4, outcome);
    stage.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    stage
}

const CRASHES: Outcome = Outcome::Exits { after_seconds: 3, code: 1 };

#[tokio::test(start_paused = true)]
async fn a_new_revision_that_crashes_is_rolled_back() {
    let mut stage = after(Breaker::Off, CRASHES, 120).await;
    let report = stage.run(&rollback(None)).await;
    assert_eq!((report.end, running(&stage, "api")), (End::Done, (2, 2)), "{report:#?}");
    assert_eq!(deployed(&stage, "api"), ["api:3", "api:4", "api:3", "api:2"]);
    assert!(words(&report).contains("main/api: runs api:3 again, 2 tasks, after "), "{}", words(&report));
}

#[tokio::test(start_paused = true)]
async fn what_ran_before_is_known_from_ecs_and_else_is_a_guess_that_says_so() {
    // Revision 5 was registered and never ran; 6 is what runs.
    let mut stage = after(Breaker::Off, Outcome::Serves, 60).await;
    stage.sandbox.with(|world, _| drop(world.ecs.define(&caller(), "api", "api:5", 5, Default::default())));
    deploy(&stage.sandbox, "api", 6, Outcome::Serves);
    stage.sandbox.clock().sleep(Duration::from_secs(3)).await;
    let plan = stage.plan(&rollback(None)).await.expect("a plan").plan;
    assert_eq!(
        (fact(&plan, "to"), fact(&plan, "known from")),
        (vec!["api:4"], vec!["it still runs beside the newer one"])
    );
    stage.sandbox.clock().sleep(Duration::from_secs(120)).await;
    let plan = stage.plan(&rollback(None)).await.expect("a plan").plan;
    assert_eq!(fact(&plan, "to"), ["api:4"]);
    assert!(fact(&plan, "known from")[0].starts_with("the last completed deployment of another revision"), "{plan:#?}");
    let denial = r#"{ "action": "ListServiceDeployments" }"#;
    stage.sandbox.with(|world, _| world.denials.push(serde_json::from_str::<Denial>(denial).expect("a denial")));
    let plan = stage.plan(&rollback(None)).await.expect("a plan").plan;
    assert_eq!(fact(&plan, "to"), ["api:5"]);
    let said = |words: &str| plan.warnings.iter().any(|warning| warning.as_str().contains(words));
    assert!(said("ecs:ListServiceDeployments") && said("may never have run"), "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_differs_is_told_by_names_and_never_by_values() {
    let mut stage = after(Breaker::Off, Outcome::Serves, 60).await;
    stage.sandbox.with(|world, _| {
        let before = (&[("LEVEL", "hidden-info"), ("OLD", "hidden-1")][..], &[("KEY", "arn:secret:hidden-a")][..]);
        let now = (&[("LEVEL", "hidden-debug"), ("NEW", "hidden-2")][..], &[("KEY", "arn:secret:hidden-b")][..]);
        world.ecs.amend(&caller(), "api:3", ("shop/api:1.2", before.0, before.1));
        world.ecs.amend(&caller(), "api:4", ("shop/api:1.3", now.0, now.1));
    });
    let plan = stage.plan(&rollback(None)).await.expect("a plan").plan;
    assert_eq!(
        fact(&plan, "differs in"),
        [
            "api image: shop/api:1.3 to shop/api:1.2",
            "api variables: without NEW; with OLD; another value of LEVEL",
            "api secrets: another value of KEY"
        ]
    );
    let all = serde_json::to_string(&plan).expect("JSON");
    assert!(!all.contains("hidden"), "{all}");
    let report = stage.run(&rollback(None)).await;
    let journal = std::fs::read_to_string(report.journal.as_ref().expect("a journal").as_str()).expect("read");
    assert!(!journal.contains("hidden"), "{journal}");
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_is_named_must_be_one_that_can_run() {
    let mut stage = after(Breaker::Off, Outcome::Serves, 60).await;
    for (to, said) in
        [("9", "there is no revision api:9"), ("web:3", "of the family web"), ("latest", "not a revision")]
    {
        let error = stage.plan(&rollback(Some(to))).await.expect_err(to);
        assert!(error.to_string().contains(said), "{to}: {error}");
    }
    for to in ["2", "api:2", "arn:aws:ecs:af-south-1:111111111111:task-definition/api:2"] {
        assert_eq!(fact(&stage.plan(&rollback(Some(to))).await.expect("a plan").plan, "to"), ["api:2"], "{to}");
    }
    let forward = stage.plan(&rollback(Some("4"))).await.expect("a plan").plan;
    assert!(forward.empty, "it runs already: {forward:#?}");
    stage.sandbox.with(|world, _| world.ecs.deregister(&caller(), "api:2"));
    let gone = stage.plan(&rollback(Some("2"))).await.expect("a plan").plan;
    assert!(gone.blockers[0].as_str().contains("api:2 was deregistered (INACTIVE)"), "{gone:#?}");
}

#[tokio::test(start_paused = true)]
async fn ecs_that_rolls_back_already_is_only_watched() {
    let mut stage = after(Breaker::RollsBack, Outcome::CannotPull, 0).await;
    while stage.sandbox.with(|world, _| world.ecs.view(&caller(), "main", "api").expect("there").deployed[0] == "api:4")
    {
        stage.sandbox.clock().sleep(Duration::from_secs(1)).await;
        let now = stage.sandbox.clock().now();
        stage.sandbox.with(|world, _| world.advance(now));
    }
    let before = deployed(&stage, "api").len();
    let plan = stage.plan(&rollback(None)).await.expect("a plan").plan;
    assert!(plan.summary.as_str().starts_with("watch ECS roll main/api back from api:4 to api:3"), "{plan:#?}");
    assert!(!plan.empty && plan.calls.iter().all(|call| call.action != "ecs:UpdateService"), "{plan:#?}");
    let other = stage.plan(&rollback(Some("2"))).await.expect("a plan").plan;
    assert!(other.blockers[0].as_str().contains("rolls it back to api:3 just now"), "{other:#?}");
    let report = stage.run(&rollback(None)).await;
    assert_eq!((report.end, deployed(&stage, "api").len()), (End::Done, before), "{report:#?}");
    assert!(words(&report).contains("ECS itself rolled back to api:3"), "{}", words(&report));
}

#[tokio::test(start_paused = true)]
async fn lost_throttled_and_denied_answers() {
    for (kind, times) in [("lost-after", 1), ("lost-before", 2), ("throttled", 6)] {
        let mut stage = after(Breaker::Off, Outcome::Serves, 60).await;
        stage.fault(fault(kind, times));
        let report = stage.run(&rollback(None)).await;
        assert_eq!((report.end, running(&stage, "api")), (End::Done, (2, 2)), "{kind}: {report:#?}");
        assert_eq!(deployed(&stage, "api"), ["api:3", "api:4", "api:3", "api:2"], "{kind}");
    }
    let mut stage = after(Breaker::Off, Outcome::Serves, 60).await;
    stage.fault(fault("denied", 9));
    let report = stage.run(&rollback(None)).await;
    assert_eq!((report.end, deployed(&stage, "api").len()), (End::Failed, 3), "{report:#?}");
    assert!(because(&report).contains("allow ecs:UpdateService on "), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_deploys_meanwhile_is_theirs() {
    let mut stale = after(Breaker::Off, Outcome::Serves, 60).await;
    let planned = stale.plan(&rollback(None)).await.expect("a plan");
    deploy(&stale.sandbox, "api", 5, Outcome::Serves);
    let approved = stale.approve(planned.plan).expect("approval");
    let context = stale.context().await;
    let report = run::execute(approved, &context).await;
    assert_eq!((report.end, deployed(&stale, "api")[0].as_str()), (End::Stale, "api:5"), "{report:#?}");
    let mut during = after(Breaker::Off, Outcome::Serves, 60).await;
    let deploys = |sandbox: &opsctl::sandbox::Sandbox| deploy(sandbox, "api", 5, Outcome::Serves);
    let report = run_while(&mut during, &rollback(None), 6, deploys).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(because(&report).contains("somebody deployed api:5 meanwhile"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_is_cut_short_is_gone_on_with() {
    let mut stage = after(Breaker::Off, Outcome::Serves, 60).await;
    let full = stage.sandbox.clock().now() + jiff::SignedDuration::from_secs(150);
    stage.sandbox.with(|world, _| world.ecs.fill_until(&caller(), "main", full));
    let report = stage.run(&rollback(None)).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    let report = stage.resume().await;
    assert_eq!((report.end, running(&stage, "api")), (End::Done, (2, 2)), "{report:#?}");
    assert_eq!(deployed(&stage, "api"), ["api:3", "api:4", "api:3", "api:2"]);
    assert_eq!(stage.resume().await.end, End::Done, "once more it only looks");
    assert_eq!(deployed(&stage, "api").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn asleep_it_changes_its_revision_and_stays_asleep() {
    let mut stage = after(Breaker::Off, Outcome::Serves, 60).await;
    stage.sandbox.with(|world, now| world.ecs.set_desired(now, &caller(), "main", "api", 0));
    stage.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let report = stage.run(&rollback(None)).await;
    assert_eq!((report.end, running(&stage, "api")), (End::Done, (0, 0)), "{report:#?}");
    assert_eq!(deployed(&stage, "api")[0], "api:3");
}
