//! CloudWatch on the pure world: metrics of SQS, ECS, RDS, Lambda and MSK, as the world publishes them each minute, custom ones,
//! and alarms.
//!
//! A minute's sample can be read `metrics_lag_seconds` after the minute ended (AWS: "some minutes"; how many is our assumption)
//! and carries the time at which the minute began. A queue without messages has metrics for six hours after its last change.
//! Not simulated: the quarter of an hour for which AWS may show nothing of a queue that wakes after that.

mod alarms;
mod custom;
mod data;
#[cfg(test)]
mod drill_tests;
mod form;
mod functions;
mod list;
mod math;
mod notes;
mod observed;
mod request;
mod search;
mod statistics;
#[cfg(test)]
mod tests;

use super::{
    ApiError, World,
    call::told,
    rds,
    service::{JSON_1_0, Protocol, ServiceDef, does},
    template::Place,
};
pub(super) use alarms::Acting;
use custom::Custom;
use notes::MINUTE;
pub(super) use notes::{Gauge, Notes};
pub use observed::{KafkaGroup, Level};
use request::MetricName;

const SQS: &str = "AWS/SQS";
/// Aurora capacity units in use; 0 while the cluster is paused.
const CAPACITY: &str = "ServerlessDatabaseCapacity";
/// How far a global cluster's secondary lies behind the one that writes, milliseconds.
const GLOBAL_LAG: &str = "AuroraGlobalDBRPOLag";

#[derive(Debug, Default)]
pub struct CloudWatch {
    /// Queues that changed in this minute.
    changed: Vec<u32>,
    /// When they are noted; none: nothing changed.
    next_note: Option<i64>,
    custom: Custom,
    alarms: alarms::Alarms,
    observed: observed::Observed,
}

impl CloudWatch {
    /// Whether queues are to be noted at or before `now`, and before anything that is due at `other`.
    pub(super) fn notes_before(&self, now: i64, other: Option<i64>) -> Option<i64> {
        self.next_note.filter(|note| *note <= now && other.is_none_or(|other| *note <= other))
    }
}

/// CloudWatch over rpcv2Cbor, awsJson1_0 or, as older SDKs speak it, awsQuery.
pub(super) static SERVICE: ServiceDef = ServiceDef {
    endpoint: "monitoring",
    signing: "monitoring",
    protocol: Protocol::Json {
        target: "GraniteServiceVersion20100801",
        content_type: JSON_1_0,
        shapes: Some("com.amazonaws.cloudwatch#"),
    },
    form: Some(&form::FORM),
    throttled: (400, "Throttling"),
    prepare: |world, call| {
        world.note_databases(call.now);
        Ok(())
    },
    ..ServiceDef::new(
        "cloudwatch",
        &[
            ("GetMetricData", does!(get_metric_data)),
            ("GetMetricStatistics", does!(get_metric_statistics)),
            ("ListMetrics", does!(list_metrics)),
            ("PutMetricData", does!(cloudwatch.custom.put)),
            ("DescribeAlarms", |world, call, input| told(world.alarms(call).describe(input.read()?))),
            ("DescribeAlarmHistory", |world, call, input| told(world.alarms(call).history(input.read()?))),
            ("PutMetricAlarm", |world, call, input| told(world.alarms(call).put_metric(call, input.read()?))),
            ("PutCompositeAlarm", |world, call, input| told(world.alarms(call).put_composite(call, input.read()?))),
            ("DeleteAlarms", |world, call, input| told(world.alarms(call).delete(input.read()?))),
            ("SetAlarmState", |world, call, input| told(world.alarms(call).set_state(call.now, input.read()?))),
            ("EnableAlarmActions", |world, call, input| {
                told(world.alarms(call).set_actions(call.now, input.read()?, true))
            }),
            ("PutAlarmMuteRule", |world, call, input| told(world.alarms(call).put_mute(call, input.read()?))),
            ("GetAlarmMuteRule", |world, call, input| told(world.alarms(call).get_mute(call.now, input.read()?))),
            ("ListAlarmMuteRules", |world, call, input| told(world.alarms(call).list_mutes(call.now, input.read()?))),
            ("DeleteAlarmMuteRule", |world, call, input| told(world.alarms(call).delete_mute(call.now, input.read()?))),
            ("DisableAlarmActions", |world, call, input| {
                told(world.alarms(call).set_actions(call.now, input.read()?, false))
            }),
        ],
    )
};

impl World {
    /// Lets every queue of which nothing is noted look as if it had been as it is for an hour: a world that is set up has a past.
    pub fn begin_metrics(&mut self, now: jiff::Timestamp) {
        let since = self.advance(now).div_euclid(MINUTE) * MINUTE - 60 * MINUTE;
        for queue in self.queues.iter_mut().flatten() {
            let gauge = queue.gauge();
            queue.notes.begin(since, &gauge);
        }
        self.begin_observing(since, self.now);
    }

    /// Counts something that happened, in a metric with one dimension.
    pub(super) fn count_metric(
        &mut self,
        at: jiff::Timestamp,
        place: &Place,
        (namespace, metric): (&str, &str),
        dimension: (&str, &str),
        sample: f64,
    ) {
        let name = MetricName::of(namespace, metric, &[dimension]);
        self.cloudwatch.custom.count((&place.account, &place.region), name, at.as_millisecond(), sample);
    }

    /// What was counted in a metric, all together.
    #[cfg(test)]
    pub(super) fn counted(&self, place: &Place, namespace: &str, metric: &str) -> f64 {
        self.cloudwatch.custom.sum((&place.account, &place.region), namespace, metric)
    }

    pub(super) fn list_for_note(&mut self, number: u32, now: i64) {
        let Some(queue) = self.queues[number as usize].as_deref_mut() else { return };
        if !std::mem::replace(&mut queue.notes.is_listed, true) {
            self.cloudwatch.changed.push(number);
            self.cloudwatch.next_note.get_or_insert((now.div_euclid(MINUTE) + 1) * MINUTE);
        }
    }

    /// Notes the capacity of serverless clusters, for every minute that has passed since it was looked at last.
    fn note_databases(&mut self, now: i64) {
        let until = now - self.settings.metrics_lag_seconds * 1_000;
        let lags = self.rds.global_lags().map(|sample| (GLOBAL_LAG, sample));
        let capacities = self.rds.capacities().map(|sample| (CAPACITY, sample));
        for (metric, (account, region, cluster, value)) in lags.chain(capacities) {
            let name = MetricName::of(rds::METRICS, metric, &[("DBClusterIdentifier", cluster)]);
            self.cloudwatch.custom.note((account, region), name, until, value);
        }
    }

    /// Notes what the queues that changed are like at the end of the minute.
    pub(super) fn note_queues(&mut self, at: i64) {
        self.cloudwatch.next_note = None;
        for number in std::mem::take(&mut self.cloudwatch.changed) {
            let Some(queue) = self.queues[number as usize].as_deref_mut() else { continue };
            let gauge = queue.gauge();
            queue.notes.is_listed = false;
            queue.notes.add(at, &gauge);
        }
    }
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::plain(400, "ValidationError", message)
}

/// A statistic that is known here; of a percentile the maximum, for single samples are not kept.
fn statistic(name: &str) -> Option<&'static str> {
    let rank = name.strip_prefix('p').and_then(|rank| rank.parse().ok());
    if rank.is_some_and(|rank: f64| (0.0..=100.0).contains(&rank)) {
        return Some("Maximum");
    }
    ["Maximum", "Minimum", "Sum", "SampleCount", "Average"].into_iter().find(|known| *known == name)
}

fn missing(parameter: &str) -> ApiError {
    let message = format!("The parameter {parameter} is required.");
    ApiError::coded(400, "MissingRequiredParameterException", "MissingParameter", message)
}
