//! How an environment is watched: the figures of the file, checked against what makes sense.

use std::time::Duration;

use super::{
    check::One,
    texts::Sort,
    typed::{Defaults, Environment, Watch},
};
use crate::{
    domain::{Dollars, Thresholds, WatchRules},
    files::{Spot, problem::Problem},
};

pub(super) struct Range {
    pub(super) least: i64,
    pub(super) most: i64,
    pub(super) unit: &'static str,
}

const CALLS_PER_MINUTE: Range = Range { least: 10, most: 60_000, unit: "calls a minute" };
const MESSAGES: Range = Range { least: 1, most: 1_000_000_000, unit: "messages" };
/// SQS keeps messages for 14 days at most.
const EXPIRES_SOON: Range = Range { least: 1, most: 336, unit: "hours" };
/// Counts are remembered for half an hour.
const GROWTH: Range = Range { least: 1, most: 30, unit: "minutes" };
const CONSUMER_ABSENT: Range = Range { least: 1, most: 10_080, unit: "minutes" };
const SERVICE_BELOW: Range = Range { least: 0, most: 1_440, unit: "minutes" };
/// A service that is given more CPU than it reserved uses more than all of it.
const PERCENT_RESERVED: Range = Range { least: 1, most: 1_000, unit: "percent" };
const PERCENT: Range = Range { least: 1, most: 100, unit: "percent" };
const CONNECTIONS: Range = Range { least: 1, most: 1_000_000_000, unit: "connections" };
/// RDS's largest storage is 64 TiB.
const GIGABYTES: Range = Range { least: 1, most: 65_536, unit: "GiB" };
const LATENCY: Range = Range { least: 1, most: 60_000, unit: "milliseconds" };
const LAG: Range = Range { least: 1, most: 86_400, unit: "seconds" };
const OFFSETS: Range = Range { least: 1, most: 1_000_000_000, unit: "offsets" };
const DOLLARS_MOST: f64 = 100.0;

impl One<'_> {
    /// The environment's own figures win over those of the defaults; its lists come first.
    pub(super) fn watch(&mut self, typed: &Environment, defaults: &Defaults) -> WatchRules {
        let mut rules = WatchRules::default();
        // The defaults first: what the environment says overwrites it.
        for watch in [&defaults.watch, &typed.watch].into_iter().flatten() {
            self.figures(watch, &mut rules);
        }
        for watch in [&typed.watch, &defaults.watch].into_iter().flatten() {
            for backlog in watch.backlogs.iter().flatten() {
                let (Some(queue), Some(messages)) = (&backlog.queue, &backlog.messages) else { continue };
                let pattern = self.pattern(queue);
                rules.thresholds.backlogs.extend(self.figure(messages, &MESSAGES).map(|messages| (pattern, messages)));
            }
            let parked: Vec<String> = watch.parked.iter().flatten().map(|spot| self.pattern(spot)).collect();
            rules.thresholds.parked.extend(parked);
        }
        rules
    }

    fn figures(&mut self, watch: &Watch, rules: &mut WatchRules) {
        let mut figure = |spot: &Option<Spot<i64>>, range: &Range| self.figure(spot.as_ref()?, range);
        if let Some(calls) = figure(&watch.calls_per_minute_max, &CALLS_PER_MINUTE) {
            rules.calls_per_minute_max = u32::try_from(calls).unwrap_or(u32::MAX);
        }
        let thresholds = &mut rules.thresholds;
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        if let Some(messages) = figure(&watch.backlog_messages, &MESSAGES) {
            thresholds.backlog_messages = messages;
        }
        if let Some(hours) = figure(&watch.expires_soon_hours, &EXPIRES_SOON) {
            thresholds.expires_soon = minutes(hours * 60);
        }
        if let Some(messages) = figure(&watch.growth_messages, &MESSAGES) {
            thresholds.growth_messages = messages;
        }
        if let Some(within) = figure(&watch.growth_minutes, &GROWTH) {
            thresholds.growth_within = minutes(within);
        }
        if let Some(after) = figure(&watch.consumer_absent_minutes, &CONSUMER_ABSENT) {
            thresholds.consumer_absent_after = minutes(after);
        }
        if let Some(spot) = &watch.dollars_per_hour_max {
            rules.dollars_per_hour_max = self.dollars(spot);
        }
        self.beyond_queues(watch, &mut rules.thresholds);
    }

    fn beyond_queues(&mut self, watch: &Watch, thresholds: &mut Thresholds) {
        let mut figure = |spot: &Option<Spot<i64>>, range: &Range| self.figure(spot.as_ref()?, range);
        if let Some(minutes) = figure(&watch.service_below_minutes, &SERVICE_BELOW) {
            thresholds.service_below_after = Duration::from_secs(minutes * 60);
        }
        if let Some(connections) = figure(&watch.database_connections, &CONNECTIONS) {
            thresholds.database_connections = connections;
        }
        if let Some(milliseconds) = figure(&watch.database_latency_milliseconds, &LATENCY) {
            thresholds.database_latency = Duration::from_millis(milliseconds);
        }
        if let Some(seconds) = figure(&watch.replica_lag_seconds, &LAG) {
            thresholds.replica_lag = Duration::from_secs(seconds);
        }
        if let Some(offsets) = figure(&watch.kafka_lag_offsets, &OFFSETS) {
            thresholds.kafka_lag_offsets = offsets;
        }
        for (spot, range, place) in [
            (&watch.service_cpu_percent, &PERCENT_RESERVED, &mut thresholds.service_cpu_percent),
            (&watch.service_memory_percent, &PERCENT_RESERVED, &mut thresholds.service_memory_percent),
            (&watch.database_cpu_percent, &PERCENT, &mut thresholds.database_cpu_percent),
            (&watch.free_storage_gigabytes, &GIGABYTES, &mut thresholds.free_storage_gigabytes),
        ] {
            if let Some(number) = figure(spot, range) {
                *place = u32::try_from(number).unwrap_or(u32::MAX);
            }
        }
    }

    pub(super) fn figure(&mut self, spot: &Spot<i64>, range: &Range) -> Option<u64> {
        let Range { least, most, unit } = range;
        if (*least..=*most).contains(spot.value()) {
            return u64::try_from(*spot.value()).ok();
        }
        let problem = Problem::error(spot.span(), format!("{} {unit} make no sense here", spot.value()));
        self.problems.push(problem.help(format!("write a number from {least} to {most}")));
        None
    }

    fn dollars(&mut self, spot: &Spot<f64>) -> Dollars {
        let dollars = *spot.value();
        if !(0.0..=DOLLARS_MOST).contains(&dollars) {
            let problem = Problem::error(spot.span(), "this many dollars an hour make no sense here");
            self.problems.push(problem.help(format!("write a number from 0 to {DOLLARS_MOST}")));
            return Dollars::default();
        }
        Dollars::from_dollars(dollars)
    }

    pub(super) fn pattern(&mut self, spot: &Spot<String>) -> String {
        if spot.value().starts_with("ssm:") {
            let problem = Problem::error(spot.span(), "what is watched cannot be read from an SSM parameter");
            self.problems.push(problem.help("write the queue's name or a pattern of it"));
            return String::new();
        }
        self.plain(spot, Sort::QueuePattern)
    }
}
