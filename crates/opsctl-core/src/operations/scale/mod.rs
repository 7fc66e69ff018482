//! Wake and sleep: desired counts of services, from zero and to zero.

mod members;
mod plan;
mod to;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{Counts, OperationError, Planned, Planner, Verb, values::Seconds};
use crate::{cloud::Cloud, domain::ServiceId};
pub use to::Scale;

/// How long to wait, where nothing is said.
const TIMEOUT: Seconds = Seconds(900);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From zero to what each was.
    Wake,
    Sleep,
    To(u32),
}

impl Direction {
    /// Whether nothing of it runs afterwards.
    pub fn is_to_zero(self) -> bool {
        matches!(self, Self::Sleep | Self::To(0))
    }
}

#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    direction: Direction,
    group: Option<&'a str>,
    services: &'a [String],
    timeout: Seconds,
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
                Box::pin(plan::plan(Asked { direction: $direction, group, services, timeout }, cloud, planner))
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
}
