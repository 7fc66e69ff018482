//! The sandbox itself: `opsctl sandbox serve` over loopback by the SDK's client, which shares the machine's cores with it.

use std::time::Instant;

use aws_sdk_sqs::{
    Client,
    types::{DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry},
};
use opsctl::sandbox::world::{
    World,
    fleet::{Amount, Fleet},
};
use tokio::task::JoinSet;

use crate::{
    Bound, Measure,
    server::{Ground, runtime},
};

const BODY_BYTES: usize = 500;
const BATCH: usize = 10;
/// Tasks that call at the same time.
const TASKS: usize = 16;
const THROUGHPUT_MESSAGES: usize = 100_000;
const MEMORY_MESSAGES: usize = 1_000_000;

/// Messages a second sent, then received and deleted.
pub(crate) fn throughput() -> Vec<Measure> {
    runtime().block_on(async {
        let ground = Ground::served(0);
        let url = ground.create("bench", &[]).await;
        let sent = rate(&ground.client, &url, THROUGHPUT_MESSAGES, send).await;
        let received = rate(&ground.client, &url, THROUGHPUT_MESSAGES, receive_and_delete).await;
        let what = |what: &str| {
            format!("{what} by the SDK over loopback, batches of {BATCH}, {BODY_BYTES} bytes, {TASKS} tasks")
        };
        vec![
            Measure {
                name: "sandbox-sent",
                what: what("sent"),
                value: sent,
                unit: "msg/s",
                bound: Bound::AtLeast(20_000.0),
            },
            Measure {
                name: "sandbox-received",
                what: what("received and deleted"),
                value: received,
                unit: "msg/s",
                bound: Bound::AtLeast(12_000.0),
            },
        ]
    })
}

/// The server's resident memory with a million messages in one queue.
pub(crate) fn memory() -> Vec<Measure> {
    let resident = runtime().block_on(async {
        let ground = Ground::served(0);
        let url = ground.create("bench", &[]).await;
        rate(&ground.client, &url, MEMORY_MESSAGES, send).await;
        ground.server.map_or(f64::NAN, |server| server.resident_megabytes())
    });
    let what = format!("resident, {MEMORY_MESSAGES} messages of {BODY_BYTES} bytes");
    vec![Measure { name: "sandbox-memory", what, value: resident, unit: "MB", bound: Bound::AtMost(1_500.0) }]
}

/// Making the fleet, with its DLQ of 100,000 messages.
pub(crate) fn fleet() -> Vec<Measure> {
    let started = Instant::now();
    let now = jiff::Timestamp::now();
    let mut world = World::new(7, now);
    let settled = Fleet::built_in().and_then(|fleet| fleet.settle(&mut world, now, 7, Amount::Full));
    let value = started.elapsed().as_secs_f64() * 1_000.0;
    settled.expect("the fleet is shipped");
    vec![Measure {
        name: "sandbox-fleet",
        what: "the whole fleet made".to_owned(),
        value,
        unit: "ms",
        bound: Bound::AtMost(1_000.0),
    }]
}

async fn rate<F: Future<Output = usize> + Send + 'static>(
    client: &Client,
    url: &str,
    messages: usize,
    work: fn(Client, String, usize) -> F,
) -> f64 {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        tasks.spawn(work(client.clone(), url.to_owned(), messages / TASKS));
    }
    let done: usize = tasks.join_all().await.into_iter().sum();
    done as f64 / started.elapsed().as_secs_f64()
}

async fn send(client: Client, url: String, messages: usize) -> usize {
    let body = "x".repeat(BODY_BYTES);
    let mut sent = 0;
    while sent < messages {
        let entry = |id: usize| {
            let entry = SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body(&body);
            entry.build().expect("an entry")
        };
        let entries = (0..BATCH).map(entry).collect();
        let answer = client.send_message_batch().queue_url(&url).set_entries(Some(entries)).send().await.expect("sent");
        assert_eq!(answer.successful().len(), BATCH);
        sent += BATCH;
    }
    sent
}

async fn receive_and_delete(client: Client, url: String, messages: usize) -> usize {
    let mut deleted = 0;
    while deleted < messages {
        let received =
            client.receive_message().queue_url(&url).max_number_of_messages(10).send().await.expect("received");
        let entry = |(id, message): (usize, &aws_sdk_sqs::types::Message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(id.to_string());
            entry.receipt_handle(message.receipt_handle().unwrap_or_default()).build().expect("an entry")
        };
        let entries: Vec<_> = received.messages().iter().enumerate().map(entry).collect();
        if entries.is_empty() {
            break;
        }
        let answer =
            client.delete_message_batch().queue_url(&url).set_entries(Some(entries)).send().await.expect("deleted");
        assert_eq!(answer.failed().len(), 0);
        deleted += answer.successful().len();
    }
    deleted
}
