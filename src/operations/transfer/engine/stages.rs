//! What the engine as a whole is about: moving, counting, watching, putting back.

use jiff::{SignedDuration, Timestamp};

use super::{Engine, Shared};
use crate::{
    cloud::{CloudError, sqs::BATCH_MAX},
    domain::{Counts, MessageId, QueueKind, Text},
    journal::Record,
    operations::transfer::{
        lane::{after_attempt, attempts_max},
        memory::Key,
        step::{CONTROL, Counted, Next, Step},
        tally::Stop,
    },
};

/// Rounds in which the count says that there are messages and none comes.
const STALE_ROUNDS_MAX: u32 = 10;
/// Batches put back at once at the end.
const RELEASES_MAX: usize = 8;

/// What the engine as a whole is about.
#[derive(Debug)]
pub(super) enum Stage {
    /// Lanes receive.
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

impl Engine {
    /// All lanes are idle: what follows?
    pub(super) fn next_of_stage(&mut self, now: Timestamp) -> Next {
        if self.shared.is_stopping() {
            // A count or a record that is out is waited for; a step's verdict is written in any case.
            match self.stage {
                Stage::Moving
                | Stage::Verifying
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
        if self.must_watch() {
            self.shared.tally.watching = true;
            let watch = SignedDuration::from_secs(i64::from(watch_seconds));
            let until = now.checked_add(watch).unwrap_or(now);
            self.stage = Stage::Watching { until, baseline: None, grown: 0, asked: false, next_at: now, last };
            return self.next(now);
        }
        self.after_step(now, last)
    }

    /// Whether messages of this step may come back: those that were sent in it, or before an earlier try broke off while it watched.
    fn must_watch(&self) -> bool {
        let Shared { settings, pace, .. } = &self.shared;
        settings.watch_seconds > 0 && (pace.sent_in_step() > 0 || settings.resume.is_unwatched)
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
        match self.stage {
            Stage::Recording { last, .. } => self.stage = Stage::Recorded { last },
            Stage::Flushing { .. } => self.stage = Stage::Done,
            Stage::Moving
            | Stage::Verifying
            | Stage::Counting { .. }
            | Stage::Watching { .. }
            | Stage::Recorded { .. }
            | Stage::Releasing { .. }
            | Stage::Done => {}
        }
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
        let receipts = keys.iter().filter_map(|key| self.shared.left.remove(key)).collect();
        Next::Step(Step::Hide { lane: CONTROL, receipts, seconds: 0 })
    }

    pub(super) fn on_counted(&mut self, now: Timestamp, result: Result<Counted, CloudError>) {
        let counted = match result {
            Ok(counted) => counted,
            Err(error) => return self.on_count_failed(now, error),
        };
        self.failures = 0;
        match self.stage {
            Stage::Counting { .. } => self.on_counted_at_end(now, counted.source),
            Stage::Watching { .. } => self.on_counted_while_watching(now, counted),
            Stage::Moving
            | Stage::Verifying
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
        if !error.is_passing() || self.failures >= attempts_max(&error) {
            self.shared.stop_because(Stop::Failed(error));
        }
        match &mut self.stage {
            Stage::Counting { asked, not_before } => (*asked, *not_before) = (false, Some(again)),
            Stage::Watching { asked, next_at, .. } => (*asked, *next_at) = (false, again),
            Stage::Moving
            | Stage::Verifying
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
        // What a killed try had in hand is hidden for so long at most.
        let hidden = SignedDuration::from_secs(i64::from(self.shared.settings.visibility_seconds) + 10);
        if self.is_quiet(now) {
            return self.end_drained(now, elsewhere);
        }
        let mut look_again_at = now;
        self.shared.tally.waiting_for = 0;
        if elsewhere > 0 && now < settled_at && !self.received_since_count {
            // In flight elsewhere (an earlier try, another reader): they show again, and may block their groups until then.
            look_again_at = now.checked_add(SignedDuration::from_secs(1)).unwrap_or(now).min(settled_at);
            self.shared.tally.waiting_for = elsewhere;
        } else if counts.visible + counts.delayed > 0 {
            self.confirmed = 0;
            self.stale_rounds = if self.received_since_count { 0 } else { self.stale_rounds + 1 };
            let blocked = self.shared.settings.source == QueueKind::Fifo && !self.shared.left.is_empty();
            if self.stale_rounds > if blocked { 1 } else { STALE_ROUNDS_MAX } {
                self.shared.tally.unreached = if blocked { 0 } else { counts.visible + counts.delayed };
                if blocked && elsewhere == 0 && !self.shared.holds_own {
                    // Only what came later is held: in each group all that was there before it has gone.
                    self.settle_as_gone(self.missing());
                }
                return self.end_drained(now, elsewhere);
            }
            // Counts lag by up to a minute: each look gives them longer.
            look_again_at = now.checked_add(SignedDuration::from_secs(i64::from(self.stale_rounds))).unwrap_or(now);
        } else {
            // Counts lag: an empty receive and a zero count, twice.
            self.confirmed += 1;
            let (missing, shown_at) = (self.missing(), self.begun_at.checked_add(hidden).unwrap_or(now));
            if self.confirmed >= 2 && (missing.is_empty() || now >= shown_at) {
                if elsewhere == 0 {
                    self.settle_as_gone(missing);
                }
                return self.end_drained(now, elsewhere);
            }
            if !missing.is_empty() {
                // Hidden still, or deleted and not written down: time tells.
                self.shared.tally.waiting_for = missing.len() as u64;
                look_again_at = now.checked_add(SignedDuration::from_secs(1)).unwrap_or(now).min(shown_at.max(now));
            }
        }
        self.received_since_count = false;
        self.stage = Stage::Counting { asked: false, not_before: Some(look_again_at) };
    }

    /// What earlier tries sent, or may have sent, and this one has not met.
    fn missing(&self) -> Vec<MessageId> {
        let resume = &self.shared.settings.resume;
        let is_missing = |id: &&MessageId| {
            let key = Key::of(id);
            let open = self.shared.sent_not_deleted.contains(&key)
                || self.shared.uncertain.contains(&key)
                || self.shared.perhaps_gone.contains(&key);
            open && !self.shared.left.contains_key(&key)
        };
        let open = resume.sent_not_deleted.iter().chain(&resume.uncertain).chain(&resume.perhaps_gone);
        open.filter(is_missing).cloned().collect()
    }

    /// The whole queue was seen, and these are not in it: they were deleted, by that try or by somebody.
    fn settle_as_gone(&mut self, ids: Vec<MessageId>) {
        if ids.is_empty() {
            return;
        }
        for key in ids.iter().map(Key::of) {
            self.shared.sent_not_deleted.remove(&key);
            self.shared.uncertain.remove(&key);
            self.shared.tried.remove(&key);
            self.shared.perhaps_gone.remove(&key);
        }
        let tally = &mut self.shared.tally;
        tally.uncertain.retain(|id| !ids.contains(id));
        tally.sent_not_deleted = self.shared.sent_not_deleted.len() as u64;
        if let Some(lane) = self.lanes.first_mut() {
            lane.unflushed.push(Record::Gone { ids });
        }
    }

    fn end_drained(&mut self, now: Timestamp, elsewhere: u64) {
        self.shared.tally.elsewhere = elsewhere;
        self.shared.tally.waiting_for = 0;
        let watch_seconds = self.shared.settings.watch_seconds;
        if self.must_watch() {
            self.shared.tally.watching = true;
            let until = now.checked_add(SignedDuration::from_secs(i64::from(watch_seconds))).unwrap_or(now);
            self.stage = Stage::Watching { until, baseline: None, grown: 0, asked: false, next_at: now, last: true };
        } else {
            self.stage = Stage::Releasing { out: 0 };
        }
    }

    fn on_counted_while_watching(&mut self, now: Timestamp, counted: Counted) {
        let Stage::Watching { until, baseline, grown, asked, next_at, last } = &mut self.stage else { return };
        let total = counted.source.total();
        let start = *baseline.get_or_insert(total);
        *grown = (*grown).max(total.saturating_sub(start));
        *asked = false;
        let every = (i64::from(self.shared.settings.watch_seconds) / 20).clamp(1, 10);
        *next_at = now.checked_add(SignedDuration::from_secs(every)).unwrap_or(now).min(*until);
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
            self.stage = Stage::Recording { asked: false, last };
        }
    }
}
