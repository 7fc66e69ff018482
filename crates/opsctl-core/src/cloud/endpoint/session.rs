//! A session with a database, held by whoever answers in place of the network.

use crate::domain::{Answerer, Ask, Because, Endpoint, Reached, Rows, Statement, Told, Unanswered};

/// Who answers, and the connection's number there. One that is not closed stays open.
pub(super) struct Session<'a> {
    answerer: &'a Answerer,
    number: u64,
}

impl<'a> Session<'a> {
    pub(super) async fn open(answerer: &'a Answerer, endpoint: &Endpoint) -> Result<Self, Unanswered> {
        match answerer(Ask::Connect(endpoint.clone())).await? {
            Told::Connected(number) => Ok(Self { answerer, number }),
            other => Err(astray(&other)),
        }
    }

    pub(super) async fn role(&self) -> Result<Reached, Unanswered> {
        match (self.answerer)(Ask::Role(self.number)).await? {
            Told::Role(role) => Ok(role),
            other => Err(astray(&other)),
        }
    }

    pub(super) async fn run(&self, statement: &Statement) -> Result<Rows, Unanswered> {
        match (self.answerer)(Ask::Run(self.number, statement.clone())).await? {
            Told::Rows(rows) => Ok(rows),
            other => Err(astray(&other)),
        }
    }

    /// Hangs up; an error now is no matter.
    pub(super) async fn close(self) {
        drop((self.answerer)(Ask::Close(self.number)).await);
    }
}

fn astray(told: &Told) -> Unanswered {
    Unanswered::new(Because::Broken, &format!("the answer is to another question: {told:?}"))
}
