//! A look at some messages: received, read, put back at once.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};

use crate::{
    cloud::{
        Cloud, CloudError,
        sqs::{BATCH_MAX, Receive},
    },
    domain::{Message, Queue, QueueKind, ReceiptHandle},
    leave::Sampling,
};

/// Hidden for so long at most if putting back fails.
const VISIBILITY_SECONDS: u32 = 20;
/// Receives that bring nothing new before a look ends.
const EMPTY_MAX: u32 = 2;

const PUT_BACK_AT_ONCE: usize = 8;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// Different messages, in the order of arrival.
    pub messages: Vec<Message>,
    /// Whether these are all that lie in the queue, as far as SQS tells: receives brought nothing more, none failed, and
    /// the queue's counts when it was described, which are approximate, name no more. Never of a FIFO queue: there a
    /// message that is received hides the rest of its message group.
    pub is_whole: bool,
}

/// Receives up to `messages_max` different messages and puts them back. Raises each one's receive count by one.
///
/// # Errors
/// The first receive's failure; later ones end the look with what was seen, which is not whole then.
pub async fn look(cloud: &Cloud, queue: &Queue, messages_max: usize, leave: Sampling) -> Result<Sample, CloudError> {
    look_until(cloud, queue, messages_max, |_| false, leave).await
}

/// [`look`], which ends as soon as what was seen is enough.
pub async fn look_until(
    cloud: &Cloud,
    queue: &Queue,
    messages_max: usize,
    is_enough: impl Fn(&[Message]) -> bool,
    _leave: Sampling,
) -> Result<Sample, CloudError> {
    let mut seen: Vec<Message> = Vec::new();
    let mut ids = HashSet::new();
    let mut empty = 0;
    let mut receipts: Vec<ReceiptHandle> = Vec::new();
    while seen.len() < messages_max && empty < EMPTY_MAX && !is_enough(&seen) {
        let batch = (messages_max - seen.len()).min(BATCH_MAX) as u32;
        let how = Receive { messages_max: batch, wait_seconds: 1, visibility_seconds: VISIBILITY_SECONDS };
        let received = match cloud.sqs.receive(&queue.url, how).await {
            Ok(received) => received,
            Err(error) if seen.is_empty() => return Err(error),
            Err(_) => break,
        };
        let before = seen.len();
        for message in received {
            receipts.push(message.receipt.clone());
            if ids.insert(message.id.clone()) {
                seen.push(message);
            }
        }
        empty = if seen.len() == before { empty + 1 } else { 0 };
    }
    // What can't be put back at once shows again by itself after the visibility timeout.
    let chunks = receipts.chunks(BATCH_MAX);
    let put_back: Vec<_> = chunks.map(|chunk| cloud.sqs.change_visibility(&queue.url, chunk, 0)).collect();
    let _ = stream::iter(put_back).buffered(PUT_BACK_AT_ONCE).collect::<Vec<_>>().await;
    let has_all = empty == EMPTY_MAX && queue.counts.total() <= seen.len() as u64;
    Ok(Sample { messages: seen, is_whole: has_all && queue.kind == QueueKind::Standard })
}
