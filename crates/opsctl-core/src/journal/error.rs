//! What can go wrong with a journal.

use std::{io, path::PathBuf};

use crate::domain::{Advice, Invocation, Text, Try};

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("{doing} {}: {source}", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("another process works on run {run}")]
    Busy { run: String },
    #[error("there is no run {run} in {}", .folder.display())]
    Missing { run: String, folder: PathBuf },
    #[error("line {line} of {}: {because}", .path.display())]
    Broken {
        path: PathBuf,
        /// From 1.
        line: u64,
        because: Text,
    },
    /// An earlier write failed: nothing more is written.
    #[error("the journal stopped after a failed write: {first}")]
    Stopped { first: Text },
}

impl JournalError {
    pub fn hint(&self) -> Advice {
        match self {
            Self::Io { .. } | Self::Stopped { .. } => {
                Try::MakeRoom.says("make room or mend the permissions of the state folder (XDG_STATE_HOME); nothing is changed in AWS without a journal")
            }
            Self::Busy { .. } => Try::WaitForOther.says("wait until it has ended, or end that process"),
            Self::Missing { .. } => Try::ListRuns.says("take one of the runs that are listed"),
            Self::Broken { .. } => {
                Try::VerifyJournal.says("the file was changed or damaged after it was written; verify the journal to see where")
            }
        }
    }

    /// The same, with the command that shows more.
    pub fn hint_in(&self, invocation: &Invocation) -> Advice {
        match self {
            Self::Missing { .. } => Try::ListRuns.says(format!("`{}` lists them", invocation.command("runs"))),
            Self::Io { .. } | Self::Busy { .. } | Self::Broken { .. } | Self::Stopped { .. } => self.hint(),
        }
    }

    pub(crate) fn io(doing: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}
