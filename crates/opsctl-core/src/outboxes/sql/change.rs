//! Statements that change rows: batch by batch, oldest first, with the expected state in WHERE, passing over rows that others have locked.

use super::{Sql, Writer, pages::Position, selection::Selection};
use crate::{
    domain::{Becomes, Change, Dialect, Move, RowState, Rows, Statement, Value},
    outboxes::{Manner, condition::RowCondition},
};

/// How a batch is changed, inside one transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Changing {
    /// One statement gives the rows that it changed.
    Once(Statement),
    /// This one gives the rows that it locks; [`Sql::steps`] change them.
    PickFirst(Statement),
}

/// A row that was changed, or locked for that.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedRow {
    pub id: Vec<Value>,
    pub position: Position,
    /// Values of the columns that are set, in the order of [`Sql::set_columns`]. Where rows move: 0 where it was, 1 where it went to, and
    /// what is written down of a row that gives way.
    pub before: Vec<Value>,
    /// The same, as they are now; empty where the row was only locked.
    pub after: Vec<Value>,
}

/// A statement that changes picked rows, and how many it must change.
#[derive(Debug, Clone, PartialEq)]
pub struct RowsStep {
    pub statement: Statement,
    pub rows: u64,
}

impl Sql {
    /// The columns that are set; empty where rows move.
    pub fn set_columns(&self) -> Vec<&str> {
        self.change.columns()
    }

    /// How many values stand for a row's past.
    pub(super) fn width(&self) -> usize {
        match &self.change.how {
            Manner::Set { .. } => self.set_columns().len(),
            Manner::Move(moved) => 1 + moved.kept.len(),
            Manner::Aside { .. } => 1,
        }
    }

    /// The next batch behind a position. None where these rows are not changed at all.
    pub fn change(&self, selection: &Selection, after: Option<&Position>, rows_max: u32) -> Option<Changing> {
        if self.change.from.is_empty() {
            return None;
        }
        let mut writer = self.writer();
        let claim_first = match &self.change.how {
            Manner::Set { claim, set } => claim.is_empty().then_some(set),
            Manner::Move(_) | Manner::Aside { .. } => None,
        };
        if let (Dialect::Postgres, Some(set)) = (self.dialect, claim_first) {
            writer.push("WITH picked AS (").pick(selection, after, rows_max, true).push(" FOR UPDATE SKIP LOCKED), ");
            writer.push("changed AS (UPDATE ").from().push(" SET ").changed(set);
            writer.push(" FROM picked AS p WHERE ").same_row().push(" AND ").condition(&self.condition(selection));
            writer.push(" RETURNING ").returned().push(") SELECT ").returned_names();
            writer.push(" FROM changed AS c ORDER BY ");
            writer.list(0..self.mapping.sorted_by().len(), |writer, place| {
                writer.push(&format!("c.s{place}"));
            });
            return Some(Changing::Once(writer.finish()));
        }
        writer.pick(selection, after, rows_max, false);
        if self.dialect != Dialect::Sqlite {
            writer.push(" FOR UPDATE").push(self.of_outbox()).push(" SKIP LOCKED");
        }
        Some(Changing::PickFirst(writer.finish()))
    }

    /// PostgreSQL locks what is named; MariaDB knows no names there.
    pub(super) fn of_outbox(&self) -> &'static str {
        if self.dialect == Dialect::Postgres { " OF t" } else { "" }
    }

    /// Changes the rows that were picked and are still in the expected states. Each must change as many rows as it says, or all of
    /// it is rolled back.
    pub fn steps(&self, selection: &Selection, ids: &[Vec<Value>]) -> Vec<RowsStep> {
        let expected = self.condition(selection);
        let all = |statement| RowsStep { statement, rows: ids.len() as u64 };
        match &self.change.how {
            Manner::Set { claim, set } if claim.is_empty() => vec![all(self.update(set, ids, &expected))],
            Manner::Set { claim, set } => {
                let claimed = self.rules.exactly(RowState::InProgress);
                vec![all(self.update(claim, ids, &expected)), all(self.update(set, ids, &claimed))]
            }
            Manner::Move(moved) => self.moved_rows(moved, ids, &expected).into_iter().map(all).collect(),
            Manner::Aside { to, run, reason } => self.set_aside(to, (run, reason), ids, &expected),
        }
    }

    fn update(&self, set: &[Change], ids: &[Vec<Value>], expected: &RowCondition) -> Statement {
        let mut writer = self.writer();
        writer.push("UPDATE ").from().push(" SET ").changed(set).push(" WHERE ").ids(ids);
        writer.push(" AND ").condition(expected);
        writer.finish()
    }

    /// Adds the rows that make the picked ones ready, and takes away those that held them.
    fn moved_rows(&self, moved: &Move, ids: &[Vec<Value>], expected: &RowCondition) -> Vec<Statement> {
        let mut add = self.writer();
        let columns = std::iter::once(&moved.column).chain(&moved.copied).chain(&moved.now);
        add.push("INSERT INTO ").table(&moved.to).push(" (").names(columns).push(") SELECT ").column(&moved.key);
        for column in &moved.copied {
            add.push(", ").column(column);
        }
        if moved.now.is_some() {
            add.push(", ").now(0);
        }
        add.push(" FROM ").from().push(" WHERE ").ids(ids).push(" AND ").condition(expected);
        let mut take = self.writer();
        take.push("DELETE FROM ").table(&moved.from).push(" WHERE ").name(&moved.column).push(" IN (SELECT ");
        take.column(&moved.key).push(" FROM ").from().push(" WHERE ").ids(ids).push(")");
        vec![add.finish(), take.finish()]
    }

    /// Reads the columns that are set, of these rows: what was left behind, or whether anything was done at all.
    pub fn set_now(&self, ids: &[Vec<Value>]) -> Statement {
        let mut writer = self.writer();
        writer.push("SELECT ").past("t", false).push(" FROM ").from().push(" WHERE ").ids(ids);
        writer.push(" ORDER BY ").sorted_by();
        writer.finish()
    }

    /// What a row that has moved is like afterwards; none where columns are set: [`Sql::set_now`] reads them.
    pub fn after_move(&self) -> Option<Vec<Value>> {
        match &self.change.how {
            Manner::Set { .. } => None,
            Manner::Move(_) | Manner::Aside { .. } => {
                let mut after = vec![Value::Null; self.width()];
                after[0] = Value::Integer(1);
                Some(after)
            }
        }
    }

    /// What [`Sql::change`], [`Sql::set_now`] and [`Sql::whereabouts`] give; of the latter two `before` is what is there now.
    pub fn changed_rows(&self, rows: &Rows) -> Vec<ChangedRow> {
        let (ids, sorted) = (self.mapping.id.len(), self.mapping.sorted_by().len());
        let set = self.width();
        let one = |row: &Vec<Value>| {
            let known = ids + sorted + set;
            (row.len() == known || row.len() == known + set).then(|| ChangedRow {
                id: row[..ids].to_vec(),
                position: Position(row[ids..ids + sorted].to_vec()),
                before: row[ids + sorted..known].to_vec(),
                after: row[known..].to_vec(),
            })
        };
        rows.rows.iter().filter_map(one).collect()
    }
}

impl Writer<'_> {
    /// The rows of a batch, as they are. `raw`: as columns `i0`, `s0`, `b0`, for the statement around it.
    fn pick(&mut self, selection: &Selection, after: Option<&Position>, rows_max: u32, raw: bool) -> &mut Self {
        self.push("SELECT ").past("t", raw).push(" FROM ").from().push(" WHERE ").selection(selection);
        if let Some(after) = after {
            let sql = self.sql;
            self.push(" AND ").behind("t", &sql.mapping.sorted_by(), after);
        }
        self.push(" ORDER BY ").sorted_by().limit(u64::from(rows_max))
    }

    /// Ids, order, and what tells a row's past.
    fn past(&mut self, alias: &str, raw: bool) -> &mut Self {
        let sql = self.sql;
        let sets = [("i", sql.mapping.id.iter().map(String::as_str).collect()), ("s", sql.mapping.sorted_by())];
        let sets = sets.into_iter().chain([("b", sql.set_columns())]);
        let columns = sets.flat_map(|(letter, columns)| {
            columns.into_iter().enumerate().map(move |(place, column)| (format!("{letter}{place}"), column))
        });
        self.list(columns, |writer, (name, column)| {
            match raw {
                true => writer.push(alias).push(".").name(column).push(&format!(" AS {name}")),
                false => writer.read_of(alias, column),
            };
        });
        match &sql.change.how {
            Manner::Set { .. } => self,
            Manner::Aside { .. } => self.push(", 0"),
            Manner::Move(moved) => self.push(", 0").kept(moved),
        }
    }

    /// What is written down of the row that gives way, as text.
    pub(super) fn kept(&mut self, moved: &Move) -> &mut Self {
        for column in &moved.kept {
            self.push(", (SELECT ");
            let name = format!("k.{}", super::quoted(self.sql.dialect, column));
            self.push(&match self.sql.dialect {
                Dialect::Postgres => format!("{name}::text"),
                Dialect::Mysql => format!("CAST({name} AS CHAR)"),
                Dialect::Sqlite => name,
            });
            self.push(" FROM ").table(&moved.from).push(" AS k WHERE k.").name(&moved.column).push(" = ");
            self.column(&moved.key).push(")");
        }
        self
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
        let set = sql.set_columns();
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
        let set = sql.set_columns().len();
        let counts = [("r", sql.mapping.id.len()), ("q", sql.mapping.sorted_by().len()), ("b", set), ("a", set)];
        let names =
            counts.into_iter().flat_map(|(letter, count)| (0..count).map(move |place| format!("c.{letter}{place}")));
        self.list(names, |writer, name| {
            writer.push(&name);
        })
    }

    fn changed(&mut self, changes: &[Change]) -> &mut Self {
        let prefix = if self.sql.dialect == Dialect::Mysql { "t." } else { "" };
        self.list(changes.iter(), |writer, change| {
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
            Becomes::Like(other) => self.column(other),
            // Without a reason the text that is there stays.
            Becomes::Reason => self.column(column),
        }
    }
}
