//! What looking costs, and the bound on it. Pure: given the time, says what may be asked and what was spent.
//!
//! The bound slows looking down and never ends it. The first look at each queue is free of it, but counted.

use std::{collections::VecDeque, time::Duration};

use super::snapshot::Spend;
use crate::domain::WatchRules;

/// List prices, in millionths of a US dollar. Free tiers are left out of account: they may be used up by others.
pub mod price {
    /// One SQS request: $0.40 per million (SQS price list, 2026, standard queues; on a FIFO queue it is a quarter more, which
    /// is left out of account).
    pub const SQS_REQUEST: f64 = 0.4;
    /// One metric asked of CloudWatch's GetMetricData: $0.01 per 1,000 (CloudWatch price list, 2026).
    pub const METRIC: f64 = 10.0;
}

/// Calls a minute that are always allowed: looking never stops.
pub const CALLS_PER_MINUTE_LEAST: u32 = 10;

const MINUTE: Duration = Duration::from_secs(60);
/// What was spent is kept this long.
const KEPT: Duration = Duration::from_secs(300);
/// Metrics may be asked for that much time in advance.
const METRICS_BURST: Duration = Duration::from_secs(600);
/// Of these, so much is left for ages of messages.
const METRICS_LEFT: Duration = Duration::from_secs(150);
/// The bound is said to hold looking back for as long after it last did.
const BOUNDED_SHOWN: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, Default)]
struct Second {
    at: u64,
    calls: u32,
    throttled: u32,
    metrics: u32,
}

/// Calls and dollars of one environment. Moments are time since the watch started.
#[derive(Debug)]
pub struct Budget {
    calls_per_minute_max: u32,
    dollars_per_hour_max: f64,
    /// Calls that may be made now; below zero where more were made than foreseen (retries).
    calls: f64,
    metrics: f64,
    filled_at: Duration,
    spent: VecDeque<Second>,
    held_at: Option<Duration>,
}

impl Budget {
    pub fn new(rules: &WatchRules) -> Self {
        let dollars = rules.dollars_per_hour_max.dollars();
        let paid_for = (dollars * 1e6 / price::SQS_REQUEST / 60.0).min(f64::from(u32::MAX));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and u32::MAX")]
        let calls_per_minute_max = rules.calls_per_minute_max.min(paid_for as u32).max(CALLS_PER_MINUTE_LEAST);
        let mut budget = Self {
            calls_per_minute_max,
            dollars_per_hour_max: dollars,
            calls: 0.0,
            metrics: 0.0,
            filled_at: Duration::ZERO,
            spent: VecDeque::new(),
            held_at: None,
        };
        budget.calls = budget.burst();
        budget.metrics = budget.metrics_per_second() * METRICS_BURST.as_secs_f64();
        budget
    }

    pub fn calls_per_minute_max(&self) -> u32 {
        self.calls_per_minute_max
    }

    /// Whether a call may be made now; else when one may.
    pub fn ready(&mut self, now: Duration) -> Result<(), Duration> {
        self.fill(now);
        if self.calls >= 1.0 {
            return Ok(());
        }
        let wait = (1.0 - self.calls) / self.calls_per_second();
        Err(now + Duration::from_secs_f64(wait) + Duration::from_millis(1))
    }

    pub fn charge(&mut self, now: Duration, calls: u32) {
        self.fill(now);
        self.calls = (self.calls - f64::from(calls)).max(-self.burst());
        self.second(now).calls += calls;
    }

    /// Counts calls that the bound does not count.
    pub fn count(&mut self, now: Duration, calls: u32) {
        self.second(now).calls += calls;
    }

    pub fn throttled(&mut self, now: Duration) {
        self.second(now).throttled += 1;
    }

    /// How many metrics may be asked for now: what calls leave of the dollars.
    pub fn metrics_allowed(&mut self, now: Duration) -> usize {
        self.fill(now);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, and far below usize"
        )]
        let allowed = self.metrics.max(0.0) as usize;
        allowed
    }

    /// The same for what is seen beside queues: what the ages of messages may want in the next minutes is left.
    pub fn metrics_allowed_beyond_queues(&mut self, now: Duration) -> usize {
        let all = self.metrics_allowed(now) as f64;
        let left = all - self.metrics_per_second() * METRICS_LEFT.as_secs_f64();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, far below usize")]
        let allowed = left.max(0.0) as usize;
        allowed
    }

    pub fn charge_metrics(&mut self, now: Duration, metrics: u32) {
        self.fill(now);
        self.metrics -= f64::from(metrics);
        self.second(now).metrics += metrics;
    }

    /// Notes that the bound made something wait that was due for long.
    pub fn held(&mut self, now: Duration) {
        self.held_at = Some(now);
    }

    pub fn spend(&mut self, now: Duration) -> Spend {
        self.forget(now);
        let minute = now.saturating_sub(MINUTE).as_secs();
        let last_minute = self.spent.iter().filter(|second| second.at >= minute);
        let (calls, throttled) =
            last_minute.fold((0, 0), |(calls, throttled), second| (calls + second.calls, throttled + second.throttled));
        let metrics: u32 = self.spent.iter().map(|second| second.metrics).sum();
        // Metrics are asked once a minute: what was asked in the first seconds is a minute's.
        let minutes = now.clamp(MINUTE, KEPT).as_secs_f64() / 60.0;
        let millionths =
            f64::from(calls) * 60.0 * price::SQS_REQUEST + f64::from(metrics) / minutes * 60.0 * price::METRIC;
        let bounded = self.held_at.is_some_and(|held| now.saturating_sub(held) < BOUNDED_SHOWN);
        Spend { calls_per_minute: calls, dollars_per_hour: millionths / 1e6, throttled, bounded }
    }

    /// Calls that may come at once: a tenth of a minute's.
    fn burst(&self) -> f64 {
        (f64::from(self.calls_per_minute_max) / 10.0).max(1.0)
    }

    /// Such that burst and inflow together stay within the bound in every minute.
    fn calls_per_second(&self) -> f64 {
        (f64::from(self.calls_per_minute_max) - self.burst()) / 60.0
    }

    fn metrics_per_second(&self) -> f64 {
        // As if every allowed call were made: so both together stay within the bound.
        let calls = f64::from(self.calls_per_minute_max) * 60.0 * price::SQS_REQUEST;
        ((self.dollars_per_hour_max * 1e6 - calls) / price::METRIC / 3_600.0).max(0.0)
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.filled_at = self.filled_at.max(now);
        self.calls = (self.calls + passed * self.calls_per_second()).min(self.burst());
        let rate = self.metrics_per_second();
        self.metrics = (self.metrics + passed * rate).min(rate * METRICS_BURST.as_secs_f64());
    }

    fn second(&mut self, now: Duration) -> &mut Second {
        self.forget(now);
        let at = now.as_secs();
        if self.spent.back().is_none_or(|second| second.at < at) {
            self.spent.push_back(Second { at, ..Second::default() });
        }
        let last = self.spent.len() - 1;
        &mut self.spent[last]
    }

    fn forget(&mut self, now: Duration) {
        let first = now.saturating_sub(KEPT).as_secs();
        while self.spent.front().is_some_and(|second| second.at < first) {
            self.spent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Dollars;

    fn rules(calls: u32, dollars: f64) -> WatchRules {
        WatchRules {
            calls_per_minute_max: calls,
            dollars_per_hour_max: Dollars::from_dollars(dollars),
            ..WatchRules::default()
        }
    }

    #[test]
    fn calls_stay_within_the_bound_in_every_minute_and_never_stop() {
        for (calls, dollars, most) in [(600, 10.0, 600), (600, 0.0, CALLS_PER_MINUTE_LEAST), (10, 1.0, 10)] {
            let mut budget = Budget::new(&rules(calls, dollars));
            let mut made = Vec::new();
            let mut now = Duration::ZERO;
            while now < Duration::from_secs(600) {
                match budget.ready(now) {
                    Ok(()) => {
                        budget.charge(now, 1);
                        made.push(now);
                    }
                    Err(at) => {
                        assert!(at > now);
                        now = at;
                    }
                }
            }
            for (index, start) in made.iter().enumerate() {
                let within = made[index..].iter().take_while(|at| **at < *start + MINUTE).count();
                assert!(within <= most as usize, "{within} calls in a minute, of {most}");
            }
            assert!(made.len() as f64 >= f64::from(most) * 10.0 * 0.85, "{} of {most} a minute", made.len());
        }
    }

    #[test]
    fn the_price_is_the_list_price() {
        let mut budget = Budget::new(&rules(2_000, 1.0));
        let now = Duration::from_secs(30);
        budget.count(now, 1_000);
        assert!((budget.spend(now).dollars_per_hour - 0.024).abs() < 1e-9, "60,000 requests an hour");
        budget.charge_metrics(now, 100);
        assert!((budget.spend(now).dollars_per_hour - 0.024 - 0.06).abs() < 1e-9, "6,000 metrics an hour");
        assert_eq!(budget.spend(now).calls_per_minute, 1_000);
        assert_eq!(budget.spend(Duration::from_secs(120)).calls_per_minute, 0, "a minute later");
    }

    #[test]
    fn what_is_beside_queues_leaves_metrics_for_ages() {
        let mut budget = Budget::new(&rules(1_000, 0.124));
        let now = Duration::from_secs(600);
        let (all, beyond) = (budget.metrics_allowed(now), budget.metrics_allowed_beyond_queues(now));
        assert!(beyond > all / 2 && beyond < all, "{beyond} of {all}");
        budget.charge_metrics(now, u32::try_from(beyond).expect("few"));
        assert_eq!(budget.metrics_allowed_beyond_queues(now), 0);
        assert!(budget.metrics_allowed(now) >= all / 5, "{}", budget.metrics_allowed(now));
    }

    #[test]
    fn metrics_have_what_calls_leave_of_the_dollars() {
        let hour = |dollars| {
            let mut budget = Budget::new(&rules(1_000, dollars));
            let mut asked = 0;
            for minute in 1..=60 {
                let now = MINUTE * minute;
                let allowed = budget.metrics_allowed(now);
                budget.charge_metrics(now, u32::try_from(allowed).expect("few"));
                asked += allowed;
            }
            asked
        };
        // 1,000 calls a minute are $0.024 an hour.
        assert_eq!(hour(0.024), 0);
        let asked = hour(0.124);
        assert!((9_000..=12_000).contains(&asked), "$0.10 buy 10,000 metrics; {asked}, ten minutes' burst included");
    }
}
