//! Work that takes its time: a consumer that has more in hand than it can do does less of it, and so a burst may last for good.
//!
//! Up to the knee all is done at the full rate; with twice as much in hand half of it, and so on: what waits costs as much as what is
//! worked on. Under a load below the full rate this has two stable states, for a consumer takes as much in hand as it may.

use serde::Deserialize;

use super::Strain;
use crate::world::template::Place;

/// A consumer that has messages in hand while it works on them.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hands {
    /// Messages that a task, or another program that is one, has in hand at most. A function: as many as its mapping's
    /// `MaximumConcurrency` and `BatchSize` allow, if that is less.
    pub per_task: u32,
    /// How many it has in hand, all its tasks together, up to which it works at its full rate.
    pub knee: u32,
}

impl Hands {
    /// Messages that are done in a second, of so many in hand.
    pub(in crate::world) fn rate(self, full: f64, in_hand: usize) -> f64 {
        slowed(full, self.knee, in_hand)
    }
}

fn slowed(full: f64, knee: u32, in_hand: usize) -> f64 {
    full * (f64::from(knee.max(1)) / in_hand.max(1) as f64).min(1.0)
}

impl Strain {
    /// Notes what a queue's consumer has in hand that needs a database; answers how many of them a second that does; none: it
    /// has no limit.
    pub(in crate::world) fn work(&mut self, place: &Place, database: &str, queue: &str, in_hand: usize) -> Option<f64> {
        let known = self.known([&place.account, &place.region, database])?;
        let (full, knee) = (known.limits.work_per_second?, known.limits.knee);
        let known = self.database([&place.account, &place.region, database]);
        known.in_hand.insert(queue.to_owned(), in_hand);
        let all: usize = known.in_hand.values().sum();
        Some(slowed(full, knee, all) * in_hand as f64 / all.max(1) as f64)
    }
}
