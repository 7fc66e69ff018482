//! Where rows are now, and what they are like: before a restore, and where nobody knows how a change ended.

use super::{Sql, aside};
use crate::{
    domain::{Dialect, Statement, Value},
    outboxes::Manner,
};

/// What becomes of rows that somebody else has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locks {
    /// They are left out; the others are locked now.
    PassOver,
    /// Whoever changes them is waited for.
    Wait,
}

impl Sql {
    /// Reads these rows, wherever they are, as [`Sql::changed_rows`] tells them. A row that has moved meanwhile may be in the answers of
    /// two of the statements.
    pub fn whereabouts(&self, ids: &[Vec<Value>], locks: Locks) -> Vec<Statement> {
        let mut all = match &self.change.how {
            Manner::Set { .. } => vec![self.set_now(ids)],
            Manner::Aside { to, run, .. } => {
                let mut there = self.writer();
                there.push("SELECT ").place("1").push(" FROM ").table(to).push(" AS t WHERE ").ids(ids);
                there.push(" AND ").column(aside::RUN).push(" = ").bind_text(run);
                vec![self.set_now(ids), there.finish()]
            }
            Manner::Move(moved) => [(&moved.from, "0"), (&moved.to, "1")]
                .into_iter()
                .map(|(table, place)| {
                    let mut writer = self.writer();
                    writer.push("SELECT ").place(place);
                    match place {
                        "0" => writer.kept(moved),
                        _ => writer.push(&", NULL".repeat(moved.kept.len())),
                    };
                    writer.push(" FROM ").from().push(" WHERE ").ids(ids).push(" AND EXISTS (SELECT 1 FROM ");
                    writer.table(table).push(" AS m WHERE m.").name(&moved.column).push(" = ").column(&moved.key);
                    writer.push(")");
                    writer.finish()
                })
                .collect(),
        };
        if self.dialect != Dialect::Sqlite {
            let word = match locks {
                Locks::PassOver => " SKIP LOCKED",
                Locks::Wait => "",
            };
            all.iter_mut().for_each(|statement| {
                statement.text.push_str(" FOR UPDATE");
                statement.text.push_str(self.of_outbox());
                statement.text.push_str(word);
            });
        }
        all
    }
}

impl super::Writer<'_> {
    /// Ids, order, and where the row is.
    fn place(&mut self, place: &str) -> &mut Self {
        let sql = self.sql;
        let columns = sql.mapping.id.iter().map(String::as_str).chain(sql.mapping.sorted_by());
        self.list(columns, |writer, column| {
            writer.read(column);
        });
        self.push(", ").push(place)
    }

    /// A text of ours.
    pub(super) fn bind_text(&mut self, text: &str) -> &mut Self {
        let cast = if self.sql.dialect == Dialect::Postgres { "::text" } else { "" };
        self.bind(Value::Text(text.to_owned())).push(cast)
    }
}
