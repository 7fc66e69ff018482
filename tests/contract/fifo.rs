//! FIFO queues: order, blocking groups, deduplication.

use aws_sdk_sqs::types::QueueAttributeName as Name;
use opsctl::{
    cloud::sqs::{Entry, Receive},
    domain::Outgoing,
};

use super::{
    Check,
    ground::{Ground, Peer, bodies, grouped, is_refused, plain, text},
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("a group keeps its order", order),
        Check::new("a message in flight blocks its group", blocks),
        Check::new("a deduplication id is accepted twice and kept once", deduplicates),
        Check::new("the window outlives the message", window_outlives),
        Check::new("content-based deduplication hashes the body only", by_content),
        Check::new("a scope of groups deduplicates within each", by_group),
        Check::new("the window ends after five minutes", window_ends),
        Check::new("a FIFO message needs a group", needs_group),
        Check::new("a FIFO message needs a deduplication id", needs_id),
        Check::new("an id with a space is refused", id_with_space),
        Check::new("a message put back keeps its place", put_back),
        Check::new("what is in flight holds up only what stands behind it", earlier_again),
        Check::new("groups that nobody was served from come first", unserved_first),
        Check::new("a purge forgets deduplication ids", purge_forgets),
        Check::new("a FIFO message's own delay of zero leaves the queue's", own_delay),
    ]
}

async fn one(ground: &Ground, url: &opsctl::domain::QueueUrl) -> Vec<opsctl::domain::Message> {
    let how = Receive { messages_max: 1, wait_seconds: 0, visibility_seconds: 60 };
    ground.sqs().receive(url, how).await.expect("an answer")
}

async fn order(ground: Ground) {
    let url = ground.queue("orders.fifo", &[]).await;
    let sent: Vec<Outgoing> =
        (0..20).map(|index| grouped(&format!("{index:02}"), "g", &format!("id-{index}"))).collect();
    ground.send(&url, &sent).await;
    let mut received = Vec::new();
    for _ in 0..10 {
        let some = ground.receive_all(&url, 1, 60).await;
        let receipts: Vec<_> = some.iter().map(|message| &message.receipt).collect();
        if receipts.is_empty() {
            break;
        }
        ground.delete(&url, &receipts).await;
        received.extend(some);
    }
    assert_eq!(bodies(&received), sent.iter().map(|message| message.body.as_str()).collect::<Vec<_>>());
    let sequences: Vec<u128> = received.iter().map(|message| message.system.sequence.expect("a number")).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "{sequences:?}");
    assert_eq!(received[3].system.deduplication_id.as_deref(), Some("id-3"));
    assert_eq!(received[3].system.group.as_deref(), Some("g"));
}

async fn blocks(ground: Ground) {
    let url = ground.queue("orders.fifo", &[]).await;
    ground.send(&url, &[grouped("a1", "a", "1"), grouped("a2", "a", "2")]).await;
    let first = one(&ground, &url).await;
    assert_eq!(bodies(&first), ["a1"]);
    assert_eq!(one(&ground, &url).await, [], "the group waits");
    ground.send(&url, &[grouped("b1", "b", "3")]).await;
    let second = one(&ground, &url).await;
    assert_eq!(bodies(&second), ["b1"], "another group does not");
    ground.delete(&url, &[&first[0].receipt]).await;
    assert_eq!(bodies(&one(&ground, &url).await), ["a2"]);
}

async fn deduplicates(ground: Ground) {
    let url = ground.queue("orders.fifo", &[]).await;
    let first = ground.send(&url, &[grouped("one", "g", "same")]).await;
    let second = ground.send(&url, &[grouped("two", "g", "same")]).await;
    assert_eq!(first, second, "AWS tells the id of the message that is kept");
    assert_eq!(bodies(&ground.receive_all(&url, 2, 60).await), ["one"]);
}

async fn window_outlives(ground: Ground) {
    let url = ground.queue("orders.fifo", &[]).await;
    ground.send(&url, &[grouped("one", "g", "same")]).await;
    let received = ground.receive_one(&url, 60).await;
    assert_eq!(ground.delete(&url, &[&received.receipt]).await, [Entry::Done(())]);
    ground.send(&url, &[grouped("two", "g", "same")]).await;
    assert_eq!(ground.receive_all(&url, 1, 60).await, [], "accepted and dropped");
}

async fn by_content(ground: Ground) {
    let url = ground.queue("orders.fifo", &[(Name::ContentBasedDeduplication, "true")]).await;
    let message = Outgoing { group: Some("g".into()), ..plain("same") };
    let mut other = message.clone();
    other.attributes.insert("n".into(), text("String", "another"));
    ground.send(&url, &[message]).await;
    ground.send(&url, &[other]).await;
    let received = ground.receive_all(&url, 2, 60).await;
    assert_eq!(received.len(), 1, "the attributes do not count");
    // SHA-256 of "same".
    let hash = "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5";
    assert_eq!(received[0].system.deduplication_id.as_deref(), Some(hash));
}

async fn by_group(ground: Ground) {
    let scope = [(Name::DeduplicationScope, "messageGroup"), (Name::FifoThroughputLimit, "perMessageGroupId")];
    let url = ground.queue("orders.fifo", &scope).await;
    ground.send(&url, &[grouped("a", "a", "same"), grouped("b", "b", "same"), grouped("a again", "a", "same")]).await;
    let received = ground.receive_all(&url, 3, 60).await;
    let mut received = bodies(&received);
    received.sort_unstable();
    assert_eq!(received, ["a", "b"]);
}

async fn window_ends(ground: Ground) {
    if ground.peer != Peer::Sandbox {
        return; // Five minutes of real time; the sandbox's pass at once.
    }
    let url = ground.queue("orders.fifo", &[]).await;
    ground.send(&url, &[grouped("one", "g", "same")]).await;
    ground.delete(&url, &[&ground.receive_one(&url, 60).await.receipt]).await;
    ground.wait(290).await;
    ground.send(&url, &[grouped("two", "g", "same")]).await;
    assert_eq!(ground.receive(&url, 60).await, []);
    ground.wait(310).await;
    ground.send(&url, &[grouped("three", "g", "same")]).await;
    assert_eq!(bodies(&ground.receive(&url, 60).await), ["three"]);
}

async fn needs_group(ground: Ground) {
    let url = ground.queue("orders.fifo", &[]).await;
    let answer = ground.sqs().send(&url, &[Outgoing { deduplication_id: Some("1".into()), ..plain("x") }]).await;
    assert!(is_refused(&answer), "{answer:?}");
}

async fn needs_id(ground: Ground) {
    let url = ground.queue("orders.fifo", &[]).await;
    let answer = ground.sqs().send(&url, &[Outgoing { group: Some("g".into()), ..plain("x") }]).await;
    assert!(is_refused(&answer), "{answer:?}");
}

async fn id_with_space(ground: Ground) {
    let url = ground.queue("orders.fifo", &[]).await;
    for message in [grouped("x", "a group", "1"), grouped("x", "g", "an id"), grouped("x", "g", &"i".repeat(129))] {
        let answer = ground.sqs().send(&url, &[message]).await;
        assert!(is_refused(&answer), "{answer:?}");
    }
}

async fn put_back(ground: Ground) {
    let url = ground.queue("orders.fifo", &[]).await;
    ground.send(&url, &[grouped("1", "g", "1"), grouped("2", "g", "2")]).await;
    let first = one(&ground, &url).await;
    let receipts = [first[0].receipt.clone()];
    assert_eq!(ground.sqs().change_visibility(&url, &receipts, 0).await, Ok(vec![Entry::Done(())]));
    assert_eq!(bodies(&one(&ground, &url).await), ["1"]);
}

async fn earlier_again(ground: Ground) {
    let url = ground.queue("orders.fifo", &[]).await;
    ground.send(&url, &[grouped("1", "g", "1"), grouped("2", "g", "2"), grouped("3", "g", "3")]).await;
    let how = Receive { messages_max: 2, wait_seconds: 2, visibility_seconds: 60 };
    let first = ground.sqs().receive(&url, how).await.expect("an answer");
    assert_eq!(bodies(&first), ["1", "2"]);
    ground.sqs().change_visibility(&url, &[first[0].receipt.clone()], 0).await.expect("put back");
    assert_eq!(bodies(&ground.receive(&url, 60).await), ["1"], "2 is in flight, and 3 behind it");
}

async fn unserved_first(ground: Ground) {
    let url = ground.queue("orders.fifo", &[]).await;
    let sent = ["a1", "a2", "b1", "b2", "c1"].map(|body| grouped(body, &body[..1], body));
    ground.send(&url, &sent).await;
    let mut served = Vec::new();
    for _ in 0..sent.len() {
        let one = one(&ground, &url).await.remove(0);
        ground.delete(&url, &[&one.receipt]).await;
        served.push(one.body);
    }
    assert_eq!(served, ["a1", "b1", "c1", "a2", "b2"]);
}

async fn purge_forgets(ground: Ground) {
    let url = ground.queue("orders.fifo", &[]).await;
    ground.send(&url, &[grouped("before", "g", "same")]).await;
    ground.raw_sqs().purge_queue().queue_url(url.as_str()).send().await.expect("purged");
    ground.send(&url, &[grouped("after", "g", "same")]).await;
    assert_eq!(bodies(&ground.receive_all(&url, 1, 60).await), ["after"]);
}

async fn own_delay(ground: Ground) {
    let url = ground.queue("orders.fifo", &[(Name::DelaySeconds, "600")]).await;
    let request = ground.raw_sqs().send_message().queue_url(url.as_str()).message_body("x").delay_seconds(0);
    request.message_group_id("g").message_deduplication_id("1").send().await.expect("sent");
    ground
        .eventually("1 delayed", async || {
            let counts = ground.sqs().describe(&url).await.expect("described").counts;
            assert_eq!(counts.visible, 0, "{counts:?}");
            counts.delayed == 1
        })
        .await;
}
