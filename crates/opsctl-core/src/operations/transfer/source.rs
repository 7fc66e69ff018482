//! Where a transfer takes its messages from: a queue, or the snapshot of an earlier run.

use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Kept, Tally};
use crate::{
    cloud::{CloudError, ErrorKind, sqs::Entry},
    domain::{Counts, Message, MessageId, QueueKind, QueueUrl, ReceiptHandle, Text},
    journal::{JournalError, Located, Saved, hash_of},
};

/// What is said to be called where a snapshot can't be read.
const ACTION: &str = "read the snapshot";
/// Group of messages without one, into a FIFO queue.
const NO_GROUP: &str = "restored";

#[derive(Debug, Clone)]
pub enum Source {
    Queue(QueueUrl),
    Snapshot(Arc<Shelf>),
}

/// A line of a snapshot that is to be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    id: MessageId,
    offset: u64,
    length: usize,
    hash: u128,
    group: Option<String>,
}

impl Shelved {
    pub fn new(message: &Message, line: &Located) -> Self {
        let (id, group) = (message.id.clone(), message.system.group.clone());
        Self { id, offset: line.offset, length: line.length, hash: line.hash, group }
    }

    pub fn id(&self) -> &MessageId {
        &self.id
    }
}

/// The messages of a snapshot that are to be put back, which behave as a queue of which nobody else takes any, and in which hiding
/// never lapses. For a FIFO destination a group gives none while one of its messages is in hand, as in a FIFO queue.
#[derive(Debug)]
pub struct Shelf {
    /// None where nothing is to be put back.
    file: Option<File>,
    lines: Vec<Shelved>,
    destination: QueueKind,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Of one where there is no order to keep.
    groups: Vec<Group>,
    free: VecDeque<usize>,
    group_of: Vec<usize>,
    /// Whether each line was ever given out.
    given: Vec<bool>,
    /// Whether a group gives nothing while something of it is in hand.
    keeps_order: bool,
}

#[derive(Debug, Default)]
struct Group {
    /// Lines by index, in order.
    waiting: VecDeque<usize>,
    in_hand: usize,
    /// Whether it stands among those that may give.
    is_free: bool,
}

impl Shelf {
    /// Of these lines of the snapshot at `path`, in the order in which they are to be sent.
    pub fn open(path: &Path, lines: Vec<Shelved>, destination: QueueKind) -> Result<Self, JournalError> {
        let file =
            if lines.is_empty() { None } else { Some(File::open(path).map_err(JournalError::io("open", path))?) };
        let mut state = State { keeps_order: destination == QueueKind::Fifo, ..State::default() };
        let mut known: HashMap<&str, usize> = HashMap::new();
        for (index, line) in lines.iter().enumerate() {
            let group = if state.keeps_order { line.group.as_deref().unwrap_or(NO_GROUP) } else { "" };
            let number = *known.entry(group).or_insert(state.groups.len());
            if number == state.groups.len() {
                state.groups.push(Group::default());
            }
            state.groups[number].waiting.push_back(index);
            state.group_of.push(number);
            state.given.push(false);
            state.free(number);
        }
        Ok(Self { file, lines, destination, state: Mutex::new(state) })
    }

    pub fn ids(&self) -> impl Iterator<Item = &MessageId> {
        self.lines.iter().map(|line| &line.id)
    }

    /// Names what was never given out: it stands behind what was left of its group.
    pub(super) fn name_what_waits(&self, tally: &mut Tally) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if tally.stop.is_some() {
            return;
        }
        // What was left is given back at the end, and was named then.
        for index in state.groups.iter().flat_map(|group| &group.waiting).filter(|index| !state.given[**index]) {
            let id = &self.lines[*index].id;
            if !tally.uncertain.contains(id) {
                tally.keep(id, &Kept::GroupStopped);
            }
        }
    }

    /// The next messages, at most so many: of as many groups as can be, since of each only one is sent at a time.
    pub(super) fn receive(&self, messages_max: usize) -> Result<Vec<Message>, CloudError> {
        let indices = self.state.lock().unwrap_or_else(PoisonError::into_inner).take(messages_max);
        indices.into_iter().map(|index| self.read(index)).collect()
    }

    pub(super) fn settle(&self, receipts: &[ReceiptHandle]) -> Vec<Entry<()>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        receipts.iter().map(|receipt| state.let_go(receipt, Back::No)).collect()
    }

    /// These are left; or, with 0 seconds, given out again.
    pub(super) fn hide(&self, receipts: &[ReceiptHandle], seconds: u32) -> Vec<Entry<()>> {
        let back = if seconds == 0 { Back::Yes } else { Back::No };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        receipts.iter().map(|receipt| state.let_go(receipt, back)).collect()
    }

    pub(super) fn counts(&self) -> Counts {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let visible = state.groups.iter().map(|group| group.waiting.len() as u64).sum();
        Counts { visible, in_flight: 0, delayed: 0 }
    }

    fn read(&self, index: usize) -> Result<Message, CloudError> {
        let failed = |because: &str| CloudError::new(ErrorKind::Invalid, ACTION, because);
        let line = &self.lines[index];
        let file = self.file.as_ref().ok_or_else(|| failed("it is not open"))?;
        let mut bytes = vec![0; line.length];
        file.read_exact_at(&mut bytes, line.offset).map_err(|error| failed(&error.to_string()))?;
        if hash_of(&bytes) != line.hash {
            return Err(failed("the file was changed while it was put back"));
        }
        let saved: Saved = serde_json::from_slice(&bytes).map_err(|error| failed(&error.to_string()))?;
        let mut message = saved.message;
        message.receipt = ReceiptHandle(index.to_string());
        if self.destination == QueueKind::Fifo {
            message.system.group.get_or_insert_with(|| NO_GROUP.to_owned());
        }
        Ok(message)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Back {
    Yes,
    No,
}

impl State {
    fn take(&mut self, messages_max: usize) -> Vec<usize> {
        let (mut taken, mut turn) = (Vec::new(), VecDeque::new());
        while taken.len() < messages_max
            && let Some(number) = self.free.pop_front()
        {
            self.groups[number].is_free = false;
            turn.push_back(number);
            taken.extend(self.groups[number].give());
        }
        let given = turn.clone();
        // Of fewer groups than that, further ones.
        while taken.len() < messages_max
            && let Some(number) = turn.pop_front()
        {
            if let Some(index) = self.groups[number].give() {
                taken.push(index);
                turn.push_back(number);
            }
        }
        given.into_iter().for_each(|number| self.free(number));
        taken.iter().for_each(|index| self.given[*index] = true);
        taken
    }

    /// Lets a group give, where it can.
    fn free(&mut self, number: usize) {
        let group = &mut self.groups[number];
        let may_give = !group.waiting.is_empty() && (group.in_hand == 0 || !self.keeps_order);
        if may_give && !group.is_free {
            group.is_free = true;
            self.free.push_back(number);
        }
    }

    fn let_go(&mut self, receipt: &ReceiptHandle, back: Back) -> Entry<()> {
        let place = receipt.0.parse().ok().and_then(|index: usize| Some((index, *self.group_of.get(index)?)));
        let Some((index, number)) = place else {
            let message = Text::from("not a receipt of this snapshot");
            return Entry::Failed { code: "ReceiptHandleIsInvalid".to_owned(), message, sender_fault: true };
        };
        let group = &mut self.groups[number];
        if back == Back::Yes {
            // Where it was: before those that follow it.
            let at = group.waiting.partition_point(|waiting| *waiting < index);
            group.waiting.insert(at, index);
        }
        group.in_hand = group.in_hand.saturating_sub(1);
        self.free(number);
        Entry::Done(())
    }
}

impl Group {
    fn give(&mut self) -> Option<usize> {
        let index = self.waiting.pop_front()?;
        self.in_hand += 1;
        Some(index)
    }
}
