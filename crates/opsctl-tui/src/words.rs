//! Numbers and times, as views have them.

use jiff::{SignedDuration, Timestamp};

use crate::domain::words::span;
pub use crate::domain::words::{about, thousands as count, whole_duration as duration};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!([-5, 59, 125, 7_800, 100_000].map(duration), ["0 s", "59 s", "2 min 5 s", "2 h 10 min", "1 d 3 h"]);
        assert_eq!((about(4_812), short(7_800)), ("~4,812".to_owned(), "130 min".to_owned()));
        assert_eq!((of(1, "message"), of(2_000, "message")), ("1 message".to_owned(), "2,000 messages".to_owned()));
    }
}
