//! Sessions with databases. One stays with its instance whatever names lead to meanwhile, and breaks when that blinks.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;

use super::{Connected, endpoints::read};
use crate::{
    domain::{Because, Reached, Rows, Statement, Unanswered},
    world::World,
};

/// Sessions that are open at most, all databases together; then the oldest breaks.
const SESSIONS_MAX: usize = 10_000;

/// What runs the statements of a world's databases. It lives by the world's calls alone: no clock, no I/O.
pub trait Engine: fmt::Debug + Send {
    /// What comes of a statement. One that changes something is refused where the session only reads.
    ///
    /// # Errors
    /// In the server's words.
    fn run(&mut self, session: &Session, access: Reached, statement: &Statement) -> Result<Rows, String>;

    /// A session is over: what it began and did not end is undone.
    fn end(&mut self, session: &Session);
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub number: u64,
    pub account: String,
    pub region: String,
    /// The cluster, or the instance that is of none: what is stored is stored there.
    pub database: String,
    pub instance: String,
    opened_at: i64,
}

/// All sessions of a world, and what runs their statements.
#[derive(Debug, Default)]
pub(in crate::world) struct Sessions {
    open: BTreeMap<u64, Session>,
    opened: u64,
    engine: Option<Box<dyn Engine>>,
}

impl World {
    /// Lets an engine run statements. Without one each gives nothing.
    pub fn run_sql_with(&mut self, engine: Box<dyn Engine>) {
        self.sessions.engine = Some(engine);
    }

    /// Opens a session at an endpoint. Wakes a cluster that has paused.
    ///
    /// # Errors
    /// What came of the connection instead.
    pub fn open_session(&mut self, now: Timestamp, host: &str) -> Result<u64, Connected> {
        let connected = self.connect(now, host);
        let (Connected::Writer | Connected::Reader) = connected else { return Err(connected) };
        let (account, region, named) = read(host).ok_or(Connected::Unknown)?;
        let opened_at = now.as_millisecond();
        let place = self.database_place(now, &account, &region);
        let instance = place.instance_behind(opened_at, &named).ok_or(Connected::Unknown)?;
        let cluster = place.instances.get(&instance).and_then(|instance| instance.cluster.clone());
        let database = cluster.unwrap_or_else(|| instance.clone());
        self.sessions.opened += 1;
        let number = self.sessions.opened;
        if self.sessions.open.len() >= SESSIONS_MAX
            && let Some(oldest) = self.sessions.open.keys().next().copied()
        {
            self.close_session(oldest);
        }
        self.sessions.open.insert(number, Session { number, account, region, database, instance, opened_at });
        Ok(number)
    }

    /// Whether the server of a session writes.
    ///
    /// # Errors
    /// The connection broke.
    pub fn role_of_session(&mut self, now: Timestamp, number: u64) -> Result<Reached, Unanswered> {
        let reset = || Unanswered::new(Because::Broken, "connection reset");
        let session = self.sessions.open.get(&number).cloned().ok_or_else(reset)?;
        let place = self.database_place(now, &session.account, &session.region);
        let blinked = |(from, _)| session.opened_at < from && from <= now.as_millisecond();
        let there = place.instances.get(&session.instance).filter(|instance| !instance.blink.is_some_and(blinked));
        if there.is_none() {
            self.close_session(number);
            return Err(reset());
        }
        let writes = place
            .clusters
            .get(&session.database)
            .is_none_or(|cluster| !cluster.is_secondary && cluster.members.first() == Some(&session.instance));
        Ok(if writes { Reached::Writes } else { Reached::ReadsOnly })
    }

    /// Runs a statement in a session.
    ///
    /// # Errors
    /// The connection broke, or the server refuses the statement.
    pub fn run_in_session(&mut self, now: Timestamp, number: u64, statement: &Statement) -> Result<Rows, Unanswered> {
        let access = self.role_of_session(now, number)?;
        let Sessions { open, engine, .. } = &mut self.sessions;
        match (open.get(&number), engine) {
            (Some(session), Some(engine)) => {
                engine.run(session, access, statement).map_err(|words| Unanswered::new(Because::Sql, &words))
            }
            (_, None) | (None, _) => Ok(Rows::default()),
        }
    }

    pub fn close_session(&mut self, number: u64) {
        let ended = self.sessions.open.remove(&number);
        if let (Some(session), Some(engine)) = (ended, &mut self.sessions.engine) {
            engine.end(&session);
        }
    }
}
