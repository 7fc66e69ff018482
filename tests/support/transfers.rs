//! A large outbox on a real PostgreSQL, and a relay that works on it. Shared by tests and benches.

use std::{env, path::PathBuf, time::Duration};

use opsctl::{
    domain::{Connection, DatabaseRules, Dialect, Outbox, Password, Place, Relay as Relaying, TableName, Tls},
    outboxes::preset,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "transfers";
const BATCH: u32 = 50;

/// How many rows, and what has become of them. The rest is published; those that wait are the youngest, those that failed the oldest.
pub(crate) struct Seed {
    pub(crate) rows: u64,
    pub(crate) pending: u64,
    pub(crate) failed: u64,
    /// How old the oldest row is.
    pub(crate) age: Duration,
}

/// A schema of its own, with the table and, for what the relay has sent, `sent`.
pub(crate) struct Transfers {
    connection: PgConnection,
    pub(crate) schema: String,
    pub(crate) url: String,
    authority: PathBuf,
}

impl Transfers {
    /// On the server that `scripts/test` has started; none: it has not.
    pub(crate) async fn on_peer() -> Option<Self> {
        let url = env::var("OPSCTL_TEST_POSTGRES").ok()?;
        let authority = PathBuf::from(env::var_os("OPSCTL_TEST_POSTGRES_CA")?);
        let connection = PgConnection::connect(&url).await.expect("connected");
        let schema = format!("transfers_{}_{}", std::process::id(), fastrand::u32(..));
        let mut transfers = Self { connection, schema, url, authority };
        let enter = format!("CREATE SCHEMA {0}; SET search_path TO {0}", transfers.schema);
        transfers.script(&enter).await;
        Some(transfers)
    }

    pub(crate) async fn fill(&mut self, seed: &Seed) {
        let Seed { rows, pending, failed, age } = seed;
        let step = age.as_secs_f64() / *rows as f64;
        self.script(&format!(
            "CREATE TABLE outbox_transfers (id bigint PRIMARY KEY, eventtype text NOT NULL, payload jsonb NOT NULL, state text NOT NULL,
                attempts int NOT NULL DEFAULT 0, lasterror text, next_attempt timestamptz, createdat timestamptz NOT NULL, updatedat timestamptz);
             CREATE TABLE sent (place bigserial PRIMARY KEY, id bigint NOT NULL);
             INSERT INTO outbox_transfers (id, eventtype, payload, state, attempts, lasterror, createdat)
             SELECT n, 'transfer.settled', jsonb_build_object('envelope', jsonb_build_object('eventId', n::text), 'key', jsonb_build_object('transferId', n % 9000)),
                CASE WHEN n > {rows} - {pending} THEN 'PENDING' WHEN n <= {failed} THEN 'FAILED' ELSE 'SENT' END,
                CASE WHEN n <= {failed} THEN 10 ELSE 0 END, CASE WHEN n <= {failed} THEN 'timeout after ' || n || ' ms' END,
                now() - ({rows} - n) * {step} * interval '1 second' FROM generate_series(1, {rows}) n;
             ANALYZE outbox_transfers;"
        ))
        .await;
    }

    /// The indexes of a table that is looked after: of what waits, and of what has failed.
    pub(crate) async fn index(&mut self) {
        self.script(
            "CREATE INDEX ON outbox_transfers (createdat, id) WHERE state = 'PENDING';
             CREATE INDEX ON outbox_transfers (createdat, id) WHERE state = 'FAILED'; VACUUM ANALYZE outbox_transfers",
        )
        .await;
    }

    /// Statements one by one, none in a transaction.
    pub(crate) async fn script(&mut self, sql: &str) {
        for statement in sql.split(';').filter(|statement| !statement.trim().is_empty()) {
            let ran = self.connection.execute(AssertSqlSafe(statement.to_owned())).await;
            ran.unwrap_or_else(|error| panic!("{error}\n{statement}"));
        }
    }

    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        let row = self.connection.fetch_one(AssertSqlSafe(sql.to_owned())).await;
        row.unwrap_or_else(|error| panic!("{error}\n{sql}")).get(0)
    }

    pub(crate) async fn in_state(&mut self, state: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM outbox_transfers WHERE state = '{state}'")).await
    }

    /// The connection and the outbox, as a person would configure them.
    pub(crate) fn rules(&self) -> DatabaseRules {
        let (_, rest) = self.url.split_once('@').expect("a login");
        let (address, database) = rest.split_once('/').expect("a database");
        let (host, port) = address.split_once(':').expect("a port");
        let connection = Connection {
            name: "test".to_owned(),
            place: Place::Host { host: host.to_owned(), port: Some(port.parse().expect("a port")) },
            user: Some("opsctl".to_owned()),
            password: Password::Variable("OPSCTL_TEST_DATABASE_PASSWORD".to_owned()),
            database: Some(database.to_owned()),
            tls: Some(Tls::VerifyFull),
            ca_file: Some(self.authority.clone()),
            dialect: Some(Dialect::Postgres),
        };
        let preset = preset("outbox-transfers").expect("a preset");
        let table = TableName { schema: Some(self.schema.clone()), name: "outbox_transfers".to_owned() };
        let mapping = preset.mapping_for(&table);
        let outbox = Outbox { mapping, fifo: false, ..preset.outbox(NAME, "test", Relaying::Unknown) };
        DatabaseRules { connections: vec![connection], outboxes: vec![outbox], ..DatabaseRules::default() }
    }

    /// Starts a relay, which works until it is stopped.
    pub(crate) fn relay(&self) -> Relay {
        let stop = CancellationToken::new();
        let (told, url, schema) = (stop.clone(), self.url.clone(), self.schema.clone());
        let task = tokio::spawn(async move {
            let mut connection = PgConnection::connect(&url).await.expect("connected");
            let enter = format!("SET search_path TO {schema}");
            connection.execute(AssertSqlSafe(enter)).await.expect("entered");
            let mut sent = 0;
            while !told.is_cancelled() {
                let rows = publish(&mut connection).await;
                sent += rows;
                if rows == 0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            sent
        });
        Relay { stop, task }
    }

    pub(crate) async fn end(mut self) {
        let drop = format!("DROP SCHEMA {} CASCADE", self.schema);
        self.script(&drop).await;
    }
}

pub(crate) struct Relay {
    stop: CancellationToken,
    task: JoinHandle<u64>,
}

impl Relay {
    /// Answers how many rows it has sent.
    pub(crate) async fn stop(self) -> u64 {
        self.stop.cancel();
        self.task.await.expect("it works")
    }
}

/// The oldest rows that are due and that nobody has locked: sent, in one transaction. Answers how many.
async fn publish(connection: &mut PgConnection) -> u64 {
    let batch = format!(
        "WITH due AS (SELECT id FROM outbox_transfers WHERE state = 'PENDING' AND (next_attempt IS NULL OR next_attempt <= now()) \
            ORDER BY createdat, id LIMIT {BATCH} FOR UPDATE SKIP LOCKED), \
         done AS (UPDATE outbox_transfers t SET state = 'SENT', attempts = attempts + 1 FROM due WHERE t.id = due.id RETURNING t.id) \
         INSERT INTO sent (id) SELECT id FROM done"
    );
    connection.execute(AssertSqlSafe(batch)).await.expect("published").rows_affected()
}
