//! ECS on the pure world: clusters, task definitions, services whose deployments and tasks take time, throttles that all share.
//!
//! `UpdateService` with a desired count makes no deployment; reads show an update [`READS_LAG`] later, as AWS's are eventually
//! consistent (how late is our assumption). A service that is started has a rollout state of its own; scaling it later leaves
//! `COMPLETED` as it is. Not simulated: that tasks are
//! replaced whose targets are unhealthy, and what a target group in `CreateService` must be; EC2 capacity, Service Connect, task sets,
//! blue/green.

mod bucket;
mod fixture;
mod life;
mod loads;
mod model;
mod program;
mod read;
mod request;
mod show;
mod targets;
#[cfg(test)]
mod task_tests;
#[cfg(test)]
mod tests;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fastrand::Rng;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ApiError, Caller, World};
use bucket::Kind;
pub use fixture::JobFixture;
pub use fixture::{ServiceFixture, ServiceView};
use life::Due;
pub use life::Outside;
pub(super) use loads::Load;
pub use model::{Breaker, LogConfig, Outcome, Program};
use model::{Definition, Deployment, Region, Rollout};
pub use targets::{Balancer, TargetCheck};
pub(super) use targets::{Target, TargetState};

/// How late reads show an update, milliseconds.
const READS_LAG: i64 = 1_000;

/// Account and region.
type PlaceKey = (Arc<str>, Arc<str>);

/// ECS of every account and region.
#[derive(Debug)]
pub struct Ecs {
    places: BTreeMap<PlaceKey, Region>,
    due: BTreeSet<(i64, Due)>,
    rng: Rng,
    throttled: u64,
}

impl Ecs {
    /// Nothing; the seed decides every id.
    pub(super) fn new(seed: u64) -> Self {
        Self { places: BTreeMap::new(), due: BTreeSet::new(), rng: Rng::with_seed(seed ^ 0x0ec5), throttled: 0 }
    }

    /// Calls that were throttled, all accounts together.
    pub fn throttled(&self) -> u64 {
        self.throttled
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.rng.u64(..), self.rng.u64(..));
        let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xfff);
        format!("{a:08x}-{b:04x}-4{c:03x}-{:04x}-{:012x}", 0x8000 | (low >> 50), low & 0xffff_ffff_ffff)
    }

    fn task_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.rng.u64(..), self.rng.u64(..))
    }

    fn new_deployment(&mut self, at: i64, definition: &str) -> Deployment {
        let id = format!("ecs-svc/{:019}", self.rng.u64(..) % 10_000_000_000_000_000_000);
        let reason = format!("ECS deployment {id} in progress.");
        Deployment {
            id,
            definition: definition.to_owned(),
            rollout: Rollout::InProgress,
            reason,
            created_at: at,
            updated_at: at,
            failed: 0,
        }
    }

    fn region(&mut self, caller: &Caller) -> &mut Region {
        self.places.entry(key(caller)).or_default()
    }

    /// The task definition `family:revision`.
    fn definition(&self, place: &PlaceKey, name: &str) -> Option<&Definition> {
        let (family, revision) = name.rsplit_once(':')?;
        let revision: usize = revision.parse().ok()?;
        self.places.get(place)?.families.get(family)?.get(revision.checked_sub(1)?)
    }

    fn program(&self, due: &Due, definition: &str) -> Program {
        self.definition(&due.place, definition).map(|definition| definition.program).unwrap_or_default()
    }

    fn task_definition(&self, due: &Due, task: &str) -> Option<Definition> {
        let cluster = self.places.get(&due.place)?.clusters.get(&due.cluster)?;
        self.definition(&due.place, &cluster.tasks.get(task)?.definition).cloned()
    }
}

impl World {
    /// One ECS call: `body` is its awsJson1_1 document, and so is the answer.
    ///
    /// # Errors
    /// As ECS words them.
    pub fn ecs(
        &mut self,
        now: jiff::Timestamp,
        caller: &Caller,
        action: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, ApiError> {
        let now = self.advance(now);
        let name = format!("ecs:{action}");
        if self.denials.iter().any(|denial| denial.refuses(&caller.account, None, &name)) {
            return Err(denied(caller, &name));
        }
        if let Some(kind) = kind(action)
            && !self.ecs.region(caller).buckets.take(kind, now)
        {
            self.ecs.throttled += 1;
            return Err(error("ThrottlingException", "Rate exceeded"));
        }
        let answer = self.ecs.call(now, caller, action, body)?;
        Ok(answer.to_string().into_bytes())
    }
}

impl Ecs {
    fn call(&mut self, now: i64, caller: &Caller, action: &str, body: &[u8]) -> Result<Value, ApiError> {
        match action {
            "ListClusters" => self.list_clusters(caller, &read(body)?),
            "DescribeClusters" => self.describe_clusters(caller, &read(body)?),
            "ListServices" => self.list_services(caller, &read(body)?),
            "DescribeServices" => self.describe_services(now, caller, &read(body)?),
            "ListTasks" => self.list_tasks(caller, &read(body)?),
            "DescribeTasks" => self.describe_tasks(now, caller, &read(body)?),
            "ListTaskDefinitions" => self.list_task_definitions(caller, &read(body)?),
            "DescribeTaskDefinition" => self.describe_task_definition(caller, &read(body)?),
            "CreateCluster" => self.create_cluster(caller, &read(body)?),
            "RegisterTaskDefinition" => self.register_task_definition(caller, read(body)?),
            "CreateService" => self.create_service(now, caller, read(body)?),
            "UpdateService" => self.update_service(now, caller, &read(body)?),
            "RunTask" => self.run_task(now, caller, &read(body)?),
            "StopTask" => self.stop_one_task(now, caller, &read(body)?),
            _ => Err(error("UnknownOperationException", "")),
        }
    }
}

fn kind(action: &str) -> Option<Kind> {
    Some(match action {
        "ListClusters" | "DescribeClusters" => Kind::Cluster,
        "ListServices" | "DescribeServices" | "DescribeTaskDefinition" | "ListTaskDefinitions" => Kind::ServiceRead,
        "UpdateService" | "CreateService" => Kind::ServiceWrite,
        "RunTask" => Kind::RunTask,
        "ListTasks" | "DescribeTasks" | "StopTask" => Kind::Task,
        _ => return None,
    })
}

fn key(caller: &Caller) -> PlaceKey {
    (caller.account.as_str().into(), caller.region.as_str().into())
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body)
        .map_err(|why| error("SerializationException", format!("The request could not be read: {why}")))
}

fn error(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::plain(400, code, message)
}

fn invalid(message: impl Into<String>) -> ApiError {
    error("InvalidParameterException", message)
}

pub(super) fn denied(caller: &Caller, action: &str) -> ApiError {
    let user = caller.arn();
    let message = format!(
        "User: {user} is not authorized to perform: {action} because no identity-based policy allows the {action} action"
    );
    error("AccessDeniedException", message)
}
