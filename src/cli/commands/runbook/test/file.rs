//! Tests of a runbook as people write them, in `NAME.test.toml` beside `NAME.md`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    runbook::StepState,
    sandbox::world::{At, Denial, Fault},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "test")]
    tests: Vec<Test>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    /// What it shows, in a sentence.
    pub(super) name: String,
    /// An environment of the sandbox: `dev`, `staging`, `prod`.
    #[serde(default = "dev")]
    pub(super) environment: String,
    /// Parameters.
    #[serde(default)]
    pub(super) set: BTreeMap<String, toml::Value>,
    /// Answers to questions, by the names under which they are kept.
    #[serde(default)]
    pub(super) answers: BTreeMap<String, toml::Value>,
    /// Steps that a person says are done by hand.
    #[serde(default)]
    pub(super) done: Vec<String>,
    /// What is decided about a step that fails, each time that it does: `again`, `check`, `skip=REASON`, `by-hand=NOTE`, `stop`.
    #[serde(default)]
    pub(super) decide: BTreeMap<String, Vec<String>>,
    /// Who carries it out: the first begins it, and where it is killed or left open the next one takes it over.
    #[serde(default = "ann")]
    pub(super) people: Vec<String>,
    /// The step in which the first person's program is killed: of one that changes something, in the midst of its run.
    pub(super) killed_in: Option<String>,
    /// When it is killed, in seconds since its begin.
    pub(super) killed_after_seconds: Option<u64>,
    /// How long the world has lived before the run begins.
    #[serde(default)]
    pub(super) minutes: u64,
    /// Faults, denials and what happens later, as in the file of `opsctl sandbox serve --fault`.
    #[serde(default)]
    pub(super) fault: Vec<Fault>,
    #[serde(default)]
    pub(super) denial: Vec<Denial>,
    #[serde(default)]
    pub(super) at: Vec<At>,
    /// How steps have ended, by their ids.
    #[serde(default)]
    pub(super) expect: BTreeMap<String, StepState>,
    /// A part of why a step is so.
    #[serde(default)]
    pub(super) because: BTreeMap<String, String>,
    /// A part of each thing that is held back at the end, in order; none: it is not looked at.
    pub(super) held: Option<Vec<String>>,
    pub(super) end: Finish,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Finish {
    Done,
    Nothing,
    Partly,
    Failed,
    /// It waits for somebody.
    Open,
}

impl Finish {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Nothing => "nothing",
            Self::Partly => "partly",
            Self::Failed => "failed",
            Self::Open => "open",
        }
    }
}

fn dev() -> String {
    "dev".to_owned()
}

fn ann() -> Vec<String> {
    vec!["ann".to_owned()]
}

/// # Errors
/// The text is not TOML of this shape; shows the place.
pub(super) fn read(text: &str) -> Result<Vec<Test>, String> {
    let File { tests } = toml::from_str(text).map_err(|error| error.to_string())?;
    Ok(tests)
}

/// A value as somebody would type it.
pub(super) fn typed(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(typed).collect::<Vec<_>>().join(","),
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_)
        | toml::Value::Table(_) => value.to_string(),
    }
}
