//! How old a queue's messages are, and how long until they are deleted.

use jiff::{SignedDuration, Timestamp};

use crate::{domain::Environment, observe::Seen};

/// How old the oldest message is, by the last sample; none where that says nothing: no messages, or a sample of long ago.
pub(crate) fn oldest_seconds(seen: &Seen, now: Timestamp) -> Option<u64> {
    let oldest = seen.oldest?;
    let since = now.duration_since(oldest.at).max(SignedDuration::ZERO);
    let is_empty = seen.messages() == Some(0);
    (since <= SignedDuration::from_hours(1) && !is_empty)
        .then(|| oldest.seconds.saturating_add(since.as_secs().cast_unsigned()))
}

/// How long until a dead-letter queue's oldest message is deleted; less than nothing: it is happening. CloudWatch counts from
/// the message's arrival there, SQS from when it was first sent (standard queues), so it is this long at most.
pub(crate) fn expires_seconds(seen: &Seen, now: Timestamp) -> Option<i64> {
    seen.dead_letters.as_ref()?;
    let retention = i64::try_from(seen.queue.as_ref()?.retention_seconds).ok()?;
    let age = i64::try_from(oldest_seconds(seen, now)?).ok()?;
    Some(retention - age)
}

/// Whether a message with so many seconds left is soon deleted, as configured; where messages live shorter than that anyway,
/// half their life is soon.
pub(crate) fn is_soon(environment: &Environment, retention_seconds: u64, left: i64) -> bool {
    let soon = environment.watch.thresholds.expires_soon.as_secs().min(retention_seconds / 2);
    left < i64::try_from(soon).unwrap_or(i64::MAX)
}
