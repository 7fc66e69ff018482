//! Watches the rows of a step: whether they fail again.

use std::time::Duration;

use super::{Halt, Run};
use crate::{
    domain::{Bounds, RowState, Value},
    journal::SavedRow,
    operations::rows::engine::{Answer, RowId},
    outboxes::{Sql, sql::ListedRow},
};

/// Rows of a step that are watched: its last ones.
const WATCHED_MAX: usize = 1_000;
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A row that was changed.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    id: RowId,
    /// What its columns were set to.
    after: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Waits,
    Failed,
    Published,
}

impl Watched {
    pub(super) fn add(watched: &mut Vec<Self>, rows: &[SavedRow]) {
        watched.extend(rows.iter().map(|row| Self { id: row.id.clone(), after: row.after.clone() }));
        watched.drain(..watched.len().saturating_sub(WATCHED_MAX));
    }

    /// A row that is gone was published: relays delete what they have sent. One that was tried again has failed once.
    fn how(&self, sql: &Sql, row: Option<&ListedRow>) -> How {
        let Some(row) = row else { return How::Published };
        let attempts = sql.mapping.attempts.as_ref().map(|attempts| attempts.column.as_str());
        let place = sql.set_columns().iter().position(|column| Some(*column) == attempts);
        let before = match place.and_then(|place| self.after.get(place)) {
            Some(Value::Integer(attempts)) => Some(*attempts),
            Some(_) | None => None,
        };
        match row.state {
            RowState::Failed | RowState::Expired => How::Failed,
            RowState::Published => How::Published,
            RowState::Ready | RowState::Scheduled if before.is_some_and(|before| row.attempts > Some(before)) => {
                How::Failed
            }
            RowState::Ready
            | RowState::Scheduled
            | RowState::InProgress
            | RowState::Stuck
            | RowState::Held
            | RowState::Unaccounted => How::Waits,
        }
    }
}

impl Run<'_> {
    pub(super) async fn watch(&mut self, step: u32) -> Result<Answer, Halt> {
        self.flush().await?;
        let clock = self.context.cloud.clock();
        let (began, wait) = (clock.now(), i64::from(self.bound.wait.0));
        let watched = std::mem::take(&mut self.watched);
        let of = watched.len() as u64;
        let (mut failed, mut failures) = (0, 0);
        loop {
            match self.look_at(&watched).await? {
                Some(hows) => {
                    failures = 0;
                    let count = |wanted| hows.iter().filter(|how| **how == wanted).count() as u64;
                    failed = count(How::Failed);
                    (self.tally.failed_again, self.tally.published) = (failed, count(How::Published));
                    let is_over = count(How::Waits) == 0;
                    let is_too_much = self.bound.settings.max_failed.is_exceeded(failed, of);
                    if is_over || is_too_much {
                        break;
                    }
                }
                None => failures += 1,
            }
            let is_time_over = clock.now().duration_since(began).as_secs() >= wait;
            if is_time_over || failures > 10 || self.context.cancel.is_cancelled() {
                break;
            }
            self.tell(&format!("step {step}: watching whether rows fail again"));
            self.database.close().await;
            self.context.pause(LOOK_EVERY).await;
        }
        Ok(Answer::Watched { failed, of })
    }

    /// None: no answer this time.
    async fn look_at(&mut self, watched: &[Watched]) -> Result<Option<Vec<How>>, Halt> {
        let ids: Vec<RowId> = watched.iter().map(|row| row.id.clone()).collect();
        let (session, sql) = match self.database.session().await {
            Ok(opened) => opened,
            Err(shut) => return self.shut(shut).map(|_| None),
        };
        match session.read(&[sql.rows_by_id(&ids)], Bounds::LOOK).await {
            Ok(rows) => {
                let found = sql.listed(&rows[0]);
                let of = |row: &Watched| row.how(sql, found.iter().find(|found| found.id == row.id));
                Ok(Some(watched.iter().map(of).collect()))
            }
            Err(error) => self.failed(error).map(|_| None),
        }
    }
}
