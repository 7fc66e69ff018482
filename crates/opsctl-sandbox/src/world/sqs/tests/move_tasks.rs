//! Move tasks: rate, destination, cancel, failure.

use serde_json::{Value, json};

use super::{Scene, arn, redrive, scene};
use crate::world::PutMessage;

/// Two queues with one dead-letter queue, and messages in it from both by turns.
fn shared(messages: usize) -> Scene {
    let mut scene = scene();
    scene.create("dlq", json!({}));
    for name in ["a", "b"] {
        scene.create(name, json!({"RedrivePolicy": redrive("dlq", 3)}));
    }
    for n in 0..messages {
        let source = if n % 2 == 0 { "a" } else { "b" };
        let message =
            PutMessage { dead_letter_source: Some(arn(source)), receive_count: 4, ..PutMessage::new(n.to_string()) };
        scene.world.put(scene.now, &scene.caller.clone(), "dlq", message).expect("a queue");
    }
    scene
}

fn start(scene: &mut Scene, more: Value) -> String {
    let mut request = json!({"SourceArn": arn("dlq")});
    for (key, value) in more.as_object().expect("an object") {
        request[key] = value.clone();
    }
    scene.ok("StartMessageMoveTask", request)["TaskHandle"].as_str().expect("a handle").to_owned()
}

fn list(scene: &mut Scene) -> Value {
    scene.ok("ListMessageMoveTasks", json!({"SourceArn": arn("dlq")}))["Results"][0].clone()
}

fn start_error(scene: &mut Scene, request: Value) -> (&'static str, String) {
    let error = scene.error("StartMessageMoveTask", request);
    (error.shown_code(), error.message)
}

#[test]
fn without_a_destination_each_message_goes_to_its_own_source() {
    let mut scene = shared(5);
    let before: Vec<String> =
        scene.world.messages(super::ACCOUNT, super::REGION, "dlq").map(|m| m.id.to_string()).collect();
    start(&mut scene, json!({}));
    assert_eq!(list(&mut scene)["Status"], "RUNNING");
    scene.pass(10);
    let task = list(&mut scene);
    assert_eq!((&task["Status"], &task["ApproximateNumberOfMessagesMoved"]), (&json!("COMPLETED"), &json!(5)));
    assert_eq!(task["ApproximateNumberOfMessagesToMove"], 5);
    assert!(task.get("TaskHandle").is_none() && task.get("DestinationArn").is_none());
    assert_eq!((scene.exact("a").visible, scene.exact("b").visible), (3, 2));
    let moved = scene.receive_one("a");
    assert!(!before.contains(&moved.id), "a new id");
    assert_eq!(moved.attributes["ApproximateReceiveCount"], "1", "a fresh count");
    assert!(moved.attributes.get("DeadLetterQueueSourceArn").is_none());
}

#[test]
fn a_task_keeps_its_rate() {
    let mut scene = shared(10);
    start(&mut scene, json!({"MaxNumberOfMessagesPerSecond": 2, "DestinationArn": arn("b")}));
    let handle_while_running = list(&mut scene)["TaskHandle"].clone();
    assert!(handle_while_running.is_string());
    for (seconds, moved) in [(1, 2), (2, 6), (1, 8)] {
        scene.pass(seconds);
        scene.counts("b");
        assert_eq!(scene.exact("b").visible, moved);
    }
    scene.pass(2);
    scene.counts("b");
    assert_eq!((scene.exact("b").visible, scene.exact("dlq").visible), (10, 0));
}

#[test]
fn a_cancelled_task_goes_on_for_a_while() {
    let mut scene = shared(20);
    let handle = start(&mut scene, json!({"MaxNumberOfMessagesPerSecond": 1}));
    scene.pass(3);
    let answer = scene.ok("CancelMessageMoveTask", json!({"TaskHandle": handle}));
    assert_eq!(answer["ApproximateNumberOfMessagesMoved"], 2, "what is reported lags");
    let task = list(&mut scene);
    assert_eq!(task["Status"], "CANCELLING");
    assert!(task.get("TaskHandle").is_none());
    assert_eq!(scene.error("CancelMessageMoveTask", json!({"TaskHandle": handle})).code, "ResourceNotFoundException");
    scene.pass(60);
    let task = list(&mut scene);
    assert_eq!((&task["Status"], &task["ApproximateNumberOfMessagesMoved"]), (&json!("CANCELLED"), &json!(9)));
    assert_eq!(scene.exact("dlq").visible, 11);
}

#[test]
fn one_active_task_for_each_queue_and_the_last_ten_are_listed() {
    let mut scene = shared(0);
    for n in 0..12 {
        start(&mut scene, json!({}));
        let (code, message) = start_error(&mut scene, json!({"SourceArn": arn("dlq")}));
        assert_eq!(code, "InvalidParameterValue");
        assert!(message.starts_with("There is already a task running."), "{n}: {message}");
        scene.pass(5);
    }
    let answer = scene.ok("ListMessageMoveTasks", json!({"SourceArn": arn("dlq"), "MaxResults": 10}));
    let started: Vec<i64> = answer["Results"]
        .as_array()
        .expect("list")
        .iter()
        .map(|task| task["StartedTimestamp"].as_i64().expect("ms"))
        .collect();
    assert_eq!(started.len(), 10);
    assert!(started.is_sorted_by(|newer, older| newer > older), "newest first");
    assert!(scene.call("ListMessageMoveTasks", json!({"SourceArn": arn("dlq"), "MaxResults": 11})).is_err());
}

#[test]
fn what_a_task_refuses() {
    let mut scene = shared(1);
    scene.create("q.fifo", json!({"FifoQueue": "true"}));
    let missing = |parameter: &str| {
        let message = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
        ("ResourceNotFoundException", message)
    };
    assert_eq!(start_error(&mut scene, json!({"SourceArn": arn("none")})), missing("SourceArn"));
    let request = json!({"SourceArn": arn("dlq"), "DestinationArn": arn("none")});
    assert_eq!(start_error(&mut scene, request), missing("DestinationArn"));
    let no_dlq = "Source queue must be configured as a Dead Letter Queue.".to_owned();
    assert_eq!(start_error(&mut scene, json!({"SourceArn": arn("a")})), ("InvalidParameterValue", no_dlq));
    for bad in [
        json!({"SourceArn": arn("dlq"), "MaxNumberOfMessagesPerSecond": 501}),
        json!({"SourceArn": arn("dlq"), "MaxNumberOfMessagesPerSecond": 0}),
        json!({"SourceArn": arn("dlq"), "DestinationArn": arn("dlq")}),
        json!({"SourceArn": arn("dlq"), "DestinationArn": arn("q.fifo")}),
    ] {
        assert_eq!(start_error(&mut scene, bad.clone()).0, "InvalidParameterValue", "{bad}");
    }
    let error = scene.error("CancelMessageMoveTask", json!({"TaskHandle": "nonsense"}));
    assert_eq!(error.message, "Value for parameter TaskHandle is invalid.");
}

#[test]
fn a_destination_that_goes_away_fails_the_task_and_the_rest_stays() {
    let mut scene = shared(10);
    start(&mut scene, json!({"MaxNumberOfMessagesPerSecond": 1, "DestinationArn": arn("b")}));
    scene.pass(3);
    scene.ok("DeleteQueue", json!({"QueueUrl": "b"}));
    scene.pass(5);
    let task = list(&mut scene);
    assert_eq!(
        (&task["Status"], &task["FailureReason"]),
        (&json!("FAILED"), &json!("AWS.SimpleQueueService.NonExistentQueue"))
    );
    assert_eq!(task["ApproximateNumberOfMessagesMoved"], 3);
    assert_eq!(scene.exact("dlq").visible, 7);
}

#[test]
fn a_message_of_unknown_origin_fails_the_task() {
    let mut scene = shared(2);
    scene.send("dlq", "by hand");
    start(&mut scene, json!({}));
    scene.pass(5);
    let task = list(&mut scene);
    assert_eq!((&task["Status"], &task["FailureReason"]), (&json!("FAILED"), &json!("CouldNotDetermineMessageSource")));
    assert_eq!(scene.exact("dlq").visible, 1);
}

#[test]
fn messages_in_flight_are_not_moved_and_do_not_hold_the_task() {
    let mut scene = shared(3);
    let held = scene.receive_with("dlq", json!({"MaxNumberOfMessages": 1, "VisibilityTimeout": 600}));
    start(&mut scene, json!({}));
    scene.pass(5);
    assert_eq!(list(&mut scene)["Status"], "COMPLETED");
    assert_eq!(scene.exact("dlq").in_flight, 1);
    scene.delete("dlq", &held[0]).expect("deleted");
}
