//! A lane: one batch at a time, from receive to delete.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{
    engine::Shared,
    memory::Key,
    step::{Judgement, LaneId, Origin, Step},
    tally::{Kept, Stop},
};
use crate::{
    cloud::{
        CloudError, ErrorKind,
        sqs::{BATCH_BYTES_MAX, BATCH_MAX, Entry},
    },
    domain::{Message, MessageId, Outgoing, QueueKind, ReceiptHandle, Text},
    journal::{IntentMessage, Record, SentMessage},
};

/// Tries of a call that fails for a passing reason; with the waits between them about half a minute.
const ATTEMPTS_MAX: u32 = 10;
/// A FIFO send without a clear answer is sent again with the same deduplication id for so long at most: the window in which SQS
/// drops the second one is five minutes (SQS developer guide, "Exactly-once processing").
const SAME_ID_SECONDS_MAX: i64 = 200;

/// Why a message is let go that somebody else may have by now.
const LAPSED: &str = "it was no longer hidden; it will be received again";

/// What became of a message in a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ItemState {
    /// To be judged.
    New,
    /// To be sent.
    Ready,
    /// Stands in a file; to be deleted.
    Remove,
    /// Sent (now or by an earlier try); to be deleted.
    Sent,
    /// Left, to be kept hidden until the end.
    Hold,
    /// Left, to be put back at once.
    PutBack,
    /// Nothing more to do.
    Finished,
}

/// A message in a lane.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) message: Arc<Message>,
    pub(super) key: Key,
    pub(super) state: ItemState,
    pub(super) origin: Origin,
    pub(super) to: Option<(usize, Outgoing)>,
    pub(super) attempts: u32,
    /// A send had no clear answer and is tried again under the same deduplication id.
    pub(super) maybe_sent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Judge,
    Intent,
    Send,
    Delete,
    Hold,
    End,
}

/// A batch in a lane.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) items: Vec<Item>,
    pub(super) granted: u32,
    pub(super) sent: u32,
    batch: u64,
    hidden_until: Timestamp,
    phase: Phase,
    out: Out,
    records: Vec<Record>,
    attempts: u32,
    not_before: Option<Timestamp>,
    first_sent_at: Option<Timestamp>,
}

/// The step that is out, with the items it is about.
#[derive(Debug)]
enum Out {
    Nothing,
    Judging,
    WritingIntent,
    WritingOutcome,
    Sending(Vec<usize>),
    Deleting(Vec<usize>),
    Extending(Vec<usize>),
    Holding,
}

impl Work {
    pub(super) fn new(items: Vec<Item>, granted: u32, batch: u64, hidden_until: Timestamp) -> Self {
        Self {
            items,
            granted,
            sent: 0,
            batch,
            hidden_until,
            phase: Phase::Judge,
            out: Out::Nothing,
            records: Vec::new(),
            attempts: 0,
            not_before: None,
            first_sent_at: None,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.phase == Phase::End
    }

    pub(super) fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// The lane's next step; none while one is out, while it waits, and at its end.
    pub(super) fn next(
        &mut self,
        lane: LaneId,
        now: Timestamp,
        shared: &mut Shared,
        unflushed: &mut Vec<Record>,
    ) -> Option<Step> {
        if !matches!(self.out, Out::Nothing) {
            return None;
        }
        if self.not_before.is_some_and(|time| now < time) {
            // A stop does not sit out a wait before a send that won't be made.
            if !(shared.is_stopping() && self.phase == Phase::Send) {
                return None;
            }
        }
        self.not_before = None;
        loop {
            let step = match self.phase {
                Phase::Judge => self.judge(lane),
                Phase::Intent => self.write_intent(lane, shared, unflushed),
                Phase::Send => self.send(lane, now, shared),
                Phase::Delete => self.delete(lane, now, shared),
                Phase::Hold => self.hold(lane, shared),
                Phase::End => return None,
            };
            if step.is_some() {
                return step;
            }
            self.phase = match self.phase {
                Phase::Judge => Phase::Intent,
                Phase::Intent => Phase::Send,
                Phase::Send => Phase::Delete,
                Phase::Delete => Phase::Hold,
                Phase::Hold | Phase::End => Phase::End,
            };
            if self.phase == Phase::End {
                unflushed.append(&mut self.records);
            }
        }
    }

    fn indices(&self, state: &ItemState) -> Vec<usize> {
        (0..self.items.len()).filter(|index| self.items[*index].state == *state).collect()
    }

    fn judge(&mut self, lane: LaneId) -> Option<Step> {
        let new = self.indices(&ItemState::New);
        if new.is_empty() {
            return None;
        }
        self.out = Out::Judging;
        let messages = new.iter().map(|index| (Arc::clone(&self.items[*index].message), self.items[*index].origin));
        Some(Step::Judge { lane, messages: messages.collect() })
    }

    pub(super) fn on_judged(&mut self, judgements: Vec<Judgement>, shared: &mut Shared) {
        self.out = Out::Nothing;
        let new = self.indices(&ItemState::New);
        assert_eq!(new.len(), judgements.len(), "every message is judged");
        for (index, judgement) in new.into_iter().zip(judgements) {
            match judgement {
                Judgement::Send { to, outgoing } => {
                    self.items[index].to = Some((to, *outgoing));
                    self.items[index].state = ItemState::Ready;
                }
                Judgement::Remove => self.items[index].state = ItemState::Remove,
                Judgement::Keep(why) => self.keep(index, &why, false, shared),
            }
            if self.group(index, shared).is_some_and(|group| shared.stopped_groups.contains(&group))
                && matches!(self.items[index].state, ItemState::Ready | ItemState::Remove)
            {
                self.keep(index, &Kept::GroupStopped, false, shared);
            }
        }
        self.put_back_what_exceeds_the_grant();
    }

    /// A filter makes lanes receive more than they may send; the surplus waits for the next step.
    fn put_back_what_exceeds_the_grant(&mut self) {
        let mut room = self.granted;
        for item in &mut self.items {
            let counts = item.origin == Origin::DeadLetter;
            if counts && matches!(item.state, ItemState::Ready | ItemState::Remove) {
                match room.checked_sub(1) {
                    Some(left) => room = left,
                    None => item.state = ItemState::PutBack,
                }
            }
        }
    }

    /// The group that order is kept in: the destination's where that is FIFO, else the source's.
    fn group(&self, index: usize, shared: &Shared) -> Option<String> {
        let item = &self.items[index];
        match &item.to {
            Some((to, outgoing)) if shared.settings.destinations[*to].1 == QueueKind::Fifo => outgoing.group.clone(),
            _ if shared.settings.source == QueueKind::Fifo => item.message.system.group.clone(),
            _ => None,
        }
    }

    fn keep(&mut self, index: usize, why: &Kept, had_intent: bool, shared: &mut Shared) {
        if self.items[index].maybe_sent {
            return self.doubt_one(index, shared);
        }
        if let Some(group) = self.group(index, shared) {
            shared.stopped_groups.insert(group);
        }
        let id = &self.items[index].message.id;
        shared.tally.keep(id, why);
        if had_intent || !why.is_expected() {
            let batch = had_intent.then_some(self.batch);
            self.records.push(Record::Kept { batch, ids: vec![id.clone()], reason: why.words() });
        }
        self.items[index].state = ItemState::Hold;
    }

    fn write_intent(&mut self, lane: LaneId, shared: &mut Shared, unflushed: &mut Vec<Record>) -> Option<Step> {
        let ready = self.indices(&ItemState::Ready);
        let remove = self.indices(&ItemState::Remove);
        if shared.is_stopping() {
            for index in ready.into_iter().chain(remove) {
                self.items[index].state = ItemState::PutBack;
            }
            return None;
        }
        if ready.is_empty() && remove.is_empty() {
            return None;
        }
        let mut records = std::mem::take(unflushed);
        records.append(&mut self.records);
        for (to, (url, _)) in shared.settings.destinations.iter().enumerate() {
            let these = ready.iter().filter(|index| self.items[**index].to.as_ref().is_some_and(|(at, _)| *at == to));
            let messages: Vec<_> = these.map(|index| self.intent(*index)).collect();
            if !messages.is_empty() {
                records.push(Record::Intent { batch: self.batch, to: Some(url.clone()), messages });
            }
        }
        if !remove.is_empty() {
            let messages = remove.iter().map(|index| self.intent(*index)).collect();
            records.push(Record::Intent { batch: self.batch, to: None, messages });
        }
        let saved = ready.iter().chain(&remove).map(|index| Arc::clone(&self.items[*index].message)).collect();
        self.out = Out::WritingIntent;
        Some(Step::Write { lane, records, saved, batch: self.batch })
    }

    fn intent(&self, index: usize) -> IntentMessage {
        let item = &self.items[index];
        IntentMessage {
            id: item.message.id.clone(),
            hash: item.message.content_hash().0[..32].to_owned(),
            deduplication_id: item.to.as_ref().and_then(|(_, outgoing)| outgoing.deduplication_id.clone()),
        }
    }

    pub(super) fn on_written(&mut self, result: Result<(), String>, shared: &mut Shared) {
        let out = std::mem::replace(&mut self.out, Out::Nothing);
        let intent = matches!(out, Out::WritingIntent);
        match result {
            Ok(()) if intent => {
                for item in &mut self.items {
                    if item.state == ItemState::Remove {
                        // Written down for good: now it may be deleted.
                        item.state = ItemState::Sent;
                        shared.removable.insert(item.key);
                    }
                }
                self.phase = Phase::Send;
            }
            Ok(()) => {}
            Err(because) => {
                shared.stop_because(Stop::Journal(Text::line(&because)));
                if intent {
                    for item in &mut self.items {
                        if matches!(item.state, ItemState::Ready | ItemState::Remove) {
                            item.state = ItemState::PutBack;
                        }
                    }
                }
                // After a failed write of an outcome what was sent is deleted all the same: leaving it would double it.
            }
        }
    }

    fn send(&mut self, lane: LaneId, now: Timestamp, shared: &mut Shared) -> Option<Step> {
        if shared.is_stopping() {
            self.give_up_unsent("the run stopped before it was sent", ItemState::PutBack, shared);
        }
        if self.has_outcome() && !shared.is_journal_broken() {
            self.out = Out::WritingOutcome;
            let records = std::mem::take(&mut self.records);
            return Some(Step::Write { lane, records, saved: Vec::new(), batch: self.batch });
        }
        if self.indices(&ItemState::Ready).is_empty() {
            return None;
        }
        if self.must_extend(now, shared) {
            return self.extend(lane, now, shared).or_else(|| self.send(lane, now, shared));
        }
        let (to, chunk) = self.chunk(shared)?;
        let messages: Vec<Outgoing> = chunk
            .iter()
            .filter_map(|index| self.items[*index].to.as_ref().map(|(_, outgoing)| outgoing.clone()))
            .collect();
        assert_eq!(messages.len(), chunk.len(), "what is ready has a destination");
        self.first_sent_at.get_or_insert(now);
        self.out = Out::Sending(chunk);
        Some(Step::Send { lane, to, messages })
    }

    /// Outcomes of sends are written before the next send and before the delete.
    fn has_outcome(&self) -> bool {
        !self.records.is_empty()
    }

    /// The next messages for one destination: at most ten, 1 MiB, and for FIFO one of each group, so that a refused entry never
    /// lets a later one of its group pass.
    fn chunk(&self, shared: &Shared) -> Option<(usize, Vec<usize>)> {
        let ready = self.indices(&ItemState::Ready);
        let to = self.items[*ready.first()?].to.as_ref()?.0;
        let fifo = shared.settings.destinations[to].1 == QueueKind::Fifo;
        let (mut chunk, mut bytes, mut groups) = (Vec::new(), 0, Vec::new());
        for index in ready {
            let Some((at, outgoing)) = &self.items[index].to else { continue };
            let size = outgoing.size_bytes();
            if *at != to || fifo && groups.contains(&outgoing.group) {
                continue;
            }
            if chunk.len() == BATCH_MAX || !chunk.is_empty() && bytes + size > BATCH_BYTES_MAX {
                break;
            }
            bytes += size;
            groups.push(outgoing.group.clone());
            chunk.push(index);
        }
        Some((to, chunk))
    }

    /// Lets go of what was not sent; what may have been sent all the same is in doubt.
    fn give_up_unsent(&mut self, reason: &str, state: ItemState, shared: &mut Shared) {
        let (doubtful, unsent): (Vec<_>, Vec<_>) =
            self.indices(&ItemState::Ready).into_iter().partition(|index| self.items[*index].maybe_sent);
        if !doubtful.is_empty() {
            self.doubt(&doubtful, shared);
        }
        if unsent.is_empty() {
            return;
        }
        let ids = unsent.iter().map(|index| self.items[*index].message.id.clone()).collect();
        self.records.push(Record::Kept { batch: Some(self.batch), ids, reason: Text::from(reason) });
        for index in unsent {
            self.items[index].state = state.clone();
        }
    }

    fn must_extend(&self, now: Timestamp, shared: &Shared) -> bool {
        let left = self.hidden_until.duration_since(now);
        left < SignedDuration::from_secs(i64::from(shared.settings.visibility_seconds)) / 2
    }

    /// Keeps hidden what is still to be dealt with; when that can't be done in time, lets go of what was not sent: somebody else
    /// may have it already.
    fn extend(&mut self, lane: LaneId, now: Timestamp, shared: &mut Shared) -> Option<Step> {
        let margin = SignedDuration::from_secs(i64::from(shared.settings.visibility_seconds.min(45)) / 3);
        if self.hidden_until.duration_since(now) < margin && self.attempts > 0 || now >= self.hidden_until {
            self.give_up_unsent(LAPSED, ItemState::Finished, shared);
            return None;
        }
        let open = self.indices(&ItemState::Ready);
        let receipts = open.iter().map(|index| shared.newest_receipt(&self.items[*index])).collect();
        self.out = Out::Extending(open);
        Some(Step::Hide { lane, receipts, seconds: shared.settings.visibility_seconds })
    }

    pub(super) fn on_hidden(
        &mut self,
        now: Timestamp,
        result: Result<Vec<Entry<()>>, CloudError>,
        shared: &mut Shared,
    ) {
        let Out::Extending(open) = std::mem::replace(&mut self.out, Out::Nothing) else {
            // Holding back what is left is a courtesy: what shows again early is received again.
            return;
        };
        match result {
            Ok(entries) => {
                self.attempts = 0;
                let seconds = SignedDuration::from_secs(i64::from(shared.settings.visibility_seconds));
                self.hidden_until = now.checked_add(seconds).unwrap_or(now);
                for (index, entry) in open.into_iter().zip(entries) {
                    if !matches!(entry, Entry::Failed { .. }) {
                        continue;
                    }
                    if self.items[index].maybe_sent {
                        self.doubt(&[index], shared);
                        continue;
                    }
                    let ids = vec![self.items[index].message.id.clone()];
                    self.records.push(Record::Kept { batch: Some(self.batch), ids, reason: Text::from(LAPSED) });
                    self.items[index].state = ItemState::Finished;
                }
            }
            Err(error) if error.is_passing() => self.back_off(now, &error, shared),
            Err(error) => shared.stop_because(Stop::Failed(error)),
        }
    }

    fn back_off(&mut self, now: Timestamp, error: &CloudError, shared: &mut Shared) {
        self.attempts += 1;
        if error.kind == ErrorKind::Throttled {
            shared.tally.throttled += 1;
        }
        if self.attempts >= ATTEMPTS_MAX {
            shared.stop_because(Stop::Failed(error.clone()));
        }
        self.not_before = Some(after_attempt(now, self.attempts));
    }

    pub(super) fn on_sent(
        &mut self,
        now: Timestamp,
        result: Result<Vec<Entry<MessageId>>, CloudError>,
        shared: &mut Shared,
    ) {
        let Out::Sending(chunk) = std::mem::replace(&mut self.out, Out::Nothing) else {
            unreachable!("an answer to a send that was not made")
        };
        match result {
            Ok(entries) => self.on_entries_sent(now, &chunk, entries, shared),
            Err(error) if matches!(error.kind, ErrorKind::Throttled | ErrorKind::Unreachable) => {
                self.back_off(now, &error, shared);
            }
            Err(error) if error.kind == ErrorKind::Unknown => {
                if self.may_send_again_with_same_id(now, &chunk, shared) {
                    chunk.iter().for_each(|index| self.items[*index].maybe_sent = true);
                    self.attempts += 1;
                    self.not_before = Some(after_attempt(now, self.attempts));
                } else {
                    self.doubt(&chunk, shared);
                }
            }
            Err(error) => shared.stop_because(Stop::Failed(error)),
        }
    }

    /// Looking is not possible in a queue; but a FIFO destination itself drops a second message with the same deduplication id.
    fn may_send_again_with_same_id(&self, now: Timestamp, chunk: &[usize], shared: &Shared) -> bool {
        let recent = self.first_sent_at.is_some_and(|first| now.duration_since(first).as_secs() < SAME_ID_SECONDS_MAX);
        let guarded = chunk.iter().all(|index| {
            self.items[*index].to.as_ref().is_some_and(|(to, outgoing)| {
                shared.settings.destinations[*to].1 == QueueKind::Fifo && outgoing.deduplication_id.is_some()
            })
        });
        recent && guarded && self.attempts < ATTEMPTS_MAX && !shared.is_stopping()
    }

    fn doubt(&mut self, chunk: &[usize], shared: &mut Shared) {
        chunk.iter().for_each(|index| self.doubt_one(*index, shared));
        self.keep_rest_of_stopped_groups(shared);
    }

    fn doubt_one(&mut self, index: usize, shared: &mut Shared) {
        if let Some(group) = self.group(index, shared) {
            shared.stopped_groups.insert(group);
        }
        let item = &mut self.items[index];
        item.state = ItemState::Hold;
        shared.doubt(item.key, item.message.id.clone());
        self.records.push(Record::Unknown { batch: self.batch, ids: vec![item.message.id.clone()] });
    }

    fn on_entries_sent(
        &mut self,
        now: Timestamp,
        chunk: &[usize],
        entries: Vec<Entry<MessageId>>,
        shared: &mut Shared,
    ) {
        assert_eq!(entries.len(), chunk.len(), "every entry is accounted for");
        let mut sent = Vec::with_capacity(chunk.len());
        let (mut again, mut doubtful) = (false, Vec::new());
        for (index, entry) in chunk.iter().copied().zip(entries) {
            match entry {
                Entry::Done(new_id) => {
                    let item = &mut self.items[index];
                    item.state = ItemState::Sent;
                    if item.origin == Origin::DeadLetter {
                        self.sent += 1;
                    }
                    shared.sent(item, &new_id);
                    sent.push(SentMessage { id: item.message.id.clone(), new_id });
                }
                entry if entry.may_have_been_applied() => {
                    if self.may_send_again_with_same_id(now, &[index], shared) {
                        self.items[index].maybe_sent = true;
                        again = true;
                    } else {
                        doubtful.push(index);
                    }
                }
                Entry::Failed { code, message, sender_fault } => {
                    self.items[index].attempts += 1;
                    if sender_fault || self.items[index].attempts >= ATTEMPTS_MAX {
                        let why = Kept::Refused(Text::line(&format!("{code}: {message}")));
                        self.keep(index, &why, true, shared);
                    } else {
                        again = true;
                    }
                }
            }
        }
        if !sent.is_empty() {
            self.attempts = 0;
            self.records.push(Record::Sent { batch: self.batch, messages: sent });
        }
        if !doubtful.is_empty() {
            self.doubt(&doubtful, shared);
        }
        if again {
            self.attempts += 1;
            self.not_before = Some(after_attempt(now, self.attempts.min(6)));
        }
        self.keep_rest_of_stopped_groups(shared);
    }

    fn keep_rest_of_stopped_groups(&mut self, shared: &mut Shared) {
        for index in self.indices(&ItemState::Ready) {
            if self.group(index, shared).is_some_and(|group| shared.stopped_groups.contains(&group)) {
                self.keep(index, &Kept::GroupStopped, true, shared);
            }
        }
    }

    fn delete(&mut self, lane: LaneId, _now: Timestamp, shared: &mut Shared) -> Option<Step> {
        let mut sent = self.indices(&ItemState::Sent);
        sent.truncate(BATCH_MAX);
        if sent.is_empty() {
            return None;
        }
        for index in &sent {
            let key = self.items[*index].key;
            assert!(shared.may_delete(key), "only what was sent, or stands in a file, is deleted");
        }
        let receipts: Vec<ReceiptHandle> =
            sent.iter().map(|index| shared.newest_receipt(&self.items[*index])).collect();
        self.out = Out::Deleting(sent);
        Some(Step::Delete { lane, receipts })
    }

    pub(super) fn on_deleted(
        &mut self,
        now: Timestamp,
        result: Result<Vec<Entry<()>>, CloudError>,
        shared: &mut Shared,
    ) {
        let Out::Deleting(chunk) = std::mem::replace(&mut self.out, Out::Nothing) else {
            unreachable!("an answer to a delete that was not made")
        };
        let entries = match result {
            Ok(entries) => entries,
            Err(error) if error.is_passing() && self.attempts + 1 < ATTEMPTS_MAX => {
                return self.back_off(now, &error, shared);
            }
            Err(error) => {
                // What was sent stays known as such: when it shows again it is deleted, not sent.
                chunk.iter().for_each(|index| self.items[*index].state = ItemState::Finished);
                return shared.stop_because(Stop::Failed(error));
            }
        };
        assert_eq!(entries.len(), chunk.len(), "every entry is accounted for");
        let mut deleted = Vec::with_capacity(chunk.len());
        for (index, entry) in chunk.into_iter().zip(entries) {
            let item = &mut self.items[index];
            match entry {
                Entry::Done(()) => {
                    item.state = ItemState::Finished;
                    shared.deleted(item.key);
                    deleted.push(item.message.id.clone());
                }
                Entry::Failed { .. } => {
                    item.attempts += 1;
                    let lapsed = matches!(&entry, Entry::Failed { sender_fault: true, .. });
                    if lapsed || item.attempts >= ATTEMPTS_MAX {
                        item.state = ItemState::Finished;
                    } else {
                        self.not_before = Some(after_attempt(now, item.attempts));
                    }
                }
            }
        }
        self.attempts = 0;
        if !deleted.is_empty() {
            self.records.push(Record::Deleted { ids: deleted });
        }
    }

    fn hold(&mut self, lane: LaneId, shared: &mut Shared) -> Option<Step> {
        let put_back = self.indices(&ItemState::PutBack);
        let (indices, seconds) = match put_back.is_empty() {
            false => (put_back, 0),
            true => (self.indices(&ItemState::Hold), shared.hold_seconds()),
        };
        if indices.is_empty() {
            return None;
        }
        let receipts = indices.iter().map(|index| shared.newest_receipt(&self.items[*index])).collect();
        for index in indices {
            let item = &mut self.items[index];
            if item.state == ItemState::Hold {
                shared.leave(item.key, item.message.receipt.clone());
            }
            item.state = ItemState::Finished;
        }
        self.out = Out::Holding;
        Some(Step::Hide { lane, receipts, seconds })
    }
}

/// Wait before another try: 0.1 s, doubled each time, 5 s at most.
pub(super) fn after_attempt(now: Timestamp, attempts: u32) -> Timestamp {
    let millis = (100_i64 << attempts.min(6)).min(5_000);
    now.checked_add(SignedDuration::from_millis(millis)).unwrap_or(now)
}
