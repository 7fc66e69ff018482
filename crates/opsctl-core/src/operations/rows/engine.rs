//! Decides what a change of rows does next: how many rows in one transaction, when to wait, when to look, when to stop. No I/O: it says a
//! [`Step`], and is told an [`Answer`].
//!
//! Keys of rows are read page by page, without a lock, in their table's order: oldest first, so that a group keeps its order. What was
//! read is changed by its ids, so that locks last as short as they can, whatever index finds the rows. What others had locked then is
//! read again in a second pass, without what the run has changed itself: a row is changed once by a run.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::Value,
    operations::values::{BounceMax, Ramp, RampStep},
    outboxes::sql::Position,
};

/// Rows in the first transaction.
const ROWS_FIRST: u32 = 50;
const ROWS_MAX: u32 = 1_000;
/// How long rows are to be locked in one transaction.
const LOCK_MS: f64 = 50.0;
/// Rows whose keys are read at once; with their bodies fewer.
const READ_MAX: u32 = 5_000;
const READ_WITH_BODY_MAX: u32 = 100;
const PASSES_MAX: u32 = 3;
/// A pass that is not the first ends where it has read so many rows for nothing.
const READ_AGAIN_MAX: u64 = 100_000;
/// Transactions that fail one after the other.
const FAILURES_MAX: u32 = 6;
const PAUSE_FIRST_MS: i64 = 200;

pub type RowId = Vec<Value>;

#[derive(Debug, Clone)]
pub struct RowSettings {
    pub limit: Option<u64>,
    /// The run stops where it meets more rows than these; none: nobody knows how many there are.
    pub rows_max: Option<u64>,
    /// Rows a second.
    pub rate: Option<u32>,
    pub ramp: Ramp,
    /// So many rows of a step may fail again.
    pub max_failed: BounceMax,
    /// Whether rows are chosen by what stands in their bodies.
    pub filtered: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Read selected rows behind the position; those that match and that the run has not changed itself are chosen.
    Read {
        after: Option<Position>,
        rows_max: u32,
    },
    /// Change these rows in one transaction, those that are still selected and that nobody has locked.
    Change {
        ids: Vec<RowId>,
    },
    /// Find out how the last transaction ended.
    Settle,
    /// Watch whether rows of this step, from 1, fail again.
    Watch {
        step: u32,
    },
    Wait(SignedDuration),
    End(RowStop),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Read {
        chosen: Vec<RowId>,
        /// Position of the last row that was read; none: no row was.
        last: Option<Position>,
        rows: u64,
    },
    Changed {
        rows: u64,
        /// From the first lock to the end of COMMIT.
        seconds: f64,
    },
    /// Rolled back for certain.
    Undone {
        /// Whether fewer rows at once may help.
        too_many: bool,
    },
    /// COMMIT was sent, or may have been, and nobody knows what came of it.
    Unknown {
        rows: u64,
    },
    Settled(Settled),
    Watched {
        failed: u64,
        of: u64,
    },
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Committed,
    Undone,
    /// It can't be found out.
    InDoubt,
}

/// Why it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowStop {
    /// No row is left, or as many were changed as were wanted.
    Done,
    Cancelled,
    /// There are more rows than the plan said.
    TooMany {
        rows_max: u64,
    },
    FailedAgain {
        failed: u64,
        of: u64,
    },
    /// Too many transactions failed, one after the other.
    Failing,
}

#[derive(Debug)]
pub struct RowEngine {
    settings: RowSettings,
    /// Changed by the run, those in doubt included: they keep their place in the limit.
    taken: u64,
    pass: u32,
    /// Rows changed, and rows read for nothing, in this pass.
    pass_taken: u64,
    pass_left: u64,
    after: Option<Position>,
    /// Chosen and not changed yet, oldest first.
    chosen: VecDeque<RowId>,
    rows_at_once: u32,
    read_at_once: u32,
    /// How many rows the last transaction was given; none: the last step was to read.
    asked: Option<usize>,
    failures: u32,
    not_before: Option<Timestamp>,
    steps: VecDeque<RampStep>,
    step: u32,
    step_taken: u64,
    unknown: Option<u64>,
    stop: Option<RowStop>,
    /// No row is left: only the last step is still to be watched.
    is_over: bool,
}

impl RowEngine {
    pub fn new(settings: RowSettings) -> Self {
        let steps = settings.ramp.0.iter().copied().collect();
        let read_at_once = if settings.filtered { READ_WITH_BODY_MAX } else { READ_MAX };
        Self {
            settings,
            taken: 0,
            pass: 1,
            pass_taken: 0,
            pass_left: 0,
            after: None,
            chosen: VecDeque::new(),
            rows_at_once: ROWS_FIRST,
            read_at_once,
            asked: None,
            failures: 0,
            not_before: None,
            steps,
            step: 1,
            step_taken: 0,
            unknown: None,
            stop: None,
            is_over: false,
        }
    }

    /// One that goes on where earlier tries have changed, or may have, so many rows.
    pub fn resumed(settings: RowSettings, taken: u64) -> Self {
        let mut engine = Self { taken, ..Self::new(settings) };
        let mut left = taken;
        while let Some(RampStep::Messages(rows)) = engine.steps.front().copied()
            && left >= rows
        {
            left -= rows;
            engine.steps.pop_front();
            engine.step += 1;
        }
        engine.step_taken = left;
        engine
    }

    /// Rows that were changed, or may have been.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    pub fn step(&self) -> u32 {
        self.step
    }

    pub fn next(&mut self, now: Timestamp) -> Step {
        if let Some(stop) = self.stop {
            return Step::End(stop);
        }
        if self.unknown.is_some() {
            return Step::Settle;
        }
        if let Some(pause) = self.not_before.map(|until| until.duration_since(now)).filter(SignedDuration::is_positive)
        {
            return Step::Wait(pause);
        }
        self.not_before = None;
        let is_ended = self.is_over || self.room() == Some(0) || self.steps.is_empty();
        if self.step_room() == Some(0) && !self.settings.ramp.is_ramped() {
            return Step::End(*self.stop.insert(RowStop::Done));
        }
        if self.settings.ramp.is_ramped() && self.step_taken > 0 && (is_ended || self.step_room() == Some(0)) {
            return Step::Watch { step: self.step };
        }
        if is_ended {
            return Step::End(*self.stop.insert(RowStop::Done));
        }
        if let Some(rows_max) = self.settings.rows_max.filter(|rows_max| self.taken >= *rows_max) {
            return Step::End(*self.stop.insert(RowStop::TooMany { rows_max }));
        }
        self.batch()
    }

    fn batch(&mut self) -> Step {
        if self.chosen.is_empty() {
            self.asked = None;
            return Step::Read { after: self.after.clone(), rows_max: self.read_at_once };
        }
        let bounds = [self.room(), self.step_room(), self.settings.rate.map(u64::from)];
        let most = bounds.into_iter().flatten().min().unwrap_or(u64::MAX).max(1);
        let rows_max = usize::try_from(most).unwrap_or(usize::MAX).min(self.rows_at_once as usize);
        let ids: Vec<RowId> = self.chosen.iter().take(rows_max).cloned().collect();
        self.asked = Some(ids.len());
        Step::Change { ids }
    }

    pub fn on(&mut self, answer: Answer, now: Timestamp) {
        match answer {
            Answer::Read { chosen, last, rows } => {
                self.pass_left += rows.saturating_sub(chosen.len() as u64);
                self.chosen = chosen.into();
                match last {
                    Some(last) => self.after = Some(last),
                    None => self.pass_over(),
                }
                if self.chosen.is_empty() && self.pass > 1 && self.pass_left >= READ_AGAIN_MAX {
                    self.is_over = true;
                }
            }
            Answer::Changed { rows, seconds } => {
                self.tune(seconds);
                self.took(rows, now);
            }
            Answer::Undone { too_many } => self.failed(too_many, now),
            Answer::Unknown { rows } => self.unknown = Some(rows),
            Answer::Settled(settled) => self.settled(settled, now),
            Answer::Watched { failed, of } => {
                self.step_taken = 0;
                if self.settings.max_failed.is_exceeded(failed, of) {
                    self.stop = Some(RowStop::FailedAgain { failed, of });
                }
                self.steps.pop_front();
                self.step += 1;
            }
            Answer::Cancelled => self.stop = Some(RowStop::Cancelled),
        }
    }

    fn settled(&mut self, settled: Settled, now: Timestamp) {
        let Some(rows) = self.unknown.take() else { return };
        match settled {
            Settled::Committed => self.took(rows, now),
            Settled::Undone => self.failed(false, now),
            Settled::InDoubt => {
                self.took(rows, now);
                self.failed(false, now);
            }
        }
    }

    fn took(&mut self, rows: u64, now: Timestamp) {
        self.failures = 0;
        // Those of them that were not changed are somebody else's, or locked.
        self.chosen.drain(..self.asked.unwrap_or(0).min(self.chosen.len()));
        self.taken += rows;
        self.pass_taken += rows;
        self.step_taken += rows;
        if let Some(rate) = self.settings.rate {
            let pause = SignedDuration::from_secs_f64(rows as f64 / f64::from(rate));
            self.not_before = now.checked_add(pause).ok();
        }
    }

    fn failed(&mut self, too_many: bool, now: Timestamp) {
        self.failures += 1;
        if self.failures >= FAILURES_MAX {
            self.stop = Some(RowStop::Failing);
        }
        match (too_many, self.asked) {
            (true, None) => self.read_at_once = (self.read_at_once / 8).max(1),
            (true, Some(_)) => self.rows_at_once = (self.rows_at_once / 4).max(1),
            (false, _) => {}
        }
        let pause = SignedDuration::from_millis(PAUSE_FIRST_MS << self.failures.min(6));
        self.not_before = now.checked_add(pause).ok();
    }

    /// As many rows as take so long as they may be locked.
    fn tune(&mut self, seconds: f64) {
        let aim = (LOCK_MS / (seconds * 1_000.0).max(0.1)).clamp(0.25, 2.0);
        if aim >= 1.0 && self.asked.is_none_or(|asked| asked < self.rows_at_once as usize) {
            // A short batch is fast whatever the size.
            return;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2,000")]
        let rows = (f64::from(self.rows_at_once) * aim) as u32;
        self.rows_at_once = rows.clamp(1, ROWS_MAX);
    }

    fn pass_over(&mut self) {
        let is_last = self.pass >= PASSES_MAX || (self.pass > 1 && self.pass_taken == 0);
        let is_too_much = self.settings.filtered && self.pass_left >= READ_AGAIN_MAX;
        if is_last || is_too_much {
            self.is_over = true;
            return;
        }
        self.pass += 1;
        (self.after, self.pass_taken, self.pass_left) = (None, 0, 0);
    }

    fn room(&self) -> Option<u64> {
        self.settings.limit.map(|limit| limit.saturating_sub(self.taken))
    }

    fn step_room(&self) -> Option<u64> {
        match self.steps.front() {
            Some(RampStep::Messages(rows)) => Some(rows.saturating_sub(self.step_taken)),
            Some(RampStep::All) | None => None,
        }
    }
}
