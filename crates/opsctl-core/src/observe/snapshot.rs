//! [`Snapshot`]: what is known of an environment, each figure with its age.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{leaving::Leaving, parts::Estate, queues::DeadLetters};
use crate::{
    cloud::CloudError,
    domain::{EnvironmentName, Queue, QueueArn, QueueKind, QueueName, QueueUrl},
};

/// What is known of one environment. Cheap to clone; never changes: a newer one takes its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub environment: EnvironmentName,
    /// Counts up with each snapshot of the environment, so that an older one can be told.
    pub number: u64,
    /// Whether it was read from disk, and nothing of it from AWS yet.
    pub source: Source,
    pub listing: Listing,
    /// Every queue in scope, by name.
    pub queues: Arc<[Arc<Seen>]>,
    pub estate: Estate,
    /// Why ages of the oldest messages can't be had, where they can't.
    pub metrics_error: Option<CloudError>,
    pub spend: Spend,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From the disk: what an earlier session saw.
    Cache,
    Live,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    pub at: Option<Timestamp>,
    /// Why it did not come since.
    pub error: Option<CloudError>,
    pub busy: bool,
    /// Queues listed whose settings and counts were not asked for yet.
    pub unseen: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub name: QueueName,
    pub url: QueueUrl,
    /// Settings and counts as they last came; none if they never did.
    pub queue: Option<Queue>,
    pub at: Option<Timestamp>,
    /// Why they did not come since; the figures above are older then.
    pub error: Option<CloudError>,
    /// What makes it a dead-letter queue, if anything does.
    pub dead_letters: Option<DeadLetters>,
    /// Age of its oldest message as CloudWatch last told it.
    pub oldest: Option<Oldest>,
    /// Its messages over time, oldest first.
    pub trend: Trend,
    /// Since when messages waited, none of them was in flight and they did not get fewer; none while any of it is not so.
    pub waiting_since: Option<Timestamp>,
    /// Of a DLQ that became emptier: who takes its messages, when that was looked at last.
    pub leaving: Option<Leaving>,
}

/// Age of a queue's oldest message, a metric that lags by minutes and leaves out messages received three times and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oldest {
    /// Age in seconds at `at`.
    pub seconds: u64,
    pub at: Timestamp,
}

/// Messages of a queue over time: the last half hour, thinned out to 30 samples at most. Between two samples of the same
/// count there may have been any number of others of that count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trend {
    /// Time and total count, oldest first.
    pub samples: Vec<(Timestamp, u64)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Spend {
    pub calls_per_minute: u32,
    /// What they cost at list price if it goes on like this, in US dollars an hour.
    pub dollars_per_hour: f64,
    /// Calls that AWS throttled in the last minute.
    pub throttled: u32,
    /// Whether the configured bound holds looking back.
    pub bounded: bool,
}

impl Seen {
    /// Of which nothing but its name is known.
    pub(super) fn unseen(name: QueueName, url: QueueUrl) -> Self {
        Self {
            name,
            url,
            queue: None,
            at: None,
            error: None,
            dead_letters: None,
            oldest: None,
            trend: Trend::default(),
            waiting_since: None,
            leaving: None,
        }
    }

    /// Where its own dead letters go.
    pub fn feeds(&self) -> Option<&QueueArn> {
        Some(&self.queue.as_ref()?.redrive.as_ref()?.dead_letter)
    }

    pub fn kind(&self) -> QueueKind {
        self.name.kind()
    }

    /// About how many messages lie in it, where that is known.
    pub fn messages(&self) -> Option<u64> {
        self.queue.as_ref().map(|queue| queue.counts.total())
    }
}
