//! On what tasks of a service run, and how new ones take over.

use serde::{Deserialize, Serialize};

use super::Text;

/// How ECS lets new tasks take over from old ones (`deploymentConfiguration.strategy`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// A few at a time, within the percentages.
    #[default]
    #[strum(serialize = "rolling")]
    Rolling,
    /// All new ones start beside the old ones, then all traffic shifts at once.
    #[strum(serialize = "blue/green")]
    BlueGreen,
    /// As blue/green; traffic shifts in equal steps.
    #[strum(serialize = "linear")]
    Linear,
    /// As blue/green; a small part of the traffic shifts first.
    #[strum(serialize = "canary")]
    Canary,
    /// One that this version does not know.
    #[strum(serialize = "unknown")]
    Other,
}

/// On what a service's tasks run, and who decides how many.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// `DAEMON`: one task on each container instance, and no desired count of its own.
    pub is_daemon: bool,
    /// `FARGATE`, `EC2`, `EXTERNAL`; none: its capacity providers decide, or AWS does not say.
    pub launch_type: Option<Text>,
    pub providers: Vec<CapacityProvider>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapacityProvider {
    /// `FARGATE`, `FARGATE_SPOT`, or the name of one that is made of instances.
    pub name: Text,
    /// So many tasks run on it at least.
    pub base: u32,
    pub weight: u32,
}

impl Placement {
    /// `FARGATE`, `capacity provider spot (weight 3)`; none: AWS does not say.
    pub fn words(&self) -> Option<String> {
        if self.providers.is_empty() {
            return self.launch_type.as_ref().map(Text::to_string);
        }
        let one = |CapacityProvider { name, base, weight }: &CapacityProvider| match base {
            0 => format!("{name} (weight {weight})"),
            base => format!("{name} (base {base}, weight {weight})"),
        };
        let all: Vec<String> = self.providers.iter().map(one).collect();
        Some(format!("capacity provider{} {}", if all.len() > 1 { "s" } else { "" }, all.join(", ")))
    }

    /// What may keep new tasks waiting; none: nothing that is known beforehand.
    pub fn may_wait_for(&self) -> Option<&'static str> {
        let names = || self.providers.iter().map(|provider| provider.name.as_str());
        let is_fargate = |name: &str| matches!(name, "FARGATE" | "FARGATE_SPOT");
        match self.launch_type.as_ref().map(Text::as_str) {
            _ if names().any(|name| !is_fargate(name)) => {
                Some("instances, which its capacity provider may first have to start")
            }
            Some("EC2") if self.providers.is_empty() => Some("room on the cluster's instances"),
            Some("EXTERNAL") if self.providers.is_empty() => Some("room on the registered external instances"),
            _ if names().any(|name| name == "FARGATE_SPOT") => Some("Spot capacity, which AWS may lack"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_new_tasks_wait_for_follows_from_what_they_run_on() {
        let provider = |name: &str| CapacityProvider { name: Text::from(name), base: 0, weight: 1 };
        let of = |launch_type: Option<&str>, providers: &[&str]| Placement {
            is_daemon: false,
            launch_type: launch_type.map(Text::from),
            providers: providers.iter().map(|name| provider(name)).collect(),
        };
        for (placement, words, waits) in [
            (of(Some("FARGATE"), &[]), Some("FARGATE"), false),
            (of(Some("EC2"), &[]), Some("EC2"), true),
            (of(Some("EXTERNAL"), &[]), Some("EXTERNAL"), true),
            (of(None, &["FARGATE"]), Some("capacity provider FARGATE (weight 1)"), false),
            (
                of(None, &["FARGATE", "FARGATE_SPOT"]),
                Some("capacity providers FARGATE (weight 1), FARGATE_SPOT (weight 1)"),
                true,
            ),
            (of(Some("EC2"), &["asg"]), Some("capacity provider asg (weight 1)"), true),
            (of(None, &[]), None, false),
        ] {
            assert_eq!((placement.words().as_deref(), placement.may_wait_for().is_some()), (words, waits));
        }
    }
}
