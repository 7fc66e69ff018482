//! Who takes messages: Lambda event source mappings, and groups that read Kafka.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{QueueName, Text, gauge::Gauge, service::ServiceId};

text_ids! {
    /// Id of an event source mapping, a UUID.
    MappingId,
}

/// Who takes a queue's messages, as far as it can be paused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsumerId {
    Mapping(MappingId),
    Service(ServiceId),
}

impl ConsumerId {
    /// Of what [`ConsumerId`] is shown as.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ')? {
            ("mapping", id) => Some(Self::Mapping(MappingId(id.to_owned()))),
            ("service", id) => ServiceId::parse(id).map(Self::Service),
            _ => None,
        }
    }
}

impl fmt::Display for ConsumerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mapping(id) => write!(formatter, "mapping {}", id.0),
            Self::Service(id) => write!(formatter, "service {id}"),
        }
    }
}

/// A Lambda event source mapping: a queue's messages, or a stream's, become calls of a function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    pub id: MappingId,
    /// The function's name, with its alias if it has one.
    pub function: Text,
    pub source_arn: String,
    /// The queue that it reads; none: something else than a queue of SQS.
    pub queue: Option<QueueName>,
    pub state: MappingState,
    /// Why it is in this state: `USER_INITIATED`, ...
    pub reason: Option<Text>,
    /// What came of the last call: `OK`, `No records processed`, `PROBLEM: ...`.
    pub last_result: Option<Text>,
    /// Messages of one call at most.
    pub batch_size: Option<u32>,
    pub concurrency_max: Option<u32>,
    /// When it was last changed, or its state was.
    pub changed_at: Option<Timestamp>,
}

impl Mapping {
    /// Whether its last call went wrong, by Lambda's words.
    pub fn has_problem(&self) -> bool {
        let said = self.last_result.as_ref().map_or("", Text::as_str);
        said.starts_with("PROBLEM") || said.starts_with("Connection error")
    }

    /// Whether it takes messages, or is about to.
    pub fn takes(&self) -> bool {
        !matches!(self.state, MappingState::Disabled | MappingState::Disabling | MappingState::Deleting)
    }

    /// Function and source: `orders-consumer (orders)`. One function may have several mappings.
    pub fn function_and_source(&self) -> String {
        let source = match &self.queue {
            Some(queue) => queue.as_str(),
            None => self.source_arn.rsplit(':').next().unwrap_or(&self.source_arn),
        };
        format!("{} ({source})", self.function)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MappingState {
    Disabled,
    /// On its way down: it still takes messages.
    Disabling,
    Enabling,
    Creating,
    Updating,
    Deleting,
    Enabled,
    Other,
}

impl MappingState {
    /// Whether it goes on to another state by itself: until then Lambda refuses changes.
    pub fn is_passing(self) -> bool {
        match self {
            Self::Disabling | Self::Enabling | Self::Creating | Self::Updating | Self::Deleting => true,
            Self::Disabled | Self::Enabled | Self::Other => false,
        }
    }

    /// Whether it takes messages, or is about to.
    pub fn is_on(self) -> bool {
        match self {
            Self::Enabled | Self::Enabling | Self::Creating | Self::Updating => true,
            Self::Disabled | Self::Disabling | Self::Deleting | Self::Other => false,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Disabled => "paused",
            Self::Disabling => "pausing",
            Self::Enabling => "resuming",
            Self::Creating => "being created",
            Self::Updating => "updating",
            Self::Deleting => "being deleted",
            Self::Enabled => "enabled",
            Self::Other => "unknown",
        }
    }
}

/// How far a group that reads Kafka lies behind (`AWS/Kafka`, `SumOffsetLag`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KafkaLag {
    pub cluster: Text,
    pub group: Text,
    pub topic: Text,
    /// Offsets not read yet, summed over partitions.
    pub offsets: Gauge,
}
