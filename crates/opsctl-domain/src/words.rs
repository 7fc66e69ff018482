//! Numbers, bytes and times as a tired person reads them: the command line and the console say the same.

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

/// `~4,812`.
pub fn about(number: u64) -> String {
    format!("~{}", thousands(number))
}

/// `42 %`.
pub fn percent(value: f64) -> String {
    format!("{:.0} %", value.clamp(0.0, 9_999.0))
}

pub const GIBIBYTE: f64 = 1_073_741_824.0;

/// `286 MiB`, `1.5 GiB`: in what AWS counts in.
pub fn bytes(value: f64) -> String {
    const UNITS: [(&str, f64); 4] =
        [("TiB", 1_099_511_627_776.0), ("GiB", GIBIBYTE), ("MiB", 1_048_576.0), ("KiB", 1_024.0)];
    match UNITS.iter().find(|(_, size)| value >= *size) {
        Some((unit, size)) if value / size >= 100.0 => format!("{:.0} {unit}", value / size),
        Some((unit, size)) => format!("{:.1} {unit}", value / size),
        None => format!("{:.0} B", value.max(0.0)),
    }
}

/// Of milliseconds: `17 ms`, `2.4 s`; below zero: `stopped`.
pub fn milliseconds(value: f64) -> String {
    match value {
        ..0.0 => "stopped".to_owned(),
        0.0..1_000.0 => format!("{value:.0} ms"),
        _ => format!("{:.1} s", value / 1_000.0),
    }
}

/// `~$0.0123`, `< $0.0001`.
pub fn dollars(estimate: f64) -> String {
    if estimate < 0.0001 { "< $0.0001".to_owned() } else { format!("~${estimate:.4}") }
}

/// As [`span`], of seconds.
pub fn in_words(seconds: u64) -> String {
    span(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

/// How long something took, in two units: `42 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`.
pub fn whole_duration(seconds: i64) -> String {
    let whole = seconds.max(0);
    match whole {
        0..60 => format!("{whole} s"),
        60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        3_600..86_400 => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

/// The same with tenths below a minute: `4.2 s`.
pub fn duration(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "saturates; of a minute and more")]
    let whole = seconds as i64;
    if whole < 60 { format!("{:.1} s", seconds.max(0.0)) } else { whole_duration(whole) }
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
    fn durations() {
        let words = ["0.2 s", "59.9 s", "2 min 5 s", "2 h 10 min", "1 d 3 h"];
        assert_eq!([0.25, 59.9, 125.0, 7_800.0, 100_000.0].map(duration), words);
        let words = ["0 s", "59 s", "2 min 5 s", "2 h 10 min", "1 d 3 h"];
        assert_eq!([-5, 59, 125, 7_800, 100_000].map(whole_duration), words);
        assert_eq!([150, 7_800].map(in_words), ["150 s", "130 min"]);
    }

    #[test]
    fn figures_have_units() {
        let sizes = [0.0, 1_536.0, 3e8, 9.6e9, 5e11].map(bytes);
        assert_eq!(sizes, ["0 B", "1.5 KiB", "286 MiB", "8.9 GiB", "466 GiB"]);
        assert_eq!([17.2, 2_400.0, -1_000.0].map(milliseconds), ["17 ms", "2.4 s", "stopped"]);
        assert_eq!([0.4, 63.2].map(percent), ["0 %", "63 %"]);
        assert_eq!([0.0, 0.000_04, 0.0123].map(dollars), ["< $0.0001", "< $0.0001", "~$0.0123"]);
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let some = |shown_max| some_of(["a", "b", "c"].into_iter(), shown_max);
        assert_eq!([2, 3, 4].map(some), ["a, b and 1 more", "a, b, c", "a, b, c"]);
    }
}
