//! Databases of a world by themselves: transactions of two sessions, bounds, and that nothing comes from the machine.

use super::*;
use crate::domain::{Rows, Value};

/// 2026-11-21 03:00:00.250, UTC.
const NOW: i64 = 1_795_230_000_250;

struct Scene(Databases);

impl Scene {
    fn new() -> Self {
        let mut databases = Databases::new(7);
        let contents: Contents =
            Arc::new(|writing| writing.run_all("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"));
        databases.declare(key("notes"), contents);
        Self(databases)
    }

    fn ask(&mut self, session: &str, text: &str, values: &[Value]) -> Result<Rows, Failure> {
        self.with(session, Access::Writes, text, values)
    }

    fn with(&mut self, session: &str, access: Access, text: &str, values: &[Value]) -> Result<Rows, Failure> {
        let parameters = Parameters::Placed(values);
        self.0.run_in(NOW, (session, &key("notes")), access, text, parameters).map(|ran| ran.rows)
    }

    fn does(&mut self, session: &str, text: &str) {
        self.ask(session, text, &[]).unwrap_or_else(|failure| panic!("{text}: {failure}"));
    }

    fn one(&mut self, session: &str, text: &str) -> Value {
        let rows = self.ask(session, text, &[]).unwrap_or_else(|failure| panic!("{text}: {failure}"));
        rows.rows[0][0].clone()
    }

    fn count(&mut self, session: &str) -> i64 {
        match self.one(session, "SELECT count(*) FROM note") {
            Value::Integer(count) => count,
            other => panic!("{other:?}"),
        }
    }
}

fn key(name: &str) -> Key {
    let [account, region, server] = ["111111111111", "af-south-1", "orders"].map(str::to_owned);
    Key { account, region, server, name: name.to_owned() }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn values_come_back_as_they_were_bound() {
    let mut scene = Scene::new();
    let values = [Value::Null, Value::Integer(-7), Value::Real(1.5), text("it's"), Value::Bytes(vec![0, 255])];
    let rows = scene.ask("a", "SELECT ?1 AS a, ? AS b, $3 AS c, ?4 AS d, ? AS e", &values).expect("rows");
    assert_eq!((rows.rows, rows.columns.join(" ")), (vec![values.to_vec()], "a b c d e".to_owned()));
    let refused = scene.ask("a", "SELECT ?, ?", &values[..1]).expect_err("one is missing");
    assert_eq!(refused.to_string(), "the statement has 2 parameters, and 1 values are given");
    let named = [("low".to_owned(), Value::Integer(2)), ("unused".to_owned(), Value::Null)];
    let ran = scene.0.run(NOW, &key("notes"), "SELECT :low + 1", Parameters::Named(&named)).expect("rows");
    assert_eq!(ran.rows.rows, [[Value::Integer(3)]]);
    assert!(scene.0.run(NOW, &key("notes"), "SELECT :high", Parameters::Named(&named)).is_err());
}

#[test]
fn a_transaction_is_seen_when_it_is_committed_and_holds_the_write_lock_from_its_first_change() {
    let mut scene = Scene::new();
    scene.does("a", "BEGIN");
    assert_eq!(scene.count("a"), 0);
    scene.does("b", "INSERT INTO note (text) VALUES ('of b')");
    assert_eq!(scene.count("a"), 1, "each statement reads what is committed by then");
    assert_eq!(
        scene.ask("a", "INSERT INTO note (text) VALUES ('of a'), ('of a')", &[]).map(|rows| rows.changed),
        Ok(2)
    );
    assert_eq!((scene.count("a"), scene.count("b")), (3, 1));
    assert_eq!(scene.ask("b", "DELETE FROM note", &[]), Err(Failure::Locked));
    scene.does("b", "BEGIN; ");
    assert_eq!(scene.ask("b", "DELETE FROM note", &[]), Err(Failure::Locked));
    assert_eq!((scene.count("b"), scene.count("c")), (1, 1), "nobody waits to read");
    scene.does("a", "COMMIT");
    assert_eq!(scene.ask("b", "DELETE FROM note", &[]).map(|rows| rows.changed), Ok(3));
    scene.does("b", "ROLLBACK");
    assert_eq!((scene.count("a"), scene.count("b")), (3, 3));
}

#[test]
fn what_ends_before_its_commit_is_undone() {
    let mut scene = Scene::new();
    scene.does("a", "BEGIN");
    scene.does("a", "INSERT INTO note (text) VALUES ('lost')");
    assert_eq!(scene.count("b"), 0);
    scene.0.end("a");
    assert_eq!(scene.count("b"), 0);
    scene.does("b", "INSERT INTO note (text) VALUES ('kept')");
    assert_eq!(scene.count("a"), 1);
}

#[test]
fn a_session_or_a_transaction_that_only_reads_changes_nothing() {
    let mut scene = Scene::new();
    let insert = "INSERT INTO note (text) VALUES ('x')";
    assert_eq!(scene.with("a", Access::ReadsOnly, insert, &[]), Err(Failure::ReadOnly));
    for begin in ["BEGIN READ ONLY", "START TRANSACTION READ ONLY"] {
        scene.does("a", begin);
        assert_eq!(scene.ask("a", insert, &[]), Err(Failure::ReadOnly));
        assert_eq!(scene.ask("a", "CREATE TABLE t (a)", &[]), Err(Failure::ReadOnly));
        scene.does("a", "COMMIT");
    }
    scene.does("a", insert);
}

#[test]
fn what_a_transaction_reads_that_only_reads_is_of_one_moment() {
    let mut scene = Scene::new();
    scene.does("a", "BEGIN READ ONLY");
    scene.does("b", "INSERT INTO note (text) VALUES ('before its first statement')");
    assert_eq!(scene.count("a"), 1);
    scene.does("b", "DELETE FROM note");
    scene.does("b", "BEGIN IMMEDIATE");
    scene.does("c", "BEGIN READ ONLY");
    assert_eq!((scene.count("a"), scene.count("c")), (1, 0));
    scene.does("b", "INSERT INTO note (text) VALUES ('later')");
    scene.does("b", "COMMIT");
    assert_eq!((scene.count("a"), scene.count("c")), (1, 0));
    scene.does("a", "ROLLBACK");
    assert_eq!((scene.count("a"), scene.count("c")), (1, 0));
    assert_eq!(scene.one("a", "SELECT text FROM note"), text("later"));
}

#[test]
fn what_is_refused_is_told_by_kinds() {
    let mut scene = Scene::new();
    for (asked, kind) in [
        ("SELECT * FROM nowhere", SqlKind::NoTable),
        ("SELECT absent FROM note", SqlKind::NoColumn),
        ("INSERT INTO note (absent) VALUES (1)", SqlKind::NoColumn),
        ("INSERT INTO note (text) VALUES (NULL)", SqlKind::Constraint),
        ("INSERT INTO note (id, text) VALUES ('x', 'x')", SqlKind::Type),
        ("PRAGMA foreign_keys = OFF", SqlKind::Denied),
        ("SELEC 1", SqlKind::Other),
    ] {
        let told = scene.ask("a", asked, &[]).expect_err(asked).told();
        assert_eq!(told.kind, kind, "{asked}: {told}");
    }
}

#[test]
fn the_time_and_chance_are_the_world_s() {
    let mut scene = Scene::new();
    for (asked, told) in [
        ("now()", "2026-11-21 03:00:00.250"),
        ("CURRENT_TIMESTAMP", "2026-11-21 03:00:00"),
        ("substr(version(), 1, 9)", "SQLite 3."),
        ("CURRENT_DATE", "2026-11-21"),
        ("CURRENT_TIME", "03:00:00"),
        ("datetime('now')", "2026-11-21 03:00:00"),
        ("datetime()", "2026-11-21 03:00:00"),
        ("datetime('NOW', 'localtime', '-1 day')", "2026-11-20 03:00:00"),
        ("datetime('subsec')", "2026-11-21 03:00:00.250"),
        ("datetime('now', 'subsec')", "2026-11-21 03:00:00.250"),
        ("date('2026-01-31', '+1 month')", "2026-03-03"),
        ("time()", "03:00:00"),
        ("strftime('%Y')", "2026"),
        ("strftime('%Y-%m', 'now', '-1 year')", "2025-11"),
        ("timediff('now', '2026-11-21 02:00:00')", "+0000-00-00 01:00:00.250"),
        ("CAST(unixepoch() AS TEXT)", "1795230000"),
        ("CAST(unixepoch('now', '-1 hours') AS TEXT)", "1795226400"),
        ("CAST(round(julianday('now') - julianday('2026-11-20'), 3) AS TEXT)", "1.125"),
    ] {
        assert_eq!(scene.one("a", &format!("SELECT {asked}")), text(told), "{asked}");
    }
    scene.does("a", "CREATE TABLE stamped (id, at TEXT DEFAULT CURRENT_TIMESTAMP)");
    scene.does("a", "INSERT INTO stamped (id) VALUES (1)");
    assert_eq!(scene.one("a", "SELECT at FROM stamped"), text("2026-11-21 03:00:00"));
    let chance = "SELECT random() || hex(randomblob(8))";
    let (first, mut again) = (scene.one("a", chance), Scene::new());
    assert_eq!(first, again.one("other", chance));
    assert_ne!(first, again.one("other", chance));
}

#[test]
fn no_file_is_opened_and_no_statement_runs_for_ever() {
    let mut scene = Scene::new();
    for refused in [
        "ATTACH DATABASE '/tmp/opsctl-left-behind' AS other",
        "VACUUM INTO '/tmp/opsctl-left-behind'",
        "PRAGMA temp_store = FILE",
        "SELECT load_extension('x')",
        "SELECT 1; SELECT 2",
        "SELECT \"no such column\" FROM note",
        "SELECT",
    ] {
        assert!(matches!(scene.ask("a", refused, &[]), Err(Failure::Refused(..))), "{refused}");
    }
    assert!(!std::path::Path::new("/tmp/opsctl-left-behind").exists());
    assert_eq!(scene.one("a", "SELECT name FROM pragma_table_info('note') LIMIT 1"), text("id"));
    let wide = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT hex(zeroblob(1000000)) FROM n";
    assert!(matches!(scene.ask("a", wide, &[]), Err(Failure::Refused(..))));
}

#[test]
fn a_database_that_is_not_there_is_missed_and_a_server_without_any_has_all() {
    let mut scene = Scene::new();
    let mut ask = |key: &Key| scene.0.run(NOW, key, "SELECT 1", Parameters::Placed(&[])).map(|ran| ran.rows.rows);
    assert_eq!(ask(&key("elsewhere")), Err(Failure::Missing));
    assert!(ask(&key("")).is_ok());
    assert!(ask(&Key { server: "bills".to_owned(), ..key("any") }).is_ok());
}

#[test]
fn a_transaction_that_sqlite_has_undone_is_over_only_when_it_is_ended() {
    let mut scene = Scene::new();
    scene.does("a", "INSERT INTO note (id, text) VALUES (1, 'there')");
    scene.does("a", "BEGIN");
    scene.does("a", "INSERT INTO note (text) VALUES ('undone')");
    assert!(scene.ask("a", "INSERT OR ROLLBACK INTO note (id, text) VALUES (1, 'double')", &[]).is_err());
    assert!(scene.ask("a", "INSERT INTO note (text) VALUES ('alone')", &[]).is_err());
    assert!(scene.ask("a", "COMMIT", &[]).is_err());
    assert_eq!(scene.count("a"), 1);
    scene.does("a", "BEGIN");
    scene.does("a", "INSERT INTO note (text) VALUES ('kept')");
    assert!(scene.ask("a", "INSERT INTO note (id, text) VALUES (1, 'double')", &[]).is_err());
    scene.does("a", "COMMIT");
    assert_eq!(scene.count("b"), 2);
}
