//! Restarting services: a new deployment of the revision that runs, once.

use std::{collections::BTreeMap, time::Duration};

use jiff::SignedDuration;
use opsctl::{
    domain::Protection,
    operations::{Operation, Restart, values::Seconds},
    run::{self, End, Report},
    sandbox::{
        Sandbox,
        world::ecs::{Breaker, Outcome, Program, ServiceFixture},
    },
};

use super::services::{because, fault, run_while, running};
use crate::support::stage::{Stage, caller};

/// Services of the cluster `main` at revision 3 with so many tasks.
pub(super) fn stage(breaker: Breaker, services: &[(&str, u32)]) -> Stage {
    let stage = Stage::new(Protection::TypeName, &[]);
    for (name, desired) in services {
        let fixture = ServiceFixture {
            cluster: "main".into(),
            name: (*name).into(),
            family: (*name).into(),
            image: format!("{name}:1"),
            revision: 3,
            program: Program::default(),
            desired: *desired,
            breaker,
            tags: BTreeMap::new(),
        };
        stage.sandbox.with(|world, now| world.ecs.settle(now, &caller(), &fixture));
    }
    stage
}

/// A deployment of the next revision, whose tasks go on like this.
pub(super) fn deploy(sandbox: &Sandbox, service: &str, revision: u32, outcome: Outcome) {
    let program = Program { outcome, ..Program::default() };
    sandbox.with(|world, now| {
        world.advance(now);
        let definition = world.ecs.define(&caller(), service, &format!("{service}:{revision}"), revision, program);
        world.ecs.deploy(now, &caller(), "main", service, &definition);
    });
}

/// Task definitions of every deployment that a service ever had, the newest first.
pub(super) fn deployed(stage: &Stage, service: &str) -> Vec<String> {
    let clock = stage.sandbox.clock();
    stage.sandbox.with(|world, _| {
        world.advance(clock.now());
        world.ecs.view(&caller(), "main", service).expect("there").deployed
    })
}

fn restart(services: &[&str]) -> Operation {
    let service = services.iter().map(|name| (*name).to_owned()).collect();
    Operation::Restart(Restart { service, timeout: Seconds(120) })
}

/// Before anything, and after one restart.
const BEFORE: [&str; 2] = ["api:3", "api:2"];
const ONCE: [&str; 3] = ["api:3", "api:3", "api:2"];

fn words(report: &Report) -> String {
    report.services().iter().map(run::Ended::words).collect::<Vec<_>>().join("; ")
}

#[tokio::test(start_paused = true)]
async fn every_task_is_replaced_by_a_new_one_of_the_same_revision() {
    let mut stage = stage(Breaker::RollsBack, &[("api", 3), ("worker", 1), ("asleep", 0)]);
    let operation = restart(&["api", "main/worker", "api", "asleep"]);
    let plan = stage.plan(&operation).await.expect("a plan").plan;
    let text = format!("{:#?}", plan.facts);
    for said in [
        "3 tasks of api:3",
        "3 to 6 tasks run (minimum healthy 100 %, maximum 200 %)",
        "rolls a deployment back",
        "main/asleep: at zero",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let report = stage.run(&operation).await;
    assert_eq!(
        (report.end, running(&stage, "api"), running(&stage, "worker")),
        (End::Done, (3, 3), (1, 1)),
        "{report:#?}"
    );
    assert_eq!((deployed(&stage, "api"), deployed(&stage, "asleep").len()), (ONCE.map(str::to_owned).to_vec(), 2));
    assert!(words(&report).contains("main/api: restarted, 3 tasks, after "), "{}", words(&report));
    let asleep = stage.plan(&restart(&["asleep"])).await.expect("a plan").plan;
    assert!(asleep.empty && asleep.calls.iter().all(|call| call.action != "ecs:UpdateService"), "{asleep:#?}");
    let unknown = stage.plan(&restart(&["apy"])).await.expect_err("no service");
    assert!(unknown.hint(&stage.environment).as_str().contains("did you mean api"), "{unknown}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_for_and_there_is_one_deployment() {
    for (kind, times) in
        [("lost-after", 1), ("lost-after", 3), ("lost-before", 1), ("lost-before", 2), ("throttled", 6)]
    {
        let mut stage = stage(Breaker::Off, &[("api", 2)]);
        stage.fault(fault(kind, times));
        let report = stage.run(&restart(&["api"])).await;
        assert_eq!((report.end, running(&stage, "api")), (End::Done, (2, 2)), "{kind} x{times}: {report:#?}");
        assert_eq!(deployed(&stage, "api"), ONCE, "{kind} x{times}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_again_and_again_is_no_success_and_a_resume_converges() {
    let mut stage = stage(Breaker::Off, &[("api", 2)]);
    stage.fault(fault("lost-before", 4));
    let report = stage.run(&restart(&["api"])).await;
    assert_eq!((report.end, deployed(&stage, "api").len()), (End::Failed, BEFORE.len()), "{report:#?}");
    assert!(words(&report).contains("may or may not have begun"), "{}", words(&report));
    let report = stage.resume().await;
    assert_eq!((report.end, deployed(&stage, "api")), (End::Done, ONCE.map(str::to_owned).to_vec()), "{report:#?}");
    let report = stage.resume().await;
    assert_eq!(
        (report.end, deployed(&stage, "api").len()),
        (End::Done, 3),
        "a resume of what is done asks for nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn a_denied_restart_names_the_permission_and_begins_nothing() {
    let mut stage = stage(Breaker::Off, &[("api", 2)]);
    stage.fault(fault("denied", 9));
    let report = stage.run(&restart(&["api"])).await;
    assert_eq!((report.end, deployed(&stage, "api").len()), (End::Failed, 2), "{report:#?}");
    assert!(because(&report).contains("allow ecs:UpdateService on "), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_deploys_meanwhile_is_theirs() {
    let mut stale = stage(Breaker::Off, &[("api", 2)]);
    let planned = stale.plan(&restart(&["api"])).await.expect("a plan");
    deploy(&stale.sandbox, "api", 4, Outcome::Serves);
    let approved = stale.approve(planned.plan).expect("approval");
    let context = stale.context().await;
    let report = run::execute(approved, &context).await;
    assert_eq!((report.end, deployed(&stale, "api").len()), (End::Stale, 3), "{report:#?}");
    let mut during = stage(Breaker::Off, &[("api", 2)]);
    let deploys = |sandbox: &Sandbox| deploy(sandbox, "api", 4, Outcome::Serves);
    let report = run_while(&mut during, &restart(&["api"]), 6, deploys).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(because(&report).contains("somebody deployed api:4 meanwhile"), "{report:#?}");
    let mut again = stage(Breaker::Off, &[("api", 2)]);
    let restarts =
        |sandbox: &Sandbox| sandbox.with(|world, now| world.ecs.deploy(now, &caller(), "main", "api", "api:3"));
    let report = run_while(&mut again, &restart(&["api"]), 6, restarts).await;
    assert_eq!(report.end, End::Done, "all tasks are new: {report:#?}");
    assert!(words(&report).contains("took the place of the one that was made"), "{}", words(&report));
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_is_under_way_is_waited_for_unless_it_gets_nowhere() {
    let mut stage = stage(Breaker::Off, &[("api", 2)]);
    deploy(&stage.sandbox, "api", 4, Outcome::Serves);
    stage.sandbox.clock().sleep(Duration::from_secs(3)).await;
    let plan = stage.plan(&restart(&["api"])).await.expect("a plan").plan;
    assert!(plan.blockers[0].as_str().contains("a deployment of api:4 is under way"), "{plan:#?}");
    deploy(&stage.sandbox, "api", 5, Outcome::CannotPull);
    stage.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let plan = stage.plan(&restart(&["api"])).await.expect("a plan").plan;
    assert!(plan.blockers.is_empty() && plan.warnings[0].as_str().contains("gets nowhere"), "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_crashes_again_and_again_ends_with_why() {
    for (outcome, how, why) in [
        (
            Outcome::Exits { after_seconds: 3, code: 137 },
            "its tasks do not stay up",
            "Essential container in task exited (api: exit code 137)",
        ),
        (Outcome::CannotInitialize, "not done after 120 s", "ResourceInitializationError"),
    ] {
        let mut stage = stage(Breaker::Off, &[("api", 1)]);
        deploy(&stage.sandbox, "api", 4, outcome);
        stage.sandbox.clock().sleep(Duration::from_secs(60)).await;
        let report = stage.run(&restart(&["api"])).await;
        assert_eq!(report.end, End::Partly, "{report:#?}");
        let because = because(&report);
        assert!(because.contains(how) && because.contains(why), "{because}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_fails_ends_the_run_and_its_tasks_say_why() {
    let mut stage = stage(Breaker::RollsBack, &[("api", 2)]);
    // Its image was deleted since its tasks began.
    stage.sandbox.with(|world, _| world.ecs.break_revision(&caller(), "api:3", Outcome::CannotPull));
    let report = stage.run(&restart(&["api"])).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    let because = because(&report);
    assert!(because.contains("failed: ECS deployment circuit breaker: tasks failed to start"), "{because}");
    assert!(because.contains("ECS rolls back to api:3") && because.contains("CannotPullContainerError"), "{because}");
    assert!(report.next.as_ref().is_some_and(|next| next.as_str().contains("tasks --service main/api")), "{report:#?}");
    assert_eq!(running(&stage, "api").1, 2, "the old tasks serve on");
}

#[tokio::test(start_paused = true)]
async fn what_leaves_no_room_or_is_down_meanwhile_is_said_before() {
    let mut stage = stage(Breaker::Off, &[("api", 1)]);
    let mut plan = async |min: u32, max: u32| {
        stage.sandbox.with(|world, _| world.ecs.set_percents(&caller(), "main", "api", (min, max)));
        stage.plan(&restart(&["api"])).await.expect("a plan").plan
    };
    let down = plan(0, 100).await;
    assert!(down.warnings.iter().any(|warning| warning.as_str().contains("all of its tasks may stop")), "{down:#?}");
    let stuck = plan(100, 100).await;
    assert!(stuck.blockers[0].as_str().contains("leave ECS no room"), "{stuck:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_is_cut_short_is_gone_on_with_and_asks_for_nothing_again() {
    let mut stage = stage(Breaker::Off, &[("api", 2)]);
    let full = stage.sandbox.clock().now() + SignedDuration::from_secs(150);
    stage.sandbox.with(|world, _| world.ecs.fill_until(&caller(), "main", full));
    let report = stage.run(&restart(&["api"])).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(report.next.as_ref().is_some_and(|next| next.as_str().contains("restart --resume")), "{report:#?}");
    let report = stage.resume().await;
    assert_eq!((report.end, deployed(&stage, "api")), (End::Done, ONCE.map(str::to_owned).to_vec()), "{report:#?}");
}
