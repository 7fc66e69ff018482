//! A plan's parts as people read them: the command line and the console show the same words, each in its own order.

use super::{Plan, Remark};
use crate::domain::{
    Text,
    words::{dollars, duration},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What sampled messages have in common.
    Groups,
    Changes,
    Calls,
    /// What it costs, how long it takes.
    Cost,
    /// What a person should know first.
    Warnings,
    Blockers,
}

impl Part {
    pub fn title(self) -> &'static str {
        match self {
            Self::Groups => "Sampled messages",
            Self::Changes => "What changes",
            Self::Calls => "Calls",
            Self::Cost => "Cost and time",
            Self::Warnings => "Warnings",
            Self::Blockers => "It cannot be done, because",
        }
    }

    /// Its items, a line each.
    pub fn items(self, plan: &Plan) -> Vec<String> {
        let remarks = |remarks: &[Remark]| remarks.iter().map(ToString::to_string).collect();
        match self {
            Self::Groups => plan.groups.iter().map(|group| format!("{}x {}", group.count, group.title)).collect(),
            Self::Changes => plan.changes.iter().map(ToString::to_string).collect(),
            Self::Calls => {
                let calls = plan.calls.iter();
                calls.map(|call| format!("~{} {} on {}", call.times_estimate, call.action, call.resource)).collect()
            }
            Self::Cost => {
                let time = plan.seconds_estimate.map(|seconds| format!(", ~{}", duration(seconds as f64)));
                vec![format!("{}{}", dollars(plan.dollars_estimate), time.unwrap_or_default())]
            }
            Self::Warnings => remarks(&plan.warnings),
            Self::Blockers => remarks(&plan.blockers),
        }
    }
}

/// What is said of a plan that would change nothing.
pub const NOTHING: &str = "There is nothing to do.";

/// What is asked where a yes is enough; it says where and how many, since a plan's first lines may be out of sight.
pub fn question(plan: &Plan) -> String {
    let Plan { operation, resource, environment, account, how_many, .. } = plan;
    let (environment, account) = (Text::line(&environment.0), Text::line(&account.0));
    let of = how_many.as_ref().map(|how_many| format!(": {how_many}")).unwrap_or_default();
    format!("{} {resource} in {environment} ({account}){of}?", operation.name())
}
