//! The statements that put a row back, where it still is as a change left it.

use super::{Sql, change::ChangedRow};
use crate::{
    domain::{Dialect, Move, Statement, Value},
    outboxes::{Manner, catalog::ColumnSort},
};

impl Sql {
    /// Puts one row back to what it was, if it is still as the change left it. The first statement changes one row, or none: somebody else
    /// was there. Those behind it then change one each, or all of it is rolled back.
    pub fn restore(&self, row: &ChangedRow) -> Vec<Statement> {
        match &self.change.how {
            Manner::Set { .. } => vec![self.columns_back(row)],
            Manner::Aside { .. } => self.back_from_aside(&row.id),
            Manner::Move(moved) => self.moved_back(moved, row),
        }
    }

    fn moved_back(&self, moved: &Move, row: &ChangedRow) -> Vec<Statement> {
        let ids = [row.id.clone()];
        let mut take = self.writer();
        take.push("DELETE FROM ").table(&moved.to).push(" WHERE ").name(&moved.column).push(" IN (SELECT ");
        take.column(&moved.key).push(" FROM ").from().push(" WHERE ").ids(&ids).push(")");
        let mut add = self.writer();
        let columns = std::iter::once(&moved.column).chain(&moved.kept);
        add.push("INSERT INTO ").table(&moved.from).push(" (").names(columns).push(") SELECT (SELECT ");
        add.column(&moved.key).push(" FROM ").from().push(" WHERE ").ids(&ids).push(")");
        let kept = moved.kept.iter().zip(row.before.iter().skip(1));
        if self.dialect == Dialect::Postgres {
            // That table's types are not known here: the server makes its row of the texts.
            let texts = kept.clone().map(|(column, value)| (column.clone(), super::json_text(value)));
            let texts = serde_json::Value::Object(texts.collect());
            for (column, _) in kept {
                add.push(", k.").name(column);
            }
            add.push(" FROM jsonb_populate_record(NULL::").table(&moved.from).push(", ");
            add.bind_text(&texts.to_string()).push("::jsonb) AS k");
        } else {
            for (_, value) in kept {
                match value {
                    Value::Null => add.push(", NULL"),
                    value => add.push(", ").bind(value.clone()),
                };
            }
        }
        vec![take.finish(), add.finish()]
    }

    /// Columns that the change did not set, such as a time of the last change that a trigger keeps, are not looked at.
    fn columns_back(&self, row: &ChangedRow) -> Statement {
        let columns: Vec<String> = self.set_columns().into_iter().map(str::to_owned).collect();
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
