//! The question by SQL: one connection, a transaction that reads only, bounded by the server and by us.

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor,
    mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode},
    postgres::{PgConnectOptions, PgConnection, PgSslMode},
};

use super::login::Login;
use crate::domain::{Because, Dialect, Endpoint, Reached, SqlCheck, Tls, Unanswered};

/// The server gives a statement up after so many milliseconds; locks likewise.
const STATEMENT_MILLISECONDS: u32 = 5_000;

pub(super) async fn ask(
    endpoint: &Endpoint,
    dialect: Dialect,
    check: &SqlCheck,
    login: Login,
) -> Result<Reached, Unanswered> {
    let asked = match dialect {
        Dialect::Postgres => postgres(endpoint, check, login).await,
        Dialect::Mysql => mysql(endpoint, check, login).await,
    };
    let reads_only = asked.map_err(|error| judged(&error))?;
    Ok(if reads_only { Reached::ReadsOnly } else { Reached::Writes })
}

/// Whether the server only reads: one in recovery, as every reader is.
async fn postgres(endpoint: &Endpoint, check: &SqlCheck, login: Login) -> sqlx::Result<bool> {
    // Every field is set: sqlx would take what is not from PG* variables of the process.
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(&endpoint.host)
        .port(endpoint.port)
        .username(&login.user)
        .password(login.password.as_deref().unwrap_or_default())
        .database(check.database.as_deref().unwrap_or("postgres"))
        .application_name("opsctl")
        .ssl_mode(match check.tls {
            Tls::VerifyFull => PgSslMode::VerifyFull,
            Tls::VerifyCa => PgSslMode::VerifyCa,
            Tls::Encrypt => PgSslMode::Require,
            Tls::Off => PgSslMode::Disable,
        });
    if let Some(file) = &check.ca_file {
        options = options.ssl_root_cert(file);
    }
    let mut connection: PgConnection = options.disable_statement_logging().connect().await?;
    connection.execute("BEGIN READ ONLY").await?;
    let bounds = format!("SET LOCAL statement_timeout = {STATEMENT_MILLISECONDS}");
    connection.execute(AssertSqlSafe(bounds)).await?;
    let reads_only: bool = sqlx::query_scalar("SELECT pg_is_in_recovery()").fetch_one(&mut connection).await?;
    if let Some(sql) = &check.sql {
        // Prepared, so that it is one statement; the configuration's own, and the transaction only reads.
        sqlx::query(AssertSqlSafe(sql.clone())).fetch_optional(&mut connection).await?;
    }
    connection.execute("ROLLBACK").await?;
    connection.close().await?;
    Ok(reads_only)
}

/// Whether the server only reads: Aurora's readers say so by InnoDB, others by `read_only`.
async fn mysql(endpoint: &Endpoint, check: &SqlCheck, login: Login) -> sqlx::Result<bool> {
    let mut options = MySqlConnectOptions::new()
        .host(&endpoint.host)
        .port(endpoint.port)
        .username(&login.user)
        // A login token is a password for this plugin: it is sent as it is, so only where the connection is encrypted.
        .enable_cleartext_plugin(check.password == crate::domain::endpoint::Password::Iam)
        .ssl_mode(match check.tls {
            Tls::VerifyFull => MySqlSslMode::VerifyIdentity,
            Tls::VerifyCa => MySqlSslMode::VerifyCa,
            Tls::Encrypt => MySqlSslMode::Required,
            Tls::Off => MySqlSslMode::Disabled,
        });
    if let Some(password) = &login.password {
        options = options.password(password);
    }
    if let Some(database) = &check.database {
        options = options.database(database);
    }
    if let Some(file) = &check.ca_file {
        options = options.ssl_ca(file);
    }
    let mut connection: MySqlConnection = options.disable_statement_logging().connect().await?;
    bound_mysql(&mut connection).await?;
    connection.execute("START TRANSACTION READ ONLY").await?;
    let asked = "SELECT CAST(@@innodb_read_only OR @@read_only AS SIGNED)";
    let reads_only: i64 = sqlx::query_scalar(asked).fetch_one(&mut connection).await?;
    if let Some(sql) = &check.sql {
        sqlx::query(AssertSqlSafe(sql.clone())).fetch_optional(&mut connection).await?;
    }
    connection.execute("ROLLBACK").await?;
    connection.close().await?;
    Ok(reads_only != 0)
}

/// MySQL and MariaDB have different names for it.
async fn bound_mysql(connection: &mut MySqlConnection) -> sqlx::Result<()> {
    let mysql = format!("SET SESSION max_execution_time = {STATEMENT_MILLISECONDS}");
    if connection.execute(AssertSqlSafe(mysql)).await.is_ok() {
        return Ok(());
    }
    let mariadb = format!("SET SESSION max_statement_time = {}", STATEMENT_MILLISECONDS / 1_000);
    connection.execute(AssertSqlSafe(mariadb)).await.map(|_| ())
}

fn judged(error: &sqlx::Error) -> Unanswered {
    let because = match error {
        sqlx::Error::Tls(_) => Because::Tls,
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => Because::Refused,
        sqlx::Error::Io(error) if is_of_tls(error) => Because::Tls,
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => Because::Broken,
        // SQLSTATE of a refused login, and of a database that is not there.
        sqlx::Error::Database(told) => match told.code().as_deref() {
            Some("28000" | "28P01" | "3D000") => Because::Login,
            _ => Because::Sql,
        },
        sqlx::Error::Configuration(_) => Because::Login,
        _ => Because::Sql,
    };
    Unanswered::new(because, &error.to_string())
}

/// rustls tells what it thinks of a certificate as an I/O error.
fn is_of_tls(error: &std::io::Error) -> bool {
    let words = error.to_string();
    words.contains("certificate") || words.contains("TLS") || words.contains("tls")
}
