//! Where messages belong that SQS knows no source of: what opsctl sent into a DLQ (a restore, for instance) is a new message to
//! SQS, but the journals and snapshots of those runs say which message it was, and where that one died.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::scene::{Scene, To};
use crate::{
    domain::{EnvironmentName, Message, MessageId, Queue, QueueArn, QueueUrl, RunId},
    journal::{JournalError, Lines, Record, RunSummary, SavedLines, StateFolder},
};

/// Runs looked into at most, the newest.
const RUNS_MAX: usize = 200;
const MESSAGES_MAX: usize = 500_000;
/// No message lives longer in a queue (14 days, Amazon SQS quotas). A message that was put back more than once was put back within
/// so long each time.
const LIFE_DAYS: i64 = 14;

/// Source queues of messages that do not name one themselves.
pub(super) type Known = Arc<HashMap<MessageId, QueueArn>>;

/// Messages that a move task has no destination for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sourceless {
    /// Of the sample: they name no source queue.
    pub(super) sampled: usize,
    /// Of those, the ones whose source is not known from an earlier run either.
    pub(super) unknown: usize,
    /// Of the sample: they name a queue that does not have this DLQ.
    pub(super) foreign: usize,
    /// In all, those that earlier runs put into this DLQ and whose source is known.
    pub(super) known: usize,
}

impl Sourceless {
    pub(super) fn of(sample: &[Message], scene: &Scene, known: &Known) -> Self {
        let is_source = |arn: &QueueArn| scene.sources.iter().any(|source| source.arn == *arn);
        let silent = || sample.iter().filter(|message| message.system.dead_letter_source.is_none());
        let named = sample.iter().filter_map(|message| message.system.dead_letter_source.as_ref());
        Self {
            sampled: silent().count(),
            unknown: silent().filter(|message| !known.contains_key(&message.id)).count(),
            foreign: named.filter(|source| !is_source(source)).count(),
            known: known.len(),
        }
    }
}

/// The source queues of messages that earlier runs sent into the scene's DLQ. Where a redrive goes to one queue nobody asks.
///
/// # Errors
/// The journals can't be listed. One that can't be read tells nothing.
pub(super) async fn known(
    state: &StateFolder,
    environment: &EnvironmentName,
    scene: &Scene,
    now: Timestamp,
) -> Result<Known, JournalError> {
    match &scene.to {
        To::One(_) | To::Unknown => return Ok(Known::default()),
        To::Each => {}
    }
    let (state, environment, from) = (state.clone(), environment.clone(), scene.from.clone());
    // Journals may be long; the threads of a console have other things to do.
    let read = tokio::task::spawn_blocking(move || read(&state, &environment, &from, now)).await;
    read.unwrap_or_else(|_| Ok(HashMap::new())).map(Arc::new)
}

fn read(
    state: &StateFolder,
    environment: &EnvironmentName,
    from: &Queue,
    now: Timestamp,
) -> Result<HashMap<MessageId, QueueArn>, JournalError> {
    let since = now - SignedDuration::from_hours(24 * LIFE_DAYS);
    let mut runs: Vec<(RunSummary, RunId)> = state
        .list()?
        .into_iter()
        .filter(|run| run.plan_text("/environment") == Some(environment.0.as_str()) && sends_into(run, &from.arn))
        .take(RUNS_MAX)
        .filter_map(|run| snapshot_of(&run).map(|taken| (run, taken)))
        .collect();
    // A message that was put back twice is traced through both runs, the earlier first. Where nothing lives any more that could
    // have been traced, older runs tell nothing.
    if runs.first().is_none_or(|(newest, _)| newest.last.at < since) {
        return Ok(HashMap::new());
    }
    runs.reverse();
    let mut known = HashMap::new();
    for (run, taken) in runs {
        let sent = sent_into(state, &run.run, from).unwrap_or_default();
        // What can't be read is known of no message: each stays in the DLQ then, and the report says why.
        let _ = trace(state, &taken, &sent, &mut known);
        if known.len() >= MESSAGES_MAX {
            break;
        }
    }
    Ok(known)
}

/// Whether a run's plan names the queue as one that it sends to.
fn sends_into(run: &RunSummary, queue: &QueueArn) -> bool {
    let Record::Opened { plan, .. } = &run.opened.record else { return false };
    let observed = plan.get("observed").and_then(serde_json::Value::as_object);
    observed.is_some_and(|observed| {
        observed.iter().any(|(name, value)| {
            let is_destination = name.starts_with("to ") || name.starts_with("park:");
            is_destination && name.ends_with(": arn") && value.as_str() == Some(queue.as_str())
        })
    })
}

/// The run in whose snapshot the messages stand that this one sends.
fn snapshot_of(run: &RunSummary) -> Option<RunId> {
    match run.plan_text("/operation/operation")? {
        "restore" => run.plan_text("/operation/run")?.parse().ok(),
        "redrive" => Some(run.run.clone()),
        _ => None,
    }
}

/// What a run sent into the queue: the id that each message had, and the one that it has now.
fn sent_into(state: &StateFolder, run: &RunId, queue: &Queue) -> Result<HashMap<MessageId, MessageId>, JournalError> {
    let (mut batches, mut sent) = (HashSet::new(), HashMap::new());
    for line in Lines::open(&state.open(run)?.journal())? {
        match line?.entry.record {
            Record::Intent { batch, to: Some(to), .. } if QueueUrl(to.clone()).name() == queue.name => {
                batches.insert(batch);
            }
            Record::Sent { batch, messages } if batches.contains(&batch) && sent.len() < MESSAGES_MAX => {
                sent.extend(messages.into_iter().map(|message| (message.id, message.new_id)));
            }
            _ => {}
        }
    }
    Ok(sent)
}

fn trace(
    state: &StateFolder,
    taken: &RunId,
    sent: &HashMap<MessageId, MessageId>,
    known: &mut HashMap<MessageId, QueueArn>,
) -> Result<(), JournalError> {
    if sent.is_empty() {
        return Ok(());
    }
    for saved in SavedLines::open(&state.open(taken)?.snapshot())? {
        let message = saved?.message;
        let Some(new_id) = sent.get(&message.id) else { continue };
        let source = message.system.dead_letter_source.or_else(|| known.get(&message.id).cloned());
        known.extend(source.map(|source| (new_id.clone(), source)));
    }
    Ok(())
}
