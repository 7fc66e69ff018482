//! [`Event`]: everything that can happen to the console.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;

use super::{acknowledged::Book, letters::Digest, ticket::Ticket};
use crate::{
    cloud::alarms::History,
    domain::{EnvironmentName, Message, MessageId, QueueName, Text},
    journal::{Entry, RunSummary},
    keymap::Key,
    messages::Groups,
    observe::Snapshot,
    operations::sample::Sample,
    plan::Plan,
    run::{Failure, Progress, Report},
};

/// Something that happened. Answers carry the ticket of the question: one to an old question is dropped.
#[derive(Debug, Clone)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse was used.
    Mouse(Mouse),
    /// The terminal has another size now: columns and rows.
    Resize(u16, u16),
    /// Time has passed.
    Tick(Timestamp),
    /// The outside asks the console to end, as by SIGTERM.
    Terminate,
    /// An environment was seen.
    Observed(Arc<Snapshot>),
    /// Messages were looked at.
    Looked(Ticket, Result<Box<Letters>, Failure>),
    /// A filter was tried on messages that were looked at: one answer for each, none where it failed on that one.
    Matched(Ticket, Result<Vec<Option<bool>>, Failure>),
    /// An operation was planned.
    Planned(Ticket, Result<Box<Plan>, Failure>),
    /// How far a run is.
    Progress(Ticket, Box<Progress>),
    /// A run has ended.
    Finished(Ticket, Result<Box<Report>, Failure>),
    /// The runs that journals tell of, newest first.
    Runs(Ticket, Result<Vec<RunSummary>, Failure>),
    /// A run's journal, the newest records of it.
    JournalRead(Ticket, Result<Vec<Entry>, Failure>),
    /// The messages that a run has sent, as its journal tells.
    Sent(Ticket, Result<Vec<MessageId>, Failure>),
    /// What an alarm went through, the newest first.
    AlarmHistory(Ticket, Result<History, Failure>),
    /// The editor has ended: the new text, or nothing where it was left as it was.
    Edited(Ticket, Result<Option<String>, Failure>),
    /// Files for an operation were written: their paths, in the order in which they were given.
    Saved(Ticket, Result<Vec<PathBuf>, Failure>),
    /// What is acknowledged now, as it stands on disk.
    Acknowledged(Result<Book, Failure>),
    /// Something to say came up outside.
    Said(Notice),
}

/// Messages of a queue that were looked at and put back.
#[derive(Debug, Clone, PartialEq)]
pub struct Letters {
    /// Where.
    pub environment: EnvironmentName,
    /// Queue.
    pub queue: QueueName,
    /// When.
    pub at: Timestamp,
    /// How long the queue keeps a message.
    pub retention_seconds: u64,
    /// Messages, in the order of arrival.
    pub messages: Arc<[Message]>,
    /// Whether these are all that lie in the queue, as far as SQS tells.
    pub is_whole: bool,
    /// Failure groups.
    pub groups: Groups,
    /// The group of each message, an index into `groups.groups`; none for those in groups that are not shown.
    pub group_of: Vec<Option<usize>>,
    /// What lists show of them.
    pub digest: Arc<Digest>,
}

impl Letters {
    /// Groups messages and prepares what lists show of them. Takes its time: some milliseconds a group, and as long as
    /// it takes to parse the bodies.
    pub fn of(
        environment: EnvironmentName,
        queue: QueueName,
        at: Timestamp,
        retention_seconds: u64,
        sample: Sample,
    ) -> Self {
        let Sample { messages, is_whole } = sample;
        let (groups, group_of) = Groups::with_members(&messages);
        let digest = Arc::new(Digest::of(&messages));
        Self {
            environment,
            queue,
            at,
            retention_seconds,
            messages: messages.into(),
            is_whole,
            groups,
            group_of,
            digest,
        }
    }
}

/// Use of the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// Column, from 0.
    pub column: u16,
    /// Row, from 0.
    pub row: u16,
    /// What was done.
    pub what: MouseWhat,
}

/// What the mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseWhat {
    /// The left button went down.
    Click,
    /// The wheel turned: lines, down is positive.
    Scroll(i16),
}

/// Something to say in the status line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How it is meant.
    pub tone: Tone,
    /// What.
    pub text: Text,
}

/// How something said is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// To know.
    Note,
    /// It worked.
    Good,
    /// It did not, or is not possible.
    Bad,
}

impl Notice {
    /// To know.
    pub fn note(text: &str) -> Self {
        Self { tone: Tone::Note, text: Text::line(text) }
    }

    /// It worked.
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
        let hint = failure.hint.as_str();
        match hint.is_empty() {
            true => Self::bad(failure.what.as_str()),
            false => Self::bad(&format!("{}; {hint}", failure.what)),
        }
    }
}
