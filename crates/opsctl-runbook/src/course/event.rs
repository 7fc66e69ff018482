//! [`StepEvent`]: what happened to a step, as the journal has it. A run is what its events make of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    domain::{RunId, Text},
    journal::End,
    operations::values::Uncertain,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum StepEvent {
    /// It is reached, and is to be done.
    Begun {},
    /// Its guard is not true.
    NotNeeded {
        saw: Text,
    },
    /// Whether it is needed can't be told: it is looked once more when a person says so.
    GuardUnknown {
        because: Text,
    },
    /// Evidence was saved before anything was changed.
    Collected {
        evidence: Vec<Kept>,
    },
    /// What is done in parts, as it was when the first was begun: a number, or a list of names.
    Measured {
        whole: Value,
    },
    /// A run of the step's operation was looked for or carried out, and has ended.
    Ran {
        run: RunId,
        end: End,
        done: u64,
        seconds: f64,
        summary: Text,
        is_left: bool,
        /// Who approved it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Text>,
    },
    /// The world is so already.
    NothingToDo {
        summary: Text,
    },
    /// Nothing was begun.
    NotDone {
        because: Text,
    },
    Answered {
        value: Value,
        by: Text,
    },
    HandDone {
        by: Text,
        note: Option<Text>,
    },
    /// A time is over, or what was waited for has come true.
    Waited {},
    Checked {
        held: bool,
        saw: Text,
        seconds: f64,
    },
    Decided {
        by: Text,
        decision: Decision,
    },
    /// The operation that takes the step back was carried out, in a stopped run.
    Undone {
        run: RunId,
        end: End,
        summary: Text,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Text>,
    },
    /// It was not carried out.
    NotUndone {
        because: Text,
    },
}

/// What a person wants done about a step that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Decision {
    /// Once more. What an earlier run of it left is gone on with.
    Again {
        /// What becomes of messages that may or may not have been sent.
        #[serde(default)]
        uncertain: Uncertain,
    },
    /// Nothing is done, and it is checked once more.
    CheckAgain {},
    /// A person has done it; where the step has a check, it is checked.
    ByHand {
        note: Text,
    },
    Skip {
        reason: Text,
    },
    /// The run ends, with the steps that are always done.
    Stop {},
}

/// Evidence that was saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// What it is and of what, `stopped-tasks of cts/cts`.
    pub about: Text,
    /// In the run's folder; none: there was nothing to save.
    pub file: Option<String>,
    /// Of the file.
    pub sha256: Option<String>,
    /// Why it is not there, or not whole.
    pub lost: Option<Text>,
}
