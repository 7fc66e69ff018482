//! What instances are like at a moment, for CloudWatch.

use super::{Instance, Rds};
use crate::world::strain::Pressure;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) struct Load {
    pub(in crate::world) kind: Kind,
    pub(in crate::world) writes: bool,
    /// Whether it took connections all the time.
    pub(in crate::world) is_up: bool,
    pub(in crate::world) is_paused: bool,
    pub(in crate::world) storage: u32,
    /// What is counted of it, where it has limits.
    pub(in crate::world) pressure: Pressure,
    /// So many seconds it lies behind, beside what is usual.
    pub(in crate::world) lag_seconds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Kind {
    Aurora,
    /// Of a Multi-AZ DB cluster.
    Member,
    Single,
}

impl Rds {
    /// Tells every instance as it was from `from` to `until`: account and region, name, its server (the cluster, or itself), load.
    pub(in crate::world) fn loads(
        &mut self,
        (from, until): (i64, i64),
        mut tell: impl FnMut([&str; 2], &str, &str, Load),
    ) {
        let Self { places, times, .. } = self;
        for ((account, region), place) in places {
            place.advance(until, times);
            for (name, instance) in &place.instances {
                let cluster = instance.cluster.as_ref().and_then(|cluster| place.clusters.get(cluster));
                let kind = match cluster {
                    Some(cluster) if cluster.is_aurora() => Kind::Aurora,
                    Some(_) => Kind::Member,
                    None => Kind::Single,
                };
                let blinked = instance.blink.is_some_and(|(start, end)| start < until && end > from);
                let is_paused = cluster
                    .and_then(|cluster| cluster.capacity.as_ref())
                    .is_some_and(|capacity| capacity.current <= 0.0);
                let writes = cluster.is_none_or(|cluster| cluster.members.first() == Some(name));
                let Instance { storage, lag_seconds, .. } = *instance;
                let pressure = Pressure::default();
                let load = Load { kind, writes, is_up: !blinked, is_paused, storage, pressure, lag_seconds };
                let server = instance.cluster.as_ref().unwrap_or(name);
                tell([account, region], name, server, load);
            }
        }
    }
}
