//! [`Scenario`]: a drill that was read and checked.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    domain::{Text, environment::glob},
    messages::Condition,
    runbook::Kind,
    sandbox::world::{At, Denial, Fault, Witnessed},
};

#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file's name without `.toml`.
    pub name: String,
    /// None: it is built in.
    pub file: Option<PathBuf>,
    pub text: String,
    /// SHA-256 of the text, in hexadecimal digits.
    pub digest: String,
    pub title: Text,
    pub system: Option<Text>,
    pub environment: String,
    pub runbook: Option<String>,
    /// How the incident shows.
    pub situation: Text,
    /// What one may touch.
    pub may: Text,
    pub world: Setup,
    pub things: Vec<Thing>,
    pub causes: Vec<Cause>,
    pub injects: Vec<Inject>,
    pub mitigated: Goal,
    pub recovered: Goal,
    pub tidy: Vec<Leftover>,
    pub hints: Vec<Hint>,
    pub par: Par,
    pub limit: Duration,
    pub harm: Costs,
}

/// The world that it begins in.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    pub messages_max: u64,
    pub fleet: toml::Table,
    pub faults: Vec<Fault>,
    pub denials: Vec<Denial>,
    pub at: Vec<At>,
    /// JSON pointers by globs of queues' names.
    pub identities: Vec<(String, String)>,
}

/// What conditions call by a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    pub word: String,
    pub kind: Kind,
    pub name: String,
    pub environment: String,
}

#[derive(Debug, Clone)]
pub struct Cause {
    pub name: String,
    pub truth: Text,
    pub at: Vec<At>,
    pub found: Vec<Pattern>,
    pub right: Vec<Pattern>,
    pub better: Text,
}

#[derive(Debug, Clone)]
pub struct Inject {
    pub name: String,
    pub truth: Text,
    pub at: At,
    pub is_decoy: bool,
    pub is_harder: bool,
}

#[derive(Debug, Clone)]
pub struct Goal {
    pub condition: Condition,
    pub holds_for: Duration,
}

/// What is not to be left behind.
#[derive(Debug, Clone)]
pub struct Leftover {
    pub name: Text,
    /// What has to be true at the end.
    pub check: Condition,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    pub text: Text,
    /// Points.
    pub cost: u32,
}

/// Good times, from the begin of the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Par {
    pub detect: Duration,
    pub act: Duration,
    pub mitigate: Duration,
    pub recover: Duration,
}

/// Points that a message costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    pub lost: f64,
    pub doubled: f64,
    pub expired: f64,
    pub expire_anyway: u64,
    pub kept: f64,
    pub keep_anyway: u64,
}

/// Calls: `sqs:ReceiveMessage orders-dlq`, with globs; without a subject, whatever they are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    service: String,
    action: String,
    subject: Option<String>,
}

impl Pattern {
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (call, subject) = match text.trim().split_once(' ') {
            Some((call, subject)) => (call, Some(subject.trim().to_owned())),
            None => (text.trim(), None),
        };
        let (service, action) = call.split_once(':').ok_or("a call is written `service:Action subject`")?;
        Ok(Self { service: service.to_owned(), action: action.to_owned(), subject })
    }

    pub fn fits(&self, call: &Witnessed) -> bool {
        let about = call.subject.as_deref().unwrap_or_default();
        glob(&self.service, call.made.service)
            && glob(&self.action, call.made.action)
            && self.subject.as_ref().is_none_or(|subject| glob(subject, about))
    }
}

impl Scenario {
    /// The cause that a seed picks.
    pub fn cause_of(&self, seed: u64) -> usize {
        // Multiplied, so that seeds that differ by one do not go through the causes in their order.
        let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        usize::try_from(mixed).unwrap_or_default() % self.causes.len().max(1)
    }
}
