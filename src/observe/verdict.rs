//! [`Verdict`]: something that needs somebody, with the reason in words.

mod environment;
mod queue;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;
use crate::domain::{Environment, EnvironmentName, QueueName, Text, Thresholds, service::ServiceId};

/// Something that needs somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub environment: EnvironmentName,
    /// What it is about.
    pub subject: Subject,
    /// What sort.
    pub kind: Kind,
    /// Why, in words: "+120 in 5 min, now ~4,812 messages".
    pub reason: Text,
    /// About how many messages it is about; the order among equals.
    pub messages: u64,
}

/// What a verdict is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The environment itself.
    Environment,
    /// A queue of it.
    Queue(QueueName),
    /// An ECS service of it.
    Service(ServiceId),
    /// A database of it, by name.
    Database(String),
    /// A CloudWatch alarm of it, by name.
    Alarm(String),
    /// Something else that takes messages, by name: a Lambda function, a group that reads Kafka.
    Consumer(String),
}

/// How bad something is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Something is being lost, or soon will be.
    Critical,
    /// Something is wrong.
    Warning,
    /// Something to know.
    Notice,
}

/// What sort of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Credentials have expired or are missing.
    Credentials,
    /// The environment can't be reached, or its queues can't be listed.
    Unreachable,
    /// Messages will soon be deleted for their age.
    Expires,
    /// A dead-letter queue grows.
    Growing,
    /// Dead letters lie there.
    DeadLetters,
    /// Messages wait and nobody takes them.
    ConsumerAbsent,
    /// More messages wait than the threshold.
    Backlog,
    /// A queue may not be looked at.
    Denied,
    /// AWS throttles.
    Throttled,
}

/// What of an environment needs somebody, worst first. At most one verdict for each queue, the worst; queues that may not be
/// looked at are one verdict together.
///
/// Costs a look at each queue: for 20,000 queues a millisecond or two.
pub fn verdicts(
    environment: &Environment,
    thresholds: &Thresholds,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Vec<Verdict> {
    let mut all = environment::verdicts(environment, snapshot, now);
    all.extend(snapshot.queues.iter().filter_map(|seen| queue::verdict(&environment.name, thresholds, seen, now)));
    worst_first(all)
}

/// Verdicts of any environments, the worst first: by severity, then by kind, then by how many messages it is about.
pub fn worst_first(mut all: Vec<Verdict>) -> Vec<Verdict> {
    all.sort_by(|left, right| {
        let order = |verdict: &Verdict| (verdict.severity, verdict.kind, Reverse(verdict.messages));
        let names = || (&left.environment, &left.subject).cmp(&(&right.environment, &right.subject));
        order(left).cmp(&order(right)).then_with(names)
    });
    all
}
