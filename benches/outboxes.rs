//! A look at a large outbox on a real PostgreSQL, and a replay beside a relay that works.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use opsctl::{
    cloud::{Cloud, Connect, Dial},
    domain::{Backlog, Environment, RowState, Text},
    gate::{self, Answer, Consent},
    journal::StateFolder,
    operations::{Look, Operation, Planner, Replay},
    outboxes::look,
    run::{self, Context, End},
};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    Bound, Measure,
    server::{Ground, environment, folder, runtime},
    transfers::{NAME, Seed, Transfers},
};

const ROWS: u64 = 3_000_000;
const PENDING: u64 = 60_000;
const FAILED: u64 = 100_000;
/// Looks; the median counts.
const LOOKS: usize = 7;
const LOOK_MS_MAX: f64 = 50.0;

/// How long a look takes: without an index, with it, and with far more rows than are counted. Nothing: there is no PostgreSQL.
pub(crate) fn looks() -> Vec<Measure> {
    runtime().block_on(async {
        let Some(mut transfers) = Transfers::on_peer().await else { return Vec::new() };
        transfers.fill(&Seed { rows: ROWS, pending: PENDING, failed: 0, age: Duration::from_secs(3_000) }).await;
        let mut measures = vec![looked_at("outbox-no-index", &transfers, "no index: one EXPLAIN, estimates").await];
        transfers
            .script(
                "UPDATE outbox_transfers SET state = 'FAILED', attempts = 10, lasterror = 'timeout' WHERE id <= 500",
            )
            .await;
        transfers.index().await;
        measures.push(looked_at("outbox-60000", &transfers, "60,000 pending, 500 failed").await);
        transfers
            .script("UPDATE outbox_transfers SET state = 'PENDING' WHERE id > 2000000; VACUUM ANALYZE outbox_transfers")
            .await;
        measures.push(looked_at("outbox-1000000", &transfers, "1,000,000 pending, 500 failed").await);
        transfers.end().await;
        measures
    })
}

/// The median of some looks, and what the last one said.
async fn looked_at(name: &'static str, transfers: &Transfers, what: &str) -> Measure {
    let cloud = cloud(transfers).await;
    let rules = &cloud.environment().databases;
    let opened = look::open(&cloud, &rules.outboxes[0], &rules.connections[0]).await;
    let (mut session, sql) = opened.unwrap_or_else(|trouble| panic!("{}", trouble.words()));
    let mut times = Vec::new();
    let mut last: Option<Backlog> = None;
    for _ in 0..LOOKS {
        let started = Instant::now();
        last = Some(look::backlog(&mut session, &sql, cloud.clock().now()).await.expect("a look"));
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    session.close().await;
    times.sort_by(f64::total_cmp);
    let ready =
        last.and_then(|backlog| backlog.count(RowState::Ready)).map_or_else(|| "?".to_owned(), |rows| rows.words());
    Measure {
        name,
        what: format!("a look at {ROWS} rows of PostgreSQL, {what}; it says {ready} ready"),
        value: times[LOOKS / 2],
        unit: "ms",
        bound: Bound::AtMost(LOOK_MS_MAX),
    }
}

/// How fast failed rows are re-armed beside a relay that works, journal and snapshot on, and for how long rows are locked.
pub(crate) fn replay() -> Vec<Measure> {
    runtime().block_on(async {
        let Some(mut transfers) = Transfers::on_peer().await else { return Vec::new() };
        let seed = Seed { rows: 1_000_000, pending: PENDING, failed: FAILED, age: Duration::from_secs(3_000) };
        transfers.fill(&seed).await;
        transfers.index().await;
        let cloud = cloud(&transfers).await;
        let state = folder();
        let wait = Some("0s".parse().expect("a time"));
        let operation = Operation::Replay(Replay { outbox: NAME.to_owned(), wait, ..Replay::default() });
        let planner = Planner::new(StateFolder::new(state.path()), fastrand::u64(..), Look::Sample);
        let plan = planner.plan(&operation, &cloud).await.unwrap_or_else(|error| panic!("{error}")).plan;
        let answer = Answer::Typed(gate::phrase(&plan));
        let consent = Consent { by: Text::from("bench"), answer, reason: None };
        let approved = gate::approve(plan, cloud.environment(), consent, cloud.clock().now()).expect("approval");
        let context = Context {
            cloud,
            state: StateFolder::new(state.path()),
            parent: None,
            random: fastrand::u64(..),
            cancel: CancellationToken::new(),
            progress: Arc::new(|_| {}),
        };
        let (relay, locks) = (transfers.relay(), Locks::of(&transfers));
        let started = Instant::now();
        let report = run::execute(approved, &context).await;
        let seconds = started.elapsed().as_secs_f64();
        let longest = locks.longest().await;
        let sent = relay.stop().await;
        assert_eq!(report.end, End::Done, "{report:?}");
        let done = report.details.rows().expect("rows").done;
        assert_eq!(done, FAILED, "{report:?}");
        transfers.end().await;
        let what =
            format!("rows re-armed of 1,000,000, journal and snapshot on, beside a relay that sent {sent} meanwhile");
        let rate = Measure {
            name: "replay",
            what,
            value: done as f64 / seconds,
            unit: "rows/s",
            bound: Bound::AtLeast(20_000.0),
        };
        let lock = Measure {
            name: "replay-lock",
            what: "the longest transaction that held rows, polled each millisecond".to_owned(),
            value: longest.as_secs_f64() * 1_000.0,
            unit: "ms",
            bound: Bound::AtMost(100.0),
        };
        vec![rate, lock]
    })
}

/// Databases by the network, AWS in this process.
async fn cloud(transfers: &Transfers) -> Cloud {
    let ground = Ground::embedded(Duration::ZERO);
    let environment = Environment { databases: transfers.rules(), ..environment(None) };
    let connect: Connect = ground.connect().dialing(Dial::Network);
    connect.cloud(Arc::new(environment)).await.expect("clients")
}

/// Watches for how long transactions of opsctl hold locks.
struct Locks {
    stop: CancellationToken,
    task: JoinHandle<Duration>,
}

impl Locks {
    /// Starts to watch.
    fn of(transfers: &Transfers) -> Self {
        let stop = CancellationToken::new();
        let (told, url) = (stop.clone(), transfers.url.clone());
        let task = tokio::spawn(async move {
            let mut connection = PgConnection::connect(&url).await.expect("connected");
            let longest = "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity \
                           WHERE application_name = 'opsctl' AND backend_xid IS NOT NULL";
            let mut seconds: f64 = 0.0;
            while !told.is_cancelled() {
                let row = connection.fetch_one(longest).await.expect("a figure");
                seconds = seconds.max(row.get(0));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Duration::from_secs_f64(seconds)
        });
        Self { stop, task }
    }

    /// Answers how old a transaction that had changed rows was at most.
    async fn longest(self) -> Duration {
        self.stop.cancel();
        self.task.await.expect("it watches")
    }
}
