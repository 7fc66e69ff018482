//! Canary and bounce guard, and runs that were not finished.

use std::{sync::Arc, time::Duration};

use opsctl::{
    domain::Protection,
    operations::{transfer::Stop, values::Seconds},
    run::{self, End},
    sandbox::world::Fault,
};

use super::{orders, redrive};
use crate::support::stage::{Stage, caller};

/// A consumer that fails on everything: takes what it finds, again and again, until SQS moves it to the DLQ.
pub(crate) fn start_failing_consumer(stage: &Stage) -> tokio::task::JoinHandle<()> {
    let sandbox = stage.sandbox.clone();
    tokio::spawn(async move {
        loop {
            sandbox.clock().sleep(Duration::from_secs(1)).await;
            sandbox.with(|world, now| world.take(now, &caller(), "orders", 10, Some(0))).expect("a queue");
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_comes_back_stops_the_run() {
    let mut stage = Stage::new(Protection::TypeName, &orders(200));
    let consumer = start_failing_consumer(&stage);
    let report = stage.run(&redrive(|redrive| redrive.wait_bounce = Some(Seconds(30)))).await;
    consumer.abort();
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(matches!(report.details.tally().stop, Some(Stop::Bounced { sent: 1, .. })), "{report:#?}");
    assert_eq!(stage.count("orders-dlq") + stage.count("orders"), 200, "nothing is lost");
    assert!(report.failure.expect("a failure").what.as_str().contains("came back"));
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_is_parked_where_a_place_is_named() {
    let mut queues = orders(12);
    queues.push(crate::support::stage::QueueSetup { name: "parked".to_owned(), ..Default::default() });
    let mut stage = Stage::new(Protection::Confirm, &queues);
    let consumer = start_failing_consumer(&stage);
    let report = stage
        .run(&redrive(|redrive| {
            redrive.park = Some("parked".to_owned());
            redrive.ramp = Some("4,all".parse().expect("a ramp"));
            redrive.max_bounce = Some("100%".parse().expect("a share"));
            redrive.wait_bounce = Some(Seconds(30));
        }))
        .await;
    consumer.abort();
    assert!(report.details.tally().parked > 0, "{report:#?}");
    assert_eq!(stage.count("parked") as u64, report.details.tally().parked);
    assert_eq!(stage.copies().values().sum::<usize>(), 12, "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_left_doubts_blocks_the_next_on_its_queue() {
    let mut stage = Stage::new(Protection::Confirm, &orders(20));
    let fault = r#"{"call":"SendMessageBatch","nth":1,"kind":"lost-after"}"#;
    stage.fault(serde_json::from_str::<Fault>(fault).expect("a fault"));
    let client = |redrive: &mut opsctl::operations::Redrive| redrive.limit = Some(10);
    assert_eq!(stage.run(&redrive(client)).await.end, End::Partly);
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    assert!(plan.blockers.iter().any(|blocker| blocker.as_str().contains("--resume")), "{:?}", plan.blockers);
    let plan = stage.plan(&redrive(|redrive| redrive.despite_unfinished = true)).await.expect("a plan").plan;
    assert!(plan.blockers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_finishes_what_is_in_hand_and_can_be_resumed() {
    let mut stage = Stage::new(Protection::Confirm, &orders(300));
    let planned = stage.plan(&redrive(|redrive| redrive.rate = Some(20))).await.expect("a plan");
    // A rate alone is SQS's own affair; ids for the sake of the client-side engine.
    let _ = planned;
    let planned = stage
        .plan(&redrive(|redrive| {
            redrive.rate = Some(20);
            redrive.engine = opsctl::operations::values::EngineChoice::Client;
        }))
        .await
        .expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    let mut context = stage.context().await;
    let cancel = stage.cancel.clone();
    context.progress = Arc::new(move |progress| {
        if progress.doing.tally().is_some_and(|tally| tally.sent > 30) {
            cancel.cancel();
        }
    });
    let report = run::execute(approved, &context).await;
    assert_eq!(report.end, End::Interrupted, "{report:#?}");
    assert!(report.details.tally().sent < 100 && report.details.tally().sent_not_deleted == 0);
    let plan = run::plan_of(&stage.folder(), &report.run).expect("a plan");
    let left =
        format!("{} of ~300 are done, ~{} left", report.details.tally().moved, 300 - report.details.tally().moved);
    assert!(plan.summary.as_str().ends_with(&left), "{}", plan.summary);
    assert!(plan.facts.iter().any(|fact| fact.label == "messages" && fact.value.as_str() == left), "{plan:#?}");
    assert!(plan.seconds_estimate < Some(15) && plan.is_sound(), "{plan:#?}");
    assert_eq!(stage.count("orders") + stage.count("orders-dlq"), 300);
    stage.cancel = tokio_util::sync::CancellationToken::new();
    let report = stage.resume().await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!((stage.count("orders"), stage.count("orders-dlq")), (300, 0));
}

#[tokio::test(start_paused = true)]
async fn a_resume_that_does_not_begin_leaves_the_run_unsettled() {
    let mut stage = Stage::new(Protection::Confirm, &orders(20));
    let fault = r#"{"call":"SendMessageBatch","nth":1,"kind":"lost-after"}"#;
    stage.fault(serde_json::from_str::<Fault>(fault).expect("a fault"));
    assert_eq!(stage.run(&redrive(|redrive| redrive.limit = Some(10))).await.end, End::Partly);
    let request = serde_json::json!({ "QueueUrl": "https://x/111111111111/orders", "Attributes": { "MaximumMessageSize": "4096" } });
    stage
        .sandbox
        .with(|world, now| world.ask(now, &caller(), ("sqs", "SetQueueAttributes"), request))
        .expect("an answer");
    let resumed = stage.resume().await;
    assert_eq!((resumed.end, resumed.details.tally().uncertain.len()), (End::Stale, 10), "{resumed:#?}");
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    assert!(plan.blockers.iter().any(|blocker| blocker.as_str().contains("--resume")), "{:?}", plan.blockers);
}

#[tokio::test(start_paused = true)]
async fn a_redrive_ends_although_messages_go_on_arriving() {
    let mut stage = Stage::new(Protection::Confirm, &orders(30));
    let sandbox = stage.sandbox.clone();
    let arriving = tokio::spawn(async move {
        for number in 0..3_000 {
            sandbox.clock().sleep(Duration::from_secs(1)).await;
            let message = opsctl::sandbox::world::PutMessage::new(format!("late {number}"));
            sandbox.with(|world, now| world.put(now, &caller(), "orders-dlq", message)).expect("a message");
        }
    });
    let client = opsctl::operations::values::EngineChoice::Client;
    let report = stage.run(&redrive(|redrive| redrive.engine = client)).await;
    arriving.abort();
    assert_eq!((report.end, report.details.tally().moved), (End::Done, 30), "{report:#?}");
    assert!(report.seconds < 300.0, "{} s", report.seconds);
    assert_eq!(stage.count("orders"), 30, "what arrives later is not this run's");
}

#[tokio::test(start_paused = true)]
async fn doubt_is_settled_by_sending_again_when_asked_or_by_taking_the_messages_out() {
    for resend in [true, false] {
        let mut stage = Stage::new(Protection::Confirm, &orders(10));
        let fault = r#"{"call":"SendMessageBatch","nth":1,"kind":"lost-before"}"#;
        stage.fault(serde_json::from_str::<Fault>(fault).expect("a fault"));
        let client = opsctl::operations::values::EngineChoice::Client;
        let first = stage.run(&redrive(|redrive| redrive.engine = client)).await;
        assert_eq!((first.end, first.details.tally().uncertain.len()), (End::Partly, 10), "{first:#?}");
        let mut plan = run::plan_of(&stage.folder(), &first.run).expect("a plan");
        if resend {
            let opsctl::operations::Operation::Redrive(redrive) = &mut plan.operation else { panic!("a redrive") };
            redrive.uncertain = opsctl::operations::values::Uncertain::Resend;
            let (operation, observed) = (&plan.operation, &plan.observed);
            plan.fingerprint =
                opsctl::operations::plan::Fingerprint::of(operation, &plan.environment, &plan.account, observed);
        } else {
            stage.sandbox.clock().sleep(Duration::from_secs(200)).await;
            let taken =
                stage.sandbox.with(|world, now| world.take(now, &caller(), "orders-dlq", 10, None)).expect("taken");
            for message in &taken {
                let gone = stage
                    .sandbox
                    .with(|world, now| world.remove(now, &caller(), "orders-dlq", &message.receipt_handle));
                gone.expect("deleted");
            }
        }
        let approved = stage.approve(plan).expect("approval");
        let context = stage.context().await;
        let resumed = run::resume(&first.run, approved, &context).await.expect("a journal");
        assert!(matches!(resumed.end, End::Done | End::Nothing), "{resumed:#?}");
        assert_eq!(resumed.details.tally().uncertain.len(), 0);
        assert_eq!((stage.count("orders"), stage.count("orders-dlq")), (if resend { 10 } else { 0 }, 0));
        let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
        assert!(plan.blockers.is_empty(), "{:?}", plan.blockers);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_parked_does_not_count_towards_the_limit_of_a_resumed_run() {
    let mut queues = orders(8);
    queues.push(crate::support::stage::QueueSetup { name: "parked".to_owned(), ..Default::default() });
    let mut stage = Stage::new(Protection::Confirm, &queues);
    let consumer = start_failing_consumer(&stage);
    let operation = redrive(|redrive| {
        redrive.limit = Some(12);
        redrive.park = Some("parked".to_owned());
        redrive.ramp = Some("4,all".parse().expect("a ramp"));
        redrive.max_bounce = Some("100%".parse().expect("a share"));
        redrive.wait_bounce = Some(Seconds(30));
    });
    let plan = stage.plan(&operation).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let mut context = stage.context().await;
    let cancel = stage.cancel.clone();
    context.progress = Arc::new(move |progress| {
        if progress.doing.tally().is_some_and(|tally| tally.parked > 0) {
            cancel.cancel();
        }
    });
    let first = run::execute(approved, &context).await;
    consumer.abort();
    assert_eq!((first.details.tally().parked > 0, first.details.tally().sent), (true, 8), "{first:#?}");
    // Somebody else had these in hand, and they are as old as the others.
    for number in 0..9 {
        let sent_at = "2026-11-21T02:00:00Z".parse().ok();
        let source = Some(crate::support::stage::arn("orders"));
        let late = opsctl::sandbox::world::PutMessage::new(format!("shown late {number}"));
        let late = opsctl::sandbox::world::PutMessage { sent_at, dead_letter_source: source, ..late };
        stage.sandbox.with(|world, now| world.put(now, &caller(), "orders-dlq", late)).expect("a message");
    }
    stage.cancel = tokio_util::sync::CancellationToken::new();
    let resumed = stage.resume().await;
    assert_eq!(resumed.details.tally().sent, 4, "eight of twelve were moved before: {resumed:#?}");
    assert_eq!(stage.copies().values().sum::<usize>(), 17, "nothing is lost or doubled");
}

#[tokio::test(start_paused = true)]
async fn a_resume_that_fails_before_it_meets_anything_forgets_no_doubt() {
    let mut stage = Stage::new(Protection::Confirm, &orders(10));
    let fault = r#"{"call":"SendMessageBatch","nth":1,"kind":"lost-after"}"#;
    stage.fault(serde_json::from_str::<Fault>(fault).expect("a fault"));
    let client = opsctl::operations::values::EngineChoice::Client;
    let first = stage.run(&redrive(|redrive| redrive.engine = client)).await;
    assert_eq!((first.end, first.details.tally().uncertain.len()), (End::Partly, 10), "{first:#?}");
    let expired = r#"{"call":"ReceiveMessage","times":100,"kind":"expired-credentials"}"#;
    stage.fault(serde_json::from_str::<Fault>(expired).expect("a fault"));
    let stopped = stage.resume().await;
    assert_eq!(stopped.end, End::Partly, "{stopped:#?}");
    assert_eq!(stopped.details.tally().uncertain.len(), 10, "none was met, and none is forgotten: {stopped:#?}");
    stage.sandbox.with(|world, _| world.faults.clear());
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    assert!(plan.blockers.iter().any(|blocker| blocker.as_str().contains("--resume")), "{:?}", plan.blockers);
}

/// A consumer that works: deletes what it finds.
fn start_working_consumer(stage: &Stage) -> tokio::task::JoinHandle<()> {
    let sandbox = stage.sandbox.clone();
    tokio::spawn(async move {
        loop {
            sandbox.clock().sleep(Duration::from_secs(1)).await;
            sandbox.with(|world, now| {
                for taken in world.take(now, &caller(), "orders", 10, None).expect("a queue") {
                    world.remove(now, &caller(), "orders", &taken.receipt_handle).expect("deleted");
                }
            });
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_worked_off_does_not_age() {
    let mut stage = Stage::new(Protection::TypeName, &orders(150));
    let consumer = start_working_consumer(&stage);
    let report = stage.run(&redrive(|_| ())).await;
    consumer.abort();
    assert_eq!((report.end, report.details.tally().sent), (End::Done, 150), "{report:#?}");
    assert_eq!((report.details.tally().ageing.clone(), report.details.tally().untaken), (None, false));
}

#[tokio::test(start_paused = true)]
async fn a_metric_that_cannot_be_had_neither_stops_nor_slows_a_run() {
    let mut seconds = Vec::new();
    for kind in ["\"denied\"", "\"hang\"", "\"lost-before\"", "{\"slow\":30}", "\"throttled\""] {
        let mut stage = Stage::new(Protection::TypeName, &orders(150));
        let fault = format!(r#"{{"call":"cloudwatch:*","times":1000,"kind":{kind}}}"#);
        stage.fault(serde_json::from_str::<Fault>(&fault).expect("a fault"));
        let report = stage.run(&redrive(|_| ())).await;
        assert_eq!(
            (report.end, report.details.tally().moved, &report.details.tally().ageing),
            (End::Done, 150, &None),
            "{kind}: {report:#?}"
        );
        assert!(report.details.tally().untaken, "{kind}: the weaker sign is told");
        seconds.push(report.seconds as u64);
    }
    let (least, most) = (seconds.iter().min().expect("runs"), seconds.iter().max().expect("runs"));
    assert!(most - least <= 5, "{seconds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_names_the_metric_where_a_run_watches() {
    let mut stage = Stage::new(Protection::TypeName, &orders(150));
    let calls =
        |plan: &opsctl::operations::plan::Plan| plan.calls.iter().any(|call| call.action == "cloudwatch:GetMetricData");
    assert!(calls(&stage.plan(&redrive(|_| ())).await.expect("a plan").plan));
    let all = redrive(|redrive| {
        redrive.ramp = Some("all".parse().expect("a ramp"));
        redrive.engine = opsctl::operations::values::EngineChoice::Client;
    });
    assert!(!calls(&stage.plan(&all).await.expect("a plan").plan));
}
