//! What a journal says about an earlier try of a run.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::{End, IntentMessage, JournalError, Lines, Record, RowsOutcome, RunFolder, SentMessage};
use crate::domain::{DeploymentId, MappingId, MessageId, ServiceId, Setting, TaskBounds, TaskDefinition, Text, Toggle};

/// Clocks that differ by less agree: a time of AWS's has whole seconds, and its answer took its time.
const CLOCKS_AGREE: SignedDuration = SignedDuration::from_secs(15);

/// What had been done when a run broke off.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub is_resumed: bool,
    pub plan: serde_json::Value,
    /// The runbook that it is a run of: there is no plan then.
    pub runbook: Option<Text>,
    /// Messages sent at or after this time are not the run's.
    pub cutoff: Option<Timestamp>,
    /// Sent, in order; whether each is known to be deleted as well.
    pub sent: Vec<MessageId>,
    /// Of those sent or about to be, those that had come back and went to the parking place.
    pub parked: HashSet<MessageId>,
    /// Sent, but not known to be deleted: their deletion is what is left to do.
    pub sent_not_deleted: HashSet<MessageId>,
    /// Intended, and then nothing: these may or may not have been sent.
    pub uncertain: HashSet<MessageId>,
    /// Were uncertain, and then no longer in the queue: sent, or taken by somebody else.
    pub perhaps_sent: HashSet<MessageId>,
    /// When those that are open (sent, perhaps sent, perhaps gone) were announced last, by AWS's clock.
    pub announced_at: HashMap<MessageId, Timestamp>,
    /// When the last record was written, by AWS's clock.
    pub last_at: Option<Timestamp>,
    /// By how much AWS's clock was ahead of this machine's when the last try began.
    pub skew: SignedDuration,
    /// Of the uncertain ones, those intended under a deduplication id: when first, by AWS's clock, and which.
    pub tried: HashMap<MessageId, (Timestamp, String)>,
    pub new_ids: Vec<MessageId>,
    /// Whether messages were sent since a step was watched to its end.
    pub is_unwatched: bool,
    /// No longer in the queue they were taken from.
    pub gone: HashSet<MessageId>,
    /// Of those, deleted without being sent anywhere.
    pub removed: HashSet<MessageId>,
    /// Were to be deleted without being sent; whether they were is not known.
    pub perhaps_gone: HashSet<MessageId>,
    /// First digits of the contents' hashes of what was sent or may have been: what came back is known by them.
    pub contents: Vec<String>,
    /// Deduplication ids that the run has used, and for which message.
    pub claimed: HashMap<String, MessageId>,
    pub batch: u64,
    /// When a move task was about to be started, and the starts of the tasks that there were already.
    pub task_intended: Option<(Timestamp, Vec<Timestamp>)>,
    /// What the run's move task had moved when it was seen last.
    pub task_moved: u64,
    /// When the run's move task started, once it was seen.
    pub task_started_at: Option<Timestamp>,
    /// Services whose desired count was set or about to be: from the first count, to the last.
    pub desired: BTreeMap<ServiceId, (u32, u32)>,
    /// Services whose deployment was asked for, or was about to be.
    pub deployed: BTreeMap<ServiceId, Deployed>,
    /// Services whose autoscaling's bounds were moved or about to be: from the first, to the last.
    pub bounds: BTreeMap<ServiceId, (TaskBounds, TaskBounds)>,
    /// Event source mappings that were paused or resumed, or were about to be: which of it was intended last.
    pub mappings: BTreeMap<MappingId, bool>,
    /// Rules and reserved concurrencies that were set or about to be: from the first setting, to the last.
    pub settings: BTreeMap<Toggle, (Setting, Setting)>,
    /// When a failover was asked for, and which; none where it was refused for certain.
    pub failover_asked: Option<(Timestamp, serde_json::Value)>,
    /// When a migration's task was first asked for with the token that counts, and what; none where it was refused for certain.
    pub migration_asked: Option<(Timestamp, serde_json::Value)>,
    /// ARN of that task, once it was told.
    pub migration_task: Option<String>,
    /// Batches of rows that were about to be committed, by number.
    pub rows: BTreeMap<u64, RowsBatch>,
    /// Why it was begun, as somebody said.
    pub reason: Option<crate::domain::Text>,
    pub end: Option<End>,
}

/// A deployment that was asked for, or was about to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// When it was announced last.
    pub at: Timestamp,
    pub from: TaskDefinition,
    pub to: TaskDefinition,
    /// Deployments of before, the PRIMARY one first.
    pub known: Vec<DeploymentId>,
    /// None: the journal does not say which it is, or that it was begun.
    pub deployment: Option<DeploymentId>,
}

/// A batch of rows that was about to be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsBatch {
    pub rows: u64,
    /// First digits of the hash of its lines in the snapshot.
    pub saved: String,
    pub transaction: Option<i64>,
    /// None: the journal does not say.
    pub outcome: Option<RowsOutcome>,
}

impl History {
    fn sent(&mut self, messages: Vec<SentMessage>) {
        self.is_unwatched |= !messages.is_empty();
        for sent in messages {
            self.uncertain.remove(&sent.id);
            self.sent.push(sent.id.clone());
            self.sent_not_deleted.insert(sent.id);
            self.new_ids.push(sent.new_id);
        }
    }

    fn set(&mut self, toggle: Toggle, from: Setting, to: Setting) {
        self.settings.entry(toggle).or_insert((from, to)).1 = to;
    }

    fn deploy(
        &mut self,
        at: Timestamp,
        service: &str,
        (from, to): (TaskDefinition, TaskDefinition),
        known: Vec<DeploymentId>,
    ) {
        let Some(service) = ServiceId::parse(service) else { return };
        // What was there before the first call stays what was there before.
        let new = Deployed { at, from, to, known, deployment: None };
        self.deployed.entry(service).and_modify(|deployed| deployed.at = at).or_insert(new);
    }

    fn is_deployed(&mut self, service: &str, deployment: Option<DeploymentId>) {
        if let Some(deployed) = ServiceId::parse(service).and_then(|service| self.deployed.get_mut(&service)) {
            deployed.deployment = deployment.or(deployed.deployment.take());
        }
    }

    fn move_bounds(&mut self, service: &str, from: TaskBounds, to: TaskBounds) {
        if let Some(service) = ServiceId::parse(service) {
            self.bounds.entry(service).or_insert((from, to)).1 = to;
        }
    }

    /// Nothing of what was asked for is begun: a resume may ask for it anew.
    fn refused(&mut self) {
        (self.task_intended, self.failover_asked) = (None, None);
        (self.migration_asked, self.migration_task) = (None, None);
    }

    /// Notes when a record was written. Each try may have run by another clock: AWS's is the same for all.
    fn by_aws(&mut self, at: Timestamp, record: &Record) -> Timestamp {
        match record {
            Record::Opened { cutoff, .. } => self.skew = skew(at, *cutoff),
            Record::Resumed { aws_time: Some(aws_time), .. } => self.skew = skew(at, *aws_time),
            _ => {}
        }
        let at = at.checked_add(self.skew).unwrap_or(at);
        self.last_at = Some(at);
        at
    }

    fn announce_rows(&mut self, number: u64, batch: RowsBatch) {
        self.batch = self.batch.max(number);
        self.rows.insert(number, batch);
    }

    fn end_rows(&mut self, number: u64, outcome: RowsOutcome) {
        self.rows.entry(number).and_modify(|batch| batch.outcome = Some(outcome));
    }

    /// How many rows are known to be changed.
    pub fn rows_done(&self) -> u64 {
        let done = self.rows.values().filter(|batch| batch.outcome == Some(RowsOutcome::Committed));
        done.map(|batch| batch.rows).sum()
    }

    /// How many rows are changed, or may be.
    pub fn rows_announced(&self) -> u64 {
        let announced = self.rows.values().filter(|batch| batch.outcome != Some(RowsOutcome::Undone));
        announced.map(|batch| batch.rows).sum()
    }

    /// Reads a run's journal.
    ///
    /// # Errors
    /// It can't be read, or its chain is broken.
    pub fn read(folder: &RunFolder) -> Result<Self, JournalError> {
        let mut reading = Reading::default();
        for line in Lines::open(&folder.journal())? {
            let entry = line?.entry;
            reading.take(entry.at, entry.record);
        }
        Ok(reading.end())
    }

    /// What these records, each with its time, say.
    pub fn of(records: impl IntoIterator<Item = (Timestamp, Record)>) -> Self {
        let mut reading = Reading::default();
        records.into_iter().for_each(|(at, record)| reading.take(at, record));
        reading.end()
    }
}

#[derive(Debug, Default)]
pub(super) struct Reading {
    history: History,
    /// Intended and not yet settled, by batch.
    open: HashMap<u64, HashSet<MessageId>>,
}

impl Reading {
    pub(super) fn take(&mut self, at: Timestamp, record: Record) {
        let (history, open) = (&mut self.history, &mut self.open);
        let at = history.by_aws(at, &record);
        match record {
            Record::Opened { plan, cutoff, reason, .. } => {
                (history.plan, history.reason) = (*plan, reason);
                history.cutoff = Some(cutoff);
            }
            Record::Intent { batch, to, messages } => {
                history.batch = history.batch.max(batch);
                for message in messages {
                    history.intend(at, to.is_some(), &message);
                    // Without a destination there is no doubt to have: a deletion is repeated safely.
                    if to.is_some() {
                        open.entry(batch).or_default().insert(message.id);
                    }
                }
            }
            Record::Sent { batch, messages } => {
                messages.iter().for_each(|sent| settle(open, batch, &sent.id));
                history.sent(messages);
            }
            Record::Unknown { batch, ids } => {
                for id in ids {
                    settle(open, batch, &id);
                    history.uncertain.insert(id);
                }
            }
            Record::Kept { batch: Some(batch), ids, .. } => {
                for id in ids {
                    settle(open, batch, &id);
                    // Another try may have left it open: then its first time still counts.
                    let open_elsewhere = history.uncertain.contains(&id) || open.values().any(|ids| ids.contains(&id));
                    if !open_elsewhere {
                        history.tried.remove(&id);
                    }
                }
            }
            Record::Deleted { ids } | Record::Gone { ids } => ids.into_iter().for_each(|id| history.delete(id)),
            Record::TaskIntent { known, .. } => history.task_intended = Some((at, known)),
            Record::Refused {} => history.refused(),
            Record::Task { started_at, moved, .. } => {
                history.task_started_at = started_at.or(history.task_started_at);
                history.task_moved = history.task_moved.max(moved);
            }
            Record::DesiredIntent { service, from, to } => {
                let services = ServiceId::parse(&service).into_iter();
                services.for_each(|service| history.desired.entry(service).or_insert((from, to)).1 = to);
            }
            Record::DeploymentIntent { service, from, to, known } => history.deploy(at, &service, (from, to), known),
            Record::Deployment { service, deployment } => history.is_deployed(&service, deployment),
            Record::BoundsIntent { service, from, to } => history.move_bounds(&service, from, to),
            Record::SettingIntent { toggle, from, to } => history.set(toggle, from, to),
            Record::MappingIntent { mapping, enabled, .. } => {
                history.mappings.insert(MappingId(mapping), enabled);
            }
            Record::FailoverIntent { what } => history.failover_asked = Some((at, *what)),
            Record::MigrationIntent { what } => history.migration_asked = Some((at, *what)),
            Record::Migration { task, .. } => history.migration_task = task.or(history.migration_task.take()),
            Record::RowsIntent { batch, rows, saved, transaction } => {
                history.announce_rows(batch, RowsBatch { rows, saved, transaction, outcome: None });
            }
            Record::Rows { batch, outcome, .. } => history.end_rows(batch, outcome),
            Record::Ended { end, .. } => history.end = Some(end),
            Record::Resumed { .. } => history.end = None,
            Record::Step { .. } => history.is_unwatched = false,
            Record::RunbookOpened { runbook, .. } => history.runbook = Some(runbook),
            Record::Desired { .. } | Record::Mapping { .. } | Record::Setting { .. } | Record::Failover { .. } => {}
            Record::Kept { batch: None, .. } | Record::Verified { .. } | Record::Bounds { .. } => {}
            Record::RunbookStep { .. } | Record::RunbookLeft { .. } | Record::TakenOver { .. } => {}
        }
    }

    pub(super) fn end(self) -> History {
        let Self { mut history, open } = self;
        history.uncertain.extend(open.into_values().flatten());
        // On a full disk the last that was sent is deleted and not written down. A resume finds it gone.
        let known: HashSet<&MessageId> = history.sent.iter().collect();
        let is_lost = |id: &&MessageId| history.gone.contains(*id) && !known.contains(id);
        history.perhaps_sent = history.uncertain.iter().filter(is_lost).cloned().collect();
        // A later try may have sent what an earlier one left open.
        history.uncertain.retain(|id| !history.sent_not_deleted.contains(id) && !history.gone.contains(id));
        history.tried.retain(|id, _| history.uncertain.contains(id));
        if history.plan.pointer("/operation/operation").is_some_and(|operation| operation == "restore") {
            // What is put back stays in its snapshot: nothing is to be deleted.
            history.sent_not_deleted.clear();
        }
        let is_open = |id: &MessageId| {
            history.uncertain.contains(id) || history.sent_not_deleted.contains(id) || history.perhaps_gone.contains(id)
        };
        history.announced_at.retain(|id, _| is_open(id));
        history
    }
}

impl History {
    /// A next try begins now, by this machine's clock and by AWS's. What may have been sent under a deduplication id is only sent
    /// again while it is certain that SQS remembers the id: where even AWS's time seems to run backwards, nothing is.
    pub fn take_up(&mut self, now: Timestamp, aws_now: Timestamp) {
        self.skew = skew(now, aws_now);
        if self.last_at.is_some_and(|last_at| aws_now.checked_add(CLOCKS_AGREE).is_ok_and(|now| now < last_at)) {
            self.tried.clear();
        }
    }

    /// How many were moved from the queue, those aside that came back and were parked.
    pub fn moved(&self) -> usize {
        self.sent.iter().filter(|id| !self.parked.contains(id)).count()
    }

    /// Whether it is a copy of another message of this run: sent by it, and taken out once more when it came back.
    pub fn is_copy(&self) -> impl Fn(&MessageId) -> bool + use<'_> {
        let new_ids: HashSet<&MessageId> = self.new_ids.iter().collect();
        move |id| self.parked.contains(id) || new_ids.contains(id)
    }

    /// Whether it may be gone from the queue it was taken from, which the journal does not say: its deletion was begun.
    pub fn may_be_gone(&self, id: &MessageId) -> bool {
        !self.gone.contains(id) && (self.perhaps_gone.contains(id) || self.sent_not_deleted.contains(id))
    }

    fn intend(&mut self, at: Timestamp, sends: bool, message: &IntentMessage) {
        self.announced_at.insert(message.id.clone(), at);
        if !sends {
            self.perhaps_gone.insert(message.id.clone());
        }
        if sends && !message.parked {
            self.contents.push(message.hash.clone());
        }
        if message.parked {
            self.parked.insert(message.id.clone());
        }
        if let Some(deduplication_id) = &message.deduplication_id {
            self.tried.entry(message.id.clone()).or_insert_with(|| (at, deduplication_id.clone()));
            self.claimed.insert(deduplication_id.clone(), message.id.clone());
        }
    }

    /// A message is no longer in the queue it was taken from.
    pub fn delete(&mut self, id: MessageId) {
        self.sent_not_deleted.remove(&id);
        self.announced_at.remove(&id);
        if self.perhaps_gone.remove(&id) {
            self.removed.insert(id.clone());
        }
        self.gone.insert(id);
    }
}

/// By how much AWS's clock is ahead; clocks that differ by no more than the call took agree.
fn skew(at: Timestamp, aws_time: Timestamp) -> SignedDuration {
    let skew = aws_time.duration_since(at);
    if skew.abs() > CLOCKS_AGREE { skew } else { SignedDuration::ZERO }
}

fn settle(open: &mut HashMap<u64, HashSet<MessageId>>, batch: u64, id: &MessageId) {
    if let Some(ids) = open.get_mut(&batch) {
        ids.remove(id);
        if ids.is_empty() {
            open.remove(&batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> MessageId {
        MessageId(name.to_owned())
    }

    #[test]
    fn what_was_in_doubt_and_is_gone_is_neither_forgotten_nor_in_doubt() {
        let announced = |name: &str| IntentMessage {
            id: id(name),
            hash: String::new(),
            saved: None,
            deduplication_id: None,
            parked: false,
        };
        let at = Timestamp::UNIX_EPOCH;
        let announced = ["sent", "unwritten", "left"].map(announced).into();
        let intent = Record::Intent { batch: 1, to: Some("orders".to_owned()), messages: announced };
        let sent = Record::Sent { batch: 1, messages: vec![SentMessage { id: id("sent"), new_id: id("new") }] };
        let gone = Record::Gone { ids: vec![id("sent"), id("unwritten")] };
        let history = History::of([intent, sent, gone].map(|record| (at, record)));
        assert_eq!((history.moved(), history.uncertain.len()), (1, 1));
        assert_eq!(history.perhaps_sent, HashSet::from([id("unwritten")]));
    }
}
