//! Numbers and times as people read them.

use jiff::{SignedDuration, Timestamp};

use crate::observe::words::span;
pub use crate::observe::words::thousands as count;

/// An approximate count: `~4,812`.
pub fn about(number: u64) -> String {
    format!("~{}", count(number))
}

/// In two units: `42 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`; nothing shorter than a second.
pub fn duration(seconds: i64) -> String {
    let whole = seconds.max(0);
    match whole {
        0..60 => format!("{whole} s"),
        60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        3_600..86_400 => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

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
