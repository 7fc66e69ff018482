//! One consent is one run: a plan that was carried out is not carried out again unasked, and a run that did nothing uses up nothing.

use opsctl::{
    domain::{Protection, Text},
    gate::{self, Answer, Approved, Consent, PLAN_FILE_SECONDS_MAX, Refusal},
    operations::{Operation, Purge, Restore, plan::Plan},
    run::{self, End, Report},
};

use super::{orders, redrive};
use crate::support::stage::{Stage, caller};

fn purge_five() -> Operation {
    Operation::Purge(Purge { queue: "orders-dlq".to_owned(), limit: Some(5), ..Purge::default() })
}

async fn carry_out(stage: &mut Stage, approved: Approved) -> Report {
    let context = stage.context().await;
    run::execute(approved, &context).await
}

fn assert_used(report: &Report, by: &Report) {
    assert_eq!(report.end, End::Refused, "{report:#?}");
    let failure = report.failure.as_ref().expect("a failure");
    assert!(failure.what.as_str().contains(by.run.as_str()), "the run is named: {failure:?}");
    assert!(failure.hint.as_str().contains("--resume"), "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_carried_out_once_and_again_only_where_that_is_said() {
    let mut stage = Stage::new(Protection::TypeName, &orders(20));
    let plan = stage.plan(&purge_five()).await.expect("a plan").plan;
    let approved = stage.approve(plan.clone()).expect("approval");
    let first = carry_out(&mut stage, approved.clone()).await;
    assert_eq!((first.end, stage.count("orders-dlq")), (End::Done, 15), "{first:#?}");
    for _ in 0..2 {
        let second = carry_out(&mut stage, approved.clone()).await;
        assert_used(&second, &first);
        assert_eq!(stage.count("orders-dlq"), 15);
    }
    let again = carry_out(&mut stage, approved.again()).await;
    assert_eq!((again.end, stage.count("orders-dlq")), (End::Done, 10), "{again:#?}");
    let other = stage.plan(&purge_five()).await.expect("a plan").plan;
    assert_eq!((&other.fingerprint, other.id == plan.id), (&plan.fingerprint, false), "an equal plan, made later");
    let approved = stage.approve(other).expect("approval");
    let report = carry_out(&mut stage, approved).await;
    assert_eq!((report.end, stage.count("orders-dlq")), (End::Done, 5), "another look is another consent");
}

#[tokio::test(start_paused = true)]
async fn of_two_that_begin_at_once_one_runs() {
    for round in 0..8 {
        let mut stage = Stage::new(Protection::Confirm, &orders(20));
        let plan = stage.plan(&purge_five()).await.expect("a plan").plan;
        let approved = stage.approve(plan).expect("approval");
        let contexts = [stage.context().await, stage.context().await, stage.context().await];
        let runs = contexts.iter().map(|context| run::execute(approved.clone(), context));
        let mut ends: Vec<End> = futures_util::future::join_all(runs).await.iter().map(|report| report.end).collect();
        ends.sort_by_key(|end| end.into_str());
        assert_eq!(ends, [End::Done, End::Refused, End::Refused], "round {round}");
        assert_eq!(stage.count("orders-dlq"), 15, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_approved_fingerprint_is_used_up_as_well() {
    let mut stage = Stage::new(Protection::TypeName, &orders(20));
    let shown = stage.plan(&purge_five()).await.expect("a plan").plan.fingerprint;
    let approve = |stage: &Stage, mut plan: Plan| {
        // As the command line does: nothing else is known of the plan that was looked at.
        plan.id = plan.fingerprint.0.clone();
        let answer = Answer::Fingerprint(shown.0.clone());
        let consent = Consent { by: Text::from("tester"), answer, reason: Some(Text::from("test")) };
        gate::approve(plan, &stage.environment, consent, stage.sandbox.clock().now()).expect("approval")
    };
    let plan = stage.plan(&purge_five()).await.expect("a plan").plan;
    let approved = approve(&stage, plan);
    let first = carry_out(&mut stage, approved).await;
    assert_eq!(first.end, End::Done, "{first:#?}");
    let plan = stage.plan(&purge_five()).await.expect("a plan").plan;
    let approved = approve(&stage, plan);
    assert_used(&carry_out(&mut stage, approved).await, &first);
    assert_eq!(stage.count("orders-dlq"), 15);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_refused_or_stale_uses_up_nothing() {
    let mut stage = Stage::new(Protection::Confirm, &orders(4));
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let set = |stage: &Stage, bytes: &str| {
        let attributes = serde_json::json!({ "MaximumMessageSize": bytes });
        let request = serde_json::json!({ "QueueUrl": "https://x/111111111111/orders", "Attributes": attributes });
        stage
            .sandbox
            .with(|world, now| world.ask(now, &caller(), ("sqs", "SetQueueAttributes"), request))
            .expect("set");
    };
    set(&stage, "4096");
    let stale = carry_out(&mut stage, approved.clone()).await;
    assert_eq!(stale.end, End::Stale, "{stale:#?}");
    set(&stage, "1048576");
    let done = carry_out(&mut stage, approved.clone()).await;
    assert_eq!((done.end, stage.count("orders")), (End::Done, 4), "{done:#?}");
    // The one that did nothing can't be gone on with now: its plan was carried out by another.
    let context = stage.context().await;
    let resumed = run::resume(&stale.run, approved, &context).await.expect("a journal");
    assert_used(&resumed, &done);
}

#[tokio::test(start_paused = true)]
async fn a_run_goes_on_with_the_plan_that_it_has_used() {
    let mut stage = Stage::new(Protection::Confirm, &orders(60));
    let plan = stage.plan(&redrive(|redrive| redrive.rate = Some(5))).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let mut context = stage.context().await;
    let cancel = stage.cancel.clone();
    context.progress = std::sync::Arc::new(move |progress| {
        if progress.doing.tally().is_some_and(|tally| tally.moved >= 10) {
            cancel.cancel();
        }
    });
    let first = run::execute(approved.clone(), &context).await;
    assert_eq!(first.end, End::Interrupted, "{first:#?}");
    stage.cancel = Default::default();
    assert_used(&carry_out(&mut stage, approved.clone()).await, &first);
    let context = stage.context().await;
    let resumed = run::resume(&first.run, approved, &context).await.expect("a journal");
    assert_eq!((resumed.end, stage.count("orders")), (End::Done, 60), "{resumed:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_restore_is_carried_out_once_too() {
    let mut stage = Stage::new(Protection::Confirm, &orders(6));
    let purge = Operation::Purge(Purge { queue: "orders-dlq".to_owned(), ..Purge::default() });
    let purged = stage.run(&purge).await;
    let restore = Operation::Restore(Restore { again: true, ..Restore::of(purged.run.clone()) });
    let plan = stage.plan(&restore).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let first = carry_out(&mut stage, approved.clone()).await;
    assert_eq!((first.end, stage.count("orders-dlq")), (End::Done, 6), "{first:#?}");
    assert_used(&carry_out(&mut stage, approved).await, &first);
    assert_eq!(stage.count("orders-dlq"), 6);
}

#[tokio::test(start_paused = true)]
async fn a_plan_in_a_file_ages_and_its_time_can_not_be_written_by_hand() {
    let mut stage = Stage::new(Protection::Confirm, &orders(3));
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    let accept = |plan: &Plan, seconds: i64| {
        gate::accept_file(plan, &stage.environment, plan.made_at + jiff::SignedDuration::from_secs(seconds))
    };
    assert_eq!(accept(&plan, 0), Ok(()));
    assert_eq!(accept(&plan, PLAN_FILE_SECONDS_MAX), Ok(()));
    assert!(matches!(accept(&plan, PLAN_FILE_SECONDS_MAX + 1), Err(Refusal::Expired { .. })));
    assert!(matches!(accept(&plan, -3_600), Err(Refusal::Unsound { .. })), "made in the future");
    let younger = Plan { made_at: plan.made_at + jiff::SignedDuration::from_hours(30), ..plan.clone() };
    let renamed = Plan { id: "0123456789ab".to_owned(), ..plan.clone() };
    let limit = Plan { operation: redrive(|redrive| redrive.limit = Some(1)), ..plan.clone() };
    for changed in [younger, renamed, limit] {
        assert!(matches!(accept(&changed, 0), Err(Refusal::Unsound { .. })), "{changed:#?}");
    }
}
