//! Failovers and reboots: they begin when asked for, and go on as time passes.

use jiff::Timestamp;

use super::{
    Cluster, Instance, Place, Xml,
    describe::write_instance,
    events::{Category, Event, SourceType},
    request::Request,
};
use crate::world::{ApiError, call::Answered};

/// How long things take, in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// From a cluster's failover being asked for to another instance being the writer.
    pub cluster_flips: i64,
    /// From that to its name leading to the new writer: names live for 5 seconds.
    pub name_lags: i64,
    /// To proxies leading to the new writer: they go by connections, not by names.
    pub proxies_lag: i64,
    /// To the cluster being available again.
    pub cluster_ends: i64,
    /// From an instance's forced failover to its standby taking over.
    pub instance_flips: i64,
    /// To the instance being available again.
    pub instance_ends: i64,
    /// From that to the zones being told the other way round: AWS says that it takes several minutes at times.
    pub zones_lag: i64,
    /// So long after a failover of an instance another one is abandoned. AWS tells no figure: our assumption.
    pub abandons_within: i64,
    pub reboot: i64,
    /// From a switchover to another region being asked for to its writing, and to all being available. Our assumption.
    pub global_switchover: (i64, i64),
    /// The same of a failover that may lose data. Our assumption.
    pub global_failover: (i64, i64),
}

impl Default for Times {
    fn default() -> Self {
        Self {
            cluster_flips: 12,
            name_lags: 5,
            proxies_lag: 3,
            cluster_ends: 28,
            instance_flips: 35,
            instance_ends: 70,
            zones_lag: 30,
            abandons_within: 600,
            reboot: 25,
            global_switchover: (55, 90),
            global_failover: (35, 80),
        }
    }
}

/// A program that tried to write so short a time before the change of writers writes through it, milliseconds.
const WRITES_WITHIN: i64 = 5_000;
/// How long nobody is let in after a change of writers that fell back, and until the cluster is available. Our assumption; reported
/// was a minute.
const FALLS_BACK: (i64, i64) = (48_000, 50_000);

#[derive(Debug, Clone)]
pub(in crate::world) struct Failover {
    target: String,
    before: String,
    flips_at: i64,
    ends_at: i64,
    has_flipped: bool,
}

#[derive(Debug, Clone)]
pub(in crate::world) struct Reboot {
    /// When the standby takes over; none: without failover.
    fails_over_at: Option<i64>,
    ends_at: i64,
    zones_at: Option<i64>,
    has_ended: bool,
}

impl Place {
    pub(super) fn advance(&mut self, now: i64, times: &Times) {
        let mut events = Vec::new();
        for cluster in self.clusters.values_mut() {
            advance_cluster(cluster, now, times, &mut self.instances, &mut events);
        }
        for instance in self.instances.values_mut() {
            advance_instance(instance, now, times, &mut events);
        }
        self.live(now, &mut events);
        events.into_iter().for_each(|event| self.add_event(event));
    }

    pub(super) fn fail_over(&mut self, request: &Request) -> Answered<Xml> {
        let name = request.required("DBClusterIdentifier")?;
        let cluster = self.clusters.get_mut(&name).ok_or_else(|| no_cluster(&name))?;
        if cluster.failover.is_some() || cluster.phase.is_some() {
            return Err(cluster_state(format!("DB cluster {name} is not in the available state.")));
        }
        let writer = cluster.members.first().cloned().unwrap_or_default();
        let target = match request.identifier("TargetDBInstanceIdentifier") {
            Some(target) if !cluster.members.contains(&target) => return Err(no_instance(&target)),
            Some(target) if target == writer => {
                return Err(instance_state(format!("DB instance {target} is the writer of the DB cluster already.")));
            }
            Some(target) => target,
            None => promoted(cluster, &self.instances).ok_or_else(|| {
                cluster_state(format!("DB cluster {name} has no instance that it could fail over to."))
            })?,
        };
        let status = |name: &String| self.instances.get(name).map_or("", |instance| instance.status.as_str());
        if status(&target) != "available" {
            return Err(instance_state(format!("DB instance {target} is not in the available state.")));
        }
        let zone = |name: &String| self.instances.get(name).map(|instance| instance.zone.clone());
        let kind = if zone(&target) == zone(&writer) { "same AZ" } else { "cross AZ" };
        cluster.failover = Some(Failover {
            target: target.clone(),
            before: writer.clone(),
            flips_at: request.now + request.times.cluster_flips * 1_000,
            ends_at: request.now + request.times.cluster_ends * 1_000,
            has_flipped: false,
        });
        cluster.failovers += 1;
        // A paused cluster wakes for this.
        if let Some(capacity) = &mut cluster.capacity {
            capacity.current = capacity.current.max(0.5);
        }
        for name in [&target, &writer] {
            if let Some(instance) = self.instances.get_mut(name) {
                instance.blink = Some((request.now + 2_000, request.now + (request.times.cluster_flips + 4) * 1_000));
            }
        }
        let cluster = cluster.clone();
        let message = format!("Started {kind} failover to DB instance: {target}");
        self.add_event(event(request.now, SourceType::Cluster, &name, Category::Failover, message));
        Ok(Xml::of("DBCluster", |xml| self.write_cluster(xml, &cluster, request.caller)))
    }

    /// Listing log files wakes a paused cluster (Aurora User Guide, "Scaling to zero ACUs"): so nothing passive may do it.
    pub(super) fn list_log_files(&mut self, request: &Request) -> Answered<Xml> {
        let name = request.required("DBInstanceIdentifier")?;
        let instance = self.instances.get(&name).ok_or_else(|| no_instance(&name))?;
        let cluster = instance.cluster.as_ref().and_then(|cluster| self.clusters.get_mut(cluster));
        if let Some(capacity) = cluster.and_then(|cluster| cluster.capacity.as_mut()) {
            capacity.current = capacity.current.max(0.5);
        }
        Ok(Xml::of("DescribeDBLogFiles", |_| {}))
    }

    pub(super) fn reboot(&mut self, request: &Request) -> Answered<Xml> {
        let name = request.required("DBInstanceIdentifier")?;
        let fails_over = request.flag("ForceFailover");
        let instance = self.instances.get_mut(&name).ok_or_else(|| no_instance(&name))?;
        if instance.status != "available" {
            return Err(instance_state(format!("Instance {name} is not in available state.")));
        }
        if fails_over && instance.secondary_zone.is_none() {
            let message = "Cannot force a failover of a DB instance that is not configured for Multi-AZ.";
            return Err(ApiError::plain(400, "InvalidParameterCombination", message));
        }
        let second = |seconds: i64| request.now + seconds * 1_000;
        let recently = |at: i64| request.now - at < request.times.abandons_within * 1_000;
        let is_abandoned = fails_over && instance.failed_over_at.is_some_and(recently);
        instance.status = "rebooting".to_owned();
        let (ends_at, fails_over_at) = match (fails_over, is_abandoned) {
            (true, false) => (second(request.times.instance_ends), Some(second(request.times.instance_flips))),
            (true, true) => (second(5), None),
            (false, _) => (second(request.times.reboot), None),
        };
        let zones_at = fails_over_at.map(|_| ends_at + request.times.zones_lag * 1_000);
        instance.reboot = Some(Reboot { fails_over_at, ends_at, zones_at, has_ended: false });
        let message = match (fails_over, is_abandoned) {
            (true, false) => {
                instance.failovers += 1;
                instance.blink = Some((second(1), second(request.times.instance_flips + 5)));
                Some("Multi-AZ instance failover started.")
            }
            (true, true) => {
                Some("Abandoning user requested failover since a failover recently occurred on the database instance.")
            }
            (false, _) => {
                instance.blink = Some((second(1), ends_at));
                None
            }
        };
        let instance = instance.clone();
        if let Some(message) = message {
            self.add_event(event(request.now, SourceType::Instance, &name, Category::Failover, message.to_owned()));
        }
        Ok(Xml::of("DBInstance", |xml| write_instance(xml, &instance, request.caller)))
    }
}

/// Whom AWS promotes: lowest tier, then largest class, then any (Aurora User Guide, "Fault tolerance for an Aurora DB cluster").
fn promoted(cluster: &Cluster, instances: &std::collections::BTreeMap<String, Instance>) -> Option<String> {
    let readers = cluster.members.iter().skip(1).filter_map(|name| instances.get(name));
    let best = readers.min_by_key(|reader| (reader.tier.unwrap_or(15), std::cmp::Reverse(size(&reader.class))));
    best.map(|reader| reader.name.clone())
}

/// A class's size, for comparing: `db.r6g.2xlarge` is larger than `db.r6g.large`.
fn size(class: &str) -> u32 {
    match class.rsplit('.').next().unwrap_or_default() {
        "micro" => 1,
        "small" => 2,
        "medium" => 3,
        "large" => 4,
        "xlarge" => 8,
        larger => {
            larger.strip_suffix("xlarge").and_then(|times| times.parse::<u32>().ok()).map_or(0, |times| times * 8)
        }
    }
}

fn advance_cluster(
    cluster: &mut Cluster,
    now: i64,
    times: &Times,
    instances: &mut std::collections::BTreeMap<String, Instance>,
    events: &mut Vec<Event>,
) {
    let Some(failover) = &mut cluster.failover else { return };
    if failover.flips_at <= now && !failover.has_flipped {
        failover.has_flipped = true;
        let is_written = cluster.written_at.is_some_and(|at| failover.flips_at - at <= WRITES_WITHIN);
        if cluster.reverts_while_written && is_written {
            // The demotion is lost under writes: both take them, storage refuses, both restart, and the former writer writes on. The
            // status and the events say nothing of it.
            let at = failover.flips_at;
            failover.ends_at = at + FALLS_BACK.1;
            for name in [&failover.target, &failover.before] {
                if let Some(instance) = instances.get_mut(name) {
                    let from = instance.blink.map_or(at, |(from, _)| from);
                    instance.blink = Some((from, at + FALLS_BACK.0));
                }
            }
            events.push(restarted(at, &failover.target));
            return;
        }
        cluster.writer_since = Some(failover.flips_at);
        cluster.name_follows = Some((failover.flips_at + times.name_lags * 1_000, failover.before.clone()));
        cluster.proxies_follow = Some((failover.flips_at + times.proxies_lag * 1_000, failover.before.clone()));
        if let Some(place) = cluster.members.iter().position(|member| *member == failover.target) {
            cluster.members.swap(0, place);
        }
        events.push(restarted(failover.flips_at, &failover.target));
        // Whoever wrote starts anew as a reader.
        if let Some(before) = instances.get_mut(&failover.before) {
            before.status = "rebooting".to_owned();
        }
    }
    if failover.ends_at <= now {
        let (target, before, at) = (failover.target.clone(), failover.before.clone(), failover.ends_at);
        cluster.failover = None;
        if let Some(before) = instances.get_mut(&before) {
            before.status = "available".to_owned();
        }
        events.push(restarted(at - 4_000, &before));
        let completed = format!("Completed failover to DB instance: {target}");
        events.push(event(at, SourceType::Cluster, &cluster.name, Category::Failover, completed));
    }
}

fn advance_instance(instance: &mut Instance, now: i64, times: &Times, events: &mut Vec<Event>) {
    let name = instance.name.clone();
    let Some(reboot) = &mut instance.reboot else { return };
    let (fails_over_at, ends_at) = (reboot.fails_over_at, reboot.ends_at);
    if let Some(at) = fails_over_at.filter(|at| *at <= now) {
        instance.writer_since = Some(at);
    }
    if ends_at <= now && !reboot.has_ended {
        reboot.has_ended = true;
        instance.status = "available".to_owned();
        events.push(restarted(fails_over_at.map_or(ends_at - 1_000, |at| at + 3_000), &name));
        if fails_over_at.is_some() {
            instance.failed_over_at = Some(ends_at);
            let completed = "Multi-AZ instance failover completed.".to_owned();
            events.push(event(ends_at, SourceType::Instance, &name, Category::Failover, completed));
        }
    }
    match reboot.zones_at {
        Some(at) if at <= now => {
            let standby = instance.secondary_zone.take().unwrap_or_default();
            instance.secondary_zone = Some(std::mem::replace(&mut instance.zone, standby));
            instance.reboot = None;
        }
        Some(_) => {}
        None if reboot.has_ended => instance.reboot = None,
        None => {}
    }
    debug_assert!(times.instance_flips < times.instance_ends, "a failover ends after the standby took over");
}

pub(super) fn event(at: i64, source_type: SourceType, source: &str, category: Category, message: String) -> Event {
    let at = Timestamp::from_millisecond(at).unwrap_or_default();
    Event { at, source_type, source: source.to_owned(), category, message }
}

fn restarted(at: i64, instance: &str) -> Event {
    event(at, SourceType::Instance, instance, Category::Availability, "DB instance restarted".to_owned())
}

pub(super) fn no_cluster(name: &str) -> ApiError {
    ApiError::plain(404, "DBClusterNotFoundFault", format!("DBCluster {name} not found."))
}

pub(super) fn no_instance(name: &str) -> ApiError {
    ApiError::plain(404, "DBInstanceNotFound", format!("DBInstance {name} not found."))
}

pub(super) fn cluster_state(message: String) -> ApiError {
    ApiError::plain(400, "InvalidDBClusterStateFault", message)
}

pub(super) fn instance_state(message: String) -> ApiError {
    ApiError::plain(400, "InvalidDBInstanceState", message)
}
