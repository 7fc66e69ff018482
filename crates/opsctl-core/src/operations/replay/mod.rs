//! Replay: rows of an outbox that failed, expired or were published are re-armed, and its relay sends them again.

mod choice;
pub mod engine;
#[cfg(test)]
mod engine_tests;
mod plan;
pub mod put_back;
mod relaying;

use std::path::PathBuf;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Counts, Left, OperationError, Planned, Planner, Verb,
    values::{BounceMax, Ramp, Seconds},
};
use crate::{
    cloud::Cloud,
    domain::{Connection, Outbox, RowState, Server},
    journal::History,
    messages::{FilterError, RowFilter},
    outboxes::sql::Selection,
};

pub use plan::{filter_row, mapping_digest};

/// How long rows of a step are watched.
const WAIT: Seconds = Seconds(60);

/// Re-arm rows of an outbox, so that its relay sends them again
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Replay {
    /// Outbox: its name in the configuration
    #[arg(
        long,
        value_name = "OUTBOX",
        required_unless_present = "resume",
        default_value = "",
        hide_default_value = true
    )]
    pub outbox: String,
    /// Replay rows in this state; may be given several times [default: failed]
    #[arg(long, value_enum, value_name = "STATE")]
    pub state: Vec<ReplayState>,
    /// Replay only the row with this id; may be given several times; the columns of an id are separated by commas
    #[arg(long, value_name = "ID")]
    pub id: Vec<String>,
    /// Replay only rows whose ids stand in this file, one a line
    #[arg(long, value_name = "FILE")]
    pub ids: Option<PathBuf>,
    /// Replay only rows of this event type; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Vec<String>,
    /// Replay only rows of this group; may be given several times
    #[arg(long, value_name = "GROUP")]
    pub group: Vec<String>,
    /// Replay only rows for which this jq expression is true, `.error | test("timeout")` for instance, or the one in a file, as `file:PATH`
    #[arg(long = "where", value_name = "FILTER")]
    pub filter: Option<String>,
    /// Replay only rows created at or after this time, `2026-05-01T09:30:00Z`
    #[arg(long, value_name = "TIME")]
    pub from: Option<Timestamp>,
    /// Replay only rows created before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// Replay only rows that are older than this
    #[arg(long, value_name = "TIME", conflicts_with = "until", value_parser = Seconds::between::<0, { u32::MAX }>)]
    pub older_than: Option<Seconds>,
    /// Replay only rows that are younger than this
    #[arg(long, value_name = "TIME", conflicts_with = "from", value_parser = Seconds::between::<0, { u32::MAX }>)]
    pub newer_than: Option<Seconds>,
    /// Replay at most this many rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Replay at most this many rows a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: Option<u32>,
    /// Replay in steps of these sizes and watch after each whether rows fail again, `1,10,100,all`
    #[arg(long, value_name = "STEPS")]
    pub ramp: Option<Ramp>,
    /// With --ramp: stop when more than this share or number of a step's rows fails again [default: 5%]
    #[arg(long, value_name = "SHARE")]
    pub max_failed: Option<BounceMax>,
    /// With --ramp: watch a step's rows at most this long [default: 1m]
    #[arg(long, value_name = "TIME", value_parser = Seconds::between::<0, 43_200>)]
    pub wait: Option<Seconds>,
}

/// States from which rows are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayState {
    Failed,
    Expired,
    /// Rows that were sent once: everything that gets them gets them again
    Published,
}

impl ReplayState {
    pub fn state(self) -> RowState {
        match self {
            Self::Failed => RowState::Failed,
            Self::Expired => RowState::Expired,
            Self::Published => RowState::Published,
        }
    }
}

/// What a replay's run needs.
#[derive(Debug)]
pub struct ToReplay {
    pub target: Target,
    pub selection: Selection,
    pub filter: Option<RowFilter>,
    pub settings: engine::RowSettings,
    pub wait: Seconds,
    pub rows_estimate: u64,
}

/// What is written to, and nothing else.
#[derive(Debug, Clone)]
pub struct Target {
    pub outbox: Outbox,
    pub connection: Connection,
    /// The server that the plan saw.
    pub server: Server,
    /// Digest of the mapping as it fits the table.
    pub mapping: String,
}

impl Verb for Replay {
    fn subject(&self) -> &str {
        &self.outbox
    }

    fn subject_arguments(&self) -> &'static [&'static str] {
        &["outbox"]
    }

    fn counts(&self) -> Counts {
        Counts::Rows
    }

    fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    fn check_filter(&self) -> Result<(), FilterError> {
        self.filter().map_or(Ok(()), |given| RowFilter::open(given).map(drop))
    }

    fn limit(&self) -> Option<u64> {
        self.limit
    }

    fn left(&self, history: &History) -> Left {
        Left::Messages { done: history.rows_done() }
    }

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(plan::plan(self, cloud, planner))
    }
}
