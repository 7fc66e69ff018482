//! The snapshot: all that is needed to put messages back, a JSON line each.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::JournalError;
use crate::domain::{Message, QueueUrl, ReceiptHandle, Text, message::hex};

/// SQS takes at most 1 MiB; JSON escapes and base64 can make six of it.
const LINE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// A message as it lay in its queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    pub from: QueueUrl,
    /// Batch of the journal in which it was dealt with.
    pub batch: u64,
    pub message: Message,
}

/// A line of a snapshot, and where it stands.
#[derive(Debug)]
pub struct Located {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// Its length without the line feed.
    pub length: usize,
    /// First half of its SHA-256.
    pub hash: u128,
    /// First half of the message's [`Message::content_hash`]; none where the line can't be read.
    pub content: Option<u128>,
    /// What it says, without receipt, body and attributes: all of a snapshot's may be more than fits into memory.
    pub saved: Result<Saved, Text>,
}

impl Located {
    fn of(line: &[u8], offset: u64) -> Self {
        let saved = serde_json::from_slice::<Saved>(line).map_err(|error| Text::line(&error.to_string()));
        let content = saved.as_ref().ok().and_then(|saved| half(&saved.message.content_hash().0));
        let saved = saved.map(|mut saved| {
            (saved.message.body, saved.message.attributes) = (String::new(), BTreeMap::new());
            saved.message.receipt = ReceiptHandle(String::new());
            saved
        });
        Self { offset, length: line.len(), hash: hash_of(line), content, saved }
    }
}

/// First half of a line's SHA-256.
pub(crate) fn hash_of(line: &[u8]) -> u128 {
    let digest = Sha256::digest(line);
    digest.first_chunk::<16>().map_or(0, |half| u128::from_be_bytes(*half))
}

/// The first 32 digits of a hash, as a number.
pub(super) fn half(digits: &str) -> Option<u128> {
    digits.get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok())
}

impl Saved {
    /// Appends the line; answers its SHA-256.
    pub fn append(from: &QueueUrl, batch: u64, message: &Message, lines: &mut Vec<u8>) -> String {
        #[derive(Serialize)]
        struct Borrowed<'a> {
            from: &'a QueueUrl,
            batch: u64,
            message: &'a Message,
        }
        let start = lines.len();
        serde_json::to_writer(&mut *lines, &Borrowed { from, batch, message })
            .unwrap_or_else(|error| unreachable!("plain data becomes JSON in memory: {error}"));
        let hash = hex(&Sha256::digest(&lines[start..]));
        lines.push(b'\n');
        hash
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
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = File::open(path).map_err(JournalError::io("open", path))?;
        Ok(Self { reader: BufReader::with_capacity(256 * 1024, file), path: path.to_owned(), number: 0 })
    }
}

impl SavedLines {
    /// All whole lines, each with its place and hashes.
    ///
    /// # Errors
    /// The file can't be read; a line that makes no sense is none.
    pub fn located(mut self) -> Result<Vec<Located>, JournalError> {
        let (mut located, mut offset) = (Vec::new(), 0);
        while let Some(line) = self.line()? {
            located.push(Located::of(&line, offset));
            offset += line.len() as u64 + 1;
        }
        Ok(located)
    }

    /// The next whole line, without its line feed.
    fn line(&mut self) -> Result<Option<Vec<u8>>, JournalError> {
        let mut line = Vec::new();
        let mut limited = (&mut self.reader).take(LINE_BYTES_MAX);
        limited.read_until(b'\n', &mut line).map_err(JournalError::io("read", &self.path))?;
        Ok(line.pop_if(|byte| *byte == b'\n').map(|_| line))
    }
}

impl Iterator for SavedLines {
    type Item = Result<Saved, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = match self.line() {
            Ok(line) => line?,
            Err(error) => return Some(Err(error)),
        };
        self.number += 1;
        Some(serde_json::from_slice(&line).map_err(|error| JournalError::Broken {
            path: self.path.clone(),
            line: self.number,
            because: Text::line(&error.to_string()),
        }))
    }
}
