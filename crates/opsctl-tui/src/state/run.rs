//! Runs: those of this console, those that journals tell of, and the views of them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    domain::{EnvironmentName, LogLine, RunId, Text},
    journal::{Did, Entry, RunSummary},
    operations::{Operation, plan::Plan},
    run::{End, Failure, Progress, Report},
    state::{
        cursor::Cursor,
        look::{Page, Role},
        ticket::{Load, Ticket},
    },
};

/// News of a run that are kept, the newest.
const NEWS_MAX: usize = 200;
/// Lines of a log that are kept, the newest.
const LOG_MAX: usize = 2_000;
/// Samples of the speed that are kept, a second apart at least.
const SAMPLES_MAX: usize = 60;

#[derive(Debug, Clone)]
pub struct RunState {
    pub ticket: Ticket,
    pub plan: Box<Plan>,
    pub resumed: Option<RunId>,
    pub started_at: Timestamp,
    pub progress: Option<Progress>,
    /// How many were dealt with when, oldest first.
    pub samples: Vec<(Timestamp, u64)>,
    /// What happened in it, the newest last.
    pub news: Vec<Text>,
    /// Lines of the log that it follows, the newest last.
    pub log: Vec<LogLine>,
    pub end: Option<Result<Box<Report>, Failure>>,
    pub cancelled: bool,
}

impl RunState {
    pub(crate) fn begun(ticket: Ticket, plan: Box<Plan>, resumed: Option<RunId>, started_at: Timestamp) -> Self {
        let (progress, end) = (None, None);
        let (samples, news, log) = (Vec::new(), Vec::new(), Vec::new());
        Self { ticket, plan, resumed, started_at, progress, samples, news, log, end, cancelled: false }
    }

    pub fn is_active(&self) -> bool {
        self.end.is_none()
    }

    pub fn run(&self) -> Option<&RunId> {
        let reported = match &self.end {
            Some(Ok(report)) => Some(&report.run),
            Some(Err(_)) | None => None,
        };
        reported.or(self.progress.as_ref().map(|progress| &progress.run)).or(self.resumed.as_ref())
    }

    pub fn estimate(&self) -> u64 {
        let all = self.progress.as_ref().map_or(self.plan.messages_estimate, |progress| progress.estimate);
        self.plan.operation.verb().limit().map_or(all, |limit| all.min(limit))
    }

    pub fn done(&self) -> u64 {
        self.progress.as_ref().map_or(0, Progress::done)
    }

    /// The same as a share from 0 to 1.
    pub fn share(&self) -> f64 {
        let (done, estimate) = (self.done() as f64, self.estimate() as f64);
        if estimate > 0.0 { (done / estimate).min(1.0) } else { 0.0 }
    }

    pub(crate) fn hear(&mut self, progress: &mut Progress) {
        self.news.append(&mut progress.news);
        self.log.append(&mut progress.log);
        let extra = self.news.len().saturating_sub(NEWS_MAX);
        self.news.drain(..extra);
        let extra = self.log.len().saturating_sub(LOG_MAX);
        self.log.drain(..extra);
    }

    /// Keeps how far it was, once a second.
    pub(crate) fn sample(&mut self, progress: &Progress) {
        let due = self.samples.last().is_none_or(|(at, _)| progress.at.duration_since(*at).as_secs() >= 1);
        if due {
            self.samples.push((progress.at, progress.done()));
            let extra = self.samples.len().saturating_sub(SAMPLES_MAX);
            self.samples.drain(..extra);
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Here(Ticket),
    /// One that only its journal tells of.
    Past(RunId),
    /// A run of a runbook, of this console.
    Driven(Ticket),
}

#[derive(Debug, Clone)]
pub struct Worded {
    pub(crate) columns: usize,
    pub(crate) wraps: bool,
    pub page: Arc<Page>,
}

#[derive(Debug, Clone)]
pub struct RunView {
    pub subject: Subject,
    pub journal: Load<Vec<Entry>>,
    pub shows_journal: bool,
    /// Whether long records are broken into lines rather than cut.
    pub wraps: bool,
    pub page: Page,
    pub top: usize,
    /// The journal in words, as long as it and the width stay the same.
    pub worded: Option<Worded>,
    /// Whether somebody has moved in it: until then a log's end is shown.
    pub(crate) is_moved: bool,
    pub(crate) journal_at: Option<usize>,
    /// Whether the journal is shown first once it is there.
    pub(crate) goes_to_journal: bool,
}

impl RunView {
    pub(crate) fn new(subject: Subject, shows_journal: bool) -> Self {
        let (journal, page) = (Load::Idle, Page::default());
        let (wraps, goes_to_journal) = (false, false);
        let (worded, journal_at, is_moved) = (None, None, false);
        Self { subject, journal, shows_journal, wraps, page, top: 0, worded, is_moved, journal_at, goes_to_journal }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    pub subject: Subject,
    pub run: Option<RunId>,
    pub environment: Option<EnvironmentName>,
    pub operation: Option<Operation>,
    /// The runbook that it is a run of.
    pub runbook: Option<Text>,
    pub standing: Standing,
    /// Whether it kept a snapshot; none: not known.
    pub snapshot: Option<bool>,
}

/// A run that journals tell of, with what is read out of its records: once, for there may be thousands of them.
#[derive(Debug, Clone)]
pub struct Past {
    pub summary: RunSummary,
    pub known: Known,
    /// What it has done; none: its journal tells, once it is read.
    pub did: Option<Did>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Active {
        stopping: bool,
    },
    Elsewhere,
    BrokeOff,
    Ended {
        end: End,
        /// Whether something of it is left that can be gone on with.
        left: bool,
    },
    NotBegun,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ActivityView {
    pub cursor: Cursor,
    /// Runs, those of this console that are active first.
    pub rows: Vec<Row>,
    pub read_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub known: Known,
    pub(crate) cells: [String; 6],
    pub(crate) role: Role,
}
