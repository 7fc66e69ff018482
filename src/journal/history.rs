//! What a journal says about an earlier try of a run.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::{JournalError, Lines, Record, RunFolder};
use crate::domain::MessageId;

/// What had been done when a run broke off.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The plan, as recorded.
    pub plan: serde_json::Value,
    /// Messages sent at or after this time are not the run's.
    pub cutoff: Option<Timestamp>,
    /// Sent, in order; whether each is known to be deleted as well.
    pub sent: Vec<MessageId>,
    /// Sent, but not known to be deleted: their deletion is what is left to do.
    pub sent_not_deleted: HashSet<MessageId>,
    /// Intended, and then nothing: these may or may not have been sent.
    pub uncertain: HashSet<MessageId>,
    /// Of the uncertain ones, those intended under a deduplication id, and when first.
    pub tried: HashMap<MessageId, Timestamp>,
    /// New ids of what was sent.
    pub new_ids: Vec<MessageId>,
    /// No longer in the queue they were taken from.
    pub gone: HashSet<MessageId>,
    /// Highest batch number.
    pub batch: u64,
    /// A managed run's task, as last seen: handle, status, moved.
    pub task: Option<(Option<String>, String, u64)>,
    /// Whether a move task was about to be started.
    pub task_intended: bool,
    /// How it ended, if it did.
    pub end: Option<String>,
}

impl History {
    /// Reads a run's journal.
    ///
    /// # Errors
    /// It can't be read, or its chain is broken.
    pub fn read(folder: &RunFolder) -> Result<Self, JournalError> {
        let mut history = Self::default();
        let mut open = HashMap::new();
        for line in Lines::open(&folder.journal())? {
            let entry = line?.entry;
            history.take(entry.at, entry.record, &mut open);
        }
        history.settle_doubts(open);
        Ok(history)
    }

    /// What these records, each with its time, say.
    pub fn of(records: impl IntoIterator<Item = (Timestamp, Record)>) -> Self {
        let mut history = Self::default();
        let mut open: HashMap<u64, HashSet<MessageId>> = HashMap::new();
        records.into_iter().for_each(|(at, record)| history.take(at, record, &mut open));
        history.settle_doubts(open);
        history
    }

    fn settle_doubts(&mut self, open: HashMap<u64, HashSet<MessageId>>) {
        self.uncertain.extend(open.into_values().flatten());
        // A later try may have sent what an earlier one left open.
        self.uncertain.retain(|id| !self.sent_not_deleted.contains(id) && !self.gone.contains(id));
        self.tried.retain(|id, _| self.uncertain.contains(id));
    }

    fn take(&mut self, at: Timestamp, record: Record, open: &mut HashMap<u64, HashSet<MessageId>>) {
        match record {
            Record::Opened { plan, cutoff, .. } => {
                self.plan = *plan;
                self.cutoff = Some(cutoff);
            }
            Record::Intent { batch, to, messages } => {
                self.batch = self.batch.max(batch);
                // Without a destination there is no doubt to have: a deletion is repeated safely.
                if to.is_some() {
                    for message in messages.iter().filter(|message| message.deduplication_id.is_some()) {
                        self.tried.entry(message.id.clone()).or_insert(at);
                    }
                    open.entry(batch).or_default().extend(messages.into_iter().map(|message| message.id));
                }
            }
            Record::Sent { batch, messages } => {
                for sent in messages {
                    settle(open, batch, &sent.id);
                    self.uncertain.remove(&sent.id);
                    self.sent.push(sent.id.clone());
                    self.sent_not_deleted.insert(sent.id);
                    self.new_ids.push(sent.new_id);
                }
            }
            Record::Unknown { batch, ids } => {
                for id in ids {
                    settle(open, batch, &id);
                    self.uncertain.insert(id);
                }
            }
            Record::Kept { batch: Some(batch), ids, .. } => {
                for id in ids {
                    settle(open, batch, &id);
                    self.tried.remove(&id);
                }
            }
            Record::Deleted { ids } => {
                for id in ids {
                    self.sent_not_deleted.remove(&id);
                    self.gone.insert(id);
                }
            }
            Record::TaskIntent { .. } => self.task_intended = true,
            Record::Task { handle, status, moved } => self.task = Some((handle, status, moved)),
            Record::Ended { end, .. } => self.end = Some(end),
            Record::Resumed { .. } => self.end = None,
            Record::Kept { batch: None, .. } | Record::Verified { .. } | Record::Step { .. } => {}
        }
    }
}

fn settle(open: &mut HashMap<u64, HashSet<MessageId>>, batch: u64, id: &MessageId) {
    if let Some(ids) = open.get_mut(&batch) {
        ids.remove(id);
        if ids.is_empty() {
            open.remove(&batch);
        }
    }
}
