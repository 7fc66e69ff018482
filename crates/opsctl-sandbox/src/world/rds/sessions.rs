//! Sessions with databases. One stays with its instance whatever names lead to meanwhile, and breaks when that blinks.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Connected;
use crate::{
    domain::{Because, Reached, Rows, SqlError, Statement, Unanswered},
    world::{
        FaultKind, World,
        sql::{self, Access, Failure, Key, Parameters},
    },
};

/// Sessions that are open at most, all databases together; then the oldest breaks.
const SESSIONS_MAX: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Session {
    /// Where its statements go: the server is the cluster, or the instance that is of none.
    key: Key,
    instance: String,
    opened_at: i64,
}

/// All sessions of a world.
#[derive(Debug, Default)]
pub(in crate::world) struct Sessions {
    open: BTreeMap<u64, Session>,
    opened: u64,
}

/// Why there is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOpened {
    /// What came of the connection.
    Instead(Connected),
    /// The server has no such database.
    NoDatabase,
}

/// Why a statement in a session gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRun {
    /// Another session writes: it may be tried again.
    Locked,
    /// The server refuses it, and the connection lives.
    Failed(SqlError),
    Broken(Unanswered),
}

impl World {
    /// Opens a session at an endpoint, with one of its server's databases. Wakes a cluster that has paused.
    ///
    /// # Errors
    /// What came of the connection instead.
    pub fn open_session(&mut self, now: Timestamp, host: &str, database: Option<&str>) -> Result<u64, NotOpened> {
        let connected = self.connect(now, host);
        let (Connected::Writer | Connected::Reader) = connected else { return Err(NotOpened::Instead(connected)) };
        let unknown = || NotOpened::Instead(Connected::Unknown);
        let (account, region, named) = self.rds.read(host).ok_or_else(unknown)?;
        let opened_at = now.as_millisecond();
        let place = self.database_place(now, &account, &region);
        let instance = place.instance_behind(opened_at, &named).ok_or_else(unknown)?;
        let cluster = place.instances.get(&instance).and_then(|instance| instance.cluster.clone());
        let server = cluster.unwrap_or_else(|| instance.clone());
        let key = Key { account, region, server, name: database_named(database) };
        if !self.sql.is_there(&key) {
            return Err(NotOpened::NoDatabase);
        }
        self.sessions.opened += 1;
        let number = self.sessions.opened;
        if self.sessions.open.len() >= SESSIONS_MAX
            && let Some(oldest) = self.sessions.open.keys().next().copied()
        {
            self.close_session(oldest);
        }
        self.sessions.open.insert(number, Session { key, instance, opened_at });
        Ok(number)
    }

    /// Whether the server of a session writes.
    ///
    /// # Errors
    /// The connection broke.
    pub fn role_of_session(&mut self, now: Timestamp, number: u64) -> Result<Reached, Unanswered> {
        let reset = || Unanswered::new(Because::Broken, "connection reset");
        let session = self.sessions.open.get(&number).cloned().ok_or_else(reset)?;
        let place = self.database_place(now, &session.key.account, &session.key.region);
        let blinked = |(from, _)| session.opened_at < from && from <= now.as_millisecond();
        let there = place.instances.get(&session.instance).filter(|instance| !instance.blink.is_some_and(blinked));
        if there.is_none() {
            self.close_session(number);
            return Err(reset());
        }
        let writes = place
            .clusters
            .get(&session.key.server)
            .is_none_or(|cluster| !cluster.is_secondary && cluster.members.first() == Some(&session.instance));
        Ok(if writes { Reached::Writes } else { Reached::ReadsOnly })
    }

    /// What hits a statement in a session, which faults and denials know as `rds-db:execute` on `server/database`.
    pub fn trouble_of_statement(&mut self, now: Timestamp, number: u64) -> Option<FaultKind> {
        self.advance(now);
        let Key { account, server, name, .. } = self.sessions.open.get(&number)?.key.clone();
        self.trouble(&account, "execute", &format!("{server}/{name}"))
    }

    /// Runs a statement in a session.
    ///
    /// # Errors
    /// The connection broke, another session writes, or the server refuses the statement.
    pub fn run_in_session(&mut self, now: Timestamp, number: u64, statement: &Statement) -> Result<Rows, NotRun> {
        let access = match self.role_of_session(now, number).map_err(NotRun::Broken)? {
            Reached::Writes => Access::Writes,
            Reached::ReadsOnly | Reached::Answers => Access::ReadsOnly,
        };
        let at = self.advance(now);
        let key = self.sessions.open[&number].key.clone();
        let parameters = Parameters::Placed(&statement.values);
        let ran = self.sql.run_in(at, (&id(number), &key), access, &statement.text, parameters);
        if ran.is_ok() && sql::changes(&statement.text) {
            self.witness_statement(at, &key.account, &format!("{}/{}", key.server, key.name));
        }
        ran.map(|ran| ran.rows).map_err(|failure| match failure {
            Failure::Locked => NotRun::Locked,
            failure => NotRun::Failed(failure.told()),
        })
    }

    pub fn close_session(&mut self, number: u64) {
        self.sessions.open.remove(&number);
        self.sql.end(&id(number));
    }
}

fn id(number: u64) -> String {
    format!("session {number}")
}

/// A server's own database, which is always there, has no name here.
pub(in crate::world) fn database_named(named: Option<&str>) -> String {
    named.filter(|name| !matches!(*name, "postgres" | "mysql")).unwrap_or_default().to_owned()
}
