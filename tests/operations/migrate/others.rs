//! One migration at a time.

use super::*;

/// Starts a task as somebody else does.
fn start_by_hand(stage: &Stage, family: &str, started_by: Option<&str>) {
    in_world(stage, |world, now| {
        let mut request = serde_json::json!({
            "cluster": CLUSTER, "taskDefinition": family,
            "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-1"] } },
        });
        if let Some(mark) = started_by {
            request["startedBy"] = mark.into();
        }
        world.ask(now, &caller(), ("ecs", "RunTask"), request).expect("started");
    });
}

#[tokio::test(start_paused = true)]
async fn a_second_migration_is_refused_whoever_started_the_first() {
    for (family, mark) in [(FAMILY, None), ("other-migration", Some("opsctl-migrate/dev"))] {
        let mut stage = stage();
        in_world(&stage, |world, _| world.ecs.define(&caller(), "other-migration", "x:1", 1, exits(100, 0)));
        start_by_hand(&stage, family, mark);
        let plan = stage.plan(&migrate()).await.expect("a plan").plan;
        assert!(words(&plan.blockers).contains("another migration runs"), "{:?}", plan.blockers);
        assert!(stage.approve(plan).is_err());
        // Once it is over, the way is free.
        pass(&stage, 200).await;
        assert_eq!(stage.run(&migrate()).await.end, End::Done);
    }
    // Another environment's mark is not in the way.
    let mut stage = stage();
    in_world(&stage, |world, _| world.ecs.define(&caller(), "other-migration", "x:1", 1, exits(100, 0)));
    start_by_hand(&stage, "other-migration", Some("opsctl-migrate/staging"));
    assert_eq!(stage.run(&migrate()).await.end, End::Done);
}

#[tokio::test(start_paused = true)]
async fn one_that_began_after_the_plan_is_seen_right_before_the_start() {
    let mut stage = stage();
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    start_by_hand(&stage, FAMILY, None);
    let context = stage.context().await;
    let report = run::execute(approved, &context).await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Refused, 1), "{report:#?}");
    assert!(what(&report).contains("another migration runs"), "{}", what(&report));
}

#[tokio::test(start_paused = true)]
async fn two_at_once_on_one_machine_are_one() {
    let mut stage = stage();
    let mut approved = Vec::new();
    for _ in 0..2 {
        let plan = stage.plan(&migrate()).await.expect("a plan").plan;
        approved.push(stage.approve(plan).expect("approval"));
    }
    let (one, two) = (stage.context().await, stage.context().await);
    let second = approved.pop().expect("two");
    let (first, second) = tokio::join!(run::execute(approved.pop().expect("two"), &one), run::execute(second, &two));
    let mut ends = [first.end, second.end];
    ends.sort_by_key(|end| end.into_str());
    assert_eq!((ends, tasks(&stage).len()), ([End::Done, End::Refused], 1), "{first:#?} {second:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_told_to_stop_and_still_runs_is_in_the_way() {
    let mut stage = stage_of(exits(600, 0), |_| ());
    start_by_hand(&stage, FAMILY, None);
    pass(&stage, 60).await;
    let arn = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/{}", tasks(&stage)[0]);
    let arn = opsctl::domain::service::TaskArn(arn);
    stage.cloud().await.ecs.stop_task(CLUSTER, &arn, "enough").await.expect("told");
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    assert!(words(&plan.blockers).contains("another migration runs"), "{:?}", plan.blockers);
    pass(&stage, 200).await;
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    assert!(plan.blockers.is_empty(), "{:?}", plan.blockers);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_listed_and_not_shown_is_in_the_way() {
    let mut stage = stage();
    start_by_hand(&stage, FAMILY, None);
    in_world(&stage, |world, _| world.ecs.hide_tasks(&caller(), CLUSTER, Some(0..1_000)));
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    assert!(words(&plan.blockers).contains("lists and does not show"), "{:?}", plan.blockers);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_run_does_not_take_its_own_task_for_another_s() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"RunTask","times":1,"kind":{"slow":600}}"#);
    crash_after(&mut stage, 5.0).await;
    in_world(&stage, |world, _| world.ecs.hide_tasks(&caller(), CLUSTER, Some(0..100_000)));
    let report = stage.resume().await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Partly, 1), "{report:#?}");
    assert!(what(&report).contains("not known whether the task was started"), "{}", what(&report));
    in_world(&stage, |world, _| world.ecs.hide_tasks(&caller(), CLUSTER, None));
    let report = stage.resume().await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_began_at_the_same_moment_elsewhere_is_told() {
    let mut stage = stage();
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    fault(&stage, r#"{"call":"RunTask","times":1,"kind":"throttled"}"#);
    let context = stage.context().await;
    let clock = stage.sandbox.clock();
    let (report, ()) = tokio::join!(run::execute(approved, &context), async {
        clock.sleep(Duration::from_millis(500)).await;
        start_by_hand(&stage, FAMILY, None);
    });
    assert_eq!((report.end, tasks(&stage).len()), (End::Done, 2), "{report:#?}");
    assert!(words(&report.notes).contains("another migration runs at the same time"), "{:?}", report.notes);
}

/// A migration of the application's own task definition: the service's tasks are of its family, and no migrations.
#[tokio::test(start_paused = true)]
async fn tasks_of_the_application_s_own_service_are_no_migrations() {
    let own = |stage: &mut Stage| {
        let migration = &mut stage.environment.services.migrations[0];
        migration.task_definition = "wallet".into();
    };
    let command = |migrate: &mut Migrate| migrate.command = Some("status".to_owned());
    for service_tasks in [1, 3] {
        let mut stage = stage();
        own(&mut stage);
        in_world(&stage, |world, now| {
            let request = serde_json::json!({ "cluster": CLUSTER, "service": "wallet", "desiredCount": service_tasks });
            world.ask(now, &caller(), ("ecs", "UpdateService"), request).expect("scaled");
            world.ecs.define(&caller(), "wallet", "wallet:2", 2, exits(20, 0));
        });
        pass(&stage, 60).await;
        let plan = stage.plan(&migrate_with(command)).await.expect("a plan").plan;
        assert!(plan.blockers.is_empty(), "{:?}", plan.blockers);
        let report = stage.run(&migrate_with(command)).await;
        assert_eq!(report.end, End::Done, "{report:#?}");
        // One that somebody started by hand by the same definition still is one.
        start_by_hand(&stage, "wallet", None);
        let plan = stage.plan(&migrate_with(command)).await.expect("a plan").plan;
        assert!(words(&plan.blockers).contains("another migration runs"), "{:?}", plan.blockers);
    }
}
