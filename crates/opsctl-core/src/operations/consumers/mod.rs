//! Consumers of queues: Lambda's event source mappings and ECS workers are paused, and resumed.

mod find;
mod plan;

use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Counts, OperationError, OperationKind, Pauses, Planned, Planner, Verb, scale, values::Seconds};
use crate::{
    cloud::Cloud,
    domain::{ConsumerId, MappingId, QueueName, Text},
};

pub(super) use plan::around;

/// How long to wait, where nothing is said.
pub(super) const TIMEOUT: Seconds = Seconds(600);
/// So long after an update reads may still show what was before it.
pub(crate) const READS_LAG: SignedDuration = SignedDuration::from_secs(15);

/// Pause all consumers of a queue, and remember them
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct PauseConsumers {
    /// Queue whose consumers are meant: name, URL or ARN
    #[arg(
        long,
        value_name = "QUEUE",
        required_unless_present = "resume",
        default_value = "",
        hide_default_value = true
    )]
    pub queue: String,
    /// Wait at most this long; what AWS has begun goes on
    #[arg(long, value_name = "TIME", default_value_t = TIMEOUT, value_parser = Seconds::between::<10, 86_400>)]
    pub timeout: Seconds,
}

/// Resume the consumers that opsctl has paused, and no others
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct ResumeConsumers {
    /// Only those that were paused for this queue; none: all that opsctl paused in the environment
    #[arg(long, value_name = "QUEUE")]
    pub queue: Option<String>,
    /// Wait at most this long; what AWS has begun goes on
    #[arg(long, value_name = "TIME", default_value_t = TIMEOUT, value_parser = Seconds::between::<10, 86_400>)]
    pub timeout: Seconds,
}

impl Default for PauseConsumers {
    fn default() -> Self {
        Self { queue: String::new(), timeout: TIMEOUT }
    }
}

impl Default for ResumeConsumers {
    fn default() -> Self {
        Self { queue: None, timeout: TIMEOUT }
    }
}

impl Verb for PauseConsumers {
    fn subject(&self) -> &str {
        &self.queue
    }

    fn counts(&self) -> Counts {
        Counts::Consumers
    }

    fn pauses(&self) -> Pauses {
        Pauses::ForGood
    }

    fn put_back_by(&self) -> Option<OperationKind> {
        Some(OperationKind::ResumeConsumers)
    }

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(plan::pause(self, cloud, planner))
    }
}

impl Verb for ResumeConsumers {
    fn subject(&self) -> &str {
        self.queue.as_deref().unwrap_or_default()
    }

    fn counts(&self) -> Counts {
        Counts::Consumers
    }

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(plan::resume(self, cloud, planner))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Pause,
    Resume,
}

#[derive(Debug, Clone)]
pub struct Consumers {
    pub turn: Turn,
    pub mappings: Vec<Switch>,
    /// Services, each with the queue for which it is paused.
    pub services: Vec<(QueueName, scale::Change)>,
    /// Remembered as paused, but not: gone, or somebody has resumed them.
    pub forget: Vec<ConsumerId>,
    /// When they are set.
    pub set: scale::Set,
    pub timeout: Seconds,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    pub id: MappingId,
    pub function: Text,
    pub queue: QueueName,
    /// Whether it shall take messages.
    pub enabled: bool,
}

impl Consumers {
    pub fn count(&self) -> usize {
        self.mappings.len() + self.services.len()
    }

    /// What brings these back that were paused.
    pub fn back(&self) -> Self {
        let mappings = self.mappings.iter().map(|one| Switch { enabled: true, ..one.clone() }).collect();
        let back = |change: &scale::Change| scale::Change {
            from: change.to,
            now: change.to,
            to: change.from,
            ..change.clone()
        };
        let services = self.services.iter().map(|(queue, change)| (queue.clone(), back(change))).collect();
        let timeout = self.timeout;
        Self { turn: Turn::Resume, mappings, services, forget: Vec::new(), set: scale::Set::Back, timeout }
    }

    pub fn ids(&self) -> Vec<ConsumerId> {
        let services = self.services.iter().map(|(_, change)| ConsumerId::Service(change.service.clone()));
        self.mappings.iter().map(|one| ConsumerId::Mapping(one.id.clone())).chain(services).collect()
    }

    /// Leaves out all others.
    pub fn retain(&mut self, wanted: impl Fn(&ConsumerId) -> bool) {
        self.mappings.retain(|one| wanted(&ConsumerId::Mapping(one.id.clone())));
        self.services.retain(|(_, change)| wanted(&ConsumerId::Service(change.service.clone())));
    }
}
