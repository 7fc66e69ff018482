//! Statements for an outbox, in the server's dialect. Identifiers are quoted by [`quoted`] alone; values are bound, never spliced.
//!
//! On PostgreSQL a value is bound as text or bigint and cast to the column's type where it stands, so that the column itself is
//! compared as it is and its index serves. Columns are read as text where the type is not a number or bytes.

mod aside;
mod blocked;
mod candidates;
mod catalogs;
mod change;
mod conditions;
mod counts;
mod estimates;
mod grants;
mod holders;
mod locks;
mod pages;
mod restore;
mod selection;
mod sources;
mod upkeep;
mod whereabouts;

pub use aside::{Leave, grant_to_leave, shown as create_shown};
pub use blocked::{BLOCKED_SCAN_MAX, BlockedGroups};
pub use candidates::{TransactionStatus, transaction_id, transaction_status};
pub use catalogs::{catalog, catalog_of};
pub use change::{ChangedRow, Changing, RowsStep};
pub use counts::{BoundedCount, COUNT_MAX, Count, CountedRows, count_all};
pub use estimates::{Explained, Extent, extent, extent_of};
pub use grants::Lacking;
pub use holders::Holder;
pub use pages::{BODY_MAX, ListedRow, Position};
pub use selection::Selection;
pub use sources::Among;
pub use upkeep::KeptUp;
pub use whereabouts::Locks;

use super::{
    catalog::{Catalog, ColumnSort},
    change::{Deed, RowChange},
    rules::Rules,
};
use crate::domain::{Dialect, Field, Literal, RowMapping, Statement, TableName, Times, Value};

/// What statements for one outbox are written from.
#[derive(Debug, Clone)]
pub struct Sql {
    pub dialect: Dialect,
    /// Fitted to the catalog ([`Catalog::fit`]).
    pub mapping: RowMapping,
    pub catalog: Catalog,
    pub rules: Rules,
    /// What is done to rows by the statements that change some.
    pub change: RowChange,
}

impl Sql {
    /// Statements whose change is a replay.
    pub fn new(dialect: Dialect, mapping: RowMapping, catalog: Catalog) -> Self {
        let (rules, change) = (Rules::of(&mapping), RowChange::of(Deed::Replay, &mapping));
        Self { dialect, mapping, catalog, rules, change }
    }

    /// The same, with another deed.
    #[must_use]
    pub fn doing(self, deed: Deed) -> Self {
        Self { change: RowChange::of(deed, &self.mapping), ..self }
    }

    fn writer(&self) -> Writer<'_> {
        Writer { sql: self, text: String::new(), values: Vec::new(), bare: false }
    }
}

/// An identifier in the dialect's quotes. The server reads it letter by letter, whatever stands in it.
pub fn quoted(dialect: Dialect, name: &str) -> String {
    // A NUL would end the statement on the way to the server; no server takes it in a name.
    let name = name.replace('\0', "\u{fffd}");
    match dialect {
        Dialect::Postgres | Dialect::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
        Dialect::Mysql => format!("`{}`", name.replace('`', "``")),
    }
}

/// A table's name in the dialect's quotes, with its schema.
pub fn quoted_table(dialect: Dialect, table: &TableName) -> String {
    let name = quoted(dialect, &table.name);
    match &table.schema {
        Some(schema) => format!("{}.{name}", quoted(dialect, schema)),
        None => name,
    }
}

/// A statement as it grows. Columns of the outbox's table are those of the alias `t`.
struct Writer<'a> {
    sql: &'a Sql,
    text: String,
    values: Vec<Value>,
    /// Columns stand without the alias, and values without casts: for people to read.
    bare: bool,
}

impl Writer<'_> {
    fn finish(self) -> Statement {
        Statement { text: self.text, values: self.values }
    }

    fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    fn name(&mut self, name: &str) -> &mut Self {
        self.text.push_str(&quoted(self.sql.dialect, name));
        self
    }

    fn table(&mut self, table: &TableName) -> &mut Self {
        self.text.push_str(&quoted_table(self.sql.dialect, table));
        self
    }

    /// The outbox's table under its alias.
    fn from(&mut self) -> &mut Self {
        self.table(&self.sql.mapping.table).push(" AS t")
    }

    fn column(&mut self, name: &str) -> &mut Self {
        self.push(if self.bare { "" } else { "t." }).name(name)
    }

    /// A column of the outbox as it comes back: numbers and bytes as they are, all else as text.
    fn read(&mut self, name: &str) -> &mut Self {
        self.read_of("t", name)
    }

    fn read_of(&mut self, alias: &str, name: &str) -> &mut Self {
        let column = format!("{alias}.{}", quoted(self.sql.dialect, name));
        self.cast(&column, name)
    }

    /// An expression of a column's type, as it comes back.
    fn cast(&mut self, column: &str, name: &str) -> &mut Self {
        let sort = self.sql.catalog.column(name).map_or(ColumnSort::Other, |column| column.sort);
        let text = match (self.sql.dialect, sort) {
            (Dialect::Sqlite, _) | (_, ColumnSort::Integer | ColumnSort::Bytes) => column.to_owned(),
            (Dialect::Postgres, ColumnSort::Boolean) => format!("{column}::int"),
            (Dialect::Postgres, ColumnSort::Text | ColumnSort::Json | ColumnSort::Other) => format!("{column}::text"),
            (Dialect::Mysql, ColumnSort::Boolean) => format!("{column} + 0"),
            (Dialect::Mysql, ColumnSort::Text | ColumnSort::Json | ColumnSort::Other) => {
                format!("CAST({column} AS CHAR)")
            }
        };
        self.push(&text)
    }

    /// A field, read as text.
    fn field(&mut self, field: &Field) -> &mut Self {
        match field {
            Field::Column(column) => self.read(column),
            Field::Json { column, path } => self.json(column, path),
        }
    }

    fn json(&mut self, column: &str, path: &[String]) -> &mut Self {
        match self.sql.dialect {
            Dialect::Postgres => {
                // Text that holds a document is read as one; where it does not begin as one, there is nothing in it.
                let json = self.sql.catalog.column(column).is_some_and(|column| column.sort == ColumnSort::Json);
                self.push("(").push(if json { "" } else { "CASE WHEN " });
                if !json {
                    self.column(column).push(" ~ '^\\s*\\{' THEN ");
                }
                self.column(column).push(if json { "" } else { "::jsonb" });
                for (index, name) in path.iter().enumerate() {
                    self.push(if index + 1 == path.len() { " ->> " } else { " -> " });
                    self.bind(Value::Text(name.clone())).push("::text");
                }
                self.push(if json { ")" } else { " END)" })
            }
            Dialect::Mysql => {
                // MariaDB says of what it unquotes that it is bytes.
                self.push("CONVERT(JSON_UNQUOTE(JSON_EXTRACT(").column(column).push(", ");
                self.bind(Value::Text(json_path(path))).push(")) USING utf8mb4)")
            }
            Dialect::Sqlite => {
                self.push("CASE WHEN json_valid(")
                    .column(column)
                    .push(") THEN json_extract(")
                    .column(column)
                    .push(", ");
                self.bind(Value::Text(json_path(path))).push(") END")
            }
        }
    }

    fn bind(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        match self.sql.dialect {
            Dialect::Postgres => self.text.push_str(&format!("${}", self.values.len())),
            Dialect::Mysql | Dialect::Sqlite => self.text.push('?'),
        }
        self
    }

    /// A value as one of that column.
    fn bind_as(&mut self, column: &str, value: &Value) -> &mut Self {
        if *value == Value::Null {
            return self.push("NULL");
        }
        if self.sql.dialect != Dialect::Postgres {
            return self.bind(value.clone());
        }
        let found = self.sql.catalog.column(column);
        let sort = found.map_or(ColumnSort::Text, |column| column.sort);
        if let (Some(found), Value::Text(word)) = (found, value)
            && found.labels.contains(word)
            && !word.contains('\\')
        {
            // A label of the column's own enum. A text that is cast to one is not known when the plan is made: a partial index
            // would not serve.
            let label = format!("'{}'::{}", word.replace('\'', "''"), found.sql_type);
            return self.push(&label);
        }
        match (sort, value) {
            (ColumnSort::Integer | ColumnSort::Text | ColumnSort::Other, value) if self.bare => {
                self.bind(value.clone())
            }
            (ColumnSort::Boolean, value) => {
                let truth = matches!(value, Value::Integer(1)) || matches!(value, Value::Text(word) if is_true(word));
                self.push(if truth { "true" } else { "false" })
            }
            (ColumnSort::Integer, Value::Integer(_)) => self.bind(value.clone()).push("::bigint"),
            (ColumnSort::Text, Value::Text(_)) => self.bind(value.clone()).push("::text"),
            (ColumnSort::Bytes, Value::Bytes(_)) => self.bind(value.clone()).push("::bytea"),
            (_, value) => {
                let cast = found.map_or("text", |column| column.sql_type.as_str());
                let cast = format!("::text::{cast}");
                self.bind(Value::Text(plain(value))).push(&cast)
            }
        }
    }

    fn literal(&mut self, column: &str, literal: &Literal) -> &mut Self {
        self.bind_as(column, &Value::from(literal))
    }

    /// The server's time as the table's columns write times, and so many seconds.
    fn now(&mut self, seconds: i64) -> &mut Self {
        let text = now(self.sql.dialect, self.sql.mapping.times, seconds);
        self.push(&text)
    }

    /// Columns by which rows are sorted, with commas.
    fn sorted_by(&mut self) -> &mut Self {
        let sql = self.sql;
        self.list(sql.mapping.sorted_by().into_iter(), |writer, column| {
            writer.column(column);
        })
    }

    fn list<T>(&mut self, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Self, T)) -> &mut Self {
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.push(", ");
            }
            write(self, item);
        }
        self
    }
}

fn is_true(word: &str) -> bool {
    ["true", "t", "1"].contains(&word)
}

/// A value that is bound as text.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("\\x{digits}")
        }
    }
}

/// A value as a member of a JSON document: what is there, as text.
fn json_text(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        value => serde_json::Value::String(plain(value)),
    }
}

/// A path of MySQL and SQLite: `$."a"."b"`.
fn json_path(path: &[String]) -> String {
    let members = path.iter().map(|name| format!(".\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")));
    format!("${}", members.collect::<String>())
}

/// SQL of the server's time. SQLite's is the sandbox's: text without a zone, in UTC, unless the mapping says [`Times::Text`].
pub fn now(dialect: Dialect, times: Times, seconds: i64) -> String {
    let later =
        |text: &str, interval: String| if seconds == 0 { text.to_owned() } else { format!("({text}{interval})") };
    match dialect {
        Dialect::Postgres => {
            let interval = format!(" + make_interval(secs => {seconds})");
            match times {
                Times::Tz => later("now()", interval),
                Times::Utc => later("(now() AT TIME ZONE 'UTC')", interval),
                Times::Local => later("LOCALTIMESTAMP", interval),
                Times::EpochS => later("floor(extract(epoch FROM now()))::bigint", format!(" + {seconds}")),
                Times::EpochMs => {
                    later("floor(extract(epoch FROM now()) * 1000)::bigint", format!(" + {seconds} * 1000"))
                }
                Times::Text => {
                    let time = later("(now() AT TIME ZONE 'UTC')", interval);
                    format!("to_char({time}, 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
                }
            }
        }
        Dialect::Mysql => {
            let interval = format!(" + INTERVAL {seconds} SECOND");
            match times {
                Times::Tz | Times::Local => later("NOW(6)", interval),
                Times::Utc => later("UTC_TIMESTAMP(6)", interval),
                Times::EpochS => later("UNIX_TIMESTAMP()", format!(" + {seconds}")),
                Times::EpochMs => later("FLOOR(UNIX_TIMESTAMP(NOW(6)) * 1000)", format!(" + {seconds} * 1000")),
                Times::Text => {
                    let time = later("UTC_TIMESTAMP(6)", interval);
                    format!("CONCAT(LEFT(DATE_FORMAT({time}, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z')")
                }
            }
        }
        Dialect::Sqlite => match times {
            Times::EpochS => later("CAST(strftime('%s', 'now') AS INTEGER)", format!(" + {seconds}")),
            Times::EpochMs => later(
                "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
                format!(" + {seconds} * 1000"),
            ),
            Times::Tz | Times::Utc | Times::Local | Times::Text => {
                let shift = if seconds == 0 { String::new() } else { format!(", '{seconds:+} seconds'") };
                let form = if times == Times::Text { "%Y-%m-%dT%H:%M:%fZ" } else { "%Y-%m-%d %H:%M:%f" };
                format!("strftime('{form}', 'now'{shift})")
            }
        },
    }
}
