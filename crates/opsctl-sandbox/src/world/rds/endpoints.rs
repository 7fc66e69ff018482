//! Endpoints: which instance answers under which name, and whether it takes connections now.
//!
//! During a failover endpoints blink, and a cluster's name leads to the former writer for some seconds more (Aurora User Guide,
//! "Fast failover": the names live for 5 seconds).

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Cluster, Instance, Place, Rds};
use crate::world::{Caller, World};

const DOMAIN: &str = "rds.amazonaws.com";
/// How long a cluster that has paused takes to wake (Aurora User Guide: about 15 seconds; longer after a day).
const WAKES_MILLISECONDS: i64 = 15_000;

/// Statuses in which nobody listens. (`rebooting` is told for longer than it is so.)
const CLOSED: [&str; 6] = ["creating", "deleting", "failed", "starting", "stopped", "stopping"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connected {
    Writer,
    Reader,
    /// Nobody listens there now.
    Refused,
    Unknown,
    /// It wakes because of this connection, and takes it at that moment.
    Wakes(Timestamp),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Writer(String),
    Readers(String),
    Instance(String),
    Proxy(String),
}

/// The name of an endpoint of a caller's place: `cluster-`, `cluster-ro-` and `proxy-` are kinds, and nothing for an instance.
pub(super) fn host(name: &str, kind: &str, Caller { account, region, .. }: &Caller) -> String {
    format!("{name}.{kind}c{account}.{region}.{DOMAIN}")
}

/// Account, region and what a host's name stands for.
fn read(host: &str) -> Option<(String, String, Named)> {
    let mut parts = host.strip_suffix(DOMAIN)?.strip_suffix('.')?.split('.');
    let (name, kind, region) = (parts.next()?.to_owned(), parts.next()?, parts.next()?.to_owned());
    let (named, account) = match kind {
        kind if kind.starts_with("cluster-ro-c") => (Named::Readers(name), kind.strip_prefix("cluster-ro-c")?),
        kind if kind.starts_with("cluster-c") => (Named::Writer(name), kind.strip_prefix("cluster-c")?),
        kind if kind.starts_with("proxy-c") => (Named::Proxy(name), kind.strip_prefix("proxy-c")?),
        kind => (Named::Instance(name), kind.strip_prefix('c')?),
    };
    Some((account.to_owned(), region, named))
}

impl World {
    /// A connection to an endpoint. It wakes a cluster that has paused.
    pub fn connect(&mut self, now: Timestamp, host: &str) -> Connected {
        let Some((account, region, named)) = self.rds.read(host) else { return Connected::Unknown };
        let at = now.as_millisecond();
        self.database_place(now, &account, &region).connect(at, &named)
    }
}

impl Rds {
    /// Account, region and what a host's name stands for.
    pub(super) fn read(&self, host: &str) -> Option<(String, String, Named)> {
        self.hosts.get(host).cloned().or_else(|| read(host))
    }

    /// The account that a host's name tells.
    pub(in crate::world) fn account_in(&self, host: &str) -> Option<String> {
        self.read(host).map(|(account, ..)| account)
    }

    /// A connection to a cluster's writer or to an instance, by its name. It wakes a cluster that has paused.
    pub(in crate::world) fn connect_by_name(&mut self, now: i64, account: &str, region: &str, name: &str) -> Connected {
        let place = self.advance(now, account, region);
        let named = match place.clusters.contains_key(name) {
            true => Named::Writer(name.to_owned()),
            false => Named::Instance(name.to_owned()),
        };
        place.connect(now, &named)
    }
}

impl Place {
    fn connect(&mut self, now: i64, named: &Named) -> Connected {
        let Some(name) = self.instance_behind(now, named) else { return Connected::Unknown };
        let Some(instance) = self.instances.get_mut(&name) else { return Connected::Unknown };
        if instance.is_blinking(now) || CLOSED.contains(&instance.status.as_str()) {
            return Connected::Refused;
        }
        instance.connections += 1;
        let cluster = instance.cluster.as_ref().and_then(|cluster| self.clusters.get_mut(cluster));
        let Some(cluster) = cluster else { return Connected::Writer };
        if let Some(capacity) = cluster.capacity.as_mut().filter(|capacity| capacity.current <= 0.0) {
            capacity.current = capacity.minimum.max(0.5);
            return Connected::Wakes(Timestamp::from_millisecond(now + WAKES_MILLISECONDS).unwrap_or(Timestamp::MAX));
        }
        if cluster.members.first() == Some(&name) && !cluster.is_secondary {
            Connected::Writer
        } else {
            Connected::Reader
        }
    }

    pub(super) fn instance_behind(&self, now: i64, named: &Named) -> Option<String> {
        match named {
            Named::Instance(name) => Some(name.clone()),
            Named::Proxy(name) => self.behind_proxy(now, name),
            // A secondary's name is there, and leads nowhere.
            Named::Writer(name) => {
                let cluster = self.clusters.get(name).filter(|cluster| !cluster.is_secondary)?;
                cluster.writer_behind(&cluster.name_follows, now)
            }
            Named::Readers(name) => {
                let cluster = self.clusters.get(name)?;
                let open = |name: &&String| is_open(&self.instances, name, now);
                cluster.members.iter().skip(1).find(open).or(cluster.members.first()).cloned()
            }
        }
    }
}

fn is_open(instances: &BTreeMap<String, Instance>, name: &str, now: i64) -> bool {
    instances.get(name).is_some_and(|instance| !instance.is_blinking(now))
}

impl Cluster {
    /// The instance that writes, as a name or a proxy has it that leads to the former one until some time.
    pub(super) fn writer_behind(&self, follows: &Option<(i64, String)>, now: i64) -> Option<String> {
        match follows {
            Some((at, before)) if now < *at => Some(before.clone()),
            Some(_) | None => self.members.first().cloned(),
        }
    }
}

impl Instance {
    pub(super) fn is_blinking(&self, now: i64) -> bool {
        self.blink.is_some_and(|(from, until)| (from..until).contains(&now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_account_region_and_what_they_stand_for() {
        let place = |named| Some(("111111111111".to_owned(), "af-south-1".to_owned(), named));
        let host = |kind: &str| format!("orders.{kind}c111111111111.af-south-1.rds.amazonaws.com");
        let orders = || "orders".to_owned();
        assert_eq!(read(&host("cluster-")), place(Named::Writer(orders())));
        assert_eq!(read(&host("cluster-ro-")), place(Named::Readers(orders())));
        assert_eq!(read(&host("")), place(Named::Instance(orders())));
        assert_eq!(read("orders.example.com"), None);
    }
}
