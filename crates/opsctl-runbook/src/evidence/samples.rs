//! A few messages, with their bodies.

use serde::Serialize;

use super::{Subject, Taken, Taking};
use crate::{
    domain::{Message, ReceiptHandle, words::counted},
    leave::{self, Force},
    messages::Groups,
    operations::{resolve, sample},
};

const MESSAGES_MAX: usize = 10;
/// Bodies are kept up to so many bytes together.
const BODIES_BYTES_MAX: usize = 2 * 1_048_576;

#[derive(Serialize)]
struct Document {
    /// Whether these are all that lay there, as far as SQS tells.
    is_whole: bool,
    groups: Groups,
    messages: Vec<Message>,
}

pub(super) async fn take(taking: &Taking<'_>, subject: &Subject) -> Taken {
    let cloud = taking.cloud;
    // A receive is a write: it must not happen in another account that the credentials are of.
    if let Err(error) = cloud.verified_caller().await {
        return Taken::lost(&format!("no message was received: {error}"));
    }
    let queue = match resolve::queue(cloud, &subject.name()).await {
        Ok(queue) => queue,
        Err(error) => return Taken::lost(&error.to_string()),
    };
    let leave = match leave::allow_look(cloud.environment(), &queue, Force::No) {
        Ok(leave) => leave,
        Err(refused) => return Taken::lost(&format!("no message was received: {refused}")),
    };
    let sample = match sample::look(cloud, &queue, MESSAGES_MAX, leave).await {
        Ok(sample) => sample,
        Err(error) => return Taken::lost(&error.to_string()),
    };
    let groups = Groups::of(&sample.messages, &cloud.environment().queues.envelopes);
    let found = sample.messages.len() as u64;
    let summary = format!("{} in {}", counted(found, "message"), counted(groups.groups.len() as u64, "failure group"));
    let (mut room, mut without) = (BODIES_BYTES_MAX, 0_u64);
    let messages = sample.messages.into_iter().map(|mut message| {
        // A receipt handle lets whoever has it delete the message.
        message.receipt = ReceiptHandle(String::new());
        match room.checked_sub(message.body.len()) {
            Some(left) => room = left,
            None => {
                without += 1;
                message.body = String::new();
            }
        }
        message
    });
    let messages = messages.collect();
    let mut taken = Taken::of(summary, &Document { is_whole: sample.is_whole, groups, messages });
    if without > 0 {
        taken.lost.push(format!("{} too large to keep with its body", counted(without, "message")));
    }
    taken
}
