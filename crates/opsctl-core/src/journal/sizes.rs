//! [`Sizes`]: how many tasks each service had before it was put to sleep. One file for each account and region.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{JournalError, StateFolder, store};
use crate::domain::{AccountId, RunId, service::ServiceId};

/// In the state folder.
const FOLDER: &str = "sizes";

/// Sizes of an account's services in a region.
#[derive(Debug, Default)]
pub struct Sizes {
    by_service: BTreeMap<String, Size>,
}

/// How large a service was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub desired: u32,
    /// When it was put to sleep.
    pub at: Timestamp,
    pub run: RunId,
}

impl Sizes {
    /// What is remembered; a file that is not there remembers nothing.
    ///
    /// # Errors
    /// It is there and can't be read.
    pub fn read(state: &StateFolder, account: &AccountId, region: &str) -> Result<Self, JournalError> {
        let by_service = store::read(state, (FOLDER, account, region))?;
        Ok(Self { by_service })
    }

    /// A service's size before it slept.
    pub fn of(&self, service: &ServiceId) -> Option<&Size> {
        self.by_service.get(&service.to_string())
    }

    pub fn remember(&mut self, service: &ServiceId, size: Size) {
        self.by_service.insert(service.to_string(), size);
    }

    pub fn forget(&mut self, service: &ServiceId) {
        self.by_service.remove(&service.to_string());
    }

    /// Changes what is remembered, on disk before it returns: a service is put to sleep after that only. Runs at the same time
    /// wait for one another.
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
            let mut all = Self { by_service: std::mem::take(known) };
            change(&mut all);
            *known = all.by_service;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_remembered_and_a_broken_file_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::new(folder.path());
        let account = AccountId("111111111111".to_owned());
        let read = || Sizes::read(&state, &account, "af-south-1");
        let service = ServiceId::new("main", "api");
        assert_eq!(read().expect("none yet").of(&service), None);
        let size = Size { desired: 3, at: Timestamp::UNIX_EPOCH, run: RunId::new(Timestamp::UNIX_EPOCH, 7) };
        let change = |change: &dyn Fn(&mut Sizes)| Sizes::change(&state, &account, "af-south-1", |sizes| change(sizes));
        change(&|sizes| sizes.remember(&service, size.clone())).expect("written");
        assert_eq!(read().expect("there").of(&service), Some(&size));
        change(&|sizes| sizes.forget(&service)).expect("written");
        assert_eq!(read().expect("there").of(&service), None);
        std::fs::write(store::path(&state, (FOLDER, &account, "af-south-1")), "{").expect("written");
        assert!(read().is_err() && change(&|sizes| sizes.forget(&service)).is_err());
    }

    #[test]
    fn two_that_remember_at_once_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::new(folder.path());
        let account = AccountId("111111111111".to_owned());
        let service = |number: usize| ServiceId::new("main", &format!("api-{number}"));
        std::thread::scope(|scope| {
            for number in 0..16 {
                let (state, account) = (&state, &account);
                scope.spawn(move || {
                    let size =
                        Size { desired: 1, at: Timestamp::UNIX_EPOCH, run: RunId::new(Timestamp::UNIX_EPOCH, 7) };
                    Sizes::change(state, account, "x", |sizes| sizes.remember(&service(number), size))
                        .expect("written");
                });
            }
        });
        let sizes = Sizes::read(&state, &account, "x").expect("there");
        assert!((0..16).all(|number| sizes.of(&service(number)).is_some()), "{sizes:?}");
    }
}
