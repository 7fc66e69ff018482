//! Visibility, receipt handles, deletion.

use aws_sdk_sqs::types::QueueAttributeName as Name;
use opsctl::{cloud::sqs::Entry, domain::ReceiptHandle};

use super::{
    Check,
    ground::{Ground, grouped, is_refused, plain},
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("a received message hides until its time is over", hides),
        Check::new("visibility zero puts back at once", zero),
        Check::new("an extension hides for longer", extends),
        Check::new("more than twelve hours are refused", too_long),
        Check::new("a deleted message is gone", deletes),
        Check::new("a standard message is deleted after its time", deletes_late),
        Check::new("a FIFO message is not deleted after its time", fifo_delete_late),
        Check::new("the newest receipt handle deletes", newest_receipt),
        Check::new("an extension after its time is answered with success", extends_late),
        Check::new("a delay holds a message back", delay),
        Check::new("deleting twice does no harm", deletes_twice),
    ]
}

fn receipts(receipt: &ReceiptHandle) -> Vec<ReceiptHandle> {
    vec![receipt.clone()]
}

async fn hides(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("x")]).await;
    let first = ground.receive_one(&url, 2).await;
    assert_eq!(ground.receive(&url, 2).await, []);
    ground.wait(3).await;
    let second = ground.receive_one(&url, 2).await;
    assert_eq!((&second.id, second.system.receive_count), (&first.id, 2));
    assert_ne!(second.receipt, first.receipt);
}

async fn zero(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("x")]).await;
    let first = ground.receive_one(&url, 600).await;
    let entries = ground.sqs().change_visibility(&url, &receipts(&first.receipt), 0).await;
    assert_eq!(entries, Ok(vec![Entry::Done(())]));
    assert_eq!(ground.receive_one(&url, 600).await.id, first.id);
}

async fn extends(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("x")]).await;
    let first = ground.receive_one(&url, 2).await;
    let entries = ground.sqs().change_visibility(&url, &receipts(&first.receipt), 600).await;
    assert_eq!(entries, Ok(vec![Entry::Done(())]));
    ground.wait(3).await;
    assert_eq!(ground.receive(&url, 2).await, []);
}

async fn too_long(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("x")]).await;
    let first = ground.receive_one(&url, 600).await;
    let answer = ground.sqs().change_visibility(&url, &receipts(&first.receipt), 43_201).await;
    assert!(is_refused(&answer), "{answer:?}");
}

async fn deletes(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("x")]).await;
    let first = ground.receive_one(&url, 1).await;
    assert_eq!(ground.delete(&url, &[&first.receipt]).await, [Entry::Done(())]);
    ground.wait(2).await;
    assert_eq!(ground.receive(&url, 1).await, []);
}

async fn deletes_late(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("x")]).await;
    let first = ground.receive_one(&url, 1).await;
    ground.wait(2).await;
    assert_eq!(ground.delete(&url, &[&first.receipt]).await, [Entry::Done(())]);
    assert_eq!(ground.receive(&url, 1).await, []);
}

async fn fifo_delete_late(ground: Ground) {
    let url = ground.queue("orders.fifo", &[]).await;
    ground.send(&url, &[grouped("x", "g", "1")]).await;
    let first = ground.receive_one(&url, 1).await;
    ground.wait(2).await;
    let entries = ground.delete(&url, &[&first.receipt]).await;
    let Entry::Failed { code, message, .. } = &entries[0] else { panic!("deleted") };
    // An emulator names the exception instead.
    assert!(["InvalidParameterValue", "InvalidParameterValueException"].contains(&code.as_str()), "{code}");
    assert!(message.as_str().ends_with("The receipt handle has expired."), "{message}");
    assert_eq!(ground.receive_one(&url, 1).await.id, first.id);
}

async fn newest_receipt(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("x")]).await;
    let old = ground.receive_one(&url, 1).await;
    ground.wait(2).await;
    let new = ground.receive_one(&url, 1).await;
    assert_ne!(old.receipt, new.receipt);
    assert_eq!(ground.delete(&url, &[&new.receipt]).await, [Entry::Done(())]);
    ground.wait(2).await;
    assert_eq!(ground.receive(&url, 1).await, []);
}

/// AWS says OK, whatever its reference says of MessageNotInflight. Whether the message hides again is told in two ways
/// (localstack's tests against AWS: nothing happens; moto's: it does), so nothing may rest on it: an extension that was
/// taken proves nothing once the time was over.
async fn extends_late(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("x")]).await;
    let first = ground.receive_one(&url, 1).await;
    ground.wait(2).await;
    let answer = ground.sqs().change_visibility(&url, &receipts(&first.receipt), 60).await;
    assert_eq!(answer, Ok(vec![Entry::Done(())]));
}

async fn delay(ground: Ground) {
    let url = ground.queue("orders", &[(Name::DelaySeconds, "3")]).await;
    ground.send(&url, &[plain("x")]).await;
    assert_eq!(ground.receive(&url, 30).await, []);
    ground.wait(4).await;
    assert_eq!(ground.receive(&url, 30).await.len(), 1);
}

async fn deletes_twice(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("x")]).await;
    let first = ground.receive_one(&url, 60).await;
    for _ in 0..2 {
        assert_eq!(ground.delete(&url, &[&first.receipt]).await, [Entry::Done(())]);
    }
}
