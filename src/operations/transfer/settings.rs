//! What a transfer is told at its start.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::{
    domain::{AccountId, MessageId, QueueKind},
    operations::values::{BounceMax, Ramp, Uncertain},
};

/// What is left is hidden for so long at least.
const HOLD_SECONDS: u32 = 120;

/// How to transfer.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Account that the plan was approved for: with another one's credentials nothing is written.
    pub account: AccountId,
    /// Kind of the source.
    pub source: QueueKind,
    /// Destinations: queue URL and kind; a judgement names one by index.
    pub destinations: Vec<(String, QueueKind)>,
    /// Calls at once, and batches announced whose outcome is not written: at most so many can be in doubt.
    pub lanes: usize,
    /// Messages received at once, 1 to 10; fewer where deciding takes long.
    pub batch_max: u32,
    /// How long received messages stay hidden at a time.
    pub visibility_seconds: u32,
    /// Messages sent at or after this time are not this run's.
    pub cutoff: Timestamp,
    /// At most so many.
    pub limit: Option<u64>,
    /// At most so many a second.
    pub rate: Option<u32>,
    /// Whether some messages may be left by choice (a filter, a list of ids).
    pub selective: bool,
    /// Whether messages that come back are judged for a parking place rather than left.
    pub park: bool,
    /// Steps.
    pub ramp: Ramp,
    /// How many may come back.
    pub bounce_max: BounceMax,
    /// How long to watch after a step; 0: not at all.
    pub watch_seconds: u32,
    /// How long to wait for messages that are in flight elsewhere.
    pub settle_seconds: u32,
    /// What became of an earlier try.
    pub resume: Resume,
}

/// What became of an earlier try of the run.
#[derive(Debug, Clone, Default)]
pub struct Resume {
    /// How many were sent, those aside that came back and were parked.
    pub moved: u64,
    /// Sent, newest last.
    pub sent: Vec<MessageId>,
    /// Sent, but perhaps not deleted.
    pub sent_not_deleted: HashSet<MessageId>,
    /// Perhaps sent.
    pub uncertain: HashSet<MessageId>,
    /// Of those, sent to a FIFO queue: when first, and under which deduplication id.
    pub tried: HashMap<MessageId, (Timestamp, String)>,
    /// What becomes of the others.
    pub policy: Uncertain,
    /// Announced to be deleted without being sent, and perhaps deleted.
    pub perhaps_gone: HashSet<MessageId>,
    /// Whether what was sent last was not watched to the end.
    pub is_unwatched: bool,
    /// New ids of those sent.
    pub new_ids: Vec<MessageId>,
    /// Highest batch number.
    pub batch: u64,
}

impl Settings {
    /// How long what is left stays hidden at a time, so that lanes do not meet it again and again.
    pub fn hold_seconds(&self) -> u32 {
        HOLD_SECONDS.max(self.visibility_seconds)
    }
}
