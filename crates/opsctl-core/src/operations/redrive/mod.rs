//! Redrive: messages of a dead-letter queue go to their source, or to another queue.

mod bind;
mod choice;
mod costs;
mod foreseen;
mod plan;
mod scene;
mod sources;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use futures_util::future::BoxFuture;

use super::{
    Left, OperationError, Pauses, Planned, Planner, Verb,
    values::{BounceMax, EngineChoice, Ramp, Seconds, Uncertain},
};
use crate::{cloud::Cloud, journal::History};

pub use choice::Moves;
pub use scene::dead_letter_queue;

/// Move messages from a dead-letter queue to where they belong.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Redrive {
    /// Dead-letter queue, or the queue whose dead letters are meant: name, URL or ARN
    #[arg(
        long,
        value_name = "QUEUE",
        required_unless_present = "resume",
        default_value = "",
        hide_default_value = true
    )]
    pub queue: String,
    /// Send to this queue instead of each message's own source
    #[arg(long, value_name = "QUEUE")]
    pub to: Option<String>,
    /// Move at most this many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Move only messages for which this jq expression is true, `.body.partnerId == "A"` for instance, or the one in a file, as `file:PATH`
    #[arg(long = "where", value_name = "FILTER")]
    pub filter: Option<String>,
    /// Move only messages whose ids stand in this file: one a line, a list, JSON as the AWS CLI and jq print it, or a CSV column
    #[arg(long, value_name = "FILE")]
    pub ids: Option<PathBuf>,
    /// Move at most this many messages a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: Option<u32>,
    /// Move in steps of these sizes and watch after each whether messages come back or lie untouched, `1,10,100,all`
    #[arg(long, value_name = "STEPS")]
    pub ramp: Option<Ramp>,
    /// Stop when more than this share or number of messages comes back [default: 5%]
    #[arg(long, value_name = "SHARE")]
    pub max_bounce: Option<BounceMax>,
    /// Watch this long after each step [default: as long as a message needs to fail again, at most 10m]
    #[arg(long, value_name = "TIME", value_parser = Seconds::between::<0, 43_200>)]
    pub wait_bounce: Option<Seconds>,
    /// Choose who moves the messages
    #[arg(long, value_enum, default_value_t)]
    pub engine: EngineChoice,
    /// Put messages that come back into this queue, or into a file given as `file:PATH`
    #[arg(long, value_name = "QUEUE|file:PATH")]
    pub park: Option<String>,
    /// Edit each message with this program (JSON in, JSON out), or with the jq filter in a file `*.jq`
    #[arg(long, value_name = "PROGRAM|FILE.jq")]
    pub edit: Option<String>,
    /// Keep no snapshot of the messages: they can't be restored then
    #[arg(long)]
    pub no_snapshot: bool,
    /// Add an attribute `opsctl.run` that says which run sent the message
    #[arg(long)]
    pub mark: bool,
    /// Move although an earlier run on this queue has not ended
    #[arg(long)]
    pub despite_unfinished: bool,
    /// Keep received messages hidden for this long at a time, 30s at least [default: 1m]
    #[arg(long, value_name = "TIME", value_parser = Seconds::between::<0, 43_200>)]
    pub visibility: Option<Seconds>,
    /// Make at most this many calls at once; the run finds out how many are of use [default: 256]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=512))]
    pub lanes: Option<u32>,
    /// Pause the consumers of the queues that messages go to, and resume them at the end, however the run ends
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pause_consumers: bool,
    /// With --resume: what becomes of messages whose sending had no clear answer
    #[arg(long, value_enum, default_value_t)]
    pub uncertain: Uncertain,
}

impl Redrive {
    /// The file that messages are parked in, where that is no queue.
    pub(super) fn park_file(&self) -> Option<&str> {
        self.park.as_deref()?.strip_prefix("file:")
    }
}

impl Verb for Redrive {
    fn subject(&self) -> &str {
        &self.queue
    }

    fn ids(&self) -> Option<&std::path::Path> {
        self.ids.as_deref()
    }

    fn take_ids_from(&mut self, file: PathBuf) {
        self.ids = Some(file);
    }

    fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    fn limit(&self) -> Option<u64> {
        self.limit
    }

    fn uncertain(&self) -> Option<Uncertain> {
        Some(self.uncertain)
    }

    fn decide_uncertain(&mut self, uncertain: Uncertain) {
        self.uncertain = uncertain;
    }

    fn pauses(&self) -> Pauses {
        if self.pause_consumers { Pauses::Meanwhile } else { Pauses::Nobody }
    }

    fn left(&self, history: &History) -> Left {
        Left::Messages { done: (history.moved() as u64).max(history.task_moved) }
    }

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(plan::plan(self, cloud, planner))
    }
}
