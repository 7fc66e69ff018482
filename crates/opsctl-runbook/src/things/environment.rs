//! The environment as conditions see it: what needs attention.

use schemars::JsonSchema;
use serde::Serialize;

use super::look::Looking;
use crate::{
    domain::Text,
    observe::{self, Look, Scope, Severity, Subject, once, verdict::verdicts},
};

/// Verdicts that are kept.
const VERDICTS_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Environment {
    /// Its name in the configuration
    #[schemars(with = "String")]
    pub name: Text,
    /// What needs attention, the worst first, as Home shows it; unknown where it is not asked for
    pub verdicts: Option<Vec<Verdict>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Verdict {
    /// `dead-letters`, `no-writer`, `service-failing`, ...
    pub kind: String,
    /// `critical`, `warning` or `notice`
    pub severity: String,
    /// The queue, service, database, ... by name; unknown where it is about the environment or several things together
    #[schemars(with = "Option<String>")]
    pub subject: Option<Text>,
    /// Why, in words
    #[schemars(with = "String")]
    pub reason: Text,
}

pub(super) async fn see(looking: &Looking<'_>) -> Result<Environment, Text> {
    let cloud = looking.cloud;
    let environment = cloud.environment();
    if looking.name != environment.name.as_str() {
        return Err(Text::line(&format!("this is {}, not {}", environment.name, looking.name)));
    }
    let verdicts = if looking.asks("verdicts") { Some(verdicts_of(looking).await) } else { None };
    Ok(Environment { name: Text::line(environment.name.as_str()), verdicts })
}

async fn verdicts_of(looking: &Looking<'_>) -> Vec<Verdict> {
    let cloud = looking.cloud;
    let environment = cloud.environment();
    let wanted = observe::Wanted { queues: Some(Scope::Configured), looks: &Look::ALL, ..observe::Wanted::default() };
    let seen = once(cloud, &wanted).await;
    let all = verdicts(environment, &environment.watch.thresholds, &seen.snapshot, cloud.clock().now());
    all.into_iter().take(VERDICTS_MAX).map(shown).collect()
}

fn shown(verdict: observe::Verdict) -> Verdict {
    let word = |word: serde_json::Result<serde_json::Value>| {
        word.ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let severity: Severity = verdict.severity;
    let subject: Subject = verdict.subject;
    Verdict {
        kind: word(serde_json::to_value(verdict.kind)),
        severity: word(serde_json::to_value(severity)),
        subject: subject.name().map(|name| Text::line(&name)),
        reason: verdict.reason,
    }
}
