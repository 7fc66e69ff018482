//! The watch: how soon it has seen all, and what it holds.

use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use opsctl::{
    clock::Clock,
    observe::{Policy, Seen, Site, Snapshot, Watch, cache, verdict},
};

use crate::{
    Bound, Measure,
    server::{Ground, folder, memory_megabytes, runtime},
};

const LATENCY_MS: u32 = 10;
const FEW: usize = 500;
const MANY: usize = 20_000;
const CACHED: usize = 2_000;
const RUNS: usize = 9;

/// From the start of a watch to a snapshot of all queues, connections made.
pub(crate) fn complete() -> Vec<Measure> {
    let runtime = runtime();
    let _inside = runtime.enter();
    let ground = Ground::served(LATENCY_MS);
    runtime.block_on(create(&ground, FEW));
    let seconds = median((0..RUNS).map(|_| {
        let begun = Instant::now();
        let (watch, told) = start(&ground);
        until_complete(&told, FEW);
        let seconds = begun.elapsed().as_secs_f64();
        drop(watch);
        seconds
    }));
    vec![Measure {
        name: "watch-500",
        what: format!("{FEW} queues watched, from start to complete, {LATENCY_MS} ms a call"),
        value: seconds,
        unit: "s",
        bound: Bound::AtMost(0.4),
    }]
}

/// What a watch of many queues holds, and what a snapshot costs.
pub(crate) fn memory() -> Vec<Measure> {
    let runtime = runtime();
    let _inside = runtime.enter();
    let ground = Ground::served(0);
    runtime.block_on(create(&ground, MANY));
    let resident = || memory_megabytes(std::process::id(), "VmRSS:").expect("Linux");
    let before = resident();
    let begun = Instant::now();
    let (watch, told) = start(&ground);
    let snapshot = until_complete(&told, MANY);
    let seconds = begun.elapsed().as_secs_f64();
    // Long enough for a good part to be looked at again.
    std::thread::sleep(Duration::from_secs(30));
    let grown = resident() - before;
    let since: Vec<Arc<Snapshot>> = told.try_iter().collect();
    let later = since.last().unwrap_or(&snapshot);
    let held = later.queues.iter().map(|seen| bytes(seen)).sum::<usize>();
    drop(watch);
    vec![
        Measure {
            name: "watch-20000",
            what: format!("resident memory that watching {MANY} queues adds, complete in {seconds:.1} s"),
            value: grown,
            unit: "MB",
            bound: Bound::AtMost(45.0),
        },
        Measure {
            name: "watch-20000-queue",
            what: "bytes that a snapshot holds of each queue, allocator's share apart".to_owned(),
            value: held as f64 / MANY as f64,
            unit: "B",
            bound: Bound::AtMost(1_200.0),
        },
        Measure {
            name: "watch-20000-told",
            what: "snapshots told in those 30 seconds, two a second at most".to_owned(),
            value: since.len() as f64,
            unit: "",
            bound: Bound::AtMost(60.0),
        },
    ]
}

/// What is to be said about many queues.
pub(crate) fn verdicts() -> Vec<Measure> {
    let runtime = runtime();
    let _inside = runtime.enter();
    let ground = Ground::embedded(Duration::ZERO);
    runtime.block_on(create(&ground, MANY));
    let (watch, told) = start(&ground);
    let snapshot = until_complete(&told, MANY);
    drop(watch);
    let environment = &ground.environment;
    let now = Clock::system().now();
    let milliseconds = median((0..RUNS).map(|_| {
        let begun = Instant::now();
        let verdicts = verdict::verdicts(environment, &environment.watch.thresholds, &snapshot, now);
        assert!(verdicts.len() <= MANY);
        begun.elapsed().as_secs_f64() * 1_000.0
    }));
    vec![Measure {
        name: "verdicts-20000",
        what: format!("verdicts on {MANY} quiet queues"),
        value: milliseconds,
        unit: "ms",
        bound: Bound::AtMost(4.0),
    }]
}

/// What an earlier session saw, read from disk.
pub(crate) fn cache() -> Vec<Measure> {
    let runtime = runtime();
    let _inside = runtime.enter();
    let ground = Ground::embedded(Duration::ZERO);
    runtime.block_on(create(&ground, CACHED));
    let (watch, told) = start(&ground);
    let snapshot = until_complete(&told, CACHED);
    drop(watch);
    let listed_at = snapshot.listing.at.expect("listed");
    let queues: Vec<Arc<Seen>> = snapshot.queues.iter().map(|seen| Arc::new(with_history(seen))).collect();
    let folder = folder();
    cache::store(folder.path(), &ground.environment, listed_at, &queues).expect("written");
    let path = cache::queues_path(folder.path(), &ground.environment).expect("an account");
    let bytes = std::fs::metadata(path).expect("there").len();
    let now = Clock::system().now();
    let milliseconds = median((0..RUNS).map(|_| {
        let begun = Instant::now();
        let cached = cache::load(folder.path(), &ground.environment, now).expect("there");
        assert_eq!(cached.queues.len(), CACHED);
        begun.elapsed().as_secs_f64() * 1_000.0
    }));
    vec![
        Measure {
            name: "cache-2000",
            what: format!("the last state of {CACHED} queues read, each with a full trend"),
            value: milliseconds,
            unit: "ms",
            bound: Bound::AtMost(10.0),
        },
        Measure {
            name: "cache-2000-size",
            what: "its file".to_owned(),
            value: bytes as f64 / 1_024.0,
            unit: "kB",
            bound: Bound::None,
        },
    ]
}

fn start(ground: &Ground) -> (Watch, mpsc::Receiver<Arc<Snapshot>>) {
    let (sender, told) = mpsc::channel();
    let (connect, environment) = (ground.connect(), Arc::new(ground.environment.clone()));
    let opened = Arc::clone(&environment);
    let site = Site::new(environment, move || {
        let (connect, environment) = (connect.clone(), Arc::clone(&opened));
        async move { connect.cloud(environment).await }
    });
    let tell = move |snapshot| {
        // Whoever listened may have seen enough.
        drop(sender.send(snapshot));
    };
    (Watch::start(vec![site], Clock::system(), &Policy::default(), tell), told)
}

fn until_complete(told: &mpsc::Receiver<Arc<Snapshot>>, queues: usize) -> Arc<Snapshot> {
    loop {
        let snapshot = told.recv_timeout(Duration::from_secs(120)).expect("it goes on");
        if snapshot.queues.len() == queues && snapshot.listing.unseen == 0 {
            assert!(snapshot.queues.iter().all(|seen| seen.queue.is_some()));
            return snapshot;
        }
    }
}

fn with_history(seen: &Seen) -> Seen {
    let mut seen = seen.clone();
    let last = seen.at.expect("seen");
    let samples = (0..30).map(|step| (last - jiff::SignedDuration::from_secs(60 * (30 - step)), step as u64 * 100));
    seen.trend.samples = samples.collect();
    seen
}

/// Bytes of a row with all that it owns.
fn bytes(seen: &Seen) -> usize {
    let queue = seen.queue.as_ref().map_or(0, |queue| {
        queue.url.0.capacity()
            + queue.arn.0.capacity()
            + queue.name.0.capacity()
            + queue.redrive.as_ref().map_or(0, |policy| policy.dead_letter.0.capacity())
            + queue.deduplication_scope.as_ref().map_or(0, String::capacity)
            + queue.kms_key.as_ref().map_or(0, String::capacity)
    });
    let trend = seen.trend.samples.capacity() * size_of::<(jiff::Timestamp, u64)>();
    size_of::<Seen>() + seen.name.0.capacity() + seen.url.0.capacity() + queue + trend
}

async fn create(ground: &Ground, queues: usize) {
    stream::iter(0..queues)
        .for_each_concurrent(64, |number| async move {
            ground.create(&format!("queue-{number:05}"), &[]).await;
        })
        .await;
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
