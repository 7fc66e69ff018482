//! Settings in AWS that opsctl sets, remembers and puts back: what each is of, and how it stands.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{MappingId, QueueName, Text, words::in_words};

/// What a [`Setting`] is of. It is remembered under the text that it shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Toggle {
    /// A rule of the default event bus, by name.
    Rule(String),
    /// Reserved concurrency of a function, by its name.
    Concurrency(String),
    /// Whether an event source mapping takes messages.
    Mapping(MappingId),
    /// How long a queue keeps messages.
    Retention(QueueName),
    /// Whether a CloudWatch alarm takes its actions, by its name: the mute rule that opsctl makes for it.
    Alarm(String),
}

/// How a [`Toggle`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    Enabled(bool),
    /// None: the function takes of the account's unreserved concurrency. 0 throttles every call.
    Reserved(Option<u32>),
    RetentionSeconds(u64),
    /// None: not muted by opsctl.
    MutedUntil(Option<Timestamp>),
}

impl Toggle {
    pub fn name(&self) -> &str {
        match self {
            Self::Rule(name) | Self::Concurrency(name) | Self::Alarm(name) => name,
            Self::Mapping(id) => id.as_str(),
            Self::Retention(queue) => queue.as_str(),
        }
    }
}

impl Toggle {
    /// Of what it is shown as.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(' ')?;
        match kind {
            "rule" => Some(Self::Rule(name.to_owned())),
            "function" => Some(Self::Concurrency(name.to_owned())),
            "mapping" => Some(Self::Mapping(MappingId(name.to_owned()))),
            "alarm" => Some(Self::Alarm(name.to_owned())),
            "retention" => Some(Self::Retention(QueueName(name.split_once(' ')?.1.to_owned()))),
            _ => None,
        }
    }
}

impl fmt::Display for Toggle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(name) => write!(formatter, "rule {name}"),
            Self::Concurrency(name) => write!(formatter, "function {name}"),
            Self::Mapping(id) => write!(formatter, "mapping {id}"),
            Self::Alarm(name) => write!(formatter, "alarm {name}"),
            Self::Retention(queue) => write!(formatter, "retention of {queue}"),
        }
    }
}

impl Setting {
    /// Whether nothing is started.
    pub fn is_off(self) -> bool {
        matches!(self, Self::Enabled(false) | Self::Reserved(Some(0)))
    }

    pub fn words(self) -> Text {
        Text::line(&match self {
            Self::Enabled(true) => "enabled".to_owned(),
            Self::Enabled(false) => "disabled".to_owned(),
            Self::Reserved(None) => "no reserved concurrency".to_owned(),
            Self::Reserved(Some(reserved)) => format!("reserved concurrency {reserved}"),
            Self::MutedUntil(None) => "not muted".to_owned(),
            Self::MutedUntil(Some(until)) => until.strftime("muted until %F %R UTC").to_string(),
            Self::RetentionSeconds(seconds) => format!("retention {}", in_words(seconds)),
        })
    }
}
