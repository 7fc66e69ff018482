//! Requests, as every protocol of CloudWatch has them.

use serde::{Deserialize, Deserializer, Serialize};

/// Of `GetMetricData`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricData {
    pub(super) metric_data_queries: Option<Vec<Query>>,
    #[serde(default, deserialize_with = "time")]
    pub(super) start_time: Option<f64>,
    #[serde(default, deserialize_with = "time")]
    pub(super) end_time: Option<f64>,
    #[serde(default)]
    pub(super) scan_by: ScanBy,
    pub(super) max_datapoints: Option<usize>,
    pub(super) next_token: Option<String>,
}

/// In which order points come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) enum ScanBy {
    #[default]
    TimestampDescending,
    TimestampAscending,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Query {
    #[serde(default)]
    pub(super) id: String,
    pub(super) metric_stat: Option<MetricStat>,
    pub(super) expression: Option<String>,
    pub(super) label: Option<String>,
    pub(super) return_data: Option<bool>,
    pub(super) period: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricStat {
    pub(super) metric: MetricName,
    pub(super) period: i64,
    pub(super) stat: String,
}

/// A metric's full name.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricName {
    #[serde(default)]
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) metric_name: String,
    #[serde(default)]
    pub(super) dimensions: Vec<Dimension>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) value: String,
}

/// Of `ListMetrics`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListMetrics {
    pub(super) namespace: Option<String>,
    pub(super) metric_name: Option<String>,
    #[serde(default)]
    pub(super) dimensions: Vec<DimensionFilter>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DimensionFilter {
    pub(super) name: String,
    pub(super) value: Option<String>,
}

/// Of `PutMetricData`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutMetricData {
    pub(super) namespace: Option<String>,
    #[serde(default)]
    pub(super) metric_data: Vec<Datum>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Datum {
    #[serde(default)]
    pub(super) metric_name: String,
    #[serde(default)]
    pub(super) dimensions: Vec<Dimension>,
    #[serde(default, deserialize_with = "time")]
    pub(super) timestamp: Option<f64>,
    pub(super) value: Option<f64>,
    #[serde(default)]
    pub(super) values: Vec<f64>,
    #[serde(default)]
    pub(super) counts: Vec<f64>,
    pub(super) statistic_values: Option<StatisticValues>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StatisticValues {
    pub(super) sample_count: f64,
    pub(super) sum: f64,
    pub(super) minimum: f64,
    pub(super) maximum: f64,
}

impl MetricName {
    pub(super) fn dimension(&self, name: &str) -> Option<&str> {
        self.dimensions.iter().find(|dimension| dimension.name == name).map(|dimension| dimension.value.as_str())
    }
}

/// Seconds since 1970, or a text as ISO 8601 has it.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Seconds(f64),
        Text(jiff::Timestamp),
    }
    Ok(Option::<Written>::deserialize(deserializer)?.map(|written| match written {
        Written::Seconds(seconds) => seconds,
        Written::Text(time) => time.as_millisecond() as f64 / 1_000.0,
    }))
}
