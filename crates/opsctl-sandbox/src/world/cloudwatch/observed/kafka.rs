//! Groups that read Kafka: they fall behind while fewer tasks read than the topic needs.

use std::collections::VecDeque;

use super::{MINUTES_MAX, Things, hash, noise};
use crate::world::cloudwatch::{notes::MINUTE, request::MetricName};

pub(super) const METRICS: &str = "AWS/Kafka";
const METRIC: &str = "SumOffsetLag";
/// More than this lies behind nobody.
const LAG_MAX: f64 = 1e12;

#[derive(Debug, Clone)]
pub struct KafkaGroup {
    pub cluster: String,
    pub topic: String,
    pub group: String,
    /// ECS cluster and name of the service whose tasks read.
    pub service: (String, String),
    pub written_per_second: f64,
    /// Records that a task reads each second, at most.
    pub read_per_task: f64,
    /// Records not read yet.
    pub lag: f64,
    /// By the minute's begin.
    pub(in crate::world) values: VecDeque<(i64, f64)>,
}

impl KafkaGroup {
    /// What comes to lie behind in a minute; less than nothing: what is caught up with.
    fn growth(&self, tasks: u32) -> f64 {
        (self.written_per_second - self.read_per_task * f64::from(tasks)) * 60.0
    }

    fn note(&mut self, minute: i64, lag: f64) {
        let hash = hash(&self.topic, &self.group);
        // What is being read just now lies behind always.
        let least = self.written_per_second * (1.5 + noise(hash, minute));
        self.values.push_back((minute, (lag + least.max(0.0)).round()));
        if self.values.len() > MINUTES_MAX as usize {
            self.values.pop_front();
        }
    }
}

impl Things {
    /// Lets groups look as if they had gone on as they do now since `since`.
    pub(super) fn begin_groups(&mut self, since: i64, now: i64) {
        let Self { services, groups, .. } = self;
        for group in groups.iter_mut().filter(|group| group.values.is_empty()) {
            let tasks = services.get(&group.service).and_then(|track| track.at(now)).map_or(0, |load| load.running);
            for minute in (since..now).step_by(MINUTE as usize) {
                let back = (now - minute) as f64 / MINUTE as f64 - 1.0;
                group.note(minute, (group.lag - back * group.growth(tasks)).clamp(0.0, LAG_MAX));
            }
        }
    }

    pub(super) fn note_groups(&mut self, at: i64) {
        let Self { services, groups, .. } = self;
        for group in groups {
            if group.values.back().is_some_and(|(minute, _)| *minute >= at - MINUTE) {
                continue;
            }
            let tasks = services.get(&group.service).and_then(|track| track.at(at)).map_or(0, |load| load.running);
            group.lag = (group.lag + group.growth(tasks)).clamp(0.0, LAG_MAX);
            group.note(at - MINUTE, group.lag);
        }
    }

    pub(super) fn group_sample(&self, metric: &MetricName, minute: i64) -> Option<f64> {
        if metric.metric_name != METRIC || metric.dimensions.len() != 3 {
            return None;
        }
        let dimension = |name| metric.dimension(name);
        let (cluster, topic, name) = (dimension("Cluster Name")?, dimension("Topic")?, dimension("Consumer Group")?);
        let is_it = |group: &&KafkaGroup| group.cluster == cluster && group.topic == topic && group.group == name;
        let values = &self.groups.iter().find(is_it)?.values;
        let index = values.binary_search_by_key(&minute, |(minute, _)| *minute).ok()?;
        Some(values[index].1)
    }

    pub(super) fn group_names(&self) -> Vec<MetricName> {
        let name = |group: &KafkaGroup| {
            let (cluster, topic, group) = (group.cluster.as_str(), group.topic.as_str(), group.group.as_str());
            let dimensions = [("Cluster Name", cluster), ("Topic", topic), ("Consumer Group", group)];
            MetricName::of(METRICS, METRIC, &dimensions)
        };
        self.groups.iter().filter(|group| !group.values.is_empty()).map(name).collect()
    }
}
