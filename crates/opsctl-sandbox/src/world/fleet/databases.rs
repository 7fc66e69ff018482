//! Databases of the fleet file.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::file::{age, check_environments, lists};
use crate::world::{
    World,
    rds::{Capacity, Category, Cluster, Event, Global, Instance, Maintenance, Proxy, SourceType},
    strain::Limits,
    template::Place,
};

/// How long a database has been there when the sandbox starts, in hours.
const AGE_HOURS: i64 = 24 * 200;
/// Instances of a cluster at most (Aurora: a writer and 15 readers).
const MEMBERS_MAX: usize = 16;

/// A cluster with an instance in each of its zones, the first of which writes; or, where its engine is not one of Aurora's and
/// it has one zone, an instance.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatabaseEntry {
    pub(super) name: String,
    #[serde(rename = "system")]
    _system: String,
    #[serde(default)]
    environments: Vec<String>,
    engine: String,
    version: String,
    class: String,
    zones: Vec<String>,
    /// Zone of the standby: a Multi-AZ instance.
    standby: Option<String>,
    capacity: Option<Capacity>,
    #[serde(default)]
    pending: Vec<PendingEntry>,
    proxy: Option<String>,
    /// SSM parameter that holds the proxy's endpoint.
    proxy_parameter: Option<String>,
    #[serde(default)]
    data_api: bool,
    /// What it can bear; none: everything.
    limits: Option<Limits>,
    /// Whether a failover falls back to the former writer where programs write all through it.
    #[serde(default)]
    reverts_while_written: bool,
    #[serde(default)]
    events: Vec<EventEntry>,
}

/// A global cluster: a cluster of the file, and one in another region that is made for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GlobalEntry {
    pub(super) name: String,
    #[serde(default)]
    environments: Vec<String>,
    writer: String,
    secondary: String,
    region: String,
    class: String,
    zones: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PendingEntry {
    action: String,
    description: String,
    #[serde(default, deserialize_with = "wait")]
    applied_in: Option<Duration>,
    #[serde(default, deserialize_with = "wait")]
    forced_in: Option<Duration>,
}

fn wait<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    age(deserializer).map(Some)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObjectiveEntry {
    pub(super) database: String,
    pub(super) rto_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventEntry {
    #[serde(deserialize_with = "age")]
    ago: Duration,
    category: Category,
    message: String,
}

impl DatabaseEntry {
    pub(super) fn check(&self, environments: &[&str]) -> Result<(), String> {
        check_environments(&self.environments, environments)?;
        if self.zones.is_empty() || self.zones.len() > MEMBERS_MAX {
            return Err(format!("it has {} zones, of 1 to {MEMBERS_MAX}", self.zones.len()));
        }
        if self.reverts_while_written && !self.is_cluster() {
            return Err("it is an instance, whose failover does not revert".to_owned());
        }
        if self.standby.is_some() && self.is_cluster() {
            return Err("it is a cluster, which has no standby".to_owned());
        }
        Ok(())
    }

    pub(super) fn is_named(&self, environment: &str, name: &str) -> bool {
        lists(&self.environments, environment) && self.name.replace("${env}", environment) == name
    }

    fn is_cluster(&self) -> bool {
        self.engine.starts_with("aurora") || self.zones.len() > 1
    }

    pub(super) fn settle(&self, world: &mut World, now: Timestamp, place: &Place) {
        if !lists(&self.environments, &place.environment) {
            return;
        }
        let Place { environment, account, region } = place;
        let name = self.name.replace("${env}", environment);
        let made_at = now.saturating_sub(SignedDuration::from_hours(AGE_HOURS)).unwrap_or(now);
        let zone = |zone: &String| format!("{region}{zone}");
        let instance =
            |name: &str, at: &String| Instance::new(name, &self.class, &self.engine, &self.version, &zone(at), made_at);
        let source_type = if self.is_cluster() {
            let names: Vec<String> = (1..=self.zones.len()).map(|number| format!("{name}-{number}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let members = names.iter().zip(&self.zones).zip(0_u8..);
            let members = members.map(|((name, zone), tier)| Instance { tier: Some(tier), ..instance(name, zone) });
            let cluster = Cluster {
                capacity: self.capacity.clone(),
                has_data_api: self.data_api,
                reverts_while_written: self.reverts_while_written,
                pending: self.pending(now),
                ..Cluster::new(&name, &self.engine, &self.version, &names, made_at)
            };
            world.put_cluster(account, region, cluster, members.collect());
            SourceType::Cluster
        } else {
            let secondary_zone = self.standby.as_ref().map(zone);
            let single = instance(&name, &self.zones[0]);
            world.put_instance(account, region, Instance { secondary_zone, pending: self.pending(now), ..single });
            SourceType::Instance
        };
        if let Some(limits) = &self.limits {
            world.limit_database(account, region, &name, limits.clone());
        }
        if let Some(proxy) = &self.proxy {
            let parameter = self.proxy_parameter.as_ref().map(|name| name.replace("${env}", environment));
            let host = parameter.and_then(|name| world.ssm.value(account, region, &name)).map(str::to_owned);
            let proxy = Proxy::new(&proxy.replace("${env}", environment), &name, made_at);
            world.put_proxy(account, region, Proxy { host, ..proxy });
        }
        for entry in &self.events {
            let ago = SignedDuration::try_from(entry.ago).unwrap_or_default();
            let at = now.saturating_sub(ago).unwrap_or(now);
            let (category, message) = (entry.category, entry.message.clone());
            world.put_event(account, region, Event { at, source_type, source: name.clone(), category, message });
        }
    }

    fn pending(&self, now: Timestamp) -> Vec<Maintenance> {
        let at = |wait: Option<Duration>| {
            wait.and_then(|wait| now.checked_add(SignedDuration::try_from(wait).unwrap_or_default()).ok())
        };
        let maintenance = |entry: &PendingEntry| Maintenance {
            auto_applied_after: at(entry.applied_in),
            forced_at: at(entry.forced_in),
            ..Maintenance::new(&entry.action, &entry.description)
        };
        self.pending.iter().map(maintenance).collect()
    }
}

impl GlobalEntry {
    pub(super) fn settle(&self, world: &mut World, now: Timestamp, place: &Place) {
        if !lists(&self.environments, &place.environment) {
            return;
        }
        let Place { environment, account, .. } = place;
        let named = |name: &str| name.replace("${env}", environment);
        let made_at = now.saturating_sub(SignedDuration::from_hours(AGE_HOURS)).unwrap_or(now);
        let (writer, secondary) = (named(&self.writer), named(&self.secondary));
        let Some(first) = world.cluster(now, account, &place.region, &writer).cloned() else { return };
        let names: Vec<String> = (1..=self.zones.len()).map(|number| format!("{secondary}-{number}")).collect();
        let instances = names.iter().zip(&self.zones).map(|(name, zone)| {
            let zone = format!("{}{zone}", self.region);
            Instance::new(name, &self.class, &first.engine, &first.version, &zone, made_at)
        });
        let members: Vec<&str> = names.iter().map(String::as_str).collect();
        let cluster = Cluster::new(&secondary, &first.engine, &first.version, &members, made_at);
        world.put_cluster(account, &self.region, cluster, instances.collect());
        let members = [(place.region.as_str(), writer.as_str()), (self.region.as_str(), secondary.as_str())];
        world.put_global(account, Global::new(&named(&self.name), &first.engine, &first.version, &members));
    }

    pub(super) fn check(&self, databases: &[DatabaseEntry]) -> Result<(), String> {
        match databases.iter().any(|database| database.name == self.writer) {
            true => Ok(()),
            false => Err(format!("its database {:?} is not in the file", self.writer)),
        }
    }
}
