//! `GetMetricData`.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use serde_json::{Value, json};

use super::{
    SQS,
    custom::Summary,
    functions,
    list::bad_token,
    math::{Expression, Scope, Series as Points},
    missing,
    notes::{MINUTE, QueueMetric},
    request::{GetMetricData, MetricName, MetricStat, Query, ScanBy},
    search::Search,
    statistic, validation,
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
        let window = Window { from, until, scan_by: request.scan_by, statistic: "", period: 0 };
        let mut found: BTreeMap<&str, Vec<Series>> = BTreeMap::new();
        let mut messages = Vec::new();
        let mut math = Vec::new();
        for query in queries {
            let series = match (&query.metric_stat, query.expression.as_deref()) {
                (Some(stat), None) => vec![self.one(call, query, stat, window)?],
                (None, Some(expression)) if is_search(expression) => {
                    self.search(call, query, expression, window, &mut messages)?
                }
                (None, Some(expression)) => {
                    let wrong = |why: String| validation(format!("Error in expression '{}': {why}", query.id));
                    math.push((query, Expression::parse(expression).map_err(wrong)?));
                    continue;
                }
                _ => return Err(validation("Exactly one of MetricStat and Expression must be given in each query.")),
            };
            found.insert(&query.id, series);
        }
        calculate(queries, &math, window, &mut found)?;
        let told = queries.iter().filter(|query| query.return_data != Some(false));
        let told: Vec<Series> = told.flat_map(|query| found.remove(query.id.as_str()).unwrap_or_default()).collect();
        page(&told, &request, messages)
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
        let periods = self.periods(call, metric, window.from..window.until, window.period);
        let points = periods.iter().map(|(&start, summary)| (start, summary.value(window.statistic)));
        window.ordered(points)
    }

    /// What is known of a metric's periods, each so many milliseconds long.
    pub(super) fn periods(
        &self,
        call: Call,
        metric: &MetricName,
        asked: Range<i64>,
        period: i64,
    ) -> BTreeMap<i64, Summary> {
        let samples = match period < MINUTE {
            true => self.cloudwatch.custom.seconds(call.caller, metric, asked),
            false => self.minutes(call.now, call.caller, metric, asked),
        };
        let mut periods: BTreeMap<i64, Summary> = BTreeMap::new();
        for (at, summary) in samples {
            let start = at.div_euclid(period) * period;
            periods.entry(start).and_modify(|known| known.add(summary)).or_insert(summary);
        }
        periods
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
    fn of(self, name: &str, period_seconds: i64) -> Answered<Self> {
        let Some(statistic) = statistic(name) else {
            return Err(validation(format!("The statistic {name} is not understood here.")));
        };
        Ok(Self { statistic, period: milliseconds(period_seconds)?, ..self })
    }

    fn ordered(&self, points: impl DoubleEndedIterator<Item = (i64, f64)>) -> Vec<(i64, f64)> {
        match self.scan_by {
            ScanBy::TimestampAscending => points.collect(),
            ScanBy::TimestampDescending => points.rev().collect(),
        }
    }
}

/// A period: 1, 5, 10, 20 or 30 seconds, or minutes.
pub(super) fn milliseconds(period_seconds: i64) -> Answered<i64> {
    if matches!(period_seconds, 1 | 5 | 10 | 20 | 30) || period_seconds > 0 && period_seconds % 60 == 0 {
        return Ok(period_seconds.saturating_mul(1_000));
    }
    let text = format!("Invalid period provided: {period_seconds}. Period must be a multiple of 60 seconds.");
    Err(validation(text))
}

fn is_search(expression: &str) -> bool {
    expression.trim_start().starts_with("SEARCH")
}

/// Expressions over other queries, in whatever order they name one another.
fn calculate<'a>(
    queries: &'a [Query],
    math: &[(&'a Query, Expression)],
    window: Window,
    found: &mut BTreeMap<&'a str, Vec<Series>>,
) -> Answered<()> {
    for (query, expression) in math {
        let unknown =
            expression.names().into_iter().find(|name| *name != "REPEAT" && queries.iter().all(|one| one.id != *name));
        if let Some(name) = unknown {
            return Err(validation(format!("Error in expression '{}': {name} is not the id of a query", query.id)));
        }
    }
    let period_of = |query: &Query| query.metric_stat.as_ref().map(|stat| stat.period).or(query.period);
    let period = queries.iter().filter_map(period_of).max().unwrap_or(PERIOD_DEFAULT).max(1) * 1_000;
    let times = (window.from.div_euclid(period) * period..window.until).step_by(usize::try_from(period).unwrap_or(1));
    let mut scope = Scope { times: times.take(POINTS_MAX).collect(), period, ..Scope::default() };
    scope.metrics = queries.iter().filter(|query| query.metric_stat.is_some()).map(|query| query.id.clone()).collect();
    for (id, series) in &*found {
        let points = |one: &Series| one.points.iter().copied().collect::<Points>();
        scope.series.insert((*id).to_owned(), series.iter().map(points).collect());
    }
    let mut left: Vec<&(&Query, Expression)> = math.iter().collect();
    while !left.is_empty() {
        let is_ready = |expression: &Expression| {
            expression.names().iter().all(|name| *name == "REPEAT" || scope.series.contains_key(*name))
        };
        let Some(index) = left.iter().position(|(_, expression)| is_ready(expression)) else {
            return Err(validation(format!(
                "Error in expression '{}': expressions name one another in a circle",
                left[0].0.id
            )));
        };
        let (query, expression) = left.remove(index);
        let series = expression.series(&scope);
        let label = query.label.clone().unwrap_or_else(|| query.id.clone());
        let told = series.iter().map(|points| Series {
            id: query.id.clone(),
            label: label.clone(),
            points: window.ordered(points.iter().map(|(at, value)| (*at, *value))),
        });
        found.insert(&query.id, told.collect());
        scope.series.insert(query.id.clone(), series);
    }
    Ok(())
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
