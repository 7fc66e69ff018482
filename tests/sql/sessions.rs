//! Sessions on both servers: what one says of its server, reads, changes, and what fails in which way.

use std::time::{Duration, Instant};

use opsctl::{
    cloud::endpoint::Session,
    domain::{Bounds, Connection, Dialect, Place, Rows, SqlError, SqlKind, Statement, Tls, Value},
};

use super::{Because, PASSWORD, Password, SET, Server, Unanswered, cloud, servers};

const QUICK: Bounds =
    Bounds { statement: Duration::from_secs(2), lock: Duration::from_secs(1), rows_max: 100, bytes_max: 100_000 };

pub(super) async fn open(connection: &Connection) -> Result<Session, Unanswered> {
    cloud().await.endpoints.session(connection).await
}

pub(super) async fn session(server: &Server) -> Session {
    open(&server.connection()).await.expect("a session")
}

pub(super) fn statement(text: &str, values: &[Value]) -> Statement {
    Statement { text: text.to_owned(), values: values.to_vec() }
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// The placeholders as the dialect has them: `?` becomes `$1`, `$2`, ...
pub(super) fn placed(dialect: Dialect, sql: &str) -> String {
    if dialect == Dialect::Mysql {
        return sql.to_owned();
    }
    let mut parts = sql.split('?');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.enumerate().fold(first, |text, (index, part)| format!("{text}${}{part}", index + 1))
}

/// A table of its own for a test, with three rows.
async fn table(session: &mut Session, name: &str) -> String {
    let kind = if session.dialect() == Dialect::Mysql { "ENGINE=InnoDB" } else { "" };
    let statements = [
        format!("DROP TABLE IF EXISTS {name}"),
        format!("CREATE TABLE {name} (id int PRIMARY KEY, status varchar(20) NOT NULL CHECK (status <> 'BAD')) {kind}"),
        format!("INSERT INTO {name} VALUES (1, 'PENDING'), (2, 'PENDING'), (3, 'SENT')"),
    ];
    let statements: Vec<Statement> = statements.iter().map(|text| text.as_str().into()).collect();
    session.change(&statements, QUICK).await.expect("a table");
    name.to_owned()
}

async fn states(session: &mut Session, table: &str) -> Vec<Value> {
    let sql = format!("SELECT status FROM {table} ORDER BY id");
    let rows = session.read(&[sql.as_str().into()], QUICK).await.expect("rows");
    rows[0].rows.iter().map(|row| row[0].clone()).collect()
}

fn kind<T: std::fmt::Debug>(answer: Result<T, SqlError>) -> SqlKind {
    answer.expect_err("refused").kind
}

#[tokio::test]
async fn a_server_says_who_it_is_and_a_standby_has_the_same_data() {
    let mut seen = Vec::new();
    for server in servers() {
        let session = session(&server).await;
        let said = session.server().clone();
        session.close().await;
        assert_eq!(said.dialect, server.dialect);
        assert!(!said.reads_only && !said.identity.is_empty() && said.skips_locked(), "{said:?}");
        assert_eq!(said.database.as_str(), server.check.database.as_deref().expect("one"));
        assert!(said.user.as_str().starts_with("opsctl"), "{said:?}");
        assert!(said.version[0] >= 10, "{said:?}");
        assert_eq!(said.is_mariadb(), server.dialect == Dialect::Mysql);
        assert!(said.address.as_ref().expect("one").as_str().ends_with(&server.endpoint.port.to_string()), "{said:?}");
        seen.push(said);
    }
    if let (Some(standby), Some(primary)) = (Server::standby(), seen.first()) {
        let session = session(&standby).await;
        let said = session.server();
        assert!(said.reads_only && said.is_same_as(primary), "{said:?}");
        assert_ne!(said.address, primary.address);
    }
    if let [one, other] = seen.as_slice() {
        assert!(!one.is_same_as(other));
    }
}

#[tokio::test]
async fn a_change_is_committed_whole_or_not_at_all() {
    let _writable = SET.read().await;
    for server in servers() {
        let mut session = session(&server).await;
        let table = table(&mut session, "session_change").await;
        let update = placed(server.dialect, &format!("UPDATE {table} SET status = ? WHERE status = ? AND id = ?"));
        let one = |id| statement(&update, &[text("SENT"), text("PENDING"), Value::Integer(id)]);
        let changed = session.change(&[one(1), one(3)], QUICK).await.expect("committed");
        assert_eq!(changed.iter().map(|rows| rows.changed).collect::<Vec<_>>(), [1, 0], "the guard held for the third");
        let bad = statement(&update, &[text("BAD"), text("SENT"), Value::Integer(3)]);
        assert_eq!(kind(session.change(&[one(2), bad], QUICK).await), SqlKind::Constraint);
        assert_eq!(states(&mut session, &table).await, [text("SENT"), text("PENDING"), text("SENT")]);
        session.close().await;
    }
}

#[tokio::test]
async fn rows_that_are_locked_are_skipped_and_the_others_decide_what_is_changed() {
    let _writable = SET.read().await;
    for server in servers() {
        let mut session = session(&server).await;
        let table = table(&mut session, "session_skip").await;
        let mut relay = self::session(&server).await;
        let mut theirs = relay.begin(QUICK).await.expect("begun");
        let lock = format!("SELECT id FROM {table} WHERE id = 1 FOR UPDATE");
        theirs.run(&lock.as_str().into()).await.expect("locked");

        let mut ours = session.begin(QUICK).await.expect("begun");
        let pick = placed(
            server.dialect,
            &format!("SELECT id FROM {table} WHERE status = ? ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED"),
        );
        let picked = ours.run(&statement(&pick, &[text("PENDING"), Value::Integer(10)])).await.expect("rows");
        assert_eq!(
            (picked.columns.as_slice(), picked.rows.as_slice()),
            (&["id".to_owned()][..], &[vec![Value::Integer(2)]][..])
        );
        let update = placed(server.dialect, &format!("UPDATE {table} SET status = 'SENT' WHERE id = ?"));
        assert_eq!(ours.run(&statement(&update, &picked.rows[0])).await.map(|rows| rows.changed), Ok(1));
        ours.commit().await.expect("committed");
        theirs.rollback().await;
        assert_eq!(states(&mut session, &table).await, [text("PENDING"), text("SENT"), text("SENT")]);
    }
}

#[tokio::test]
async fn what_is_dropped_or_rolled_back_leaves_nothing() {
    let _writable = SET.read().await;
    for server in servers() {
        let mut session = session(&server).await;
        let table = table(&mut session, "session_dropped").await;
        let update = format!("UPDATE {table} SET status = 'SENT'");
        let mut transaction = session.begin(QUICK).await.expect("begun");
        transaction.run(&update.as_str().into()).await.expect("changed");
        transaction.rollback().await;
        assert_eq!(states(&mut session, &table).await[0], text("PENDING"));

        let mut transaction = session.begin(QUICK).await.expect("begun");
        transaction.run(&update.as_str().into()).await.expect("changed");
        drop(transaction);
        assert_eq!(kind(session.begin(QUICK).await), SqlKind::Lost, "the session is over");
        let mut another = self::session(&server).await;
        assert_eq!(states(&mut another, &table).await[0], text("PENDING"));
    }
}

#[tokio::test]
async fn a_read_changes_nothing_and_sees_one_state() {
    let _writable = SET.read().await;
    for server in servers() {
        let mut session = session(&server).await;
        let table = table(&mut session, "session_read").await;
        let update = format!("UPDATE {table} SET status = 'SENT'");
        assert_eq!(kind(session.read(&[update.as_str().into()], QUICK).await), SqlKind::ReadOnly);
        let lock = format!("SELECT id FROM {table} FOR UPDATE SKIP LOCKED");
        let locked = session.read(&[lock.as_str().into()], QUICK).await;
        assert!(server.dialect == Dialect::Mysql || kind(locked) == SqlKind::ReadOnly);
        let all = format!("SELECT count(*) FROM {table}");
        let rows = session.read(&[all.as_str().into(), all.as_str().into()], QUICK).await.expect("rows");
        assert_eq!(
            rows.iter().map(|rows| rows.rows[0][0].clone()).collect::<Vec<_>>(),
            [Value::Integer(3), Value::Integer(3)]
        );
    }
    if let Some(standby) = Server::standby() {
        let mut session = session(&standby).await;
        let one: Statement = "SELECT 1".into();
        assert_eq!(session.read(&[one], QUICK).await.expect("rows")[0].rows, [[Value::Integer(1)]]);
        assert_eq!(kind(session.change(&["CREATE TABLE left_behind (id int)".into()], QUICK).await), SqlKind::ReadOnly);
    }
}

#[tokio::test]
async fn failures_are_told_apart() {
    let _writable = SET.read().await;
    for server in servers() {
        let mut session = session(&server).await;
        let table = table(&mut session, "session_failures").await;
        let sleep = if server.dialect == Dialect::Mysql {
            "SELECT sleep(60) FROM information_schema.tables"
        } else {
            "SELECT pg_sleep(60)"
        };
        let expected = [
            (format!("SELECT id FROM {table}_none"), SqlKind::NoTable),
            (format!("SELECT nothing FROM {table}"), SqlKind::NoColumn),
            ("SELEC 1".to_owned(), SqlKind::Other),
            (sleep.to_owned(), SqlKind::StatementTimeout),
        ];
        for (sql, what) in expected {
            let started = Instant::now();
            assert_eq!(kind(session.read(&[sql.as_str().into()], QUICK).await), what, "{sql}");
            assert!(started.elapsed() < Duration::from_secs(4), "{sql}: {:?}", started.elapsed());
        }
        let insert = placed(server.dialect, &format!("INSERT INTO {table} VALUES (?, ?)"));
        let insert = statement(&insert, &[Value::Integer(1), text("x")]);
        assert_eq!(kind(session.change(&[insert], QUICK).await), SqlKind::Constraint);
        assert_eq!(states(&mut session, &table).await.len(), 3, "the session goes on after each of them");
    }
}

#[tokio::test]
async fn a_lock_is_not_waited_for_long() {
    let _writable = SET.read().await;
    for server in servers() {
        let mut session = session(&server).await;
        let table = table(&mut session, "session_lock").await;
        let mut other = self::session(&server).await;
        let mut theirs = other.begin(QUICK).await.expect("begun");
        let update = format!("UPDATE {table} SET status = 'SENT' WHERE id = 1");
        theirs.run(&update.as_str().into()).await.expect("locked");
        let started = Instant::now();
        let answer =
            session.change(&[update.as_str().into()], Bounds { statement: Duration::from_secs(8), ..QUICK }).await;
        assert_eq!(kind(answer), SqlKind::LockTimeout);
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
        theirs.rollback().await;
    }
}

#[tokio::test]
async fn more_than_was_asked_for_ends_the_session() {
    for server in servers() {
        let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i, 'abcdefghij' FROM n";
        for bounds in [QUICK, Bounds { rows_max: 1_000, bytes_max: 1_000, ..QUICK }] {
            let mut session = session(&server).await;
            assert_eq!(kind(session.read(&[many.into()], bounds).await), SqlKind::TooLarge);
            assert_eq!(kind(session.read(&["SELECT 1".into()], QUICK).await), SqlKind::Lost);
        }
        let mut session = session(&server).await;
        let enough = Bounds { rows_max: 500, ..QUICK };
        assert_eq!(session.read(&[many.into()], enough).await.map(|rows| rows[0].rows.len()), Ok(500));
    }
}

#[tokio::test]
async fn logins_that_fail_say_why_without_the_password() {
    let _writable = SET.read().await;
    let password = std::env::var(PASSWORD).unwrap_or_default();
    for server in servers() {
        type Change = fn(&mut Connection);
        let cases: [(&str, Change, Because); 6] = [
            ("user", |it| it.user = Some("nobody".to_owned()), Because::Login),
            ("password", |it| it.password = Password::Variable("PATH".to_owned()), Because::Login),
            ("variable", |it| it.password = Password::Variable("NOT_SET_HERE".to_owned()), Because::Login),
            ("database", |it| it.database = Some("not_there".to_owned()), Because::Login),
            ("authority", |it| it.ca_file = None, Because::Tls),
            ("port", |it| it.place = Place::Host { host: "127.0.0.1".to_owned(), port: Some(1) }, Because::Refused),
        ];
        for (what, change, because) in cases {
            let mut connection = server.connection();
            change(&mut connection);
            let error = open(&connection).await.expect_err(what);
            assert_eq!(error.because, because, "{:?} {what}: {error:?}", server.dialect);
            assert!(!error.words.as_str().contains(&password), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_url_in_a_file_or_a_variable_is_all_that_is_needed() {
    let _writable = SET.read().await;
    for (server, variable) in [(Server::postgres(), "OPSCTL_TEST_POSTGRES"), (Server::mariadb(), "OPSCTL_TEST_MARIADB")]
    {
        let Some(server) = server else { continue };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("url");
        std::fs::write(&path, std::env::var(variable).expect("set") + "\n").expect("written");
        for place in [Place::UrlFile(path), Place::UrlVariable(variable.to_owned())] {
            let connection = Connection {
                place,
                user: None,
                password: Password::None,
                database: None,
                tls: Some(Tls::VerifyFull),
                dialect: None,
                ..server.connection()
            };
            let session = open(&connection).await.expect("a session");
            assert_eq!(session.dialect(), server.dialect);
            session.close().await;
        }
        let nowhere = Connection { place: Place::UrlFile(folder.path().join("none")), ..server.connection() };
        let error = open(&nowhere).await.expect_err("no file");
        assert!(error.words.as_str().contains("can't be read"), "{error}");
    }
}

#[tokio::test]
async fn the_authorities_of_rds_are_read_and_are_not_those_of_another_server() {
    // Names of RDS lead nowhere here: so the file is what a name of RDS would be checked by.
    let Some(server) = Server::postgres() else { return };
    let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/opsctl-core/src/cloud/endpoint/rds-authorities.pem");
    let connection = Connection { ca_file: Some(bundle.into()), ..server.connection() };
    let error = open(&connection).await.expect_err("signed by another one");
    assert_eq!(error.because, Because::Tls);
    assert!(error.words.as_str().contains("UnknownIssuer"), "all of them were read: {error}");
}

#[tokio::test]
async fn the_servers_really_have_the_bounds_that_were_asked_for() {
    for server in servers() {
        let mut session = session(&server).await;
        let sql = match server.dialect {
            Dialect::Mysql => "SELECT CAST(@@max_statement_time AS CHAR), CAST(@@innodb_lock_wait_timeout AS CHAR)",
            Dialect::Postgres | Dialect::Sqlite => {
                "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
            }
        };
        let rows: Vec<Rows> = session.read(&[sql.into()], QUICK).await.expect("rows");
        let expected = match server.dialect {
            Dialect::Mysql => [text("2.000000"), text("1")],
            Dialect::Postgres | Dialect::Sqlite => [text("2s"), text("1s")],
        };
        assert_eq!(rows[0].rows, [expected]);
    }
}
