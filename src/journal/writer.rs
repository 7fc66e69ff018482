//! Writes a journal: one writer, group commit.

use std::{
    fs::File,
    io::Write,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

use super::{
    JournalError, Lines, Record, RunFolder,
    folder::{private, sync_folder},
    reader::NO_LINE,
};
use crate::{
    clock::Clock,
    domain::{Text, message::hex},
};

/// Commits that wait; each lane has at most a few.
const WAITING_MAX: usize = 256;

/// A run's journal, open for writing. Cheap to clone; the last clone's end closes it.
#[derive(Debug, Clone)]
pub struct Journal {
    commits: mpsc::Sender<Commit>,
    folder: Arc<RunFolder>,
}

#[derive(Debug)]
struct Commit {
    records: Vec<Record>,
    snapshot: Vec<u8>,
    done: oneshot::Sender<Result<(), JournalError>>,
}

impl Journal {
    /// A new run's journal.
    ///
    /// # Errors
    /// It can't be made or locked.
    pub fn create(folder: RunFolder, clock: Clock) -> Result<Self, JournalError> {
        Self::open(folder, clock, Tail { seq: 0, prev: NO_LINE.to_owned(), end: 0 })
    }

    /// An earlier run's journal, to go on with. A torn last line is cut off.
    ///
    /// # Errors
    /// It can't be read or locked, or its chain is broken.
    pub fn reopen(folder: RunFolder, clock: Clock) -> Result<Self, JournalError> {
        let mut tail = Tail { seq: 0, prev: NO_LINE.to_owned(), end: 0 };
        for line in Lines::open(&folder.journal())? {
            let line = line?;
            tail = Tail { seq: line.entry.seq + 1, prev: line.hash, end: line.end };
        }
        Self::open(folder, clock, tail)
    }

    fn open(folder: RunFolder, clock: Clock, tail: Tail) -> Result<Self, JournalError> {
        let lock = folder.lock()?;
        let path = folder.journal();
        let journal = private(&path).map_err(JournalError::io("open", &path))?;
        journal.set_len(tail.end).map_err(JournalError::io("mend", &path))?;
        sync_folder(folder.path())?;
        let files = Files { journal, path, snapshot: None, snapshot_path: folder.snapshot(), tail, clock, _lock: lock };
        let (commits, queue) = mpsc::channel(WAITING_MAX);
        tokio::spawn(write_all(Arc::new(Mutex::new(files)), queue));
        Ok(Self { commits, folder: Arc::new(folder) })
    }

    /// The run's folder.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Writes records, and before them finished lines of the snapshot; both are durable when this answers.
    ///
    /// # Errors
    /// They could not be written; the journal stops then for good, so that nothing is done unrecorded.
    pub async fn write(&self, records: Vec<Record>, snapshot: Vec<u8>) -> Result<(), JournalError> {
        let stopped = || JournalError::Stopped { first: Text::line("its writer has ended") };
        let (done, answer) = oneshot::channel();
        self.commits.send(Commit { records, snapshot, done }).await.map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }
}

/// Takes what waits, writes it, syncs once, answers all: lanes share the disk's slowness.
async fn write_all(files: Arc<Mutex<Files>>, mut queue: mpsc::Receiver<Commit>) {
    let mut failure: Option<Text> = None;
    while let Some(first) = queue.recv().await {
        let mut commits = vec![first];
        while commits.len() < WAITING_MAX
            && let Ok(next) = queue.try_recv()
        {
            commits.push(next);
        }
        if failure.is_none() {
            let (records, snapshot): (Vec<_>, Vec<_>) = commits
                .iter_mut()
                .map(|commit| (std::mem::take(&mut commit.records), std::mem::take(&mut commit.snapshot)))
                .unzip();
            let files = Arc::clone(&files);
            // On the blocking pool rather than a thread of its own: tokio's paused time waits for the pool.
            let written = tokio::task::spawn_blocking(move || {
                files.lock().unwrap_or_else(PoisonError::into_inner).commit(&records.concat(), &snapshot.concat())
            });
            let written = written
                .await
                .unwrap_or_else(|error| Err(JournalError::Stopped { first: Text::line(&error.to_string()) }));
            if let Err(error) = written {
                failure = Some(Text::line(&error.to_string()));
                answer_first(&mut commits, error);
            }
        }
        for commit in commits {
            let answer = failure.clone().map_or(Ok(()), |first| Err(JournalError::Stopped { first }));
            // Nobody waits any more when its lane was dropped; what was written stands all the same.
            let _ = commit.done.send(answer);
        }
    }
}

fn answer_first(commits: &mut Vec<Commit>, error: JournalError) {
    if !commits.is_empty() {
        let _ = commits.remove(0).done.send(Err(error));
    }
}

#[derive(Debug)]
struct Tail {
    seq: u64,
    prev: String,
    end: u64,
}

#[derive(Debug)]
struct Files {
    journal: File,
    path: PathBuf,
    snapshot: Option<File>,
    snapshot_path: PathBuf,
    tail: Tail,
    clock: Clock,
    _lock: File,
}

impl Files {
    fn commit(&mut self, records: &[Record], snapshot: &[u8]) -> Result<(), JournalError> {
        if !snapshot.is_empty() {
            self.append_snapshot(snapshot)?;
        }
        let at = self.clock.now();
        let mut text = Vec::with_capacity(records.len() * 512);
        let (mut seq, mut prev) = (self.tail.seq, self.tail.prev.clone());
        for record in records {
            let start = text.len();
            let entry = EntryRef { seq, at, prev: &prev, record };
            serde_json::to_writer(&mut text, &entry)
                .map_err(|error| JournalError::io("write", &self.path)(error.into()))?;
            seq += 1;
            prev = hex(&Sha256::digest(&text[start..]));
            text.push(b'\n');
        }
        let written = self.journal.write_all(&text).and_then(|()| self.journal.sync_data());
        if let Err(error) = written {
            // Half a line must not stay before lines that a later try appends.
            let _ = self.journal.set_len(self.tail.end);
            return Err(JournalError::io("write", &self.path)(error));
        }
        self.tail = Tail { seq, prev, end: self.tail.end + text.len() as u64 };
        Ok(())
    }

    fn append_snapshot(&mut self, lines: &[u8]) -> Result<(), JournalError> {
        let path = &self.snapshot_path;
        let mut file = match self.snapshot.take() {
            Some(file) => file,
            None => private(path).map_err(JournalError::io("open", path))?,
        };
        file.write_all(lines).and_then(|()| file.sync_data()).map_err(JournalError::io("write", path))?;
        self.snapshot = Some(file);
        Ok(())
    }
}

#[derive(serde::Serialize)]
struct EntryRef<'a> {
    seq: u64,
    at: jiff::Timestamp,
    prev: &'a str,
    #[serde(flatten)]
    record: &'a Record,
}
