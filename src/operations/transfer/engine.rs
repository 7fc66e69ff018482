//! The engine: lanes, and what they share.

mod identity;
mod shared;
mod stages;

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use identity::Identity;
pub use identity::VERIFIED_SECONDS;
use shared::SENT_MIN;
pub(super) use shared::Shared;
use stages::Stage;

use super::{
    lane::{Item, ItemState, Work, after_attempt, attempts_max},
    memory::{Key, Recent},
    pace::Pace,
    settings::Settings,
    step::{Answer, CONTROL, LaneId, Next, Step},
    tally::{NAMED_MAX, Stop, Tally},
};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{Message, Text},
    journal::Record,
    operations::values::Uncertain,
};

/// Long poll: finds messages on all of SQS's servers, as a short one does not.
const WAIT_SECONDS: u32 = 1;
/// How long a run goes on receiving while it meets nothing of its own.
const QUIET_SECONDS_MAX: i64 = 60;

/// Batches in hand for each lane of the settings: while some wait for the journal, others call.
const BATCHES_PER_LANE: usize = 2;

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
    /// Receives that failed in a row.
    failures: u32,
    unflushed: Vec<Record>,
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
    begun_at: Timestamp,
    /// When something of this run was last met or finished, and whether a receive was answered since.
    active_at: Timestamp,
    looked: bool,
    full_batches: usize,
    /// Lane that is asked first.
    turn: LaneId,
    /// Whether an earlier try left something to delete.
    resumed: bool,
    identity: Identity,
}

impl Engine {
    /// An engine that begins at `now`.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        let resumed = !(settings.resume.sent_not_deleted.is_empty() && settings.resume.perhaps_gone.is_empty());
        let perhaps_gone: HashSet<Key> = settings.resume.perhaps_gone.iter().map(Key::of).collect();
        let mut shared = Shared {
            tally: Tally::default(),
            stopped_groups: HashSet::new(),
            removable: perhaps_gone.clone(),
            perhaps_gone,
            pace: Pace::new(settings.rate, &settings.ramp, settings.limit, settings.batch_max, now),
            sent: Recent::new(SENT_MIN),
            sent_not_deleted: settings.resume.sent_not_deleted.iter().map(Key::of).collect(),
            uncertain: settings.resume.uncertain.iter().map(Key::of).collect(),
            new_ids: Recent::new(SENT_MIN),
            contents: Recent::new(SENT_MIN),
            in_hand: HashMap::new(),
            left: HashMap::new(),
            holds_own: false,
            batch: settings.resume.batch,
            tried: settings.resume.tried.iter().map(|(id, tried)| (Key::of(id), tried.clone())).collect(),
            sent_before: 0,
            met: 0,
            grown: 0,
            calls_out: 0,
            edit_failures: Some(0),
            open_intents: 0,
            is_verified: true,
            is_forbidden: false,
            settings,
        };
        let resume = std::mem::take(&mut shared.settings.resume.sent);
        resume.iter().for_each(|id| shared.sent.insert(Key::of(id)));
        let new_ids = std::mem::take(&mut shared.settings.resume.new_ids);
        new_ids.iter().for_each(|id| shared.new_ids.insert(Key::of(id)));
        shared.sent_before = shared.settings.resume.moved;
        if shared.settings.resume.policy == Uncertain::Resend {
            // Asked for in so many words: no window of SQS's matters.
            shared.tried.clear();
        }
        // All are named until they are met and sent: a run that stops before that must not forget them.
        shared.tally.uncertain = shared.settings.resume.uncertain.iter().cloned().collect();
        shared.tally.uncertain.sort_unstable();
        shared.tally.uncertain.truncate(NAMED_MAX);
        shared.tally.sent_not_deleted = shared.sent_not_deleted.len() as u64;
        (shared.tally.step, shared.tally.steps) = shared.pace.step();
        let lanes = shared.settings.lanes.max(1);
        // One lane keeps order: nothing may overtake in it.
        let batches = if lanes == 1 { 1 } else { lanes * BATCHES_PER_LANE };
        let lane = || Lane { state: LaneState::Idle, not_before: None, failures: 0, unflushed: Vec::new() };
        Self {
            lanes: (0..batches).map(|_| lane()).collect(),
            turn: 0,
            shared,
            stage: Stage::Moving,
            empty: false,
            confirmed: 0,
            stale_rounds: 0,
            received_since_count: false,
            failures: 0,
            begun_at: now,
            active_at: now,
            looked: false,
            full_batches: 0,
            resumed,
            identity: Identity::new(now),
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
        let verify_at = match self.verify(now) {
            Next::Wait(wake) => wake,
            next => return next,
        };
        match self.next_of_all(now) {
            Next::Wait(wake) => Next::Wait(earlier(wake, verify_at)),
            next => next,
        }
    }

    fn next_of_all(&mut self, now: Timestamp) -> Next {
        let wake = loop {
            let open_intents = self.shared.open_intents;
            match self.next_of_lanes(now) {
                // A batch that ended without a step may have been what another one waited for.
                Next::Wait(_) if self.shared.open_intents < open_intents => {}
                Next::Wait(wake) => break wake,
                next => return next,
            }
        };
        if !self.lanes.iter().all(|lane| matches!(lane.state, LaneState::Idle)) {
            return Next::Wait(wake);
        }
        match self.next_of_stage(now) {
            Next::Wait(time) => Next::Wait(earlier(wake, time)),
            next => next,
        }
    }

    fn next_of_lanes(&mut self, now: Timestamp) -> Next {
        let mut wake: Option<Timestamp> = None;
        // What is in hand goes before what is not, and everybody has a turn: a batch is hidden for so long only.
        for acts in [Self::next_of_work, Self::receive] {
            for offset in 0..self.lanes.len() {
                let lane = (self.turn + offset) % self.lanes.len();
                match acts(self, lane, now) {
                    Next::Step(step) => {
                        self.turn = lane + 1;
                        self.shared.calls_out += usize::from(step.is_call());
                        return Next::Step(step);
                    }
                    Next::Wait(time) => wake = earlier(wake, time),
                    Next::Done => {}
                }
            }
        }
        Next::Wait(wake)
    }

    fn next_of_work(&mut self, number: LaneId, now: Timestamp) -> Next {
        let shared = &mut self.shared;
        let lane = &mut self.lanes[number];
        let LaneState::Working(work) = &mut lane.state else { return Next::Wait(None) };
        if let Some(step) = work.next(number, now, shared, &mut lane.unflushed) {
            return Next::Step(step);
        }
        if !work.is_done() {
            return Next::Wait(work.not_before());
        }
        shared.pace.settle(work.granted, work.sent);
        if work.is_own {
            (self.active_at, self.looked) = (now, false);
        }
        work.items.iter().for_each(|item| {
            shared.in_hand.remove(&item.key);
        });
        lane.state = LaneState::Idle;
        Next::Wait(None)
    }

    fn receive(&mut self, number: LaneId, now: Timestamp) -> Next {
        let moving = matches!(self.stage, Stage::Moving);
        let (quiet, clearing) = (self.is_quiet(now), self.is_clearing());
        let lane = &mut self.lanes[number];
        // A few messages need one lane; lanes join in as batches come back full.
        let welcome = number <= self.full_batches;
        if !moving || !welcome || self.empty || self.shared.is_stopping() || !matches!(lane.state, LaneState::Idle) {
            return Next::Wait(None);
        }
        if !self.shared.may_call() {
            return Next::Wait(None);
        }
        if let Some(time) = lane.not_before.filter(|time| now < *time) {
            return Next::Wait(Some(time));
        }
        if quiet {
            // Nothing of this run has been met for a while, only what arrives: the counts have the last word.
            self.empty = true;
            return Next::Wait(None);
        }
        let granted = match self.shared.pace.grant(now) {
            Ok(granted) => granted,
            // Nothing more is to be sent; what an earlier try sent is still to be deleted.
            Err(None) if clearing => 0,
            Err(time) => return Next::Wait(time),
        };
        lane.state = LaneState::Receiving { granted, asked_at: now };
        // What an earlier try sent may lie behind messages that are left: whole batches reach it.
        let whole = self.shared.settings.selective || self.shared.has_deletions_left();
        let messages_max = if whole { self.shared.settings.batch_max } else { granted };
        let visibility_seconds = self.shared.settings.visibility_seconds;
        Next::Step(Step::Receive { lane: number, messages_max, wait_seconds: WAIT_SECONDS, visibility_seconds })
    }

    /// What came of a step.
    pub fn on(&mut self, now: Timestamp, answer: Answer) {
        self.shared.calls_out -= usize::from(answer.is_of_call());
        match answer {
            Answer::Received(lane, result) => self.on_received(now, lane, result),
            Answer::Counted(result) => self.on_counted(now, result),
            Answer::Verified(result) => self.on_verified(now, result),
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

    /// Whether nothing of this run has been met for long.
    fn is_quiet(&self, now: Timestamp) -> bool {
        let seconds_max = QUIET_SECONDS_MAX.max(i64::from(self.shared.settings.settle_seconds));
        self.looked && now.duration_since(self.active_at).as_secs() > seconds_max
    }

    /// Whether all that is left to do is to delete what an earlier try sent.
    fn is_clearing(&self) -> bool {
        self.resumed && self.shared.has_deletions_left() && self.shared.pace.is_over()
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
        lane.failures = 0;
        lane.not_before = None;
        self.looked = true;
        let clearing = self.is_clearing();
        if messages.is_empty() {
            self.shared.pace.settle(granted, 0);
            self.empty = true;
            return;
        }
        if messages.len() >= granted as usize {
            self.full_batches += 1;
        }
        // Order within a group is the sequence; a standard queue's best is the time of sending.
        messages.sort_by_key(|message| (message.system.sequence, message.system.sent_at));
        let items: Vec<Item> = messages.into_iter().filter_map(|message| self.shared.sort(message)).collect();
        // What only arrives, or was left before, is no progress: with a consumer that still fails it would never end.
        let is_own = |item: &Item| match item.state {
            ItemState::Sent => true,
            // Where only deletions are left to do, the rest is passed by.
            ItemState::New => !clearing,
            ItemState::Ready | ItemState::Remove | ItemState::Hold | ItemState::PutBack | ItemState::Finished => false,
        };
        let own = items.iter().any(is_own);
        if own {
            self.active_at = now;
            self.received_since_count = true;
            self.confirmed = 0;
        }
        self.shared.batch += 1;
        let visible = SignedDuration::from_secs(i64::from(self.shared.settings.visibility_seconds));
        let hidden_until = asked_at.checked_add(visible).unwrap_or(now);
        let work = Work::new(items, granted, self.shared.batch, hidden_until);
        self.lanes[number].state = LaneState::Working(Box::new(work.of_own(own)));
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

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
