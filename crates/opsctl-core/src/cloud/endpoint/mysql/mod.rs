//! MySQL and MariaDB: how they are connected to, and how statements run there.
//!
//! A statement without values goes as text. One with values is prepared, which keeps a connection of RDS Proxy to itself: there is no
//! other way to give values apart from the SQL. The session is short for that reason, too.

mod read;

use futures_util::TryStreamExt as _;
use sqlx::{
    Arguments as _, AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Either, Executor as _, Row as _,
    mysql::{MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlSslMode},
};

use super::{
    failure::{of_commit, of_statement},
    reach::Reach,
    session::Access,
    tls::Roots,
    wire::Gathered,
};
use crate::domain::{Bounds, Dialect, Rows, Server, SqlError, SqlKind, Statement, Text, Tls, Value};

/// Who is at the other end. MariaDB has no UUID of a server. Aurora's readers say by InnoDB that they only read, others by `read_only`.
const WHO: [&str; 2] = [
    "SELECT VERSION(), DATABASE(), CURRENT_USER(), @@innodb_read_only OR @@read_only, @@hostname, @@port, @@server_uuid",
    "SELECT VERSION(), DATABASE(), CURRENT_USER(), @@innodb_read_only OR @@read_only, @@hostname, @@port, \
     CONCAT(@@hostname, ':', @@port, '/', @@server_id)",
];
/// Unknown system variable.
const UNKNOWN_VARIABLE: u16 = 1193;

pub(super) struct Mysql {
    connection: MySqlConnection,
    /// What its session was bounded by, so that it is set once.
    bounded: Option<(u128, u64)>,
}

impl Mysql {
    pub(super) async fn connect(reach: &Reach) -> sqlx::Result<(Self, Server)> {
        let mut options = MySqlConnectOptions::new()
            .host(&reach.endpoint.host)
            .port(reach.endpoint.port)
            .username(&reach.login.user)
            // The server's own SQL mode: a session that changed it would be told apart from all others.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            // A login token is a password for this plugin: it is sent as it is, so only where the connection is encrypted.
            .enable_cleartext_plugin(reach.login.is_token && reach.tls != Tls::Off)
            .ssl_mode(match reach.tls {
                Tls::VerifyFull => MySqlSslMode::VerifyIdentity,
                Tls::VerifyCa => MySqlSslMode::VerifyCa,
                Tls::Encrypt => MySqlSslMode::Required,
                Tls::Off => MySqlSslMode::Disabled,
            });
        if let Some(password) = &reach.login.password {
            options = options.password(password);
        }
        if let Some(database) = &reach.database {
            options = options.database(database);
        }
        options = match reach.roots() {
            Roots::Public => options,
            Roots::File(file) => options.ssl_ca(file),
            Roots::Rds(pem) => options.ssl_ca_from_pem(pem.to_vec()),
        };
        let mut connection: MySqlConnection = options.disable_statement_logging().connect().await?;
        let who = match connection.fetch_one(WHO[0]).await {
            Err(sqlx::Error::Database(told)) if number(&*told) == Some(UNKNOWN_VARIABLE) => {
                connection.fetch_one(WHO[1]).await?
            }
            other => other?,
        };
        Ok((Self { connection, bounded: None }, server(&who)?))
    }

    pub(super) async fn begin(&mut self, access: Access, bounds: &Bounds, mariadb: bool) -> Result<(), SqlError> {
        self.bound(bounds, mariadb).await.map_err(|error| of_statement(&error))?;
        let is = match access {
            Access::Read => "REPEATABLE READ, READ ONLY",
            // Fewer locks: none on gaps, so that nobody's insert waits for a batch.
            Access::Write => "READ COMMITTED, READ WRITE",
        };
        let begun = async {
            // Of the session: DDL commits a transaction that is open, and would come in one that writes.
            self.plain(format!("SET SESSION TRANSACTION ISOLATION LEVEL {is}")).await?;
            self.plain("START TRANSACTION".to_owned()).await
        };
        begun.await.map_err(|error| of_statement(&error))
    }

    async fn bound(&mut self, bounds: &Bounds, mariadb: bool) -> sqlx::Result<()> {
        let milliseconds = bounds.statement.as_millis();
        // Whole seconds, at least one: 0 would be not to wait at all.
        let lock = u64::try_from(bounds.lock.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX).max(1);
        if self.bounded == Some((milliseconds, lock)) {
            return Ok(());
        }
        let statement = match mariadb {
            true => format!("max_statement_time = {}.{:03}", milliseconds / 1_000, milliseconds % 1_000),
            false => format!("max_execution_time = {milliseconds}"),
        };
        self.plain(format!("SET SESSION {statement}, innodb_lock_wait_timeout = {lock}, lock_wait_timeout = {lock}"))
            .await?;
        self.bounded = Some((milliseconds, lock));
        Ok(())
    }

    pub(super) async fn run(&mut self, statement: &Statement, bounds: &Bounds) -> Result<Rows, SqlError> {
        let text = AssertSqlSafe(statement.text.clone());
        let mut answers = if statement.values.is_empty() {
            self.connection.fetch_many(text)
        } else {
            self.connection.fetch_many(sqlx::query_with(text, arguments(&statement.values)?))
        };
        let mut gathered = Gathered::new(bounds);
        while let Some(answer) = answers.try_next().await.map_err(|error| of_statement(&error))? {
            match answer {
                Either::Left(done) => gathered.changed(done.rows_affected()),
                Either::Right(row) => {
                    if !gathered.has_columns() {
                        gathered.name_columns(row.columns().iter().map(|column| column.name().to_owned()).collect());
                    }
                    gathered.push(read::values(&row)?)?;
                }
            }
        }
        Ok(gathered.done())
    }

    pub(super) async fn commit(&mut self) -> Result<(), SqlError> {
        self.plain("COMMIT".to_owned()).await.map_err(|error| of_commit(&error))
    }

    pub(super) async fn rollback(&mut self) -> Result<(), SqlError> {
        self.plain("ROLLBACK".to_owned()).await.map_err(|error| of_statement(&error))
    }

    async fn plain(&mut self, text: String) -> sqlx::Result<()> {
        self.connection.execute(AssertSqlSafe(text)).await.map(drop)
    }

    pub(super) async fn close(self) {
        drop(self.connection.close().await);
    }
}

fn arguments(values: &[Value]) -> Result<MySqlArguments, SqlError> {
    let mut arguments = MySqlArguments::default();
    for value in values {
        let added = match value {
            Value::Null => arguments.add(None::<&str>),
            Value::Integer(number) => arguments.add(*number),
            Value::Real(number) => arguments.add(*number),
            Value::Text(text) => arguments.add(text.as_str()),
            Value::Bytes(bytes) => arguments.add(bytes.as_slice()),
        };
        added.map_err(|error| SqlError::new(SqlKind::Type, &error.to_string()))?;
    }
    Ok(arguments)
}

fn number(told: &dyn sqlx::error::DatabaseError) -> Option<u16> {
    told.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(sqlx::mysql::MySqlDatabaseError::number)
}

fn server(who: &MySqlRow) -> sqlx::Result<Server> {
    let values = read::values(who).map_err(|error| sqlx::Error::Protocol(error.words.as_str().to_owned()))?;
    let word = |index: usize| match values.get(index) {
        Some(Value::Text(text)) => Text::line(text),
        Some(Value::Integer(number)) => Text::line(&number.to_string()),
        _ => Text::default(),
    };
    let said = word(0);
    let is_mariadb = said.as_str().contains("MariaDB");
    // Old clients were told that MariaDB 10 is MySQL 5.5.5; the prefix stayed.
    let plain = said.as_str().strip_prefix("5.5.5-").filter(|_| is_mariadb).unwrap_or(said.as_str());
    Ok(Server {
        dialect: Dialect::Mysql,
        product: Text::from(if is_mariadb { "MariaDB" } else { "MySQL" }),
        version: version(plain),
        identity: word(6),
        address: Some(Text::line(&format!("{}:{}", word(4), word(5)))),
        database: word(1),
        user: word(2),
        reads_only: values.get(3) == Some(&Value::Integer(1)),
    })
}

/// Of `8.0.36-log` or `10.11.6-MariaDB-0+deb12u1`.
fn version(text: &str) -> [u32; 3] {
    let mut parts = text.split(|letter: char| !letter.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_whatever_follows() {
        assert_eq!(version("8.0.36-log"), [8, 0, 36]);
        assert_eq!(version("10.11.6-MariaDB-0+deb12u1"), [10, 11, 6]);
        assert_eq!(version("8.4"), [8, 4, 0]);
    }
}
