//! FIFO queues: groups, deduplication, receipt handles.

use serde_json::json;

use super::{Got, Scene, scene};

fn fifo() -> Scene {
    let mut scene = scene();
    scene.create("q.fifo", json!({"FifoQueue": "true"}));
    scene
}

fn bodies(got: &[Got]) -> Vec<&str> {
    got.iter().map(|message| message.body.as_str()).collect()
}

#[test]
fn a_group_blocks_while_one_of_it_is_in_flight() {
    let mut scene = fifo();
    for (body, group) in [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")] {
        scene.send_fifo("q.fifo", body, group, body);
    }
    let first = scene.receive_with("q.fifo", json!({"MaxNumberOfMessages": 2}));
    assert_eq!(bodies(&first), ["a1", "a2"], "as many of one group as there are");
    let second = scene.receive("q.fifo");
    assert_eq!(bodies(&second), ["b1"]);
    scene.delete("q.fifo", &first[0]).expect("deleted");
    assert!(scene.receive("q.fifo").is_empty(), "a2 is still in flight");
    scene.delete("q.fifo", &first[1]).expect("deleted");
    assert_eq!(scene.bodies("q.fifo"), ["a3"]);
}

#[test]
fn what_comes_back_keeps_its_place() {
    let mut scene = fifo();
    for body in ["1", "2", "3"] {
        scene.send_fifo("q.fifo", body, "g", body);
    }
    let got = scene.receive_with("q.fifo", json!({"MaxNumberOfMessages": 2}));
    scene.change("q.fifo", &got[1], 0).expect("put back");
    assert!(scene.receive("q.fifo").is_empty(), "1 is in flight and stands before 2");
    scene.change("q.fifo", &got[0], 0).expect("put back");
    let again = scene.receive("q.fifo");
    assert_eq!(bodies(&again), ["1", "2", "3"]);
    let sequence = |message: &Got| message.attributes["SequenceNumber"].as_str().expect("a number").to_owned();
    assert_eq!(sequence(&again[0]).len(), 20);
    assert!(sequence(&again[0]) < sequence(&again[1]));
    scene.pass(30);
    assert_eq!(scene.bodies("q.fifo"), ["1", "2", "3"], "their timeouts have passed");
}

#[test]
fn what_is_in_flight_holds_up_only_what_stands_behind_it() {
    let mut scene = fifo();
    for body in ["1", "2", "3"] {
        scene.send_fifo("q.fifo", body, "g", body);
    }
    let got = scene.receive_with("q.fifo", json!({"MaxNumberOfMessages": 2}));
    scene.change("q.fifo", &got[0], 0).expect("put back");
    let again = scene.receive("q.fifo");
    assert_eq!(bodies(&again), ["1"], "2 is in flight, and 3 behind it");
    scene.delete("q.fifo", &again[0]).expect("deleted");
    assert!(scene.receive("q.fifo").is_empty());
    scene.delete("q.fifo", &got[1]).expect("deleted");
    assert_eq!(scene.bodies("q.fifo"), ["3"]);
}

#[test]
fn groups_that_nobody_was_served_from_come_first() {
    let mut scene = fifo();
    for (body, group) in [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("b2", "b"), ("c1", "c")] {
        scene.send_fifo("q.fifo", body, group, body);
    }
    let mut served = Vec::new();
    for _ in 0..6 {
        let one = scene.receive_one("q.fifo");
        scene.delete("q.fifo", &one).expect("deleted");
        served.push(one.body);
    }
    assert_eq!(served, ["a1", "b1", "c1", "a2", "b2", "a3"]);
}

#[test]
fn a_purge_forgets_deduplication_ids() {
    let mut scene = fifo();
    scene.send_fifo("q.fifo", "before", "g", "same");
    scene.ok("PurgeQueue", json!({"QueueUrl": "q.fifo"}));
    scene.send_fifo("q.fifo", "after", "g", "same");
    assert_eq!(scene.bodies("q.fifo"), ["after"]);
}

#[test]
fn a_messages_own_delay_of_nothing_leaves_the_queues() {
    for (attributes, request, delayed) in [
        (
            json!({"FifoQueue": "true", "DelaySeconds": "60"}),
            json!({"MessageGroupId": "g", "MessageDeduplicationId": "1"}),
            1,
        ),
        (json!({"DelaySeconds": "60"}), json!({}), 0),
    ] {
        let mut scene = scene();
        let name = if delayed == 1 { "q.fifo" } else { "q" };
        let url = scene.create(name, attributes);
        let mut request = request;
        request["Id"] = "1".into();
        request["MessageBody"] = "b".into();
        request["DelaySeconds"] = 0.into();
        scene.ok("SendMessageBatch", json!({"QueueUrl": url, "Entries": [request]}));
        assert_eq!(scene.counts(name).2, delayed, "{name}");
    }
}

#[test]
fn extending_one_message_hides_the_later_ones_too() {
    let mut scene = fifo();
    scene.send_fifo("q.fifo", "1", "g", "1");
    scene.send_fifo("q.fifo", "2", "g", "2");
    let first = scene.receive_one("q.fifo");
    scene.change("q.fifo", &first, 600).expect("longer");
    scene.pass(599);
    assert!(scene.receive("q.fifo").is_empty());
    scene.pass(1);
    assert_eq!(scene.bodies("q.fifo"), ["1", "2"]);
}

#[test]
fn a_handle_is_over_with_its_time() {
    let mut scene = fifo();
    scene.send_fifo("q.fifo", "1", "g", "1");
    let message = scene.receive_one("q.fifo");
    scene.pass(30);
    let error = scene.delete("q.fifo", &message).expect_err("its time is over");
    assert_eq!((error.code, error.query_code), ("InvalidParameterValueException", Some("InvalidParameterValue")));
    assert!(error.message.ends_with("Reason: The receipt handle has expired."), "{}", error.message);
    let error = scene.change("q.fifo", &message, 10).expect_err("its time is over");
    assert!(error.message.contains("not available for visibility timeout change"), "{}", error.message);
    let newer = scene.receive_one("q.fifo");
    assert!(scene.delete("q.fifo", &message).is_err());
    assert!(scene.change("q.fifo", &message, 10).is_err());
    scene.delete("q.fifo", &newer).expect("deleted");
    scene.delete("q.fifo", &newer).expect("again is no error");
}

#[test]
fn a_duplicate_is_accepted_and_dropped_for_five_minutes() {
    let mut scene = fifo();
    let first = scene.send_fifo("q.fifo", "body", "g", "same");
    let got = scene.receive_one("q.fifo");
    scene.delete("q.fifo", &got).expect("deleted");
    scene.pass(299);
    let second = scene.send_fifo("q.fifo", "another body", "other-group", "same");
    assert_eq!((&second["MessageId"], &second["SequenceNumber"]), (&first["MessageId"], &first["SequenceNumber"]));
    assert!(scene.receive("q.fifo").is_empty(), "dropped although the first was deleted");
    scene.pass(1);
    let third = scene.send_fifo("q.fifo", "body", "g", "same");
    assert_ne!(third["MessageId"], first["MessageId"]);
    assert_eq!(scene.bodies("q.fifo"), ["body"]);
}

#[test]
fn deduplication_may_be_each_groups_own() {
    let mut scene = scene();
    let attributes = json!({"FifoQueue": "true", "DeduplicationScope": "messageGroup",
                            "FifoThroughputLimit": "perMessageGroupId"});
    scene.create("q.fifo", attributes);
    scene.send_fifo("q.fifo", "1", "a", "same");
    scene.send_fifo("q.fifo", "2", "b", "same");
    scene.send_fifo("q.fifo", "3", "a", "same");
    assert_eq!(scene.bodies("q.fifo"), ["1", "2"]);
}

#[test]
fn content_based_deduplication_hashes_the_body_only() {
    let mut scene = scene();
    scene.create("q.fifo", json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"}));
    let mut send = |body: &str, attribute: &str, id: Option<&str>| {
        let attributes = json!({"a": {"DataType": "String", "StringValue": attribute}});
        let mut request = json!({"QueueUrl": "q.fifo", "MessageBody": body, "MessageGroupId": "g",
                                 "MessageAttributes": attributes});
        if let Some(id) = id {
            request["MessageDeduplicationId"] = id.into();
        }
        scene.ok("SendMessage", request)
    };
    let first = send("first", "x", None);
    assert_eq!(send("first", "y", None)["MessageId"], first["MessageId"]);
    let hash = "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e";
    assert_eq!(send("second", "x", Some(hash))["MessageId"], first["MessageId"], "the id is the body's SHA-256");
    send("first", "x", Some("explicit"));
    let got = scene.receive("q.fifo");
    assert_eq!(bodies(&got), ["first", "first"]);
    assert_eq!(got[0].attributes["MessageDeduplicationId"], hash);
}

#[test]
fn what_a_fifo_queue_needs_and_refuses() {
    let mut scene = fifo();
    let error =
        scene.error("SendMessage", json!({"QueueUrl": "q.fifo", "MessageBody": "b", "MessageDeduplicationId": "1"}));
    assert_eq!((error.shown_code(), error.code), ("MissingParameter", "MissingRequiredParameterException"));
    assert_eq!(error.message, "The request must contain the parameter MessageGroupId.");
    let error = scene.error("SendMessage", json!({"QueueUrl": "q.fifo", "MessageBody": "b", "MessageGroupId": "1"}));
    assert!(error.message.starts_with("The queue should either have ContentBasedDeduplication enabled or"));
    let request = json!({"QueueUrl": "q.fifo", "MessageBody": "b", "MessageGroupId": "1", "MessageDeduplicationId": "1",
                         "DelaySeconds": 5});
    let error = scene.error("SendMessage", request);
    let reason = "The request include parameter that is not valid for this queue type.";
    assert_eq!(error.message, format!("Value 5 for parameter DelaySeconds is invalid. Reason: {reason}"));
    let request =
        json!({"QueueUrl": "q.fifo", "MessageBody": "b", "MessageGroupId": "a b", "MessageDeduplicationId": "1"});
    assert!(scene.error("SendMessage", request).message.contains("MessageGroupId can only include"));
    scene.create("standard", json!({}));
    let request = json!({"QueueUrl": "standard", "MessageBody": "b", "MessageDeduplicationId": "1"});
    assert!(scene.error("SendMessage", request).message.contains("not valid for this queue type"));
}

#[test]
fn a_queues_delay_holds_the_group() {
    let mut scene = scene();
    scene.create("q.fifo", json!({"FifoQueue": "true", "DelaySeconds": "10"}));
    scene.send_fifo("q.fifo", "1", "g", "1");
    scene.pass(5);
    scene.ok("SetQueueAttributes", json!({"QueueUrl": "q.fifo", "Attributes": {"DelaySeconds": "0"}}));
    scene.send_fifo("q.fifo", "2", "g", "2");
    assert!(scene.receive("q.fifo").is_empty(), "2 must not overtake 1");
    scene.pass(5);
    assert_eq!(scene.bodies("q.fifo"), ["1", "2"]);
}
