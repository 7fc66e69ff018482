//! Tables that are awkward: names that need quotes, times that are NULL, partitions, many rows, rows that others hold or change.

use opsctl::{
    domain::{Dialect, Primitive, RowMapping, RowState, TableName, Value},
    outboxes::{
        Deed, preset,
        sql::{BoundedCount, ChangedRow, Position, Selection, extent, extent_of, quoted, quoted_table},
    },
};

use super::{
    case::{Case, batch, fitted, one},
    server::Schema,
};

const TRANSFERS: &str = "CREATE TABLE outbox_transfers (id int PRIMARY KEY, eventtype varchar(20), payload json, state varchar(20), attempts int,
    lasterror text, next_attempt timestamp NULL, createdat timestamp NULL, updatedat timestamp NULL)";

fn transfers(table: TableName) -> RowMapping {
    preset("outbox-transfers").expect("a preset").mapping_for(&table)
}

#[tokio::test]
async fn names_are_read_letter_by_letter() {
    const NAMES: [&str; 9] =
        ["select", "Mixed Case", "a.b", "q\"u`o", "t.\"x", "$1 ?", "'; DROP TABLE keep; --", "\\", "\u{e9}\u{1f600}"];
    for mut schema in Schema::all().await {
        let dialect = schema.dialect();
        // MySQL takes no characters beyond the basic plane in names.
        let names: Vec<&str> = match dialect {
            Dialect::Postgres | Dialect::Sqlite => NAMES.to_vec(),
            Dialect::Mysql => {
                NAMES.iter().map(|name| if name.len() == 6 && !name.is_ascii() { "\u{e9}" } else { *name }).collect()
            }
        };
        let mut mapping = transfers(schema.table("\"; DROP TABLE keep; --`"));
        mapping.id = vec![names[0].to_owned()];
        mapping.order = vec![names[1].to_owned()];
        mapping.created = Some(names[1].to_owned());
        mapping.due = Some(names[2].to_owned());
        let Primitive::Status { column, .. } = &mut mapping.primitive else { panic!("a status") };
        *column = names[3].to_owned();
        mapping.group = format!("{}/key/transferId", names[4]).parse().ok();
        mapping.event_id = mapping.group.clone();
        mapping.body = Some(opsctl::domain::Body::Inline(opsctl::domain::Field::Column(names[4].to_owned())));
        mapping.kind = Some(opsctl::domain::Field::Column(names[5].to_owned()));
        mapping.error = Some(opsctl::domain::Field::Column(names[6].to_owned()));
        mapping.attempts = None;
        let opsctl::domain::Rearm::Set(changes) = &mut mapping.rearm else { panic!("a replay") };
        changes[0].column = names[3].to_owned();
        changes[1].column = names[7].to_owned();
        changes[2].column = names[6].to_owned();
        changes[3].column = names[2].to_owned();
        mapping.park.set[0].column = names[3].to_owned();
        mapping.park.set[1].column = names[6].to_owned();
        let types = [
            "int PRIMARY KEY",
            "timestamp NULL",
            "timestamp NULL",
            "varchar(20)",
            "json",
            "varchar(20)",
            "text",
            "int",
            "int",
        ];
        let columns: Vec<String> =
            names.iter().zip(types).map(|(name, kind)| format!("{} {kind}", quoted(dialect, name))).collect();
        let table = quoted_table(dialect, &mapping.table);
        let rows = "(1, now(), NULL, 'FAILED', '{\"key\":{\"transferId\":\"x\"}}', 'k', NULL, 3, 4), (2, now(), NULL, 'PENDING', '{}', 'k', 'e', 0, 4)";
        schema
            .script(&format!(
                "CREATE TABLE keep (id int); CREATE TABLE {table} ({}); INSERT INTO {table} VALUES {rows}",
                columns.join(", ")
            ))
            .await;
        let case = Case {
            preset: "hostile names",
            table: "",
            script: "",
            counts: &[(RowState::Failed, 1), (RowState::Ready, 1)],
            replayed: Some(RowState::Ready),
        };
        let sql = fitted(&mut schema, mapping).await;
        case.check(&mut schema, &sql).await;
        let row = one(&mut schema, &sql, &[Value::Integer(1)]).await;
        assert_eq!((row.group.as_deref(), row.kind.as_deref()), (Some("x"), Some("k")), "{dialect:?}");
        for deed in [Deed::Park, Deed::Aside] {
            let expected: &[RowState] = if deed == Deed::Park { &[RowState::Failed] } else { &[] };
            super::parking::hold(&mut schema, &case, sql.clone().doing(deed), expected).await;
        }
        schema.script("INSERT INTO keep VALUES (1)").await;
        schema.end().await;
    }
}

#[tokio::test]
async fn pages_lose_no_row_where_the_order_is_null() {
    for mut schema in Schema::all().await {
        schema.script(TRANSFERS).await;
        let rows: Vec<String> = (0..12)
            .map(|id| format!("({id}, 'PENDING', {})", ["NULL", "now()", "'2020-01-01 00:00:00'"][id % 3]))
            .collect();
        schema.script(&format!("INSERT INTO outbox_transfers (id, state, createdat) VALUES {}", rows.join(", "))).await;
        let mapping = transfers(schema.table("outbox_transfers"));
        let sql = fitted(&mut schema, mapping).await;
        let (mut after, mut seen): (Option<Position>, Vec<Value>) = (None, Vec::new());
        loop {
            let page = sql.listed(&schema.run(&sql.page(RowState::Ready, after.as_ref(), 5)).await);
            let Some(last) = page.last() else { break };
            after = Some(last.position.clone());
            seen.extend(page.into_iter().map(|row| row.id[0].clone()));
            assert!(seen.len() <= 12, "{seen:?}");
        }
        seen.sort_by_key(|id| format!("{id:?}"));
        seen.dedup();
        assert_eq!(seen.len(), 12, "{:?}", schema.dialect());
        schema.end().await;
    }
}

#[tokio::test]
async fn a_row_that_somebody_changed_since_is_not_restored() {
    for mut schema in Schema::all().await {
        schema.script(TRANSFERS).await;
        schema
            .script("INSERT INTO outbox_transfers (id, state, attempts, lasterror, createdat) VALUES (1, 'FAILED', 10, 'no', now()), (2, 'FAILED', 10, 'no', now())")
            .await;
        let mapping = transfers(schema.table("outbox_transfers"));
        let sql = fitted(&mut schema, mapping).await;
        let done = batch(&mut schema, &sql, &Selection::of(&[RowState::Failed]), None).await.expect("a batch");
        schema.script("UPDATE outbox_transfers SET state = 'SENT' WHERE id = 1").await;
        schema.script("UPDATE outbox_transfers SET updatedat = now() WHERE id = 2").await;
        let mut restored = Vec::new();
        for row in &done {
            restored.push((row.id[0].clone(), schema.run(&sql.restore(row)[0]).await.changed));
        }
        assert_eq!(restored, [(Value::Integer(1), 0), (Value::Integer(2), 1)]);
        assert_eq!(one(&mut schema, &sql, &[Value::Integer(1)]).await.state, RowState::Published);
        let back = one(&mut schema, &sql, &[Value::Integer(2)]).await;
        assert_eq!((back.state, back.attempts, back.error.as_deref()), (RowState::Failed, Some(10), Some("no")));
        schema.end().await;
    }
}

#[tokio::test]
async fn rows_that_another_transaction_holds_are_passed_over() {
    for dialect in [Dialect::Postgres, Dialect::Mysql] {
        let (Some(mut schema), Some(mut other)) = (Schema::of(dialect).await, Schema::of(dialect).await) else {
            continue;
        };
        let engine = if dialect == Dialect::Mysql { " ENGINE=InnoDB" } else { "" };
        schema.script(&format!("{TRANSFERS}{engine}")).await;
        schema.script("INSERT INTO outbox_transfers (id, state, createdat) VALUES (1, 'FAILED', now()), (2, 'FAILED', now()), (3, 'FAILED', now())").await;
        let table = quoted_table(dialect, &schema.table("outbox_transfers"));
        other.script("BEGIN").await;
        other.script(&format!("SELECT id FROM {table} WHERE id = 2 FOR UPDATE")).await;
        let mapping = transfers(schema.table("outbox_transfers"));
        let sql = fitted(&mut schema, mapping).await;
        schema.script("BEGIN").await;
        let mut done: Vec<ChangedRow> = Vec::new();
        while let Some(more) =
            batch(&mut schema, &sql, &Selection::of(&[RowState::Failed]), done.last().map(|row| &row.position)).await
        {
            done.extend(more);
        }
        let ids: Vec<&Value> = done.iter().map(|row| &row.id[0]).collect();
        assert_eq!(ids, [&Value::Integer(1), &Value::Integer(3)], "{dialect:?}");
        schema.script("COMMIT").await;
        other.script("ROLLBACK").await;
        other.end().await;
        schema.end().await;
    }
}

#[tokio::test]
async fn a_failed_row_before_others_of_its_group_is_a_head() {
    for mut schema in Schema::all().await {
        schema.script(TRANSFERS).await;
        let group = |name: &str| format!("'{{\"key\":{{\"transferId\":\"{name}\"}}}}'");
        let rows: Vec<String> = [
            (1, "FAILED", "a"),
            (2, "PENDING", "a"),
            (3, "PENDING", "a"),
            (4, "FAILED", "a"),
            (5, "PENDING", "b"),
            (6, "FAILED", "b"),
            (7, "SENT", "c"),
        ]
        .iter()
        .map(|(id, state, name)| format!("({id}, '{state}', {}, '2024-01-01 00:00:0{id}')", group(name)))
        .collect();
        schema
            .script(&format!("INSERT INTO outbox_transfers (id, state, payload, createdat) VALUES {}", rows.join(", ")))
            .await;
        let mapping = transfers(schema.table("outbox_transfers"));
        let sql = fitted(&mut schema, mapping).await;
        let blocked = sql.blocked(&schema.run(&sql.blocked_groups().expect("groups")).await);
        let [only] = blocked.as_slice() else { panic!("{blocked:?}") };
        assert_eq!((only.group.as_str(), only.held, only.head_state), ("a", 2, RowState::Failed));
        assert_eq!(only.head, [Value::Integer(1)]);
        schema.end().await;
    }
}

#[tokio::test]
async fn partitions_are_one_table() {
    let Some(mut schema) = Schema::of(Dialect::Postgres).await else { return };
    schema
        .script(
            "CREATE TABLE outbox_transfers (id bigint, eventtype text, payload jsonb, state text, attempts int, lasterror text, next_attempt timestamptz,
                createdat timestamptz NOT NULL, updatedat timestamptz, PRIMARY KEY (id, createdat)) PARTITION BY RANGE (createdat);
             CREATE TABLE old PARTITION OF outbox_transfers FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');
             CREATE TABLE new PARTITION OF outbox_transfers DEFAULT;
             INSERT INTO outbox_transfers (id, state, createdat) SELECT n, 'FAILED', CASE WHEN n % 2 = 0 THEN now() ELSE '2010-01-01' END
             FROM generate_series(1, 1000) n;",
        )
        .await;
    let mut mapping = transfers(schema.table("outbox_transfers"));
    mapping.id = vec!["id".to_owned(), "createdat".to_owned()];
    let never = extent_of(&schema.run(&extent(Dialect::Postgres, &mapping.table)).await).expect("a size");
    assert_eq!(never.rows, None, "never analysed");
    schema.script("ANALYZE outbox_transfers").await;
    let size = extent_of(&schema.run(&extent(Dialect::Postgres, &mapping.table)).await).expect("a size");
    assert_eq!((size.rows, size.is_small()), (Some(1_000), true));
    let sql = fitted(&mut schema, mapping).await;
    assert_eq!(BoundedCount::of(&schema.run(&sql.count(RowState::Failed)).await), Some(BoundedCount::Exactly(1_000)));
    let done = batch(&mut schema, &sql, &Selection::of(&[RowState::Failed]), None).await.expect("a batch");
    assert_eq!(done.len(), 2);
    schema.end().await;
}

#[tokio::test]
async fn a_job_with_a_concurrency_key_is_left() {
    for mut schema in Schema::all().await {
        let dialect = schema.dialect();
        let case = if dialect == Dialect::Postgres { super::postgres::case } else { super::mysql::case };
        schema.script(case("solid-queue").script).await;
        schema.script("UPDATE solid_queue_jobs SET concurrency_key = 'k' WHERE id IN (SELECT job_id FROM solid_queue_failed_executions)").await;
        let mapping = preset("solid-queue").expect("a preset").mapping_for(&schema.table("solid_queue_jobs"));
        let sql = fitted(&mut schema, mapping).await;
        let selection = Selection::of(&[RowState::Failed]);
        assert!(batch(&mut schema, &sql, &selection, None).await.is_none(), "{dialect:?}");
        let selected = BoundedCount::of(&schema.run(&sql.selected(&selection)).await);
        assert_eq!(selected, Some(BoundedCount::Exactly(0)), "{dialect:?}");
        schema.end().await;
    }
}
