//! Where journals ended when they were last written: an append-only, chained index in the state folder, `heads.jsonl`.
//!
//! A journal's chain proves every line but its last, for no line follows that carries its hash, and says nothing of a tail that was
//! cut off. The index has the number and hash of a run's last line: written when the run ends, and for a run that broke off when the
//! next one begins. A crash in between leaves a run without an entry: then its tail can't be proven, and that is all that is said.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    JournalError, RunFolder,
    folder::{private, sync_folder},
    reader::NO_LINE,
};
use crate::domain::{RunId, message::hex};

/// The index's last line is looked for in this many bytes from its end; a line has about 300.
const TAIL_BYTES_MAX: u64 = 64 * 1024;
/// Runs that broke off and are looked at when another begins, newest first.
const EARLIER_MAX: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) run: RunId,
    /// Number of its last line, from 0.
    pub(super) seq: u64,
    /// SHA-256 of that line.
    pub(super) hash: String,
    pub(super) at: Timestamp,
    /// SHA-256 of the index's line before.
    pub(super) prev: String,
}

/// What the index says of each run, and where it stops being what was written.
#[derive(Debug, Clone, Default)]
pub struct Heads {
    last: HashMap<RunId, (u64, String)>,
    /// The line of the index that is not what was written, from 1.
    pub broken_at: Option<u64>,
}

impl Heads {
    /// Reads the index; that there is none yet is no error. What follows a line that is not what was written counts for nothing.
    pub fn read(state: &Path) -> Result<Self, JournalError> {
        let path = path(state);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(JournalError::io("read", &path)(error)),
        };
        let (mut heads, mut prev) = (Self::default(), NO_LINE.to_owned());
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for (number, line) in text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
            match serde_json::from_slice::<Head>(line) {
                Ok(head) if head.prev == prev => {
                    prev = hex(&Sha256::digest(line));
                    heads.last.insert(head.run, (head.seq, head.hash));
                }
                Ok(_) | Err(_) => {
                    heads.broken_at = Some(number as u64 + 1);
                    break;
                }
            }
        }
        Ok(heads)
    }

    /// Number and hash of the last line that is known of a run's journal.
    pub(super) fn of(&self, run: &RunId) -> Option<&(u64, String)> {
        self.last.get(run)
    }
}

fn path(state: &Path) -> PathBuf {
    state.join("heads.jsonl")
}

/// Writes down where a journal ends; durable when this answers.
///
/// # Errors
/// It can't be written: the run's tail can't be proven then.
pub(super) fn anchor(state: &Path, run: &RunId, seq: u64, hash: &str, at: Timestamp) -> Result<(), JournalError> {
    let path = path(state);
    let io = |doing| JournalError::io(doing, &path);
    let mut file = private(&path).map_err(io("open"))?;
    // Runs of several processes end at once; the lock goes with the file.
    file.lock().map_err(io("lock"))?;
    let (prev, end) = last_line(&mut file).map_err(io("read"))?;
    // Half a line of a crash must not stay before this one.
    file.set_len(end).map_err(io("mend"))?;
    let head = Head { run: run.clone(), seq, hash: hash.to_owned(), at, prev };
    let mut line = serde_json::to_vec(&head).map_err(|error| io("write")(error.into()))?;
    line.push(b'\n');
    if let Err(error) = file.write_all(&line).and_then(|()| file.sync_data()) {
        let _ = file.set_len(end);
        return Err(io("write")(error));
    }
    if end == 0 { sync_folder(state) } else { Ok(()) }
}

/// Hash of the last whole line, and where it ends.
fn last_line(file: &mut File) -> std::io::Result<(String, u64)> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL_BYTES_MAX);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES_MAX).read_to_end(&mut tail)?;
    let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else { return Ok((NO_LINE.to_owned(), 0)) };
    let begin = tail[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok((hex(&Sha256::digest(&tail[begin..end])), start + end as u64 + 1))
}

/// Writes down where the newest earlier runs ended that broke off, before another one begins.
pub(super) fn anchor_earlier(folder: &RunFolder, at: Timestamp) -> Result<(), JournalError> {
    let heads = Heads::read(folder.state())?;
    for earlier in folder.earlier(EARLIER_MAX)? {
        // Held meanwhile, so that nobody writes; one that is worked on is nobody's to anchor.
        let Ok(_held) = earlier.lock() else { continue };
        let Ok(Some((entry, hash))) = earlier.last_line() else { continue };
        // Where the index knows a later line, the journal was cut: that must stay to be seen.
        if heads.of(earlier.run()).is_none_or(|(seq, _)| *seq < entry.seq) {
            anchor(folder.state(), earlier.run(), entry.seq, &hash, at)?;
        }
    }
    Ok(())
}
