//! Values of every type: read in both forms of each server, and bound so that a column gets what it holds.

use opsctl::domain::{Bounds, Dialect, SqlKind, Statement, Value};

use super::{
    SET, Server,
    sessions::{placed, session, statement, text},
};

/// A type, and a value as the server writes it.
const POSTGRES: [(&str, &str); 33] = [
    ("smallint", "-7"),
    ("int", "42"),
    ("bigint", "9223372036854775807"),
    ("numeric", "12345678901234567890.000120"),
    ("numeric(10,2)", "-0.50"),
    ("real", "1.5"),
    ("double precision", "-2.25"),
    ("boolean", "true"),
    ("text", "ünï"),
    ("varchar(20)", "PENDING"),
    ("char(4)", "ab  "),
    ("name", "orders"),
    ("\"char\"", "x"),
    ("uuid", "0b6d8b4e-3c53-4d6e-9a63-0e4d4f0c1a2b"),
    ("json", "{\"a\": [1, 2]}"),
    ("jsonb", "{\"a\": [1, 2]}"),
    ("xml", "<a/>"),
    ("bytea", "\\x00ff10"),
    ("date", "2026-11-29"),
    ("date", "infinity"),
    ("time", "23:59:59.000001"),
    ("timestamp", "2026-11-29 20:59:34.5"),
    ("timestamp", "1999-12-31 23:59:59.999999"),
    ("timestamptz", "2026-11-29 20:59:34.123456+00"),
    ("timestamptz", "-infinity"),
    ("types_state", "PENDING"),
    ("types_positive", "3"),
    // What has no form of its own here: its text all the same.
    ("interval", "1 day 02:00:00"),
    ("inet", "10.0.0.0/8"),
    ("text[]", "{a,\"b c\"}"),
    ("jsonb[]", "{\"{\\\"a\\\": 1}\"}"),
    ("int4range", "[1,5)"),
    ("types_pair", "(1,x)"),
];

const MARIADB: [(&str, &str); 24] = [
    ("tinyint", "-7"),
    ("tinyint(1)", "1"),
    ("smallint unsigned", "65535"),
    ("mediumint", "-8"),
    ("int", "42"),
    ("bigint", "-9223372036854775808"),
    ("bigint unsigned", "18446744073709551615"),
    ("decimal(30,6)", "12345678901234567890.000120"),
    ("float", "1.5"),
    ("double", "-2.25"),
    ("char(4)", "ab"),
    ("varchar(20)", "PENDING"),
    ("varchar(20) collate utf8mb4_bin", "PENDING"),
    ("text", "ünï"),
    ("json", "{\"a\": [1, 2]}"),
    ("enum('NEW','SENT')", "SENT"),
    ("set('a','b')", "a,b"),
    ("date", "2026-11-29"),
    ("time(6)", "-838:59:58.000001"),
    ("datetime(6)", "2026-11-29 20:59:34.123456"),
    ("datetime", "2026-11-29 20:59:34"),
    ("timestamp(6)", "2026-11-29 20:59:34.123456"),
    ("year", "2026"),
    ("uuid", "0b6d8b4e-3c53-4d6e-9a63-0e4d4f0c1a2b"),
];

async fn run(session: &mut opsctl::cloud::endpoint::Session, texts: &[&str]) {
    let statements: Vec<Statement> = texts.iter().map(|text| (*text).into()).collect();
    session.change(&statements, Bounds::LOOK).await.expect("changed");
}

/// What a value of that type and text is read as.
fn expected(kind: &str, written: &str) -> Value {
    let integers = [
        "smallint",
        "mediumint",
        "int",
        "bigint",
        "tinyint",
        "year",
        "types_positive",
        "tinyint(1)",
        "smallint unsigned",
    ];
    match kind {
        "boolean" => Value::Integer(1),
        "bytea" => Value::Bytes(vec![0x00, 0xff, 0x10]),
        "real" | "double precision" | "float" | "double" => Value::Real(written.parse().expect("a number")),
        kind if integers.contains(&kind) => Value::Integer(written.parse().expect("a number")),
        _ => text(written),
    }
}

#[tokio::test]
async fn every_type_is_read_the_same_with_and_without_values_and_can_be_bound_again() {
    let _writable = SET.read().await;
    for server in [Server::postgres(), Server::mariadb()].into_iter().flatten() {
        let mut session = session(&server).await;
        let types: &[(&str, &str)] = if server.dialect == Dialect::Mysql { &MARIADB } else { &POSTGRES };
        if server.dialect == Dialect::Postgres {
            run(
                &mut session,
                &[
                    "DROP TABLE IF EXISTS types_one",
                    "DROP TYPE IF EXISTS types_state, types_pair",
                    "DROP DOMAIN IF EXISTS types_positive",
                    "CREATE TYPE types_state AS ENUM ('PENDING', 'SENT')",
                    "CREATE TYPE types_pair AS (a int, b text)",
                    "CREATE DOMAIN types_positive AS int CHECK (VALUE > 0)",
                ],
            )
            .await;
        }
        for (kind, written) in types {
            // Another one each time: what is prepared does not outlive another type of the column.
            let mut session = self::session(&server).await;
            let literal = written.replace('\'', "''");
            run(
                &mut session,
                &[
                    "DROP TABLE IF EXISTS types_one",
                    &format!("CREATE TABLE types_one (id int, v {kind} NULL)"),
                    &format!("INSERT INTO types_one VALUES (1, '{literal}'), (2, NULL)"),
                ],
            )
            .await;
            let plain: Statement = "SELECT v FROM types_one ORDER BY id".into();
            let bound = statement(
                &placed(server.dialect, "SELECT v FROM types_one WHERE id > ? ORDER BY id"),
                &[Value::Integer(0)],
            );
            let answers =
                session.read(&[plain, bound], Bounds::LOOK).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
            let value = expected(kind, written);
            for rows in &answers {
                assert_eq!(rows.rows, [[value.clone()], [Value::Null]], "{kind}");
                assert_eq!(rows.columns, ["v"]);
            }
            bound_again(&server, &mut session, kind, &value).await;
            session.close().await;
        }
    }
}

/// What was read finds its row, and sets another one: with PostgreSQL cast where the type has no form of its own.
async fn bound_again(server: &Server, session: &mut opsctl::cloud::endpoint::Session, kind: &str, value: &Value) {
    let exotic = ["interval", "inet", "text[]", "jsonb[]", "int4range", "types_pair"].contains(&kind);
    let place = if exotic { format!("?::text::{kind}") } else { "?".to_owned() };
    let set = placed(server.dialect, &format!("UPDATE types_one SET v = {place} WHERE id = ?"));
    let set = statement(&set, &[value.clone(), Value::Integer(2)]);
    let changed = session.change(&[set], Bounds::LOOK).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
    assert_eq!(changed[0].changed, 1);
    // Neither has an equality: json and xml of PostgreSQL; a float of MariaDB is not the double that it is compared with.
    let find = match kind {
        "json" | "xml" if server.dialect == Dialect::Postgres => {
            "SELECT count(*) FROM types_one WHERE v::text = ?".to_owned()
        }
        _ => format!("SELECT count(*) FROM types_one WHERE v = {place}"),
    };
    let find = statement(&placed(server.dialect, &find), std::slice::from_ref(value));
    let found = session.read(&[find], Bounds::LOOK).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
    assert_eq!(found[0].rows, [[Value::Integer(2)]], "{kind} {value:?}");
}

#[tokio::test]
async fn an_integer_fits_columns_of_other_numbers_and_flags() {
    let Some(server) = Server::postgres() else { return };
    let mut session = session(&server).await;
    let sql = "SELECT $1::smallint = 1, $2::bigint = 1, $3::numeric = 1, $4::boolean, $5::text = '1'";
    let ones = vec![Value::Integer(1); 5];
    let rows = session.read(&[statement(sql, &ones)], Bounds::LOOK).await.expect("rows");
    assert_eq!(rows[0].rows, [vec![Value::Integer(1); 5]]);
}

#[tokio::test]
async fn what_does_not_fit_is_told_by_place_and_type_without_the_value() {
    let Some(server) = Server::postgres() else { return };
    let mut session = session(&server).await;
    for (sql, values, part) in [
        ("SELECT $1::uuid", vec![text("hunter2")], "$1 is of type UUID"),
        ("SELECT $1::int", vec![text("hunter2")], "$1 is of type INT4"),
        ("SELECT $1::smallint", vec![Value::Integer(70_000)], "$1 is of type INT2"),
        ("SELECT $1::inet", vec![text("hunter2")], "write $1::text::INET"),
    ] {
        let error = session.read(&[statement(sql, &values)], Bounds::LOOK).await.expect_err(sql);
        assert_eq!(error.kind, SqlKind::Type, "{error}");
        assert!(error.words.as_str().contains(part) && !error.words.as_str().contains("hunter2"), "{error}");
    }
    let too_few = session.read(&[statement("SELECT $1::int, $2::int", &[Value::Null])], Bounds::LOOK).await;
    assert!(too_few.expect_err("one is missing").words.as_str().contains("2 placeholders"));
}

#[tokio::test]
async fn a_column_that_can_not_be_read_behind_returning_is_named() {
    let _writable = SET.read().await;
    let Some(server) = Server::postgres() else { return };
    let mut session = session(&server).await;
    run(
        &mut session,
        &[
            "DROP TABLE IF EXISTS types_returning",
            "CREATE TABLE types_returning (id int, place inet)",
            "INSERT INTO types_returning VALUES (1, '10.0.0.1')",
        ],
    )
    .await;
    let update = |returning: &str| {
        let sql = format!("UPDATE types_returning SET id = $1 RETURNING {returning}");
        statement(&sql, &[Value::Integer(2)])
    };
    let error = session.change(&[update("place")], Bounds::LOOK).await.expect_err("not known");
    assert!(error.words.as_str().contains("column place (INET)"), "{error}");
    let rows = session.change(&[update("id, place::text")], Bounds::LOOK).await.expect("cast");
    assert_eq!(rows[0].rows, [[Value::Integer(2), text("10.0.0.1/32")]]);
}
