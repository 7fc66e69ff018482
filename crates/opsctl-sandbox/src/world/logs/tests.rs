//! CloudWatch Logs as it is told by its answers.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::world::World;

fn caller() -> Caller {
    Caller { account: "111111111111".into(), region: "af-south-1".into(), origin: String::new() }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(4_000_000 + seconds).expect("a time")
}

fn call(world: &mut World, seconds: i64, action: &str, request: Value) -> Result<Value, ApiError> {
    world.ask_json(at(seconds), &caller(), ("logs", action), request)
}

fn line(seconds: i64, text: &str) -> Line {
    Line { at: at(seconds).as_millisecond(), text: text.to_owned() }
}

/// A world whose group `g` has lines of a program, one a second.
fn world(lines: i64) -> World {
    let mut world = World::new(7, at(0));
    world.logs.create_group(at(0).as_millisecond(), "111111111111", "af-south-1", "g");
    let lines = (0..lines).map(|second| line(second, &format!("line {second}"))).collect();
    world.logs.write("111111111111", "af-south-1", "g", "ecs/app/1", lines);
    world
}

fn texts(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().expect("events").iter().filter_map(|event| event["message"].as_str()).collect()
}

fn code(result: Result<Value, ApiError>) -> (&'static str, String) {
    let error = result.expect_err("refused");
    (error.code, error.message)
}

#[test]
fn a_stream_appears_with_its_first_line_and_the_group_is_told_apart() {
    let mut world = world(3);
    let get = |world: &mut World, seconds, group: &str| {
        call(world, seconds, "GetLogEvents", json!({ "logGroupName": group, "logStreamName": "ecs/app/1" }))
    };
    assert!(code(get(&mut world, 1, "g")).1.contains("log stream does not exist"), "nothing was delivered yet");
    assert!(code(get(&mut world, 1, "other")).1.contains("log group does not exist"));
    assert_eq!(texts(&get(&mut world, 2, "g").expect("there")), ["line 0"]);
    assert_eq!(texts(&get(&mut world, 9, "g").expect("there")), ["line 0", "line 1", "line 2"]);
}

#[test]
fn the_forward_token_repeats_at_the_end_and_goes_on_when_more_comes() {
    let mut world = world(10);
    let mut token: Option<String> = None;
    let mut read = Vec::new();
    let mut page = |seconds, token: &Option<String>| {
        let mut request =
            json!({ "logGroupName": "g", "logStreamName": "ecs/app/1", "startFromHead": true, "limit": 3 });
        if let Some(token) = token {
            request["nextToken"] = token.as_str().into();
        }
        call(&mut world, seconds, "GetLogEvents", request).expect("a page")
    };
    loop {
        let answer = page(6, &token);
        read.extend(texts(&answer).into_iter().map(str::to_owned));
        let next = answer["nextForwardToken"].as_str().map(str::to_owned);
        if next == token {
            break;
        }
        token = next;
    }
    assert_eq!(read, ["line 0", "line 1", "line 2", "line 3", "line 4"], "what was delivered by then, once");
    assert_eq!(texts(&page(60, &token)), ["line 5", "line 6", "line 7"]);
}

#[test]
fn without_a_start_the_newest_lines_come_and_the_backward_token_leads_to_older_ones() {
    let mut world = world(5);
    let request = json!({ "logGroupName": "g", "logStreamName": "ecs/app/1", "limit": 2 });
    let newest = call(&mut world, 60, "GetLogEvents", request.clone()).expect("a page");
    assert_eq!(texts(&newest), ["line 3", "line 4"]);
    let mut older = request;
    older["nextToken"] = newest["nextBackwardToken"].clone();
    assert_eq!(texts(&call(&mut world, 60, "GetLogEvents", older.clone()).expect("a page")), ["line 1", "line 2"]);
    older["nextToken"] = "x".into();
    assert_eq!(code(call(&mut world, 60, "GetLogEvents", older)).0, "InvalidParameterException");
}

#[test]
fn a_search_may_answer_an_empty_page_with_a_token() {
    let mut world = world(1_200);
    let mut request = json!({ "logGroupName": "g", "filterPattern": "\"line 1100\"" });
    let (mut pages, mut found) = (0, Vec::new());
    loop {
        let answer = call(&mut world, 3_000, "FilterLogEvents", request.clone()).expect("a page");
        pages += 1;
        found.extend(texts(&answer).into_iter().map(str::to_owned));
        match answer.get("nextToken") {
            Some(token) => request["nextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!((pages, found), (3, vec!["line 1100".to_owned()]));
}

#[test]
fn events_are_put_and_what_is_too_old_is_told() {
    let mut world = World::new(7, at(0));
    let make = |world: &mut World, action: &str, stream: Option<&str>| {
        let mut request = json!({ "logGroupName": "/aws/x" });
        if let Some(stream) = stream {
            request["logStreamName"] = stream.into();
        }
        call(world, 0, action, request)
    };
    assert_eq!(code(make(&mut world, "CreateLogStream", Some("s"))).0, "ResourceNotFoundException");
    make(&mut world, "CreateLogGroup", None).expect("made");
    assert_eq!(code(make(&mut world, "CreateLogGroup", None)).0, "ResourceAlreadyExistsException");
    make(&mut world, "CreateLogStream", Some("s")).expect("made");
    let now = at(0).as_millisecond();
    let put = |world: &mut World, events: Value| {
        call(world, 0, "PutLogEvents", json!({ "logGroupName": "/aws/x", "logStreamName": "s", "logEvents": events }))
    };
    let old = now - 15 * 86_400_000;
    let answer = put(&mut world, json!([{ "timestamp": old, "message": "old" }])).expect("put");
    assert_eq!(answer["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"], 1);
    put(&mut world, json!([{ "timestamp": now, "message": "a" }])).expect("put");
    let wrong = json!([{ "timestamp": now, "message": "a" }, { "timestamp": now - 1, "message": "b" }]);
    assert!(code(put(&mut world, wrong)).1.contains("chronological"));
    let streams = call(&mut world, 0, "DescribeLogStreams", json!({ "logGroupName": "/aws/x" })).expect("listed");
    assert_eq!(streams["logStreams"][0]["lastEventTimestamp"], now);
    make(&mut world, "DeleteLogGroup", None).expect("deleted");
    assert!(!world.logs.has_group("111111111111", "af-south-1", "/aws/x"));
}

#[test]
fn groups_come_in_pages_of_fifty() {
    let mut world = World::new(7, at(0));
    (0..60).for_each(|number| world.logs.create_group(0, "111111111111", "af-south-1", &format!("/g/{number:02}")));
    let first = call(&mut world, 0, "DescribeLogGroups", json!({ "logGroupNamePrefix": "/g/" })).expect("listed");
    assert_eq!(first["logGroups"].as_array().map(Vec::len), Some(50));
    let rest = json!({ "logGroupNamePrefix": "/g/", "nextToken": first["nextToken"] });
    assert_eq!(
        call(&mut world, 0, "DescribeLogGroups", rest).expect("listed")["logGroups"][9]["logGroupName"],
        "/g/59"
    );
    assert_eq!(code(call(&mut world, 0, "DescribeLogGroups", json!({ "limit": 51 }))).0, "InvalidParameterException");
}

#[test]
fn a_stream_keeps_the_newest_lines_and_a_denial_is_told() {
    let mut world = world(10_050);
    let request = json!({ "logGroupName": "g", "logStreamName": "ecs/app/1", "startFromHead": true, "limit": 1 });
    assert_eq!(texts(&call(&mut world, 90_000, "GetLogEvents", request.clone()).expect("a page")), ["line 50"]);
    world.denials.push(serde_json::from_value(json!({ "action": "logs:Get*" })).expect("a denial"));
    assert_eq!(code(call(&mut world, 90_000, "GetLogEvents", request)).0, "AccessDeniedException");
}
