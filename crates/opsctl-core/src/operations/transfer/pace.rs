//! How fast and how many: rate, ramp steps, limit.

use std::time::Duration;

use jiff::Timestamp;

use crate::operations::values::{Ramp, RampStep};

/// Grants messages to lanes within rate, ramp step and limit.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Option<f64>,
    tokens: f64,
    filled_at: Timestamp,
    steps: Vec<RampStep>,
    step: usize,
    sent_in_step: u64,
    sent: u64,
    reserved: u64,
    limit: Option<u64>,
    batch_max: u64,
}

impl Pace {
    pub(super) fn new(rate: Option<u32>, ramp: &Ramp, limit: Option<u64>, batch_max: u32, now: Timestamp) -> Self {
        Self {
            rate: rate.map(f64::from),
            tokens: 1.0,
            filled_at: now,
            steps: ramp.0.clone(),
            step: 0,
            sent_in_step: 0,
            sent: 0,
            reserved: 0,
            limit,
            batch_max: u64::from(batch_max.clamp(1, 10)),
        }
    }

    /// Number of the step, from 1, and of all steps.
    pub(super) fn step(&self) -> (u32, u32) {
        (self.step as u32 + 1, self.steps.len() as u32)
    }

    /// Messages that may still be taken in this step, reserved ones aside.
    fn room(&self) -> u64 {
        let in_step = match self.steps.get(self.step) {
            Some(RampStep::Messages(messages)) => messages.saturating_sub(self.sent_in_step + self.reserved),
            Some(RampStep::All) => u64::MAX,
            None => 0,
        };
        let in_all = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.sent + self.reserved));
        in_step.min(in_all)
    }

    /// Reserves up to a batch of messages; answers how many, or until when to wait.
    pub(super) fn grant(&mut self, now: Timestamp) -> Result<u32, Option<Timestamp>> {
        let room = self.room().min(self.batch_max) as u32;
        if room == 0 {
            return Err(None);
        }
        let granted = match self.rate {
            None => room,
            Some(rate) => {
                let passed = now.duration_since(self.filled_at).as_secs_f64().max(0.0);
                // Half a second's worth may gather, so that batches are as whole as the rate allows: fewer calls.
                self.tokens = (self.tokens + passed * rate).min((rate / 2.0).max(10.0));
                self.filled_at = now;
                let wanted = f64::from(room).min((rate / 2.0).max(1.0)).floor();
                if self.tokens < wanted {
                    let wait = Duration::from_secs_f64((wanted - self.tokens) / rate);
                    return Err(now.checked_add(wait.max(Duration::from_millis(1))).ok());
                }
                self.tokens -= wanted;
                wanted as u32
            }
        };
        self.reserved += u64::from(granted);
        Ok(granted)
    }

    /// Gives a grant back: so many were sent, and so many of those count against the limit (the others did in an earlier try).
    pub(super) fn settle(&mut self, granted: u32, sent: u32, counted: u32) {
        debug_assert!(u64::from(granted) <= self.reserved, "a grant is settled once");
        self.reserved = self.reserved.saturating_sub(u64::from(granted));
        self.sent_in_step += u64::from(sent);
        self.sent += u64::from(counted);
        if self.rate.is_some() {
            self.tokens += f64::from(granted) - f64::from(sent);
        }
    }

    /// Whether this step has all it was to send.
    pub(super) fn is_step_full(&self) -> bool {
        self.room() == 0 && self.reserved == 0
    }

    pub(super) fn is_limit_reached(&self) -> bool {
        self.limit.is_some_and(|limit| self.sent >= limit)
    }

    /// Whether nothing more will be sent, in this step or a later one.
    pub(super) fn is_over(&self) -> bool {
        self.is_limit_reached() || self.is_step_full() && self.step + 1 >= self.steps.len()
    }

    pub(super) fn sent_in_step(&self) -> u64 {
        self.sent_in_step
    }

    pub(super) fn has_next_step(&self) -> bool {
        self.step + 1 < self.steps.len()
    }

    /// Goes to the next step; answers whether there is one.
    pub(super) fn advance(&mut self) -> bool {
        self.step += 1;
        self.sent_in_step = 0;
        if self.step < self.steps.len() {
            return true;
        }
        self.step = self.steps.len().saturating_sub(1);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).expect("a time")
    }

    #[test]
    fn a_ramp_grants_step_by_step() {
        let mut pace = Pace::new(None, &"1,12".parse().expect("a ramp"), None, 10, at(0));
        assert_eq!(pace.grant(at(0)), Ok(1));
        assert_eq!(pace.grant(at(0)), Err(None));
        pace.settle(1, 1, 1);
        assert!(pace.is_step_full() && pace.advance());
        assert_eq!((pace.grant(at(0)), pace.grant(at(0))), (Ok(10), Ok(2)));
        pace.settle(10, 0, 0);
        assert_eq!(pace.grant(at(0)), Ok(10), "what was not sent can be granted again");
    }

    #[test]
    fn a_limit_holds_over_all_steps() {
        let mut pace = Pace::new(None, &Ramp::none(), Some(3), 10, at(0));
        assert_eq!(pace.grant(at(0)), Ok(3));
        pace.settle(3, 3, 3);
        assert!(pace.is_limit_reached() && pace.is_step_full());
    }

    #[test]
    fn a_rate_holds_over_a_second() {
        let mut pace = Pace::new(Some(50), &Ramp::none(), None, 10, at(0));
        let mut sent = 0;
        let mut now = 0;
        while now < 1_000 {
            match pace.grant(at(now)) {
                Ok(granted) => {
                    pace.settle(granted, granted, granted);
                    sent += granted;
                }
                Err(until) => now = until.expect("a time").as_millisecond() - 1_800_000_000_000,
            }
        }
        assert!((45..=61).contains(&sent), "{sent}");
    }
}
