//! [`BoundsBefore`]: between which counts autoscaling kept each service before opsctl moved the bounds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Remembered, store::Remember};
use crate::domain::{RunId, ServiceId, TaskBounds};

/// Services of an account in a region.
pub type BoundsBefore = Remembered<Moved>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    pub from: TaskBounds,
    /// As opsctl moved them last: others are somebody else's.
    pub to: TaskBounds,
    /// Desired count before.
    pub desired: u32,
    pub at: Timestamp,
    pub run: RunId,
}

impl Moved {
    /// What is to be remembered when bounds are moved once more: what was before the first time, as long as nobody else has moved them.
    #[must_use]
    pub fn after(self, known: Option<&Self>) -> Self {
        match known {
            Some(known) if known.to == self.from || known.run == self.run => {
                Self { from: known.from, desired: known.desired, ..self }
            }
            Some(_) | None => self,
        }
    }
}

impl Remember for Moved {
    type Of = ServiceId;

    const FOLDER: &'static str = "bounds";

    fn replaces(&self, _known: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_before_the_first_move_is_kept_until_somebody_else_moves_them() {
        let bounds = |min, max| TaskBounds { min, max };
        let moved = |from, to, desired, run| Moved {
            from,
            to,
            desired,
            at: Timestamp::UNIX_EPOCH,
            run: RunId::new(Timestamp::UNIX_EPOCH, run),
        };
        let first = moved(bounds(2, 6), bounds(2, 10), 4, 1);
        let further = moved(bounds(2, 10), bounds(2, 20), 10, 2).after(Some(&first));
        assert_eq!((further.from, further.to, further.desired), (bounds(2, 6), bounds(2, 20), 4));
        let by_others = moved(bounds(3, 12), bounds(3, 20), 7, 3).after(Some(&further));
        assert_eq!((by_others.from, by_others.desired), (bounds(3, 12), 7));
        let again = moved(bounds(2, 6), bounds(2, 10), 10, 1).after(Some(&first));
        assert_eq!(again.desired, 4, "the run that is taken up knows better");
    }
}
