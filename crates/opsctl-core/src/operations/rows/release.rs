//! Release: claims that have run out are freed, and the relay takes their rows again.

use super::{Asked, Choice, Settled, Way, over_rows};
use crate::{
    domain::{Release as Freeing, RowMapping},
    operations::values::Seconds,
    outboxes::Deed,
};

over_rows!(
    /// Free rows of an outbox whose claim has run out, so that its relay takes them again
    Release {
        /// Only rows that this holder has claimed; may be given several times
        #[arg(long, value_name = "HOLDER")]
        holder: Vec<String>,
        /// Only rows whose claim is at least this old; never younger ones than the mapping lets run out
        #[arg(long, value_name = "TIME", value_parser = Seconds::between::<0, { u32::MAX }>)]
        claimed_for: Option<Seconds>,
        /// Also claims that have not run out. Refused unless the relay is proven gone: its service runs no task, or its lock has run out
        #[arg(long)]
        relay_gone: bool,
    }
);

impl Release {
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked {
            name: "outbox release",
            choice: Choice { holder: &self.holder, claim: self.claimed_for, ..self.choice() },
            states: Vec::new(),
            way: Way::Release { gone: self.relay_gone },
            rate: self.rate,
            ramp: None,
            max_failed: None,
            wait: None,
        }
    }
}

pub(super) fn settle(mapping: &RowMapping, gone: bool) -> Settled {
    let deed = if gone { Deed::ReleaseGone } else { Deed::Release };
    match &mapping.release {
        Freeing::Set(_) => Ok((deed, deed.releases().to_vec())),
        Freeing::Refused(refused) => Err(refused.clone()),
    }
}
