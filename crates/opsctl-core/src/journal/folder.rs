//! Where journals lie: the user's state folder, a folder for each run.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{End, Entry, JournalError, Record};
use crate::domain::{RunId, Text, message::hex};

/// Runs looked at when they are listed, newest first.
const RUNS_MAX: usize = 10_000;
/// Runs among which open ones are looked for.
const OPEN_AMONG: usize = 500;
/// A journal's last line is looked for in this many bytes from its end.
const TAIL_BYTES_MAX: i64 = 256 * 1024;

/// opsctl's state folder, `$XDG_STATE_HOME/opsctl` for instance.
#[derive(Debug, Clone)]
pub struct StateFolder(PathBuf);

#[derive(Debug, Clone)]
pub struct RunFolder {
    run: RunId,
    path: PathBuf,
}

/// A name that this process holds; let go when dropped, also by the end of the process.
#[derive(Debug)]
pub struct Held {
    _file: File,
}

#[derive(Debug, Clone, Serialize)]
pub struct RunSummary {
    pub run: RunId,
    pub opened: Entry,
    pub last: Entry,
    /// Whether a process works on it now.
    pub busy: bool,
}

impl RunSummary {
    /// How it ended; none when it broke off.
    pub fn end(&self) -> Option<End> {
        match &self.last.record {
            Record::Ended { end, .. } => Some(*end),
            _ => None,
        }
    }

    pub fn parent(&self) -> Option<&RunId> {
        match &self.opened.record {
            Record::Opened { parent, .. } => parent.as_ref(),
            _ => None,
        }
    }

    /// The runbook that it is a run of.
    pub fn runbook(&self) -> Option<&Text> {
        match &self.opened.record {
            Record::RunbookOpened { runbook, .. } => Some(runbook),
            _ => None,
        }
    }

    /// Of a runbook: the earlier run that it goes on from.
    pub fn continues(&self) -> Option<&RunId> {
        match &self.opened.record {
            Record::RunbookOpened { continues, .. } => continues.as_ref(),
            _ => None,
        }
    }

    /// Where it acts.
    pub fn environment(&self) -> Option<&str> {
        match &self.opened.record {
            Record::RunbookOpened { environment, .. } => Some(&environment.0),
            _ => self.plan_text("/environment"),
        }
    }

    /// The name of its operation, or `runbook`.
    pub fn operation(&self) -> Option<&str> {
        match &self.opened.record {
            Record::RunbookOpened { .. } => Some("runbook"),
            _ => self.plan_text("/operation/operation"),
        }
    }

    /// What it is about: a queue, a database, a runbook.
    pub fn resource(&self) -> Option<&str> {
        match &self.opened.record {
            Record::RunbookOpened { runbook, .. } => Some(runbook.as_str()),
            _ => self.plan_text("/resource"),
        }
    }

    /// A field of the plan, by JSON pointer.
    pub fn plan_text(&self, pointer: &str) -> Option<&str> {
        match &self.opened.record {
            Record::Opened { plan, .. } => plan.pointer(pointer)?.as_str(),
            _ => None,
        }
    }

    /// Whether something of it is still to be done: it broke off, or ended with a part left.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.end(), None | Some(End::Partly | End::Interrupted))
    }
}

impl StateFolder {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    fn runs(&self) -> PathBuf {
        self.0.join("runs")
    }

    /// A new run's folder, for this user alone (0700).
    pub fn create(&self, run: &RunId) -> Result<RunFolder, JournalError> {
        let path = self.runs().join(run.as_str());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(self.runs())
            .map_err(JournalError::io("make folder", &self.runs()))?;
        DirBuilder::new().mode(0o700).create(&path).map_err(JournalError::io("make folder", &path))?;
        sync_folder(&self.runs())?;
        Ok(RunFolder { run: run.clone(), path })
    }

    /// An earlier run's folder.
    ///
    /// # Errors
    /// There is none.
    pub fn open(&self, run: &RunId) -> Result<RunFolder, JournalError> {
        let path = self.runs().join(run.as_str());
        if !path.join("journal.jsonl").is_file() {
            return Err(JournalError::Missing { run: run.to_string(), folder: self.runs() });
        }
        Ok(RunFolder { run: run.clone(), path })
    }

    /// Holds a name for as long as the answer is kept; none: another process of this machine holds it.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn hold(&self, name: &str) -> Result<Option<Held>, JournalError> {
        let folder = self.0.join("locks");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(JournalError::io("make folder", &folder))?;
        let path = folder.join(name);
        let file = private(&path).map_err(JournalError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Held { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(JournalError::io("lock", &path)(error)),
        }
    }

    /// Runs, newest first; those whose journal can't be read are left out.
    ///
    /// # Errors
    /// The folder can't be read; that there is none yet is no error.
    pub fn list(&self) -> Result<Vec<RunSummary>, JournalError> {
        Ok(self.run_ids()?.iter().filter_map(|run| self.open(run).ok()?.summary().ok()).collect())
    }

    /// Runs of runbooks that have not ended, newest first, among the newest so many runs of all.
    ///
    /// # Errors
    /// The folder can't be read.
    pub fn open_runbooks(&self) -> Result<Vec<RunSummary>, JournalError> {
        let newest = self.run_ids()?.into_iter().take(OPEN_AMONG);
        let summaries = newest.filter_map(|run| self.open(&run).ok()?.summary().ok());
        Ok(summaries.filter(|run| run.runbook().is_some() && run.end().is_none()).collect())
    }

    /// Runs that have a folder, newest first, whether their journals can be read or not.
    pub fn run_ids(&self) -> Result<Vec<RunId>, JournalError> {
        let entries = match fs::read_dir(self.runs()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(JournalError::io("read folder", &self.runs())(error)),
        };
        let mut runs: Vec<RunId> =
            entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        runs.sort_unstable_by(|a, b| b.cmp(a));
        runs.truncate(RUNS_MAX);
        Ok(runs)
    }
}

impl RunFolder {
    pub fn run(&self) -> &RunId {
        &self.run
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The state folder that it lies in.
    pub(super) fn state(&self) -> &Path {
        self.path.ancestors().nth(2).unwrap_or(&self.path)
    }

    /// Folders of runs that began earlier, newest first, at most so many.
    pub(super) fn earlier(&self, runs_max: usize) -> Result<Vec<Self>, JournalError> {
        let state = StateFolder::new(self.state());
        let mut runs = state.run_ids()?;
        runs.retain(|run| *run < self.run);
        runs.truncate(runs_max);
        Ok(runs.iter().filter_map(|run| state.open(run).ok()).collect())
    }

    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    pub fn snapshot(&self) -> PathBuf {
        self.path.join("snapshot.jsonl")
    }

    /// Makes sure that no other process works on this run for as long as the file is kept.
    pub(super) fn lock(&self) -> Result<File, JournalError> {
        let path = self.path.join("lock");
        let file = private(&path).map_err(JournalError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(JournalError::Busy { run: self.run.to_string() }),
            Err(TryLockError::Error(error)) => Err(JournalError::io("lock", &path)(error)),
        }
    }

    /// Whether another process works on this run just now.
    pub fn is_busy(&self) -> bool {
        matches!(self.lock(), Err(JournalError::Busy { .. }))
    }

    pub fn summary(&self) -> Result<RunSummary, JournalError> {
        let path = self.journal();
        let broken = |line, because: &str| JournalError::Broken { path: path.clone(), line, because: because.into() };
        let mut lines = super::Lines::open(&path)?;
        let opened = lines.next().ok_or_else(|| broken(1, "it is empty"))??.entry;
        let last = self.last_line()?.map_or_else(|| opened.clone(), |(entry, _)| entry);
        // One that has ended is nobody's: its lock need not be asked for.
        let busy = !matches!(last.record, Record::Ended { .. }) && self.is_busy();
        Ok(RunSummary { run: self.run.clone(), opened, last, busy })
    }

    /// The last whole line, and its SHA-256.
    pub(super) fn last_line(&self) -> Result<Option<(Entry, String)>, JournalError> {
        let path = self.journal();
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(&path)?;
            let length = file.metadata()?.len() as i64;
            file.seek(SeekFrom::End(-length.min(TAIL_BYTES_MAX)))?;
            let mut tail = Vec::new();
            file.take(TAIL_BYTES_MAX as u64).read_to_end(&mut tail)?;
            Ok(tail)
        };
        let tail = read().map_err(JournalError::io("read", &path))?;
        // What follows the last line feed was torn by a crash.
        let whole = tail.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let mut lines = tail[..whole].rsplit(|byte| *byte == b'\n');
        Ok(lines.find_map(|line| Some((serde_json::from_slice(line).ok()?, hex(&Sha256::digest(line))))))
    }
}

/// Opens for reading and appending, for this user alone (0600).
pub(super) fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

pub(super) fn sync_folder(path: &Path) -> Result<(), JournalError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(JournalError::io("sync folder", path))
}
