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
        let from = self.from(&toggle, now);
        let before = self.before(&toggle);
        let stood = before.filter(|before| before.is_still_so(from)).map_or(from, |before| before.from);
        // A run remembers before it sets: what it has set and nobody remembers, it had put back.
        let is_put_back = before.is_none() && self.earlier(&toggle).is_some_and(|(_, set)| set == now);
        let memory = if stood == to || is_put_back { Memory::Forget } else { Memory::Keep(stood) };
        ToToggle { toggle, name, from, to, memory }
    }
}

/// `, as before RUN at 2026-11-21 03:15:00 UTC`.
pub(super) fn as_before(TurnedOffBy { at, run, .. }: &TurnedOffBy) -> String {
    format!(", as before {run} at {}", at.strftime("%F %T UTC"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::RunId;

    const DAYS: [Setting; 3] = [
        Setting::RetentionSeconds(4 * 86_400),
        Setting::RetentionSeconds(7 * 86_400),
        Setting::RetentionSeconds(14 * 86_400),
    ];

    fn orders() -> Toggle {
        Toggle::Retention("orders".into())
    }

    /// As remembered by run `by`, and as the run that is taken up has set it, if it has.
    fn departs(
        remembered: Option<(Setting, Setting, u32)>,
        earlier: Option<(Setting, Setting)>,
        now: Setting,
        to: Setting,
    ) -> ToToggle {
        let mut turned_off = TurnedOff::default();
        if let Some((from, set, by)) = remembered {
            let (at, run) = (Timestamp::UNIX_EPOCH, RunId::new(Timestamp::UNIX_EPOCH, by));
            turned_off.remember(&orders(), TurnedOffBy { from, to: Some(set), at, run });
        }
        let earlier = earlier.map(|set| (orders(), set)).into_iter().collect();
        Known { turned_off, earlier }.departs(orders(), "orders".to_owned(), now, to)
    }

    #[test]
    fn what_opsctl_has_set_is_never_taken_for_how_it_stood() {
        let [four, seven, fourteen] = DAYS;
        let first = departs(None, None, four, seven);
        assert_eq!((first.from, first.memory), (four, Memory::Keep(four)));
        assert_eq!(departs(Some((four, seven, 1)), None, seven, fourteen).memory, Memory::Keep(four), "run after run");
        assert_eq!(
            departs(Some((four, seven, 1)), None, fourteen, seven).memory,
            Memory::Keep(fourteen),
            "somebody set it since"
        );
        assert_eq!(departs(Some((four, fourteen, 1)), None, fourteen, four).memory, Memory::Forget, "it is put back");
    }

    #[test]
    fn a_resume_keeps_and_forgets_what_the_run_would_have() {
        let [four, seven, fourteen] = DAYS;
        let set = Some((four, fourteen));
        for now in [four, fourteen] {
            let resumed = departs(Some((four, fourteen, 2)), set, now, fourteen);
            assert_eq!((resumed.from, resumed.memory), (four, Memory::Keep(four)), "now {now:?}");
        }
        let back = Some((fourteen, four));
        for now in [four, fourteen] {
            let resumed = departs(Some((four, fourteen, 1)), back, now, four);
            assert_eq!((resumed.from, resumed.memory), (fourteen, Memory::Forget), "now {now:?}");
        }
        assert_eq!(departs(None, back, four, four).memory, Memory::Forget, "killed after it was forgotten");
        assert_eq!(departs(None, back, seven, four).memory, Memory::Keep(seven), "somebody set it since");
    }
}
