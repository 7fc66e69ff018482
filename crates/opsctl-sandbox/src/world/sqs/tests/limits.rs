//! Sizes, ranges, numbers in flight.

use serde_json::json;

use super::scene;
use crate::world::Input;

#[test]
fn messages_have_a_largest_size_with_attributes() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    scene.send("orders", &"b".repeat(1_048_576));
    let error = scene.error("SendMessage", json!({"QueueUrl": "orders", "MessageBody": "b".repeat(1_048_577)}));
    let message = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.";
    assert_eq!((error.shown_code(), error.message.as_str()), ("InvalidParameterValue", message));
    scene.create("small", json!({"MaximumMessageSize": "1024"}));
    // A name of 1, a label of 6, a value of 17.
    let attributes = json!({"a": {"DataType": "String", "StringValue": "v".repeat(17)}});
    let request =
        |bytes: usize| json!({"QueueUrl": "small", "MessageBody": "b".repeat(bytes), "MessageAttributes": attributes});
    scene.ok("SendMessage", request(1_000));
    assert!(scene.call("SendMessage", request(1_001)).is_err());
}

#[test]
fn what_is_no_message_is_refused() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    let error = scene.error("SendMessage", json!({"QueueUrl": "orders"}));
    assert_eq!(error.message, "The request must contain the parameter MessageBody.");
    let error = scene.error("SendMessage", json!({"QueueUrl": "orders", "MessageBody": "a\u{0}b"}));
    assert_eq!(error.code, "InvalidMessageContents");
    let error = scene.error("SendMessage", json!({"MessageBody": "b"}));
    assert_eq!(error.message, "The request must contain the parameter QueueUrl.");
    let broken = Input::of_json(b"{");
    let error = scene.world.answer_to(scene.now, &scene.caller, ("sqs", "SendMessage"), broken).expect_err("no JSON");
    assert_eq!(error.code, "SerializationException");
    assert_eq!(scene.error("Explode", json!({})).code, "UnknownOperationException");
}

#[test]
fn receives_have_ranges() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    for (name, bad) in [
        ("MaxNumberOfMessages", 0),
        ("MaxNumberOfMessages", 11),
        ("WaitTimeSeconds", -1),
        ("WaitTimeSeconds", 21),
        ("VisibilityTimeout", -1),
        ("VisibilityTimeout", 43_201),
    ] {
        let mut request = json!({"QueueUrl": "orders"});
        request[name] = bad.into();
        let error = scene.error("ReceiveMessage", request);
        assert!(
            error.message.starts_with(&format!("Value {bad} for parameter {name} is invalid.")),
            "{}",
            error.message
        );
    }
}

#[test]
fn past_the_limit_in_flight_a_short_poll_is_told_and_others_get_nothing() {
    let mut scene = scene();
    scene.world.settings.in_flight_max = 2;
    scene.create("orders", json!({}));
    scene.create("q.fifo", json!({"FifoQueue": "true"}));
    for n in 0..3 {
        scene.send("orders", "b");
        scene.send_fifo("q.fifo", "b", &n.to_string(), &n.to_string());
    }
    let got = scene.receive_with("orders", json!({"MaxNumberOfMessages": 2}));
    scene.receive_with("q.fifo", json!({"MaxNumberOfMessages": 2}));
    let error = scene.error("ReceiveMessage", json!({"QueueUrl": "orders"}));
    assert_eq!((error.code, error.status), ("OverLimit", 403));
    let answer = scene.answer("ReceiveMessage", &json!({"QueueUrl": "orders", "WaitTimeSeconds": 1}));
    assert!(matches!(answer, Ok(crate::world::Answer::Wait { .. })));
    assert!(scene.receive("q.fifo").is_empty());
    scene.delete("orders", &got[0]).expect("deleted");
    assert_eq!(scene.receive("orders").len(), 1);
}
