//! What SQS does when it moves a message to a DLQ by itself.

use std::collections::BTreeMap;

use opsctl::domain::{Message, Outgoing, QueueUrl};

use super::{
    Check,
    ground::{Ground, binary, grouped, plain, text},
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("after its receives a message is in the DLQ, as it was", moves),
        Check::new("in the DLQ a message has its source and its count", provenance),
        Check::new("on a standard DLQ a message keeps its time", keeps_time),
        Check::new("on a FIFO DLQ the deduplication id is the message id", fifo),
        Check::new("what was sent to a DLQ has no source", sent_directly),
        Check::new("a shared DLQ tells its messages' sources apart", shared),
    ]
}

/// Receives what is in `source` `times` times, putting it back each time; then once more, which moves it.
async fn use_up(ground: &Ground, source: &QueueUrl, times: u32) {
    for _ in 0..times {
        let received = ground.receive_one(source, 600).await;
        ground.sqs().change_visibility(source, &[received.receipt], 0).await.expect("put back");
    }
    assert_eq!(ground.receive_all(source, 1, 600).await, [], "moved");
}

async fn dead(ground: &Ground, message: Outgoing) -> (Message, QueueUrl) {
    let dead_letter = ground.queue("orders-dlq", &[]).await;
    let source = ground.source_of(&dead_letter, "orders", 2).await;
    let id = ground.send(&source, &[message]).await.remove(0);
    use_up(ground, &source, 2).await;
    let received = ground.receive_one(&dead_letter, 600).await;
    assert_eq!(received.id, id);
    (received, source)
}

async fn moves(ground: Ground) {
    let message = Outgoing {
        attributes: BTreeMap::from([
            ("n".to_owned(), text("Number.int", "7")),
            ("b".to_owned(), binary("Binary.gzip", &[0, 1, 255])),
        ]),
        trace_header: Some("Root=1-5759e988-bd862e3fe1be46a994272793".into()),
        ..plain("{\"poison\":true}")
    };
    let (received, _) = dead(&ground, message.clone()).await;
    assert_eq!(received.content_hash(), message.content_hash());
}

async fn provenance(ground: Ground) {
    let (received, source) = dead(&ground, plain("x")).await;
    assert_eq!(received.system.dead_letter_source, Some(ground.arn(&source).await));
    assert!(received.system.receive_count >= 3, "counted on from the source: {}", received.system.receive_count);
}

async fn keeps_time(ground: Ground) {
    let dead_letter = ground.queue("orders-dlq", &[]).await;
    let source = ground.source_of(&dead_letter, "orders", 1).await;
    ground.send(&source, &[plain("x")]).await;
    let first = ground.receive_one(&source, 2).await;
    ground.wait(3).await;
    assert_eq!(ground.receive_all(&source, 1, 2).await, []);
    assert_eq!(ground.receive_one(&dead_letter, 2).await.system.sent_at, first.system.sent_at);
}

async fn fifo(ground: Ground) {
    let dead_letter = ground.queue("orders-dlq.fifo", &[]).await;
    let source = ground.source_of(&dead_letter, "orders.fifo", 1).await;
    let id = ground.send(&source, &[grouped("x", "g", "by-producer")]).await.remove(0);
    use_up(&ground, &source, 1).await;
    let received = ground.receive_one(&dead_letter, 60).await;
    assert_eq!((&received.id, received.system.group.as_deref()), (&id, Some("g")));
    assert_eq!(received.system.deduplication_id, Some(id.0));
}

async fn sent_directly(ground: Ground) {
    let dead_letter = ground.queue("orders-dlq", &[]).await;
    ground.source_of(&dead_letter, "orders", 2).await;
    ground.send(&dead_letter, &[plain("by hand")]).await;
    assert_eq!(ground.receive_one(&dead_letter, 60).await.system.dead_letter_source, None);
}

async fn shared(ground: Ground) {
    let dead_letter = ground.queue("shared-dlq", &[]).await;
    for name in ["orders", "payments"] {
        let source = ground.source_of(&dead_letter, name, 1).await;
        ground.send(&source, &[plain(source.as_str())]).await;
        use_up(&ground, &source, 1).await;
    }
    let received = ground.receive_all(&dead_letter, 2, 60).await;
    assert_eq!(received.len(), 2);
    for message in received {
        let source = ground.arn(&QueueUrl(message.body)).await;
        assert_eq!(message.system.dead_letter_source, Some(source));
    }
}
