//! Numbers and times, as views have them.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{Environment, words::span},
    observe::Seen,
};

pub use crate::domain::words::{about, bytes, milliseconds, percent, thousands as count, whole_duration as duration};

/// In one unit: `42 s`, `12 min`, `5 h`, `3 d`.
pub fn short(seconds: i64) -> String {
    span(SignedDuration::from_secs(seconds))
}

/// Seconds from `then` to `now`; 0 where clocks disagree.
pub fn seconds_since(then: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(then).as_secs().max(0)
}

/// `1 message`, `2 messages`, `4,812 messages`.
pub fn of(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `12 s`, `3 min`; what lies ahead is now.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    span(now.duration_since(at).max(SignedDuration::ZERO))
}

/// A number as a person reads it: whole where it is large, with its fractions where it is small.
pub(crate) fn number(value: f64) -> String {
    let is_whole = value.fract().abs() < 1e-9;
    if value < 0.0 {
        return format!("-{}", number(-value));
    }
    if is_whole || value >= 1_000.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is meant")]
        return count(value.round() as u64);
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!([-5, 59, 125, 7_800, 100_000].map(duration), ["0 s", "59 s", "2 min 5 s", "2 h 10 min", "1 d 3 h"]);
        assert_eq!((about(4_812), short(7_800)), ("~4,812".to_owned(), "130 min".to_owned()));
        assert_eq!((of(1, "message"), of(2_000, "message")), ("1 message".to_owned(), "2,000 messages".to_owned()));
    }

    #[test]
    fn figures_read_well() {
        assert_eq!([0.0, 0.5, 80.0, 1.25, 12_345.6, -3.0].map(number), ["0", "0.5", "80", "1.25", "12,346", "-3"]);
    }
}
