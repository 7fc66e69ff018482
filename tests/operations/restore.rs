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
    let restore = Operation::Restore(Restore { run: purged.run.clone(), to: None, filter: None });
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
