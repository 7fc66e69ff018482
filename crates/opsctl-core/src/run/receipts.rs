//! What an earlier try had in hand: with its receipt handles, which stand in the snapshot, a resume need not wait until it shows again.

use std::collections::HashMap;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::Context;
use crate::{
    cloud::{
        CloudError, ErrorKind,
        sqs::{BATCH_MAX, Entry, Sqs},
    },
    domain::{MessageId, QueueUrl, ReceiptHandle},
    journal::{History, Journal, Record, SavedLines},
    operations::bound::ClientSide,
};

/// Messages that are looked after here; a killed try leaves as many as its lanes had in hand.
const MESSAGES_MAX: usize = 20_000;
const CALLS_MAX: usize = 16;
/// A receipt handle that expires so soon is not relied upon.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Held {
    /// When all of it has shown again, if it is still there; none: not known.
    pub(super) shown_at: Option<Timestamp>,
    /// Deleted here: sent before, and never sent.
    pub(super) moved: u64,
    pub(super) removed: u64,
    /// Group and sequence number in a FIFO queue.
    pub(super) places: HashMap<MessageId, (String, u128)>,
}

/// Deletes what was sent or stands in the snapshot to be deleted, and lets go of what may have been sent.
///
/// A courtesy that saves minutes: where it fails, the run waits. A deletion counts as one only while the receive that gave the handle
/// still hides the message, for later SQS may answer the same and delete nothing (DeleteMessage, API reference).
pub(super) async fn settle(
    bound: &ClientSide,
    source: &QueueUrl,
    context: &Context,
    journal: &Journal,
    history: &mut History,
) -> Held {
    let Ok(lines) = SavedLines::open(&journal.folder().snapshot()) else { return Held::default() };
    let mut held = Held::default();
    let mut receipts: HashMap<MessageId, ReceiptHandle> = HashMap::new();
    for saved in lines.flatten() {
        let message = saved.message;
        if !history.announced_at.contains_key(&message.id) || receipts.len() >= MESSAGES_MAX {
            continue;
        }
        if let (Some(group), Some(sequence)) = (message.system.group, message.system.sequence) {
            held.places.insert(message.id.clone(), (group, sequence));
        }
        // The last line is of the last receive.
        receipts.insert(message.id, message.receipt);
    }
    let all_known = history.announced_at.keys().all(|id| receipts.contains_key(id));
    let may_delete = |id: &MessageId| history.sent_not_deleted.contains(id) || history.perhaps_gone.contains(id);
    let (delete, show): (Vec<_>, Vec<_>) = receipts.into_iter().partition(|(id, _)| may_delete(id));
    let now = context.now();
    let deleted = ask(Ask::Delete, source, context, &delete).await;
    let shown = ask(Ask::Show, source, context, &show).await;
    let reached = deleted.iter().chain(&shown).all(|(_, answer)| *answer != Answer::Lost);
    let visible = SignedDuration::from_secs(i64::from(bound.settings.visibility_seconds));
    let is_fresh = |id: &MessageId| {
        let announced_at = history.announced_at.get(id).and_then(|at| at.checked_sub(history.skew).ok());
        // A batch is announced and sent only while at least half of that time is left.
        let until = announced_at.and_then(|at| at.checked_add(visible / 2 - MARGIN).ok());
        announced_at.is_some_and(|at| at <= now) && until.is_some_and(|until| now < until)
    };
    let gone: Vec<MessageId> =
        deleted.into_iter().filter(|(id, answer)| *answer == Answer::Done && is_fresh(id)).map(|(id, _)| id).collect();
    let recorded =
        !gone.is_empty() && journal.write(vec![Record::Deleted { ids: gone.clone() }], Vec::new()).await.is_ok();
    if recorded {
        held.removed = gone.iter().filter(|id| history.perhaps_gone.contains(*id)).count() as u64;
        held.moved = gone.len() as u64 - held.removed;
        gone.into_iter().for_each(|id| history.delete(id));
    }
    held.shown_at = (all_known && reached).then(|| context.now());
    held
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Done,
    /// Not hidden by this handle any more.
    Refused,
    Lost,
}

type Answers = Vec<(MessageId, Answer)>;

/// What is asked of SQS with a receipt handle.
#[derive(Debug, Clone, Copy)]
enum Ask {
    Delete,
    /// Show it without waiting for the end of its time. SQS hands out none of a FIFO group before all of it are back.
    Show,
}

async fn ask(what: Ask, source: &QueueUrl, context: &Context, messages: &[(MessageId, ReceiptHandle)]) -> Answers {
    let mut answers = Vec::with_capacity(messages.len());
    for some in messages.chunks(BATCH_MAX * CALLS_MAX) {
        let sqs = &context.cloud.sqs;
        let calls = some.chunks(BATCH_MAX).map(|batch| one_batch(what, sqs.clone(), source.clone(), batch.to_vec()));
        answers.extend(join_all(calls).await.into_iter().flatten());
    }
    answers
}

async fn one_batch(what: Ask, sqs: Sqs, source: QueueUrl, batch: Vec<(MessageId, ReceiptHandle)>) -> Answers {
    let (ids, receipts): (Vec<MessageId>, Vec<ReceiptHandle>) = batch.into_iter().unzip();
    let answer = match what {
        Ask::Delete => sqs.delete(&source, &receipts).await,
        Ask::Show => sqs.change_visibility(&source, &receipts, 0).await,
    };
    let answers = match answer {
        Ok(entries) => entries.iter().map(of_entry).collect(),
        Err(error) => vec![of_error(&error); ids.len()],
    };
    ids.into_iter().zip(answers).collect()
}

fn of_entry(entry: &Entry<()>) -> Answer {
    match entry {
        Entry::Done(()) => Answer::Done,
        entry if entry.may_have_been_applied() || entry.is_throttled() => Answer::Lost,
        Entry::Failed { .. } => Answer::Refused,
    }
}

fn of_error(error: &CloudError) -> Answer {
    if error.kind == ErrorKind::Invalid { Answer::Refused } else { Answer::Lost }
}
