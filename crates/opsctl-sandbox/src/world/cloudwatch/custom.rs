//! [`Custom`]: metrics that programs put.

use std::{collections::BTreeMap, ops::Range};

use serde::Deserialize;

use super::{
    missing,
    notes::MINUTE,
    request::{Datum, MetricName, PutMetricData},
    validation,
};
use crate::world::{
    ApiError, Caller,
    call::{Answered, Call},
};

/// Metrics of an account in a region. AWS has no such limit; memory has.
const METRICS_MAX: usize = 10_000;
const MINUTES_MAX: usize = 180;
/// Seconds that are kept of what is put with a resolution of one.
const SECONDS_MAX: usize = 1_800;
/// A second, milliseconds.
pub(super) const SECOND: i64 = 1_000;
/// Data in one call (CloudWatch API reference).
const DATA_MAX: usize = 1_000;

/// What is known of the samples of a period.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summary {
    #[serde(rename = "SampleCount")]
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) minimum: f64,
    pub(super) maximum: f64,
}

impl Summary {
    pub(super) fn of(value: f64) -> Self {
        Self { count: 1.0, sum: value, minimum: value, maximum: value }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
    }

    pub(super) fn with(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    /// The value of a statistic; the average of one that is not known.
    pub(super) fn value(&self, statistic: &str) -> f64 {
        match statistic {
            "Maximum" => self.maximum,
            "Minimum" => self.minimum,
            "Sum" => self.sum,
            "SampleCount" => self.count,
            _ => self.sum / self.count,
        }
    }
}

type Metrics = BTreeMap<MetricName, BTreeMap<i64, Summary>>;

/// Every account's and region's custom metrics, by minute.
#[derive(Debug, Default)]
pub(super) struct Custom {
    by_place: BTreeMap<(String, String), Metrics>,
    /// By second, of what was put with a resolution of one.
    fine: BTreeMap<(String, String), Metrics>,
}

impl Custom {
    pub(super) fn put(&mut self, call: Call, request: PutMetricData) -> Answered<()> {
        let Call { caller, now, .. } = call;
        let namespace = request.namespace.filter(|name| !name.is_empty()).ok_or_else(|| missing("Namespace"))?;
        if namespace.starts_with("AWS/") {
            return Err(ApiError::invalid_parameter(format!(
                "The value {namespace} for parameter Namespace is invalid."
            )));
        }
        if request.metric_data.len() > DATA_MAX {
            let message = format!("The collection MetricData must not have a size greater than {DATA_MAX}.");
            return Err(ApiError::invalid_parameter(message));
        }
        let data: Vec<_> =
            request.metric_data.into_iter().map(|datum| summary(now, datum)).collect::<Result<_, _>>()?;
        let metrics = self.by_place.entry((caller.account.clone(), caller.region.clone())).or_default();
        let fine = self.fine.entry((caller.account.clone(), caller.region.clone())).or_default();
        for (mut name, at, summary, is_fine) in data {
            name.namespace.clone_from(&namespace);
            let minute = at.div_euclid(MINUTE) * MINUTE;
            if metrics.len() >= METRICS_MAX && !metrics.contains_key(&name) {
                return Err(ApiError::plain(400, "LimitExceeded", "This sandbox keeps at most 10,000 custom metrics."));
            }
            if is_fine {
                let seconds = fine.entry(name.clone()).or_default();
                let second = at.div_euclid(SECOND) * SECOND;
                seconds.entry(second).and_modify(|known| known.add(summary)).or_insert(summary);
                if seconds.len() > SECONDS_MAX {
                    seconds.pop_first();
                }
            }
            let minutes = metrics.entry(name).or_default();
            minutes.entry(minute).and_modify(|known| known.add(summary)).or_insert(summary);
            if minutes.len() > MINUTES_MAX {
                minutes.pop_first();
            }
        }
        Ok(())
    }

    /// Counts something that happened at a time, in a metric of a service's own.
    pub(super) fn count(&mut self, place: (&str, &str), name: MetricName, at: i64, sample: f64) {
        let metrics = self.by_place.entry((place.0.to_owned(), place.1.to_owned())).or_default();
        let minutes = metrics.entry(name).or_default();
        let sample = Summary::of(sample);
        let minute = at.div_euclid(MINUTE) * MINUTE;
        minutes.entry(minute).and_modify(|known| known.add(sample)).or_insert(sample);
        while minutes.len() > MINUTES_MAX {
            minutes.pop_first();
        }
    }

    #[cfg(test)]
    pub(super) fn sum(&self, place: (&str, &str), namespace: &str, metric: &str) -> f64 {
        let metrics = self.by_place.get(&(place.0.to_owned(), place.1.to_owned()));
        let named =
            metrics.into_iter().flatten().filter(|(name, _)| name.namespace == namespace && name.metric_name == metric);
        named.flat_map(|(_, minutes)| minutes.values()).map(|minute| minute.sum).sum()
    }

    /// Notes a service's own metric for the minutes of the last quarter of an hour that ended at `until` and are not noted.
    pub(super) fn note(&mut self, place: (&str, &str), name: MetricName, until: i64, sample: f64) {
        let metrics = self.by_place.entry((place.0.to_owned(), place.1.to_owned())).or_default();
        let minutes = metrics.entry(name).or_default();
        let last = until.div_euclid(MINUTE) - 1;
        for minute in last - 14..=last {
            minutes.entry(minute * MINUTE).or_insert_with(|| Summary::of(sample));
        }
        while minutes.len() > MINUTES_MAX {
            minutes.pop_first();
        }
    }

    pub(super) fn metrics(&self, caller: &Caller) -> impl Iterator<Item = (&MetricName, &BTreeMap<i64, Summary>)> {
        self.by_place.get(&(caller.account.clone(), caller.region.clone())).into_iter().flatten()
    }

    /// Seconds of a metric that was put with a resolution of one.
    pub(super) fn seconds(&self, caller: &Caller, name: &MetricName, asked: Range<i64>) -> Vec<(i64, Summary)> {
        let place = self.fine.get(&(caller.account.clone(), caller.region.clone()));
        let Some(seconds) = place.and_then(|place| place.get(name)).filter(|_| !asked.is_empty()) else {
            return Vec::new();
        };
        seconds.range(asked).map(|(&second, &summary)| (second, summary)).collect()
    }

    pub(super) fn get(&self, caller: &Caller, name: &MetricName) -> Option<&BTreeMap<i64, Summary>> {
        self.by_place.get(&(caller.account.clone(), caller.region.clone()))?.get(name)
    }
}

/// A datum's metric, its time, what it says, and whether it is kept by seconds.
fn summary(now: i64, datum: Datum) -> Answered<(MetricName, i64, Summary, bool)> {
    if datum.metric_name.is_empty() {
        return Err(missing("MetricData.member.1.MetricName"));
    }
    let is_fine = match datum.storage_resolution {
        None | Some(60) => false,
        Some(1) => true,
        Some(other) => {
            return Err(validation(format!("The value {other} is not valid for StorageResolution: 1 or 60.")));
        }
    };
    let at = datum.timestamp.map_or(now, |seconds| (seconds * 1_000.0) as i64);
    let name = MetricName { metric_name: datum.metric_name, dimensions: datum.dimensions, ..MetricName::default() };
    let counts = datum.counts.into_iter().chain(std::iter::repeat(1.0));
    let values = datum.values.into_iter().zip(counts).map(|(value, count)| Summary {
        count,
        sum: value * count,
        ..Summary::of(value)
    });
    let all = datum.value.map(Summary::of).into_iter().chain(datum.statistic_values).chain(values);
    let summary = all
        .reduce(Summary::with)
        .ok_or_else(|| validation("A metric datum needs Value, Values or StatisticValues."))?;
    Ok((name.sorted(), at, summary, is_fine))
}
