//! A drill's file as written. No rule lives here: the types say which keys there are and what they mean.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    files::Spot,
    runbook::{Kind, typed::Anything},
};

/// A drill: an incident on the sandbox, what is to be reached, and what counts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Drill")]
pub struct DrillFile {
    /// What lists show. It tells nothing that the player has to find out.
    #[schemars(required)]
    pub title: Option<Spot<String>>,
    /// The system that it is of, in the team's words.
    pub system: Option<Spot<String>>,
    /// The environment that the incident is in; where nothing is said, `prod`. What is changed in another one ends the drill.
    pub environment: Option<Spot<String>>,
    /// The runbook that leads out of it.
    pub runbook: Option<Spot<String>>,
    /// What players are told before it begins.
    #[schemars(required)]
    pub brief: Option<BriefBlock>,
    /// The sandbox's world.
    pub world: Option<WorldBlock>,
    /// What conditions are about, by the words that they use.
    #[schemars(required)]
    pub things: Option<BTreeMap<Spot<String>, ThingBlock>>,
    /// What is really wrong. With several, the seed picks one.
    #[schemars(required)]
    pub cause: Option<Vec<CauseBlock>>,
    /// What happens meanwhile, whatever the cause is.
    pub inject: Option<Vec<InjectBlock>>,
    /// What is to be reached.
    #[schemars(required)]
    pub goals: Option<GoalsBlock>,
    /// What is not to be left behind.
    pub tidy: Option<Vec<TidyBlock>>,
    /// Hints, from the first to the last.
    pub hint: Option<Vec<HintBlock>>,
    /// Good times, counted from the begin of the incident.
    #[schemars(required)]
    pub par: Option<ParBlock>,
    /// How long it may take, `45m`; where nothing is said, three times `par.recover`.
    pub limit: Option<Spot<String>>,
    /// Points that harm costs.
    pub harm: Option<HarmBlock>,
}

/// What players are told before it begins.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BriefBlock {
    /// How the incident shows: the page, the call, the graph.
    #[schemars(required)]
    pub situation: Option<Spot<String>>,
    /// What one may touch, and what not.
    #[schemars(required)]
    pub may: Option<Spot<String>>,
}

/// The sandbox's world.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorldBlock {
    /// Most messages that a queue begins with, of each kind; where nothing is said, 500.
    pub messages_max: Option<Spot<u64>>,
    /// Entries of the fleet file. One with the name of a built-in entry changes that, any other is new.
    pub fleet: Option<BTreeMap<String, Anything>>,
    /// Faults, as in the file of `opsctl sandbox serve --fault`.
    pub fault: Option<Vec<Spot<Anything>>>,
    /// Denials.
    pub denial: Option<Vec<Spot<Anything>>>,
    /// What happens whatever the cause is, `{ after = "2m", do = … }`.
    pub at: Option<Vec<Spot<Anything>>>,
    /// By which JSON pointer the messages of queues (globs) are told apart, where they may be edited: `"orders*" = "/orderId"`.
    pub identity: Option<BTreeMap<String, String>>,
}

/// A thing that conditions are about.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThingBlock {
    /// What it is, as for a parameter of a runbook.
    #[schemars(required)]
    pub kind: Option<Spot<Kind>>,
    /// Its name.
    #[schemars(required)]
    pub name: Option<Spot<String>>,
    /// Where it is, if not in the drill's environment.
    pub environment: Option<Spot<String>>,
}

/// Something that may be wrong.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CauseBlock {
    #[schemars(required)]
    pub name: Option<Spot<String>>,
    /// What is wrong, for the facilitator and the report.
    #[schemars(required)]
    pub truth: Option<Spot<String>>,
    /// How it comes about, `{ after = "0s", do = … }`.
    pub at: Option<Vec<Spot<Anything>>>,
    /// Calls by which a player looks in the right place: `sqs:ReceiveMessage orders-dlq`, with `*`.
    #[schemars(required)]
    pub found: Option<Vec<Spot<String>>>,
    /// Calls that are a step out of it.
    #[schemars(required)]
    pub right: Option<Vec<Spot<String>>>,
    /// What would have been better, where it goes wrong.
    #[schemars(required)]
    pub better: Option<Spot<String>>,
}

/// Something that happens meanwhile.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InjectBlock {
    #[schemars(required)]
    pub name: Option<Spot<String>>,
    /// What it is, for the facilitator and the report.
    #[schemars(required)]
    pub truth: Option<Spot<String>>,
    /// When, and what, `{ after = "5m", do = … }`.
    #[schemars(required)]
    pub at: Option<Spot<Anything>>,
    /// It has nothing to do with the incident.
    pub decoy: Option<bool>,
    /// It happens only when the facilitator makes the drill harder.
    pub harder: Option<bool>,
}

/// What is to be reached, as conditions over things, as in runbooks.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoalsBlock {
    /// It gets no worse.
    #[schemars(required)]
    pub mitigated: Option<Spot<String>>,
    /// It is over.
    #[schemars(required)]
    pub recovered: Option<Spot<String>>,
    /// How long that has to stay true; where nothing is said, `2m`.
    pub holds_for: Option<Spot<String>>,
}

/// What is not to be left behind. What opsctl itself has paused, set or left unfinished always counts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TidyBlock {
    /// What it is, `the retention is back at 4 days`.
    #[schemars(required)]
    pub name: Option<Spot<String>>,
    /// What has to be true at the end.
    #[schemars(required)]
    pub check: Option<Spot<String>>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HintBlock {
    #[schemars(required)]
    pub text: Option<Spot<String>>,
    /// Points that it costs; where nothing is said, 3.
    pub cost: Option<u32>,
}

/// Good times, counted from the begin of the incident: `3m`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParBlock {
    /// Until the right place is looked at.
    #[schemars(required)]
    pub detect: Option<Spot<String>>,
    /// Until the first step out of it.
    #[schemars(required)]
    pub act: Option<Spot<String>>,
    #[schemars(required)]
    pub mitigate: Option<Spot<String>>,
    #[schemars(required)]
    pub recover: Option<Spot<String>>,
}

/// Points that harm costs, a message each; where nothing is said, 1.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HarmBlock {
    pub lost: Option<f64>,
    pub doubled: Option<f64>,
    pub expired: Option<f64>,
    /// Messages that expire whatever a player does.
    pub expire_anyway: Option<u64>,
    /// Points for a message that lies in a snapshot of opsctl's only, at the end; where nothing is said, 0.
    pub kept: Option<f64>,
    /// Messages that have to be taken out, and may stay in a snapshot for that.
    pub keep_anyway: Option<u64>,
}
