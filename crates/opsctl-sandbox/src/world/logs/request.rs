//! Requests as they come.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfGroup {
    pub(super) log_group_name: String,
    /// Every call about one stream has it.
    #[serde(default)]
    pub(super) log_stream_name: String,
    #[serde(default)]
    pub(super) log_events: Vec<InputEvent>,
}

#[derive(Debug, Deserialize)]
pub(super) struct InputEvent {
    pub(super) timestamp: i64,
    pub(super) message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeLogGroups {
    pub(super) log_group_name_prefix: Option<String>,
    pub(super) log_group_name_pattern: Option<String>,
    pub(super) limit: Option<usize>,
    pub(super) next_token: Option<String>,
}

/// Of `DescribeLogStreams`, `GetLogEvents` and `FilterLogEvents`, each of which has some of these.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Read {
    pub(super) log_group_name: String,
    #[serde(default)]
    pub(super) log_stream_name: String,
    #[serde(default)]
    pub(super) log_stream_names: Vec<String>,
    pub(super) log_stream_name_prefix: Option<String>,
    pub(super) order_by: Option<String>,
    #[serde(default)]
    pub(super) descending: bool,
    #[serde(default)]
    pub(super) start_from_head: bool,
    pub(super) start_time: Option<i64>,
    pub(super) end_time: Option<i64>,
    pub(super) filter_pattern: Option<String>,
    pub(super) limit: Option<usize>,
    pub(super) next_token: Option<String>,
}
