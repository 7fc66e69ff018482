//! Never the wrong account.

use std::sync::Arc;

use opsctl::{
    domain::{AccountId, CredentialSource, Protection},
    gate::Refusal,
    journal::{Lines, Record},
    operations::{Operation, Restore, transfer::Stop, values::EngineChoice},
    run::{self, End, Report},
    sandbox::world::Fault,
};

use super::{orders, redrive};
use crate::support::stage::Stage;

/// Somebody logs in elsewhere under the same profile; SQS lets the calls pass all the same.
const OTHER_ACCOUNT: &str = r#"{"call":"sts:*","times":1000,"kind":"other-account"}"#;

fn records(report: &Report) -> Vec<Record> {
    let journal = report.journal.as_ref().expect("a journal");
    let lines = Lines::open(std::path::Path::new(journal.as_str())).expect("a journal");
    lines.map(|line| line.expect("a line").entry.record).collect()
}

fn verified(report: &Report) -> Vec<String> {
    let accounts = records(report).into_iter().filter_map(|record| match record {
        Record::Verified { account, .. } => Some(account.0),
        _ => None,
    });
    accounts.collect()
}

#[tokio::test(start_paused = true)]
async fn credentials_of_another_account_are_refused_before_anything() {
    let mut stage = Stage::new(Protection::Confirm, &orders(3));
    stage.environment.account = Some(AccountId("999999999999".to_owned()));
    let error = stage.plan(&redrive(|_| ())).await.expect_err("queues of another account");
    assert!(error.to_string().contains("is not in dev (999999999999"), "{error}");
    assert_eq!(stage.count("orders-dlq"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_another_account_is_not_approved() {
    let mut stage = Stage::new(Protection::Confirm, &orders(3));
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    stage.environment.account = Some(AccountId("999999999999".to_owned()));
    let refusal = stage.approve(plan).expect_err("a refusal");
    assert!(matches!(refusal, Refusal::Unsound { .. }), "{refusal}");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_changes_after_the_approval_is_refused_and_journalled() {
    let mut stage = Stage::new(Protection::Confirm, &orders(3));
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    // Somebody logs in elsewhere under the same profile.
    let access_key = "222222222222".to_owned();
    stage.environment.credentials = CredentialSource::Keys { access_key, secret_key: "sandbox".to_owned() };
    let context = stage.context().await;
    let report = run::execute(approved, &context).await;
    assert_eq!(report.end, End::Refused);
    assert_eq!((stage.count("orders-dlq"), stage.count("orders")), (3, 0));
    let records = records(&report);
    assert!(
        records.iter().any(|record| matches!(record, Record::Verified { account, .. } if account.0 == "222222222222"))
    );
    assert!(matches!(records.last(), Some(Record::Ended { end, .. }) if *end == End::Refused));
}

#[tokio::test(start_paused = true)]
async fn a_url_of_another_account_is_refused_whatever_the_permissions() {
    let mut stage = Stage::new(Protection::Confirm, &orders(3));
    let other =
        opsctl::sandbox::world::Caller { account: "222222222222".to_owned(), ..crate::support::stage::caller() };
    let policy =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}"#;
    stage.sandbox.with(|world, now| world.create(now, &other, "orders-dlq", &[("Policy", policy)])).expect("a queue");
    let url = "https://sqs.af-south-1.amazonaws.com/222222222222/orders-dlq";
    let error = stage.plan(&redrive(|redrive| redrive.queue = url.to_owned())).await.expect_err("another account");
    assert!(error.to_string().contains("is not in dev (111111111111, af-south-1)"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_changes_in_mid_run_stops_it_and_a_resume_goes_on() {
    let mut stage = Stage::new(Protection::Confirm, &orders(400));
    let slowly = redrive(|redrive| (redrive.rate, redrive.engine) = (Some(2), EngineChoice::Client));
    let plan = stage.plan(&slowly).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let mut context = stage.context().await;
    let sandbox = stage.sandbox.clone();
    context.progress = Arc::new(move |progress| {
        if progress.doing.tally().is_some_and(|tally| tally.sent == 50) {
            sandbox.with(|world, _| world.faults.add(serde_json::from_str::<Fault>(OTHER_ACCOUNT).expect("a fault")));
        }
    });
    let report = run::execute(approved, &context).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    let actual = AccountId("999999999999".to_owned());
    assert_eq!(report.details.tally().stop, Some(Stop::WrongAccount { actual }));
    // A minute at two a second, and what was in hand.
    assert!((100..=140).contains(&report.details.tally().sent), "{report:#?}");
    assert_eq!(verified(&report), ["111111111111", "999999999999"]);
    assert_eq!(
        stage.copies().values().filter(|times| **times > 1).count() as u64,
        report.details.tally().sent_not_deleted
    );

    stage.sandbox.with(|world, _| world.faults.clear());
    let resumed = stage.resume().await;
    assert_eq!(resumed.end, End::Done, "{resumed:#?}");
    assert_eq!((stage.count("orders"), stage.count("orders-dlq")), (400, 0));
    let asked = verified(&resumed).len();
    assert!((4..=7).contains(&asked), "about two and a half minutes at two a second: {asked}");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_changes_between_two_steps_stops_before_the_next() {
    let mut stage = Stage::new(Protection::TypeName, &orders(50));
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let mut context = stage.context().await;
    let sandbox = stage.sandbox.clone();
    context.progress = Arc::new(move |progress| {
        if progress.doing.tally().is_some_and(|tally| tally.watching) {
            sandbox.with(|world, _| world.faults.add(serde_json::from_str::<Fault>(OTHER_ACCOUNT).expect("a fault")));
        }
    });
    let report = run::execute(approved, &context).await;
    assert_eq!((report.end, report.details.tally().sent), (End::Partly, 1), "only the canary was sent: {report:#?}");
    assert!(matches!(report.details.tally().stop, Some(Stop::WrongAccount { .. })));
    assert_eq!(verified(&report), ["111111111111", "999999999999"]);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_are_no_other_account() {
    let mut stage = Stage::new(Protection::TypeName, &orders(50));
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let mut context = stage.context().await;
    let sandbox = stage.sandbox.clone();
    context.progress = Arc::new(move |progress| {
        if progress.doing.tally().is_some_and(|tally| tally.watching) {
            let fault = r#"{"call":"sts:*","times":1000,"kind":"expired-credentials"}"#;
            sandbox.with(|world, _| world.faults.add(serde_json::from_str::<Fault>(fault).expect("a fault")));
        }
    });
    let report = run::execute(approved, &context).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(matches!(report.details.tally().stop, Some(Stop::Failed(_))), "{report:#?}");
    assert!(report.failure.expect("a failure").what.as_str().contains("expired"));
}

#[tokio::test(start_paused = true)]
async fn a_restore_verifies_again_as_well() {
    let mut stage = Stage::new(Protection::Confirm, &orders(2_000));
    let moved = stage.run(&redrive(|redrive| redrive.engine = EngineChoice::Client)).await;
    assert_eq!(moved.end, End::Done, "{moved:#?}");
    stage.fault(
        serde_json::from_str(r#"{"call":"SendMessageBatch","times":1000,"kind":{"slow":"8s"}}"#).expect("a fault"),
    );
    // Planning, the run's beginning and its look before acting ask four times.
    let other = r#"{"call":"sts:*","nth":5,"times":1000,"kind":"other-account"}"#;
    stage.fault(serde_json::from_str(other).expect("a fault"));
    let restore = Restore::of(moved.run.clone());
    let report = stage.run(&Operation::Restore(restore)).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(matches!(report.details.tally().stop, Some(Stop::WrongAccount { .. })), "{report:#?}");
    // A minute at eight seconds a batch, in sixteen lanes.
    assert!((1..=8 * 16 * 10).contains(&report.details.tally().sent), "{report:#?}");
    assert_eq!(stage.count("orders-dlq") as u64, report.details.tally().sent, "nothing more was sent");
    assert_eq!(verified(&report), ["111111111111", "999999999999"]);
}
