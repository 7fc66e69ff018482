//! What a redrive asks AWS: about each queue once for each look, and about many at once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};
use jiff::SignedDuration;
use opsctl::{
    cloud::{Cloud, Connect},
    domain::Protection,
    operations::{Look, Operation, Planner, Redrive, plan::Plan, redrive, resolve},
    run::{self, End},
    sandbox::Options,
};

use crate::support::stage::{QueueSetup, Stage};

const SOURCES: usize = 100;
const LATENCY: Duration = Duration::from_millis(30);

/// Counts what passes: SQS's operations, with the queue that each is about.
#[derive(Debug, Clone)]
struct Counting {
    inner: SharedHttpClient,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Counting {
    /// What was asked since the last time.
    fn take(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
struct Passing {
    inner: SharedHttpConnector,
    counting: Counting,
}

impl HttpClient for Counting {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Passing { inner, counting: self.clone() })
    }
}

impl HttpConnector for Passing {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Some(operation) =
            request.headers().get("x-amz-target").and_then(|target| target.strip_prefix("AmazonSQS."))
        {
            let body: serde_json::Value =
                serde_json::from_slice(request.body().bytes().unwrap_or_default()).expect("JSON");
            let url = body.get("QueueUrl").and_then(serde_json::Value::as_str).unwrap_or_default();
            let name = format!("{operation} {}", url.rsplit('/').next().unwrap_or_default());
            *self.counting.asked.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
        }
        self.inner.call(request)
    }
}

/// A DLQ of a hundred queues, with ten dead letters, 30 ms away.
async fn stage() -> (Stage, Counting, Cloud) {
    let source = |number: usize| QueueSetup {
        name: format!("source-{number:03}"),
        dead_letter: Some(("shared-dlq".to_owned(), 3)),
        ..QueueSetup::default()
    };
    let mut queues: Vec<QueueSetup> = (0..SOURCES).map(source).collect();
    let (name, died_in) = ("shared-dlq".to_owned(), Some("source-042".to_owned()));
    queues.push(QueueSetup { name, died_in, messages: 10, ..QueueSetup::default() });
    let stage = Stage::with(Protection::Confirm, &queues, Options { latency: LATENCY, ..Options::default() });
    let counting = Counting { inner: stage.sandbox.http_client(), asked: Arc::default() };
    let connect = Connect::through(stage.sandbox.clock(), SharedHttpClient::new(counting.clone()));
    let cloud = connect.cloud(Arc::new(stage.environment.clone())).await.expect("clients");
    (stage, counting, cloud)
}

async fn plan(stage: &Stage, cloud: &Cloud, queue: &str) -> Plan {
    let redrive = Redrive { queue: queue.to_owned(), ..Redrive::default() };
    let planner = Planner::new(stage.folder(), 1, Look::Sample);
    planner.plan(&Operation::Redrive(redrive), cloud).await.expect("a plan").plan
}

/// How long it took, in the sandbox's time.
async fn timed<T>(stage: &Stage, work: impl Future<Output = T>) -> (T, SignedDuration) {
    let before = stage.sandbox.clock().now();
    let done = work.await;
    (done, stage.sandbox.clock().now().duration_since(before))
}

fn assert_each_source_once(asked: &BTreeMap<String, usize>) {
    let described = asked.iter().filter(|(name, _)| name.starts_with("GetQueueAttributes source-"));
    let counts: Vec<usize> = described.map(|(_, count)| *count).collect();
    assert_eq!(counts, [1; SOURCES], "{asked:#?}");
    assert_eq!(asked.get("ListDeadLetterSourceQueues shared-dlq"), Some(&1), "{asked:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_and_its_run_ask_about_each_source_once_and_take_a_second_and_a_half() {
    let (mut stage, counting, cloud) = stage().await;
    let (plan, planning) = timed(&stage, plan(&stage, &cloud, "shared-dlq")).await;
    assert_each_source_once(&counting.take());
    assert!(planning < SignedDuration::from_millis(1_500), "planned in {planning:#}");
    let words = plan.summary.as_str();
    assert!(words.ends_with("source-003, source-004 and 95 more"), "{words}");

    let approved = stage.approve(plan).expect("approval");
    let context = run::Context { cloud, ..stage.context().await };
    let (report, running) = timed(&stage, run::execute(approved, &context)).await;
    assert_eq!((report.end, report.details.tally().moved), (End::Done, 10), "{report:#?}");
    assert_each_source_once(&counting.take());
    assert!(running < SignedDuration::from_millis(1_500), "run in {running:#}");
}

#[tokio::test(start_paused = true)]
async fn a_sources_name_asks_about_that_source_once_as_well() {
    let (stage, counting, cloud) = stage().await;
    plan(&stage, &cloud, "source-042").await;
    assert_each_source_once(&counting.take());
}

#[tokio::test(start_paused = true)]
async fn whether_a_queue_is_a_dead_letter_queue_is_known_without_its_sources() {
    let (_stage, counting, cloud) = stage().await;
    for named in ["shared-dlq", "source-042"] {
        let named = resolve::queue(&cloud, named).await.expect("a queue");
        counting.take();
        let meant = redrive::dead_letter_queue(&cloud, named).await.expect("a queue");
        assert_eq!(meant.name.as_str(), "shared-dlq");
        let asked = counting.take();
        assert!(asked.values().sum::<usize>() <= 3, "{asked:#?}");
    }
}
