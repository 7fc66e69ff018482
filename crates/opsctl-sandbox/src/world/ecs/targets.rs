//! Tasks as a load balancer's targets: registered by IP as they begin to run, checked, drained as they stop.

use serde::{Deserialize, Serialize};

use super::{
    Caller, Ecs,
    health::TARGET_FAILS_AFTER,
    key,
    model::{Stage, Task},
};

/// From running to registered, milliseconds: our assumption.
const REGISTERED_AFTER: i64 = 2_000;
/// From running to the end of the first health checks: our assumption (with AWS it is interval by threshold of the target group).
pub(super) const CHECKED_AFTER: i64 = 12_000;

/// A service's place behind a load balancer, as requests and answers write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Balancer {
    pub target_group_arn: String,
    pub container_name: String,
    pub container_port: u16,
}

/// What the health checks of a load balancer find of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetCheck {
    Passes,
    Fails {
        /// `Target.FailedHealthChecks`, `Target.ResponseCodeMismatch`, ...
        reason: &'static str,
        description: &'static str,
    },
}

impl TargetCheck {
    /// It answers with this code, as AWS tells it.
    pub const BAD_GATEWAY: Self = Self::Fails {
        reason: "Target.ResponseCodeMismatch",
        description: "Health checks failed with these codes: [502]",
    };
    pub const SILENT: Self = Self::Fails { reason: "Target.FailedHealthChecks", description: "Health checks failed" };

    pub const UNAVAILABLE: Self = Self::Fails {
        reason: "Target.ResponseCodeMismatch",
        description: "Health checks failed with these codes: [503]",
    };

    /// Why a target is unhealthy; of a program that passes while it can, that it does not answer.
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Passes => TIMED_OUT.1,
            Self::Fails { description, .. } => description,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::world) struct Target {
    pub(in crate::world) address: String,
    pub(in crate::world) port: u16,
    pub(in crate::world) state: TargetState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) struct TargetState(
    pub(in crate::world) &'static str,
    pub(in crate::world) Option<(&'static str, &'static str)>,
);

const REGISTERS: TargetState =
    TargetState("initial", Some(("Elb.RegistrationInProgress", "Target registration is in progress")));
const IS_CHECKED: TargetState =
    TargetState("initial", Some(("Elb.InitialHealthChecking", "Initial health checks in progress")));
const TIMED_OUT: (&str, &str) = ("Target.Timeout", "Request timed out");
const DRAINS: TargetState =
    TargetState("draining", Some(("Target.DeregistrationInProgress", "Target deregistration is in progress")));

impl Ecs {
    /// Puts a service behind a target group; its tasks are targets from now on. False: no such service.
    pub fn balance(&mut self, caller: &Caller, cluster: &str, service: &str, balancer: Balancer, grace: u32) -> bool {
        let Some(found) = self.service(caller, cluster, service) else { return false };
        found.balancers.push(balancer);
        found.grace_seconds = grace;
        true
    }

    pub(in crate::world) fn targets(&self, now: i64, caller: &Caller, target_group: &str) -> Vec<Target> {
        let clusters = self.places.get(&key(caller)).into_iter().flat_map(|region| region.clusters.values());
        let mut found = Vec::new();
        for cluster in clusters {
            for (name, service) in &cluster.services {
                for balancer in service.balancers.iter().filter(|balancer| balancer.target_group_arn == target_group) {
                    let tasks = cluster.tasks_of(name);
                    let target = |(id, task): (&String, &Task)| {
                        // A task that was set up has run for long, and stays whatever its checks find.
                        let of_definition = self.definition(&key(caller), &task.definition)?.program.checked();
                        let check = match task.target_check {
                            TargetCheck::Passes => of_definition,
                            fails @ TargetCheck::Fails { .. } => fails,
                        };
                        Some(Target {
                            address: address(id),
                            port: balancer.container_port,
                            state: state(task, check, now)?,
                        })
                    };
                    found.extend(tasks.filter_map(target));
                }
            }
        }
        found
    }
}

/// How a task stands with its load balancer; none: it is no target, not yet or no more.
fn state(task: &Task, check: TargetCheck, now: i64) -> Option<TargetState> {
    let since = now - task.started_at?;
    Some(match (task.stage, check) {
        (Stage::Provisioning | Stage::Pending | Stage::Deprovisioning | Stage::Stopped, _) => return None,
        (Stage::Deactivating | Stage::Stopping, _) => DRAINS,
        (Stage::Running, _) if since < REGISTERED_AFTER => REGISTERS,
        (Stage::Running, _) if since < CHECKED_AFTER => IS_CHECKED,
        (Stage::Running, TargetCheck::Passes) => match task.ailing_since {
            Some(at) if now >= at + TARGET_FAILS_AFTER => TargetState("unhealthy", Some(TIMED_OUT)),
            Some(_) | None => TargetState("healthy", None),
        },
        (Stage::Running, TargetCheck::Fails { reason, description }) => {
            TargetState("unhealthy", Some((reason, description)))
        }
    })
}

pub(super) fn address(id: &str) -> String {
    let part = |from: usize| id.get(from..from + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(1);
    format!("10.0.{}.{}", part(0), part(2))
}
