//! [`Runbook`]: a procedure that was read and checked.

use std::{ops::Range, path::PathBuf, time::Duration};

use jiff::civil::Date;
use serde_json::Value;

use crate::{
    EvidenceKind, Kind, Template,
    domain::Text,
    messages::Condition,
    observe::verdict,
    operations::{OperationKind, values::Seconds},
    typed::OnFailure,
};

#[derive(Debug, Clone)]
pub struct Runbook {
    /// The file's name without `.md`.
    pub name: String,
    pub origin: Origin,
    pub text: String,
    /// SHA-256 of the text, in hexadecimal digits.
    pub digest: String,
    pub title: Text,
    /// The text between the title and the first step, as a part of `text`.
    pub introduction: Range<usize>,
    pub owner: Option<Text>,
    pub last_rehearsed: Option<Date>,
    pub recovery_time: Option<Seconds>,
    pub applies_when: Vec<verdict::Kind>,
    pub forbids: Vec<OperationKind>,
    /// In the order in which they stand in the file.
    pub parameters: Vec<Parameter>,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    BuiltIn,
    File(PathBuf),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub kind: Kind,
    pub help: Text,
    pub default: Option<Value>,
    pub choices: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Step {
    pub id: String,
    /// Its heading.
    pub name: Text,
    /// Where its block, or its heading where it has none, stands in the runbook's text.
    pub span: Range<usize>,
    /// What stands below the heading, as a part of the runbook's text.
    pub body: Range<usize>,
    pub action: Action,
    /// What has to be true when it is done.
    pub check: Option<Check>,
    pub when: Option<Condition>,
    pub on_failure: OnFailure,
    /// Whether it is done at every end.
    pub always: bool,
    pub undo: Option<Template>,
    pub repeat: Option<Repeat>,
    pub evidence: Vec<EvidenceKind>,
}

#[derive(Debug, Clone)]
pub enum Action {
    /// A person does it.
    ByHand,
    Do(Change),
    /// Nothing but the check.
    Check,
    Ask(Ask),
    Wait(Wait),
    /// Nothing but the evidence.
    Collect,
}

/// An operation that a step carries out.
#[derive(Debug, Clone)]
pub struct Change {
    pub template: Template,
    /// The parameter that names another environment than the run's.
    pub environment: Option<String>,
    /// Whether it is agreed to by another person than the one who began the run.
    pub second_person: bool,
}

#[derive(Debug, Clone)]
pub struct Check {
    pub condition: Condition,
    pub within: Duration,
    pub holds_for: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    pub kind: Kind,
    pub choices: Vec<String>,
    pub several: bool,
    /// The name under which the answer is kept.
    pub keep: String,
}

#[derive(Debug, Clone)]
pub enum Wait {
    For(Duration),
    Until(Check),
}

#[derive(Debug, Clone)]
pub struct Repeat {
    /// In percent, rising, the last one 100.
    pub shares: Vec<u32>,
    /// A figure of what is seen when the step begins, `queue.messages`.
    pub of: String,
    pub input: String,
}

impl Runbook {
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// What stands below a step's heading.
    pub fn body_of(&self, step: &Step) -> &str {
        self.text.get(step.body.clone()).unwrap_or_default()
    }

    /// The first paragraph below the title, for lists; empty: there is none.
    pub fn summary(&self) -> Text {
        let introduction = self.text.get(self.introduction.clone()).unwrap_or_default();
        Text::line(&crate::document::first_paragraph(introduction))
    }
}

impl Ask {
    /// What somebody typed, as its answer; several choices are separated by commas.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        if !self.several {
            return self.kind.parse(text, &self.choices);
        }
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let all: Result<Vec<Value>, String> = parts.map(|part| self.kind.parse(part, &self.choices)).collect();
        all.map(Value::Array)
    }
}

impl Step {
    pub fn change(&self) -> Option<&Change> {
        match &self.action {
            Action::Do(change) => Some(change),
            Action::ByHand | Action::Check | Action::Ask(_) | Action::Wait(_) | Action::Collect => None,
        }
    }

    /// Its question.
    pub fn ask(&self) -> Option<&Ask> {
        match &self.action {
            Action::Ask(ask) => Some(ask),
            Action::ByHand | Action::Do(_) | Action::Check | Action::Wait(_) | Action::Collect => None,
        }
    }

    /// What it is, in a word or two for lists.
    pub fn what(&self) -> &'static str {
        match &self.action {
            Action::ByHand => "by hand",
            Action::Do(change) => change.template.operation.name(),
            Action::Check => "check",
            Action::Ask(_) => "question",
            Action::Wait(_) => "wait",
            Action::Collect => "evidence",
        }
    }
}
