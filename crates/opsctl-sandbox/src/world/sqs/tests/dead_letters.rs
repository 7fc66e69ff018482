//! Redrive policies: who is moved, when, and what moves with it.

use serde_json::json;

use super::{arn, redrive, scene};

#[test]
fn a_message_moves_at_the_receive_after_the_last() {
    let mut scene = scene();
    scene.create_pair("orders", "", 2);
    let header = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}});
    let attributes = json!({"a": {"DataType": "Number.int", "StringValue": "1"}});
    let sent = scene.ok(
        "SendMessage",
        json!({"QueueUrl": "orders", "MessageBody": "poison", "MessageAttributes": attributes, "MessageGroupId": "t",
               "MessageSystemAttributes": header}),
    );
    let sent_at = scene.now.as_millisecond().to_string();
    for _ in 0..2 {
        assert_eq!(scene.receive("orders").len(), 1);
        scene.pass(30);
    }
    assert_eq!(scene.counts("orders"), (1, 0, 0), "it moves when it is looked for, not before");
    assert!(scene.receive("orders").is_empty());
    assert_eq!((scene.counts("orders"), scene.counts("orders-dlq")), ((0, 0, 0), (1, 0, 0)));
    let request = json!({"QueueUrl": "orders-dlq", "MessageAttributeNames": ["All"], "AttributeNames": ["All"]});
    let message = scene.ok("ReceiveMessage", request)["Messages"][0].clone();
    assert_eq!(message["MessageId"], sent["MessageId"]);
    assert_eq!(message["MessageAttributes"], attributes);
    let system = &message["Attributes"];
    assert_eq!(system["DeadLetterQueueSourceArn"], arn("orders").as_str());
    assert_eq!(system["ApproximateReceiveCount"], "3", "the count spans queues");
    assert_eq!(system["SentTimestamp"], sent_at.as_str());
    assert_eq!((&system["AWSTraceHeader"], &system["MessageGroupId"]), (&json!("Root=1"), &json!("t")));
}

#[test]
fn a_standard_queues_retention_goes_on_in_the_dead_letter_queue() {
    let mut scene = scene();
    scene.create_pair("orders", "", 1);
    for queue in ["orders", "orders-dlq"] {
        let request = json!({"QueueUrl": queue, "Attributes": {"MessageRetentionPeriod": "3600"}});
        scene.ok("SetQueueAttributes", request);
    }
    scene.send("orders", "poison");
    scene.pass(3_000);
    scene.receive_one("orders");
    scene.pass(30);
    assert!(scene.receive("orders").is_empty());
    assert_eq!(scene.counts("orders-dlq"), (1, 0, 0));
    scene.pass(569);
    assert_eq!(scene.counts("orders-dlq"), (1, 0, 0));
    scene.pass(1);
    assert_eq!(scene.counts("orders-dlq"), (0, 0, 0));
}

#[test]
fn a_fifo_message_starts_anew_under_its_own_id() {
    let mut scene = scene();
    scene.create_pair("orders", ".fifo", 1);
    let sent = scene.send_fifo("orders.fifo", "poison", "g", "producers-id");
    scene.send_fifo("orders.fifo", "next", "g", "2");
    let first = scene.receive_one("orders.fifo");
    scene.pass(30);
    assert_eq!(scene.bodies("orders.fifo"), ["next"], "the group goes on at once");
    let dead = scene.receive_one("orders-dlq.fifo");
    assert_eq!(dead.id, sent["MessageId"]);
    assert_eq!(dead.attributes["MessageDeduplicationId"], sent["MessageId"]);
    assert_eq!(dead.attributes["MessageGroupId"], "g");
    assert_eq!(dead.attributes["SentTimestamp"], scene.now.as_millisecond().to_string().as_str());
    assert_ne!(dead.attributes["SequenceNumber"], first.attributes["SequenceNumber"]);
    scene.delete("orders.fifo", &first).expect("what has left is no error");
    assert_eq!(scene.exact("orders-dlq.fifo").in_flight, 1);
}

#[test]
fn without_its_dead_letter_queue_a_message_stays() {
    let mut scene = scene();
    scene.create_pair("orders", "", 1);
    scene.send("orders", "poison");
    scene.ok("DeleteQueue", json!({"QueueUrl": "orders-dlq"}));
    for _ in 0..3 {
        assert_eq!(scene.receive("orders").len(), 1);
        scene.pass(30);
    }
}

#[test]
fn a_dead_letter_queue_says_who_may_use_it() {
    let mut scene = scene();
    scene.create("dlq", json!({"RedriveAllowPolicy": json!({"redrivePermission": "denyAll"}).to_string()}));
    let attributes = json!({"RedrivePolicy": redrive("dlq", 1)});
    let error = scene.error("CreateQueue", json!({"QueueName": "orders", "Attributes": attributes}));
    assert_eq!(error.shown_code(), "InvalidParameterValue");
    let allow = json!({"redrivePermission": "byQueue", "sourceQueueArns": [arn("orders")]}).to_string();
    scene.ok("SetQueueAttributes", json!({"QueueUrl": "dlq", "Attributes": {"RedriveAllowPolicy": allow}}));
    scene.create("orders", attributes.clone());
    assert!(scene.call("CreateQueue", json!({"QueueName": "bills", "Attributes": attributes})).is_err());
    let deny = json!({"redrivePermission": "denyAll"}).to_string();
    scene.ok("SetQueueAttributes", json!({"QueueUrl": "dlq", "Attributes": {"RedriveAllowPolicy": deny}}));
    scene.send("orders", "poison");
    for _ in 0..3 {
        assert_eq!(scene.receive("orders").len(), 1, "no longer let in: it stays");
        scene.pass(30);
    }
}

#[test]
fn a_policy_must_name_a_queue_of_the_same_type() {
    let mut scene = scene();
    scene.create("dlq", json!({}));
    scene.create("dlq.fifo", json!({"FifoQueue": "true"}));
    let mut refusal = |name: &str, dead_letter: &str| {
        let mut attributes = json!({"RedrivePolicy": redrive(dead_letter, 1)});
        if name.ends_with(".fifo") {
            attributes["FifoQueue"] = "true".into();
        }
        scene.error("CreateQueue", json!({"QueueName": name, "Attributes": attributes})).message
    };
    assert!(refusal("a", "dlq.fifo").ends_with("Dead-letter queue must be same type of queue as the source."));
    assert!(refusal("a.fifo", "dlq").ends_with("Dead-letter queue must be same type of queue as the source."));
    assert!(refusal("a", "nowhere").ends_with("Dead letter target does not exist."));
}

#[test]
fn a_dead_letter_queues_own_policy_moves_on() {
    let mut scene = scene();
    scene.create("last", json!({}));
    scene.create("dlq", json!({"RedrivePolicy": redrive("last", 3)}));
    scene.create("orders", json!({"RedrivePolicy": redrive("dlq", 2)}));
    scene.send("orders", "poison");
    for _ in 0..3 {
        scene.receive("orders");
        scene.pass(30);
    }
    assert_eq!(scene.receive("dlq").len(), 1, "two receives came with it, this is the third");
    scene.pass(30);
    assert!(scene.receive("dlq").is_empty());
    assert_eq!(scene.receive_one("last").attributes["DeadLetterQueueSourceArn"], arn("dlq").as_str());
}
