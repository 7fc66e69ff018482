//! The file that messages which came back are parked in: written when a run ends, or by the resume of one that could not.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::{
    domain::{MessageId, Text},
    journal::{RunFolder, SavedLines},
};

/// Writes the messages that were deleted without being sent, and no others. The file is whole or not there; what an earlier try of
/// the run wrote is replaced, and nothing else ever is.
pub(super) fn write(file: &Path, folder: &RunFolder, removed: &HashSet<MessageId>) -> Result<u64, Text> {
    let say = |error: &dyn std::fmt::Display| Text::line(&error.to_string());
    let beside = beside(file, folder);
    let written = fill(&beside, folder, removed).map_err(|error| say(&error));
    let placed =
        written.and_then(|messages| place(&beside, file, removed).map(|()| messages).map_err(|error| say(&error)));
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    placed
}

/// Only this run writes there, and only one process at a time.
fn beside(file: &Path, folder: &RunFolder) -> PathBuf {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    file.with_file_name(format!(".{name}.{}", folder.run()))
}

fn fill(beside: &Path, folder: &RunFolder, removed: &HashSet<MessageId>) -> io::Result<u64> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(beside)?;
    let mut parked = BufWriter::new(file);
    // A message that two tries met has two lines.
    let mut written = HashSet::new();
    for saved in SavedLines::open(&folder.snapshot()).map_err(io::Error::other)? {
        let saved = saved.map_err(io::Error::other)?;
        if removed.contains(&saved.message.id) && written.insert(saved.message.id.clone()) {
            serde_json::to_writer(&mut parked, &saved)?;
            parked.write_all(b"\n")?;
        }
    }
    parked.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(written.len() as u64)
}

fn place(beside: &Path, file: &Path, removed: &HashSet<MessageId>) -> io::Result<()> {
    if is_an_earlier_trys(file, removed) {
        fs::rename(beside, file)?;
    } else {
        // Unlike a rename, a link never takes the place of another file.
        fs::hard_link(beside, file)?;
        fs::remove_file(beside)?;
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Whether all that stands in the file are messages of this run. Half a line is none: an earlier version wrote the file in place.
fn is_an_earlier_trys(file: &Path, removed: &HashSet<MessageId>) -> bool {
    file.is_file()
        && SavedLines::open(file)
            .is_ok_and(|mut lines| lines.all(|saved| saved.is_ok_and(|saved| removed.contains(&saved.message.id))))
}
