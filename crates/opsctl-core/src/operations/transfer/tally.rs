//! What a transfer has done so far, and why it stopped.

use std::{collections::BTreeMap, fmt::Display};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::need::Need;
use crate::{
    cloud::CloudError,
    domain::{AccountId, MessageId, QueueName, Text},
};

/// Messages named one by one in a report.
pub(super) const NAMED_MAX: usize = 10_000;
/// Reasons told apart; the rest are counted together.
const REASONS_MAX: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// The filter or the list of ids leaves it out.
    NotSelected,
    /// It was sent after the run began.
    Arrived,
    /// This run sent it, and it came back.
    Bounced,
    /// An earlier try may have sent it.
    Uncertain,
    /// It can't be copied faithfully, edited or routed.
    Unfit {
        why: Text,
        need: Need,
    },
    Unedited,
    Refused(Text),
    /// An earlier message of its group was left.
    GroupStopped,
    /// The run stopped, or hiding it lapsed, before it was sent.
    NotSent,
}

impl Kept {
    pub fn words(&self) -> Text {
        match self {
            Self::NotSelected => Text::from("not selected"),
            Self::Arrived => Text::from("sent after the run began"),
            Self::Bounced => Text::from("came back"),
            Self::Uncertain => Text::from("may have been sent by an earlier try"),
            Self::Unfit { why, .. } => why.clone(),
            Self::Unedited => Text::from("the edit failed on it; try it on a message that a peek shows"),
            Self::Refused(reason) => Text::line(&format!("the destination refused it: {reason}")),
            Self::GroupStopped => Text::from("an earlier message of its group was left"),
            Self::NotSent => Text::from("the run stopped before it was sent"),
        }
    }

    /// What helps; none: nobody wants it to go, it is in doubt, or it waits for another message.
    pub fn need(&self) -> Option<Need> {
        match self {
            Self::NotSelected | Self::Arrived | Self::Uncertain | Self::GroupStopped => None,
            Self::Unfit { need, .. } => Some(need.clone()),
            Self::Unedited => Some(Need::OtherEdit),
            Self::Refused(_) => Some(Need::Acceptance),
            Self::Bounced => Some(Need::Consumer),
            Self::NotSent => Some(Need::Resume),
        }
    }

    /// Whether somebody asked for it to be left, or it was never the run's.
    pub fn is_expected(&self) -> bool {
        matches!(self, Self::NotSelected | Self::Arrived)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    Cancelled,
    Failed(CloudError),
    Journal(Text),
    Bounced {
        bounced: u64,
        sent: u64,
    },
    /// What was sent is not worked on: the destination's oldest message ages.
    Ageing(Ageing),
    /// The credentials are of another account than before.
    WrongAccount {
        actual: AccountId,
    },
    /// The edit failed on so many messages, and worked on none.
    EditFails {
        failures: u64,
    },
    TooManyLeft,
}

impl Stop {
    pub(crate) fn unwritten(error: impl Display) -> Self {
        Self::Journal(Text::line(&error.to_string()))
    }
}

/// A queue whose oldest message ages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ageing {
    pub queue: QueueName,
    /// Age of its oldest message, as CloudWatch last told it.
    pub seconds: u64,
    /// Highest age before the run, or the first one known from within it.
    pub before_seconds: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Sent to a destination in this try.
    pub sent: u64,
    /// Deleted from the source, sent before.
    pub moved: u64,
    /// Deleted without being sent (purge, parked in a file).
    pub removed: u64,
    pub bounced: u64,
    /// Of those, put into the parking place.
    pub parked: u64,
    /// Left in the source, by reason.
    pub kept: BTreeMap<String, u64>,
    /// Of those, left without anybody's wish.
    pub kept_unexpected: u64,
    /// Messages left against anybody's wish, the first of them, with the reason.
    pub kept_named: Vec<(MessageId, Text)>,
    /// What those need, and how many need it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<(Need, u64)>,
    /// May or may not have been sent: each is named.
    pub uncertain: Vec<MessageId>,
    /// Sent again although an earlier try may have sent them, since somebody asked for it: each is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resent: Vec<MessageId>,
    /// Begun by an earlier try, and found to be in the source no more.
    pub settled: u64,
    /// Sent, but still in the source.
    pub sent_not_deleted: u64,
    /// Ramp step, from 1.
    pub step: u32,
    pub steps: u32,
    /// Whether the engine watches for messages that come back.
    pub watching: bool,
    /// In flight elsewhere, and waited for just now.
    pub waiting_for: u64,
    /// Until when that may take at most, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_until: Option<Timestamp>,
    /// Whether the source handed out a group's messages to two receives at once, and order had to go before speed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_at_a_time: bool,
    pub throttled: u64,
    /// Whether nobody took what was sent last, as far as the destination's counts say.
    pub untaken: bool,
    /// The destination whose oldest message ages, by more than a step is watched.
    pub ageing: Option<Ageing>,
    /// Counted at the end, although receiving brought none.
    pub unreached: u64,
    /// In flight elsewhere at the end.
    pub elsewhere: u64,
    pub stop: Option<Stop>,
}

impl Tally {
    pub(crate) fn keep(&mut self, id: &MessageId, why: &Kept) {
        let words = match why {
            // Every refusal has its own words; the count goes by kind when there are too many.
            _ if self.kept.len() >= REASONS_MAX => "other reasons".to_owned(),
            known => known.words().as_str().to_owned(),
        };
        *self.kept.entry(words).or_default() += 1;
        if !why.is_expected() {
            self.kept_unexpected += 1;
            if self.kept_named.len() < NAMED_MAX {
                self.kept_named.push((id.clone(), why.words()));
            }
            self.needs(why);
        }
    }

    fn needs(&mut self, why: &Kept) {
        let Some(need) = why.need() else { return };
        if let Some(count) = self.needs.iter_mut().find_map(|(known, count)| known.absorb(&need).then_some(count)) {
            *count += 1;
        } else if self.needs.len() < REASONS_MAX {
            self.needs.push((need, 1));
        }
    }
}
