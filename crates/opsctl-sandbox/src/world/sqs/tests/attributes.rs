//! Queue attributes.

use serde_json::json;

use super::{arn, redrive, scene};

#[test]
fn all_attributes_of_a_new_queue() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    let created = scene.now.as_second().to_string();
    let expected = json!({
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "CreatedTimestamp": created,
        "DelaySeconds": "0",
        "LastModifiedTimestamp": created,
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "QueueArn": arn("orders"),
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    });
    assert_eq!(scene.attributes("orders"), expected);
    scene.create("q.fifo", json!({"FifoQueue": "true"}));
    let fifo = scene.attributes("q.fifo");
    assert_eq!(fifo["ContentBasedDeduplication"], "false");
    assert_eq!(fifo["DeduplicationScope"], "queue");
    assert_eq!(fifo["FifoThroughputLimit"], "perQueue");
    assert_eq!(fifo["FifoQueue"], "true");
}

#[test]
fn only_named_attributes_are_told() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    assert_eq!(scene.ok("GetQueueAttributes", json!({"QueueUrl": "orders"})), json!({}));
    assert_eq!(scene.ok("GetQueueAttributes", json!({"QueueUrl": "orders", "AttributeNames": []})), json!({}));
    let request = json!({"QueueUrl": "orders", "AttributeNames": ["QueueArn", "KmsMasterKeyId"]});
    assert_eq!(scene.ok("GetQueueAttributes", request), json!({"Attributes": {"QueueArn": arn("orders")}}));
    let error = scene.error("GetQueueAttributes", json!({"QueueUrl": "orders", "AttributeNames": ["QueueArn", "no"]}));
    assert_eq!((error.code, error.message.as_str()), ("InvalidAttributeName", "Unknown Attribute no."));
}

#[test]
fn setting_is_all_or_nothing() {
    let mut scene = scene();
    scene.create("dlq", json!({}));
    scene.create("orders", json!({}));
    scene.pass(10);
    let policy = redrive("dlq", 3);
    let good = json!({"VisibilityTimeout": "45", "RedrivePolicy": policy});
    scene.ok("SetQueueAttributes", json!({"QueueUrl": "orders", "Attributes": good}));
    let attributes = scene.attributes("orders");
    assert_eq!((&attributes["VisibilityTimeout"], &attributes["RedrivePolicy"]), (&json!("45"), &json!(policy)));
    assert_ne!(attributes["CreatedTimestamp"], attributes["LastModifiedTimestamp"]);
    let bad = json!({"VisibilityTimeout": "50", "DelaySeconds": "901"});
    let error = scene.error("SetQueueAttributes", json!({"QueueUrl": "orders", "Attributes": bad}));
    assert_eq!(error.code, "InvalidAttributeValue");
    assert_eq!(scene.attributes("orders")["VisibilityTimeout"], "45");
    let error = scene.error("SetQueueAttributes", json!({"QueueUrl": "orders", "Attributes": {"FifoQueue": "true"}}));
    assert_eq!(error.message, "Unknown Attribute FifoQueue.");
}

#[test]
fn a_shorter_retention_takes_old_messages_at_once() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    scene.send("orders", "b");
    scene.pass(100);
    scene.ok("SetQueueAttributes", json!({"QueueUrl": "orders", "Attributes": {"MessageRetentionPeriod": "60"}}));
    assert_eq!(scene.counts("orders"), (0, 0, 0));
}
