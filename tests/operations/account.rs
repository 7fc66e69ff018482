//! Never the wrong account.

use opsctl::{
    domain::{AccountId, Protection, environment::CredentialSource},
    gate::Refusal,
    journal::{Lines, Record},
    run::{self, End},
};

use super::{orders, redrive};
use crate::support::stage::Stage;

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
    let journal = report.journal.expect("a journal");
    let records: Vec<_> = Lines::open(std::path::Path::new(journal.as_str()))
        .expect("a journal")
        .map(|line| line.expect("a line").entry.record)
        .collect();
    assert!(
        records.iter().any(|record| matches!(record, Record::Verified { account, .. } if account.0 == "222222222222"))
    );
    assert!(matches!(records.last(), Some(Record::Ended { end, .. }) if end == "refused"));
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
