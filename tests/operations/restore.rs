//! A snapshot puts back what a run took out.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use opsctl::{
    domain::{Protection, RunId},
    operations::{
        Operation, Purge, Restore,
        values::{EngineChoice, Seconds, Uncertain},
    },
    run::{self, End, Report},
};

use super::{orders, redrive};
use crate::support::stage::{QueueSetup, Stage, caller};

fn purge(queue: &str) -> Operation {
    Operation::Purge(Purge { queue: queue.to_owned(), ..Purge::default() })
}

fn restore(run: &RunId, change: impl FnOnce(&mut Restore)) -> Operation {
    let mut restore = Restore::of(run.clone());
    change(&mut restore);
    Operation::Restore(restore)
}

fn journal(report: &Report) -> PathBuf {
    report.journal.as_ref().expect("a journal").as_str().into()
}

/// Makes of a run what a kill leaves: of its journal only the lines for which `stays` holds.
fn kill(stage: &Stage, report: &Report, mut stays: impl FnMut(&str) -> bool) {
    let path = journal(report);
    let text = std::fs::read_to_string(&path).expect("a journal");
    let lines: Vec<&str> = text.lines().take_while(|line| stays(line)).collect();
    assert!(lines.len() < text.lines().count(), "nothing was cut: {text}");
    std::fs::write(&path, format!("{}\n", lines.join("\n"))).expect("written");
    // The end of a run that was killed is anchored nowhere.
    let _ = std::fs::remove_file(stage.state.path().join("heads.jsonl"));
}

async fn take_up(stage: &mut Stage, run: &RunId, uncertain: Uncertain) -> Report {
    let mut plan = run::plan_of(&stage.folder(), run).expect("a plan");
    plan.decide_uncertain(uncertain);
    let approved = stage.approve(plan).expect("approval");
    let context = stage.context().await;
    run::resume(run, approved, &context).await.expect("a journal")
}

fn sorted(mut bodies: Vec<String>) -> Vec<String> {
    bodies.sort();
    bodies
}

/// A purge that was killed is settled by its resume, and what the first restore had to leave out comes back with the second.
#[tokio::test(start_paused = true)]
async fn what_a_killed_purge_took_comes_back_whole_and_once() {
    for queue in ["orders-dlq", "events.fifo"] {
        let mut queues = orders(60);
        queues.push(QueueSetup { name: "events.fifo".to_owned(), messages: 60, groups: 3, ..Default::default() });
        let mut stage = Stage::new(Protection::Confirm, &queues);
        let before = stage.bodies(queue);
        let purged = stage.run(&purge(queue)).await;
        assert_eq!((purged.end, stage.count(queue)), (End::Done, 0), "{purged:#?}");
        // All is deleted, and of most of it the journal does not know.
        let mut deletions = 0;
        kill(&stage, &purged, |line| {
            deletions += usize::from(line.contains(r#""kind":"deleted""#));
            !line.contains(r#""kind":"ended""#) && (deletions < 2 || line.contains(r#""kind":"intent""#))
        });
        let first = stage.run(&restore(&purged.run, |_| ())).await;
        assert_eq!(first.end, End::Partly, "{first:#?}");
        let next = first.next.as_ref().expect("how to go on");
        assert_eq!(next.as_str(), format!("opsctl purge --resume {} --env dev", purged.run));
        let left = before.len() - stage.count(queue);
        let says = first.notes.iter().any(|note| note.as_str().starts_with(&format!("{left} messages left out")));
        assert!(left > 0 && says, "{left}: {:?}", first.notes);
        // The queue has what was put back: the purge that is taken up must leave that.
        let settled = take_up(&mut stage, &purged.run, Uncertain::Leave).await;
        assert_eq!(stage.count(queue), before.len() - left, "what arrived since is not the purge's: {settled:#?}");
        let second = stage.run(&restore(&purged.run, |_| ())).await;
        assert_eq!(second.end, End::Done, "{second:#?}");
        assert_eq!(sorted(stage.bodies(queue)), sorted(before), "whole, and once: {second:#?}");
        let third = stage.plan(&restore(&purged.run, |_| ())).await.expect("a plan").plan;
        assert!(third.empty && third.blockers.is_empty(), "{third:#?}");
    }
}

/// A resume of a purge that sees the queue empty knows that what was to be deleted is gone.
#[tokio::test(start_paused = true)]
async fn a_purge_that_is_taken_up_settles_what_is_gone_and_deletes_what_is_there() {
    for limit in [None, Some(20)] {
        let mut stage = Stage::new(Protection::Confirm, &orders(30));
        let before: BTreeSet<String> = stage.bodies("orders-dlq").into_iter().collect();
        let operation = Purge { queue: "orders-dlq".to_owned(), limit, ..Purge::default() };
        let purged = stage.run(&Operation::Purge(operation)).await;
        kill(&stage, &purged, |line| !line.contains(r#""kind":"deleted""#) && !line.contains(r#""kind":"ended""#));
        let resumed = take_up(&mut stage, &purged.run, Uncertain::Leave).await;
        assert!(matches!(resumed.end, End::Done | End::Nothing), "{resumed:#?}");
        let restored = stage.run(&restore(&purged.run, |_| ())).await;
        assert_eq!(restored.end, End::Done, "{restored:#?}");
        let after = stage.bodies("orders-dlq");
        assert_eq!(after.len(), before.len(), "none twice: {restored:#?}");
        assert_eq!(after.into_iter().collect::<BTreeSet<_>>(), before, "none lost");
    }
}

#[tokio::test(start_paused = true)]
async fn restores_of_parts_add_up_and_none_is_put_back_twice() {
    let mut stage = Stage::new(Protection::Confirm, &orders(40));
    let before = sorted(stage.bodies("orders-dlq"));
    let purged = stage.run(&purge("orders-dlq")).await;
    for filter in [".body.even", ".body.n < 20"] {
        let part = stage.run(&restore(&purged.run, |restore| restore.filter = Some(filter.to_owned()))).await;
        assert_eq!(part.end, End::Done, "{part:#?}");
    }
    assert_eq!(stage.count("orders-dlq"), 30);
    let rest = stage.run(&restore(&purged.run, |_| ())).await;
    assert_eq!((rest.end, rest.details.tally().moved), (End::Done, 10), "{rest:#?}");
    assert_eq!(sorted(stage.bodies("orders-dlq")), before);
    // On purpose all of it comes twice.
    let again = stage.run(&restore(&purged.run, |restore| restore.again = true)).await;
    assert_eq!((again.end, again.details.tally().moved, stage.count("orders-dlq")), (End::Done, 40, 80), "{again:#?}");
}

/// What a filter fails on was not left out by choice.
#[tokio::test(start_paused = true)]
async fn what_the_filter_fails_on_is_named() {
    let mut stage = Stage::new(Protection::Confirm, &orders(12));
    let purged = stage.run(&purge("orders-dlq")).await;
    let filter = r#"if .body.n == 3 then error("no") else true end"#;
    let part = stage.run(&restore(&purged.run, |restore| restore.filter = Some(filter.to_owned()))).await;
    assert_eq!(
        (part.end, part.details.tally().moved, part.details.tally().kept_named.len()),
        (End::Partly, 11, 1),
        "{part:#?}"
    );
    let rest = stage.run(&restore(&purged.run, |_| ())).await;
    assert_eq!((rest.end, rest.details.tally().moved, stage.count("orders-dlq")), (End::Done, 1, 12), "{rest:#?}");
}

/// The original and the copy that came back both stand in the snapshot: they are one message.
#[tokio::test(start_paused = true)]
async fn a_message_that_came_back_and_was_parked_is_put_back_once() {
    for park in ["parked", "file"] {
        let mut queues = orders(12);
        queues.push(QueueSetup { name: "parked".to_owned(), ..Default::default() });
        let mut stage = Stage::new(Protection::Confirm, &queues);
        let before = sorted(stage.bodies("orders-dlq"));
        let sandbox = stage.sandbox.clone();
        let consumer = tokio::spawn(async move {
            loop {
                sandbox.clock().sleep(Duration::from_secs(1)).await;
                sandbox.with(|world, now| world.take(now, &caller(), "orders", 10, Some(0))).expect("a queue");
            }
        });
        let file = stage.state.path().join("parked.jsonl");
        let place = if park == "file" { format!("file:{}", file.display()) } else { park.to_owned() };
        let redriven = stage
            .run(&redrive(|redrive| {
                redrive.park = Some(place);
                redrive.engine = EngineChoice::Client;
                redrive.ramp = Some("4,all".parse().expect("a ramp"));
                redrive.max_bounce = Some("100%".parse().expect("a share"));
                redrive.wait_bounce = Some(Seconds(30));
            }))
            .await;
        consumer.abort();
        assert!(redriven.details.tally().parked + redriven.details.tally().removed > 0, "{redriven:#?}");
        let snapshot = std::fs::read_to_string(redriven.snapshot.as_ref().expect("a snapshot").as_str()).expect("text");
        assert!(snapshot.lines().count() > 12, "copies stand in it as well");
        // What did not come back in time is no affair of this test's.
        stage.sandbox.with(|world, now| {
            while !world.take(now, &caller(), "orders-dlq", 10, Some(3_600)).expect("a queue").is_empty() {}
        });
        let lying = stage.count("orders-dlq");
        let restored = stage.run(&restore(&redriven.run, |_| ())).await;
        assert_eq!((restored.end, restored.details.tally().moved), (End::Done, 12), "{restored:#?}");
        assert_eq!(stage.count("orders-dlq"), lying + 12);
        let bodies: BTreeSet<String> = stage.bodies("orders-dlq").into_iter().collect();
        assert_eq!(bodies.into_iter().collect::<Vec<_>>(), before);
        if park == "file" {
            let parked = std::fs::read_to_string(&file).expect("the parking file");
            assert_eq!(parked.lines().count() as u64, redriven.details.tally().removed);
        }
    }
}

/// Killed while a send was under way: within the deduplication window it is sent again under the same id, later somebody decides.
#[tokio::test(start_paused = true)]
async fn a_fifo_restore_that_was_killed_in_a_send_can_be_finished() {
    for (minutes, policy) in [(1, Uncertain::Leave), (30, Uncertain::Leave), (30, Uncertain::Resend)] {
        let queue = QueueSetup { name: "events.fifo".to_owned(), messages: 24, groups: 3, ..Default::default() };
        let mut stage = Stage::new(Protection::Confirm, &[queue]);
        let before = in_groups(&stage.bodies("events.fifo"));
        let purged = stage.run(&purge("events.fifo")).await;
        let restored = stage.run(&restore(&purged.run, |_| ())).await;
        assert_eq!(restored.end, End::Done, "{restored:#?}");
        // All was sent, and of the last send the journal does not know.
        let sends = std::fs::read_to_string(journal(&restored)).expect("text").matches(r#""kind":"sent""#).count();
        let mut sent = 0;
        kill(&stage, &restored, |line| {
            sent += usize::from(line.contains(r#""kind":"sent""#));
            sent < sends
        });
        stage.sandbox.clock().sleep(Duration::from_secs(minutes * 60)).await;
        let resumed = take_up(&mut stage, &restored.run, policy).await;
        let count = stage.count("events.fifo");
        match (minutes, policy) {
            (1, _) => {
                assert_eq!((resumed.end, count), (End::Done, 24), "{resumed:#?}");
                assert_eq!(in_groups(&stage.bodies("events.fifo")), before);
            }
            (_, Uncertain::Leave) => {
                assert_eq!(resumed.end, End::Partly, "{resumed:#?}");
                assert!(!resumed.details.tally().uncertain.is_empty(), "{resumed:#?}");
                let decided = take_up(&mut stage, &restored.run, Uncertain::Resend).await;
                assert_eq!(
                    (decided.end, decided.details.tally().resent.len()),
                    (End::Done, resumed.details.tally().uncertain.len())
                );
            }
            (_, Uncertain::Resend) => {
                assert_eq!(resumed.end, End::Done, "{resumed:#?}");
                assert_eq!(
                    resumed.details.tally().resent.len(),
                    count - 24,
                    "what is there twice is named: {resumed:#?}"
                );
                assert!(!resumed.details.tally().resent.is_empty());
            }
        }
        let settled = take_up(&mut stage, &restored.run, Uncertain::Leave).await;
        assert_eq!(settled.end, End::Nothing, "it has an end: {settled:#?}");
    }
}

/// A snapshot that is not what was written is refused whole; in so many words what is intact comes back.
#[tokio::test(start_paused = true)]
async fn a_damaged_snapshot_is_refused_and_what_is_intact_can_be_had() {
    type Harm = fn(&mut Vec<String>);
    let harms: [(&str, Harm, u64); 5] = [
        ("cut", |lines| lines.truncate(20), 20),
        ("edited", |lines| lines[7] = lines[7].replacen(r#"\"n\":"#, r#"\"m\":"#, 1), 39),
        ("its origin edited", |lines| lines[7] = lines[7].replacen(":orders\"", ":others\"", 1), 39),
        ("reordered", |lines| lines.swap(3, 33), 40),
        ("doubled", |lines| lines.push(lines[5].clone()), 40),
    ];
    for (how, harm, intact) in harms {
        let mut stage = Stage::new(Protection::Confirm, &orders(40));
        let purged = stage.run(&purge("orders-dlq")).await;
        let path = purged.snapshot.as_ref().expect("a snapshot").as_str().to_owned();
        let text = std::fs::read_to_string(&path).expect("a snapshot");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        harm(&mut lines);
        std::fs::write(&path, format!("{}\n", lines.join("\n"))).expect("written");
        assert_ne!(std::fs::read_to_string(&path).expect("a snapshot"), text, "{how}: no harm was done");
        let plan = stage.plan(&restore(&purged.run, |_| ())).await.expect("a plan").plan;
        assert!(plan.blockers.iter().any(|blocker| blocker.as_str().contains("--intact")), "{how}: {plan:#?}");
        assert!(stage.approve(plan).is_err(), "{how}");
        let restored = stage.run(&restore(&purged.run, |restore| restore.intact = true)).await;
        let end = if intact == 40 { End::Done } else { End::Partly };
        assert_eq!((restored.end, restored.details.tally().moved), (end, intact), "{how}: {restored:#?}");
        assert_eq!(stage.count("orders-dlq") as u64, intact, "{how}");
    }
}

/// What a run did between the end of the moving and its own end is done by the resume.
#[tokio::test(start_paused = true)]
async fn a_park_file_that_was_not_written_is_written_by_the_resume() {
    let mut stage = Stage::new(Protection::Confirm, &orders(12));
    let sandbox = stage.sandbox.clone();
    let consumer = tokio::spawn(async move {
        loop {
            sandbox.clock().sleep(Duration::from_secs(1)).await;
            sandbox.with(|world, now| world.take(now, &caller(), "orders", 10, Some(0))).expect("a queue");
        }
    });
    let file = stage.state.path().join("parked.jsonl");
    let redriven = stage
        .run(&redrive(|redrive| {
            redrive.park = Some(format!("file:{}", file.display()));
            redrive.ramp = Some("4,all".parse().expect("a ramp"));
            redrive.max_bounce = Some("100%".parse().expect("a share"));
            redrive.wait_bounce = Some(Seconds(30));
        }))
        .await;
    consumer.abort();
    assert!(redriven.details.tally().removed > 0, "{redriven:#?}");
    let whole = std::fs::read_to_string(&file).expect("the parking file");
    let ids = |text: &str| -> BTreeSet<String> {
        let id =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["message"]["id"].to_string();
        text.lines().map(id).collect()
    };
    // Killed in the last watch: neither its record nor the end is written.
    let steps = std::fs::read_to_string(journal(&redriven)).expect("text").matches(r#""kind":"step""#).count();
    let mut seen = 0;
    kill(&stage, &redriven, |line| {
        seen += usize::from(line.contains(r#""kind":"step""#));
        seen < steps
    });
    for before in
        [None, Some(String::new()), whole.lines().next().map(|line| format!("{line}\n{{\"from\"")), Some(whole.clone())]
    {
        match &before {
            None => std::fs::remove_file(&file).expect("gone"),
            Some(text) => std::fs::write(&file, text).expect("written"),
        }
        let resumed = take_up(&mut stage, &redriven.run, Uncertain::Leave).await;
        let parked = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {resumed:#?}"));
        assert!(ids(&parked).is_superset(&ids(&whole)), "{before:?}: {resumed:#?}");
    }
    // Somebody else's file stays as it is, and the run is not done.
    std::fs::write(&file, "mine\n").expect("written");
    let resumed = take_up(&mut stage, &redriven.run, Uncertain::Leave).await;
    assert_eq!((resumed.end, std::fs::read_to_string(&file).expect("a file").as_str()), (End::Partly, "mine\n"));
    let left = std::fs::read_dir(stage.state.path()).expect("a folder").flatten();
    assert!(
        left.into_iter().all(|entry| !entry.file_name().to_string_lossy().starts_with(".parked")),
        "nothing beside it"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_purged_comes_back_whole_and_once() {
    let mut stage = Stage::new(Protection::Confirm, &orders(33));
    let before = stage.bodies("orders-dlq");
    let purged = stage.run(&purge("orders-dlq")).await;
    assert_eq!(
        (purged.end, purged.details.tally().removed, stage.count("orders-dlq")),
        (End::Done, 33, 0),
        "{purged:#?}"
    );
    let restored = stage.run(&restore(&purged.run, |_| ())).await;
    assert_eq!(restored.end, End::Done, "{restored:#?}");
    let mut after = stage.bodies("orders-dlq");
    let mut before = before;
    before.sort();
    after.sort();
    assert_eq!(before, after);
    let resumed = stage.resume().await;
    assert_eq!((resumed.end, stage.count("orders-dlq")), (End::Nothing, 33), "nothing is put back twice: {resumed:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_fifo_queue_comes_back_in_its_order() {
    let queue = QueueSetup { name: "events.fifo".to_owned(), messages: 24, groups: 3, ..Default::default() };
    let mut stage = Stage::new(Protection::Confirm, &[queue]);
    let before = in_groups(&stage.bodies("events.fifo"));
    let purged = stage.run(&purge("events.fifo")).await;
    assert_eq!((purged.end, stage.count("events.fifo")), (End::Done, 0), "{purged:#?}");
    let restored = stage.run(&restore(&purged.run, |_| ())).await;
    assert_eq!(restored.end, End::Done, "{restored:#?}");
    assert_eq!(in_groups(&stage.bodies("events.fifo")), before);
    let plan = stage.plan(&restore(&purged.run, |_| ())).await.expect("a plan").plan;
    assert!(plan.empty && plan.warnings.iter().any(|warning| warning.as_str().contains("--again")), "{plan:#?}");
    let plan = stage.plan(&restore(&purged.run, |restore| restore.again = true)).await.expect("a plan").plan;
    assert!(!plan.empty && plan.blockers.is_empty());
}

/// Numbers of the messages of each group, in order.
fn in_groups(bodies: &[String]) -> [Vec<u64>; 3] {
    let mut groups: [Vec<u64>; 3] = Default::default();
    for body in bodies {
        let number = serde_json::from_str::<serde_json::Value>(body).expect("JSON")["n"].as_u64().expect("a number");
        groups[number as usize % 3].push(number);
    }
    groups
}
