//! Metrics in the register: of which services and databases they are worth their price now, and what came.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{Register, change, lacks, settle, stands_badly};
use crate::{
    cloud::metrics::{
        AURORA_REPLICA_LAG, DATABASE_CONNECTIONS, DATABASE_CPU, DATABASE_FREE_STORAGE, DATABASE_READ_LATENCY,
        DATABASE_WRITE_LATENCY, Gauges, REPLICA_LAG, SERVICE_CPU, SERVICE_MEMORY, SERVICES, Samples, Series,
    },
    databases::{self, Capacity},
    domain::{
        Text,
        consumer::KafkaLag,
        database::Topology,
        gauge::{DatabaseGauges, Gauge},
        service::ServiceId,
    },
    observe::{
        board::Change,
        estate::{SeenDatabase, SeenService},
        focus::PartName,
        schedule::Look,
    },
};

/// CloudWatch has one a minute.
const EVERY: Duration = Duration::from_secs(55);
/// Metrics asked for in one look, at most: four calls.
const AT_ONCE: usize = 2_000;
/// What Kafka's readers may cost before it is known.
const LAGS_COST: usize = 10;

/// An instance of Aurora that writes, and one that reads.
const AURORA_WRITER: &[Series] = &[DATABASE_CPU, DATABASE_CONNECTIONS, DATABASE_READ_LATENCY, DATABASE_WRITE_LATENCY];
const AURORA_READER: &[Series] = &[DATABASE_CPU, DATABASE_CONNECTIONS, DATABASE_READ_LATENCY, AURORA_REPLICA_LAG];
/// Any other one.
const WRITER: &[Series] =
    &[DATABASE_CPU, DATABASE_CONNECTIONS, DATABASE_FREE_STORAGE, DATABASE_READ_LATENCY, DATABASE_WRITE_LATENCY];
const READER: &[Series] =
    &[DATABASE_CPU, DATABASE_CONNECTIONS, DATABASE_FREE_STORAGE, DATABASE_READ_LATENCY, REPLICA_LAG];

/// When metrics were last asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    services: BTreeMap<ServiceId, Duration>,
    databases: BTreeMap<String, Duration>,
    lags: Option<usize>,
}

/// Which metrics of databases to ask for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::observe) struct DatabaseMetrics {
    /// Databases.
    databases: Vec<String>,
    /// Instances, by what is asked of them.
    instances: [Vec<String>; 4],
    /// Those whose capacity is asked for.
    pub(in crate::observe) serverless: Vec<String>,
}

const GROUPS: [&[Series]; 4] = [AURORA_WRITER, AURORA_READER, WRITER, READER];

impl DatabaseMetrics {
    /// Whether there is nothing to ask.
    pub(in crate::observe) fn is_empty(&self) -> bool {
        self.databases.is_empty()
    }

    /// What to ask, and of which instances.
    pub(in crate::observe) fn by_series(&self) -> impl Iterator<Item = (&'static [Series], Vec<&str>)> {
        let groups = GROUPS.into_iter().zip(&self.instances).filter(|(_, names)| !names.is_empty());
        groups.map(|(series, names)| (series, names.iter().map(String::as_str).collect()))
    }

    /// Adds a database as long as there is room; answers what it costs.
    fn add(&mut self, row: &SeenDatabase, room: usize) -> Option<usize> {
        let database = &row.seen.database;
        let is_aurora = database.topology == Topology::Aurora;
        let group = |is_writer: bool| match (is_aurora, is_writer) {
            (true, true) => 0,
            (true, false) => 1,
            // What is no cluster has nobody to lie behind.
            (false, false) if database.topology == Topology::MultiAzCluster => 3,
            (false, _) => 2,
        };
        let instances = database.members.iter().map(|member| GROUPS[group(member.is_writer)].len()).sum::<usize>();
        let cost = instances + usize::from(database.limits.is_some());
        if cost > room {
            return None;
        }
        for member in &database.members {
            self.instances[group(member.is_writer)].push(member.name.clone());
        }
        self.serverless.extend(database.limits.is_some().then(|| database.name.clone()));
        self.databases.push(database.name.clone());
        Some(cost)
    }
}

impl Register {
    /// Services whose CPU and memory are worth their price now, at most so many metrics: those that stand badly first, then the
    /// ones that waited longest. What sleeps has none.
    pub(in crate::observe) fn service_metrics_wanted(
        &mut self,
        at: Timestamp,
        now: Duration,
        metrics_max: usize,
    ) -> Vec<ServiceId> {
        let asked = &self.asked.services;
        let rows = self.estate.services.rows.iter().map(|row| &row.service);
        let due = rows.filter(|service| service.running > 0).filter_map(|service| {
            let last = asked.get(&service.id).copied();
            let is_due = last.is_none_or(|last| last + EVERY <= now);
            is_due.then(|| (!stands_badly(service.standing()), last, service.id.clone()))
        });
        let mut wanted: Vec<_> = due.collect();
        if self.estate.services.rows.iter().all(|row| row.service.running == 0) {
            self.note_lacks(Look::ServiceGauges, Vec::new());
            self.note_unknown(Look::ServiceGauges, Vec::new());
        }
        wanted.sort();
        let room = metrics_max.min(AT_ONCE) / SERVICES.len();
        let left = wanted.split_off(room.min(wanted.len()));
        let is_long = left.iter().any(|(_, last, _)| is_held_long(*last, now));
        let mut wanted: Vec<ServiceId> = wanted.into_iter().map(|(_, _, id)| id).collect();
        wanted.sort();
        let rows = &self.estate.services.rows;
        self.asked.services.retain(|id, _| rows.binary_search_by(|row| row.service.id.cmp(id)).is_ok());
        self.asked.services.extend(wanted.iter().map(|id| (id.clone(), now)));
        self.note_bound(Look::ServiceGauges, at, left.len(), is_long);
        wanted
    }

    /// The same for databases and all their instances.
    pub(in crate::observe) fn database_metrics_wanted(
        &mut self,
        at: Timestamp,
        now: Duration,
        metrics_max: usize,
    ) -> DatabaseMetrics {
        let asked = &self.asked.databases;
        let due = self.estate.databases.rows.iter().filter_map(|row| {
            let last = asked.get(&row.seen.database.name).copied();
            last.is_none_or(|last| last + EVERY <= now).then_some((last, row))
        });
        let mut due: Vec<_> = due.collect();
        due.sort_by_key(|(last, _)| *last);
        let mut room = metrics_max.min(AT_ONCE);
        let (mut wanted, mut left, mut is_long) = (DatabaseMetrics::default(), 0, false);
        for (last, row) in due {
            match wanted.add(row, room) {
                Some(cost) => room -= cost,
                None => {
                    left += 1;
                    is_long |= is_held_long(last, now);
                }
            }
        }
        let rows = &self.estate.databases.rows;
        self.asked.databases.retain(|name, _| rows.iter().any(|row| row.seen.database.name == *name));
        self.asked.databases.extend(wanted.databases.iter().map(|name| (name.clone(), now)));
        self.note_bound(Look::DatabaseGauges, at, left, is_long);
        wanted
    }

    /// Whether so many metrics are enough for Kafka's readers, as far as that is known.
    pub(in crate::observe) fn may_look_at_lags(&self, metrics_max: usize) -> bool {
        self.asked.lags.unwrap_or(LAGS_COST) <= metrics_max
    }

    /// Home is told only where something waits for longer than its turn.
    fn note_bound(&mut self, look: Look, at: Timestamp, left: usize, is_long: bool) {
        let what = look.part().words();
        let why = (left > 0).then(|| {
            Text::line(&format!(
                "metrics of {left} {what} come later: `dollars_per_hour_max` of [watch] holds them back"
            ))
        });
        if self.unknown.get(&look).is_none_or(Vec::is_empty) {
            let lacks = why.clone().filter(|_| is_long).map(|why| lacks::of_figures(look, at, why));
            self.note_lacks(look, lacks.into_iter().collect());
        }
        self.note_held(look, why);
    }

    /// CPU and memory of these services, which are in order, came; what has no sample now has no gauge.
    pub(in crate::observe) fn service_metrics(&mut self, at: Timestamp, services: &[ServiceId], gauges: &Gauges) {
        let is_whole = gauges.incomplete.is_none();
        let is_new = change(&mut self.estate.services, |seen| {
            services.binary_search(&seen.service.id).is_ok().then_some(())?;
            let name = seen.service.id.to_string();
            let cpu = newer(&seen.cpu, gauges.get(&SERVICE_CPU, &name), is_whole);
            let memory = newer(&seen.memory, gauges.get(&SERVICE_MEMORY, &name), is_whole);
            (seen.cpu != cpu || seen.memory != memory).then(|| SeenService { cpu, memory, ..seen.clone() })
        });
        self.metrics_came(Look::ServiceGauges, at, is_new, gauges);
    }

    /// What these databases use came.
    pub(in crate::observe) fn database_metrics(
        &mut self,
        at: Timestamp,
        of: &DatabaseMetrics,
        gauges: &Gauges,
        capacity: &Samples,
    ) {
        let is_whole = gauges.incomplete.is_none();
        let is_new = change(&mut self.estate.databases, |row| {
            of.databases.contains(&row.seen.database.name).then_some(())?;
            let mut new = row.clone();
            new.seen.capacity = Capacity::of(&row.seen.database, capacity);
            new.gauges = BTreeMap::new();
            for member in &row.seen.database.members {
                let before = row.gauges.get(&member.name).cloned().unwrap_or_default();
                let came = of_instance(&member.name, &before, gauges, is_whole);
                if came != DatabaseGauges::default() {
                    new.gauges.insert(member.name.clone(), came);
                }
            }
            (new != *row).then_some(new)
        });
        self.metrics_came(Look::DatabaseGauges, at, is_new, gauges);
    }

    /// How far Kafka's readers lie behind came.
    pub(in crate::observe) fn lags(&mut self, at: Timestamp, gauges: &Gauges) {
        self.asked.lags = usize::try_from(gauges.asked).ok();
        let order = |left: &KafkaLag, right: &KafkaLag| {
            (&left.cluster, &left.group, &left.topic).cmp(&(&right.cluster, &right.group, &right.topic))
        };
        let mut lags = gauges.kafka_lags();
        lags.sort_by(order);
        let is_new = settle(&mut self.estate.lags, lags, order);
        self.came(PartName::Lags, at);
        self.metrics_came(Look::Lags, at, is_new, gauges);
    }

    fn metrics_came(&mut self, look: Look, at: Timestamp, is_new: bool, gauges: &Gauges) {
        self.raise(if is_new { Change::Content } else { Change::None });
        let was_known = self.unknown.get(&look).is_none_or(Vec::is_empty);
        // What the bound holds back is told already, and goes on where the rest came.
        if let Some(why) = &gauges.incomplete {
            self.note_lacks(look, vec![lacks::of_figures(look, at, why.clone())]);
        } else if !was_known {
            self.note_lacks(look, Vec::new());
        }
        self.note_unknown(look, gauges.incomplete.iter().cloned().collect());
    }
}

/// Whether it waits for longer than its turn takes.
fn is_held_long(last: Option<Duration>, now: Duration) -> bool {
    last.is_none_or(|last| last + lacks::HELD_LONG <= now)
}

/// A gauge in place of the one before. Where not all came, one that is missing may be known to CloudWatch all the same.
fn newer(before: &Option<Gauge>, came: Option<&Gauge>, is_whole: bool) -> Option<Gauge> {
    match (came, is_whole) {
        (Some(came), _) => Some(came.clone()),
        (None, true) => None,
        (None, false) => before.clone(),
    }
}

fn of_instance(name: &str, before: &DatabaseGauges, gauges: &Gauges, is_whole: bool) -> DatabaseGauges {
    let of = |before: &Option<Gauge>, series: &Series| newer(before, gauges.get(series, name), is_whole);
    let seconds = gauges.get(&REPLICA_LAG, name).map(databases::in_milliseconds);
    let lag = gauges.get(&AURORA_REPLICA_LAG, name).cloned().or(seconds);
    DatabaseGauges {
        cpu: of(&before.cpu, &DATABASE_CPU),
        connections: of(&before.connections, &DATABASE_CONNECTIONS),
        free_storage: of(&before.free_storage, &DATABASE_FREE_STORAGE),
        lag: newer(&before.lag, lag.as_ref(), is_whole),
        read_latency: of(&before.read_latency, &DATABASE_READ_LATENCY),
        write_latency: of(&before.write_latency, &DATABASE_WRITE_LATENCY),
    }
}
