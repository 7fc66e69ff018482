//! What [`Trend`] keeps: the shape of the last half hour in few samples.

use jiff::{SignedDuration, Timestamp};

use super::snapshot::Trend;

pub const SAMPLES_MAX: usize = 30;
pub const KEPT: SignedDuration = SignedDuration::from_mins(30);

impl Trend {
    /// Adds a sample. Where nothing changed the last one moves on: a queue that rests has two samples, its first and last.
    pub fn push(&mut self, at: Timestamp, messages: u64) {
        let samples = &mut self.samples;
        if samples.last().is_some_and(|(last, _)| *last >= at) {
            return;
        }
        match samples.as_mut_slice() {
            [.., (_, before), (last_at, last)] if *before == messages && *last == messages => *last_at = at,
            _ => samples.push((at, messages)),
        }
        let horizon = at - KEPT;
        // One sample from before the horizon stays: it says what was at the horizon.
        while samples.get(1).is_some_and(|(next, _)| *next <= horizon) {
            samples.remove(0);
        }
        if samples.len() > SAMPLES_MAX {
            thin_out(samples);
        }
        samples.shrink_to(samples.len() + 1);
    }

    /// How many messages there were at a time, by the newest sample that is not younger.
    pub fn at(&self, time: Timestamp) -> Option<u64> {
        self.samples.iter().rev().find(|(at, _)| *at <= time).map(|(_, messages)| *messages)
    }

    pub fn since(&self) -> Option<Timestamp> {
        self.samples.first().map(|(at, _)| *at)
    }

    /// By how much the count rose, and in how long: from the lowest sample within `window` before the last to the last.
    pub fn growth(&self, window: SignedDuration) -> Option<(u64, SignedDuration)> {
        let (now, last) = *self.samples.last()?;
        let from = now - window;
        let recent = self.samples.iter().filter(|(at, _)| *at >= from);
        // Of equally low samples the last: since then it grew.
        let (since, lowest) = recent.rev().min_by_key(|(_, messages)| *messages)?;
        (last > *lowest).then(|| (last - lowest, now.duration_since(*since)))
    }

    /// By how much the count fell, and in how long: from the highest sample within `window` before the last to the last.
    pub fn fall(&self, window: SignedDuration) -> Option<(u64, SignedDuration)> {
        let (now, last) = *self.samples.last()?;
        let from = now - window;
        let recent = self.samples.iter().filter(|(at, _)| *at >= from);
        // Of equally high samples the last: since then it fell.
        let (since, highest) = recent.max_by_key(|(_, messages)| *messages)?;
        (last < *highest).then(|| (highest - last, now.duration_since(*since)))
    }
}

/// Takes out the sample that is missed least: the one whose neighbours are nearest to each other in time.
fn thin_out(samples: &mut Vec<(Timestamp, u64)>) {
    let spans = samples.windows(3).map(|three| three[2].0.duration_since(three[0].0));
    if let Some((index, _)) = spans.enumerate().min_by_key(|(_, span)| *span) {
        samples.remove(index + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        "2026-11-21T03:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn what_rests_takes_two_samples_and_what_moves_at_most_thirty() {
        let mut rests = Trend::default();
        let mut moves = Trend::default();
        for step in 0..2_000 {
            rests.push(at(step * 5), 7);
            moves.push(at(step * 5), step as u64);
        }
        assert_eq!(rests.samples, [(at(0), 7), (at(1_999 * 5), 7)]);
        let samples = &moves.samples;
        assert_eq!(samples.len(), SAMPLES_MAX);
        assert_eq!(samples.last(), Some(&(at(1_999 * 5), 1_999)));
        let gaps = samples.windows(2).map(|two| two[1].0.duration_since(two[0].0).as_secs());
        assert!(gaps.clone().all(|gap| gap <= 180), "even enough: {:?}", gaps.collect::<Vec<_>>());
        assert!(at(1_999 * 5).duration_since(moves.since().expect("some")) >= KEPT - SignedDuration::from_mins(3));
    }

    #[test]
    fn growth_counts_from_the_lowest() {
        let mut trend = Trend::default();
        for (seconds, messages) in [(0, 90), (60, 10), (120, 10), (180, 40), (240, 35)] {
            trend.push(at(seconds), messages);
        }
        assert_eq!(trend.growth(SignedDuration::from_mins(10)), Some((25, SignedDuration::from_secs(120))));
        assert_eq!(trend.growth(SignedDuration::from_secs(30)), None);
        assert_eq!(trend.at(at(130)), Some(10));
        trend.push(at(300), 0);
        assert_eq!(trend.growth(SignedDuration::from_mins(10)), None);
    }

    #[test]
    fn a_fall_counts_from_the_highest() {
        let mut trend = Trend::default();
        for (seconds, messages) in [(0, 10), (60, 90), (120, 90), (180, 40), (240, 45)] {
            trend.push(at(seconds), messages);
        }
        assert_eq!(trend.fall(SignedDuration::from_mins(10)), Some((45, SignedDuration::from_secs(120))));
        assert_eq!(trend.fall(SignedDuration::from_secs(60)), None, "within the last minute it grew");
    }
}
