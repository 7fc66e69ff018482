//! Requests about alarms, as every protocol of CloudWatch has them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::world::cloudwatch::request::{Dimension, Query, ScanBy, time};

/// Of `PutMetricAlarm` and `PutCompositeAlarm`. What is about the metric is told again as it came.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::world::cloudwatch) struct PutAlarm {
    #[serde(skip_serializing)]
    pub(super) alarm_name: Option<String>,
    #[serde(skip_serializing)]
    pub(super) alarm_description: Option<String>,
    #[serde(skip_serializing)]
    pub(super) actions_enabled: Option<bool>,
    #[serde(skip_serializing, rename = "OKActions")]
    pub(super) ok_actions: Vec<String>,
    #[serde(skip_serializing)]
    pub(super) alarm_actions: Vec<String>,
    #[serde(skip_serializing)]
    pub(super) insufficient_data_actions: Vec<String>,
    #[serde(skip_serializing)]
    pub(super) alarm_rule: Option<String>,
    pub(super) metric_name: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) statistic: Option<String>,
    pub(super) extended_statistic: Option<String>,
    pub(super) dimensions: Vec<Dimension>,
    pub(super) period: Option<i64>,
    pub(super) unit: Option<String>,
    pub(super) evaluation_periods: Option<i64>,
    pub(super) datapoints_to_alarm: Option<i64>,
    pub(super) threshold: Option<f64>,
    pub(super) comparison_operator: Option<String>,
    pub(super) treat_missing_data: Option<String>,
    /// Read a second time, as queries: told again as they came.
    pub(super) metrics: Option<Value>,
    #[serde(skip)]
    pub(super) queries: Vec<Query>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::world::cloudwatch) struct DescribeAlarms {
    pub(super) alarm_names: Vec<String>,
    pub(super) alarm_name_prefix: Option<String>,
    pub(super) alarm_types: Vec<String>,
    pub(super) state_value: Option<String>,
    pub(super) action_prefix: Option<String>,
    pub(super) children_of_alarm_name: Option<String>,
    pub(super) max_records: Option<i64>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::world::cloudwatch) struct DescribeAlarmHistory {
    pub(super) alarm_name: Option<String>,
    pub(super) alarm_types: Vec<String>,
    pub(super) history_item_type: Option<String>,
    #[serde(deserialize_with = "time")]
    pub(super) start_date: Option<f64>,
    #[serde(deserialize_with = "time")]
    pub(super) end_date: Option<f64>,
    pub(super) max_records: Option<i64>,
    pub(super) next_token: Option<String>,
    pub(super) scan_by: ScanBy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::world::cloudwatch) struct SetAlarmState {
    pub(super) alarm_name: Option<String>,
    pub(super) state_value: Option<String>,
    pub(super) state_reason: Option<String>,
    pub(super) state_reason_data: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::world::cloudwatch) struct PutMute {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) rule: Option<MuteSchedule>,
    pub(super) mute_targets: Option<MuteTargets>,
    #[serde(deserialize_with = "time")]
    pub(super) start_date: Option<f64>,
    #[serde(deserialize_with = "time")]
    pub(super) expire_date: Option<f64>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MuteSchedule {
    pub(super) schedule: Schedule,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Schedule {
    pub(super) expression: String,
    pub(super) duration: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timezone: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MuteTargets {
    pub(super) alarm_names: Vec<String>,
}

/// Of `GetAlarmMuteRule` and `DeleteAlarmMuteRule`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::world::cloudwatch) struct NamedMute {
    pub(super) alarm_mute_rule_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::world::cloudwatch) struct ListMutes {
    pub(super) alarm_name: Option<String>,
    pub(super) statuses: Vec<String>,
    pub(super) max_records: Option<i64>,
    pub(super) next_token: Option<String>,
}

/// Of `DeleteAlarms`, `EnableAlarmActions` and `DisableAlarmActions`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::world::cloudwatch) struct Names {
    pub(super) alarm_names: Vec<String>,
}
