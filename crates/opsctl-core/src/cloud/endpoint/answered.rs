//! A session with a database that somebody answers for, in place of the network.

use crate::domain::{Answerer, Ask, Because, Endpoint, Reached, Rows, SqlError, SqlKind, Statement, Told, Unanswered};

use super::session::Access;

/// Who answers, and the connection's number there. Closes it as it is dropped.
pub(super) struct Answered {
    answerer: Answerer,
    number: u64,
    is_closed: bool,
}

impl Answered {
    pub(super) async fn open(
        answerer: &Answerer,
        endpoint: &Endpoint,
        database: Option<&str>,
    ) -> Result<Self, Unanswered> {
        let connect = Ask::Connect { endpoint: endpoint.clone(), database: database.map(str::to_owned) };
        match answerer(connect).await? {
            Told::Connected(number) => Ok(Self { answerer: answerer.clone(), number, is_closed: false }),
            other => Err(astray(&other)),
        }
    }

    pub(super) async fn role(&self) -> Result<Reached, Unanswered> {
        match (self.answerer)(Ask::Role(self.number)).await? {
            Told::Role(role) => Ok(role),
            other => Err(astray(&other)),
        }
    }

    pub(super) async fn begin(&self, access: Access) -> Result<(), SqlError> {
        let text = match access {
            Access::Read => "BEGIN READ ONLY",
            Access::Write => "BEGIN IMMEDIATE",
        };
        self.run(&text.into()).await.map(drop)
    }

    pub(super) async fn run(&self, statement: &Statement) -> Result<Rows, SqlError> {
        match (self.answerer)(Ask::Run(self.number, statement.clone())).await {
            Ok(Told::Rows(rows)) => Ok(rows),
            Ok(Told::Failed(error)) => Err(error),
            Ok(other) => Err(SqlError::new(SqlKind::Lost, astray(&other).words.as_str())),
            Err(error) => {
                let kind = if error.because == Because::Sql { SqlKind::Other } else { SqlKind::Lost };
                Err(SqlError::new(kind, error.words.as_str()))
            }
        }
    }

    pub(super) async fn commit(&self) -> Result<(), SqlError> {
        self.run(&"COMMIT".into()).await.map(drop).map_err(|error| {
            let kind = if error.kind == SqlKind::Lost { SqlKind::Unknown } else { error.kind };
            SqlError { kind, ..error }
        })
    }

    pub(super) async fn rollback(&self) -> Result<(), SqlError> {
        self.run(&"ROLLBACK".into()).await.map(drop)
    }

    pub(super) async fn close(mut self) {
        self.is_closed = true;
        drop((self.answerer)(Ask::Close(self.number)).await);
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        // Nobody waits for it: what was open ends with the connection.
        if !self.is_closed
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn((self.answerer)(Ask::Close(self.number)));
        }
    }
}

fn astray(told: &Told) -> Unanswered {
    Unanswered::new(Because::Broken, &format!("the answer is to another question: {told:?}"))
}
