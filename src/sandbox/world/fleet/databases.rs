//! Databases of the fleet file.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::file::{age, lists};
use crate::sandbox::world::{
    World,
    rds::{Capacity, Category, Cluster, Event, Instance, SourceType},
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
    /// Which of the systems it belongs to.
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
    capacity: Option<CapacityEntry>,
    #[serde(default)]
    pending: Vec<[String; 2]>,
    #[serde(default)]
    events: Vec<EventEntry>,
}

/// How long databases may be without a writer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObjectiveEntry {
    pub(super) database: String,
    pub(super) rto_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CapacityEntry {
    minimum: f64,
    maximum: f64,
    current: f64,
    pause_after_seconds: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventEntry {
    #[serde(deserialize_with = "age")]
    ago: Duration,
    category: CategoryEntry,
    message: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CategoryEntry {
    Failover,
    Availability,
    Maintenance,
    Notification,
}

impl DatabaseEntry {
    pub(super) fn check(&self, environments: &[&str]) -> Result<(), String> {
        if let Some(name) = self.environments.iter().find(|name| !environments.contains(&name.as_str())) {
            return Err(format!("its environment {name:?} is not in the file"));
        }
        if self.zones.is_empty() || self.zones.len() > MEMBERS_MAX {
            return Err(format!("it has {} zones, of 1 to {MEMBERS_MAX}", self.zones.len()));
        }
        if self.standby.is_some() && self.is_cluster() {
            return Err("it is a cluster, which has no standby".to_owned());
        }
        Ok(())
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
                capacity: self.capacity.as_ref().map(CapacityEntry::capacity),
                pending: self.pending.clone(),
                ..Cluster::new(&name, &self.engine, &self.version, &names, made_at)
            };
            world.put_cluster(account, region, cluster, members.collect());
            SourceType::Cluster
        } else {
            let secondary_zone = self.standby.as_ref().map(zone);
            let single = instance(&name, &self.zones[0]);
            world.put_instance(account, region, Instance { secondary_zone, pending: self.pending.clone(), ..single });
            SourceType::Instance
        };
        for entry in &self.events {
            let ago = SignedDuration::try_from(entry.ago).unwrap_or_default();
            let at = now.saturating_sub(ago).unwrap_or(now);
            let (category, message) = (entry.category.category(), entry.message.clone());
            world.put_event(account, region, Event { at, source_type, source: name.clone(), category, message });
        }
    }
}

impl CapacityEntry {
    fn capacity(&self) -> Capacity {
        let Self { minimum, maximum, current, pause_after_seconds } = *self;
        Capacity { minimum, maximum, current, pause_after_seconds }
    }
}

impl CategoryEntry {
    fn category(self) -> Category {
        match self {
            Self::Failover => Category::Failover,
            Self::Availability => Category::Availability,
            Self::Maintenance => Category::Maintenance,
            Self::Notification => Category::Notification,
        }
    }
}
