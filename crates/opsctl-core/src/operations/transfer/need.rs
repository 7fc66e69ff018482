//! [`Need`]: what a message that was left needs, so that it does not stay where it is.

use serde::{Deserialize, Serialize};

use crate::domain::{QueueArn, QueueName};

/// What a message needs that was left, or would be, against anybody's wish.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// To be told where to: it names no source queue, or `source`, which does not use this DLQ. `target` is the queue that a rule
    /// of EventBridge could not deliver it to.
    Destination {
        source: Option<QueueName>,
        target: Option<QueueArn>,
    },
    /// That the queue takes messages of so many bytes.
    Room {
        queue: QueueName,
        bytes: u64,
    },
    /// That the mark is left out.
    NoMark,
    /// Keys by which its group and its deduplication id are found.
    Keys {
        queue: QueueName,
    },
    OtherEdit,
    OtherFilter,
    /// That its destination accepts it.
    Acceptance,
    /// That what it fails on is mended.
    Consumer,
    /// Another run: this one can't send it.
    OtherRun,
    /// That this run goes on.
    Resume,
}

impl Need {
    /// Most messages need the same: sizes aside, of which the largest counts.
    pub(super) fn absorb(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Room { queue, bytes }, Self::Room { queue: same, bytes: more }) if queue == same => {
                *bytes = (*bytes).max(*more);
                true
            }
            (own, other) => own == other,
        }
    }
}
