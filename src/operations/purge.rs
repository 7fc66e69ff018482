//! Purge: every message of a queue is deleted, each after it stands in a snapshot.

use serde::{Deserialize, Serialize};

/// Delete every message of a queue, after a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Purge {
    /// Queue: name, URL or ARN
    #[arg(
        long,
        value_name = "QUEUE",
        required_unless_present = "resume",
        default_value = "",
        hide_default_value = true
    )]
    pub queue: String,
    /// Delete only messages for which this jq expression is true
    #[arg(long = "where", value_name = "FILTER")]
    pub filter: Option<String>,
    /// Delete at most this many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
}
