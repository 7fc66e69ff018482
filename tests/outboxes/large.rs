//! Large tables: what a look reads of them, by which index, and what it says where none serves.

use jiff::Timestamp;
use opsctl::{
    domain::{Backlog, Dialect, Outbox, Relay, RowCount, RowState},
    outboxes::{Sql, look, preset},
};

use super::server::Schema;
use crate::sql::session;

fn outbox(schema: &Schema) -> Outbox {
    let preset = preset("outbox-transfers").expect("a preset");
    let mut outbox = preset.outbox("large", "test", Relay::Unknown);
    outbox.mapping = preset.mapping_for(&schema.table("outbox_transfers"));
    outbox
}

/// A look as the program takes it.
async fn looked_at(schema: &Schema) -> (Sql, Backlog) {
    let mut session = session(schema.dialect()).await;
    let sql = look::fitted(&mut session, &outbox(schema)).await.expect("it fits");
    let backlog = look::backlog(&mut session, &sql, Timestamp::now()).await.expect("a look");
    session.close().await;
    (sql, backlog)
}

fn about(count: Option<RowCount>) -> u64 {
    let Some(RowCount::About(rows)) = count else { panic!("{count:?}") };
    rows
}

/// 240,000 rows of some 400 bytes: the last 110,000 wait, two of them for later, and the first two and the last two were tried to the
/// end; three have failed.
async fn fill(schema: &mut Schema) {
    let postgres = schema.dialect() == Dialect::Postgres;
    let (text, time) = if postgres { ("text", "timestamptz") } else { ("varchar(40)", "datetime(6)") };
    let late = "CASE WHEN n IN (239000, 239001) THEN 3600 ELSE 0 END";
    let (numbers, due, created, analyze) = if postgres {
        let due = format!("now() + ({late}) * interval '1 second'");
        ("generate_series(1, 240000) AS n", due, "now() - interval '1 day'", "ANALYZE")
    } else {
        let due = format!("UTC_TIMESTAMP(6) + INTERVAL ({late}) SECOND");
        ("(SELECT seq AS n FROM seq_1_to_240000) AS s", due, "UTC_TIMESTAMP(6) - INTERVAL 1 DAY", "ANALYZE TABLE")
    };
    schema
        .script(&format!(
            "CREATE TABLE outbox_transfers (id bigint PRIMARY KEY, eventtype {text}, payload json, state {text} NOT NULL, attempts int,
                lasterror text, next_attempt {time}, createdat {time} NOT NULL, updatedat {time});
             INSERT INTO outbox_transfers (id, eventtype, state, attempts, lasterror, next_attempt, createdat)
             SELECT n, 'transfer.settled', CASE WHEN n > 130000 THEN 'PENDING' WHEN n <= 3 THEN 'FAILED' ELSE 'SENT' END,
                CASE WHEN n > 239998 OR n <= 130002 THEN 10 ELSE 0 END, repeat('x', 400), {due}, {created} FROM {numbers};
             {analyze} outbox_transfers;"
        ))
        .await;
}

#[tokio::test]
async fn a_large_table_is_looked_at_by_its_index_or_not_at_all() {
    for mut schema in Schema::all().await {
        fill(&mut schema).await;
        let dialect = schema.dialect();
        let (sql, without) = looked_at(&schema).await;
        assert_eq!(without.index_wanted, sql.index_wanted(), "{dialect:?}: {without:#?}");
        assert!(about(without.count(RowState::Ready)) > 10_000, "{dialect:?}: {without:#?}");
        assert_eq!(without.count(RowState::Unaccounted), Some(RowCount::Unknown), "{dialect:?}: {without:#?}");
        assert!(without.oldest_ready.is_none() && without.blocked.is_empty(), "{dialect:?}: {without:#?}");
        // Whatever the server makes of the rows: the index serves, so the rows are counted, and no further than the bound.
        schema.script(&sql.index_wanted().expect("an index")).await;
        let failed = match dialect {
            Dialect::Postgres => {
                "CREATE INDEX ON outbox_transfers (state) WHERE state = 'FAILED'; ANALYZE outbox_transfers"
            }
            Dialect::Mysql | Dialect::Sqlite => "ANALYZE TABLE outbox_transfers",
        };
        schema.script(failed).await;
        let (_, with) = looked_at(&schema).await;
        assert_eq!(with.index_wanted, None, "{dialect:?}: {with:#?}");
        // Two of the first 100,001 were tried to the end, and behind them there may be more.
        assert_eq!(with.count(RowState::Ready), Some(RowCount::MoreThan(99_999)), "{dialect:?}: {with:#?}");
        assert_eq!(with.count(RowState::Failed), Some(RowCount::MoreThan(5)), "{dialect:?}: {with:#?}");
        assert_eq!(with.count(RowState::Scheduled), Some(RowCount::MoreThan(0)), "{dialect:?}: {with:#?}");
        let age = Timestamp::now().duration_since(with.oldest_ready.expect("an age"));
        assert!((24.0..25.0).contains(&(age.as_secs_f64() / 3_600.0)), "{dialect:?}: {age:?}");
        assert_eq!(with.failed_kinds.iter().map(|(_, rows)| rows).sum::<u64>(), 5, "{dialect:?}: {with:#?}");
        // Below the bound each state is exact.
        schema.script("UPDATE outbox_transfers SET state = 'SENT' WHERE id > 130000 AND id <= 160000").await;
        let (_, fewer) = looked_at(&schema).await;
        let exact: Vec<Option<RowCount>> =
            [RowState::Ready, RowState::Failed, RowState::Scheduled].map(|state| fewer.count(state)).to_vec();
        let expected = [79_996, 5, 2].map(|rows| Some(RowCount::Exactly(rows)));
        assert_eq!(exact, expected, "{dialect:?}: {fewer:#?}");
        schema.end().await;
    }
}
