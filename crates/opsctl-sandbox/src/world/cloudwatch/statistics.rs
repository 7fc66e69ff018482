//! `GetMetricStatistics`.

use serde_json::{Map, Value, json};

use super::{
    data::milliseconds,
    missing,
    request::{GetMetricStatistics, MetricName},
    statistic, validation,
};
use crate::world::{
    ApiError, World,
    call::{Answered, Call},
};

/// Points of one answer (CloudWatch API reference).
const POINTS_MAX: i64 = 1_440;

impl World {
    pub(super) fn get_metric_statistics(&self, call: Call, request: GetMetricStatistics) -> Answered<Value> {
        let name = MetricName {
            namespace: request.namespace.ok_or_else(|| missing("Namespace"))?,
            metric_name: request.metric_name.ok_or_else(|| missing("MetricName"))?,
            dimensions: request.dimensions,
        };
        let name = name.sorted();
        let start = request.start_time.ok_or_else(|| missing("StartTime"))?;
        let end = request.end_time.ok_or_else(|| missing("EndTime"))?;
        if start >= end {
            return Err(validation("The parameter StartTime must be less than the parameter EndTime."));
        }
        let period = milliseconds(request.period.ok_or_else(|| missing("Period"))?)?;
        let known = |name: &String| {
            let known =
                statistic(name).ok_or_else(|| validation(format!("The statistic {name} is not understood here.")));
            known.map(|known| (name.clone(), known))
        };
        let plain: Vec<_> = request.statistics.iter().map(known).collect::<Result<_, _>>()?;
        let extended: Vec<_> = request.extended_statistics.iter().map(known).collect::<Result<_, _>>()?;
        if plain.is_empty() && extended.is_empty() {
            return Err(missing("Statistics"));
        }
        let (from, until) = ((start * 1_000.0) as i64, (end * 1_000.0) as i64);
        let count = (until - from) / period;
        if count > POINTS_MAX {
            let message = format!(
                "You have requested up to {count} datapoints, which exceeds the limit of {POINTS_MAX}. You may reduce the datapoints \
                 requested by increasing Period, or decreasing the time range."
            );
            return Err(ApiError::coded(
                400,
                "InvalidParameterCombinationException",
                "InvalidParameterCombination",
                message,
            ));
        }
        let from = from.div_euclid(period) * period;
        let points = self.periods(call, &name, from..until, period).into_iter().map(|(at, summary)| {
            let mut point = json!({ "Timestamp": at as f64 / 1_000.0, "Unit": "None" });
            for (name, statistic) in &plain {
                point[name] = summary.value(statistic).into();
            }
            let more: Map<String, Value> =
                extended.iter().map(|(name, statistic)| (name.clone(), summary.value(statistic).into())).collect();
            if !more.is_empty() {
                point["ExtendedStatistics"] = more.into();
            }
            point
        });
        Ok(json!({ "Label": name.metric_name, "Datapoints": points.collect::<Vec<_>>() }))
    }
}
