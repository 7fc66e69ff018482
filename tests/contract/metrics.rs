//! CloudWatch metrics.

use std::time::Duration;

use aws_sdk_cloudwatch::{
    Client,
    error::ProvideErrorMetadata,
    primitives::DateTime,
    types::{Dimension, Metric, MetricDataQuery, MetricDatum, MetricStat},
};
use opsctl::cloud::metrics::{Series, Statistic};

use super::{
    Check,
    ground::{Ground, Peer, plain},
};

const WORK: Series = Series {
    namespace: "OpsctlContract",
    dimensions: &["Thing"],
    metric: "Work",
    statistic: Statistic::Maximum,
    period_seconds: 60,
    window_seconds: 600,
};

const VISIBLE: Series = Series {
    namespace: "AWS/SQS",
    dimensions: &["QueueName"],
    metric: "ApproximateNumberOfMessagesVisible",
    statistic: Statistic::Maximum,
    period_seconds: 60,
    window_seconds: 600,
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("a metric is read by its resource's name", named),
        Check::new("a search finds a metric of every resource", search),
        Check::new("the newest sample comes first, and old ones stay out", newest),
        Check::new("a large put arrives", large),
        Check::new("a queue's count is published", published),
        Check::new("gauges of several series come by resource, with the values before", gauges),
        Check::new("gauges of every resource come by one call", all_gauges),
        Check::new("501 queries are refused", too_many),
    ]
}

fn client(ground: &Ground) -> Client {
    Client::new(&ground.raw)
}

/// Puts a value of `WORK`, so many seconds ago.
async fn put(ground: &Ground, thing: &str, value: f64, seconds_ago: i64) {
    let at = DateTime::from_secs(ground.clock().now().as_second() - seconds_ago);
    let dimension = Dimension::builder().name("Thing").value(thing).build();
    let datum = MetricDatum::builder().metric_name("Work").dimensions(dimension).timestamp(at).value(value).build();
    let put = client(ground).put_metric_data().namespace(WORK.namespace).metric_data(datum);
    put.send().await.expect("put");
}

fn thing(ground: &Ground, name: &str) -> String {
    format!("{}-{name}", ground.prefix())
}

async fn named(ground: Ground) {
    let (one, two) = (thing(&ground, "one"), thing(&ground, "two"));
    put(&ground, &one, 42.5, 60).await;
    put(&ground, &two, 7.0, 60).await;
    let gone = thing(&ground, "gone");
    let samples = ground.cloud.metrics.named(&WORK, &[&two, &gone, &one]).await.expect("an answer");
    assert_eq!(samples.newest(&one).map(|sample| sample.value), Some(42.5));
    assert_eq!(samples.newest(&two).map(|sample| sample.value), Some(7.0));
    assert_eq!((samples.by_name.len(), samples.asked, samples.incomplete), (2, 3, None));
}

async fn search(ground: Ground) {
    let (one, two) = (thing(&ground, "one"), thing(&ground, "two"));
    put(&ground, &one, 42.5, 60).await;
    put(&ground, &two, 7.0, 60).await;
    let samples = ground.cloud.metrics.search(&WORK).await.expect("an answer");
    assert_eq!(samples.newest(&one).map(|sample| sample.value), Some(42.5));
    assert_eq!(samples.newest(&two).map(|sample| sample.value), Some(7.0));
    assert!(samples.asked >= 2, "{}", samples.asked);
}

async fn newest(ground: Ground) {
    let one = thing(&ground, "one");
    for (value, seconds_ago) in [(1.0, 5_000), (90.0, 300), (3.0, 60)] {
        put(&ground, &one, value, seconds_ago).await;
    }
    let samples = ground.cloud.metrics.named(&WORK, &[&one]).await.expect("an answer");
    let recent = samples.by_name[&one];
    assert_eq!((recent.newest.value, recent.highest), (3.0, 90.0));
    let age = ground.clock().now().duration_since(recent.newest.at).as_secs();
    assert!((60..180).contains(&age), "told as {age} s old");
}

/// From 10 KiB on the SDK compresses it.
async fn large(ground: Ground) {
    let things: Vec<String> = (0..150).map(|number| thing(&ground, &format!("{number:03}"))).collect();
    let data = things.iter().zip(0..).map(|(thing, number)| {
        let dimension = Dimension::builder().name("Thing").value(thing).build();
        MetricDatum::builder().metric_name("Work").dimensions(dimension).value(f64::from(number)).build()
    });
    let put = client(&ground).put_metric_data().namespace(WORK.namespace).set_metric_data(Some(data.collect()));
    put.send().await.expect("put");
    let samples = ground.cloud.metrics.named(&WORK, &[&things[149]]).await.expect("an answer");
    assert_eq!(samples.newest(&things[149]).map(|sample| sample.value), Some(149.0));
}

async fn published(ground: Ground) {
    let url = ground.queue("orders", &[]).await;
    ground.send(&url, &[plain("a"), plain("b")]).await;
    let name = url.name();
    // On the sandbox, whose hours pass at once, as long as with AWS; emulators that publish anything do so each minute.
    let looks = if ground.peer == Peer::Sandbox { 18 } else { 8 };
    for _ in 0..looks {
        let samples = ground.cloud.metrics.named(&VISIBLE, &[name.as_str()]).await.expect("an answer");
        if let Some(sample) = samples.newest(name.as_str()) {
            assert_eq!(sample.value, 2.0);
            return;
        }
        ground.clock().sleep(Duration::from_secs(10)).await;
    }
    panic!("no sample came");
}

const REST: Series = Series { metric: "Rest", ..WORK };

/// Two metrics of one thing, one of them with a value before.
async fn two_metrics(ground: &Ground) -> String {
    let one = thing(ground, "one");
    put(ground, &one, 5.0, 180).await;
    put(ground, &one, 9.0, 60).await;
    let dimension = Dimension::builder().name("Thing").value(&one).build();
    let at = DateTime::from_secs(ground.clock().now().as_second() - 60);
    let datum = MetricDatum::builder().metric_name("Rest").dimensions(dimension).timestamp(at).value(1.5).build();
    client(ground).put_metric_data().namespace(WORK.namespace).metric_data(datum).send().await.expect("put");
    one
}

async fn gauges(ground: Ground) {
    let one = two_metrics(&ground).await;
    let gone = thing(&ground, "gone");
    let gauges = ground.cloud.metrics.gauges_named(&[WORK, REST], &[&one, &gone]).await.expect("an answer");
    let work = gauges.get(&WORK, &one).expect("a gauge");
    let values: Vec<f64> = work.recent.iter().map(|(_, value)| *value).collect();
    assert_eq!((work.value, values), (9.0, vec![5.0, 9.0]));
    assert_eq!(gauges.get(&REST, &one).map(|gauge| gauge.value), Some(1.5));
    assert_eq!((gauges.get(&WORK, &gone), gauges.asked, &gauges.incomplete), (None, 4, &None));
}

async fn all_gauges(ground: Ground) {
    let one = two_metrics(&ground).await;
    let gauges = ground.cloud.metrics.gauges(&[WORK, REST]).await.expect("an answer");
    assert_eq!(gauges.get(&WORK, &one).map(|gauge| gauge.value), Some(9.0));
    assert_eq!(gauges.get(&REST, &one).map(|gauge| gauge.value), Some(1.5));
    assert!(gauges.asked >= 2, "{}", gauges.asked);
}

async fn too_many(ground: Ground) {
    let metric = Metric::builder().namespace(WORK.namespace).metric_name("Work").build();
    let stat = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
    let query = |number| MetricDataQuery::builder().id(format!("m{number}")).metric_stat(stat.clone()).build();
    let now = ground.clock().now().as_second();
    let call = client(&ground).get_metric_data().set_metric_data_queries(Some((0..501).map(query).collect()));
    let call = call.start_time(DateTime::from_secs(now - 600)).end_time(DateTime::from_secs(now));
    let error = call.send().await.expect_err("refused");
    assert_eq!(error.code(), Some("ValidationError"));
}
