//! The queues of a round, as any other client of SQS sees them; and a consumer that fails on some messages.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_sqs::{
    Client,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, QueueAttributeName as Name,
        SendMessageBatchRequestEntry,
    },
};
use aws_types::{SdkConfig, region::Region};
use tokio::task::JoinHandle;

use super::{ACCOUNT, At, REGION, scenario::Kind};

/// What a message is, told by its body; the round knows each by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) number: usize,
    pub(super) groups: usize,
}

impl Body {
    /// Group, also where the queue has none.
    pub(super) fn group(self) -> usize {
        self.number % self.groups
    }

    /// Whether the filter selects it: twelve of each group, then four not, and so on.
    pub(super) fn is_selected(self) -> bool {
        (self.number / self.groups) % 16 < 12
    }

    /// Whether it stands before all of its group that the filter leaves.
    pub(super) fn is_ahead(self) -> bool {
        self.number / self.groups < 12
    }

    /// Whether the consumer fails on it.
    pub(super) fn is_bad(self) -> bool {
        self.number % 5 == 3
    }

    pub(super) fn text(self) -> String {
        let Self { number, groups } = self;
        format!(r#"{{"number":{number},"groups":{groups},"selected":{}}}"#, self.is_selected())
    }

    /// # Panics
    /// It is no body of a round.
    pub(super) fn of(text: &str) -> Self {
        let value: serde_json::Value = serde_json::from_str(text).expect("a body of the round");
        let part = |name: &str| value[name].as_u64().expect("a number") as usize;
        Self { number: part("number"), groups: part("groups") }
    }
}

/// A message that was taken out of a queue.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) body: Body,
}

/// How any other client of AWS gets there.
pub(super) fn config(at: &At) -> SdkConfig {
    let credentials = Credentials::new(ACCOUNT, "secret", None, None, "kill");
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(&at.endpoint)
        .http_client(opsctl::cloud::network_client())
        .build()
}

/// A client of the sandbox, or of an emulator.
#[derive(Debug, Clone)]
pub(super) struct Queues {
    sqs: Client,
    speed: u32,
}

impl Queues {
    pub(super) fn of(at: &At) -> Self {
        Self { sqs: Client::new(&config(at)), speed: at.speed }
    }

    /// Makes a queue; one with a dead-letter queue moves there what was received once and came back -> URL
    pub(super) async fn make(&self, name: &str, kind: Kind, dead_letters: Option<&str>) -> String {
        let mut request = self.sqs.create_queue().queue_name(name);
        if kind == Kind::Fifo {
            request = request.attributes(Name::FifoQueue, "true");
        }
        if let Some(name) = dead_letters {
            let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
            let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":1}}"#);
            request = request.attributes(Name::RedrivePolicy, policy);
        }
        request.send().await.expect("the queue is made").queue_url.expect("a URL")
    }

    /// Sends the messages in their order -> their ids
    pub(super) async fn fill(&self, queue: &str, kind: Kind, bodies: &[Body]) -> Vec<String> {
        let mut ids = Vec::new();
        for batch in bodies.chunks(10) {
            let entries = batch.iter().enumerate().map(|(place, body)| {
                let mut entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(body.text());
                if kind == Kind::Fifo {
                    let id = format!("{queue}-{}", body.number);
                    entry = entry
                        .message_group_id(format!("g{}", body.group()))
                        .message_deduplication_id(id.rsplit('/').next().expect("a last part").to_owned());
                }
                entry.build().expect("a whole entry")
            });
            let answer = self.sqs.send_message_batch().queue_url(queue).set_entries(Some(entries.collect())).send();
            let mut sent = answer.await.expect("an answer").successful;
            sent.sort_by_key(|sent| sent.id.parse::<usize>().expect("the id that was given"));
            ids.extend(sent.into_iter().map(|sent| sent.message_id));
        }
        assert_eq!(ids.len(), bodies.len(), "all are sent");
        ids
    }

    /// Takes everything out, and waits for what is still hidden -> messages in the order in which they come
    ///
    /// # Panics
    /// The queue is not empty after more than two minutes of its own time.
    pub(super) async fn drain(&self, queue: &str) -> Vec<Seen> {
        let mut all = Vec::new();
        // What a run left is hidden for two minutes at a time.
        let deadline = Instant::now() + Duration::from_secs(130) / self.speed + Duration::from_secs(20);
        while Instant::now() < deadline {
            let messages = self.receive(queue, 0).await;
            if messages.is_empty() {
                if self.is_empty(queue).await {
                    return all;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            all.extend(messages.iter().map(seen));
            self.delete(queue, &messages).await;
        }
        let (visible, hidden) = self.counts(queue).await;
        panic!("{queue} does not become empty: {} received, {visible} visible, {hidden} hidden", all.len())
    }

    /// Waits until nothing is hidden any more, or could have been for its own time of `seconds`.
    pub(super) async fn wait_for_hidden(&self, queue: &str, seconds: u32) {
        let deadline = Instant::now() + Duration::from_secs(seconds.into()) / self.speed + Duration::from_secs(2);
        while self.counts(queue).await.1 > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Whether it is empty, what is hidden and delayed included.
    pub(super) async fn is_empty(&self, queue: &str) -> bool {
        self.counts(queue).await == (0, 0)
    }

    /// How many messages it has, visible or hidden.
    pub(super) async fn total(&self, queue: &str) -> u64 {
        let (visible, hidden) = self.counts(queue).await;
        visible + hidden
    }

    /// -> (visible, hidden)
    async fn counts(&self, queue: &str) -> (u64, u64) {
        let names = [Name::ApproximateNumberOfMessages, Name::ApproximateNumberOfMessagesNotVisible];
        let request = self.sqs.get_queue_attributes().queue_url(queue).set_attribute_names(Some(names.to_vec()));
        let attributes = request.send().await.expect("an answer").attributes.unwrap_or_default();
        let [visible, hidden] = names.map(|name| attributes[&name].parse().expect("a number"));
        (visible, hidden)
    }

    async fn receive(&self, queue: &str, wait_seconds: i32) -> Vec<Message> {
        let request = self.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
        let answer = request.wait_time_seconds(wait_seconds).visibility_timeout(120).send().await;
        answer.expect("an answer").messages.unwrap_or_default()
    }

    /// Shows what was received again, at once.
    async fn show(&self, queue: &str, messages: &[Message]) {
        let entries = messages.iter().enumerate().map(|(place, message)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(place.to_string()).visibility_timeout(0);
            entry.receipt_handle(message.receipt_handle.as_deref().expect("a handle")).build().expect("a whole entry")
        });
        let request = self.sqs.change_message_visibility_batch().queue_url(queue);
        let answer = request.set_entries(Some(entries.collect())).send().await.expect("an answer");
        assert!(answer.failed.is_empty(), "what was just received can be shown");
    }

    async fn delete(&self, queue: &str, messages: &[Message]) {
        let entries = messages.iter().enumerate().map(|(place, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(place.to_string());
            entry.receipt_handle(message.receipt_handle.as_deref().expect("a handle")).build().expect("a whole entry")
        });
        let entries: Vec<_> = entries.collect();
        if !entries.is_empty() {
            let answer = self.sqs.delete_message_batch().queue_url(queue).set_entries(Some(entries)).send().await;
            assert!(answer.expect("an answer").failed.is_empty(), "what was just received can be deleted");
        }
    }
}

fn seen(message: &Message) -> Seen {
    let body = Body::of(message.body.as_deref().expect("a body"));
    Seen { id: message.message_id.clone().expect("an id"), body }
}

/// Takes messages from a queue, in order, and fails on the bad ones: those go to the queue's dead-letter queue.
pub(super) struct Consumer {
    consumed: Arc<Mutex<Vec<Body>>>,
    stopped: Arc<AtomicBool>,
    /// When it failed on one last.
    failed_at: Arc<Mutex<Instant>>,
    task: JoinHandle<()>,
}

impl Consumer {
    pub(super) fn start(queues: Queues, queue: String) -> Self {
        let (consumed, stopped) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let failed_at = Arc::new(Mutex::new(Instant::now()));
        let shared = (Arc::clone(&consumed), Arc::clone(&failed_at), Arc::clone(&stopped));
        let task = tokio::spawn(consume(queues, queue, shared));
        Self { consumed, stopped, failed_at, task }
    }

    /// When it failed on a message last.
    pub(super) fn failed_at(&self) -> Instant {
        *self.failed_at.lock().expect("nobody panicked with it")
    }

    /// Lets it finish what it has in hand -> what it has worked off, in order
    pub(super) async fn stop(self) -> Vec<Body> {
        self.stopped.store(true, Ordering::Relaxed);
        self.task.await.expect("the consumer works");
        std::mem::take(&mut self.consumed.lock().expect("nobody panicked with it"))
    }
}

/// What it has worked off, when it failed last, and whether it is to stop.
type Shared = (Arc<Mutex<Vec<Body>>>, Arc<Mutex<Instant>>, Arc<AtomicBool>);

async fn consume(queues: Queues, queue: String, (consumed, failed_at, stopped): Shared) {
    while !stopped.load(Ordering::Relaxed) {
        let messages = queues.receive(&queue, 2).await;
        let (bad, good): (Vec<_>, Vec<_>) = messages.into_iter().partition(|message| seen(message).body.is_bad());
        queues.delete(&queue, &good).await;
        consumed.lock().expect("nobody panicked with it").extend(good.iter().map(|message| seen(message).body));
        if !bad.is_empty() {
            queues.show(&queue, &bad).await;
            *failed_at.lock().expect("nobody panicked with it") = Instant::now();
        }
    }
}
