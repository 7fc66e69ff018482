//! Rows of a database in a snapshot: as they were before a run changed them, and as it left them, a JSON line each.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{History, JournalError, RunFolder};
use crate::domain::{Text, Value, message::hex, words::counted_is};

/// A row's columns that a run sets, an error message among them, hardly make more.
const LINE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// A row that a run changed, or was about to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedRow {
    /// Batch of the journal in which it was changed.
    pub batch: u64,
    pub id: Vec<Value>,
    /// Where it stands in the order of its table.
    pub position: Vec<Value>,
    /// Values of the columns that the run sets, and what it set them to.
    pub before: Vec<Value>,
    pub after: Vec<Value>,
}

/// The rows of one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedBatch {
    pub batch: u64,
    pub rows: Vec<SavedRow>,
    /// First 32 digits of the SHA-256 of its lines: the journal has the same.
    pub hash: String,
}

impl SavedRow {
    /// Appends the lines of a batch; answers the first 32 digits of their SHA-256.
    pub fn append(rows: &[Self], lines: &mut Vec<u8>) -> String {
        let start = lines.len();
        for row in rows {
            serde_json::to_writer(&mut *lines, row)
                .unwrap_or_else(|error| unreachable!("plain data becomes JSON in memory: {error}"));
            lines.push(b'\n');
        }
        digest(&lines[start..])
    }
}

fn digest(lines: &[u8]) -> String {
    hex(&Sha256::digest(lines))[..32].to_owned()
}

/// A snapshot of rows, batch by batch; ends before a torn last line.
#[derive(Debug)]
pub struct SavedBatches {
    reader: BufReader<File>,
    path: PathBuf,
    line: u64,
    /// Read already: the first row of the next batch, with its line.
    next: Option<(SavedRow, Vec<u8>)>,
}

impl SavedBatches {
    /// None: there is no snapshot.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn open(path: &Path) -> Result<Option<Self>, JournalError> {
        if !path.is_file() {
            return Ok(None);
        }
        let file = File::open(path).map_err(JournalError::io("open", path))?;
        Ok(Some(Self { reader: BufReader::new(file), path: path.to_owned(), line: 0, next: None }))
    }

    fn row(&mut self) -> Result<Option<(SavedRow, Vec<u8>)>, JournalError> {
        if let Some(row) = self.next.take() {
            return Ok(Some(row));
        }
        let mut line = Vec::new();
        let mut limited = (&mut self.reader).take(LINE_BYTES_MAX);
        limited.read_until(b'\n', &mut line).map_err(JournalError::io("read", &self.path))?;
        if line.last() != Some(&b'\n') {
            return Ok(None);
        }
        self.line += 1;
        let row = serde_json::from_slice(&line).map_err(|error| JournalError::Broken {
            path: self.path.clone(),
            line: self.line,
            // Without what it says: that may be of a row.
            because: Text::line(&format!("it is not a saved row (column {})", error.column())),
        })?;
        Ok(Some((row, line)))
    }

    fn batch(&mut self) -> Result<Option<SavedBatch>, JournalError> {
        let Some((first, mut lines)) = self.row()? else { return Ok(None) };
        let batch = first.batch;
        let mut rows = vec![first];
        while let Some((row, line)) = self.row()? {
            if row.batch != batch {
                self.next = Some((row, line));
                break;
            }
            rows.push(row);
            lines.extend(line);
        }
        Ok(Some(SavedBatch { batch, rows, hash: digest(&lines) }))
    }
}

impl Iterator for SavedBatches {
    type Item = Result<SavedBatch, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

/// Checks a snapshot of rows against what the journal announced: how many rows are as it has them, and what differs. None: the run
/// changed no rows.
///
/// # Errors
/// The files can't be read, or the journal's chain is broken.
pub(super) fn check(folder: &RunFolder) -> Result<Option<(u64, Vec<Text>)>, JournalError> {
    let mut announced = History::read(folder)?.rows;
    if announced.is_empty() {
        return Ok(None);
    }
    let (mut intact, mut damage) = (0, Vec::new());
    for saved in SavedBatches::open(&folder.snapshot())?.into_iter().flatten() {
        let saved = match saved {
            Ok(saved) => saved,
            Err(error @ JournalError::Broken { .. }) => {
                damage.push(Text::line(&error.to_string()));
                break;
            }
            Err(error) => return Err(error),
        };
        if announced.get(&saved.batch).is_some_and(|batch| batch.saved == saved.hash) {
            announced.remove(&saved.batch);
            intact += saved.rows.len() as u64;
        }
    }
    if !announced.is_empty() {
        let batches: Vec<String> = announced.keys().take(20).map(u64::to_string).collect();
        let what = counted_is(announced.len() as u64, "batch", "has", "have");
        damage.push(Text::line(&format!("{what} no intact rows (batch {})", batches.join(", "))));
    }
    Ok(Some((intact, damage)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(batch: u64, id: i64) -> SavedRow {
        let id = vec![Value::Integer(id)];
        let before = vec![Value::Text("FAILED".to_owned()), Value::Null];
        SavedRow { batch, position: id.clone(), id, before: before.clone(), after: before }
    }

    #[test]
    fn batches_come_back_as_they_were_and_a_torn_line_is_none() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let (mut lines, batches) = (Vec::new(), [vec![row(1, 1), row(1, 2)], vec![row(2, 3)]]);
        let hashes: Vec<String> = batches.iter().map(|rows| SavedRow::append(rows, &mut lines)).collect();
        lines.extend(b"{\"batch\":3,");
        std::fs::write(file.path(), &lines).expect("written");
        let read: Vec<SavedBatch> =
            SavedBatches::open(file.path()).expect("opened").expect("there").collect::<Result<_, _>>().expect("whole");
        assert_eq!(read.iter().map(|batch| batch.rows.clone()).collect::<Vec<_>>(), batches);
        assert_eq!(read.iter().map(|batch| batch.hash.clone()).collect::<Vec<_>>(), hashes);
        assert!(SavedBatches::open(std::path::Path::new("/does/not/exist")).expect("none").is_none());
    }
}
