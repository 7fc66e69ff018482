//! Restore: messages of a run's snapshot go back to the queue that the run took them from.

use serde::{Deserialize, Serialize};

use crate::domain::RunId;

/// Put the messages of a run's snapshot back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// Run whose snapshot is put back
    #[arg(value_name = "RUN")]
    pub run: RunId,
    /// Send to this queue instead of the one that the messages were taken from
    #[arg(long, value_name = "QUEUE")]
    pub to: Option<String>,
    /// Restore only messages for which this jq expression is true
    #[arg(long = "where", value_name = "FILTER")]
    pub filter: Option<String>,
}
