//! Messages as received and as sent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::queue::QueueArn;

text_ids! {
    /// A message's id, given by SQS. Kept when SQS itself moves a message to its DLQ; new whenever a message is sent.
    MessageId,
    /// What a receive hands out to delete or extend with; a newer receive of the message supersedes it.
    ReceiptHandle,
    /// SHA-256 over body, attributes, group and trace header, in hexadecimal.
    ContentHash,
}

/// A message attribute: its full type label (`String`, `Number`, `Binary`, each maybe with a custom suffix) and value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AttributeValue {
    /// Full type label, `Number.int` for instance.
    pub data_type: String,
    #[serde(flatten)]
    pub payload: Payload,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Payload {
    /// `String` and `Number` labels.
    #[serde(rename = "string")]
    Text(String),
    /// `Binary` labels; base64 in JSON.
    #[serde(rename = "binary", with = "base64_bytes")]
    Binary(Vec<u8>),
}

impl Payload {
    /// Bytes that count towards the size limit.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    /// Newest receipt handle known.
    pub receipt: ReceiptHandle,
    pub body: String,
    /// Message attributes, at most ten.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
    #[serde(flatten)]
    pub system: SystemAttributes,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SystemAttributes {
    /// `SentTimestamp`. On a standard DLQ: when it was first sent to its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// `ApproximateFirstReceiveTimestamp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_received_at: Option<Timestamp>,
    /// `ApproximateReceiveCount`; spans queues.
    pub receive_count: u32,
    /// `SenderId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// `MessageGroupId`; standard queues may have one too (fair queues).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `MessageDeduplicationId`; in a FIFO DLQ the original message id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deduplication_id: Option<String>,
    /// `SequenceNumber`, 20 digits, FIFO only.
    #[serde(skip_serializing_if = "Option::is_none", with = "sequence_text")]
    pub sequence: Option<u128>,
    /// `DeadLetterQueueSourceArn`: absent where the message was sent to the DLQ directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_source: Option<QueueArn>,
    /// `AWSTraceHeader`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_header: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    pub body: String,
    pub attributes: BTreeMap<String, AttributeValue>,
    pub group: Option<String>,
    /// FIFO destinations: always explicit, so that nothing is accepted and silently dropped.
    pub deduplication_id: Option<String>,
    /// `AWSTraceHeader`, the one system attribute that can be sent.
    pub trace_header: Option<String>,
}

impl Outgoing {
    /// Bytes that SQS counts: body, and every attribute's name, type label and value.
    pub fn size_bytes(&self) -> u64 {
        size_bytes(&self.body, &self.attributes)
    }

    /// Whether it has the very content of `message`, and so its hash.
    pub fn is_copy_of(&self, message: &Message) -> bool {
        self.body == message.body
            && self.attributes == message.attributes
            && self.group == message.system.group
            && self.trace_header == message.system.trace_header
    }

    /// Hash of the content, comparable with [`Message::content_hash`].
    pub fn content_hash(&self) -> ContentHash {
        content_hash(&self.body, &self.attributes, self.group.as_deref(), self.trace_header.as_deref())
    }
}

impl Message {
    /// Bytes that SQS counts: body, and every attribute's name, type label and value.
    pub fn size_bytes(&self) -> u64 {
        size_bytes(&self.body, &self.attributes)
    }

    pub fn content_hash(&self) -> ContentHash {
        content_hash(&self.body, &self.attributes, self.system.group.as_deref(), self.system.trace_header.as_deref())
    }
}

fn size_bytes(body: &str, attributes: &BTreeMap<String, AttributeValue>) -> u64 {
    let attributes: usize =
        attributes.iter().map(|(name, value)| name.len() + value.data_type.len() + value.payload.bytes().len()).sum();
    (body.len() + attributes) as u64
}

fn content_hash(
    body: &str,
    attributes: &BTreeMap<String, AttributeValue>,
    group: Option<&str>,
    trace_header: Option<&str>,
) -> ContentHash {
    let mut hash = Sha256::new();
    // Lengths keep ("ab", "c") and ("a", "bc") apart.
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(body.as_bytes());
    for (name, value) in attributes {
        part(name.as_bytes());
        part(value.data_type.as_bytes());
        part(value.payload.bytes());
    }
    part(group.unwrap_or_default().as_bytes());
    part(trace_header.unwrap_or_default().as_bytes());
    ContentHash(hex(&hash.finalize()))
}

pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

/// As text: JSON readers lose digits of so large a number, and serde's flattening does not take it at all.
mod sequence_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(sequence: &Option<u128>, serializer: S) -> Result<S::Ok, S::Error> {
        match sequence {
            Some(sequence) => serializer.collect_str(&format_args!("{sequence:020}")),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u128>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

mod base64_bytes {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
