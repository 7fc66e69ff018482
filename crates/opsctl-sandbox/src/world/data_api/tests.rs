//! Statements and transactions over the Data API.

use jiff::SignedDuration;

use super::*;
use crate::world::rds::{Capacity, Cluster, Instance};

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn caller() -> Caller {
    Caller { account: "1".to_owned(), region: "r".to_owned(), origin: String::new() }
}

fn after(seconds: i64) -> Timestamp {
    START + SignedDuration::from_secs(seconds)
}

fn world() -> World {
    let mut world = World::new(7, START);
    let instance = |name: &str| Instance::new(name, "db.serverless", "aurora-postgresql", "16.6", "ra", START);
    let cluster = Cluster::new("bank", "aurora-postgresql", "16.6", &["bank-1", "bank-2"], START);
    let cluster = Cluster { has_data_api: true, ..cluster };
    world.put_cluster("1", "r", cluster, vec![instance("bank-1"), instance("bank-2")]);
    let plain = Cluster::new("plain", "aurora-postgresql", "16.6", &["plain-1"], START);
    world.put_cluster("1", "r", plain, vec![instance("plain-1")]);
    world.secrets.put(START, ("1", "r"), "bank/rds", "a1b2c3", "{}");
    world
}

fn call(world: &mut World, at: Timestamp, action: &str, more: Value) -> Answered<Value> {
    let mut body = json!({ "resourceArn": "arn:aws:rds:r:1:cluster:bank", "secretArn": "bank/rds" });
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    world.ask_json(at, &caller(), ("rds-data", action), body)
}

fn execute(world: &mut World, at: Timestamp, sql: &str, transaction: Option<&str>) -> Answered<Value> {
    call(world, at, "ExecuteStatement", given(json!({ "sql": sql, "transactionId": transaction })))
}

fn begin(world: &mut World, at: Timestamp) -> String {
    let begun = call(world, at, "BeginTransaction", json!({})).expect("begun");
    begun["transactionId"].as_str().expect("an id").to_owned()
}

fn count(world: &mut World, at: Timestamp) -> i64 {
    let counted = execute(world, at, "SELECT count(*) FROM note", None).expect("rows");
    counted["records"][0][0]["longValue"].as_i64().expect("a number")
}

fn with_table() -> World {
    let mut world = world();
    execute(&mut world, START, "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)", None).expect("made");
    world
}

#[test]
fn values_go_there_and_back() {
    let mut world = world();
    let parameter = |name: &str, value: Value| json!({ "name": name, "value": value });
    let values = [
        json!({ "isNull": true }),
        json!({ "longValue": 7 }),
        json!({ "doubleValue": 1.5 }),
        json!({ "stringValue": "it's" }),
        json!({ "blobValue": "AP8=" }),
    ];
    let parameters: Vec<Value> =
        ["a", "b", "c", "d", "e"].iter().zip(&values).map(|(name, value)| parameter(name, value.clone())).collect();
    let sql = "SELECT :a AS a, :b AS b, :c AS c, :d AS d, :e AS e";
    let asked = json!({ "sql": sql, "parameters": parameters, "includeResultMetadata": true });
    let told = call(&mut world, START, "ExecuteStatement", asked).expect("rows");
    assert_eq!(told["records"], json!([values]));
    assert_eq!(told["columnMetadata"][3]["name"], "d");
    let asked = json!({ "sql": "SELECT 1 AS a, 'x' AS b", "formatRecordsAs": "JSON" });
    let told = call(&mut world, START, "ExecuteStatement", asked).expect("rows");
    assert_eq!((&told["formattedRecords"], told.get("records")), (&json!("[{\"a\":1,\"b\":\"x\"}]"), None));
}

#[test]
fn a_transaction_lasts_until_it_is_ended() {
    let mut world = with_table();
    let (kept, lost) = (begin(&mut world, START), "INSERT INTO note (text) VALUES ('x')");
    let inserted = execute(&mut world, START, lost, Some(&kept)).expect("inserted");
    assert_eq!(inserted, json!({ "numberOfRecordsUpdated": 1, "generatedFields": [] }));
    assert_eq!(count(&mut world, START), 0);
    let end = |world: &mut World, action: &str, id: &str| call(world, START, action, json!({ "transactionId": id }));
    assert_eq!(
        end(&mut world, "CommitTransaction", &kept),
        Ok(json!({ "transactionStatus": "Transaction Committed" }))
    );
    assert_eq!(count(&mut world, START), 1);
    let undone = begin(&mut world, START);
    execute(&mut world, START, lost, Some(&undone)).expect("inserted");
    end(&mut world, "RollbackTransaction", &undone).expect("rolled back");
    assert_eq!(count(&mut world, START), 1);
    for action in ["CommitTransaction", "RollbackTransaction"] {
        assert_eq!(end(&mut world, action, &undone).expect_err("over").code, "TransactionNotFoundException");
    }
}

#[test]
fn a_transaction_s_database_need_not_be_named_again_and_no_other_may() {
    let mut world = world();
    let begun = call(&mut world, START, "BeginTransaction", json!({ "database": "accounts" })).expect("begun");
    let id = &begun["transactionId"];
    let make = json!({ "sql": "CREATE TABLE account (id TEXT)", "transactionId": id });
    call(&mut world, START, "ExecuteStatement", make).expect("made");
    let other = json!({ "sql": "SELECT 1", "transactionId": id, "database": "other" });
    let other = call(&mut world, START, "ExecuteStatement", other).expect_err("another's");
    assert_eq!(other.code, "TransactionNotFoundException");
    call(&mut world, START, "CommitTransaction", json!({ "transactionId": id })).expect("committed");
    let count = json!({ "sql": "SELECT count(*) FROM account", "database": "accounts" });
    assert!(call(&mut world, START, "ExecuteStatement", count).is_ok());
}

#[test]
fn an_idle_transaction_is_rolled_back_after_three_minutes_and_its_lock_is_free() {
    let mut world = with_table();
    let id = begin(&mut world, START);
    let insert = "INSERT INTO note (text) VALUES ('x')";
    execute(&mut world, after(100), insert, Some(&id)).expect("inserted");
    let locked = execute(&mut world, after(279), insert, None).expect_err("locked");
    assert_eq!((locked.code, locked.message.as_str()), ("DatabaseErrorException", "ERROR: database is locked"));
    assert_eq!(world.next_due(), Some(after(280)));
    world.advance(after(280));
    execute(&mut world, after(280), insert, None).expect("inserted");
    assert_eq!(
        execute(&mut world, after(281), insert, Some(&id)).expect_err("over").code,
        "TransactionNotFoundException"
    );
    assert_eq!(count(&mut world, after(281)), 1);
}

#[test]
fn a_batch_runs_once_for_each_set_of_values() {
    let mut world = with_table();
    let set = |text: &str| json!([{ "name": "text", "value": { "stringValue": text } }]);
    let sql = "INSERT INTO note (text) VALUES (:text)";
    let asked = json!({ "sql": sql, "parameterSets": [set("a"), set("b"), set("c")] });
    let told = call(&mut world, START, "BatchExecuteStatement", asked).expect("done");
    assert_eq!(told["updateResults"].as_array().map(Vec::len), Some(3));
    assert_eq!(count(&mut world, START), 3);
}

#[test]
fn a_transaction_does_not_survive_a_failover() {
    let mut world = with_table();
    let id = begin(&mut world, START);
    execute(&mut world, START, "INSERT INTO note (text) VALUES ('x')", Some(&id)).expect("inserted");
    let form = [("DBClusterIdentifier", "bank"), ("TargetDBInstanceIdentifier", "bank-2")];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    world.ask_form(START, &caller(), ("rds", "FailoverDBCluster"), form).expect("begun");
    let error = execute(&mut world, after(60), "SELECT 1", Some(&id)).expect_err("lost");
    assert_eq!(error.code, "TransactionNotFoundException");
    assert_eq!(count(&mut world, after(60)), 0);
}

#[test]
fn what_is_refused_has_aws_s_codes() {
    let mut world = with_table();
    let long = "x".repeat(SQL_MAX + 1);
    let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30) SELECT hex(zeroblob(20000)) FROM n";
    for (more, code) in [
        (json!({ "sql": "SELECT 1", "secretArn": "nothing" }), "SecretsErrorException"),
        (
            json!({ "sql": "SELECT 1", "resourceArn": "arn:aws:rds:r:1:cluster:plain" }),
            "HttpEndpointNotEnabledException",
        ),
        (json!({ "sql": "SELECT 1", "resourceArn": "arn:aws:rds:r:1:cluster:nothing" }), "BadRequestException"),
        (json!({ "sql": "SELECT 1", "transactionId": "nothing" }), "TransactionNotFoundException"),
        (json!({ "sql": "SELECT * FROM nowhere" }), "DatabaseErrorException"),
        (json!({ "sql": "SELECT :a" }), "DatabaseErrorException"),
        (
            json!({ "sql": "SELECT :a", "parameters": [{ "name": "a", "value": { "arrayValue": {} } }] }),
            "BadRequestException",
        ),
        (json!({ "sql": long }), "ValidationException"),
        (json!({ "sql": rows }), "BadRequestException"),
        (json!({ "sql": "SELECT hex(zeroblob(40000))" }), "BadRequestException"),
    ] {
        assert_eq!(call(&mut world, START, "ExecuteStatement", more).expect_err(code).code, code);
    }
}

#[test]
fn a_paused_cluster_resumes_and_says_so() {
    let mut world = world();
    let paused = Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) };
    world.cluster(START, "1", "r", "bank").expect("there").capacity = Some(paused);
    let error = execute(&mut world, START, "SELECT 1", None).expect_err("it wakes");
    assert_eq!(error.code, "DatabaseResumingException");
    assert!(execute(&mut world, after(20), "SELECT 1", None).is_ok());
}
