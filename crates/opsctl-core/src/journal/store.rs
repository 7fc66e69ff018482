//! [`Remembered`]: what runs remember for later ones, by name. A file for each account and region, in a folder of its own.

use std::{
    collections::BTreeMap,
    fmt::Display,
    fs,
    io::{ErrorKind, Write},
    path::PathBuf,
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    JournalError, StateFolder,
    folder::{private, sync_folder},
};
use crate::domain::AccountId;

pub trait Remember: Clone + PartialEq + Serialize + DeserializeOwned {
    type Of: Display;

    /// Where it is kept, in the state folder.
    const FOLDER: &'static str;

    /// Whether it takes the place of what is remembered already.
    fn replaces(&self, known: &Self) -> bool;
}

/// What is remembered of an account's things in a region.
#[derive(Debug, Clone)]
pub struct Remembered<V> {
    pub(super) by_name: BTreeMap<String, V>,
}

impl<V> Default for Remembered<V> {
    fn default() -> Self {
        Self { by_name: BTreeMap::new() }
    }
}

impl<V: Remember> Remembered<V> {
    /// What is remembered; a file that is not there remembers nothing.
    ///
    /// # Errors
    /// It is there and can't be read.
    pub fn read(state: &StateFolder, account: &AccountId, region: &str) -> Result<Self, JournalError> {
        let path = Self::path(state, account, region);
        match fs::read(&path) {
            Ok(bytes) => {
                let broken = |error: serde_json::Error| JournalError::io("read", &path)(error.into());
                Ok(Self { by_name: serde_json::from_slice(&bytes).map_err(broken)? })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(JournalError::io("read", &path)(error)),
        }
    }

    /// Names of all that is remembered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    pub fn of(&self, one: &V::Of) -> Option<&V> {
        self.by_name.get(&one.to_string())
    }

    /// All that is remembered, under the names that things show themselves by.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &V)> {
        self.by_name.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub fn remember(&mut self, one: &V::Of, value: V) {
        let known = self.by_name.entry(one.to_string()).or_insert_with(|| value.clone());
        if value.replaces(known) {
            *known = value;
        }
    }

    pub fn forget(&mut self, one: &V::Of) {
        self.by_name.remove(&one.to_string());
    }

    /// Changes what is remembered, on disk before it returns. Runs at the same time wait for one another.
    pub fn change(
        state: &StateFolder,
        account: &AccountId,
        region: &str,
        change: impl FnOnce(&mut Self),
    ) -> Result<(), JournalError> {
        let path = Self::path(state, account, region);
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder).map_err(JournalError::io("make", folder))?;
        let lock_path = path.with_extension("lock");
        let lock = private(&lock_path).map_err(JournalError::io("open", &lock_path))?;
        lock.lock().map_err(JournalError::io("lock", &lock_path))?;
        let mut known = Self::read(state, account, region)?;
        let before = known.by_name.clone();
        change(&mut known);
        if known.by_name == before {
            return Ok(());
        }
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, &known.by_name)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(JournalError::io("write", &path))?;
        sync_folder(folder)
    }

    pub(super) fn path(state: &StateFolder, account: &AccountId, region: &str) -> PathBuf {
        let plain =
            |text: &str| text.chars().filter(|one| one.is_ascii_alphanumeric() || *one == '-').collect::<String>();
        state.path().join(V::FOLDER).join(format!("{}-{}.json", plain(&account.0), plain(region)))
    }
}
