//! [`Policy`]: how often what is asked.

use std::time::Duration;

/// How often what is asked, and how much at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// A queue on the screen.
    pub visible: Duration,
    pub dead_letters: Duration,
    pub rest: Duration,
    pub listing: Duration,
    pub denied: Duration,
    /// A queue's tags, where the configuration pairs by them.
    pub tags: Duration,
    pub ages: Duration,
    /// Longest pause between two probes of an environment that is not reached.
    pub probe_max: Duration,
    /// Questions at once, of those that were asked less than `slow_after` ago.
    pub concurrency: usize,
    /// All questions at once: those that hang do not hold up others.
    pub in_flight_max: usize,
    /// A question that is not answered by then is slow.
    pub slow_after: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            visible: Duration::from_secs(5),
            dead_letters: Duration::from_secs(10),
            rest: Duration::from_secs(60),
            listing: Duration::from_secs(60),
            denied: Duration::from_secs(300),
            tags: Duration::from_secs(900),
            ages: Duration::from_secs(60),
            probe_max: Duration::from_secs(30),
            concurrency: 32,
            in_flight_max: 256,
            slow_after: Duration::from_secs(1),
        }
    }
}
