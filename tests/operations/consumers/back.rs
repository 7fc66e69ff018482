//! The way back: whatever comes between, nobody stays paused unsaid.

use super::*;

/// As reads that lag show it: as it was before, until it is down.
fn show_as_it_was(stage: &Stage, id: &str) {
    stage.sandbox.with(|world, now| {
        world.lambda.mapping(now, ACCOUNT, REGION, id).expect("there").state = State::Enabled;
    });
}

/// Waits for something of the world, in little steps.
async fn until(stage: &Stage, mut is_so: impl FnMut() -> bool) {
    let clock = stage.sandbox.clock();
    for _ in 0..10_000 {
        if is_so() {
            return;
        }
        clock.sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came");
}

#[tokio::test(start_paused = true)]
async fn a_stop_right_after_the_call_forgets_nobody_who_goes_down() {
    for is_service in [false, true] {
        let mut stage = stage(Protection::Confirm, 4);
        let id = if is_service {
            worker(&stage, 3);
            String::new()
        } else {
            mapping(&stage, "orders", State::Enabled)
        };
        let context = stage.context().await;
        let planned = stage.plan(&redrive()).await.expect("a plan");
        let approved = stage.approve(planned.plan).expect("approval");
        let stopped = async {
            if is_service {
                until(&stage, || tasks(&stage).0 == 0).await;
            } else {
                until(&stage, || state(&stage, &id) == State::Disabling).await;
                show_as_it_was(&stage, &id);
            }
            stage.cancel.cancel();
        };
        let (report, ()) = tokio::join!(opsctl::run::execute(approved, &context), stopped);
        assert_eq!(report.end, End::Interrupted, "{report:#?}");
        stage.sandbox.clock().sleep(Duration::from_secs(60)).await;
        if is_service {
            assert_eq!(tasks(&stage), (3, 3), "{report:#?}");
        } else {
            assert_eq!(state(&stage, &id), State::Enabled, "{report:#?}");
        }
        assert_eq!(remembered(&stage), []);
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_paused_a_moment_ago_is_not_taken_for_awake() {
    let mut stage = stage(Protection::Confirm, 0);
    let id = mapping(&stage, "orders", State::Enabled);
    let context = stage.context().await;
    let planned = stage.plan(&pause()).await.expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    tokio::select! {
        report = opsctl::run::execute(approved, &context) => panic!("it was to be killed: {report:#?}"),
        () = until(&stage, || state(&stage, &id) == State::Disabling) => {}
    }
    show_as_it_was(&stage, &id);
    let report = stage.run(&resume()).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    stage.sandbox.clock().sleep(Duration::from_secs(60)).await;
    assert_eq!((state(&stage, &id), remembered(&stage)), (State::Enabled, vec![]), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_not_shown_is_not_taken_for_gone() {
    let mut stage = stage(Protection::Confirm, 0);
    worker(&stage, 3);
    let other = ServiceFixture {
        cluster: "other".into(),
        name: "api".into(),
        family: "api".into(),
        image: "api:1".into(),
        revision: 1,
        program: Program::default(),
        desired: 1,
        breaker: Breaker::Off,
        tags: BTreeMap::new(),
    };
    stage.sandbox.with(|world, now| world.ecs.settle(now, &caller(), &other));
    let is_blocked = |plan: &opsctl::operations::plan::Plan| {
        plan.blockers.iter().any(|text| text.as_str().contains("may be a consumer"))
    };
    // The first is the worker's.
    fault(&stage, "ListServices", "denied", 1);
    let planned = stage.plan(&pause()).await.expect("a plan").plan;
    assert!(is_blocked(&planned), "{planned:#?}");
    assert_eq!(stage.run(&pause()).await.end, End::Done);
    fault(&stage, "DescribeServices", "denied", 1);
    let planned = stage.plan(&resume()).await.expect("a plan").plan;
    assert!(is_blocked(&planned), "{planned:#?}");
    fault(&stage, "ListServices", "denied", 1);
    let report = stage.run(&resume()).await;
    assert_eq!((report.end, tasks(&stage), remembered(&stage)), (End::Done, (3, 3), vec![]), "{report:#?}");
}

fn slowly() -> Operation {
    match redrive() {
        Operation::Redrive(redrive) => Operation::Redrive(Redrive { rate: Some(20), ..redrive }),
        other => other,
    }
}

/// A redrive that was killed while messages were moved; the mapping that it had paused.
async fn killed() -> (Stage, String) {
    let mut stage = stage(Protection::Confirm, 400);
    let id = mapping(&stage, "orders", State::Enabled);
    let (clock, slowly) = (stage.sandbox.clock(), slowly());
    tokio::select! {
        report = stage.run(&slowly) => panic!("it was to be killed: {report:#?}"),
        () = clock.sleep(Duration::from_secs(20)) => {}
    }
    released(&stage).await;
    (stage, id)
}

const BACK: &str = "opsctl consumers resume --queue orders --env dev";

#[tokio::test(start_paused = true)]
async fn a_resumed_run_that_does_not_begin_says_who_is_paused() {
    let (mut stage, id) = killed().await;
    fault(&stage, "ListEventSourceMappings", "denied", 1);
    let report = stage.resume().await;
    assert_eq!(report.end, End::Stale, "{report:#?}");
    assert!(report.notes[0].as_str().starts_with("CONSUMERS ARE STILL PAUSED"), "{report:#?}");
    assert_eq!(report.next.as_ref().map(|next| next.as_str()), Some(BACK));
    assert_eq!(report.still_paused, [opsctl::domain::Text::line(&format!("mapping {id}"))]);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_paused_meanwhile_is_not_the_runs() {
    let (mut stage, id) = killed().await;
    let left = stage.count("orders-dlq");
    // A colleague resumed it, and paused it again by hand.
    let consumer = ConsumerId::Mapping(MappingId(id.clone()));
    let account = AccountId(ACCOUNT.into());
    Paused::change(&stage.folder(), &account, REGION, |paused| paused.forget(&consumer)).expect("written");
    let report = stage.resume().await;
    assert_eq!((report.end, state(&stage, &id)), (End::Stale, State::Disabled), "{report:#?}");
    assert_eq!(stage.count("orders-dlq"), left);
}

#[tokio::test(start_paused = true)]
async fn whatever_came_of_the_run_the_way_on_is_to_bring_consumers_back() {
    for is_stopped in [true, false] {
        let mut stage = stage(Protection::Confirm, 400);
        let id = mapping(&stage, "orders", State::Enabled);
        let deny = serde_json::json!({ "call": "UpdateEventSourceMapping", "kind": "denied", "nth": 2, "times": 99 });
        stage.fault(serde_json::from_value(deny).expect("a fault"));
        if !is_stopped {
            fault(&stage, "SendMessage*", "denied", 1_000);
        }
        let (cancel, clock, slowly) = (stage.cancel.clone(), stage.sandbox.clock(), slowly());
        let (report, ()) = tokio::join!(stage.run(&slowly), async {
            clock.sleep(Duration::from_secs(16)).await;
            if is_stopped {
                cancel.cancel();
            }
        });
        assert_eq!(report.end, if is_stopped { End::Interrupted } else { End::Partly }, "{report:#?}");
        assert_eq!(report.next.as_ref().map(|next| next.as_str()), Some(BACK), "{report:#?}");
        assert_eq!(report.still_paused, [opsctl::domain::Text::line(&format!("mapping {id}"))]);
        assert_eq!(state(&stage, &id), State::Disabled);
    }
}

#[tokio::test(start_paused = true)]
async fn mappings_and_services_are_told_of_together() {
    let mut stage = stage(Protection::Confirm, 0);
    mapping(&stage, "orders", State::Enabled);
    worker(&stage, 3);
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = std::sync::Arc::clone(&told);
    let mut context = stage.context().await;
    context.progress = std::sync::Arc::new(move |progress| {
        let task = progress.task.as_ref().map(ToString::to_string).unwrap_or_default();
        sink.lock().expect("not poisoned").push((progress.doing.counts(), progress.estimate, task));
    });
    let planned = stage.plan(&pause()).await.expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    assert_eq!(opsctl::run::execute(approved, &context).await.end, End::Done);
    let told = told.lock().expect("not poisoned");
    assert!(told.iter().all(|(what, all, _)| (*what, *all) == (opsctl::operations::Counts::Consumers, 2)), "{told:?}");
    assert!(told.iter().any(|(_, _, task)| task.contains("still takes messages; stage 1 of 1")), "{told:?}");
}
