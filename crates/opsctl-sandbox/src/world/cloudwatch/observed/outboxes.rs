//! What services measure of their outboxes, each minute.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::{MINUTES_MAX, Things};
use crate::world::{
    World,
    cloudwatch::{notes::MINUTE, request::MetricName},
    outboxes::{Backlog, Shared},
};

pub(super) const METRICS: &str = "Storo/Outbox";
const BACKLOG: &str = "Backlog";
const LAG: &str = "PublishLagSeconds";
const DIMENSION: &str = "Service";

/// An outbox, and what was measured of it.
#[derive(Debug)]
pub(super) struct Measured {
    service: String,
    outbox: Shared,
    /// By the minute's begin.
    values: VecDeque<(i64, Backlog)>,
}

impl World {
    /// Lets a service measure its outbox.
    pub(in crate::world) fn measure_outbox(&mut self, service: &str, outbox: &Shared) {
        let (account, region) = (outbox.place.account.clone(), outbox.place.region.clone());
        let things = self.cloudwatch.observed.things([&account, &region]);
        let measured = Measured { service: service.to_owned(), outbox: outbox.clone(), values: VecDeque::new() };
        things.outboxes.push(measured);
    }

    /// Measures outboxes as they are now, for the minutes that ended from `first` to `last`.
    pub(super) fn note_outboxes(&mut self, first: i64, last: i64) {
        let places: Vec<(String, String)> = self.cloudwatch.observed.places.keys().cloned().collect();
        let at = Timestamp::from_millisecond(last).unwrap_or(Timestamp::MAX);
        for place in places {
            let all = |world: &Self| {
                let things = world.cloudwatch.observed.places.get(&place);
                things.map(|things| things.outboxes.iter().map(|it| it.outbox.clone()).collect::<Vec<_>>())
            };
            for (index, outbox) in all(self).unwrap_or_default().into_iter().enumerate() {
                let Some(backlog) = outbox.backlog(self, at) else { continue };
                let things = self.cloudwatch.observed.places.get_mut(&place);
                let Some(measured) = things.and_then(|things| things.outboxes.get_mut(index)) else { continue };
                for end in (first..=last).step_by(MINUTE as usize) {
                    measured.values.push_back((end - MINUTE, backlog));
                }
                let more = measured.values.len().saturating_sub(MINUTES_MAX as usize);
                measured.values.drain(..more);
            }
        }
    }
}

impl Things {
    pub(super) fn outbox_sample(&self, metric: &MetricName, minute: i64) -> Option<f64> {
        let [dimension] = metric.dimensions.as_slice() else { return None };
        if dimension.name != DIMENSION {
            return None;
        }
        let values = &self.outboxes.iter().find(|it| it.service == dimension.value)?.values;
        let (_, backlog) = values[values.binary_search_by_key(&minute, |(minute, _)| *minute).ok()?];
        match metric.metric_name.as_str() {
            BACKLOG => Some(backlog.rows),
            LAG => Some(backlog.lag_seconds),
            _ => None,
        }
    }

    pub(super) fn outbox_names(&self) -> Vec<MetricName> {
        let measured = self.outboxes.iter().filter(|it| !it.values.is_empty());
        let names = measured.flat_map(|it| {
            [BACKLOG, LAG].map(|metric| MetricName::of(METRICS, metric, &[(DIMENSION, it.service.as_str())]))
        });
        names.collect()
    }
}
