//! SQS's types into ours and back.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::{
    error::BuildError,
    primitives::Blob,
    types::{
        self as sdk, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
        ListMessageMoveTasksResultEntry, MessageSystemAttributeName as System,
        MessageSystemAttributeNameForSends as SystemForSends, QueueAttributeName as Name, SendMessageBatchRequestEntry,
    },
};
use jiff::Timestamp;

use super::{CHECKSUM_MISMATCH, MoveStatus, MoveTask, batch, checksum};
use crate::{
    cloud::{CloudError, ErrorKind, classify},
    domain::{
        AttributeValue, Counts, Message, MessageId, Outgoing, Payload, Queue, QueueArn, QueueKind, QueueUrl,
        ReceiptHandle, RedrivePolicy, SystemAttributes, Text,
    },
};

/// A queue from `GetQueueAttributes`' map; the error says what is missing or wrong.
pub(super) fn queue(url: &QueueUrl, attributes: &HashMap<Name, String>) -> Result<Queue, String> {
    let text = |name: &Name| attributes.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let number = |name: Name, default: u64| match text(&name) {
        None => Ok(default),
        Some(figure) => figure.parse::<u64>().map_err(|_| format!("{name} is no number: {figure:?}")),
    };
    let seconds =
        |name: Name, default: u64| number(name, default).map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
    let arn = QueueArn(text(&Name::QueueArn).ok_or("the answer has no QueueArn")?.to_owned());
    let name = arn.name();
    let is_fifo = text(&Name::FifoQueue) == Some("true") || name.kind() == QueueKind::Fifo;
    Ok(Queue {
        url: url.clone(),
        kind: if is_fifo { QueueKind::Fifo } else { QueueKind::Standard },
        counts: Counts {
            visible: number(Name::ApproximateNumberOfMessages, 0)?,
            in_flight: number(Name::ApproximateNumberOfMessagesNotVisible, 0)?,
            delayed: number(Name::ApproximateNumberOfMessagesDelayed, 0)?,
        },
        visibility_timeout_seconds: seconds(Name::VisibilityTimeout, 30)?,
        retention_seconds: number(Name::MessageRetentionPeriod, 345_600)?,
        message_bytes_max: number(Name::MaximumMessageSize, super::BATCH_BYTES_MAX)?,
        delay_seconds: seconds(Name::DelaySeconds, 0)?,
        redrive: text(&Name::RedrivePolicy).map(redrive).transpose()?,
        content_based_deduplication: text(&Name::ContentBasedDeduplication) == Some("true"),
        deduplication_scope: text(&Name::DeduplicationScope).map(str::to_owned),
        kms_key: text(&Name::KmsMasterKeyId).map(str::to_owned),
        created_at: text(&Name::CreatedTimestamp).and_then(epoch_seconds),
        arn,
        name,
    })
}

/// `maxReceiveCount` is a number or the text of one, as whoever wrote the policy had it.
fn redrive(policy: &str) -> Result<RedrivePolicy, String> {
    let wrong = || format!("RedrivePolicy cannot be read: {policy:?}");
    let policy: serde_json::Value = serde_json::from_str(policy).map_err(|_| wrong())?;
    let dead_letter = policy.get("deadLetterTargetArn").and_then(serde_json::Value::as_str).ok_or_else(wrong)?;
    let receives = policy.get("maxReceiveCount").ok_or_else(wrong)?;
    let receives = receives.as_u64().or_else(|| receives.as_str()?.parse().ok()).ok_or_else(wrong)?;
    let receives_max = u32::try_from(receives).map_err(|_| wrong())?;
    Ok(RedrivePolicy { dead_letter: QueueArn(dead_letter.to_owned()), receives_max })
}

fn epoch_seconds(text: &str) -> Option<Timestamp> {
    // Some emulators write a fraction.
    let whole = text.split('.').next().unwrap_or_default();
    Timestamp::from_second(whole.parse().ok()?).ok()
}

fn epoch_milliseconds(text: &str) -> Option<Timestamp> {
    let whole = text.split('.').next().unwrap_or_default();
    Timestamp::from_millisecond(whole.parse().ok()?).ok()
}

/// A received message, checked against its MD5s.
pub(super) fn message(action: &str, message: sdk::Message) -> Result<Message, CloudError> {
    let (Some(id), Some(receipt)) = (message.message_id, message.receipt_handle) else {
        return Err(classify::malformed(action, "a message without id or receipt handle"));
    };
    let body = message.body.unwrap_or_default();
    let mut attributes = BTreeMap::new();
    for (name, value) in message.message_attributes.unwrap_or_default() {
        let value = attribute(value)
            .ok_or_else(|| classify::malformed(action, &format!("attribute {name:?} of message {id} has no value")))?;
        attributes.insert(name, value);
    }
    let (of_body, of_attributes) = (message.md5_of_body.as_deref(), message.md5_of_message_attributes.as_deref());
    if let Some(what) = checksum::differs(&body, &attributes, of_body, of_attributes) {
        let text = format!("message {id} arrived with another {what} than SQS sent");
        return Err(CloudError::coded(ErrorKind::Unknown, action, CHECKSUM_MISMATCH, &text));
    }
    let system = system(&message.attributes.unwrap_or_default());
    Ok(Message { id: MessageId(id), receipt: ReceiptHandle(receipt), body, attributes, system })
}

fn attribute(value: sdk::MessageAttributeValue) -> Option<AttributeValue> {
    let payload = if value.data_type.starts_with("Binary") {
        Payload::Binary(value.binary_value?.into_inner())
    } else {
        Payload::Text(value.string_value?)
    };
    Some(AttributeValue { data_type: value.data_type, payload })
}

fn system(attributes: &HashMap<System, String>) -> SystemAttributes {
    let text = |name: &System| attributes.get(name).cloned().filter(|text| !text.is_empty());
    let time = |name: &System| attributes.get(name).and_then(|text| epoch_milliseconds(text));
    SystemAttributes {
        sent_at: time(&System::SentTimestamp),
        first_received_at: time(&System::ApproximateFirstReceiveTimestamp),
        receive_count: text(&System::ApproximateReceiveCount).and_then(|text| text.parse().ok()).unwrap_or_default(),
        sender: text(&System::SenderId),
        group: text(&System::MessageGroupId),
        deduplication_id: text(&System::MessageDeduplicationId),
        sequence: text(&System::SequenceNumber).and_then(|text| text.parse().ok()),
        dead_letter_source: text(&System::DeadLetterQueueSourceArn).map(QueueArn),
        trace_header: text(&System::AwsTraceHeader),
    }
}

pub(super) fn send_entry(index: usize, message: &Outgoing) -> Result<SendMessageBatchRequestEntry, BuildError> {
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(batch::id(index))
        .message_body(&message.body)
        .set_message_group_id(message.group.clone())
        .set_message_deduplication_id(message.deduplication_id.clone());
    for (name, value) in &message.attributes {
        let builder = sdk::MessageAttributeValue::builder().data_type(&value.data_type);
        let value = match &value.payload {
            Payload::Text(text) => builder.string_value(text),
            Payload::Binary(bytes) => builder.binary_value(Blob::new(bytes.clone())),
        };
        entry = entry.message_attributes(name, value.build()?);
    }
    if let Some(trace) = &message.trace_header {
        let value = sdk::MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build()?;
        entry = entry.message_system_attributes(SystemForSends::AwsTraceHeader, value);
    }
    entry.build()
}

pub(super) fn delete_entry(
    index: usize,
    receipt: &ReceiptHandle,
) -> Result<DeleteMessageBatchRequestEntry, BuildError> {
    DeleteMessageBatchRequestEntry::builder().id(batch::id(index)).receipt_handle(&receipt.0).build()
}

pub(super) fn visibility_entry(
    index: usize,
    receipt: &ReceiptHandle,
    seconds: i32,
) -> Result<ChangeMessageVisibilityBatchRequestEntry, BuildError> {
    ChangeMessageVisibilityBatchRequestEntry::builder()
        .id(batch::id(index))
        .receipt_handle(&receipt.0)
        .visibility_timeout(seconds)
        .build()
}

pub(super) fn move_task(source: &QueueArn, task: ListMessageMoveTasksResultEntry) -> MoveTask {
    let count = |figure: i64| u64::try_from(figure).unwrap_or_default();
    MoveTask {
        handle: task.task_handle.filter(|handle| !handle.is_empty()),
        status: task.status.and_then(|word| word.parse().ok()).unwrap_or(MoveStatus::Other),
        source: task.source_arn.map_or_else(|| source.clone(), QueueArn),
        destination: task.destination_arn.filter(|arn| !arn.is_empty()).map(QueueArn),
        rate: task.max_number_of_messages_per_second.and_then(|rate| u32::try_from(rate).ok()).filter(|&rate| rate > 0),
        moved: count(task.approximate_number_of_messages_moved),
        to_move: task.approximate_number_of_messages_to_move.map(count),
        failure: task.failure_reason.filter(|words| !words.is_empty()).map(|words| Text::line(&words)),
        started_at: started_at(task.started_timestamp),
    }
}

/// AWS tells milliseconds; a figure of before 1973 in milliseconds is one in seconds, as some emulators tell it.
fn started_at(figure: i64) -> Option<Timestamp> {
    match figure {
        ..=0 => None,
        1..100_000_000_000 => Timestamp::from_second(figure).ok(),
        _ => Timestamp::from_millisecond(figure).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(pairs: &[(Name, &str)]) -> HashMap<Name, String> {
        pairs.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_queue_reads_its_attributes() {
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:orders-dlq","maxReceiveCount":"5"}"#;
        let queue = queue(
            &QueueUrl::from("https://sqs.eu-west-1.amazonaws.com/123456789012/orders.fifo"),
            &attributes(&[
                (Name::QueueArn, "arn:aws:sqs:eu-west-1:123456789012:orders.fifo"),
                (Name::FifoQueue, "true"),
                (Name::ApproximateNumberOfMessages, "3"),
                (Name::RedrivePolicy, policy),
                (Name::CreatedTimestamp, "1767225600"),
            ]),
        )
        .expect("a whole answer");
        assert_eq!((queue.kind, queue.counts.visible), (QueueKind::Fifo, 3));
        assert_eq!(queue.redrive.expect("a policy").receives_max, 5);
        assert_eq!(queue.created_at, "2026-01-01T00:00:00Z".parse().ok());
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_refused_in_words() {
        let url = QueueUrl::from("u");
        assert_eq!(queue(&url, &HashMap::new()), Err("the answer has no QueueArn".to_owned()));
        let arn = (Name::QueueArn, "arn:aws:sqs:r:1:q");
        let many = queue(&url, &attributes(&[arn.clone(), (Name::ApproximateNumberOfMessages, "many")]));
        assert_eq!(many, Err("ApproximateNumberOfMessages is no number: \"many\"".to_owned()));
        assert!(queue(&url, &attributes(&[arn, (Name::RedrivePolicy, "{}")])).is_err());
    }

    #[test]
    fn a_task_starts_in_milliseconds_or_seconds() {
        assert_eq!(started_at(1_767_225_600_000), started_at(1_767_225_600));
        assert_eq!(started_at(0), None);
    }
}
