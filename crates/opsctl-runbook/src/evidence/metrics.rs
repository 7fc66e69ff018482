//! An hour of metrics, side by side.

use jiff::Timestamp;
use serde::Serialize;

use super::{Taken, Taking};
use crate::{
    Kind,
    cloud::metrics::{DATABASES, Gauges, LAMBDA_ERRORS, LAMBDA_INVOCATIONS, QUEUE_AGE, SERVICES, Series, Statistic},
    domain::{Text, words::counted},
    things::Wanted,
};

const WINDOW_SECONDS: u32 = 3_600;
/// Metrics asked for at most, each costs.
const METRICS_MAX: usize = 200;

const QUEUE_VISIBLE: Series =
    Series { metric: "ApproximateNumberOfMessagesVisible", statistic: Statistic::Maximum, ..QUEUE_AGE };
const QUEUES: [Series; 2] = [QUEUE_AGE, QUEUE_VISIBLE];
const FUNCTIONS: [Series; 2] = [LAMBDA_ERRORS, LAMBDA_INVOCATIONS];

#[derive(Serialize)]
struct Document {
    from: Timestamp,
    to: Timestamp,
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
struct Metric {
    thing: Text,
    namespace: &'static str,
    metric: &'static str,
    statistic: &'static str,
    /// Time and value, the oldest first, one for each minute that has a sample.
    points: Vec<(Timestamp, f64)>,
}

pub(super) async fn take(taking: &Taking<'_>, things: &[&Wanted]) -> Taken {
    let mut lost = Vec::new();
    let asked = asked(taking, things, &mut lost).await;
    let mut metrics = Vec::new();
    let mut room = METRICS_MAX;
    for (series, names) in asked {
        let hour: Vec<Series> =
            series.iter().map(|series| Series { window_seconds: WINDOW_SECONDS, ..*series }).collect();
        let fits = names.len().min(room / hour.len().max(1));
        if fits < names.len() {
            lost.push(format!("no more than {METRICS_MAX} metrics are asked for"));
        }
        room -= fits * hour.len();
        let names: Vec<&str> = names.iter().take(fits).map(String::as_str).collect();
        if names.is_empty() {
            continue;
        }
        match taking.cloud.metrics.gauges_named(&hour, &names).await {
            Ok(gauges) => {
                lost.extend(gauges.incomplete.as_ref().map(ToString::to_string));
                metrics.extend(shown(&gauges, &hour, &names));
            }
            Err(error) => lost.push(error.to_string()),
        }
    }
    let from = taking.at - jiff::SignedDuration::from_secs(i64::from(WINDOW_SECONDS));
    let summary = counted(metrics.len() as u64, "metric");
    let mut taken = Taken::of(summary, &Document { from, to: taking.at, metrics });
    taken.lost.extend(lost);
    taken
}

/// Which metrics of which resources.
async fn asked(
    taking: &Taking<'_>,
    things: &[&Wanted],
    lost: &mut Vec<String>,
) -> Vec<(&'static [Series], Vec<String>)> {
    let mut asked: Vec<(&'static [Series], Vec<String>)> =
        vec![(&QUEUES, Vec::new()), (&SERVICES, Vec::new()), (&DATABASES, Vec::new()), (&FUNCTIONS, Vec::new())];
    for thing in things {
        let name = thing.name.trim().to_owned();
        match thing.kind {
            Kind::Queue => asked[0].1.push(name),
            Kind::Service => asked[1].1.push(name),
            Kind::Group => match taking.members(&name).await {
                Ok(members) => asked[1].1.extend(members.iter().map(ToString::to_string)),
                Err(why) => lost.push(why),
            },
            Kind::Database => match taking.cloud.rds.database(&name).await {
                Ok(Some(database)) => asked[2].1.extend(database.members.into_iter().map(|member| member.name)),
                Ok(None) => lost.push(format!("there is no database {name}")),
                Err(error) => lost.push(error.to_string()),
            },
            Kind::Function => asked[3].1.push(name),
            Kind::Environment
            | Kind::Outbox
            | Kind::Alarm
            | Kind::Rule
            | Kind::Migration
            | Kind::Number
            | Kind::Duration
            | Kind::Choice
            | Kind::Text
            | Kind::Link
            | Kind::Version
            | Kind::Run => {}
        }
    }
    for (_, names) in &mut asked {
        names.sort();
        names.dedup();
    }
    asked
}

fn shown(gauges: &Gauges, series: &[Series], names: &[&str]) -> Vec<Metric> {
    let each = names.iter().flat_map(|name| series.iter().map(move |series| (*name, series)));
    let each = each.filter_map(|(name, series)| {
        let gauge = gauges.get(series, name)?;
        Some(Metric {
            thing: Text::line(name),
            namespace: series.namespace,
            metric: series.metric,
            statistic: series.statistic.into_str(),
            points: gauge.recent.clone(),
        })
    });
    each.collect()
}
