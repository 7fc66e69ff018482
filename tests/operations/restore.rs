//! A snapshot puts back what a run took out.

use opsctl::{
    domain::Protection,
    operations::{Operation, Purge, Restore},
    run::End,
};

use super::orders;
use crate::support::stage::Stage;

#[tokio::test(start_paused = true)]
async fn what_was_purged_comes_back_whole_and_once() {
    let mut stage = Stage::new(Protection::Confirm, &orders(33));
    let before = stage.bodies("orders-dlq");
    let purge = Operation::Purge(Purge { queue: "orders-dlq".to_owned(), ..Purge::default() });
    let purged = stage.run(&purge).await;
    assert_eq!((purged.end, purged.tally.removed, stage.count("orders-dlq")), (End::Done, 33, 0), "{purged:#?}");
    let restore =
        Operation::Restore(Restore { run: purged.run.clone(), to: None, filter: None, perhaps: false, again: false });
    let restored = stage.run(&restore).await;
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
    let queue = crate::support::stage::QueueSetup {
        name: "events.fifo".to_owned(),
        messages: 24,
        groups: 3,
        ..Default::default()
    };
    let mut stage = Stage::new(Protection::Confirm, &[queue]);
    let before = in_groups(&stage.bodies("events.fifo"));
    let purge = Operation::Purge(Purge { queue: "events.fifo".to_owned(), ..Purge::default() });
    let purged = stage.run(&purge).await;
    assert_eq!((purged.end, stage.count("events.fifo")), (End::Done, 0), "{purged:#?}");
    let restore =
        |again| Operation::Restore(Restore { run: purged.run.clone(), to: None, filter: None, perhaps: false, again });
    let restored = stage.run(&restore(false)).await;
    assert_eq!(restored.end, End::Done, "{restored:#?}");
    assert_eq!(in_groups(&stage.bodies("events.fifo")), before);
    let plan = stage.plan(&restore(false)).await.expect("a plan").plan;
    assert!(plan.blockers.iter().any(|blocker| blocker.as_str().contains("--again")), "{:?}", plan.blockers);
    assert!(stage.plan(&restore(true)).await.expect("a plan").plan.blockers.is_empty());
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
