//! How a transaction ended whose COMMIT had no answer.

use std::time::Duration;

use super::{Halt, Run, database::Shut};
use crate::{
    cloud::endpoint::Session,
    domain::{Bounds, SqlError, SqlKind, Value},
    journal::{Record, RowsOutcome, SavedBatch, SavedRow},
    operations::rows::engine::{RowId, Settled},
    outboxes::{
        Sql,
        sql::{ChangedRow, Locks, TransactionStatus, transaction_status},
    },
};

/// Looks at what a server makes of it: a transaction whose client is gone ends when the server notices.
const LOOKS_MAX: u32 = 30;
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What one look told.
enum Look {
    Settled(Settled),
    /// It is still open, or the server does not answer.
    Later,
}

impl Run<'_> {
    /// Looks at the batch whose end is not known, and writes down what came of it.
    pub(super) async fn settle_open(&mut self) -> Result<Settled, Halt> {
        let Some(batch) = self.open.take() else { return Ok(Settled::Undone) };
        let mut settled = None;
        for number in 0..LOOKS_MAX {
            if number > 0 {
                self.tell("looking how a transaction ended");
                // Not to be cut short by a wish to stop: what is known now is not in doubt later.
                self.context.cloud.clock().sleep(LOOK_EVERY).await;
            }
            match self.look(&batch).await? {
                Look::Settled(found) => {
                    settled = Some(found);
                    break;
                }
                Look::Later => {}
            }
        }
        let Some(settled) = settled else {
            // Not written down: a resume looks again.
            self.take(&batch.rows, Settled::InDoubt);
            let words = format!("the server does not say how batch {} ended", batch.batch);
            return Err(Halt::Sql(SqlError::new(SqlKind::Unknown, &words)));
        };
        let outcome = match settled {
            Settled::Committed => RowsOutcome::Committed,
            Settled::Undone => RowsOutcome::Undone,
            Settled::InDoubt => RowsOutcome::InDoubt,
        };
        self.outcomes.push(Record::Rows { batch: batch.batch, rows: batch.rows.len() as u64, outcome });
        self.take(&batch.rows, settled);
        if settled == Settled::Committed {
            self.tally.batches += 1;
            self.watch_later(&batch.rows);
        }
        Ok(settled)
    }

    async fn look(&mut self, batch: &SavedBatch) -> Result<Look, Halt> {
        let id = self.open_transaction;
        let (session, sql) = match self.database.session().await {
            Ok(opened) => opened,
            Err(Shut::Failed(error)) => return self.later(error),
            Err(Shut::Halt(halt)) => return Err(halt),
        };
        if let Some(statement) = id.and_then(|id| transaction_status(session.server(), id)) {
            let status = match session.read(&[statement], Bounds::LOOK).await {
                Ok(rows) => TransactionStatus::of(&rows[0]),
                Err(error) => return self.later(error),
            };
            match status {
                TransactionStatus::Committed => return Ok(Look::Settled(Settled::Committed)),
                TransactionStatus::Aborted => return Ok(Look::Settled(Settled::Undone)),
                TransactionStatus::InProgress => return Ok(Look::Later),
                TransactionStatus::Forgotten => {}
            }
        }
        let ids: Vec<RowId> = batch.rows.iter().map(|row| row.id.clone()).collect();
        let has_moved = sql.after_move().is_some();
        match rows_now(session, sql, &ids).await {
            Ok(found) => Ok(Look::Settled(by_rows(&batch.rows, &found, has_moved))),
            Err(error) => self.later(error),
        }
    }

    fn later(&mut self, error: SqlError) -> Result<Look, Halt> {
        self.failed(error).map(|_| Look::Later)
    }
}

async fn rows_now(session: &mut Session, sql: &Sql, ids: &[RowId]) -> Result<Vec<ChangedRow>, SqlError> {
    let mut transaction = session.begin(Bounds::LOOK).await?;
    let mut found = Vec::new();
    for statement in sql.whereabouts(ids, Locks::Wait) {
        match transaction.run(&statement).await {
            Ok(rows) => found.extend(sql.changed_rows(&rows)),
            Err(error) => {
                transaction.rollback().await;
                return Err(error);
            }
        }
    }
    transaction.rollback().await;
    Ok(found)
}

/// What the rows of a batch tell, which changed all at once or not at all: one that is as the run wanted it proves that all were. Where
/// all are as before it was rolled back, unless a relay could have brought them back to what they were.
fn by_rows(saved: &[SavedRow], found: &[ChangedRow], has_moved: bool) -> Settled {
    let is = |row: &SavedRow, wanted: &[Value]| found.iter().any(|found| found.id == row.id && found.before == wanted);
    let is_after = |row: &SavedRow| row.before != row.after && is(row, &row.after);
    if saved.iter().any(is_after) {
        return Settled::Committed;
    }
    let is_before = |row: &SavedRow| is(row, &row.before);
    // No relay moves a row back to where it was.
    if saved.iter().all(is_before) && (has_moved || !saved.iter().all(may_return)) {
        return Settled::Undone;
    }
    Settled::InDoubt
}

/// Whether a relay that sends the row again may leave it exactly as it was: without a time or a text in what was set, a row that was
/// published is the same when it is published again.
fn may_return(row: &SavedRow) -> bool {
    let is_plain = |value: &Value| match value {
        Value::Null | Value::Integer(_) => true,
        Value::Text(text) => !text.contains(':'),
        Value::Real(_) | Value::Bytes(_) => false,
    };
    row.before.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outboxes::sql::Position;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn row(id: i64, before: &[Value], after: &[Value]) -> SavedRow {
        let id = vec![Value::Integer(id)];
        SavedRow { batch: 1, position: id.clone(), id, before: before.to_vec(), after: after.to_vec() }
    }

    fn found(id: i64, now: &[Value]) -> ChangedRow {
        ChangedRow {
            id: vec![Value::Integer(id)],
            position: Position(Vec::new()),
            before: now.to_vec(),
            after: Vec::new(),
        }
    }

    #[test]
    fn one_row_as_wanted_proves_the_batch_and_all_as_before_disprove_it() {
        let (failed, ready) = ([text("FAILED"), text("2026-05-01 09:30:00")], [text("PENDING"), Value::Null]);
        let sent = [text("SENT"), Value::Null];
        let saved = [row(1, &failed, &ready), row(2, &failed, &ready)];
        for (now, expected) in [
            ([&ready, &ready], Settled::Committed),
            ([&sent, &ready], Settled::Committed),
            ([&failed, &failed], Settled::Undone),
            // Sent meanwhile, or changed by somebody else: no row proves which.
            ([&sent, &sent], Settled::InDoubt),
            ([&sent, &failed], Settled::InDoubt),
        ] {
            assert_eq!(by_rows(&saved, &[found(1, now[0]), found(2, now[1])], false), expected, "{now:?}");
        }
        assert_eq!(by_rows(&saved, &[], false), Settled::InDoubt, "deleted");
    }

    #[test]
    fn a_flag_that_is_back_proves_nothing() {
        let (published, ready) = ([Value::Integer(1)], [Value::Integer(0)]);
        let saved = [row(1, &published, &ready)];
        assert_eq!(by_rows(&saved, &[found(1, &published)], false), Settled::InDoubt);
        assert_eq!(by_rows(&saved, &[found(1, &ready)], false), Settled::Committed);
    }

    #[test]
    fn a_row_is_where_it_was_or_where_it_went() {
        let (here, there) = ([Value::Integer(0)], [Value::Integer(1)]);
        let saved = [row(1, &here, &there), row(2, &here, &there)];
        for (now, expected) in [
            (vec![found(1, &there), found(2, &there)], Settled::Committed),
            (vec![found(1, &here), found(2, &here)], Settled::Undone),
            (vec![found(1, &here)], Settled::InDoubt),
            (Vec::new(), Settled::InDoubt),
        ] {
            assert_eq!(by_rows(&saved, &now, true), expected, "{now:?}");
        }
    }
}
