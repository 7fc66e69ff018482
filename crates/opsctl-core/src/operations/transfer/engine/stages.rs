//! What the engine as a whole is about: moving, counting, watching, putting back.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Engine, Shared, receiving::Counting, shared::Left};
use crate::{
    cloud::{CloudError, sqs::BATCH_MAX},
    domain::{Counts, MessageId, QueueKind, Text},
    journal::Record,
    operations::transfer::{
        lane::{after_attempt, after_seconds, attempts_max},
        memory::Key,
        step::{CONTROL, Counted, Next, Step},
        tally::Stop,
    },
};

/// Rounds in which the count says that there are messages and none comes.
const STALE_ROUNDS_MAX: u32 = 10;
/// Batches put back at once at the end.
const RELEASES_MAX: usize = 8;

#[derive(Debug)]
pub(super) enum Stage {
    Moving,
    /// A ramp's next step begins when it is known whose credentials these are.
    Verifying,
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
    Recording {
        asked: bool,
        last: bool,
    },
    Recorded {
        last: bool,
    },
    /// A group is put back that hides what is missing behind messages that are held: the next receive brings both.
    Reopening {
        keys: Vec<Key>,
        out: usize,
    },
    /// What was left is put back.
    Releasing {
        out: usize,
    },
    Flushing {
        asked: bool,
    },
    Done,
}

impl Engine {
    /// All lanes are idle: what follows?
    pub(super) fn next_of_stage(&mut self, now: Timestamp) -> Next {
        if self.receiving.counting == Counting::Asked {
            return Next::Wait(None);
        }
        // A count or a record that is out is waited for; a step's verdict is written in any case.
        let is_at_rest = matches!(
            self.stage,
            Stage::Moving
                | Stage::Verifying
                | Stage::Recorded { .. }
                | Stage::Counting { asked: false, .. }
                | Stage::Watching { asked: false, .. }
        );
        if self.shared.is_stopping() && is_at_rest {
            self.stage = Stage::Releasing { out: 0 };
        }
        let clearing = self.is_clearing();
        match &mut self.stage {
            Stage::Moving if self.shared.pace.is_step_full() && !clearing => {
                let last = self.shared.pace.is_limit_reached();
                self.end_step(now, last)
            }
            Stage::Moving if self.empty => {
                self.stage = Stage::Counting { asked: true, not_before: None };
                Next::Step(Step::Count { destinations: false })
            }
            Stage::Moving | Stage::Verifying => Next::Wait(None),
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
                Next::Step(Step::Count { destinations: true })
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
            Stage::Reopening { .. } => self.reopen(now),
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
        if self.watches(now, last) { self.next(now) } else { self.after_step(now, last) }
    }

    /// Begins to watch where messages of this step may come back: those that were sent in it, or before an earlier try broke off while
    /// it watched.
    fn watches(&mut self, now: Timestamp, last: bool) -> bool {
        let Shared { settings, pace, tally, .. } = &mut self.shared;
        tally.watching = settings.watch_seconds > 0 && (pace.sent_in_step() > 0 || settings.resume.is_unwatched);
        if tally.watching {
            let until = after_seconds(now, settings.watch_seconds);
            self.stage = Stage::Watching { until, baseline: None, grown: 0, asked: false, next_at: now, last };
        }
        tally.watching
    }

    fn after_step(&mut self, now: Timestamp, last: bool) -> Next {
        self.shared.tally.watching = false;
        self.shared.settings.resume.is_unwatched = false;
        let goes_on = !last && self.shared.pace.advance();
        if goes_on {
            (self.shared.tally.step, self.shared.tally.steps) = self.shared.pace.step();
            self.empty = false;
            self.stage = Stage::Verifying;
        } else {
            self.stage = Stage::Releasing { out: 0 };
        }
        self.next(now)
    }

    fn step_record(&self) -> Record {
        let tally = &self.shared.tally;
        let verdict = match tally.stop {
            None => "go on",
            Some(Stop::Ageing(_)) => "the oldest message ages",
            Some(_) => "too many came back",
        };
        Record::Step { step: tally.step, sent: tally.sent, bounced: tally.bounced, verdict: Text::from(verdict) }
    }

    pub(super) fn on_control_written(&mut self) {
        if let Stage::Recording { last, .. } = self.stage {
            self.stage = Stage::Recorded { last };
        } else if let Stage::Flushing { .. } = self.stage {
            self.stage = Stage::Done;
        }
    }

    /// Puts back, in the order in which groups lock: SQS hands out none of a group before all of it are back.
    fn reopen(&mut self, now: Timestamp) -> Next {
        let Stage::Reopening { keys, out } = &mut self.stage else { unreachable!("asked only while reopening") };
        if keys.is_empty() || self.shared.is_stopping() {
            if *out > 0 {
                return Next::Wait(None);
            }
            (self.stage, self.empty, self.stale_rounds) = (Stage::Moving, false, 0);
            return self.next(now);
        }
        if *out >= RELEASES_MAX {
            return Next::Wait(None);
        }
        *out += 1;
        let batch = keys.split_off(keys.len().saturating_sub(BATCH_MAX));
        // They stay known as left: met again, they are held again.
        let receipts = batch.iter().filter_map(|key| Some(self.shared.left.get(key)?.receipt.clone())).collect();
        Next::Step(Step::Hide { lane: CONTROL, receipts, seconds: 0 })
    }

    /// Messages that are held, of a group in which something that is missing may stand behind them: one group at a time, for a
    /// receive brings ten messages, and each group once.
    fn held_before_what_is_missing(&mut self) -> Vec<Key> {
        let places = &self.shared.settings.resume.places;
        let missing = self.missing();
        let is_hidden = |id: &&MessageId, place: &(String, u128)| {
            !self.reopened.contains(&place.0) && self.shared.may_be_behind(id, place)
        };
        let places = missing.iter().filter_map(|id| Some((id, places.get(id)?)));
        let hidden = places.filter(|(id, place)| is_hidden(id, place));
        let Some(group) = hidden.map(|(_, place)| place.0.clone()).min() else { return Vec::new() };
        let is_of = |left: &Left| left.group.as_ref() == Some(&group);
        let keys = self.shared.left.iter().filter(|(_, left)| is_of(left)).map(|(key, _)| *key).collect();
        self.reopened.insert(group);
        keys
    }

    fn release(&mut self, now: Timestamp) -> Next {
        let Stage::Releasing { out } = &mut self.stage else { unreachable!("asked only while releasing") };
        if self.shared.is_forbidden {
            // They show again by themselves.
            self.shared.left.clear();
        }
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
        let receipts = keys.iter().filter_map(|key| Some(self.shared.left.remove(key)?.receipt)).collect();
        Next::Step(Step::Hide { lane: CONTROL, receipts, seconds: 0 })
    }

    pub(super) fn on_counted(&mut self, now: Timestamp, result: Result<Counted, CloudError>) {
        if self.receiving.counting == Counting::Asked {
            return self.on_counted_while_waiting(result.ok().map(|counted| counted.source));
        }
        let counted = match result {
            Ok(counted) => counted,
            Err(error) => return self.on_count_failed(now, error),
        };
        self.failures = 0;
        if matches!(self.stage, Stage::Counting { .. }) {
            self.on_counted_at_end(now, counted.source);
        } else {
            self.on_counted_while_watching(now, counted);
        }
    }

    fn on_count_failed(&mut self, now: Timestamp, error: CloudError) {
        self.failures += 1;
        let again = after_attempt(now, self.failures);
        if !error.is_passing() || self.failures >= attempts_max(&error) {
            self.shared.stop_because(Stop::Failed(error));
        }
        if let Stage::Counting { asked, not_before } = &mut self.stage {
            (*asked, *not_before) = (false, Some(again));
        } else if let Stage::Watching { asked, next_at, .. } = &mut self.stage {
            (*asked, *next_at) = (false, again);
        }
    }

    fn on_counted_at_end(&mut self, now: Timestamp, counts: Counts) {
        let elsewhere = counts.in_flight.saturating_sub(self.shared.left.len() as u64);
        let settled_at = after_seconds(self.active_at, self.shared.settings.settle_seconds);
        if self.is_quiet(now) {
            return self.end_drained(now, elsewhere);
        }
        let mut look_again_at = now;
        (self.shared.tally.waiting_for, self.shared.tally.waiting_until) = (0, None);
        if elsewhere > 0 && now < settled_at && !self.received_since_count {
            // In flight elsewhere (an earlier try, another reader): they show again, and may block their groups until then.
            look_again_at = self.wait_for(now, elsewhere, settled_at);
        } else if counts.visible + counts.delayed > 0 {
            self.confirmed = 0;
            self.stale_rounds = if self.received_since_count { 0 } else { self.stale_rounds + 1 };
            let blocked = self.shared.settings.source == QueueKind::Fifo && !self.shared.left.is_empty();
            if self.stale_rounds > if blocked { 1 } else { STALE_ROUNDS_MAX } {
                let held = self.held_before_what_is_missing();
                if !held.is_empty() {
                    self.stage = Stage::Reopening { keys: held, out: 0 };
                    return;
                }
                let missing = if blocked { self.missing_before_what_is_held() } else { Vec::new() };
                if missing.is_empty() || elsewhere > 0 || now >= self.shown_at() {
                    self.shared.tally.unreached = if blocked { 0 } else { counts.visible + counts.delayed };
                    if elsewhere == 0 {
                        self.settle_as_gone(missing);
                    }
                    return self.end_drained(now, elsewhere);
                }
                look_again_at = self.wait_for(now, missing.len() as u64, self.shown_at());
            } else {
                // Counts lag by up to a minute: each look gives them longer.
                look_again_at = after_seconds(now, self.stale_rounds);
            }
        } else {
            // Counts lag: an empty receive and a zero count, twice; or a zero count before and after a receive that waited in vain.
            let before = std::mem::replace(&mut self.receiving.counting, Counting::No);
            self.confirmed += if before == (Counting::Told { nothing: true }) { 2 } else { 1 };
            let missing = self.missing();
            if self.confirmed >= 2 && (missing.is_empty() || now >= self.shown_at()) {
                if elsewhere == 0 {
                    self.settle_as_gone(missing);
                }
                return self.end_drained(now, elsewhere);
            }
            if !missing.is_empty() {
                // Hidden still, or deleted and not written down: time tells.
                look_again_at = self.wait_for(now, missing.len() as u64, self.shown_at());
            }
        }
        self.received_since_count = false;
        self.stage = Stage::Counting { asked: false, not_before: Some(look_again_at) };
    }

    /// Says what is waited for, and when to look again: in a second.
    fn wait_for(&mut self, now: Timestamp, messages: u64, until: Timestamp) -> Timestamp {
        (self.shared.tally.waiting_for, self.shared.tally.waiting_until) = (messages, Some(until));
        after_seconds(now, 1).min(until.max(now))
    }

    /// When everything that an earlier try had in hand has shown again, if it is still there.
    fn shown_at(&self) -> Timestamp {
        let settings = &self.shared.settings;
        settings.resume.shown_at.unwrap_or_else(|| after_seconds(self.begun_at, settings.visibility_seconds + 10))
    }

    /// What earlier tries sent or deleted, or may have, and this one has not met.
    fn missing(&self) -> Vec<MessageId> {
        let resume = &self.shared.settings.resume;
        let is_missing = |id: &&MessageId| {
            let key = Key::of(id);
            let shared = &self.shared;
            let open = shared.sent_not_deleted.contains(&key)
                || shared.uncertain.contains(&key)
                || shared.removable.contains(&key);
            open && !shared.left.contains_key(&key)
        };
        let all = resume.sent_not_deleted.iter().chain(&resume.uncertain).chain(&resume.perhaps_gone);
        let mut missing: Vec<MessageId> = all.filter(is_missing).cloned().collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Of those, the ones that a FIFO queue would have handed out before what is held back: it hands out a group in order.
    fn missing_before_what_is_held(&self) -> Vec<MessageId> {
        let settings = &self.shared.settings;
        let into_fifo = settings.destinations.iter().all(|(_, kind)| *kind == QueueKind::Fifo);
        let may_be_behind = |id: &MessageId| match settings.resume.places.get(id) {
            Some(place) => self.shared.may_be_behind(id, place),
            // Into a FIFO queue nothing is sent behind one of its group that was not.
            None => !(into_fifo && self.shared.sent_not_deleted.contains(&Key::of(id))),
        };
        self.missing().into_iter().filter(|id| !may_be_behind(id)).collect()
    }

    /// All of the queue was seen that could hold them, and these are not in it: they were deleted, by that try or by somebody.
    fn settle_as_gone(&mut self, ids: Vec<MessageId>) {
        if ids.is_empty() {
            return;
        }
        for key in ids.iter().map(Key::of) {
            self.shared.sent_not_deleted.remove(&key);
            self.shared.uncertain.remove(&key);
            self.shared.tried.remove(&key);
            self.shared.removable.remove(&key);
        }
        let gone: HashSet<&MessageId> = ids.iter().collect();
        let tally = &mut self.shared.tally;
        tally.uncertain.retain(|id| !gone.contains(id));
        tally.settled += gone.len() as u64;
        tally.sent_not_deleted = self.shared.sent_not_deleted.len() as u64;
        if let Some(lane) = self.lanes.first_mut() {
            lane.unflushed.push(Record::Gone { ids });
        }
    }

    fn end_drained(&mut self, now: Timestamp, elsewhere: u64) {
        self.shared.tally.elsewhere = elsewhere;
        if std::mem::take(&mut self.collecting) {
            self.stage = Stage::Recording { asked: false, last: true };
            return;
        }
        (self.shared.tally.waiting_for, self.shared.tally.waiting_until) = (0, None);
        if !self.watches(now, true) {
            self.stage = Stage::Releasing { out: 0 };
        }
    }

    fn on_counted_while_watching(&mut self, now: Timestamp, counted: Counted) {
        let Stage::Watching { until, baseline, grown, asked, next_at, last } = &mut self.stage else { return };
        let total = counted.source.total();
        let start = *baseline.get_or_insert(total);
        *grown = (*grown).max(total.saturating_sub(start));
        *asked = false;
        let every = (self.shared.settings.watch_seconds / 20).clamp(1, 10);
        *next_at = after_seconds(now, every).min(*until);
        let (grown, last, over) = (*grown, *last, now >= *until);
        self.shared.guard_against_bounces(grown);
        if over || self.shared.is_stopping() {
            // All that was sent in this step still lies there, and nobody has anything in hand.
            let sent = self.shared.pace.sent_in_step();
            self.shared.tally.untaken =
                counted.destinations.is_some_and(|counts| counts.in_flight == 0 && counts.visible >= sent && sent > 0);
            self.shared.grown += grown;
            // Nothing follows a ramp's last step either.
            let last = last || !self.shared.pace.has_next_step();
            self.shared.guard_against_ageing(counted.age, last);
            let source = counted.source;
            if last && self.shared.settings.park && !self.shared.is_stopping() && !self.is_nothing(source) {
                self.collect(now);
            } else {
                self.stage = Stage::Recording { asked: false, last };
            }
        }
    }

    /// Receives once more: what came back is parked.
    fn collect(&mut self, now: Timestamp) {
        self.shared.tally.watching = false;
        self.collecting = true;
        (self.stage, self.empty, self.confirmed, self.stale_rounds) = (Stage::Moving, false, 0, 0);
        (self.active_at, self.looked) = (now, false);
    }
}
