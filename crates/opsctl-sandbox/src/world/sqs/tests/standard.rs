//! Standard queues: visibility, receipt handles, delay, retention.

use serde_json::json;

use super::{ACCOUNT, scene};

#[test]
fn a_message_comes_back_as_it_was_sent() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    let attributes = json!({
        "id": {"DataType": "String.uuid", "StringValue": "453ae55e"},
        "bytes": {"DataType": "Binary.png", "BinaryValue": "AP8B"},
        "count": {"DataType": "Number.int", "StringValue": "7"},
    });
    let header = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1";
    let sent = scene.ok(
        "SendMessage",
        json!({"QueueUrl": "orders", "MessageBody": "h\u{e9}llo \u{1f600} \"<&>\"\r\n", "MessageAttributes": attributes,
               "MessageGroupId": "tenant-1",
               "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": header}}}),
    );
    assert!(sent.get("SequenceNumber").is_none());
    assert!(sent["MD5OfMessageSystemAttributes"].is_string());
    let request = json!({"QueueUrl": "orders", "MessageAttributeNames": ["All"], "AttributeNames": ["All"]});
    let answer = scene.ok("ReceiveMessage", request);
    let message = &answer["Messages"][0];
    assert_eq!(message["Body"], "h\u{e9}llo \u{1f600} \"<&>\"\r\n");
    assert_eq!(message["MessageAttributes"], attributes);
    assert_eq!(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    assert_eq!(message["MD5OfBody"], sent["MD5OfMessageBody"]);
    assert_eq!(message["MessageId"], sent["MessageId"]);
    let now = scene.now.as_millisecond().to_string();
    let system = json!({"SenderId": format!("AIDASANDBOX{ACCOUNT}"), "SentTimestamp": now, "ApproximateReceiveCount": "1",
                        "ApproximateFirstReceiveTimestamp": now, "MessageGroupId": "tenant-1", "AWSTraceHeader": header});
    assert_eq!(message["Attributes"], system);
}

#[test]
fn only_what_is_asked_for_is_told() {
    let mut scene = scene();
    scene.create("orders", json!({"VisibilityTimeout": "0"}));
    let one = json!({"DataType": "String", "StringValue": "x"});
    let attributes = json!({"trace.id": one, "trace.span": one, "Other": one});
    scene.ok("SendMessage", json!({"QueueUrl": "orders", "MessageBody": "b", "MessageAttributes": attributes}));
    let mut names = |more: serde_json::Value| {
        let mut request = json!({"QueueUrl": "orders"});
        request["MessageAttributeNames"] = more;
        let message = scene.ok("ReceiveMessage", request)["Messages"][0].clone();
        assert!(message.get("Attributes").is_none());
        assert_eq!(message.get("MD5OfMessageAttributes").is_some(), message.get("MessageAttributes").is_some());
        let names = message["MessageAttributes"].as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
        names.unwrap_or_default()
    };
    assert_eq!(names(json!([])), [""; 0]);
    assert_eq!(names(json!(["nothing"])), [""; 0]);
    assert_eq!(names(json!(["Other", "nothing"])), ["Other"]);
    assert_eq!(names(json!(["trace.*"])), ["trace.id", "trace.span"]);
    assert_eq!(names(json!([".*"])).len(), 3);
    assert_eq!(names(json!(["All"])).len(), 3);
    let request = json!({"QueueUrl": "orders", "AttributeNames": ["SenderId"]});
    let answer = scene.ok("ReceiveMessage", request);
    assert_eq!(answer["Messages"][0]["Attributes"].as_object().map(|map| map.len()), Some(1));
    let error = scene.error("ReceiveMessage", json!({"QueueUrl": "orders", "AttributeNames": ["Color"]}));
    assert_eq!(error.message, "Unknown Attribute Color.");
}

#[test]
fn a_received_message_is_hidden_until_its_timeout() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    scene.send("orders", "a");
    assert_eq!(scene.counts("orders"), (1, 0, 0));
    let first = scene.receive_one("orders");
    assert_eq!(scene.counts("orders"), (0, 1, 0));
    scene.pass_milliseconds(29_999);
    assert!(scene.receive("orders").is_empty());
    scene.pass_milliseconds(1);
    let second = scene.receive_one("orders");
    assert_eq!(second.attributes["ApproximateReceiveCount"], "2");
    assert_eq!(
        second.attributes["ApproximateFirstReceiveTimestamp"],
        first.attributes["ApproximateFirstReceiveTimestamp"]
    );
    assert_ne!(first.handle, second.handle);
}

#[test]
fn an_old_handle_reports_success_and_deletes_nothing() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    scene.send("orders", "a");
    let old = scene.receive_one("orders");
    scene.pass(30);
    let new = scene.receive_one("orders");
    scene.delete("orders", &old).expect("success is reported");
    assert_eq!(scene.exact("orders").in_flight, 1);
    scene.delete("orders", &new).expect("deleted");
    assert_eq!(scene.exact("orders").in_flight, 0);
    scene.delete("orders", &new).expect("again is no error");
}

#[test]
fn the_newest_handle_deletes_after_its_timeout_too() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    scene.send("orders", "a");
    let message = scene.receive_one("orders");
    scene.pass(31);
    assert_eq!(scene.counts("orders"), (1, 0, 0));
    scene.delete("orders", &message).expect("deleted");
    assert_eq!(scene.counts("orders"), (0, 0, 0));
    assert!(scene.receive("orders").is_empty());
}

#[test]
fn a_handle_never_finds_another_message() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    scene.create("bills", json!({}));
    scene.send("orders", "a");
    let message = scene.receive_one("orders");
    scene.delete("orders", &message).expect("deleted");
    scene.send("orders", "b");
    let other = scene.receive_one("orders");
    scene.delete("orders", &message).expect("success is reported");
    assert_eq!(scene.exact("orders").in_flight, 1, "the slot was used again");
    scene.ok("PurgeQueue", json!({"QueueUrl": "orders"}));
    scene.send("orders", "c");
    scene.receive_one("orders");
    scene.delete("orders", &other).expect("success is reported");
    assert_eq!(scene.exact("orders").in_flight, 1);
    let error = scene.delete("bills", &other).expect_err("another queue's handle");
    assert_eq!(error.shown_code(), "ReceiptHandleIsInvalid");
    let error = scene.error("DeleteMessage", json!({"QueueUrl": "orders", "ReceiptHandle": "nonsense"}));
    assert_eq!((error.code, error.status), ("ReceiptHandleIsInvalid", 404));
}

#[test]
fn visibility_can_be_longer_shorter_and_over() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    scene.send("orders", "a");
    let message = scene.receive_one("orders");
    scene.change("orders", &message, 60).expect("longer");
    scene.pass(59);
    assert!(scene.receive("orders").is_empty());
    scene.change("orders", &message, 0).expect("put back");
    assert_eq!(scene.counts("orders"), (1, 0, 0));
    scene.change("orders", &message, 10).expect("taken, although it was put back");
    assert_eq!(scene.counts("orders"), (1, 0, 0), "nothing happens");
    let message = scene.receive_one("orders");
    scene.pass(31);
    scene.change("orders", &message, 10).expect("taken, although its timeout has passed");
    assert_eq!(scene.counts("orders"), (1, 0, 0));
    scene.delete("orders", &message).expect("deleted");
    let error = scene.change("orders", &message, 10).expect_err("deleted");
    assert_eq!(error.shown_code(), "InvalidParameterValue");
}

#[test]
fn no_message_is_in_flight_for_more_than_twelve_hours() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    scene.send("orders", "a");
    let message = scene.receive_with("orders", json!({"VisibilityTimeout": 43_200}));
    scene.change("orders", &message[0], 43_200).expect("just received");
    scene.pass(10);
    let error = scene.change("orders", &message[0], 43_200).expect_err("ten seconds too long");
    assert!(error.message.contains("Total VisibilityTimeout"), "{}", error.message);
    scene.change("orders", &message[0], 43_190).expect("twelve hours in all");
    let error = scene.change("orders", &message[0], 43_201).expect_err("out of range");
    assert_eq!(error.shown_code(), "InvalidParameterValue");
}

#[test]
fn a_visibility_of_zero_hides_nothing_and_answers_no_message_twice() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    scene.send("orders", "a");
    let got = scene.receive_with("orders", json!({"VisibilityTimeout": 0}));
    assert_eq!(got.len(), 1);
    assert_eq!(scene.counts("orders"), (1, 0, 0));
    scene.delete("orders", &got[0]).expect("deleted");
    assert_eq!(scene.counts("orders"), (0, 0, 0));
}

#[test]
fn delay_is_the_queues_unless_the_message_says() {
    let mut scene = scene();
    scene.create("orders", json!({"DelaySeconds": "10"}));
    scene.send("orders", "late");
    scene.ok("SendMessage", json!({"QueueUrl": "orders", "MessageBody": "now", "DelaySeconds": 0}));
    scene.ok("SendMessage", json!({"QueueUrl": "orders", "MessageBody": "later", "DelaySeconds": 20}));
    assert_eq!(scene.counts("orders"), (1, 0, 2));
    assert_eq!(scene.bodies("orders"), ["now"]);
    scene.pass(10);
    assert_eq!(scene.bodies("orders"), ["late"]);
    scene.pass(10);
    assert_eq!(scene.bodies("orders"), ["later"]);
}

#[test]
fn messages_are_gone_at_the_end_of_their_retention_wherever_they_are() {
    let mut scene = scene();
    scene.create("orders", json!({"MessageRetentionPeriod": "60"}));
    scene.send("orders", "visible");
    scene.send("orders", "in flight");
    scene.ok("SendMessage", json!({"QueueUrl": "orders", "MessageBody": "delayed", "DelaySeconds": 900}));
    scene.receive_with("orders", json!({"MaxNumberOfMessages": 1, "VisibilityTimeout": 900}));
    scene.pass(30);
    scene.send("orders", "younger");
    assert_eq!(scene.counts("orders"), (2, 1, 1));
    scene.pass(30);
    assert_eq!(scene.bodies("orders"), ["younger"]);
    let totals = scene.world.queue_view(super::ACCOUNT, super::REGION, "orders").expect("a queue").totals;
    assert_eq!(totals.expired, 3);
}

#[test]
fn counts_lag_where_the_world_says_so() {
    let mut scene = scene();
    scene.world.settings.counts_lag_seconds = 60;
    scene.create("orders", json!({}));
    scene.pass(100);
    scene.send("orders", "a");
    assert_eq!(scene.counts("orders"), (0, 0, 0));
    scene.pass(30);
    scene.send("orders", "b");
    scene.pass(30);
    assert_eq!(scene.counts("orders"), (1, 0, 0));
    let got = scene.receive("orders");
    assert_eq!(got.len(), 2);
    scene.pass(15);
    assert_eq!(scene.counts("orders"), (1, 0, 0));
    scene.pass(15);
    assert_eq!(scene.counts("orders"), (2, 0, 0));
    scene.pass(30);
    assert_eq!(scene.counts("orders"), (0, 2, 0), "the timeout passed meanwhile, a minute is not over");
    scene.pass(60);
    assert_eq!(scene.counts("orders"), (2, 0, 0));
}
