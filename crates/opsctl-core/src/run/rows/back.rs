//! A run that puts rows back to what they were before another run. Each row is changed only where it is still as that run left it, so that
//! doing it once more changes nothing: what has no answer is looked at and gone on with.

use std::time::Duration;

use super::{Database, Halt, RowTally, SavedBatch, SavedBatches, database::Shut, finish};
use crate::{
    cloud::endpoint::{Session, Transaction},
    domain::{Bounds, SqlError, SqlKind, Value},
    journal::{Journal, SavedRow},
    operations::rows::{engine::RowStop, put_back::RowsBack},
    outboxes::{
        Sql,
        sql::{ChangedRow, Locks, Position},
    },
    run::{Context, Doing, End, Report},
};

/// Rows in one transaction, a statement each.
const ROWS_AT_ONCE: usize = 50;
const TRIES_MAX: u32 = 6;
const WRITE: Bounds = Bounds { lock: Duration::from_secs(1), ..Bounds::LOOK };

struct Back<'a> {
    bound: &'a RowsBack,
    context: &'a Context,
    report: &'a Report,
    database: Database<'a>,
    tally: RowTally,
    failure: Option<SqlError>,
}

pub(in crate::run) async fn run(bound: RowsBack, context: &Context, journal: &Journal, report: Report) -> Report {
    // Two restores of one run at once would each count what the other has put back.
    let held = match context.state.hold(&format!("restore-{}", bound.run)) {
        Ok(Some(held)) => held,
        Ok(None) => {
            return report.stale(&format!("another restore of run {} is at work", bound.run), context.environment());
        }
        Err(error) => return report.refused_by_journal(&error),
    };
    let mut back = Back {
        bound: &bound,
        context,
        report: &report,
        database: Database::new(&bound.target, context, &bound.run, None),
        tally: RowTally::new(&bound.target),
        failure: None,
    };
    let ended = back.go().await;
    back.database.close().await;
    let Back { tally, failure, .. } = back;
    let mut report = finish(report, journal, context, tally, (ended, failure));
    let rows = report.details.rows().cloned().unwrap_or_default();
    if report.end == End::Done && rows.changed > 0 {
        report.note(format!("{} rows are not as the run left them: sent, failed or changed since", rows.changed));
    }
    drop(held);
    report
}

impl Back<'_> {
    async fn go(&mut self) -> Result<RowStop, Halt> {
        for saved in SavedBatches::open(&self.bound.snapshot).map_err(Halt::unwritten)?.into_iter().flatten() {
            let SavedBatch { batch, rows, hash } = saved.map_err(Halt::unwritten)?;
            if self.bound.batches.get(&batch) != Some(&hash) {
                continue;
            }
            for rows in rows.chunks(ROWS_AT_ONCE) {
                if self.context.cancel.is_cancelled() {
                    return Ok(RowStop::Cancelled);
                }
                if !self.rows(rows).await? {
                    return Ok(RowStop::Failing);
                }
                let doing = Doing::Rows(Box::new(self.tally.clone()));
                self.context.tell(self.report, self.bound.rows, doing, ("", Vec::new()));
            }
        }
        Ok(RowStop::Done)
    }

    /// Puts rows back; false where it failed too often.
    async fn rows(&mut self, rows: &[SavedRow]) -> Result<bool, Halt> {
        for number in 0..TRIES_MAX {
            if number > 0 {
                self.context.cloud.clock().sleep(Duration::from_millis(200 << number)).await;
            }
            let tried = match self.database.session().await {
                Ok((session, sql)) => put_back(session, sql, rows).await,
                Err(Shut::Failed(error)) => Err(error),
                Err(Shut::Halt(halt)) => return Err(halt),
            };
            match tried {
                Ok(PutBack { put_back, changed, locked }) => {
                    self.tally.put_back += put_back;
                    self.tally.changed += changed;
                    self.tally.left += locked;
                    return Ok(true);
                }
                Err(error) => match error.kind {
                    SqlKind::Lost | SqlKind::Unknown | SqlKind::TooLarge => {
                        self.database.drop_session();
                        self.failure = Some(error);
                    }
                    SqlKind::LockTimeout | SqlKind::StatementTimeout | SqlKind::Conflict => self.failure = Some(error),
                    SqlKind::NoTable
                    | SqlKind::NoColumn
                    | SqlKind::Denied
                    | SqlKind::Type
                    | SqlKind::ReadOnly
                    | SqlKind::Constraint
                    | SqlKind::Other => return Err(Halt::Sql(error)),
                },
            }
        }
        Ok(false)
    }
}

struct PutBack {
    put_back: u64,
    changed: u64,
    locked: u64,
}

async fn put_back(session: &mut Session, sql: &Sql, rows: &[SavedRow]) -> Result<PutBack, SqlError> {
    let mut transaction = session.begin(WRITE).await?;
    match put_back_in(&mut transaction, sql, rows).await {
        Ok(counts) => {
            transaction.commit().await?;
            Ok(counts)
        }
        Err(error) => {
            transaction.rollback().await;
            Err(error)
        }
    }
}

async fn put_back_in(transaction: &mut Transaction<'_>, sql: &Sql, rows: &[SavedRow]) -> Result<PutBack, SqlError> {
    let ids: Vec<Vec<Value>> = rows.iter().map(|row| row.id.clone()).collect();
    let mut free: Vec<ChangedRow> = Vec::new();
    for statement in sql.whereabouts(&ids, Locks::PassOver) {
        free.extend(sql.changed_rows(&transaction.run(&statement).await?));
    }
    let mut counts = PutBack { put_back: 0, changed: 0, locked: 0 };
    for row in rows {
        let mut now = free.iter().filter(|free| free.id == row.id).map(|free| &free.before);
        match (now.next(), now.next()) {
            (None, _) if sql.after_move().is_some() => counts.changed += 1,
            (None, _) => counts.locked += 1,
            // An earlier try has put it back.
            (Some(now), None) if *now == row.before => counts.put_back += 1,
            (Some(now), None) if *now == row.after => match restored(transaction, sql, row).await? {
                true => counts.put_back += 1,
                false => counts.changed += 1,
            },
            // Another one, or there is a row of that id in both places.
            (Some(_), _) => counts.changed += 1,
        }
    }
    Ok(counts)
}

/// Whether the row was still as the run left it.
async fn restored(transaction: &mut Transaction<'_>, sql: &Sql, row: &SavedRow) -> Result<bool, SqlError> {
    let position = Position(row.position.clone());
    let (before, after) = (row.before.clone(), row.after.clone());
    let steps = sql.restore(&ChangedRow { id: row.id.clone(), position, before, after });
    for (place, step) in steps.iter().enumerate() {
        match (transaction.run(step).await?.changed, place) {
            (1, _) => {}
            (_, 0) => return Ok(false),
            (_, _) => return Err(SqlError::new(SqlKind::Conflict, "a row changed while it was put back")),
        }
    }
    Ok(true)
}
