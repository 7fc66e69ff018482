//! Replay: rows of an outbox that failed, expired or were published are re-armed, and its relay sends them again.

use serde::{Deserialize, Serialize};

use super::{Asked, Settled, Way, over_rows, refusal};
use crate::{
    domain::{Rearm, RowMapping, RowState},
    operations::values::{BounceMax, Ramp, Seconds},
    outboxes::Deed,
};

over_rows!(
    /// Re-arm rows of an outbox, so that its relay sends them again
    Replay {
        /// Replay rows in this state; may be given several times [default: failed]
        #[arg(long, value_enum, value_name = "STATE")]
        state: Vec<ReplayState>,
        /// Replay in steps of these sizes and watch after each whether rows fail again, `1,10,100,all`
        #[arg(long, value_name = "STEPS")]
        ramp: Option<Ramp>,
        /// With --ramp: stop when more than this share or number of a step's rows fails again [default: 5%]
        #[arg(long, value_name = "SHARE")]
        max_failed: Option<BounceMax>,
        /// With --ramp: watch a step's rows at most this long [default: 1m]
        #[arg(long, value_name = "TIME", value_parser = Seconds::between::<0, 43_200>)]
        wait: Option<Seconds>,
    }
);

/// States from which rows are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayState {
    Failed,
    Expired,
    /// Rows that were sent once: everything that gets them gets them again
    Published,
}

impl ReplayState {
    pub fn state(self) -> RowState {
        match self {
            Self::Failed => RowState::Failed,
            Self::Expired => RowState::Expired,
            Self::Published => RowState::Published,
        }
    }
}

impl Replay {
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked {
            name: "outbox replay",
            choice: self.choice(),
            states: self.state.iter().map(|state| state.state()).collect(),
            way: Way::Replay,
            rate: self.rate,
            ramp: self.ramp.clone(),
            max_failed: self.max_failed,
            wait: self.wait,
        }
    }
}

pub(super) fn settle(mapping: &RowMapping, states: &[RowState]) -> Settled {
    if let Rearm::Refused(refused) = &mapping.rearm {
        return Err(refused.clone());
    }
    let states = if states.is_empty() { &[RowState::Failed] } else { states };
    let rearmable = mapping.rearmable();
    if let Some(state) = states.iter().find(|state| !rearmable.contains(state)) {
        let known: Vec<&str> = rearmable.iter().map(|state| state.words()).collect();
        let because = format!("nothing that is set would make {state} rows ready");
        return Err(refusal(because, format!("states that can be replayed: {}", known.join(", "))));
    }
    Ok((Deed::Replay, states.to_vec()))
}
