//! A session: a connection, and the transaction that it is in.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use rusqlite::Connection;

use super::{
    Failure, connection,
    functions::Surroundings,
    run::{Parameters, Ran, run},
};

/// What the server of a session allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Access {
    Writes,
    ReadsOnly,
}

pub(super) struct Session {
    connection: Connection,
    /// Those that the statement took that runs.
    steps: Arc<AtomicU64>,
    transaction: Transaction,
    /// What a transaction reads that only reads: the database as it was at its first statement.
    copy: Option<Box<Session>>,
}

/// A transaction of a program of the world.
pub(in crate::world) struct Writing<'a>(&'a Connection);

impl Writing<'_> {
    /// Runs a statement.
    ///
    /// # Errors
    /// SQLite refuses it.
    pub(in crate::world) fn run(&self, text: &str, parameters: Parameters<'_>) -> Result<Ran, Failure> {
        run(self.0, text, parameters)
    }

    /// Runs statements without values.
    ///
    /// # Errors
    /// SQLite refuses one.
    pub(in crate::world) fn run_all(&self, text: &str) -> Result<(), Failure> {
        Ok(self.0.execute_batch(text)?)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    /// Nothing was changed so far; SQLite knows nothing of it, so that it blocks nobody.
    Begun(Access),
    /// It has the write lock.
    Writing,
    /// SQLite has undone it by itself; it goes on to its end, as in PostgreSQL.
    Failed,
}

/// A statement that begins or ends a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    Begin,
    BeginImmediate,
    BeginReadOnly,
    Commit,
    Rollback,
    /// A part of a transaction.
    Savepoint,
}

impl Session {
    pub(super) fn open(name: &str, surroundings: &Surroundings) -> Result<Self, Failure> {
        Self::of(name, None, surroundings)
    }

    /// A database of its own, made of a copy's bytes.
    pub(super) fn of_copy(bytes: &[u8], surroundings: &Surroundings) -> Result<Self, Failure> {
        Self::of(":memory:", Some(bytes), surroundings)
    }

    fn of(name: &str, bytes: Option<&[u8]>, surroundings: &Surroundings) -> Result<Self, Failure> {
        let steps = Arc::new(AtomicU64::new(0));
        let connection = connection::open(name, bytes, surroundings, Arc::clone(&steps))?;
        Ok(Self { connection, steps, transaction: Transaction::None, copy: None })
    }

    /// The database as it is committed.
    pub(super) fn copy(&mut self) -> Result<Vec<u8>, Failure> {
        Ok(self.connection.serialize("main")?.to_vec())
    }

    /// Whether a statement changes nothing; those that begin and end transactions do, perhaps.
    ///
    /// # Errors
    /// SQLite does not understand it.
    pub(super) fn reads(&self, text: &str) -> Result<bool, Failure> {
        match Control::of(text) {
            Some(_) => Ok(false),
            None => Ok(self.connection.prepare_cached(text)?.readonly()),
        }
    }

    /// Whether a statement takes the write lock for longer than itself.
    pub(super) fn takes_lock(&self, access: Access, text: &str, reads: bool) -> bool {
        let may = access == Access::Writes && !reads;
        may && match (self.transaction, Control::of(text)) {
            (Transaction::None, control) => control == Some(Control::BeginImmediate),
            (Transaction::Begun(access), None | Some(Control::Savepoint)) => access == Access::Writes,
            (Transaction::Begun(_) | Transaction::Writing | Transaction::Failed, _) => false,
        }
    }

    /// Whether what is read now is to be of the same moment as what is read later.
    pub(super) fn wants_copy(&self) -> bool {
        self.transaction == Transaction::Begun(Access::ReadsOnly) && self.copy.is_none()
    }

    pub(super) fn read_from(&mut self, copy: Self) {
        self.copy = Some(Box::new(copy));
    }

    pub(super) fn is_writing(&self) -> bool {
        self.transaction == Transaction::Writing
    }

    pub(super) fn run(
        &mut self,
        access: Access,
        text: &str,
        reads: bool,
        parameters: Parameters<'_>,
    ) -> Result<Ran, Failure> {
        let control = Control::of(text);
        match (self.transaction, control) {
            (Transaction::None, Some(Control::Savepoint)) => {
                return Err(Failure::other("savepoints can only be used in a transaction"));
            }
            (Transaction::Failed, None | Some(Control::Savepoint)) => {
                return Err(Failure::other(
                    "current transaction is aborted, commands ignored until end of transaction",
                ));
            }
            (_, None | Some(Control::Savepoint)) => {}
            (_, Some(control)) => return self.control(access, control).map(|()| Ran::default()),
        }
        if let Some(copy) = self.copy.as_mut().filter(|_| reads) {
            return copy.run_plainly(text, parameters);
        }
        if !reads {
            self.begin_to_write(access)?;
        }
        self.run_plainly(text, parameters)
    }

    /// Lets one of the world's programs do several things in one transaction.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&Writing<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        self.steps.store(0, Ordering::Relaxed);
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let changed = change(&Writing(&self.connection));
        self.connection.execute_batch(if changed.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        changed
    }

    fn control(&mut self, access: Access, control: Control) -> Result<(), Failure> {
        use {Control as C, Transaction as T};
        match (self.transaction, control) {
            (_, C::Savepoint) => unreachable!("a savepoint is run like any statement"),
            (T::None, C::Begin) => self.transaction = T::Begun(access),
            (T::None, C::BeginReadOnly) => self.transaction = T::Begun(Access::ReadsOnly),
            (T::None, C::BeginImmediate) => {
                self.transaction = T::Begun(access);
                if let Err(failure) = self.begin_to_write(access) {
                    self.transaction = T::None;
                    return Err(failure);
                }
            }
            (T::Begun(_) | T::Writing | T::Failed, C::Begin | C::BeginImmediate | C::BeginReadOnly) => {
                return Err(Failure::other("cannot start a transaction within a transaction"));
            }
            (T::None, C::Commit | C::Rollback) => return Err(Failure::other("no transaction is active")),
            (T::Begun(_), C::Commit | C::Rollback) | (T::Failed, C::Rollback) => {
                self.transaction = T::None;
                self.copy = None;
            }
            (T::Failed, C::Commit) => {
                self.transaction = T::None;
                return Err(Failure::other("cannot commit: the transaction was rolled back after an error"));
            }
            (T::Writing, C::Commit | C::Rollback) => {
                let end = if control == C::Commit { "COMMIT" } else { "ROLLBACK" };
                let ended = self.connection.execute_batch(end);
                // One that can't be committed (a constraint that is checked at the end) stays open in SQLite.
                if ended.is_err() && !self.connection.is_autocommit() {
                    self.connection.execute_batch("ROLLBACK")?;
                }
                self.transaction = T::None;
                ended?;
            }
        }
        Ok(())
    }

    /// Takes the database's write lock if this is the first change of a transaction.
    fn begin_to_write(&mut self, access: Access) -> Result<(), Failure> {
        match (access, self.transaction) {
            (Access::ReadsOnly, _) | (_, Transaction::Begun(Access::ReadsOnly)) => Err(Failure::ReadOnly),
            (Access::Writes, Transaction::Begun(Access::Writes)) => {
                self.connection.execute_batch("BEGIN IMMEDIATE")?;
                self.transaction = Transaction::Writing;
                Ok(())
            }
            (Access::Writes, Transaction::None | Transaction::Writing | Transaction::Failed) => Ok(()),
        }
    }

    pub(super) fn run_plainly(&mut self, text: &str, parameters: Parameters<'_>) -> Result<Ran, Failure> {
        self.steps.store(0, Ordering::Relaxed);
        let ran = run(&self.connection, text, parameters);
        if self.transaction == Transaction::Writing && self.connection.is_autocommit() {
            self.transaction = Transaction::Failed;
        }
        ran
    }
}

impl Control {
    fn of(text: &str) -> Option<Self> {
        let words: Vec<String> = text
            .trim_end_matches([';', ' ', '\n', '\t'])
            .split_whitespace()
            .take(4)
            .map(str::to_ascii_uppercase)
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["BEGIN" | "START", rest @ ..] if rest.contains(&"READ") => Some(Self::BeginReadOnly),
            ["BEGIN", "IMMEDIATE" | "EXCLUSIVE", ..] => Some(Self::BeginImmediate),
            ["BEGIN", ..] | ["START", "TRANSACTION"] => Some(Self::Begin),
            ["COMMIT" | "END", ..] => Some(Self::Commit),
            ["ROLLBACK", "TO", ..] | ["ROLLBACK", "TRANSACTION", "TO", ..] | ["SAVEPOINT" | "RELEASE", ..] => {
                Some(Self::Savepoint)
            }
            ["ROLLBACK", ..] => Some(Self::Rollback),
            _ => None,
        }
    }
}
