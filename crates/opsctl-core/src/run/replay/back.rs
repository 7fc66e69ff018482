//! A run that puts rows back to what they were before a replay. Each row is changed only where it is still as the replay left it, so that
//! doing it once more changes nothing: what has no answer is looked at and gone on with.

use std::time::Duration;

use super::{Database, Halt, Replayed, SavedBatch, SavedBatches, database::Shut, finish};
use crate::{
    cloud::endpoint::Session,
    domain::{Bounds, SqlError, SqlKind, Value},
    journal::{Journal, SavedRow},
    operations::replay::{engine::RowStop, put_back::RowsBack},
    outboxes::{
        Sql,
        sql::{Position, Rearmed},
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
    replayed: Replayed,
    failure: Option<SqlError>,
}

pub(in crate::run) async fn run(bound: RowsBack, context: &Context, journal: &Journal, report: Report) -> Report {
    // Two restores of one run at once would each count what the other has put back.
    let held = match context.state.hold(&format!("restore-{}", bound.run)) {
        Ok(Some(held)) => held,
        Ok(None) => return report.stale(&format!("another restore of run {} is at work", bound.run)),
        Err(error) => return report.refused_by_journal(&error),
    };
    let mut back = Back {
        bound: &bound,
        context,
        report: &report,
        database: Database::new(&bound.target, context),
        replayed: Replayed { outbox: bound.target.outbox.name.clone(), ..Replayed::default() },
        failure: None,
    };
    let ended = back.go().await;
    back.database.close().await;
    let Back { replayed, failure, .. } = back;
    let mut report = finish(report, journal, context, replayed, (ended, failure));
    let rows = report.details.rows().cloned().unwrap_or_default();
    if report.end == End::Done && rows.changed > 0 {
        report.note(format!("{} rows are not as the replay left them: sent, failed or changed since", rows.changed));
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
                let doing = Doing::Rows(Box::new(self.replayed.clone()));
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
                    self.replayed.put_back += put_back;
                    self.replayed.changed += changed;
                    self.replayed.left += locked;
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
    let ids: Vec<Vec<Value>> = rows.iter().map(|row| row.id.clone()).collect();
    let mut transaction = session.begin(WRITE).await?;
    let free = match transaction.run(&sql.rearmed_and_free(&ids)).await {
        Ok(free) => sql.rearmed(&free),
        Err(error) => {
            transaction.rollback().await;
            return Err(error);
        }
    };
    let mut counts = PutBack { put_back: 0, changed: 0, locked: (rows.len() - free.len().min(rows.len())) as u64 };
    for row in rows {
        let Some(now) = free.iter().find(|free| free.id == row.id).map(|free| &free.before) else { continue };
        // An earlier try has put it back.
        if *now == row.before {
            counts.put_back += 1;
            continue;
        }
        if *now != row.after {
            counts.changed += 1;
            continue;
        }
        let position = Position(row.position.clone());
        let (before, after) = (row.before.clone(), row.after.clone());
        match transaction.run(&sql.restore(&Rearmed { id: row.id.clone(), position, before, after })).await {
            Ok(rows) if rows.changed == 1 => counts.put_back += 1,
            Ok(_) => counts.changed += 1,
            Err(error) => {
                transaction.rollback().await;
                return Err(error);
            }
        }
    }
    transaction.commit().await?;
    Ok(counts)
}
