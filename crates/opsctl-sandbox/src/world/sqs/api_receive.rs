//! ReceiveMessage.

use std::{borrow::Cow, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::{
    Answered, Call,
    handle::Handle,
    message::{Attribute, Id, Message, Value},
    queue::{Delivery, How, Queue, VISIBILITY_SECONDS_MAX},
};
use crate::world::{Answer, FaultKind, World, error::ApiError, md5::Md5Digest};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceiveRequest<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    /// The older name of the next.
    attribute_names: Option<Vec<String>>,
    message_system_attribute_names: Option<Vec<String>>,
    message_attribute_names: Option<Vec<String>>,
}

/// System attributes, each as a bit of [`Wanted`].
const SYSTEM_ATTRIBUTES: [&str; 9] = [
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
];

#[derive(Debug)]
struct Wanted<'a> {
    system: u16,
    names: &'a [String],
}

impl<'a> Wanted<'a> {
    fn read(request: &'a ReceiveRequest) -> Result<Self, ApiError> {
        let mut system = 0;
        let names = request.attribute_names.iter().chain(&request.message_system_attribute_names).flatten();
        for name in names {
            if name == "All" {
                system = u16::MAX;
                continue;
            }
            let known = SYSTEM_ATTRIBUTES.iter().position(|known| known == name);
            system |= 1 << known.ok_or_else(|| ApiError::unknown_attribute(name))?;
        }
        Ok(Self { system, names: request.message_attribute_names.as_deref().unwrap_or_default() })
    }

    fn wants(&self, attribute: &Attribute) -> bool {
        let name = &*attribute.name;
        self.names.iter().any(|wanted| match wanted.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => wanted == "All" || wanted == "*" || wanted == name,
        })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiveAnswer<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<ReceivedMessage<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReceivedMessage<'a> {
    message_id: Id,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    md5_of_body: Md5Digest,
    body: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "text_map")]
    attributes: Vec<(&'static str, Cow<'a, str>)>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    md5_of_attributes: Option<Md5Digest>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "attribute_map")]
    message_attributes: Vec<&'a Attribute>,
}

/// The system attributes that are asked for, of those that a message has.
fn system_attributes<'a>(
    wanted: u16,
    message: &'a Message,
    sender: &'a str,
    receive_count: u32,
    is_fifo: bool,
) -> Vec<(&'static str, Cow<'a, str>)> {
    if wanted == 0 {
        return Vec::new();
    }
    let values: [Option<Cow<'a, str>>; SYSTEM_ATTRIBUTES.len()] = [
        Some(sender.into()),
        Some(message.sent_at.to_string().into()),
        Some(receive_count.to_string().into()),
        Some(message.first_received_at.unwrap_or_default().to_string().into()),
        is_fifo.then(|| message.sequence.to_string().into()),
        message.deduplication_id().map(Cow::from),
        message.group().map(Cow::from),
        message.trace_header().map(Cow::from),
        message.dead_letter_source().map(|arn| Cow::from(&**arn)),
    ];
    let asked = SYSTEM_ATTRIBUTES.into_iter().zip(values).enumerate().filter(|(bit, _)| wanted & (1 << bit) != 0);
    asked.filter_map(|(_, (name, value))| Some((name, value?))).collect()
}

fn text_map<S: Serializer>(texts: &[(&str, Cow<'_, str>)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(texts.iter().map(|(name, text)| (name, text)))
}

fn attribute_map<S: Serializer>(attributes: &[&Attribute], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Told<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        string_value: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        binary_value: Option<String>,
        data_type: &'a str,
    }
    serializer.collect_map(attributes.iter().map(|attribute| {
        let (string_value, binary_value) = match &attribute.value {
            Value::Text(text) => (Some(&**text), None),
            Value::Binary(bytes) => (None, Some(STANDARD.encode(bytes))),
        };
        (&attribute.name, Told { string_value, binary_value, data_type: &attribute.label })
    }))
}

impl World {
    pub(super) fn receive_message(&mut self, call: Call, request: ReceiveRequest) -> Answered {
        let entered = self.enter(call, &request.queue_url)?;
        let queue = entered.queue;
        let settings = &self.queue(queue).settings;
        let messages_max = request.max_number_of_messages.unwrap_or(1);
        let wait_seconds = request.wait_time_seconds.unwrap_or(settings.wait_seconds);
        let visibility_seconds = request.visibility_timeout.unwrap_or(settings.visibility_seconds);
        let Some(messages_max) = usize::try_from(messages_max).ok().filter(|number| (1..=10).contains(number)) else {
            let reason = "Must be between 1 and 10, if provided.";
            return Err(ApiError::invalid_value(messages_max, "MaxNumberOfMessages", reason));
        };
        if !(0..=20).contains(&wait_seconds) {
            let reason = "Must be >= 0 and <= 20, if provided.";
            return Err(ApiError::invalid_value(wait_seconds, "WaitTimeSeconds", reason));
        }
        if !(0..=VISIBILITY_SECONDS_MAX).contains(&visibility_seconds) {
            let reason = "Must be >= 0 and <= 43200, if provided.";
            return Err(ApiError::invalid_value(visibility_seconds, "VisibilityTimeout", reason));
        }
        let wanted = Wanted::read(&request)?;
        let mut deliveries = self.take_deliveries(call.now, queue, messages_max, visibility_seconds, wait_seconds)?;
        if deliveries.is_empty() {
            return self.wait_or_nothing(call, wait_seconds);
        }
        if let Some(fault) = entered.fault {
            self.disturb_receive(call.now, queue, fault, &mut deliveries);
        }
        let told = self.tell(queue, &deliveries, &wanted);
        self.settle(queue);
        told
    }

    /// Receives, and moves dead letters on.
    pub(in crate::world) fn take_deliveries(
        &mut self,
        now: i64,
        queue: u32,
        messages_max: usize,
        visibility_seconds: i64,
        wait_seconds: i64,
    ) -> Result<Vec<Delivery>, ApiError> {
        let dead_letter = self.usable_dead_letter_queue(queue);
        let in_flight_max = self.settings.in_flight_max;
        let source = self.queue_mut(queue);
        if source.counts().in_flight >= in_flight_max {
            // FIFO queues and long polls show nothing of it (SQS developer guide, quotas).
            if source.settings.is_fifo || wait_seconds > 0 {
                return Ok(Vec::new());
            }
            return Err(ApiError::over_limit("The maximum number of in flight messages is reached."));
        }
        let receives_max = dead_letter.map(|(_, receives_max)| receives_max);
        let received = source.receive(now, How { messages_max, visibility_seconds, receives_max });
        if let Some((dead_letter, _)) = dead_letter
            && !received.dead_letters.is_empty()
        {
            self.bury(now, queue, dead_letter, received.dead_letters);
        }
        self.settle(queue);
        Ok(received.deliveries)
    }

    /// The dead-letter queue that the queue may use now, and after how many receives.
    fn usable_dead_letter_queue(&self, queue: u32) -> Option<(u32, u32)> {
        let source = self.queue(queue);
        let redrive = source.settings.redrive.as_ref()?;
        let number = self.find(&source.account, &source.region, redrive.dead_letter_name())?;
        let target = self.queue(number);
        let is_allowed = target.settings.allow.as_ref().is_none_or(|allow| allow.allows(&source.arn));
        (is_allowed && target.settings.is_fifo == source.settings.is_fifo && number != queue)
            .then_some((number, redrive.receives_max))
    }

    /// Moves messages to a dead-letter queue: id, body, attributes and receive count stay. Standard queues keep the sent time,
    /// so that retention goes on; FIFO queues start it anew, and the deduplication id becomes the message id.
    fn bury(&mut self, now: i64, source: u32, dead_letter: u32, messages: Vec<Message>) {
        let arn = Arc::clone(&self.queue(source).arn);
        for mut message in messages {
            let is_fifo = self.queue(dead_letter).settings.is_fifo;
            let id = message.id;
            message.arrived_at = now;
            let extras = message.extras.get_or_insert_default();
            extras.dead_letter_source = Some(Arc::clone(&arn));
            if is_fifo {
                extras.deduplication_id = Some(id.to_string().into());
                message.sent_at = now;
            }
            let place = self.next_place();
            self.queue_mut(dead_letter).take_in(message, place);
        }
        self.settle(dead_letter);
    }

    fn wait_or_nothing(&self, call: Call, wait_seconds: i64) -> Answered {
        let until = call
            .poll_until
            .unwrap_or_else(|| Timestamp::from_millisecond(call.now + wait_seconds * 1_000).unwrap_or(Timestamp::MAX));
        if until.as_millisecond() > call.now {
            return Ok(Answer::Wait { until });
        }
        Answer::written(&ReceiveAnswer { messages: Vec::new() })
    }

    fn disturb_receive(&mut self, now: i64, queue: u32, fault: FaultKind, deliveries: &mut Vec<Delivery>) {
        let queue = self.queue_mut(queue);
        if fault == FaultKind::DuplicateDelivery
            && let Some(first) = deliveries.first()
        {
            deliveries.extend(queue.deliver_again(now, first.key));
        }
        if fault == FaultKind::VisibilityExpired {
            for delivery in deliveries {
                queue.store.reveal(delivery.key);
            }
        }
    }

    fn tell(&mut self, number: u32, deliveries: &[Delivery], wanted: &Wanted) -> Answered {
        let Self { tag, senders, queues, .. } = self;
        let Some(queue) = queues[number as usize].as_deref_mut() else { return Err(ApiError::no_such_queue()) };
        let digests: Vec<Md5Digest> = deliveries
            .iter()
            .map(|delivery| queue.store.get_mut(delivery.key).map_or(Md5Digest([0; 16]), Message::md5))
            .collect();
        let queue: &Queue = queue;
        let messages = deliveries.iter().zip(digests).filter_map(|(delivery, md5_of_body)| {
            let Delivery { key, receipt, receive_count } = *delivery;
            let message = queue.store.get(key)?;
            let message_attributes: Vec<&Attribute> =
                message.attributes().iter().filter(|attribute| wanted.wants(attribute)).collect();
            Some(ReceivedMessage {
                message_id: message.id,
                receipt_handle: Handle { queue: number, key, receipt }.write(*tag),
                md5_of_body,
                body: &message.body,
                attributes: system_attributes(
                    wanted.system,
                    message,
                    senders.id(message.sender),
                    receive_count,
                    queue.settings.is_fifo,
                ),
                md5_of_attributes: (!message_attributes.is_empty())
                    .then(|| Md5Digest::of_attributes(message_attributes.iter().copied())),
                message_attributes,
            })
        });
        Answer::written(&ReceiveAnswer { messages: messages.collect() })
    }
}
