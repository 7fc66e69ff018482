//! `GetMetricData`.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use serde_json::{Value, json};

use super::{
    SQS,
    custom::Summary,
    functions, is_statistic,
    list::bad_token,
    missing,
    notes::{MINUTE, QueueMetric},
    request::{GetMetricData, MetricName, MetricStat, Query, ScanBy},
    search::Search,
    validation,
};
use crate::world::{
    Caller, World,
    call::{Answered, Call, given},
};

/// Queries, points and a search's series in one call (CloudWatch API reference).
const QUERIES_MAX: usize = 500;
const POINTS_MAX: usize = 100_800;
const SERIES_MAX: usize = 500;
/// Period of a search that says none, seconds.
const PERIOD_DEFAULT: i64 = 300;
/// Minutes that are looked at: more than are kept.
const MINUTES_MAX: i64 = 24 * 60;

struct Series {
    id: String,
    label: String,
    /// Time in milliseconds, value.
    points: Vec<(i64, f64)>,
}

#[derive(Debug, Clone, Copy)]
struct Window<'a> {
    from: i64,
    until: i64,
    scan_by: ScanBy,
    statistic: &'a str,
    period: i64,
}

impl World {
    pub(super) fn get_metric_data(&self, call: Call, request: GetMetricData) -> Answered<Value> {
        let queries = check(&request)?;
        let (from, until) = times(&request)?;
        // Before the first minute that is still kept there is nothing to look for.
        let from = from.max(until.min(call.now) - MINUTES_MAX * MINUTE);
        let mut found = Vec::new();
        let mut messages = Vec::new();
        for query in queries {
            let window = Window { from, until, scan_by: request.scan_by, statistic: "", period: 0 };
            let series = match (&query.metric_stat, query.expression.as_deref()) {
                (Some(stat), None) => vec![self.one(call, query, stat, window)?],
                (None, Some(expression)) => self.search(call, query, expression, window, &mut messages)?,
                _ => return Err(validation("Exactly one of MetricStat and Expression must be given in each query.")),
            };
            if query.return_data != Some(false) {
                found.extend(series);
            }
        }
        page(&found, &request, messages)
    }

    fn one(&self, call: Call, query: &Query, stat: &MetricStat, window: Window) -> Answered<Series> {
        let window = window.of(&stat.stat, stat.period)?;
        let metric = stat.metric.clone().sorted();
        let points = self.points(call, &metric, window);
        Ok(Series { id: query.id.clone(), label: label(query, &metric, &metric.metric_name), points })
    }

    fn search(
        &self,
        call: Call,
        query: &Query,
        expression: &str,
        window: Window,
        messages: &mut Vec<Value>,
    ) -> Answered<Vec<Series>> {
        let search = Search::parse(expression)
            .map_err(|why| validation(format!("Error in expression '{}': {why}", query.id)))?;
        let period = search.period.or(query.period).unwrap_or(PERIOD_DEFAULT);
        let window = window.of(&search.statistic, period)?;
        let mut metrics = self.metric_names(call.caller).filter(|metric| search.finds(metric));
        let series = metrics.by_ref().take(SERIES_MAX).map(|metric| {
            let values: Vec<&str> = metric.dimensions.iter().map(|dimension| dimension.value.as_str()).collect();
            let points = self.points(call, &metric, window);
            Series { id: query.id.clone(), label: label(query, &metric, &values.join(" ")), points }
        });
        let series = series.collect();
        if metrics.next().is_some() {
            messages.push(json!({
                "Code": "MaxMetricsExceeded",
                "Value": "Maximum number of allowed metrics exceeded",
            }));
        }
        Ok(series)
    }

    fn points(&self, call: Call, metric: &MetricName, window: Window) -> Vec<(i64, f64)> {
        let mut periods: BTreeMap<i64, Summary> = BTreeMap::new();
        for (minute, summary) in self.minutes(call.now, call.caller, metric, window.from..window.until) {
            let start = minute.div_euclid(window.period) * window.period;
            periods.entry(start).and_modify(|known| known.add(summary)).or_insert(summary);
        }
        let points = periods.iter().map(|(&start, summary)| (start, summary.value(window.statistic)));
        match window.scan_by {
            ScanBy::TimestampAscending => points.collect(),
            ScanBy::TimestampDescending => points.rev().collect(),
        }
    }

    /// Minutes of a metric that begin in a time, as far as they can be seen.
    pub(super) fn minutes(
        &self,
        now: i64,
        caller: &Caller,
        metric: &MetricName,
        asked: Range<i64>,
    ) -> Vec<(i64, Summary)> {
        // The last minute that ended long enough ago to be shown.
        let shown = (now - self.settings.metrics_lag_seconds * 1_000).div_euclid(MINUTE) * MINUTE;
        let seen = asked.start..asked.end.min(shown);
        if metric.namespace == SQS {
            return self.minutes_of_queue(caller, metric, seen);
        }
        if metric.namespace == functions::METRICS {
            let minutes = self.minutes_of_function(caller, metric, seen.clone());
            if !minutes.is_empty() {
                return minutes;
            }
        }
        if let Some(minutes) = self.cloudwatch.custom.get(caller, metric) {
            let minutes = if asked.is_empty() { None } else { Some(minutes.range(asked)) };
            return minutes.into_iter().flatten().map(|(&minute, &summary)| (minute, summary)).collect();
        }
        self.cloudwatch.observed.minutes(caller, metric, seen)
    }

    fn minutes_of_queue(&self, caller: &Caller, metric: &MetricName, seen: Range<i64>) -> Vec<(i64, Summary)> {
        let kind = QueueMetric::ALL.into_iter().find(|(name, _)| *name == metric.metric_name);
        let number = metric.only("QueueName").and_then(|name| self.find(&caller.account, &caller.region, name));
        let Some((number, (_, kind))) = number.zip(kind) else { return Vec::new() };
        let notes = &self.queue(number).notes;
        minutes_in(seen.start.div_euclid(MINUTE) * MINUTE..seen.end)
            .filter_map(|minute| Some((minute, Summary::of(notes.value(kind, minute + MINUTE)?))))
            .collect()
    }
}

pub(super) fn minutes_in(time: Range<i64>) -> impl Iterator<Item = i64> {
    let first = -(-time.start).div_euclid(MINUTE) * MINUTE;
    (first..time.end).step_by(MINUTE as usize)
}

impl<'a> Window<'a> {
    fn of(self, statistic: &'a str, period_seconds: i64) -> Answered<Self> {
        if !is_statistic(statistic) {
            return Err(validation(format!("The statistic {statistic} is not understood here.")));
        }
        if period_seconds <= 0 || period_seconds % 60 != 0 {
            let text = format!("Invalid period provided: {period_seconds}. Period must be a multiple of 60 seconds.");
            return Err(validation(text));
        }
        Ok(Self { statistic, period: period_seconds.saturating_mul(1_000), ..self })
    }
}

fn check(request: &GetMetricData) -> Answered<&[Query]> {
    let queries = request.metric_data_queries.as_deref().ok_or_else(|| missing("MetricDataQueries"))?;
    if queries.len() > QUERIES_MAX {
        let text = format!("The collection MetricDataQueries must not have a size greater than {QUERIES_MAX}.");
        return Err(validation(text));
    }
    let mut ids = BTreeSet::new();
    for Query { id, .. } in queries {
        let is_name = id.starts_with(|first: char| first.is_ascii_lowercase())
            && id.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        if !is_name {
            return Err(validation(format!(
                "The value {id} is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
            )));
        }
        if !ids.insert(id) {
            return Err(validation("The values for parameter id in MetricDataQueries are not unique."));
        }
    }
    Ok(queries)
}

/// Start, rounded down to the minute, and end; milliseconds.
fn times(request: &GetMetricData) -> Answered<(i64, i64)> {
    let start = request.start_time.ok_or_else(|| missing("StartTime"))?;
    let end = request.end_time.ok_or_else(|| missing("EndTime"))?;
    if start >= end {
        return Err(validation("The parameter StartTime must be less than the parameter EndTime."));
    }
    let milliseconds = |seconds: f64| (seconds * 1_000.0) as i64;
    Ok((milliseconds(start).div_euclid(MINUTE) * MINUTE, milliseconds(end)))
}

/// The query's label with its holes filled, or `default`.
fn label(query: &Query, metric: &MetricName, default: &str) -> String {
    let Some(label) = &query.label else { return default.to_owned() };
    let mut label = label.replace("${LABEL}", default).replace("${PROP('MetricName')}", &metric.metric_name);
    for dimension in &metric.dimensions {
        label = label.replace(&format!("${{PROP('Dim.{}')}}", dimension.name), &dimension.value);
    }
    label
}

/// The page that the token asks for: it names a series and a point in it.
fn page(found: &[Series], request: &GetMetricData, messages: Vec<Value>) -> Answered<Value> {
    let (first, mut skip) = match request.next_token.as_deref() {
        None => (0, 0),
        Some(token) => {
            let (series, point) = token.split_once(':').ok_or_else(bad_token)?;
            (series.parse().map_err(|_| bad_token())?, point.parse::<usize>().map_err(|_| bad_token())?)
        }
    };
    let mut room = request.max_datapoints.unwrap_or(POINTS_MAX).clamp(1, POINTS_MAX);
    let mut results = Vec::new();
    let mut next = None;
    for (index, series) in found.iter().enumerate().skip(first) {
        let rest = series.points.get(skip..).ok_or_else(bad_token)?;
        if room == 0 {
            next = Some(format!("{index}:{skip}"));
            break;
        }
        let some = &rest[..rest.len().min(room)];
        let is_whole = some.len() == rest.len();
        results.push(result(series, some, is_whole));
        if !is_whole {
            next = Some(format!("{index}:{}", skip + some.len()));
            break;
        }
        room -= some.len();
        skip = 0;
    }
    Ok(given(json!({ "MetricDataResults": results, "Messages": messages, "NextToken": next })))
}

fn result(series: &Series, points: &[(i64, f64)], is_whole: bool) -> Value {
    let times: Vec<f64> = points.iter().map(|(at, _)| *at as f64 / 1_000.0).collect();
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    json!({
        "Id": series.id,
        "Label": series.label,
        "Timestamps": times,
        "Values": values,
        "StatusCode": if is_whole { "Complete" } else { "PartialData" },
    })
}
