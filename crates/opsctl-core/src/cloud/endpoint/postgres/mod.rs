//! PostgreSQL: how it is connected to, and how statements run there.
//!
//! A statement without values goes by the simple protocol, and every column comes back as its text. One with values is prepared with
//! no type declared, so that the server infers each from where the placeholder stands (`status = $1` has the column's type), and the
//! value is sent as that type. A value that was declared as text and cast would cost indexes: the casts to an enum, a date or a time
//! depend on settings, so the planner can't evaluate them, and a partial index (`WHERE status = 'PENDING'`) can't be proven to
//! fit. Likewise a plan made once for all values can't use it: `plan_cache_mode` asks for one for these values.
//!
//! What is prepared comes back in each type's own binary form. A column of a type that [`read`] does not know is cast to text by the
//! server, around the whole SELECT; behind RETURNING that can't be, and is an error that names the column.

mod bind;
mod decimal;
mod read;

use futures_util::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Either, Executor as _, Row as _, Statement as _,
    postgres::{PgConnectOptions, PgConnection, PgRow, PgSslMode, PgStatement, PgTypeInfo, types::Oid},
};

use super::{
    failure::{of_commit, of_statement},
    reach::Reach,
    session::Access,
    tls::Roots,
    wire::Gathered,
};
use crate::domain::{Bounds, Dialect, Rows, Server, SqlError, SqlKind, Statement, Text, Tls, Value};

/// Who is at the other end. The system identifier may be kept from a login.
const WHO: [&str; 2] = [
    "SELECT current_setting('server_version_num'), current_database(), current_user, pg_is_in_recovery(), \
     host(inet_server_addr()) || ':' || inet_server_port(), (SELECT system_identifier FROM pg_control_system())",
    "SELECT current_setting('server_version_num'), current_database(), current_user, pg_is_in_recovery(), \
     host(inet_server_addr()) || ':' || inet_server_port(), NULL",
];
/// From this version on a plan can be asked for that is for these values.
const PLANS_BY_VALUE: u32 = 120_000;

pub(super) struct Postgres {
    connection: PgConnection,
}

impl Postgres {
    pub(super) async fn connect(reach: &Reach) -> sqlx::Result<(Self, Server)> {
        // Every field is set: sqlx would take what is not from PG* variables of the process.
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&reach.endpoint.host)
            .port(reach.endpoint.port)
            .username(&reach.login.user)
            .password(reach.login.password.as_deref().unwrap_or_default())
            .database(reach.database.as_deref().unwrap_or("postgres"))
            .application_name("opsctl")
            .ssl_mode(match reach.tls {
                Tls::VerifyFull => PgSslMode::VerifyFull,
                Tls::VerifyCa => PgSslMode::VerifyCa,
                Tls::Encrypt => PgSslMode::Require,
                Tls::Off => PgSslMode::Disable,
            });
        options = match reach.roots() {
            Roots::Public => options,
            Roots::File(file) => options.ssl_root_cert(file),
            Roots::Rds(pem) => options.ssl_root_cert_from_pem(pem.to_vec()),
        };
        let connection = options.disable_statement_logging().connect().await?;
        let mut wire = Self { connection };
        let who = match wire.connection.fetch_one(WHO[0]).await {
            Err(sqlx::Error::Database(_)) => wire.connection.fetch_one(WHO[1]).await?,
            other => other?,
        };
        let server = server(&who)?;
        Ok((wire, server))
    }

    pub(super) async fn begin(&mut self, access: Access, bounds: &Bounds) -> Result<(), SqlError> {
        let begin = match access {
            Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Access::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        let (statement, lock) = (bounds.statement.as_millis(), bounds.lock.as_millis());
        let mut text = format!(
            "{begin}; SET LOCAL statement_timeout = {statement}; SET LOCAL lock_timeout = {lock}; \
             SET LOCAL idle_in_transaction_session_timeout = {}",
            statement * 4
        );
        if self.connection.server_version_num().is_some_and(|version| version >= PLANS_BY_VALUE) {
            text.push_str("; SET LOCAL plan_cache_mode = force_custom_plan");
        }
        self.plain(text).await.map_err(|error| of_statement(&error))
    }

    pub(super) async fn run(&mut self, statement: &Statement, bounds: &Bounds) -> Result<Rows, SqlError> {
        let text = AssertSqlSafe(statement.text.clone());
        if statement.values.is_empty() {
            return gather(self.connection.fetch_many(text), bounds).await;
        }
        let prepared = self.prepare(statement.text.clone(), statement.values.len()).await?;
        let prepared = match unreadable(&prepared) {
            None => prepared,
            Some(column) if is_query(&statement.text) => {
                let _: String = column;
                self.prepare(with_texts(&statement.text, &prepared), statement.values.len()).await?
            }
            Some(column) => {
                let words = format!("{column} is of a type that can't be read here: cast it to text");
                return Err(SqlError::new(SqlKind::Type, &words));
            }
        };
        let types = match prepared.parameters() {
            Some(Either::Left(types)) => types,
            Some(Either::Right(_)) | None => &[],
        };
        let arguments = bind::arguments(types, &statement.values)?;
        gather(self.connection.fetch_many(prepared.query_with(arguments)), bounds).await
    }

    /// Types are inferred by the server: none is declared.
    async fn prepare(&mut self, text: String, values: usize) -> Result<PgStatement, SqlError> {
        let inferred = vec![PgTypeInfo::with_oid(Oid(0)); values];
        let prepared = self.connection.prepare_with(sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(text)), &inferred);
        prepared.await.map_err(|error| of_statement(&error))
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

async fn gather(
    mut answers: impl futures_util::Stream<Item = sqlx::Result<Either<sqlx::postgres::PgQueryResult, PgRow>>> + Unpin,
    bounds: &Bounds,
) -> Result<Rows, SqlError> {
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

/// The first column that can't be read in its binary form.
fn unreadable(prepared: &PgStatement) -> Option<String> {
    let column = prepared.columns().iter().find(|column| !read::is_known(column.type_info()))?;
    Some(format!("column {} ({})", column.name(), column.type_info()))
}

/// Whether it may stand in parentheses behind FROM.
fn is_query(text: &str) -> bool {
    let first: String = text.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
    ["select", "values", "table", "with"].contains(&first.to_ascii_lowercase().as_str())
}

/// The query with the columns that can't be read cast to text. Its own order stays.
fn with_texts(text: &str, prepared: &PgStatement) -> String {
    let numbered: Vec<String> = (1..=prepared.columns().len()).map(|number| format!("c{number}")).collect();
    let columns: Vec<String> = prepared
        .columns()
        .iter()
        .zip(&numbered)
        .map(|(column, number)| {
            let cast = if read::is_known(column.type_info()) { "" } else { "::text" };
            format!("q.{number}{cast} AS {}", Dialect::Postgres.quoted(column.name()))
        })
        .collect();
    format!("SELECT {} FROM ({text}) AS q({})", columns.join(", "), numbered.join(", "))
}

fn server(who: &PgRow) -> sqlx::Result<Server> {
    let values = read::values(who).map_err(|error| sqlx::Error::Protocol(error.words.as_str().to_owned()))?;
    let word = |index: usize| match values.get(index) {
        Some(Value::Text(text)) => Some(Text::line(text)),
        Some(Value::Integer(number)) => Some(Text::line(&number.to_string())),
        _ => None,
    };
    let number: u32 = word(0).and_then(|text| text.as_str().parse().ok()).unwrap_or_default();
    let address = word(4);
    Ok(Server {
        dialect: Dialect::Postgres,
        product: Text::from("PostgreSQL"),
        // Two parts since version 10: 150004 is 15.4.
        version: match number {
            old if old < 100_000 => [old / 10_000, old / 100 % 100, old % 100],
            new => [new / 10_000, new % 10_000, 0],
        },
        identity: word(5).or_else(|| address.clone()).unwrap_or_default(),
        address,
        database: word(1).unwrap_or_default(),
        user: word(2).unwrap_or_default(),
        reads_only: values.get(3) == Some(&Value::Integer(1)),
    })
}
