//! [`Gauges`]: several metrics of many resources, with the road to each newest value, by as few calls as CloudWatch lets.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::Value;

use super::{Metrics, NAMED_MAX, QUERIES_MAX, SEARCH_MAX, Series, id, index, points, refusal};
use crate::{
    cloud::{CloudError, ErrorKind, thin::Told as _},
    domain::{Gauge, KafkaLag, Text},
};

use super::GET;

/// SEARCH functions of one call (CloudWatch user guide, "Search expression quotas").
const SEARCHES_MAX: usize = 100;

/// Several series' newest values with the values before them. What has no sample is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gauges {
    /// By metric, then by resource.
    by_series: BTreeMap<(&'static str, &'static str), BTreeMap<String, Gauge>>,
    /// Metrics that were asked for, as they are billed.
    pub asked: u64,
    /// Why more may exist than the answer has; none: it is whole.
    pub incomplete: Option<Text>,
}

impl Gauges {
    /// A resource's gauge: its name is its dimensions' values, joined by `/`.
    pub fn get(&self, series: &Series, name: &str) -> Option<&Gauge> {
        self.by_series.get(&key(series))?.get(name)
    }

    pub fn all(&self, series: &Series) -> impl Iterator<Item = (&str, &Gauge)> {
        self.by_series.get(&key(series)).into_iter().flatten().map(|(name, gauge)| (name.as_str(), gauge))
    }

    /// Adds another answer: of the same thing it wins, and both are paid for.
    pub fn merge(&mut self, other: Self) {
        for (series, gauges) in other.by_series {
            self.by_series.entry(series).or_default().extend(gauges);
        }
        self.asked += other.asked;
        self.incomplete = self.incomplete.take().or(other.incomplete);
    }

    /// Puts a gauge in: for tests and for what came another way.
    pub fn put(&mut self, series: &Series, name: &str, gauge: Gauge) {
        self.by_series.entry(key(series)).or_default().insert(name.to_owned(), gauge);
    }

    pub fn kafka_lags(&self) -> Vec<KafkaLag> {
        let lag = |(name, gauge): (&str, &Gauge)| {
            let mut parts = name.splitn(3, '/').map(Text::line);
            let (cluster, topic, group) = (parts.next()?, parts.next()?, parts.next()?);
            Some(KafkaLag { cluster, group, topic, offsets: gauge.clone() })
        };
        self.all(&super::KAFKA_LAG).filter_map(lag).collect()
    }

    fn note(&mut self, series: &Series, now: jiff::Timestamp, name: &str, result: &Value) {
        // The call's window is the longest of all series'.
        let from = now - SignedDuration::from_secs(i64::from(series.window_seconds) + i64::from(series.period_seconds));
        for point in points(result).filter(|point| point.at >= from) {
            let gauges = self.by_series.entry(key(series)).or_default();
            let gauge = gauges.entry(name.to_owned()).or_insert(Gauge { value: 0.0, at: point.at, recent: Vec::new() });
            gauge.recent.push((point.at, point.value));
        }
    }

    /// Puts the values in order; the last is the newest.
    fn settle(&mut self) {
        for gauge in self.by_series.values_mut().flat_map(BTreeMap::values_mut) {
            gauge.recent.sort_by_key(|(at, _)| *at);
            gauge.recent.dedup_by_key(|(at, _)| *at);
            if let Some((at, value)) = gauge.recent.last() {
                (gauge.at, gauge.value) = (*at, *value);
            }
        }
    }

    fn is_incomplete(&mut self, why: &str) {
        self.incomplete.get_or_insert_with(|| Text::line(why));
    }
}

fn key(series: &Series) -> (&'static str, &'static str) {
    (series.namespace, series.metric)
}

impl Metrics {
    /// Several metrics of every resource that CloudWatch has any of, by one SEARCH each, all in one call.
    ///
    /// A series with more than 500 resources is left incomplete, which the answer says; [`Metrics::gauges_named`] gets the others.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn gauges(&self, series: &[Series]) -> Result<Gauges, CloudError> {
        let mut gauges = Gauges::default();
        for some in series.chunks(SEARCHES_MAX) {
            let queries = some.iter().enumerate().map(|(at, series)| series.search(&id(at))).collect();
            let mut found = vec![BTreeSet::new(); some.len()];
            let answer = self.gather(some, queries, |result| {
                let at = result.word("Id").and_then(index)?;
                let name = result.word("Label").filter(|label| !label.is_empty())?.to_owned();
                found.get_mut(at)?.insert(name.clone());
                Some((at, name))
            });
            let mut answer = answer.await?;
            answer.asked = found.iter().map(|names| names.len() as u64).sum();
            if found.iter().any(|names| names.len() >= SEARCH_MAX) {
                answer.is_incomplete(&format!("CloudWatch answers a search with at most {SEARCH_MAX} metrics"));
            }
            gauges.merge(answer);
        }
        Ok(gauges)
    }

    /// Several metrics of these resources, 500 to a call; names that have none are absent.
    ///
    /// # Errors
    /// Of the first call that fails; [`ErrorKind::Invalid`] for more than 20,000 metrics.
    pub async fn gauges_named(&self, series: &[Series], names: &[&str]) -> Result<Gauges, CloudError> {
        let names: BTreeSet<&str> = names.iter().copied().collect();
        let wanted: Vec<(usize, &str)> =
            names.iter().flat_map(|name| (0..series.len()).map(move |at| (at, *name))).collect();
        if wanted.len() > NAMED_MAX {
            let text = format!("{} metrics, of at most {NAMED_MAX}", wanted.len());
            return Err(CloudError::new(ErrorKind::Invalid, GET, &text));
        }
        let mut gauges = Gauges::default();
        for some in wanted.chunks(QUERIES_MAX) {
            let queries =
                some.iter().enumerate().map(|(count, (at, name))| series[*at].named(&id(count), name)).collect();
            let which = |result: &Value| {
                let (at, name) = some.get(result.word("Id").and_then(index)?)?;
                Some((*at, (*name).to_owned()))
            };
            let mut answer = self.gather(series, queries, which).await?;
            answer.asked = some.len() as u64;
            gauges.merge(answer);
        }
        Ok(gauges)
    }

    /// Asks; `which` says of which series and resource a result is.
    async fn gather(
        &self,
        series: &[Series],
        queries: Vec<Value>,
        mut which: impl FnMut(&Value) -> Option<(usize, String)>,
    ) -> Result<Gauges, CloudError> {
        let longest = |of: fn(&Series) -> u32| series.iter().map(of).max().unwrap_or(0);
        let window = (longest(|series| series.period_seconds), longest(|series| series.window_seconds));
        let now = self.clock.now();
        let mut gauges = Gauges::default();
        let missing = self
            .each_result(queries, window, |result| {
                if let Some(why) = refusal(result) {
                    gauges.is_incomplete(why);
                }
                if let Some((at, name)) = which(result)
                    && let Some(series) = series.get(at)
                {
                    gauges.note(series, now, &name, result);
                }
            })
            .await?;
        missing.iter().for_each(|why| gauges.is_incomplete(why));
        gauges.settle();
        Ok(gauges)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::{super::*, *};

    fn result(points: &[(i64, f64)]) -> Value {
        let (times, values): (Vec<i64>, Vec<f64>) = points.iter().copied().unzip();
        json!({ "Timestamps": times, "Values": values })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_gauge_is_its_newest_value_with_those_before_in_any_order_of_pages() {
        let mut gauges = Gauges::default();
        let now = at(3_600);
        gauges.note(&SERVICE_CPU, now, "main/api", &result(&[(3_480, 9.0), (3_420, 8.0)]));
        gauges.note(&SERVICE_CPU, now, "main/api", &result(&[(3_420, 8.0), (3_540, 5.0), (60, 99.0)]));
        gauges.note(&SERVICE_CPU, now, "main/idle", &result(&[]));
        gauges.settle();
        let recent = vec![(at(3_420), 8.0), (at(3_480), 9.0), (at(3_540), 5.0)];
        let expected = Gauge { value: 5.0, at: at(3_540), recent };
        assert_eq!(gauges.get(&SERVICE_CPU, "main/api"), Some(&expected), "what is older than the window is left out");
        assert_eq!(gauges.get(&SERVICE_CPU, "main/idle"), None, "missing is not zero");
        assert_eq!(gauges.get(&SERVICE_MEMORY, "main/api"), None);
    }

    #[test]
    fn a_group_may_have_slashes_in_its_name() {
        let mut gauges = Gauges::default();
        gauges.put(&KAFKA_LAG, "wallet/transfers/team/a\u{1b}", Gauge { value: 5.0, at: at(0), recent: Vec::new() });
        let lags = gauges.kafka_lags();
        assert_eq!((lags[0].topic.as_str(), lags[0].group.as_str()), ("transfers", "team/a␛"));
        let query = KAFKA_LAG.search("m0");
        let expected = "SEARCH('{AWS/Kafka,\"Cluster Name\",Topic,\"Consumer Group\"} MetricName=\"SumOffsetLag\"', 'Maximum', 60)";
        assert_eq!(query["Expression"], expected);
        let named = KAFKA_LAG.named("m0", "wallet/transfers/team/a");
        assert_eq!(named["MetricStat"]["Metric"]["Dimensions"][2]["Value"], "team/a");
    }

    #[test]
    fn answers_add_up() {
        let gauge = |value| Gauge { value, at: at(0), recent: Vec::new() };
        let mut one = Gauges { asked: 3, ..Gauges::default() };
        one.put(&SERVICE_CPU, "a/b", gauge(1.0));
        let mut two = Gauges { asked: 2, incomplete: Some(Text::from("why")), ..Gauges::default() };
        two.put(&DATABASE_CPU, "a/b", gauge(2.0));
        one.merge(two);
        assert_eq!((one.asked, one.incomplete.is_some()), (5, true));
        assert_eq!(one.get(&SERVICE_CPU, "a/b").map(|gauge| gauge.value), Some(1.0), "namespaces do not mix");
        assert_eq!(one.all(&DATABASE_CPU).count(), 1);
    }
}
