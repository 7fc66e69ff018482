//! [`Verb`]: what differs between operations, for all that treats them alike.

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use serde::Serialize;

use super::{OperationError, OperationKind, Planned, Planner, values::Uncertain};
use crate::{
    cloud::Cloud,
    domain::EnvironmentName,
    journal::{History, JournalError, StateFolder},
    messages::{Filter, FilterError},
};

/// What an operation counts in its plan and while it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counts {
    /// About, for SQS counts about.
    #[default]
    Messages,
    Services,
    Consumers,
    Rows,
    /// There is one of it: it is done or not.
    One,
}

impl Counts {
    pub fn noun(self) -> &'static str {
        match self {
            Self::Messages => "message",
            Self::Services => "service",
            Self::Consumers => "consumer",
            Self::Rows => "row",
            Self::One => "operation",
        }
    }
}

/// Whether consumers are paused while it runs, and by whom they are resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pauses {
    Nobody,
    /// The run resumes them itself, however it ends.
    Meanwhile,
    /// Until somebody resumes them: that is what it is for.
    ForGood,
}

/// What stopping a run of it means for AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopping {
    /// It ends after what is in hand.
    Ends,
    /// It only stops watching: AWS goes on with it.
    StopsWatching,
}

/// What a run that ended early has left to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// What was planned: it had not begun.
    AsPlanned,
    /// All of it: what it sets is absolute, and set only where it is not so yet.
    Absolute,
    Messages {
        done: u64,
    },
    /// A look at what AWS makes of it.
    Look {
        summary: String,
        calls: Calls,
    },
    /// Nothing that can be gone on with; why, and what to do instead.
    Nothing {
        because: String,
        hint: &'static str,
    },
}

/// Whether taking up a run may call what changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    None,
    Perhaps,
}

/// What differs between operations. Everything else is the same for all: consent, journal, resume, command line, form, documents.
pub trait Verb {
    /// What it is about, as somebody named it: a queue, a group, a database; empty where it is about all there is.
    fn subject(&self) -> &str;

    /// The arguments that say what it is about: another value of them makes it another operation.
    fn subject_arguments(&self) -> &'static [&'static str] {
        &["queue"]
    }

    /// What has to be typed under `type-name`, where that is known before there is a plan.
    fn typed(&self) -> Option<&str> {
        Some(last_part(self.subject())).filter(|subject| !subject.is_empty())
    }

    fn counts(&self) -> Counts {
        Counts::Messages
    }

    fn filter(&self) -> Option<&str> {
        None
    }

    /// Whether the filter can be used.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check_filter(&self) -> Result<(), FilterError> {
        self.filter().map_or(Ok(()), |given| Filter::open(given).map(drop))
    }

    /// The file with the ids of what it is about.
    fn ids(&self) -> Option<&Path> {
        None
    }

    /// Names another file with them.
    fn take_ids_from(&mut self, _file: PathBuf) {}

    fn limit(&self) -> Option<u64> {
        None
    }

    /// What becomes of messages in doubt; none: nothing of it can be in doubt.
    fn uncertain(&self) -> Option<Uncertain> {
        None
    }

    fn decide_uncertain(&mut self, _uncertain: Uncertain) {}

    fn pauses(&self) -> Pauses {
        Pauses::Nobody
    }

    /// The operation that puts back what this one sets for a time; none: it is not for a time.
    fn put_back_by(&self) -> Option<OperationKind> {
        None
    }

    fn stopping(&self) -> Stopping {
        Stopping::Ends
    }

    /// The environment that it belongs to whoever starts it.
    fn environment(&self, _state: &StateFolder) -> Result<Option<EnvironmentName>, JournalError> {
        Ok(None)
    }

    fn resume_help(&self) -> &'static str {
        "Go on with a run that ended early"
    }

    fn left(&self, _history: &History) -> Left {
        Left::Absolute
    }

    /// Observes the world, and says what would change.
    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>>;
}

/// The name that a URL or an ARN ends with.
pub(super) fn last_part(subject: &str) -> &str {
    subject.rsplit(['/', ':']).next().unwrap_or(subject)
}
