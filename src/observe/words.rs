//! Numbers and times as a tired person reads them.

use jiff::SignedDuration;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_like_words() {
        let numbers = [0, 999, 1_000, 4_812, 1_234_567].map(thousands);
        assert_eq!(numbers, ["0", "999", "1,000", "4,812", "1,234,567"]);
        assert_eq!((about_messages(1), about_messages(1_500)), ("~1 message".into(), "~1,500 messages".into()));
        let spans = [-5, 59, 179, 180, 7_800, 10_800, 86_400, 259_200].map(|s| span(SignedDuration::from_secs(s)));
        assert_eq!(spans, ["0 s", "59 s", "179 s", "3 min", "130 min", "3 h", "24 h", "3 d"]);
    }
}
