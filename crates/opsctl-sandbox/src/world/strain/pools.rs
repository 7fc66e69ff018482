//! Connections that the tasks of a service hold: more while they warm up, none beyond what the database takes, stale after a failover.
//!
//! While more are wanted than the database takes, no task gets warm: those that begin together fail their health checks together, are
//! replaced by ECS and begin together again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::ServiceKey;
use crate::world::{World, ecs, logs::Line, template::Place};

/// How often a task in trouble writes a line, milliseconds.
const SAYS_EVERY: i64 = 10_000;

/// Connections of each task of a service to its database.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Of a task that is warm.
    pub connections: u32,
    /// While it warms up, and at most while it waits for a table.
    pub connections_max: u32,
    /// How long it warms up; before that it does not answer health checks.
    #[serde(default)]
    pub warm_seconds: u32,
    /// Whether it goes on with the connections to the former writer after a failover, until it is restarted.
    #[serde(default)]
    pub stale_after_failover: bool,
}

#[derive(Debug)]
pub(super) struct Pooled {
    pool: Pool,
    database: String,
    /// Tasks that began before are warm.
    since: i64,
    tasks: BTreeMap<String, Held>,
}

#[derive(Debug)]
struct Held {
    connections: u32,
    warm_seconds: u32,
    trouble: Option<Trouble>,
    said_at: i64,
}

/// Why a task does no work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// It warms up.
    Cold,
    /// It warms up, and the database takes no more connections.
    Refused,
    /// It waits for a table, and so does all that it has begun.
    Locked,
    /// The same, and all its connections are taken.
    Exhausted,
    /// Its connections lead to a server that only reads now.
    Stale,
}

/// What a second is like for the tasks of a service.
#[derive(Debug, Clone, Copy)]
struct Weather {
    serves: bool,
    is_over: bool,
    is_locked: bool,
    writer_since: Option<i64>,
}

impl World {
    /// Lets the tasks of a service, whose task definitions are called as it is, hold connections to its database.
    pub fn pool(&mut self, now: Timestamp, place: &Place, (cluster, name): (&str, &str), database: &str, pool: Pool) {
        if pool.warm_seconds > 0 {
            self.ecs.start_cold(&place.caller(), name);
        }
        let pooled =
            Pooled { pool, database: database.to_owned(), since: now.as_millisecond(), tasks: BTreeMap::new() };
        self.strain.pooled.insert(key(place, cluster, name), pooled);
    }

    /// A second in the life of a service's connections, whose database serves now or does not.
    pub(in crate::world) fn hold_pool(
        &mut self,
        at: Timestamp,
        place: &Place,
        (cluster, name): (&str, &str),
        serves: bool,
    ) {
        if self.strain.pooled.is_empty() {
            return;
        }
        let key = key(place, cluster, name);
        let Some(mut pooled) = self.strain.pooled.remove(&key) else { return };
        let now = at.as_millisecond();
        // A minute that has ended is told as it was, however far the clock leaps.
        self.observe(now);
        let (account, region) = (place.account.as_str(), place.region.as_str());
        let service = ecs::ServiceKey { account, region, cluster, name };
        let tasks = self.ecs.running_tasks(&service);
        let database = self.strain.database([account, region, &pooled.database]);
        let all: u32 = database.wanted.values().sum();
        let weather = Weather {
            serves,
            is_over: database.limits.connections.is_some_and(|most| all > most),
            is_locked: database.locks.are_held,
            writer_since: self.rds.writer_since(now, account, region, &pooled.database),
        };
        pooled.step(now, &tasks, weather);
        let wanted = pooled.tasks.values().map(|held| held.connections).sum();
        database.wanted.insert(key.clone(), wanted);
        database.peak = database.peak.max(database.wanted.values().sum());
        for (id, held) in &mut pooled.tasks {
            self.ecs.set_ailing(now, &service, id, held.trouble.is_some_and(Trouble::is_silent));
            let says = held.trouble.and_then(|trouble| trouble.words(&pooled.pool));
            if let Some(text) = says.filter(|_| now - held.said_at >= SAYS_EVERY) {
                held.said_at = now;
                if let Some((group, stream)) = self.ecs.log_of(&service, id) {
                    self.logs.write(account, region, &group, &stream, vec![Line { at: now, text }]);
                }
            }
        }
        self.strain.pooled.insert(key, pooled);
    }

    /// Whether each running task of a service does its work; empty: nothing is known against any.
    pub(in crate::world) fn working_tasks(&self, place: &Place, cluster: &str, name: &str) -> Vec<bool> {
        match self.strain.pooled.is_empty() {
            true => Vec::new(),
            false => {
                let pooled = self.strain.pooled.get(&key(place, cluster, name));
                pooled.into_iter().flat_map(|pooled| pooled.tasks.values()).map(|held| held.trouble.is_none()).collect()
            }
        }
    }
}

fn key(place: &Place, cluster: &str, name: &str) -> ServiceKey {
    [&place.account, &place.region, cluster, name].map(str::to_owned)
}

impl Pooled {
    fn step(&mut self, now: i64, tasks: &[(String, i64)], weather: Weather) {
        self.tasks.retain(|id, _| tasks.iter().any(|(known, _)| known == id));
        for (id, started_at) in tasks {
            let warm_seconds = if *started_at <= self.since { self.pool.warm_seconds } else { 0 };
            let new = || Held { connections: 0, warm_seconds, trouble: None, said_at: now - SAYS_EVERY + 1_000 };
            let is_stale =
                self.pool.stale_after_failover && weather.writer_since.is_some_and(|since| *started_at < since);
            self.tasks.entry(id.clone()).or_insert_with(new).step(&self.pool, weather, is_stale);
        }
    }
}

impl Held {
    fn step(&mut self, pool: &Pool, weather: Weather, is_stale: bool) {
        let Weather { serves, is_over, is_locked, .. } = weather;
        let was_warm = self.warm_seconds >= pool.warm_seconds;
        if serves && !is_locked && (was_warm || !is_over) {
            self.warm_seconds = (self.warm_seconds + 1).min(pool.warm_seconds);
        }
        let is_warm = self.warm_seconds >= pool.warm_seconds;
        self.connections = match (is_warm, is_locked) {
            (false, _) => pool.connections_max,
            (true, false) => pool.connections,
            // One more for each second in which nothing comes back.
            (true, true) => {
                (self.connections.max(pool.connections) + 1).min(pool.connections_max.max(pool.connections))
            }
        };
        self.trouble = match (is_warm, is_locked) {
            (true, _) if is_stale => Some(Trouble::Stale),
            (true, false) => None,
            (true, true) if self.connections >= pool.connections_max => Some(Trouble::Exhausted),
            (_, true) => Some(Trouble::Locked),
            (false, false) if is_over => Some(Trouble::Refused),
            (false, false) => Some(Trouble::Cold),
        };
    }
}

impl Trouble {
    /// Whether health checks find it.
    fn is_silent(self) -> bool {
        match self {
            Self::Cold | Self::Refused | Self::Exhausted => true,
            // It answers, and answers well: that is the trap.
            Self::Locked | Self::Stale => false,
        }
    }

    fn words(self, pool: &Pool) -> Option<String> {
        match self {
            Self::Cold | Self::Locked => None,
            Self::Refused => Some("FATAL: sorry, too many clients already".to_owned()),
            Self::Exhausted => Some(format!(
                "ERROR: timeout: no connection within 30 s, all {} of the pool are in use",
                pool.connections_max
            )),
            Self::Stale => Some("ERROR: cannot execute INSERT in a read-only transaction".to_owned()),
        }
    }
}
