//! What AWS looks at once a minute by itself, whoever calls: scaling policies. A world without any costs nothing for it.

use jiff::Timestamp;

use super::World;

const MINUTE: i64 = 60_000;
/// Minutes that are looked at when the clock leaps; what lay before is as if nobody had looked.
const MINUTES_MAX: i64 = 1_440;

impl World {
    /// Lets the ends of minutes be looked at from now on.
    pub(super) fn begin_pulse(&mut self) {
        self.pulse_at.get_or_insert((self.now.div_euclid(MINUTE) + 1) * MINUTE);
    }

    /// Looks at the ends of minutes until `now`, each after all that happens before it.
    pub(super) fn beat_until(&mut self, now: i64) {
        while let Some(at) = self.pulse_at.filter(|at| *at <= now) {
            let at = at.max((now.div_euclid(MINUTE) - MINUTES_MAX) * MINUTE);
            // Taken out: those that act meanwhile let time pass, too, and the order is this one's to keep.
            self.pulse_at = None;
            self.follow_timeline(at);
            self.pass(Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX));
            self.autoscale(at);
            self.pulse_at = Some(at + MINUTE);
        }
    }
}
