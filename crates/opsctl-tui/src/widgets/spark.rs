//! Sparklines: counts over the last half hour in a few columns.

use jiff::{SignedDuration, Timestamp};

use crate::{
    observe::{Trend, trend::KEPT},
    state::Look,
};

/// Columns of a sparkline: two minutes each.
pub const COLUMNS: usize = 15;

/// What was there at the end of each of [`COLUMNS`] equal parts of the last half hour; none before the first sample.
pub fn levels(trend: &Trend, now: Timestamp) -> [Option<u64>; COLUMNS] {
    let part = KEPT / COLUMNS as i32;
    let mut levels = [None; COLUMNS];
    let mut samples = trend.samples.iter().peekable();
    let mut last = None;
    for (at, level) in levels.iter_mut().enumerate() {
        let end = now - part * (COLUMNS - 1 - at) as i32;
        while let Some((_, messages)) = samples.next_if(|(time, _)| *time <= end) {
            last = Some(*messages);
        }
        *level = last;
    }
    levels
}

/// The levels as bars; empty where nothing is known.
pub fn line(levels: &[Option<u64>], look: Look) -> String {
    let most = levels.iter().flatten().copied().max().unwrap_or(0);
    // What never changed has no top: bars of half the height are calmer, and as true.
    let is_flat = levels.iter().flatten().all(|level| *level == most);
    let bar = |level: &Option<u64>| match level {
        None => " ",
        Some(_) if most == 0 => look.height(0.0),
        // What is not zero never looks like zero.
        Some(0) => look.height(0.0),
        Some(_) if is_flat => look.height(0.4),
        Some(messages) => look.height((*messages as f64 / most as f64).max(0.15)),
    };
    levels.iter().map(bar).collect()
}

/// Time that the road of a metric shows, over [`COLUMNS`] columns: CloudWatch has a value for each minute or five.
const ROAD: SignedDuration = SignedDuration::from_mins(60);
/// A value counts for so long; after that nothing is known.
const VALUE: SignedDuration = SignedDuration::from_mins(10);

/// A metric over the last hour as bars, `top` being the highest; none: the highest value. Empty where nothing is known.
pub fn road(samples: &[(Timestamp, f64)], now: Timestamp, top: Option<f64>, look: Look) -> String {
    let part = ROAD / COLUMNS as i32;
    let from = now - ROAD;
    let most = samples.iter().filter(|(at, _)| *at >= from).map(|(_, value)| *value).fold(0.0, f64::max);
    let top = top.unwrap_or(most).max(f64::MIN_POSITIVE);
    let mut samples = samples.iter().peekable();
    let mut last = None;
    let mut line = String::new();
    for at in 0..COLUMNS {
        let end = now - part * (COLUMNS - 1 - at) as i32;
        while let Some(sample) = samples.next_if(|(time, _)| *time <= end) {
            last = Some(*sample);
        }
        line.push_str(match last {
            Some((at, value)) if end.duration_since(at) <= VALUE && value <= 0.0 => look.height(0.0),
            // What is not zero never looks like zero.
            Some((at, value)) if end.duration_since(at) <= VALUE => look.height((value / top).max(0.15)),
            Some(_) | None => " ",
        });
    }
    line
}

/// By how much it rose within the last half hour; falling is less than nothing.
pub fn rise(trend: &Trend) -> Option<i64> {
    let (first, last) = (trend.samples.first()?, trend.samples.last()?);
    (last.0.duration_since(first.0) >= SignedDuration::from_secs(1))
        .then(|| last.1.cast_signed() - first.1.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::look::{Symbols, Theme};

    #[test]
    fn each_bar_is_what_was_there_then() {
        let now: Timestamp = "2026-11-21T03:30:00Z".parse().expect("a time");
        let mut trend = Trend::default();
        for (minute, messages) in [(4, 10), (2, 20), (0, 80)] {
            trend.push(now - SignedDuration::from_mins(minute), messages);
        }
        let levels = levels(&trend, now);
        assert_eq!(levels[..12], [None; 12]);
        assert_eq!(levels[12..], [Some(10), Some(20), Some(80)]);
        let look = Look { theme: Theme::Dark, symbols: Symbols::Unicode };
        assert_eq!(line(&levels, look).trim_start(), "▂▃█");
        assert_eq!(line(&[Some(0), Some(0), None], look), "▁▁ ");
        assert_eq!(line(&[None, Some(7), Some(7)], look), " ▄▄");
        assert_eq!(rise(&trend), Some(70));
        assert_eq!(rise(&Trend::default()), None);
    }

    #[test]
    fn a_metrics_road_has_gaps_where_nothing_is_known() {
        let now: Timestamp = "2026-11-21T03:30:00Z".parse().expect("a time");
        let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
        let look = Look { theme: Theme::Dark, symbols: Symbols::Unicode };
        let samples = [(ago(50), 100.0), (ago(10), 50.0), (ago(5), 0.0), (ago(1), 3.0)];
        assert_eq!(road(&samples, now, Some(100.0), look), "  ███       ▅▁▂");
    }
}
