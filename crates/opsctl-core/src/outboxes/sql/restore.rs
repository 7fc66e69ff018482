//! The statement that puts a row's columns back, where they still are as re-arming left them.

use super::{Sql, rearm::Rearmed};
use crate::{
    domain::{Dialect, Statement, Value},
    outboxes::catalog::ColumnSort,
};

impl Sql {
    /// Puts back what was there before, of one row, if every column that re-arming set is as it left it. Columns that it did not set, such
    /// as a time of the last change that a trigger keeps, are not looked at. It changes one row, or none: somebody else was there.
    pub fn restore(&self, row: &Rearmed) -> Statement {
        let columns: Vec<String> = self.rearm_columns().into_iter().map(str::to_owned).collect();
        let mut writer = self.writer();
        writer.push("UPDATE ").from().push(" SET ");
        let prefix = if self.dialect == Dialect::Mysql { "t." } else { "" };
        writer.list(columns.iter().zip(&row.before), |writer, (column, value)| {
            writer.push(prefix).name(column).push(" = ").bind_as(column, value);
        });
        writer.push(" WHERE ").ids(std::slice::from_ref(&row.id));
        for (column, value) in columns.iter().zip(&row.after) {
            writer.push(" AND ");
            writer.unchanged(column, value);
        }
        writer.finish()
    }
}

impl super::Writer<'_> {
    fn unchanged(&mut self, column: &str, value: &Value) {
        if *value == Value::Null {
            self.column(column).push(" IS NULL");
            return;
        }
        let json = self.sql.catalog.column(column).is_some_and(|column| column.sort == ColumnSort::Json);
        if self.sql.dialect == Dialect::Postgres && json {
            // `json` has no equality.
            self.column(column).push("::text = ").bind(value.clone()).push("::text");
            return;
        }
        self.column(column).push(" = ").bind_as(column, value);
    }
}
