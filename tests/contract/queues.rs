//! Queues: listing, describing, naming.

use std::collections::BTreeSet;

use aws_sdk_sqs::types::QueueAttributeName as Name;
use futures_util::{StreamExt, stream};
use opsctl::{
    cloud::{ErrorKind, sqs::Receive},
    domain::{QueueKind, QueueUrl},
};

use super::{
    Check,
    ground::{Ground, Peer, plain},
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("a listing follows every page", listing_pages),
        Check::new("a prefix narrows a listing", prefix),
        Check::new("a queue tells its settings", settings),
        Check::new("a FIFO queue tells what it is", fifo_settings),
        Check::new("counts tell visible, in flight and delayed", counts),
        Check::new("a name finds its queue", url_by_name),
        Check::new("what does not exist is not found", unknown),
        Check::new("a queue has its tags", tags),
        Check::new("a DLQ knows its sources", sources),
        Check::new("a queue that is no DLQ has no sources", no_sources),
        Check::new("two regions' queues of one name are two", regions),
    ]
}

async fn listing_pages(ground: Ground) {
    // A thousand queues and more take an emulator minutes to make, and its neighbours' listings to go through.
    let count = if ground.peer == Peer::Sandbox { 2_345 } else { 23 };
    let made: BTreeSet<QueueUrl> = stream::iter(0..count)
        .map(|index| {
            let ground = ground.clone();
            async move { ground.queue(&format!("q{index}"), &[]).await }
        })
        .buffer_unordered(8)
        .collect()
        .await;
    let listed = ground.sqs().list(Some(ground.prefix())).await.expect("listed");
    assert_eq!(listed.len(), count, "each once");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), made);
    let all = ground.sqs().list(None).await.expect("listed");
    assert!(all.len() >= count, "{} of at least {count}", all.len());
}

async fn prefix(ground: Ground) {
    let one = ground.queue("orders", &[]).await;
    let two = ground.queue("orders-dlq", &[]).await;
    ground.queue("payments", &[]).await;
    let mut listed = ground.sqs().list(Some(&format!("{}-orders", ground.prefix()))).await.expect("listed");
    listed.sort_unstable();
    assert_eq!(listed, [one, two]);
    let none = ground.sqs().list(Some(&format!("{}-nothing", ground.prefix()))).await;
    assert_eq!(none, Ok(Vec::new()));
}

async fn settings(ground: Ground) {
    let dead_letter = ground.queue("orders-dlq", &[]).await;
    let arn = ground.arn(&dead_letter).await;
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"7"}}"#);
    let url = ground
        .queue(
            "orders",
            &[
                (Name::VisibilityTimeout, "45"),
                (Name::MessageRetentionPeriod, "1209600"),
                (Name::DelaySeconds, "3"),
                (Name::MaximumMessageSize, "2048"),
                (Name::RedrivePolicy, &policy),
            ],
        )
        .await;
    let queue = ground.sqs().describe(&url).await.expect("described");
    assert_eq!((queue.kind, &queue.name, &queue.url), (QueueKind::Standard, &url.name(), &url));
    assert_eq!((queue.visibility_timeout_seconds, queue.retention_seconds), (45, 1_209_600));
    assert_eq!((queue.delay_seconds, queue.message_bytes_max), (3, 2_048));
    let redrive = queue.redrive.expect("a redrive policy");
    assert_eq!((redrive.dead_letter, redrive.receives_max), (arn.clone(), 7));
    assert_eq!((arn.is_sqs(), arn.account()), (true, Some(super::ground::ACCOUNT)));
    let age = ground.clock().now().duration_since(queue.created_at.expect("a time"));
    assert!(age.as_secs().abs() < 60, "made {age} ago");
}

async fn fifo_settings(ground: Ground) {
    let url = ground.queue("orders.fifo", &[(Name::ContentBasedDeduplication, "true")]).await;
    let queue = ground.sqs().describe(&url).await.expect("described");
    assert_eq!((queue.kind, queue.content_based_deduplication), (QueueKind::Fifo, true));
    assert_eq!(queue.deduplication_scope.as_deref(), Some("queue"));
}

async fn counts(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("a"), plain("b"), plain("c")]).await;
    let how = Receive { messages_max: 1, wait_seconds: 2, visibility_seconds: 600 };
    assert_eq!(ground.sqs().receive(&url, how).await.expect("an answer").len(), 1);
    let raw = ground.raw_sqs().send_message().queue_url(url.as_str()).message_body("later").delay_seconds(600);
    raw.send().await.expect("sent");
    ground
        .eventually("2 visible, 1 in flight, 1 delayed", async || {
            let counts = ground.sqs().describe(&url).await.expect("described").counts;
            (counts.visible, counts.in_flight, counts.delayed) == (2, 1, 1)
        })
        .await;
}

async fn url_by_name(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    assert_eq!(ground.sqs().url(url.name().as_str()).await, Ok(url));
}

async fn unknown(ground: Ground) {
    let there = ground.queue("orders", &[]).await;
    let gone = QueueUrl(format!("{there}-gone"));
    let sqs = ground.sqs();
    let how = Receive { messages_max: 1, wait_seconds: 0, visibility_seconds: 1 };
    let errors = [
        ("url", sqs.url(gone.name().as_str()).await.err()),
        ("describe", sqs.describe(&gone).await.err()),
        ("receive", sqs.receive(&gone, how).await.err()),
        ("send", sqs.send(&gone, &[plain("x")]).await.err()),
        ("tags", sqs.tags(&gone).await.err()),
    ];
    for (call, error) in errors {
        assert_eq!(error.as_ref().map(|error| error.kind), Some(ErrorKind::NotFound), "{call}: {error:?}");
    }
}

async fn tags(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let raw = ground.raw_sqs().tag_queue().queue_url(url.as_str());
    raw.tags("team", "storo").tags("source", "orders").send().await.expect("tagged");
    let tags = ground.sqs().tags(&url).await.expect("tags");
    let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(tags, [("source", "orders"), ("team", "storo")]);
}

async fn sources(ground: Ground) {
    let dead_letter = ground.queue("shared-dlq", &[]).await;
    let mut made = Vec::new();
    for name in ["orders", "payments"] {
        made.push(ground.source_of(&dead_letter, name, 3).await);
    }
    let mut sources = ground.sqs().sources_of(&dead_letter).await.expect("sources");
    sources.sort_unstable();
    assert_eq!(sources, made);
}

async fn no_sources(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    assert_eq!(ground.sqs().sources_of(&url).await, Ok(Vec::new()));
}

async fn regions(ground: Ground) {
    let here = ground.queue("orders", &[]).await;
    let other = ground.raw.to_builder().region(aws_types::region::Region::from_static("us-west-2")).build();
    let other = aws_sdk_sqs::Client::new(&other);
    let made = other.create_queue().queue_name(here.name().as_str()).send().await.expect("the queue is made");
    let there = made.queue_url().expect("a URL");
    assert_ne!(here.as_str(), there, "each has a URL of its own");
    ground.send(&here, &[plain("here")]).await;
    other.send_message().queue_url(there).message_body("there").send().await.expect("sent");
    assert_eq!(ground.receive_one(&here, 60).await.body, "here");
    let received = other.receive_message().queue_url(there).wait_time_seconds(2).send().await.expect("an answer");
    let received: Vec<_> = received.messages().iter().filter_map(|message| message.body()).collect();
    assert_eq!(received, ["there"]);
}
