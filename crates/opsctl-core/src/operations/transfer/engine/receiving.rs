//! Receiving: which lane asks, what it brings, and when it is evident that there is nothing more.

use jiff::{SignedDuration, Timestamp};

use super::{Engine, LaneState, stages::Stage};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{Counts, Message, QueueKind},
    operations::transfer::{
        lane::{Item, ItemState, Work, after_attempt, after_seconds, attempts_max},
        step::{LaneId, Next, Step},
        tally::Stop,
    },
};

/// Long poll: finds messages on all of SQS's servers, as a short one does not.
const WAIT_SECONDS: u32 = 1;
/// A receive that takes longer than this, and than three times the fastest one, waits for messages that are not there.
const PATIENCE_MIN: SignedDuration = SignedDuration::from_millis(50);
/// Bytes of messages in hand, about: lanes that could exceed it do not receive.
const BYTES_IN_HAND_MAX: u64 = 256 * 1024 * 1024;

/// What was received, not dealt with yet.
#[derive(Debug)]
pub(super) struct Batch {
    messages: Vec<Message>,
    granted: u32,
    asked_at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Receiving {
    /// Lanes that are of use: more and more of them, as batches come back full.
    lanes: f64,
    /// The fastest answer that brought messages, and when the last one came.
    fastest: Option<SignedDuration>,
    brought_at: Timestamp,
    largest_bytes: u64,
    /// The counts are asked for while a receive waits in vain.
    pub(super) counting: Counting,
}

/// A count while a receive waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// Not asked for since messages came.
    No,
    Asked,
    /// Nothing was there; or something.
    Told {
        nothing: bool,
    },
}

impl Receiving {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { lanes: 0.0, fastest: None, brought_at: now, largest_bytes: 0, counting: Counting::No }
    }

    /// When a receive that was asked for at `asked_at` is known to wait in vain, if it is not answered by then.
    fn in_vain_at(&self, asked_at: Timestamp) -> Option<Timestamp> {
        let at = asked_at.checked_add((self.fastest? * 3).max(PATIENCE_MIN)).ok()?;
        // Another one brought messages meanwhile: this one is slow, no more.
        (self.brought_at < at).then_some(at)
    }

    fn bring(&mut self, now: Timestamp, granted: u32, asked_at: Timestamp, messages: &[Message]) {
        let took = now.duration_since(asked_at);
        self.fastest = Some(self.fastest.map_or(took, |fastest| fastest.min(took)));
        self.brought_at = now;
        self.lanes += 2.0 * (messages.len() as f64 / f64::from(granted.max(1))).min(1.0);
        self.largest_bytes = self.largest_bytes.max(messages.iter().map(Message::size_bytes).sum());
        self.forget_count();
    }

    fn forget_count(&mut self) {
        if let Counting::Told { .. } = self.counting {
            self.counting = Counting::No;
        }
    }
}

impl Engine {
    pub(super) fn may_receive(&self, now: Timestamp) -> bool {
        let moving = matches!(self.stage, Stage::Moving) && !self.empty && !self.shared.is_stopping();
        moving && self.shared.may_call() && !self.must_wait_for_others(now)
    }

    pub(super) fn receive(&mut self, number: LaneId, now: Timestamp) -> Next {
        // A few messages need one lane.
        let welcome = number as f64 <= self.receiving.lanes;
        if !welcome || self.empty || !matches!(self.lanes[number].state, LaneState::Idle) {
            return Next::Wait(None);
        }
        if let Some(time) = self.lanes[number].not_before.filter(|time| now < *time) {
            return Next::Wait(Some(time));
        }
        if self.is_quiet(now) {
            // Nothing of this run has been met for a while, only what arrives: the counts have the last word.
            self.empty = true;
            return Next::Wait(None);
        }
        let granted = match self.shared.pace.grant(now) {
            Ok(granted) => granted,
            // Nothing more is to be sent; what an earlier try sent is still to be deleted.
            Err(None) if self.is_clearing() => 0,
            Err(time) => return Next::Wait(time),
        };
        self.lanes[number].state = LaneState::Receiving { granted, asked_at: now };
        // What an earlier try sent may lie behind messages that are left: whole batches reach it.
        let whole = self.shared.settings.selective || self.resumed && self.shared.has_some_left_to_settle();
        let messages_max = if whole || granted == 0 { self.shared.settings.batch_max } else { granted };
        let visibility_seconds = self.shared.settings.visibility_seconds;
        Next::Step(Step::Receive { lane: number, messages_max, wait_seconds: WAIT_SECONDS, visibility_seconds })
    }

    /// Whether another receive would bring nothing now, or too much.
    fn must_wait_for_others(&self, now: Timestamp) -> bool {
        let receiving =
            self.lanes.iter().filter(|lane| matches!(lane.state, LaneState::Receiving { .. })).count() as u64;
        let bytes = self.shared.bytes_in_hand + (receiving + 1) * self.receiving.largest_bytes;
        let is_alone = self.lanes.iter().all(|lane| matches!(lane.state, LaneState::Idle));
        // One that waits is enough: it gets what comes.
        let in_vain = self.in_vain_at().is_some_and(|at| at <= now);
        in_vain || (self.shared.is_one_at_a_time || bytes > BYTES_IN_HAND_MAX) && !is_alone
    }

    /// When the first of the receives that are out is known to wait in vain.
    fn in_vain_at(&self) -> Option<Timestamp> {
        let asked_at = |lane: &super::Lane| match lane.state {
            LaneState::Receiving { asked_at, .. } => self.receiving.in_vain_at(asked_at),
            LaneState::Idle | LaneState::Waiting(_) | LaneState::Working(_) => None,
        };
        self.lanes.iter().filter_map(asked_at).min()
    }

    /// While all that is out is a receive that waits in vain, the counts are asked for: with those at its end they are the two
    /// that prove that nothing is left.
    pub(super) fn count_while_waiting(&mut self, now: Timestamp) -> Next {
        let at_rest = |lane: &super::Lane| matches!(lane.state, LaneState::Idle | LaneState::Receiving { .. });
        let may = matches!(self.stage, Stage::Moving) && self.receiving.counting == Counting::No;
        if !may || self.shared.is_stopping() || !self.lanes.iter().all(at_rest) {
            return Next::Wait(None);
        }
        match self.in_vain_at() {
            Some(at) if at <= now => {
                self.receiving.counting = Counting::Asked;
                Next::Step(Step::Count { destinations: false })
            }
            at => Next::Wait(at),
        }
    }

    /// What the counts said while a receive waited; an error says nothing.
    pub(super) fn on_counted_while_waiting(&mut self, source: Option<Counts>) {
        let nothing = source.is_some_and(|counts| self.is_nothing(counts));
        self.receiving.counting = Counting::Told { nothing };
    }

    /// Whether nothing is counted but what this run itself holds back.
    pub(super) fn is_nothing(&self, counts: Counts) -> bool {
        counts.visible + counts.delayed == 0 && counts.in_flight <= self.shared.left.len() as u64
    }

    pub(super) fn on_received(&mut self, now: Timestamp, number: LaneId, result: Result<Vec<Message>, CloudError>) {
        let lane = &mut self.lanes[number];
        let LaneState::Receiving { granted, asked_at } = lane.state else {
            unreachable!("an answer to a receive that was not made")
        };
        lane.state = LaneState::Idle;
        let messages = match result {
            Ok(messages) => messages,
            Err(error) => {
                self.shared.pace.settle(granted, 0, 0);
                return self.on_receive_failed(now, number, error);
            }
        };
        lane.failures = 0;
        lane.not_before = None;
        self.looked = true;
        if messages.is_empty() {
            self.shared.pace.settle(granted, 0, 0);
            return self.on_nothing_received();
        }
        self.receiving.bring(now, granted, asked_at, &messages);
        if self.shared.settings.source == QueueKind::Fifo {
            self.shared.is_one_at_a_time |= self.is_group_in_other_hands(now, &messages);
            self.shared.tally.one_at_a_time = self.shared.is_one_at_a_time;
            self.shared.see(&messages);
            self.see_whole_groups(&messages);
            self.turns.join(number, &messages);
        }
        self.lanes[number].state = LaneState::Waiting(Box::new(Batch { messages, granted, asked_at }));
        if self.turns.is_first(number) {
            self.begin(now, number);
        }
    }

    /// Of a group that was put back for this, alone, a batch that is not full is all there is.
    fn see_whole_groups(&mut self, messages: &[Message]) {
        if messages.len() < self.shared.settings.batch_max as usize {
            let groups = messages.iter().filter_map(|message| message.system.group.as_ref());
            let whole: Vec<String> = groups.filter(|group| self.reopened.contains(*group)).cloned().collect();
            self.shared.seen_to.extend(whole.into_iter().map(|group| (group, u128::MAX)));
        }
    }

    fn on_nothing_received(&mut self) {
        let has_messages = |lane: &&super::Lane| matches!(lane.state, LaneState::Working(_) | LaneState::Waiting(_));
        let busy = self.lanes.iter().filter(has_messages).count();
        if self.shared.settings.source == QueueKind::Fifo && busy > 0 {
            // The groups that lanes have in hand are locked: more lanes than there are groups are of no use.
            self.receiving.lanes = busy as f64;
            return;
        }
        self.empty = true;
    }

    /// Whether a lane has an unsent message, still hidden, of a group of which the source has just handed out others.
    fn is_group_in_other_hands(&self, now: Timestamp, messages: &[Message]) -> bool {
        messages.iter().filter_map(|message| message.system.group.as_deref()).any(|group| {
            let lane = self.turns.first(group).map(|lane| &self.lanes[lane].state);
            matches!(lane, Some(LaneState::Working(work)) if work.has_unsent_of(group, now))
        })
    }

    /// It is the lane's turn: its messages are dealt with.
    pub(super) fn begin(&mut self, now: Timestamp, number: LaneId) {
        let LaneState::Waiting(batch) = std::mem::replace(&mut self.lanes[number].state, LaneState::Idle) else {
            unreachable!("a lane begins with what it has received")
        };
        let Batch { mut messages, granted, asked_at } = *batch;
        let clearing = self.is_clearing();
        // Order within a group is the sequence; a standard queue's best is the time of sending.
        messages.sort_by_key(|message| (message.system.sequence, message.system.sent_at));
        let items: Vec<Item> = messages.into_iter().filter_map(|message| self.shared.sort(message)).collect();
        // What only arrives, or was left before, is no progress: with a consumer that still fails it would never end.
        let is_own = |item: &Item| match item.state {
            ItemState::Sent => true,
            // Where only what was begun is left to do, the rest is passed by.
            ItemState::New => !clearing || item.is_counted,
            ItemState::Ready | ItemState::Remove | ItemState::Hold | ItemState::PutBack | ItemState::Finished => false,
        };
        let own = items.iter().any(is_own);
        if own {
            self.active_at = now;
            self.received_since_count = true;
            self.confirmed = 0;
        }
        self.shared.batch += 1;
        let hidden_until = after_seconds(asked_at, self.shared.settings.visibility_seconds);
        let work = Work::new(items, granted, self.shared.batch, hidden_until, own);
        self.lanes[number].state = LaneState::Working(Box::new(work));
    }

    fn on_receive_failed(&mut self, now: Timestamp, number: LaneId, error: CloudError) {
        self.lanes[number].failures += 1;
        let failures = self.lanes[number].failures;
        if error.kind == ErrorKind::Throttled {
            self.shared.tally.throttled += 1;
        }
        // A lost answer leaves messages hidden; they show again by themselves, and the end waits for them.
        if error.is_passing() && failures < attempts_max(&error) {
            self.active_at = now;
            self.lanes[number].not_before = Some(after_attempt(now, failures));
        } else {
            self.shared.stop_because(Stop::Failed(error));
        }
    }
}
