//! Checks what a run left on disk: the journal's chain and end, and the snapshot against the journal.

mod compare;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::{Heads, JournalError, Line, Lines, Located, Record, RunFolder, SavedLines, reader::NO_LINE, rows};
use crate::domain::{MessageId, QueueArn, Text, words::counted_is};

use compare::Expected;

const NAMED_MAX: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whole lines of the journal.
    pub lines: u64,
    /// SHA-256 of the last one.
    pub head: String,
    /// Whether a last line was cut off by a crash.
    pub torn: bool,
    /// How far the index of heads proves it.
    pub anchored: Anchor,
    /// Messages of the snapshot that are as the journal has them; none: the run keeps no snapshot.
    pub saved: Option<u64>,
    /// Where the snapshot differs from the journal, the first of it.
    pub damage: Vec<Text>,
}

/// How far the index of heads proves a journal: a line that nothing follows may have been changed, or cut off, otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    Whole,
    Lines(u64),
    /// Not at all: the run ended by a crash, or before there was an index.
    Nothing,
}

/// Compares a journal, while it is read, with what the index of heads knows of it.
#[derive(Debug)]
pub(super) struct Proof<'a> {
    known: Option<&'a (u64, String)>,
    lines: u64,
}

impl<'a> Proof<'a> {
    pub(super) fn new(heads: &'a Heads, folder: &RunFolder) -> Self {
        Self { known: heads.of(folder.run()), lines: 0 }
    }

    pub(super) fn take(&mut self, line: &Line, folder: &RunFolder) -> Result<(), JournalError> {
        self.lines = line.entry.seq + 1;
        match self.known {
            Some((seq, hash)) if *seq == line.entry.seq && *hash != line.hash => {
                Err(self.broken(folder, "it is not the line that was written: its hash stands in heads.jsonl"))
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn end(&self, folder: &RunFolder) -> Result<Anchor, JournalError> {
        match self.known {
            None => Ok(Anchor::Nothing),
            Some((seq, _)) if *seq >= self.lines => {
                let missing = counted_is(seq + 1 - self.lines, "line", "was", "were");
                let because = format!("{missing} cut off after it: heads.jsonl has the hash of the last one");
                Err(self.broken(folder, &because))
            }
            Some((seq, _)) if seq + 1 == self.lines => Ok(Anchor::Whole),
            Some((seq, _)) => Ok(Anchor::Lines(seq + 1)),
        }
    }

    fn broken(&self, folder: &RunFolder, because: &str) -> JournalError {
        JournalError::Broken { path: folder.journal(), line: self.lines, because: Text::line(because) }
    }
}

/// Checks a run: its journal from first to last line, its end, and its snapshot.
///
/// # Errors
/// [`JournalError::Broken`] with the first line of the journal that is not what was written.
pub fn verify(folder: &RunFolder, heads: &Heads) -> Result<Verdict, JournalError> {
    let verdict = prove(folder, heads)?;
    if let Some((saved, damage)) = rows::check(folder)? {
        return Ok(Verdict { saved: Some(saved), damage, ..verdict });
    }
    let snapshot = check_snapshot(folder)?;
    let damage = snapshot.as_ref().map(|snapshot| snapshot.damage.words()).unwrap_or_default();
    let saved = snapshot.map(|snapshot| snapshot.intact.len() as u64);
    Ok(Verdict { saved, damage, ..verdict })
}

/// Checks a journal from first to last line, and its end; not the snapshot.
pub fn prove(folder: &RunFolder, heads: &Heads) -> Result<Verdict, JournalError> {
    let mut proof = Proof::new(heads, folder);
    let mut lines = Lines::open(&folder.journal())?;
    let mut head = NO_LINE.to_owned();
    for line in lines.by_ref() {
        let line = line?;
        proof.take(&line, folder)?;
        head = line.hash;
    }
    let anchored = proof.end(folder)?;
    Ok(Verdict { lines: proof.lines, head, torn: lines.torn, anchored, saved: None, damage: Vec::new() })
}

#[derive(Debug)]
pub struct Snapshot {
    /// Lines that are what was written, in the order of the file; a message that was received twice has two.
    pub intact: Vec<Located>,
    pub damage: Damage,
}

/// Where a snapshot differs from what the journal says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damage {
    /// Messages of the journal without a line, or with one that is not theirs.
    pub missing: Vec<MessageId>,
    /// Numbers of the lines, from 1, that were changed or can't be read.
    pub changed: Vec<u64>,
    /// Of those that stand there twice.
    pub doubled: Vec<u64>,
    /// Of those that the journal knows nothing of.
    pub foreign: Vec<u64>,
    /// Of those that stand elsewhere than they were written.
    pub moved: Vec<u64>,
}

impl Damage {
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// A line for each kind; empty where there is none.
    pub fn words(&self) -> Vec<Text> {
        let mut words = Vec::new();
        if !self.missing.is_empty() {
            let ids: Vec<&str> = self.missing.iter().take(NAMED_MAX).map(|id| id.0.as_str()).collect();
            let what = counted_is(self.missing.len() as u64, "message", "has", "have");
            words.push(Text::line(&format!("{what} no intact line ({}{})", ids.join(" "), more(self.missing.len()))));
        }
        for (lines, how) in
            [(&self.changed, "changed"), (&self.doubled, "doubled"), (&self.foreign, "added"), (&self.moved, "moved")]
        {
            if !lines.is_empty() {
                let numbers: Vec<String> = lines.iter().take(NAMED_MAX).map(u64::to_string).collect();
                let what = counted_is(lines.len() as u64, "line", "was", "were");
                let numbers = format!("{}{}", numbers.join(", "), more(lines.len()));
                words.push(Text::line(&format!("{what} {how} (line {numbers})")));
            }
        }
        words
    }
}

fn more(count: usize) -> String {
    if count > NAMED_MAX { format!(" … and {} more", count - NAMED_MAX) } else { String::new() }
}

/// Compares a run's snapshot with its journal: each message that was about to be sent or deleted has its line, with the content that
/// the journal has the hash of, in the order of the journal. None: the run keeps no snapshot.
///
/// # Errors
/// The files can't be read, or the journal's chain is broken.
pub fn check_snapshot(folder: &RunFolder) -> Result<Option<Snapshot>, JournalError> {
    let announced = Announced::read(folder)?;
    let is_there = folder.snapshot().is_file();
    if !is_there && !announced.has_snapshot || announced.expected.is_empty() {
        return Ok(None);
    }
    let located = if is_there { SavedLines::open(&folder.snapshot())?.located()? } else { Vec::new() };
    Ok(Some(compare::compare(announced, located)))
}

#[derive(Debug, Default)]
struct Announced {
    /// In the order of the journal.
    expected: Vec<Expected>,
    /// Before these, by index, a try broke off: lines may stand there whose announcement was never written.
    broke_off: Vec<usize>,
    /// Whether the last try broke off.
    is_open: bool,
    /// Whether there must be a snapshot where something was announced.
    has_snapshot: bool,
    from: Option<QueueArn>,
}

impl Announced {
    fn read(folder: &RunFolder) -> Result<Self, JournalError> {
        let mut announced = Self::default();
        let (mut intents, mut ended) = (0, false);
        for line in Lines::open(&folder.journal())? {
            match line?.entry.record {
                Record::Opened { plan, .. } => {
                    let text = |pointer: &str| plan.pointer(pointer).and_then(serde_json::Value::as_str);
                    // Of what is deleted for good there is always one; of the rest the hashes tell, where this version wrote it.
                    announced.has_snapshot = text("/operation/operation") == Some("purge");
                    announced.from = text("/observed/from: arn").map(QueueArn::from);
                }
                Record::Resumed { .. } => {
                    if !ended {
                        announced.broke_off.push(announced.expected.len());
                    }
                    ended = false;
                }
                Record::Ended { .. } => ended = true,
                Record::Intent { batch, messages, .. } => {
                    intents += 1;
                    for message in messages {
                        announced.has_snapshot |= message.saved.is_some();
                        announced.expected.push(Expected::of(message, batch, intents));
                    }
                }
                // All else is neither a try nor its messages.
                _ => {}
            }
        }
        announced.is_open = !ended;
        Ok(announced)
    }
}
