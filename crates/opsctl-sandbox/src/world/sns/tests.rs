//! Topics, subscriptions, and what arrives in queues.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{ApiError, Caller, Denial, World};

struct Scene {
    world: World,
    now: Timestamp,
}

fn caller() -> Caller {
    Caller { account: "111111111111".into(), region: "af-south-1".into(), origin: "http://127.0.0.1:4100".into() }
}

fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:af-south-1:111111111111:{name}")
}

impl Scene {
    /// A topic and queues, all of one kind.
    fn new(topic: &str, queues: &[&str]) -> (Self, String) {
        let now: Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
        let mut scene = Self { world: World::new(7, now), now };
        for queue in queues {
            let attributes: &[(&str, &str)] = if queue.ends_with(".fifo") { &[("FifoQueue", "true")] } else { &[] };
            scene.world.create(now, &caller(), queue, attributes).expect("a queue");
        }
        let fifo = [("Attributes.entry.1.key", "FifoTopic"), ("Attributes.entry.1.value", "true")];
        let more = if topic.ends_with(".fifo") { &fifo[..] } else { &[] };
        let made = scene.ok("CreateTopic", &[&[("Name", topic)], more].concat());
        let arn = inside(&made, "TopicArn");
        (scene, arn)
    }

    fn call(&mut self, action: &str, fields: &[(&str, &str)]) -> Result<String, ApiError> {
        let form = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.world.ask_form(self.now, &caller(), ("sns", action), form)
    }

    fn ok(&mut self, action: &str, fields: &[(&str, &str)]) -> String {
        self.call(action, fields).unwrap_or_else(|error| panic!("{action}: {error:?}"))
    }

    fn subscribe(&mut self, topic: &str, queue: &str, attributes: &[(&str, &str)]) -> String {
        let arn = queue_arn(queue);
        let mut fields = vec![("TopicArn", topic), ("Protocol", "sqs"), ("Endpoint", &arn)];
        let named: Vec<(String, String)> = (1..=attributes.len())
            .map(|number| (format!("Attributes.entry.{number}.key"), format!("Attributes.entry.{number}.value")))
            .collect();
        for ((key, value), (name, text)) in named.iter().zip(attributes) {
            fields.extend([(key.as_str(), *name), (value.as_str(), *text)]);
        }
        inside(&self.ok("Subscribe", &fields), "SubscriptionArn")
    }

    fn received(&mut self, queue: &str) -> Vec<Value> {
        let request = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "AttributeNames": ["All"] });
        let answer = self.world.ask_json(self.now, &caller(), ("sqs", "ReceiveMessage"), request).expect("an answer");
        answer["Messages"].as_array().cloned().unwrap_or_default()
    }
}

fn inside(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split('<').next().unwrap_or_default().to_owned()
}

const COLOUR: [(&str, &str); 3] = [
    ("MessageAttributes.entry.1.Name", "colour"),
    ("MessageAttributes.entry.1.Value.DataType", "String"),
    ("MessageAttributes.entry.1.Value.StringValue", "red"),
];

#[test]
fn a_message_goes_to_every_queue_in_an_envelope_or_raw() {
    let (mut scene, topic) = Scene::new("orders", &["wrapped", "raw"]);
    scene.subscribe(&topic, "wrapped", &[]);
    scene.subscribe(&topic, "raw", &[("RawMessageDelivery", "true")]);
    let message = [("TopicArn", topic.as_str()), ("Message", "{\"id\": 7}"), ("Subject", "s")];
    let published = scene.ok("Publish", &[&message[..], &COLOUR].concat());
    let wrapped = scene.received("wrapped").remove(0);
    let body: Value = serde_json::from_str(wrapped["Body"].as_str().expect("text")).expect("an envelope");
    assert_eq!(
        (&body["Type"], &body["Message"], &body["Subject"]),
        (&json!("Notification"), &json!("{\"id\": 7}"), &json!("s"))
    );
    assert_eq!(
        (body["MessageId"].as_str(), &body["TopicArn"]),
        (Some(&*inside(&published, "MessageId")), &json!(topic))
    );
    assert_eq!(body["MessageAttributes"]["colour"], json!({ "Type": "String", "Value": "red" }));
    let raw = scene.received("raw").remove(0);
    assert_eq!(
        (&raw["Body"], &raw["MessageAttributes"]["colour"]["StringValue"]),
        (&json!("{\"id\": 7}"), &json!("red"))
    );
}

#[test]
fn filter_policies_look_at_attributes_or_the_body() {
    let (mut scene, topic) = Scene::new("orders", &["red", "blue", "body"]);
    scene.subscribe(&topic, "red", &[("FilterPolicy", "{\"colour\": [\"red\"]}")]);
    let blue = scene.subscribe(&topic, "blue", &[("FilterPolicy", "{\"colour\": [\"blue\"]}")]);
    scene.subscribe(
        &topic,
        "body",
        &[("FilterPolicy", "{\"id\": [{\"numeric\": [\">\", 5]}]}"), ("FilterPolicyScope", "MessageBody")],
    );
    let message = [("TopicArn", topic.as_str()), ("Message", "{\"id\": 7}")];
    scene.ok("Publish", &[&message[..], &COLOUR].concat());
    let counts = ["red", "blue", "body"].map(|queue| scene.received(queue).len());
    assert_eq!(counts, [1, 0, 1]);
    scene.ok(
        "SetSubscriptionAttributes",
        &[("SubscriptionArn", &blue), ("AttributeName", "FilterPolicy"), ("AttributeValue", "")],
    );
    scene.ok("Publish", &message);
    assert_eq!(["red", "blue", "body"].map(|queue| scene.received(queue).len()), [0, 1, 1]);
    let bad = [("SubscriptionArn", blue.as_str()), ("AttributeName", "FilterPolicy"), ("AttributeValue", "[]")];
    assert_eq!(scene.call("SetSubscriptionAttributes", &bad).expect_err("refused").code, "InvalidParameter");
}

#[test]
fn what_a_queue_does_not_take_goes_to_the_subscriptions_dead_letter_queue() {
    for trouble in ["gone", "denied"] {
        let (mut scene, topic) = Scene::new("orders", &["orders", "sns-dlq"]);
        let policy = json!({ "deadLetterTargetArn": queue_arn("sns-dlq") }).to_string();
        scene.subscribe(&topic, if trouble == "gone" { "nobody" } else { "orders" }, &[("RedrivePolicy", &policy)]);
        scene.world.denials.push(Denial {
            account: "*".into(),
            queue: "orders".into(),
            action: "sqs:SendMessage".into(),
        });
        scene.ok("Publish", &[("TopicArn", &topic), ("Message", "x")]);
        assert_eq!(scene.received("sns-dlq").len(), 1, "{trouble}");
    }
}

#[test]
fn a_fifo_topic_keeps_groups_and_drops_doubles() {
    let (mut scene, topic) = Scene::new("orders.fifo", &["orders.fifo", "plain"]);
    scene.subscribe(&topic, "orders.fifo", &[("RawMessageDelivery", "true")]);
    scene.subscribe(&topic, "plain", &[]);
    let publish = |scene: &mut Scene, body: &str, group: &str, id: &str| {
        scene.ok(
            "Publish",
            &[("TopicArn", &topic), ("Message", body), ("MessageGroupId", group), ("MessageDeduplicationId", id)],
        )
    };
    let first = publish(&mut scene, "1", "g", "same");
    assert_eq!(inside(&first, "SequenceNumber").len(), 20);
    let double = publish(&mut scene, "2", "g", "same");
    assert_eq!(inside(&double, "MessageId"), inside(&first, "MessageId"));
    publish(&mut scene, "3", "h", "other");
    let received = scene.received("orders.fifo");
    let told: Vec<_> =
        received.iter().map(|one| (one["Body"].clone(), one["Attributes"]["MessageGroupId"].clone())).collect();
    assert_eq!(told, [(json!("1"), json!("g")), (json!("3"), json!("h"))]);
    assert_eq!(received[0]["Attributes"]["MessageDeduplicationId"], "same");
    assert_eq!(scene.received("plain").len(), 2);
    scene.now += SignedDuration::from_secs(301);
    assert_ne!(inside(&publish(&mut scene, "4", "g", "same"), "MessageId"), inside(&first, "MessageId"));
    let without = [("TopicArn", topic.as_str()), ("Message", "x")];
    assert_eq!(scene.call("Publish", &without).expect_err("no group").code, "InvalidParameter");
}

#[test]
fn a_batch_tells_each_entry() {
    let (mut scene, topic) = Scene::new("orders", &["orders"]);
    scene.subscribe(&topic, "orders", &[]);
    let entry = |number: usize, name: &str| format!("PublishBatchRequestEntries.member.{number}.{name}");
    let (ids, bodies): (Vec<String>, Vec<String>) =
        (1..=2).map(|number| (entry(number, "Id"), entry(number, "Message"))).unzip();
    let fields = [("TopicArn", topic.as_str()), (&ids[0], "a"), (&bodies[0], "x"), (&ids[1], "b"), (&bodies[1], "")];
    let answer = scene.ok("PublishBatch", &fields);
    assert!(
        answer.contains("<Successful><member><Id>a</Id>") && answer.contains("<Failed><member><Id>b</Id>"),
        "{answer}"
    );
    assert_eq!(scene.received("orders").len(), 1);
    assert_eq!(scene.call("PublishBatch", &[("TopicArn", &topic)]).expect_err("empty").code, "EmptyBatchRequest");
}

#[test]
fn topics_and_subscriptions_are_listed_told_and_gone() {
    let (mut scene, topic) = Scene::new("orders", &["orders"]);
    let subscription = scene.subscribe(&topic, "orders", &[]);
    assert_eq!(scene.subscribe(&topic, "orders", &[]), subscription, "the same again");
    let email = scene.ok("Subscribe", &[("TopicArn", &topic), ("Protocol", "email"), ("Endpoint", "a@example.com")]);
    assert_eq!(inside(&email, "SubscriptionArn"), "pending confirmation");
    assert!(scene.ok("ListTopics", &[]).contains(&topic));
    assert_eq!(scene.ok("ListSubscriptionsByTopic", &[("TopicArn", &topic)]).matches("<member>").count(), 2);
    let told = scene.ok("GetTopicAttributes", &[("TopicArn", &topic)]);
    assert!(told.contains("<key>SubscriptionsConfirmed</key><value>1</value>"), "{told}");
    let told = scene.ok("GetSubscriptionAttributes", &[("SubscriptionArn", &subscription)]);
    assert!(told.contains("<key>RawMessageDelivery</key><value>false</value>"), "{told}");
    scene.ok("Unsubscribe", &[("SubscriptionArn", &subscription)]);
    scene.ok("Publish", &[("TopicArn", &topic), ("Message", "x")]);
    assert!(scene.received("orders").is_empty());
    scene.ok("DeleteTopic", &[("TopicArn", &topic)]);
    assert_eq!(scene.call("Publish", &[("TopicArn", &topic), ("Message", "x")]).expect_err("gone").code, "NotFound");
}
