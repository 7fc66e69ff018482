//! [`Pace`]: how often a frame is drawn: at most 30 a second on average, and a key's at once.

use std::time::Duration;

const FRAMES_PER_SECOND: f64 = 30.0;
/// Frames that may follow each other without a pause: a key's frame never waits for what was drawn just before it, nor what is known
/// from earlier for the first frames of a start.
const BURST: f64 = 8.0;
/// Kept for keys: what comes from outside waits until there is more.
const FOR_KEYS: f64 = 3.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    Outside,
    Person,
}

/// How often a frame is drawn. Times are durations since any fixed moment.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    frames: f64,
    counted_at: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { frames: BURST, counted_at: Duration::ZERO }
    }
}

impl Pace {
    /// How long to wait before a frame for `cause` may be drawn; zero: draw it now.
    pub(super) fn wait(&mut self, now: Duration, cause: Cause) -> Duration {
        let passed = now.saturating_sub(self.counted_at).as_secs_f64();
        self.counted_at = now;
        self.frames = (self.frames + passed * FRAMES_PER_SECOND).min(BURST);
        let needed = match cause {
            Cause::Person => 1.0,
            Cause::Outside => 1.0 + FOR_KEYS,
        };
        Duration::from_secs_f64(((needed - self.frames) / FRAMES_PER_SECOND).max(0.0))
    }

    pub(super) fn drawn(&mut self) {
        self.frames -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_drawn_at_once_and_all_together_stay_below_30_a_second() {
        let mut pace = Pace::default();
        let mut drawn = 0;
        // Something comes from outside each millisecond, a key each 100 ms, for ten seconds.
        for millisecond in 0..10_000_u64 {
            let now = Duration::from_millis(millisecond);
            if millisecond % 100 == 50 {
                assert_eq!(pace.wait(now, Cause::Person), Duration::ZERO, "at {millisecond} ms");
                pace.drawn();
                drawn += 1;
            }
            if pace.wait(now, Cause::Outside).is_zero() {
                pace.drawn();
                drawn += 1;
            }
        }
        assert!((290..=310).contains(&drawn), "{drawn}");
    }
}
