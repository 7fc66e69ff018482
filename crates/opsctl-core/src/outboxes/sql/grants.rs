//! What the login may do with each column.

use super::{Sql, quoted, quoted_table};
use crate::{
    domain::{Dialect, Rows, Statement, Value},
    outboxes::{Deed, RowChange, catalog::columns_of},
};

/// Of every column: its name, whether it may be read, whether it may be written.
const POSTGRES: &str = "SELECT a.attname::text, has_column_privilege(a.attrelid, a.attnum, 'SELECT')::int, \
    has_column_privilege(a.attrelid, a.attnum, 'UPDATE')::int FROM pg_attribute a \
    WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
/// `privileges` is what the login may do with the column by all grants together, of the server down to the column.
const MYSQL: &str = "SELECT column_name, FIND_IN_SET('select', privileges) > 0, FIND_IN_SET('update', privileges) > 0 \
    FROM information_schema.columns WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? \
    ORDER BY ordinal_position";

/// Columns that the login would need and may not use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacking {
    /// Columns of the mapping that may not be read.
    pub read: Vec<String>,
    /// Columns that a replay, a park or a release sets and may not be written.
    pub write: Vec<String>,
}

impl Sql {
    /// What the login may do with the table's columns. None: there are no grants (SQLite).
    pub fn grants(&self) -> Option<Statement> {
        let table = &self.mapping.table;
        let (text, values) = match self.dialect {
            Dialect::Postgres => (POSTGRES, vec![Value::Text(quoted_table(self.dialect, table))]),
            Dialect::Mysql => {
                let schema = table.schema.clone().map_or(Value::Null, Value::Text);
                (MYSQL, vec![schema, Value::Text(table.name.clone())])
            }
            Dialect::Sqlite => return None,
        };
        Some(Statement { text: text.to_owned(), values })
    }

    /// Of the rows that [`Sql::grants`] gives. A column that is not among them may not be used at all.
    pub fn lacking(&self, rows: &Rows) -> Lacking {
        let may = |column: &str, place: usize| {
            let is_it = |row: &&Vec<Value>| match row.first() {
                Some(Value::Text(name)) => name == column,
                Some(Value::Bytes(name)) => name == column.as_bytes(),
                Some(Value::Null | Value::Integer(_) | Value::Real(_)) | None => false,
            };
            let row = rows.rows.iter().find(is_it);
            row.is_some_and(|row| matches!(row.get(place), Some(Value::Integer(number)) if *number != 0))
        };
        let mut read: Vec<String> = columns_of(&self.mapping).into_iter().filter(|column| !may(column, 1)).collect();
        read.sort();
        read.dedup();
        let mut write: Vec<String> = Vec::new();
        for deed in [Deed::Replay, Deed::Park, Deed::Release] {
            let change = RowChange::of(deed, &self.mapping);
            let lacking = change.columns().into_iter().filter(|column| !may(column, 2)).map(str::to_owned);
            write.extend(lacking.filter(|column| !write.contains(column)).collect::<Vec<_>>());
        }
        Lacking { read, write }
    }

    /// The start of the statement that allows it, for people to complete with the login and run.
    pub fn grant_wanted(&self, privilege: &str, columns: &[String]) -> String {
        let columns: Vec<String> = columns.iter().map(|column| quoted(self.dialect, column)).collect();
        format!("GRANT {privilege} ({}) ON {}", columns.join(", "), quoted_table(self.dialect, &self.mapping.table))
    }
}
