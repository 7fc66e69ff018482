//! Reading keys, and changing a batch: one transaction.

use std::time::{Duration, Instant};

use super::{Halt, Run, database::Shut, watch::Watched};
use crate::{
    cloud::endpoint::{Session, Transaction},
    domain::{Bounds, SqlError, SqlKind, Statement, Value},
    journal::{Journal, JournalError, Record, RowsOutcome, SavedBatch, SavedRow},
    operations::rows::{
        engine::{Answer, RowId, Settled},
        filter_row,
    },
    outboxes::{
        Sql,
        sql::{ChangedRow, Changing, Position, Selection, transaction_id},
    },
};

const WRITE: Bounds = Bounds { statement: Duration::from_secs(5), lock: Duration::from_secs(1), ..Bounds::LOOK };
const READ: Bounds = Bounds { statement: Duration::from_secs(20), ..Bounds::LOOK };

/// Rows that are changed and not committed.
struct Changed {
    rows: Vec<ChangedRow>,
    transaction: Option<i64>,
}

impl Run<'_> {
    pub(super) async fn read(&mut self, after: Option<&Position>, rows_max: u32) -> Result<Answer, Halt> {
        let (selection, filter) = (&self.bound.selection, self.bound.filter.clone());
        let (session, sql) = match self.database.session().await {
            Ok(opened) => opened,
            Err(shut) => return self.shut(shut),
        };
        let statement = match filter {
            Some(_) => sql.candidates(selection, after, rows_max),
            None => sql.keys(selection, after, rows_max),
        };
        let rows = match session.read(&[statement], READ).await {
            Ok(mut answers) => answers.remove(0),
            Err(error) => return self.failed(error),
        };
        let (all, chosen): (Vec<_>, Vec<bool>) = match filter {
            None => {
                let keyed = sql.keyed(&rows);
                let count = keyed.len();
                (keyed, vec![true; count])
            }
            Some(filter) => {
                let listed = sql.listed(&rows);
                let matched = filter.matches_all(listed.iter().map(filter_row).collect());
                self.tally.unreadable += matched.iter().filter(|matched| matched.is_err()).count() as u64;
                let keyed = listed.into_iter().map(|row| (row.id, row.position)).collect();
                (keyed, matched.into_iter().map(|matched| matched == Ok(true)).collect())
            }
        };
        let (rows, last) = (all.len() as u64, all.last().map(|(_, position)| position.clone()));
        let chosen = all.into_iter().zip(chosen).filter(|((id, _), is_chosen)| *is_chosen && !self.is_taken(id));
        let chosen = chosen.map(|((id, _), _)| id).collect();
        Ok(Answer::Read { chosen, last, rows })
    }

    /// Changes the rows, writes down what they were and are, and commits.
    pub(super) async fn change(&mut self, ids: &[RowId]) -> Result<Answer, Halt> {
        debug_assert!(ids.iter().all(|id| !self.is_taken(id)), "a row is changed once by a run");
        let selection = Selection { ids: Some(ids.to_vec()), ..self.bound.selection.clone() };
        let (session, sql) = match self.database.session().await {
            Ok(opened) => opened,
            Err(shut) => return self.shut(shut),
        };
        let batch = Batch { selection: &selection, rows_max: ids.len(), number: self.batch + 1 };
        let tried = batch.run(session, sql, self.journal, &mut self.outcomes).await;
        match tried {
            Tried::Failed(error) => self.failed(error),
            Tried::Unwritten(error) => Err(Halt::unwritten(error)),
            Tried::Nothing => {
                self.pass_over(ids);
                Ok(Answer::Changed { rows: 0, seconds: 0.0 })
            }
            Tried::Ended { committed, saved, transaction, seconds } => {
                self.batch = saved.batch;
                self.pass_over(ids);
                self.committed(committed, saved, transaction, seconds)
            }
        }
    }

    fn committed(
        &mut self,
        committed: Result<(), SqlError>,
        batch: SavedBatch,
        transaction: Option<i64>,
        seconds: f64,
    ) -> Result<Answer, Halt> {
        let rows = batch.rows.len() as u64;
        match committed {
            Ok(()) => {
                self.outcomes.push(Record::Rows { batch: batch.batch, rows, outcome: RowsOutcome::Committed });
                self.tally.batches += 1;
                let milliseconds = (seconds * 1_000.0).round().max(0.0);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
                let milliseconds = milliseconds as u64;
                self.tally.lock_milliseconds_max = self.tally.lock_milliseconds_max.max(milliseconds);
                self.take(&batch.rows, Settled::Committed);
                self.watch_later(&batch.rows);
                Ok(Answer::Changed { rows, seconds })
            }
            Err(error) if matches!(error.kind, SqlKind::Unknown | SqlKind::Lost) => {
                self.failure = Some(error);
                self.database.drop_session();
                (self.open, self.open_transaction) = (Some(batch), transaction);
                Ok(Answer::Unknown { rows })
            }
            Err(error) => {
                self.outcomes.push(Record::Rows { batch: batch.batch, rows, outcome: RowsOutcome::Undone });
                self.failed(error)
            }
        }
    }

    /// Until they are taken.
    fn pass_over(&mut self, ids: &[RowId]) {
        let hashes: Vec<u64> = ids.iter().map(|id| self.hash(id)).collect();
        self.passed_over.extend(hashes);
    }

    /// The last rows of a step are watched.
    pub(super) fn watch_later(&mut self, rows: &[SavedRow]) {
        if self.bound.settings.ramp.is_ramped() {
            Watched::add(&mut self.watched, rows);
        }
    }

    /// A statement that failed, and with it its transaction.
    pub(super) fn failed(&mut self, error: SqlError) -> Result<Answer, Halt> {
        let too_many = match error.kind {
            SqlKind::LockTimeout | SqlKind::Conflict => false,
            SqlKind::StatementTimeout => true,
            SqlKind::Lost | SqlKind::TooLarge | SqlKind::Unknown => {
                self.database.drop_session();
                error.kind == SqlKind::TooLarge
            }
            SqlKind::NoTable
            | SqlKind::NoColumn
            | SqlKind::Denied
            | SqlKind::Type
            | SqlKind::ReadOnly
            | SqlKind::Constraint
            | SqlKind::Other => return Err(Halt::Sql(error)),
        };
        self.failure = Some(error);
        Ok(Answer::Undone { too_many })
    }

    pub(super) fn shut(&mut self, shut: Shut) -> Result<Answer, Halt> {
        match shut {
            Shut::Failed(error) => self.failed(error),
            Shut::Halt(halt) => Err(halt),
        }
    }
}

/// A batch to be.
struct Batch<'a> {
    selection: &'a Selection,
    rows_max: usize,
    number: u64,
}

enum Tried {
    /// Nothing stays.
    Failed(SqlError),
    /// The journal can't be written: rolled back.
    Unwritten(JournalError),
    /// No row is selected still and free.
    Nothing,
    Ended {
        committed: Result<(), SqlError>,
        saved: SavedBatch,
        transaction: Option<i64>,
        seconds: f64,
    },
}

impl Batch<'_> {
    async fn run(&self, session: &mut Session, sql: &Sql, journal: &Journal, outcomes: &mut Vec<Record>) -> Tried {
        let id = transaction_id(session.server());
        let mut transaction = match session.begin(WRITE).await {
            Ok(transaction) => transaction,
            Err(error) => return Tried::Failed(error),
        };
        let began = Instant::now();
        let changed = match change(&mut transaction, sql, self.selection, self.rows_max, id).await {
            Ok(changed) => changed,
            Err(error) => {
                transaction.rollback().await;
                return Tried::Failed(error);
            }
        };
        if changed.rows.is_empty() {
            transaction.rollback().await;
            return Tried::Nothing;
        }
        let rows: Vec<SavedRow> = changed.rows.into_iter().map(|row| saved(self.number, row)).collect();
        let mut lines = Vec::new();
        let hash = SavedRow::append(&rows, &mut lines);
        let mut records = std::mem::take(outcomes);
        let (count, transaction_id) = (rows.len() as u64, changed.transaction);
        let saved = hash.clone();
        records.push(Record::RowsIntent { batch: self.number, rows: count, saved, transaction: transaction_id });
        if let Err(error) = journal.write(records, lines).await {
            transaction.rollback().await;
            return Tried::Unwritten(error);
        }
        let committed = transaction.commit().await;
        let seconds = began.elapsed().as_secs_f64();
        let saved = SavedBatch { batch: self.number, rows, hash };
        Tried::Ended { committed, saved, transaction: transaction_id, seconds }
    }
}

async fn change(
    transaction: &mut Transaction<'_>,
    sql: &Sql,
    selection: &Selection,
    rows_max: usize,
    id: Option<Statement>,
) -> Result<Changed, SqlError> {
    let id = match id {
        Some(id) => match transaction.run(&id).await?.rows.first().and_then(|row| row.first()) {
            Some(Value::Integer(id)) => Some(*id),
            _ => None,
        },
        None => None,
    };
    let refused = |words: &str| SqlError::new(SqlKind::Other, words);
    let rows_max = u32::try_from(rows_max).unwrap_or(u32::MAX);
    let rows = match sql.change(selection, None, rows_max) {
        None => return Err(refused("the mapping does not say how such rows are changed")),
        Some(Changing::Once(statement)) => sql.changed_rows(&transaction.run(&statement).await?),
        Some(Changing::PickFirst(statement)) => {
            let picked = sql.changed_rows(&transaction.run(&statement).await?);
            step_by_step(transaction, sql, selection, picked).await?
        }
    };
    let is_whole = |row: &ChangedRow| row.before.len() == row.after.len();
    if rows.len() > rows_max as usize || !rows.iter().all(is_whole) {
        return Err(refused("the server gave other rows than were asked for"));
    }
    Ok(Changed { rows, transaction: id })
}

/// Changes rows that are locked; each step all of them.
async fn step_by_step(
    transaction: &mut Transaction<'_>,
    sql: &Sql,
    selection: &Selection,
    mut picked: Vec<ChangedRow>,
) -> Result<Vec<ChangedRow>, SqlError> {
    if picked.is_empty() {
        return Ok(picked);
    }
    let elsewhere = || SqlError::new(SqlKind::Conflict, "rows changed between being locked and being changed");
    let ids: Vec<RowId> = picked.iter().map(|row| row.id.clone()).collect();
    for step in sql.steps(selection, &ids) {
        if transaction.run(&step.statement).await?.changed != step.rows {
            return Err(elsewhere());
        }
    }
    if let Some(after) = sql.after_move() {
        picked.iter_mut().for_each(|row| row.after.clone_from(&after));
        return Ok(picked);
    }
    let after = sql.changed_rows(&transaction.run(&sql.set_now(&ids)).await?);
    if after.len() != picked.len() {
        return Err(elsewhere());
    }
    for row in &mut picked {
        let after = after.iter().find(|after| after.id == row.id);
        row.after = after.map(|after| after.before.clone()).unwrap_or_default();
    }
    Ok(picked)
}

fn saved(batch: u64, row: ChangedRow) -> SavedRow {
    SavedRow { batch, id: row.id, position: row.position.0, before: row.before, after: row.after }
}
