//! SQS's semantics, through the calls that clients make, with explicit times.

mod attributes;
mod batches;
mod dead_letters;
mod faults;
mod fifo;
mod limits;
mod look_ahead;
mod move_tasks;
mod nothing_is_lost;
mod permissions;
mod polling;
mod queues;
mod standard;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{Answer, ApiError, Caller, Counts, World};

/// A world with one caller, and the time.
struct Scene {
    world: World,
    now: Timestamp,
    caller: Caller,
}

/// A received message, as far as tests look at it.
#[derive(Debug, Clone, PartialEq)]
struct Got {
    id: String,
    handle: String,
    body: String,
    attributes: Value,
}

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";

fn scene() -> Scene {
    let now: Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
    let caller = Caller { account: ACCOUNT.into(), region: REGION.into(), origin: "http://127.0.0.1:4566".into() };
    Scene { world: World::new(7, now), now, caller }
}

impl Scene {
    fn pass(&mut self, seconds: i64) {
        self.pass_milliseconds(seconds * 1_000);
    }

    fn pass_milliseconds(&mut self, milliseconds: i64) {
        self.now += SignedDuration::from_millis(milliseconds);
    }

    fn answer(&mut self, action: &str, request: &Value) -> Result<Answer, ApiError> {
        self.world.answer_to(self.now, &self.caller, ("sqs", action), request.clone())
    }

    fn call(&mut self, action: &str, request: Value) -> Result<Value, ApiError> {
        match self.answer(action, &request)? {
            Answer::Body(body) => Ok(serde_json::from_slice(&body).expect("answers are JSON")),
            Answer::Document(document) => Ok(document),
            other => panic!("{action}: {other:?}"),
        }
    }

    fn ok(&mut self, action: &str, request: Value) -> Value {
        self.call(action, request).unwrap_or_else(|error| panic!("{action}: {error:?}"))
    }

    fn error(&mut self, action: &str, request: Value) -> ApiError {
        match self.call(action, request) {
            Err(error) => error,
            Ok(answer) => panic!("{action} answered {answer}"),
        }
    }

    fn create(&mut self, name: &str, attributes: Value) -> String {
        let answer = self.ok("CreateQueue", json!({"QueueName": name, "Attributes": attributes}));
        answer["QueueUrl"].as_str().expect("a URL").to_owned()
    }

    /// A queue with a dead-letter queue of the same type; `name` and `name`-dlq.
    fn create_pair(&mut self, stem: &str, suffix: &str, receives_max: u32) {
        let fifo = if suffix.is_empty() { json!({}) } else { json!({"FifoQueue": "true"}) };
        self.create(&format!("{stem}-dlq{suffix}"), fifo.clone());
        let mut attributes = fifo;
        attributes["RedrivePolicy"] = redrive(&format!("{stem}-dlq{suffix}"), receives_max).into();
        self.create(&format!("{stem}{suffix}"), attributes);
    }

    fn send(&mut self, queue: &str, body: &str) -> Value {
        self.ok("SendMessage", json!({"QueueUrl": queue, "MessageBody": body}))
    }

    fn send_fifo(&mut self, queue: &str, body: &str, group: &str, deduplication_id: &str) -> Value {
        self.ok(
            "SendMessage",
            json!({"QueueUrl": queue, "MessageBody": body, "MessageGroupId": group,
                   "MessageDeduplicationId": deduplication_id}),
        )
    }

    fn receive_with(&mut self, queue: &str, more: Value) -> Vec<Got> {
        let mut request = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"]});
        for (key, value) in more.as_object().expect("an object") {
            request[key] = value.clone();
        }
        let answer = self.ok("ReceiveMessage", request);
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        let got = messages.iter().map(|message| Got {
            id: text(&message["MessageId"]),
            handle: text(&message["ReceiptHandle"]),
            body: text(&message["Body"]),
            attributes: message["Attributes"].clone(),
        });
        got.collect()
    }

    fn receive(&mut self, queue: &str) -> Vec<Got> {
        self.receive_with(queue, json!({}))
    }

    fn receive_one(&mut self, queue: &str) -> Got {
        let got = self.receive_with(queue, json!({"MaxNumberOfMessages": 1}));
        assert_eq!(got.len(), 1, "messages from {queue}");
        got[0].clone()
    }

    fn bodies(&mut self, queue: &str) -> Vec<String> {
        self.receive(queue).into_iter().map(|message| message.body).collect()
    }

    fn delete(&mut self, queue: &str, message: &Got) -> Result<Value, ApiError> {
        self.call("DeleteMessage", json!({"QueueUrl": queue, "ReceiptHandle": message.handle}))
    }

    fn change(&mut self, queue: &str, message: &Got, seconds: i64) -> Result<Value, ApiError> {
        let request = json!({"QueueUrl": queue, "ReceiptHandle": message.handle, "VisibilityTimeout": seconds});
        self.call("ChangeMessageVisibility", request)
    }

    fn attributes(&mut self, queue: &str) -> Value {
        let answer = self.ok("GetQueueAttributes", json!({"QueueUrl": queue, "AttributeNames": ["All"]}));
        answer["Attributes"].clone()
    }

    /// Visible, in flight, delayed, as told.
    fn counts(&mut self, queue: &str) -> (u32, u32, u32) {
        let attributes = self.attributes(queue);
        let count = |name: &str| attributes[name].as_str().and_then(|text| text.parse().ok()).expect("a count");
        (
            count("ApproximateNumberOfMessages"),
            count("ApproximateNumberOfMessagesNotVisible"),
            count("ApproximateNumberOfMessagesDelayed"),
        )
    }

    fn exact(&self, queue: &str) -> Counts {
        self.world.queue_view(ACCOUNT, REGION, queue).expect("a queue").counts
    }
}

fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
}

fn redrive(dead_letter: &str, receives_max: u32) -> String {
    json!({"deadLetterTargetArn": arn(dead_letter), "maxReceiveCount": receives_max}).to_string()
}
