//! CloudWatch metrics: the newest sample of one metric, of every resource of an environment or of a few that are named.
//!
//! A sample is old when it comes: CloudWatch shows a minute some minutes after it ended. So it carries its time, and what has no
//! sample is absent, not zero. Each metric asked costs money ($0.01 for 1,000; CloudWatch price list, 2026):
//! [`Samples::asked`] counts them.

mod gauges;
mod series;

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use gauges::Gauges;
pub use series::*;

use super::{
    CloudError, ErrorKind, classify,
    thin::{Protocol, Request, Service, Thin, Told as _, from_json, time},
};
use crate::{clock::Clock, domain::Text};

const GET: &str = "cloudwatch:GetMetricData";
/// Queries of one call (CloudWatch's limit).
const QUERIES_MAX: usize = 500;
/// Points in one answer (CloudWatch's limit).
const POINTS_MAX: i32 = 100_800;
/// Series that one SEARCH answers at most (CloudWatch's limit).
const SEARCH_MAX: usize = 500;
const PAGES_MAX: usize = 50;
const NAMED_MAX: usize = 20_000;

pub(super) const CLOUDWATCH: Service = Service {
    name: "cloudwatch",
    host: "monitoring",
    signing_name: "monitoring",
    protocol: Protocol::Json { version: "1.0", target: "GraniteServiceVersion20100801" },
};

#[derive(Debug, Clone)]
pub struct Metrics {
    client: Thin,
    clock: Clock,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// In the metric's unit, seconds for an age.
    pub value: f64,
    /// When the period began that it is of.
    pub at: Timestamp,
}

/// What one series had in the window; at least one sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Recent {
    pub newest: Sample,
    pub highest: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// By resource: its dimensions' values, joined by `/`. What has no sample is absent.
    pub by_name: BTreeMap<String, Recent>,
    /// Metrics that were asked for, as they are billed.
    pub asked: u64,
    /// Why more may exist than the answer has; none: it is whole.
    pub incomplete: Option<Text>,
}

impl Samples {
    pub fn newest(&self, name: &str) -> Option<Sample> {
        self.by_name.get(name).map(|recent| recent.newest)
    }

    /// Adds another answer: newer samples win, and both are paid for.
    pub fn merge(&mut self, other: Self) {
        for (name, recent) in other.by_name {
            self.note(name, recent);
        }
        self.asked += other.asked;
        self.incomplete = self.incomplete.take().or(other.incomplete);
    }

    fn note(&mut self, name: String, recent: Recent) {
        let known = self.by_name.entry(name).or_insert(recent);
        known.highest = known.highest.max(recent.highest);
        if recent.newest.at > known.newest.at {
            known.newest = recent.newest;
        }
    }

    fn is_incomplete(&mut self, why: &str) {
        self.incomplete.get_or_insert_with(|| Text::line(why));
    }
}

/// A question's queries, and which resource each query's id stands for; none: the answer's labels say it.
struct Question {
    queries: Vec<Value>,
    names: Option<Vec<String>>,
}

impl Metrics {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition, clock: Clock) -> Self {
        Self { client: Thin::new(&CLOUDWATCH, shared, partition), clock }
    }

    pub fn in_region(&self, region: &str) -> Self {
        Self { client: self.client.in_region(region), clock: self.clock }
    }

    /// The newest samples of every resource that CloudWatch has any of, by one SEARCH.
    ///
    /// With more than 500 series CloudWatch leaves some out, and the answer says so; [`Metrics::named`] gets the others.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn search(&self, series: &Series) -> Result<Samples, CloudError> {
        let query = series.search("all");
        let mut samples = self.ask(series, Question { queries: vec![query], names: None }).await?;
        if samples.asked as usize >= SEARCH_MAX {
            samples.is_incomplete(&format!("CloudWatch answers a search with at most {SEARCH_MAX} metrics"));
        }
        Ok(samples)
    }

    /// The newest samples of these resources, 500 to a call; names that have none are absent. A name is the resource's
    /// dimensions' values, joined by `/`.
    ///
    /// # Errors
    /// Of the first call that fails; [`ErrorKind::Invalid`] for more than 20,000 names.
    pub async fn named(&self, series: &Series, names: &[&str]) -> Result<Samples, CloudError> {
        let names: Vec<&str> = BTreeSet::from_iter(names.iter().copied()).into_iter().collect();
        if names.len() > NAMED_MAX {
            let text = format!("{} names, of at most {NAMED_MAX}", names.len());
            return Err(CloudError::new(ErrorKind::Invalid, GET, &text));
        }
        let mut samples = Samples::default();
        for some in names.chunks(QUERIES_MAX) {
            let queries = some.iter().enumerate().map(|(index, name)| series.named(&id(index), name)).collect();
            let names = Some(some.iter().map(|name| (*name).to_owned()).collect());
            samples.merge(self.ask(series, Question { queries, names }).await?);
        }
        Ok(samples)
    }

    async fn ask(&self, series: &Series, question: Question) -> Result<Samples, CloudError> {
        let mut samples = Samples::default();
        let mut billed = BTreeSet::new();
        let window = (series.period_seconds, series.window_seconds);
        let missing = self
            .each_result(question.queries, window, |result| {
                billed.insert((result.word("Id").map(str::to_owned), result.word("Label").map(str::to_owned)));
                take(&mut samples, result, question.names.as_deref());
            })
            .await?;
        missing.iter().for_each(|why| samples.is_incomplete(why));
        samples.asked = question.names.map_or(billed.len(), |names| names.len()) as u64;
        Ok(samples)
    }

    /// Follows the pages of one question; `window` is the longest period and how far back samples count, in seconds. Answers why
    /// there may be more.
    async fn each_result(
        &self,
        queries: Vec<Value>,
        window: (u32, u32),
        mut take: impl FnMut(&Value),
    ) -> Result<Vec<String>, CloudError> {
        let now = self.clock.now();
        // CloudWatch answers faster where times are whole periods (API reference).
        let from = floor(now, window.0) - SignedDuration::from_secs(window.1.into());
        let mut given = json!({
            "MetricDataQueries": queries, "StartTime": from.as_second(), "EndTime": now.as_second() + 1,
            "ScanBy": "TimestampDescending", "MaxDatapoints": POINTS_MAX,
        });
        let mut missing = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES_MAX {
            given["NextToken"] = token.clone().into();
            let page = self.client.call(GET, Request::Json(given.clone()), from_json).await?;
            for message in page.list("Messages") {
                let words = message.word("Value").or_else(|| message.word("Code")).unwrap_or_default();
                missing.push(format!("CloudWatch says: {words}"));
            }
            page.list("MetricDataResults").iter().for_each(&mut take);
            let next = page.word("NextToken").filter(|next| !next.is_empty()).map(str::to_owned);
            if next.is_some() && next == token {
                return Err(classify::malformed(GET, "a page names itself as the next one"));
            }
            token = next;
            if token.is_none() {
                return Ok(missing);
            }
        }
        missing.push(format!("there are more than {PAGES_MAX} pages"));
        Ok(missing)
    }
}

fn take(samples: &mut Samples, result: &Value, names: Option<&[String]>) {
    if let Some(why) = refusal(result) {
        samples.is_incomplete(why);
    }
    let name = match names {
        None => result.word("Label"),
        Some(names) => result.word("Id").and_then(index).and_then(|index| names.get(index)).map(String::as_str),
    };
    let Some(name) = name.filter(|name| !name.is_empty()) else { return };
    for newest in points(result) {
        samples.note(name.to_owned(), Recent { newest, highest: newest.value });
    }
}

fn refusal(result: &Value) -> Option<&'static str> {
    match result.word("StatusCode") {
        // The rest of it comes on the next page.
        None | Some("Complete" | "PartialData") => None,
        Some("Forbidden") => Some("CloudWatch may not show some metrics"),
        Some(_) => Some("CloudWatch could not read some metrics"),
    }
}

fn points(result: &Value) -> impl Iterator<Item = Sample> {
    let points = result.list("Timestamps").iter().zip(result.list("Values"));
    points.filter_map(|(at, value)| Some(Sample { at: time(at)?, value: value.as_f64()? }))
}

/// A query's id: CloudWatch wants a lower-case letter first.
fn id(index: usize) -> String {
    format!("m{index}")
}

fn index(id: &str) -> Option<usize> {
    id.strip_prefix('m')?.parse().ok()
}

fn floor(time: Timestamp, seconds: u32) -> Timestamp {
    let seconds = i64::from(seconds.max(1));
    Timestamp::from_second(time.as_second().div_euclid(seconds) * seconds).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::canned::{Canned, CannedAws};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn result(label: &str, status: &str, points: &[(i64, f64)]) -> Value {
        let (times, values): (Vec<i64>, Vec<f64>) = points.iter().copied().unzip();
        json!({ "Id": "m1", "Label": label, "StatusCode": status, "Timestamps": times, "Values": values })
    }

    #[test]
    fn the_newest_sample_wins_in_any_order_and_the_highest_is_kept() {
        let mut samples = Samples::default();
        take(&mut samples, &result("orders", "PartialData", &[(60, 5.0), (180, 7.0)]), None);
        take(&mut samples, &result("orders", "Complete", &[(120, 90.0)]), None);
        take(&mut samples, &result("idle", "Complete", &[]), None);
        let orders = samples.by_name["orders"];
        assert_eq!((orders.newest, orders.highest), (Sample { value: 7.0, at: at(180) }, 90.0));
        assert_eq!((samples.newest("idle"), &samples.incomplete), (None, &None), "missing is not zero");
    }

    #[test]
    fn named_results_go_by_their_id_and_what_failed_is_told() {
        let mut samples = Samples::default();
        let names = ["a".to_owned(), "b".to_owned()];
        take(&mut samples, &result("anything", "InternalError", &[(60, 5.0)]), Some(&names));
        assert!(samples.newest("b").is_some() && samples.incomplete.is_some());
    }

    #[test]
    fn answers_add_up() {
        let mut one = Samples { asked: 3, ..Samples::default() };
        take(&mut one, &result("a", "Complete", &[(60, 5.0)]), None);
        let mut two = Samples { asked: 2, incomplete: Some(Text::from("why")), ..Samples::default() };
        take(&mut two, &result("a", "Complete", &[(120, 1.0)]), None);
        one.merge(two);
        assert_eq!((one.asked, one.newest("a").map(|newest| newest.value)), (5, Some(1.0)));
        assert_eq!(one.incomplete, Some(Text::from("why")));
    }

    #[test]
    fn an_expression_names_every_resource_of_a_kind() {
        let query = QUEUE_AGE.search("all");
        let expected = "SEARCH('{AWS/SQS,QueueName} MetricName=\"ApproximateAgeOfOldestMessage\"', 'Maximum', 60)";
        assert_eq!(query["Expression"], expected);
        assert_eq!(query["Label"], "${PROP('Dim.QueueName')}");
        let services = Series { dimensions: &["ClusterName", "ServiceName"], ..QUEUE_AGE };
        let metric = &services.named("m0", "main/api")["MetricStat"]["Metric"];
        let values: Vec<_> = metric.list("Dimensions").iter().filter_map(|dimension| dimension.word("Value")).collect();
        assert_eq!(values, ["main", "api"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_cannot_be_read_is_no_panic() {
        let cloud = CannedAws::new([Canned::body(404, "<html>no</html>")]).cloud().await;
        let error = cloud.metrics.search(&QUEUE_AGE).await.expect_err("no CloudWatch");
        assert_eq!(error.action, GET);
        let names: Vec<String> = (0..20_001).map(|number| number.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let error = cloud.metrics.named(&QUEUE_AGE, &names).await.expect_err("too many");
        assert_eq!(error.kind, ErrorKind::Invalid);
    }
}
