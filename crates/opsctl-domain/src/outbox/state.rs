//! The states that a row of an outbox can be in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// State of a row. The order is the one in which states are shown: what needs somebody stands first.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum RowState {
    /// The relay has given up on it.
    Failed,
    /// A relay claimed it, and the claim has run out.
    Stuck,
    /// Waits for the relay's next look.
    Ready,
    /// Not due yet: a retry after a failure, or sent later on purpose.
    Scheduled,
    /// Claimed by a relay whose claim has not run out.
    InProgress,
    /// Set aside, or waiting for something other than the relay.
    Held,
    /// Not published, and too old to be sent: the relay passes over it.
    Expired,
    Published,
    /// No rule of the mapping fits.
    Unaccounted,
}

impl RowState {
    /// As scripts write them.
    pub const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;
    pub const ALL: [Self; 9] = [
        Self::Failed,
        Self::Stuck,
        Self::Ready,
        Self::Scheduled,
        Self::InProgress,
        Self::Held,
        Self::Expired,
        Self::Published,
        Self::Unaccounted,
    ];

    /// One or two words, as in the heading of a column.
    pub fn words(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Stuck => "stuck",
            Self::Ready => "ready",
            Self::Scheduled => "scheduled",
            Self::InProgress => "in progress",
            Self::Held => "held",
            Self::Expired => "expired",
            Self::Published => "published",
            Self::Unaccounted => "unaccounted",
        }
    }

    /// What a person should know about rows in this state: one sentence without a full stop.
    pub fn about(self) -> &'static str {
        match self {
            Self::Failed => "the relay gave up: they stay until somebody replays or parks them",
            Self::Stuck => {
                "a relay claimed them and did not finish in time: it may have died, or may still publish them"
            }
            Self::Ready => "the relay takes them at its next look",
            Self::Scheduled => "the relay takes them when they are due",
            Self::InProgress => "a relay is working on them: never replay these",
            Self::Held => "set aside, or waiting for something other than the relay",
            Self::Expired => "never published, and too old: the relay passes over them",
            Self::Published => "handed to the broker; whether a consumer acted on them is not known here",
            Self::Unaccounted => {
                "no rule of the mapping fits: the mapping is incomplete, or somebody wrote a value by hand"
            }
        }
    }

    /// Whether a row in this state still has to be published.
    pub fn is_pending(self) -> bool {
        match self {
            Self::Stuck | Self::Ready | Self::Scheduled | Self::InProgress => true,
            Self::Failed | Self::Held | Self::Expired | Self::Published | Self::Unaccounted => false,
        }
    }
}

impl fmt::Display for RowState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.words())
    }
}
