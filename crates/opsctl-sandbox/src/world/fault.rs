//! Faults as data: what goes wrong with which call, how often.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::environment::glob;

/// What goes wrong, with which calls.
///
/// `nth` and `times` count the calls that match `call` and `queue`: the first that is hit is the `nth` (1 is the first),
/// and `times` calls in a row are hit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Glob of operation names: `SendMessage*`, `*`; `sts:*` for those of one service.
    pub call: String,
    /// Glob of names of what calls are about (queues, databases, mappings); none: calls on anything, and on nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// First matching call that is hit, counted from 1.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many matching calls in a row are hit.
    #[serde(default = "one")]
    pub times: u64,
    pub kind: FaultKind,
}

fn one() -> u64 {
    1
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The connection is refused: not applied.
    Refused,
    /// `AccessDenied`: not applied.
    Denied,
    /// `RequestThrottled`: not applied.
    Throttled,
    /// The connection breaks before the call is applied.
    LostBefore,
    /// The call is applied, then the connection breaks.
    LostAfter,
    /// Answered late; seconds, or a duration such as `1.5s` or `20ms`.
    #[serde(deserialize_with = "duration")]
    Slow(Duration),
    /// No answer ever, the connection stays half open; not applied.
    Hang,
    /// A 5xx answer with this status: not applied.
    ServerError(u16),
    /// `ExpiredToken`: not applied.
    ExpiredCredentials,
    /// The signature is refused because the caller's clock is ahead: not applied.
    ClockSkew,
    /// The caller is suddenly of another account, 999999999999, as if somebody had logged in elsewhere.
    OtherAccount,
    /// What is in flight in the queue becomes visible: before the call, or right after it when it is a receive.
    VisibilityExpired,
    /// A receive hands out its first message twice; a delete reports success and the message comes back.
    DuplicateDelivery,
    /// `GetQueueAttributes` repeats the counts that it told last.
    StaleCounts,
    /// Some entries of a batch, at least one, fail with `InternalError`.
    PartialBatchFailure,
}

impl FaultKind {
    /// Whether the world itself acts on it; the others are the wire's.
    pub fn is_semantic(self) -> bool {
        match self {
            Self::VisibilityExpired | Self::DuplicateDelivery | Self::StaleCounts | Self::PartialBatchFailure => true,
            Self::Refused
            | Self::Denied
            | Self::Throttled
            | Self::LostBefore
            | Self::LostAfter
            | Self::Slow(_)
            | Self::Hang
            | Self::ServerError(_)
            | Self::ExpiredCredentials
            | Self::ClockSkew
            | Self::OtherAccount => false,
        }
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    use serde::de::Error;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Seconds(f64),
        Text(String),
    }
    let duration = match Written::deserialize(deserializer)? {
        Written::Seconds(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Written::Text(text) => text.parse::<SignedDuration>().ok().and_then(|duration| duration.try_into().ok()),
    };
    duration.ok_or_else(|| D::Error::custom("a duration is seconds, or a text such as \"1.5s\" or \"20ms\""))
}

/// The faults of a world, each with its count of matching calls.
#[derive(Debug, Default)]
pub struct Faults(Vec<Counted>);

#[derive(Debug)]
struct Counted {
    fault: Fault,
    seen: u64,
}

impl Faults {
    /// Adds a fault; its count starts now.
    pub fn add(&mut self, fault: Fault) {
        self.0.push(Counted { fault, seen: 0 });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ends the faults on calls that are written like this.
    pub(super) fn end(&mut self, call: &str) {
        self.0.retain(|counted| counted.fault.call != call);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts a call on SQS for all semantic faults; answers the first that hits.
    pub(super) fn hit_semantic(&mut self, action: &str, queue: Option<&str>) -> Option<FaultKind> {
        self.hit(true, "sqs", action, queue)
    }

    /// Counts a call for all transport faults; answers the first that hits.
    pub(super) fn hit_transport(&mut self, service: &str, action: &str, queue: Option<&str>) -> Option<FaultKind> {
        self.hit(false, service, action, queue)
    }

    fn hit(&mut self, semantic: bool, service: &str, action: &str, queue: Option<&str>) -> Option<FaultKind> {
        if self.0.is_empty() {
            return None;
        }
        let mut hit = None;
        for counted in &mut self.0 {
            let Fault { call, queue: wanted, nth, times, kind } = &counted.fault;
            let queue_matches = match (wanted, queue) {
                (None, _) => true,
                (Some(pattern), Some(name)) => glob(pattern, name),
                (Some(_), None) => false,
            };
            if kind.is_semantic() != semantic || !queue_matches || !names(call, service, action) {
                continue;
            }
            counted.seen = counted.seen.saturating_add(1);
            let is_due = counted.seen >= *nth && counted.seen - *nth < *times;
            if is_due && hit.is_none() {
                hit = Some(*kind);
            }
        }
        hit
    }
}

/// Calls that are refused for want of permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denial {
    /// Glob of account ids.
    #[serde(default = "anything")]
    pub account: String,
    /// Glob of names of what calls are about: queues, databases, mappings.
    #[serde(default = "anything")]
    pub queue: String,
    /// Glob of operation names: `Get*`, `*`; `sts:*` for those of one service.
    #[serde(default = "anything")]
    pub action: String,
}

pub(super) fn anything() -> String {
    "*".to_owned()
}

impl Denial {
    /// Whether it refuses this call; calls on nothing by name (`ListQueues`) are denied by `*` only.
    pub(super) fn refuses(&self, account: &str, service: &str, action: &str, subject: Option<&str>) -> bool {
        glob(&self.account, account)
            && names(&self.action, service, action)
            && subject.map_or(self.queue == "*", |name| glob(&self.queue, name))
    }
}

/// Whether a glob names an operation: `SendMessage*`, `*`, `sts:*`.
fn names(pattern: &str, service: &str, action: &str) -> bool {
    glob(pattern, action) || glob(pattern, &format!("{service}:{action}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_call_and_the_next_ones_are_hit() {
        let mut faults = Faults::default();
        let text = r#"{"call": "Send*", "queue": "orders*", "nth": 2, "times": 2, "kind": {"slow": "20ms"}}"#;
        faults.add(serde_json::from_str(text).expect("a fault"));
        let mut ask = |action, queue| faults.hit_transport("sqs", action, queue);
        let slow = Some(FaultKind::Slow(Duration::from_millis(20)));
        assert_eq!(ask("SendMessage", Some("orders")), None);
        assert_eq!(ask("ReceiveMessage", Some("orders")), None);
        assert_eq!(ask("SendMessage", Some("bills")), None);
        assert_eq!(ask("SendMessage", None), None);
        assert_eq!(ask("SendMessageBatch", Some("orders-dlq")), slow);
        assert_eq!(ask("SendMessage", Some("orders")), slow);
        assert_eq!(ask("SendMessage", Some("orders")), None);
    }

    #[test]
    fn kinds_are_written_in_kebab_case() {
        let kind: FaultKind = serde_json::from_str("\"partial-batch-failure\"").expect("a kind");
        assert_eq!(kind, FaultKind::PartialBatchFailure);
        let kind: FaultKind = serde_json::from_str("{\"server-error\": 503}").expect("a kind");
        assert_eq!(kind, FaultKind::ServerError(503));
        let kind: FaultKind = serde_json::from_str("{\"slow\": 2}").expect("a kind");
        assert_eq!(kind, FaultKind::Slow(Duration::from_secs(2)));
        assert!(serde_json::from_str::<FaultKind>("{\"slow\": \"soon\"}").is_err());
    }
}
