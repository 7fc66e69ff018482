//! Metrics of Lambda functions that take a queue's messages: they follow from what was received and deleted there.

use std::ops::Range;

use super::{
    custom::Summary,
    data::minutes_in,
    notes::{MINUTE, QueueMetric},
    request::MetricName,
};
use crate::world::{Caller, World};

pub(super) const METRICS: &str = "AWS/Lambda";
const METRICS_OF_ONE: [&str; 3] = ["Invocations", "Errors", "Duration"];
/// How long a call takes, and one that fails, milliseconds: our assumption.
const DURATIONS: (f64, f64) = (180.0, 900.0);

impl World {
    /// A function's minutes that begin in a time; none without a call.
    pub(super) fn minutes_of_function(
        &self,
        caller: &Caller,
        metric: &MetricName,
        seen: Range<i64>,
    ) -> Vec<(i64, Summary)> {
        let Some(name) = metric.only("FunctionName") else { return Vec::new() };
        let sources: Vec<(u32, u32)> = self
            .lambda
            .sources(&caller.account, &caller.region)
            .filter(|(function, ..)| *function == name)
            .filter_map(|(_, queue, batch)| Some((self.find(&caller.account, &caller.region, queue)?, batch)))
            .collect();
        let sample = |minute: i64| {
            let (calls, errors) = self.calls(&sources, minute);
            let summary = match metric.metric_name.as_str() {
                _ if calls == 0.0 => return None,
                "Invocations" => Summary { count: calls, sum: calls, minimum: 1.0, maximum: 1.0 },
                "Errors" => Summary { count: calls, sum: errors, minimum: 0.0, maximum: errors.min(1.0) },
                "Duration" => {
                    let (usual, failing) = DURATIONS;
                    let maximum = if errors > 0.0 { failing } else { usual * 1.6 };
                    Summary {
                        count: calls,
                        sum: usual * (calls - errors) + failing * errors,
                        minimum: usual * 0.4,
                        maximum,
                    }
                }
                _ => return None,
            };
            Some((minute, summary))
        };
        minutes_in(seen).filter_map(sample).collect()
    }

    pub(super) fn function_metrics(&self, caller: &Caller) -> Vec<MetricName> {
        let mut functions: Vec<&str> =
            self.lambda.sources(&caller.account, &caller.region).map(|(function, ..)| function).collect();
        functions.sort_unstable();
        functions.dedup();
        let name = |function, metric| MetricName::of(METRICS, metric, &[("FunctionName", function)]);
        functions.into_iter().flat_map(|function| METRICS_OF_ONE.map(|metric| name(function, metric))).collect()
    }

    /// Calls of a minute, and how many failed: a batch whose messages were not deleted.
    fn calls(&self, sources: &[(u32, u32)], minute: i64) -> (f64, f64) {
        let of = |(number, batch): &(u32, u32)| {
            let notes = &self.queue(*number).notes;
            let flow = |metric| notes.value(metric, minute + MINUTE).unwrap_or_default();
            let (received, deleted) = (flow(QueueMetric::Received), flow(QueueMetric::Deleted));
            // Batches are rarely full.
            let size = f64::from((*batch).max(1)).min(received.max(1.0));
            let calls = (received / size).ceil();
            (calls, ((received - deleted).max(0.0) / size).ceil().min(calls))
        };
        sources.iter().map(of).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }
}
