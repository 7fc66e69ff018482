//! Sessions through somebody who answers in place of the network: what is asked, in which order, and what a failure leaves.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use super::*;
use crate::{
    cloud::{Dial, canned::CannedAws},
    domain::{
        Answerer, Ask, Because, Connection, Dialect, Password, Place, Reached, SqlError, SqlKind, Told, Unanswered,
        Value,
    },
};

type Answers = Vec<Result<Told, Unanswered>>;
type Asked = Arc<Mutex<Vec<String>>>;

/// Answers connections and closes, and statements as told, the rest with nothing.
fn answerer(answers: Answers) -> (Answerer, Asked) {
    let asked = Asked::default();
    let (seen, answers) = (Arc::clone(&asked), Mutex::new(VecDeque::from(answers)));
    let answerer: Answerer = Arc::new(move |ask| {
        let (words, answer) = match ask {
            Ask::Connect { endpoint, .. } => (format!("connect {endpoint}"), Ok(Told::Connected(7))),
            Ask::Role(7) => ("role".to_owned(), Ok(Told::Role(Reached::Writes))),
            Ask::Close(7) => ("close".to_owned(), Ok(Told::Closed)),
            Ask::Run(7, statement) => {
                let answer = answers.lock().expect("no panic").pop_front();
                (statement.text, answer.unwrap_or_else(|| Ok(Told::Rows(Rows::default()))))
            }
            other => panic!("{other:?}"),
        };
        seen.lock().expect("no panic").push(words);
        Box::pin(async move { answer })
    });
    (answerer, asked)
}

async fn session(answers: Answers) -> (Session, Asked) {
    let (answerer, asked) = answerer(answers);
    let connect = CannedAws::new([]).connect().dialing(Dial::Through(answerer));
    let cloud = connect.cloud(Arc::new(crate::cloud::canned::environment())).await.expect("fixed keys");
    let connection = Connection {
        name: "orders".to_owned(),
        place: Place::Host { host: "db.example".to_owned(), port: Some(5432) },
        user: None,
        password: Password::None,
        database: None,
        tls: None,
        ca_file: None,
        dialect: None,
    };
    let session = cloud.endpoints.session(&connection).await.expect("a session");
    (session, asked)
}

fn asked(asked: &Asked) -> Vec<String> {
    asked.lock().expect("no panic").drain(..).collect()
}

fn failed(kind: SqlKind) -> Result<Told, Unanswered> {
    Ok(Told::Failed(SqlError::new(kind, "in the server's words")))
}

fn nothing() -> Result<Told, Unanswered> {
    Ok(Told::Rows(Rows::default()))
}

#[tokio::test]
async fn transactions_are_statements_that_end() {
    let rows = Rows { columns: vec!["n".to_owned()], rows: vec![vec![Value::Integer(1)]], changed: 0 };
    let (mut session, told) = session(vec![nothing(), Ok(Told::Rows(rows.clone()))]).await;
    assert_eq!((session.dialect(), session.server().identity.as_str()), (Dialect::Sqlite, "db.example:5432"));
    assert_eq!(session.read(&["SELECT 1".into()], Bounds::LOOK).await, Ok(vec![rows]));
    assert_eq!(asked(&told), ["connect db.example:5432", "role", "BEGIN READ ONLY", "SELECT 1", "ROLLBACK"]);
    session.change(&["UPDATE a".into(), "UPDATE b".into()], Bounds::LOOK).await.expect("committed");
    session.close().await;
    assert_eq!(asked(&told), ["BEGIN IMMEDIATE", "UPDATE a", "UPDATE b", "COMMIT", "close"]);
}

#[tokio::test]
async fn a_statement_that_fails_is_rolled_back_and_the_session_goes_on() {
    let (mut session, told) = session(vec![nothing(), failed(SqlKind::Constraint)]).await;
    let error = session.change(&["UPDATE a".into(), "UPDATE b".into()], Bounds::LOOK).await.expect_err("refused");
    assert_eq!(error.kind, SqlKind::Constraint);
    assert_eq!(asked(&told)[2..], ["BEGIN IMMEDIATE", "UPDATE a", "ROLLBACK"]);
    let mut transaction = session.begin(Bounds::LOOK).await.expect("begun");
    transaction.run(&"UPDATE c".into()).await.expect("changed");
    transaction.commit().await.expect("committed");
    assert_eq!(asked(&told), ["BEGIN IMMEDIATE", "UPDATE c", "COMMIT"]);
}

#[tokio::test]
async fn a_failed_transaction_can_not_be_committed() {
    let (mut session, told) = session(vec![nothing(), failed(SqlKind::LockTimeout)]).await;
    let mut transaction = session.begin(Bounds::LOOK).await.expect("begun");
    transaction.run(&"UPDATE a".into()).await.expect_err("refused");
    transaction.run(&"UPDATE b".into()).await.expect_err("it has failed");
    transaction.commit().await.expect_err("it has failed");
    assert_eq!(asked(&told)[2..], ["BEGIN IMMEDIATE", "UPDATE a", "ROLLBACK"], "nothing was sent after the failure");
}

#[tokio::test]
async fn a_commit_without_an_answer_is_unknown_and_any_other_loss_is_not() {
    let lost = || Err(Unanswered::new(Because::Broken, "connection reset"));
    let (mut session, _) = session(vec![nothing(), nothing(), lost()]).await;
    let error = session.change(&["UPDATE a".into()], Bounds::LOOK).await.expect_err("lost");
    assert_eq!(error.kind, SqlKind::Unknown);
    assert_eq!(session.read(&[], Bounds::LOOK).await.expect_err("over").kind, SqlKind::Lost);
    let (mut session, told) = self::session(vec![nothing(), lost()]).await;
    let error = session.change(&["UPDATE a".into()], Bounds::LOOK).await.expect_err("lost");
    assert_eq!(error.kind, SqlKind::Lost);
    tokio::task::yield_now().await;
    assert_eq!(asked(&told).last().map(String::as_str), Some("close"), "what was open ends with the connection");
}
