//! What databases can bear, and what becomes of the programs that ask more of them: connections, work, tables that are locked.
//!
//! A database without limits bears everything. The world's programs look once a second. Numbers are the fleet file's; where it gives
//! none, the constant says that it is our assumption, for programs differ and AWS tells nothing of them.

mod locks;
mod pools;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{World, template::Place};
use locks::Locks;
pub(super) use locks::TableUser;
pub use locks::{TableMode, TableUse};
pub use pools::Pool;
use pools::Pooled;
pub use work::Hands;

/// Account, region, cluster or instance.
type DatabaseKey = [String; 3];
/// Account, region, ECS cluster, service.
type ServiceKey = [String; 4];

#[derive(Debug, Default)]
pub(super) struct Strain {
    databases: BTreeMap<DatabaseKey, Database>,
    pooled: BTreeMap<ServiceKey, Pooled>,
}

/// What a database can bear at most.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Connections that it takes.
    pub connections: Option<u32>,
    /// Messages whose work it does in a second, while consumers have no more than `knee` in hand, all together; with more in hand
    /// it does fewer, in proportion.
    pub work_per_second: Option<f64>,
    #[serde(default = "knee")]
    pub knee: u32,
}

fn knee() -> u32 {
    100
}

#[derive(Debug, Default)]
struct Database {
    limits: Limits,
    /// Connections that programs hold or try to get.
    wanted: BTreeMap<ServiceKey, u32>,
    /// The most of them since CloudWatch asked last: tasks that are replaced hold none for a moment.
    peak: u32,
    /// Messages that consumers of queues have in hand.
    in_hand: BTreeMap<String, usize>,
    locks: Locks,
}

/// How hard a database works, for CloudWatch; none: nobody counts it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pressure {
    pub(super) connections: Option<u32>,
    /// Percent of its CPU.
    pub(super) busy: Option<u32>,
}

impl World {
    /// Says what a database can bear.
    pub fn limit_database(&mut self, account: &str, region: &str, database: &str, limits: Limits) {
        self.strain.database([account, region, database]).limits = limits;
    }

    /// Whether a table of a database is locked, so that nobody's work on it goes on.
    pub(super) fn is_locked(&self, place: &Place, database: &str) -> bool {
        self.strain.known([&place.account, &place.region, database]).is_some_and(|known| known.locks.are_held)
    }
}

impl Strain {
    fn database(&mut self, key: [&str; 3]) -> &mut Database {
        self.databases.entry(key.map(str::to_owned)).or_default()
    }

    fn known(&self, key: [&str; 3]) -> Option<&Database> {
        match self.databases.is_empty() {
            true => None,
            false => self.databases.get(&key.map(str::to_owned)),
        }
    }

    /// What is to be told of the time since it was asked last.
    pub(super) fn pressure(&mut self, key: [&str; 3]) -> Pressure {
        if self.known(key).is_none() {
            return Pressure::default();
        }
        let Database { limits, wanted, peak, in_hand, .. } = self.database(key);
        let now: u32 = wanted.values().sum();
        let wanted = now.max(std::mem::replace(peak, now));
        let all: usize = in_hand.values().sum();
        let busy = limits
            .work_per_second
            .map(|_| 100 * u32::try_from(all).unwrap_or(u32::MAX).min(limits.knee) / limits.knee.max(1));
        Pressure { connections: limits.connections.map(|most| wanted.min(most)), busy }
    }
}
