//! [`Verdict`]: something that needs somebody, with the reason in words.

use serde::{Deserialize, Serialize};

use crate::domain::{EnvironmentName, QueueName, Text};

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
    /// Why, in words: "+120 in 5 min, now ~4,812".
    pub reason: Text,
}

/// What a verdict is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The environment itself.
    Environment,
    /// A queue of it.
    Queue(QueueName),
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
