//! SQS's own move task: lost answers, cancel, failure.

use std::sync::Arc;

use opsctl::{
    domain::Protection,
    journal::StateFolder,
    observe::{Scope, Wanted, leaving, once},
    operations::{Operation, Redrive, values::EngineChoice},
    run::{self, End},
    sandbox::world::{Fault, PutMessage},
};

use super::{orders, redrive};
use crate::support::stage::{Stage, caller};

fn managed(change: impl FnOnce(&mut Redrive)) -> Operation {
    redrive(|redrive| {
        redrive.engine = EngineChoice::Managed;
        change(redrive);
    })
}

fn fault(text: &str) -> Fault {
    serde_json::from_str(text).expect("a fault")
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_start_was_not_answered_is_found_and_followed() {
    let mut stage = Stage::new(Protection::Confirm, &orders(50));
    stage.fault(fault(r#"{"call":"StartMessageMoveTask","kind":"lost-after"}"#));
    let report = stage.run(&managed(|_| ())).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!((stage.count("orders"), stage.count("orders-dlq"), report.details.tally().moved), (50, 0, 50));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_never_arrived_is_not_repeated() {
    let mut stage = Stage::new(Protection::Confirm, &orders(50));
    stage.fault(fault(r#"{"call":"StartMessageMoveTask","kind":"lost-before"}"#));
    let report = stage.run(&managed(|_| ())).await;
    assert_eq!(report.end, End::Failed, "{report:#?}");
    assert_eq!(stage.count("orders-dlq"), 50);
    assert!(report.failure.expect("a failure").what.as_str().contains("was lost"));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_never_arrived_is_made_by_the_resume() {
    let mut stage = Stage::new(Protection::Confirm, &orders(50));
    stage.fault(fault(r#"{"call":"StartMessageMoveTask","kind":"lost-before"}"#));
    assert_eq!(stage.run(&managed(|_| ())).await.end, End::Failed);
    let report = stage.resume().await;
    assert_eq!((report.end, report.details.tally().moved), (End::Done, 50), "{report:#?}");
    assert_eq!((stage.count("orders"), stage.count("orders-dlq")), (50, 0));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_waits_until_sqs_has_stopped() {
    let mut stage = Stage::new(Protection::Confirm, &orders(500));
    let planned = stage.plan(&managed(|redrive| redrive.rate = Some(10))).await.expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    let mut context = stage.context().await;
    let cancel = stage.cancel.clone();
    context.progress = Arc::new(move |progress| {
        if progress.doing.tally().is_some_and(|tally| tally.moved >= 20) {
            cancel.cancel();
        }
    });
    let report = run::execute(approved, &context).await;
    assert_eq!(report.end, End::Interrupted, "{report:#?}");
    let moved = stage.count("orders");
    assert!((20..200).contains(&moved) && report.details.tally().moved as usize == moved, "{moved} {report:#?}");
    assert_eq!(stage.count("orders-dlq"), 500 - moved);
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_is_taken_up_and_follows_its_task_to_the_end() {
    let mut stage = Stage::new(Protection::Confirm, &orders(200));
    let planned = stage.plan(&managed(|redrive| redrive.rate = Some(10))).await.expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    let context = stage.context().await;
    let running = tokio::spawn(async move { run::execute(approved, &context).await });
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(5)).await;
    running.abort();
    assert!(running.await.expect_err("aborted").is_cancelled());
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(1)).await;
    assert!(stage.count("orders") < 100, "it was killed half way");
    let report = stage.resume().await;
    assert_eq!((report.end, report.details.tally().moved), (End::Done, 200), "{report:#?}");
    assert_eq!((stage.count("orders"), stage.count("orders-dlq")), (200, 0));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_somebody_else_started_is_not_taken_for_ours() {
    let mut stage = Stage::new(Protection::Confirm, &orders(50));
    let planned = stage.plan(&managed(|_| ())).await.expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    // Between the plan and the run a colleague starts one, slowly.
    let cloud = stage.cloud().await;
    let arn = opsctl::domain::QueueArn(crate::support::stage::arn("orders-dlq"));
    let theirs = cloud.sqs.start_move_task(&arn, None, Some(1)).await.expect("a task");
    let context = stage.context().await;
    let report = run::execute(approved, &context).await;
    assert_eq!(report.end, End::Failed, "{report:#?}");
    assert_eq!(report.details.tally().moved, 0);
    cloud.sqs.cancel_move_task(&theirs).await.expect("theirs still runs");
}

/// The move task that somebody else runs on `orders-dlq`, as far as journals in `state` tell.
async fn elsewhere(stage: &Stage, state: &StateFolder) -> Option<String> {
    let cloud = stage.cloud().await;
    let wanted = Wanted { queues: Some(Scope::Configured), runs: Some(state), ..Wanted::default() };
    let seen = once(&cloud, &wanted).await.snapshot;
    let dlq = seen.queues.iter().find(|seen| seen.name.as_str() == "orders-dlq").expect("a DLQ");
    let task = dlq.leaving.as_ref().expect("looked at").task.as_ref();
    task.map(leaving::in_words)
}

#[tokio::test(start_paused = true)]
async fn a_task_is_somebody_elses_only_where_no_journal_here_has_started_it() {
    let nobody = tempfile::tempdir().expect("a folder");
    for fault_of_start in [None, Some(r#"{"call":"StartMessageMoveTask","kind":"lost-after"}"#)] {
        let mut stage = Stage::new(Protection::Confirm, &orders(200));
        fault_of_start.into_iter().for_each(|text| stage.fault(fault(text)));
        assert_eq!(elsewhere(&stage, &stage.folder()).await, None, "nobody moves anything");
        let planned = stage.plan(&managed(|redrive| redrive.rate = Some(10))).await.expect("a plan");
        let approved = stage.approve(planned.plan).expect("approval");
        let context = stage.context().await;
        let running = tokio::spawn(async move { run::execute(approved, &context).await });
        stage.sandbox.clock().sleep(std::time::Duration::from_secs(5)).await;
        assert_eq!(elsewhere(&stage, &stage.folder()).await, None, "it is being carried out here");
        running.abort();
        assert!(running.await.expect_err("aborted").is_cancelled());
        assert_eq!(elsewhere(&stage, &stage.folder()).await, None, "its program was killed: SQS goes on");
        let said = elsewhere(&stage, &StateFolder::new(nobody.path())).await.expect("another machine's");
        assert!(said.starts_with("a move task that opsctl did not start here is moving messages to"), "{said}");
        assert!(said.ends_with("of ~200 moved"), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_later_task_of_somebody_else_is_not_taken_for_a_run_of_before() {
    let mut stage = Stage::new(Protection::Confirm, &orders(50));
    assert_eq!(stage.run(&managed(|redrive| redrive.limit = None)).await.end, End::Done);
    stage.sandbox.with(|world, now| {
        for _ in 0..50 {
            world.put(now, &caller(), "orders-dlq", PutMessage::new("{}")).expect("a message");
        }
    });
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(600)).await;
    let cloud = stage.cloud().await;
    let arn = opsctl::domain::QueueArn(crate::support::stage::arn("orders-dlq"));
    let to = opsctl::domain::QueueArn(crate::support::stage::arn("orders"));
    cloud.sqs.start_move_task(&arn, Some(&to), Some(1)).await.expect("a task");
    let said = elsewhere(&stage, &stage.folder()).await.expect("theirs");
    assert!(said.contains("is moving messages to orders: "), "{said}");
}
