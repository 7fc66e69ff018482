//! SQS.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::CloudError;
use crate::domain::{Message, MessageId, Outgoing, Queue, QueueArn, QueueUrl, ReceiptHandle, Text};

/// Largest batch of any SQS call.
pub const BATCH_MAX: usize = 10;
/// Largest batch in bytes, all entries together (SQS quota, 2025: 1 MiB).
pub const BATCH_BYTES_MAX: u64 = 1_048_576;
/// Longest visibility timeout, seconds.
pub const VISIBILITY_SECONDS_MAX: u32 = 43_200;

/// SQS of one environment.
#[derive(Debug, Clone)]
pub struct Sqs {}

/// How to receive.
#[derive(Debug, Clone, Copy)]
pub struct Receive {
    /// 1 to 10.
    pub messages_max: u32,
    /// Long poll, 0 to 20 seconds.
    pub wait_seconds: u32,
    /// How long what is received stays hidden.
    pub visibility_seconds: u32,
}

/// How one entry of a batch fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry<T> {
    /// Done.
    Done(T),
    /// Refused; not applied.
    Failed {
        /// AWS's code.
        code: String,
        /// AWS's words.
        message: Text,
        /// Whether AWS blames the request (true) or itself (false).
        sender_fault: bool,
    },
}

/// A move task, as `ListMessageMoveTasks` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveTask {
    /// Only while it runs.
    pub handle: Option<String>,
    /// Status.
    pub status: MoveStatus,
    /// Where from.
    pub source: QueueArn,
    /// Where to; none: each message to its own source.
    pub destination: Option<QueueArn>,
    /// Messages a second.
    pub rate: Option<u32>,
    /// Lags.
    pub moved: u64,
    /// As counted at the start.
    pub to_move: Option<u64>,
    /// Why it failed.
    pub failure: Option<Text>,
    /// When it started.
    pub started_at: Option<Timestamp>,
}

/// A move task's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MoveStatus {
    /// Moves.
    Running,
    /// Done.
    Completed,
    /// Will stop; may still move messages.
    Cancelling,
    /// Stopped.
    Cancelled,
    /// Failed.
    Failed,
    /// A status this version does not know.
    Other,
}

impl Sqs {
    /// Every queue's URL whose name starts with `prefix`, all pages (1,000 each, at most 1,000 pages).
    pub async fn list(&self, prefix: Option<&str>) -> Result<Vec<QueueUrl>, CloudError> {
        let _ = prefix;
        todo!("built by cloud/")
    }

    /// A queue's URL by its name.
    pub async fn url(&self, name: &str) -> Result<QueueUrl, CloudError> {
        let _ = name;
        todo!("built by cloud/")
    }

    /// Settings and counts.
    pub async fn describe(&self, url: &QueueUrl) -> Result<Queue, CloudError> {
        let _ = url;
        todo!("built by cloud/")
    }

    /// Tags.
    pub async fn tags(&self, url: &QueueUrl) -> Result<BTreeMap<String, String>, CloudError> {
        let _ = url;
        todo!("built by cloud/")
    }

    /// Queues whose redrive policy names `dead_letter`, all pages.
    pub async fn sources_of(&self, dead_letter: &QueueUrl) -> Result<Vec<QueueUrl>, CloudError> {
        let _ = dead_letter;
        todo!("built by cloud/")
    }

    /// Receives with all attributes. A write: raises receive counts and hides what it returns.
    pub async fn receive(&self, url: &QueueUrl, how: Receive) -> Result<Vec<Message>, CloudError> {
        let _ = (url, how);
        todo!("built by cloud/")
    }

    /// Sends at most ten messages, once: no retry by the SDK, for a lost answer must not double them.
    /// Entries answer in the order given; every entry is accounted for.
    pub async fn send(&self, url: &QueueUrl, messages: &[Outgoing]) -> Result<Vec<Entry<MessageId>>, CloudError> {
        let _ = (url, messages);
        todo!("built by cloud/")
    }

    /// Deletes at most ten messages.
    pub async fn delete(&self, url: &QueueUrl, receipts: &[ReceiptHandle]) -> Result<Vec<Entry<()>>, CloudError> {
        let _ = (url, receipts);
        todo!("built by cloud/")
    }

    /// Sets when at most ten messages show again, seconds from now; 0 puts back at once.
    pub async fn change_visibility(
        &self,
        url: &QueueUrl,
        receipts: &[ReceiptHandle],
        seconds: u32,
    ) -> Result<Vec<Entry<()>>, CloudError> {
        let _ = (url, receipts, seconds);
        todo!("built by cloud/")
    }

    /// Starts a move task, once (no client token exists: after a lost answer, list before starting again).
    pub async fn start_move_task(
        &self,
        source: &QueueArn,
        destination: Option<&QueueArn>,
        rate: Option<u32>,
    ) -> Result<String, CloudError> {
        let _ = (source, destination, rate);
        todo!("built by cloud/")
    }

    /// The last ten move tasks of a DLQ, newest first.
    pub async fn move_tasks(&self, source: &QueueArn) -> Result<Vec<MoveTask>, CloudError> {
        let _ = source;
        todo!("built by cloud/")
    }

    /// Asks a move task to stop; answers how many it had moved. It may still move messages.
    pub async fn cancel_move_task(&self, handle: &str) -> Result<u64, CloudError> {
        let _ = handle;
        todo!("built by cloud/")
    }
}
