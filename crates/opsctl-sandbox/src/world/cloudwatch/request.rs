//! Requests, as every protocol of CloudWatch has them.

use serde::{Deserialize, Deserializer, Serialize};

use super::custom::Summary;

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

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricStatistics {
    pub(super) namespace: Option<String>,
    pub(super) metric_name: Option<String>,
    #[serde(default)]
    pub(super) dimensions: Vec<Dimension>,
    #[serde(default, deserialize_with = "time")]
    pub(super) start_time: Option<f64>,
    #[serde(default, deserialize_with = "time")]
    pub(super) end_time: Option<f64>,
    pub(super) period: Option<i64>,
    #[serde(default)]
    pub(super) statistics: Vec<String>,
    #[serde(default)]
    pub(super) extended_statistics: Vec<String>,
}

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
    pub(super) statistic_values: Option<Summary>,
    pub(super) storage_resolution: Option<i64>,
}

impl MetricName {
    pub(super) fn of(namespace: &str, metric: &str, dimensions: &[(&str, &str)]) -> Self {
        let dimension = |&(name, value): &(&str, &str)| Dimension { name: name.to_owned(), value: value.to_owned() };
        let dimensions = dimensions.iter().map(dimension).collect();
        Self { namespace: namespace.to_owned(), metric_name: metric.to_owned(), dimensions }.sorted()
    }

    /// With its dimensions in the order by which names are compared.
    pub(super) fn sorted(mut self) -> Self {
        self.dimensions.sort();
        self
    }

    /// The value of the one dimension that it has, where that is called so.
    pub(super) fn only(&self, name: &str) -> Option<&str> {
        self.dimension(name).filter(|_| self.dimensions.len() == 1)
    }

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
