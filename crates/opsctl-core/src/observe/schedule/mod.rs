//! What to ask next. Sans I/O: it is told the time and what came of each question, and says what to ask or how long to wait.
//!
//! Every queue waits in a lane, by what it matters. Of what is due, that goes first which is late the most, measured by its
//! lane's interval and weight: where not all can be asked in time, all lanes slow down, the visible rows least, and none
//! starves. Moments are time since the watch started.

mod looks;
mod pace;
mod policy;
mod share;
mod slots;
#[cfg(test)]
mod tests;
use std::{collections::BTreeSet, time::Duration};

use self::looks::Looks;
use self::pace::Pace;
use self::slots::{Lane, Slots};
pub use self::{
    policy::Policy,
    share::{Share, Shares},
    slots::Slot,
};
use super::{
    budget::Budget,
    parts::{Look, PartName},
    snapshot::Spend,
};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::WatchRules,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    Listing,
    Describe(Slot),
    Tags(Slot),
    Ages,
    /// A part of what there is beside queues.
    Look(Look),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Ask this; [`Schedule::answered`] is told what came of it.
    Ask(Ask),
    /// Nothing before this moment, unless something is answered or changes; none: nothing at all.
    Wait(Option<Duration>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Throttled,
    Denied,
    Missing,
    /// No answer, or none that can be used; may be this queue's own trouble.
    Failed,
    /// No credentials, no connection, a wrong clock: the whole environment's trouble.
    Unreachable,
}

impl Outcome {
    pub fn of(error: Option<&CloudError>) -> Self {
        let Some(error) = error else { return Self::Done };
        match error.kind {
            ErrorKind::Denied => Self::Denied,
            ErrorKind::Throttled => Self::Throttled,
            ErrorKind::NotFound => Self::Missing,
            ErrorKind::CredentialsExpired
            | ErrorKind::CredentialsMissing
            | ErrorKind::ClockSkew
            | ErrorKind::Unreachable => Self::Unreachable,
            ErrorKind::Unknown | ErrorKind::Invalid => Self::Failed,
        }
    }
}

const PAUSE_LEAST: Duration = Duration::from_secs(1);
/// A failing queue is asked at least that often.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// So many failures in a row of any queues may mean that the environment is not reached.
const FAILURES_SUSPECT: u32 = 8;
/// Questions at once while that is not known.
const CONCURRENCY_SUSPECT: usize = 4;
/// Pause between two listings that queues' failures call for.
const LISTING_GAP: Duration = Duration::from_secs(5);
/// Attempts that a throttled call took: the SDK repeats reads.
const ATTEMPTS: u32 = 3;

#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    due: Duration,
    asked_at: Option<Duration>,
    last_at: Option<Duration>,
    failures: u32,
}

#[derive(Debug)]
pub struct Schedule {
    policy: Policy,
    slots: Slots,
    pub(super) budget: Budget,
    pace: Pace,
    pub(super) looks: Looks,
    listing: Turn,
    listed_at: Option<Duration>,
    ages: Option<Turn>,
    /// Whether the environment is not reached: only probed.
    down: bool,
    /// Failures in a row, of any queues, that may be the environment's.
    suspicion: u32,
    answered_at: Option<Duration>,
    in_flight: BTreeSet<(Duration, Ask)>,
}

impl Schedule {
    /// With nothing known: asks for the listing first.
    pub fn new(policy: Policy, rules: &WatchRules) -> Self {
        Self {
            slots: Slots::default(),
            budget: Budget::new(rules),
            pace: Pace::default(),
            looks: Looks::default(),
            listing: Turn::default(),
            listed_at: None,
            ages: None,
            down: false,
            suspicion: 0,
            answered_at: None,
            in_flight: BTreeSet::new(),
            policy,
        }
    }

    /// Takes other rules on: what was spent is forgotten.
    pub fn set_rules(&mut self, rules: &WatchRules) {
        self.budget = Budget::new(rules);
    }

    /// A new queue: asked at once.
    pub fn add(&mut self, now: Duration, tags: bool) -> Slot {
        self.slots.add(now, tags)
    }

    pub fn remove(&mut self, slot: Slot) {
        self.slots.remove(slot);
    }

    /// The queues on the screen, in place of those before.
    pub fn focus(&mut self, now: Duration, visible: &[Slot]) {
        self.slots.focus(now, visible, &self.policy);
    }

    pub fn set_dead_letters(&mut self, now: Duration, slot: Slot, is: bool) {
        self.slots.set_dead_letters(now, slot, is, &self.policy);
    }

    pub fn want_ages(&mut self, now: Duration) {
        self.ages.get_or_insert(Turn { due: now, ..Turn::default() });
    }

    pub fn refresh(&mut self, now: Duration) {
        self.listing.due = self.listing.due.min(now);
        if let Some(ages) = &mut self.ages {
            ages.due = ages.due.min(now);
        }
        self.looks.all_due(now);
        self.slots.all_due(now, slots::Which::All);
    }

    /// The parts on the screen, in place of those before.
    pub fn open(&mut self, now: Duration, parts: &[PartName]) {
        self.looks.open(now, parts, &self.policy);
    }

    pub fn spend(&mut self, now: Duration) -> Spend {
        self.budget.spend(now)
    }

    /// Whether the environment is only probed because it is not reached.
    pub fn is_down(&self) -> bool {
        self.down
    }

    /// Whether this question is asked now and not answered.
    pub fn is_listing(&self) -> bool {
        self.listing.asked_at.is_some()
    }

    pub fn next(&mut self, now: Duration) -> Step {
        let mut wake = Wake::default();
        if self.listing.asked_at.is_none() && wake.due(now, self.listing.due) {
            match self.pace.ready(now) {
                Ok(()) => return self.ask(now, Ask::Listing),
                Err(at) => wake.at(at),
            }
        }
        // Not a matter of the queues' places and pace: neither holds up the other.
        if let Some(look) = self.looks.next(now, &mut wake) {
            return Step::Ask(Ask::Look(look));
        }
        if self.down {
            return Step::Wait(wake.0);
        }
        if let Some(ages) = self.ages.filter(|ages| ages.asked_at.is_none())
            && wake.due(now, ages.due)
        {
            return self.ask(now, Ask::Ages);
        }
        if let Err(free) = self.free_place(now) {
            free.into_iter().for_each(|at| wake.at(at));
            return Step::Wait(wake.0);
        }
        let Some((ask, lane)) = self.most_late(now, &mut wake) else { return Step::Wait(wake.0) };
        if let Err(at) = self.pace.ready(now) {
            wake.at(at);
            return Step::Wait(wake.0);
        }
        self.slots.asked(now, ask);
        if !lane.is_bound() {
            self.budget.count(now, 1);
            return self.began(now, ask);
        }
        self.budget.charge(now, 1);
        self.began(now, ask)
    }

    /// The question that is late the most, of those that the budget admits.
    fn most_late(&mut self, now: Duration, wake: &mut Wake) -> Option<(Ask, Lane)> {
        let admitted = self.budget.ready(now);
        let mut best: Option<(f64, Ask, Lane)> = None;
        for lane in Lane::ALL {
            let Some((due, ask)) = self.slots.first(lane) else { continue };
            if !wake.due(now, due) {
                continue;
            }
            let late = now.saturating_sub(due);
            let interval = lane.interval(&self.policy);
            if let (true, Err(at)) = (lane.is_bound(), admitted) {
                wake.at(at);
                if late > interval / 4 {
                    self.budget.held(now);
                }
                continue;
            }
            let score = late.as_secs_f64() / interval.as_secs_f64().max(1e-3) * lane.weight();
            if best.is_none_or(|(most, ..)| score > most) {
                best = Some((score, ask, lane));
            }
        }
        best.map(|(_, ask, lane)| (ask, lane))
    }

    /// Whether one more question may be asked; else when that may change by time alone.
    fn free_place(&self, now: Duration) -> Result<(), Option<Duration>> {
        if self.in_flight.len() >= self.policy.in_flight_max {
            return Err(None);
        }
        let places =
            if self.suspicion > 0 { CONCURRENCY_SUSPECT.min(self.policy.concurrency) } else { self.policy.concurrency };
        let mut fresh =
            self.in_flight.iter().rev().map(|(at, _)| *at).take_while(|at| *at + self.policy.slow_after > now);
        match fresh.nth(places.max(1) - 1) {
            Some(_) => {
                let oldest = self.in_flight.iter().map(|(at, _)| *at).find(|at| *at + self.policy.slow_after > now);
                Err(oldest.map(|at| at + self.policy.slow_after))
            }
            None => Ok(()),
        }
    }

    fn ask(&mut self, now: Duration, ask: Ask) -> Step {
        match ask {
            Ask::Listing => {
                self.listing.asked_at = Some(now);
                self.budget.count(now, 1);
            }
            Ask::Ages => {
                if let Some(ages) = &mut self.ages {
                    ages.asked_at = Some(now);
                }
                return Step::Ask(ask);
            }
            Ask::Describe(_) | Ask::Tags(_) | Ask::Look(_) => {}
        }
        self.began(now, ask)
    }

    fn began(&mut self, now: Duration, ask: Ask) -> Step {
        self.pace.charge(now);
        self.in_flight.insert((now, ask));
        Step::Ask(ask)
    }

    pub fn answered(&mut self, now: Duration, ask: Ask, outcome: Outcome) {
        match ask {
            Ask::Listing => self.listing_answered(now, outcome),
            Ask::Ages => self.ages_answered(now, outcome),
            Ask::Describe(_) | Ask::Tags(_) => self.queue_answered(now, ask, outcome),
            Ask::Look(look) => {
                self.looks.answered(now, look, outcome, &self.policy);
                if outcome == Outcome::Unreachable && !self.down {
                    self.list_soon(now);
                }
            }
        }
    }

    fn listing_answered(&mut self, now: Duration, outcome: Outcome) {
        let Some(asked_at) = self.listing.asked_at.take() else { return };
        self.in_flight.remove(&(asked_at, Ask::Listing));
        self.note_throttling(now, outcome);
        let was_down = self.down;
        self.listing.failures = if outcome == Outcome::Done { 0 } else { self.listing.failures.saturating_add(1) };
        let pause = pause(self.listing.failures);
        self.down = match outcome {
            Outcome::Unreachable => true,
            // No answer: the environment's trouble, unless queues answer meanwhile.
            Outcome::Failed => self.answered_at.is_none_or(|at| at < asked_at),
            Outcome::Done | Outcome::Throttled | Outcome::Denied | Outcome::Missing => false,
        };
        self.listing.due = match outcome {
            Outcome::Done => asked_at + self.policy.listing,
            Outcome::Denied | Outcome::Missing => now + self.policy.listing,
            _ if self.down => now + pause.min(self.policy.probe_max),
            Outcome::Throttled | Outcome::Failed | Outcome::Unreachable => now + pause.min(self.policy.listing),
        };
        self.listed_at = Some(now);
        self.suspicion = 0;
        if was_down && !self.down {
            self.slots.all_due(now, slots::Which::Failed);
        }
    }

    fn ages_answered(&mut self, now: Duration, outcome: Outcome) {
        let Some(ages) = &mut self.ages else { return };
        let Some(asked_at) = ages.asked_at.take() else { return };
        ages.failures = if outcome == Outcome::Done { 0 } else { ages.failures.saturating_add(1) };
        ages.due = match outcome {
            Outcome::Done => asked_at + self.policy.ages,
            Outcome::Denied => now + self.policy.denied,
            Outcome::Throttled | Outcome::Missing | Outcome::Failed | Outcome::Unreachable => {
                now + self.policy.ages.max(pause(ages.failures).min(self.policy.denied))
            }
        };
    }

    fn queue_answered(&mut self, now: Duration, ask: Ask, outcome: Outcome) {
        let Some(asked_at) = self.slots.answered(now, ask, outcome, &self.policy) else { return };
        self.in_flight.remove(&(asked_at, ask));
        self.note_throttling(now, outcome);
        match outcome {
            Outcome::Done | Outcome::Denied => {
                self.suspicion = 0;
                self.answered_at = Some(now);
            }
            Outcome::Throttled => self.answered_at = Some(now),
            // It may be gone from the listing.
            Outcome::Missing => self.list_soon(now),
            Outcome::Failed | Outcome::Unreachable => {
                self.suspicion = self.suspicion.saturating_add(1);
                if outcome == Outcome::Unreachable || self.suspicion >= FAILURES_SUSPECT {
                    self.list_soon(now);
                }
            }
        }
    }

    fn note_throttling(&mut self, now: Duration, outcome: Outcome) {
        if outcome == Outcome::Throttled {
            self.pace.throttled(now);
            self.budget.throttled(now);
            self.budget.charge(now, ATTEMPTS - 1);
        }
    }

    fn list_soon(&mut self, now: Duration) {
        let soon = self.listed_at.map_or(now, |at| at + LISTING_GAP).max(now);
        self.listing.due = self.listing.due.min(soon);
    }
}

/// Doubles with each failure.
fn pause(failures: u32) -> Duration {
    PAUSE_LEAST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(PAUSE_MAX)
}

/// The next moment at which something changes by time alone.
#[derive(Debug, Default)]
struct Wake(Option<Duration>);

impl Wake {
    fn at(&mut self, moment: Duration) {
        self.0 = Some(self.0.map_or(moment, |wake| wake.min(moment)));
    }

    /// Whether it is due; else notes when.
    fn due(&mut self, now: Duration, due: Duration) -> bool {
        if due <= now {
            return true;
        }
        self.at(due);
        false
    }
}
