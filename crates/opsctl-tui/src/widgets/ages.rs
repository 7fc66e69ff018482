//! How old a queue's messages are, and how long until they are deleted.

use jiff::{SignedDuration, Timestamp};

use crate::{observe::Seen, state::model::Site};

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

/// Whether a message that is deleted within this time is a loss to be seen, as configured.
pub(crate) fn is_soon(site: &Site, seconds: i64) -> bool {
    let soon = site.environment.watch.thresholds.expires_soon.as_secs();
    u64::try_from(seconds).is_ok_and(|seconds| seconds < soon)
}
