//! What is sent is what is received, and what SQS refuses.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::QueueAttributeName as Name;
use opsctl::{
    cloud::sqs::{Entry, Receive},
    domain::{Outgoing, ReceiptHandle},
};

use super::{
    Check,
    ground::{Ground, binary, bodies, is_refused, plain, text},
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("attributes of every type arrive as sent", attributes),
        Check::new("ten attributes arrive, eleven are refused", ten_attributes),
        Check::new("a trace header arrives", trace_header),
        Check::new("a standard queue keeps the message group", group_on_standard),
        Check::new("a body arrives as sent", body),
        Check::new("a body of 256 KiB arrives", large_body),
        Check::new("characters outside the charset are refused", charset),
        Check::new("a message too large for its queue is refused", too_large),
        Check::new("an empty body is refused", empty_body),
        Check::new("a batch over its sum is refused", batch_too_large),
        Check::new("entries answer in order", order_of_entries),
        Check::new("a batch fails in part", partial_failure),
        Check::new("a wrong receipt handle is the sender's fault", sender_fault),
        Check::new("an empty batch is no call", empty_batch),
        Check::new("system attributes tell a message's life", system_attributes),
        Check::new("an empty queue gives nothing", empty_queue),
        Check::new("a long poll wakes when a message comes", long_poll),
        Check::new("a star asks for every attribute", star),
        Check::new("a message's sender is who STS says", sender),
    ]
}

async fn attributes(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let every_byte: Vec<u8> = (0..=255).collect();
    let attributes = BTreeMap::from([
        ("plain".to_owned(), text("String", "värde \u{1f980}")),
        ("custom.label".to_owned(), text("String.uuid", "6e2f")),
        ("count".to_owned(), text("Number", "42")),
        ("exact".to_owned(), text("Number.decimal", "-12.500")),
        ("bytes".to_owned(), binary("Binary", &every_byte)),
        ("packed-1_2".to_owned(), binary("Binary.gzip", &[0x1f, 0x8b, 0, 0xff])),
    ]);
    let sent = Outgoing { attributes, ..plain("{}") };
    ground.send(&url, std::slice::from_ref(&sent)).await;
    let received = ground.receive_one(&url, 30).await;
    assert_eq!(received.attributes, sent.attributes);
    assert_eq!(received.content_hash(), sent.content_hash());
}

async fn ten_attributes(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let some = |count: u32| Outgoing {
        attributes: (0..count).map(|index| (format!("a{index}"), text("String", "v"))).collect(),
        ..plain("x")
    };
    ground.send(&url, &[some(10)]).await;
    assert_eq!(ground.receive_one(&url, 30).await.attributes.len(), 10);
    let answer = ground.sqs().send(&url, &[some(11)]).await;
    assert!(is_refused(&answer), "{answer:?}");
}

async fn trace_header(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    ground.send(&url, &[Outgoing { trace_header: Some(trace.into()), ..plain("x") }]).await;
    assert_eq!(ground.receive_one(&url, 30).await.system.trace_header.as_deref(), Some(trace));
}

async fn group_on_standard(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[Outgoing { group: Some("tenant-7".into()), ..plain("x") }]).await;
    assert_eq!(ground.receive_one(&url, 30).await.system.group.as_deref(), Some("tenant-7"));
}

async fn body(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let odd = [
        "{\"a\": [1, \"\\u001b[31m\"]}",
        "tab\tline\nreturn\rend",
        "<a href=\"x\">&amp;</a>",
        "\u{1f980}\u{fffd}\u{e000}",
    ];
    let sent: Vec<Outgoing> = odd.iter().map(|body| plain(body)).collect();
    ground.send(&url, &sent).await;
    let received = ground.receive_all(&url, odd.len(), 30).await;
    let mut received = bodies(&received);
    received.sort_unstable();
    let mut odd = odd;
    odd.sort_unstable();
    assert_eq!(received, odd);
}

async fn large_body(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let large = "x".repeat(262_144);
    ground.send(&url, &[plain(&large)]).await;
    assert!(ground.receive_one(&url, 30).await.body == large, "another body");
}

async fn charset(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    for outside in ["\u{1}", "a\u{1b}[31m", "\u{fffe}", "\u{ffff}"] {
        let answer = ground.sqs().send(&url, &[plain(outside)]).await;
        assert!(is_refused(&answer), "{outside:?}: {answer:?}");
    }
    assert_eq!(ground.receive(&url, 30).await, []);
}

async fn too_large(ground: Ground) {
    let url = ground.queue("orders", &[(Name::MaximumMessageSize, "1024")]).await;
    ground.send(&url, &[plain(&"x".repeat(1_024))]).await;
    let answer = ground.sqs().send(&url, &[plain(&"x".repeat(1_025))]).await;
    assert!(is_refused(&answer), "{answer:?}");
    // Names, labels and values count as well.
    let attributes = BTreeMap::from([("n".to_owned(), text("String", "v"))]);
    let answer = ground.sqs().send(&url, &[Outgoing { attributes, ..plain(&"x".repeat(1_020)) }]).await;
    assert!(is_refused(&answer), "{answer:?}");
}

async fn empty_body(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let answer = ground.sqs().send(&url, &[plain("")]).await;
    assert!(is_refused(&answer), "{answer:?}");
}

async fn batch_too_large(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let messages = vec![plain(&"x".repeat(200_000)); 10];
    let answer = ground.sqs().send(&url, &messages).await;
    assert!(is_refused(&answer), "{:?}", answer.map(|entries| entries.len()));
    assert_eq!(ground.receive(&url, 30).await, []);
}

async fn order_of_entries(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let messages: Vec<Outgoing> = (0..10).map(|index| plain(&format!("body {index}"))).collect();
    let ids = ground.send(&url, &messages).await;
    for received in ground.receive_all(&url, 10, 60).await {
        let place = ids.iter().position(|id| *id == received.id).expect("an id that was given");
        assert_eq!(received.body, messages[place].body);
    }
}

async fn partial_failure(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("a"), plain("b")]).await;
    let received = ground.receive_all(&url, 2, 60).await;
    let garbage = ReceiptHandle("no handle of anything".into());
    let entries = ground.delete(&url, &[&received[0].receipt, &garbage, &received[1].receipt]).await;
    assert_eq!((&entries[0], &entries[2]), (&Entry::Done(()), &Entry::Done(())));
    let Entry::Failed { code, .. } = &entries[1] else { panic!("{:?}", entries[1]) };
    assert_eq!(code, "ReceiptHandleIsInvalid");
    assert!(!entries[1].may_have_been_applied());
}

async fn sender_fault(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let entries = ground.delete(&url, &[&ReceiptHandle("no handle of anything".into())]).await;
    assert!(matches!(entries[0], Entry::Failed { sender_fault: true, .. }), "{entries:?}");
}

async fn empty_batch(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    assert_eq!(ground.sqs().send(&url, &[]).await, Ok(Vec::new()));
    assert_eq!(ground.sqs().delete(&url, &[]).await, Ok(Vec::new()));
    assert_eq!(ground.sqs().change_visibility(&url, &[], 0).await, Ok(Vec::new()));
}

async fn system_attributes(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let before = ground.clock().now();
    let ids = ground.send(&url, &[plain("x")]).await;
    let first = ground.receive_one(&url, 1).await;
    assert_eq!((&first.id, first.system.receive_count), (&ids[0], 1));
    assert!(first.system.sender.is_some());
    let sent = first.system.sent_at.expect("a time").duration_since(before);
    assert!(sent.as_secs().abs() <= 2, "sent {sent} after the call");
    let second = ground.receive_one(&url, 1).await;
    assert_eq!((&second.id, second.system.receive_count), (&ids[0], 2));
    assert_eq!(second.system.sent_at, first.system.sent_at);
    assert_eq!(second.system.first_received_at, first.system.first_received_at);
    assert!(first.system.first_received_at >= first.system.sent_at);
    assert_eq!((&first.system.group, &first.system.dead_letter_source), (&None, &None));
}

async fn empty_queue(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let before = ground.clock().now();
    let how = Receive { messages_max: 10, wait_seconds: 2, visibility_seconds: 30 };
    assert_eq!(ground.sqs().receive(&url, how).await, Ok(Vec::new()));
    let waited = ground.clock().now().duration_since(before);
    assert!((1_900..6_000).contains(&waited.as_millis()), "waited {waited}");
}

async fn long_poll(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let before = ground.clock().now();
    let how = Receive { messages_max: 10, wait_seconds: 15, visibility_seconds: 30 };
    let (received, _) = tokio::join!(ground.sqs().receive(&url, how), async {
        ground.wait(1).await;
        ground.send(&url, &[plain("x")]).await
    });
    assert_eq!(received.expect("an answer").len(), 1);
    let waited = ground.clock().now().duration_since(before);
    assert!(waited.as_secs() < 8, "waited {waited}");
}

async fn star(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    let attributes = BTreeMap::from([("one".to_owned(), text("String", "v")), ("two".to_owned(), text("String", "v"))]);
    ground.send(&url, &[Outgoing { attributes, ..plain("x") }]).await;
    let request = ground.raw_sqs().receive_message().queue_url(url.as_str()).wait_time_seconds(2);
    let answer = request.message_attribute_names("*").send().await.expect("an answer");
    let count = answer.messages().first().and_then(|message| message.message_attributes()).map(|told| told.len());
    assert_eq!(count, Some(2), "attributes of {:?}", answer.messages().len());
}

async fn sender(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("x")]).await;
    let identity = aws_sdk_sts::Client::new(&ground.raw).get_caller_identity().send().await.expect("told");
    assert_eq!(ground.receive_one(&url, 30).await.system.sender.as_deref(), identity.user_id(), "the sender");
}
