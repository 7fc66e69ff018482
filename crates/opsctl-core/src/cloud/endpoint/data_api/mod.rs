//! The RDS Data API: SQL by HTTPS, without a way through the network (Aurora User Guide, "Using the RDS Data API").
//!
//! It leads to the writer. An answer has at most 1 MiB and a row 64 KB, a statement takes at most 45 seconds, and a transaction that is
//! idle for three minutes is rolled back. Settings hold in a transaction only. A value is sent as a text, a number, a boolean or bytes,
//! not as the type of its column: beside a column of another type (uuid, enum, json, time) the statement has to cast it.

mod convert;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_types::timeout::TimeoutConfig;
use serde_json::{Value as Json, json};

use super::{session::Access, wire::Gathered};
use crate::{
    cloud::{
        CloudError,
        thin::{Protocol, Request, Service, Thin, Told as _, from_json},
    },
    domain::{Bounds, Dialect, Rows, Server, SqlError, SqlKind, Statement, Text, Value},
};

/// The code of the error while a database resumes that had paused.
pub(super) const RESUMING: &str = "DatabaseResumingException";
const BEGIN: &str = "rds-data:BeginTransaction";
const EXECUTE: &str = "rds-data:ExecuteStatement";
const COMMIT: &str = "rds-data:CommitTransaction";
const ROLLBACK: &str = "rds-data:RollbackTransaction";
/// Longer than a statement may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(50);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

const RDS_DATA: Service =
    Service { name: "rdsdata", host: "rds-data", signing_name: "rds-data", protocol: Protocol::Rest };

/// Calls of the Data API in one environment. Cheap to clone. Each is sent once.
#[derive(Debug, Clone)]
pub(super) struct RdsData {
    client: Thin,
}

/// One cluster's database, and the transaction that is open there.
#[derive(Debug)]
pub(super) struct DataApi {
    calls: RdsData,
    cluster: String,
    secret: String,
    database: Option<String>,
    dialect: Dialect,
    transaction: Option<String>,
}

impl RdsData {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition) -> Self {
        let deadlines = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(CALL_TIMEOUT)
            .operation_timeout(CALL_TIMEOUT)
            .build();
        Self { client: Thin::once(&RDS_DATA, shared, partition, deadlines) }
    }
}

impl DataApi {
    /// Asks the server who it is, which wakes it.
    pub(super) async fn open(
        calls: &RdsData,
        (cluster, secret): (&str, &str),
        database: Option<&str>,
        dialect: Dialect,
    ) -> Result<(Self, Server), SqlError> {
        let wire = Self {
            calls: calls.clone(),
            cluster: cluster.to_owned(),
            secret: secret.to_owned(),
            database: database.map(str::to_owned),
            dialect,
            transaction: None,
        };
        let who = wire.run(&who(dialect).into(), &Bounds::LOOK).await?;
        let server = server(&wire, who.rows.first().map_or(&[], Vec::as_slice));
        Ok((wire, server))
    }

    pub(super) async fn begin(&mut self, access: Access, bounds: &Bounds) -> Result<(), SqlError> {
        let answer = self.call(BEGIN, "/BeginTransaction", json!({ "database": self.database })).await;
        let answer = answer.map_err(|error| of_statement(&error))?;
        let number = answer.word("transactionId").map(str::to_owned);
        self.transaction = Some(number.ok_or_else(|| SqlError::new(SqlKind::Lost, "a transaction without an id"))?);
        for text in settings(self.dialect, access, bounds) {
            self.run(&text.as_str().into(), bounds).await?;
        }
        Ok(())
    }

    pub(super) async fn run(&self, statement: &Statement, bounds: &Bounds) -> Result<Rows, SqlError> {
        let given = json!({
            "database": self.database,
            "transactionId": self.transaction,
            "sql": convert::named(&statement.text),
            "parameters": convert::parameters(&statement.values),
            "includeResultMetadata": true,
            "resultSetOptions": { "decimalReturnType": "STRING", "longReturnType": "LONG" },
        });
        let answer = self.call(EXECUTE, "/Execute", given).await.map_err(|error| of_statement(&error))?;
        let mut gathered = Gathered::new(bounds);
        let columns = answer.list("columnMetadata").iter();
        gathered.name_columns(columns.map(|column| column.word("label").unwrap_or_default().to_owned()).collect());
        gathered.changed(answer.number("numberOfRecordsUpdated").unwrap_or_default());
        for record in answer.list("records") {
            let fields = record.as_array().map_or(&[][..], Vec::as_slice);
            gathered.push(fields.iter().map(convert::value).collect::<Result<_, _>>()?)?;
        }
        Ok(gathered.done())
    }

    pub(super) async fn commit(&mut self) -> Result<(), SqlError> {
        let answer = self.end(COMMIT, "/CommitTransaction").await;
        answer.map_err(|error| of_commit(&error))
    }

    pub(super) async fn rollback(&mut self) -> Result<(), SqlError> {
        let answer = self.end(ROLLBACK, "/RollbackTransaction").await;
        answer.map_err(|error| of_statement(&error))
    }

    async fn end(&mut self, action: &'static str, path: &str) -> Result<(), CloudError> {
        let transaction = self.transaction.take();
        self.call(action, path, json!({ "transactionId": transaction })).await.map(drop)
    }

    async fn call(&self, action: &'static str, path: &str, mut given: Json) -> Result<Json, CloudError> {
        (given["resourceArn"], given["secretArn"]) = (json!(self.cluster), json!(self.secret));
        let request = Request::Rest("POST", path.to_owned(), Some(given));
        self.calls.client.write(action, request, from_json).await
    }
}

impl Drop for DataApi {
    /// A transaction that was left open ends now, not after three minutes: nobody waits for it.
    fn drop(&mut self) {
        let Some(transaction) = self.transaction.take() else { return };
        let left = Self {
            calls: self.calls.clone(),
            cluster: std::mem::take(&mut self.cluster),
            secret: std::mem::take(&mut self.secret),
            database: None,
            dialect: self.dialect,
            transaction: None,
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let given = json!({ "transactionId": transaction });
            runtime.spawn(async move { drop(left.call(ROLLBACK, "/RollbackTransaction", given).await) });
        }
    }
}

fn who(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "SELECT current_setting('server_version'), current_database()::text, current_user::text, pg_is_in_recovery()"
        }
        Dialect::Mysql => "SELECT VERSION(), DATABASE(), CURRENT_USER(), @@innodb_read_only OR @@read_only",
        Dialect::Sqlite => "SELECT sqlite_version(), '', '', 0",
    }
}

fn server(wire: &DataApi, who: &[Value]) -> Server {
    let word = |index: usize| match who.get(index) {
        Some(Value::Text(text)) => Text::line(text),
        _ => Text::default(),
    };
    let mut parts = word(0).as_str().split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>().into_iter();
    Server {
        dialect: wire.dialect,
        product: Text::from(match wire.dialect {
            Dialect::Postgres => "PostgreSQL",
            Dialect::Mysql => "MySQL",
            Dialect::Sqlite => "SQLite",
        }),
        version: std::array::from_fn(|_| parts.next().unwrap_or(0)),
        identity: Text::line(&wire.cluster),
        address: None,
        database: word(1),
        user: word(2),
        reads_only: who.get(3) == Some(&Value::Integer(1)),
    }
}

/// What bounds a transaction: one statement a call. MySQL's can't be held to reading once it has begun.
fn settings(dialect: Dialect, access: Access, bounds: &Bounds) -> Vec<String> {
    let (statement, lock) = (bounds.statement.as_millis(), bounds.lock.as_millis());
    match dialect {
        Dialect::Postgres => {
            let reads = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY".to_owned();
            let set = format!(
                "SELECT set_config('statement_timeout', '{statement}', true), set_config('lock_timeout', '{lock}', true), \
                 set_config('plan_cache_mode', 'force_custom_plan', true)"
            );
            if access == Access::Read { vec![reads, set] } else { vec![set] }
        }
        Dialect::Mysql => {
            let lock = lock.div_ceil(1_000).max(1);
            vec![format!("SET max_execution_time = {statement}, innodb_lock_wait_timeout = {lock}")]
        }
        Dialect::Sqlite => Vec::new(),
    }
}

/// What a failed call of a statement means. The transaction is not committed, whatever became of the call.
fn of_statement(error: &CloudError) -> SqlError {
    let (kind, code, words) = convert::told(error);
    SqlError { kind, code: Text::line(&code), words: Text::line(&words) }
}

/// What a failed call of COMMIT means: only what never went out, or what the database refused, is certain.
fn of_commit(error: &CloudError) -> SqlError {
    let failed = of_statement(error);
    if error.may_have_been_applied() { SqlError { kind: SqlKind::Unknown, ..failed } } else { failed }
}

#[cfg(test)]
mod tests;
