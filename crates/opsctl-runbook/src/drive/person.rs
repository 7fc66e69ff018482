//! [`Person`]: who is asked while a runbook is carried out: a prompt, a console, or nobody.

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::{
    Ask, Course, Decision, Runbook, Step,
    course::Progress,
    domain::{Environment, Text},
    gate::Consent,
    operations::plan::Plan,
    run,
};

/// What is said to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<T> {
    Said(T),
    /// No, and why.
    No(Text),
    /// What was asked is too old to be answered: it is to be looked at anew, and asked once more.
    Again,
    /// Nobody is there who could say it: the run is left open.
    Nobody,
}

/// A step, with all that is known of the run.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    pub runbook: &'a Runbook,
    pub course: &'a Course,
    /// From 0.
    pub index: usize,
}

/// A change that is to be agreed to.
#[derive(Debug, Clone, Copy)]
pub struct ToAgree<'a> {
    pub at: At<'a>,
    pub plan: &'a Plan,
    /// Where it happens.
    pub environment: &'a Environment,
    pub why: Why,
    /// Which part of how many, from 1, of a step that is done in parts.
    pub part: Option<(usize, usize)>,
}

/// What a change is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The step says so.
    Step,
    /// What an earlier run of it left.
    GoOn,
    /// It takes a step back: the run is stopped.
    Undo,
}

/// What happens meanwhile.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// A step has got on.
    Moved(At<'a>),
    /// What a check or a wait is at.
    Doing(At<'a>, &'a Text),
    /// What a run of a step's operation is at.
    Running(At<'a>, &'a run::Progress),
}

pub trait Person: Send + Sync {
    /// Who this is, as the journal has it.
    fn name(&self) -> Text;

    fn agree<'a>(&'a self, asked: ToAgree<'a>) -> BoxFuture<'a, Reply<Consent>>;

    /// The value is one that the question accepts.
    fn answer<'a>(&'a self, at: At<'a>, ask: &'a Ask) -> BoxFuture<'a, Reply<Value>>;

    /// That a step is done by hand, with what there is to note.
    fn done_by_hand<'a>(&'a self, at: At<'a>) -> BoxFuture<'a, Reply<Option<Text>>>;

    fn decide<'a>(&'a self, at: At<'a>) -> BoxFuture<'a, Reply<Decision>>;

    /// Must not block.
    fn told(&self, told: Told<'_>);
}

impl<'a> At<'a> {
    pub fn step(&self) -> &'a Step {
        &self.runbook.steps[self.index]
    }

    pub fn progress(&self) -> &'a Progress {
        &self.course.steps()[self.index]
    }
}
