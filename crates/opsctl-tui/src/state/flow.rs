//! [`Flow`]: an operation on its way from a key to consent.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    domain::{EnvironmentName, RunId, Text},
    gate::{Ask, Refusal},
    operations::{Operation, plan::Plan},
    state::{
        cursor::Cursor,
        field::Field,
        look::Page,
        ticket::{Load, Ticket},
    },
};

#[derive(Debug, Clone)]
pub struct Flow {
    pub environment: EnvironmentName,
    pub wanted: Wanted,
    pub plan: Load<Plan>,
    pub asked_at: Timestamp,
    pub planned_at: Option<Timestamp>,
    /// Frames that had been drawn then.
    pub planned_frame: u64,
    /// The moment since which nobody has pressed a key of consent, this plan being there: [`crate::state::model::Model::moment`].
    pub quiet_since: Duration,
    /// Whether somebody said yes before this plan was seen: what they agreed to was not this.
    pub early: bool,
    /// What the gate asks for it, or why there is no use in asking.
    pub asked: Option<Result<Ask, Refusal>>,
    /// What to know about this plan besides: why it was made anew, what differs.
    pub notes: Vec<Text>,
    pub consenting: Consenting,
    pub options: Option<Form>,
    pub page: Page,
    pub top: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    Operation(Box<Operation>),
    /// What an earlier run left, as it was planned then.
    Resume(RunId),
    /// What a step of a runbook is about to do.
    Step(Box<Step>),
}

/// A question of a run of a runbook, whose plan is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub ticket: Ticket,
    pub number: u64,
    /// The step's heading.
    pub name: Text,
}

#[derive(Debug, Clone, Default)]
pub struct Consenting {
    /// Whether "Yes" has the focus; "No" has it at first.
    pub yes: bool,
    /// Which line is typed in, under `type-name`.
    pub line: Option<ConsentLine>,
    pub phrase: Field,
    pub reason: Field,
    /// What was not right with the last answer.
    pub said: Option<Text>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentLine {
    Phrase,
    Reason,
}

#[derive(Debug, Clone)]
pub struct Form {
    pub(crate) operation: Operation,
    pub(crate) lines: Vec<FormLine>,
    pub(crate) cursor: Cursor,
    pub(crate) resuming: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct FormLine {
    /// Name as on the command line.
    pub(crate) name: String,
    pub(crate) help: Text,
    /// What it takes, in a word: `N`, `TIME`.
    pub(crate) takes: String,
    pub(crate) value: Filled,
    pub(crate) wrong: Option<Text>,
}

#[derive(Debug, Clone)]
pub(crate) enum Filled {
    /// Text; none: as it is without.
    Typed(Field),
    Whether(bool),
    /// One of these: names with their help.
    OneOf(Vec<(String, String)>, usize),
}
