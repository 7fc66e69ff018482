//! What the engine asks for and what it is told.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{flow::Served, tally::Kept};
use crate::{
    cloud::{CloudError, ErrorKind, identity::Caller, sqs::Entry},
    domain::{Counts, Message, MessageId, Outgoing, ReceiptHandle},
    journal::Record,
};

/// Number of a lane. [`CONTROL`] is no lane but the engine itself.
pub type LaneId = usize;

/// The engine itself, where a step belongs to no lane.
pub(super) const CONTROL: LaneId = usize::MAX;

#[derive(Debug)]
pub enum Next {
    /// Do this, and tell the answer; ask for the next at once, without waiting for the answer.
    Step(Step),
    /// Nothing before an answer arrives, or before this time.
    Wait(Option<Timestamp>),
    Done,
}

#[derive(Debug)]
pub enum Step {
    Receive {
        lane: LaneId,
        /// At most, 1 to 10.
        messages_max: u32,
        wait_seconds: u32,
        visibility_seconds: u32,
    },
    Judge {
        lane: LaneId,
        /// Messages, each with whether it came back in this run.
        messages: Vec<(Arc<Message>, Origin)>,
    },
    /// Write to the journal, and first the messages to the snapshot; answer when both are durable.
    Write {
        lane: LaneId,
        records: Vec<Record>,
        saved: Vec<Arc<Message>>,
        /// Batch of the saved messages.
        batch: u64,
    },
    Send {
        lane: LaneId,
        to: usize,
        /// At most ten and 1 MiB.
        messages: Vec<Outgoing>,
    },
    Delete {
        lane: LaneId,
        receipts: Vec<ReceiptHandle>,
    },
    /// Keep hidden for so long from now; 0 puts back at once.
    Hide {
        lane: LaneId,
        receipts: Vec<ReceiptHandle>,
        seconds: u32,
    },
    /// Read the source's counts, and the destinations' where it matters whether somebody takes what was sent.
    Count {
        destinations: bool,
    },
    Verify,
}

impl Step {
    /// Whether it is a lane's call to SQS: only so many go out at once.
    pub(super) fn is_call(&self) -> bool {
        match self {
            Self::Receive { .. } | Self::Send { .. } | Self::Delete { .. } => true,
            Self::Hide { lane, .. } => *lane != CONTROL,
            Self::Judge { .. } | Self::Write { .. } | Self::Count { .. } | Self::Verify => false,
        }
    }
}

/// What is known of a message before it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    DeadLetter,
    Bounced,
}

#[derive(Debug, Clone)]
pub enum Judgement {
    /// Send it there, then delete it here.
    Send {
        to: usize,
        outgoing: Box<Outgoing>,
    },
    /// Delete it here; it stands in a file.
    Remove,
    Keep(Kept),
}

/// Counts of the source, and of all destinations together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    pub source: Counts,
    /// Of the destinations, where they were asked for.
    pub destinations: Option<Counts>,
    /// How the destinations' oldest messages age, where anything is known of it by now.
    pub age: Option<Age>,
}

/// Age of the oldest message of the destination that has aged most since before the run. The metric lags by minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    pub to: usize,
    /// Age at `at`.
    pub seconds: u64,
    /// Highest age before the run, or the first one known from within it.
    pub before_seconds: u64,
    /// Time of the sample, by AWS's clock.
    pub at: Timestamp,
}

impl Age {
    pub fn grown_seconds(&self) -> u64 {
        self.seconds.saturating_sub(self.before_seconds)
    }
}

#[derive(Debug)]
pub enum Answer {
    Received(LaneId, Result<Vec<Message>, CloudError>),
    /// Of [`Step::Judge`], in the same order.
    Judged(LaneId, Vec<Judgement>),
    /// Of [`Step::Write`]; the error in words.
    Written(LaneId, Result<(), String>),
    /// Of [`Step::Send`], in the same order.
    Sent(LaneId, Result<Vec<Entry<MessageId>>, CloudError>),
    /// Of [`Step::Delete`], in the same order.
    Deleted(LaneId, Result<Vec<Entry<()>>, CloudError>),
    /// Of [`Step::Hide`], in the same order.
    Hidden(LaneId, Result<Vec<Entry<()>>, CloudError>),
    Counted(Result<Counted, CloudError>),
    Verified(Result<Caller, CloudError>),
}

impl Answer {
    /// The lane whose call it answers, as [`Step::is_call`] has it, and how the server took it; how long that `took` says how busy the
    /// server is, unless the call waits by design.
    pub(super) fn of_call(&self, took: impl Fn(LaneId) -> SignedDuration) -> Option<(LaneId, Served)> {
        let (lane, result, waits) = match self {
            Self::Received(lane, result) => (*lane, result.as_ref().map(|_| false), true),
            Self::Sent(lane, result) => (*lane, result.as_ref().map(|all| throttled(all)), false),
            Self::Hidden(CONTROL, _) => return None,
            Self::Deleted(lane, result) | Self::Hidden(lane, result) => {
                (*lane, result.as_ref().map(|all| throttled(all)), false)
            }
            Self::Judged(..) | Self::Written(..) | Self::Counted(_) | Self::Verified(_) => return None,
        };
        let served = match result {
            Ok(true) => Served::Throttled,
            Ok(false) => Served::In((!waits).then(|| took(lane))),
            Err(error) if error.kind == ErrorKind::Throttled => Served::Throttled,
            Err(_) => Served::Failed,
        };
        Some((lane, served))
    }
}

fn throttled<T>(entries: &[Entry<T>]) -> bool {
    entries.iter().any(Entry::is_throttled)
}
