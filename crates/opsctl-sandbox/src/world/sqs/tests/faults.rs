//! Faults that the world itself acts on.

use serde_json::{Value, json};

use super::{Scene, scene};
use crate::world::{Fate, Fault, FaultKind, Request, service::ServiceDef};

fn faulty(call: &str, nth: u64, kind: FaultKind) -> Scene {
    let mut scene = scene();
    scene.create("orders", json!({}));
    scene.world.faults.add(Fault { call: call.into(), queue: Some("orders".into()), nth, times: 1, kind });
    scene
}

#[test]
fn visibility_expires_before_a_delete_or_after_a_receive() {
    let mut scene = faulty("ReceiveMessage", 2, FaultKind::VisibilityExpired);
    scene.send("orders", "a");
    scene.send("orders", "b");
    let first = scene.receive_one("orders");
    let second = scene.receive_one("orders");
    assert_eq!(scene.counts("orders"), (1, 1, 0));
    scene.delete("orders", &second).expect("the newest handle deletes");
    scene.delete("orders", &first).expect("deleted");
    assert_eq!(scene.counts("orders"), (0, 0, 0));

    let mut scene = faulty("DeleteMessage*", 1, FaultKind::VisibilityExpired);
    scene.create("q.fifo", json!({"FifoQueue": "true"}));
    scene.world.faults.add(Fault {
        call: "DeleteMessage*".into(),
        queue: Some("q.fifo".into()),
        nth: 1,
        times: 1,
        kind: FaultKind::VisibilityExpired,
    });
    scene.send_fifo("q.fifo", "1", "g", "1");
    let message = scene.receive_one("q.fifo");
    assert!(scene.delete("q.fifo", &message).expect_err("too late").message.contains("has expired"));
    assert_eq!(scene.counts("q.fifo"), (1, 0, 0));
}

#[test]
fn a_message_may_be_delivered_twice() {
    let mut scene = faulty("ReceiveMessage", 1, FaultKind::DuplicateDelivery);
    scene.send("orders", "a");
    let got = scene.receive("orders");
    assert_eq!((got.len(), &got[0].id), (2, &got[1].id));
    assert_eq!(got[1].attributes["ApproximateReceiveCount"], "2");
    scene.delete("orders", &got[0]).expect("success is reported");
    assert_eq!(scene.counts("orders"), (0, 1, 0), "the second handle is the newest");
    scene.delete("orders", &got[1]).expect("deleted");
    assert_eq!(scene.counts("orders"), (0, 0, 0));
}

#[test]
fn a_deleted_message_may_come_back() {
    let mut scene = faulty("DeleteMessage", 1, FaultKind::DuplicateDelivery);
    scene.send("orders", "a");
    let message = scene.receive_one("orders");
    scene.delete("orders", &message).expect("success is reported");
    let again = scene.receive_one("orders");
    assert_eq!(again.id, message.id);
    scene.delete("orders", &again).expect("deleted");
    assert_eq!(scene.counts("orders"), (0, 0, 0));
}

#[test]
fn stale_counts_are_those_told_last() {
    let mut scene = faulty("GetQueueAttributes", 2, FaultKind::StaleCounts);
    scene.send("orders", "a");
    assert_eq!(scene.counts("orders"), (1, 0, 0));
    scene.receive_one("orders");
    assert_eq!(scene.counts("orders"), (1, 0, 0), "stale");
    assert_eq!(scene.counts("orders"), (0, 1, 0));
}

#[test]
fn some_entries_of_a_batch_fail_and_are_not_applied() {
    let mut scene = faulty("SendMessageBatch", 1, FaultKind::PartialBatchFailure);
    let entries: Value = (0..10).map(|n| json!({"Id": n.to_string(), "MessageBody": n.to_string()})).collect();
    let answer = scene.ok("SendMessageBatch", json!({"QueueUrl": "orders", "Entries": entries}));
    let (sent, failed) = (answer["Successful"].as_array().expect("list"), answer["Failed"].as_array().expect("list"));
    assert_eq!(sent.len() + failed.len(), 10);
    assert!(!failed.is_empty());
    assert_eq!((&failed[0]["Code"], &failed[0]["SenderFault"]), (&json!("InternalError"), &json!(false)));
    assert_eq!(scene.exact("orders").visible, sent.len());
}

#[test]
fn transport_faults_are_told_to_the_wire() {
    let mut scene = faulty("SendMessage*", 2, FaultKind::LostAfter);
    scene.world.faults.add(Fault { call: "sts:*".into(), queue: None, nth: 1, times: 9, kind: FaultKind::Throttled });
    let caller = scene.caller.clone();
    let mut ask = |service: &str, action: &str| {
        let input = &json!({"QueueUrl": "orders", "MessageBody": "b"}).into();
        let service = ServiceDef::named(service).expect("a service");
        let request = Request { service, action, caller: &caller, access_key: "", input };
        match scene.world.call(scene.now, &request) {
            Fate::Answered { answer, .. } => answer.err().map_or("answered", |error| error.shown_code()),
            Fate::Unheard(_) => "unheard",
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ask("sqs", "SendMessage"), "answered");
    assert_eq!(ask("sqs", "SendMessageBatch"), "unheard");
    assert_eq!(ask("sqs", "SendMessage"), "answered");
    assert_eq!(ask("sts", "GetCallerIdentity"), "Throttling");
    assert_eq!(ask("ssm", "GetParameters"), "SerializationException");
}
