//! Numbers and times as people read them.

use jiff::Timestamp;

/// `4812` as `4,812`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An approximate count: `~4,812`.
pub fn about(number: u64) -> String {
    format!("~{}", count(number))
}

/// `42 s`, `3 m 5 s`, `2 h 10 m`, `3 d 4 h`; nothing shorter than a second.
pub fn duration(seconds: i64) -> String {
    let whole = seconds.max(0);
    match whole {
        0..60 => format!("{whole} s"),
        60..3_600 => format!("{} m {} s", whole / 60, whole % 60),
        3_600..86_400 => format!("{} h {} m", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

/// The same in its larger unit alone: `42 s`, `3 m`, `2 h`, `3 d`.
pub fn short(seconds: i64) -> String {
    let whole = seconds.max(0);
    match whole {
        0..60 => format!("{whole} s"),
        60..3_600 => format!("{} m", whole / 60),
        3_600..86_400 => format!("{} h", whole / 3_600),
        _ => format!("{} d", whole / 86_400),
    }
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
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([-5, 59, 125, 7_800, 100_000].map(duration), ["0 s", "59 s", "2 m 5 s", "2 h 10 m", "1 d 3 h"]);
        assert_eq!([59, 125, 7_800, 100_000].map(short), ["59 s", "2 m", "2 h", "1 d"]);
        assert_eq!((of(1, "message"), of(2_000, "message")), ("1 message".to_owned(), "2,000 messages".to_owned()));
    }
}
