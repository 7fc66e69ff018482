//! A replay from plan to end.

use std::time::Duration;

use opsctl::{
    journal::{Did, Record, SavedBatches},
    operations::{Operation, Replay, Restore},
    run::End,
};

use super::{
    desk::{Desk, replay},
    relay::Relay,
};

/// Waits until the relay has nothing left to take.
pub(super) async fn drained(desk: &mut Desk) {
    for _ in 0..2_000 {
        if desk.in_state("PENDING").await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the relay does not get on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_rows_are_sent_once_in_order_beside_a_relay() {
    for mut desk in Desk::all().await {
        desk.fill("FAILED", 2_000, 7, 0).await;
        let operation = Operation::Replay(replay());
        let plan = desk.plan(&operation).await.expect("a plan").plan;
        assert_eq!((plan.messages_estimate, plan.blockers.len()), (2_000, 0), "{plan:#?}");
        let relay = Relay::start(&desk);
        let report = desk.run(&operation).await;
        let dialect = desk.schema.dialect();
        assert_eq!(report.end, End::Done, "{dialect:?}: {report:#?}");
        let rows = report.details.rows().expect("rows").clone();
        assert_eq!((rows.done, rows.in_doubt, rows.left), (2_000, 0, 0), "{dialect:?}: {rows:?}");
        drained(&mut desk).await;
        relay.stop().await;
        assert_eq!(desk.in_state("SENT").await, 2_000);
        assert_eq!(desk.number("SELECT count(*) FROM sent").await, 2_000);
        assert_eq!(desk.number("SELECT count(DISTINCT number) FROM sent").await, 2_000, "none twice");
        let overtaken = "SELECT count(*) FROM sent a JOIN sent b ON b.place > a.place AND b.number < a.number AND b.number % 7 = a.number % 7";
        assert_eq!(desk.number(overtaken).await, 0, "{dialect:?}: order within a group");
        written_down(&desk, rows.batches);
        desk.schema.end().await;
    }
}

/// The journal has an announcement and an outcome of each batch, the snapshot its rows.
fn written_down(desk: &Desk, batches: u64) {
    let summary = desk.stage.folder().list().expect("runs").remove(0);
    let folder = desk.stage.folder().open(&summary.run).expect("a run");
    let lines: Vec<Record> = opsctl::journal::Lines::open(&folder.journal())
        .expect("a journal")
        .map(|line| line.expect("whole").entry.record)
        .collect();
    let intents = lines.iter().filter(|record| matches!(record, Record::RowsIntent { .. })).count() as u64;
    let outcomes = lines.iter().filter(|record| matches!(record, Record::Rows { .. })).count() as u64;
    assert_eq!((intents, outcomes), (batches, batches));
    let Record::Ended { did, .. } = lines.last().expect("an end") else { panic!("{lines:?}") };
    assert_eq!(*did, Did::Rows { done: 2_000, in_doubt: 0 });
    let saved = SavedBatches::open(&folder.snapshot()).expect("opened").expect("a snapshot");
    let rows: usize = saved.map(|batch| batch.expect("whole").rows.len()).sum();
    assert_eq!(rows, 2_000);
    let heads = opsctl::journal::Heads::read(desk.stage.state.path()).expect("heads");
    let verdict = opsctl::journal::verify(&folder, &heads).expect("whole");
    assert_eq!((verdict.saved, verdict.damage), (Some(2_000), Vec::new()));
    let journal = std::fs::read_to_string(folder.journal()).expect("text");
    assert!(!journal.contains("timeout after 3 s"), "what stands in rows is in the snapshot only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ramp_stops_where_rows_fail_again() {
    for mut desk in Desk::all().await {
        desk.fill("FAILED", 200, 3, 100).await;
        let relay = Relay::start(&desk);
        let ramp = Some("5,20,all".parse().expect("a ramp"));
        let report = desk.run(&Operation::Replay(Replay { ramp, ..replay() })).await;
        assert_eq!(report.end, End::Partly, "{report:#?}");
        let rows = report.details.rows().expect("rows");
        assert_eq!((rows.done, rows.failed_again), (5, 5), "{rows:?}");
        assert!(report.failure.as_ref().expect("a failure").what.as_str().contains("5 of 5 rows failed again"));
        // Another try goes on behind them: none is re-armed twice by one run.
        let report = desk.resume().await;
        assert_eq!(report.details.rows().expect("rows").done, 25, "{report:#?}");
        relay.stop().await;
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_somebody_has_locked_are_left_and_told() {
    for mut desk in Desk::all().await {
        desk.fill("FAILED", 100, 3, 0).await;
        let mut holder = super::super::server::Schema::of(desk.schema.dialect()).await.expect("a server");
        let table = format!("{}.outbox_transfers", desk.schema.name);
        // Else MariaDB locks whatever it reads.
        holder.script("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await;
        holder.script(&format!("BEGIN; SELECT id FROM {table} WHERE number <= 3 FOR UPDATE")).await;
        let report = desk.run(&Operation::Replay(replay())).await;
        let rows = report.details.rows().expect("rows").clone();
        assert_eq!((report.end, rows.done, rows.left), (End::Partly, 97, 3), "{report:#?}");
        holder.script("ROLLBACK").await;
        let report = desk.resume().await;
        let rows = report.details.rows().expect("rows").clone();
        assert_eq!((report.end, rows.done, rows.left), (End::Done, 100, 0), "{report:#?}");
        holder.end().await;
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_puts_back_what_is_still_as_the_replay_left_it() {
    for mut desk in Desk::all().await {
        desk.fill("FAILED", 200, 3, 0).await;
        let before = "SELECT count(*) FROM outbox_transfers WHERE state = 'FAILED' AND attempts = 10 AND lasterror = 'timeout after 3 s'";
        let replayed = desk.run(&Operation::Replay(replay())).await;
        assert_eq!((replayed.end, desk.number(before).await), (End::Done, 0), "{replayed:#?}");
        // The relay sends some, and one is changed by hand.
        desk.schema.script("UPDATE outbox_transfers SET state = 'SENT' WHERE number <= 30").await;
        desk.schema.script("UPDATE outbox_transfers SET lasterror = 'somebody' WHERE number = 31").await;
        let restore = Operation::Restore(Restore::of(replayed.run.clone()));
        let report = desk.run(&restore).await;
        let rows = report.details.rows().expect("rows").clone();
        let dialect = desk.schema.dialect();
        assert_eq!((report.end, rows.put_back, rows.changed), (End::Done, 169, 31), "{dialect:?}: {report:#?}");
        assert_eq!((desk.number(before).await, desk.in_state("SENT").await), (169, 30));
        // Once more changes nothing.
        let report = desk.run(&restore).await;
        assert_eq!(report.details.rows().expect("rows").put_back, 169, "{report:#?}");
        assert_eq!((desk.number(before).await, desk.in_state("SENT").await), (169, 30));
        // A snapshot that somebody has changed is refused.
        let folder = desk.stage.folder().open(&replayed.run).expect("a run");
        let text = std::fs::read_to_string(folder.snapshot()).expect("text");
        std::fs::write(folder.snapshot(), text.replacen("timeout after 3 s", "timeout after 4 s", 1)).expect("written");
        let plan = desk.plan(&restore).await.expect("a plan").plan;
        assert!(
            plan.blockers.iter().any(|blocker| blocker.as_str().contains("not as the journal has them")),
            "{plan:#?}"
        );
        desk.schema.end().await;
    }
}
