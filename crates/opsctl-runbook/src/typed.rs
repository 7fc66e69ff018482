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
    /// Who keeps it: a team or its channel.
    pub owner: Option<Spot<String>>,
    /// When it was last carried out, for real or in a drill, `2026-11-12`. After 180 days `opsctl runbook check` warns.
    pub last_rehearsed: Option<Spot<Anything>>,
    /// How long recovery may take, `30m`: the times of a run are held against it.
    pub recovery_time: Option<Spot<String>>,
    /// The verdicts that it helps with. Home and `opsctl status` offer it for them, with what they are about filled in.
    pub applies_when: Option<Vec<Spot<verdict::Kind>>>,
    /// Operations that opsctl refuses in the environment while this runbook is carried out, `failover` for instance.
    pub forbids: Option<Vec<Spot<String>>>,
    /// What it is about, by name. In a step `"{name}"` stands for the value, and in a condition `name` for the thing as it is now.
    pub parameters: Option<BTreeMap<Spot<String>, ParameterBlock>>,
}

/// What a runbook is told before it begins.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterBlock {
    /// What it is.
    #[schemars(required)]
    pub kind: Option<Spot<Kind>>,
    /// What a person reads beside it.
    pub help: Option<Spot<String>>,
    /// Its value where none is given.
    pub default: Option<Spot<Anything>>,
    /// The words that a `choice` can be.
    pub choices: Option<Vec<Spot<String>>>,
}

/// The block ```` ```toml step ````, at most one below each `##` heading. A step without one is done by hand.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepBlock {
    /// The name by which later steps and conditions refer to this one; made of the heading where nothing is said.
    pub id: Option<Spot<String>>,
    /// The operation that this step carries out, by its name on the command line: `redrive`, `outbox replay`.
    #[serde(rename = "do")]
    pub operation: Option<Spot<String>>,
    /// Inputs of the operation, as its options on the command line are called.
    pub with: Option<BTreeMap<Spot<String>, Spot<Anything>>>,
    /// Where it is done, if not in the environment of the run: `"{name}"` of a parameter that is an environment.
    pub environment: Option<Spot<String>>,
    /// The operation is agreed to by another person than the one who began the run.
    pub second_person: Option<Spot<bool>>,
    /// What is to be true, in the filter language, over parameters, answers and earlier steps by name.
    pub check: Option<Spot<String>>,
    /// How long to wait for that, `10m`; where nothing is said, 10 minutes.
    pub within: Option<Spot<String>>,
    /// How long it has to stay true, `5m`.
    pub holds_for: Option<Spot<String>>,
    /// A question, and what its answer is.
    pub ask: Option<Spot<Kind>>,
    /// The words that an answer that is a `choice` can be.
    pub choices: Option<Vec<Spot<String>>>,
    /// Whether several of the choices may be true at once.
    pub several: Option<Spot<bool>>,
    /// The name under which the answer is kept; the step's id where nothing is said.
    pub keep: Option<Spot<String>>,
    /// A time to wait, `30m`. Nobody has to be there.
    pub wait: Option<Spot<String>>,
    /// A condition to wait for, at most as long as `within`, where nothing is said a day. Nobody has to be there.
    pub wait_until: Option<Spot<String>>,
    /// Done by a person, and then checked.
    pub by_hand: Option<Spot<bool>>,
    /// Only done where this is true.
    pub when: Option<Spot<String>>,
    /// What happens when it fails; where nothing is said, `ask`.
    pub on_failure: Option<Spot<OnFailure>>,
    /// Done at the end of every run, however it ends: what puts back.
    pub always: Option<Spot<bool>>,
    /// The operation that takes this step back, offered when a run is stopped.
    pub undo: Option<Undo>,
    /// Done in parts, each checked before the next.
    pub repeat: Option<RepeatBlock>,
    /// What is saved beside the journal before it disappears, of the services, queues and databases among the parameters.
    pub evidence: Option<Vec<Spot<EvidenceKind>>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The run ends, with the steps that are always done.
    Stop,
    /// A person decides: again, by hand, skip, stop.
    #[default]
    Ask,
    /// The next step is done.
    Continue,
}

/// The operation that takes a step back.
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
    /// Up to which percentage each part goes, `[10, 50, 100]`.
    #[schemars(required)]
    pub shares: Option<Spot<Vec<Spot<u32>>>>,
    /// Of what: a number or a list among the fields of a parameter, as it is when the step begins, `queue.messages`.
    #[schemars(required)]
    pub of: Option<Spot<String>>,
    /// The input that takes each part: a number such as `limit`, or a list such as `service`.
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
