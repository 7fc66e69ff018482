//! What slows a look or fills a disk: dead rows, old snapshots, replication slots, InnoDB's history.

use jiff::Timestamp;
use opsctl::{
    domain::{Backlog, Dialect, Primitive, Relay, SlotState},
    outboxes::{look, preset},
};

use super::server::Schema;
use crate::sql::session;

async fn looked_at(schema: &Schema, name: &str, slot: Option<&str>) -> Backlog {
    let preset = preset(name).expect("a preset");
    let mut outbox = preset.outbox("kept", "test", Relay::Unknown);
    outbox.mapping = preset.mapping_for(&schema.table(&preset.mapping.table.name));
    if let Primitive::Cdc { slot: own } = &mut outbox.mapping.primitive {
        *own = slot.map(str::to_owned);
    }
    let mut session = session(schema.dialect()).await;
    let sql = look::fitted(&mut session, &outbox).await.expect("it fits");
    let backlog = look::backlog(&mut session, &sql, Timestamp::now()).await.expect("a look");
    session.close().await;
    backlog
}

#[tokio::test]
async fn dead_rows_and_the_oldest_snapshot_are_told() {
    let Some(mut schema) = Schema::of(Dialect::Postgres).await else { return };
    schema
        .script(
            "CREATE TABLE outbox_transfers (id int PRIMARY KEY, eventtype text, payload jsonb, state text, attempts int, lasterror text,
                next_attempt timestamptz, createdat timestamptz, updatedat timestamptz) WITH (autovacuum_enabled = false);
             INSERT INTO outbox_transfers (id, state) SELECT n, 'SENT' FROM generate_series(1, 30000) n;",
        )
        .await;
    let mut holder = Schema::of(Dialect::Postgres).await.expect("a server");
    holder.script("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await;
    schema
        .script("UPDATE outbox_transfers SET state = 'PENDING' WHERE id <= 20000; SELECT pg_stat_force_next_flush()")
        .await;
    let backlog = looked_at(&schema, "outbox-transfers", None).await;
    let dead = backlog.upkeep.dead.clone().expect("PostgreSQL counts them");
    assert!(dead.dead >= 20_000 && dead.vacuumed_seconds.is_none(), "{dead:?}");
    let snapshot = backlog.upkeep.snapshot.clone().expect("one is held");
    assert!(snapshot.seconds.is_some() && snapshot.process > 0, "{snapshot:?}");
    let words = backlog.upkeep.words();
    assert!(
        words.iter().any(|words| words.contains("dead rows beside") && words.contains("never vacuumed")),
        "{words:?}"
    );
    assert_eq!(backlog.upkeep.unknown, None);
    holder.script("ROLLBACK").await;
    holder.end().await;
    schema.end().await;
}

#[tokio::test]
async fn the_lag_of_a_relay_that_reads_the_log_is_its_slots() {
    let Some(mut schema) = Schema::of(Dialect::Postgres).await else { return };
    schema
        .script("CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload jsonb);")
        .await;
    let slot = format!("slot_{}", schema.name);
    let missing = looked_at(&schema, "debezium", Some(&slot)).await.slot.expect("configured");
    assert_eq!(missing.state, SlotState::Missing, "{missing:?}");
    schema.script(&format!("SELECT pg_create_physical_replication_slot('{slot}', true)")).await;
    schema.script("CREATE TABLE filler AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 2000)").await;
    let backlog = looked_at(&schema, "debezium", Some(&slot)).await;
    schema.script(&format!("SELECT pg_drop_replication_slot('{slot}')")).await;
    let found = backlog.slot.clone().expect("it is there");
    assert_eq!(found.state, SlotState::Inactive, "{found:?}");
    assert!(found.bytes.expect("not in recovery") > 1_000_000, "{found:?}");
    assert!(backlog.upkeep.words().iter().any(|words| words.contains(&slot)), "{:?}", backlog.upkeep);
    schema.end().await;
}

#[tokio::test]
async fn what_a_login_may_not_see_is_said() {
    let Some(mut schema) = Schema::of(Dialect::Mysql).await else { return };
    schema
        .script(
            "CREATE TABLE outbox_transfers (id int PRIMARY KEY, eventtype varchar(20), payload json, state varchar(20), attempts int,
                lasterror text, next_attempt datetime, createdat datetime, updatedat datetime)",
        )
        .await;
    let upkeep = looked_at(&schema, "outbox-transfers", None).await.upkeep;
    assert!(upkeep.history.is_some() != upkeep.unknown.is_some(), "one of both: {upkeep:?}");
    schema.end().await;
}
