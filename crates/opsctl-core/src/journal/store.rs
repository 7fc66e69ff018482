//! What runs remember for later ones, by name: a file for each account and region, in a folder of its own.

use std::{
    collections::BTreeMap,
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

/// Where it is kept: the folder's name in the state folder, the account and the region.
pub(super) type Place<'a> = (&'static str, &'a AccountId, &'a str);

/// # Errors
/// The file can't be read; that there is none yet is no error.
pub(super) fn read<V: DeserializeOwned>(
    state: &StateFolder,
    place: Place<'_>,
) -> Result<BTreeMap<String, V>, JournalError> {
    let path = path(state, place);
    match fs::read(&path) {
        Ok(bytes) => {
            let broken = |error: serde_json::Error| JournalError::io("read", &path)(error.into());
            serde_json::from_slice(&bytes).map_err(broken)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(JournalError::io("read", &path)(error)),
    }
}

/// Changes what is remembered, on disk before it returns. Runs at the same time wait for one another.
///
/// # Errors
/// It can't be read or written.
pub(super) fn change<V: Clone + PartialEq + Serialize + DeserializeOwned>(
    state: &StateFolder,
    place: Place<'_>,
    change: impl FnOnce(&mut BTreeMap<String, V>),
) -> Result<(), JournalError> {
    let path = path(state, place);
    let folder = path.parent().unwrap_or(&path);
    fs::create_dir_all(folder).map_err(JournalError::io("make", folder))?;
    let lock_path = path.with_extension("lock");
    let lock = private(&lock_path).map_err(JournalError::io("open", &lock_path))?;
    lock.lock().map_err(JournalError::io("lock", &lock_path))?;
    let before = read(state, place)?;
    let mut known = before.clone();
    change(&mut known);
    if known == before {
        return Ok(());
    }
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, &known)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(JournalError::io("write", &path))?;
    sync_folder(folder)
}

pub(super) fn path(state: &StateFolder, (folder, account, region): Place<'_>) -> PathBuf {
    let plain = |text: &str| text.chars().filter(|one| one.is_ascii_alphanumeric() || *one == '-').collect::<String>();
    state.path().join(folder).join(format!("{}-{}.json", plain(&account.0), plain(region)))
}
