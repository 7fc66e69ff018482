//! [`Plan`]: what an operation would change, shown before anything does.

mod remark;
pub mod words;

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    domain::{AccountId, EnvironmentName, Text, message::hex},
    operations::{Operation, values::Uncertain},
};

pub use remark::Remark;

pub const SCHEMA: &str = "opsctl/plan/1";

/// What would change, what it costs, what speaks against it, and a digest of what was observed.
///
/// A plan is plain data: it can be written to a file and carried out by somebody else. Carrying it out observes the world
/// again; only if that gives the same fingerprint does anything happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: String,
    /// Names this plan: two plans of the same operation differ in it, and in nothing else that matters.
    pub id: String,
    pub operation: Operation,
    pub environment: EnvironmentName,
    /// Account, as the credentials said it when the plan was made.
    pub account: AccountId,
    pub region: String,
    /// The one name that is typed under `type-name`, besides the environment's.
    pub resource: Text,
    pub made_at: Timestamp,
    /// One line: what would happen.
    pub summary: Text,
    /// Labelled facts in the order of showing: from, to, engine, counts, expiry, ...
    pub facts: Vec<Fact>,
    pub groups: Vec<SampledGroup>,
    pub changes: Vec<Text>,
    /// What a person should know first.
    pub warnings: Vec<Remark>,
    /// Why it can't be carried out; empty when it can.
    pub blockers: Vec<Remark>,
    pub calls: Vec<Call>,
    pub messages_estimate: u64,
    /// Which of how many messages, `2 selected of ~42 messages`; none: it is not about messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how_many: Option<Text>,
    /// Why opsctl can't undo it, and what keeps a way back; none: it can, or nothing is taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_way_back: Option<Text>,
    pub seconds_estimate: Option<u64>,
    /// When the oldest of the messages that were looked at is deleted for its age; none: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<jiff::Timestamp>,
    /// Estimate of what AWS charges, in US dollars.
    pub dollars_estimate: f64,
    pub empty: bool,
    /// Ids that were given and that nothing is done for: no message or row has them, or is as it would have to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Text>,
    /// Identities and settings that the plan rests on; never approximate counts, which change by themselves.
    pub observed: BTreeMap<String, String>,
    /// Digest of operation, environment, account and `observed`.
    pub fingerprint: Fingerprint,
    /// Digest of id, time and fingerprint: what makes this plan another one than an equal one made later.
    pub seal: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub label: String,
    pub value: Text,
}

/// Labels of facts that are found again: by what shows a plan, or goes on with it.
pub mod labels {
    pub const RUN: &str = "run";
    pub const FROM: &str = "from";
    pub const TO: &str = "to";
    pub const MESSAGES: &str = "messages";
    pub const ONLY_WHERE: &str = "only where";
    pub const AT_MOST: &str = "at most";
    pub const SELECTED: &str = "selected";
    pub const EXPIRES_IN: &str = "expires in";
    pub const MESSAGE_KEYS: &str = "message keys";
    pub const ENGINE: &str = "engine";
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampledGroup {
    /// What its messages have in common.
    pub title: Text,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub action: String,
    pub resource: Text,
    pub times_estimate: u64,
}

/// Digest of what a plan rests on; 16 hexadecimal digits are enough to name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl Fingerprint {
    /// Digest over operation, environment, account and what was observed.
    pub fn of(
        operation: &Operation,
        environment: &EnvironmentName,
        account: &AccountId,
        observed: &BTreeMap<String, String>,
    ) -> Self {
        let text = serde_json::to_vec(&(operation, environment, account, observed))
            .unwrap_or_else(|error| unreachable!("plain data becomes JSON: {error}"));
        Self(hex(&Sha256::digest(text))[..16].to_owned())
    }
}

impl Plan {
    pub(crate) fn fact(&mut self, label: &str, value: impl AsRef<str>) {
        self.facts.push(Fact { label: label.to_owned(), value: Text::line(value.as_ref()) });
    }

    pub(crate) fn change(&mut self, text: impl AsRef<str>) {
        self.changes.push(Text::line(text.as_ref()));
    }

    pub(crate) fn warn(&mut self, remark: impl Into<Remark>) {
        self.warnings.push(remark.into());
    }

    pub(crate) fn block(&mut self, remark: impl Into<Remark>) {
        self.blockers.push(remark.into());
    }

    /// A call that would be made about so often, on the plan's resource where none is named.
    pub(crate) fn call(&mut self, action: &str, resource: Option<&str>, times_estimate: u64) {
        let resource = resource.map_or_else(|| self.resource.clone(), Text::line);
        self.calls.push(Call { action: action.to_owned(), resource, times_estimate });
    }

    pub(crate) fn observe(&mut self, name: impl Into<String>, value: impl ToString) {
        self.observed.insert(name.into(), value.to_string());
    }

    /// Decides anew what becomes of messages in doubt. The person agrees to the plan that says so.
    pub fn decide_uncertain(&mut self, uncertain: Uncertain) {
        if self.operation.verb().uncertain().is_some_and(|decided| decided != uncertain) {
            self.operation.decide_uncertain(uncertain);
            self.fingerprint = Fingerprint::of(&self.operation, &self.environment, &self.account, &self.observed);
        }
    }

    /// Whether the fingerprint is the one of what the plan says: a file that was edited by hand fails here.
    pub fn is_sound(&self) -> bool {
        self.schema == SCHEMA
            && self.fingerprint == Fingerprint::of(&self.operation, &self.environment, &self.account, &self.observed)
    }

    /// What [`Plan::seal`] has to be.
    pub fn seal_of(&self) -> String {
        let text = serde_json::to_vec(&(&self.id, self.made_at, &self.fingerprint))
            .unwrap_or_else(|error| unreachable!("plain data becomes JSON: {error}"));
        hex(&Sha256::digest(text))[..16].to_owned()
    }

    /// The plan as it stands in a journal or a file: without the titles of failure groups, which are made of messages' text.
    pub fn for_record(&self) -> Self {
        Self { groups: Vec::new(), ..self.clone() }
    }

    /// What another observation sees differently, in words; empty when nothing.
    pub fn differences(&self, fresh: &Plan) -> Vec<Text> {
        let mut found = Vec::new();
        if self.account != fresh.account {
            found.push(Text::line(&format!("account: {} then, {} now", self.account, fresh.account)));
        }
        let names: std::collections::BTreeSet<_> = self.observed.keys().chain(fresh.observed.keys()).collect();
        for name in names {
            let (then, now) = (self.observed.get(name), fresh.observed.get(name));
            if then != now {
                let show = |value: Option<&String>| value.map_or("absent", String::as_str).to_owned();
                found.push(Text::line(&format!("{name}: {} then, {} now", show(then), show(now))));
            }
        }
        found
    }
}
