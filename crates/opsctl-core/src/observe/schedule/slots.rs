//! The queues of a schedule: each waits in the lane that it matters by, or is being asked about.

use std::{collections::BTreeSet, time::Duration};

use super::{Ask, Outcome, PAUSE_MAX, Policy, Turn, pause};

/// A queue in a schedule. Used again for another once its queue is gone and no question about it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

impl Slot {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Visible,
    First,
    DeadLetters,
    Rest,
    FirstTags,
    Tags,
}

impl Lane {
    pub(super) const ALL: [Self; 6] =
        [Self::Visible, Self::First, Self::DeadLetters, Self::Rest, Self::FirstTags, Self::Tags];

    pub(super) fn interval(self, policy: &Policy) -> Duration {
        match self {
            Self::Visible => policy.visible,
            Self::First | Self::DeadLetters => policy.dead_letters,
            Self::Rest => policy.rest,
            Self::FirstTags => policy.rest,
            Self::Tags => policy.tags,
        }
    }

    /// How much lateness counts.
    pub(super) fn weight(self) -> f64 {
        match self {
            Self::Visible => 8.0,
            Self::First | Self::DeadLetters => 4.0,
            Self::Rest | Self::FirstTags | Self::Tags => 1.0,
        }
    }

    /// Whether the budget bounds it.
    pub(super) fn is_bound(self) -> bool {
        match self {
            Self::First | Self::FirstTags => false,
            Self::Visible | Self::DeadLetters | Self::Rest | Self::Tags => true,
        }
    }
}

/// Attempts of a first look that are free of the budget.
const FIRST_FREE: u32 = 3;

#[derive(Debug, Clone, Default)]
struct Entry {
    look: Turn,
    tags: Option<Turn>,
    visible: bool,
    dead_letters: bool,
    denied: bool,
    seen: bool,
    tagged: bool,
    gone: bool,
}

impl Entry {
    fn lane(&self) -> Lane {
        match self {
            Self { seen: false, look, .. } if look.failures < FIRST_FREE => Lane::First,
            Self { visible: true, .. } => Lane::Visible,
            Self { dead_letters: true, .. } => Lane::DeadLetters,
            Self { .. } => Lane::Rest,
        }
    }

    fn tags_lane(&self) -> Lane {
        if self.tagged { Lane::Tags } else { Lane::FirstTags }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Those whose last question failed, denials apart.
    Failed,
}

#[derive(Debug, Default)]
pub(super) struct Slots {
    entries: Vec<Entry>,
    free: Vec<Slot>,
    lanes: [BTreeSet<(Duration, Slot)>; 6],
    visible: Vec<Slot>,
}

impl Slots {
    pub(super) fn add(&mut self, now: Duration, tags: bool) -> Slot {
        let turn = Turn { due: now, ..Turn::default() };
        let entry = Entry { look: turn, tags: tags.then_some(turn), ..Entry::default() };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.entries[slot.index()] = entry;
                slot
            }
            None => {
                self.entries.push(entry);
                // A listing is bounded far below 2^32 queues.
                Slot(u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX))
            }
        };
        self.wait(slot);
        slot
    }

    pub(super) fn remove(&mut self, slot: Slot) {
        self.leave(slot);
        self.visible.retain(|visible| *visible != slot);
        let entry = &mut self.entries[slot.index()];
        entry.gone = true;
        self.release(slot);
    }

    /// A gone queue's slot is free once no question about it is open: its answer would be taken for another's.
    fn release(&mut self, slot: Slot) {
        let entry = &self.entries[slot.index()];
        let is_open = entry.look.asked_at.is_some() || entry.tags.is_some_and(|tags| tags.asked_at.is_some());
        if entry.gone && !is_open {
            self.free.push(slot);
        }
    }

    pub(super) fn focus(&mut self, now: Duration, visible: &[Slot], policy: &Policy) {
        let before = std::mem::replace(&mut self.visible, visible.to_vec());
        let wanted: BTreeSet<Slot> = visible.iter().copied().collect();
        for slot in before.into_iter().filter(|slot| !wanted.contains(slot)) {
            self.change(now, slot, policy, |entry| entry.visible = false);
        }
        for slot in wanted {
            if !self.entries[slot.index()].visible {
                self.change(now, slot, policy, |entry| entry.visible = true);
            }
        }
    }

    pub(super) fn set_dead_letters(&mut self, now: Duration, slot: Slot, is: bool, policy: &Policy) {
        if self.entries[slot.index()].dead_letters != is {
            self.change(now, slot, policy, |entry| entry.dead_letters = is);
        }
    }

    /// Changes what a queue matters by; unless it failed, it is due as its new lane asks.
    fn change(&mut self, now: Duration, slot: Slot, policy: &Policy, change: impl FnOnce(&mut Entry)) {
        self.leave(slot);
        let entry = &mut self.entries[slot.index()];
        change(entry);
        if entry.look.failures == 0
            && !entry.denied
            && let Some(last) = entry.look.last_at
        {
            entry.look.due = (last + entry.lane().interval(policy)).max(now);
        }
        self.wait(slot);
    }

    pub(super) fn all_due(&mut self, now: Duration, which: Which) {
        for index in 0..self.entries.len() {
            let entry = &self.entries[index];
            let is_meant = which == Which::All || (entry.look.failures > 0 && !entry.denied);
            if entry.gone || !is_meant || entry.look.due <= now {
                continue;
            }
            let slot = Slot(u32::try_from(index).unwrap_or(u32::MAX));
            self.leave(slot);
            self.entries[index].look.due = now;
            self.wait(slot);
        }
    }

    pub(super) fn first(&self, lane: Lane) -> Option<(Duration, Ask)> {
        let (due, slot) = *self.lanes[lane as usize].first()?;
        let is_tags = matches!(lane, Lane::FirstTags | Lane::Tags);
        Some((due, if is_tags { Ask::Tags(slot) } else { Ask::Describe(slot) }))
    }

    pub(super) fn asked(&mut self, now: Duration, ask: Ask) {
        if let Some((slot, turn)) = self.turn(ask) {
            (turn.asked_at, turn.last_at) = (Some(now), Some(now));
            let due = turn.due;
            let lane = self.lane_of(slot, ask);
            self.lanes[lane as usize].remove(&(due, slot));
        }
    }

    /// Notes what came of a question; when it was asked, if it was.
    pub(super) fn answered(&mut self, now: Duration, ask: Ask, outcome: Outcome, policy: &Policy) -> Option<Duration> {
        let (slot, turn) = self.turn(ask)?;
        let asked_at = turn.asked_at.take()?;
        turn.failures = match outcome {
            Outcome::Done | Outcome::Denied => 0,
            Outcome::Throttled | Outcome::Missing | Outcome::Failed | Outcome::Unreachable => turn.failures + 1,
        };
        let failures = turn.failures;
        let entry = &mut self.entries[slot.index()];
        if entry.gone {
            self.release(slot);
            return Some(asked_at);
        }
        let is_look = matches!(ask, Ask::Describe(_));
        let is_first = is_look && !entry.seen;
        if is_look {
            entry.denied = outcome == Outcome::Denied;
            entry.seen |= matches!(outcome, Outcome::Done | Outcome::Denied | Outcome::Missing);
        } else {
            // Where tags may not be read, the other ways of pairing are left.
            entry.tagged = true;
        }
        let lane = self.lane_of(slot, ask);
        let interval = lane.interval(policy);
        let due = match outcome {
            // A first look asks all at once: the second ones are spread.
            Outcome::Done if is_first || lane == Lane::Tags => asked_at + spread(interval, slot),
            Outcome::Done => asked_at + interval,
            Outcome::Denied => now + spread(policy.denied.max(interval), slot),
            Outcome::Missing => now + policy.rest,
            Outcome::Throttled | Outcome::Failed | Outcome::Unreachable => {
                now + pause(failures).max(interval.min(PAUSE_MAX) / 2)
            }
        };
        if let Some((_, turn)) = self.turn(ask) {
            turn.due = due.max(now);
        }
        let due = due.max(now);
        self.lanes[lane as usize].insert((due, slot));
        Some(asked_at)
    }

    fn lane_of(&self, slot: Slot, ask: Ask) -> Lane {
        let entry = &self.entries[slot.index()];
        if matches!(ask, Ask::Tags(_)) { entry.tags_lane() } else { entry.lane() }
    }

    fn turn(&mut self, ask: Ask) -> Option<(Slot, &mut Turn)> {
        match ask {
            Ask::Describe(slot) => Some((slot, &mut self.entries.get_mut(slot.index())?.look)),
            Ask::Tags(slot) => Some((slot, self.entries.get_mut(slot.index())?.tags.as_mut()?)),
            Ask::Listing | Ask::Ages | Ask::Look(_) => None,
        }
    }

    fn leave(&mut self, slot: Slot) {
        let entry = &self.entries[slot.index()];
        let (lane, look, tags_lane, tags) = (entry.lane(), entry.look, entry.tags_lane(), entry.tags);
        self.lanes[lane as usize].remove(&(look.due, slot));
        if let Some(tags) = tags {
            self.lanes[tags_lane as usize].remove(&(tags.due, slot));
        }
    }

    /// Puts a queue into its lanes, as far as it is not being asked about.
    fn wait(&mut self, slot: Slot) {
        let entry = &self.entries[slot.index()];
        let (lane, look, tags_lane, tags) = (entry.lane(), entry.look, entry.tags_lane(), entry.tags);
        if look.asked_at.is_none() {
            self.lanes[lane as usize].insert((look.due, slot));
        }
        if let Some(tags) = tags.filter(|tags| tags.asked_at.is_none()) {
            self.lanes[tags_lane as usize].insert((tags.due, slot));
        }
    }
}

/// Between half the interval and all of it, another for each queue.
fn spread(interval: Duration, slot: Slot) -> Duration {
    // Multiples of the golden ratio fall evenly.
    let fraction = (f64::from(slot.0) * 0.618_033_988_75).fract();
    interval.mul_f64(0.5 + fraction / 2.0)
}
