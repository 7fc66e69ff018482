//! Databases of the world, met through `Dial`: in process, and by a program that joined.

use opsctl::{
    clock::Clock,
    domain::{Answerer, Ask, Because, Endpoint, Reached, Rows, SqlError, SqlKind, Statement, Told, Unanswered, Value},
    sandbox::{
        Sandbox, endpoint,
        join::Joined,
        world::rds::{Cluster, Instance},
    },
};

use super::{ACCOUNT, Served, sandbox};

const REGION: &str = "af-south-1";
const HOST: &str = "orders.cluster-c111111111111.af-south-1.rds.amazonaws.com";
const READER: &str = "orders.cluster-ro-c111111111111.af-south-1.rds.amazonaws.com";

/// A cluster with a writer and a reader.
fn scene() -> Sandbox {
    let sandbox = sandbox();
    sandbox.with(|world, now| {
        let instance =
            |name: &str| Instance::new(name, "db.r6g.large", "aurora-postgresql", "16.6", "af-south-1a", now);
        let cluster = Cluster::new("orders", "aurora-postgresql", "16.6", &["one", "two"], now);
        world.put_cluster(ACCOUNT, REGION, cluster, vec![instance("one"), instance("two")]);
    });
    sandbox
}

async fn open(answerer: &Answerer, host: &str) -> Result<u64, Unanswered> {
    let told =
        answerer(Ask::Connect { endpoint: Endpoint { host: host.to_owned(), port: 5432 }, database: None }).await?;
    match told {
        Told::Connected(number) => Ok(number),
        other => panic!("{other:?}"),
    }
}

/// A statement's rows; one on a connection that broke is [`SqlKind::Lost`].
async fn run(answerer: &Answerer, session: u64, text: &str, values: &[Value]) -> Result<Rows, SqlError> {
    let statement = Statement { text: text.to_owned(), values: values.to_vec() };
    let told = answerer(Ask::Run(session, statement)).await;
    match told.map_err(|failure| SqlError::new(SqlKind::Lost, failure.words.as_str()))? {
        Told::Rows(rows) => Ok(rows),
        Told::Failed(error) => Err(error),
        other => panic!("{other:?}"),
    }
}

async fn role(answerer: &Answerer, session: u64) -> Result<Told, Because> {
    answerer(Ask::Role(session)).await.map_err(|failure| failure.because)
}

async fn does(answerer: &Answerer, session: u64, text: &str) {
    run(answerer, session, text, &[]).await.unwrap_or_else(|failure| panic!("{text}: {failure}"));
}

#[tokio::test]
async fn what_the_writer_was_given_a_reader_shows_and_does_not_change() {
    let sandbox = scene();
    let served = Served::new(&sandbox).await;
    let clock = Clock::system();
    let joined = Joined { endpoint: served.url.clone(), pid: 1, seed: 7, speed: 1.0, clock };
    let here = sandbox.answerer();
    let first = open(&here, HOST).await.expect("open");
    does(&here, first, "CREATE TABLE note (way INTEGER, text TEXT)").await;
    for (index, answerer) in (0..).zip([&here, &endpoint::answerer(&joined)]) {
        let (writer, reader) = (open(answerer, HOST).await.expect("open"), open(answerer, READER).await.expect("open"));
        assert_eq!(role(answerer, writer).await, Ok(Told::Role(Reached::Writes)));
        assert_eq!(role(answerer, reader).await, Ok(Told::Role(Reached::ReadsOnly)));
        let insert = "INSERT INTO note VALUES (?, ?), (?1, NULL)";
        let values = [Value::Integer(index), Value::Text("it's".to_owned())];
        does(answerer, writer, "BEGIN").await;
        assert_eq!(run(answerer, writer, insert, &values).await.map(|rows| rows.changed), Ok(2));
        let all = "SELECT text FROM note WHERE way = ? ORDER BY text";
        let before = run(answerer, reader, all, &values[..1]).await.expect("rows");
        assert_eq!(before, Rows::default(), "not committed yet");
        does(answerer, writer, "COMMIT").await;
        let rows = run(answerer, reader, all, &values[..1]).await.expect("rows").rows;
        assert_eq!(rows, [[Value::Null], [Value::Text("it's".to_owned())]]);
        let refused = run(answerer, reader, insert, &values).await.expect_err("it reads only");
        assert_eq!(refused.kind, SqlKind::ReadOnly);
        assert!(refused.words.as_str().contains("read-only transaction"), "{refused}");
        does(answerer, writer, "BEGIN").await;
        does(answerer, writer, "DELETE FROM note").await;
        assert_eq!(answerer(Ask::Close(writer)).await, Ok(Told::Closed));
        assert_eq!(run(answerer, writer, all, &values[..1]).await.map_err(|error| error.kind), Err(SqlKind::Lost));
        let left = run(answerer, reader, all, &values[..1]).await.expect("rows").rows;
        assert_eq!(left.len(), 2, "what was not committed is undone");
    }
}

#[tokio::test(start_paused = true)]
async fn who_writes_waits_for_another_transaction_and_gives_up_in_the_end() {
    let sandbox = scene();
    let answerer = sandbox.answerer();
    let (one, other) = (open(&answerer, HOST).await.expect("open"), open(&answerer, HOST).await.expect("open"));
    does(&answerer, one, "CREATE TABLE note (text TEXT)").await;
    does(&answerer, one, "BEGIN IMMEDIATE").await;
    let insert = "INSERT INTO note VALUES ('x')";
    let locked = run(&answerer, other, insert, &[]).await.expect_err("locked");
    assert_eq!(locked.kind, SqlKind::LockTimeout, "{locked}");
    let freed = async {
        sandbox.clock().sleep(std::time::Duration::from_secs(1)).await;
        does(&answerer, one, "COMMIT").await;
    };
    let (waited, ()) = tokio::join!(run(&answerer, other, insert, &[]), freed);
    assert_eq!(waited.map(|rows| rows.changed), Ok(1));
}

#[tokio::test]
async fn a_statement_meets_the_faults_and_denials_of_its_database() {
    let sandbox = scene();
    let answerer = sandbox.answerer();
    let fault = |nth: u64, kind: &str| {
        let text = serde_json::json!({ "call": "rds-db:execute", "queue": "orders/*", "nth": nth, "kind": kind });
        let fault = serde_json::from_value(text).expect("a fault");
        sandbox.with(|world, _| world.faults.add(fault));
    };
    let session = open(&answerer, HOST).await.expect("open");
    does(&answerer, session, "CREATE TABLE note (text TEXT)").await;
    fault(1, "lost-before");
    fault(2, "lost-after");
    for (text, there) in [("before", 0), ("after", 1)] {
        let session = open(&answerer, HOST).await.expect("open");
        let insert = format!("INSERT INTO note VALUES ('{text}')");
        let lost = run(&answerer, session, &insert, &[]).await.expect_err("lost");
        assert_eq!(lost.kind, SqlKind::Lost);
        let again = open(&answerer, HOST).await.expect("open");
        let count = format!("SELECT 1 FROM note WHERE text = '{text}'");
        let seen = sandbox.with(|world, _| std::mem::take(&mut world.faults));
        assert_eq!(run(&answerer, again, &count, &[]).await.map(|rows| rows.rows.len()), Ok(there), "{text}");
        sandbox.with(|world, _| world.faults = seen);
    }
    let denial = serde_json::from_value(serde_json::json!({ "action": "rds-db:execute" })).expect("a denial");
    sandbox.with(|world, _| world.denials.push(denial));
    let denied = run(&answerer, session, "SELECT 1", &[]).await.expect_err("denied");
    assert_eq!(denied.kind, SqlKind::Denied);
}

#[tokio::test(start_paused = true)]
async fn a_failover_breaks_sessions_and_what_is_opened_after_it_meets_the_new_writer() {
    let sandbox = scene();
    let answerer = sandbox.answerer();
    let before = open(&answerer, HOST).await.expect("open");
    let request = aws_sdk_rds::Client::new(&super::in_process(&sandbox)).failover_db_cluster();
    request.db_cluster_identifier("orders").target_db_instance_identifier("two").send().await.expect("begun");
    assert_eq!(role(&answerer, before).await, Ok(Told::Role(Reached::Writes)), "not yet");
    sandbox.clock().sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(role(&answerer, before).await, Err(Because::Broken));
    assert_eq!(answerer(Ask::Close(before)).await, Ok(Told::Closed), "it is closed already");
    let after = open(&answerer, HOST).await.expect("open");
    assert_eq!(role(&answerer, after).await, Ok(Told::Role(Reached::Writes)));
    let former = open(&answerer, "one.c111111111111.af-south-1.rds.amazonaws.com").await.expect("open");
    assert_eq!(role(&answerer, former).await, Ok(Told::Role(Reached::ReadsOnly)));
}

#[tokio::test]
async fn a_denied_connection_is_a_refused_login() {
    let sandbox = scene();
    let denial = serde_json::from_value(serde_json::json!({ "action": "rds-db:connect" })).expect("a denial");
    sandbox.with(|world, _| world.denials.push(denial));
    let failed = open(&sandbox.answerer(), HOST).await.expect_err("denied");
    assert_eq!(failed.because, Because::Login);
    let nowhere = open(&sandbox.answerer(), "orders.example.com").await.map_err(|failure| failure.because);
    assert_eq!(nowhere, Err(Because::Login), "whatever it is called");
}
