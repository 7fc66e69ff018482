//! Where a run or a plan ends, what is shown leads on: it never goes round.

use opsctl::{
    domain::Protection,
    operations::{Operation, Redrive, values::EngineChoice},
    run::End,
    sandbox::world::{Denial, Fault, PutMessage},
};

use super::{orders, redrive};
use crate::support::stage::{QueueSetup, Stage, arn, caller};

fn fault(text: &str) -> Fault {
    serde_json::from_str(text).expect("a fault")
}

fn queue(name: &str) -> QueueSetup {
    QueueSetup { name: name.to_owned(), ..QueueSetup::default() }
}

#[tokio::test(start_paused = true)]
async fn a_move_task_that_may_not_be_started_leads_to_the_engine_that_needs_none() {
    for engine in [EngineChoice::Auto, EngineChoice::Managed] {
        let mut stage = Stage::new(Protection::Confirm, &orders(5));
        stage.environment.queues.undo_messages_max = Some(0);
        let denial =
            Denial { account: "*".to_owned(), queue: "*".to_owned(), action: "StartMessageMoveTask".to_owned() };
        stage.sandbox.with(|world, _| world.denials.push(denial));
        let report = stage.run(&redrive(|redrive| redrive.engine = engine)).await;
        assert_eq!(report.end, End::Failed, "{report:#?}");
        let hint = report.failure.as_ref().expect("a failure").hint.clone();
        assert!(hint.as_str().contains("--engine client"), "{hint}");
        let reports = stage.follow_to_the_end(report, "orders").await;
        assert_eq!((reports.last().map(|last| last.end), stage.count("orders")), (Some(End::Done), 5), "{reports:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stale_leads_to_another_one() {
    let mut stage = Stage::new(Protection::Confirm, &orders(30));
    stage.fault(fault(r#"{"call":"SendMessageBatch","kind":"lost-after","times":3}"#));
    let first = stage.run(&redrive(|redrive| redrive.lanes = Some(1))).await;
    assert!(!first.details.tally().uncertain.is_empty(), "{first:#?}");
    // A colleague changes a setting that the plan rests on.
    stage.set("orders", "MaximumMessageSize", "2048");
    let stale = stage.follow(first.next.as_ref().expect("a resume").as_str(), "orders").await;
    assert_eq!(stale.end, End::Stale, "{stale:#?}");
    let next = stale.next.clone().expect("what leads on");
    assert!(next.as_str().contains("--despite-unfinished"), "{next}");
    let reports = stage.follow_to_the_end(stale, "orders").await;
    assert_eq!((reports.last().map(|last| last.end), stage.count("orders-dlq")), (Some(End::Done), 0), "{reports:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_parked_in_a_file_leads_to_one_that_can_park_in_another() {
    let mut stage = Stage::new(Protection::Confirm, &orders(4));
    let message = PutMessage {
        sent_at: "2026-11-21T02:00:00Z".parse().ok(),
        dead_letter_source: Some(arn("gone")),
        ..PutMessage::new("{}")
    };
    stage.sandbox.with(|world, now| world.put(now, &caller(), "orders-dlq", message)).expect("a message");
    let file = stage.state.path().join("parked.jsonl");
    std::fs::write(&file, "").expect("written");
    std::fs::remove_file(&file).expect("removed");
    let park = format!("file:{}", file.display());
    let report = stage.run(&redrive(|redrive| redrive.park = Some(park))).await;
    std::fs::write(&file, "").expect("what an earlier run parked");
    let reports = stage.follow_to_the_end(report, "orders").await;
    assert_eq!(reports.last().map(|last| last.end), Some(End::Done), "{reports:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_delay_of_a_source_is_told_and_waited_for() {
    let mut stage = Stage::new(Protection::Confirm, &orders(5));
    let ramp = || Some("1,all".parse().expect("a ramp"));
    let fact = |plan: &opsctl::operations::plan::Plan| {
        plan.facts.iter().find(|fact| fact.label == "ramp").map(|fact| fact.value.to_string()).unwrap_or_default()
    };
    let plain = stage.plan(&redrive(|redrive| redrive.ramp = ramp())).await.expect("a plan").plan;
    stage.set("orders", "DelaySeconds", "300");
    let delayed = stage.plan(&redrive(|redrive| redrive.ramp = ramp())).await.expect("a plan").plan;
    assert!(
        fact(&plain).contains("watching 95 s") && fact(&delayed).contains("watching 395 s"),
        "{plain:#?} {delayed:#?}"
    );
    assert!(delayed.seconds_estimate > plain.seconds_estimate, "{delayed:#?}");
    assert!(
        delayed.warnings.iter().any(|warning| warning.as_str().contains("orders delays each message by 5 min")),
        "{delayed:#?}"
    );
    // Nothing can come back in so short a watch.
    let short = |redrive: &mut Redrive| {
        redrive.ramp = ramp();
        redrive.wait_bounce = Some("1m".parse().expect("a time"));
    };
    let blocked = stage.plan(&redrive(short)).await.expect("a plan").plan;
    assert!(blocked.blockers.iter().any(|because| because.as_str().contains("--wait-bounce 330s")), "{blocked:#?}");
    let longer = redrive(|redrive| {
        short(redrive);
        redrive.wait_bounce = Some("330s".parse().expect("a time"));
    });
    assert!(stage.plan(&longer).await.expect("a plan").plan.blockers.is_empty());
}

/// Pairs by name, which queues exist, what is given, and which DLQ is meant; none: the given one.
type Named = (&'static [(&'static str, &'static str)], &'static [&'static str], &'static str, Option<&'static str>);

#[tokio::test(start_paused = true)]
async fn of_name_pairs_the_first_counts_whose_queue_exists() {
    let cases: [Named; 6] = [
        (&[("*", "*-dlq"), ("*", "*_error")], &["bill", "bill_error"], "bill", Some("bill_error")),
        (&[("*", "*-dlq"), ("*", "*_error")], &["bill", "bill_error"], "bill_error", None),
        (
            &[("*", "*_error"), ("*", "*-dlq")],
            &["login_error", "login_error-dlq"],
            "login_error",
            Some("login_error-dlq"),
        ),
        (&[("*-v2", "*-dlq"), ("*", "*-dlq")], &["bill", "bill-dlq"], "bill-dlq", None),
        (&[("*", "*-dlq")], &["bill"], "bill", None),
        (
            &[("*.fifo", "*-dlq.fifo"), ("*.fifo", "*-dead.fifo")],
            &["bill.fifo", "bill-dead.fifo"],
            "bill.fifo",
            Some("bill-dead.fifo"),
        ),
    ];
    for (pairs, queues, given, meant) in cases {
        let setup: Vec<QueueSetup> = queues.iter().map(|name| QueueSetup { messages: 2, ..queue(name) }).collect();
        let mut stage = Stage::new(Protection::Confirm, &setup);
        stage.environment.queues.pairs = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let operation = Operation::Redrive(Redrive { queue: given.to_owned(), ..Redrive::default() });
        let plan = stage.plan(&operation).await.expect("a plan").plan;
        assert_eq!(plan.resource.as_str(), meant.unwrap_or(given), "{pairs:?} {queues:?}: {plan:#?}");
        // A queue that nothing says to be a DLQ is not emptied unasked.
        let is_one = meant.is_some() || queues.len() > 1;
        assert_eq!(plan.blockers.is_empty(), is_one, "{pairs:?} {queues:?}: {plan:#?}");
        let with_to = Operation::Redrive(Redrive {
            queue: given.to_owned(),
            to: Some(queues[0].to_owned()),
            ..Redrive::default()
        });
        let warned = stage.plan(&with_to).await.expect("a plan").plan;
        let is_warned = warned.warnings.iter().any(|warning| warning.as_str().contains("may be live ones"));
        assert!(is_one || is_warned || !warned.blockers.is_empty(), "{warned:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_names_a_deleted_queue_is_named() {
    let mut stage = Stage::new(Protection::Confirm, &orders(0));
    stage.delete("orders-dlq");
    let operation = Operation::Redrive(Redrive { queue: "orders".to_owned(), ..Redrive::default() });
    let error = stage.plan(&operation).await.expect_err("no DLQ");
    assert!(error.to_string().contains("orders names orders-dlq as its DLQ, which does not exist"), "{error}");
}
