//! [`Paused`]: which consumers opsctl has paused, so that it resumes those and no others.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Remembered, store::Remember};
use crate::domain::{ConsumerId, QueueName, RunId};

/// Paused consumers of an account in a region.
pub type Paused = Remembered<Pause>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// For the sake of this queue.
    pub queue: QueueName,
    /// Tasks that a service had; none: a mapping.
    pub desired: Option<u32>,
    pub at: Timestamp,
    pub run: RunId,
}

impl Remember for Pause {
    type Of = ConsumerId;

    const FOLDER: &'static str = "paused";

    /// What the same run remembered earlier stays: it saw the size before anything was paused. What another run left is out of date,
    /// for the consumer takes messages, or it would not be paused now.
    fn replaces(&self, known: &Self) -> bool {
        known.run != self.run
    }
}

impl Paused {
    pub fn all(&self) -> impl Iterator<Item = (ConsumerId, &Pause)> {
        self.by_name.iter().filter_map(|(name, pause)| Some((ConsumerId::parse(name)?, pause)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{AccountId, MappingId, ServiceId},
        journal::StateFolder,
    };

    #[test]
    fn who_was_paused_is_remembered_once_and_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::new(folder.path());
        let account = AccountId("111111111111".to_owned());
        let read = || Paused::read(&state, &account, "af-south-1").expect("readable");
        let service = ConsumerId::Service(ServiceId::new("main", "worker"));
        let mapping = ConsumerId::Mapping(MappingId("0-1".to_owned()));
        let pause_by = |run, queue: &str, desired| Pause {
            queue: QueueName(queue.to_owned()),
            desired,
            at: Timestamp::UNIX_EPOCH,
            run: RunId::new(Timestamp::UNIX_EPOCH, run),
        };
        let pause = |desired| pause_by(7, "orders", desired);
        let change =
            |change: &dyn Fn(&mut Paused)| Paused::change(&state, &account, "af-south-1", |paused| change(paused));
        change(&|paused| paused.remember(&service, pause(Some(3)))).expect("written");
        change(&|paused| paused.remember(&service, pause(Some(0)))).expect("written");
        change(&|paused| paused.remember(&mapping, pause(None))).expect("written");
        assert_eq!(read().of(&service).and_then(|pause| pause.desired), Some(3), "the first size counts");
        assert_eq!(read().all().map(|(id, _)| id).collect::<Vec<_>>(), [mapping.clone(), service.clone()]);
        change(&|paused| paused.remember(&service, pause_by(8, "bills", Some(5)))).expect("written");
        assert_eq!(read().of(&service), Some(&pause_by(8, "bills", Some(5))), "what another run left is out of date");
        change(&|paused| paused.forget(&service)).expect("written");
        assert_eq!((read().of(&service), read().of(&mapping).is_some()), (None, true));
        std::fs::write(Paused::path(&state, &account, "af-south-1"), "[").expect("written");
        assert!(Paused::read(&state, &account, "af-south-1").is_err());
    }
}
