//! How a deed is called.

use crate::outboxes::Deed;

/// Words for a deed, as plans and reports use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// `replay`.
    pub verb: &'static str,
    /// `re-armed`.
    pub done: &'static str,
    /// Of rows of which nobody knows.
    pub perhaps: &'static str,
    /// `can't be ...`.
    pub passive: &'static str,
    /// The operation on the command line.
    pub command: &'static str,
}

impl From<Deed> for Words {
    fn from(deed: Deed) -> Self {
        match deed {
            Deed::Replay => Self {
                verb: "replay",
                done: "re-armed",
                perhaps: "may or may not have been re-armed",
                passive: "replayed",
                command: "outbox replay",
            },
            Deed::Park | Deed::Aside => Self {
                verb: "park",
                done: "parked",
                perhaps: "may or may not have been parked",
                passive: "parked",
                command: "outbox park",
            },
            Deed::Release | Deed::ReleaseGone => Self {
                verb: "release",
                done: "released",
                perhaps: "may or may not have been released",
                passive: "released",
                command: "outbox release",
            },
        }
    }
}
