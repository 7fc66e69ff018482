//! A queue's retention: raised, lowered, put back.

use opsctl::{
    domain::{Protection, QueueName, Setting, Toggle},
    operations::{Operation, Retention, values::Seconds},
    run::End,
};

use super::{because, calls, fact, fault, kept, killed_at, say, while_somebody};
use crate::support::stage::{QueueSetup, Stage};

const SET: (&str, &str) = ("sqs", "SetQueueAttributes");
const DAY: u32 = 86_400;

fn stage() -> Stage {
    let dlq = QueueSetup { name: "orders-dlq".into(), messages: 5, died_in: Some("orders".into()), ..<_>::default() };
    let orders = QueueSetup {
        name: "orders".into(),
        dead_letter: Some(("orders-dlq".into(), 3)),
        messages: 3,
        ..QueueSetup::default()
    };
    Stage::new(Protection::TypeName, &[dlq, orders])
}

fn to(queue: &str, days: u32) -> Operation {
    Operation::Retention(Retention { queue: queue.into(), to: Some(Seconds(days * DAY)), ..Retention::default() })
}

fn restore(queue: &str, accept_loss: bool) -> Operation {
    Operation::Retention(Retention { queue: queue.into(), restore: true, accept_loss, ..Retention::default() })
}

async fn days(stage: &Stage, queue: &str) -> u64 {
    let sqs = stage.cloud().await.sqs;
    let url = sqs.url(queue).await.expect("a queue");
    sqs.describe(&url).await.expect("a queue").retention_seconds / u64::from(DAY)
}

async fn set(stage: &Stage, queue: &str, days: u32) {
    let sqs = stage.cloud().await.sqs;
    let url = sqs.url(queue).await.expect("a queue");
    sqs.set_retention(&url, u64::from(days * DAY)).await.expect("set");
}

fn stood(stage: &Stage, queue: &str) -> Option<Setting> {
    kept(stage, &Toggle::Retention(QueueName(queue.into())))
}

const fn setting(days: u64) -> Option<Setting> {
    Some(Setting::RetentionSeconds(days * DAY as u64))
}

#[tokio::test(start_paused = true)]
async fn a_retention_is_raised_twice_and_put_back_to_what_it_was_first() {
    let mut stage = stage();
    let plan = stage.plan(&to("orders-dlq", 7)).await.expect("a plan").plan;
    assert_eq!((fact(&plan, "now"), fact(&plan, "messages")), ("retention 4 d", "~5 messages"));
    assert!(fact(&plan, "looked at").contains("5 messages, the oldest sent 1 h"), "{plan:#?}");
    assert!(fact(&plan, "looked at").contains("deleted in 3 d 23 h now, in 6 d 23 h afterwards"), "{plan:#?}");
    assert!(say(&plan.warnings, "keep the time of their first send") && say(&plan.warnings, "15 minutes"), "{plan:#?}");
    let first = stage.run(&to("orders-dlq", 7)).await;
    assert_eq!((first.end, days(&stage, "orders-dlq").await), (End::Done, 7), "{first:#?}");
    assert_eq!(stage.run(&to("orders-dlq", 14)).await.end, End::Done);
    assert_eq!((days(&stage, "orders-dlq").await, stood(&stage, "orders-dlq")), (14, setting(4)));
    assert!(stage.plan(&to("orders-dlq", 14)).await.expect("a plan").plan.empty);
    // Putting it back shortens it: that may delete what waits.
    let plan = stage.plan(&restore("orders-dlq", false)).await.expect("a plan").plan;
    assert!(say(&plan.blockers, "up to ~5 messages older than 4 d are lost at once"), "{plan:#?}");
    let report = stage.run(&restore("orders-dlq", true)).await;
    assert_eq!((report.end, days(&stage, "orders-dlq").await, stood(&stage, "orders-dlq")), (End::Done, 4, None));
    assert_eq!(stage.count("orders-dlq"), 5, "none was so old");
    for accept_loss in [true, false] {
        let plan = stage.plan(&restore("orders-dlq", accept_loss)).await.expect("a plan").plan;
        assert!(plan.empty && plan.blockers.is_empty(), "{plan:#?}");
        assert!(say(&plan.warnings, "nothing to do: retention 4 d; opsctl remembers no other one"), "{plan:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_shorter_retention_deletes_is_lost_only_where_somebody_agrees() {
    let mut stage = stage();
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(2 * 86_400)).await;
    let plan = stage.plan(&to("orders-dlq", 1)).await.expect("a plan").plan;
    assert!(say(&plan.blockers, "--accept-loss"), "{plan:#?}");
    assert_eq!(fact(&plan, "deleted"), "5 of the 5 messages looked at");
    assert!(stage.approve(plan).is_err());
    let agreed = Operation::Retention(Retention {
        queue: "orders-dlq".into(),
        to: Some(Seconds(DAY)),
        accept_loss: true,
        ..Retention::default()
    });
    let plan = stage.plan(&agreed).await.expect("a plan").plan;
    assert!(plan.no_way_back.is_some() && plan.blockers.is_empty(), "{plan:#?}");
    assert_eq!(stage.run(&agreed).await.end, End::Done);
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(1_000)).await;
    assert_eq!((days(&stage, "orders-dlq").await, stage.count("orders-dlq")), (1, 0));
    // Nothing is in it any more, so that a shorter one costs nothing.
    let plan = stage.plan(&to("orders-dlq", 2)).await.expect("a plan").plan;
    assert!(plan.blockers.is_empty(), "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn raising_it_on_the_source_says_that_dead_letters_expire_as_before() {
    let mut stage = stage();
    let plan = stage.plan(&to("orders", 14)).await.expect("a plan").plan;
    assert!(say(&plan.warnings, "messages in orders-dlq"), "{plan:#?}");
    assert!(say(&plan.warnings, "`opsctl retention --queue orders-dlq --to 14d"), "{plan:#?}");
    assert_eq!(fact(&plan, "looked at"), "", "a look would cost its messages a receive");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_for_and_repeated_only_where_nothing_changed() {
    for (kind, wanted) in [("lost-after", 1), ("lost-before", 2), ("throttled", 2)] {
        let mut stage = stage();
        fault(&stage, SET.1, kind, 1);
        let report = stage.run(&to("orders", 14)).await;
        assert_eq!((report.end, days(&stage, "orders").await), (End::Done, 14), "{kind}: {report:#?}");
        assert_eq!((calls(&stage, SET.0, SET.1), stood(&stage, "orders")), (wanted, setting(4)), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_said_and_not_remembered() {
    let mut stage = stage();
    fault(&stage, SET.1, "denied", 9);
    let report = stage.run(&to("orders", 14)).await;
    assert_eq!((report.end, days(&stage, "orders").await, stood(&stage, "orders")), (End::Failed, 4, None));
    assert!(because(&report).contains("allow sqs:SetQueueAttributes"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_is_gone_on_with_and_put_back_by_a_killed_run() {
    for is_applied in [true, false] {
        let mut stage = stage();
        let kind = if is_applied { "lost-after" } else { "lost-before" };
        for (operation, then) in [(to("orders", 14), 14), (restore("orders", true), 4)] {
            fault(&stage, SET.1, kind, 1);
            killed_at(&mut stage, &operation, SET).await;
            assert_eq!(stood(&stage, "orders"), setting(4), "{kind}: until it is seen put back");
            let report = stage.resume().await;
            assert_eq!((report.end, days(&stage, "orders").await), (End::Done, then), "{kind}: {report:#?}");
            stage.sandbox.with(|world, _| world.faults.clear());
        }
        assert_eq!(stood(&stage, "orders"), None, "{kind}");
        assert_eq!(calls(&stage, SET.0, SET.1), if is_applied { 2 } else { 4 });
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_has_set_is_left() {
    let mut stage = stage();
    assert_eq!(stage.run(&to("orders", 14)).await.end, End::Done);
    set(&stage, "orders", 10).await;
    let plan = stage.plan(&restore("orders", true)).await.expect("a plan").plan;
    assert!(say(&plan.blockers, "somebody else has set it since"), "{plan:#?}");
    fault(&stage, SET.1, "lost-before", 1);
    let lower = |stage: &Stage| {
        stage.sandbox.with(|world, now| {
            let url = "https://sqs.af-south-1.amazonaws.com/111111111111/orders";
            let input = serde_json::json!({ "QueueUrl": url, "Attributes": { "MessageRetentionPeriod": "864001" } });
            world.ask(now, &crate::support::stage::caller(), SET, input).expect("set");
        });
    };
    let report = while_somebody(&mut stage, &to("orders", 12), SET, lower).await;
    assert_eq!((report.end, days(&stage, "orders").await), (End::Partly, 10), "{report:#?}");
    assert!(because(&report).contains("somebody set it meanwhile"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_remembered_is_not_set() {
    let mut stage = stage();
    let planned = stage.plan(&to("orders", 14)).await.expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    std::fs::create_dir_all(stage.folder().path().join("turned-off/111111111111-af-south-1.lock")).expect("in its way");
    let context = stage.context().await;
    let report = opsctl::run::execute(approved, &context).await;
    assert_eq!(
        (report.end, days(&stage, "orders").await, calls(&stage, SET.0, SET.1)),
        (End::Failed, 4, 0),
        "{report:#?}"
    );
}
