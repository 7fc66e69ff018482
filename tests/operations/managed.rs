//! SQS's own move task: lost answers, cancel, failure.

use std::sync::Arc;

use opsctl::{
    domain::Protection,
    run::{self, End},
    sandbox::world::Fault,
};

use super::{orders, redrive};
use crate::support::stage::Stage;

fn fault(text: &str) -> Fault {
    serde_json::from_str(text).expect("a fault")
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_start_was_not_answered_is_found_and_followed() {
    let mut stage = Stage::new(Protection::Confirm, &orders(50));
    stage.fault(fault(r#"{"call":"StartMessageMoveTask","kind":"lost-after"}"#));
    let report = stage.run(&redrive(|_| ())).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!((stage.count("orders"), stage.count("orders-dlq"), report.tally.moved), (50, 0, 50));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_never_arrived_is_not_repeated() {
    let mut stage = Stage::new(Protection::Confirm, &orders(50));
    stage.fault(fault(r#"{"call":"StartMessageMoveTask","kind":"lost-before"}"#));
    let report = stage.run(&redrive(|_| ())).await;
    assert_eq!(report.end, End::Failed, "{report:#?}");
    assert_eq!(stage.count("orders-dlq"), 50);
    assert!(report.failure.expect("a failure").what.as_str().contains("was lost"));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_waits_until_sqs_has_stopped() {
    let mut stage = Stage::new(Protection::Confirm, &orders(500));
    let planned = stage.plan(&redrive(|redrive| redrive.rate = Some(10))).await.expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    let mut context = stage.context().await;
    let cancel = stage.cancel.clone();
    context.progress = Arc::new(move |progress| {
        if progress.tally.moved >= 20 {
            cancel.cancel();
        }
    });
    let report = run::execute(approved, &context).await;
    assert_eq!(report.end, End::Interrupted, "{report:#?}");
    let moved = stage.count("orders");
    assert!((20..200).contains(&moved) && report.tally.moved as usize == moved, "{moved} {report:#?}");
    assert_eq!(stage.count("orders-dlq"), 500 - moved);
}
