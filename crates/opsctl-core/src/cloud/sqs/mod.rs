//! SQS.

use std::{collections::BTreeMap, fmt, future::Future, sync::Arc, time::Duration};

use aws_sdk_sqs::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{MessageSystemAttributeName, QueueAttributeName},
};
use aws_smithy_runtime_api::http::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    CloudError, ErrorKind,
    attempts::{Attempts, Watch},
    classify,
    pages::Pages,
};
use crate::{
    clock::Clock,
    domain::{Message, MessageId, Outgoing, Queue, QueueArn, QueueUrl, ReceiptHandle, Text},
};

mod batch;
mod checksum;
mod convert;

/// Largest batch of any SQS call.
pub const BATCH_MAX: usize = 10;
/// Largest batch in bytes, all entries together (SQS quota, 2025: 1 MiB).
pub const BATCH_BYTES_MAX: u64 = 1_048_576;
/// Longest visibility timeout, seconds.
pub const VISIBILITY_SECONDS_MAX: u32 = 43_200;

/// Results on one page of a listing (the most SQS gives).
const PAGE: i32 = 1_000;
const PAGES_MAX: usize = 1_000;
/// Move tasks that `ListMessageMoveTasks` tells at most.
const MOVE_TASKS_MAX: i32 = 10;
/// Longest long poll, seconds.
const WAIT_SECONDS_MAX: u32 = 20;
/// How long a receive may take beyond its long poll.
const RECEIVE_GRACE: Duration = Duration::from_secs(5);

/// Code of a batch's entry that the answer neither reports done nor failed. Ours, not AWS's.
pub const NO_ANSWER: &str = "NoAnswer";
/// Code of a message whose MD5, as AWS tells it, is not that of what was sent or received. Ours, not AWS's.
pub const CHECKSUM_MISMATCH: &str = "ChecksumMismatch";

#[derive(Clone)]
pub struct Sqs {
    clients: Arc<Clients>,
    clock: Clock,
}

pub(super) struct Clients {
    /// Reads: three attempts.
    pub(super) read: Client,
    /// Writes that may be applied twice (delete, change visibility): three attempts.
    pub(super) repeatable: Client,
    /// Writes that must not be doubled (send, start a move task): one attempt.
    pub(super) once: Client,
    /// Receives: one attempt, no deadline of its own.
    pub(super) receive: Client,
}

#[derive(Debug, Clone, Copy)]
pub struct Receive {
    /// 1 to 10.
    pub messages_max: u32,
    /// Long poll, 0 to 20 seconds.
    pub wait_seconds: u32,
    /// How long what is received stays hidden.
    pub visibility_seconds: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry<T> {
    Done(T),
    /// Refused; not applied, unless [`Entry::may_have_been_applied`].
    Failed {
        code: String,
        message: Text,
        /// Whether AWS blames the request (true) or itself (false).
        sender_fault: bool,
    },
}

impl<T> Entry<T> {
    /// Whether the entry was refused for being one too many.
    pub fn is_throttled(&self) -> bool {
        match self {
            Self::Done(_) => false,
            Self::Failed { code, message, .. } => {
                classify::kind(Some(code), message.as_str(), 400) == ErrorKind::Throttled
            }
        }
    }

    /// Whether the entry failed and may have been applied all the same: AWS blames itself, said nothing about it
    /// ([`NO_ANSWER`]), or stored something else than was sent ([`CHECKSUM_MISMATCH`]).
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Self::Done(_) => false,
            Self::Failed { code, message, .. } => {
                [NO_ANSWER, CHECKSUM_MISMATCH].contains(&code.as_str())
                    || classify::kind(Some(code), message.as_str(), 400) == ErrorKind::Unknown
            }
        }
    }
}

/// A move task, as `ListMessageMoveTasks` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveTask {
    /// Only while it runs.
    pub handle: Option<String>,
    pub status: MoveStatus,
    pub source: QueueArn,
    /// Where to; none: each message to its own source.
    pub destination: Option<QueueArn>,
    pub rate: Option<u32>,
    pub moved: u64,
    /// As counted at the start.
    pub to_move: Option<u64>,
    pub failure: Option<Text>,
    pub started_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::EnumString)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE", const_into_str)]
pub enum MoveStatus {
    Running,
    Completed,
    /// Will stop; may still move messages.
    Cancelling,
    Cancelled,
    Failed,
    Other,
}

impl Sqs {
    pub(super) fn new(clients: Clients, clock: Clock) -> Self {
        Self { clients: Arc::new(clients), clock }
    }

    /// Every queue's URL whose name starts with `prefix`, all pages (1,000 each, at most 1,000 pages).
    pub async fn list(&self, prefix: Option<&str>) -> Result<Vec<QueueUrl>, CloudError> {
        const ACTION: &str = "sqs:ListQueues";
        let prefix = prefix.filter(|prefix| !prefix.is_empty());
        let prefix = prefix.map(str::to_owned);
        // A next token comes only when MaxResults was set.
        let first = self.clients.read.list_queues().max_results(PAGE).set_queue_name_prefix(prefix);
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let page = first.clone().set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
            pages.add(page.queue_urls.unwrap_or_default().into_iter().map(QueueUrl), page.next_token)?;
        }
        Ok(pages.found())
    }

    pub async fn url(&self, name: &str) -> Result<QueueUrl, CloudError> {
        const ACTION: &str = "sqs:GetQueueUrl";
        let answer = self.clients.read.get_queue_url().queue_name(name).send().await;
        let url = answer.map_err(|error| classify::from_sdk(ACTION, error))?.queue_url;
        url.map(QueueUrl).ok_or_else(|| classify::malformed(ACTION, "the answer has no queue URL"))
    }

    pub async fn describe(&self, url: &QueueUrl) -> Result<Queue, CloudError> {
        const ACTION: &str = "sqs:GetQueueAttributes";
        let answer = self
            .clients
            .read
            .get_queue_attributes()
            .queue_url(url.as_str())
            .attribute_names(QueueAttributeName::All)
            .send()
            .await
            .map_err(|error| classify::from_sdk(ACTION, error))?;
        convert::queue(url, &answer.attributes.unwrap_or_default()).map_err(|what| classify::malformed(ACTION, &what))
    }

    pub async fn tags(&self, url: &QueueUrl) -> Result<BTreeMap<String, String>, CloudError> {
        const ACTION: &str = "sqs:ListQueueTags";
        let answer = self.clients.read.list_queue_tags().queue_url(url.as_str()).send().await;
        let answer = answer.map_err(|error| classify::from_sdk(ACTION, error))?;
        Ok(answer.tags.unwrap_or_default().into_iter().collect())
    }

    /// Queues whose redrive policy names `dead_letter`, all pages.
    pub async fn sources_of(&self, dead_letter: &QueueUrl) -> Result<Vec<QueueUrl>, CloudError> {
        const ACTION: &str = "sqs:ListDeadLetterSourceQueues";
        let call = self.clients.read.list_dead_letter_source_queues();
        let first = call.queue_url(dead_letter.as_str()).max_results(PAGE);
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let page = first.clone().set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
            pages.add(page.queue_urls.into_iter().map(QueueUrl), page.next_token)?;
        }
        Ok(pages.found())
    }

    /// Receives with all attributes. A write: raises receive counts and hides what it returns. One attempt:
    /// messages of a lost answer show again when `visibility_seconds` are over.
    ///
    /// # Errors
    /// [`CHECKSUM_MISMATCH`] where a message is not what SQS says it is.
    pub async fn receive(&self, url: &QueueUrl, how: Receive) -> Result<Vec<Message>, CloudError> {
        const ACTION: &str = "sqs:ReceiveMessage";
        check_receive(how).map_err(|what| CloudError::new(ErrorKind::Invalid, ACTION, &what))?;
        let attempts = Attempts::new();
        let call = self
            .clients
            .receive
            .receive_message()
            .queue_url(url.as_str())
            .max_number_of_messages(small(how.messages_max))
            .wait_time_seconds(small(how.wait_seconds))
            .visibility_timeout(small(how.visibility_seconds))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .customize()
            .interceptor(attempts.watch::<aws_sdk_sqs::operation::receive_message::ReceiveMessageError>())
            .send();
        let deadline = Duration::from_secs(how.wait_seconds.into()) + RECEIVE_GRACE;
        let Ok(answer) = tokio::time::timeout(self.clock.real(self.clock.deadline(deadline)), call).await else {
            let late = CloudError::new(ErrorKind::Unknown, ACTION, "no answer before the deadline");
            return Err(attempts.judge(late));
        };
        let answer = answer.map_err(|error| attempts.judge(classify::from_sdk(ACTION, error)))?;
        answer.messages.unwrap_or_default().into_iter().map(|message| convert::message(ACTION, message)).collect()
    }

    /// Sends at most ten messages, once: no retry by the SDK, for a lost answer must not double them.
    /// Entries answer in the order given; every entry is accounted for.
    pub async fn send(&self, url: &QueueUrl, messages: &[Outgoing]) -> Result<Vec<Entry<MessageId>>, CloudError> {
        const ACTION: &str = "sqs:SendMessage";
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        check_batch(ACTION, messages.len())?;
        let entries = messages.iter().enumerate().map(|(index, message)| convert::send_entry(index, message));
        let entries: Result<Vec<_>, _> = entries.collect();
        let entries = entries.map_err(|error| CloudError::new(ErrorKind::Invalid, ACTION, &error.to_string()))?;
        let answer = write(ACTION, |watch| {
            let call = self.clients.once.send_message_batch().queue_url(url.as_str()).set_entries(Some(entries));
            call.customize().interceptor(watch).send()
        })
        .await?;
        Ok(batch::sent(messages, answer.successful, answer.failed))
    }

    /// Deletes at most ten messages. Entries answer in the order given; every entry is accounted for.
    pub async fn delete(&self, url: &QueueUrl, receipts: &[ReceiptHandle]) -> Result<Vec<Entry<()>>, CloudError> {
        const ACTION: &str = "sqs:DeleteMessage";
        if receipts.is_empty() {
            return Ok(Vec::new());
        }
        check_batch(ACTION, receipts.len())?;
        let entries = receipts.iter().enumerate().map(|(index, receipt)| convert::delete_entry(index, receipt));
        let entries: Result<Vec<_>, _> = entries.collect();
        let entries = entries.map_err(|error| CloudError::new(ErrorKind::Invalid, ACTION, &error.to_string()))?;
        let answer = write(ACTION, |watch| {
            let client = &self.clients.repeatable;
            let call = client.delete_message_batch().queue_url(url.as_str()).set_entries(Some(entries));
            call.customize().interceptor(watch).send()
        })
        .await?;
        let done = answer.successful.into_iter().map(|entry| (entry.id, ()));
        Ok(batch::accounts(receipts.len(), done, answer.failed))
    }

    /// Sets when at most ten messages show again, seconds from now; 0 puts back at once.
    pub async fn change_visibility(
        &self,
        url: &QueueUrl,
        receipts: &[ReceiptHandle],
        seconds: u32,
    ) -> Result<Vec<Entry<()>>, CloudError> {
        const ACTION: &str = "sqs:ChangeMessageVisibility";
        if receipts.is_empty() {
            return Ok(Vec::new());
        }
        check_batch(ACTION, receipts.len())?;
        let entries = receipts.iter().enumerate();
        let entries = entries.map(|(index, receipt)| convert::visibility_entry(index, receipt, small(seconds)));
        let entries: Result<Vec<_>, _> = entries.collect();
        let entries = entries.map_err(|error| CloudError::new(ErrorKind::Invalid, ACTION, &error.to_string()))?;
        let answer = write(ACTION, |watch| {
            let client = &self.clients.repeatable;
            let call = client.change_message_visibility_batch().queue_url(url.as_str()).set_entries(Some(entries));
            call.customize().interceptor(watch).send()
        })
        .await?;
        let done = answer.successful.into_iter().map(|entry| (entry.id, ()));
        Ok(batch::accounts(receipts.len(), done, answer.failed))
    }

    /// Sets how long the queue keeps messages, 60 to 1,209,600 seconds. Sent once. Absolute: twice is the same as once. It may take 15
    /// minutes until it counts; a shorter one deletes what is older (SQS API reference).
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`]: it may have been applied; look, don't repeat.
    pub async fn set_retention(&self, url: &QueueUrl, seconds: u64) -> Result<(), CloudError> {
        const ACTION: &str = "sqs:SetQueueAttributes";
        let set = write(ACTION, |watch| {
            let call = self.clients.once.set_queue_attributes().queue_url(url.as_str());
            call.attributes(QueueAttributeName::MessageRetentionPeriod, seconds.to_string())
                .customize()
                .interceptor(watch)
                .send()
        });
        set.await.map(drop)
    }

    /// Starts a move task, once (no client token exists: after a lost answer, list before starting again).
    pub async fn start_move_task(
        &self,
        source: &QueueArn,
        destination: Option<&QueueArn>,
        rate: Option<u32>,
    ) -> Result<String, CloudError> {
        const ACTION: &str = "sqs:StartMessageMoveTask";
        let answer = write(ACTION, |watch| {
            let call = self.clients.once.start_message_move_task().source_arn(source.as_str());
            call.set_destination_arn(destination.map(|arn| arn.as_str().to_owned()))
                .set_max_number_of_messages_per_second(rate.map(small))
                .customize()
                .interceptor(watch)
                .send()
        })
        .await?;
        answer.task_handle.ok_or_else(|| classify::malformed(ACTION, "the answer has no task handle"))
    }

    /// The last ten move tasks of a DLQ, newest first.
    pub async fn move_tasks(&self, source: &QueueArn) -> Result<Vec<MoveTask>, CloudError> {
        const ACTION: &str = "sqs:ListMessageMoveTasks";
        let call = self.clients.read.list_message_move_tasks().source_arn(source.as_str()).max_results(MOVE_TASKS_MAX);
        let answer = call.send().await.map_err(|error| classify::from_sdk(ACTION, error))?;
        let mut tasks: Vec<MoveTask> =
            answer.results.unwrap_or_default().into_iter().map(|task| convert::move_task(source, task)).collect();
        // Stable: tasks of one moment keep AWS's order.
        tasks.sort_by_key(|task| std::cmp::Reverse(task.started_at));
        Ok(tasks)
    }

    /// Asks a move task to stop; answers how many it had moved. It may still move messages.
    pub async fn cancel_move_task(&self, handle: &str) -> Result<u64, CloudError> {
        const ACTION: &str = "sqs:CancelMessageMoveTask";
        let answer = write(ACTION, |watch| {
            let call = self.clients.repeatable.cancel_message_move_task().task_handle(handle);
            call.customize().interceptor(watch).send()
        })
        .await?;
        Ok(u64::try_from(answer.approximate_number_of_messages_moved).unwrap_or_default())
    }
}

impl fmt::Debug for Sqs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sqs").finish_non_exhaustive()
    }
}

/// Makes a write and judges its error by all its attempts.
async fn write<O, E, F>(action: &str, call: impl FnOnce(Watch<E>) -> F) -> Result<O, CloudError>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    F: Future<Output = Result<O, SdkError<E, Response>>>,
{
    let attempts = Attempts::new();
    call(attempts.watch()).await.map_err(|error| attempts.judge(classify::from_sdk(action, error)))
}

fn check_batch(action: &str, entries: usize) -> Result<(), CloudError> {
    if entries <= BATCH_MAX {
        return Ok(());
    }
    Err(CloudError::new(ErrorKind::Invalid, action, &format!("{entries} entries, of at most {BATCH_MAX} in a batch")))
}

/// Before a deadline is reckoned with it: figures that SQS would refuse.
fn check_receive(how: Receive) -> Result<(), String> {
    if !(1..=10).contains(&how.messages_max) {
        return Err(format!("{} messages, of 1 to 10 in a receive", how.messages_max));
    }
    if how.wait_seconds > WAIT_SECONDS_MAX {
        return Err(format!("a long poll of {} seconds, of at most {WAIT_SECONDS_MAX}", how.wait_seconds));
    }
    if how.visibility_seconds > VISIBILITY_SECONDS_MAX {
        return Err(format!("hidden for {} seconds, of at most {VISIBILITY_SECONDS_MAX}", how.visibility_seconds));
    }
    Ok(())
}

/// For the wire, which counts in `i32`; SQS itself refuses what is too large.
fn small(figure: u32) -> i32 {
    i32::try_from(figure).unwrap_or(i32::MAX)
}
