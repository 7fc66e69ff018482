//! The lock by which a relay's instances agree on who works.

use jiff::{SignedDuration, Timestamp};

use super::{Sql, Writer};
use crate::domain::{Dialect, Literal, RelayLock, Rows, SeenLock, Statement, Text, Value};

impl Sql {
    /// Who has the lock, and for how many seconds it has run out. Of several rows the one that holds the longest.
    pub fn lock(&self, lock: &RelayLock) -> Statement {
        let mut writer = self.writer();
        writer.push("SELECT ");
        match &lock.owner {
            Some(owner) => writer.text_of(owner),
            None => writer.push("NULL"),
        };
        writer.push(", ").age(&lock.until).push(" FROM ").table(&lock.table).push(" AS t");
        if let Some((column, value)) = &lock.row {
            let value = match value {
                Literal::Integer(number) => number.to_string(),
                Literal::Text(text) => text.clone(),
            };
            let cast = writer.as_text();
            writer.push(" WHERE ").text_of(column).push(" = ").bind(Value::Text(value)).push(cast);
        }
        writer.push(" ORDER BY (").column(&lock.until).push(" IS NULL), ").column(&lock.until).push(" DESC").limit(1);
        writer.finish()
    }

    /// What [`Sql::lock`] gives.
    pub fn lock_of(rows: &Rows, now: Timestamp) -> SeenLock {
        let Some([owner, age]) = rows.rows.first().map(Vec::as_slice) else { return SeenLock::Free };
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        let age = super::plain(age).parse::<f64>().map(|age| age as i64);
        let Ok(age) = age else { return SeenLock::Free };
        SeenLock::Taken {
            until: now.checked_sub(SignedDuration::from_secs(age)).unwrap_or(now),
            owner: (*owner != Value::Null).then(|| Text::line(&super::plain(owner))),
        }
    }
}

impl Writer<'_> {
    /// A column of any type and table, as text.
    fn text_of(&mut self, column: &str) -> &mut Self {
        match self.sql.dialect {
            Dialect::Postgres => self.column(column).push("::text"),
            Dialect::Mysql => self.push("CAST(").column(column).push(" AS CHAR)"),
            Dialect::Sqlite => self.push("CAST(").column(column).push(" AS TEXT)"),
        }
    }
}
