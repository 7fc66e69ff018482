//! An outbox in a schema of its own, configured as a person would, and runs on it as the program makes them.

use std::{path::PathBuf, sync::Arc};

use opsctl::{
    cloud::{Cloud, Connect, Dial},
    domain::{Connection, Dialect, Outbox, Password, Place, Protection, Relay, Rows, RunId, Statement, Tls, Value},
    operations::{Look, Operation, OperationError, Park, Planned, Planner, Replay},
    outboxes::preset,
    run::{self, Context, Report},
};

use super::super::server::Schema;
use crate::{served::peer, support::stage::Stage};

pub(super) const NAME: &str = "transfers";

pub(super) struct Desk {
    pub(super) schema: Schema,
    pub(super) stage: Stage,
    random: u64,
}

impl Desk {
    /// None: a skip.
    pub(super) async fn of(dialect: Dialect) -> Option<Self> {
        let mut schema = Schema::of(dialect).await?;
        schema.script(tables(dialect)).await;
        let mut stage = Stage::new(Protection::Confirm, &[]);
        stage.environment.databases.connections = vec![connection(dialect, &schema)?];
        let mapping = preset("outbox-transfers").expect("a preset").mapping_for(&schema.table("outbox_transfers"));
        let preset = Some("outbox-transfers".to_owned());
        stage.environment.databases.outboxes = vec![Outbox {
            name: NAME.to_owned(),
            connection: "test".to_owned(),
            preset,
            mapping,
            relay: Relay::Unknown,
            fifo: true,
            lag_seconds: 300,
        }];
        Some(Self { schema, stage, random: 1 })
    }

    /// One for each server that is there.
    pub(super) async fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for dialect in [Dialect::Postgres, Dialect::Mysql] {
            all.extend(Self::of(dialect).await);
        }
        all
    }

    pub(super) async fn cloud(&self) -> Cloud {
        let stage = &self.stage;
        let connect = Connect::through(stage.sandbox.clock(), stage.sandbox.http_client()).dialing(Dial::Network);
        connect.cloud(Arc::new(stage.environment.clone())).await.expect("clients")
    }

    pub(super) async fn plan(&mut self, operation: &Operation) -> Result<Planned, OperationError> {
        self.random += 1;
        let planner = Planner::new(self.stage.folder(), self.random, Look::Sample);
        planner.plan(operation, &self.cloud().await).await
    }

    pub(super) async fn context(&mut self) -> Context {
        self.random += 1;
        Context { cloud: self.cloud().await, random: self.random, ..self.stage.context().await }
    }

    /// Plans, approves, runs.
    pub(super) async fn run(&mut self, operation: &Operation) -> Report {
        let planned = self.plan(operation).await.unwrap_or_else(|error| panic!("{error}"));
        let approved = self.stage.approve(planned.plan).expect("approval");
        let context = self.context().await;
        run::execute(approved, &context).await
    }

    /// Begins a run, and drops it as soon as it has changed rows: as if the program were killed.
    pub(super) async fn interrupted(&mut self, operation: &Operation) -> RunId {
        let planned = self.plan(operation).await.unwrap_or_else(|error| panic!("{error}"));
        let approved = self.stage.approve(planned.plan).expect("approval");
        let context = self.context().await;
        let run = tokio::spawn(async move { run::execute(approved, &context).await });
        let folder = self.stage.folder();
        for _ in 0..5_000 {
            let summary = folder.list().expect("runs").into_iter().next();
            let intents = summary.as_ref().map_or(0, |summary| {
                let journal = folder.open(&summary.run).expect("a run").journal();
                std::fs::read_to_string(journal).expect("text").matches("rows-intent").count()
            });
            if intents >= 3 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        run.abort();
        drop(run.await);
        let run = folder.list().expect("runs").remove(0).run;
        // What writes its journal ends a little later.
        for _ in 0..1_000 {
            if !folder.open(&run).expect("a run").is_busy() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        run
    }

    /// Resumes the newest run.
    pub(super) async fn resume(&mut self) -> Report {
        let run = self.stage.folder().list().expect("runs").first().expect("a run").run.clone();
        let plan = run::plan_of(&self.stage.folder(), &run).expect("a plan");
        let approved = self.stage.approve(plan).expect("approval");
        let context = self.context().await;
        run::resume(&run, approved, &context).await.expect("a journal")
    }

    /// Failed rows, the first the oldest, dealt out to groups one by one; the first so many of each hundred are poison.
    pub(super) async fn fill(&mut self, state: &str, rows: u32, groups: u32, poison: u32) {
        let (now, numbers, json) = match self.schema.dialect() {
            Dialect::Postgres => (
                "now() - (100000 - n) * interval '1 second'",
                format!("generate_series(1, {rows}) AS n"),
                format!(
                    "jsonb_build_object('envelope', jsonb_build_object('eventId', n::text), 'key', \
                     jsonb_build_object('transferId', 'g' || n % {groups}), 'poison', n % 100 < {poison})"
                ),
            ),
            Dialect::Mysql | Dialect::Sqlite => (
                "NOW(6) - INTERVAL (100000 - n) SECOND",
                format!("(SELECT seq AS n FROM seq_1_to_{rows}) AS s"),
                format!(
                    "json_object('envelope', json_object('eventId', CONCAT(n, '')), 'key', \
                     json_object('transferId', CONCAT('g', n % {groups})), 'poison', n % 100 < {poison})"
                ),
            ),
        };
        let id = if self.schema.dialect() == Dialect::Postgres { "gen_random_uuid()" } else { "UUID()" };
        let script = format!(
            "INSERT INTO outbox_transfers (id, number, eventtype, payload, state, attempts, lasterror, next_attempt, createdat) \
             SELECT {id}, n, 'transfer.settled', {json}, '{state}', 10, 'timeout after 3 s', {now}, {now} FROM {numbers}"
        );
        self.schema.script(&script).await;
    }

    /// Of a query that gives numbers.
    pub(super) async fn number(&mut self, sql: &str) -> i64 {
        let rows: Rows = self.schema.run(&Statement { text: sql.to_owned(), values: Vec::new() }).await;
        match rows.rows[0][0] {
            Value::Integer(number) => number,
            ref other => panic!("{sql}: {other:?}"),
        }
    }

    pub(super) async fn in_state(&mut self, state: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM outbox_transfers WHERE state = '{state}'")).await
    }

    /// A first statement for a server's own URL.
    pub(super) fn url(dialect: Dialect) -> String {
        let variable = if dialect == Dialect::Postgres { "OPSCTL_TEST_POSTGRES" } else { "OPSCTL_TEST_MARIADB" };
        peer(variable).expect("looked for before").into_string().expect("text")
    }
}

pub(super) fn replay() -> Replay {
    Replay { outbox: NAME.to_owned(), ..Replay::default() }
}

pub(super) fn park() -> Park {
    Park { outbox: NAME.to_owned(), ..Park::default() }
}

fn connection(dialect: Dialect, schema: &Schema) -> Option<Connection> {
    let authority = match dialect {
        Dialect::Postgres => peer("OPSCTL_TEST_POSTGRES_CA")?,
        Dialect::Mysql | Dialect::Sqlite => peer("OPSCTL_TEST_MARIADB_CA")?,
    };
    let url = Desk::url(dialect);
    let (_, rest) = url.split_once('@').expect("a login");
    let (address, database) = rest.split_once('/').expect("a database");
    let (host, port) = address.split_once(':').expect("a port");
    let database = if dialect == Dialect::Postgres { database } else { &schema.name };
    Some(Connection {
        name: "test".to_owned(),
        place: Place::Host { host: host.to_owned(), port: Some(port.parse().expect("a port")) },
        user: Some("opsctl".to_owned()),
        password: Password::Variable("OPSCTL_TEST_DATABASE_PASSWORD".to_owned()),
        database: Some(database.to_owned()),
        tls: Some(Tls::VerifyFull),
        ca_file: Some(PathBuf::from(authority)),
        dialect: Some(dialect),
    })
}

/// `number` says which row it is; `sent` has what was published, in order.
fn tables(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "CREATE TABLE outbox_transfers (id uuid PRIMARY KEY, number int NOT NULL, eventtype text NOT NULL, payload jsonb NOT NULL,
                state text NOT NULL, attempts int NOT NULL DEFAULT 0, lasterror text, next_attempt timestamptz,
                createdat timestamptz NOT NULL DEFAULT now(), updatedat timestamptz NOT NULL DEFAULT now());
            CREATE INDEX ON outbox_transfers (createdat) WHERE state = 'PENDING';
            CREATE TABLE sent (place bigserial PRIMARY KEY, number int NOT NULL);"
        }
        Dialect::Mysql | Dialect::Sqlite => {
            "CREATE TABLE outbox_transfers (id char(36) PRIMARY KEY, number int NOT NULL, eventtype varchar(255) NOT NULL, payload json NOT NULL,
                state varchar(20) NOT NULL, attempts int NOT NULL DEFAULT 0, lasterror text, next_attempt timestamp(6) NULL,
                createdat timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), updatedat timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
                KEY (state, createdat));
            CREATE TABLE sent (place bigint AUTO_INCREMENT PRIMARY KEY, number int NOT NULL);"
        }
    }
}
