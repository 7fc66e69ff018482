//! [`Focus`]: what is on the screen, and so is looked at the most often.

use super::parts::PartName;
use crate::domain::{EnvironmentName, QueueName, ServiceId};

/// What is on the screen now, in place of what was before. Names of environments that are not watched count for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Focus {
    pub queues: Vec<(EnvironmentName, QueueName)>,
    /// What the open view lists, by environment; without one: in all.
    pub parts: Vec<(Option<EnvironmentName>, PartName)>,
    /// Services whose details are shown: their stopped tasks are asked for as well.
    pub services: Vec<(EnvironmentName, ServiceId)>,
}

/// What of it one environment has on the screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) queues: Vec<QueueName>,
    pub(super) parts: Vec<PartName>,
    pub(super) services: Vec<ServiceId>,
}

impl Focus {
    /// What of it an environment has, unless that is what `before` says; cheap where it is.
    pub(super) fn of(&self, name: &EnvironmentName, before: &Shown) -> Option<Shown> {
        let queues = || self.queues.iter().filter(|(environment, _)| environment == name).map(|(_, queue)| queue);
        let is_here = |environment: &Option<EnvironmentName>| environment.as_ref().is_none_or(|wanted| wanted == name);
        let parts = || self.parts.iter().filter(|(environment, _)| is_here(environment)).map(|(_, part)| part);
        let services = || self.services.iter().filter(|(environment, _)| environment == name).map(|(_, id)| id);
        let is_same = before.queues.iter().eq(queues())
            && before.parts.iter().eq(parts())
            && before.services.iter().eq(services());
        (!is_same).then(|| Shown {
            queues: queues().cloned().collect(),
            parts: parts().copied().collect(),
            services: services().cloned().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_environment_has_its_own_part_of_the_screen() {
        let [dev, prod] = ["dev", "prod"].map(|name| EnvironmentName(name.to_owned()));
        let focus = Focus {
            queues: vec![(dev.clone(), "orders".into())],
            parts: vec![(None, PartName::Services), (Some(prod.clone()), PartName::Alarms)],
            services: vec![(prod.clone(), ServiceId::new("main", "api"))],
        };
        let shown = focus.of(&dev, &Shown::default()).expect("something");
        assert_eq!((shown.queues.len(), &shown.parts[..], shown.services.len()), (1, &[PartName::Services][..], 0));
        assert_eq!(focus.of(&dev, &shown), None, "nothing new");
        let shown = focus.of(&prod, &Shown::default()).expect("something");
        assert_eq!((&shown.parts[..], shown.services.len()), (&[PartName::Services, PartName::Alarms][..], 1));
    }
}
