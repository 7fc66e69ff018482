//! [`Event`]: everything that can happen to the console.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;

use crate::{
    cloud::alarms::History,
    domain::{EnvironmentName, MessageId, Text},
    journal::{Entry, RunSummary},
    keymap::Key,
    observe::{Snapshot, acknowledged::Book},
    operations::plan::Plan,
    run::{Failure, Progress, Report},
    runbook::{Kind, drive::RunbookReport, shelf::Shelved},
    state::{
        letters::{Letters, Tried},
        runbook::{Heard, Stood},
        ticket::Ticket,
    },
};

/// Something that happened. Answers carry the ticket of the question: one to an old question is dropped.
#[derive(Debug, Clone)]
pub enum Event {
    Key(Key),
    Paste(String),
    Mouse(Mouse),
    /// The terminal has another size now: columns and rows.
    Resize(u16, u16),
    Tick(Timestamp),
    /// The outside asks the console to end, as by SIGTERM.
    Terminate,
    Observed(Arc<Snapshot>),
    Looked(Ticket, Result<Box<Letters>, Failure>),
    /// A filter was tried on messages that were looked at: one answer for each, none where it failed on that one.
    Matched(Ticket, Result<Tried, Failure>),
    Planned(Ticket, Result<Box<Plan>, Failure>),
    Progress(Ticket, Box<Progress>),
    Finished(Ticket, Result<Box<Report>, Failure>),
    /// The runs that journals tell of, newest first.
    Runs(Ticket, Result<Vec<RunSummary>, Failure>),
    /// A run's journal, the newest records of it.
    JournalRead(Ticket, Result<Vec<Entry>, Failure>),
    /// The messages that a run has sent, as its journal tells.
    Sent(Ticket, Result<Vec<MessageId>, Failure>),
    AlarmHistory(Ticket, Result<History, Failure>),
    /// The editor has ended: the new text, or nothing where it was left as it was.
    Edited(Ticket, Result<Option<String>, Failure>),
    /// Files for an operation were written: their paths, in the order in which they were given.
    Saved(Ticket, Result<Vec<PathBuf>, Failure>),
    Runbooks(Result<Arc<Vec<Shelved>>, Failure>),
    /// Runs of runbooks that are open, whoever carries them out, as their journals have it.
    Open(Vec<RunSummary>),
    /// Names of all things of a kind in an environment.
    Names(EnvironmentName, Kind, Result<Vec<String>, Text>),
    /// A run of a runbook got on, or asks something.
    RunbookHeard(Ticket, Box<Heard>),
    /// A run of a runbook has ended, or was left open.
    RunbookFinished(Ticket, Result<Box<RunbookReport>, Failure>),
    Stood(Ticket, Result<Box<Stood>, Failure>),
    /// What is acknowledged now, as it stands on disk.
    Acknowledged(Result<Book, Failure>),
    Said(Notice),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// Column, from 0.
    pub column: u16,
    /// Row, from 0.
    pub row: u16,
    pub what: MouseWhat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseWhat {
    /// The left button went down.
    Click,
    /// The wheel turned: lines, down is positive.
    Scroll(i16),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub tone: Tone,
    pub text: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Note,
    Good,
    /// It did not, or is not possible.
    Bad,
}

impl Notice {
    pub fn note(text: &str) -> Self {
        Self { tone: Tone::Note, text: Text::line(text) }
    }

    pub fn good(text: &str) -> Self {
        Self { tone: Tone::Good, text: Text::line(text) }
    }

    /// It did not, or is not possible.
    pub fn bad(text: &str) -> Self {
        Self { tone: Tone::Bad, text: Text::line(text) }
    }
}

impl From<&Failure> for Notice {
    fn from(failure: &Failure) -> Self {
        Self::bad(&failure.to_string())
    }
}
