//! Mappings through their documents, and the queues that they read.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::world::{PutMessage, World};

const START: Timestamp = Timestamp::UNIX_EPOCH;
const QUEUE: &str = "arn:aws:sqs:af-south-1:111111111111:orders";

fn caller() -> Caller {
    Caller { account: "111111111111".into(), region: "af-south-1".into(), origin: String::new() }
}

fn after(seconds: i64) -> Timestamp {
    START + SignedDuration::from_secs(seconds)
}

/// A queue of ten messages, and functions `orders` and `bills`.
fn world() -> World {
    let mut world = World::new(7, START);
    world.create(START, &caller(), "orders", &[]).expect("created");
    for number in 0..10 {
        world.put(START, &caller(), "orders", PutMessage::new(number.to_string())).expect("put");
    }
    for name in ["orders", "bills"] {
        let body = json!({ "FunctionName": name, "Role": "arn:aws:iam::111111111111:role/x", "Code": {} });
        call(&mut world, START, "CreateFunction", &[], body).expect("created");
    }
    world
}

fn call(
    world: &mut World,
    at: Timestamp,
    action: &str,
    fields: &[(&str, &str)],
    body: Value,
) -> Result<Value, ApiError> {
    let fields: BTreeMap<String, String> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let input = Input { fields, ..body.into() };
    world.ask_json(at, &caller(), ("lambda", action), input)
}

fn create(world: &mut World, at: Timestamp, body: Value) -> String {
    let shown = call(world, at, "CreateEventSourceMapping", &[], body).expect("created");
    assert_eq!(shown["State"], "Creating");
    shown["UUID"].as_str().expect("an id").to_owned()
}

fn state(world: &mut World, at: Timestamp, id: &str) -> String {
    let shown = call(world, at, "GetEventSourceMapping", &[("UUID", id)], json!({})).expect("there");
    shown["State"].as_str().expect("a state").to_owned()
}

fn set(world: &mut World, at: Timestamp, id: &str, enabled: bool) -> Result<Value, ApiError> {
    call(world, at, "UpdateEventSourceMapping", &[("UUID", id)], json!({ "Enabled": enabled }))
}

fn visible(world: &mut World, at: Timestamp) -> usize {
    world.advance(at);
    world.queue_view("111111111111", "af-south-1", "orders").expect("there").counts.visible
}

#[test]
fn a_mapping_takes_messages_once_it_is_enabled() {
    let mut world = world();
    let id = create(&mut world, START, json!({ "FunctionName": "orders", "EventSourceArn": QUEUE }));
    assert_eq!(visible(&mut world, after(5)), 10);
    assert_eq!(visible(&mut world, after(8)), 0);
    let shown = call(&mut world, after(8), "GetEventSourceMapping", &[("UUID", &id)], json!({})).expect("there");
    assert_eq!((&shown["State"], &shown["BatchSize"]), (&json!("Enabled"), &json!(10)));
    world.advance(after(20));
    let found = world.lambda.mapping(after(20), "111111111111", "af-south-1", &id).expect("there");
    assert_eq!(found.last_result.as_deref(), Some("No records processed"));
}

#[test]
fn a_mapping_on_its_way_down_still_takes_and_a_paused_one_does_not() {
    let mut world = world();
    let id = create(&mut world, START, json!({ "FunctionName": "orders", "EventSourceArn": QUEUE }));
    assert_eq!(visible(&mut world, after(10)), 0);
    let shown = set(&mut world, after(10), &id, false).expect("updated");
    assert_eq!((&shown["State"], &shown["StateTransitionReason"]), (&json!("Disabling"), &json!("USER_INITIATED")));
    world.put(after(11), &caller(), "orders", PutMessage::new("on the way down")).expect("put");
    assert_eq!(visible(&mut world, after(14)), 0);
    assert_eq!(state(&mut world, after(20), &id), "Disabled");
    world.put(after(20), &caller(), "orders", PutMessage::new("paused")).expect("put");
    assert_eq!(visible(&mut world, after(3_000)), 1);
    assert_eq!(set(&mut world, after(3_000), &id, true).expect("updated")["State"], "Enabling");
    assert_eq!(visible(&mut world, after(3_010)), 1);
    assert_eq!(visible(&mut world, after(3_014)), 0);
}

#[test]
fn a_change_in_the_midst_of_one_is_refused() {
    let mut world = world();
    let id = create(&mut world, START, json!({ "FunctionName": "orders", "EventSourceArn": QUEUE }));
    assert_eq!(set(&mut world, after(1), &id, false).expect_err("creating").code, "ResourceInUseException");
    set(&mut world, after(10), &id, false).expect("updated");
    assert_eq!(set(&mut world, after(12), &id, true).expect_err("disabling").code, "ResourceInUseException");
    let deleted = call(&mut world, after(12), "DeleteEventSourceMapping", &[("UUID", &id)], json!({}));
    assert_eq!(deleted.expect_err("disabling").code, "ResourceInUseException");
    call(&mut world, after(30), "DeleteEventSourceMapping", &[("UUID", &id)], json!({})).expect("deleted");
    assert_eq!(state(&mut world, after(31), &id), "Deleting");
    let gone = call(&mut world, after(60), "GetEventSourceMapping", &[("UUID", &id)], json!({}));
    assert_eq!(gone.expect_err("gone").code, "ResourceNotFoundException");
}

#[test]
fn what_is_so_already_changes_nothing() {
    let mut world = world();
    let id = create(&mut world, START, json!({ "FunctionName": "orders", "EventSourceArn": QUEUE, "Enabled": false }));
    assert_eq!(state(&mut world, after(10), &id), "Disabled");
    assert_eq!(set(&mut world, after(11), &id, false).expect("updated")["State"], "Disabled");
    let fields = [("UUID", id.as_str())];
    let other = call(&mut world, after(12), "UpdateEventSourceMapping", &fields, json!({ "BatchSize": 5 }));
    assert_eq!(other.expect("updated")["State"], "Updating");
    assert_eq!(state(&mut world, after(20), &id), "Disabled");
    let large = call(&mut world, after(30), "UpdateEventSourceMapping", &fields, json!({ "BatchSize": 11 }));
    assert_eq!(large.expect_err("too large").code, "InvalidParameterValueException");
}

#[test]
fn what_does_not_fit_is_not_created() {
    let mut world = world();
    create(&mut world, START, json!({ "FunctionName": "orders", "EventSourceArn": QUEUE }));
    let nowhere = "arn:aws:sqs:af-south-1:111111111111:nowhere";
    for (body, code) in [
        (json!({ "FunctionName": "orders", "EventSourceArn": QUEUE }), "ResourceConflictException"),
        (json!({ "FunctionName": "nobody", "EventSourceArn": QUEUE }), "ResourceNotFoundException"),
        (json!({ "FunctionName": "orders", "EventSourceArn": nowhere }), "InvalidParameterValueException"),
        (json!({ "FunctionName": "bills" }), "InvalidParameterValueException"),
        (json!({ "EventSourceArn": QUEUE }), "InvalidRequestContentException"),
    ] {
        let error = call(&mut world, START, "CreateEventSourceMapping", &[], body.clone()).expect_err(code);
        assert_eq!(error.code, code, "{body}");
    }
}

#[test]
fn a_list_has_pages_of_a_hundred_and_filters() {
    let mut world = world();
    for number in 0..205 {
        let queue = if number % 2 == 0 { QUEUE.to_owned() } else { format!("{QUEUE}-{number}") };
        world.lambda.put("111111111111", "af-south-1", Mapping::new(&format!("f{number}"), &queue, START));
    }
    let (mut all, mut marker) = (Vec::new(), String::new());
    for (page, expected) in [100, 100, 5].into_iter().enumerate() {
        let fields = [("MaxItems", "10000"), ("Marker", marker.as_str())];
        let shown = call(&mut world, START, "ListEventSourceMappings", &fields, json!({})).expect("listed");
        let mappings = shown["EventSourceMappings"].as_array().expect("a list").clone();
        assert_eq!(mappings.len(), expected, "page {page}");
        all.extend(mappings.iter().map(|one| one["UUID"].to_string()));
        marker = shown["NextMarker"].as_str().unwrap_or_default().to_owned();
    }
    all.sort();
    all.dedup();
    assert_eq!((all.len(), marker.as_str()), (205, ""));
    let count = |world: &mut World, fields: &[(&str, &str)]| {
        let shown = call(world, START, "ListEventSourceMappings", fields, json!({})).expect("listed");
        shown["EventSourceMappings"].as_array().expect("a list").len()
    };
    assert_eq!(count(&mut world, &[("EventSourceArn", QUEUE), ("MaxItems", "200")]), 100);
    assert_eq!(count(&mut world, &[("FunctionName", "arn:aws:lambda:af-south-1:111111111111:function:f3")]), 1);
    for most in ["0", "10001", "many"] {
        let wrong = call(&mut world, START, "ListEventSourceMappings", &[("MaxItems", most)], json!({}));
        assert_eq!(wrong.expect_err(most).code, "InvalidParameterValueException");
    }
}
