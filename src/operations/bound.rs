//! What a plan is bound to: everything that its run needs, freshly observed. Never stored.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    consumers::Consumers,
    migrate::ToMigrate,
    scale::Scale,
    transfer::{Judge, Settings},
    values::Uncertain,
};
use crate::{
    domain::{
        QueueArn, QueueUrl, RunId,
        database::Topology,
        endpoint::{Dialect, Endpoint},
    },
    messages::filter::Filter,
};

/// What a plan is bound to.
#[derive(Debug)]
pub enum Bound {
    /// A move task.
    Managed(Managed),
    /// The transfer engine.
    ClientSide(Box<ClientSide>),
    /// A snapshot that is put back.
    Restore(PutBack),
    /// Desired counts of services.
    Scale(Scale),
    /// A database's failover.
    FailOver(Box<FailOver>),
    /// A migration's task.
    Migrate(Box<ToMigrate>),
    /// Consumers to be paused or resumed.
    Consumers(Consumers),
    /// Consumers that are paused around something else.
    Around(Consumers, Box<Bound>),
}

impl Bound {
    /// So many messages are dealt with, as a look at the queue has shown: what is moved is held against that.
    pub(crate) fn expect_at_most(&mut self, messages: u64) {
        match self {
            Self::ClientSide(transfer) if messages > 0 => {
                transfer.messages_estimate = transfer.messages_estimate.min(messages);
            }
            Self::Around(_, inner) => inner.expect_at_most(messages),
            Self::ClientSide(_)
            | Self::Managed(_)
            | Self::Restore(_)
            | Self::Scale(_)
            | Self::FailOver(_)
            | Self::Migrate(_)
            | Self::Consumers(_) => {}
        }
    }
}

/// A move task to be.
#[derive(Debug)]
pub struct Managed {
    /// DLQ.
    pub source: QueueArn,
    /// Its URL.
    pub source_url: QueueUrl,
    /// Destination; none: each message to its own source.
    pub destination: Option<QueueArn>,
    /// Messages a second.
    pub rate: Option<u32>,
    /// About so many.
    pub messages_estimate: u64,
}

/// A transfer to be.
#[derive(Debug)]
pub struct ClientSide {
    /// Queue that messages are taken from.
    pub source: QueueUrl,
    /// Queues that they go to.
    pub destinations: Arc<[QueueUrl]>,
    /// Settings, but for cutoff and resume, which the run adds.
    pub settings: Settings,
    /// Decides; the run adds its mark.
    pub judge: Judge,
    /// Whether messages are marked with the run.
    pub mark: bool,
    /// Whether messages are saved first.
    pub snapshot: bool,
    /// Where parked messages are written at the end.
    pub park_file: Option<PathBuf>,
    /// About so many.
    pub messages_estimate: u64,
    /// What becomes of messages in doubt.
    pub uncertain: Uncertain,
}

/// A failover to be, or one that was asked for; as such it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailOver {
    /// Cluster or instance.
    pub database: String,
    /// How it is built.
    pub topology: Topology,
    /// Who writes before.
    pub writer: Option<String>,
    /// Who shall write; none: an instance's standby.
    pub target: Option<String>,
    /// Where an instance runs before.
    pub zone: Option<String>,
    /// Where its standby is before.
    pub standby_zone: Option<String>,
    /// Where it answers.
    #[serde(default)]
    pub endpoint: Option<Endpoint>,
    /// What SQL it speaks.
    #[serde(default)]
    pub dialect: Option<Dialect>,
    /// What is configured.
    pub rto_seconds: Option<u64>,
    /// When it was asked for: then it is only looked at.
    #[serde(skip)]
    pub asked_at: Option<Timestamp>,
}

/// A snapshot to be put back.
#[derive(Debug)]
pub struct PutBack {
    /// Run whose snapshot it is.
    pub run: RunId,
    /// Queue that all go to; none: each to the one it was taken from.
    pub to: Option<QueueUrl>,
    /// Only these.
    pub filter: Option<Filter>,
    /// Whether messages are put back of which it is not known that they were deleted.
    pub perhaps: bool,
    /// So many.
    pub messages: u64,
}
