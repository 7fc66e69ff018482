//! What a plan is bound to: everything that its run needs, freshly observed. Never stored.

use std::{path::PathBuf, sync::Arc};

use super::{
    scale::Scale,
    transfer::{Judge, Settings},
    values::Uncertain,
};
use crate::{
    domain::{QueueArn, QueueUrl, RunId},
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
