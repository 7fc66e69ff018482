//! How many calls go out: at once, and a second. Grows while answers come, shrinks when SQS throttles.
//!
//! Two bounds, since either alone is blind: at 200 ms a call it is the calls at once that limit a run, at 10 ms it is what the
//! server allows a second. The first one grows while answers come as fast as they did, the second one is known from the first
//! throttled call on.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Calls at once to begin with: as many as a short run needs.
const WINDOW_FIRST: f64 = 16.0;
/// An answer that takes longer than one and a half times the fastest one and this waited: more calls at once would wait, too.
const QUEUEING: SignedDuration = SignedDuration::from_millis(10);
/// What a throttled call leaves of the rate that was served.
const CUT: f64 = 0.8;
/// Growth of the rate in a second: below what was throttled last, near it, and far beyond it.
const GROWTH: [f64; 3] = [1.05, 1.01, 1.05];
/// Near what was throttled last: from this part of it.
const NEAR: f64 = 0.95;
/// After so long without a throttled call the old bound is taken for gone.
const FORGOTTEN_SECONDS: f64 = 20.0;
/// Fewest calls a second: below it a run would not end.
const CALLS_PER_SECOND_MIN: f64 = 10.0;
/// The rate is measured over so long.
const MEASURED_SECONDS: f64 = 0.5;
/// What was measured over less says nothing.
const MEASURED_SECONDS_MIN: f64 = 0.02;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// Served, and by the time that it took one sees whether it had to wait; none where a call may wait by design.
    In(Option<SignedDuration>),
    /// Refused for being one too many.
    Throttled,
    Failed,
}

#[derive(Debug)]
pub(super) struct Flow {
    calls_max: f64,
    window: f64,
    out: usize,
    fastest: Option<SignedDuration>,
    served: u32,
    measured_at: Timestamp,
    measured: f64,
    rate: Option<Rate>,
}

/// A bound on calls a second, once it is known that there is one.
#[derive(Debug)]
struct Rate {
    per_second: f64,
    tokens: f64,
    filled_at: Timestamp,
    /// At which rate a call was throttled last, and when.
    ceiling: f64,
    cut_at: Timestamp,
}

impl Flow {
    pub(super) fn new(calls_max: usize, now: Timestamp) -> Self {
        let calls_max = calls_max.max(1) as f64;
        Self {
            calls_max,
            window: WINDOW_FIRST.min(calls_max),
            out: 0,
            fastest: None,
            served: 0,
            measured_at: now,
            measured: 0.0,
            rate: None,
        }
    }

    /// Lets time pass: the rate grows, and calls gather.
    pub(super) fn pass(&mut self, now: Timestamp) {
        let measuring = seconds(now, self.measured_at);
        if measuring >= MEASURED_SECONDS {
            self.measured = f64::from(std::mem::take(&mut self.served)) / measuring;
            self.measured_at = now;
        }
        let Some(rate) = &mut self.rate else { return };
        let passed = seconds(now, rate.filled_at);
        rate.filled_at = now;
        let growth = match rate.per_second / rate.ceiling {
            _ if seconds(now, rate.cut_at) > FORGOTTEN_SECONDS => GROWTH[2],
            part if part < NEAR => GROWTH[0],
            _ => GROWTH[1],
        };
        rate.per_second *= growth.powf(passed.min(1.0));
        // A twentieth of a second's worth may gather: bursts are what throttles.
        rate.tokens = (rate.tokens + passed * rate.per_second).min((rate.per_second / 20.0).max(1.0));
    }

    pub(super) fn may_call(&self) -> bool {
        self.has_room() && self.rate.as_ref().is_none_or(|rate| rate.tokens >= 1.0)
    }

    fn has_room(&self) -> bool {
        (self.out as f64) < self.window.floor()
    }

    /// When another call may go out, where only time is waited for.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        let rate = self.rate.as_ref().filter(|rate| self.has_room() && rate.tokens < 1.0)?;
        let wait = Duration::from_secs_f64((1.0 - rate.tokens) / rate.per_second);
        rate.filled_at.checked_add(wait.max(Duration::from_millis(1))).ok()
    }

    /// Batches that may be announced at once: were the program killed, all of these would be in doubt. A third of the calls are sends.
    pub(super) fn open_max(&self) -> usize {
        (self.window / 2.0) as usize + 1
    }

    pub(super) fn asked(&mut self) {
        self.out += 1;
        if let Some(rate) = &mut self.rate {
            rate.tokens -= 1.0;
        }
    }

    /// A call that went out at `asked_at` was answered.
    pub(super) fn answered(&mut self, now: Timestamp, asked_at: Timestamp, how: Served) {
        debug_assert!(self.out > 0, "an answer to a call");
        let was_full = !self.has_room();
        self.out = self.out.saturating_sub(1);
        match how {
            Served::In(took) => {
                self.served += 1;
                self.grow(was_full, took);
            }
            Served::Throttled => self.cut(now, asked_at),
            Served::Failed => {}
        }
    }

    fn grow(&mut self, was_full: bool, took: Option<SignedDuration>) {
        let Some(took) = took else { return };
        let fastest = *self.fastest.insert(self.fastest.map_or(took, |fastest| fastest.min(took)));
        let waited = took > fastest * 3 / 2 + QUEUEING;
        if was_full && !waited {
            let step = if self.rate.is_none() { 1.0 } else { 1.0 / self.window };
            self.window = (self.window + step).min(self.calls_max);
        }
    }

    fn cut(&mut self, now: Timestamp, asked_at: Timestamp) {
        // Those that were out already when the rate was cut say nothing of the new one.
        if self.rate.as_ref().is_some_and(|rate| asked_at <= rate.cut_at) {
            return;
        }
        let measuring = seconds(now, self.measured_at);
        let lately = if measuring > MEASURED_SECONDS_MIN { f64::from(self.served) / measuring } else { 0.0 };
        let served = lately.max(self.measured);
        let ceiling = self.rate.as_ref().map_or(served, |rate| rate.per_second).max(CALLS_PER_SECOND_MIN);
        let per_second = (served.min(ceiling) * CUT).max(ceiling * CUT / 2.0).max(CALLS_PER_SECOND_MIN);
        self.rate = Some(Rate { per_second, tokens: 0.0, filled_at: now, ceiling, cut_at: now });
    }
}

fn seconds(now: Timestamp, before: Timestamp) -> f64 {
    now.duration_since(before).as_secs_f64().max(0.0)
}
