//! [`Session`]: one short connection to a database, and transactions on it, one after the other.
//!
//! Nothing is set that would outlive the connection, and nothing waits in it: RDS Proxy gives a connection that was set up by `SET`, or
//! that holds a transaction, to nobody else. So it is opened, used and closed.

use std::{fmt, time::Duration};

use super::wire::Wire;
use crate::{
    clock::Clock,
    domain::{Bounds, Dialect, Rows, Server, SqlError, SqlKind, Statement, Target},
};

/// How much longer than the server is waited for a statement: it gives up first, and says so.
const GRACE: Duration = Duration::from_secs(3);
/// How long the end of a transaction may take: a COMMIT waits for storage and for standbys.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether a transaction may change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// A connection to a database. Ends with [`Session::close`], or as it is dropped.
pub struct Session {
    target: Target,
    server: Server,
    wire: Wire,
    clock: Clock,
}

/// A transaction that may change something, on a session. One that is dropped without [`Transaction::commit`] is rolled back, and its
/// session ends.
#[must_use]
pub struct Transaction<'a> {
    session: &'a mut Session,
    bounds: Bounds,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// A statement failed: it can only be rolled back.
    Failed,
    Ended,
}

impl Session {
    pub(super) fn new(target: Target, server: Server, wire: Wire, clock: Clock) -> Self {
        Self { target, server, wire, clock }
    }

    /// Where it was opened.
    pub fn target(&self) -> &Target {
        &self.target
    }

    pub fn dialect(&self) -> Dialect {
        self.server.dialect
    }

    /// The server as it was when it answered.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Runs statements one after the other in one transaction that only reads, all on one state of the data (REPEATABLE READ). Each
    /// statement's rows, in order.
    ///
    /// # Errors
    /// Of the first statement that fails. After [`SqlKind::Lost`] and [`SqlKind::TooLarge`] the session is of no more use.
    pub async fn read(&mut self, statements: &[Statement], bounds: Bounds) -> Result<Vec<Rows>, SqlError> {
        let mut transaction = self.open(Access::Read, bounds).await?;
        let mut answers = Vec::with_capacity(statements.len());
        for statement in statements {
            match transaction.run(statement).await {
                Ok(rows) => answers.push(rows),
                Err(error) => {
                    transaction.rollback().await;
                    return Err(error);
                }
            }
        }
        transaction.rollback().await;
        Ok(answers)
    }

    /// Runs statements in one transaction and commits it. What each changed, or returned, in order.
    ///
    /// # Errors
    /// Of the first statement that fails: nothing stays. [`SqlKind::Unknown`]: nobody knows whether it was committed; look, don't repeat.
    pub async fn change(&mut self, statements: &[Statement], bounds: Bounds) -> Result<Vec<Rows>, SqlError> {
        let mut transaction = self.begin(bounds).await?;
        let mut answers = Vec::with_capacity(statements.len());
        for statement in statements {
            match transaction.run(statement).await {
                Ok(rows) => answers.push(rows),
                Err(error) => {
                    transaction.rollback().await;
                    return Err(error);
                }
            }
        }
        transaction.commit().await?;
        Ok(answers)
    }

    /// Begins a transaction that only reads, as [`Session::read`] does, where what one statement gives decides about the next.
    ///
    /// # Errors
    /// The server refuses, or the session is over.
    pub async fn reading(&mut self, bounds: Bounds) -> Result<Transaction<'_>, SqlError> {
        self.open(Access::Read, bounds).await
    }

    /// Begins a transaction that may change something, READ COMMITTED.
    ///
    /// # Errors
    /// The server refuses, or the session is over.
    pub async fn begin(&mut self, bounds: Bounds) -> Result<Transaction<'_>, SqlError> {
        self.open(Access::Write, bounds).await
    }

    async fn open(&mut self, access: Access, bounds: Bounds) -> Result<Transaction<'_>, SqlError> {
        let begun = tokio::select! {
            begun = self.wire.begin(access, &bounds, self.server.is_mariadb()) => begun,
            () = self.clock.sleep(bounds.statement + GRACE) => Err(silent(SqlKind::Lost, bounds.statement + GRACE)),
        };
        if let Err(error) = begun {
            self.wire = Wire::Gone;
            return Err(error);
        }
        Ok(Transaction { session: self, bounds, state: State::Open })
    }

    /// Says goodbye; an error now is no matter.
    pub async fn close(self) {
        let Self { wire, clock, .. } = self;
        tokio::select! {
            () = wire.close() => {}
            () = clock.sleep(GRACE) => {}
        }
    }
}

impl Transaction<'_> {
    /// Runs a statement. Its rows may decide about the next one.
    ///
    /// # Errors
    /// The statement failed: all that is left is a rollback.
    pub async fn run(&mut self, statement: &Statement) -> Result<Rows, SqlError> {
        if self.state != State::Open {
            return Err(SqlError::new(SqlKind::Other, "a statement of this transaction has failed before"));
        }
        // Until it answered: a statement that is dropped half way leaves an answer on the wire.
        self.state = State::Failed;
        let Session { wire, clock, .. } = &mut *self.session;
        let limit = self.bounds.statement + GRACE;
        let answer = tokio::select! {
            answer = wire.run(statement, &self.bounds) => answer,
            () = clock.sleep(limit) => Err(silent(SqlKind::Lost, limit)),
        };
        match &answer {
            Ok(_) => self.state = State::Open,
            Err(error) if is_over(error.kind) => self.session.wire = Wire::Gone,
            Err(_) => {}
        }
        answer
    }

    /// Commits.
    ///
    /// # Errors
    /// [`SqlKind::Unknown`]: nobody knows whether it was committed; look, don't repeat. Any other: nothing stays.
    pub async fn commit(mut self) -> Result<(), SqlError> {
        if self.state != State::Open {
            self.end().await;
            return Err(SqlError::new(SqlKind::Other, "a statement of this transaction has failed: rolled back"));
        }
        let Session { wire, clock, .. } = &mut *self.session;
        let answer = tokio::select! {
            answer = wire.commit() => answer,
            () = clock.sleep(COMMIT_TIMEOUT) => Err(silent(SqlKind::Unknown, COMMIT_TIMEOUT)),
        };
        self.state = State::Ended;
        if let Err(error) = &answer
            && is_over(error.kind)
        {
            self.session.wire = Wire::Gone;
        }
        answer
    }

    /// Undoes all of it. Cannot fail: where the server does not answer, the connection ends, and with it the transaction.
    pub async fn rollback(mut self) {
        self.end().await;
    }

    async fn end(&mut self) {
        let Session { wire, clock, .. } = &mut *self.session;
        let is_done = tokio::select! {
            answer = wire.rollback() => answer.is_ok(),
            () = clock.sleep(GRACE) => false,
        };
        self.state = State::Ended;
        if !is_done {
            self.session.wire = Wire::Gone;
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.state != State::Ended {
            self.session.wire = Wire::Gone;
        }
    }
}

/// Whether the connection is of no use after it.
fn is_over(kind: SqlKind) -> bool {
    matches!(kind, SqlKind::Lost | SqlKind::Unknown | SqlKind::TooLarge)
}

fn silent(kind: SqlKind, waited: Duration) -> SqlError {
    SqlError::new(kind, &format!("no answer within {} s", waited.as_secs()))
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").field("server", &self.server).finish_non_exhaustive()
    }
}

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Transaction").field("state", &self.state).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
