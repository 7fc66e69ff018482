//! Databases of an environment as they are now: what RDS says, what they use, what happened to them last.
//!
//! Only Describe calls and CloudWatch: looking never wakes a cluster that has paused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    cloud::{
        Cloud, CloudError,
        metrics::{self, Gauges, Samples},
        rds::CAPACITY,
    },
    domain::{
        Text,
        database::{Database, DatabaseEvent, SourceKind},
        gauge::{DatabaseGauges, Gauge},
        global_cluster::{GlobalCluster, GlobalMember},
        proxy::Proxy,
    },
};

/// How far back events are looked for, in minutes.
const EVENT_MINUTES: u32 = 24 * 60;

/// A database, looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// What RDS says.
    pub database: Database,
    /// What it uses.
    pub capacity: Capacity,
    /// What happened to it or to one of its instances last, within a day.
    pub last_event: Option<DatabaseEvent>,
    /// Proxies that lead to it.
    #[serde(default)]
    pub proxies: Vec<Proxy>,
}

/// Aurora capacity units in use.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Capacity {
    /// It has no such thing.
    None,
    /// CloudWatch has no sample of it: not the same as zero.
    Unknown,
    /// It has paused: the next connection wakes it, which takes 15 to 30 seconds or more.
    Paused {
        /// When the sample's minute began.
        at: Timestamp,
    },
    /// In use.
    Units {
        /// Aurora capacity units.
        units: f64,
        /// When the sample's minute began.
        at: Timestamp,
    },
}

/// An environment's databases.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The databases, by name.
    pub seen: Vec<Seen>,
    /// Global clusters that have a member in the region, by name.
    pub globals: Vec<GlobalCluster>,
    /// What happened to any of them, the oldest first.
    pub events: Vec<DatabaseEvent>,
    /// What could not be known, and why.
    pub unknown: Vec<Text>,
}

/// Looks at every database of the environment, what it uses included.
///
/// # Errors
/// Clusters or instances can't be listed. What else fails is in [`Look::unknown`].
pub async fn look(cloud: &Cloud) -> Result<Look, CloudError> {
    look_back(cloud, EVENT_MINUTES).await
}

/// The same with the events of so many minutes, at most 14 days.
///
/// # Errors
/// As [`look`].
pub async fn look_back(cloud: &Cloud, event_minutes: u32) -> Result<Look, CloudError> {
    let mut look = unmetered(cloud, event_minutes).await?;
    // Metrics cost money: only asked for where there is something to know.
    if look.seen.iter().any(|seen| seen.database.limits.is_some()) {
        match cloud.metrics().search(&CAPACITY).await {
            Ok(samples) => look.seen.iter_mut().for_each(|seen| seen.capacity = Capacity::of(&seen.database, &samples)),
            Err(error) => look.miss("capacity in use is not known", &error),
        }
    }
    Ok(look)
}

/// As [`look`] without metrics, and so for nothing: what serverless databases use is [`Capacity::Unknown`].
///
/// # Errors
/// Clusters or instances can't be listed. What else fails is in [`Look::unknown`].
pub async fn look_unmetered(cloud: &Cloud) -> Result<Look, CloudError> {
    unmetered(cloud, EVENT_MINUTES).await
}

async fn unmetered(cloud: &Cloud, event_minutes: u32) -> Result<Look, CloudError> {
    let rds = cloud.rds();
    let (databases, events, proxies, globals) =
        tokio::join!(rds.databases(), rds.events(None, event_minutes), rds.proxies(), rds.globals());
    let databases = databases?;
    let mut look = Look { seen: Vec::new(), globals: Vec::new(), events: Vec::new(), unknown: Vec::new() };
    if let Some(error) = &databases.pending_unknown {
        look.miss("pending maintenance is not known", error);
    }
    let events = events.unwrap_or_else(|error| {
        look.miss("the last events are not known", &error);
        Vec::new()
    });
    let proxies = proxies.unwrap_or_else(|error| {
        look.miss("proxies are not known", &error);
        Vec::new()
    });
    look.globals = globals.unwrap_or_else(|error| {
        look.miss("global clusters are not known", &error);
        Vec::new()
    });
    let last = last_events(events.iter().cloned());
    let seen = databases.list.into_iter().map(|database| Seen {
        capacity: Capacity::of(&database, &Samples::default()),
        last_event: last_of(&database, &last),
        proxies: proxies.iter().filter(|proxy| proxy.leads_to(&database.name)).cloned().collect(),
        database: in_its_global(database, &look.globals),
    });
    look.seen = seen.collect();
    look.events = events;
    Ok(look)
}

impl Look {
    fn miss(&mut self, what: &str, error: &CloudError) {
        self.unknown.push(Text::line(&format!("{what}: {error}")));
    }
}

/// Metrics of every instance of the environment, by its name; an instance without any is absent. By one call.
///
/// # Errors
/// Of CloudWatch.
pub async fn gauges(cloud: &Cloud) -> Result<InstanceGauges, CloudError> {
    let gauges = cloud.metrics().gauges(&metrics::DATABASES).await?;
    Ok(InstanceGauges { by_instance: by_instance(&gauges), asked: gauges.asked, incomplete: gauges.incomplete })
}

/// Metrics of instances, and what they cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InstanceGauges {
    /// By instance.
    pub by_instance: BTreeMap<String, DatabaseGauges>,
    /// Metrics that were asked for, as they are billed.
    pub asked: u64,
    /// Why more may exist than the answer has; none: it is whole.
    pub incomplete: Option<Text>,
}

/// Sorts gauges of [`metrics::DATABASES`] by instance. Lags come in milliseconds, whatever the engine.
pub fn by_instance(gauges: &Gauges) -> BTreeMap<String, DatabaseGauges> {
    let mut all: BTreeMap<String, DatabaseGauges> = BTreeMap::new();
    for series in metrics::DATABASES {
        for (name, gauge) in gauges.all(&series) {
            let one = all.entry(name.to_owned()).or_default();
            match series {
                metrics::DATABASE_CPU => one.cpu = Some(gauge.clone()),
                metrics::DATABASE_CONNECTIONS => one.connections = Some(gauge.clone()),
                metrics::DATABASE_FREE_STORAGE => one.free_storage = Some(gauge.clone()),
                metrics::DATABASE_READ_LATENCY => one.read_latency = Some(gauge.clone()),
                metrics::DATABASE_WRITE_LATENCY => one.write_latency = Some(gauge.clone()),
                metrics::AURORA_REPLICA_LAG => one.lag = Some(gauge.clone()),
                metrics::REPLICA_LAG => one.lag = one.lag.take().or_else(|| Some(in_milliseconds(gauge))),
                _ => {}
            }
        }
    }
    all
}

/// Seconds as milliseconds. While replication does not run, which RDS tells as -1, it stays below zero.
pub fn in_milliseconds(gauge: &Gauge) -> Gauge {
    let recent = gauge.recent.iter().map(|(at, value)| (*at, value * 1_000.0));
    Gauge { value: gauge.value * 1_000.0, at: gauge.at, recent: recent.collect() }
}

/// RDS does not always say of a cluster which global one it is of: the global one does.
fn in_its_global(mut database: Database, globals: &[GlobalCluster]) -> Database {
    let is_ours = |global: &&GlobalCluster| global.members.iter().any(|member| member.arn == database.arn);
    if let Some(global) = globals.iter().find(is_ours) {
        database.global = Some(Text::line(&global.name));
        let writes_elsewhere = |member: &GlobalMember| member.is_writer && member.arn != database.arn;
        database.written_elsewhere = Some(global.members.iter().any(writes_elsewhere));
    }
    database
}

/// The capacity of one database; asks CloudWatch only where it is serverless.
pub async fn capacity(cloud: &Cloud, database: &Database) -> Capacity {
    if database.limits.is_none() {
        return Capacity::None;
    }
    let samples = cloud.metrics().named(&CAPACITY, &[&database.name]).await.unwrap_or_default();
    Capacity::of(database, &samples)
}

impl Capacity {
    /// What the samples say of a database.
    pub fn of(database: &Database, samples: &Samples) -> Self {
        if database.limits.is_none() {
            return Self::None;
        }
        match samples.newest(&database.name) {
            None => Self::Unknown,
            Some(sample) if sample.value <= 0.0 => Self::Paused { at: sample.at },
            Some(sample) => Self::Units { units: sample.value, at: sample.at },
        }
    }
}

impl Look {
    /// What happened to the database or to one of its instances, the oldest first.
    pub fn events_of(&self, database: &Database) -> impl Iterator<Item = &DatabaseEvent> {
        let is_ours = |event: &DatabaseEvent| match event.kind {
            SourceKind::Cluster => database.topology.kind() == SourceKind::Cluster && event.source == database.name,
            SourceKind::Instance => database.members.iter().any(|member| member.name == event.source),
        };
        self.events.iter().filter(move |event| is_ours(event))
    }
}

/// The last of each source.
fn last_events(events: impl Iterator<Item = DatabaseEvent>) -> BTreeMap<(SourceKind, String), DatabaseEvent> {
    // The oldest first: the last one stays.
    events.map(|event| ((event.kind, event.source.clone()), event)).collect()
}

fn last_of(database: &Database, last: &BTreeMap<(SourceKind, String), DatabaseEvent>) -> Option<DatabaseEvent> {
    let own = (database.topology.kind(), database.name.clone());
    let members = database.members.iter().map(|member| (SourceKind::Instance, member.name.clone()));
    std::iter::once(own).chain(members).filter_map(|source| last.get(&source)).max_by_key(|event| event.at).cloned()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        cloud::metrics::{Recent, Sample},
        domain::{
            Text,
            database::{CapacityLimits, Member, Topology},
        },
    };

    pub(crate) fn member(name: &str, is_writer: bool, class: &str, tier: u8) -> Member {
        Member {
            name: name.to_owned(),
            is_writer,
            class: Some(Text::from(class)),
            status: Some(Text::from("available")),
            zone: Some(Text::from("af-south-1a")),
            tier: Some(tier),
        }
    }

    pub(crate) fn database(members: Vec<Member>) -> Database {
        Database {
            name: "orders".to_owned(),
            arn: String::new(),
            topology: Topology::Aurora,
            engine: Text::from("aurora-postgresql"),
            version: Text::from("16.6"),
            status: Text::from("available"),
            members,
            standby_zone: None,
            endpoint: None,
            limits: None,
            pending: Vec::new(),
            global: None,
            written_elsewhere: None,
        }
    }

    #[test]
    fn gauges_are_sorted_by_instance_and_lags_are_milliseconds() {
        let gauge = |value| Gauge { value, at: Timestamp::UNIX_EPOCH, recent: vec![(Timestamp::UNIX_EPOCH, value)] };
        let mut gauges = Gauges::default();
        gauges.put(&metrics::DATABASE_CPU, "orders-1", gauge(42.0));
        gauges.put(&metrics::AURORA_REPLICA_LAG, "orders-2", gauge(17.0));
        gauges.put(&metrics::REPLICA_LAG, "wallet-2", gauge(2.0));
        gauges.put(&metrics::REPLICA_LAG, "wallet-3", gauge(-1.0));
        let all = by_instance(&gauges);
        let lag = |name: &str| all[name].lag.as_ref().map(|lag| lag.value);
        assert_eq!((all["orders-1"].cpu.as_ref().map(|cpu| cpu.value), lag("orders-1")), (Some(42.0), None));
        assert_eq!(
            [lag("orders-2"), lag("wallet-2"), lag("wallet-3")],
            [Some(17.0), Some(2_000.0), Some(-1_000.0)],
            "replication that does not run is told"
        );
        assert_eq!(all["wallet-2"].lag.as_ref().map(|lag| lag.recent[0].1), Some(2_000.0));
    }

    #[test]
    fn a_global_cluster_says_whether_another_one_writes() {
        let member = |arn: &str, is_writer| GlobalMember { arn: arn.to_owned(), is_writer, synchronization: None };
        let global = |ours, other| GlobalCluster {
            name: "wallet".to_owned(),
            arn: String::new(),
            engine: Text::default(),
            version: Text::default(),
            status: Text::default(),
            members: vec![member("ours", ours), member("other", other)],
            change: None,
        };
        let reader = || {
            let member = super::tests::member("a", false, "db.large", 0);
            Database { arn: "ours".to_owned(), ..database(vec![member]) }
        };
        let of = |globals: &[GlobalCluster]| in_its_global(reader(), globals);
        let table =
            [(of(&[global(false, true)]), 4), (of(&[global(true, false)]), 0), (of(&[global(false, false)]), 0)];
        assert_eq!(table.each_ref().map(|(database, _)| database.is_secondary()), [true, false, false]);
        for (database, rank) in &table {
            assert_eq!(database.rank(), *rank, "{database:?}");
        }
        assert_eq!(table[1].0.words(), "Aurora cluster: nobody writes, 1 reader", "it has lost its writer");
        let unclear = Database { global: Some(Text::from("wallet")), ..of(&[]) };
        assert_eq!((unclear.is_secondary(), unclear.may_be_secondary()), (false, true), "nobody was asked");
    }

    #[test]
    fn unknown_is_not_zero() {
        let mut orders = database(Vec::new());
        assert_eq!(Capacity::of(&orders, &Samples::default()), Capacity::None);
        orders.limits = Some(CapacityLimits { minimum: 0.0, maximum: 4.0 });
        assert_eq!(Capacity::of(&orders, &Samples::default()), Capacity::Unknown);
        let at = Timestamp::UNIX_EPOCH;
        let of = |value| {
            let newest = Sample { value, at };
            let mut samples = Samples::default();
            samples.by_name.insert("orders".to_owned(), Recent { newest, highest: value });
            Capacity::of(&orders, &samples)
        };
        assert_eq!(of(0.0), Capacity::Paused { at });
        assert_eq!(of(1.5), Capacity::Units { units: 1.5, at });
    }
}
