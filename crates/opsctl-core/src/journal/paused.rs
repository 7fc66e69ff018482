//! [`Paused`]: which consumers opsctl has paused, so that it resumes those and no others. One file for each account and region.

use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Write},
    path::PathBuf,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    JournalError, StateFolder,
    folder::{private, sync_folder},
};
use crate::domain::{AccountId, QueueName, RunId, consumer::ConsumerId};

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
        let path = path(state, account, region);
        let by_consumer = match fs::read(&path) {
            Ok(bytes) => {
                let broken = |error: serde_json::Error| JournalError::io("read", &path)(error.into());
                serde_json::from_slice(&bytes).map_err(broken)?
            }
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(JournalError::io("read", &path)(error)),
        };
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
        let path = path(state, account, region);
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder).map_err(JournalError::io("make", folder))?;
        let lock_path = path.with_extension("lock");
        let lock = private(&lock_path).map_err(JournalError::io("open", &lock_path))?;
        lock.lock().map_err(JournalError::io("lock", &lock_path))?;
        let mut paused = Self::read(state, account, region)?;
        let before = paused.by_consumer.clone();
        change(&mut paused);
        if paused.by_consumer == before {
            return Ok(());
        }
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, &paused.by_consumer)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(JournalError::io("write", &path))?;
        sync_folder(folder)
    }
}

fn path(state: &StateFolder, account: &AccountId, region: &str) -> PathBuf {
    let plain = |text: &str| text.chars().filter(|one| one.is_ascii_alphanumeric() || *one == '-').collect::<String>();
    state.path().join("paused").join(format!("{}-{}.json", plain(&account.0), plain(region)))
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
        fs::write(path(&state, &account, "af-south-1"), "[").expect("written");
        assert!(Paused::read(&state, &account, "af-south-1").is_err());
    }
}
