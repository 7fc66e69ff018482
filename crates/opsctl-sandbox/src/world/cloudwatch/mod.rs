//! CloudWatch on the pure world: metrics of SQS, ECS, RDS, Lambda and MSK, as the world publishes them each minute, custom ones,
//! and alarms.
//!
//! A minute's sample can be read `metrics_lag_seconds` after the minute ended (AWS: "some minutes"; how many is our assumption)
//! and carries the time at which the minute began. A queue without messages has metrics for six hours after its last change.
//! Not simulated: the quarter of an hour for which AWS may show nothing of a queue that wakes after that.

mod alarms;
mod custom;
mod data;
mod functions;
mod list;
mod notes;
mod observed;
mod request;
mod search;
#[cfg(test)]
mod tests;

use super::{
    ApiError, World,
    call::{done, told},
    rds,
    service::{JSON_1_0, Protocol, ServiceDef},
};
use custom::Custom;
use notes::MINUTE;
pub(super) use notes::{Gauge, Notes};
pub use observed::{KafkaGroup, Level};

/// Namespace of SQS's metrics.
const SQS: &str = "AWS/SQS";
/// Aurora capacity units in use; 0 while the cluster is paused.
const CAPACITY: &str = "ServerlessDatabaseCapacity";
/// How far a global cluster's secondary lies behind the one that writes, milliseconds.
const GLOBAL_LAG: &str = "AuroraGlobalDBRPOLag";

/// What CloudWatch knows besides the queues' notes.
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

/// CloudWatch over rpcv2Cbor or awsJson1_0; once it was awsQuery.
pub(super) static SERVICE: ServiceDef = ServiceDef {
    endpoint: "monitoring",
    signing: "monitoring",
    protocol: Protocol::Json {
        target: "GraniteServiceVersion20100801",
        content_type: JSON_1_0,
        shapes: Some("com.amazonaws.cloudwatch#"),
    },
    throttled: (400, "Throttling"),
    prepare: |world, call| {
        world.note_databases(call.now);
        Ok(())
    },
    ..ServiceDef::new(
        "cloudwatch",
        &[
            ("GetMetricData", |world, call, input| told(world.get_metric_data(call.now, call.caller, &input.read()?))),
            ("ListMetrics", |world, call, input| told(world.list_metrics(call.now, call.caller, &input.read()?))),
            ("PutMetricData", |world, call, input| {
                done(world.cloudwatch.custom.put(call.now, call.caller, input.read()?))
            }),
            ("DescribeAlarms", |world, call, input| told(world.alarms(call).describe(&input.read()?))),
            ("DescribeAlarmHistory", |world, call, input| told(world.alarms(call).history(&input.read()?))),
            ("PutMetricAlarm", |world, call, input| {
                done(world.alarms(call).put_metric(call.now, call.caller, input.read()?))
            }),
            ("PutCompositeAlarm", |world, call, input| {
                done(world.alarms(call).put_composite(call.now, call.caller, input.read()?))
            }),
            ("DeleteAlarms", |world, call, input| done(world.alarms(call).delete(&input.read()?))),
            ("SetAlarmState", |world, call, input| done(world.alarms(call).set_state(call.now, &input.read()?))),
            ("EnableAlarmActions", |world, call, input| {
                done(world.alarms(call).set_actions(call.now, &input.read()?, true))
            }),
            ("DisableAlarmActions", |world, call, input| {
                done(world.alarms(call).set_actions(call.now, &input.read()?, false))
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

    /// Notes that a queue changed.
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
        for (account, region, cluster, milliseconds) in self.rds.global_lags() {
            let name = ["DBClusterIdentifier", cluster];
            let metric = (rds::METRICS, GLOBAL_LAG);
            self.cloudwatch.custom.note((account, region), metric, name, until, milliseconds);
        }
        for (account, region, cluster, units) in self.rds.capacities() {
            let name = ["DBClusterIdentifier", cluster];
            self.cloudwatch.custom.note((account, region), (rds::METRICS, CAPACITY), name, until, units);
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

fn missing(parameter: &str) -> ApiError {
    let message = format!("The parameter {parameter} is required.");
    ApiError::coded(400, "MissingRequiredParameterException", "MissingParameter", message)
}
