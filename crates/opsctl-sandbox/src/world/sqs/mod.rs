//! SQS on the pure world. Facts and texts are AWS's: API reference, developer guide, and answers recorded from it.

mod api_attributes;
mod api_delete;
mod api_moves;
mod api_permissions;
mod api_queues;
mod api_receive;
mod api_send;
mod api_tags;
mod batch;
mod dedup;
mod groups;
mod handle;
pub(in crate::world) mod message;
mod moves;
pub(in crate::world) mod queue;
mod settings;
pub(in crate::world) mod store;
#[cfg(test)]
mod tests;
mod validate;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use dedup::WINDOW_MILLISECONDS;
pub use queue::{Totals, VISIBILITY_SECONDS_MAX};
pub use settings::MESSAGE_BYTES_MAX;
pub use store::Counts;

pub(super) use moves::Task;

use super::{Answer, Caller, FaultKind, Taken, World, error::ApiError};

/// A call on its way through the world.
#[derive(Debug, Clone, Copy)]
pub(in crate::world) struct Call<'a> {
    pub(in crate::world) caller: &'a Caller,
    pub(in crate::world) action: &'a str,
    pub(in crate::world) now: i64,
    /// The end of a long poll that asks again; none for a call that is made the first time.
    pub(in crate::world) poll_until: Option<Timestamp>,
}

/// A call that was let in to its queue.
#[derive(Debug, Clone, Copy)]
struct Entered {
    queue: u32,
    fault: Option<FaultKind>,
}

/// The request of operations that only name a queue.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OnQueue<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
}

#[derive(Debug, Serialize)]
struct Nothing {}

fn request<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| ApiError::not_understood(&error))
}

fn answer<T: Serialize>(value: &T) -> Result<Answer, ApiError> {
    let body = serde_json::to_vec(value).map_err(|error| ApiError::plain(500, "InternalFailure", error.to_string()))?;
    Ok(Answer::Body(body))
}

impl World {
    /// Does one call.
    pub(super) fn dispatch(&mut self, call: Call, body: &[u8]) -> Result<Answer, ApiError> {
        match call.action {
            "SendMessage" => answer(&self.send_message(call, request(body)?)?),
            "SendMessageBatch" => answer(&self.send_message_batch(call, request(body)?)?),
            "ReceiveMessage" => self.receive_message(call, &request(body)?),
            "DeleteMessage" => self.delete_message(call, &request(body)?).and_then(|()| answer(&Nothing {})),
            "DeleteMessageBatch" => answer(&self.delete_message_batch(call, &request(body)?)?),
            "ChangeMessageVisibility" => {
                self.change_message_visibility(call, &request(body)?).and_then(|()| answer(&Nothing {}))
            }
            "ChangeMessageVisibilityBatch" => answer(&self.change_message_visibility_batch(call, &request(body)?)?),
            "CreateQueue" => answer(&self.create_queue(call, request(body)?)?),
            "DeleteQueue" => self.delete_queue(call, &request(body)?).and_then(|()| answer(&Nothing {})),
            "GetQueueUrl" => answer(&self.get_queue_url(call, &request(body)?)?),
            "ListQueues" => answer(&self.list_queues(call, &request(body)?)?),
            "ListDeadLetterSourceQueues" => answer(&self.list_dead_letter_source_queues(call, &request(body)?)?),
            "PurgeQueue" => self.purge_queue(call, &request(body)?).and_then(|()| answer(&Nothing {})),
            "GetQueueAttributes" => answer(&self.get_queue_attributes(call, &request(body)?)?),
            "SetQueueAttributes" => self.set_queue_attributes(call, &request(body)?).and_then(|()| answer(&Nothing {})),
            "AddPermission" => self.add_permission(call, &request(body)?).and_then(|()| answer(&Nothing {})),
            "RemovePermission" => self.remove_permission(call, &request(body)?).and_then(|()| answer(&Nothing {})),
            "TagQueue" => self.tag_queue(call, request(body)?).and_then(|()| answer(&Nothing {})),
            "UntagQueue" => self.untag_queue(call, &request(body)?).and_then(|()| answer(&Nothing {})),
            "ListQueueTags" => answer(&self.list_queue_tags(call, &request(body)?)?),
            "StartMessageMoveTask" => answer(&self.start_message_move_task(call, &request(body)?)?),
            "ListMessageMoveTasks" => answer(&self.list_message_move_tasks(call, &request(body)?)?),
            "CancelMessageMoveTask" => answer(&self.cancel_message_move_task(call, &request(body)?)?),
            _ => Err(ApiError::coded(
                400,
                "UnknownOperationException",
                "InvalidAction",
                format!("The action {} is not valid for this endpoint.", call.action),
            )),
        }
    }

    /// Lets a call in to the queue of that URL: it must be there, and nothing may forbid it.
    fn enter(&mut self, call: Call, queue_url: &str) -> Result<Entered, ApiError> {
        if queue_url.is_empty() {
            return Err(ApiError::missing_parameter("QueueUrl"));
        }
        let (account, name) = account_and_name(queue_url);
        let account = account.unwrap_or(&call.caller.account);
        self.admit(call, account, Some(name))?;
        let queue = self.find(account, &call.caller.region, name).ok_or_else(ApiError::no_such_queue)?;
        if account != call.caller.account && !self.policy_allows(queue, call) {
            let arn = self.queue(queue).arn.to_string();
            return Err(ApiError::denied(&call.caller.arn(), call.action, &arn, "resource-based"));
        }
        let fault = match call.poll_until {
            None => self.faults.hit_semantic(call.action, Some(name)),
            Some(_) => None,
        };
        Ok(Entered { queue, fault })
    }

    /// Refuses what the deny list forbids.
    fn admit(&self, call: Call, account: &str, queue: Option<&str>) -> Result<(), ApiError> {
        if !self.denials.iter().any(|denial| denial.refuses(&call.caller.account, queue, call.action)) {
            return Ok(());
        }
        let resource = format!("arn:aws:sqs:{}:{account}:{}", call.caller.region, queue.unwrap_or_default());
        Err(ApiError::denied(&call.caller.arn(), call.action, &resource, "identity-based"))
    }

    /// The URL of a queue, as this caller sees it.
    fn url(&self, caller: &Caller, queue: u32) -> String {
        let queue = self.queue(queue);
        format!("{}/{}/{}", caller.origin, queue.account, queue.name)
    }
}

impl World {
    /// What a receipt handle stands for; none where this world never gave it out.
    pub(super) fn handle(&self, text: &str) -> Option<handle::Handle> {
        handle::Handle::read(text, self.tag)
    }

    /// What an actor gets to see of deliveries.
    pub(super) fn taken(&self, number: u32, deliveries: &[queue::Delivery]) -> Vec<Taken> {
        let store = &self.queue(number).store;
        let seen = deliveries.iter().filter_map(|delivery| {
            let message = store.get(delivery.key)?;
            let handle = handle::Handle { queue: number, key: delivery.key, receipt: delivery.receipt };
            Some(Taken {
                id: message.id,
                receipt_handle: handle.write(self.tag),
                body: message.body.clone(),
                attributes: message.attributes().to_vec(),
                receive_count: delivery.receive_count,
                group: message.group().map(Into::into),
            })
        });
        seen.collect()
    }
}

/// A queue URL's last two parts, whatever its host; a bare name has no account.
fn account_and_name(queue_url: &str) -> (Option<&str>, &str) {
    let mut parts = queue_url.trim_end_matches('/').rsplit('/');
    let name = parts.next().unwrap_or_default();
    let account = parts.next().filter(|part| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit()));
    (account, name)
}
