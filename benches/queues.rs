//! Listing the queues of an environment.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use opsctl::{
    cloud::ErrorKind,
    observe::{Scope, Seen, Wanted, once},
};

use crate::{
    Bound, Measure,
    server::{Ground, runtime},
};

const LATENCY_MS: u32 = 10;
const QUEUES: usize = 500;
const MANY_QUEUES: usize = 1_500;
/// Listings; the median counts, the first one connects.
const RUNS: usize = 5;
const WANTED: Wanted = Wanted {
    queues: Some(Scope::All),
    looks: &[],
    event_minutes: 0,
    without_instances: false,
    is_bounded: false,
    deadline: None,
    earlier: None,
    runs: None,
};

/// How long a listing takes where every call takes its time.
pub(crate) fn listed() -> Vec<Measure> {
    let (first, median) = runtime().block_on(async {
        let ground = Ground::served(LATENCY_MS);
        create(&ground, QUEUES).await;
        let cloud = ground.cloud().await;
        let mut seconds = Vec::new();
        for _ in 0..RUNS {
            let started = Instant::now();
            let found = once(&cloud, &WANTED).await.snapshot.queues;
            seconds.push(started.elapsed().as_secs_f64());
            assert!(found.len() == QUEUES && found.iter().all(|queue| queue.queue.is_some()));
        }
        let first = seconds[0];
        seconds.sort_by(f64::total_cmp);
        (first, seconds[RUNS / 2])
    });
    let what = format!("{QUEUES} queues listed and described, {LATENCY_MS} ms a call");
    vec![
        Measure {
            name: "queues-500-first",
            what: format!("{what}, connections made"),
            value: first,
            unit: "s",
            bound: Bound::AtMost(0.4),
        },
        Measure { name: "queues-500", what, value: median, unit: "s", bound: Bound::AtMost(0.4) },
    ]
}

/// Whether a long listing is whole where half of it is denied.
pub(crate) fn denied() -> Vec<Measure> {
    let found = runtime().block_on(async {
        let ground = Ground::embedded(Duration::ZERO);
        create(&ground, MANY_QUEUES).await;
        ground.deny("*-odd", "GetQueueAttributes");
        once(&ground.cloud().await, &WANTED).await.snapshot.queues
    });
    let with_reason = |queue: &&Arc<Seen>| {
        queue.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Denied && !error.message.as_str().is_empty())
    };
    let denied = found.iter().filter(with_reason).count();
    vec![
        Measure {
            name: "queues-1500",
            what: "rows, half of the queues denied".to_owned(),
            value: found.len() as f64,
            unit: "rows",
            bound: Bound::AtLeast(MANY_QUEUES as f64),
        },
        Measure {
            name: "queues-1500-denied",
            what: "of these, rows that say why there is no more".to_owned(),
            value: denied as f64,
            unit: "rows",
            bound: Bound::AtLeast(MANY_QUEUES as f64 / 2.0),
        },
    ]
}

async fn create(ground: &Ground, queues: usize) {
    let names = (0..queues).map(|number| format!("queue-{number:04}-{}", if number % 2 == 0 { "even" } else { "odd" }));
    stream::iter(names)
        .for_each_concurrent(32, |name| async move {
            ground.create(&name, &[]).await;
        })
        .await;
}
