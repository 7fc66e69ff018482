//! What a look tells for a plan: how many rows, of which groups, and what would be lost.

use super::{
    Asked,
    freed::{self, Freed},
    plan::unreachable,
    side::{self, Side},
    unmet::{self, Unmet},
};
use crate::{
    cloud::{Cloud, endpoint::Session},
    domain::{Bounds, Dialect, Outbox, RowCount, RowState, SqlError, Statement, Value},
    messages::{FilterRow, RowFilter},
    operations::OperationError,
    outboxes::{
        Deed, Sql,
        sql::{self, BoundedCount, Holder, ListedRow, Selection},
    },
};

/// Rows that are looked at where rows are chosen by what stands in them, and of whose groups the order is looked at.
const SAMPLE: u32 = 100;
/// AWS drops a deduplication id that it has seen within so many seconds.
const FIFO_SECONDS: u32 = 300;
/// Ids of a sample that are looked at in one statement.
const GROUPS_MAX: usize = 100;

/// What a look found.
pub(super) struct Looked {
    pub(super) selection: Selection,
    /// Rows in the states and of the types, groups, ids and times.
    pub(super) count: Count,
    pub(super) groups: Option<u64>,
    /// Rows of a sample, and those of them that the filter chooses.
    pub(super) sample: Option<(u64, u64)>,
    /// Published rows of sampled groups, and their groups, that are younger than the oldest selected row; none: not looked for.
    pub(super) younger: Option<(u64, u64)>,
    pub(super) published_lately: Option<u64>,
    /// Who has claimed the rows.
    pub(super) holders: Vec<Holder>,
    /// The table beside the outbox, where rows are moved there.
    pub(super) side: Option<Side>,
    /// What waits behind rows that are parked.
    pub(super) freed: Option<Freed>,
    /// Ids that meet no row that is meant.
    pub(super) unmet: Option<Unmet>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Count(pub(super) RowCount);

impl Count {
    pub(super) fn exactly(self) -> Option<u64> {
        match self.0 {
            RowCount::Exactly(rows) => Some(rows),
            RowCount::MoreThan(_) | RowCount::About(_) | RowCount::Unknown => None,
        }
    }
}

pub(super) async fn looked(
    asked: &Asked<'_>,
    cloud: &Cloud,
    outbox: &Outbox,
    (states, filter): (&[RowState], Option<&RowFilter>),
    session: &mut Session,
    sql: &Sql,
) -> Result<Looked, OperationError> {
    let selection = asked.choice.selection(states, sql, cloud.clock().now())?;
    let failed = |error: SqlError| unreachable(cloud, outbox, &error.to_string());
    look(session, sql, selection, filter, outbox.fifo).await.map_err(failed)
}

async fn look(
    session: &mut Session,
    sql: &Sql,
    selection: Selection,
    filter: Option<&RowFilter>,
    is_fifo: bool,
) -> Result<Looked, SqlError> {
    let is_small = is_small(session, sql).await?;
    let (count, groups) = counted_rows(session, sql, &selection, is_small).await?;
    let candidates = sql.candidates(&selection, None, SAMPLE);
    let rows = session.read(&[candidates], Bounds::LOOK).await?;
    let mut sampled = sql.listed(&rows[0]);
    let mut sample = None;
    if let Some(filter) = filter {
        let chosen = filter.matches_all(sampled.iter().map(filter_row).collect());
        let seen = sampled.len() as u64;
        let mut chosen = chosen.iter().map(|chosen| *chosen == Ok(true));
        sampled.retain(|_| chosen.next().unwrap_or_default());
        sample = Some((seen, sampled.len() as u64));
    }
    let unmet = unmet::look(session, sql, &selection).await?;
    let mut looked = Looked {
        selection,
        count: Count(count),
        groups,
        sample,
        younger: None,
        published_lately: None,
        holders: Vec::new(),
        side: None,
        freed: None,
        unmet,
    };
    match sql.change.deed {
        Deed::Replay => {
            looked.younger = younger(session, sql, &sampled, is_small).await?;
            if is_fifo && looked.selection.states.contains(&RowState::Published) {
                looked.published_lately = published_lately(session, sql, is_small).await?;
            }
        }
        Deed::Park | Deed::Aside => {
            looked.side = side::look(session, sql).await?;
            looked.freed = freed::look(session, sql, &sampled, is_small).await?;
        }
        Deed::Release | Deed::ReleaseGone => {
            if let Some(statement) = sql.holders(&looked.selection)
                && may_be_asked(session, sql, &statement, is_small).await?
            {
                looked.holders = Sql::holders_of(&session.read(&[statement], Bounds::LOOK).await?[0]);
            }
        }
    }
    Ok(looked)
}

async fn published_lately(session: &mut Session, sql: &Sql, is_small: bool) -> Result<Option<u64>, SqlError> {
    match sql.published_within(FIFO_SECONDS) {
        Some(statement) if may_be_asked(session, sql, &statement, is_small).await? => {
            let rows = session.read(&[statement], Bounds::LOOK).await?;
            Ok(numbers(&rows[0].rows).first().copied())
        }
        Some(_) | None => Ok(None),
    }
}

/// A row as a filter sees it.
pub fn filter_row(row: &ListedRow) -> FilterRow {
    let id: Vec<String> = row.id.iter().map(plain).collect();
    FilterRow {
        id: id.join(","),
        kind: row.kind.clone(),
        group: row.group.clone(),
        payload: row.body.as_ref().map(plain),
        error: row.error.clone(),
        attempts: row.attempts,
        age_seconds: row.age_seconds,
        state: row.state.words().to_owned(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

async fn is_small(session: &mut Session, sql: &Sql) -> Result<bool, SqlError> {
    let rows = session.read(&[sql::extent(sql.dialect, &sql.mapping.table)], Bounds::LOOK).await?;
    Ok(sql.dialect == Dialect::Sqlite || sql::extent_of(&rows[0]).is_none_or(|extent| extent.is_small()))
}

/// Of a large table only what an index serves is asked.
pub(super) async fn may_be_asked(
    session: &mut Session,
    sql: &Sql,
    asked: &Statement,
    is_small: bool,
) -> Result<bool, SqlError> {
    if is_small {
        return Ok(true);
    }
    let rows = session.read(&[sql.explain(asked)], Bounds::LOOK).await?;
    Ok(sql.explained(&rows[0]).is_some_and(|explained| !explained.too_much))
}

async fn counted_rows(
    session: &mut Session,
    sql: &Sql,
    selection: &Selection,
    is_small: bool,
) -> Result<(RowCount, Option<u64>), SqlError> {
    let statement = sql.selected(selection);
    if !may_be_asked(session, sql, &statement, is_small).await? {
        let rows = session.read(&[sql.explain(&statement)], Bounds::LOOK).await?;
        let about = sql.explained(&rows[0]).and_then(|explained| explained.rows);
        return Ok((about.map_or(RowCount::Unknown, RowCount::About), None));
    }
    let rows = session.read(&[statement], Bounds::LOOK).await?;
    let count = BoundedCount::of(&rows[0]).map_or(RowCount::Unknown, RowCount::from);
    Ok((count, numbers(&rows[0].rows).get(1).copied()))
}

fn numbers(rows: &[Vec<Value>]) -> Vec<u64> {
    let number = |value: &Value| match value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        Value::Null | Value::Real(_) | Value::Text(_) | Value::Bytes(_) => None,
    };
    rows.first().map(|row| row.iter().filter_map(number).collect()).unwrap_or_default()
}

/// Rows of the sampled groups that were published, though they are younger than the oldest row that would be sent again.
async fn younger(
    session: &mut Session,
    sql: &Sql,
    sampled: &[ListedRow],
    is_small: bool,
) -> Result<Option<(u64, u64)>, SqlError> {
    let mut groups: Vec<String> = sampled.iter().filter_map(|row| row.group.clone()).collect();
    groups.sort();
    groups.dedup();
    groups.truncate(GROUPS_MAX);
    let Some(oldest) = sampled.first().and_then(|row| row.created.clone()) else { return Ok(None) };
    if groups.is_empty() || !sql.mapping.rearmable().contains(&RowState::Published) {
        return Ok(None);
    }
    let from = Some(Value::Text(oldest));
    let selection = Selection { groups, from, ..Selection::of(&[RowState::Published]) };
    let statement = sql.selected(&selection);
    if !may_be_asked(session, sql, &statement, is_small).await? {
        return Ok(None);
    }
    let rows = session.read(&[statement], Bounds::LOOK).await?;
    let numbers = numbers(&rows[0].rows);
    Ok(numbers.first().copied().zip(numbers.get(1).copied()))
}
