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

use super::{
    ApiError, Caller,
    call::told,
    service::{JSON_1_1, Protocol, ServiceDef},
};
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

/// ECS over awsJson1_1.
pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Json { target: "AmazonEC2ContainerServiceV20141113", content_type: JSON_1_1, shapes: None },
    prepare: |world, call| {
        let Some(kind) = kind(call.action) else { return Ok(()) };
        if world.ecs.region(call.caller).buckets.take(kind, call.now) {
            return Ok(());
        }
        world.ecs.throttled += 1;
        Err(SERVICE.throttled())
    },
    ..ServiceDef::new(
        "ecs",
        &[
            ("ListClusters", |world, call, input| told(world.ecs.list_clusters(call.caller, &input.read()?))),
            ("DescribeClusters", |world, call, input| told(world.ecs.describe_clusters(call.caller, &input.read()?))),
            ("ListServices", |world, call, input| told(world.ecs.list_services(call.caller, &input.read()?))),
            ("DescribeServices", |world, call, input| {
                told(world.ecs.describe_services(call.now, call.caller, &input.read()?))
            }),
            ("ListTasks", |world, call, input| told(world.ecs.list_tasks(call.caller, &input.read()?))),
            ("DescribeTasks", |world, call, input| {
                told(world.ecs.describe_tasks(call.now, call.caller, &input.read()?))
            }),
            ("ListTaskDefinitions", |world, call, input| {
                told(world.ecs.list_task_definitions(call.caller, &input.read()?))
            }),
            ("DescribeTaskDefinition", |world, call, input| {
                told(world.ecs.describe_task_definition(call.caller, &input.read()?))
            }),
            ("CreateCluster", |world, call, input| told(world.ecs.create_cluster(call.caller, &input.read()?))),
            ("RegisterTaskDefinition", |world, call, input| {
                told(world.ecs.register_task_definition(call.caller, input.read()?))
            }),
            ("CreateService", |world, call, input| {
                told(world.ecs.create_service(call.now, call.caller, input.read()?))
            }),
            ("UpdateService", |world, call, input| {
                told(world.ecs.update_service(call.now, call.caller, &input.read()?))
            }),
            ("RunTask", |world, call, input| told(world.ecs.run_task(call.now, call.caller, &input.read()?))),
            ("StopTask", |world, call, input| told(world.ecs.stop_one_task(call.now, call.caller, &input.read()?))),
        ],
    )
};

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

fn error(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::plain(400, code, message)
}

fn invalid(message: impl Into<String>) -> ApiError {
    error("InvalidParameterException", message)
}
