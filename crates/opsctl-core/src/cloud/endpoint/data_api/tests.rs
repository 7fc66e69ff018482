//! The Data API with answers written out: what is asked, and what comes of each answer.

use std::sync::Arc;

use serde_json::Value as Json;

use super::*;
use crate::{
    cloud::{
        canned::{Canned, CannedAws, environment},
        endpoint::Session,
    },
    domain::{Connection, Password, Place},
};

const CLUSTER: &str = "arn:aws:rds:eu-west-1:111122223333:cluster:orders";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders-a1b2c3";
const WHO: &str =
    r#"{"records":[[{"stringValue":"16.6"},{"stringValue":"orders"},{"stringValue":"relay"},{"booleanValue":false}]]}"#;

fn connection() -> Connection {
    Connection {
        name: "orders".to_owned(),
        place: Place::DataApi(CLUSTER.to_owned()),
        user: None,
        password: Password::Secret(SECRET.to_owned()),
        database: Some("orders".to_owned()),
        tls: None,
        ca_file: None,
        // RDS would be asked for it.
        dialect: Some(Dialect::Postgres),
    }
}

async fn session(answers: &[(u16, &str)]) -> (Session, CannedAws) {
    let who = std::iter::once((200, WHO));
    let aws = CannedAws::new(who.chain(answers.iter().copied()).map(|(status, body)| Canned::body(status, body)));
    let mut connect = aws.connect();
    connect.dial = crate::cloud::Dial::Network;
    let cloud = connect.cloud(Arc::new(environment())).await.expect("fixed keys");
    (cloud.endpoints.session(&connection()).await.expect("a session"), aws)
}

/// The bodies of what was asked, from the one after the first on.
fn asked(aws: &CannedAws) -> Vec<Json> {
    aws.asked().iter().skip(1).map(|body| serde_json::from_str(body).expect("JSON")).collect()
}

#[tokio::test]
async fn a_read_is_a_transaction_that_is_bounded_and_rolled_back() {
    let rows = r#"{"columnMetadata":[{"label":"id"},{"label":"state"}],"records":[[{"longValue":7},{"isNull":true}]],"numberOfRecordsUpdated":0}"#;
    let (mut session, aws) =
        session(&[(200, r#"{"transactionId":"T1"}"#), (200, "{}"), (200, "{}"), (200, rows), (200, "{}")]).await;
    let server = session.server();
    assert_eq!((server.version, server.identity.as_str(), server.user.as_str()), ([16, 6, 0], CLUSTER, "relay"));
    let statement =
        Statement { text: "SELECT id, state FROM o WHERE id > $1".to_owned(), values: vec![Value::Integer(3)] };
    let read = session.read(&[statement], Bounds::LOOK).await.expect("rows");
    assert_eq!(
        (read[0].columns.as_slice(), read[0].rows.as_slice()),
        (&["id".to_owned(), "state".to_owned()][..], &[vec![Value::Integer(7), Value::Null]][..])
    );
    let asked = asked(&aws);
    assert_eq!(asked.len(), 5);
    assert!(asked.iter().all(|body| body["resourceArn"] == CLUSTER && body["secretArn"] == SECRET));
    assert!(asked[1..].iter().all(|body| body["transactionId"] == "T1"));
    assert_eq!(asked[1]["sql"], "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    assert!(asked[2]["sql"].as_str().expect("SQL").contains("'statement_timeout', '5000', true"));
    assert_eq!(asked[3]["sql"], "SELECT id, state FROM o WHERE id > :p1");
    assert_eq!(asked[3]["parameters"], json!([{ "name": "p1", "value": { "longValue": 3 } }]));
}

#[tokio::test]
async fn a_commit_that_aws_failed_at_is_unknown_and_one_that_the_database_refused_is_not() {
    let begun = [(200, r#"{"transactionId":"T1"}"#), (200, "{}"), (200, r#"{"numberOfRecordsUpdated":2}"#)];
    let commit = |status, body| [&begun[..], &[(status, body)]].concat();
    for (status, body, kind) in [
        (500, r#"{"code":"InternalServerErrorException","message":"hm"}"#, SqlKind::Unknown),
        (504, "", SqlKind::Unknown),
        (400, r#"{"code":"DatabaseErrorException","message":"ERROR: deferred; SQLState: 23503"}"#, SqlKind::Constraint),
        (404, r#"{"code":"TransactionNotFoundException","message":"Transaction T1 is not found"}"#, SqlKind::Other),
    ] {
        let (mut session, _) = session(&commit(status, body)).await;
        let error = session.change(&["UPDATE o".into()], Bounds::LOOK).await.expect_err(body);
        assert_eq!(error.kind, kind, "{body}: {error}");
    }
    let (mut session, aws) = session(&commit(200, "{}")).await;
    let changed = session.change(&["UPDATE o".into()], Bounds::LOOK).await.expect("committed");
    assert_eq!(changed[0].changed, 2);
    assert_eq!(asked(&aws).len(), 4, "each call is made once");
}

#[tokio::test]
async fn a_statement_that_fails_is_rolled_back() {
    let failed = r#"{"code":"BadRequestException","message":"ERROR: relation \"o\" does not exist; Position: 8; SQLState: 42P01"}"#;
    let (mut session, aws) =
        session(&[(200, r#"{"transactionId":"T1"}"#), (200, "{}"), (400, failed), (200, "{}")]).await;
    let error = session.change(&["UPDATE o".into()], Bounds::LOOK).await.expect_err("no table");
    assert_eq!((error.kind, error.code.as_str()), (SqlKind::NoTable, "42P01"));
    assert_eq!(error.words.as_str(), "ERROR: relation \"o\" does not exist");
    assert_eq!(asked(&aws).last().expect("a rollback")["transactionId"], "T1");
}
