//! Runbooks: their runs in this console, what a person is asked by them, and the views of them.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use crate::{
    domain::{EnvironmentName, RunId, Text},
    gate::Consent,
    journal::{End, HeldBack},
    operations::plan::Plan,
    run::{Failure, Progress},
    runbook::{
        Ask, Decision, Kind, Runbook, StepState, Values,
        drive::{By, Reply, RunbookReport, StepReport, Why},
    },
    state::{
        cursor::Cursor,
        field::Field,
        look::{Page, Role},
        run::Subject,
        ticket::{Load, Ticket},
    },
};

/// News of a step's run that are kept, the newest.
const NEWS_MAX: usize = 50;

/// What is to be carried out.
#[derive(Debug, Clone)]
pub enum Begin {
    New { runbook: Arc<Runbook>, parameters: Values, environment: EnvironmentName, reason: Option<Text> },
    Again { run: RunId, environment: EnvironmentName, by: By },
}

/// A question of a run, which waits until it is answered.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Tells it from earlier ones of the same run.
    pub number: u64,
    /// The step, from 0.
    pub index: usize,
    pub question: Question,
}

#[derive(Debug, Clone)]
pub enum Question {
    Agree {
        plan: Box<Plan>,
        why: Why,
        part: Option<(usize, usize)>,
    },
    Answer(Ask),
    /// Whether a step that a person does is done.
    Hand,
    Decide {
        because: Text,
        /// What "again" goes on with.
        left: Option<RunId>,
        check_failed: bool,
    },
}

/// What a person says to a question.
#[derive(Debug, Clone)]
pub enum Said {
    Agreed(Reply<Consent>),
    Answered(Reply<serde_json::Value>),
    Done(Reply<Option<Text>>),
    Decided(Reply<Decision>),
}

/// What a run has told since the last time.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    pub run: Option<RunId>,
    pub moved: Option<Moved>,
    /// What the step's check or wait is at.
    pub doing: Option<Text>,
    pub running: Option<Box<Progress>>,
    pub asked: Option<Box<Asked>>,
    pub deadline: Option<Text>,
}

/// How the steps stand.
#[derive(Debug, Clone)]
pub struct Moved {
    pub steps: Vec<StepReport>,
    /// The step that moved, from 0.
    pub index: usize,
    /// Whether nothing is done any more but what is always done, and what takes back.
    pub is_stopping: bool,
}

/// A run of a runbook in this console.
#[derive(Debug, Clone)]
pub struct Driven {
    pub ticket: Ticket,
    pub runbook: Arc<Runbook>,
    pub environment: EnvironmentName,
    /// None: it is not begun yet.
    pub run: Option<RunId>,
    pub begun_at: Timestamp,
    pub steps: Vec<StepReport>,
    pub index: usize,
    pub is_stopping: bool,
    pub doing: Option<Text>,
    pub running: Option<Box<Progress>>,
    pub news: Vec<Text>,
    pub asked: Option<Box<Asked>>,
    /// What is lost if nothing is done.
    pub deadline: Option<Text>,
    pub cancelled: bool,
    /// How it ended, or was left.
    pub end: Option<Result<Box<RunbookReport>, Failure>>,
}

impl Driven {
    pub(crate) fn begun(
        ticket: Ticket,
        runbook: Arc<Runbook>,
        environment: EnvironmentName,
        (run, begun_at): (Option<RunId>, Timestamp),
    ) -> Self {
        let steps = crate::runbook::drive::steps(&runbook, &crate::runbook::Course::new(&runbook));
        let (doing, running, asked, deadline, end) = (None, None, None, None, None);
        let (index, is_stopping, cancelled, news) = (0, false, false, Vec::new());
        Self {
            ticket,
            runbook,
            environment,
            run,
            begun_at,
            steps,
            index,
            is_stopping,
            doing,
            running,
            news,
            asked,
            deadline,
            cancelled,
            end,
        }
    }

    pub fn is_active(&self) -> bool {
        self.end.is_none()
    }

    /// Steps that are over.
    pub fn over(&self) -> usize {
        over(&self.steps)
    }

    pub(crate) fn hear(&mut self, heard: Heard) {
        let Heard { run, moved, doing, running, asked, deadline } = heard;
        self.run = run.or(self.run.take());
        self.deadline = deadline.or(self.deadline.take());
        if let Some(Moved { steps, index, is_stopping }) = moved {
            if index != self.index {
                self.news.clear();
            }
            (self.steps, self.index, self.is_stopping) = (steps, index, is_stopping);
            (self.doing, self.running) = (None, None);
        }
        self.doing = doing.or(self.doing.take());
        if let Some(mut progress) = running {
            self.news.append(&mut progress.news);
            let extra = self.news.len().saturating_sub(NEWS_MAX);
            self.news.drain(..extra);
            self.running = Some(progress);
        }
        self.asked = asked.or(self.asked.take());
    }
}

/// Steps that are over.
pub(crate) fn over(steps: &[StepReport]) -> usize {
    let is_over = |step: &&StepReport| match step.state {
        StepState::Waiting | StepState::Running => false,
        StepState::Verified
        | StepState::Failed
        | StepState::ByHand
        | StepState::Skipped
        | StepState::NotNeeded
        | StepState::NothingToDo => true,
    };
    steps.iter().filter(is_over).count()
}

/// Where a run stands, as its journal tells.
#[derive(Debug, Clone)]
pub struct Stood {
    pub run: RunId,
    pub runbook: Arc<Runbook>,
    pub environment: EnvironmentName,
    pub begun_by: Text,
    pub begun_at: Timestamp,
    /// Who carried it out last.
    pub driver: Text,
    pub steps: Vec<StepReport>,
    pub timeline: Vec<(Timestamp, Text)>,
    /// The earlier run that it goes on from.
    pub continues: Option<RunId>,
    /// What its steps have set, paused or moved aside, and what is still so.
    pub held: Vec<HeldBack>,
    /// None: it is open.
    pub end: Option<End>,
}

#[derive(Debug, Clone, Default)]
pub struct RunbooksView {
    pub cursor: Cursor,
    /// Open runs, then runbooks.
    pub rows: Vec<RunbookRow>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RunbookRow {
    /// A run: how it stands, in words.
    Run { subject: Subject, name: String, environment: Option<EnvironmentName>, words: String, role: Role },
    /// A runbook, by its name.
    Book { name: String, cells: [String; 5], is_good: bool },
}

/// A runbook as it is read.
#[derive(Debug, Clone)]
pub struct RunbookView {
    pub name: String,
    pub page: Page,
    pub top: usize,
}

/// A run of a runbook.
#[derive(Debug, Clone)]
pub struct RunbookRunView {
    pub subject: Subject,
    /// As the journal has it.
    pub stood: Load<Box<Stood>>,
    pub shows_timeline: bool,
    /// Whether it was asked for once to take the run over.
    pub takes_over: bool,
    /// The step that somebody looks at; none: the one that is at work.
    pub picked: Option<usize>,
    pub page: Page,
    pub top: usize,
}

impl RunbookRunView {
    pub fn new(subject: Subject) -> Self {
        let (stood, page) = (Load::Idle, Page::default());
        Self { subject, stood, shows_timeline: false, takes_over: false, picked: None, page, top: 0 }
    }
}

/// Values that are asked for: the parameters of a runbook, or the answer to a question.
#[derive(Debug, Clone)]
pub struct ValuesForm {
    pub purpose: Purpose,
    pub environment: EnvironmentName,
    pub title: Text,
    pub lines: Vec<ValueLine>,
    pub at: usize,
    /// Names of the real things of the environment, as far as they were listed; an error: they can't be.
    pub names: BTreeMap<Kind, Result<Vec<String>, Text>>,
}

#[derive(Debug, Clone)]
pub enum Purpose {
    Begin(Arc<Runbook>),
    Answer(Ticket, u64),
}

#[derive(Debug, Clone)]
pub struct ValueLine {
    pub about: About,
    pub name: String,
    pub kind: Kind,
    pub help: Text,
    pub value: Value,
    /// Whether nothing has to be said.
    pub is_optional: bool,
    pub wrong: Option<Text>,
}

/// What a line of the form is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    Environment,
    /// A parameter or an answer.
    Value,
    Reason,
}

#[derive(Debug, Clone)]
pub enum Value {
    Typed(Field),
    OneOf(Vec<String>, usize),
    /// Some of these, and the one under the cursor.
    SomeOf(Vec<(String, bool)>, usize),
}

/// A decision about a step, or word that it was done by hand.
#[derive(Debug, Clone)]
pub struct Deciding {
    pub ticket: Ticket,
    pub number: u64,
    pub title: Text,
    pub because: Option<Text>,
    pub offers: Vec<Offer>,
    pub at: usize,
    pub field: Field,
    pub wrong: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    Done,
    NotDone,
    Again(Option<RunId>),
    /// The same, and messages that may have been sent are sent once more.
    Resend,
    CheckAgain,
    ByHand,
    Skip,
    Stop,
    /// Not to agree to the plan.
    Refuse,
    /// Not to answer.
    NoAnswer,
}
