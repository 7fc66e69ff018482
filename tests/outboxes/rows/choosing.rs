//! Which rows are meant, and what a plan says of them.

use opsctl::{
    operations::{Operation, Replay, rows::ReplayState},
    run::End,
};

use super::desk::{Desk, replay};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_chosen_by_what_is_known_of_them() {
    for mut desk in Desk::all().await {
        desk.fill("FAILED", 300, 10, 5).await;
        let text = |text: &str| text.to_owned();
        let cases = [
            (Replay { group: vec![text("g3"), text("g4")], ..replay() }, 60),
            (Replay { kind: vec![text("transfer.settled")], limit: Some(7), ..replay() }, 7),
            (Replay { kind: vec![text("no such type")], ..replay() }, 0),
            (Replay { filter: Some(text(".payload.poison")), ..replay() }, 15),
            (Replay { filter: Some(text(r#".error | test("timeout")"#)), limit: Some(20), ..replay() }, 20),
            (Replay { older_than: Some("99900s".parse().expect("a time")), ..replay() }, 99),
        ];
        let mut left = 300;
        for (replay, expected) in cases {
            let operation = Operation::Replay(replay);
            let before = desk.in_state("FAILED").await;
            let report = desk.run(&operation).await;
            let done = before - desk.in_state("FAILED").await;
            if let Operation::Replay(Replay { older_than: Some(_), .. }) = &operation {
                // The stage's clock is another than the server's.
                continue;
            }
            assert_eq!(done, expected, "{:?}: {operation:?}: {report:#?}", desk.schema.dialect());
            assert_eq!(report.end, if expected > 0 { End::Done } else { End::Nothing }, "{report:#?}");
            left -= expected;
            assert_eq!(left, before - done);
            desk.schema
                .script("UPDATE outbox_transfers SET state = 'FAILED', attempts = 10, lasterror = 'timeout after 3 s'")
                .await;
            left = 300;
        }
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn published_rows_are_meant_only_where_that_is_said() {
    for mut desk in Desk::all().await {
        desk.fill("SENT", 10, 2, 0).await;
        let plan = desk.plan(&Operation::Replay(replay())).await.expect("a plan").plan;
        assert!(plan.empty, "{plan:#?}");
        let published = Replay { state: vec![ReplayState::Published], ..replay() };
        let plan = desk.plan(&Operation::Replay(published.clone())).await.expect("a plan").plan;
        let says = |what: &str| plan.warnings.iter().any(|warning| warning.as_str().contains(what));
        assert!(says("a second time") && says("FIFO") && says("one consumer") && says("relay"), "{plan:#?}");
        let report = desk.run(&Operation::Replay(published)).await;
        assert_eq!((report.end, desk.in_state("PENDING").await), (End::Done, 10), "{report:#?}");
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_replayed_says_why() {
    for mut desk in Desk::all().await {
        let unknown = Operation::Replay(Replay { outbox: "transfer".to_owned(), ..Replay::default() });
        let error = desk.plan(&unknown).await.expect_err("no such outbox");
        assert!(error.hint(&desk.stage.environment).as_str().contains("did you mean transfers"), "{error}");
        let mapping = opsctl::outboxes::preset("nservicebus").expect("a preset").mapping.clone();
        desk.stage.environment.databases.outboxes[0].mapping = mapping;
        let error = desk.plan(&Operation::Replay(replay())).await.expect_err("refused");
        assert!(error.to_string().contains("can't be replayed: "), "{error}");
        assert!(!error.hint(&desk.stage.environment).is_empty());
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_database_than_the_plans_is_not_written_to() {
    let (Some(mut desk), Some(other)) =
        (Desk::of(opsctl::domain::Dialect::Mysql).await, Desk::of(opsctl::domain::Dialect::Mysql).await)
    else {
        return;
    };
    desk.fill("FAILED", 10, 2, 0).await;
    let plan = desk.plan(&Operation::Replay(replay())).await.expect("a plan").plan;
    let approved = desk.stage.approve(plan).expect("approval");
    // The same table, in another database of the server.
    let connections = &mut desk.stage.environment.databases.connections;
    connections[0].database = Some(other.schema.name.clone());
    let context = desk.context().await;
    let report = opsctl::run::execute(approved, &context).await;
    assert_eq!(report.end, End::Stale, "{report:#?}");
    assert_eq!(desk.in_state("FAILED").await, 10);
    desk.schema.end().await;
    other.schema.end().await;
}
