//! How fast an environment is asked after AWS throttled: halved at each throttling, then slowly faster.

use std::time::Duration;

/// Slowest pace, calls a second: looking never stops.
const RATE_LEAST: f64 = 0.5;
/// From this pace on nothing is held back any more, calls a second.
const RATE_FREE: f64 = 200.0;
/// What throttling leaves of the pace.
const CUT: f64 = 0.5;
/// A burst of throttled calls is one throttling.
const CUT_EVERY: Duration = Duration::from_secs(2);
/// Growth a second, once some time has passed without throttling.
const GROWTH: f64 = 1.05;
const GROWTH_AFTER: Duration = Duration::from_secs(5);
/// Calls that may come at once.
const BURST: f64 = 2.0;

/// The pace of one environment; free until AWS throttles.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Calls a second; none: free.
    rate: Option<f64>,
    tokens: f64,
    filled_at: Duration,
    cut_at: Option<Duration>,
    grown_at: Duration,
    /// Calls in this second, and in the last.
    second: u64,
    calls: u32,
    calls_before: u32,
}

impl Pace {
    /// Whether a call may be made now; else when to ask again.
    pub(super) fn ready(&mut self, now: Duration) -> Result<(), Duration> {
        self.grow(now);
        let Some(rate) = self.rate else { return Ok(()) };
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.filled_at = now.max(self.filled_at);
        self.tokens = (self.tokens + passed * rate).min(BURST);
        if self.tokens >= 1.0 {
            return Ok(());
        }
        let wait = (1.0 - self.tokens) / rate;
        Err(now + Duration::from_secs_f64(wait) + Duration::from_millis(1))
    }

    pub(super) fn charge(&mut self, now: Duration) {
        self.roll(now);
        self.calls += 1;
        if self.rate.is_some() {
            self.tokens -= 1.0;
        }
    }

    pub(super) fn throttled(&mut self, now: Duration) {
        if self.cut_at.is_some_and(|cut| now.saturating_sub(cut) < CUT_EVERY) {
            return;
        }
        self.roll(now);
        let was = self.rate.unwrap_or_else(|| f64::from(self.calls.max(self.calls_before)));
        self.rate = Some((was * CUT).max(RATE_LEAST));
        self.tokens = self.tokens.min(0.0);
        self.filled_at = now;
        self.cut_at = Some(now);
        self.grown_at = now + GROWTH_AFTER;
    }

    fn grow(&mut self, now: Duration) {
        let Some(rate) = &mut self.rate else { return };
        let seconds = now.saturating_sub(self.grown_at).as_secs();
        if seconds == 0 {
            return;
        }
        self.grown_at += Duration::from_secs(seconds);
        *rate *= GROWTH.powf(seconds as f64);
        if *rate > RATE_FREE {
            self.rate = None;
        }
    }

    fn roll(&mut self, now: Duration) {
        let second = now.as_secs();
        if second != self.second {
            self.calls_before = if second == self.second + 1 { self.calls } else { 0 };
            self.calls = 0;
            self.second = second;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls that are made in `seconds` from `start`.
    fn made(pace: &mut Pace, start: Duration, seconds: u64) -> usize {
        let (mut now, mut calls) = (start, 0);
        while now < start + Duration::from_secs(seconds) {
            match pace.ready(now) {
                Ok(()) => {
                    pace.charge(now);
                    calls += 1;
                    now += Duration::from_millis(5);
                }
                Err(at) => now = at,
            }
        }
        calls
    }

    #[test]
    fn throttling_halves_and_time_heals() {
        let mut pace = Pace::default();
        assert_eq!(made(&mut pace, Duration::ZERO, 2), 400);
        pace.throttled(Duration::from_secs(2));
        pace.throttled(Duration::from_secs(2));
        let slow = made(&mut pace, Duration::from_secs(2), 2);
        assert!((190..=210).contains(&slow), "half of 200 a second, cut once: {slow}");
        for cut in 2..20 {
            pace.throttled(Duration::from_secs(cut * 2));
        }
        let slowest = made(&mut pace, Duration::from_secs(40), 4);
        assert!((1..=4).contains(&slowest), "never stops: {slowest}");
        let later = Duration::from_secs(600);
        assert_eq!(made(&mut pace, later, 2), 400, "free again");
    }
}
