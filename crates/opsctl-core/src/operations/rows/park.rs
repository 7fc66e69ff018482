//! Park: rows of an outbox are set aside with a reason, in the table's own terms or in a table beside it, and the relay passes over them.

use serde::{Deserialize, Serialize};

use super::{Asked, Settled, Way, over_rows, refusal};
use crate::{
    domain::{RowMapping, RowState},
    operations::values::Seconds,
    outboxes::{Deed, RowChange, Rules},
};

over_rows!(
    /// Set rows of an outbox aside, so that its relay passes over them
    Park {
        /// Park rows in this state; may be given several times [default: failed]
        #[arg(long, value_enum, value_name = "STATE")]
        state: Vec<ParkState>,
        /// Move them to a table beside the outbox, also where the outbox has a state for rows that are set aside
        #[arg(long)]
        aside: bool,
    }
);

/// States from which rows are parked: never while a relay works on them, and never once they were published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ParkState {
    Failed,
    Stuck,
    Ready,
    Scheduled,
    Held,
    Expired,
}

impl ParkState {
    pub fn state(self) -> RowState {
        match self {
            Self::Failed => RowState::Failed,
            Self::Stuck => RowState::Stuck,
            Self::Ready => RowState::Ready,
            Self::Scheduled => RowState::Scheduled,
            Self::Held => RowState::Held,
            Self::Expired => RowState::Expired,
        }
    }
}

impl Park {
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked {
            name: "outbox park",
            choice: self.choice(),
            states: self.state.iter().map(|state| state.state()).collect(),
            way: Way::Park { aside: self.aside },
            rate: self.rate,
            ramp: None,
            max_failed: None,
            wait: None,
        }
    }
}

/// In the table's own terms where it has such for all of these states, else beside it.
pub(super) fn settle(mapping: &RowMapping, states: &[RowState], aside: bool) -> Settled {
    let own = RowChange::of(Deed::Park, mapping).from;
    let beside = RowChange::of(Deed::Aside, mapping).from;
    if let (true, Some(stays)) = (own.is_empty(), &mapping.park.stays) {
        return Err(stays.clone());
    }
    let known = Rules::of(mapping).states();
    if states.is_empty() && !known.contains(&RowState::Failed) {
        let because = "its rows are never shown as failed";
        return Err(refusal(because, "say which rows: `--state ready` with --id, --group or --where"));
    }
    let states = if states.is_empty() { &[RowState::Failed] } else { states };
    if !aside && states.iter().all(|state| own.contains(state)) {
        return Ok((Deed::Park, states.to_vec()));
    }
    match &mapping.park.stays {
        None if states.iter().all(|state| beside.contains(state)) => Ok((Deed::Aside, states.to_vec())),
        Some(stays) => {
            let own: Vec<&str> = own.iter().map(|state| state.words()).collect();
            let instead = format!("{}; rows that can be parked are {} ones", stays.instead, own.join(", "));
            Err(refusal(stays.because.clone(), instead))
        }
        None => Err(refusal("a row in that state is not set aside", "choose others with --state")),
    }
}
