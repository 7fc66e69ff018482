//! SendMessage, SendMessageBatch.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    Answered, Call, MESSAGE_BYTES_MAX,
    batch::{BatchAnswer, Failure, check_ids, internal_error},
    message::{Attribute, Extras, Id, Message, SequenceNumber},
    validate::{WireAttributes, check_body, check_token},
};
use crate::world::{
    Answer, World,
    error::ApiError,
    md5::{Md5Digest, sha256_hex},
};

/// A message to send: a call of its own, or an entry of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendRequest<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    message_body: Cow<'a, str>,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: WireAttributes,
    #[serde(default)]
    message_system_attributes: WireAttributes,
    message_group_id: Option<Box<str>>,
    message_deduplication_id: Option<Box<str>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendBatchRequest<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    #[serde(borrow, default)]
    entries: Vec<SendRequest<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct SendAnswer {
    #[serde(rename = "Id", skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    #[serde(rename = "MD5OfMessageBody")]
    md5_of_body: Md5Digest,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    md5_of_attributes: Option<Md5Digest>,
    #[serde(rename = "MD5OfMessageSystemAttributes", skip_serializing_if = "Option::is_none")]
    md5_of_system_attributes: Option<Md5Digest>,
    #[serde(rename = "MessageId")]
    id: Id,
    #[serde(rename = "SequenceNumber", skip_serializing_if = "Option::is_none")]
    sequence: Option<SequenceNumber>,
}

#[derive(Debug, Clone, Copy)]
struct Demands {
    is_fifo: bool,
    content_based_deduplication: bool,
    message_bytes_max: usize,
}

struct Checked {
    body: Box<str>,
    extras: Extras,
    delay_seconds: Option<i64>,
    md5_of_attributes: Option<Md5Digest>,
    md5_of_system_attributes: Option<Md5Digest>,
}

impl World {
    pub(super) fn send_message(&mut self, call: Call, request: SendRequest) -> Answered {
        let queue = self.enter(call, &request.queue_url)?.queue;
        let demands = self.demands(queue);
        demands.check_ids(&request)?;
        let checked = demands.check(request)?;
        let answer = self.enqueue(call, queue, checked);
        self.settle(queue);
        Answer::written(&answer)
    }

    pub(super) fn send_message_batch(&mut self, call: Call, request: SendBatchRequest) -> Answered {
        let entered = self.enter(call, &request.queue_url)?;
        let queue = entered.queue;
        check_ids("SendMessageBatchRequestEntry", request.entries.iter().map(|entry| &*entry.id))?;
        let demands = self.demands(queue);
        for entry in &request.entries {
            // Seen of AWS: these refuse the batch, not the entry, with a code of their own.
            demands.check_ids(entry).map_err(|error| ApiError::invalid_parameter(error.message))?;
        }
        check_size(&request.entries)?;
        let failing = self.failing_entries(entered, request.entries.len());
        let mut answer = BatchAnswer::with_capacity(request.entries.len());
        for (mut entry, fails) in request.entries.into_iter().zip(failing) {
            let id = std::mem::take(&mut entry.id);
            let checked = if fails { Err(internal_error()) } else { demands.check(entry) };
            match checked {
                Ok(checked) => {
                    let sent = self.enqueue(call, queue, checked);
                    answer.successful.push(SendAnswer { entry: Some(id.into_owned()), ..sent });
                }
                Err(error) => answer.failed.push(Failure::new(&id, error)),
            }
        }
        self.settle(queue);
        Answer::written(&answer)
    }

    /// The number of whoever sends with this access key.
    pub(in crate::world) fn sender(&mut self, account: &str, access_key: &str) -> u32 {
        self.senders.number_of(&self.sts.identity(account, access_key).user_id)
    }

    fn demands(&self, queue: u32) -> Demands {
        let settings = &self.queue(queue).settings;
        Demands {
            is_fifo: settings.is_fifo,
            content_based_deduplication: settings.content_based_deduplication,
            message_bytes_max: settings.message_bytes_max,
        }
    }

    fn enqueue(&mut self, call: Call, queue: u32, checked: Checked) -> SendAnswer {
        let Checked { body, mut extras, delay_seconds, md5_of_attributes, md5_of_system_attributes } = checked;
        let is_fifo = self.queue(queue).settings.is_fifo;
        if is_fifo && extras.deduplication_id.is_none() {
            extras.deduplication_id = Some(sha256_hex(&body));
        }
        let sender = self.sender(&call.caller.account, call.access_key);
        let mut message = Message::new(Id::random(&mut self.rng), body, extras, sender, call.now);
        let md5_of_body = message.md5();
        let place = self.next_place();
        let accepted = self.queue_mut(queue).send(call.now, message, place, delay_seconds);
        SendAnswer {
            entry: None,
            md5_of_body,
            md5_of_attributes,
            md5_of_system_attributes,
            id: accepted.id,
            sequence: is_fifo.then_some(accepted.sequence),
        }
    }
}

impl Demands {
    fn check_ids(self, request: &SendRequest) -> Answered<()> {
        if !self.is_fifo {
            return Ok(());
        }
        if request.message_group_id.is_none() {
            return Err(ApiError::missing_parameter("MessageGroupId"));
        }
        if request.message_deduplication_id.is_none() && !self.content_based_deduplication {
            let message = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
                           provided explicitly";
            return Err(ApiError::invalid_parameter(message));
        }
        Ok(())
    }

    fn check(self, request: SendRequest) -> Answered<Checked> {
        let body = request.message_body;
        check_body(&body)?;
        self.check_delay(request.delay_seconds)?;
        if let Some(group) = &request.message_group_id {
            check_token("MessageGroupId", group)?;
        }
        if let Some(id) = &request.message_deduplication_id {
            if !self.is_fifo {
                let reason = "The request include parameter that is not valid for this queue type.";
                return Err(ApiError::invalid_value(id, "MessageDeduplicationId", reason));
            }
            check_token("MessageDeduplicationId", id)?;
        }
        let attributes = request.message_attributes.into_attributes()?;
        let trace_header = request.message_system_attributes.into_trace_header()?;
        let bytes = body.len() + attributes.iter().map(Attribute::size_bytes).sum::<usize>();
        if bytes > self.message_bytes_max {
            let message = format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {} bytes.",
                self.message_bytes_max
            );
            return Err(ApiError::invalid_parameter(message));
        }
        let md5_of_attributes = (!attributes.is_empty()).then(|| Md5Digest::of_attributes(attributes.iter()));
        let md5_of_system_attributes =
            trace_header.as_ref().map(|header| Md5Digest::of_attributes([header].into_iter()));
        let extras = Extras {
            attributes,
            group: request.message_group_id,
            deduplication_id: request.message_deduplication_id,
            trace_header: trace_header.and_then(|header| header.value.into_text()),
            dead_letter_source: None,
        };
        let body = body.into_owned().into_boxed_str();
        Ok(Checked { body, extras, delay_seconds: request.delay_seconds, md5_of_attributes, md5_of_system_attributes })
    }

    fn check_delay(self, delay_seconds: Option<i64>) -> Answered<()> {
        match delay_seconds {
            // FIFO queues know the whole queue's delay only.
            Some(seconds) if self.is_fifo && seconds != 0 => {
                let reason = "The request include parameter that is not valid for this queue type.";
                Err(ApiError::invalid_value(seconds, "DelaySeconds", reason))
            }
            Some(seconds) if !(0..=900).contains(&seconds) => {
                Err(ApiError::invalid_value(seconds, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900."))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn check_size(entries: &[SendRequest]) -> Answered<()> {
    let bytes: usize =
        entries.iter().map(|entry| entry.message_body.len() + entry.message_attributes.size_bytes()).sum();
    if bytes <= MESSAGE_BYTES_MAX {
        return Ok(());
    }
    let message =
        format!("Batch requests cannot be longer than {MESSAGE_BYTES_MAX} bytes. You have sent {bytes} bytes.");
    Err(ApiError::of_sqs(400, "AWS.SimpleQueueService.BatchRequestTooLong", message))
}
