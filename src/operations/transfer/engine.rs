//! The engine: lanes, and what they share.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    lane::{Item, ItemState, Work, after_attempt},
    memory::{Key, Recent},
    pace::Pace,
    settings::Settings,
    step::{Answer, CONTROL, LaneId, Next, Origin, Step},
    tally::{Kept, NAMED_MAX, Stop, Tally},
};
use crate::{
    cloud::{CloudError, ErrorKind, sqs::BATCH_MAX},
    domain::{Counts, Message, MessageId, QueueKind, ReceiptHandle, Text},
    journal::Record,
    operations::values::Uncertain,
};

/// Keys remembered of what was sent: about 15 MB.
const SENT_MAX: usize = 262_144;
/// Messages left and held at once; SQS itself allows about 120,000 in flight (SQS quotas).
const LEFT_MAX: usize = 100_000;
/// How long what is left stays hidden at a time, so that lanes do not meet it again and again.
const HOLD_SECONDS: u32 = 300;
/// Long poll: finds messages on all of SQS's servers, as a short one does not.
const WAIT_SECONDS: u32 = 1;
/// Receives that may fail in a row.
const RECEIVE_FAILURES_MAX: u32 = 10;
/// Rounds in which the count says that there are messages and none comes.
const STALE_ROUNDS_MAX: u32 = 5;
/// Batches put back at once at the end.
const RELEASES_MAX: usize = 8;

/// What all lanes share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) tally: Tally,
    pub(super) stopped_groups: HashSet<String>,
    /// Stand in a file and the journal: may be deleted without being sent.
    pub(super) removable: HashSet<Key>,
    pace: Pace,
    sent: Recent,
    sent_not_deleted: HashSet<Key>,
    uncertain: HashSet<Key>,
    new_ids: Recent,
    contents: Recent,
    /// What lanes work on; with a newer receipt handle where SQS delivered the message again meanwhile.
    in_hand: HashMap<Key, Option<ReceiptHandle>>,
    left: HashMap<Key, ReceiptHandle>,
    batch: u64,
    /// Messages that came back and were met.
    met: u64,
    /// By how much the queue grew while it was watched.
    grown: u64,
}

impl Shared {
    pub(super) fn is_stopping(&self) -> bool {
        self.tally.stop.is_some()
    }

    pub(super) fn is_journal_broken(&self) -> bool {
        matches!(self.tally.stop, Some(Stop::Journal(_)))
    }

    pub(super) fn stop_because(&mut self, stop: Stop) {
        // A journal that can't be written outranks every other reason: nothing more may be done unrecorded.
        if self.tally.stop.is_none() || matches!(stop, Stop::Journal(_)) {
            self.tally.stop = Some(stop);
        }
    }

    pub(super) fn newest_receipt(&self, item: &Item) -> ReceiptHandle {
        self.in_hand.get(&item.key).cloned().flatten().unwrap_or_else(|| item.message.receipt.clone())
    }

    pub(super) fn sent(&mut self, item: &Item, new_id: &MessageId) {
        self.sent.insert(item.key);
        self.sent_not_deleted.insert(item.key);
        self.uncertain.remove(&item.key);
        match item.origin {
            Origin::DeadLetter => {
                self.new_ids.insert(Key::of(new_id));
                if let Some((_, outgoing)) = &item.to {
                    self.contents.insert(Key::of_text(&outgoing.content_hash().0));
                }
                self.tally.sent += 1;
            }
            Origin::Bounced => self.tally.parked += 1,
        }
    }

    pub(super) fn doubt(&mut self, key: Key, id: MessageId) {
        if self.uncertain.insert(key) && self.tally.uncertain.len() < NAMED_MAX {
            self.tally.uncertain.push(id);
        }
    }

    pub(super) fn may_delete(&self, key: Key) -> bool {
        let known = self.sent.contains(key) || self.sent_not_deleted.contains(&key) || self.removable.contains(&key);
        known && !self.uncertain.contains(&key)
    }

    pub(super) fn deleted(&mut self, key: Key) {
        if self.sent_not_deleted.remove(&key) {
            self.tally.moved += 1;
        } else if self.removable.remove(&key) {
            self.tally.removed += 1;
        }
    }

    pub(super) fn leave(&mut self, key: Key, receipt: ReceiptHandle) {
        self.left.insert(key, receipt);
        if self.left.len() >= LEFT_MAX {
            self.stop_because(Stop::TooManyLeft);
        }
    }

    pub(super) fn hold_seconds(&self) -> u32 {
        HOLD_SECONDS.max(self.settings.visibility_seconds)
    }

    /// What becomes of a received message before anybody judges it.
    fn sort(&mut self, message: Message) -> Option<Item> {
        let key = Key::of(&message.id);
        if let Some(newest) = self.in_hand.get_mut(&key) {
            // Delivered twice at once: the lane that has it goes on, with the newest handle.
            *newest = Some(message.receipt);
            return None;
        }
        self.in_hand.insert(key, None);
        let (state, origin) = self.first_state(key, &message);
        Some(Item { message: Arc::new(message), key, state, origin, to: None, attempts: 0, maybe_sent: false })
    }

    fn first_state(&mut self, key: Key, message: &Message) -> (ItemState, Origin) {
        let dead_letter = |state| (state, Origin::DeadLetter);
        if self.uncertain.contains(&key) && self.settings.resume.policy == Uncertain::Leave {
            return dead_letter(self.keep_once(key, message, &Kept::Uncertain));
        }
        if self.sent_not_deleted.contains(&key) || self.sent.contains(key) {
            return dead_letter(ItemState::Sent);
        }
        if self.left.contains_key(&key) {
            return dead_letter(ItemState::Hold);
        }
        let arrived = message.system.sent_at.is_some_and(|sent_at| sent_at >= self.settings.cutoff);
        let came_back =
            self.new_ids.contains(key) || arrived && self.contents.contains(Key::of_text(&message.content_hash().0));
        if came_back {
            self.met += 1;
            self.guard_against_bounces(0);
            if self.settings.park {
                return (ItemState::New, Origin::Bounced);
            }
            return (self.keep_once(key, message, &Kept::Bounced), Origin::Bounced);
        }
        if arrived {
            return dead_letter(self.keep_once(key, message, &Kept::Arrived));
        }
        let stopped = message.system.group.as_ref().is_some_and(|group| self.stopped_groups.contains(group));
        if stopped && self.settings.source == QueueKind::Fifo {
            return dead_letter(self.keep_once(key, message, &Kept::GroupStopped));
        }
        dead_letter(ItemState::New)
    }

    /// What grew the queue while it was watched is met later on: the same messages are not counted twice.
    fn guard_against_bounces(&mut self, growing: u64) {
        let (bounced, sent) = (self.met.max(self.grown + growing), self.tally.sent);
        self.tally.bounced = bounced;
        if bounced > 0 && self.settings.bounce_max.is_exceeded(bounced, sent) {
            self.stop_because(Stop::Bounced { bounced, sent });
        }
    }

    fn keep_once(&mut self, key: Key, message: &Message, why: &Kept) -> ItemState {
        if self.settings.source == QueueKind::Fifo
            && let Some(group) = &message.system.group
        {
            self.stopped_groups.insert(group.clone());
        }
        if !self.left.contains_key(&key) {
            match why {
                // Named once already, with the others that are uncertain.
                Kept::Uncertain => self.doubt(key, message.id.clone()),
                _ => self.tally.keep(&message.id, why),
            }
        }
        ItemState::Hold
    }
}

#[derive(Debug)]
enum LaneState {
    Idle,
    Receiving { granted: u32, asked_at: Timestamp },
    Working(Box<Work>),
}

#[derive(Debug)]
struct Lane {
    state: LaneState,
    not_before: Option<Timestamp>,
    unflushed: Vec<Record>,
}

/// What the engine as a whole is about.
#[derive(Debug)]
enum Stage {
    /// Lanes receive.
    Moving,
    /// A receive came back empty: what do the counts say?
    Counting {
        asked: bool,
        not_before: Option<Timestamp>,
    },
    /// Do messages come back?
    Watching {
        until: Timestamp,
        baseline: Option<u64>,
        grown: u64,
        asked: bool,
        next_at: Timestamp,
        last: bool,
    },
    /// The step's record is written.
    Recording {
        asked: bool,
        last: bool,
    },
    /// The step's record stands.
    Recorded {
        last: bool,
    },
    /// What was left is put back.
    Releasing {
        out: usize,
    },
    /// The last records are written.
    Flushing {
        asked: bool,
    },
    Done,
}

/// Takes messages out of a queue without losing or doubling one. Does no I/O and reads no clock.
#[derive(Debug)]
pub struct Engine {
    shared: Shared,
    lanes: Vec<Lane>,
    stage: Stage,
    empty: bool,
    confirmed: u32,
    stale_rounds: u32,
    received_since_count: bool,
    failures: u32,
    active_at: Timestamp,
    full_batches: usize,
}

impl Engine {
    /// An engine that begins at `now`.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        let mut shared = Shared {
            tally: Tally::default(),
            stopped_groups: HashSet::new(),
            removable: HashSet::new(),
            pace: Pace::new(settings.rate, &settings.ramp, settings.limit, now),
            sent: Recent::new(SENT_MAX),
            sent_not_deleted: settings.resume.sent_not_deleted.iter().map(Key::of).collect(),
            uncertain: settings.resume.uncertain.iter().map(Key::of).collect(),
            new_ids: Recent::new(SENT_MAX),
            contents: Recent::new(SENT_MAX),
            in_hand: HashMap::new(),
            left: HashMap::new(),
            batch: settings.resume.batch,
            met: 0,
            grown: 0,
            settings,
        };
        let resume = std::mem::take(&mut shared.settings.resume.sent);
        resume.iter().for_each(|id| shared.sent.insert(Key::of(id)));
        let new_ids = std::mem::take(&mut shared.settings.resume.new_ids);
        new_ids.iter().for_each(|id| shared.new_ids.insert(Key::of(id)));
        let mut uncertain: Vec<_> = shared.settings.resume.uncertain.iter().cloned().collect();
        uncertain.sort_unstable();
        uncertain.truncate(NAMED_MAX);
        if shared.settings.resume.policy == Uncertain::Leave {
            shared.tally.uncertain = uncertain;
        }
        (shared.tally.step, shared.tally.steps) = shared.pace.step();
        let lane = || Lane { state: LaneState::Idle, not_before: None, unflushed: Vec::new() };
        Self {
            lanes: (0..shared.settings.lanes.max(1)).map(|_| lane()).collect(),
            shared,
            stage: Stage::Moving,
            empty: false,
            confirmed: 0,
            stale_rounds: 0,
            received_since_count: false,
            failures: 0,
            active_at: now,
            full_batches: 0,
        }
    }

    /// What has been done so far.
    pub fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    /// Finishes what is in hand, then stops.
    pub fn cancel(&mut self) {
        self.shared.stop_because(Stop::Cancelled);
    }

    /// What to do next. Ask until it says to wait.
    pub fn next(&mut self, now: Timestamp) -> Next {
        let mut wake: Option<Timestamp> = None;
        for lane in 0..self.lanes.len() {
            match self.next_of_lane(lane, now) {
                Next::Step(step) => return Next::Step(step),
                Next::Wait(Some(time)) => wake = Some(wake.map_or(time, |wake| wake.min(time))),
                Next::Wait(None) | Next::Done => {}
            }
        }
        if !self.lanes.iter().all(|lane| matches!(lane.state, LaneState::Idle)) {
            return Next::Wait(wake);
        }
        match self.next_of_stage(now) {
            Next::Wait(Some(time)) => Next::Wait(Some(wake.map_or(time, |wake| wake.min(time)))),
            Next::Wait(None) => Next::Wait(wake),
            next => next,
        }
    }

    fn next_of_lane(&mut self, number: LaneId, now: Timestamp) -> Next {
        let shared = &mut self.shared;
        let lane = &mut self.lanes[number];
        if let LaneState::Working(work) = &mut lane.state {
            if let Some(step) = work.next(number, now, shared, &mut lane.unflushed) {
                return Next::Step(step);
            }
            if !work.is_done() {
                return Next::Wait(work.not_before());
            }
            shared.pace.settle(work.granted, work.sent);
            work.items.iter().for_each(|item| {
                shared.in_hand.remove(&item.key);
            });
            lane.state = LaneState::Idle;
        }
        self.receive(number, now)
    }

    fn receive(&mut self, number: LaneId, now: Timestamp) -> Next {
        let moving = matches!(self.stage, Stage::Moving);
        let lane = &mut self.lanes[number];
        // A few messages need one lane; lanes join in as batches come back full.
        let welcome = number <= self.full_batches;
        if !moving || !welcome || self.empty || self.shared.is_stopping() || !matches!(lane.state, LaneState::Idle) {
            return Next::Wait(None);
        }
        if let Some(time) = lane.not_before.filter(|time| now < *time) {
            return Next::Wait(Some(time));
        }
        let granted = match self.shared.pace.grant(now) {
            Ok(granted) => granted,
            Err(time) => return Next::Wait(time),
        };
        lane.state = LaneState::Receiving { granted, asked_at: now };
        // What an earlier try sent may lie behind messages that are left: whole batches reach it.
        let whole = self.shared.settings.selective || !self.shared.sent_not_deleted.is_empty();
        let messages_max = if whole { BATCH_MAX as u32 } else { granted };
        let visibility_seconds = self.shared.settings.visibility_seconds;
        Next::Step(Step::Receive { lane: number, messages_max, wait_seconds: WAIT_SECONDS, visibility_seconds })
    }

    /// What came of a step.
    pub fn on(&mut self, now: Timestamp, answer: Answer) {
        match answer {
            Answer::Received(lane, result) => self.on_received(now, lane, result),
            Answer::Counted(result) => self.on_counted(now, result),
            Answer::Written(CONTROL, result) => {
                if let Err(because) = result {
                    self.shared.stop_because(Stop::Journal(Text::line(&because)));
                }
                self.on_control_written();
            }
            Answer::Hidden(CONTROL, _) => {
                if let Stage::Releasing { out } = &mut self.stage {
                    *out -= 1;
                }
            }
            Answer::Judged(lane, judgements) => self.with(lane, |work, shared| work.on_judged(judgements, shared)),
            Answer::Written(lane, result) => self.with(lane, |work, shared| work.on_written(result, shared)),
            Answer::Sent(lane, result) => self.with(lane, |work, shared| work.on_sent(now, result, shared)),
            Answer::Deleted(lane, result) => self.with(lane, |work, shared| work.on_deleted(now, result, shared)),
            Answer::Hidden(lane, result) => self.with(lane, |work, shared| work.on_hidden(now, result, shared)),
        }
        self.shared.tally.sent_not_deleted = self.shared.sent_not_deleted.len() as u64;
    }

    fn with(&mut self, lane: LaneId, act: impl FnOnce(&mut Work, &mut Shared)) {
        match &mut self.lanes[lane].state {
            LaneState::Working(work) => act(work, &mut self.shared),
            LaneState::Idle | LaneState::Receiving { .. } => unreachable!("an answer to a step that was not asked for"),
        }
    }

    fn on_received(&mut self, now: Timestamp, number: LaneId, result: Result<Vec<Message>, CloudError>) {
        let lane = &mut self.lanes[number];
        let LaneState::Receiving { granted, asked_at } = lane.state else {
            unreachable!("an answer to a receive that was not made")
        };
        lane.state = LaneState::Idle;
        let mut messages = match result {
            Ok(messages) => messages,
            Err(error) => {
                self.shared.pace.settle(granted, 0);
                return self.on_receive_failed(now, number, error);
            }
        };
        self.failures = 0;
        lane.not_before = None;
        if messages.is_empty() {
            self.shared.pace.settle(granted, 0);
            self.empty = true;
            return;
        }
        self.active_at = now;
        self.received_since_count = true;
        self.confirmed = 0;
        if messages.len() >= granted as usize {
            self.full_batches += 1;
        }
        // Order within a group is the sequence; a standard queue's best is the time of sending.
        messages.sort_by_key(|message| (message.system.sequence, message.system.sent_at));
        let items: Vec<Item> = messages.into_iter().filter_map(|message| self.shared.sort(message)).collect();
        self.shared.batch += 1;
        let visible = SignedDuration::from_secs(i64::from(self.shared.settings.visibility_seconds));
        let hidden_until = asked_at.checked_add(visible).unwrap_or(now);
        let work = Work::new(items, granted, self.shared.batch, hidden_until);
        self.lanes[number].state = LaneState::Working(Box::new(work));
    }

    fn on_receive_failed(&mut self, now: Timestamp, number: LaneId, error: CloudError) {
        self.failures += 1;
        if error.kind == ErrorKind::Throttled {
            self.shared.tally.throttled += 1;
        }
        // A lost answer leaves messages hidden; they show again by themselves, and the end waits for them.
        if error.is_passing() && self.failures < RECEIVE_FAILURES_MAX {
            self.active_at = now;
            self.lanes[number].not_before = Some(after_attempt(now, self.failures));
        } else {
            self.shared.stop_because(Stop::Failed(error));
        }
    }

    /// All lanes are idle: what follows?
    fn next_of_stage(&mut self, now: Timestamp) -> Next {
        if self.shared.is_stopping() {
            // A count or a record that is out is waited for; a step's verdict is written in any case.
            match self.stage {
                Stage::Moving
                | Stage::Recorded { .. }
                | Stage::Counting { asked: false, .. }
                | Stage::Watching { asked: false, .. } => self.stage = Stage::Releasing { out: 0 },
                Stage::Counting { .. }
                | Stage::Watching { .. }
                | Stage::Recording { .. }
                | Stage::Releasing { .. }
                | Stage::Flushing { .. }
                | Stage::Done => {}
            }
        }
        match &mut self.stage {
            Stage::Moving if self.shared.pace.is_step_full() => {
                let last = self.shared.pace.is_limit_reached();
                self.end_step(now, last)
            }
            Stage::Moving if self.empty => {
                self.stage = Stage::Counting { asked: true, not_before: None };
                Next::Step(Step::Count)
            }
            Stage::Moving => Next::Wait(None),
            Stage::Counting { asked: true, .. } => Next::Wait(None),
            Stage::Counting { not_before: Some(time), .. } if now < *time => Next::Wait(Some(*time)),
            Stage::Counting { .. } => {
                // Looked at the counts and waited: receive once more.
                self.stage = Stage::Moving;
                self.empty = false;
                self.next(now)
            }
            Stage::Watching { asked: true, .. } => Next::Wait(None),
            Stage::Watching { next_at, .. } if now < *next_at => Next::Wait(Some(*next_at)),
            Stage::Watching { asked, .. } => {
                *asked = true;
                Next::Step(Step::Count)
            }
            Stage::Recording { asked: true, .. } => Next::Wait(None),
            Stage::Recording { asked, .. } => {
                *asked = true;
                let records = vec![self.step_record()];
                Next::Step(Step::Write { lane: CONTROL, records, saved: Vec::new(), batch: 0 })
            }
            Stage::Recorded { last } => {
                let last = *last;
                self.after_step(now, last)
            }
            Stage::Releasing { .. } => self.release(now),
            Stage::Flushing { asked: true } => Next::Wait(None),
            Stage::Flushing { asked } => {
                *asked = true;
                let records: Vec<Record> = self.lanes.iter_mut().flat_map(|lane| lane.unflushed.drain(..)).collect();
                if records.is_empty() || self.shared.is_journal_broken() {
                    self.stage = Stage::Done;
                    return Next::Done;
                }
                Next::Step(Step::Write { lane: CONTROL, records, saved: Vec::new(), batch: 0 })
            }
            Stage::Done => Next::Done,
        }
    }

    fn end_step(&mut self, now: Timestamp, last: bool) -> Next {
        let watch_seconds = self.shared.settings.watch_seconds;
        if watch_seconds > 0 && self.shared.pace.sent_in_step() > 0 {
            self.shared.tally.watching = true;
            let watch = SignedDuration::from_secs(i64::from(watch_seconds));
            let until = now.checked_add(watch).unwrap_or(now);
            self.stage = Stage::Watching { until, baseline: None, grown: 0, asked: false, next_at: now, last };
            return self.next(now);
        }
        self.after_step(now, last)
    }

    fn after_step(&mut self, now: Timestamp, last: bool) -> Next {
        self.shared.tally.watching = false;
        let goes_on = !last && self.shared.pace.advance();
        if goes_on {
            (self.shared.tally.step, self.shared.tally.steps) = self.shared.pace.step();
            self.empty = false;
            self.stage = Stage::Moving;
        } else {
            self.stage = Stage::Releasing { out: 0 };
        }
        self.next(now)
    }

    fn step_record(&self) -> Record {
        let tally = &self.shared.tally;
        let verdict = if tally.stop.is_some() { "too many came back" } else { "go on" };
        Record::Step { step: tally.step, sent: tally.sent, bounced: tally.bounced, verdict: Text::from(verdict) }
    }

    fn on_control_written(&mut self) {
        match self.stage {
            Stage::Recording { last, .. } => self.stage = Stage::Recorded { last },
            Stage::Flushing { .. } => self.stage = Stage::Done,
            Stage::Moving
            | Stage::Counting { .. }
            | Stage::Watching { .. }
            | Stage::Recorded { .. }
            | Stage::Releasing { .. }
            | Stage::Done => {}
        }
    }

    fn release(&mut self, now: Timestamp) -> Next {
        let Stage::Releasing { out } = &mut self.stage else { unreachable!("asked only while releasing") };
        let keys: Vec<Key> = self.shared.left.keys().take(BATCH_MAX).copied().collect();
        if keys.is_empty() {
            if *out > 0 {
                return Next::Wait(None);
            }
            self.stage = Stage::Flushing { asked: false };
            return self.next(now);
        }
        if *out >= RELEASES_MAX {
            return Next::Wait(None);
        }
        *out += 1;
        let receipts = keys.iter().filter_map(|key| self.shared.left.remove(key)).collect();
        Next::Step(Step::Hide { lane: CONTROL, receipts, seconds: 0 })
    }

    fn on_counted(&mut self, now: Timestamp, result: Result<Counts, CloudError>) {
        let counts = match result {
            Ok(counts) => counts,
            Err(error) => return self.on_count_failed(now, error),
        };
        self.failures = 0;
        match self.stage {
            Stage::Counting { .. } => self.on_counted_at_end(now, counts),
            Stage::Watching { .. } => self.on_counted_while_watching(now, counts),
            Stage::Moving
            | Stage::Recording { .. }
            | Stage::Recorded { .. }
            | Stage::Releasing { .. }
            | Stage::Flushing { .. }
            | Stage::Done => {}
        }
    }

    fn on_count_failed(&mut self, now: Timestamp, error: CloudError) {
        self.failures += 1;
        let again = after_attempt(now, self.failures);
        if !error.is_passing() || self.failures >= RECEIVE_FAILURES_MAX {
            self.shared.stop_because(Stop::Failed(error));
        }
        match &mut self.stage {
            Stage::Counting { asked, not_before } => (*asked, *not_before) = (false, Some(again)),
            Stage::Watching { asked, next_at, .. } => (*asked, *next_at) = (false, again),
            Stage::Moving
            | Stage::Recording { .. }
            | Stage::Recorded { .. }
            | Stage::Releasing { .. }
            | Stage::Flushing { .. }
            | Stage::Done => {}
        }
    }

    fn on_counted_at_end(&mut self, now: Timestamp, counts: Counts) {
        let elsewhere = counts.in_flight.saturating_sub(self.shared.left.len() as u64);
        let settle = SignedDuration::from_secs(i64::from(self.shared.settings.settle_seconds));
        let settled_at = self.active_at.checked_add(settle).unwrap_or(now);
        let mut look_again_at = now;
        if elsewhere > 0 && now < settled_at && !self.received_since_count {
            // In flight elsewhere (an earlier try, another reader): they show again, and may block their groups until then.
            look_again_at = now.checked_add(SignedDuration::from_secs(1)).unwrap_or(now).min(settled_at);
        } else if counts.visible + counts.delayed > 0 {
            self.confirmed = 0;
            self.stale_rounds = if self.received_since_count { 0 } else { self.stale_rounds + 1 };
            let blocked = self.shared.settings.source == QueueKind::Fifo && !self.shared.left.is_empty();
            if self.stale_rounds > if blocked { 1 } else { STALE_ROUNDS_MAX } {
                return self.end_drained(now, elsewhere);
            }
        } else {
            // Counts lag: an empty receive and a zero count, twice.
            self.confirmed += 1;
            if self.confirmed >= 2 {
                return self.end_drained(now, elsewhere);
            }
        }
        self.received_since_count = false;
        self.stage = Stage::Counting { asked: false, not_before: Some(look_again_at) };
    }

    fn end_drained(&mut self, now: Timestamp, elsewhere: u64) {
        self.shared.tally.elsewhere = elsewhere;
        let watch_seconds = self.shared.settings.watch_seconds;
        if watch_seconds > 0 && self.shared.pace.sent_in_step() > 0 {
            self.shared.tally.watching = true;
            let until = now.checked_add(SignedDuration::from_secs(i64::from(watch_seconds))).unwrap_or(now);
            self.stage = Stage::Watching { until, baseline: None, grown: 0, asked: false, next_at: now, last: true };
        } else {
            self.stage = Stage::Releasing { out: 0 };
        }
    }

    fn on_counted_while_watching(&mut self, now: Timestamp, counts: Counts) {
        let Stage::Watching { until, baseline, grown, asked, next_at, last } = &mut self.stage else { return };
        let total = counts.total();
        let start = *baseline.get_or_insert(total);
        *grown = (*grown).max(total.saturating_sub(start));
        *asked = false;
        let every = (i64::from(self.shared.settings.watch_seconds) / 20).clamp(1, 10);
        *next_at = now.checked_add(SignedDuration::from_secs(every)).unwrap_or(now).min(*until);
        let (grown, last, over) = (*grown, *last, now >= *until);
        self.shared.guard_against_bounces(grown);
        if over || self.shared.is_stopping() {
            self.shared.grown += grown;
            self.stage = Stage::Recording { asked: false, last };
        }
    }
}
