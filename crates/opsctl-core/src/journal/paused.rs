//! [`Paused`]: which consumers opsctl has paused, so that it resumes those and no others. One file for each account and region.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{JournalError, StateFolder, store};
use crate::domain::{AccountId, QueueName, RunId, consumer::ConsumerId};

/// In the state folder.
const FOLDER: &str = "paused";

/// Paused consumers of an account in a region.
#[derive(Debug, Clone)]
pub struct Paused {
    by_consumer: BTreeMap<String, Pause>,
}

/// A consumer that was paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// For the sake of this queue.
    pub queue: QueueName,
    /// Tasks that a service had; none: a mapping.
    pub desired: Option<u32>,
    pub at: Timestamp,
    pub run: RunId,
}

impl Paused {
    /// What is remembered; a file that is not there remembers nothing.
    ///
    /// # Errors
    /// It is there and can't be read.
    pub fn read(state: &StateFolder, account: &AccountId, region: &str) -> Result<Self, JournalError> {
        let by_consumer = store::read(state, (FOLDER, account, region))?;
        Ok(Self { by_consumer })
    }

    /// What is remembered of a consumer.
    pub fn of(&self, consumer: &ConsumerId) -> Option<&Pause> {
        self.by_consumer.get(&consumer.to_string())
    }

    /// All that is remembered.
    pub fn all(&self) -> impl Iterator<Item = (ConsumerId, &Pause)> {
        self.by_consumer.iter().filter_map(|(name, pause)| Some((ConsumerId::parse(name)?, pause)))
    }

    /// Remembers a consumer. What the same run remembered earlier stays: it saw the size before anything was paused. What another run
    /// left is out of date, for the consumer takes messages, or it would not be paused now.
    pub fn remember(&mut self, consumer: &ConsumerId, pause: Pause) {
        let known = self.by_consumer.entry(consumer.to_string()).or_insert_with(|| pause.clone());
        if known.run != pause.run {
            *known = pause;
        }
    }

    /// Forgets a consumer: it takes messages again, or was not paused after all.
    pub fn forget(&mut self, consumer: &ConsumerId) {
        self.by_consumer.remove(&consumer.to_string());
    }

    /// Changes what is remembered, on disk before it returns: a consumer is paused after that only. Runs at the same time wait for
    /// one another.
    ///
    /// # Errors
    /// It can't be read or written.
    pub fn change(
        state: &StateFolder,
        account: &AccountId,
        region: &str,
        change: impl FnOnce(&mut Self),
    ) -> Result<(), JournalError> {
        store::change(state, (FOLDER, account, region), |known| {
            let mut all = Self { by_consumer: std::mem::take(known) };
            change(&mut all);
            *known = all.by_consumer;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{consumer::MappingId, service::ServiceId};

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
        std::fs::write(store::path(&state, (FOLDER, &account, "af-south-1")), "[").expect("written");
        assert!(Paused::read(&state, &account, "af-south-1").is_err());
    }
}
