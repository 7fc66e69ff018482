//! CloudWatch's calls on the world, with explicit times.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{ApiError, Caller, Denial, PutMessage, World};

struct Scene {
    world: World,
    now: Timestamp,
    caller: Caller,
}

fn scene() -> Scene {
    let now: Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
    let caller = Caller { account: "1".repeat(12), region: "eu-west-1".into(), origin: "http://x".into() };
    Scene { world: World::new(7, now), now, caller }
}

fn search(metric: &str) -> Value {
    let expression = format!("SEARCH('{{AWS/SQS,QueueName}} MetricName=\"{metric}\"', 'Maximum', 60)");
    json!({ "Id": "all", "Expression": expression, "Label": "${PROP('Dim.QueueName')}" })
}

fn of_queue(metric: &str, queue: &str, statistic: &str, period: i64) -> Value {
    let dimensions = json!([{ "Name": "QueueName", "Value": queue }]);
    let metric = json!({ "Namespace": "AWS/SQS", "MetricName": metric, "Dimensions": dimensions });
    json!({ "Id": "m0", "MetricStat": { "Metric": metric, "Period": period, "Stat": statistic } })
}

impl Scene {
    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn queue(&mut self, name: &str, attributes: &[(&str, &str)]) -> String {
        self.world.create(self.now, &self.caller, name, attributes).expect("a queue")
    }

    fn put(&mut self, queue: &str) {
        self.world.put(self.now, &self.caller, queue, PutMessage::new("x")).expect("put");
    }

    /// Receives one; hidden for a second.
    fn take(&mut self, queue: &str) -> Option<String> {
        let taken = self.world.take(self.now, &self.caller, queue, 1, Some(1)).expect("taken");
        self.pass(2);
        taken.into_iter().next().map(|taken| taken.receipt_handle)
    }

    fn call(&mut self, action: &str, request: Value) -> Result<Value, ApiError> {
        self.world.ask_json(self.now, &self.caller, ("cloudwatch", action), request)
    }

    /// The last ten minutes of these queries.
    fn data(&mut self, queries: Value) -> Result<Value, ApiError> {
        let (start, end) = (self.now.as_second() - 600, self.now.as_second());
        self.call("GetMetricData", json!({ "MetricDataQueries": queries, "StartTime": start, "EndTime": end }))
    }

    /// The newest age of a queue, and how old the sample is.
    fn age(&mut self, queue: &str) -> Option<(f64, f64)> {
        let query = of_queue("ApproximateAgeOfOldestMessage", queue, "Maximum", 60);
        let answer = self.data(json!([query])).expect("an answer");
        let result = &answer["MetricDataResults"][0];
        let at = result["Timestamps"][0].as_f64()?;
        Some((result["Values"][0].as_f64()?, self.now.as_second() as f64 - at))
    }
}

#[test]
fn an_age_is_shown_a_minute_after_its_minute_ended() {
    let mut scene = scene();
    scene.queue("orders", &[]);
    scene.pass(20);
    scene.put("orders");
    scene.pass(99);
    assert_eq!(scene.age("orders"), None, "119 s after the minute began");
    scene.pass(1);
    assert_eq!(scene.age("orders"), Some((40.0, 120.0)));
    scene.pass(120);
    assert_eq!(scene.age("orders"), Some((160.0, 120.0)), "it goes on without anybody's doing");
}

#[test]
fn a_queue_that_was_emptied_has_no_age_and_ends_after_six_hours() {
    let mut scene = scene();
    scene.queue("orders", &[]);
    scene.put("orders");
    scene.pass(100);
    let handle = scene.take("orders").expect("a message");
    scene.world.remove(scene.now, &scene.caller, "orders", &handle).expect("removed");
    scene.pass(120);
    assert_eq!(scene.age("orders").map(|(age, _)| age), Some(0.0));
    scene.pass(7 * 3_600);
    assert_eq!(scene.age("orders"), None);
}

#[test]
fn what_was_received_three_times_is_left_out_of_a_standard_queue() {
    let mut scene = scene();
    scene.queue("orders", &[]);
    scene.put("orders");
    scene.pass(60);
    scene.put("orders");
    for _ in 0..3 {
        // The first goes to the end of the line: its turn comes every second time.
        scene.take("orders");
        let second = scene.take("orders").expect("the second");
        scene.world.hide(scene.now, &scene.caller, "orders", &second, 0).err();
    }
    scene.pass(120);
    let (age, _) = scene.age("orders").expect("a sample");
    assert_eq!(age, 0.0, "both were received three times");
    scene.put("orders");
    scene.pass(180);
    let (age, _) = scene.age("orders").expect("a sample");
    assert!((60.0..180.0).contains(&age), "{age}");
}

#[test]
fn in_a_dead_letter_queue_the_age_counts_from_the_arrival() {
    let mut scene = scene();
    let arn = scene.queue("orders-dlq", &[]);
    let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": 3 }).to_string();
    scene.queue("orders", &[("RedrivePolicy", &policy)]);
    scene.put("orders");
    scene.pass(3_600);
    (0..4).for_each(|_| drop(scene.take("orders")));
    scene.pass(180);
    let (age, _) = scene.age("orders-dlq").expect("a sample");
    assert!((60.0..240.0).contains(&age), "{age}");
}

#[test]
fn a_world_that_is_set_up_has_a_past() {
    let mut scene = scene();
    scene.queue("orders", &[]);
    let sent_at = Some(scene.now - SignedDuration::from_secs(600));
    let message = PutMessage { sent_at, ..PutMessage::new("x") };
    scene.world.put(scene.now, &scene.caller, "orders", message).expect("put");
    assert_eq!(scene.age("orders"), None);
    scene.world.begin_metrics(scene.now);
    assert_eq!(scene.age("orders"), Some((540.0, 120.0)));
}

#[test]
fn counts_and_flows() {
    let mut scene = scene();
    scene.queue("orders", &[]);
    scene.pass(10);
    (0..5).for_each(|_| scene.put("orders"));
    scene.take("orders");
    scene.pass(300);
    for (metric, statistic, values) in [
        ("ApproximateNumberOfMessagesVisible", "Maximum", json!([5.0])),
        ("NumberOfMessagesSent", "Sum", json!([5.0])),
        ("NumberOfMessagesReceived", "Sum", json!([1.0])),
        ("NumberOfMessagesSent", "SampleCount", json!([4.0])),
    ] {
        let answer = scene.data(json!([of_queue(metric, "orders", statistic, 300)])).expect("an answer");
        assert_eq!(answer["MetricDataResults"][0]["Values"], values, "{metric} {statistic}");
    }
}

#[test]
fn a_search_finds_every_queue_up_to_500_and_says_when_there_are_more() {
    let mut scene = scene();
    for number in 0..501 {
        let name = format!("q-{number:03}");
        scene.queue(&name, &[]);
        scene.put(&name);
    }
    scene.pass(120);
    let answer = scene.data(json!([search("ApproximateAgeOfOldestMessage")])).expect("an answer");
    let results = answer["MetricDataResults"].as_array().expect("results");
    assert_eq!((results.len(), &results[7]["Label"]), (500, &json!("q-007")));
    assert_eq!(answer["Messages"][0]["Code"], "MaxMetricsExceeded");
}

#[test]
fn pages_follow_each_other_without_a_gap() {
    let mut scene = scene();
    for name in ["a", "b"] {
        scene.queue(name, &[]);
        scene.put(name);
    }
    scene.pass(600);
    let (start, end) = (scene.now.as_second() - 600, scene.now.as_second());
    let mut request = json!({
        "MetricDataQueries": [search("ApproximateNumberOfMessagesVisible")], "StartTime": start, "EndTime": end,
        "MaxDatapoints": 4, "ScanBy": "TimestampAscending",
    });
    let mut points = Vec::new();
    loop {
        let page = scene.call("GetMetricData", request.clone()).expect("a page");
        for result in page["MetricDataResults"].as_array().expect("results") {
            let times = result["Timestamps"].as_array().expect("times").iter();
            points.extend(times.map(|time| (result["Label"].to_string(), time.as_f64().expect("a time") as i64)));
        }
        let Some(token) = page["NextToken"].as_str() else { break };
        request["NextToken"] = json!(token);
    }
    let mut sorted = points.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((points.len(), &points), (18, &sorted));
}

#[test]
fn what_cloudwatch_refuses() {
    let mut scene = scene();
    let query = |id: &str| {
        let mut query = of_queue("ApproximateNumberOfMessagesVisible", "orders", "Sum", 60);
        query["Id"] = json!(id);
        query
    };
    let many: Vec<Value> = (0..501).map(|number| query(&format!("m{number}"))).collect();
    let error = scene.data(json!(many)).expect_err("too many");
    assert_eq!((error.code, error.status), ("ValidationError", 400));
    for queries in [
        json!([query("m0"), query("m0")]),
        json!([query("M0")]),
        json!([{ "Id": "m0" }]),
        json!([{ "Id": "m0", "Expression": "m1 + m2" }]),
        json!([of_queue("ApproximateNumberOfMessagesVisible", "orders", "p101", 60)]),
        json!([of_queue("ApproximateNumberOfMessagesVisible", "orders", "Sum", 61)]),
    ] {
        assert_eq!(scene.data(queries.clone()).expect_err("refused").code, "ValidationError", "{queries}");
    }
    let error = scene.call("GetMetricData", json!({})).expect_err("nothing asked");
    assert_eq!(error.shown_code(), "MissingParameter");
    let aws = json!({ "Namespace": "AWS/SQS", "MetricData": [{ "MetricName": "x", "Value": 1.0 }] });
    assert_eq!(scene.call("PutMetricData", aws).expect_err("theirs").shown_code(), "InvalidParameterValue");
    let denial = Denial { account: "*".into(), queue: "*".into(), action: "cloudwatch:Get*".into() };
    scene.world.denials.push(denial);
    assert_eq!(scene.data(json!([query("m0")])).expect_err("denied").shown_code(), "AccessDenied");
}

#[test]
fn custom_metrics_are_summed_up_by_the_minute_and_listed() {
    let mut scene = scene();
    let dimensions = json!([{ "Name": "Thing", "Value": "a" }]);
    let datum = json!({ "MetricName": "Work", "Dimensions": dimensions, "Values": [2.0, 5.0], "Counts": [3.0, 1.0] });
    scene.call("PutMetricData", json!({ "Namespace": "Mine", "MetricData": [datum] })).expect("put");
    scene.pass(1);
    let metric = json!({ "Namespace": "Mine", "MetricName": "Work", "Dimensions": dimensions });
    for (statistic, value) in [("Sum", 11.0), ("Maximum", 5.0), ("Average", 2.75)] {
        let query =
            json!({ "Id": "m0", "MetricStat": { "Metric": metric, "Period": 60, "Stat": statistic }, "Label": "l" });
        let answer = scene.data(json!([query])).expect("an answer");
        assert_eq!(answer["MetricDataResults"][0]["Values"], json!([value]), "{statistic}");
    }
    scene.queue("orders", &[]);
    scene.put("orders");
    scene.pass(60);
    let list = |scene: &mut Scene, request| scene.call("ListMetrics", request).expect("a list")["Metrics"].clone();
    assert_eq!(list(&mut scene, json!({ "Namespace": "Mine" })), json!([metric]));
    let named = json!({ "Dimensions": [{ "Name": "QueueName", "Value": "orders" }] });
    assert_eq!(list(&mut scene, named).as_array().map(Vec::len), Some(7));
}

/// Queues that all change every minute: an hour of them is noted and searched in no time.
#[test]
fn many_queues_stay_cheap() {
    let mut scene = scene();
    let names: Vec<String> = (0..2_000).map(|number| format!("q-{number}")).collect();
    names.iter().for_each(|name| drop(scene.queue(name, &[])));
    let started_at = std::time::Instant::now();
    for _ in 0..60 {
        names.iter().for_each(|name| scene.put(name));
        scene.pass(60);
    }
    let answer = scene.data(json!([search("ApproximateAgeOfOldestMessage")])).expect("an answer");
    assert_eq!(answer["MetricDataResults"].as_array().map(Vec::len), Some(500));
    assert!(started_at.elapsed().as_secs() < 20, "{:?}", started_at.elapsed());
}
