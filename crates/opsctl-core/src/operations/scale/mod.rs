//! Changes of services: their desired counts (wake, sleep, scale), and deployments (restart, rollback).

mod bounds;
mod deploy;
mod members;
mod plan;
mod restart;
mod revisions;
mod rollback;
mod to;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Counts, OperationError, Planned, Planner, Verb, values::Seconds};
use crate::{
    cloud::Cloud,
    domain::{DeploymentId, ServiceId, TaskBounds, TaskDefinition},
};
use bounds::Bounding;
pub use restart::Restart;
pub use rollback::Rollback;
pub use to::Scale;

/// How long to wait, where nothing is said.
const TIMEOUT: Seconds = Seconds(900);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From zero to what each was.
    Wake,
    Sleep,
    To(u32),
    /// Its tasks are replaced, by the same revision or another one.
    Deploy,
}

impl Direction {
    /// Whether nothing of it runs afterwards.
    pub fn is_to_zero(self) -> bool {
        matches!(self, Self::Sleep | Self::To(0))
    }
}

#[derive(Debug, Clone, Copy)]
struct Asking<'a> {
    direction: Direction,
    group: Option<&'a str>,
    services: &'a [String],
    timeout: Seconds,
    bounding: &'a Bounding,
}

macro_rules! verb {
    ($(#[$about:meta])* $operation:ident, $direction:expr, $(#[$group:meta])* group, $(#[$service:meta])* service) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
        #[serde(default, deny_unknown_fields)]
        pub struct $operation {
            $(#[$group])*
            #[arg(long, value_name = "GROUP", conflicts_with = "service")]
            pub group: Option<String>,
            $(#[$service])*
            #[arg(long, value_name = "SERVICE")]
            pub service: Vec<String>,
            /// Wait at most this long; what ECS has begun goes on
            #[arg(long, value_name = "TIME", default_value_t = TIMEOUT, value_parser = Seconds::between::<10, 86_400>)]
            pub timeout: Seconds,
        }

        impl Default for $operation {
            fn default() -> Self {
                Self { group: None, service: Vec::new(), timeout: TIMEOUT }
            }
        }

        impl Verb for $operation {
            fn subject(&self) -> &str {
                self.group.as_ref().or(self.service.first()).map_or("", String::as_str)
            }

            fn subject_arguments(&self) -> &'static [&'static str] {
                &["group", "service"]
            }

            fn counts(&self) -> Counts {
                Counts::Services
            }

            fn plan<'a>(
                &'a self,
                cloud: &'a Cloud,
                planner: &'a Planner,
            ) -> BoxFuture<'a, Result<Planned, OperationError>> {
                let (group, services, timeout) = (self.group.as_deref(), self.service.as_slice(), self.timeout);
                let asked = Asking { direction: $direction, group, services, timeout, bounding: &Bounding::Keep };
                Box::pin(plan::plan(asked, cloud, planner))
            }
        }
    };
}

verb!(
    /// Raise services that are at zero, stage by stage, and wait until they are healthy
    Wake,
    Direction::Wake,
    /// Wake the services of this group of the configuration
    group,
    /// Wake this service: name, or cluster/name; may be given several times
    service
);
verb!(
    /// Put services to zero, the last stage first, and remember how large they were
    Sleep,
    Direction::Sleep,
    /// Put the services of this group of the configuration to sleep
    group,
    /// Put this service to sleep: name, or cluster/name; may be given several times
    service
);

/// When a change is made, seen from what a look shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// Where it is not so already.
    WhereOther,
    /// Always: reads lag behind what was done a moment ago.
    Always,
    /// Always, and even where it can't be written down: what the run has put down itself comes back.
    Back,
}

#[derive(Debug)]
pub struct ToScale {
    pub direction: Direction,
    /// One stage after the other, the services of a stage at once.
    pub stages: Vec<Vec<Change>>,
    pub set: Set,
    pub timeout: Seconds,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub service: ServiceId,
    /// Desired count before the run.
    pub from: u32,
    /// Desired count as just seen: `from`, or `to` where an earlier try of the run has set it.
    pub now: u32,
    pub to: u32,
    /// Bounds of autoscaling that are moved besides.
    pub bounds: Option<MoveBounds>,
    /// The deployment that is made; none: the count is set.
    pub deploy: Option<Deploy>,
}

impl Change {
    /// A count and nothing else.
    pub fn count(service: ServiceId, from: u32, now: u32, to: u32) -> Self {
        Self { service, from, now, to, bounds: None, deploy: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveBounds {
    /// Before the run.
    pub from: TaskBounds,
    /// As just seen: `from`, or `to` where an earlier try of the run has moved them.
    pub now: TaskBounds,
    pub to: TaskBounds,
    pub why: MoveWhy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveWhy {
    /// To hold the count: they are moved before it is set, and remembered.
    ToHold,
    /// As they were: they are moved after the count was set, and forgotten.
    Back,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploy {
    /// Revision before the run.
    pub from: TaskDefinition,
    /// The same as `from`: a restart.
    pub to: TaskDefinition,
    /// Deployments of before, the PRIMARY one first.
    pub known: Vec<DeploymentId>,
    pub asked: Begin,
}

/// Whether a deployment was asked for, when its run begins or is taken up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    Not,
    /// An earlier try of the run may have, at this time: it is looked for before it is asked for again.
    Perhaps(Timestamp),
    /// An earlier try of the run has; ECS shows it.
    Begun(DeploymentId),
    /// ECS's circuit breaker has: it is only watched.
    ByEcs(DeploymentId),
}

impl Deploy {
    pub fn is_restart(&self) -> bool {
        self.from == self.to
    }

    pub fn is_known(&self, deployment: &DeploymentId) -> bool {
        self.known.contains(deployment)
    }

    pub fn is_by_ecs(&self) -> bool {
        matches!(self.asked, Begin::ByEcs(_))
    }
}
