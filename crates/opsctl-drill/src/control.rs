//! What is asked of whoever leads a drill, from another terminal, and what is answered.

use serde::{Deserialize, Serialize};

use crate::domain::Text;

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub by: Text,
    pub order: Order,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// How it stands, with the truth.
    Look,
    /// The same without what a player has to find out.
    Brief,
    Hint,
    /// The next inject happens now.
    Next,
    Skip(String),
    Delay {
        inject: String,
        seconds: u64,
    },
    /// What was kept back for a harder drill happens now.
    Harder,
    Note(String),
    /// Somebody says that it is over.
    Over,
    Stop,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    Done(Text),
    Refused { because: Text, hint: Text },
    Look(Box<View>),
}

/// A drill as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    pub drill: String,
    pub title: Text,
    pub environment: String,
    pub seed: u64,
    /// Seconds since it began, on the sandbox's clock, and until it ends by itself.
    pub seconds: i64,
    pub seconds_left: i64,
    /// Cause and injects, for those who may know.
    pub truth: Option<Truth>,
    pub mitigated: bool,
    pub recovered: bool,
    pub declared_over: bool,
    pub ended: Option<Text>,
    pub harm: crate::event::Harm,
    pub hints_given: usize,
    pub hints: usize,
    /// The last things that happened, the newest last.
    pub last: Vec<Text>,
    /// Who has done something so far.
    pub players: Vec<Text>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    pub cause: String,
    pub truth: Text,
    pub better: Text,
    pub injects: Vec<InjectView>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InjectView {
    pub name: String,
    pub truth: Text,
    pub is_decoy: bool,
    /// Seconds from now; none: it waits for somebody to make it harder, or has happened.
    pub in_seconds: Option<i64>,
    pub has_happened: bool,
}
