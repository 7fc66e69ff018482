//! CloudWatch alarms: how they stand, and what they went through.

use std::{collections::BTreeMap, fmt};

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::{
    Client,
    config::retry::RetryPartition,
    operation::describe_alarms::DescribeAlarmsOutput,
    primitives::DateTime,
    types::{AlarmHistoryItem, AlarmType, CompositeAlarm, LogAlarm, MetricAlarm, MetricDataQuery, ScanBy, StateValue},
};
use jiff::Timestamp;

use super::{CloudError, ErrorKind, classify};
use crate::domain::{
    Text,
    alarm::{Alarm, AlarmChange, AlarmState, Watches},
};

const DESCRIBE: &str = "cloudwatch:DescribeAlarms";
const HISTORY: &str = "cloudwatch:DescribeAlarmHistory";
/// Records of a page (CloudWatch's limit, for both calls).
const RECORDS: i32 = 100;
/// Pages of alarms followed: an account's quota is 5,000 alarms.
const PAGES_MAX: usize = 60;
/// Pages of an alarm's history followed; CloudWatch keeps 30 days.
const HISTORY_PAGES_MAX: usize = 5;

/// Alarms of one environment. Cheap to clone.
#[derive(Clone)]
pub struct Alarms {
    client: Client,
}

/// Every alarm of an environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AllAlarms {
    pub list: Vec<Alarm>,
    /// Why more may exist than the answer has; none: it is whole.
    pub incomplete: Option<Text>,
}

/// What an alarm went through.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    pub changes: Vec<AlarmChange>,
    /// Why more may exist than the answer has; none: it is whole.
    pub incomplete: Option<Text>,
}

impl Alarms {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition) -> Self {
        let builder = aws_sdk_cloudwatch::config::Builder::from(shared).retry_partition(partition);
        Self { client: Client::from_conf(builder.build()) }
    }

    /// Every alarm, by name: those on metrics, on log queries, and composite ones, which CloudWatch leaves out unless asked.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn all(&self) -> Result<AllAlarms, CloudError> {
        let every = [AlarmType::MetricAlarm, AlarmType::CompositeAlarm, AlarmType::LogAlarm];
        match self.pages(&every).await {
            // Alarms on log queries are new (2026): who does not know them yet refuses the word.
            Err(error) if error.kind == ErrorKind::Invalid => self.pages(&every[..2]).await,
            outcome => outcome,
        }
    }

    /// What happened to an alarm, the newest first; of an alarm that is not there: nothing.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn history(&self, name: &str) -> Result<History, CloudError> {
        let mut history = History::default();
        let mut token: Option<String> = None;
        for _ in 0..HISTORY_PAGES_MAX {
            let call = self.client.describe_alarm_history().alarm_name(name).max_records(RECORDS);
            let call = call.set_alarm_types(Some(vec![AlarmType::MetricAlarm, AlarmType::CompositeAlarm]));
            let call = call.scan_by(ScanBy::TimestampDescending).set_next_token(token.clone());
            let page = call.send().await.map_err(|error| classify::from_sdk(HISTORY, error))?;
            history.changes.extend(page.alarm_history_items.unwrap_or_default().into_iter().filter_map(change));
            let next = page.next_token.filter(|next| !next.is_empty());
            if next.is_none() {
                break;
            }
            if next == token {
                return Err(classify::malformed(HISTORY, "a page names itself as the next one"));
            }
            token = next;
        }
        if token.is_some() && history.changes.len() >= HISTORY_PAGES_MAX * RECORDS as usize {
            history.incomplete = Some(Text::line(&format!("there are more than {} changes", history.changes.len())));
        }
        // Some that answer here do not know the order.
        history.changes.sort_by_key(|change| std::cmp::Reverse(change.at));
        Ok(history)
    }

    async fn pages(&self, types: &[AlarmType]) -> Result<AllAlarms, CloudError> {
        let mut alarms = BTreeMap::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let call = self.client.describe_alarms().max_records(RECORDS).set_alarm_types(Some(types.to_vec()));
            let page = call.set_next_token(token.clone()).send().await;
            let mut page = page.map_err(|error| classify::from_sdk(DESCRIBE, error))?;
            let next = page.next_token.take().filter(|next| !next.is_empty());
            alarms.extend(of_page(page).map(|alarm| (alarm.name.clone(), alarm)));
            if next.is_some() && next == token {
                return Err(classify::malformed(DESCRIBE, "a page names itself as the next one"));
            }
            token = next;
            if token.is_none() {
                break;
            }
        }
        let incomplete = token.map(|_| Text::line(&format!("there are more than {} alarms", alarms.len())));
        Ok(AllAlarms { list: alarms.into_values().collect(), incomplete })
    }
}

fn of_page(page: DescribeAlarmsOutput) -> impl Iterator<Item = Alarm> {
    let metric = page.metric_alarms.unwrap_or_default().into_iter().filter_map(of_metric);
    let composite = page.composite_alarms.unwrap_or_default().into_iter().filter_map(of_rule);
    let log = page.log_alarms.unwrap_or_default().into_iter().filter_map(of_log);
    metric.chain(composite).chain(log)
}

fn of_metric(alarm: MetricAlarm) -> Option<Alarm> {
    Some(Alarm {
        name: alarm.alarm_name.clone()?,
        state: state(alarm.state_value.as_ref()),
        since: time(alarm.state_transitioned_timestamp.as_ref().or(alarm.state_updated_timestamp.as_ref())),
        reason: Text::line(alarm.state_reason.as_deref().unwrap_or_default()),
        actions_enabled: alarm.actions_enabled.unwrap_or(true),
        description: described(alarm.alarm_description.as_deref()),
        watches: watched(alarm),
    })
}

fn watched(alarm: MetricAlarm) -> Watches {
    let comparison = Text::line(alarm.comparison_operator.as_ref().map_or("", |operator| operator.as_str()));
    let threshold = alarm.threshold;
    let queries = alarm.metrics.unwrap_or_default();
    // An expression: the query whose data the alarm looks at (that of an anomaly's band is another).
    let looked_at =
        |query: &&MetricDataQuery| query.return_data != Some(false) && query.id != alarm.threshold_metric_id;
    if let Some(query) = queries.iter().find(looked_at).or_else(|| queries.first()) {
        let metric = query.metric_stat.as_ref().and_then(|stat| stat.metric.as_ref());
        let words = query.label.as_deref().or(query.expression.as_deref());
        let words = words.or_else(|| metric.and_then(|metric| metric.metric_name())).unwrap_or("expression");
        return Watches::Metric {
            namespace: metric.and_then(|metric| metric.namespace()).map(Text::line),
            metric: Text::line(words),
            dimensions: metric.map(|metric| dimensions(metric.dimensions())).unwrap_or_default(),
            statistic: query.metric_stat.as_ref().and_then(|stat| stat.stat()).map(Text::line),
            period_seconds: query.metric_stat.as_ref().and_then(|stat| stat.period).or(query.period).and_then(seconds),
            comparison,
            threshold,
        };
    }
    let statistic =
        alarm.statistic.as_ref().map(|statistic| statistic.as_str()).or(alarm.extended_statistic.as_deref());
    Watches::Metric {
        namespace: alarm.namespace.as_deref().map(Text::line),
        metric: Text::line(alarm.metric_name.as_deref().unwrap_or_default()),
        dimensions: dimensions(alarm.dimensions.as_deref().unwrap_or_default()),
        statistic: statistic.map(Text::line),
        period_seconds: alarm.period.and_then(seconds),
        comparison,
        threshold,
    }
}

fn of_rule(alarm: CompositeAlarm) -> Option<Alarm> {
    Some(Alarm {
        name: alarm.alarm_name?,
        state: state(alarm.state_value.as_ref()),
        since: time(alarm.state_transitioned_timestamp.as_ref().or(alarm.state_updated_timestamp.as_ref())),
        reason: Text::line(alarm.state_reason.as_deref().unwrap_or_default()),
        actions_enabled: alarm.actions_enabled.unwrap_or(true),
        description: described(alarm.alarm_description.as_deref()),
        watches: Watches::Rule { rule: Text::line(alarm.alarm_rule.as_deref().unwrap_or_default()) },
    })
}

fn of_log(alarm: LogAlarm) -> Option<Alarm> {
    Some(Alarm {
        name: alarm.alarm_name?,
        state: state(alarm.state_value.as_ref()),
        since: time(alarm.state_transitioned_timestamp.as_ref().or(alarm.state_updated_timestamp.as_ref())),
        reason: Text::line(alarm.state_reason.as_deref().unwrap_or_default()),
        actions_enabled: alarm.actions_enabled.unwrap_or(true),
        description: described(alarm.alarm_description.as_deref()),
        watches: Watches::Metric {
            namespace: None,
            metric: Text::from("log query"),
            dimensions: Vec::new(),
            statistic: None,
            period_seconds: None,
            comparison: Text::line(alarm.comparison_operator.as_ref().map_or("", |operator| operator.as_str())),
            threshold: alarm.threshold,
        },
    })
}

/// What no version of this program knows can't be told either.
fn state(value: Option<&StateValue>) -> AlarmState {
    match value {
        Some(StateValue::Alarm) => AlarmState::Alarm,
        Some(StateValue::Ok) => AlarmState::Ok,
        _ => AlarmState::InsufficientData,
    }
}

fn dimensions(dimensions: &[aws_sdk_cloudwatch::types::Dimension]) -> Vec<(Text, Text)> {
    let text = |text: Option<&str>| Text::line(text.unwrap_or_default());
    dimensions.iter().map(|dimension| (text(dimension.name()), text(dimension.value()))).collect()
}

fn described(text: Option<&str>) -> Option<Text> {
    text.filter(|text| !text.is_empty()).map(Text::block)
}

fn seconds(seconds: i32) -> Option<u32> {
    u32::try_from(seconds).ok()
}

fn time(time: Option<&DateTime>) -> Option<Timestamp> {
    Timestamp::from_millisecond(time?.to_millis().ok()?).ok()
}

fn change(item: AlarmHistoryItem) -> Option<AlarmChange> {
    Some(AlarmChange {
        at: time(item.timestamp.as_ref())?,
        kind: Text::line(item.history_item_type.as_ref().map_or("", |kind| kind.as_str())),
        summary: Text::line(item.history_summary.as_deref().unwrap_or_default()),
    })
}

impl fmt::Debug for Alarms {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Alarms").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, Metric, MetricStat, Statistic};

    use super::*;

    #[test]
    fn a_metric_alarm_is_told_with_what_it_watches() {
        let alarm = MetricAlarm::builder()
            .alarm_name("api-cpu")
            .state_value(StateValue::Alarm)
            .state_reason("Threshold\u{1b}[2J Crossed\u{202e}")
            .state_updated_timestamp(DateTime::from_secs(200))
            .state_transitioned_timestamp(DateTime::from_secs(100))
            .namespace("AWS/ECS")
            .metric_name("CPUUtilization")
            .dimensions(Dimension::builder().name("ServiceName").value("api").build())
            .statistic(Statistic::Average)
            .period(60)
            .threshold(80.0)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            .actions_enabled(false);
        let alarm = of_metric(alarm.build()).expect("an alarm");
        assert_eq!((alarm.state, alarm.actions_enabled), (AlarmState::Alarm, false));
        assert_eq!(alarm.since.map(Timestamp::as_second), Some(100), "when it changed, not when it was looked at last");
        assert_eq!(alarm.reason.as_str(), "Threshold␛[2J Crossed\u{fffd}");
        let words = "AWS/ECS CPUUtilization ServiceName=api";
        assert_eq!(
            (alarm.watches.subject().as_str(), alarm.watches.condition().as_str()),
            (words, "average > 80 in 1m")
        );
    }

    #[test]
    fn an_expression_is_told_by_its_label() {
        let metric = Metric::builder().namespace("AWS/Lambda").metric_name("Errors").build();
        let part = MetricDataQuery::builder()
            .id("errors")
            .metric_stat(MetricStat::builder().metric(metric).period(60).stat("Sum").build())
            .return_data(false);
        let whole = MetricDataQuery::builder().id("rate").expression("100*errors/calls").label("errors in percent");
        let alarm = MetricAlarm::builder().alarm_name("x").metrics(part.build()).metrics(whole.build()).threshold(1.5);
        let alarm = of_metric(alarm.comparison_operator(ComparisonOperator::LessThanOrEqualToThreshold).build());
        let alarm = alarm.expect("an alarm");
        assert_eq!(alarm.state, AlarmState::InsufficientData, "nothing is said: not well");
        assert_eq!(alarm.watches.subject().as_str(), "errors in percent");
        assert_eq!(alarm.watches.condition().as_str(), "<= 1.5");
    }

    #[test]
    fn composite_alarms_carry_their_rule() {
        let alarm = CompositeAlarm::builder().alarm_name("all").alarm_rule("ALARM(\"a\")\nOR ALARM(\"b\")").build();
        let alarm = of_rule(alarm).expect("an alarm");
        assert_eq!(alarm.watches.subject().as_str(), "ALARM(\"a\") OR ALARM(\"b\")");
        assert_eq!(of_rule(CompositeAlarm::builder().build()), None, "without a name it is none");
    }
}
