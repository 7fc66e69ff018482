//! What ECS holds: clusters, task definitions, services with their deployments and events, tasks.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    bucket::Buckets,
    request::Placement,
    targets::{Balancer, TargetCheck},
};
use crate::world::strain::TableUse;

/// A task that ends sooner after its start has failed to start, milliseconds (our assumption).
pub(super) const BRIEF: i64 = 60_000;
/// Events that a service keeps (API reference: the last 100 are shown).
const EVENTS_MAX: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Region {
    pub(super) clusters: BTreeMap<String, Cluster>,
    /// Revisions by family; the first is revision 1.
    pub(super) families: BTreeMap<String, Vec<Definition>>,
    pub(super) buckets: Buckets,
}

#[derive(Debug, Default)]
pub(super) struct Cluster {
    pub(super) services: BTreeMap<String, Service>,
    pub(super) tasks: BTreeMap<String, Task>,
    /// Client tokens of `RunTask`: a digest of its parameters, and its tasks' ids.
    pub(super) tokens: BTreeMap<String, Token>,
    /// No task is placed before this time.
    pub(super) full_until: i64,
    /// Why `RunTask` places none: a reason of `failures[]`.
    pub(super) refuses: Option<String>,
    /// `DescribeTasks` does not show tasks of this age, in milliseconds: reads are eventually consistent.
    pub(super) hides: Option<std::ops::Range<i64>>,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) digest: String,
    pub(super) tasks: Vec<String>,
    pub(super) used_at: i64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Definition {
    pub(super) container: String,
    pub(super) image: String,
    pub(super) program: Program,
    pub(super) entry_point: Vec<String>,
    pub(super) command: Vec<String>,
    pub(super) health: Option<HealthCheck>,
    /// What was registered, for what is told of it beside the rest; none: it was set up.
    pub(super) registered: Option<Value>,
    pub(super) network_mode: Option<String>,
    pub(super) role: Option<String>,
    pub(super) execution_role: Option<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) secrets: Vec<(String, String)>,
    pub(super) log: Option<LogConfig>,
    /// What the program writes: after so many milliseconds, which text.
    pub(super) script: Vec<(i64, String)>,
    pub(super) database: Option<String>,
    /// The database one of whose tables its tasks use, and how.
    pub(super) table: Option<(String, TableUse)>,
    /// Whether its tasks warm up: they answer no health check until the world says so.
    pub(super) starts_cold: bool,
    /// CPU units and MiB of memory of its tasks; none: 256 and 512.
    pub(super) cpu: Option<String>,
    pub(super) memory: Option<String>,
    pub(super) registered_at: i64,
    /// Whether it was deregistered.
    pub(super) is_inactive: bool,
}

/// A container's own health check (API reference, `HealthCheck`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HealthCheck {
    #[serde(default)]
    pub(super) command: Vec<String>,
    #[serde(rename = "interval", default = "seconds::<30>")]
    pub(super) interval_seconds: i64,
    #[serde(rename = "timeout", default = "seconds::<5>")]
    pub(super) timeout_seconds: i64,
    #[serde(default = "seconds::<3>")]
    pub(super) retries: i64,
    #[serde(rename = "startPeriod", default)]
    pub(super) start_period_seconds: i64,
}

fn seconds<const NUMBER: i64>() -> i64 {
    NUMBER
}

/// Where a container's lines go: the driver `awslogs`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogConfig {
    pub group: String,
    pub prefix: String,
    pub creates_group: bool,
    /// Whether the program waits while lines can't be delivered.
    pub is_blocking: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Program {
    /// From asked for to `PENDING`, seconds.
    pub provision_seconds: u32,
    /// From `PENDING` to `RUNNING`: the image is pulled.
    pub pull_seconds: u32,
    /// From `RUNNING` to healthy; none: it has no health check.
    pub healthy_after_seconds: Option<u32>,
    pub outcome: Outcome,
    /// Whether it ends only when it is killed, 30 seconds after it was told to stop.
    pub ignores_sigterm: bool,
    /// What the health checks of a load balancer find.
    pub target_check: TargetCheck,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Outcome {
    Serves,
    /// It runs, and answers the health checks of its load balancer with an error.
    Unhealthy,
    CannotPull,
    /// It cannot be set up: a secret that is not there, no way to AWS.
    CannotInitialize,
    Exits {
        /// So long after it began to run.
        after_seconds: u32,
        code: i32,
    },
}

impl Program {
    /// What the health checks of a load balancer find of it.
    pub(super) fn checked(&self) -> TargetCheck {
        match self.outcome {
            Outcome::Unhealthy => TargetCheck::UNAVAILABLE,
            Outcome::Serves | Outcome::CannotPull | Outcome::CannotInitialize | Outcome::Exits { .. } => {
                self.target_check
            }
        }
    }
}

impl Default for Program {
    fn default() -> Self {
        Self {
            provision_seconds: 3,
            pull_seconds: 9,
            healthy_after_seconds: None,
            outcome: Outcome::Serves,
            ignores_sigterm: false,
            target_check: TargetCheck::Passes,
        }
    }
}

#[derive(Debug)]
pub(super) struct Service {
    pub(super) standing: Standing,
    pub(super) desired: u32,
    /// The primary one first.
    pub(super) deployments: Vec<Deployment>,
    /// Deployments that are over and no longer described, the newest last.
    pub(super) past: Vec<Deployment>,
    pub(super) events: VecDeque<Event>,
    pub(super) created_at: i64,
    pub(super) breaker: Breaker,
    pub(super) percent_max: u32,
    pub(super) percent_min: u32,
    /// `ROLLING`, `BLUE_GREEN`, ..: kept and shown; deployments roll.
    pub(super) strategy: String,
    pub(super) bake_minutes: u32,
    pub(super) placement: Placement,
    pub(super) network: Value,
    pub(super) balancers: Vec<Balancer>,
    /// `healthCheckGracePeriodSeconds`.
    pub(super) grace_seconds: u32,
    pub(super) tags: BTreeMap<String, String>,
    /// What reads show until a time: they lag behind an update.
    pub(super) stale: Option<(i64, Value)>,
    /// Tasks that ended by themselves, in a row.
    pub(super) failures_in_a_row: u32,
    pub(super) rests_until: i64,
    pub(super) is_steady: bool,
    /// Task definition of the last deployment that was completed.
    pub(super) good_definition: Option<String>,
}

/// A service's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Standing {
    Active,
    /// Deleted; its tasks stop.
    Draining,
    Inactive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    Off,
    Fails,
    RollsBack,
}

#[derive(Debug, Clone)]
pub(super) struct Deployment {
    pub(super) id: String,
    /// `family:revision`.
    pub(super) definition: String,
    pub(super) rollout: Rollout,
    pub(super) reason: String,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) failed: u32,
    /// Whether the circuit breaker made it.
    pub(super) is_rollback: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Rollout {
    InProgress,
    Completed,
    Failed,
}

#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) at: i64,
    pub(super) message: String,
}

#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) definition: String,
    pub(super) service: Option<String>,
    /// Id of a deployment, or what `RunTask` was told.
    pub(super) started_by: Option<String>,
    pub(super) group: String,
    pub(super) stage: Stage,
    pub(super) is_unwanted: bool,
    /// When its stage changes; none: it stays.
    pub(super) next_at: Option<i64>,
    pub(super) healthy_at: Option<i64>,
    /// When its health check has failed as often as it may.
    pub(super) unhealthy_at: Option<i64>,
    /// Since when its program does not answer health checks, for want of what it needs.
    pub(super) ailing_since: Option<i64>,
    /// What the health checks of its load balancer find of its program.
    pub(super) target_check: TargetCheck,
    pub(super) created_at: i64,
    /// When its image began to be pulled.
    pub(super) pull_at: Option<i64>,
    pub(super) started_at: Option<i64>,
    pub(super) stopping_at: Option<i64>,
    pub(super) stopped_at: Option<i64>,
    pub(super) stop: Option<Stop>,
    pub(super) overrides: Value,
    pub(super) tags: Vec<Value>,
    /// When its program ends by itself and how, where that was decided when it began.
    pub(super) ends: Option<(i64, Stop)>,
    /// Whether its command, as far as it can be read, ends it right after its start.
    pub(super) is_brief: bool,
    /// Whether it waits for a table that it is to alter.
    pub(super) waits: bool,
    /// How much faster than its task definition says it comes up, percent: tasks that begin together are not ready together.
    pub(super) haste: i64,
    pub(super) subnet: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Stop {
    pub(super) code: &'static str,
    pub(super) reason: String,
    pub(super) exit_code: Option<i32>,
    pub(super) container_reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Stage {
    Provisioning,
    Pending,
    Running,
    /// Its load balancer sends it nothing new; it goes when its connections are gone.
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

impl Task {
    pub(super) fn is_alive(&self) -> bool {
        !self.is_unwanted && self.stage <= Stage::Running
    }

    pub(super) fn is_running(&self) -> bool {
        self.stage == Stage::Running
    }

    pub(super) fn is_pending(&self) -> bool {
        self.stage < Stage::Running
    }

    /// Whether it is to stop, or has stopped.
    pub(super) fn is_ending(&self) -> bool {
        self.stage > Stage::Running
    }

    /// Runs, is healthy where that is checked, and does not end right after its start: that is no start that counts.
    pub(super) fn is_ready(&self, now: i64) -> bool {
        let is_healthy = self.healthy_at.is_none_or(|at| at <= now) && self.ailing_since.is_none();
        self.is_running() && is_healthy && self.target_check == TargetCheck::Passes && !self.is_brief
    }
}

impl Cluster {
    pub(super) fn tasks_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = (&'a String, &'a Task)> {
        let of_it = move |task: &Task| task.service.as_deref() == Some(service) && task.stage != Stage::Stopped;
        self.tasks.iter().filter(move |(_, task)| of_it(task))
    }

    pub(super) fn tasks_by<'a>(&'a self, deployment: &'a str) -> impl Iterator<Item = (&'a String, &'a Task)> {
        let by_it = move |task: &Task| task.started_by.as_deref() == Some(deployment) && task.stage != Stage::Stopped;
        self.tasks.iter().filter(move |(_, task)| by_it(task))
    }
}

impl Service {
    pub(super) fn new(at: i64, deployment: Deployment) -> Self {
        Self {
            standing: Standing::Active,
            desired: 1,
            deployments: vec![deployment],
            past: Vec::new(),
            events: VecDeque::new(),
            created_at: at,
            breaker: Breaker::Off,
            percent_max: 200,
            percent_min: 100,
            strategy: "ROLLING".to_owned(),
            bake_minutes: 0,
            placement: Placement::default(),
            network: Value::Null,
            balancers: Vec::new(),
            grace_seconds: 0,
            tags: BTreeMap::new(),
            stale: None,
            failures_in_a_row: 0,
            rests_until: 0,
            is_steady: false,
            good_definition: None,
        }
    }

    pub(super) fn primary(&self) -> &Deployment {
        &self.deployments[0]
    }

    pub(super) fn primary_mut(&mut self) -> &mut Deployment {
        &mut self.deployments[0]
    }

    pub(super) fn note(&mut self, id: String, at: i64, message: String) {
        self.events.push_front(Event { id, at, message });
        self.events.truncate(EVENTS_MAX);
    }

    /// After so many failed tasks the breaker acts (ECS developer guide: half of the desired count, 3 to 200).
    pub(super) fn failures_max(&self) -> u32 {
        self.desired.div_ceil(2).clamp(3, 200)
    }
}
