//! How many rows are in a state, how old the oldest is, of which types. Each statement reads a bounded number of rows, provided that an
//! index serves its condition: ask [`Sql::explained`] first.

use super::{
    Among, Sql, Writer,
    estimates::{Explained, explained_parts},
    pages::place_of,
    quoted, quoted_table,
};
use crate::{
    domain::{Dialect, Field, RowCount, RowState, Rows, Statement, TableName, Times, Value},
    outboxes::condition::{Comparison, RowCondition, Side},
};

/// Rows are counted one by one up to here; beyond, there are "100,000+".
pub const COUNT_MAX: u64 = 100_000;
/// Types of which failed rows are counted.
const KINDS_MAX: u32 = 100;
/// Failed rows whose errors are read.
const ERRORS_MAX: u64 = 1_000;
/// Characters of a type, a group, an error that are read.
pub(super) const FIELD_CHARACTERS_MAX: u32 = 1_000;

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundedCount {
    Exactly(u64),
    /// More than this.
    MoreThan(u64),
}

impl BoundedCount {
    /// Of the row that [`Sql::count`] gives.
    pub fn of(rows: &Rows) -> Option<Self> {
        let Some(Value::Integer(number)) = rows.rows.first()?.first() else { return None };
        let number = u64::try_from(*number).ok()?;
        Some(if number > COUNT_MAX { Self::MoreThan(COUNT_MAX) } else { Self::Exactly(number) })
    }
}

/// How many rows a table has: one row, one number, [`COUNT_MAX`] and one at most.
pub fn count_all(dialect: Dialect, table: &TableName) -> Statement {
    let table = quoted_table(dialect, table);
    format!("SELECT count(*) FROM (SELECT 1 AS one FROM {table} LIMIT {}) AS s", COUNT_MAX + 1).as_str().into()
}

impl From<BoundedCount> for RowCount {
    fn from(count: BoundedCount) -> Self {
        match count {
            BoundedCount::Exactly(rows) => Self::Exactly(rows),
            BoundedCount::MoreThan(rows) => Self::MoreThan(rows),
        }
    }
}

/// What is counted by one pass over a bounded number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountedRows {
    /// Rows that are not over with, by their states: the first of them in the relay's order.
    Waiting,
    /// Rows of one state among those. To be explained only: it reads the same rows again.
    WaitingOf(RowState),
    /// Rows of a state that are over with.
    Ended(RowState),
    /// Rows of a state where nothing but the whole mapping tells what waits.
    Of(RowState),
    /// Rows published within so many seconds.
    Lately(u32),
}

/// One row of what [`Sql::counts`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The place of what was counted in what was asked.
    pub place: usize,
    pub state: RowState,
    pub rows: u64,
    /// Age of the oldest of them, where that was asked.
    pub oldest_seconds: Option<i64>,
}

impl Sql {
    /// How many rows are in that state: one row, one number, [`COUNT_MAX`] and one at most.
    pub fn count(&self, state: RowState) -> Statement {
        let mut writer = self.writer();
        writer.push("SELECT count(*) FROM (SELECT 1 AS one FROM ").from().push(" WHERE ");
        writer.condition(&self.rules.exactly(state)).limit(COUNT_MAX + 1).push(") AS s");
        writer.finish()
    }

    /// How many rows were published within so many seconds. None where no column says when.
    pub fn published_within(&self, seconds: u32) -> Option<Statement> {
        let lately = self.lately(seconds)?;
        let mut writer = self.writer();
        writer.push("SELECT count(*) FROM (SELECT 1 AS one FROM ").from().push(" WHERE ");
        writer.condition(&lately).limit(COUNT_MAX + 1).push(") AS s");
        Some(writer.finish())
    }

    fn lately(&self, seconds: u32) -> Option<RowCondition> {
        let column = self.mapping.published_at.clone()?;
        let later = RowCondition::Compare(column, Comparison::More, Side::Now(-i64::from(seconds)));
        Some(RowCondition::All(vec![self.rules.exactly(RowState::Published), later]))
    }

    /// What has to be counted to know how many rows are in each state.
    pub fn counted(&self) -> Vec<CountedRows> {
        if self.waiting().is_none() {
            return self.rules.states().into_iter().map(CountedRows::Of).collect();
        }
        let ended = RowState::ALL.into_iter().filter(|state| self.ended(*state) != RowCondition::Never);
        std::iter::once(CountedRows::Waiting).chain(ended.map(CountedRows::Ended)).collect()
    }

    /// The states that rows which wait can be in.
    pub fn waiting_states(&self) -> Vec<RowState> {
        let can_be = |state: &RowState| self.condition_of(CountedRows::WaitingOf(*state)) != RowCondition::Never;
        RowState::ALL.into_iter().filter(can_be).collect()
    }

    /// Rows of a state that are over with, as far as no clock is needed to say so.
    pub(super) fn ended(&self, state: RowState) -> RowCondition {
        let over = self.waiting().map_or(RowCondition::Always, |(waiting, _)| waiting.opposite());
        RowCondition::all([self.rules.exactly(state), over])
    }

    fn condition_of(&self, counted: CountedRows) -> RowCondition {
        let waiting = || self.waiting().map_or(RowCondition::Never, |(waiting, _)| waiting);
        match counted {
            CountedRows::Waiting => waiting(),
            CountedRows::WaitingOf(state) => RowCondition::all([self.rules.exactly(state), waiting()]),
            CountedRows::Ended(state) => self.ended(state),
            CountedRows::Of(state) => self.rules.exactly(state),
            CountedRows::Lately(seconds) => self.lately(seconds).unwrap_or(RowCondition::Never),
        }
    }

    /// Counts all of these by one statement, each over [`COUNT_MAX`] rows and one at most. [`Sql::counts_of`] reads what it gives.
    pub fn counts(&self, all: &[CountedRows]) -> Statement {
        let mut writer = self.writer();
        for (place, counted) in all.iter().enumerate() {
            writer.push(if place > 0 { " UNION ALL " } else { "" }).counted(place, *counted);
        }
        writer.finish()
    }

    /// What [`Sql::counts`] gives. A state of which there is no row may be missing.
    pub fn counts_of(&self, rows: &Rows) -> Vec<Count> {
        let number = |value: &Value| match value {
            Value::Integer(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            Value::Null | Value::Real(_) | Value::Bytes(_) => None,
        };
        let one = |row: &Vec<Value>| {
            let [place, state, rows, oldest] = row.as_slice() else { return None };
            Some(Count {
                place: usize::try_from(number(place)?).ok()?,
                state: *RowState::ALL.get(usize::try_from(number(state)?).ok()?)?,
                rows: u64::try_from(number(rows)?).ok()?,
                oldest_seconds: number(oldest),
            })
        };
        rows.rows.iter().filter_map(one).collect()
    }

    /// What the server would do for [`Sql::counts`]: one question, or one for each where its answer would not tell them apart.
    pub fn explain_counts(&self, all: &[CountedRows]) -> Vec<Statement> {
        match self.dialect {
            Dialect::Postgres => vec![self.explain(&self.counts(all))],
            Dialect::Mysql | Dialect::Sqlite => {
                all.iter().map(|counted| self.explain(&self.counts(&[*counted]))).collect()
            }
        }
    }

    /// Of the answers to [`Sql::explain_counts`], one for each that is counted.
    pub fn explained_counts(&self, answers: &[Rows], all: &[CountedRows]) -> Vec<Option<Explained>> {
        match self.dialect {
            Dialect::Postgres => {
                let found = answers.first().map(explained_parts).unwrap_or_default();
                let is_whole = found.len() == all.len();
                (0..all.len()).map(|place| found.get(place).copied().filter(|_| is_whole)).collect()
            }
            Dialect::Mysql | Dialect::Sqlite => answers.iter().map(|rows| self.explained(rows)).collect(),
        }
    }

    /// The first row of a state in the relay's order, as [`Sql::page`] has it: with the age that is the lag.
    pub fn oldest(&self, state: RowState) -> Statement {
        self.page(state, None, 1)
    }

    /// Rows in a state by type: type, number; the most first, of the first [`COUNT_MAX`] rows. None where there are no types.
    pub fn kinds(&self, state: RowState, among: Among) -> Option<Statement> {
        let kind = self.mapping.kind.as_ref()?;
        let mut writer = self.writer();
        writer.push("SELECT s.kind, count(*) FROM (").rows_in(
            &[state],
            among,
            COUNT_MAX + 1,
            &|writer: &mut Writer<'_>| {
                writer.bounded(kind).push(" AS kind");
            },
        );
        writer.push(") AS s GROUP BY s.kind ORDER BY count(*) DESC, s.kind").limit(u64::from(KINDS_MAX));
        Some(writer.finish())
    }
}

impl Sql {
    /// Error texts of some of the rows in a state: one column. None where no column has them.
    pub fn errors(&self, state: RowState, among: Among) -> Option<Statement> {
        let error = self.mapping.error.as_ref()?;
        let mut writer = self.writer();
        writer.push("SELECT s.error FROM (").rows_in(&[state], among, ERRORS_MAX, &|writer: &mut Writer<'_>| {
            writer.bounded(error).push(" AS error");
        });
        writer.push(") AS s").limit(ERRORS_MAX);
        Some(writer.finish())
    }
}

impl Writer<'_> {
    fn counted(&mut self, place: usize, counted: CountedRows) -> &mut Self {
        let sql = self.sql;
        let of = match counted {
            CountedRows::Waiting => "s.state".to_owned(),
            CountedRows::WaitingOf(state) | CountedRows::Ended(state) | CountedRows::Of(state) => {
                place_of(state).to_string()
            }
            CountedRows::Lately(_) => place_of(RowState::Published).to_string(),
        };
        // Whose age is asked: of rows that wait.
        let created = match counted {
            CountedRows::Waiting | CountedRows::Of(_) => sql.mapping.created.as_deref(),
            CountedRows::WaitingOf(_) | CountedRows::Ended(_) | CountedRows::Lately(_) => None,
        };
        let whole = if sql.dialect == Dialect::Postgres { "::bigint" } else { "" };
        self.push(&format!("SELECT {place}, {of}, count(*), "));
        match created {
            Some(_) => self.push("(").age_of("min(s.created)").push(")").push(whole),
            None => self.push("NULL").push(whole),
        };
        self.push(" FROM (SELECT ");
        let condition = sql.condition_of(counted);
        match counted {
            CountedRows::Waiting => self.state_within(&sql.rules, &condition).push(" AS state"),
            CountedRows::WaitingOf(_) | CountedRows::Ended(_) | CountedRows::Of(_) | CountedRows::Lately(_) => {
                self.push("1 AS one")
            }
        };
        if let Some(created) = created {
            self.push(", ").column(created).push(" AS created");
        }
        self.push(" FROM ").from().push(" WHERE ").condition(&condition);
        if counted == CountedRows::Waiting {
            // By the order the server finds the index that has these rows alone, however many there are.
            self.push(" ORDER BY ").sorted_by();
        }
        self.limit(COUNT_MAX + 1).push(") AS s");
        if counted == CountedRows::Waiting { self.push(" GROUP BY s.state") } else { self }
    }
}

impl Writer<'_> {
    pub(super) fn limit(&mut self, rows: u64) -> &mut Self {
        self.push(&format!(" LIMIT {rows}"))
    }

    /// The beginning of a field, as text.
    pub(super) fn bounded(&mut self, field: &Field) -> &mut Self {
        match self.sql.dialect {
            Dialect::Postgres => self.push("left((").field(field).push(&format!(")::text, {FIELD_CHARACTERS_MAX})")),
            Dialect::Mysql => self.push("LEFT(").field(field).push(&format!(", {FIELD_CHARACTERS_MAX})")),
            Dialect::Sqlite => self.push("substr(").field(field).push(&format!(", 1, {FIELD_CHARACTERS_MAX})")),
        }
    }

    /// Seconds since the time in a column.
    pub(super) fn age(&mut self, column: &str) -> &mut Self {
        let column = format!("t.{}", quoted(self.sql.dialect, column));
        self.age_of(&column)
    }

    /// Seconds since the time that an expression gives, as the table's columns write times.
    fn age_of(&mut self, time: &str) -> &mut Self {
        let times = self.sql.mapping.times;
        match (self.sql.dialect, times) {
            (_, Times::EpochS) => self.push("(").now(0).push(" - ").push(time).push(")"),
            (Dialect::Postgres | Dialect::Sqlite, Times::EpochMs) => {
                self.push("((").now(0).push(" - ").push(time).push(") / 1000)")
            }
            (Dialect::Mysql, Times::EpochMs) => self.push("((").now(0).push(" - ").push(time).push(") DIV 1000)"),
            (Dialect::Postgres, Times::Text) => {
                self.push("floor(extract(epoch FROM now() - ").push(time).push("::timestamptz))::bigint")
            }
            (Dialect::Postgres, Times::Tz | Times::Utc | Times::Local) => {
                self.push("floor(extract(epoch FROM ").now(0).push(" - ").push(time).push("))::bigint")
            }
            (Dialect::Mysql, Times::Text) => {
                self.push("TIMESTAMPDIFF(SECOND, CAST(REPLACE(LEFT(").push(time);
                self.push(", 23), 'T', ' ') AS DATETIME(3)), UTC_TIMESTAMP(6))")
            }
            (Dialect::Mysql, Times::Tz | Times::Utc | Times::Local) => {
                self.push("TIMESTAMPDIFF(SECOND, ").push(time).push(", ").now(0).push(")")
            }
            (Dialect::Sqlite, Times::Tz | Times::Utc | Times::Local | Times::Text) => {
                self.push("CAST(strftime('%s', 'now') - strftime('%s', ").push(time).push(") AS INTEGER)")
            }
        }
    }
}
