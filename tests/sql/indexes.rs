//! Whether a bound value lets PostgreSQL use an index, a partial one above all: by EXPLAIN, on every sort of state column.

use opsctl::domain::{Bounds, Statement, Value};

use super::{
    SET, Server,
    sessions::{session, statement, text},
};

#[tokio::test]
async fn a_bound_state_proves_that_a_partial_index_fits() {
    let _writable = SET.read().await;
    let Some(server) = Server::postgres() else { return };
    let mut session = session(&server).await;
    let prepare: [Statement; 3] = [
        "DROP TABLE IF EXISTS indexes_one".into(),
        "DROP TYPE IF EXISTS indexes_state".into(),
        "CREATE TYPE indexes_state AS ENUM ('PENDING', 'SENT')".into(),
    ];
    session.change(&prepare, Bounds::LOOK).await.expect("prepared");
    let columns = [
        ("varchar(20)", "'PENDING'", "'SENT'", text("PENDING")),
        ("text", "'PENDING'", "'SENT'", text("PENDING")),
        ("indexes_state", "'PENDING'", "'SENT'", text("PENDING")),
        ("smallint", "0", "1", Value::Integer(0)),
        ("int", "0", "1", Value::Integer(0)),
        ("boolean", "false", "true", Value::Integer(0)),
        ("numeric", "0", "1", Value::Integer(0)),
        (
            "uuid",
            "'00000000-0000-0000-0000-000000000000'",
            "gen_random_uuid()",
            text("00000000-0000-0000-0000-000000000000"),
        ),
        ("timestamptz", "'infinity'", "now()", text("infinity")),
        ("date", "'infinity'", "current_date", text("infinity")),
    ];
    for (kind, pending, other, value) in columns {
        // Another one each time: what is prepared does not outlive another type of the column.
        let mut session = self::session(&server).await;
        let table = [
            "DROP TABLE IF EXISTS indexes_one".to_owned(),
            format!("CREATE TABLE indexes_one (id int, state {kind})"),
            format!(
                "INSERT INTO indexes_one SELECT i, CASE WHEN i % 100 = 0 THEN {pending}::{kind} ELSE {other} END FROM generate_series(1, 20000) i"
            ),
            format!("CREATE INDEX indexes_pending ON indexes_one (id) WHERE state = {pending}"),
            "ANALYZE indexes_one".to_owned(),
        ];
        let table: Vec<Statement> = table.iter().map(|text| text.as_str().into()).collect();
        session.change(&table, Bounds::LOOK).await.expect("a table");
        let explain = "EXPLAIN SELECT count(*) FROM indexes_one WHERE state = $1";
        // Often enough for a plan that is made once for all values, were that not forbidden.
        let asked = vec![statement(explain, &[value]); 8];
        let answers = session.read(&asked, Bounds::LOOK).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        for rows in answers {
            let plan = format!("{:?}", rows.rows);
            assert!(plan.contains("indexes_pending"), "{kind}: {plan}");
        }
    }
}

#[tokio::test]
async fn pages_by_key_go_on_where_the_last_one_ended() {
    let _writable = SET.read().await;
    let Some(server) = Server::postgres() else { return };
    let mut session = session(&server).await;
    let table: [Statement; 4] = [
        "DROP TABLE IF EXISTS indexes_pages".into(),
        "CREATE TABLE indexes_pages (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz NOT NULL)".into(),
        "INSERT INTO indexes_pages (at) SELECT '2026-11-29 20:00:00.000001+00'::timestamptz + (i / 3) * interval '1 microsecond' FROM generate_series(1, 3000) i".into(),
        "CREATE INDEX ON indexes_pages (at, id)".into(),
    ];
    session.change(&table, Bounds::LOOK).await.expect("a table");
    session.change(&["ANALYZE indexes_pages".into()], Bounds::LOOK).await.expect("analysed");
    let next = "SELECT at, id FROM indexes_pages WHERE (at, id) > ($1, $2) ORDER BY at, id LIMIT 500";
    let mut last = vec![text("-infinity"), text("00000000-0000-0000-0000-000000000000")];
    let mut seen = 0;
    loop {
        let rows = session.read(&[statement(next, &last)], Bounds::LOOK).await.expect("a page");
        let Some(end) = rows[0].rows.last() else { break };
        seen += rows[0].rows.len();
        last.clone_from(end);
    }
    assert_eq!(seen, 3_000, "each once, to the microsecond");
    let explain = statement(&format!("EXPLAIN {next}"), &last);
    let plan = session.read(&[explain], Bounds::LOOK).await.expect("a plan");
    assert!(format!("{plan:?}").contains("Index Only Scan"), "{plan:?}");
}
