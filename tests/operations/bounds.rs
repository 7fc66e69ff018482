//! Moving autoscaling's bounds with a count, and putting both back.

use opsctl::{
    domain::{Protection, Text},
    operations::{Operation, Scale, values::Seconds},
    run::{self, End},
    sandbox::world::{
        Fault,
        autoscaling::{Activity, Suspended, Target},
    },
};

use super::services::{because, running, stage};
use crate::support::stage::{Stage, caller};

const TARGET: &str = "service/main/api";

fn scale(to: Option<u32>, move_bounds: bool) -> Operation {
    let (service, restore) = ("api".to_owned(), to.is_none());
    Operation::Scale(Scale { service, to, move_bounds, restore, timeout: Seconds(60) })
}

/// Four tasks, which autoscaling keeps between 2 and 6.
fn scaled() -> Stage {
    let stage = stage(Protection::Confirm, &[("api", 4)], &[&["api"]]);
    put(&stage, 2, 6);
    stage
}

fn put(stage: &Stage, min: u32, max: u32) {
    stage.sandbox.with(|world, now| {
        let target = Target { min, max, suspended: Suspended::default(), created_at: now, actions: Vec::new() };
        world.autoscaling.put(&caller(), TARGET, target);
    });
}

async fn bounds(stage: &Stage) -> (u32, u32) {
    let all = stage.cloud().await.autoscaling.services().await.expect("described");
    let scaling = all.values().next().expect("one target");
    (scaling.min, scaling.max)
}

fn fault(call: &str, kind: &str, times: u64) -> Fault {
    serde_json::from_value(serde_json::json!({ "call": call, "kind": kind, "times": times })).expect("a fault")
}

#[tokio::test(start_paused = true)]
async fn a_count_that_the_bounds_do_not_hold_is_refused_unless_they_are_moved() {
    let mut stage = scaled();
    for (to, said) in
        [(9, "9 is more than autoscaling's maximum of 6"), (1, "1 is less than autoscaling's minimum of 2")]
    {
        let plan = stage.plan(&scale(Some(to), false)).await.expect("a plan").plan;
        let blocker = plan.blockers.first().expect("a blocker").as_str();
        assert!(blocker.contains(said) && blocker.contains("--move-bounds"), "{blocker}");
        let plan = stage.plan(&scale(Some(to), true)).await.expect("a plan").plan;
        assert!(plan.blockers.is_empty(), "{plan:#?}");
    }
    let within = stage.plan(&scale(Some(5), true)).await.expect("a plan").plan;
    assert!(within.calls.iter().all(|call| !call.action.contains("RegisterScalableTarget")), "{within:#?}");
    let said = |words: &str| within.warnings.iter().any(|warning| warning.as_str().contains(words));
    assert!(said("autoscaling may change the count again, within 2 to 6"), "{within:#?}");
}

#[tokio::test(start_paused = true)]
async fn bounds_and_count_go_up_and_come_back() {
    for (to, moved) in [(9, (2, 9)), (1, (1, 6)), (0, (0, 6))] {
        let mut stage = scaled();
        let report = stage.run(&scale(Some(to), true)).await;
        assert_eq!((report.end, running(&stage, "api")), (End::Done, (to, to as usize)), "{report:#?}");
        assert_eq!(bounds(&stage).await, moved);
        let report = stage.run(&scale(None, false)).await;
        assert_eq!(
            (report.end, running(&stage, "api"), bounds(&stage).await),
            (End::Done, (4, 4), (2, 6)),
            "{report:#?}"
        );
        is_nothing_to_do(&mut stage).await;
    }
}

/// What was put back is forgotten.
async fn is_nothing_to_do(stage: &mut Stage) {
    let plan = stage.plan(&scale(None, false)).await.expect("a plan").plan;
    assert!(plan.empty && plan.blockers.is_empty() && plan.calls.is_empty(), "{plan:#?}");
    let warning = plan.warnings[0].as_str();
    assert!(warning.starts_with("nothing to do: opsctl remembers no count of main/api"), "{warning}");
}

#[tokio::test(start_paused = true)]
async fn a_count_that_the_bounds_hold_comes_back_too_with_or_without_autoscaling() {
    for autoscaling in [Some((2, 6)), None] {
        let mut stage = stage(Protection::Confirm, &[("api", 4)], &[&["api"]]);
        autoscaling.into_iter().for_each(|(min, max)| put(&stage, min, max));
        is_nothing_to_do(&mut stage).await;
        let plan = stage.plan(&scale(Some(5), true)).await.expect("a plan").plan;
        let is_remembered = |change: &Text| change.as_str().contains("the count of 4 is remembered");
        assert!(plan.changes.iter().any(is_remembered), "{plan:#?}");
        assert!(stage.plan(&scale(Some(4), true)).await.expect("a plan").plan.empty, "nothing is changed");
        for to in [5, 6] {
            let report = stage.run(&scale(Some(to), true)).await;
            assert_eq!((report.end, running(&stage, "api").0), (End::Done, to), "{report:#?}");
        }
        let report = stage.run(&scale(None, false)).await;
        assert_eq!((report.end, running(&stage, "api")), (End::Done, (4, 4)), "{autoscaling:?}: {report:#?}");
        is_nothing_to_do(&mut stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_sleeps_and_of_which_nothing_is_remembered_is_left() {
    let mut stage = stage(Protection::TypeName, &[("api", 0)], &[]);
    is_nothing_to_do(&mut stage).await;
}

#[tokio::test(start_paused = true)]
async fn moved_twice_they_come_back_to_what_was_before_the_first_time() {
    let mut stage = scaled();
    for to in [8, 12] {
        assert_eq!(stage.run(&scale(Some(to), true)).await.end, End::Done);
    }
    assert_eq!(bounds(&stage).await, (2, 12));
    let report = stage.run(&scale(None, false)).await;
    assert_eq!((report.end, running(&stage, "api"), bounds(&stage).await), (End::Done, (4, 4), (2, 6)), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn bounds_that_somebody_else_has_set_since_are_left() {
    let mut stage = scaled();
    assert_eq!(stage.run(&scale(Some(9), true)).await.end, End::Done);
    put(&stage, 3, 20);
    let plan = stage.plan(&scale(None, false)).await.expect("a plan").plan;
    assert!(
        plan.warnings.iter().any(|warning| warning.as_str().contains("somebody moved the bounds since")),
        "{plan:#?}"
    );
    let report = stage.run(&scale(None, false)).await;
    assert_eq!((report.end, running(&stage, "api"), bounds(&stage).await), (End::Done, (4, 4), (3, 20)), "{report:#?}");
    is_nothing_to_do(&mut stage).await;
}

#[tokio::test(start_paused = true)]
async fn lost_throttled_and_denied_calls() {
    const CALL: &str = "RegisterScalableTarget";
    for (kind, times) in [("lost-after", 1), ("lost-before", 2), ("throttled", 3)] {
        let mut stage = scaled();
        stage.fault(fault(CALL, kind, times));
        let report = stage.run(&scale(Some(9), true)).await;
        assert_eq!(
            (report.end, running(&stage, "api"), bounds(&stage).await),
            (End::Done, (9, 9), (2, 9)),
            "{kind}: {report:#?}"
        );
    }
    let mut stage = scaled();
    stage.fault(fault(CALL, "denied", 9));
    let report = stage.run(&scale(Some(9), true)).await;
    assert_eq!(
        (report.end, running(&stage, "api"), bounds(&stage).await),
        (End::Failed, (4, 4), (2, 6)),
        "{report:#?}"
    );
    assert!(because(&report).contains("allow application-autoscaling:RegisterScalableTarget on "), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_moved_the_bounds_and_was_cut_short_goes_on() {
    let mut stage = scaled();
    stage.fault(fault("UpdateService", "denied", 1));
    let report = stage.run(&scale(Some(9), true)).await;
    assert_ne!(report.end, End::Done, "{report:#?}");
    assert_eq!((running(&stage, "api").0, bounds(&stage).await), (4, (2, 9)), "{report:#?}");
    let report = stage.resume().await;
    assert_eq!((report.end, running(&stage, "api")), (End::Done, (9, 9)), "{report:#?}");
    let report = stage.run(&scale(None, false)).await;
    assert_eq!((report.end, running(&stage, "api"), bounds(&stage).await), (End::Done, (4, 4), (2, 6)), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_stale_when_somebody_moved_the_bounds() {
    let mut stage = scaled();
    let planned = stage.plan(&scale(Some(9), true)).await.expect("a plan");
    put(&stage, 2, 8);
    let approved = stage.approve(planned.plan).expect("approval");
    let context = stage.context().await;
    let report = run::execute(approved, &context).await;
    assert_eq!((report.end, running(&stage, "api").0, bounds(&stage).await), (End::Stale, 4, (2, 8)), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_autoscaling_is_at_is_said_before() {
    let mut stage = scaled();
    let activity = |status, count| Activity {
        resource: TARGET.to_owned(),
        description: format!("Setting desired count to {count}."),
        cause: "monitor alarm cpu-high in state ALARM".to_owned(),
        at: stage.sandbox.clock().now(),
        status,
    };
    let [over, open] = [activity("Successful", 4), activity("InProgress", 5)];
    stage.sandbox.with(|world, _| [over, open].into_iter().for_each(|one| world.autoscaling.note(&caller(), one)));
    let plan = stage.plan(&scale(Some(3), false)).await.expect("a plan").plan;
    let at_work: Vec<&str> =
        plan.warnings.iter().map(|one| one.as_str()).filter(|one| one.contains("at work")).collect();
    assert_eq!(
        at_work,
        ["main/api: autoscaling is at work: Setting desired count to 5. (monitor alarm cpu-high in state ALARM)"]
    );
}
