//! CloudWatch as `cloud/` meets it: over AWS JSON, below the SDK's retries.

use std::{sync::Arc, time::Duration};

use opsctl::{
    cloud::{
        Cloud, Connect, ErrorKind,
        metrics::{QUEUE_AGE, Samples},
    },
    domain::Protection,
    sandbox::{
        Sandbox,
        world::{Caller, Fault, FaultKind, PutMessage},
    },
};

use super::{ACCOUNT, sandbox};
use crate::support::stage::environment;

const REGION: &str = "af-south-1";

async fn cloud(sandbox: &Sandbox) -> Cloud {
    let connect = Connect::through(sandbox.clock(), sandbox.http_client());
    connect.cloud(Arc::new(environment(Protection::Confirm))).await.expect("clients")
}

/// Queues with a message each, two minutes ago.
async fn queues(sandbox: &Sandbox, names: impl Iterator<Item = String>) {
    let caller = Caller { account: ACCOUNT.into(), region: REGION.into(), origin: "http://localhost".into() };
    sandbox.with(|world, now| {
        for name in names {
            world.create(now, &caller, &name, &[]).expect("a queue");
            world.put(now, &caller, &name, PutMessage::new("x")).expect("a message");
        }
    });
    sandbox.clock().sleep(Duration::from_secs(120)).await;
}

fn inject(sandbox: &Sandbox, times: u64, kind: FaultKind) {
    let call = "cloudwatch:GetMetricData".to_owned();
    sandbox.with(|world, _| world.faults.add(Fault { call, queue: None, nth: 1, times, kind }));
}

#[tokio::test(start_paused = true)]
async fn one_search_tells_the_age_of_every_queue_and_names_tell_it_of_a_few() {
    let sandbox = sandbox();
    queues(&sandbox, ["orders", "payments"].into_iter().map(str::to_owned)).await;
    let cloud = cloud(&sandbox).await;
    let all = cloud.metrics.search(&QUEUE_AGE).await.expect("an answer");
    assert_eq!((all.asked, &all.incomplete), (2, &None));
    let newest = all.newest("orders").expect("a sample");
    assert_eq!(newest.value, 60.0);
    assert_eq!(newest.at, "2026-11-21T03:00:00Z".parse().expect("a time"));
    let some = cloud.metrics.named(&QUEUE_AGE, &["payments", "gone", "payments"]).await.expect("an answer");
    assert_eq!((some.asked, some.by_name.len()), (2, 1));
    assert_eq!(some.newest("payments").map(|sample| sample.value), Some(60.0));
}

#[tokio::test(start_paused = true)]
async fn with_more_than_500_queues_a_search_is_not_whole_and_names_are() {
    let sandbox = sandbox();
    let names: Vec<String> = (0..1_003).map(|number| format!("q-{number}")).collect();
    queues(&sandbox, names.iter().cloned()).await;
    let cloud = cloud(&sandbox).await;
    let all = cloud.metrics.search(&QUEUE_AGE).await.expect("an answer");
    assert_eq!((all.asked, all.by_name.len()), (500, 500));
    assert!(all.incomplete.is_some());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let all = cloud.metrics.named(&QUEUE_AGE, &names).await.expect("an answer");
    assert_eq!((all.asked, all.by_name.len(), all.incomplete), (1_003, 1_003, None));
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_is_told_apart() {
    let sandbox = sandbox();
    queues(&sandbox, ["orders".to_owned()].into_iter()).await;
    let cloud = cloud(&sandbox).await;
    for (kind, times, expected) in [
        (FaultKind::Denied, 1, Some(ErrorKind::Denied)),
        (FaultKind::Throttled, 3, Some(ErrorKind::Throttled)),
        (FaultKind::Throttled, 1, None),
        (FaultKind::LostAfter, 1, None),
        (FaultKind::LostBefore, 3, Some(ErrorKind::Unknown)),
        (FaultKind::Hang, 3, Some(ErrorKind::Unknown)),
        (FaultKind::Refused, 3, Some(ErrorKind::Unreachable)),
        (FaultKind::ExpiredCredentials, 1, Some(ErrorKind::CredentialsExpired)),
        (FaultKind::ServerError(503), 3, Some(ErrorKind::Unknown)),
    ] {
        inject(&sandbox, times, kind);
        let before = sandbox.clock().now();
        let answer: Result<Samples, _> = cloud.metrics.search(&QUEUE_AGE).await;
        assert_eq!(answer.as_ref().err().map(|error| error.kind), expected, "{kind:?} {times}: {answer:?}");
        assert!(sandbox.clock().now().duration_since(before).as_secs() <= 13, "{kind:?}");
        // Retry tokens come back with success only: the next fault shall meet a client that retries.
        for _ in 0..3 {
            drop(cloud.metrics.search(&QUEUE_AGE).await);
        }
        sandbox.with(|world, _| world.faults.clear());
    }
}
