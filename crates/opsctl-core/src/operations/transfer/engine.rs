//! The engine: lanes, and what they share.

mod identity;
mod receiving;
mod shared;
mod stages;
mod turns;

use std::collections::HashSet;

use jiff::Timestamp;

use identity::Identity;
pub use identity::VERIFIED_SECONDS;
pub(super) use shared::Shared;
use stages::Stage;

use super::{
    lane::Work,
    settings::Settings,
    step::{Answer, CONTROL, LaneId, Next},
    tally::{Stop, Tally},
};
use crate::journal::Record;
use receiving::{Batch, Receiving};
use turns::Turns;

/// How long a run goes on receiving while it meets nothing of its own.
const QUIET_SECONDS_MAX: i64 = 60;

/// Batches in hand for each lane of the settings: while some wait for the journal, others call.
const BATCHES_PER_LANE: usize = 2;

#[derive(Debug)]
enum LaneState {
    Idle,
    Receiving {
        granted: u32,
        asked_at: Timestamp,
    },
    /// Received, and behind another lane that has messages of the same group in hand.
    Waiting(Box<Batch>),
    Working(Box<Work>),
}

#[derive(Debug)]
struct Lane {
    state: LaneState,
    /// When the call went out that is not answered yet.
    asked_at: Timestamp,
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
    /// FIFO: groups that were put back for what may stand behind messages that are held.
    reopened: HashSet<String>,
    received_since_count: bool,
    failures: u32,
    begun_at: Timestamp,
    /// When something of this run was last met or finished, and whether a receive was answered since.
    active_at: Timestamp,
    looked: bool,
    receiving: Receiving,
    turns: Turns,
    turn: LaneId,
    /// Whether an earlier try left something to delete.
    resumed: bool,
    /// What came back while the last step was watched is parked, and all else is left.
    collecting: bool,
    identity: Identity,
}

impl Engine {
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        let resume = &settings.resume;
        let resumed =
            [&resume.sent_not_deleted, &resume.perhaps_gone, &resume.uncertain].iter().any(|open| !open.is_empty());
        let shared = Shared::new(settings, now);
        let lanes = shared.settings.lanes.max(1);
        // One lane keeps order: nothing may overtake in it.
        let batches = if lanes == 1 { 1 } else { lanes * BATCHES_PER_LANE };
        let lane =
            || Lane { state: LaneState::Idle, asked_at: now, not_before: None, failures: 0, unflushed: Vec::new() };
        Self {
            lanes: (0..batches).map(|_| lane()).collect(),
            turn: 0,
            shared,
            stage: Stage::Moving,
            empty: false,
            confirmed: 0,
            stale_rounds: 0,
            reopened: HashSet::new(),
            received_since_count: false,
            failures: 0,
            begun_at: now,
            active_at: now,
            looked: false,
            receiving: Receiving::new(now),
            turns: Turns::default(),
            resumed,
            collecting: false,
            identity: Identity::new(now),
        }
    }

    pub fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    /// Finishes what is in hand, then stops.
    pub fn cancel(&mut self) {
        self.shared.stop_because(Stop::Cancelled);
    }

    /// What to do next. Ask until it says to wait.
    pub fn next(&mut self, now: Timestamp) -> Next {
        self.shared.flow.pass(now);
        let verify_at = match self.verify(now) {
            Next::Wait(wake) => wake,
            next => return next,
        };
        match self.next_of_all(now) {
            Next::Wait(wake) => Next::Wait(earlier(earlier(wake, verify_at), self.shared.flow.next_at())),
            next => next,
        }
    }

    fn next_of_all(&mut self, now: Timestamp) -> Next {
        let wake = loop {
            let before = (self.shared.open_intents, self.turns.ended());
            match self.next_of_lanes(now) {
                // A batch that ended without a step may have been what another one waited for.
                Next::Wait(_) if self.shared.open_intents < before.0 || self.turns.ended() != before.1 => {}
                Next::Wait(wake) => break wake,
                next => return next,
            }
        };
        if !self.lanes.iter().all(|lane| matches!(lane.state, LaneState::Idle)) {
            return match self.count_while_waiting(now) {
                Next::Wait(time) => Next::Wait(earlier(wake, time)),
                next => next,
            };
        }
        match self.next_of_stage(now) {
            Next::Wait(time) => Next::Wait(earlier(wake, time)),
            next => next,
        }
    }

    fn next_of_lanes(&mut self, now: Timestamp) -> Next {
        let mut wake: Option<Timestamp> = None;
        // What is in hand goes before what is not, and everybody has a turn: a batch is hidden for so long only.
        for receiving in [false, true] {
            if receiving && !self.may_receive(now) {
                break;
            }
            for offset in 0..self.lanes.len() {
                let lane = (self.turn + offset) % self.lanes.len();
                let next = if receiving { self.receive(lane, now) } else { self.next_of_work(lane, now) };
                match next {
                    Next::Step(step) => {
                        self.turn = lane + 1;
                        if step.is_call() {
                            self.lanes[lane].asked_at = now;
                            self.shared.flow.asked();
                        }
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
        if let LaneState::Waiting(_) = self.lanes[number].state {
            if !self.turns.is_first(number) {
                return Next::Wait(None);
            }
            self.begin(now, number);
        }
        let shared = &mut self.shared;
        let lane = &mut self.lanes[number];
        let LaneState::Working(work) = &mut lane.state else { return Next::Wait(None) };
        if let Some(step) = work.next(number, now, shared, &mut lane.unflushed) {
            return Next::Step(step);
        }
        if !work.is_done() {
            return Next::Wait(work.not_before);
        }
        shared.pace.settle(work.granted, work.sent, work.counted);
        if work.is_own {
            (self.active_at, self.looked) = (now, false);
        }
        work.items.iter().for_each(|item| {
            shared.in_hand.remove(&item.key);
            shared.bytes_in_hand -= item.message.size_bytes();
        });
        lane.state = LaneState::Idle;
        self.turns.end(number);
        Next::Wait(None)
    }

    pub fn on(&mut self, now: Timestamp, answer: Answer) {
        if let Some((lane, how)) = answer.of_call(|lane| now.duration_since(self.lanes[lane].asked_at)) {
            self.shared.flow.answered(now, self.lanes[lane].asked_at, how);
        }
        match answer {
            Answer::Received(lane, result) => self.on_received(now, lane, result),
            Answer::Counted(result) => self.on_counted(now, result),
            Answer::Verified(result) => self.on_verified(now, result),
            Answer::Written(CONTROL, result) => {
                if let Err(because) = result {
                    self.shared.stop_because(Stop::unwritten(because));
                }
                self.on_control_written();
            }
            Answer::Hidden(CONTROL, _) => {
                if let Stage::Releasing { out } | Stage::Reopening { out, .. } = &mut self.stage {
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

    /// Whether all that is left to do is what an earlier try began: deletions, and messages that it may have sent.
    fn is_clearing(&self) -> bool {
        if self.collecting {
            return true;
        }
        self.resumed && self.shared.has_some_left_to_settle() && self.shared.pace.is_over()
    }

    fn with(&mut self, lane: LaneId, act: impl FnOnce(&mut Work, &mut Shared)) {
        match &mut self.lanes[lane].state {
            LaneState::Working(work) => act(work, &mut self.shared),
            LaneState::Idle | LaneState::Receiving { .. } | LaneState::Waiting(_) => {
                unreachable!("an answer to a step that was not asked for")
            }
        }
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
