//! Metrics as people read them: with their age, for CloudWatch is minutes late; `-` where there is no sample.

use jiff::Timestamp;

use crate::{domain::gauge::Gauge, operations::values::in_words};

/// `42 % (2 min)`; `-`: no sample, which is not zero.
pub(super) fn with_age(gauge: Option<&Gauge>, now: Timestamp, words: fn(f64) -> String) -> String {
    let Some(gauge) = gauge else { return "-".to_owned() };
    let age = u64::try_from(now.duration_since(gauge.at).as_secs()).unwrap_or(0);
    format!("{} ({})", words(gauge.value), in_words(age))
}

/// `42 %`.
pub(super) fn percent(value: f64) -> String {
    format!("{value:.0} %")
}

/// `42`.
pub(super) fn count(value: f64) -> String {
    format!("{value:.0}")
}

/// `1.5 GiB`, `300 MiB`.
pub(super) fn bytes(value: f64) -> String {
    const MEBIBYTE: f64 = 1_048_576.0;
    match value / MEBIBYTE {
        mebibytes if mebibytes < 1_024.0 => format!("{mebibytes:.0} MiB"),
        mebibytes if mebibytes < 102_400.0 => format!("{:.1} GiB", mebibytes / 1_024.0),
        mebibytes => format!("{:.0} GiB", mebibytes / 1_024.0),
    }
}

/// Of milliseconds: `17 ms`, `2.4 s`; below zero: `stopped`.
pub(super) fn milliseconds(value: f64) -> String {
    if value < 0.0 {
        return "stopped".to_owned();
    }
    if value < 1_000.0 { format!("{value:.0} ms") } else { format!("{:.1} s", value / 1_000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_units_and_ages() {
        let at = Timestamp::UNIX_EPOCH;
        let gauge = Gauge { value: 41.7, at, recent: Vec::new() };
        let now = Timestamp::from_second(150).expect("a time");
        assert_eq!(with_age(Some(&gauge), now, percent), "42 % (2 min)");
        assert_eq!(with_age(None, now, percent), "-");
        assert_eq!([bytes(3e8), bytes(9.6e9), bytes(5e11)], ["286 MiB", "8.9 GiB", "466 GiB"]);
        assert_eq!([17.2, 2_400.0, -1_000.0].map(milliseconds), ["17 ms", "2.4 s", "stopped"]);
    }
}
