//! A lane: one batch at a time, from receive to delete.

mod ending;
mod sending;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    engine::Shared,
    memory::Key,
    step::{Judgement, LaneId, Origin, Step},
    tally::{Kept, Stop},
};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{ContentHash, Message, Outgoing, QueueKind},
    journal::{IntentMessage, Record},
};

/// Tries of a call that fails for a passing reason; with the waits between them about half a minute.
const ATTEMPTS_MAX: u32 = 10;
/// Tries of a call that is throttled: it was certainly not made, and under a throttle that lets half of all calls pass ten refusals in
/// a row are met every few thousand messages. With the waits between them about two minutes.
const THROTTLED_ATTEMPTS_MAX: u32 = 30;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ItemState {
    New,
    Ready,
    /// Stands in a file; to be deleted.
    Remove,
    /// Sent (now or by an earlier try); to be deleted.
    Sent,
    /// Left, to be kept hidden until the end.
    Hold,
    /// Left, to be put back at once.
    PutBack,
    Finished,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) message: Arc<Message>,
    pub(super) key: Key,
    pub(super) state: ItemState,
    pub(super) origin: Origin,
    pub(super) to: Option<(usize, Outgoing)>,
    /// Hash of the message, once its intent needed it.
    pub(super) content: Option<ContentHash>,
    pub(super) attempts: u32,
    /// Whether an earlier try has counted it against the limit.
    pub(super) is_counted: bool,
    /// When it was first sent under a deduplication id without a clear answer: it may be there already, and for as long as SQS
    /// remembers the id a second one is dropped.
    pub(super) maybe_sent_at: Option<Timestamp>,
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

#[derive(Debug)]
pub(super) struct Work {
    pub(super) items: Vec<Item>,
    pub(super) granted: u32,
    /// Of the grant: what was sent or may have been, and how many of those count against the limit.
    pub(super) sent: u32,
    pub(super) counted: u32,
    batch: u64,
    hidden_until: Timestamp,
    phase: Phase,
    out: Out,
    records: Vec<Record>,
    attempts: u32,
    pub(super) not_before: Option<Timestamp>,
    /// Whether it has messages of this run, not only what arrives or was left.
    pub(super) is_own: bool,
    /// Announced, and its outcome is not written yet.
    is_open: bool,
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
    Extending(Vec<usize>, Timestamp),
    Holding,
}

impl Work {
    pub(super) fn new(items: Vec<Item>, granted: u32, batch: u64, hidden_until: Timestamp, is_own: bool) -> Self {
        Self {
            items,
            granted,
            sent: 0,
            counted: 0,
            batch,
            hidden_until,
            phase: Phase::Judge,
            out: Out::Nothing,
            records: Vec::new(),
            attempts: 0,
            not_before: None,
            is_own,
            is_open: false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.phase == Phase::End
    }

    /// Whether it has a message of this group that is not sent and still hidden: until it is, SQS hands out no other one.
    pub(super) fn has_unsent_of(&self, group: &str, now: Timestamp) -> bool {
        let unsent = |state: &ItemState| matches!(state, ItemState::New | ItemState::Ready | ItemState::Remove);
        let is_of = |item: &Item| item.message.system.group.as_deref() == Some(group);
        now < self.hidden_until && self.items.iter().any(|item| unsent(&item.state) && is_of(item))
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
        if shared.is_forbidden {
            self.abandon(shared, unflushed);
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
            if !self.may_go_on(shared) {
                return None;
            }
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
            if self.phase == Phase::Send && std::mem::take(&mut self.is_open) {
                shared.open_intents -= 1;
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

    /// Whether the step that comes next, if any, is within what may be done at once.
    fn may_go_on(&self, shared: &Shared) -> bool {
        let has = |state: ItemState| self.items.iter().any(|item| item.state == state);
        match self.phase {
            Phase::Judge | Phase::End => true,
            Phase::Intent | Phase::Send if shared.is_stopping() => true,
            Phase::Intent => {
                shared.is_verified && shared.may_open_intent() || !(has(ItemState::Ready) || has(ItemState::Remove))
            }
            Phase::Send => shared.is_verified && shared.may_call() || self.has_outcome() || !has(ItemState::Ready),
            Phase::Delete => shared.may_call() || !has(ItemState::Sent),
            Phase::Hold => shared.may_call() || !(has(ItemState::PutBack) || has(ItemState::Hold)),
        }
    }

    /// Nothing more is written with another account's credentials; what was sent stays known as such.
    fn abandon(&mut self, shared: &mut Shared, unflushed: &mut Vec<Record>) {
        if std::mem::take(&mut self.is_open) {
            shared.open_intents -= 1;
            self.give_up_unsent("the run stopped before it was sent", ItemState::Finished, shared);
        }
        self.items.iter_mut().for_each(|item| item.state = ItemState::Finished);
        self.not_before = None;
        self.phase = Phase::End;
        unflushed.append(&mut self.records);
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
        let failures =
            judgements.iter().filter(|judgement| matches!(judgement, Judgement::Keep(Kept::Unedited))).count();
        // What comes back is parked as it is.
        let successes = new.iter().zip(&judgements).filter(|(index, judgement)| {
            matches!(judgement, Judgement::Send { .. }) && self.items[**index].origin == Origin::DeadLetter
        });
        shared.edited(failures as u64, successes.count() as u64);
        for (index, judgement) in new.into_iter().zip(judgements) {
            match judgement {
                Judgement::Send { to, outgoing } => {
                    let other_id = shared
                        .tried
                        .get(&self.items[index].key)
                        .is_some_and(|(_, id)| outgoing.deduplication_id.as_ref() != Some(id));
                    self.items[index].to = Some((to, *outgoing));
                    self.items[index].state = ItemState::Ready;
                    if other_id {
                        // An editor gave another one: SQS would not know it for the same message.
                        self.doubt_one(index, shared);
                    }
                }
                Judgement::Remove => self.items[index].state = ItemState::Remove,
                Judgement::Keep(why) => self.keep(index, &why, false, shared),
            }
            if self.is_behind_one_that_is_left(index, shared)
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
                    // Without any grant only what an earlier try began is looked for: the rest must not come round again.
                    None if self.granted == 0 && item.is_counted => {}
                    None if self.granted == 0 => item.state = ItemState::Hold,
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

    fn is_behind_one_that_is_left(&self, index: usize, shared: &Shared) -> bool {
        self.group(index, shared).is_some_and(|group| shared.is_stopped(&group, &self.items[index].message))
    }

    fn keep(&mut self, index: usize, why: &Kept, had_intent: bool, shared: &mut Shared) {
        if self.items[index].maybe_sent_at.is_some() {
            return self.doubt_one(index, shared);
        }
        if let Some(group) = self.group(index, shared) {
            shared.stop_group(group, &self.items[index].message);
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
            let goes_there = |item: &Item| item.to.as_ref().is_some_and(|(at, _)| *at == to);
            let these: Vec<usize> = ready.iter().copied().filter(|index| goes_there(&self.items[*index])).collect();
            let messages: Vec<_> = these.into_iter().map(|index| self.intent(index)).collect();
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
        self.is_open = true;
        shared.open_intents += 1;
        Some(Step::Write { lane, records, saved, batch: self.batch })
    }

    fn intent(&mut self, index: usize) -> IntentMessage {
        let item = &mut self.items[index];
        let content = item.content.get_or_insert_with(|| item.message.content_hash());
        IntentMessage {
            id: item.message.id.clone(),
            hash: content.0[..32].to_owned(),
            // Who writes the line knows it.
            saved: None,
            deduplication_id: item.to.as_ref().and_then(|(_, outgoing)| outgoing.deduplication_id.clone()),
            parked: item.origin == Origin::Bounced,
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
                        if item.origin == Origin::DeadLetter {
                            (self.sent, self.counted) = (self.sent + 1, self.counted + 1);
                        }
                    }
                }
                self.phase = Phase::Send;
            }
            Ok(()) => {}
            Err(because) => {
                shared.stop_because(Stop::unwritten(because));
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
}

/// How often a call that fails in this way is made, in a row.
pub(crate) fn attempts_max(error: &CloudError) -> u32 {
    if error.kind == ErrorKind::Throttled { THROTTLED_ATTEMPTS_MAX } else { ATTEMPTS_MAX }
}

/// Wait before another try: 0.1 s, doubled each time, 5 s at most.
pub(crate) fn pause_after(attempts: u32) -> Duration {
    Duration::from_millis((100_u64 << attempts.min(6)).min(5_000))
}

pub(super) fn after_seconds(at: Timestamp, seconds: u32) -> Timestamp {
    at.checked_add(Duration::from_secs(seconds.into())).unwrap_or(at)
}

pub(super) fn after_attempt(now: Timestamp, attempts: u32) -> Timestamp {
    now.checked_add(pause_after(attempts)).unwrap_or(now)
}
