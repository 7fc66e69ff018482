//! The register: what is known of one environment beside its queues; what came of looks goes in, an [`Estate`] comes out. No I/O.

pub(super) mod lacks;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    board::Change,
    estate::Lack,
    parts::{Estate, Look, Memory, PartName},
};
use crate::domain::{Gauge, Text};

/// CloudWatch has a sample a minute.
pub(super) const EVERY_METRIC: Duration = Duration::from_secs(55);

/// What is known beside queues.
#[derive(Debug, Default)]
pub(super) struct Register {
    pub(super) estate: Estate,
    pub(super) memory: Memory,
    /// What each look could not tell.
    unknown: BTreeMap<Look, Vec<Text>>,
    /// What the bound on what looking may cost holds back.
    held: BTreeMap<Look, Text>,
    /// What Home is told of all that.
    lacks: BTreeMap<Look, Vec<Lack>>,
    /// Parts that an earlier session saw, and this one did not yet.
    restored: BTreeSet<PartName>,
    change: Change,
}

impl Register {
    /// Begins with what an earlier session saw, as far as nothing was seen yet.
    pub(super) fn restore(&mut self, earlier: Estate) {
        self.restored.extend(self.estate.take_earlier(earlier));
        for part in self.restored.clone() {
            self.tell_unknown(part);
        }
        self.raise(Change::Content);
    }

    pub(super) fn is_restored(&self, part: PartName) -> bool {
        self.restored.contains(&part)
    }

    /// How much changed since it was last asked.
    pub(super) fn take_change(&mut self) -> Change {
        std::mem::take(&mut self.change)
    }

    pub(super) fn change(&self) -> Change {
        self.change
    }

    /// What is known. Costs a few pointers.
    pub(super) fn estate(&self) -> Estate {
        self.estate.clone()
    }

    pub(super) fn busy(&mut self, look: Look, is_busy: bool) {
        if !look.spec().is_listing {
            return;
        }
        let part = self.estate.part_mut(look.part()).head();
        *part.busy = is_busy;
        // Where all is well a look is over before anybody has seen that it is being made.
        if part.at.is_none() || part.error.is_some() {
            self.raise(Change::Fresher);
        }
    }

    /// All of a part came.
    pub(super) fn came(&mut self, look: Look, at: Timestamp, is_new: bool) {
        self.restored.remove(&look.part());
        let part = self.estate.part_mut(look.part()).head();
        *part.at = Some(at);
        let was_wrong = part.error.take().is_some();
        self.raise(if is_new || was_wrong { Change::Content } else { Change::Fresher });
    }

    pub(super) fn raise(&mut self, change: Change) {
        self.change = self.change.max(change);
    }
}

/// Whether something waits for its metrics for longer than its turn takes.
pub(super) fn is_held_long(last: Option<Duration>, now: Duration) -> bool {
    last.is_none_or(|last| last + lacks::HELD_LONG <= now)
}

/// A gauge in place of the one before. Where not all came, one that is missing may be known to CloudWatch all the same.
pub(super) fn newer(before: &Option<Gauge>, came: Option<&Gauge>, is_whole: bool) -> Option<Gauge> {
    match (came, is_whole) {
        (Some(came), _) => Some(came.clone()),
        (None, true) => None,
        (None, false) => before.clone(),
    }
}
