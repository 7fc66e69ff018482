//! Databases of the world, met through `Dial`: in process, and by a program that joined.

use std::sync::{Arc, Mutex};

use opsctl::{
    clock::Clock,
    domain::{Answerer, Ask, Because, Endpoint, Reached, Rows, Statement, Told, Unanswered, Value},
    sandbox::{
        Sandbox, endpoint,
        join::Joined,
        world::rds::{Cluster, Engine, Instance, Session},
    },
};

use super::{ACCOUNT, Served, sandbox};

const REGION: &str = "af-south-1";
const HOST: &str = "orders.cluster-c111111111111.af-south-1.rds.amazonaws.com";
const READER: &str = "orders.cluster-ro-c111111111111.af-south-1.rds.amazonaws.com";

/// Keeps what is written, by database; knows `put` and `all`.
#[derive(Debug, Default)]
struct Notebook {
    kept: Vec<(String, Value)>,
    ended: Arc<Mutex<Vec<u64>>>,
}

impl Engine for Notebook {
    fn run(&mut self, session: &Session, access: Reached, statement: &Statement) -> Result<Rows, String> {
        match statement.text.as_str() {
            "put" if access != Reached::Writes => Err("cannot execute INSERT in a read-only transaction".to_owned()),
            "put" => {
                self.kept.extend(statement.values.iter().map(|value| (session.database.clone(), value.clone())));
                Ok(Rows { changed: statement.values.len() as u64, ..Rows::default() })
            }
            "all" => {
                let own = self.kept.iter().filter(|(database, _)| *database == session.database);
                let rows = own.map(|(_, value)| vec![value.clone()]).collect();
                Ok(Rows { columns: vec!["value".to_owned()], rows, changed: 0 })
            }
            other => Err(format!("syntax error at or near {other:?}")),
        }
    }

    fn end(&mut self, session: &Session) {
        self.ended.lock().expect("unpoisoned").push(session.number);
    }
}

/// A cluster with a writer and a reader, and the sessions that ended.
fn scene() -> (Sandbox, Arc<Mutex<Vec<u64>>>) {
    let sandbox = sandbox();
    let notebook = Notebook::default();
    let ended = Arc::clone(&notebook.ended);
    sandbox.with(|world, now| {
        let instance =
            |name: &str| Instance::new(name, "db.r6g.large", "aurora-postgresql", "16.6", "af-south-1a", now);
        let cluster = Cluster::new("orders", "aurora-postgresql", "16.6", &["one", "two"], now);
        world.put_cluster(ACCOUNT, REGION, cluster, vec![instance("one"), instance("two")]);
        world.run_sql_with(Box::new(notebook));
    });
    (sandbox, ended)
}

async fn open(answerer: &Answerer, host: &str) -> Result<u64, Unanswered> {
    let told = answerer(Ask::Connect(Endpoint { host: host.to_owned(), port: 5432 })).await?;
    match told {
        Told::Connected(number) => Ok(number),
        other => panic!("{other:?}"),
    }
}

async fn run(answerer: &Answerer, session: u64, text: &str, values: &[Value]) -> Result<Rows, Unanswered> {
    let statement = Statement { text: text.to_owned(), values: values.to_vec() };
    match answerer(Ask::Run(session, statement)).await? {
        Told::Rows(rows) => Ok(rows),
        other => panic!("{other:?}"),
    }
}

async fn role(answerer: &Answerer, session: u64) -> Result<Told, Because> {
    answerer(Ask::Role(session)).await.map_err(|failure| failure.because)
}

#[tokio::test]
async fn what_the_writer_was_given_a_reader_shows_and_does_not_change() {
    let (sandbox, ended) = scene();
    let served = Served::new(&sandbox).await;
    let clock = Clock::system();
    let joined = Joined { endpoint: served.url.clone(), pid: 1, seed: 7, speed: 1.0, clock };
    for (index, answerer) in [sandbox.answerer(), endpoint::answerer(&joined)].iter().enumerate() {
        let (writer, reader) = (open(answerer, HOST).await.expect("open"), open(answerer, READER).await.expect("open"));
        assert_eq!(role(answerer, writer).await, Ok(Told::Role(Reached::Writes)));
        assert_eq!(role(answerer, reader).await, Ok(Told::Role(Reached::ReadsOnly)));
        let put = [Value::Text(format!("{index}")), Value::Null, Value::Integer(7)];
        assert_eq!(run(answerer, writer, "put", &put).await.map(|rows| rows.changed), Ok(3));
        let rows = run(answerer, reader, "all", &[]).await.expect("rows").rows;
        assert_eq!(rows.last(), Some(&vec![Value::Integer(7)]));
        let refused = run(answerer, reader, "put", &put).await.expect_err("it reads only");
        assert_eq!(refused.because, Because::Sql);
        assert!(refused.words.as_str().contains("read-only transaction"), "{refused}");
        assert_eq!(answerer(Ask::Close(writer)).await, Ok(Told::Closed));
        assert_eq!(run(answerer, writer, "all", &[]).await.map_err(|failure| failure.because), Err(Because::Broken));
        assert_eq!(ended.lock().expect("unpoisoned").last(), Some(&writer));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failover_breaks_sessions_and_what_is_opened_after_it_meets_the_new_writer() {
    let (sandbox, ended) = scene();
    let answerer = sandbox.answerer();
    let before = open(&answerer, HOST).await.expect("open");
    let request = aws_sdk_rds::Client::new(&super::in_process(&sandbox)).failover_db_cluster();
    request.db_cluster_identifier("orders").target_db_instance_identifier("two").send().await.expect("begun");
    assert_eq!(role(&answerer, before).await, Ok(Told::Role(Reached::Writes)), "not yet");
    sandbox.clock().sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(role(&answerer, before).await, Err(Because::Broken));
    assert_eq!(*ended.lock().expect("unpoisoned"), [before]);
    let after = open(&answerer, HOST).await.expect("open");
    assert_eq!(role(&answerer, after).await, Ok(Told::Role(Reached::Writes)));
    let former = open(&answerer, "one.c111111111111.af-south-1.rds.amazonaws.com").await.expect("open");
    assert_eq!(role(&answerer, former).await, Ok(Told::Role(Reached::ReadsOnly)));
}

#[tokio::test]
async fn a_denied_connection_is_a_refused_login() {
    let (sandbox, _) = scene();
    let denial = serde_json::from_value(serde_json::json!({ "action": "rds-db:connect" })).expect("a denial");
    sandbox.with(|world, _| world.denials.push(denial));
    let failed = open(&sandbox.answerer(), HOST).await.expect_err("denied");
    assert_eq!(failed.because, Because::Login);
    let nowhere = open(&sandbox.answerer(), "orders.example.com").await.map_err(|failure| failure.because);
    assert_eq!(nowhere, Err(Because::Login), "whatever it is called");
}
