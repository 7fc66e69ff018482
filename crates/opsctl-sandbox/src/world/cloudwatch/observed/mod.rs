//! [`Observed`]: what services, databases and groups that read Kafka were like over time, and the metrics that follow from it.
//!
//! Only changes are noted, at the ends of minutes; what a metric was in a minute follows from the state then, a seed and the
//! minute. Levels are plausible, not measured: about so much for a thing, with waves and noise. Nothing is told of a service
//! without a running task, nor of an instance that did not take connections all through the minute.

mod instances;
mod kafka;
mod outboxes;
mod services;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    f64::consts::TAU,
    ops::Range,
};

pub use kafka::KafkaGroup;

use super::{custom::Summary, data::minutes_in, notes::MINUTE, request::MetricName};
use crate::world::{self, Caller, World, ecs, rds};

const CHANGES_MAX: usize = 120;
/// Minutes that are caught up with when the clock leaps; and values kept of what is counted minute by minute.
const MINUTES_MAX: i64 = 180;

#[derive(Debug, Default)]
pub(super) struct Observed {
    /// Until when everything is noted: the end of a minute.
    noted_at: Option<i64>,
    places: BTreeMap<(String, String), Things>,
}

#[derive(Debug, Default)]
struct Things {
    /// By ECS cluster and name.
    services: BTreeMap<(String, String), Track<ecs::Load>>,
    instances: BTreeMap<String, Track<rds::Load>>,
    groups: Vec<KafkaGroup>,
    outboxes: Vec<outboxes::Measured>,
    levels: BTreeMap<MetricName, Level>,
    /// By ECS cluster and name: how many tasks share a service's load when each has its usual one.
    demand: BTreeMap<(String, String), f64>,
    /// What a metric of a thing usually is, in place of what is made up: by thing and metric.
    usual: BTreeMap<(String, String), f64>,
}

/// A metric that hovers about a value: of something that the world has not.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    pub value: f64,
    /// How far samples lie from it at most.
    pub spread: f64,
    /// ECS cluster and name of a service without whose tasks there is no sample.
    pub service: Option<(String, String)>,
}

/// States with the ends of the minutes from which on they were seen.
#[derive(Debug)]
struct Track<S> {
    ring: VecDeque<(i64, S)>,
}

impl<S: Copy + PartialEq> Track<S> {
    fn note(&mut self, at: i64, state: S) {
        if self.ring.back().is_some_and(|(_, last)| *last == state) {
            return;
        }
        if self.ring.len() >= CHANGES_MAX {
            self.ring.pop_front();
        }
        self.ring.push_back((at, state));
    }

    /// In the minute that ended at `at`.
    fn at(&self, at: i64) -> Option<S> {
        let index = self.ring.partition_point(|(noted, _)| *noted <= at).checked_sub(1)?;
        Some(self.ring[index].1)
    }
}

impl<S> Default for Track<S> {
    fn default() -> Self {
        Self { ring: VecDeque::new() }
    }
}

impl World {
    /// Notes what things were like at the ends of the minutes that have passed until `now`.
    pub(in crate::world) fn observe(&mut self, now: i64) {
        let minute = now.div_euclid(MINUTE) * MINUTE;
        let Some(noted) = self.cloudwatch.observed.noted_at.replace(minute) else { return };
        let first = (noted + MINUTE).max(minute - MINUTES_MAX * MINUTE);
        for at in (first..=minute).step_by(MINUTE as usize) {
            self.advance_ecs(at);
            self.note_things(at);
            self.cloudwatch.observed.places.values_mut().for_each(|things| things.note_groups(at));
        }
        if first <= minute {
            self.note_outboxes(first, minute);
        }
    }

    /// Lets everything look as if it had been as it is since `since`.
    pub(super) fn begin_observing(&mut self, since: i64, now: i64) {
        self.note_things(since);
        self.note_outboxes(since + MINUTE, now.div_euclid(MINUTE) * MINUTE);
        for things in self.cloudwatch.observed.places.values_mut() {
            things.begin_groups(since, now.div_euclid(MINUTE) * MINUTE);
        }
    }

    pub fn put_kafka_group(&mut self, account: &str, region: &str, group: KafkaGroup) {
        self.cloudwatch.observed.things([account, region]).groups.push(group);
    }

    /// Says what a metric of a service (`cluster/name`) or instance usually is.
    pub fn put_usual(&mut self, account: &str, region: &str, thing: &str, metric: &str, value: f64) {
        let things = self.cloudwatch.observed.things([account, region]);
        things.usual.insert((thing.to_owned(), metric.to_owned()), value);
    }

    /// Says for how many tasks a service has work, whatever its count: fewer have more to do each, more have less.
    pub(in crate::world) fn put_demand(
        &mut self,
        caller: &Caller,
        (cluster, service): (&str, &str),
        tasks: f64,
        is_new: bool,
    ) {
        let things = self.cloudwatch.observed.things([&caller.account, &caller.region]);
        let known = things.demand.entry((cluster.to_owned(), service.to_owned())).or_insert(tasks);
        if is_new {
            *known = tasks;
        }
    }

    pub fn put_level(
        &mut self,
        account: &str,
        region: &str,
        (namespace, metric): (&str, &str),
        dimensions: &[(&str, &str)],
        level: Level,
    ) {
        let name = MetricName::of(namespace, metric, dimensions);
        self.cloudwatch.observed.things([account, region]).levels.insert(name, level);
    }

    fn note_things(&mut self, at: i64) {
        let Self { ecs, rds, strain, cloudwatch, .. } = self;
        let observed = &mut cloudwatch.observed;
        ecs.loads(|place, [cluster, name], load| {
            let services = &mut observed.things(place).services;
            // Looked up first: most minutes nothing changes, and nothing is to be copied.
            let key = (cluster.to_owned(), name.to_owned());
            services.entry(key).or_default().note(at, load);
        });
        rds.loads((at - MINUTE, at), |place, name, server, load| {
            let [account, region] = place;
            let pressure = if load.writes { strain.pressure([account, region, server]) } else { load.pressure };
            let load = rds::Load { pressure, ..load };
            observed.things(place).instances.entry(name.to_owned()).or_default().note(at, load);
        });
    }
}

impl Observed {
    pub(super) fn minutes(&self, caller: &Caller, metric: &MetricName, seen: Range<i64>) -> Vec<(i64, Summary)> {
        let Some(things) = self.places.get(&(caller.account.clone(), caller.region.clone())) else { return Vec::new() };
        let level = things.levels.get(metric);
        let sample = |minute| match (level, metric.namespace.as_str()) {
            (Some(level), _) => things.level(metric, level, minute),
            (None, services::METRICS | services::INSIGHTS) => things.service_sample(metric, minute),
            (None, rds::METRICS) => things.instance_sample(metric, minute),
            (None, kafka::METRICS) => things.group_sample(metric, minute),
            (None, outboxes::METRICS) => things.outbox_sample(metric, minute),
            (None, _) => None,
        };
        minutes_in(seen).filter_map(|minute| Some((minute, Summary::of(sample(minute)?)))).collect()
    }

    pub(super) fn names(&self, caller: &Caller) -> Vec<MetricName> {
        let Some(things) = self.places.get(&(caller.account.clone(), caller.region.clone())) else { return Vec::new() };
        let mut names = things.service_names();
        names.extend(things.instance_names());
        names.extend(things.group_names());
        names.extend(things.outbox_names());
        names.extend(things.levels.keys().cloned());
        names
    }

    fn things(&mut self, [account, region]: [&str; 2]) -> &mut Things {
        self.places.entry((account.to_owned(), region.to_owned())).or_default()
    }
}

impl Things {
    fn level(&self, metric: &MetricName, level: &Level, minute: i64) -> Option<f64> {
        if let Some(service) = &level.service {
            self.services.get(service)?.at(minute + MINUTE).filter(|load| load.running > 0)?;
        }
        let dimensions = metric.dimensions.iter().map(|dimension| dimension.value.as_str());
        let hash = hash(&metric.metric_name, &dimensions.collect::<Vec<_>>().join("/"));
        Some((level.value + level.spread * noise(hash, minute)).max(0.0))
    }

    /// What a metric of a thing usually is, or something between `low` and `high`.
    fn usual(&self, thing: &str, metric: &str, (low, high): (f64, f64)) -> f64 {
        let known = self.usual.get(&(thing.to_owned(), metric.to_owned())).copied();
        known.unwrap_or_else(|| low + (high - low) * share(hash(metric, thing)))
    }
}

fn hash(metric: &str, thing: &str) -> u64 {
    world::hash(metric.bytes().chain([0]).chain(thing.bytes()))
}

/// 0 to 1, evenly.
fn share(hash: u64) -> f64 {
    let mut mixed = hash ^ (hash >> 30);
    mixed = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^= mixed >> 27;
    mixed = mixed.wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// -1 to 1: a slow wave, and noise of the minute.
fn noise(hash: u64, minute: i64) -> f64 {
    let count = minute.div_euclid(MINUTE);
    let period = 30.0 + 40.0 * share(hash);
    let wave = (TAU * (count as f64 / period + share(hash.rotate_left(17)))).sin();
    let random = 2.0 * share(hash ^ (count as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) - 1.0;
    0.6 * wave + 0.4 * random
}
