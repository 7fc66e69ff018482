//! [`Flow`]: an operation on its way from a key to consent.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    domain::{EnvironmentName, RunId, Text},
    gate::{Ask, Refusal},
    operations::{Operation, plan::Plan},
    state::{field::Field, form::Form, page::Page, ticket::Load},
};

/// An operation on its way to consent.
#[derive(Debug, Clone)]
pub struct Flow {
    pub environment: EnvironmentName,
    pub wanted: Wanted,
    pub plan: Load<Plan>,
    /// When the plan was asked for.
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
    /// The answer in the making.
    pub consenting: Consenting,
    /// How it is done, being changed.
    pub options: Option<Form>,
    /// The plan as shown.
    pub page: Page,
    /// First line of it that is seen.
    pub top: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    Operation(Box<Operation>),
    /// What an earlier run left, as it was planned then.
    Resume(RunId),
}

/// The answer in the making.
#[derive(Debug, Clone, Default)]
pub struct Consenting {
    /// Whether "Yes" has the focus; "No" has it at first.
    pub yes: bool,
    /// Which line is typed in, under `type-name`.
    pub line: Option<Line>,
    /// The phrase, as far as it is typed.
    pub phrase: Field,
    /// The reason, as far as it is typed.
    pub reason: Field,
    /// What was not right with the last answer.
    pub said: Option<Text>,
}

/// A line that is typed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    Phrase,
    Reason,
}
