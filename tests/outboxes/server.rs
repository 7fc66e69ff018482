//! A schema of its own on a real server, and statements run there.

use std::sync::atomic::{AtomicU32, Ordering};

use opsctl::domain::{Dialect, Rows, Statement, TableName, Value};
use sqlx::{AssertSqlSafe, Column, Connection, Executor, Row, TypeInfo, ValueRef};

use crate::served::peer;

pub(super) enum Server {
    Postgres(sqlx::PgConnection),
    Mysql(sqlx::MySqlConnection),
}

/// A connection with a schema that nothing else uses. [`Schema::end`] drops it.
pub(super) struct Schema {
    pub(super) server: Server,
    pub(super) name: String,
}

impl Schema {
    /// One for each server that is there.
    pub(super) async fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for dialect in [Dialect::Postgres, Dialect::Mysql] {
            all.extend(Self::of(dialect).await);
        }
        all
    }

    /// None: a skip.
    pub(super) async fn of(dialect: Dialect) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("outbox_{}_{number}", std::process::id());
        let variable = match dialect {
            Dialect::Postgres => "OPSCTL_TEST_POSTGRES",
            Dialect::Mysql => "OPSCTL_TEST_MARIADB",
            Dialect::Sqlite => return None,
        };
        let url = peer(variable)?.into_string().expect("text");
        let server = match dialect {
            Dialect::Postgres => Server::Postgres(sqlx::PgConnection::connect(&url).await.expect("connected")),
            Dialect::Mysql | Dialect::Sqlite => {
                Server::Mysql(sqlx::MySqlConnection::connect(&url).await.expect("connected"))
            }
        };
        let mut schema = Self { server, name };
        schema.script(&format!("CREATE SCHEMA {}", schema.name)).await;
        let enter = match dialect {
            Dialect::Postgres => format!("SET search_path TO {}", schema.name),
            Dialect::Mysql | Dialect::Sqlite => format!("USE {}", schema.name),
        };
        schema.script(&enter).await;
        Some(schema)
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self.server {
            Server::Postgres(_) => Dialect::Postgres,
            Server::Mysql(_) => Dialect::Mysql,
        }
    }

    /// A table in it.
    pub(super) fn table(&self, name: &str) -> TableName {
        TableName { schema: Some(self.name.clone()), name: name.to_owned() }
    }

    /// Statements without values, one after the other.
    pub(super) async fn script(&mut self, sql: &str) {
        let text = AssertSqlSafe(sql.to_owned());
        let done = match &mut self.server {
            Server::Postgres(connection) => connection.execute(sqlx::raw_sql(text)).await.map(drop),
            Server::Mysql(connection) => connection.execute(sqlx::raw_sql(text)).await.map(drop),
        };
        done.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }

    pub(super) async fn run(&mut self, statement: &Statement) -> Rows {
        let ran = match &mut self.server {
            Server::Postgres(connection) => postgres(connection, statement).await,
            Server::Mysql(connection) => mysql(connection, statement).await,
        };
        ran.unwrap_or_else(|error| panic!("{error}\n{}\n{:?}", statement.text, statement.values))
    }

    pub(super) async fn end(mut self) {
        let cascade = if self.dialect() == Dialect::Postgres { " CASCADE" } else { "" };
        self.script(&format!("DROP SCHEMA {}{cascade}", self.name)).await;
    }
}

async fn postgres(connection: &mut sqlx::PgConnection, statement: &Statement) -> sqlx::Result<Rows> {
    let mut query = sqlx::query(AssertSqlSafe(statement.text.clone())).persistent(false);
    for value in &statement.values {
        query = match value {
            Value::Null => query.bind(None::<String>),
            Value::Integer(number) => query.bind(*number),
            Value::Real(number) => query.bind(*number),
            Value::Text(text) => query.bind(text.clone()),
            Value::Bytes(bytes) => query.bind(bytes.clone()),
        };
    }
    if !gives_rows(&statement.text) {
        let changed = connection.execute(query).await?.rows_affected();
        return Ok(Rows { changed, ..Rows::default() });
    }
    let found = query.fetch_all(connection).await?;
    let columns = found.first().map(|row| row.columns().iter().map(|column| column.name().to_owned()).collect());
    let one = |row: &sqlx::postgres::PgRow| {
        let value = |place: usize| {
            if row.try_get_raw(place).expect("a column").is_null() {
                return Value::Null;
            }
            match row.column(place).type_info().name() {
                "INT8" => Value::Integer(row.get(place)),
                "INT4" => Value::Integer(row.get::<i32, _>(place).into()),
                "INT2" => Value::Integer(row.get::<i16, _>(place).into()),
                "BYTEA" => Value::Bytes(row.get(place)),
                "JSON" => {
                    let raw = row.try_get_raw(place).expect("a column");
                    Value::Text(raw.as_str().expect("text").to_owned())
                }
                _ => Value::Text(row.get(place)),
            }
        };
        (0..row.len()).map(value).collect()
    };
    Ok(Rows { columns: columns.unwrap_or_default(), rows: found.iter().map(one).collect(), changed: 0 })
}

async fn mysql(connection: &mut sqlx::MySqlConnection, statement: &Statement) -> sqlx::Result<Rows> {
    let mut query = sqlx::query(AssertSqlSafe(statement.text.clone())).persistent(false);
    for value in &statement.values {
        query = match value {
            Value::Null => query.bind(None::<String>),
            Value::Integer(number) => query.bind(*number),
            Value::Real(number) => query.bind(*number),
            Value::Text(text) => query.bind(text.clone()),
            Value::Bytes(bytes) => query.bind(bytes.clone()),
        };
    }
    if !gives_rows(&statement.text) {
        let changed = connection.execute(query).await?.rows_affected();
        return Ok(Rows { changed, ..Rows::default() });
    }
    let found = query.fetch_all(connection).await?;
    let columns = found.first().map(|row| row.columns().iter().map(|column| column.name().to_owned()).collect());
    let one = |row: &sqlx::mysql::MySqlRow| {
        let value = |place: usize| {
            if row.try_get_raw(place).expect("a column").is_null() {
                return Value::Null;
            }
            let kind = row.column(place).type_info().name().to_owned();
            match kind.as_str() {
                kind if kind.ends_with("UNSIGNED") => {
                    Value::Integer(i64::try_from(row.get_unchecked::<u64, _>(place)).expect("small"))
                }
                "BIGINT" | "INT" | "SMALLINT" | "TINYINT" | "MEDIUMINT" | "BOOLEAN" => {
                    Value::Integer(row.get_unchecked(place))
                }
                "DOUBLE" => Value::Real(row.get_unchecked(place)),
                "BLOB" | "VARBINARY" | "BINARY" | "LONGBLOB" => Value::Bytes(row.get_unchecked(place)),
                _ => Value::Text(row.get_unchecked(place)),
            }
        };
        (0..row.len()).map(value).collect()
    };
    Ok(Rows { columns: columns.unwrap_or_default(), rows: found.iter().map(one).collect(), changed: 0 })
}

fn gives_rows(sql: &str) -> bool {
    ["SELECT", "WITH", "EXPLAIN"].iter().any(|word| sql.starts_with(word))
}
