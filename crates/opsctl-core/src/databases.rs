//! Databases of an environment as they are now: what RDS says, what they use, what happened to them last.
//!
//! Only Describe calls and CloudWatch: looking never wakes a cluster that has paused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    cloud::{
        Cloud, CloudError,
        endpoint::hosts::{self, Named, StandsFor},
        metrics::Samples,
        rds::CAPACITY,
    },
    domain::{Database, DatabaseEvent, Gauge, GlobalCluster, GlobalMember, Proxy, SourceKind, Target, Text},
};

/// How far back events are looked for, in minutes.
pub const EVENT_MINUTES: u32 = 24 * 60;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    pub database: Database,
    pub capacity: Capacity,
    /// What happened to it or to one of its instances last, within a day.
    pub last_event: Option<DatabaseEvent>,
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
    Units {
        units: f64,
        /// When the sample's minute began.
        at: Timestamp,
    },
}

/// Whether a connection would wake somebody.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PauseState {
    /// It runs, or never pauses.
    Awake,
    /// It has paused.
    Paused {
        /// When the minute began in which it was seen so.
        at: Timestamp,
    },
    /// It may pause, and nobody knows: nothing passive may connect.
    Unknown,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    pub seen: Vec<Seen>,
    /// Global clusters that have a member in the region, by name.
    pub globals: Vec<GlobalCluster>,
    /// What happened to any of them, the oldest first.
    pub events: Vec<DatabaseEvent>,
    /// What could not be known, and why.
    pub unknown: Vec<Text>,
}

/// Looks at every database of the environment without metrics, and so for nothing: what serverless databases use is
/// [`Capacity::Unknown`]. Events are of so many minutes, at most 14 days.
///
/// # Errors
/// Clusters or instances can't be listed. What else fails is in [`Look::unknown`].
pub async fn look(cloud: &Cloud, event_minutes: u32) -> Result<Look, CloudError> {
    let rds = &cloud.rds;
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
        if global.members.iter().any(|member| member.is_writer && member.arn == database.arn) {
            // It was promoted: what it replicated from before is past, whatever RDS still says.
            database.source = None;
        }
    }
    database
}

/// The capacity of one database; asks CloudWatch only where it is serverless.
pub async fn capacity(cloud: &Cloud, database: &Database) -> Capacity {
    if database.limits.is_none() {
        return Capacity::None;
    }
    let samples = cloud.metrics.named(&CAPACITY, &[&database.name]).await.unwrap_or_default();
    Capacity::of(database, &samples)
}

/// Whether a connection there would wake a database, of those that are known with their proxies and capacities.
pub fn pause_state(target: &Target, seen: &[Seen]) -> PauseState {
    let is_behind = |seen: &&Seen| match target {
        Target::Cluster(arn) => seen.database.arn == *arn,
        Target::Endpoint(endpoint) => match hosts::read(&endpoint.host) {
            Some(named) => leads_to(&named, seen),
            None => false,
        },
    };
    let is_of_rds = match target {
        Target::Cluster(_) => true,
        Target::Endpoint(endpoint) => hosts::read(&endpoint.host).is_some(),
    };
    match seen.iter().find(is_behind) {
        None if is_of_rds => PauseState::Unknown,
        // What is not RDS's does not pause.
        None => PauseState::Awake,
        Some(seen) => match (seen.capacity, seen.database.limits) {
            (Capacity::Paused { at }, _) => PauseState::Paused { at },
            (Capacity::Unknown, Some(limits)) if limits.minimum <= 0.0 => PauseState::Unknown,
            (Capacity::None | Capacity::Unknown | Capacity::Units { .. }, _) => PauseState::Awake,
        },
    }
}

fn leads_to(named: &Named, seen: &Seen) -> bool {
    let Seen { database, proxies, .. } = seen;
    match named.stands_for {
        StandsFor::Cluster => database.name == named.label,
        StandsFor::Instance => database.members.iter().any(|member| member.name == named.label),
        StandsFor::Proxy => proxies.iter().any(|proxy| proxy.name == named.label),
        StandsFor::Custom | StandsFor::ProxyEndpoint => false,
    }
}

/// [`pause_state`] as it is now: asks RDS and CloudWatch, and wakes nothing.
///
/// # Errors
/// RDS does not answer.
pub async fn pause_state_now(cloud: &Cloud, target: &Target) -> Result<PauseState, CloudError> {
    Ok(pause_state(target, &seen_now(cloud).await?))
}

/// Every database, with the capacity of those that may pause: asks RDS and CloudWatch, and wakes nothing.
///
/// # Errors
/// RDS does not answer.
pub async fn seen_now(cloud: &Cloud) -> Result<Vec<Seen>, CloudError> {
    let mut seen = look(cloud, 1).await?.seen;
    for seen in &mut seen {
        if seen.database.limits.is_some_and(|limits| limits.minimum <= 0.0) {
            seen.capacity = capacity(cloud, &seen.database).await;
        }
    }
    Ok(seen)
}

impl Capacity {
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

/// What happened to the database or to one of its instances, of `events`, in their order.
pub fn events_of<'a>(events: &'a [DatabaseEvent], database: &'a Database) -> impl Iterator<Item = &'a DatabaseEvent> {
    let is_ours = |event: &DatabaseEvent| match event.kind {
        SourceKind::Cluster => database.topology.kind() == SourceKind::Cluster && event.source == database.name,
        SourceKind::Instance => database.members.iter().any(|member| member.name == event.source),
    };
    events.iter().filter(move |event| is_ours(event))
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
        domain::{CapacityLimits, Member, Text, Topology},
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
            source: None,
            replicas: Vec::new(),
            global: None,
            written_elsewhere: None,
        }
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
    fn nothing_connects_to_what_has_paused_or_may_have() {
        let host = |host: &str| Target::Endpoint(crate::domain::Endpoint { host: host.to_owned(), port: 5432 });
        let serverless = |minimum| Some(CapacityLimits { minimum, maximum: 4.0 });
        let at = Timestamp::UNIX_EPOCH;
        let of = |limits, capacity, target: &Target| {
            let members = vec![member("orders-1", true, "db.serverless", 0)];
            let database = Database { limits, arn: "arn:orders".to_owned(), ..database(members) };
            pause_state(target, &[Seen { database, capacity, last_event: None, proxies: Vec::new() }])
        };
        let writer = host("orders.cluster-abc.eu-west-1.rds.amazonaws.com");
        for target in
            [&writer, &host("orders-1.abc.eu-west-1.rds.amazonaws.com"), &Target::Cluster("arn:orders".into())]
        {
            assert_eq!(of(serverless(0.0), Capacity::Paused { at }, target), PauseState::Paused { at });
        }
        assert_eq!(of(serverless(0.0), Capacity::Unknown, &writer), PauseState::Unknown);
        assert_eq!(of(serverless(0.5), Capacity::Unknown, &writer), PauseState::Awake, "it never pauses");
        assert_eq!(of(None, Capacity::None, &writer), PauseState::Awake);
        let other = host("wallet.cluster-abc.eu-west-1.rds.amazonaws.com");
        assert_eq!(of(None, Capacity::None, &other), PauseState::Unknown, "RDS names it, and nobody saw it");
        assert_eq!(of(None, Capacity::None, &host("db.example.com")), PauseState::Awake);
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
