//! How long a look takes on PostgreSQL, printed: `scripts/test -- outboxes::speed --ignored --nocapture`.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use opsctl::{
    domain::{Dialect, Relay, RowCount, RowState},
    outboxes::{look, preset},
};

use super::server::Schema;
use crate::sql::session;

const ROWS: u64 = 3_000_000;

fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error");
}

/// The middle of five looks, and what the last one said is ready.
async fn look(schema: &Schema) -> (Duration, RowCount, bool) {
    let preset = preset("outbox-transfers").expect("a preset");
    let mut outbox = preset.outbox("speed", "test", Relay::Unknown);
    outbox.mapping = preset.mapping_for(&schema.table("outbox_transfers"));
    let mut session = session(Dialect::Postgres).await;
    let sql = look::fitted(&mut session, &outbox).await.expect("it fits");
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..5 {
        let started = Instant::now();
        last = Some(look::backlog(&mut session, &sql, Timestamp::now()).await.expect("a look"));
        times.push(started.elapsed());
    }
    times.sort();
    session.close().await;
    let last = last.expect("five looks");
    (times[2], last.count(RowState::Ready).expect("counted"), last.index_wanted.is_some())
}

#[tokio::test]
#[ignore = "minutes; for figures"]
async fn a_look_at_three_million_rows() {
    let Some(mut schema) = Schema::of(Dialect::Postgres).await else { return };
    schema
        .script(&format!(
            "CREATE TABLE outbox_transfers (id bigint PRIMARY KEY, eventtype text, payload jsonb, state text NOT NULL, attempts int, lasterror text,
                next_attempt timestamptz, createdat timestamptz NOT NULL, updatedat timestamptz);
             INSERT INTO outbox_transfers (id, eventtype, payload, state, attempts, createdat)
             SELECT n, 'transfer.settled', jsonb_build_object('key', jsonb_build_object('transferId', n % 9000)),
                CASE WHEN n > {ROWS} - 60000 THEN 'PENDING' ELSE 'SENT' END, 0, now() - ({ROWS} - n) * interval '1 ms' FROM generate_series(1, {ROWS}) n;
             ANALYZE outbox_transfers;"
        ))
        .await;
    let (without, rows, wanted) = look(&schema).await;
    say(&format!("without an index: {without:?}, ready {}, index wanted: {wanted}", rows.words()));
    schema.script("CREATE INDEX ON outbox_transfers (createdat, id) WHERE state IN ('PENDING'); CREATE INDEX ON outbox_transfers (state) WHERE state = 'FAILED'; ANALYZE outbox_transfers").await;
    let (with, rows, _) = look(&schema).await;
    say(&format!("60,000 pending, with its index: {with:?}, ready {}", rows.words()));
    schema.script("UPDATE outbox_transfers SET state = 'PENDING' WHERE id > 2000000; ANALYZE outbox_transfers").await;
    let (many, rows, _) = look(&schema).await;
    say(&format!("1,000,000 pending, with its index: {many:?}, ready {}", rows.words()));
    schema.end().await;
    assert!(!wanted || rows != RowCount::Unknown);
}
