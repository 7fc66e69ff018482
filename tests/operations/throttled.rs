//! Throttled half the time, through a whole redrive.

use std::sync::{Arc, Once};

use opsctl::{
    domain::Protection,
    operations::values::EngineChoice,
    run::{self, End},
    sandbox::{
        Sandbox,
        world::{Fault, FaultKind},
    },
};

use super::{orders, redrive};
use crate::support::stage::{QueueSetup, Stage};

const MESSAGES: usize = 200;
/// More than a run makes.
const CALLS_MAX: u64 = 4_000;

/// From now on every call is throttled or not as a coin falls.
fn throttle_half(sandbox: &Sandbox, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    for nth in (1..=CALLS_MAX).filter(|_| random.bool()) {
        let fault = Fault { call: "*".to_owned(), queue: None, nth, times: 1, kind: FaultKind::Throttled };
        sandbox.with(|world, _| world.faults.add(fault));
    }
}

fn fifo() -> Vec<QueueSetup> {
    let orders = QueueSetup {
        name: "orders.fifo".to_owned(),
        dead_letter: Some(("orders-dlq.fifo".to_owned(), 3)),
        ..QueueSetup::default()
    };
    let dead = QueueSetup {
        name: "orders-dlq.fifo".to_owned(),
        died_in: Some("orders.fifo".to_owned()),
        messages: MESSAGES,
        groups: 20,
        ..QueueSetup::default()
    };
    vec![orders, dead]
}

/// Redrives all: none is left, lost or doubled.
async fn all_are_moved(queues: &[QueueSetup], dead_letters: &str, seed: u64) -> Stage {
    let mut stage = Stage::new(Protection::Confirm, queues);
    let operation = redrive(|redrive| {
        redrive.queue = dead_letters.to_owned();
        redrive.engine = EngineChoice::Client;
    });
    let plan = stage.plan(&operation).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let mut context = stage.context().await;
    // From the first answer on: a run that can't look at its queues does not begin.
    let (sandbox, begun) = (stage.sandbox.clone(), Once::new());
    context.progress = Arc::new(move |_| begun.call_once(|| throttle_half(&sandbox, seed)));
    let report = run::execute(approved, &context).await;
    assert_eq!((report.end, report.details.tally().moved), (End::Done, MESSAGES as u64), "seed {seed}: {report:#?}");
    assert!(
        report.details.tally().throttled > 20,
        "seed {seed}: it was throttled: {}",
        report.details.tally().throttled
    );
    assert_eq!(stage.copies().len(), MESSAGES, "seed {seed}: none is lost");
    assert!(stage.copies().values().all(|times| *times == 1), "seed {seed}: none is doubled");
    assert_eq!(stage.count(dead_letters), 0, "seed {seed}");
    stage
}

#[tokio::test(start_paused = true)]
async fn a_standard_redrive_moves_all() {
    for seed in [0, 3, 5, 8] {
        all_are_moved(&orders(MESSAGES), "orders-dlq", seed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_fifo_redrive_moves_all_in_order() {
    for seed in [0, 3, 5, 8] {
        let stage = all_are_moved(&fifo(), "orders-dlq.fifo", seed).await;
        let numbers = stage.bodies("orders.fifo").into_iter().map(|body| {
            let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            body["n"].as_u64().expect("a number")
        });
        let numbers: Vec<u64> = numbers.collect();
        for group in 0..20 {
            let of_group: Vec<_> = numbers.iter().filter(|number| *number % 20 == group).collect();
            assert!(of_group.is_sorted(), "group {group} out of order: {of_group:?}");
        }
    }
}
