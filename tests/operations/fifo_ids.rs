//! Deduplication ids: SQS accepts a second message with the same one and drops it. Such a message must stay where it is.

use std::io::Write;

use opsctl::{
    domain::Protection,
    operations::{Operation, Redrive},
    run::End,
    sandbox::world::PutMessage,
};

use crate::support::stage::{QueueSetup, Stage, caller};

fn stage(event_ids: &[&str]) -> Stage {
    let queue = |name: &str| QueueSetup { name: name.to_owned(), ..QueueSetup::default() };
    let stage = Stage::new(Protection::Confirm, &[queue("transfers.fifo"), queue("subscription-dlq")]);
    for (number, event) in event_ids.iter().enumerate() {
        let body = format!(r#"{{"n":{number},"transferId":"t","eventId":"{event}"}}"#);
        let sent_at = "2026-11-21T02:00:00Z".parse().ok();
        let message = PutMessage { sent_at, ..PutMessage::new(body) };
        stage.sandbox.with(|world, now| world.put(now, &caller(), "subscription-dlq", message)).expect("a message");
    }
    stage
}

fn redrive(change: impl FnOnce(&mut Redrive)) -> Operation {
    let queue = "subscription-dlq".to_owned();
    let mut redrive = Redrive { queue, to: Some("transfers.fifo".to_owned()), ..Redrive::default() };
    change(&mut redrive);
    Operation::Redrive(redrive)
}

#[tokio::test(start_paused = true)]
async fn a_second_message_of_the_same_event_stays_also_when_the_run_is_resumed() {
    let mut stage = stage(&["a", "b", "a"]);
    let report = stage.run(&redrive(|_| ())).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(
        report.details.tally().kept.keys().any(|why| why.contains("has the same /eventId")),
        "{:?}",
        report.details.tally().kept
    );
    let resumed = stage.resume().await;
    assert_eq!(resumed.end, End::Partly, "{resumed:#?}");
    assert_eq!(
        (stage.count("transfers.fifo"), stage.count("subscription-dlq")),
        (2, 1),
        "nothing is accepted and dropped"
    );
}

#[tokio::test(start_paused = true)]
async fn an_edit_can_not_make_two_messages_one() {
    let mut stage = stage(&["a", "b", "c"]);
    let mut edit = tempfile::Builder::new().suffix(".jq").tempfile().expect("a file");
    writeln!(edit, r#".deduplication_id = "same""#).expect("written");
    let report = stage.run(&redrive(|redrive| redrive.edit = Some(edit.path().display().to_string()))).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert_eq!(stage.count("transfers.fifo") + stage.count("subscription-dlq"), 3, "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_next_run_uses_other_ids() {
    let mut stage = stage(&["a"]);
    assert_eq!(stage.run(&redrive(|_| ())).await.end, End::Done);
    // The consumer fails again and somebody puts the message back, all within five minutes.
    let taken =
        stage.sandbox.with(|world, now| world.take(now, &caller(), "transfers.fifo", 1, None)).expect("a message");
    stage
        .sandbox
        .with(|world, now| world.remove(now, &caller(), "transfers.fifo", &taken[0].receipt_handle))
        .expect("deleted");
    let again = PutMessage { sent_at: "2026-11-21T02:00:00Z".parse().ok(), ..PutMessage::new(&*taken[0].body) };
    stage.sandbox.with(|world, now| world.put(now, &caller(), "subscription-dlq", again)).expect("a message");
    assert_eq!(stage.run(&redrive(|_| ())).await.end, End::Done);
    assert_eq!(stage.count("transfers.fifo"), 1, "accepted, and not dropped as a duplicate");
}
