//! RDS on the pure world: Aurora clusters, Multi-AZ clusters, instances, their events and failovers.
//!
//! Things take time: a failover is noted with its moments, and whoever looks lets pass what is due. Times are milliseconds since
//! 1970. Durations are within what AWS documents (Aurora with a reader under 60 s, often under 30; Multi-AZ instances 60 to 120 s;
//! Multi-AZ clusters under 35 s); where AWS tells no figure or no words, the constant says that it is our assumption.

mod change;
mod describe;
mod endpoints;
mod events;
mod globals;
#[cfg(test)]
mod globals_tests;
mod life;
#[cfg(test)]
mod life_tests;
mod loads;
mod proxies;
mod request;
mod sessions;
mod settings;
#[cfg(test)]
mod tests;
mod xml;

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Caller, World,
    call::{Answered, Call, Input, told},
    service::{Protocol, ServiceDef},
    timeline::matching,
};
pub use change::Times;
pub use endpoints::Connected;
pub use events::{Category, Event, SourceType};
pub use globals::Global;
pub(super) use loads::{Kind, Load};
pub use proxies::Proxy;
use request::Request;
pub use sessions::{NotOpened, NotRun};
pub(super) use sessions::{Sessions, database_named};
pub use settings::Settings;
pub(super) use xml::Xml;

pub(super) const METRICS: &str = "AWS/RDS";

/// The databases of a world, by account and region.
#[derive(Debug, Default)]
pub struct Rds {
    places: BTreeMap<(String, String), Place>,
    /// By account, then name.
    globals: BTreeMap<String, BTreeMap<String, Global>>,
    /// Endpoints whose names don't tell the account: account, region, what they stand for.
    hosts: BTreeMap<String, (String, String, endpoints::Named)>,
    pub times: Times,
}

#[derive(Debug, Default)]
struct Place {
    clusters: BTreeMap<String, Cluster>,
    instances: BTreeMap<String, Instance>,
    proxies: BTreeMap<String, Proxy>,
    /// In the order of time; bounded.
    events: VecDeque<Event>,
}

#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// Identifier, in lower case.
    pub name: String,
    /// `aurora-postgresql`, `aurora-mysql`; `postgres`, `mysql` for Multi-AZ DB clusters.
    pub engine: String,
    pub version: String,
    /// Identifiers of its instances; of the one that writes first of all.
    pub members: Vec<String>,
    pub capacity: Option<Capacity>,
    /// Whether the RDS Data API is enabled.
    pub has_data_api: bool,
    pub pending: Vec<Maintenance>,
    pub created_at: Timestamp,
    pub(in crate::world) failover: Option<change::Failover>,
    /// Until when its name leads to the former writer, and which that is.
    pub(in crate::world) name_follows: Option<(i64, String)>,
    /// The same of proxies.
    pub(in crate::world) proxies_follow: Option<(i64, String)>,
    pub(in crate::world) global: Option<String>,
    /// Whether another region's cluster writes.
    pub(in crate::world) is_secondary: bool,
    /// Failovers that began: those that callers asked for.
    pub failovers: u32,
    /// Whether a failover falls back to the writer that it came from where programs write all through it.
    pub reverts_while_written: bool,
    /// When a program of the world last wrote, or tried to.
    pub(in crate::world) written_at: Option<i64>,
    /// Since when another instance writes than before; none: since ever.
    pub(in crate::world) writer_since: Option<i64>,
    pub settings: Settings,
    /// A status that is not `available`, as long as it lasts.
    pub(in crate::world) phase: Option<&'static str>,
    pub(in crate::world) later: life::Later,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maintenance {
    /// `system-update`, ...
    pub action: String,
    pub description: String,
    /// `immediate`, `next-maintenance`.
    pub opt_in: Option<String>,
    /// In the first maintenance window after this it is applied unasked.
    pub auto_applied_after: Option<Timestamp>,
    /// Then it is applied whatever anybody says.
    pub forced_at: Option<Timestamp>,
}

impl Maintenance {
    /// One without any date.
    pub fn new(action: &str, description: &str) -> Self {
        Self { action: action.to_owned(), description: description.to_owned(), ..Self::default() }
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// Aurora capacity units; 0: it may pause.
    pub minimum: f64,
    pub maximum: f64,
    /// Now; 0 while it is paused. Only metrics show it.
    pub current: f64,
    /// Seconds without a connection after which it pauses.
    pub pause_after_seconds: Option<u32>,
}

/// A DB instance: by itself, or of a cluster.
#[derive(Debug, Clone, Default)]
pub struct Instance {
    /// Identifier, in lower case.
    pub name: String,
    /// `db.r6g.large`, `db.serverless`, ...
    pub class: String,
    /// `postgres`, `aurora-postgresql`, ...
    pub engine: String,
    pub version: String,
    pub cluster: Option<String>,
    /// 0 is promoted first.
    pub tier: Option<u8>,
    pub zone: String,
    /// Where its standby is: a Multi-AZ instance.
    pub secondary_zone: Option<String>,
    pub status: String,
    pub storage: u32,
    pub pending: Vec<Maintenance>,
    pub created_at: Timestamp,
    pub(in crate::world) reboot: Option<change::Reboot>,
    /// When it takes no connection, the last time: from, until.
    pub(in crate::world) blink: Option<(i64, i64)>,
    pub(in crate::world) failed_over_at: Option<i64>,
    /// Since when what was its standby writes; none: since ever.
    pub(in crate::world) writer_since: Option<i64>,
    /// Connections that it took.
    pub connections: u64,
    /// Failovers that began: those that callers asked for.
    pub failovers: u32,
    pub settings: Settings,
    pub(in crate::world) later: life::Later,
    /// What was asked for and waits for the maintenance window: names and values.
    pub(in crate::world) waiting: Vec<(&'static str, String)>,
    /// So many seconds it lies behind the writer, beside what is usual.
    pub(in crate::world) lag_seconds: u32,
}

impl Cluster {
    /// A cluster of these instances, the first of which writes.
    pub fn new(name: &str, engine: &str, version: &str, members: &[&str], created_at: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            engine: engine.to_owned(),
            version: version.to_owned(),
            members: members.iter().map(|&member| member.to_owned()).collect(),
            created_at,
            ..Self::default()
        }
    }

    /// Whether it is one of Aurora's; else a Multi-AZ DB cluster.
    pub fn is_aurora(&self) -> bool {
        self.engine.starts_with("aurora")
    }

    /// In AWS's words. A paused cluster is `available`, too.
    fn status(&self) -> &'static str {
        if self.failover.is_some() { "failing-over" } else { self.phase.unwrap_or("available") }
    }
}

impl Instance {
    /// An instance that is available.
    pub fn new(name: &str, class: &str, engine: &str, version: &str, zone: &str, created_at: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            class: class.to_owned(),
            engine: engine.to_owned(),
            version: version.to_owned(),
            zone: zone.to_owned(),
            status: "available".to_owned(),
            storage: 100,
            created_at,
            ..Self::default()
        }
    }
}

pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Query { version: "2014-10-31", namespace: "http://rds.amazonaws.com/doc/2014-10-31/" },
    throttled: (400, "Throttling"),
    subject: |input| {
        let names = ["DBClusterIdentifier", "DBInstanceIdentifier"];
        names.iter().find_map(|name| input.fields.get(*name)).cloned()
    },
    prepare: |world, call| {
        world.rds.advance(call.now, &call.caller.account, &call.caller.region);
        Ok(())
    },
    ..ServiceDef::new(
        "rds",
        &[
            ("DescribeDBClusters", |world, call, input| world.rds.here(call, input, Place::describe_clusters)),
            ("DescribeDBInstances", |world, call, input| world.rds.here(call, input, Place::describe_instances)),
            ("DescribeEvents", |world, call, input| world.rds.here(call, input, Place::describe_events)),
            ("DescribePendingMaintenanceActions", |world, call, input| {
                world.rds.here(call, input, Place::describe_pending)
            }),
            ("DescribeDBProxies", |world, call, input| world.rds.here(call, input, Place::describe_proxies)),
            ("DescribeDBProxyTargets", |world, call, input| world.rds.here(call, input, Place::describe_proxy_targets)),
            ("FailoverDBCluster", |world, call, input| world.rds.here(call, input, Place::fail_over)),
            ("RebootDBInstance", |world, call, input| world.rds.here(call, input, Place::reboot)),
            ("CreateDBCluster", |world, call, input| world.rds.here(call, input, Place::create_cluster)),
            ("CreateDBInstance", |world, call, input| world.rds.here(call, input, Place::create_instance)),
            ("DeleteDBCluster", |world, call, input| world.rds.here(call, input, Place::delete_cluster)),
            ("DeleteDBInstance", |world, call, input| world.rds.here(call, input, Place::delete_instance)),
            ("ModifyDBCluster", |world, call, input| world.rds.here(call, input, Place::modify_cluster)),
            ("ModifyDBInstance", |world, call, input| world.rds.here(call, input, Place::modify_instance)),
            ("StartDBCluster", |world, call, input| world.rds.here(call, input, Place::start_cluster)),
            ("StartDBInstance", |world, call, input| world.rds.here(call, input, Place::start_instance)),
            ("StopDBCluster", |world, call, input| world.rds.here(call, input, Place::stop_cluster)),
            ("StopDBInstance", |world, call, input| world.rds.here(call, input, Place::stop_instance)),
            ("DescribeDBLogFiles", |world, call, input| world.rds.here(call, input, Place::list_log_files)),
            ("DescribeGlobalClusters", |world, call, input| {
                told(world.rds.describe_globals(&world.rds.request(call, input)))
            }),
            ("SwitchoverGlobalCluster", |world, call, input| {
                let request = world.rds.request(call, input);
                told(world.rds.change_global(&request, false))
            }),
            ("FailoverGlobalCluster", |world, call, input| {
                let request = world.rds.request(call, input);
                told(world.rds.change_global(&request, request.flag("AllowDataLoss")))
            }),
        ],
    )
};

impl World {
    pub fn put_cluster(&mut self, account: &str, region: &str, cluster: Cluster, instances: Vec<Instance>) {
        let place = self.rds.place(account, region);
        for instance in instances {
            let instance = Instance { cluster: Some(cluster.name.clone()), ..instance };
            place.instances.insert(instance.name.clone(), instance);
        }
        place.clusters.insert(cluster.name.clone(), cluster);
    }

    /// Adds or replaces an instance that is of no cluster.
    pub fn put_instance(&mut self, account: &str, region: &str, instance: Instance) {
        self.rds.place(account, region).instances.insert(instance.name.clone(), instance);
    }

    pub fn put_event(&mut self, account: &str, region: &str, event: Event) {
        self.rds.place(account, region).add_event(event);
    }

    pub fn cluster(&mut self, now: Timestamp, account: &str, region: &str, name: &str) -> Option<&mut Cluster> {
        self.database_place(now, account, region).clusters.get_mut(name)
    }

    pub fn instance(&mut self, now: Timestamp, account: &str, region: &str, name: &str) -> Option<&mut Instance> {
        self.database_place(now, account, region).instances.get_mut(name)
    }

    fn database_place(&mut self, now: Timestamp, account: &str, region: &str) -> &mut Place {
        let now = self.advance(now);
        self.rds.advance(now, account, region)
    }
}

impl Rds {
    /// Lets pass what is due in an account and region until `now`.
    fn advance(&mut self, now: i64, account: &str, region: &str) -> &mut Place {
        self.advance_globals(now, account);
        let times = self.times.clone();
        let place = self.place(account, region);
        place.advance(now, &times);
        place
    }

    /// The calls that let databases fail over, by globs of account and name.
    pub(super) fn failovers(&self, account: &str, name: &str) -> Vec<(Caller, &'static str, BTreeMap<String, String>)> {
        let fields = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let mut found = Vec::new();
        for ((of_account, region), place) in &self.places {
            let caller = |known: &str| matching(account, name, (of_account, region), known);
            for known in place.clusters.keys() {
                let form = || fields(&[("DBClusterIdentifier", known)]);
                found.extend(caller(known).map(|caller| (caller, "FailoverDBCluster", form())));
            }
            let standing_by = place.instances.values().filter(|instance| instance.secondary_zone.is_some());
            for known in standing_by.map(|instance| &instance.name) {
                let form = || fields(&[("DBInstanceIdentifier", known), ("ForceFailover", "true")]);
                found.extend(caller(known).map(|caller| (caller, "RebootDBInstance", form())));
            }
        }
        found
    }

    /// Lets the readers of clusters lie so far behind from now on, by globs of account and name.
    pub(super) fn lag(&mut self, account: &str, name: &str, seconds: u32) {
        for ((of_account, region), place) in &mut self.places {
            let meant = |cluster: &&Cluster| matching(account, name, (of_account, region), &cluster.name).is_some();
            let readers: Vec<String> = place
                .clusters
                .values()
                .filter(meant)
                .flat_map(|cluster| cluster.members.iter().skip(1).cloned())
                .collect();
            for reader in readers {
                if let Some(instance) = place.instances.get_mut(&reader) {
                    instance.lag_seconds = seconds;
                }
            }
        }
    }

    /// What comes of a call on the databases of its caller's place.
    fn here(&mut self, call: Call, input: &Input, does: fn(&mut Place, &Request) -> Answered<Xml>) -> Answered {
        let request = self.request(call, input);
        told(does(self.place(&call.caller.account, &call.caller.region), &request))
    }

    /// Notes that a program of the world writes to a database, or tries to.
    pub(super) fn note_program(&mut self, now: i64, account: &str, region: &str, name: &str) {
        let place = self.places.get_mut(&(account.to_owned(), region.to_owned()));
        if let Some(cluster) = place.and_then(|place| place.clusters.get_mut(name)) {
            cluster.written_at = Some(now);
        }
    }

    /// Since when another server writes to a database than before; none: since ever.
    pub(super) fn writer_since(&mut self, now: i64, account: &str, region: &str, name: &str) -> Option<i64> {
        let place = self.advance(now, account, region);
        match place.clusters.get(name) {
            Some(cluster) => cluster.writer_since,
            None => place.instances.get(name)?.writer_since,
        }
    }

    /// What the log of a database's server is named after: `cluster` or `instance`, and the instance that writes.
    pub(super) fn server_log(
        &mut self,
        now: i64,
        account: &str,
        region: &str,
        name: &str,
    ) -> Option<(&'static str, String)> {
        let place = self.advance(now, account, region);
        match place.clusters.get(name) {
            Some(cluster) => Some(("cluster", cluster.members.first()?.clone())),
            None => place.instances.get(name).map(|instance| ("instance", instance.name.clone())),
        }
    }

    fn request<'a>(&self, call: Call<'a>, input: &'a Input) -> Request<'a> {
        Request { form: &input.fields, caller: call.caller, now: call.now, times: self.times.clone() }
    }

    fn place(&mut self, account: &str, region: &str) -> &mut Place {
        self.places.entry((account.to_owned(), region.to_owned())).or_default()
    }

    /// Every serverless cluster's capacity: account, region, name, units.
    pub(super) fn capacities(&self) -> impl Iterator<Item = (&str, &str, &str, f64)> {
        self.places.iter().flat_map(|((account, region), place)| {
            place.clusters.values().filter_map(move |cluster| {
                let capacity = cluster.capacity.as_ref()?;
                Some((account.as_str(), region.as_str(), cluster.name.as_str(), capacity.current))
            })
        })
    }
}
