//! The snapshot: all that is needed to put messages back, a JSON line each.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::JournalError;
use crate::domain::{Message, QueueUrl, Text};

/// SQS takes at most 1 MiB; JSON escapes and base64 can make six of it.
const LINE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// A message as it lay in its queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Queue it was taken from.
    pub from: QueueUrl,
    /// Batch of the journal in which it was dealt with.
    pub batch: u64,
    /// The message.
    pub message: Message,
}

impl Saved {
    /// Appends the line.
    pub fn append(from: &QueueUrl, batch: u64, message: &Message, lines: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct Borrowed<'a> {
            from: &'a QueueUrl,
            batch: u64,
            message: &'a Message,
        }
        serde_json::to_writer(&mut *lines, &Borrowed { from, batch, message })
            .unwrap_or_else(|error| unreachable!("plain data becomes JSON in memory: {error}"));
        lines.push(b'\n');
    }
}

/// A snapshot's lines in order; ends before a torn last line.
#[derive(Debug)]
pub struct SavedLines {
    reader: BufReader<File>,
    path: std::path::PathBuf,
    number: u64,
}

impl SavedLines {
    /// Of the snapshot at `path`.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = File::open(path).map_err(JournalError::io("open", path))?;
        Ok(Self { reader: BufReader::with_capacity(256 * 1024, file), path: path.to_owned(), number: 0 })
    }
}

impl Iterator for SavedLines {
    type Item = Result<Saved, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        let mut limited = (&mut self.reader).take(LINE_BYTES_MAX);
        if let Err(error) = limited.read_until(b'\n', &mut line) {
            return Some(Err(JournalError::io("read", &self.path)(error)));
        }
        line.pop_if(|byte| *byte == b'\n')?;
        self.number += 1;
        Some(serde_json::from_slice(&line).map_err(|error| JournalError::Broken {
            path: self.path.clone(),
            line: self.number,
            because: Text::line(&error.to_string()),
        }))
    }
}
