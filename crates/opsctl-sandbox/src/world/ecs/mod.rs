//! ECS on the pure world: clusters, task definitions, services whose deployments and tasks take time, throttles that all share.
//!
//! `UpdateService` with a desired count makes no deployment; reads show an update [`READS_LAG`] later, as AWS's are eventually
//! consistent (how late is our assumption). A service that is started has a rollout state of its own; scaling it later leaves
//! `COMPLETED` as it is. Not simulated: what a target group in `CreateService` must be; EC2 capacity, Service Connect, task sets,
//! blue/green. Deployment controllers, strategies and capacity providers are kept and shown, and `UpdateService` refuses what AWS refuses;
//! every deployment rolls, and a DAEMON service has two tasks.

mod absent;
mod bucket;
#[cfg(test)]
mod failure_tests;
mod fixture;
mod health;
mod life;
mod loads;
mod model;
mod program;
mod read;
mod request;
mod revisions;
mod shell;
mod show;
mod start;
mod tables;
mod targets;
mod task;
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
    error::{error, invalid},
    service::{JSON_1_1, Protocol, ServiceDef, does},
    uuid,
};
pub use fixture::{JobFixture, ServiceFixture, ServiceView};
pub(super) use health::ServiceKey;
use life::Due;
pub use life::Outside;
pub(super) use loads::Load;
pub use model::{Breaker, LogConfig, Outcome, Program};
use model::{Definition, Deployment, Region, Rollout, Service};
pub use targets::{Balancer, TargetCheck};
pub(super) use targets::{Target, TargetState};

/// How late reads show an update, milliseconds.
const READS_LAG: i64 = 1_000;

type PlaceKey = (Arc<str>, Arc<str>);

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

    pub fn throttled(&self) -> u64 {
        self.throttled
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
            is_rollback: false,
        }
    }

    fn region(&mut self, caller: &Caller) -> &mut Region {
        self.places.entry(key(caller)).or_default()
    }

    fn service(&mut self, caller: &Caller, cluster: &str, service: &str) -> Option<&mut Service> {
        self.region(caller).clusters.get_mut(cluster)?.services.get_mut(service)
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

pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Json { target: "AmazonEC2ContainerServiceV20141113", content_type: JSON_1_1, shapes: None },
    prepare: |world, call| {
        if world.ecs.region(call.caller).buckets.take(call.action, call.now) {
            return Ok(());
        }
        world.ecs.throttled += 1;
        Err(SERVICE.throttled())
    },
    ..ServiceDef::new(
        "ecs",
        &[
            ("ListClusters", does!(ecs.list_clusters)),
            ("DescribeClusters", does!(ecs.describe_clusters)),
            ("ListServices", does!(ecs.list_services)),
            ("DescribeServices", does!(ecs.describe_services)),
            ("ListTasks", does!(ecs.list_tasks)),
            ("DescribeTasks", does!(ecs.describe_tasks)),
            ("ListTaskDefinitions", does!(ecs.list_task_definitions)),
            ("DescribeTaskDefinition", does!(ecs.describe_task_definition)),
            ("ListServiceDeployments", does!(ecs.list_service_deployments)),
            ("DescribeServiceRevisions", does!(ecs.describe_service_revisions)),
            ("CreateCluster", does!(ecs.create_cluster)),
            ("RegisterTaskDefinition", |world, call, input| {
                told(world.ecs.register_task_definition(call, input.read()?, input.read()?))
            }),
            ("DeregisterTaskDefinition", does!(ecs.deregister_task_definition)),
            ("CreateService", does!(ecs.create_service)),
            ("UpdateService", does!(ecs.update_service)),
            ("DeleteService", does!(ecs.delete_service)),
            ("RunTask", does!(ecs.run_task)),
            ("StopTask", does!(ecs.stop_one_task)),
        ],
    )
};

fn key(caller: &Caller) -> PlaceKey {
    (caller.account.as_str().into(), caller.region.as_str().into())
}

/// The family of `family:revision`.
fn family(definition: &str) -> &str {
    definition.rsplit_once(':').map_or(definition, |(family, _)| family)
}
