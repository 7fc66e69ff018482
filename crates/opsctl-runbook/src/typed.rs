//! The typed blocks of a runbook as written. No rule lives here: the types say which keys there are and what they mean (their
//! comments become the JSON Schema and the reference), nothing else.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::{EvidenceKind, Kind, files::Spot, observe::verdict};

/// The block ```` ```toml runbook ````, between the title and the first step.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Runbook")]
pub struct Header {
    /// Who maintains it: a team or its channel.
    pub owner: Option<Spot<String>>,
    /// When it was last run, for real or in a drill, `2026-11-12`. After 180 days `opsctl runbook check` warns.
    pub last_rehearsed: Option<Spot<Anything>>,
    /// How long recovery may take, `30m`. Reports and timelines compare the time that a run took with it.
    pub recovery_time: Option<Spot<String>>,
    /// The verdicts that it is for. Home and `opsctl status` suggest it for them, with the parameter filled in.
    pub applies_when: Option<Vec<Spot<verdict::Kind>>>,
    /// Operations that opsctl refuses in the environment while a run of this runbook is open, such as `failover`.
    pub forbids: Option<Vec<Spot<String>>>,
    /// What it is about, by name. In a step `"{name}"` stands for the value; in a condition `name` is the resource as it is now.
    pub parameters: Option<BTreeMap<Spot<String>, ParameterBlock>>,
}

/// What a runbook needs to know before it starts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterBlock {
    /// What it is.
    #[schemars(required)]
    pub kind: Option<Spot<Kind>>,
    /// What people read beside it.
    pub help: Option<Spot<String>>,
    /// Its value when none is given.
    pub default: Option<Spot<Anything>>,
    /// The words that a `choice` can be.
    pub choices: Option<Vec<Spot<String>>>,
}

/// The block ```` ```toml step ````, at most one below each `##` heading. A step without one is done by hand.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepBlock {
    /// The name by which later steps and conditions refer to this one. Default: made from the heading.
    pub id: Option<Spot<String>>,
    /// The operation that this step carries out, by its name on the command line: `redrive`, `outbox replay`.
    #[serde(rename = "do")]
    pub operation: Option<Spot<String>>,
    /// Inputs of the operation, named like its options on the command line.
    pub with: Option<BTreeMap<Spot<String>, Spot<Anything>>>,
    /// The environment to act in, if not the environment of the run: `"{name}"` of a parameter of kind `environment`.
    pub environment: Option<Spot<String>>,
    /// The operation must be approved by someone other than the person who started the run.
    pub second_person: Option<Spot<bool>>,
    /// A condition that must come true: jq over parameters, answers and earlier steps by name.
    pub check: Option<Spot<String>>,
    /// How long to wait for that, `10m`. Default: 10 minutes.
    pub within: Option<Spot<String>>,
    /// How long it must stay true, `5m`.
    pub holds_for: Option<Spot<String>>,
    /// A question, and the kind of its answer.
    pub ask: Option<Spot<Kind>>,
    /// The answers to choose from, for `ask = "choice"`.
    pub choices: Option<Vec<Spot<String>>>,
    /// Whether several choices may be selected.
    pub several: Option<Spot<bool>>,
    /// The name under which the answer is kept. Default: the id of the step.
    pub keep: Option<Spot<String>>,
    /// A time to wait, `30m`. Nobody needs to be there.
    pub wait: Option<Spot<String>>,
    /// A condition to wait for, for `within` at most. Default: a day. Nobody needs to be there.
    pub wait_until: Option<Spot<String>>,
    /// Done by hand, and then checked.
    pub by_hand: Option<Spot<bool>>,
    /// The step is left out unless this is true.
    pub when: Option<Spot<String>>,
    /// What happens when the step fails: `ask` (the default), `stop` or `continue`.
    pub on_failure: Option<Spot<OnFailure>>,
    /// The step is done at the end of every run, however it ends: for steps that put something back.
    pub always: Option<Spot<bool>>,
    /// The operation that undoes this step, offered when a run is stopped.
    pub undo: Option<Undo>,
    /// The step is done in parts, each checked before the next.
    pub repeat: Option<RepeatBlock>,
    /// What is saved to the folder of the run before it disappears, of the resources among the parameters.
    pub evidence: Option<Vec<Spot<EvidenceKind>>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The run ends; steps with `always` are still done.
    Stop,
    /// Someone decides: try again, done by hand, skip, or stop.
    #[default]
    Ask,
    /// The run continues with the next step.
    Continue,
}

/// The operation that undoes a step.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// Its name on the command line.
    #[serde(rename = "do")]
    #[schemars(required)]
    pub operation: Option<Spot<String>>,
    /// Its inputs.
    pub with: Option<BTreeMap<Spot<String>, Spot<Anything>>>,
}

/// How a step is done in parts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepeatBlock {
    /// The percentage that each part goes up to, `[10, 50, 100]`.
    #[schemars(required)]
    pub shares: Option<Spot<Vec<Spot<u32>>>>,
    /// What the shares are of: a number or a list among the fields of a parameter, as it is when the step starts, `queue.messages`.
    #[schemars(required)]
    pub of: Option<Spot<String>>,
    /// The input of the operation that takes each part: a number such as `limit`, or a list such as `service`.
    #[schemars(required)]
    pub input: Option<Spot<String>>,
}

/// A value of any type, looked at by who reads it.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Anything(pub toml::Value);

impl JsonSchema for Anything {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Anything".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A value of any type." })
    }
}

impl Anything {
    /// As plain data; a date as its text.
    pub fn json(&self) -> serde_json::Value {
        json(&self.0)
    }
}

fn json(value: &toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(truth) => (*truth).into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::Table(table) => table.iter().map(|(key, value)| (key.clone(), json(value))).collect(),
    }
}
