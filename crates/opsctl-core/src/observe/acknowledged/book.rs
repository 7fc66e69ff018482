//! What is acknowledged, on disk: each acknowledgement, and each that was taken back, is a line in `acknowledged.jsonl` of the state
//! folder.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
};

use super::{Acknowledgement, Book};
use crate::journal::StateFolder;

/// Bytes read at most; the newest count.
const BYTES_MAX: u64 = 8 * 1_048_576;

impl Book {
    /// Reads it; a file that is not there holds nothing, a last line that is not whole was never confirmed.
    ///
    /// # Errors
    /// It is there and can't be read.
    pub fn read(state: &StateFolder) -> io::Result<Self> {
        let mut book = Self::default();
        let mut file = match File::open(path(state)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(book),
            Err(error) => return Err(error),
        };
        let excess = file.metadata()?.len().saturating_sub(BYTES_MAX);
        io::Seek::seek(&mut file, io::SeekFrom::Start(excess))?;
        for line in BufReader::new(file.take(BYTES_MAX)).split(b'\n') {
            if let Ok(line) = serde_json::from_slice(&line?) {
                book.take(line);
            }
        }
        Ok(book)
    }

    /// Writes a line, on disk before it returns, and reads what holds now, lines of others included.
    ///
    /// # Errors
    /// It can't be written or read.
    pub fn write(state: &StateFolder, line: &Acknowledgement) -> io::Result<Self> {
        let path = path(state);
        DirBuilder::new().recursive(true).mode(0o700).create(state.path())?;
        let is_new = !path.exists();
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        file.lock()?;
        // A line that broke off must not swallow this one.
        let mut text = vec![b'\n'];
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.sync_all()?;
        if is_new {
            File::open(state.path())?.sync_all()?;
        }
        Self::read(state)
    }
}

fn path(state: &StateFolder) -> PathBuf {
    state.path().join("acknowledged.jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{
        acknowledged::tests::{line, now, verdict},
        verdict::Severity,
    };

    #[test]
    fn it_is_kept_and_a_line_that_broke_off_hides_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::new(folder.path().join("state"));
        assert_eq!(Book::read(&state).expect("nothing"), Book::default());
        let known = verdict(Severity::Warning, 40);
        assert!(Book::write(&state, &line(&known, 4)).expect("written").hides(&known, now()));
        let mut torn = OpenOptions::new().append(true).open(path(&state)).expect("open");
        torn.write_all(br#"{"at":"2026-11-21T03"#).expect("torn");
        assert!(Book::read(&state).expect("read").hides(&known, now()));
        let back = Acknowledgement { acknowledged: None, ..line(&known, 4) };
        assert!(!Book::write(&state, &back).expect("written").hides(&known, now()));
        assert!(!Book::read(&state).expect("read").hides(&known, now()));
    }
}
