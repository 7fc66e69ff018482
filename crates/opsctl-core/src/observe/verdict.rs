//! [`Verdict`]: something that needs somebody, with the reason in words.

mod environment;
mod parts;
mod policy;
mod queue;
mod rank;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_estate;
#[cfg(test)]
mod tests_signals;

use std::cmp::{Ordering, Reverse};

use jiff::{SignedDuration, Timestamp};
pub use rank::Rank;
use serde::{Deserialize, Serialize};

use super::{
    parts::{JUDGES, PartName},
    snapshot::Snapshot,
};
use crate::domain::{Environment, EnvironmentName, Gauge, QueueName, ServiceId, Text, Thresholds, words::span};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub severity: Severity,
    pub environment: EnvironmentName,
    pub subject: Subject,
    pub kind: Kind,
    /// Why, in words: "+120 in 5 min, now ~4,812 messages".
    pub reason: Text,
    /// About how many messages it is about.
    pub messages: u64,
    /// Where it stands among those as bad.
    pub rank: Rank,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    Environment,
    /// Several of its queues together.
    Queues,
    /// What of it can't be seen beside its queues.
    Parts(Vec<PartName>),
    Queue(QueueName),
    Service(ServiceId),
    Database(String),
    Alarm(String),
    /// Something else that takes messages, by name: a Lambda function, a group that reads Kafka.
    Consumer(String),
    Outbox(String),
}

impl Verdict {
    /// What it is about, as it is called; safe to show. An environment itself is called by its region.
    pub fn what(&self, region: &str) -> String {
        match (&self.subject, self.kind) {
            (Subject::Queue(queue), _) => Text::line(queue.as_str()).to_string(),
            (Subject::Service(service), _) => Text::line(&service.name.0).to_string(),
            (Subject::Database(name) | Subject::Alarm(name) | Subject::Consumer(name), _) => {
                Text::line(name).to_string()
            }
            // Outboxes bear the names of services and databases.
            (Subject::Outbox(name), _) => format!("outbox {}", Text::line(name)),
            (Subject::Queues, _) => "several queues".to_owned(),
            (Subject::Environment | Subject::Parts(_), Kind::Credentials) => "its credentials".to_owned(),
            (Subject::Parts(parts), _) => parts.first().map_or("several parts", |part| part.words()).to_owned(),
            (Subject::Environment, _) => Text::line(region).to_string(),
        }
    }
}

impl Subject {
    /// Whether it is one thing of the environment, not the environment itself or several things together.
    pub fn is_one(&self) -> bool {
        self.name().is_some()
    }

    /// What one thing is known by in its environment.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Environment | Self::Queues | Self::Parts(_) => None,
            Self::Queue(queue) => Some(queue.0.clone()),
            Self::Service(service) => Some(service.to_string()),
            Self::Database(name) | Self::Alarm(name) | Self::Consumer(name) | Self::Outbox(name) => Some(name.clone()),
        }
    }
}

/// How bad something is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "lowercase", const_into_str)]
pub enum Severity {
    /// Something is being lost, or soon will be.
    Critical,
    Warning,
    Notice,
}

/// What sort of thing is wrong; the worse ones of one severity first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Credentials,
    /// The environment can't be reached, or something of it does not answer.
    Unreachable,
    NoWriter,
    FailingOver,
    DatabaseDown,
    FreeStorage,
    /// No task of a service runs, though some shall.
    ServiceDown,
    /// Messages will soon be deleted for their age.
    Expires,
    /// A consumer is paused while messages wait for it.
    ConsumerPaused,
    /// A service's newest deployment failed, or fails tasks.
    ServiceFailing,
    /// Fewer tasks of a service run than shall, for some time.
    ServiceBelow,
    /// Tasks of a service keep ending by themselves and being started again, though as many run as shall.
    ServiceCrashing,
    /// Rows of an outbox wait for longer than they may, or nobody publishes them.
    OutboxStalled,
    /// A queue's redrive policy names a dead-letter queue that does not exist.
    NoDeadLetterQueue,
    Growing,
    /// Messages leave a DLQ, and no run of opsctl here takes them.
    RedrivenElsewhere,
    /// Messages die into a queue that keeps them for a shorter time than the one they come from.
    KeptTooShort,
    DeadLetters,
    ConsumerAbsent,
    Backlog,
    ConsumerProblem,
    KafkaLag,
    /// The relay gave up on rows of an outbox.
    OutboxFailed,
    OutboxStuck,
    /// A database has nothing to fail over to, though it should.
    NoReader,
    ReplicaLag,
    /// A database is slow, or has much to do.
    DatabaseLoad,
    ServiceLoad,
    /// A service shall have fewer tasks than its autoscaling's minimum.
    BelowMinimum,
    Alarm,
    /// A service is at zero, though others of its group are not.
    Asleep,
    Maintenance,
    /// CloudWatch alarms have lost sight of what they watch.
    AlarmBlind,
    OutboxUnaccounted,
    OutboxUnseen,
    Denied,
    Throttled,
}

/// What of an environment needs somebody, worst first. At most one verdict for each queue, service, database, alarm and consumer,
/// the worst; queues that may not be looked at are one verdict together. An alarm about something that has a verdict is named there.
///
/// Costs a look at each: for 20,000 queues a millisecond or two.
pub fn verdicts(
    environment: &Environment,
    thresholds: &Thresholds,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Vec<Verdict> {
    let scene = Scene { environment, thresholds, snapshot, now };
    let mut all: Vec<Verdict> = environment::verdicts(&scene).collect();
    all.extend(parts::verdicts(&scene));
    all.extend(snapshot.queues.iter().filter_map(|seen| {
        let found = [queue::verdict(&scene, seen), policy::verdict(&scene, seen)];
        found.into_iter().flatten().min_by_key(|verdict| (verdict.severity, verdict.kind))
    }));
    for judge in JUDGES {
        judge(&scene, &mut all);
    }
    for verdict in &mut all {
        let mut danger = rank::Danger::default();
        // A snapshot holds queues by name.
        if let Subject::Queue(queue) = &verdict.subject
            && let Ok(at) = snapshot.queues.binary_search_by(|seen| seen.name.cmp(queue))
        {
            danger = queue::danger(thresholds, &snapshot.queues[at], now);
        }
        verdict.rank = rank::rank(environment, verdict, danger);
    }
    worst_first(all)
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) environment: &'a Environment,
    pub(super) thresholds: &'a Thresholds,
    pub(super) snapshot: &'a Snapshot,
    pub(super) now: Timestamp,
}

/// What is found of one thing: what sort, how bad, why.
pub(super) struct Finding(pub(super) Kind, pub(super) Severity, pub(super) String);

impl Finding {
    /// The worse come first.
    pub(super) fn order(&self) -> (Severity, Kind) {
        (self.1, self.0)
    }
}

impl Scene<'_> {
    /// With the age of what it is from, as of `at`, where that matters.
    pub(super) fn said_of(&self, subject: Subject, finding: Finding, at: Option<Timestamp>) -> Verdict {
        let Finding(kind, severity, reason) = finding;
        let reason = Text::line(&match at.filter(|at| says_age(*at, self.now)) {
            Some(at) => format!("{reason}; seen {} ago", span(self.now.duration_since(at))),
            None => reason,
        });
        let (environment, rank) = (self.environment.name.clone(), Rank::default());
        Verdict { severity, environment, subject, kind, reason, messages: 0, rank }
    }
}

/// What is shown is older than this is said to be so.
const OLD: SignedDuration = SignedDuration::from_mins(5);
/// From a metric's sample that is older nothing is said about now.
pub const SAMPLE_OLD: SignedDuration = SignedDuration::from_mins(15);
pub(super) const NAMED: usize = 3;

/// Whether a reason says the age of what it is from.
pub fn says_age(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) > OLD
}

/// Whether a metric's newest sample says something about now.
pub(super) fn is_fresh(gauge: &Gauge, now: Timestamp) -> bool {
    now.duration_since(gauge.at) < SAMPLE_OLD
}

/// Verdicts of any environments, the worst first.
pub fn worst_first(mut all: Vec<Verdict>) -> Vec<Verdict> {
    all.sort_by(order);
    all
}

/// The worse is less: by severity, then by rank, then by kind and by how many messages it is about.
pub fn order(left: &Verdict, right: &Verdict) -> Ordering {
    let order =
        |verdict: &Verdict| (verdict.severity, Reverse(verdict.rank.weight), verdict.kind, Reverse(verdict.messages));
    let names = || (&left.environment, &left.subject).cmp(&(&right.environment, &right.subject));
    order(left).cmp(&order(right)).then_with(names)
}
