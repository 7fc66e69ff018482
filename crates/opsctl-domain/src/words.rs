//! Numbers and times as a tired person reads them.

use jiff::SignedDuration;

/// `1 message`, `2 messages`.
pub fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `1 message was`, `2 messages were`: the noun with the form of its verb that fits.
pub fn counted_is(count: u64, what: &str, one: &str, many: &str) -> String {
    format!("{} {}", counted(count, what), if count == 1 { one } else { many })
}

/// `4,812`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `~4,812 messages`, `~1 message`: SQS's counts are approximate.
pub fn about_messages(number: u64) -> String {
    format!("~{} {}", thousands(number), if number == 1 { "message" } else { "messages" })
}

/// `40 s`, `12 min`, `5 h`, `3 d`: one unit, rounded down; below three of a unit the next smaller one says more (`2 h` is
/// `125 min` at most).
pub fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..180 => format!("{seconds} s"),
        180..10_800 => format!("{} min", seconds / 60),
        10_800..259_200 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `40 s`, `12 min`, `2 h 58 min`, `3 d 4 h`: two units where the larger one alone says too little; for sentences, where
/// there is room.
pub fn within(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let parts = |large: i64, one: &str, small: i64, other: &str| match small {
        0 => format!("{large} {one}"),
        small => format!("{large} {one} {small} {other}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => parts(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => parts(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// `orders, credits and 95 more`: the first names, `shown_max` at most, and how many there are beside them.
pub fn some_of<'a>(names: impl ExactSizeIterator<Item = &'a str>, shown_max: usize) -> String {
    let more = names.len().saturating_sub(shown_max);
    let shown = names.take(shown_max).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {} more", thousands(more as u64)) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "message")), ["0 messages", "1 message", "2 messages"]);
        assert_eq!([1, 2].map(|count| counted_is(count, "queue", "is", "are")), ["1 queue is", "2 queues are"]);
    }

    #[test]
    fn numbers_and_times_read_like_words() {
        let numbers = [0, 999, 1_000, 4_812, 1_234_567].map(thousands);
        assert_eq!(numbers, ["0", "999", "1,000", "4,812", "1,234,567"]);
        assert_eq!((about_messages(1), about_messages(1_500)), ("~1 message".into(), "~1,500 messages".into()));
        let spans = [-5, 59, 179, 180, 7_800, 10_800, 86_400, 259_200].map(|s| span(SignedDuration::from_secs(s)));
        let words = [-5, 59, 179, 3_600, 10_680, 86_400, 273_600].map(|s| within(SignedDuration::from_secs(s)));
        assert_eq!(words, ["0 s", "59 s", "2 min", "1 h", "2 h 58 min", "1 d", "3 d 4 h"]);
        assert_eq!(spans, ["0 s", "59 s", "179 s", "3 min", "130 min", "3 h", "24 h", "3 d"]);
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let some = |shown_max| some_of(["a", "b", "c"].into_iter(), shown_max);
        assert_eq!([2, 3, 4].map(some), ["a, b and 1 more", "a, b, c", "a, b, c"]);
    }
}
