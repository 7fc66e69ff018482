//! The doctor's look at outboxes, with logins that may do little.

use std::{sync::Arc, time::Duration};

use opsctl::{
    cloud::{Connect, Dial, endpoint::Session},
    doctor::{self, Check, Finding, Surroundings, Verdict},
    domain::{Bounds, Connection, Dialect, Outbox, Protection, Relay, Statement, TableName},
    outboxes::preset,
};

use super::{SET, Server, servers, sessions::session};
use crate::support::stage::Stage;

const PASSWORD: &str = "only-for-tests";
const LONG: Bounds = Bounds { statement: Duration::from_secs(120), ..Bounds::LOOK };
const TABLE: &str = "outbox_transfers";

/// A schema with an outbox's table, and a login that may look at nothing yet.
struct Ground {
    server: Server,
    admin: Session,
    schema: String,
    login: String,
}

impl Ground {
    async fn new(server: Server, name: &str) -> Self {
        let admin = session(&server).await;
        let schema = format!("doctor_{name}_{}", std::process::id());
        let login = format!("few_{name}_{}", std::process::id());
        let mut ground = Self { server, admin, schema, login };
        let is_postgres = ground.is_postgres();
        let (id, time) = if is_postgres { ("bigint", "timestamptz") } else { ("bigint", "timestamp NULL") };
        let user = match is_postgres {
            true => format!("CREATE ROLE {} LOGIN PASSWORD '{PASSWORD}'", ground.login),
            false => format!("CREATE USER {} IDENTIFIED BY '{PASSWORD}'", ground.login),
        };
        let table = format!(
            "CREATE TABLE {}.{TABLE} (id {id} PRIMARY KEY, eventtype varchar(80), payload json, state varchar(20), \
             attempts int, lasterror text, next_attempt {time}, createdat {time}, updatedat {time})",
            ground.schema
        );
        let schema = format!("CREATE SCHEMA {}", ground.schema);
        ground.run(&[&schema, &user, &table]).await;
        if is_postgres {
            let usage = format!("GRANT USAGE ON SCHEMA {} TO {}", ground.schema, ground.login);
            ground.run(&[&usage]).await;
        }
        ground
    }

    fn is_postgres(&self) -> bool {
        self.server.dialect == Dialect::Postgres
    }

    async fn run(&mut self, statements: &[&str]) {
        let statements: Vec<Statement> = statements.iter().map(|text| (*text).into()).collect();
        self.admin.change(&statements, LONG).await.unwrap_or_else(|error| panic!("{error}: {statements:?}"));
    }

    async fn grant(&mut self, what: &str) {
        let sql = format!("GRANT {what} ON {}.{TABLE} TO {}", self.schema, self.login);
        self.run(&[&sql]).await;
    }

    /// What the doctor says of the outbox, asked with the login of few grants.
    async fn look(&self) -> Vec<Finding> {
        let stage = Stage::new(Protection::Confirm, &[]);
        let mut environment = stage.environment.clone();
        let connection = self.server.connection();
        // A login of MySQL may enter no database where it may do nothing.
        let database = connection.database.clone().filter(|_| self.is_postgres());
        let connection = Connection { user: Some(self.login.clone()), database, ..connection };
        let table = TableName { schema: Some(self.schema.clone()), name: TABLE.to_owned() };
        let outbox = Outbox {
            name: "transfers".to_owned(),
            connection: connection.name.clone(),
            preset: Some("outbox-transfers".to_owned()),
            mapping: preset("outbox-transfers").expect("a preset").mapping_for(&table),
            relay: Relay::Unknown,
            fifo: true,
            lag_seconds: 300,
        };
        environment.databases.connections = vec![connection];
        environment.databases.outboxes = vec![outbox];
        let connect = Connect::through(stage.sandbox.clock(), stage.sandbox.http_client()).dialing(Dial::Network);
        let findings = doctor::examine(&Arc::new(environment), &connect, &Surroundings::default()).await;
        findings.into_iter().filter(|finding| finding.check == Check::Outbox).collect()
    }

    async fn end(mut self) {
        let (schema, login) = (&self.schema, &self.login);
        let drops = match self.is_postgres() {
            true => vec![format!("DROP SCHEMA {schema} CASCADE"), format!("DROP ROLE {login}")],
            false => vec![format!("DROP SCHEMA {schema}"), format!("DROP USER {login}")],
        };
        let drops: Vec<&str> = drops.iter().map(String::as_str).collect();
        self.run(&drops).await;
        self.admin.close().await;
    }
}

fn told(finding: &Finding) -> String {
    let text = |text: &Option<opsctl::domain::Text>| text.as_ref().map_or(String::new(), ToString::to_string);
    format!("{} {} | {} | {}", finding.verdict, finding.what, text(&finding.because), text(&finding.try_))
}

/// The one finding.
fn only(findings: &[Finding]) -> (Verdict, String) {
    let [one] = findings else { panic!("{findings:?}") };
    (one.verdict, told(one))
}

#[tokio::test]
async fn the_doctor_tells_which_columns_a_login_may_not_use() {
    let _writable = SET.read().await;
    for server in servers() {
        let mut ground = Ground::new(server, "grants").await;
        let (verdict, words) = only(&ground.look().await);
        assert_eq!(verdict, Verdict::Problem, "{words}");
        assert!(!words.contains(PASSWORD), "{words}");
        ground.grant("SELECT (id, state, attempts, createdat, next_attempt, eventtype, lasterror)").await;
        let (verdict, words) = only(&ground.look().await);
        assert_eq!(verdict, Verdict::Problem, "{words}");
        assert!(words.contains("payload"), "{words}");
        ground.grant("SELECT").await;
        ground.grant("UPDATE (state, attempts)").await;
        let (verdict, words) = only(&ground.look().await);
        assert_eq!(verdict, Verdict::Warning, "{words}");
        assert!(words.contains("may not write lasterror, next_attempt"), "{words}");
        let grant = if ground.is_postgres() {
            "GRANT UPDATE (\"lasterror\", \"next_attempt\") ON "
        } else {
            "GRANT UPDATE (`lasterror`, `next_attempt`) ON "
        };
        assert!(words.contains(grant), "{words}");
        ground.grant("UPDATE (lasterror, next_attempt)").await;
        let (verdict, words) = only(&ground.look().await);
        assert_eq!(verdict, Verdict::Ok, "{words}");
        let timeout = if ground.is_postgres() { "statement_timeout 5s" } else { "max_statement_time (s) 5" };
        let own = "a park of waiting rows may set state, lasterror";
        for part in ["a replay may set state, attempts, lasterror, next_attempt", timeout, own, "never released"] {
            assert!(words.contains(part), "{part}: {words}");
        }
        let leave = "failed rows can't be parked: GRANT DELETE, INSERT ON ";
        assert!(words.contains(leave) && words.contains("; GRANT CREATE"), "{words}");
        ground.grant("DELETE, INSERT").await;
        let create = match ground.is_postgres() {
            true => format!("GRANT CREATE ON SCHEMA {} TO {}", ground.schema, ground.login),
            false => format!("GRANT CREATE ON {}.* TO {}", ground.schema, ground.login),
        };
        ground.run(&[&create]).await;
        let (verdict, words) = only(&ground.look().await);
        assert_eq!(verdict, Verdict::Ok, "{words}");
        assert!(words.contains("a park of failed rows moves them to "), "{words}");
        let rename = format!("ALTER TABLE {}.{TABLE} RENAME COLUMN state TO states", ground.schema);
        ground.run(&[&rename]).await;
        let (verdict, words) = only(&ground.look().await);
        assert_eq!(verdict, Verdict::Problem, "{words}");
        assert!(words.contains("has no column state; did you mean states?"), "{words}");
        ground.end().await;
    }
}

#[tokio::test]
async fn the_doctor_tells_that_rows_are_hidden() {
    let _writable = SET.read().await;
    let Some(server) = Server::postgres() else { return };
    let mut ground = Ground::new(server, "hidden").await;
    ground.grant("SELECT, UPDATE").await;
    assert_eq!(only(&ground.look().await).0, Verdict::Ok);
    let table = format!("{}.{TABLE}", ground.schema);
    let insert = format!("INSERT INTO {table} (id, state, payload) VALUES (1, 'PENDING', '{{}}')");
    let secure = format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY");
    ground.run(&[&insert, &secure]).await;
    let (verdict, words) = only(&ground.look().await);
    assert_eq!(verdict, Verdict::Warning, "{words}");
    for part in ["row level security of", &ground.login, "not allowed to see", "BYPASSRLS"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    ground.end().await;
}

#[tokio::test]
async fn the_doctor_names_the_index_that_a_large_table_lacks() {
    let _writable = SET.read().await;
    for server in servers() {
        let mut ground = Ground::new(server, "index").await;
        ground.grant("SELECT, UPDATE").await;
        let table = format!("{}.{TABLE}", ground.schema);
        let columns = "(id, eventtype, payload, state, attempts, createdat)";
        let filler = "x".repeat(60);
        let (rows, payload) = match ground.is_postgres() {
            true => ("generate_series(1, 1300000) n (n)", "NULL"),
            false => ("seq_1_to_400000 AS s", "NULL"),
        };
        let number = if ground.is_postgres() { "n" } else { "seq" };
        let insert = format!(
            "INSERT INTO {table} {columns} SELECT {number}, '{filler}', {payload}, \
             CASE WHEN {number} % 50 = 0 THEN 'PENDING' ELSE 'SENT' END, 0, now() FROM {rows}"
        );
        let analyze = if ground.is_postgres() { format!("ANALYZE {table}") } else { format!("ANALYZE TABLE {table}") };
        ground.run(&[&insert]).await;
        ground.run(&[&analyze]).await;
        let (verdict, words) = only(&ground.look().await);
        assert_eq!(verdict, Verdict::Warning, "{words}");
        assert!(words.contains("no index of"), "{words}");
        let create = if ground.is_postgres() { "CREATE INDEX CONCURRENTLY" } else { "CREATE INDEX" };
        assert!(words.contains(create), "{words}");
        let index = words.rsplit(" | ").next().expect("a hint").replace("CONCURRENTLY ", "");
        ground.run(&[&index]).await;
        ground.run(&[&analyze]).await;
        let (verdict, words) = only(&ground.look().await);
        assert_eq!(verdict, Verdict::Ok, "{words}");
        ground.end().await;
    }
}
