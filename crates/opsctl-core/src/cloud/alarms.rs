//! CloudWatch alarms: how they stand, and what they went through.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_types::timeout::TimeoutConfig;
use serde_json::{Value, json};

use super::{
    CloudError, ErrorKind, classify,
    metrics::CLOUDWATCH,
    thin::{Request, Thin, Told as _, from_json},
};
use crate::domain::{Alarm, AlarmChange, AlarmState, Text, Watches};

const DESCRIBE: &str = "cloudwatch:DescribeAlarms";
const HISTORY: &str = "cloudwatch:DescribeAlarmHistory";
/// Records of a page (CloudWatch's limit, for both calls).
const RECORDS: usize = 100;
/// Pages of alarms followed: an account's quota is 5,000 alarms.
const PAGES_MAX: usize = 60;
/// Pages of an alarm's history followed; CloudWatch keeps 30 days.
const HISTORY_PAGES_MAX: usize = 5;

#[derive(Debug, Clone)]
pub struct Alarms {
    pub(super) client: Thin,
    pub(super) once: Thin,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct AllAlarms {
    pub list: Vec<Alarm>,
    /// Why more may exist than the answer has; none: it is whole.
    pub incomplete: Option<Text>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    pub changes: Vec<AlarmChange>,
    /// Why more may exist than the answer has; none: it is whole.
    pub incomplete: Option<Text>,
}

impl Alarms {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition, once: TimeoutConfig) -> Self {
        Self {
            client: Thin::new(&CLOUDWATCH, shared, partition.clone()),
            once: Thin::once(&CLOUDWATCH, shared, partition, once),
        }
    }

    /// Every alarm, by name: those on metrics, on log queries, and composite ones, which CloudWatch leaves out unless asked.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn all(&self) -> Result<AllAlarms, CloudError> {
        self.every_type(None).await
    }

    /// The alarms of these names that are there; 100 names at most (CloudWatch's limit).
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn named(&self, names: &[&str]) -> Result<Vec<Alarm>, CloudError> {
        // Without a name CloudWatch would tell all.
        if names.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.every_type(Some(names)).await?.list)
    }

    async fn every_type(&self, names: Option<&[&str]>) -> Result<AllAlarms, CloudError> {
        let every = ["MetricAlarm", "CompositeAlarm", "LogAlarm"];
        match self.pages(&every, names).await {
            // Alarms on log queries are new (2026): who does not know them yet refuses the word.
            Err(error) if error.kind == ErrorKind::Invalid => self.pages(&every[..2], names).await,
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
            let given = json!({
                "AlarmName": name, "MaxRecords": RECORDS, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
                "ScanBy": "TimestampDescending", "NextToken": token,
            });
            let page = self.client.call(HISTORY, Request::Json(given), from_json).await?;
            history.changes.extend(page.list("AlarmHistoryItems").iter().filter_map(change));
            let next = next(&page);
            if next.is_none() {
                break;
            }
            if next == token {
                return Err(classify::malformed(HISTORY, "a page names itself as the next one"));
            }
            token = next;
        }
        if token.is_some() && history.changes.len() >= HISTORY_PAGES_MAX * RECORDS {
            history.incomplete = Some(Text::line(&format!("there are more than {} changes", history.changes.len())));
        }
        // Some that answer here do not know the order.
        history.changes.sort_by_key(|change| std::cmp::Reverse(change.at));
        Ok(history)
    }

    async fn pages(&self, types: &[&str], names: Option<&[&str]>) -> Result<AllAlarms, CloudError> {
        let mut alarms = BTreeMap::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let given = json!({ "MaxRecords": RECORDS, "AlarmTypes": types, "AlarmNames": names, "NextToken": token });
            let page = self.client.call(DESCRIBE, Request::Json(given), from_json).await?;
            alarms.extend(of_page(&page).map(|alarm| (alarm.name.clone(), alarm)));
            let next = next(&page);
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

fn next(page: &Value) -> Option<String> {
    page.word("NextToken").filter(|next| !next.is_empty()).map(str::to_owned)
}

fn of_page(page: &Value) -> impl Iterator<Item = Alarm> {
    let of = |list: &str, watches: fn(&Value) -> Watches| {
        page.list(list).iter().filter_map(move |alarm| of_alarm(alarm, watches)).collect::<Vec<_>>()
    };
    let [metric, composite, log] = [of("MetricAlarms", watched), of("CompositeAlarms", rule), of("LogAlarms", of_log)];
    metric.into_iter().chain(composite).chain(log)
}

fn of_alarm(alarm: &Value, watches: fn(&Value) -> Watches) -> Option<Alarm> {
    Some(Alarm {
        name: alarm.word("AlarmName")?.to_owned(),
        mutes: Vec::new(),
        state: state(alarm.word("StateValue")),
        since: alarm.time("StateTransitionedTimestamp").or_else(|| alarm.time("StateUpdatedTimestamp")),
        reason: alarm.text("StateReason"),
        actions_enabled: alarm.get("ActionsEnabled").and_then(Value::as_bool).unwrap_or(true),
        scales_only: scales_only(alarm),
        description: alarm.word("AlarmDescription").filter(|text| !text.is_empty()).map(Text::block),
        watches: watches(alarm),
    })
}

/// Whether it has actions and each of them is a scaling policy, of a service's or of an Auto Scaling group's:
/// `arn:aws:autoscaling:<region>:<account>:scalingPolicy:...` (`PutMetricAlarm`, API reference).
fn scales_only(alarm: &Value) -> bool {
    let lists = ["AlarmActions", "OKActions", "InsufficientDataActions"];
    let mut actions = lists.iter().flat_map(|list| alarm.words(list)).peekable();
    let is_scaling = |action: String| {
        let mut parts = action.split(':').skip(2);
        (parts.next(), parts.nth(2)) == (Some("autoscaling"), Some("scalingPolicy"))
    };
    actions.peek().is_some() && actions.all(is_scaling)
}

fn watched(alarm: &Value) -> Watches {
    let (comparison, threshold) = (alarm.text("ComparisonOperator"), alarm.real("Threshold"));
    let queries = alarm.list("Metrics");
    // An expression: the query whose data the alarm looks at (that of an anomaly's band is another).
    let looked_at = |query: &&Value| {
        query.get("ReturnData") != Some(&Value::Bool(false)) && query.word("Id") != alarm.word("ThresholdMetricId")
    };
    if let Some(query) = queries.iter().find(looked_at).or_else(|| queries.first()) {
        let stat = &query["MetricStat"];
        let metric = &stat["Metric"];
        let words = query.word("Label").or_else(|| query.word("Expression")).or_else(|| metric.word("MetricName"));
        return Watches::Metric {
            namespace: metric.line("Namespace"),
            metric: Text::line(words.unwrap_or("expression")),
            dimensions: dimensions(metric),
            statistic: stat.line("Stat"),
            period_seconds: stat.number("Period").or_else(|| query.number("Period")),
            comparison,
            threshold,
        };
    }
    Watches::Metric {
        namespace: alarm.line("Namespace"),
        metric: alarm.text("MetricName"),
        dimensions: dimensions(alarm),
        statistic: alarm.line("Statistic").or_else(|| alarm.line("ExtendedStatistic")),
        period_seconds: alarm.number("Period"),
        comparison,
        threshold,
    }
}

fn rule(alarm: &Value) -> Watches {
    Watches::Rule { rule: alarm.text("AlarmRule") }
}

fn of_log(alarm: &Value) -> Watches {
    Watches::Metric {
        namespace: None,
        metric: Text::from("log query"),
        dimensions: Vec::new(),
        statistic: None,
        period_seconds: None,
        comparison: alarm.text("ComparisonOperator"),
        threshold: alarm.real("Threshold"),
    }
}

/// What no version of this program knows can't be told either.
fn state(value: Option<&str>) -> AlarmState {
    match value {
        Some("ALARM") => AlarmState::Alarm,
        Some("OK") => AlarmState::Ok,
        Some(_) | None => AlarmState::InsufficientData,
    }
}

fn dimensions(of: &Value) -> Vec<(Text, Text)> {
    of.list("Dimensions").iter().map(|dimension| (dimension.text("Name"), dimension.text("Value"))).collect()
}

fn change(item: &Value) -> Option<AlarmChange> {
    let (kind, summary) = (item.text("HistoryItemType"), item.text("HistorySummary"));
    Some(AlarmChange { at: item.time("Timestamp")?, kind, summary })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_metric_alarm_is_told_with_what_it_watches() {
        let alarm = json!({
            "AlarmName": "api-cpu",
            "StateValue": "ALARM",
            "StateReason": "Threshold\u{1b}[2J Crossed\u{202e}",
            "StateUpdatedTimestamp": 200.0,
            "StateTransitionedTimestamp": 100.0,
            "Namespace": "AWS/ECS",
            "MetricName": "CPUUtilization",
            "Dimensions": [{ "Name": "ServiceName", "Value": "api" }],
            "Statistic": "Average",
            "Period": 60,
            "Threshold": 80.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "ActionsEnabled": false,
        });
        let alarm = of_alarm(&alarm, watched).expect("an alarm");
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
    fn an_alarm_scales_only_where_all_that_it_does_is_scaling() {
        let service = "arn:aws:autoscaling:eu-west-1:111111111111:scalingPolicy:8d2e:resource/ecs/service/main/api:policyName/cpu";
        let group = "arn:aws-us-gov:autoscaling:us-gov-west-1:111111111111:scalingPolicy:8d2e:autoScalingGroupName/a:policyName/b";
        let (topic, reboot) = ("arn:aws:sns:eu-west-1:111111111111:pages", "arn:aws:automate:eu-west-1:ec2:reboot");
        for (alarm, scales_only) in [
            (json!({ "AlarmActions": [service] }), true),
            (json!({ "AlarmActions": [group, service], "OKActions": [], "ActionsEnabled": false }), true),
            (json!({ "AlarmActions": [service], "OKActions": [service] }), true),
            (json!({ "AlarmActions": [service, topic] }), false),
            (json!({ "AlarmActions": [service], "OKActions": [topic] }), false),
            (json!({ "AlarmActions": [service], "InsufficientDataActions": [topic] }), false),
            (json!({ "AlarmActions": [reboot] }), false),
            (json!({ "AlarmActions": ["arn:aws:sns:eu-west-1:111111111111:scalingPolicy"] }), false),
            (json!({ "AlarmActions": [] }), false),
            (json!({}), false),
        ] {
            let mut named = alarm.clone();
            named["AlarmName"] = json!("TargetTracking-service/main/api-AlarmLow");
            named["StateValue"] = json!("ALARM");
            let read = of_alarm(&named, watched).expect("an alarm");
            assert_eq!((read.scales_only, read.is_trouble()), (scales_only, !scales_only), "{alarm}");
        }
    }

    #[test]
    fn an_expression_is_told_by_its_label() {
        let metric = json!({ "Namespace": "AWS/Lambda", "MetricName": "Errors" });
        let alarm = json!({
            "AlarmName": "x",
            "Metrics": [
                { "Id": "errors", "MetricStat": { "Metric": metric, "Period": 60, "Stat": "Sum" }, "ReturnData": false },
                { "Id": "rate", "Expression": "100*errors/calls", "Label": "errors in percent" },
            ],
            "Threshold": 1.5,
            "ComparisonOperator": "LessThanOrEqualToThreshold",
        });
        let alarm = of_alarm(&alarm, watched).expect("an alarm");
        assert_eq!(alarm.state, AlarmState::InsufficientData, "nothing is said: not well");
        assert_eq!(alarm.watches.subject().as_str(), "errors in percent");
        assert_eq!(alarm.watches.condition().as_str(), "<= 1.5");
    }

    #[test]
    fn composite_alarms_carry_their_rule() {
        let alarm = of_alarm(&json!({ "AlarmName": "all", "AlarmRule": "ALARM(\"a\")\nOR ALARM(\"b\")" }), rule);
        assert_eq!(alarm.expect("an alarm").watches.subject().as_str(), "ALARM(\"a\") OR ALARM(\"b\")");
        assert_eq!(of_alarm(&json!({}), rule), None, "without a name it is none");
    }
}
