//! What makes a queue a dead-letter queue, and the order in which queues are listed.

use serde::Serialize;

use super::Seen;
use crate::domain::QueueName;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetters {
    /// Queues whose dead letters lie in it, by name; empty where only its own name says that it holds some (those of
    /// subscriptions and Lambdas are named by no queue).
    pub sources: Vec<QueueName>,
    pub known_by: KnownBy,
}

/// How a queue and its dead-letter queue are known to belong together, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownBy {
    RedrivePolicy,
    Tag,
    Pattern,
    Name,
}

/// The order in which a person wants to see them: dead-letter queues with messages, most first; then what could not be
/// looked at; then other dead-letter queues; then the rest, by name.
pub fn worst_first(left: &Seen, right: &Seen) -> std::cmp::Ordering {
    let rank = |queue: &Seen| match (&queue.dead_letters, &queue.error, queue.messages().unwrap_or(0)) {
        (Some(_), _, 1..) => 0,
        (_, Some(_), _) => 1,
        (Some(_), None, _) => 2,
        (None, None, _) => 3,
    };
    let by_messages = match rank(left) {
        0 => right.messages().cmp(&left.messages()),
        _ => std::cmp::Ordering::Equal,
    };
    rank(left).cmp(&rank(right)).then(by_messages).then_with(|| left.name.cmp(&right.name))
}
