//! Statements that re-arm rows: batch by batch, oldest first, with the expected state in WHERE, passing over rows that others have locked.

use super::{Sql, Writer, pages::Position};
use crate::{
    domain::{Becomes, Change, Dialect, Rearm, RowState, Rows, Statement, Value},
    outboxes::condition::Condition,
};

/// Which rows are re-armed. All of it must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// Only those count from which rows may be re-armed ([`crate::domain::RowMapping::rearmable`]).
    pub states: Vec<RowState>,
    /// Rows by their ids; none: whichever they are. Not more than a few thousand.
    pub ids: Option<Vec<Vec<Value>>>,
    /// Of these types, and of these groups; empty: of all.
    pub kinds: Vec<String>,
    pub groups: Vec<String>,
    /// Created at or after, and before: as the column's times are written.
    pub from: Option<Value>,
    pub until: Option<Value>,
}

/// How a batch is re-armed, inside one transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Rearming {
    /// One statement gives the rows that it changed.
    Once(Statement),
    /// This one gives the rows that it locks. [`Sql::rearm_picked`] changes them, [`Sql::rearmed_after`] reads them again.
    PickFirst(Statement),
}

/// A row that was re-armed, or locked for that.
#[derive(Debug, Clone, PartialEq)]
pub struct Rearmed {
    pub id: Vec<Value>,
    pub position: Position,
    /// Values of the columns that re-arming sets, in the order of [`Sql::rearm_columns`].
    pub before: Vec<Value>,
    /// The same, as they are now; empty where the row was only locked.
    pub after: Vec<Value>,
}

impl Selection {
    /// All rows in these states.
    pub fn of(states: &[RowState]) -> Self {
        let states = states.to_vec();
        Self { states, ids: None, kinds: Vec::new(), groups: Vec::new(), from: None, until: None }
    }
}

impl Sql {
    /// The columns that re-arming sets; empty where it sets none.
    pub fn rearm_columns(&self) -> Vec<&str> {
        self.changes().iter().map(|change| change.column.as_str()).collect()
    }

    fn changes(&self) -> &[Change] {
        match &self.mapping.rearm {
            Rearm::Set(changes) => changes,
            Rearm::Move(_) | Rearm::Refused { .. } => &[],
        }
    }

    /// The next batch behind a position. None where the mapping does not re-arm by setting columns.
    pub fn rearm(&self, selection: &Selection, after: Option<&Position>, rows_max: u32) -> Option<Rearming> {
        if self.changes().is_empty() {
            return None;
        }
        let mut writer = self.writer();
        match self.dialect {
            Dialect::Postgres => {
                writer
                    .push("WITH picked AS (")
                    .pick(selection, after, rows_max, true)
                    .push(" FOR UPDATE SKIP LOCKED), ");
                writer.push("changed AS (UPDATE ").from().push(" SET ").changed("");
                writer.push(" FROM picked AS p WHERE ").same_row().push(" AND ").condition(&self.condition(selection));
                writer
                    .push(" RETURNING ")
                    .returned()
                    .push(") SELECT ")
                    .returned_names()
                    .push(" FROM changed AS c ORDER BY ");
                writer.list(0..self.mapping.sorted_by().len(), |writer, place| {
                    writer.push(&format!("c.s{place}"));
                });
                Some(Rearming::Once(writer.finish()))
            }
            Dialect::Mysql => {
                writer.pick(selection, after, rows_max, false).push(" FOR UPDATE SKIP LOCKED");
                Some(Rearming::PickFirst(writer.finish()))
            }
            Dialect::Sqlite => {
                writer.pick(selection, after, rows_max, false);
                Some(Rearming::PickFirst(writer.finish()))
            }
        }
    }

    /// Changes the rows that were picked and are still in the expected states.
    pub fn rearm_picked(&self, selection: &Selection, ids: &[Vec<Value>]) -> Statement {
        let mut writer = self.writer();
        let prefix = if self.dialect == Dialect::Mysql { "t." } else { "" };
        writer.push("UPDATE ").from().push(" SET ").changed(prefix).push(" WHERE ").ids(ids);
        writer.push(" AND ").condition(&self.condition(selection));
        writer.finish()
    }

    /// Reads the columns that re-arming sets, of these rows: what it left behind, or whether it did anything at all.
    pub fn rearmed_after(&self, ids: &[Vec<Value>]) -> Statement {
        let mut writer = self.writer();
        writer.push("SELECT ").rearm_columns("t", false).push(" FROM ").from().push(" WHERE ").ids(ids);
        writer.push(" ORDER BY ").sorted_by();
        writer.finish()
    }

    /// What [`Sql::rearm`] and [`Sql::rearmed_after`] give; of the latter `before` is what is there now.
    pub fn rearmed(&self, rows: &Rows) -> Vec<Rearmed> {
        let (ids, sorted) = (self.mapping.id.len(), self.mapping.sorted_by().len());
        let set = self.rearm_columns().len();
        let one = |row: &Vec<Value>| {
            let known = ids + sorted + set;
            (row.len() == known || row.len() == known + set).then(|| Rearmed {
                id: row[..ids].to_vec(),
                position: Position(row[ids..ids + sorted].to_vec()),
                before: row[ids + sorted..known].to_vec(),
                after: row[known..].to_vec(),
            })
        };
        rows.rows.iter().filter_map(one).collect()
    }

    /// How many rows a selection has, counted up to [`super::COUNT_MAX`] and one, and how many groups they are of.
    pub fn selected(&self, selection: &Selection) -> Statement {
        let mut writer = self.writer();
        writer.push("SELECT count(*)");
        if self.mapping.group.is_some() {
            writer.push(", count(DISTINCT s.grp)");
        }
        writer.push(" FROM (SELECT 1 AS one");
        if let Some(group) = &self.mapping.group {
            writer.push(", ").bounded(group).push(" AS grp");
        }
        writer.push(" FROM ").from().push(" WHERE ").selection(selection).limit(super::COUNT_MAX + 1).push(") AS s");
        writer.finish()
    }

    fn condition(&self, selection: &Selection) -> Condition {
        let rearmable = self.mapping.rearmable();
        let states = selection.states.iter().filter(|state| rearmable.contains(state));
        Condition::any(states.map(|state| self.rules.exactly(*state)))
    }
}

impl Writer<'_> {
    pub(super) fn selection(&mut self, selection: &Selection) -> &mut Self {
        let mapping = &self.sql.mapping;
        let states = self.sql.condition(selection);
        self.condition(&states);
        if let Some(ids) = &selection.ids {
            self.push(" AND ").ids(ids);
        }
        for (field, values) in [(&mapping.kind, &selection.kinds), (&mapping.group, &selection.groups)] {
            if values.is_empty() {
                continue;
            }
            let Some(field) = field else {
                // Asked for something that these rows do not have.
                self.push(" AND 1 = 0");
                continue;
            };
            self.push(" AND ").bounded(field).push(" IN (");
            self.list(values.iter(), |writer, value| {
                let cast = writer.as_text();
                writer.bind(Value::Text(value.clone())).push(cast);
            });
            self.push(")");
        }
        for (value, sign) in [(&selection.from, " >= "), (&selection.until, " < ")] {
            let Some(value) = value else { continue };
            match &mapping.created {
                Some(created) => self.push(" AND ").column(created).push(sign).bind_as(created, value),
                None => self.push(" AND 1 = 0"),
            };
        }
        self
    }

    fn as_text(&self) -> &'static str {
        if self.sql.dialect == Dialect::Postgres { "::text" } else { "" }
    }

    /// The rows of a batch, as they are. `raw`: as columns `i0`, `s0`, `b0`, for the statement around it.
    fn pick(&mut self, selection: &Selection, after: Option<&Position>, rows_max: u32, raw: bool) -> &mut Self {
        self.push("SELECT ").rearm_columns("t", raw).push(" FROM ").from().push(" WHERE ").selection(selection);
        if let Some(after) = after {
            let sql = self.sql;
            self.push(" AND ").behind("t", &sql.mapping.sorted_by(), after);
        }
        self.push(" ORDER BY ").sorted_by().limit(u64::from(rows_max))
    }

    /// Ids, order, and what re-arming sets.
    fn rearm_columns(&mut self, alias: &str, raw: bool) -> &mut Self {
        let sql = self.sql;
        let sets = [("i", sql.mapping.id.iter().map(String::as_str).collect()), ("s", sql.mapping.sorted_by())];
        let sets = sets.into_iter().chain([("b", sql.rearm_columns())]);
        let columns = sets.flat_map(|(letter, columns)| {
            columns.into_iter().enumerate().map(move |(place, column)| (format!("{letter}{place}"), column))
        });
        self.list(columns, |writer, (name, column)| {
            match raw {
                true => writer.push(alias).push(".").name(column).push(&format!(" AS {name}")),
                false => writer.read_of(alias, column),
            };
        })
    }

    fn same_row(&mut self) -> &mut Self {
        let sql = self.sql;
        for (place, column) in sql.mapping.id.iter().enumerate() {
            self.push(if place > 0 { " AND " } else { "" }).column(column).push(&format!(" = p.i{place}"));
        }
        self
    }

    /// PostgreSQL: what the outer statement shows, as text, and what it sorts by, as it is.
    fn returned(&mut self) -> &mut Self {
        let sql = self.sql;
        let sorted = sql.mapping.sorted_by();
        let texts =
            sql.mapping.id.iter().enumerate().map(|(place, column)| (format!("i{place}"), column.as_str(), "r"));
        let texts = texts.chain(sorted.iter().enumerate().map(|(place, column)| (format!("s{place}"), *column, "q")));
        let set = sql.rearm_columns();
        let texts = texts.chain(set.iter().enumerate().map(|(place, column)| (format!("b{place}"), *column, "b")));
        self.list(texts, |writer, (place, column, letter)| {
            let name = format!("{letter}{}", &place[1..]);
            writer.cast(&format!("p.{place}"), column).push(&format!(" AS {name}"));
        });
        for (place, column) in set.iter().enumerate() {
            self.push(", ").read(column).push(&format!(" AS a{place}"));
        }
        for place in 0..sorted.len() {
            self.push(&format!(", p.s{place} AS s{place}"));
        }
        self
    }

    fn returned_names(&mut self) -> &mut Self {
        let sql = self.sql;
        let set = sql.rearm_columns().len();
        let counts = [("r", sql.mapping.id.len()), ("q", sql.mapping.sorted_by().len()), ("b", set), ("a", set)];
        let names =
            counts.into_iter().flat_map(|(letter, count)| (0..count).map(move |place| format!("c.{letter}{place}")));
        self.list(names, |writer, name| {
            writer.push(&name);
        })
    }

    fn changed(&mut self, prefix: &str) -> &mut Self {
        let sql = self.sql;
        self.list(sql.changes().iter(), |writer, change| {
            writer.push(prefix).name(&change.column).push(" = ").becomes(&change.column, &change.to);
        })
    }

    fn becomes(&mut self, column: &str, becomes: &Becomes) -> &mut Self {
        match becomes {
            Becomes::Null => self.push("NULL"),
            Becomes::Value(value) => self.literal(column, value),
            Becomes::Now => self.now(0),
            Becomes::In(seconds) => self.now(i64::from(*seconds)),
            Becomes::OneMore => self.push("COALESCE(").column(column).push(", 0) + 1"),
            Becomes::AtLeastOneMoreThan(other) => {
                let greatest = if self.sql.dialect == Dialect::Sqlite { "MAX" } else { "GREATEST" };
                self.push(greatest)
                    .push("(COALESCE(")
                    .column(column)
                    .push(", 0), COALESCE(")
                    .column(other)
                    .push(", 0) + 1)")
            }
        }
    }
}
