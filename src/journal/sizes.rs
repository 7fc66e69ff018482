//! [`Sizes`]: how many tasks each service had before it was put to sleep. One file for each account and region.

use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Write},
    path::PathBuf,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{JournalError, StateFolder};
use crate::domain::{AccountId, RunId, service::ServiceId};

/// Sizes of an account's services in a region.
#[derive(Debug)]
pub struct Sizes {
    path: PathBuf,
    by_service: BTreeMap<String, Size>,
}

/// How large a service was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Tasks.
    pub desired: u32,
    /// When it was put to sleep.
    pub at: Timestamp,
    /// By which run.
    pub run: RunId,
}

impl Sizes {
    /// What is remembered; a file that is not there remembers nothing.
    ///
    /// # Errors
    /// It is there and can't be read.
    pub fn read(state: &StateFolder, account: &AccountId, region: &str) -> Result<Self, JournalError> {
        let plain =
            |text: &str| text.chars().filter(|one| one.is_ascii_alphanumeric() || *one == '-').collect::<String>();
        let path = state.path().join("sizes").join(format!("{}-{}.json", plain(&account.0), plain(region)));
        let by_service = match fs::read(&path) {
            Ok(bytes) => {
                let broken = |error: serde_json::Error| JournalError::io("read", &path)(error.into());
                serde_json::from_slice(&bytes).map_err(broken)?
            }
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(JournalError::io("read", &path)(error)),
        };
        Ok(Self { path, by_service })
    }

    /// A service's size before it slept.
    pub fn of(&self, service: &ServiceId) -> Option<&Size> {
        self.by_service.get(&service.to_string())
    }

    /// Remembers sizes, on disk before it returns: a service is put to sleep after that only.
    ///
    /// # Errors
    /// They can't be written.
    pub fn remember(&mut self, sizes: impl IntoIterator<Item = (ServiceId, Size)>) -> Result<(), JournalError> {
        self.by_service.extend(sizes.into_iter().map(|(service, size)| (service.to_string(), size)));
        let folder = self.path.parent().unwrap_or(&self.path);
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, &self.by_service)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(JournalError::io("write", &self.path))
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
        read().expect("none yet").remember([(service.clone(), size.clone())]).expect("written");
        let sizes = read().expect("there");
        assert_eq!(sizes.of(&service), Some(&size));
        fs::write(&sizes.path, "{").expect("written");
        assert!(read().is_err());
    }
}
