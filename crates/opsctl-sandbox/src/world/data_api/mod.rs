//! The RDS Data API on the pure world: statements over HTTPS, run on the databases of the clusters that have it enabled. Facts and
//! words are the API reference's and the Aurora User Guide's ("Using RDS Data API").
//!
//! A call goes to the cluster's writer only. A transaction that nobody uses for three minutes is rolled back, and so is one whose
//! writer is another one now.

mod fields;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ApiError, Caller, World,
    call::{Answered, Call, given},
    rds::{Connected, database_named},
    service::{Protocol, Route, ServiceDef, does},
    sql::{Access, Failure, Key, Parameters, Ran},
    uuid,
};
use fields::Parameter;

/// How long a transaction may be idle, milliseconds.
const IDLE_MAX: i64 = 180_000;
/// Bytes of an answer's rows, and of one row.
const ANSWER_MAX: usize = 1_024 * 1_024;
const ROW_MAX: usize = 64 * 1_024;
/// Characters of a statement (service model, `SqlStatement`).
const SQL_MAX: usize = 65_536;
const NO_SESSION: &str = "data api";

/// Transactions of a world, by id.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    open: BTreeMap<String, Open>,
}

#[derive(Debug)]
struct Open {
    key: Key,
    writer: Option<String>,
    used_at: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Begin {
    #[serde(flatten)]
    to: To,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct End {
    #[serde(flatten)]
    to: To,
    transaction_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Execute {
    #[serde(flatten)]
    to: To,
    sql: String,
    #[serde(default)]
    parameters: Vec<Parameter>,
    transaction_id: Option<String>,
    #[serde(default)]
    include_result_metadata: bool,
    format_records_as: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchExecute {
    #[serde(flatten)]
    to: To,
    sql: String,
    #[serde(default)]
    parameter_sets: Vec<Vec<Parameter>>,
    transaction_id: Option<String>,
}

/// Where a call goes, and on whose word.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct To {
    resource_arn: String,
    secret_arn: String,
    database: Option<String>,
}

pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Rest {
        routes: &[
            route("/Execute", "ExecuteStatement"),
            route("/BatchExecute", "BatchExecuteStatement"),
            route("/BeginTransaction", "BeginTransaction"),
            route("/CommitTransaction", "CommitTransaction"),
            route("/RollbackTransaction", "RollbackTransaction"),
        ],
    },
    subject: |input| {
        let arn = input.document.as_ref().ok()?.get("resourceArn")?.as_str()?;
        Some(cluster_in(arn).to_owned())
    },
    prepare: |world, call| {
        world.end_idle_transactions(call.now);
        Ok(())
    },
    ..ServiceDef::new(
        "rds-data",
        &[
            ("ExecuteStatement", does!(execute_statement)),
            ("BatchExecuteStatement", does!(batch_execute_statement)),
            ("BeginTransaction", does!(begin_transaction)),
            ("CommitTransaction", |world, call, input| {
                super::call::told(world.end_transaction(call, input.read()?, "COMMIT", "Transaction Committed"))
            }),
            ("RollbackTransaction", |world, call, input| {
                super::call::told(world.end_transaction(call, input.read()?, "ROLLBACK", "Rollback Complete"))
            }),
        ],
    )
};

const fn route(path: &'static str, action: &'static str) -> Route {
    Route { method: "POST", path, action, status: 200 }
}

impl World {
    /// Rolls back the transactions that nobody used for too long.
    pub(super) fn end_idle_transactions(&mut self, now: i64) {
        let Self { data, sql, .. } = self;
        data.open.retain(|id, open| {
            let lives = now - open.used_at < IDLE_MAX;
            if !lives {
                sql.end(id);
            }
            lives
        });
    }

    fn begin_transaction(&mut self, call: Call, request: Begin) -> Answered<Value> {
        let key = self.let_in(call, &request.to)?;
        let id = uuid(&mut self.rng);
        self.run_data(call, (&id, &key), "BEGIN", &[])?;
        let writer = self.writer_of(call, &key);
        self.data.open.insert(id.clone(), Open { key, writer, used_at: call.now });
        Ok(json!({ "transactionId": id }))
    }

    fn end_transaction(&mut self, call: Call, request: End, text: &str, status: &str) -> Answered<Value> {
        let key = self.let_in(call, &request.to)?;
        let (id, key) = self.transaction(call, Some(&request.transaction_id), key)?;
        let ended = self.run_data(call, (&id, &key), text, &[]);
        self.data.open.remove(&id);
        self.sql.end(&id);
        ended.map(|_| json!({ "transactionStatus": status }))
    }

    fn execute_statement(&mut self, call: Call, request: Execute) -> Answered<Value> {
        let Execute { to, sql, parameters, transaction_id, include_result_metadata, format_records_as } = request;
        let key = self.let_in(call, &to)?;
        let values = fields::read(parameters)?;
        let (id, key) = self.transaction(call, transaction_id.as_deref(), key)?;
        let ran = self.run_data(call, (&id, &key), &sql, &values);
        self.end_session(&id);
        let Ran { rows, columns } = ran?;
        if columns.is_empty() {
            return Ok(json!({ "numberOfRecordsUpdated": rows.changed, "generatedFields": [] }));
        }
        let records: Vec<Value> = rows.rows.iter().map(|row| row.iter().map(fields::shown).collect()).collect();
        check_size(&records)?;
        let metadata: Option<Vec<Value>> =
            include_result_metadata.then(|| columns.iter().map(|name| fields::metadata(name)).collect());
        let updated = json!(rows.changed);
        if format_records_as.as_deref() == Some("JSON") {
            let formatted = fields::formatted(&columns, &rows.rows);
            return Ok(json!({ "formattedRecords": formatted, "numberOfRecordsUpdated": updated }));
        }
        Ok(given(json!({
            "records": records,
            "columnMetadata": metadata,
            "numberOfRecordsUpdated": updated,
            "generatedFields": [],
        })))
    }

    fn batch_execute_statement(&mut self, call: Call, request: BatchExecute) -> Answered<Value> {
        let BatchExecute { to, sql, parameter_sets, transaction_id } = request;
        let key = self.let_in(call, &to)?;
        let sets: Vec<_> = parameter_sets.into_iter().map(fields::read).collect::<Result<_, _>>()?;
        let (id, key) = self.transaction(call, transaction_id.as_deref(), key)?;
        let sets = if sets.is_empty() { vec![Vec::new()] } else { sets };
        let ran = sets.iter().try_for_each(|values| self.run_data(call, (&id, &key), &sql, values).map(drop));
        self.end_session(&id);
        ran?;
        Ok(json!({ "updateResults": vec![json!({ "generatedFields": [] }); sets.len()] }))
    }

    /// The database that a call goes to: its cluster takes calls now, and its secret is there.
    fn let_in(&mut self, call: Call, to: &To) -> Answered<Key> {
        let Caller { account, region, .. } = call.caller;
        let name = cluster_in(&to.resource_arn);
        let now = call.time();
        let Some(cluster) = self.cluster(now, account, region, name).cloned() else {
            return Err(bad(format!("Database cluster {name} is not found.")));
        };
        if !cluster.has_data_api {
            let message = format!("HttpEndpoint is not enabled for resource {}", to.resource_arn);
            return Err(ApiError::plain(400, "HttpEndpointNotEnabledException", message));
        }
        if self.secrets.value(account, region, &to.secret_arn).is_none() {
            let message = "Secrets Manager can't find the specified secret.";
            return Err(ApiError::plain(400, "SecretsErrorException", message));
        }
        let (server, database) = (name.to_owned(), database_named(to.database.as_deref()));
        let key = Key { account: account.clone(), region: region.clone(), server, name: database };
        match self.rds.connect_by_name(call.now, account, region, name) {
            Connected::Writer => {}
            Connected::Wakes(_) => {
                let message = format!(
                    "The Aurora DB instance {name} is resuming after being auto-paused. Please wait a few seconds and try \
                     again."
                );
                return Err(ApiError::plain(400, "DatabaseResumingException", message));
            }
            Connected::Reader | Connected::Refused | Connected::Unknown => {
                return Err(ApiError::plain(
                    504,
                    "DatabaseUnavailableException",
                    "The writer instance is unavailable.",
                ));
            }
        }
        if self.sql.is_there(&key) {
            return Ok(key);
        }
        Err(ApiError::plain(404, "DatabaseNotFoundException", format!("Database {} is not found.", key.name)))
    }

    /// The session of a transaction and the database that it is of, which need not be named again; or a session for a statement by
    /// itself.
    fn transaction(&mut self, call: Call, id: Option<&str>, key: Key) -> Answered<(String, Key)> {
        let Some(id) = id else { return Ok((NO_SESSION.to_owned(), key)) };
        let writer = self.writer_of(call, &key);
        let lost = || {
            let message = format!("Transaction {id} is not found.");
            ApiError::plain(404, "TransactionNotFoundException", message)
        };
        let is_its = |open: &&mut Open| {
            let name = if key.name.is_empty() { &key.name } else { &open.key.name };
            key == Key { name: name.clone(), ..open.key.clone() }
        };
        let open = self.data.open.get_mut(id).filter(is_its).ok_or_else(lost)?;
        if open.writer != writer {
            self.data.open.remove(id);
            self.sql.end(id);
            return Err(lost());
        }
        open.used_at = call.now;
        Ok((id.to_owned(), open.key.clone()))
    }

    fn writer_of(&mut self, call: Call, key: &Key) -> Option<String> {
        let cluster = self.cluster(call.time(), &key.account, &key.region, &key.server)?;
        cluster.members.first().cloned()
    }

    fn end_session(&mut self, id: &str) {
        if id == NO_SESSION {
            self.sql.end(id);
        }
    }

    fn run_data(
        &mut self,
        call: Call,
        session: (&str, &Key),
        text: &str,
        values: &[(String, crate::domain::Value)],
    ) -> Answered<Ran> {
        if text.chars().count() > SQL_MAX {
            let message = format!(
                "1 validation error detected: Value at 'sql' failed to satisfy constraint: Member must have length less than \
                 or equal to {SQL_MAX}"
            );
            return Err(ApiError::plain(400, "ValidationException", message));
        }
        let ran = self.sql.run_in(call.now, session, Access::Writes, text, Parameters::Named(values));
        ran.map_err(|failure| match failure {
            Failure::TooLong => ApiError::plain(400, "StatementTimeoutException", "Request timed out"),
            Failure::Locked | Failure::Missing | Failure::ReadOnly | Failure::Refused(..) => {
                ApiError::plain(400, "DatabaseErrorException", format!("ERROR: {failure}"))
            }
        })
    }
}

impl Transactions {
    /// When the first of them will have been idle for too long.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        let first = self.open.values().map(|open| open.used_at + IDLE_MAX).min()?;
        Timestamp::from_millisecond(first).ok()
    }
}

/// The cluster's name in its ARN.
fn cluster_in(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}

fn check_size(records: &[Value]) -> Answered<()> {
    let mut bytes = 0;
    for record in records {
        let row = record.to_string().len();
        bytes += row;
        if row > ROW_MAX || bytes > ANSWER_MAX {
            return Err(bad("Database returned more than the allowed response size limit"));
        }
    }
    Ok(())
}

fn bad(message: impl Into<String>) -> ApiError {
    ApiError::plain(400, "BadRequestException", message)
}
