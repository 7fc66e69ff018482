//! A plan for some messages of a queue says how many, and shows those.

use std::io::Write;

use opsctl::{
    domain::Protection,
    operations::{
        Operation, Purge,
        plan::{Plan, words},
    },
    run::End,
};

use super::{orders, redrive};
use crate::support::stage::{ACCOUNT, REGION, Stage};

fn ids(stage: &Stage, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    stage.sandbox.with(|world, _| {
        let messages = world.messages(ACCOUNT, REGION, "orders-dlq");
        messages.filter(|message| wanted(message.body)).map(|message| message.id.to_string()).collect()
    })
}

fn calls(plan: &Plan, action: &str) -> u64 {
    plan.calls.iter().filter(|call| call.action == action).map(|call| call.times_estimate).sum()
}

fn says(plan: &Plan, how_many: &str, messages: u64) {
    assert_eq!(plan.how_many.as_ref().map(ToString::to_string).as_deref(), Some(how_many));
    assert!(plan.summary.as_str().contains(how_many), "{}", plan.summary);
    assert!(words::question(plan).contains(how_many), "{}", words::question(plan));
    assert_eq!(plan.messages_estimate, messages);
}

#[tokio::test(start_paused = true)]
async fn two_selected_are_two_in_summary_question_calls_and_sample() {
    let mut stage = Stage::new(Protection::Confirm, &orders(42));
    let ids = ids(&stage, |body| body.contains("\"n\":17,") || body.contains("\"n\":41,"));
    let mut list = tempfile::NamedTempFile::new().expect("a file");
    writeln!(list, "{}", ids.join("\n")).expect("written");
    let operation = redrive(|redrive| redrive.ids = Some(list.path().to_owned()));
    let plan = stage.plan(&operation).await.expect("a plan").plan;
    says(&plan, "2 selected of ~42 messages", 2);
    assert_eq!((calls(&plan, "sqs:SendMessage"), calls(&plan, "sqs:DeleteMessage")), (1, 1));
    assert_eq!(plan.groups.iter().map(|group| group.count).sum::<u64>(), 2, "of exactly those: {:?}", plan.groups);
    let approved = stage.approve(plan).expect("approval");
    let mut context = stage.context().await;
    let estimates = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&estimates);
    context.progress = std::sync::Arc::new(move |progress| seen.lock().expect("a list").push(progress.estimate));
    let report = opsctl::run::execute(approved, &context).await;
    assert_eq!((report.end, stage.count("orders")), (End::Done, 2), "{report:#?}");
    assert!(!report.notes.iter().any(|note| note.as_str().contains("not found")), "{report:#?}");
    let estimates = estimates.lock().expect("a list");
    assert!(!estimates.is_empty() && estimates.iter().all(|estimate| *estimate == 2), "the bar is of 2: {estimates:?}");
}

#[tokio::test(start_paused = true)]
async fn a_filter_is_counted_by_its_share_and_exactly_where_all_were_seen() {
    let mut stage = Stage::new(Protection::Confirm, &orders(60));
    let even = |limit| redrive(|redrive| (redrive.filter, redrive.limit) = (Some(".body.even".to_owned()), limit));
    let plan = stage.plan(&even(None)).await.expect("a plan").plan;
    says(&plan, "~30 selected of ~60 messages", 30);
    assert_eq!(plan.groups.iter().map(|group| group.count).sum::<u64>(), 5, "those of the sample that are selected");
    assert_eq!(calls(&plan, "sqs:SendMessage"), 3);
    let plan = stage.plan(&even(Some(7))).await.expect("a plan").plan;
    says(&plan, "at most 7 of ~30 selected of ~60 messages", 7);
    let one = redrive(|redrive| redrive.filter = Some(".body.n == 33".to_owned()));
    let plan = stage.plan(&one).await.expect("a plan").plan;
    says(&plan, "1 selected of ~60 messages", 1);
    let none = redrive(|redrive| redrive.filter = Some(".body.n == 3333".to_owned()));
    let plan = stage.plan(&none).await.expect("a plan").plan;
    says(&plan, "0 selected of ~60 messages", 0);
    assert!(plan.groups.is_empty() && plan.warnings.iter().any(|warning| warning.as_str().contains("none of the")));
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_a_bound_and_costs_no_more_than_that() {
    let mut stage = Stage::new(Protection::Confirm, &orders(400));
    let plan = stage.plan(&redrive(|redrive| redrive.limit = Some(20))).await.expect("a plan").plan;
    says(&plan, "at most 20 of ~400 messages", 20);
    assert_eq!((calls(&plan, "sqs:ReceiveMessage"), calls(&plan, "sqs:SendMessage")), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn a_purge_says_the_same_of_its_selection() {
    let mut stage = Stage::new(Protection::Confirm, &orders(60));
    let purge = |filter: Option<&str>, limit| {
        let filter = filter.map(str::to_owned);
        Operation::Purge(Purge { queue: "orders-dlq".to_owned(), filter, limit, ..Purge::default() })
    };
    let plan = stage.plan(&purge(None, None)).await.expect("a plan").plan;
    says(&plan, "~60 messages", 60);
    assert!(plan.groups.is_empty(), "nothing is received for the whole of a queue");
    let plan = stage.plan(&purge(None, Some(5))).await.expect("a plan").plan;
    says(&plan, "at most 5 of ~60 messages", 5);
    assert_eq!((calls(&plan, "sqs:ReceiveMessage"), calls(&plan, "sqs:DeleteMessage")), (3, 1));
    let plan = stage.plan(&purge(Some(".body.n < 3"), None)).await.expect("a plan").plan;
    says(&plan, "3 selected of ~60 messages", 3);
    assert_eq!(plan.groups.iter().map(|group| group.count).sum::<u64>(), 3);
    let report = stage.run(&purge(Some(".body.n < 3"), None)).await;
    assert_eq!((report.details.tally().removed, stage.count("orders-dlq")), (3, 57), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn ids_that_are_gone_are_told_before_and_after() {
    let mut stage = Stage::new(Protection::Confirm, &orders(8));
    let mut ids = ids(&stage, |body| body.contains("\"n\":1,"));
    ids.push("6f1d3f1e-0000-4000-8000-000000000001".to_owned());
    let mut list = tempfile::NamedTempFile::new().expect("a file");
    writeln!(list, "{}", ids.join("\n")).expect("written");
    let operation = redrive(|redrive| redrive.ids = Some(list.path().to_owned()));
    let plan = stage.plan(&operation).await.expect("a plan").plan;
    says(&plan, "1 selected of ~8 messages", 1);
    let missing = "1 message is not in the queue, of the 2 ids given: 6f1d3f1e-0000-4000-8000-000000000001";
    assert!(plan.warnings.iter().any(|warning| warning.as_str() == missing), "{:?}", plan.warnings);
    let report = stage.run(&operation).await;
    let missing = "1 message was not found in the queue, of the 2 ids given: gone by now, or in flight elsewhere: \
                   6f1d3f1e-0000-4000-8000-000000000001";
    assert!(report.notes.iter().any(|note| note.as_str() == missing), "{report:#?}");
}
