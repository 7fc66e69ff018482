//! Queries and what they find.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{ApiError, Caller, World, logs::Line};

const START: i64 = 1_795_000_020;

fn world() -> World {
    let now = Timestamp::from_second(START + 600).expect("a time");
    let mut world = World::new(7, now);
    world.logs.create_group(START * 1_000, "111111111111", "af-south-1", "/app");
    let lines = [
        (0, "{\"level\": \"info\", \"ms\": 12, \"user\": {\"id\": 7}}"),
        (10, "{\"level\": \"error\", \"ms\": 40, \"user\": {\"id\": 8}}"),
        (70, "{\"level\": \"error\", \"ms\": 60, \"user\": {\"id\": 7}}"),
        (80, "GET /orders took 31ms"),
    ];
    let lines = lines.map(|(after, text)| Line { at: (START + after) * 1_000, text: text.to_owned() });
    world.logs.write("111111111111", "af-south-1", "/app", "stream", lines.to_vec());
    world
}

fn call(world: &mut World, action: &str, request: Value) -> Result<Value, ApiError> {
    let caller = Caller { account: "111111111111".into(), region: "af-south-1".into(), origin: String::new() };
    let now = Timestamp::from_second(START + 600).expect("a time");
    world.ask_json(now, &caller, ("logs", action), request)
}

/// The values of a query's rows, without pointers.
fn asked(text: &str) -> Result<Vec<Vec<String>>, ApiError> {
    let mut world = world();
    let request = json!({ "logGroupName": "/app", "startTime": START, "endTime": START + 600, "queryString": text });
    let id = call(&mut world, "StartQuery", request)?["queryId"].take();
    let told = call(&mut world, "GetQueryResults", json!({ "queryId": id })).expect("results");
    assert_eq!((&told["status"], &told["statistics"]["recordsScanned"]), (&json!("Complete"), &json!(4.0)));
    let fields = |row: &Value| {
        let fields = row.as_array().expect("fields").iter().filter(|field| field["field"] != "@ptr");
        fields.map(|field| field["value"].as_str().expect("text").to_owned()).collect()
    };
    Ok(told["results"].as_array().expect("rows").iter().map(fields).collect())
}

#[test]
fn queries_find_what_people_ask_for() {
    let rows = |rows: &[&[&str]]| {
        rows.iter().map(|row| row.iter().map(|text| (*text).to_owned()).collect()).collect::<Vec<Vec<_>>>()
    };
    for (text, expected) in [
        ("fields @message | filter @message like /took/", rows(&[&["GET /orders took 31ms"]])),
        ("fields ms | filter level = \"error\" | sort ms asc", rows(&[&["40"], &["60"]])),
        ("fields ms | filter level = 'error' and ms > 50", rows(&[&["60"]])),
        ("fields ms, user.id | filter ispresent(ms) | sort @timestamp desc | limit 1", rows(&[&["60", "7"]])),
        ("fields ms | filter level in [\"info\"]", rows(&[&["12"]])),
        ("filter level != 'error' | stats count(*) as n", rows(&[&["2"]])),
        ("stats count(*) by level | filter level = 'error'", rows(&[&["error", "2"]])),
        (
            "filter ispresent(ms) | stats max(ms) as m by bin(1m) | sort m desc | fields m",
            rows(&[&["60.0"], &["40.0"]]),
        ),
        ("parse @message 'GET * took *ms' as path, ms | filter path = '/orders' | fields ms", rows(&[&["31"]])),
        ("fields user.id | filter ispresent(user.id) | dedup user.id | sort user.id asc", rows(&[&["7"], &["8"]])),
        ("# a comment\nfields ms | filter @message not like 'level' | limit 5", rows(&[&[]])),
    ] {
        assert_eq!(asked(text).unwrap_or_else(|error| panic!("{text}: {error:?}")), expected, "{text}");
    }
}

#[test]
fn what_is_not_understood_is_a_malformed_query() {
    for text in [
        "select *",
        "filter level",
        "stats median(ms)",
        "stats count(*) by bin(x)",
        "parse @message 'a*' as b, c",
        "limit many",
    ] {
        assert_eq!(asked(text).expect_err(text).code, "MalformedQueryException", "{text}");
    }
    let mut world = world();
    let missing = json!({ "logGroupName": "/none", "startTime": START, "endTime": START + 1, "queryString": "" });
    assert_eq!(call(&mut world, "StartQuery", missing).expect_err("no group").code, "ResourceNotFoundException");
    assert_eq!(
        call(&mut world, "GetQueryResults", json!({ "queryId": "x" })).expect_err("none").code,
        "ResourceNotFoundException"
    );
}
