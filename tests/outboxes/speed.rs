//! A stalled outbox, from the verdict to a lag of nothing, as a person meets it; printed. With a million rows:
//! `OPSCTL_TEST_ROWS=1000000 scripts/test -- outboxes::speed --nocapture`. `make bench` measures.

use std::{
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use opsctl::{
    clock::Clock,
    cloud::{Connect, Dial},
    domain::{Environment, Protection},
    observe::{Look, Wanted, once, verdict::verdicts},
};
use serde_json::Value;

use super::home::Home;
use crate::{
    served::Served,
    support::{
        stage,
        transfers::{Seed, Transfers},
    },
};

/// Rows of a run that nobody reads.
const ROWS: u64 = 20_000;

fn seed() -> Seed {
    let rows = std::env::var("OPSCTL_TEST_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(ROWS);
    Seed { rows, pending: rows * 3 / 100, failed: rows / 50, age: Duration::from_secs(24 * 3_600) }
}

fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error");
}

/// Runs the binary and says how long it took and what it printed.
fn run(home: &Home, words: &[&str]) -> Value {
    let started = Instant::now();
    let ended = home.run(words, None);
    say(&format!("$ opsctl {} --output json: exit {:?} after {:.1?}", words.join(" "), ended.code, started.elapsed()));
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.document
}

fn look(home: &Home) -> (Value, Option<i64>) {
    let listed = run(home, &["outbox", "list"]);
    let outbox = listed["outboxes"][0].clone();
    let lag = outbox["lag_seconds"].as_i64();
    say(&format!("  counts {}, lag {lag:?} s", outbox["backlog"]["counts"]));
    (outbox, lag)
}

/// What the console says of it.
async fn verdict(transfers: &Transfers) -> String {
    let environment = Environment { databases: transfers.rules(), ..stage::environment(Protection::Confirm) };
    let ground = stage::Stage::new(Protection::Confirm, &[]);
    let clock = Clock::system();
    let connect = Connect::through(clock, ground.sandbox.http_client()).dialing(Dial::Network);
    let cloud = connect.cloud(Arc::new(environment.clone())).await.expect("clients");
    let wanted = Wanted { looks: &[Look::Outboxes], ..Wanted::default() };
    let snapshot = once(&cloud, &wanted).await.snapshot;
    let said = verdicts(&environment, &environment.watch.thresholds, &snapshot, clock.now());
    said.first().map_or_else(
        || "nothing needs attention".to_owned(),
        |said| format!("{:?} {:?}: {}", said.severity, said.kind, said.reason),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_outbox_is_told_replayed_and_worked_off() {
    let Some(mut transfers) = Transfers::on_peer().await else { return };
    let seed = seed();
    transfers.fill(&seed).await;
    transfers.index().await;
    let served = Served::start();
    let home = Home::of(&transfers.rules().connections[0], &transfers.schema, &served);
    say("the relay does not run");
    let (_, lag) = look(&home);
    assert!(lag.is_some_and(|lag| lag > 300), "{lag:?}");
    let stalled = verdict(&transfers).await;
    say(&format!("  verdict: {stalled}"));
    assert!(stalled.contains("OutboxStalled"), "{stalled}");
    let shown = run(&home, &["outbox", "show", "transfers"]);
    say(&format!("  errors {}", shown["backlog"]["failed_errors"]));
    say("the relay is started");
    let relay = transfers.relay();
    let replayed = run(&home, &["outbox", "replay", "--outbox", "transfers", "--yes"]);
    say(&format!("  {}", replayed["details"]));
    let started = Instant::now();
    let mut lag = look(&home).1;
    while lag.is_some_and(|lag| lag > 0) {
        assert!(started.elapsed() < Duration::from_secs(300), "{lag:?}");
        tokio::time::sleep(Duration::from_secs(2)).await;
        lag = look(&home).1;
    }
    let sent = relay.stop().await;
    let well = verdict(&transfers).await;
    say(&format!("  verdict: {well}; the relay sent {sent}"));
    assert_eq!(sent, seed.pending + seed.failed, "each once");
    assert_eq!((transfers.in_state("FAILED").await, transfers.in_state("PENDING").await), (0, 0));
    let twice = "SELECT count(*) - count(DISTINCT id) FROM sent";
    assert_eq!(transfers.number(twice).await, 0, "none twice");
    transfers.end().await;
}
