//! What is said of one thing in full.

mod database;
mod service;
mod watcher;

pub(super) use watcher::history;

use super::{
    Item, alarms,
    columns::{ago, bytes, number, percent},
    consumers, verbs,
};
use crate::{
    able::Able,
    domain::{Text, alarm::Watches, gauge::Gauge},
    keymap::Command,
    model::{Model, Site},
    observe::Verdict,
    page::{Page, part},
    queues::sign,
    spark,
    theme::Role,
};

/// Columns of labels.
pub(super) const LABEL: usize = 14;
/// Lines of one sort that are shown; the rest is counted.
pub(super) const LINES_MAX: usize = 30;

/// Everything that is known of it.
pub(super) fn page(page: &mut Page, model: &Model, site: &Site, item: Item<'_>) {
    needs(page, model, site, item);
    match item {
        Item::Service(seen) => service::page(page, model, site, seen),
        Item::Database(seen) => database::page(page, model, site, seen),
        Item::Alarm(alarm) => watcher::alarm(page, model, site, alarm),
        Item::Mapping(mapping) => watcher::mapping(page, model, mapping),
        Item::Lag(lag) => watcher::lag(page, model, lag),
    }
    where_it_is(page, site);
    page.blank();
    page.heading("On the command line");
    page.text(&verbs::line(site, item), Role::Text);
    ways(page, model, site, item);
}

/// The topic's name for it, with what tells it from others of the same name.
pub(super) fn whole_name(item: Item<'_>) -> String {
    match item {
        Item::Service(seen) => Text::line(&seen.service.id.to_string()).to_string(),
        Item::Database(_) | Item::Alarm(_) => item.name(),
        Item::Mapping(mapping) => format!("{} takes {}", item.name(), consumers::takes(mapping)),
        Item::Lag(lag) => Text::line(&format!("{} reads {} in {}", lag.group, lag.topic, lag.cluster)).to_string(),
    }
}

/// What the list may have no room for, in short, figures with the times of their samples.
pub(super) fn in_short(model: &Model, site: &Site, item: Item<'_>) -> Vec<String> {
    let now = model.now;
    match item {
        Item::Service(seen) => service::in_short(model, site, seen),
        Item::Database(seen) => database::in_short(model, seen),
        Item::Alarm(alarm) => {
            let threshold = alarms::threshold(alarm).map(|words| format!(" {words}")).unwrap_or_default();
            let since = alarm.since.map(|at| format!("{} for {}", alarm.state.words(), ago(at, now)));
            let watches = format!("{}{threshold}", alarms::watches(alarm));
            let reason = Text::line(alarm.reason.as_str()).to_string();
            since.into_iter().chain([watches, reason]).filter(|part| !part.is_empty()).collect()
        }
        Item::Mapping(mapping) => {
            let result =
                mapping.last_result.as_ref().map(|result| format!("last result: {}", Text::line(result.as_str())));
            let why = mapping
                .reason
                .as_ref()
                .map(|reason| format!("{}: {}", mapping.state.words(), Text::line(reason.as_str())));
            why.into_iter().chain(result).collect()
        }
        Item::Lag(lag) => vec![sampled("behind", Some(&lag.offsets), |value| number(value.round()), model)]
            .into_iter()
            .flatten()
            .collect(),
    }
}

/// `CPU 63 % at 03:09 (3 min ago)`.
pub(super) fn sampled(
    what: &str,
    gauge: Option<&Gauge>,
    words: impl Fn(f64) -> String,
    model: &Model,
) -> Option<String> {
    let gauge = gauge?;
    let at = gauge.at.strftime("%H:%M");
    Some(format!("{what} {} at {at} ({} ago)", words(gauge.value), ago(gauge.at, model.now)))
}

/// A figure with its road and the time of its sample; one that is missing says so.
pub(super) fn gauge(
    page: &mut Page,
    model: &Model,
    label: &str,
    gauge: Option<&Gauge>,
    words: fn(f64) -> String,
    top: Option<f64>,
) {
    let Some(gauge) = gauge else {
        return page.pair(label, LABEL, "not known: CloudWatch has no recent sample", Role::Dim);
    };
    let road = spark::road(&gauge.recent, model.now, top, model.look);
    let at = format!("  at {} ({} ago)", gauge.at.strftime("%H:%M"), ago(gauge.at, model.now));
    page.line(vec![
        part(format!("{label:LABEL$}  "), Role::Dim),
        part(format!("{:>9}", words(gauge.value)), Role::Strong),
        part(format!("  {road}"), Role::Accent),
        part(at, Role::Dim),
    ]);
}

pub(super) fn in_percent(value: f64) -> String {
    percent(value)
}

pub(super) fn in_bytes(value: f64) -> String {
    bytes(value)
}

pub(super) fn whole(value: f64) -> String {
    number(value.round())
}

fn needs(page: &mut Page, model: &Model, site: &Site, item: Item<'_>) {
    let about = |verdict: &&Verdict| {
        super::Topic::of(&verdict.subject)
            .and_then(|topic| topic.id_in(&verdict.subject))
            .is_some_and(|id| item.is_meant_by(&id))
            && is_topic_of(item, verdict)
    };
    for verdict in site.verdicts.iter().filter(about) {
        let (sign, role) = sign(verdict.severity, model.look);
        page.pair("needs you", LABEL, &format!("{sign} {}", Text::line(verdict.reason.as_str())), role);
    }
}

/// Whether the verdict is about a thing of this sort: a service and a database may have the same name.
fn is_topic_of(item: Item<'_>, verdict: &Verdict) -> bool {
    let topic = match item {
        Item::Service(_) => super::Topic::Services,
        Item::Database(_) => super::Topic::Databases,
        Item::Alarm(_) => super::Topic::Alarms,
        Item::Mapping(_) | Item::Lag(_) => super::Topic::Consumers,
    };
    topic.id_in(&verdict.subject).is_some()
}

fn where_it_is(page: &mut Page, site: &Site) {
    let environment = &site.environment;
    page.blank();
    page.heading("Where");
    let account = environment.account.as_ref().map_or("any account".to_owned(), |account| format!("account {account}"));
    let text = format!("{}, {account}, {}, {}", environment.name, environment.region, environment.protection);
    page.pair("environment", LABEL, Text::line(&text).as_str(), Role::Text);
    if let Some(endpoint) = &environment.endpoint {
        page.pair("endpoint", LABEL, Text::line(endpoint).as_str(), Role::Text);
    }
}

/// What can be done from here, and why not.
fn ways(page: &mut Page, model: &Model, site: &Site, item: Item<'_>) {
    let (topic, commands): (_, &[Command]) = match item {
        Item::Service(_) => (super::Topic::Services, &[Command::Wake, Command::Sleep]),
        Item::Database(_) => (super::Topic::Databases, &[Command::Failover]),
        Item::Alarm(_) => (super::Topic::Alarms, &[]),
        Item::Mapping(_) | Item::Lag(_) => (super::Topic::Consumers, &[]),
    };
    page.blank();
    let mut line = Vec::new();
    let mut reasons = Vec::new();
    for command in commands.iter().chain(&[Command::Copy, Command::CopyCommand, Command::Back]) {
        let Some(key) = model.keymap.key_for(topic.scope(), *command) else { continue };
        let able = match command {
            Command::Copy | Command::CopyCommand | Command::Back => Able::Yes,
            _ => verbs::on(model, *command, &site.environment.name, topic, &item.id()),
        };
        let is_able = able == Able::Yes;
        if let Able::No(because) = able {
            reasons.push(format!("{}: {because}", command.name()));
        }
        let words = match command {
            Command::Copy => "copy name".to_owned(),
            Command::CopyCommand => "copy command".to_owned(),
            Command::Back => "close".to_owned(),
            command => command.name(),
        };
        line.push(part(key, if is_able { Role::Key } else { Role::Dim }));
        line.push(part(format!(" {words}   "), if is_able { Role::Text } else { Role::Dim }));
    }
    page.line(line);
    for reason in reasons {
        page.text(&reason, Role::Dim);
    }
}

/// What an alarm compares, in full.
pub(super) fn watched(watches: &Watches) -> Vec<(&'static str, String)> {
    match watches {
        Watches::Rule { rule } => vec![("rule", rule.to_string())],
        Watches::Metric { namespace, metric, dimensions, statistic, period_seconds, comparison, threshold } => {
            let mut all = vec![(
                "metric",
                match namespace {
                    Some(namespace) => format!("{namespace} {metric}"),
                    None => format!("{metric} (an expression)"),
                },
            )];
            all.extend(dimensions.iter().map(|(name, value)| ("of", format!("{name} {value}"))));
            let statistic = statistic.as_ref().map(|text| format!("{text} ")).unwrap_or_default();
            let period = period_seconds
                .map(|seconds| format!("over {} ", crate::operations::values::in_words(seconds.into())))
                .unwrap_or_default();
            let threshold = threshold.map_or("a band of normal values".to_owned(), number);
            all.push((
                "alarm where",
                format!("{statistic}{period}{} {threshold}", alarms::compares(comparison.as_str())),
            ));
            all
        }
    }
}
