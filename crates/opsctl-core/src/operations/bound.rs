//! What a plan is bound to: everything that its run needs, freshly observed. Never stored.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    consumers::Consumers,
    migrate::ToMigrate,
    rows::{ToChange, put_back::RowsBack},
    scale::ToScale,
    toggles::ToToggle,
    transfer::{Judge, Settings, Source},
    values::Uncertain,
};
use crate::domain::{Dialect, Endpoint, QueueArn, QueueUrl, RunId, Topology};

#[derive(Debug)]
pub enum Bound {
    Managed(Managed),
    ClientSide(Box<ClientSide>),
    Restore(Box<PutBack>),
    Scale(ToScale),
    FailOver(Box<FailOver>),
    Migrate(Box<ToMigrate>),
    Consumers(Consumers),
    Rows(Box<ToChange>),
    RowsBack(Box<RowsBack>),
    Toggle(Vec<ToToggle>),
    /// Consumers that are paused around something else.
    Around(Consumers, Box<Bound>),
}

impl Bound {
    /// Why it is done, as somebody said: rows that are set aside have it with them.
    pub(crate) fn because(&mut self, why: Option<String>) {
        if let Self::Around(_, inner) = self {
            inner.because(why);
        } else if let Self::Rows(rows) = self {
            rows.reason = why;
        }
    }

    /// So many messages are dealt with, as a look at the queue has shown: what is moved is held against that.
    pub(crate) fn expect_at_most(&mut self, messages: u64) {
        if let Self::Around(_, inner) = self {
            inner.expect_at_most(messages);
        } else if let Self::Rows(rows) = self {
            rows.expect(messages);
        } else if let Self::ClientSide(transfer) = self
            && messages > 0
        {
            transfer.messages_estimate = transfer.messages_estimate.min(messages);
        }
    }
}

#[derive(Debug)]
pub struct Managed {
    pub source: QueueArn,
    pub source_url: QueueUrl,
    /// Destination; none: each message to its own source.
    pub destination: Option<QueueArn>,
    pub rate: Option<u32>,
    pub messages_estimate: u64,
}

#[derive(Debug)]
pub struct ClientSide {
    pub source: Source,
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
    pub messages_estimate: u64,
    /// What becomes of messages in doubt.
    pub uncertain: Uncertain,
}

impl ClientSide {
    /// From the source to the judge's destinations.
    pub(super) fn new(source: Source, mut settings: Settings, judge: Judge, messages_estimate: u64) -> Self {
        let queues = || judge.destinations.iter().map(|destination| &destination.queue);
        settings.destinations = queues().map(|queue| (queue.url.0.clone(), queue.kind)).collect();
        let destinations = queues().map(|queue| queue.url.clone()).collect();
        let (mark, snapshot, park_file, uncertain) = (false, true, None, Uncertain::default());
        Self { source, destinations, settings, judge, mark, snapshot, park_file, messages_estimate, uncertain }
    }
}

/// A failover to be, or one that was asked for; as such it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailOver {
    pub database: String,
    pub topology: Topology,
    pub writer: Option<String>,
    /// Who shall write; none: an instance's standby.
    pub target: Option<String>,
    /// Where an instance runs before.
    pub zone: Option<String>,
    /// Where its standby is before.
    pub standby_zone: Option<String>,
    pub endpoint: Option<Endpoint>,
    pub dialect: Option<Dialect>,
    pub rto_seconds: Option<u64>,
    /// When it was asked for: then it is only looked at.
    #[serde(skip)]
    pub asked_at: Option<Timestamp>,
}

#[derive(Debug)]
pub struct PutBack {
    pub run: RunId,
    /// The snapshot as a source, and where it goes.
    pub transfer: ClientSide,
    /// How many messages other restores of the run had put back, or may have, when this was bound.
    pub settled_by_others: usize,
    /// What of the run's messages is not put back.
    pub left_out: LeftOut,
}

/// Messages of a run that its restore does not put back, although they are selected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Of which the run's journal does not say whether they are gone from their queue.
    pub perhaps: u64,
    pub settle: String,
    /// That other restores may have put back: how many by which.
    pub in_doubt: Vec<(RunId, u64)>,
    /// That do not stand in the snapshot as the journal has them.
    pub damaged: u64,
    /// That were not known to be gone when the restore was agreed to.
    pub later: u64,
}

impl LeftOut {
    pub fn is_nothing(&self) -> bool {
        self.perhaps == 0 && self.in_doubt.is_empty() && self.damaged == 0 && self.later == 0
    }
}
