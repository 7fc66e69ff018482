//! Sending: in chunks that can't break order, hidden for as long as it takes, never twice.

use jiff::{SignedDuration, Timestamp};

use super::{ATTEMPTS_MAX, ItemState, Out, Work, after_attempt, after_seconds, attempts_max};
use crate::{
    cloud::{
        CloudError, ErrorKind,
        sqs::{BATCH_BYTES_MAX, BATCH_MAX, Entry},
    },
    domain::{MessageId, Outgoing, QueueKind, Text},
    journal::{Record, SentMessage},
    operations::transfer::{
        engine::Shared,
        step::{LaneId, Origin, Step},
        tally::{Kept, Stop},
    },
};

/// A FIFO send without a clear answer is sent again with the same deduplication id for so long at most: the window in which SQS
/// drops the second one is five minutes (SQS developer guide, "Exactly-once processing").
const SAME_ID_SECONDS_MAX: i64 = 240;
/// A send's own deadline with some room.
const SEND_SECONDS_MAX: i64 = 20;
/// Why a message is let go that somebody else may have by now.
const LAPSED: &str = "it was no longer hidden; it will be received again";

impl Work {
    pub(super) fn send(&mut self, lane: LaneId, now: Timestamp, shared: &mut Shared) -> Option<Step> {
        if shared.is_stopping() {
            self.give_up_unsent("the run stopped before it was sent", ItemState::PutBack, shared);
        }
        if self.has_outcome() && !shared.is_journal_broken() {
            self.out = Out::WritingOutcome;
            let records = std::mem::take(&mut self.records);
            return Some(Step::Write { lane, records, saved: Vec::new(), batch: self.batch });
        }
        self.doubt_what_sqs_may_have_forgotten(now, shared);
        if self.has_outcome() && !shared.is_journal_broken() {
            return self.send(lane, now, shared);
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
        self.out = Out::Sending(chunk);
        Some(Step::Send { lane, to, messages })
    }

    /// Outcomes of sends are written before the next send and before the delete.
    pub(super) fn has_outcome(&self) -> bool {
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
    pub(super) fn give_up_unsent(&mut self, reason: &str, state: ItemState, shared: &mut Shared) {
        let (doubtful, unsent): (Vec<_>, Vec<_>) =
            self.indices(&ItemState::Ready).into_iter().partition(|index| self.items[*index].maybe_sent_at.is_some());
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

    pub(super) fn must_extend(&self, now: Timestamp, shared: &Shared) -> bool {
        let left = self.hidden_until.duration_since(now);
        left < SignedDuration::from_secs(i64::from(shared.settings.visibility_seconds)) / 2
    }

    /// Keeps hidden what is still to be dealt with; when that can't be done in time, lets go of what was not sent: somebody else
    /// may have it already.
    pub(super) fn extend(&mut self, lane: LaneId, now: Timestamp, shared: &mut Shared) -> Option<Step> {
        let margin = SignedDuration::from_secs(i64::from(shared.settings.visibility_seconds.min(45)) / 3);
        if self.hidden_until.duration_since(now) < margin && self.attempts > 0 || now >= self.hidden_until {
            self.give_up_unsent(LAPSED, ItemState::Finished, shared);
            return None;
        }
        let open = self.indices(&ItemState::Ready);
        let receipts = open.iter().map(|index| shared.newest_receipt(&self.items[*index])).collect();
        self.out = Out::Extending(open, now);
        Some(Step::Hide { lane, receipts, seconds: shared.settings.visibility_seconds })
    }

    pub(in super::super) fn on_hidden(
        &mut self,
        now: Timestamp,
        result: Result<Vec<Entry<()>>, CloudError>,
        shared: &mut Shared,
    ) {
        let Out::Extending(open, asked_at) = std::mem::replace(&mut self.out, Out::Nothing) else {
            // Holding back what is left is a courtesy: what shows again early is received again.
            return;
        };
        match result {
            Ok(entries) => {
                self.attempts = 0;
                // From the asking: the answer may have taken its time.
                self.hidden_until = after_seconds(asked_at, shared.settings.visibility_seconds);
                for (index, entry) in open.into_iter().zip(entries) {
                    let sent = self.items[index].state == ItemState::Sent;
                    if matches!(entry, Entry::Failed { .. }) && !sent {
                        self.let_go(index, shared);
                    }
                }
            }
            Err(error) if error.is_passing() => self.back_off(now, &error, shared),
            Err(error) => shared.stop_because(Stop::Failed(error)),
        }
    }

    /// A message that is no longer hidden, and what follows it in its group: somebody else may have it already.
    fn let_go(&mut self, index: usize, shared: &mut Shared) {
        if self.items[index].maybe_sent_at.is_some() {
            return self.doubt(&[index], shared);
        }
        let group = self.group(index, shared);
        let behind = |other: usize| other > index && group.is_some() && self.group(other, shared) == group;
        let followers: Vec<usize> =
            self.indices(&ItemState::Ready).into_iter().filter(|other| behind(*other)).collect();
        let mut ids = vec![self.items[index].message.id.clone()];
        self.items[index].state = ItemState::Finished;
        for follower in followers {
            if self.items[follower].maybe_sent_at.is_some() {
                self.doubt_one(follower, shared);
                continue;
            }
            ids.push(self.items[follower].message.id.clone());
            self.items[follower].state = ItemState::PutBack;
        }
        self.records.push(Record::Kept { batch: Some(self.batch), ids, reason: Text::from(LAPSED) });
    }

    pub(super) fn back_off(&mut self, now: Timestamp, error: &CloudError, shared: &mut Shared) {
        self.attempts += 1;
        if error.kind == ErrorKind::Throttled {
            shared.tally.throttled += 1;
        }
        if self.attempts >= attempts_max(error) {
            shared.stop_because(Stop::Failed(error.clone()));
        }
        self.not_before = Some(after_attempt(now, self.attempts));
    }

    pub(in super::super) fn on_sent(
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
                if self.may_send_again_with_same_id(&chunk, shared) {
                    chunk.iter().for_each(|index| self.remember_first_try(*index, now));
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
    fn may_send_again_with_same_id(&self, chunk: &[usize], shared: &Shared) -> bool {
        let guarded = chunk.iter().all(|index| {
            self.items[*index].to.as_ref().is_some_and(|(to, outgoing)| {
                shared.settings.destinations[*to].1 == QueueKind::Fifo && outgoing.deduplication_id.is_some()
            })
        });
        guarded && self.attempts < ATTEMPTS_MAX && !shared.is_stopping()
    }

    fn remember_first_try(&mut self, index: usize, now: Timestamp) {
        // The call began before its answer failed to come; a deadline's worth earlier is certainly early enough.
        let began = now.checked_sub(SignedDuration::from_secs(SEND_SECONDS_MAX)).unwrap_or(now);
        self.items[index].maybe_sent_at.get_or_insert(began);
    }

    /// Past its five minutes SQS takes a message with the same deduplication id for a new one.
    fn doubt_what_sqs_may_have_forgotten(&mut self, now: Timestamp, shared: &mut Shared) {
        let forgotten = |item: &super::Item| {
            item.maybe_sent_at.is_some_and(|at| now.duration_since(at).as_secs() >= SAME_ID_SECONDS_MAX)
        };
        let old: Vec<usize> =
            self.indices(&ItemState::Ready).into_iter().filter(|index| forgotten(&self.items[*index])).collect();
        if !old.is_empty() {
            self.doubt(&old, shared);
        }
    }

    fn doubt(&mut self, chunk: &[usize], shared: &mut Shared) {
        chunk.iter().for_each(|index| self.doubt_one(*index, shared));
        self.keep_rest_of_stopped_groups(shared);
    }

    pub(super) fn doubt_one(&mut self, index: usize, shared: &mut Shared) {
        if let Some(group) = self.group(index, shared) {
            shared.stop_group(group, &self.items[index].message);
        }
        let item = &mut self.items[index];
        item.state = ItemState::Hold;
        if item.origin == Origin::DeadLetter {
            // It may be there: with one more in its place the limit could be passed.
            self.sent += 1;
            self.counted += u32::from(!item.is_counted);
        }
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
                        self.counted += u32::from(!item.is_counted);
                    }
                    shared.sent(item, &new_id);
                    sent.push(SentMessage { id: item.message.id.clone(), new_id });
                }
                entry if entry.may_have_been_applied() => {
                    if self.may_send_again_with_same_id(&[index], shared) {
                        self.remember_first_try(index, now);
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

    pub(super) fn keep_rest_of_stopped_groups(&mut self, shared: &mut Shared) {
        for index in self.indices(&ItemState::Ready) {
            if self.is_behind_one_that_is_left(index, shared) {
                self.keep(index, &Kept::GroupStopped, true, shared);
            }
        }
    }
}
