//! Statements that replay by moving rows between the tables beside an outbox: pick, add, take away, in one transaction.

use super::{Sql, Writer, pages::Position, rearm::Selection};
use crate::domain::{Dialect, Move, Rearm, RowState, Statement, Value};

impl Sql {
    fn moves(&self) -> Option<&Move> {
        match &self.mapping.rearm {
            Rearm::Move(moved) => Some(moved),
            Rearm::Set(_) | Rearm::Refused { .. } => None,
        }
    }

    /// Rows whose replay is a move, the next behind a position, as [`Sql::listed`] reads them. Their rows in the outbox are locked;
    /// those that others have locked are passed over. None where the mapping does not replay by moving.
    pub fn move_picked(&self, selection: &Selection, after: Option<&Position>, rows_max: u32) -> Option<Statement> {
        let moved = self.moves()?;
        let mut writer = self.writer();
        writer.parts(Some(RowState::Failed), false).push(" FROM ").from().push(" WHERE ").selection(selection);
        for column in &moved.only_null {
            writer.push(" AND ").column(column).push(" IS NULL");
        }
        if let Some(after) = after {
            writer.push(" AND ").behind("t", &self.mapping.sorted_by(), after);
        }
        writer.push(" ORDER BY ").sorted_by().limit(u64::from(rows_max));
        if self.dialect != Dialect::Sqlite {
            writer.push(" FOR UPDATE SKIP LOCKED");
        }
        Some(writer.finish())
    }

    /// Adds the rows that make the picked ones ready, and takes away those that held them. Both must change as many rows as were
    /// picked, or the transaction is rolled back.
    pub fn move_rows(&self, ids: &[Vec<Value>]) -> Option<[Statement; 2]> {
        let moved = self.moves()?;
        let mut add = self.writer();
        let columns = std::iter::once(&moved.column).chain(&moved.copied).chain(&moved.now);
        add.push("INSERT INTO ").table(&moved.to).push(" (").names(columns).push(") SELECT ").column(&moved.key);
        for column in &moved.copied {
            add.push(", ").column(column);
        }
        if moved.now.is_some() {
            add.push(", ").now(0);
        }
        add.push(" FROM ").from().push(" WHERE ").ids(ids).push(" AND ");
        add.condition(&self.rules.exactly(RowState::Failed));
        let mut take = self.writer();
        take.push("DELETE FROM ").table(&moved.from).push(" WHERE ").name(&moved.column).push(" IN (SELECT ");
        take.column(&moved.key).push(" FROM ").from().push(" WHERE ").ids(ids).push(")");
        Some([add.finish(), take.finish()])
    }
}

impl Writer<'_> {
    fn names<'b>(&mut self, columns: impl Iterator<Item = &'b String>) -> &mut Self {
        self.list(columns, |writer, column| {
            writer.name(column);
        })
    }
}
