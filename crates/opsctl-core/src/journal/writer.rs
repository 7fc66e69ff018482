//! Writes a journal: one writer, group commit.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

use super::{
    Heads, History, JournalError, Lines, Record, RunFolder,
    check::Proof,
    folder::{private, sync_folder},
    heads,
    history::Reading,
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
    /// Nothing follows: the lock is let go before the answer.
    last: bool,
    done: oneshot::Sender<Result<(), JournalError>>,
}

impl Journal {
    /// A new run's journal.
    ///
    /// # Errors
    /// It can't be made or locked.
    pub fn create(folder: RunFolder, clock: Clock) -> Result<Self, JournalError> {
        let lock = folder.lock()?;
        // That an earlier run's end can't be proven is no reason to refuse this one.
        let _ = heads::anchor_earlier(&folder, clock.now());
        Self::open(folder, clock, Tail { seq: 0, prev: NO_LINE.to_owned(), end: 0 }, lock)
    }

    /// An earlier run's journal, to go on with, and what it says. Torn last lines are cut off.
    ///
    /// # Errors
    /// It can't be read or locked, its chain is broken, or its end is not the one that was written.
    pub fn reopen(folder: RunFolder, clock: Clock) -> Result<(Self, History), JournalError> {
        // Locked before it is read: what another process still writes must not be missed, nor cut off.
        let lock = folder.lock()?;
        let mut tail = Tail { seq: 0, prev: NO_LINE.to_owned(), end: 0 };
        let mut history = Reading::default();
        let heads = Heads::read(folder.state())?;
        let mut proof = Proof::new(&heads, &folder);
        for line in Lines::open(&folder.journal())? {
            let line = line?;
            proof.take(&line, &folder)?;
            tail = Tail { seq: line.entry.seq + 1, prev: line.hash, end: line.end };
            history.take(line.entry.at, line.entry.record);
        }
        proof.end(&folder)?;
        Ok((Self::open(folder, clock, tail, lock)?, history.end()))
    }

    fn open(folder: RunFolder, clock: Clock, tail: Tail, lock: File) -> Result<Self, JournalError> {
        let path = folder.journal();
        let journal = private(&path).map_err(JournalError::io("open", &path))?;
        journal.set_len(tail.end).map_err(JournalError::io("mend", &path))?;
        sync_folder(folder.path())?;
        let (snapshot_path, folder) = (folder.snapshot(), Arc::new(folder));
        let run = Arc::clone(&folder);
        let files = Files { journal, path, snapshot: None, snapshot_path, tail, clock, folder: run, _lock: lock };
        let (commits, queue) = mpsc::channel(WAITING_MAX);
        tokio::spawn(write_all(Arc::new(Mutex::new(files)), queue));
        Ok(Self { commits, folder })
    }

    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Writes records, and before them finished lines of the snapshot; both are durable when this answers.
    ///
    /// # Errors
    /// They could not be written; the journal stops then for good, so that nothing is done unrecorded.
    pub async fn write(&self, records: Vec<Record>, snapshot: Vec<u8>) -> Result<(), JournalError> {
        self.commit(records, snapshot, false).await
    }

    /// Writes the last records and lets go of the run: another process may take it up.
    pub async fn close(self, records: Vec<Record>) -> Result<(), JournalError> {
        self.commit(records, Vec::new(), true).await
    }

    async fn commit(&self, records: Vec<Record>, snapshot: Vec<u8>, last: bool) -> Result<(), JournalError> {
        let stopped = || JournalError::Stopped { first: Text::line("its writer has ended") };
        let (done, answer) = oneshot::channel();
        self.commits.send(Commit { records, snapshot, last, done }).await.map_err(|_| stopped())?;
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
            let (files, last) = (Arc::clone(&files), commits.iter().any(|commit| commit.last));
            // On the blocking pool rather than a thread of its own: tokio's paused time waits for the pool.
            let written = tokio::task::spawn_blocking(move || {
                let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                let written = files.commit(&records, &snapshot.concat());
                if last && written.is_ok() {
                    files.anchor();
                }
                written
            });
            let written = written
                .await
                .unwrap_or_else(|error| Err(JournalError::Stopped { first: Text::line(&error.to_string()) }));
            if let Err(error) = written {
                failure = Some(Text::line(&error.to_string()));
                answer_first(&mut commits, error);
            }
        }
        if commits.iter().any(|commit| commit.last) {
            drop(files);
            return answer_all(commits, failure.as_ref());
        }
        answer_all(commits, failure.as_ref());
    }
}

fn answer_all(commits: Vec<Commit>, failure: Option<&Text>) {
    for commit in commits {
        let answer = failure.map_or(Ok(()), |first| Err(JournalError::Stopped { first: first.clone() }));
        // Nobody waits any more when its lane was dropped; what was written stands all the same.
        let _ = commit.done.send(answer);
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
    /// Open, and where its last whole line ends.
    snapshot: Option<(File, u64)>,
    snapshot_path: PathBuf,
    tail: Tail,
    clock: Clock,
    folder: Arc<RunFolder>,
    _lock: File,
}

impl Files {
    /// Writes down where the journal ends. That it can't be proven later is no failure of the run.
    fn anchor(&self) {
        if let Some(last) = self.tail.seq.checked_sub(1) {
            let _ = heads::anchor(self.folder.state(), self.folder.run(), last, &self.tail.prev, self.clock.now());
        }
    }

    fn commit(&mut self, records: &[Vec<Record>], snapshot: &[u8]) -> Result<(), JournalError> {
        if !snapshot.is_empty() {
            self.append_snapshot(snapshot)?;
        }
        let at = self.clock.now();
        let mut text = Vec::with_capacity(records.iter().map(Vec::len).sum::<usize>() * 1_024);
        let (mut seq, mut prev) = (self.tail.seq, self.tail.prev.clone());
        for record in records.iter().flatten() {
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
        let (mut file, end) = match self.snapshot.take() {
            Some(open) => open,
            None => open_snapshot(path)?,
        };
        if let Err(error) = file.write_all(lines).and_then(|()| file.sync_data()) {
            // Half a line would hide every line behind it from a restore.
            let _ = file.set_len(end);
            return Err(JournalError::io("write", path)(error));
        }
        self.snapshot = Some((file, end + lines.len() as u64));
        Ok(())
    }
}

/// Opens a snapshot behind its last whole line; a line that a crash tore is cut off.
fn open_snapshot(path: &Path) -> Result<(File, u64), JournalError> {
    let mut file = private(path).map_err(JournalError::io("open", path))?;
    let end = whole_lines(&mut file).map_err(JournalError::io("read", path))?;
    file.set_len(end).map_err(JournalError::io("mend", path))?;
    path.parent().map_or(Ok(()), sync_folder)?;
    Ok((file, end))
}

/// Where the last line feed ends, looking from the end.
fn whole_lines(file: &mut File) -> std::io::Result<u64> {
    const BLOCK: u64 = 64 * 1024;
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        let mut block = vec![0; (end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[derive(serde::Serialize)]
struct EntryRef<'a> {
    seq: u64,
    at: jiff::Timestamp,
    prev: &'a str,
    #[serde(flatten)]
    record: &'a Record,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::RunId,
        journal::{StateFolder, Verdict},
    };

    fn verify(folder: &RunFolder) -> Result<Verdict, JournalError> {
        crate::journal::verify(folder, &Heads::read(folder.state())?)
    }

    fn note(text: &str) -> Record {
        Record::Resumed { by: Text::from(text), reason: None, aws_time: None }
    }

    fn folder(state: &tempfile::TempDir) -> RunFolder {
        StateFolder::new(state.path()).create(&run()).expect("a folder")
    }

    fn run() -> RunId {
        "20261121T030000-000001".parse().expect("a run")
    }

    #[tokio::test]
    async fn lines_are_chained_and_a_change_is_found() {
        let state = tempfile::tempdir().expect("a folder");
        let journal = Journal::create(folder(&state), Clock::system()).expect("a journal");
        let (path, folder) = (journal.folder().journal(), journal.folder().clone());
        let writes = (0..40).map(|number| {
            let journal = journal.clone();
            async move { journal.write(vec![note(&format!("{number}")), note("again")], b"{}\n".to_vec()).await }
        });
        for written in futures_util::future::join_all(writes).await {
            written.expect("written");
        }
        journal.close(vec![note("last")]).await.expect("closed");
        let whole = verify(&folder).expect("a whole chain");
        assert_eq!((whole.lines, whole.torn), (81, false));
        let text = std::fs::read_to_string(&path).expect("text");
        std::fs::write(&path, text.replacen("\"7\"", "\"8\"", 1)).expect("written");
        assert!(matches!(verify(&folder), Err(JournalError::Broken { .. })));
        let lines: Vec<&str> = text.lines().collect();
        std::fs::write(&path, format!("{}\n", [&lines[..5], &lines[6..]].concat().join("\n"))).expect("written");
        assert!(matches!(verify(&folder), Err(JournalError::Broken { line: 6, .. })), "a line is missing");
    }

    #[tokio::test]
    async fn a_torn_last_line_is_cut_off_and_the_chain_goes_on() {
        let state = tempfile::tempdir().expect("a folder");
        let folder = folder(&state);
        let path = folder.journal();
        let journal = Journal::create(folder.clone(), Clock::system()).expect("a journal");
        journal.close(vec![note("one"), note("two")]).await.expect("closed");
        let mut file = private(&path).expect("a file");
        file.write_all(b"{\"seq\":2,\"at\":\"2026-").expect("written");
        assert!(verify(&folder).expect("whole lines").torn);
        let (journal, _) = Journal::reopen(folder.clone(), Clock::system()).expect("a journal");
        journal.close(vec![note("three")]).await.expect("closed");
        let verdict = verify(&folder).expect("a whole chain");
        assert_eq!((verdict.lines, verdict.torn), (3, false));
    }

    #[tokio::test]
    async fn one_process_at_a_time_and_nobody_else_can_read() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().expect("a folder");
        let folder = folder(&state);
        let journal = Journal::create(folder.clone(), Clock::system()).expect("a journal");
        journal.write(vec![note("one")], b"{}\n".to_vec()).await.expect("written");
        assert!(matches!(Journal::reopen(folder.clone(), Clock::system()), Err(JournalError::Busy { .. })));
        assert!(folder.is_busy());
        for (path, mode) in [(folder.journal(), 0o600), (folder.snapshot(), 0o600), (folder.path().to_owned(), 0o700)] {
            let permissions = std::fs::metadata(&path).expect("a file").permissions();
            assert_eq!(permissions.mode() & 0o777, mode, "{}", path.display());
        }
        journal.close(Vec::new()).await.expect("closed");
        assert!(!folder.is_busy());
    }

    #[tokio::test]
    async fn a_failed_write_stops_the_journal_and_leaves_no_half_line() {
        let state = tempfile::tempdir().expect("a folder");
        let folder = folder(&state);
        let journal = Journal::create(folder.clone(), Clock::system()).expect("a journal");
        journal.write(vec![note("one")], Vec::new()).await.expect("written");
        // A folder in the snapshot's place: it can't be opened for writing, whoever asks.
        std::fs::create_dir(folder.snapshot()).expect("a folder");
        let failed = journal.write(vec![note("two")], b"{}\n".to_vec()).await;
        assert!(matches!(failed, Err(JournalError::Io { .. })), "{failed:?}");
        let stopped = journal.write(vec![note("three")], Vec::new()).await;
        assert!(matches!(stopped, Err(JournalError::Stopped { .. })), "{stopped:?}");
        assert_eq!(verify(&folder).expect("whole").lines, 1);
        assert_eq!(History::read(&folder).expect("a history").end, None);
    }
}
