//! [`TurnedOff`]: how settings stood before opsctl set them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Remembered, store::Remember};
use crate::domain::{RunId, Setting, Toggle};

/// Settings of an account in a region.
pub type TurnedOff = Remembered<TurnedOffBy>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnedOffBy {
    /// As it was before.
    pub from: Setting,
    /// As the run sets it; none: written by a version that remembered only what it turned off.
    #[serde(default)]
    pub to: Option<Setting>,
    pub at: Timestamp,
    pub run: RunId,
}

impl TurnedOffBy {
    /// Whether it still stands as the run set it.
    pub fn is_still_so(&self, now: Setting) -> bool {
        self.to.map_or_else(|| now.is_off(), |to| to == now)
    }
}

impl TurnedOff {
    pub fn all(&self) -> impl Iterator<Item = (Toggle, &TurnedOffBy)> {
        self.entries().filter_map(|(name, by)| Some((Toggle::parse(name)?, by)))
    }
}

impl Remember for TurnedOffBy {
    type Of = Toggle;

    const FOLDER: &'static str = "turned-off";

    /// What the same run remembered earlier stays: it looked before anything was set. What another run left is out of date: a plan
    /// has carried over of it what still counts.
    fn replaces(&self, known: &Self) -> bool {
        known.run != self.run
    }
}
