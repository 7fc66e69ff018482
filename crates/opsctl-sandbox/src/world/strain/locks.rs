//! Tables that tasks read for long or alter. To alter one takes a lock that waits for all who read it, and everybody who comes later
//! waits behind that (PostgreSQL manual, "Explicit locking"): here, everybody who works on the database.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::world::{Caller, World, hash, logs::Line, template::Place};

/// How long a server goes on waiting for a client that was killed. Our assumption: it notices when it writes to the connection.
const LINGERS: i64 = 45_000;
/// From the start of a wait to the line about it (PostgreSQL, `deadlock_timeout`, with `log_lock_waits`).
const LOGGED_AFTER: i64 = 1_000;

/// What the tasks of a definition do to a table of their database, as long as they run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableUse {
    pub name: String,
    pub mode: TableMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableMode {
    /// One statement that reads from the start to the end.
    Reads,
    /// It needs the table for itself, for an instant. It waits at most as long as its variable `LOCK_TIMEOUT` says (`5s`, `500ms`).
    Alters,
}

/// A task that runs and uses a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::world) struct TableUser {
    pub(in crate::world) cluster: String,
    pub(in crate::world) task: String,
    pub(in crate::world) family: String,
    pub(in crate::world) of: TableUse,
    pub(in crate::world) started_at: i64,
    /// Whether it waits for the table: it has not had it yet.
    pub(in crate::world) waits: bool,
    pub(in crate::world) waits_at_most: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Locks {
    /// Whether somebody waits for a table, and so everybody does.
    pub(super) are_held: bool,
    /// Tasks that wait, with their tables.
    waiting: BTreeMap<String, String>,
    /// Until when a server waits for the sake of a task that is gone, by table.
    lingering: BTreeMap<String, i64>,
    /// Tasks that connected, and of which it was told that they wait.
    known: BTreeMap<String, bool>,
}

impl World {
    /// A second of a database whose tables tasks read and alter.
    pub(in crate::world) fn tend_tables(&mut self, at: Timestamp, place: &Place, database: &str) {
        let now = at.as_millisecond();
        self.observe(now);
        self.advance_ecs(now);
        let caller = place.caller();
        let users = self.ecs.table_users(&caller, database);
        let mut locks = std::mem::take(&mut self.strain.database([&place.account, &place.region, database]).locks);
        let mut waiting = BTreeMap::new();
        let mut over = Vec::new();
        for user in users.iter().filter(|user| user.of.mode == TableMode::Alters && user.waits) {
            let holders: Vec<&TableUser> = users.iter().filter(|other| other.holds_up(user)).collect();
            let is_late = user.waits_at_most.is_some_and(|most| now - user.started_at >= most);
            if holders.is_empty() || is_late {
                over.push(user.task.clone());
                self.end_wait(now, &caller, user, holders.is_empty());
                continue;
            }
            waiting.insert(user.task.clone(), user.of.name.clone());
            if now - user.started_at >= LOGGED_AFTER && locks.known.insert(user.task.clone(), true) != Some(true) {
                self.log_wait(now, place, database, user, &holders);
            }
        }
        for user in &users {
            if !locks.known.contains_key(&user.task) {
                locks.known.insert(user.task.clone(), false);
                self.log_connection(now, place, database, user);
            }
        }
        let is_read =
            |table: &String| users.iter().any(|user| user.of.mode == TableMode::Reads && user.of.name == *table);
        for (task, table) in std::mem::take(&mut locks.waiting) {
            if !waiting.contains_key(&task) && !over.contains(&task) {
                locks.lingering.insert(table, now + LINGERS);
            }
        }
        locks.lingering.retain(|table, until| *until > now && is_read(table));
        locks.known.retain(|task, _| users.iter().any(|user| user.task == *task));
        locks.are_held = !waiting.is_empty() || !locks.lingering.is_empty();
        locks.waiting = waiting;
        self.strain.database([&place.account, &place.region, database]).locks = locks;
    }

    /// A task gets its table, or gives up.
    fn end_wait(&mut self, now: i64, caller: &Caller, user: &TableUser, gets: bool) {
        let Self { ecs, logs, .. } = self;
        ecs.end_wait(now, caller, user, gets, logs);
    }

    fn log_connection(&mut self, now: i64, place: &Place, database: &str, user: &TableUser) {
        let text = format!(
            "LOG:  connection authorized: user={} database={database} application_name={}",
            user.family, user.family
        );
        self.log_of_database(now, place, database, user, vec![text]);
    }

    fn log_wait(&mut self, now: i64, place: &Place, database: &str, user: &TableUser, holders: &[&TableUser]) {
        let relation = 16_384 + hash(user.of.name.bytes()) % 10_000;
        let holding: Vec<String> = holders.iter().map(|holder| holder.process().to_string()).collect();
        let lines = vec![
            format!(
                "LOG:  process {} still waiting for AccessExclusiveLock on relation {relation} of database 16401 after 1000.113 ms",
                user.process()
            ),
            format!("DETAIL:  Process holding the lock: {}. Wait queue: {}.", holding.join(", "), user.process()),
            format!("STATEMENT:  ALTER TABLE {} ...", user.of.name),
        ];
        self.log_of_database(now, place, database, user, lines);
    }

    /// Lines of a PostgreSQL server's log, which RDS exports to CloudWatch Logs.
    fn log_of_database(&mut self, now: i64, place: &Place, database: &str, user: &TableUser, texts: Vec<String>) {
        let (account, region) = (place.account.as_str(), place.region.as_str());
        let Some((kind, writer)) = self.rds.server_log(now, account, region, database) else { return };
        let group = format!("/aws/rds/{kind}/{database}/postgresql");
        let time = Timestamp::from_millisecond(now).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S UTC");
        let prefix = format!(
            "{time}:10.0.3.{}(51{:03}):{}@{database}:[{}]:",
            user.process() % 250,
            user.process() % 1_000,
            user.family,
            user.process()
        );
        let lines = texts.into_iter().map(|text| Line { at: now, text: format!("{prefix}{text}") }).collect();
        self.logs.create_group(now, account, region, &group);
        self.logs.write(account, region, &group, &format!("{writer}.0"), lines);
    }
}

impl TableUser {
    /// Number of its server process.
    fn process(&self) -> u64 {
        300 + hash(self.task.bytes()) % 30_000
    }

    /// Whether another task waits for this one: it came before.
    fn holds_up(&self, other: &Self) -> bool {
        let is_before = (self.started_at, &self.task) < (other.started_at, &other.task);
        self.of.name == other.of.name && is_before && (self.of.mode == TableMode::Reads || self.waits)
    }
}
