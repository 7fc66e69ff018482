//! A look at some messages: received, read, put back at once.

use std::collections::HashSet;

use crate::{
    cloud::{
        Cloud, CloudError,
        sqs::{BATCH_MAX, Receive},
    },
    domain::{Message, Queue, ReceiptHandle},
    gate::Sampling,
};

/// Hidden for so long at most if putting back fails.
const VISIBILITY_SECONDS: u32 = 20;
/// Receives that bring nothing new before a look ends.
const EMPTY_MAX: u32 = 2;

/// Receives up to `messages_max` different messages and puts them back. Raises each one's receive count by one.
///
/// # Errors
/// The first receive's failure; later ones end the look with what was seen.
pub async fn look(
    cloud: &Cloud,
    queue: &Queue,
    messages_max: usize,
    _leave: Sampling,
) -> Result<Vec<Message>, CloudError> {
    let mut seen: Vec<Message> = Vec::new();
    let mut ids = HashSet::new();
    let mut empty = 0;
    let mut receipts: Vec<ReceiptHandle> = Vec::new();
    while seen.len() < messages_max && empty < EMPTY_MAX {
        let batch = (messages_max - seen.len()).min(BATCH_MAX) as u32;
        let how = Receive { messages_max: batch, wait_seconds: 1, visibility_seconds: VISIBILITY_SECONDS };
        let received = match cloud.sqs().receive(&queue.url, how).await {
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
    for chunk in receipts.chunks(BATCH_MAX) {
        // What can't be put back at once shows again by itself after the visibility timeout.
        let _ = cloud.sqs().change_visibility(&queue.url, chunk, 0).await;
    }
    Ok(seen)
}
