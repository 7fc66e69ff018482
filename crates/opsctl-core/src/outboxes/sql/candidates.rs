//! Rows that a change chooses from before it locks any, and what proves how a transaction ended.

use super::{Sql, Writer, pages::Position, selection::Selection};
use crate::domain::{Dialect, Rows, Server, Statement, Value};

impl Sql {
    /// The next selected rows behind a position with their bodies, as [`Sql::listed`] reads them. Nothing is locked.
    pub fn candidates(&self, selection: &Selection, after: Option<&Position>, rows_max: u32) -> Statement {
        let mut writer = self.writer();
        writer.parts(None, true).push(" FROM ").from().push(" WHERE ").selection(selection);
        writer.next_ones(after, rows_max);
        writer.finish()
    }

    /// Only the ids of those rows and where they stand: [`Sql::keyed`] reads them.
    pub fn keys(&self, selection: &Selection, after: Option<&Position>, rows_max: u32) -> Statement {
        let mut writer = self.writer();
        writer.push("SELECT ");
        let columns = self.mapping.id.iter().map(String::as_str).chain(self.mapping.sorted_by());
        writer.list(columns, |writer, column| {
            writer.read(column);
        });
        writer.push(" FROM ").from().push(" WHERE ").selection(selection);
        writer.next_ones(after, rows_max);
        writer.finish()
    }

    /// Ids and positions that [`Sql::keys`] gives.
    pub fn keyed(&self, rows: &Rows) -> Vec<(Vec<Value>, Position)> {
        let ids = self.mapping.id.len();
        rows.rows.iter().map(|row| (row[..ids].to_vec(), Position(row[ids..].to_vec()))).collect()
    }
}

impl Writer<'_> {
    fn next_ones(&mut self, after: Option<&Position>, rows_max: u32) -> &mut Self {
        let sql = self.sql;
        if let Some(after) = after {
            self.push(" AND ").behind("t", &sql.mapping.sorted_by(), after);
        }
        self.push(" ORDER BY ").sorted_by().limit(u64::from(rows_max))
    }
}

/// Asks for the id of the transaction that it is a part of; none where the server does not tell later how a transaction ended.
/// PostgreSQL does since version 10, for about as long as its transaction ids go back.
pub fn transaction_id(server: &Server) -> Option<Statement> {
    is_told(server).then(|| "SELECT txid_current()".into())
}

/// Asks how the transaction of that id ended: [`TransactionStatus::of`] reads the answer.
pub fn transaction_status(server: &Server, id: i64) -> Option<Statement> {
    let text =
        "SELECT array_position(ARRAY['aborted', 'committed', 'in progress'], txid_status($1::bigint))".to_owned();
    is_told(server).then(|| Statement { text, values: vec![Value::Integer(id)] })
}

fn is_told(server: &Server) -> bool {
    match server.dialect {
        Dialect::Postgres => server.version >= [10, 0, 0],
        Dialect::Mysql | Dialect::Sqlite => false,
    }
}

/// How a transaction ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    Committed,
    Aborted,
    InProgress,
    /// Too long ago: the server has forgotten.
    Forgotten,
}

impl TransactionStatus {
    /// Of the row that [`transaction_status`] gives.
    pub fn of(rows: &Rows) -> Self {
        match rows.rows.first().and_then(|row| row.first()) {
            Some(Value::Integer(1)) => Self::Aborted,
            Some(Value::Integer(2)) => Self::Committed,
            Some(Value::Integer(3)) => Self::InProgress,
            Some(_) | None => Self::Forgotten,
        }
    }
}
