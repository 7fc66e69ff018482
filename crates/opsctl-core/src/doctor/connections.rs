//! Whether each configured connection to a database works: login, TLS, server, and the bounds that it really has.
//!
//! One that has paused, or may have, is not connected to: that would wake it.

use futures_util::future::join_all;

use super::findings::{Check, Findings, Verdict};
use crate::{
    cloud::{Cloud, endpoint::Session},
    databases::{PauseState, pause_state_now},
    domain::{Because, Bounds, Connection, Dialect, Rows, SqlError, Text, Try, Unanswered, Value},
};

/// One connection's line: a verdict, what, because, try.
pub(super) struct Line {
    pub(super) verdict: Verdict,
    pub(super) what: String,
    pub(super) because: String,
    hint: &'static str,
}

/// Adds a finding for each connection.
pub(super) async fn check(findings: &mut Findings, cloud: &Cloud) {
    let environment = std::sync::Arc::clone(&findings.environment);
    let lines = join_all(environment.databases.connections.iter().map(|connection| look(cloud, connection))).await;
    for line in lines {
        match line.verdict {
            Verdict::Ok => findings.ok(Check::Connection, &line.what),
            verdict => {
                findings.add(Check::Connection, verdict, &line.what, &line.because, Try::MendDatabase.says(line.hint))
            }
        }
    }
}

async fn look(cloud: &Cloud, connection: &Connection) -> Line {
    let mut session = match open(cloud, connection).await {
        Ok(session) => session,
        Err(line) => return line,
    };
    let bounds = bounds(&mut session).await;
    let line = works(connection, &session, bounds);
    session.close().await;
    line
}

/// A session, where opening it wakes nothing.
pub(super) async fn open(cloud: &Cloud, connection: &Connection) -> Result<Session, Line> {
    let name = Text::line(&connection.name);
    let target = match cloud.endpoints.target(connection).await {
        Ok(target) => target,
        Err(error) => return Err(broken(connection, &error)),
    };
    let line = |what: &str, because: String, hint| Line {
        verdict: Verdict::Skipped,
        what: format!("{name}: {what}"),
        because,
        hint,
    };
    match pause_state_now(cloud, &target).await {
        Ok(PauseState::Awake) => {}
        Ok(PauseState::Paused { at }) => {
            return Err(line(
                "paused",
                format!("it had paused at {at}, and a connection would wake it"),
                "look again once it runs",
            ));
        }
        Ok(PauseState::Unknown) => {
            let because = "it may have paused, and a connection would wake it".to_owned();
            return Err(line(
                "not connected to",
                because,
                "allow cloudwatch:GetMetricData, and check the name of the endpoint",
            ));
        }
        // Outside AWS there may be no RDS to ask, and nothing that pauses.
        Err(_) if cloud.environment().endpoint.is_some() => {}
        Err(error) => {
            return Err(line(
                "not connected to",
                format!("whether it has paused is not known: {error}"),
                "allow rds:DescribeDBClusters",
            ));
        }
    }
    cloud.endpoints.session(connection).await.map_err(|error| broken(connection, &error))
}

fn works(connection: &Connection, session: &Session, bounds: Result<String, SqlError>) -> Line {
    let server = session.server();
    let said = |word: &str, text: &Text| if text.is_empty() { String::new() } else { format!(", {word} {text}") };
    let who = format!(
        "{}: {}{}{}, {}",
        Text::line(&connection.name),
        server.words(),
        said("database", &server.database),
        said("login", &server.user),
        connection.words()
    );
    let unbounded = "the server does not apply the bounds that opsctl asks for";
    match bounds {
        Ok(_) if server.reads_only => Line {
            verdict: Verdict::Warning,
            what: format!("{who}; only reads"),
            because: "nothing can be changed there".to_owned(),
            hint: "name the endpoint that takes writes, if something is to be changed",
        },
        Ok(bounds) => {
            Line { verdict: Verdict::Ok, what: format!("{who}; writes; {bounds}"), because: String::new(), hint: "" }
        }
        Err(error) => Line {
            verdict: Verdict::Problem,
            what: format!("{who}; {unbounded}"),
            because: error.to_string(),
            hint: "check the login's rights and the server's version",
        },
    }
}

fn broken(connection: &Connection, error: &Unanswered) -> Line {
    let hint = match error.because {
        Because::Refused => "check host and port, and that the server runs",
        Because::TimedOut => "check the way there: VPN, security group, subnet",
        Because::Unresolved => "check the name, and whether it is known outside its VPC",
        Because::Broken => "look again; if it stays so, look at the server's log",
        Because::Login => "check the user, where the password is found, the database, and the login's rights",
        Because::Tls => "name the server's authority as `ca_file`, and the host as its certificate has it",
        Because::Sql => "check the login's rights",
    };
    Line {
        verdict: Verdict::Problem,
        what: format!("{}: {} can't be connected to", Text::line(&connection.name), connection.words()),
        because: error.to_string(),
        hint,
    }
}

/// The timeouts as the server has them in a transaction of ours.
pub(super) async fn bounds(session: &mut Session) -> Result<String, SqlError> {
    let (sql, names) = match session.dialect() {
        Dialect::Postgres => (
            "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')",
            ["statement_timeout", "lock_timeout"],
        ),
        Dialect::Mysql if session.server().is_mariadb() => (
            "SELECT @@max_statement_time, @@innodb_lock_wait_timeout",
            ["max_statement_time (s)", "innodb_lock_wait_timeout (s)"],
        ),
        Dialect::Mysql => (
            "SELECT @@max_execution_time, @@innodb_lock_wait_timeout",
            ["max_execution_time (ms)", "innodb_lock_wait_timeout (s)"],
        ),
        // It runs in this process.
        Dialect::Sqlite => return Ok("no timeouts".to_owned()),
    };
    let answers = session.read(&[sql.into()], Bounds::LOOK).await?;
    let row = answers.first().and_then(|Rows { rows, .. }| rows.first()).map_or(&[][..], Vec::as_slice);
    let said: Vec<String> = names.iter().zip(row).map(|(name, value)| format!("{name} {}", shown(value))).collect();
    Ok(said.join(", "))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "unknown".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => Text::line(text).to_string(),
        Value::Bytes(_) => "bytes".to_owned(),
    }
}
