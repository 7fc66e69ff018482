//! How many rows are in a state, how old the oldest is, of which types. Each statement reads a bounded number of rows, provided that an
//! index serves its condition: ask [`Sql::explained`] first.

use super::{Sql, Writer};
use crate::domain::{Dialect, Field, RowState, Rows, Statement, Times, Value};

/// Rows are counted one by one up to here; beyond, there are "100,000+".
pub const COUNT_MAX: u64 = 100_000;
/// Types of which failed rows are counted.
const KINDS_MAX: u32 = 100;
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
        let column = self.mapping.published_at.as_ref()?;
        let mut writer = self.writer();
        writer.push("SELECT count(*) FROM (SELECT 1 AS one FROM ").from().push(" WHERE ");
        writer.condition(&self.rules.exactly(RowState::Published)).push(" AND ").column(column).push(" > ");
        writer.now(-i64::from(seconds)).limit(COUNT_MAX + 1).push(") AS s");
        Some(writer.finish())
    }

    /// The first row of a state in the relay's order, as [`Sql::page`] has it: with the age that is the lag.
    pub fn oldest(&self, state: RowState) -> Statement {
        self.page(state, None, 1)
    }

    /// Rows in a state by type: type, number; the most first, of the first [`COUNT_MAX`] rows. None where there are no types.
    pub fn kinds(&self, state: RowState) -> Option<Statement> {
        let kind = self.mapping.kind.as_ref()?;
        let mut writer = self.writer();
        writer.push("SELECT s.kind, count(*) FROM (SELECT ").bounded(kind).push(" AS kind FROM ").from();
        writer.push(" WHERE ").condition(&self.rules.exactly(state)).limit(COUNT_MAX + 1);
        writer.push(") AS s GROUP BY s.kind ORDER BY count(*) DESC, s.kind").limit(u64::from(KINDS_MAX));
        Some(writer.finish())
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
        let times = self.sql.mapping.times;
        match (self.sql.dialect, times) {
            (_, Times::EpochS) => self.push("(").now(0).push(" - ").column(column).push(")"),
            (Dialect::Postgres | Dialect::Sqlite, Times::EpochMs) => {
                self.push("((").now(0).push(" - ").column(column).push(") / 1000)")
            }
            (Dialect::Mysql, Times::EpochMs) => self.push("((").now(0).push(" - ").column(column).push(") DIV 1000)"),
            (Dialect::Postgres, Times::Text) => {
                self.push("floor(extract(epoch FROM now() - ").column(column).push("::timestamptz))::bigint")
            }
            (Dialect::Postgres, Times::Tz | Times::Utc | Times::Local) => {
                self.push("floor(extract(epoch FROM ").now(0).push(" - ").column(column).push("))::bigint")
            }
            (Dialect::Mysql, Times::Text) => {
                self.push("TIMESTAMPDIFF(SECOND, CAST(REPLACE(LEFT(").column(column);
                self.push(", 23), 'T', ' ') AS DATETIME(3)), UTC_TIMESTAMP(6))")
            }
            (Dialect::Mysql, Times::Tz | Times::Utc | Times::Local) => {
                self.push("TIMESTAMPDIFF(SECOND, ").column(column).push(", ").now(0).push(")")
            }
            (Dialect::Sqlite, Times::Tz | Times::Utc | Times::Local | Times::Text) => {
                self.push("CAST(strftime('%s', 'now') - strftime('%s', ").column(column).push(") AS INTEGER)")
            }
        }
    }
}
