//! How an environment is watched: what looking may cost, and from when on something needs somebody.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::environment::glob;

/// An amount of US dollars, kept in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dollars(pub u64);

impl Dollars {
    /// From dollars; below zero is zero.
    pub fn from_dollars(dollars: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is meant")]
        let millionths = (dollars * 1e6).round() as u64;
        Self(millionths)
    }

    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl fmt::Display for Dollars {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&format!("${:.2}", self.dollars()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchRules {
    /// Calls of SQS a minute, at most, beyond the first look at each queue.
    pub calls_per_minute_max: u32,
    /// What looking may cost an hour, at list price: calls first, then CloudWatch metrics.
    pub dollars_per_hour_max: Dollars,
    /// From when on something needs somebody.
    pub thresholds: Thresholds,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thresholds {
    /// Visible messages in a queue that are a backlog.
    pub backlog_messages: u64,
    /// The same for queues whose names fit a pattern; the first that fits wins.
    pub backlogs: Vec<(String, u64)>,
    /// A DLQ whose oldest message is deleted within this time is critical.
    pub expires_soon: Duration,
    /// A DLQ grows when so many messages were added...
    pub growth_messages: u64,
    /// ... within this time.
    pub growth_within: Duration,
    /// A queue's consumer is absent when messages waited that long and none was in flight.
    pub consumer_absent_after: Duration,
    /// Patterns of queues in which messages lie on purpose: they have no backlog and need no consumer.
    pub parked: Vec<String>,
    /// A service has too few tasks when fewer run than shall for that long.
    pub service_below_after: Duration,
    /// More percent of the CPU that its tasks reserved are much.
    pub service_cpu_percent: u32,
    /// More percent of the memory that its tasks reserved are much.
    pub service_memory_percent: u32,
    /// More percent of a database instance's CPU are much.
    pub database_cpu_percent: u32,
    /// More connections to a database instance are many.
    pub database_connections: u64,
    /// Less free storage is little, in GiB.
    pub free_storage_gigabytes: u32,
    /// A read or write that takes longer takes long.
    pub database_latency: Duration,
    /// A reader that lies farther behind lies far behind.
    pub replica_lag: Duration,
    /// More offsets that a group has not read yet are many.
    pub kafka_lag_offsets: u64,
}

impl Default for WatchRules {
    /// 1,500 calls a minute are 500 queues with 50 DLQs and 40 on the screen; they cost $0.036 an hour at list price.
    fn default() -> Self {
        Self { calls_per_minute_max: 1_500, dollars_per_hour_max: Dollars(100_000), thresholds: Thresholds::default() }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            backlog_messages: 1_000,
            backlogs: Vec::new(),
            expires_soon: Duration::from_secs(24 * 3_600),
            growth_messages: 1,
            growth_within: Duration::from_secs(15 * 60),
            consumer_absent_after: Duration::from_secs(5 * 60),
            parked: Vec::new(),
            service_below_after: Duration::from_secs(2 * 60),
            service_cpu_percent: 80,
            service_memory_percent: 80,
            database_cpu_percent: 80,
            database_connections: 80,
            free_storage_gigabytes: 2,
            database_latency: Duration::from_secs(1),
            replica_lag: Duration::from_secs(10),
            kafka_lag_offsets: 10_000,
        }
    }
}

impl Thresholds {
    /// From how many visible messages on a queue of that name has a backlog.
    pub fn backlog_of(&self, queue: &str) -> u64 {
        let own = self.backlogs.iter().find(|(pattern, _)| glob(pattern, queue));
        own.map_or(self.backlog_messages, |(_, messages)| *messages)
    }

    /// Less free storage is little, in bytes.
    pub fn free_storage_bytes(&self) -> f64 {
        f64::from(self.free_storage_gigabytes) * 1_073_741_824.0
    }

    /// Whether messages lie in a queue of that name on purpose.
    pub fn is_parked(&self, queue: &str) -> bool {
        self.parked.iter().any(|pattern| glob(pattern, queue))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pattern_that_fits_says_what_a_backlog_is() {
        let backlogs = vec![("orders-bulk*".into(), 50_000), ("orders*".into(), 10)];
        let thresholds = Thresholds { backlogs, ..Thresholds::default() };
        assert_eq!(thresholds.backlog_of("orders-bulk-eu"), 50_000);
        assert_eq!(thresholds.backlog_of("orders"), 10);
        assert_eq!(thresholds.backlog_of("bills"), 1_000);
    }

    #[test]
    fn dollars_are_kept_exactly() {
        assert_eq!(Dollars::from_dollars(0.1), Dollars(100_000));
        assert_eq!(Dollars::from_dollars(-1.0), Dollars(0));
        assert_eq!(Dollars(36_000).to_string(), "$0.04");
    }
}
