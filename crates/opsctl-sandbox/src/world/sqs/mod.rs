//! SQS on the pure world. Facts and texts are AWS's: API reference, developer guide, and answers recorded from it.

mod address;
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
mod form;
mod groups;
mod handle;
pub(in crate::world) mod message;
mod moves;
pub(in crate::world) mod queue;
mod senders;
mod settings;
pub(in crate::world) mod store;
#[cfg(test)]
mod tests;
mod validate;

use std::borrow::Cow;

use serde::Deserialize;

pub use dedup::WINDOW_MILLISECONDS;
pub use queue::{Totals, VISIBILITY_SECONDS_MAX};
pub use settings::MESSAGE_BYTES_MAX;
pub use store::Counts;

pub(super) use moves::Task;
pub(super) use senders::Senders;

use address::Address;

use super::{
    Caller, FaultKind, Taken, World,
    call::{Answered, Call, Input},
    error::ApiError,
    service::{JSON_1_0, Protocol, ServiceDef, does},
};

/// SQS over awsJson1_0, and over awsQuery, as SDKs from before November 2023 speak it.
pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Json { target: "AmazonSQS", content_type: JSON_1_0, shapes: Some("com.amazonaws.sqs#") },
    form: Some(&form::FORM),
    throttled: (400, "RequestThrottled"),
    subject: |input| named(input).map(|named| named.queue),
    resource: Some(resource),
    ..ServiceDef::new(
        "sqs",
        &[
            ("SendMessage", does!(send_message)),
            ("SendMessageBatch", does!(send_message_batch)),
            ("ReceiveMessage", does!(receive_message)),
            ("DeleteMessage", does!(delete_message)),
            ("DeleteMessageBatch", does!(delete_message_batch)),
            ("ChangeMessageVisibility", does!(change_message_visibility)),
            ("ChangeMessageVisibilityBatch", does!(change_message_visibility_batch)),
            ("CreateQueue", does!(create_queue)),
            ("DeleteQueue", does!(delete_queue)),
            ("GetQueueUrl", does!(get_queue_url)),
            ("ListQueues", does!(list_queues)),
            ("ListDeadLetterSourceQueues", does!(list_dead_letter_source_queues)),
            ("PurgeQueue", does!(purge_queue)),
            ("GetQueueAttributes", does!(get_queue_attributes)),
            ("SetQueueAttributes", does!(set_queue_attributes)),
            ("AddPermission", does!(add_permission)),
            ("RemovePermission", does!(remove_permission)),
            ("TagQueue", does!(tag_queue)),
            ("UntagQueue", does!(untag_queue)),
            ("ListQueueTags", does!(list_queue_tags)),
            ("StartMessageMoveTask", does!(start_message_move_task)),
            ("ListMessageMoveTasks", does!(list_message_move_tasks)),
            ("CancelMessageMoveTask", does!(cancel_message_move_task)),
        ],
    )
};

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

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Naming<'a> {
    #[serde(borrow)]
    queue_url: Cow<'a, str>,
    #[serde(borrow)]
    queue_name: Cow<'a, str>,
    #[serde(borrow)]
    source_arn: Cow<'a, str>,
    #[serde(borrow)]
    task_handle: Cow<'a, str>,
}

/// The queue that a call is about; no account: the caller's.
struct Named {
    account: Option<String>,
    queue: String,
}

fn named(input: &Input) -> Option<Named> {
    let Naming { queue_url, queue_name, source_arn, task_handle } = input.read().ok()?;
    let of_arn = |arn: &str| {
        let (rest, queue) = arn.rsplit_once(':')?;
        Some(Named { account: rest.rsplit(':').next().map(str::to_owned), queue: queue.to_owned() })
    };
    if !queue_url.is_empty() {
        let Address { account, name, .. } = Address::read(&queue_url);
        return Some(Named { account: account.map(str::to_owned), queue: name.to_owned() });
    }
    if !source_arn.is_empty() {
        return of_arn(&source_arn);
    }
    if !task_handle.is_empty() {
        return of_arn(&api_moves::Handle::read(&task_handle)?.source_arn);
    }
    (!queue_name.is_empty()).then(|| Named { account: None, queue: queue_name.into_owned() })
}

fn resource(caller: &Caller, input: &Input) -> String {
    let Named { account, queue } = named(input).unwrap_or(Named { account: None, queue: String::new() });
    let account = account.as_ref().unwrap_or(&caller.account);
    format!("arn:aws:sqs:{}:{account}:{queue}", caller.region)
}

impl World {
    /// Lets a call in to the queue of that URL: it must be there, and open to the caller's account.
    fn enter(&mut self, call: Call, queue_url: &str) -> Result<Entered, ApiError> {
        if queue_url.is_empty() {
            return Err(ApiError::missing_parameter("QueueUrl"));
        }
        let address = Address::read(queue_url);
        address.check_region(call)?;
        let name = address.name;
        let account = address.account.unwrap_or(&call.caller.account);
        let queue = self.find(account, &call.caller.region, name).ok_or_else(ApiError::no_such_queue)?;
        if account != call.caller.account && !self.policy_allows(queue, call) {
            let arn = self.queue(queue).arn.to_string();
            let action = format!("sqs:{}", call.action);
            let who = self.sts.identity(&call.caller.account, call.access_key).arn;
            return Err(ApiError::denied(403, &who, &action, Some(&arn), "resource-based"));
        }
        let fault = match call.poll_until {
            None => self.faults.hit_semantic(call.action, Some(name)),
            Some(_) => None,
        };
        Ok(Entered { queue, fault })
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
