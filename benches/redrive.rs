//! Client-side redrive, journal and snapshot on, beside a bare loop of receive, send and delete through the same clients.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use opsctl::{
    cloud::{
        Cloud,
        sqs::{Entry, Receive},
    },
    domain::{Message, Outgoing, QueueUrl, ReceiptHandle, Text},
    gate::{self, Answer, Consent},
    journal::StateFolder,
    operations::{Look, Operation, Planner, Redrive, plan::Plan, values::EngineChoice},
    run::{self, Context, End},
};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    Bound, Measure,
    server::{Ground, cpu_seconds, folder, runtime},
};

const BODY_BYTES: usize = 500;
const BATCH: usize = 10;
/// As many calls at once as the redrive's lanes, by default.
const TASKS: usize = 16;
/// Runs of each, in turns; the median counts.
const PAIRS: usize = 3;
const LATENCY_MS: u32 = 10;

/// Against a server in another process that takes its time.
pub(crate) fn served() -> Vec<Measure> {
    runtime().block_on(async {
        let scene = Scene::set(Ground::served(LATENCY_MS), 20_000).await;
        let pairs = scene.pairs().await;
        let whole = Pass::of(scene.messages, scene.redrive(None)).await.rate;
        let [redrive, bare, share] = ["redrive-10ms", "redrive-10ms-bare", "redrive-10ms-share"];
        let mut measures = measures([redrive, bare, share], &pairs, [5_000.0, 90.0], "a server at 10 ms a call");
        measures.push(Measure {
            name: "redrive-10ms-whole",
            what: format!("the same without a limit: {} messages, and at the end two looks for more", scene.messages),
            value: whole,
            unit: "msg/s",
            bound: Bound::AtLeast(3_500.0),
        });
        measures
    })
}

/// Against a server on another continent.
pub(crate) fn far() -> Vec<Measure> {
    let moved = |name: &'static str, latency_ms: u32, bound: Bound| {
        runtime().block_on(async {
            let scene = Scene::set(Ground::served(latency_ms), 20_000).await;
            let limit = Some(scene.messages as u64);
            let pass = Pass::of(scene.messages, scene.redrive(limit)).await;
            let what = format!(
                "redriven at {latency_ms} ms a call, lanes found out, {:.0} µs of CPU a message",
                pass.cpu_micros
            );
            Measure { name, what, value: pass.rate, unit: "msg/s", bound }
        })
    };
    vec![moved("redrive-50ms", 50, Bound::None), moved("redrive-200ms", 200, Bound::AtLeast(2_000.0))]
}

/// A few messages: what the end of a run costs.
pub(crate) fn few() -> Vec<Measure> {
    let seconds = runtime().block_on(async {
        let scene = Scene::set(Ground::served(LATENCY_MS), 20).await;
        let started = Instant::now();
        scene.redrive(None).await;
        started.elapsed().as_secs_f64()
    });
    let what = format!("planned, redriven and proven to be all: 20 messages at {LATENCY_MS} ms a call");
    vec![Measure { name: "redrive-20", what, value: seconds, unit: "s", bound: Bound::AtMost(1.2) }]
}

/// A DLQ that many queues share: what the two looks at all of them cost.
pub(crate) fn of_many_sources() -> Vec<Measure> {
    const SOURCES: usize = 100;
    const LATENCY_MS: u32 = 30;
    let planned = runtime().block_on(async {
        let scene = Scene::set(Ground::served(LATENCY_MS), 20).await;
        for number in 1..SOURCES {
            source(&scene.ground, &format!("bench-{number}"), &scene.dead_letters).await;
        }
        let started = Instant::now();
        scene.plan(None).await;
        started.elapsed().as_secs_f64()
    });
    let what = format!("planned, a DLQ of {SOURCES} sources at {LATENCY_MS} ms a call");
    vec![Measure { name: "redrive-sources-plan", what, value: planned, unit: "s", bound: Bound::AtMost(1.5) }]
}

/// In this process, answered at once.
pub(crate) fn embedded() -> Vec<Measure> {
    runtime().block_on(async {
        let scene = Scene::set(Ground::embedded(Duration::ZERO), 40_000).await;
        let pairs = scene.pairs().await;
        // With nothing to wait for, the rates are those of the cores: a journal and a snapshot, which the bare loop does not keep, cost
        // about as much again as the calls themselves.
        let where_to = "a sandbox in process, where the cores are the bound";
        measures(["redrive-0ms", "redrive-0ms-bare", "redrive-0ms-share"], &pairs, [8_000.0, 45.0], where_to)
    })
}

/// A redrive, and the bare loop right after.
struct Pair {
    redrive: Pass,
    bare: Pass,
}

/// All messages moved once.
struct Pass {
    /// Messages a second.
    rate: f64,
    /// This process's CPU time for each message, in microseconds: unlike the rate it hardly depends on who else works here.
    cpu_micros: f64,
}

impl Pass {
    async fn of(messages: usize, work: impl Future<Output = ()>) -> Self {
        let (started, cpu) = (Instant::now(), cpu_seconds());
        work.await;
        let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        Self { rate: messages as f64 / seconds, cpu_micros: cpu * 1e6 / messages as f64 }
    }
}

fn measures(names: [&'static str; 3], pairs: &[Pair], [rate, share]: [f64; 2], where_to: &str) -> Vec<Measure> {
    let of = |figure: fn(&Pair) -> f64| median(pairs.iter().map(figure).collect());
    let each = pairs.iter().map(|pair| format!("{:.0}:{:.0}", pair.redrive.rate, pair.bare.rate));
    let each = each.collect::<Vec<_>>().join(" ");
    let cpu = |figure: fn(&Pair) -> f64| format!("{:.0} µs of CPU a message", of(figure));
    vec![
        Measure {
            name: names[0],
            what: format!(
                "redriven through {where_to}, journal and snapshot on, default lanes, {BODY_BYTES} bytes, {}",
                cpu(|pair| pair.redrive.cpu_micros)
            ),
            value: of(|pair| pair.redrive.rate),
            unit: "msg/s",
            bound: Bound::AtLeast(rate),
        },
        Measure {
            name: names[1],
            what: format!("bare receive, send and delete there, {TASKS} tasks, {}", cpu(|pair| pair.bare.cpu_micros)),
            value: of(|pair| pair.bare.rate),
            unit: "msg/s",
            bound: Bound::None,
        },
        Measure {
            name: names[2],
            what: format!("redrive's share of the bare loop, median of pairs in turns ({each})"),
            value: of(|pair| pair.redrive.rate / pair.bare.rate * 100.0),
            unit: "%",
            bound: Bound::AtLeast(share),
        },
    ]
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A DLQ full of messages, and the queue that it belongs to.
struct Scene {
    cloud: Cloud,
    source: QueueUrl,
    dead_letters: QueueUrl,
    messages: usize,
    state: TempDir,
    ground: Ground,
}

impl Scene {
    async fn set(ground: Ground, messages: usize) -> Self {
        let (source, dead_letters) = queues(&ground).await;
        let cloud = ground.cloud().await;
        fill(&cloud, &dead_letters, messages).await;
        Self { cloud, source, dead_letters, messages, state: folder(), ground }
    }

    async fn pairs(&self) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for _ in 0..PAIRS {
            let redrive = Pass::of(self.messages, self.redrive(Some(self.messages as u64))).await;
            // Back again: each run finds what the one before has left.
            let back = bare(&self.cloud, &self.source, &self.dead_letters, self.messages);
            let bare = Pass::of(self.messages, back).await;
            pairs.push(Pair { redrive, bare });
        }
        pairs
    }

    /// Plans, approves and runs, as the program does.
    async fn redrive(&self, limit: Option<u64>) {
        let plan = self.plan(limit).await;
        self.run(plan).await;
    }

    async fn plan(&self, limit: Option<u64>) -> Plan {
        let redrive =
            Redrive { queue: "bench-dlq".to_owned(), engine: EngineChoice::Client, limit, ..Redrive::default() };
        let state = StateFolder::new(self.state.path());
        let planner = Planner::new(state, fastrand::u64(..), Look::Never);
        planner.plan(&Operation::Redrive(redrive), &self.cloud).await.expect("a plan").plan
    }

    async fn run(&self, plan: Plan) {
        let state = StateFolder::new(self.state.path());
        let consent = Consent { by: Text::from("bench"), answer: Answer::Yes, reason: None };
        let now = self.cloud.clock().now();
        let approved = gate::approve(plan, self.cloud.environment(), consent, now).expect("approval");
        let context = Context {
            cloud: self.cloud.clone(),
            state,
            parent: None,
            random: fastrand::u64(..),
            cancel: CancellationToken::new(),
            progress: Arc::new(|_| {}),
        };
        let report = run::execute(approved, &context).await;
        assert_eq!(report.end, End::Done, "{report:?}");
        assert_eq!(report.details.tally().moved, self.messages as u64, "{report:?}");
    }
}

/// A queue and its DLQ.
pub(crate) async fn queues(ground: &Ground) -> (QueueUrl, QueueUrl) {
    let dead_letters = QueueUrl(ground.create("bench-dlq", &[]).await);
    (source(ground, "bench", &dead_letters).await, dead_letters)
}

/// A queue with this DLQ.
async fn source(ground: &Ground, name: &str, dead_letters: &QueueUrl) -> QueueUrl {
    let arn = ground.cloud().await.sqs.describe(dead_letters).await.expect("described").arn;
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":5}}"#);
    QueueUrl(ground.create(name, &[("RedrivePolicy", policy)]).await)
}

/// Sends messages with a body of JSON.
pub(crate) async fn fill(cloud: &Cloud, to: &QueueUrl, messages: usize) {
    let mut tasks = JoinSet::new();
    let left = Arc::new(AtomicI64::new(messages as i64));
    for _ in 0..TASKS * 2 {
        let (cloud, to, left) = (cloud.clone(), to.clone(), Arc::clone(&left));
        tasks.spawn(async move {
            loop {
                let number = left.fetch_sub(BATCH as i64, Ordering::Relaxed);
                if number <= 0 {
                    return;
                }
                let batch: Vec<Outgoing> = (0..BATCH as i64).map(|index| outgoing(number + index)).collect();
                let entries = cloud.sqs.send(&to, &batch).await.expect("sent");
                assert!(entries.iter().all(|entry| matches!(entry, Entry::Done(_))));
            }
        });
    }
    tasks.join_all().await;
}

fn outgoing(number: i64) -> Outgoing {
    let head = format!(r#"{{"eventId":"e-{number}","type":"transfer","amount":"{}","note":""#, number % 1_000);
    let body = format!("{head}{}\"}}", "x".repeat(BODY_BYTES - 2 - head.len()));
    Outgoing { body, attributes: BTreeMap::new(), group: None, deduplication_id: None, trace_header: None }
}

/// Receive, send, delete; nothing checked that the calls do not check, nothing written down.
async fn bare(cloud: &Cloud, from: &QueueUrl, to: &QueueUrl, messages: usize) {
    let mut tasks = JoinSet::new();
    let left = Arc::new(AtomicI64::new(messages as i64));
    for _ in 0..TASKS {
        let (cloud, from, to, left) = (cloud.clone(), from.clone(), to.clone(), Arc::clone(&left));
        tasks.spawn(async move {
            let how = Receive { messages_max: BATCH as u32, wait_seconds: 1, visibility_seconds: 120 };
            while left.fetch_sub(BATCH as i64, Ordering::Relaxed) > 0 {
                let received = cloud.sqs.receive(&from, how).await.expect("received");
                assert_eq!(received.len(), BATCH, "nobody else takes any");
                let (outgoing, receipts): (Vec<_>, Vec<_>) = received.into_iter().map(copy).unzip();
                let sent = cloud.sqs.send(&to, &outgoing).await.expect("sent");
                assert!(sent.iter().all(|entry| matches!(entry, Entry::Done(_))));
                let deleted = cloud.sqs.delete(&from, &receipts).await.expect("deleted");
                assert!(deleted.iter().all(|entry| matches!(entry, Entry::Done(()))));
            }
        });
    }
    tasks.join_all().await;
}

fn copy(message: Message) -> (Outgoing, ReceiptHandle) {
    let outgoing = Outgoing {
        body: message.body,
        attributes: message.attributes,
        group: message.system.group,
        deduplication_id: None,
        trace_header: message.system.trace_header,
    };
    (outgoing, message.receipt)
}
