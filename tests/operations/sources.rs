//! What opsctl put into a DLQ it can send on, each to its own source, although SQS knows no source of it.

use opsctl::{
    domain::{Protection, RunId},
    operations::{Operation, Purge, Redrive, Restore, plan::Plan, values::EngineChoice},
    run::End,
};

use crate::support::stage::{QueueSetup, Stage, arn, caller};

/// A DLQ of two queues, with 6 dead letters of `credits` and 4 of `debits`; 40 more of `credits` where it is to be a long one.
fn stage() -> Stage {
    let source = |name: &str| QueueSetup {
        name: name.to_owned(),
        dead_letter: Some(("shared-dlq".to_owned(), 3)),
        ..QueueSetup::default()
    };
    let dead = QueueSetup { name: "shared-dlq".to_owned(), ..QueueSetup::default() };
    let stage = Stage::new(Protection::Confirm, &[source("credits"), source("debits"), dead]);
    for number in 0..10 {
        let source = if number < 6 { "credits" } else { "debits" };
        put(&stage, source, number, Some(source));
    }
    stage
}

fn put(stage: &Stage, of: &str, number: usize, died_in: Option<&str>) {
    let message = opsctl::sandbox::world::PutMessage {
        sent_at: "2026-11-21T02:00:00Z".parse().ok(),
        receive_count: 3,
        dead_letter_source: died_in.map(arn),
        ..opsctl::sandbox::world::PutMessage::new(format!(r#"{{"n":{number},"of":"{of}"}}"#))
    };
    stage.sandbox.with(|world, now| world.put(now, &caller(), "shared-dlq", message)).expect("a message");
}

fn redrive(change: impl FnOnce(&mut Redrive)) -> Operation {
    let mut redrive = Redrive { queue: "shared-dlq".to_owned(), ..Redrive::default() };
    change(&mut redrive);
    Operation::Redrive(redrive)
}

fn restore(run: RunId) -> Operation {
    Operation::Restore(Restore::of(run))
}

/// A run takes what was sent before it began.
async fn later(stage: &Stage) {
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(5)).await;
}

/// Consumers take what lies in the sources.
async fn consumed(stage: &mut Stage) {
    later(stage).await;
    for queue in ["credits", "debits"] {
        let purge = Operation::Purge(Purge { queue: queue.to_owned(), ..Purge::default() });
        assert_eq!(stage.run(&purge).await.end, End::Done);
    }
}

fn assert_each_at_home(stage: &Stage) {
    for (queue, messages) in [("credits", 6), ("debits", 4)] {
        let bodies = stage.bodies(queue);
        assert_eq!(bodies.len(), messages, "{queue}: {bodies:?}");
        assert!(bodies.iter().all(|body| body.contains(&format!(r#""of":"{queue}""#))), "{queue}: {bodies:?}");
    }
    assert_eq!(stage.count("shared-dlq"), 0);
}

fn fact<'a>(plan: &'a Plan, label: &str) -> &'a str {
    plan.facts.iter().find(|fact| fact.label == label).map_or("", |fact| fact.value.as_str())
}

#[tokio::test(start_paused = true)]
async fn what_was_restored_goes_on_to_its_own_source_and_what_was_restored_again_too() {
    // As little as possible is left to the default: with 0 the move task would be chosen for any queue.
    for undo_messages_max in [None, Some(0)] {
        let mut stage = stage();
        stage.environment.queues.undo_messages_max = undo_messages_max;
        let mut report = stage.run(&redrive(|redrive| redrive.engine = EngineChoice::Client)).await;
        assert_each_at_home(&stage);
        for round in 0..3 {
            consumed(&mut stage).await;
            let restored = stage.run(&restore(report.run.clone())).await;
            assert_eq!((restored.end, stage.count("shared-dlq")), (End::Done, 10), "{restored:#?}");
            later(&stage).await;
            let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
            assert!(plan.blockers.is_empty(), "round {round}: {:?}", plan.blockers);
            assert_eq!(
                fact(&plan, "sources"),
                "10 of 10 sampled name no source queue; 10 of those known from earlier runs"
            );
            assert!(fact(&plan, "engine").starts_with("client-side"), "{}", fact(&plan, "engine"));
            report = stage.run(&redrive(|_| ())).await;
            assert_eq!(report.end, End::Done, "round {round}: {report:#?}");
            assert_each_at_home(&stage);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_purge_that_was_restored_goes_on_as_well() {
    let mut stage = stage();
    let purged = stage.run(&Operation::Purge(Purge { queue: "shared-dlq".to_owned(), ..Purge::default() })).await;
    assert_eq!(stage.run(&restore(purged.run)).await.end, End::Done);
    later(&stage).await;
    let report = stage.run(&redrive(|_| ())).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_each_at_home(&stage);
}

#[tokio::test(start_paused = true)]
async fn those_with_a_source_go_and_the_others_are_named_with_what_helps() {
    let mut stage = stage();
    put(&stage, "nobody", 90, None);
    put(&stage, "nobody", 91, Some("gone"));
    let report = stage.run(&redrive(|_| ())).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert_eq!((stage.count("credits"), stage.count("debits"), stage.count("shared-dlq")), (6, 4, 2));
    assert_eq!(report.details.tally().kept_named.len(), 2, "{report:#?}");
    let helps =
        |note: &&opsctl::domain::Text| note.as_str().contains("opsctl redrive --queue shared-dlq --to QUEUE --where ");
    assert_eq!(report.notes.iter().filter(helps).count(), 2, "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_sample_without_sources_is_never_left_to_a_move_task() {
    let mut stage = stage();
    stage.environment.queues.undo_messages_max = Some(0);
    stage.run(&Operation::Purge(Purge { queue: "shared-dlq".to_owned(), ..Purge::default() })).await;
    for number in 0..10 {
        put(&stage, "nobody", number, None);
    }
    later(&stage).await;
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    assert_eq!(fact(&plan, "sources"), "10 of 10 sampled name no source queue");
    assert_eq!(fact(&plan, "engine"), "client-side, because of messages that a move task has no destination for");
    assert!(plan.warnings.iter().any(|warning| warning.as_str().contains("--to")), "{:?}", plan.warnings);
    let managed = redrive(|redrive| redrive.engine = EngineChoice::Managed);
    let blockers = stage.plan(&managed).await.expect("a plan").plan.blockers;
    assert!(blockers.iter().any(|blocker| blocker.as_str().contains("10 of the sample")), "{blockers:?}");
    let to = redrive(|redrive| redrive.to = Some("credits".to_owned()));
    let report = stage.run(&to).await;
    assert_eq!((report.end, stage.count("credits")), (End::Done, 10), "with --to SQS asks nobody: {report:#?}");
}
