//! [`Gauge`]: a metric's newest value and the road to it; [`DatabaseGauges`]: those of a database's instance.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A metric of one resource as CloudWatch has it. What CloudWatch has no sample of has no gauge: missing is not zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gauge {
    /// The newest value, in the metric's unit.
    pub value: f64,
    /// When the period began that it is of; some minutes ago, for CloudWatch lags.
    pub at: Timestamp,
    /// The values of the window with their times, oldest first, the newest included.
    pub recent: Vec<(Timestamp, f64)>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseGauges {
    pub cpu: Option<Gauge>,
    pub connections: Option<Gauge>,
    /// Bytes of free storage; Aurora has no such thing.
    pub free_storage: Option<Gauge>,
    /// Milliseconds that a reader lies behind; below zero: its replication does not run.
    pub lag: Option<Gauge>,
    /// Seconds that a read takes.
    pub read_latency: Option<Gauge>,
    /// Seconds that a write takes.
    pub write_latency: Option<Gauge>,
}
