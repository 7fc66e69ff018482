//! [`Share`]: how much of a throttle is taken that everybody in an account and region has together.

use std::{sync::Mutex, time::Duration};

use jiff::{SignedDuration, Timestamp};

/// What throttling leaves of the pace, and how slow it gets at most, of the full pace.
const CUT: f64 = 0.5;
const SLOWEST: f64 = 0.05;
/// A burst of throttled calls is one throttling.
const CUT_EVERY: SignedDuration = SignedDuration::from_secs(2);
/// Growth a second after that.
const GROWTH: f64 = 1.05;

/// Calls that may be made at once, and a second: part of what AWS admits, for others in the account want some as well.
#[derive(Debug, Clone)]
pub struct Share {
    burst: f64,
    full: f64,
    /// Calls a second, now.
    rate: f64,
    /// Below zero: those who wait.
    tokens: f64,
    at: Option<Timestamp>,
    cut_at: Option<Timestamp>,
}

/// Our shares of the throttles of one account and region.
#[derive(Debug)]
pub struct Shares {
    pub services: Mutex<Share>,
    pub tasks: Mutex<Share>,
}

impl Default for Shares {
    fn default() -> Self {
        Self { services: Mutex::new(Share::of_service_reads()), tasks: Mutex::new(Share::of_task_reads()) }
    }
}

impl Share {
    /// So many calls at once, and so many a second.
    pub fn new(burst: u32, per_second: u32) -> Self {
        let (burst, full) = (f64::from(burst.max(1)), f64::from(per_second.max(1)));
        Self { burst, full, rate: full, tokens: burst, at: None, cut_at: None }
    }

    /// Of reads of ECS services, which are throttled after 100 at once to 20 a second (ECS developer guide, "Request throttling").
    pub fn of_service_reads() -> Self {
        Self::new(80, 12)
    }

    /// Of reads of ECS tasks, throttled alike.
    pub fn of_task_reads() -> Self {
        Self::new(40, 10)
    }

    /// Takes calls; answers how long to wait before they are made.
    pub fn take(&mut self, now: Timestamp, calls: u32) -> Duration {
        self.fill(now);
        self.tokens -= f64::from(calls);
        if self.tokens >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-self.tokens / self.rate) }
    }

    pub fn throttled(&mut self, now: Timestamp) {
        self.fill(now);
        if self.cut_at.is_some_and(|cut| now.duration_since(cut) < CUT_EVERY) {
            return;
        }
        self.cut_at = Some(now);
        self.rate = (self.rate * CUT).max(self.full * SLOWEST);
        self.tokens = self.tokens.min(0.0);
    }

    fn fill(&mut self, now: Timestamp) {
        let passed = self.at.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0));
        self.at = Some(self.at.map_or(now, |at| at.max(now)));
        self.tokens = (self.tokens + passed * self.rate).min(self.burst);
        self.rate = (self.rate * GROWTH.powf(passed)).min(self.full);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).expect("a time")
    }

    /// A throttle as ECS has it, asked by us alone.
    #[test]
    fn fifteen_hundred_services_are_within_what_aws_admits() {
        let mut share = Share::of_service_reads();
        let (mut tokens, mut last) = (100.0_f64, 0.0_f64);
        for call in 0..400 {
            let seconds = share.take(at(0), 1).as_secs_f64();
            tokens = (tokens + (seconds - last) * 20.0).min(100.0) - 1.0;
            assert!(tokens >= 0.0, "call {call} after {seconds} s");
            last = seconds;
        }
        assert!((25.0..28.0).contains(&last), "{last}");
    }

    #[test]
    fn throttling_halves_once_in_a_while_and_time_heals() {
        let mut share = Share::new(10, 10);
        share.throttled(at(0));
        share.throttled(at(100));
        let wait = share.take(at(100), 5);
        assert!((0.85..0.95).contains(&wait.as_secs_f64()), "5 a second: {wait:?}");
        for cut in 1..20 {
            share.throttled(at(cut * 2_000));
        }
        let slowest = share.take(at(38_000), 1);
        assert!(slowest <= Duration::from_secs(3), "it never stops: {slowest:?}");
        assert_eq!(share.take(at(300_000), 10), Duration::ZERO, "well again");
        assert_eq!(share.take(at(0), 1), Duration::from_millis(100), "a clock set back is no credit");
    }
}
