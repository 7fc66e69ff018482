//! What a transfer is told at its start.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::{
    domain::{AccountId, MessageId, QueueKind},
    journal::History,
    operations::values::{BounceMax, Ramp, Uncertain},
};

/// Calls at once where nobody sets a bound: what moves 2,000 messages a second at 200 ms a call, from the first one to the last.
pub const LANES_MAX: usize = 256;
/// What is left is hidden for so long at least.
const HOLD_SECONDS: u32 = 120;

#[derive(Debug, Clone)]
pub struct Settings {
    /// Account that the plan was approved for: with another one's credentials nothing is written.
    pub account: AccountId,
    pub source: QueueKind,
    /// Destinations: queue URL and kind; a judgement names one by index.
    pub destinations: Vec<(String, QueueKind)>,
    /// Calls at once, at most: a run finds out how many are of use. Half as many batches are announced without an outcome: at
    /// most so many can be in doubt. With 1 there is one batch at a time.
    pub lanes: usize,
    /// Messages received at once, 1 to 10; fewer where deciding takes long.
    pub batch_max: u32,
    /// How long received messages stay hidden at a time.
    pub visibility_seconds: u32,
    /// Messages sent at or after this time are not this run's.
    pub cutoff: Timestamp,
    pub limit: Option<u64>,
    pub rate: Option<u32>,
    /// Whether some messages may be left by choice (a filter, a list of ids).
    pub selective: bool,
    /// Whether messages that come back are judged for a parking place rather than left.
    pub park: bool,
    pub ramp: Ramp,
    pub bounce_max: BounceMax,
    /// How long to watch after a step; 0: not at all.
    pub watch_seconds: u32,
    /// How long to wait for messages that are in flight elsewhere.
    pub settle_seconds: u32,
    pub resume: Resume,
}

/// What became of an earlier try of the run.
#[derive(Debug, Clone, Default)]
pub struct Resume {
    /// How many were sent, those aside that came back and were parked.
    pub moved: u64,
    pub sent: Vec<MessageId>,
    /// Sent, but perhaps not deleted.
    pub sent_not_deleted: HashSet<MessageId>,
    /// About to be deleted without being sent, and perhaps deleted; each stands in a file.
    pub perhaps_gone: HashSet<MessageId>,
    /// When each of those that are sent, perhaps sent or perhaps deleted has shown again at the latest, if it is still there;
    /// none: when what is hidden from now on would.
    pub shown_at: Option<Timestamp>,
    /// Where messages stood in a FIFO queue, as far as it is known: group and sequence number.
    pub places: HashMap<MessageId, (String, u128)>,
    pub uncertain: HashSet<MessageId>,
    /// Of those, sent to a FIFO queue: when first, by this machine's clock, and under which deduplication id.
    pub tried: HashMap<MessageId, (Timestamp, String)>,
    pub policy: Uncertain,
    /// Whether what was sent last was not watched to the end.
    pub is_unwatched: bool,
    pub new_ids: Vec<MessageId>,
    /// First digits of the contents' hashes of those sent or perhaps sent: of the latter no new id is known.
    pub contents: Vec<String>,
    pub batch: u64,
}

impl Resume {
    /// What an earlier try's journal says, and what becomes of messages whose sending had no clear answer.
    pub fn of(history: History, policy: Uncertain) -> Self {
        let moved = history.moved() as u64;
        let by_own_clock = |at: Timestamp| at.checked_sub(history.skew).unwrap_or(at);
        let tried = history.tried.into_iter().map(|(id, (at, key))| (id, (by_own_clock(at), key)));
        Self {
            tried: tried.collect(),
            moved,
            sent: history.sent,
            sent_not_deleted: history.sent_not_deleted,
            perhaps_gone: history.perhaps_gone,
            shown_at: None,
            places: HashMap::new(),
            uncertain: history.uncertain,
            policy,
            is_unwatched: history.is_unwatched,
            new_ids: history.new_ids,
            contents: history.contents,
            batch: history.batch,
        }
    }

    /// How many messages of a limit an earlier try has used up. What it may have sent has its place in the limit, and keeps it
    /// when it is sent again.
    pub fn done(history: &History, removes: bool) -> u64 {
        let done = match removes {
            true => history.removed.len() + history.perhaps_gone.len(),
            // What came back and was parked is no further message moved.
            false => history.moved() + history.uncertain.len() + history.perhaps_sent.len(),
        };
        done as u64
    }
}

impl Settings {
    /// All that the source has, at full speed and unwatched.
    pub(crate) fn of_all(source: QueueKind) -> Self {
        Self {
            // The run adds it.
            account: AccountId(String::new()),
            source,
            destinations: Vec::new(),
            lanes: LANES_MAX,
            batch_max: 10,
            visibility_seconds: 60,
            cutoff: Timestamp::MAX,
            limit: None,
            rate: None,
            selective: false,
            park: false,
            ramp: Ramp::none(),
            bounce_max: BounceMax::Percent(100),
            watch_seconds: 0,
            settle_seconds: 10,
            resume: Resume::default(),
        }
    }

    /// How long what is left stays hidden at a time, so that lanes do not meet it again and again.
    pub fn hold_seconds(&self) -> u32 {
        HOLD_SECONDS.max(self.visibility_seconds)
    }
}
