//! Metrics of databases: of which they are worth their price now, and what came.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{Look, SeenDatabase};
use crate::{
    cloud::{
        Cloud, CloudError,
        metrics::{
            AURORA_REPLICA_LAG, DATABASE_CONNECTIONS, DATABASE_CPU, DATABASE_FREE_STORAGE, DATABASE_READ_LATENCY,
            DATABASE_WRITE_LATENCY, Gauges, REPLICA_LAG, Samples, Series,
        },
        rds::CAPACITY,
    },
    databases::{self, Capacity},
    domain::{DatabaseGauges, Gauge, Topology},
    observe::{
        parts::Found,
        register::{EVERY_METRIC, Register, is_held_long, newer},
    },
};

/// An instance of Aurora that writes, and one that reads.
const AURORA_WRITER: &[Series] = &[DATABASE_CPU, DATABASE_CONNECTIONS, DATABASE_READ_LATENCY, DATABASE_WRITE_LATENCY];
const AURORA_READER: &[Series] = &[DATABASE_CPU, DATABASE_CONNECTIONS, DATABASE_READ_LATENCY, AURORA_REPLICA_LAG];
const WRITER: &[Series] =
    &[DATABASE_CPU, DATABASE_CONNECTIONS, DATABASE_FREE_STORAGE, DATABASE_READ_LATENCY, DATABASE_WRITE_LATENCY];
const READER: &[Series] =
    &[DATABASE_CPU, DATABASE_CONNECTIONS, DATABASE_FREE_STORAGE, DATABASE_READ_LATENCY, REPLICA_LAG];

#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::observe) struct DatabaseMetrics {
    databases: Vec<String>,
    /// Instances, by what is asked of them.
    instances: [Vec<String>; 4],
    serverless: Vec<String>,
}

const GROUPS: [&[Series]; 4] = [AURORA_WRITER, AURORA_READER, WRITER, READER];

impl DatabaseMetrics {
    pub(super) fn is_empty(&self) -> bool {
        self.serverless.is_empty() && self.instances.iter().all(Vec::is_empty)
    }

    pub(super) fn leave_instances(&mut self) {
        self.instances = Default::default();
    }

    pub(super) async fn ask(self, cloud: &Cloud) -> Result<Found, CloudError> {
        let client = &cloud.metrics;
        let mut gauges = Gauges::default();
        for (series, names) in GROUPS.into_iter().zip(&self.instances).filter(|(_, names)| !names.is_empty()) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            gauges.merge(client.gauges_named(series, &names).await?);
        }
        let serverless: Vec<&str> = self.serverless.iter().map(String::as_str).collect();
        let capacity =
            if serverless.is_empty() { Samples::default() } else { client.named(&CAPACITY, &serverless).await? };
        let asked = gauges.asked.saturating_add(capacity.asked);
        let put = move |register: &mut Register, at| register.database_metrics(at, &self, &gauges, &capacity);
        Ok(Found { metrics: asked, ..Found::put(put) })
    }

    /// Adds a database as long as there is room; answers what it costs.
    fn add(&mut self, row: &SeenDatabase, room: usize) -> Option<usize> {
        let database = &row.seen.database;
        let is_aurora = database.topology == Topology::Aurora;
        let group = |is_writer: bool| match (is_aurora, is_writer) {
            (true, true) => 0,
            (true, false) => 1,
            // What is no cluster lies behind somebody only where it is a replica.
            (false, false) if database.topology == Topology::MultiAzCluster || database.source.is_some() => 3,
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
    /// Databases whose metrics, and those of all their instances, are worth their price now: the ones that waited longest first.
    pub(in crate::observe) fn database_metrics_wanted(
        &mut self,
        at: Timestamp,
        now: Duration,
        metrics_max: usize,
    ) -> DatabaseMetrics {
        let asked = &self.memory.databases.metrics_at;
        let due = self.estate.databases.rows.iter().filter_map(|row| {
            let last = asked.get(&row.seen.database.name).copied();
            last.is_none_or(|last| last + EVERY_METRIC <= now).then_some((last, row))
        });
        let mut due: Vec<_> = due.collect();
        due.sort_by_key(|(last, _)| *last);
        let mut room = metrics_max;
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
        self.memory.databases.metrics_at.retain(|name, _| rows.iter().any(|row| row.seen.database.name == *name));
        self.memory.databases.metrics_at.extend(wanted.databases.iter().map(|name| (name.clone(), now)));
        self.note_bound(Look::DatabaseGauges, at, left, is_long);
        wanted
    }

    pub(in crate::observe) fn database_metrics(
        &mut self,
        at: Timestamp,
        of: &DatabaseMetrics,
        gauges: &Gauges,
        capacity: &Samples,
    ) {
        let is_whole = gauges.incomplete.is_none();
        let is_new = self.estate.databases.change(|row| {
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
        self.metrics_came(Look::DatabaseGauges, at, is_new, gauges.incomplete.as_ref());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_are_sorted_by_instance_and_lags_are_milliseconds() {
        let gauge = |value| Gauge { value, at: Timestamp::UNIX_EPOCH, recent: vec![(Timestamp::UNIX_EPOCH, value)] };
        let mut gauges = Gauges::default();
        gauges.put(&DATABASE_CPU, "orders-1", gauge(42.0));
        gauges.put(&AURORA_REPLICA_LAG, "orders-2", gauge(17.0));
        gauges.put(&REPLICA_LAG, "wallet-2", gauge(2.0));
        gauges.put(&REPLICA_LAG, "wallet-3", gauge(-1.0));
        let of = |name: &str| of_instance(name, &DatabaseGauges::default(), &gauges, true);
        let lag = |name: &str| of(name).lag.map(|lag| lag.value);
        assert_eq!((of("orders-1").cpu.map(|cpu| cpu.value), lag("orders-1")), (Some(42.0), None));
        assert_eq!(
            [lag("orders-2"), lag("wallet-2"), lag("wallet-3")],
            [Some(17.0), Some(2_000.0), Some(-1_000.0)],
            "replication that does not run is told"
        );
        assert_eq!(of("wallet-2").lag.map(|lag| lag.recent[0].1), Some(2_000.0));
    }
}
