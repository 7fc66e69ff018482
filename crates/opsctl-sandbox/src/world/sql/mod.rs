//! SQL in the world: every database of a server is an SQLite database in memory.
//!
//! A database is made when somebody first needs it, with the tables that it was said to hold. Each session has a connection of its
//! own, as in PostgreSQL under READ COMMITTED: a read sees what is committed and waits for nobody; a transaction takes the
//! database's one write lock with its first write, and another session that writes meanwhile is told `database is locked`. What a
//! transaction reads that only reads is all of one moment. The
//! clock and the chance that SQL sees are the world's. No file is ever opened.

mod connection;
mod functions;
mod run;
mod session;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::domain::{SqlError, SqlKind};
use functions::Surroundings;
pub(super) use functions::text as time_text;
pub(super) use run::{Parameters, Ran};
use session::Session;
pub(super) use session::{Access, Writing};

/// A database: account, region, cluster or instance, name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) server: String,
    pub(super) name: String,
}

/// What a database holds from the start. Called once, when somebody first needs it.
pub(super) type Contents = Arc<dyn Fn(&Writing<'_>) -> Result<(), Failure> + Send + Sync>;

/// Why a statement gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Another session writes.
    Locked,
    /// The database is not there.
    Missing,
    /// It changes something, and the session or its transaction only reads.
    ReadOnly,
    /// It took more steps than a statement may.
    TooLong,
    /// In SQLite's words.
    Refused(SqlKind, String),
}

/// All databases of a world.
pub(super) struct Databases {
    surroundings: Surroundings,
    /// What databases were said to hold; a server with none of them has any that is asked for, empty.
    declared: BTreeMap<Key, Vec<Contents>>,
    /// Names in SQLite, and the connection that keeps each alive; the world's programs use it.
    open: BTreeMap<Key, (String, Session)>,
    /// By number of the session, or id of the transaction.
    sessions: BTreeMap<String, Session>,
    /// Of databases that a transaction writes to.
    copies: BTreeMap<Key, Copy>,
}

/// A database as it was before a transaction's first change. SQLite in memory lets nobody read while somebody writes, so others read
/// this.
struct Copy {
    writer: String,
    bytes: Vec<u8>,
    session: Option<Session>,
}

impl Databases {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            surroundings: Surroundings::new(seed),
            declared: BTreeMap::new(),
            open: BTreeMap::new(),
            sessions: BTreeMap::new(),
            copies: BTreeMap::new(),
        }
    }

    /// Says that a database is there and what it holds from the start.
    pub(super) fn declare(&mut self, key: Key, contents: Contents) {
        self.declared.entry(key).or_default().push(contents);
    }

    pub(super) fn is_there(&self, key: &Key) -> bool {
        let of_server =
            |known: &&Key| (&known.account, &known.region, &known.server) == (&key.account, &key.region, &key.server);
        let declared: BTreeSet<&str> =
            self.declared.keys().filter(of_server).map(|known| known.name.as_str()).collect();
        key.name.is_empty() || declared.is_empty() || declared.contains(key.name.as_str())
    }

    /// Runs a statement for one of the world's programs, outside of any transaction.
    ///
    /// # Errors
    /// Another session writes, or SQLite refuses it.
    pub(super) fn run(&mut self, now: i64, key: &Key, text: &str, parameters: Parameters<'_>) -> Result<Ran, Failure> {
        self.surroundings.set_time(now);
        self.keeper(key)?.run_plainly(text, parameters)
    }

    /// Lets a program of the world do several things in one transaction.
    ///
    /// # Errors
    /// Another session writes, or SQLite refuses something; then nothing is done.
    pub(super) fn change<T>(
        &mut self,
        now: i64,
        key: &Key,
        change: impl FnOnce(&Writing<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.surroundings.set_time(now);
        self.keeper(key)?.change(change)
    }

    /// Runs a statement in a session, which begins with it.
    ///
    /// # Errors
    /// As [`Failure`] says.
    pub(super) fn run_in(
        &mut self,
        now: i64,
        (session, key): (&str, &Key),
        access: Access,
        text: &str,
        parameters: Parameters<'_>,
    ) -> Result<Ran, Failure> {
        self.surroundings.set_time(now);
        if !self.sessions.contains_key(session) {
            self.keeper(key)?;
            let opened = Session::open(&self.open[key].0, &self.surroundings)?;
            self.sessions.insert(session.to_owned(), opened);
        }
        let own = self.sessions.get_mut(session).expect("it was opened");
        // Even to understand a statement SQLite looks at the database, which it does not while another session writes.
        let reads = match (own.reads(text), self.copies.get_mut(key)) {
            (Err(Failure::Locked), Some(copy)) => copy.session(&self.surroundings)?.reads(text)?,
            (reads, _) => reads?,
        };
        if own.takes_lock(access, text, reads) {
            let (_, keeper) = self.open.get_mut(key).expect("a session of it is open");
            if let Ok(bytes) = keeper.copy() {
                self.copies.insert(key.clone(), Copy { writer: session.to_owned(), bytes, session: None });
            }
        }
        if reads && own.wants_copy() {
            let (_, keeper) = self.open.get_mut(key).expect("a session of it is open");
            let copied = match self.copies.get(key) {
                Some(copy) => Session::of_copy(&copy.bytes, &self.surroundings)?,
                None => Session::of_copy(&keeper.copy()?, &self.surroundings)?,
            };
            own.read_from(copied);
        }
        let ran = own.run(access, text, reads, parameters);
        if !own.is_writing() {
            self.forget_copy(session);
        }
        match (ran, self.copies.get_mut(key)) {
            (Err(Failure::Locked), Some(copy)) if reads => {
                copy.session(&self.surroundings)?.run(Access::ReadsOnly, text, true, parameters)
            }
            (ran, _) => ran,
        }
    }

    /// Ends a session: what it began and did not commit is undone.
    pub(super) fn end(&mut self, session: &str) {
        self.sessions.remove(session);
        self.forget_copy(session);
    }

    fn forget_copy(&mut self, writer: &str) {
        self.copies.retain(|_, copy| copy.writer != writer);
    }

    fn keeper(&mut self, key: &Key) -> Result<&mut Session, Failure> {
        if !self.is_there(key) {
            return Err(Failure::Missing);
        }
        if !self.open.contains_key(key) {
            let name = unique_name();
            let mut session = Session::open(&name, &self.surroundings)?;
            for contents in self.declared.get(key).into_iter().flatten() {
                session.change(|writing| contents(writing))?;
            }
            self.open.insert(key.clone(), (name, session));
        }
        let (_, session) = self.open.get_mut(key).expect("it was opened");
        Ok(session)
    }
}

impl Copy {
    fn session(&mut self, surroundings: &Surroundings) -> Result<&mut Session, Failure> {
        if self.session.is_none() {
            self.session = Some(Session::of_copy(&self.bytes, surroundings)?);
        }
        Ok(self.session.as_mut().expect("it was opened"))
    }
}

/// Databases in memory are known by name in the whole process; no two worlds share one.
fn unique_name() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("file:/opsctl-sandbox-{}?vfs=memdb", NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl fmt::Debug for Databases {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rows are people's data.
        let open: Vec<&Key> = self.open.keys().collect();
        formatter.debug_struct("Databases").field("open", &open).finish_non_exhaustive()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Locked => "database is locked",
            Self::Missing => "the database does not exist",
            Self::ReadOnly => "cannot change anything in a read-only transaction",
            Self::TooLong => "canceling statement due to statement timeout",
            Self::Refused(_, words) => words,
        })
    }
}

impl Failure {
    /// What SQLite does not say by a code.
    pub(super) fn other(words: &str) -> Self {
        Self::Refused(SqlKind::Other, words.to_owned())
    }

    /// As a server tells it.
    pub(super) fn told(&self) -> SqlError {
        let kind = match self {
            Self::Locked => SqlKind::LockTimeout,
            Self::Missing => SqlKind::Other,
            Self::ReadOnly => SqlKind::ReadOnly,
            Self::TooLong => SqlKind::StatementTimeout,
            Self::Refused(kind, _) => *kind,
        };
        SqlError::new(kind, &self.to_string())
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let words = match &error {
            // What follows in SQLite's words is the statement, which its caller knows.
            rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
            _ => error.to_string(),
        };
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => return Self::Locked,
            Some(ErrorCode::OperationInterrupted) => return Self::TooLong,
            Some(ErrorCode::ReadOnly) => return Self::ReadOnly,
            Some(ErrorCode::ConstraintViolation) => SqlKind::Constraint,
            Some(ErrorCode::TypeMismatch) => SqlKind::Type,
            Some(ErrorCode::AuthorizationForStatementDenied) => SqlKind::Denied,
            Some(ErrorCode::TooBig) => SqlKind::TooLarge,
            // SQLite has one code for all that is wrong with a statement, and tells these apart in words only.
            _ if words.starts_with("no such table") => SqlKind::NoTable,
            _ if words.starts_with("no such column") || words.contains("has no column named") => SqlKind::NoColumn,
            _ => SqlKind::Other,
        };
        Self::Refused(kind, words)
    }
}

/// Whether a statement is there to change something.
pub(super) fn changes(text: &str) -> bool {
    const CHANGES: [&str; 8] = ["insert", "update", "delete", "merge", "create", "alter", "drop", "truncate"];
    let first = text.split_whitespace().next().unwrap_or_default();
    CHANGES.iter().any(|word| first.eq_ignore_ascii_case(word))
}
