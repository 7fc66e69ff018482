//! [`TurnedOff`]: how rules and reserved concurrencies stood before opsctl turned them off.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Remembered, store::Remember};
use crate::domain::{RunId, Setting, Toggle};

/// Rules and functions of an account in a region.
pub type TurnedOff = Remembered<TurnedOffBy>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnedOffBy {
    /// As it was before.
    pub from: Setting,
    pub at: Timestamp,
    pub run: RunId,
}

impl Remember for TurnedOffBy {
    type Of = Toggle;

    const FOLDER: &'static str = "turned-off";

    /// What the same run remembered earlier stays: it looked before anything was turned off. What another run left is out of date, for
    /// somebody has turned it on since.
    fn replaces(&self, known: &Self) -> bool {
        known.run != self.run
    }
}
