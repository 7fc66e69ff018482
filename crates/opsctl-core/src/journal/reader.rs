//! Reads a journal and checks its chain.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{Entry, JournalError};
use crate::domain::{Text, message::hex};

/// What the first line carries as `prev`.
pub(super) const NO_LINE: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Longest line; a batch's intent is about 2 KB, a plan below 1 MB.
const LINE_BYTES_MAX: u64 = 8 * 1024 * 1024;

#[derive(Debug)]
pub struct Line {
    pub entry: Entry,
    pub hash: String,
    pub end: u64,
}

/// A journal's lines in order. Ends before a torn last line (a write that a crash cut off; nothing was done on its account).
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<File>,
    path: PathBuf,
    number: u64,
    prev: String,
    offset: u64,
    pub torn: bool,
    failed: bool,
}

impl Lines {
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = File::open(path).map_err(JournalError::io("open", path))?;
        Ok(Self {
            reader: BufReader::with_capacity(64 * 1024, file),
            path: path.to_owned(),
            number: 0,
            prev: NO_LINE.to_owned(),
            offset: 0,
            torn: false,
            failed: false,
        })
    }

    fn broken(&self, because: &str) -> JournalError {
        JournalError::Broken { path: self.path.clone(), line: self.number, because: Text::line(because) }
    }

    fn read_line(&mut self) -> Result<Option<Line>, JournalError> {
        let mut line = Vec::new();
        let mut limited = (&mut self.reader).take(LINE_BYTES_MAX);
        limited.read_until(b'\n', &mut line).map_err(JournalError::io("read", &self.path))?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.pop_if(|byte| *byte == b'\n').is_none() {
            self.torn = true;
            return Ok(None);
        }
        self.number += 1;
        self.offset += line.len() as u64 + 1;
        let entry: Entry = serde_json::from_slice(&line).map_err(|error| self.broken(&error.to_string()))?;
        if entry.seq != self.number - 1 {
            return Err(self.broken("a line is missing or was put in before this one"));
        }
        if entry.prev != self.prev {
            return Err(self.broken("the line before it is not the one that was written"));
        }
        self.prev = hex(&Sha256::digest(&line));
        Ok(Some(Line { entry, hash: self.prev.clone(), end: self.offset }))
    }
}

impl Iterator for Lines {
    type Item = Result<Line, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let line = self.read_line().transpose();
        self.failed = matches!(line, Some(Err(_)));
        line
    }
}
