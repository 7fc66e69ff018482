//! Wake and sleep: desired counts of services, from zero and to zero.

mod members;
mod plan;

use serde::{Deserialize, Serialize};

use crate::domain::service::ServiceId;

pub(super) use plan::plan;

/// How long to wait, where nothing is said, seconds.
const TIMEOUT_SECONDS: u32 = 900;

/// Raise services that are at zero, stage by stage, and wait until they are healthy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Wake {
    /// Wake the services of this group of the configuration
    #[arg(long, value_name = "GROUP", conflicts_with = "service")]
    pub group: Option<String>,
    /// Wake this service: name, or cluster/name; may be given several times
    #[arg(long, value_name = "SERVICE")]
    pub service: Vec<String>,
    /// Wait at most this long; what ECS has begun goes on
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT_SECONDS, value_parser = clap::value_parser!(u32).range(10..=86_400))]
    pub timeout_seconds: u32,
}

/// Put services to zero, the last stage first, and remember how large they were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Sleep {
    /// Put the services of this group of the configuration to sleep
    #[arg(long, value_name = "GROUP", conflicts_with = "service")]
    pub group: Option<String>,
    /// Put this service to sleep: name, or cluster/name; may be given several times
    #[arg(long, value_name = "SERVICE")]
    pub service: Vec<String>,
    /// Wait at most this long; what ECS has begun goes on
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT_SECONDS, value_parser = clap::value_parser!(u32).range(10..=86_400))]
    pub timeout_seconds: u32,
}

impl Default for Wake {
    fn default() -> Self {
        Self { group: None, service: Vec::new(), timeout_seconds: TIMEOUT_SECONDS }
    }
}

impl Default for Sleep {
    fn default() -> Self {
        Self { group: None, service: Vec::new(), timeout_seconds: TIMEOUT_SECONDS }
    }
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From zero.
    Wake,
    /// To zero.
    Sleep,
}

/// Which services, which way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) direction: Direction,
    pub(super) group: Option<&'a str>,
    pub(super) services: &'a [String],
    pub(super) timeout_seconds: u32,
}

impl<'a> From<&'a Wake> for Asked<'a> {
    fn from(wake: &'a Wake) -> Self {
        let Wake { group, service, timeout_seconds } = wake;
        let (direction, timeout_seconds) = (Direction::Wake, *timeout_seconds);
        Self { direction, group: group.as_deref(), services: service, timeout_seconds }
    }
}

impl<'a> From<&'a Sleep> for Asked<'a> {
    fn from(sleep: &'a Sleep) -> Self {
        let Sleep { group, service, timeout_seconds } = sleep;
        let (direction, timeout_seconds) = (Direction::Sleep, *timeout_seconds);
        Self { direction, group: group.as_deref(), services: service, timeout_seconds }
    }
}

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

/// Changes of desired counts to be made.
#[derive(Debug)]
pub struct Scale {
    /// Up or down.
    pub direction: Direction,
    /// One stage after the other, the services of a stage at once.
    pub stages: Vec<Vec<Change>>,
    /// When counts are set.
    pub set: Set,
    /// How long to wait in all.
    pub timeout_seconds: u32,
}

/// One service's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Service.
    pub service: ServiceId,
    /// Desired count before the run.
    pub from: u32,
    /// Desired count as just seen: `from`, or `to` where an earlier try of the run has set it.
    pub now: u32,
    /// Desired count to be.
    pub to: u32,
}
