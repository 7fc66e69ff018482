//! [`Gauge`]: a metric's newest value and the road to it.

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
