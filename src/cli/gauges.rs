//! Metrics as people read them: with their age, for CloudWatch is minutes late; `-` where there is no sample.

use jiff::Timestamp;

use crate::domain::{Gauge, words::in_words};

/// `42 % (2 min)`; `-`: no sample, which is not zero.
pub(super) fn with_age(gauge: Option<&Gauge>, now: Timestamp, words: fn(f64) -> String) -> String {
    let Some(gauge) = gauge else { return "-".to_owned() };
    let age = u64::try_from(now.duration_since(gauge.at).as_secs()).unwrap_or(0);
    format!("{} ({})", words(gauge.value), in_words(age))
}

/// `42`.
pub(super) fn count(value: f64) -> String {
    format!("{value:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::words::percent;

    #[test]
    fn values_have_units_and_ages() {
        let at = Timestamp::UNIX_EPOCH;
        let gauge = Gauge { value: 41.7, at, recent: Vec::new() };
        let now = Timestamp::from_second(150).expect("a time");
        assert_eq!(with_age(Some(&gauge), now, percent), "42 % (150 s)");
        assert_eq!(with_age(None, now, percent), "-");
    }
}
