//! What is known of settings from earlier: how they stood before opsctl set them, and what the run that is taken up has set.

use std::collections::BTreeMap;

use super::{Memory, ToToggle};
use crate::{
    cloud::Cloud,
    domain::{Setting, Toggle},
    journal::{TurnedOff, TurnedOffBy},
    operations::{OperationError, Planner},
};

pub(super) struct Known {
    turned_off: TurnedOff,
    /// From what to what the run has set each already, or was about to.
    earlier: BTreeMap<Toggle, (Setting, Setting)>,
}

impl Known {
    pub(super) async fn read(cloud: &Cloud, planner: &Planner) -> Result<Self, OperationError> {
        let caller = cloud.identity.caller().await?;
        let turned_off = TurnedOff::read(&planner.state, &caller.account, &cloud.environment().region)?;
        let earlier = planner.taken_up()?.map(|(_, history)| history.settings).unwrap_or_default();
        Ok(Self { turned_off, earlier })
    }

    /// How it stood before opsctl set it.
    pub(super) fn before(&self, toggle: &Toggle) -> Option<&TurnedOffBy> {
        self.turned_off.of(toggle)
    }

    pub(super) fn earlier(&self, toggle: &Toggle) -> Option<(Setting, Setting)> {
        self.earlier.get(toggle).copied()
    }

    /// How it stood when the run began: what the run has set itself is no change of the world.
    pub(super) fn from(&self, toggle: &Toggle, now: Setting) -> Setting {
        self.earlier(toggle).filter(|(_, to)| *to == now).map_or(now, |(from, _)| from)
    }

    /// A setting that leaves what somebody configured, until it is put back: whichever way it is set, setting it to how it stood is
    /// that. What opsctl has set itself, one run after another, is not what is put back.
    pub(super) fn departs(&self, toggle: Toggle, name: String, now: Setting, to: Setting) -> ToToggle {
        let before = self.before(&toggle).filter(|before| before.is_still_so(now));
        let from = self.from(&toggle, now);
        let stood = before.map_or(from, |before| before.from);
        let memory = if stood == to { Memory::Forget } else { Memory::Keep(stood) };
        ToToggle { toggle, name, from, to, memory }
    }
}

/// `, as before RUN at 2026-11-21 03:15:00 UTC`.
pub(super) fn as_before(TurnedOffBy { at, run, .. }: &TurnedOffBy) -> String {
    format!(", as before {run} at {}", at.strftime("%F %T UTC"))
}
