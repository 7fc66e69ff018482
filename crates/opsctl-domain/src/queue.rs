//! Queues: names, settings, approximate counts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

text_ids! {
    /// A queue's URL, as SQS calls take it.
    QueueUrl,
    /// A queue's ARN, as policies and move tasks take it.
    QueueArn,
    /// A queue's name; ends in `.fifo` for FIFO queues.
    QueueName,
}

impl QueueArn {
    /// The name: last part of `arn:aws:sqs:region:account:name`.
    pub fn name(&self) -> QueueName {
        QueueName(self.0.rsplit(':').next().unwrap_or_default().to_owned())
    }

    pub fn account(&self) -> Option<&str> {
        self.0.split(':').nth(4)
    }

    pub fn region(&self) -> Option<&str> {
        self.0.split(':').nth(3)
    }

    pub fn is_sqs(&self) -> bool {
        self.0.split(':').nth(2) == Some("sqs")
    }
}

impl QueueUrl {
    /// The name: last part of the URL's path.
    pub fn name(&self) -> QueueName {
        QueueName(self.0.rsplit('/').next().unwrap_or_default().to_owned())
    }
}

impl QueueName {
    /// FIFO queues' names end in `.fifo`.
    pub fn kind(&self) -> QueueKind {
        if self.0.ends_with(".fifo") { QueueKind::Fifo } else { QueueKind::Standard }
    }
}

#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", const_into_str)]
pub enum QueueKind {
    /// At-least-once delivery, no order.
    Standard,
    /// Ordered within a message group; duplicates dropped for five minutes.
    Fifo,
}

/// SQS's three approximate counts: they lag by a minute or more, so they are bounds of nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// `ApproximateNumberOfMessages`.
    pub visible: u64,
    /// `ApproximateNumberOfMessagesNotVisible`.
    pub in_flight: u64,
    /// `ApproximateNumberOfMessagesDelayed`.
    pub delayed: u64,
}

impl Counts {
    pub fn total(&self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }
}

/// Where a queue's dead letters go, and after how many receives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedrivePolicy {
    pub dead_letter: QueueArn,
    /// `maxReceiveCount`.
    pub receives_max: u32,
}

/// A queue's settings and counts, as `GetQueueAttributes` tells them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    pub url: QueueUrl,
    pub arn: QueueArn,
    pub name: QueueName,
    pub kind: QueueKind,
    pub counts: Counts,
    pub visibility_timeout_seconds: u32,
    pub retention_seconds: u64,
    /// Largest message taken, in bytes, attributes included.
    pub message_bytes_max: u64,
    pub delay_seconds: u32,
    pub redrive: Option<RedrivePolicy>,
    /// FIFO: whether the body's hash serves as deduplication id.
    pub content_based_deduplication: bool,
    /// FIFO: `DeduplicationScope`, `queue` or `messageGroup`.
    pub deduplication_scope: Option<String>,
    /// KMS key, where one was chosen.
    pub kms_key: Option<String>,
    /// `CreatedTimestamp`.
    pub created_at: Option<Timestamp>,
}
