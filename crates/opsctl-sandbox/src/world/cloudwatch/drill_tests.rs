//! What a person in a drill types: alarms of ten seconds, metric math, `GetMetricStatistics`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{ApiError, Caller, World};

struct Scene {
    world: World,
    now: Timestamp,
}

impl Scene {
    fn new() -> Self {
        let now: Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
        Self { world: World::new(7, now), now }
    }

    fn call(&mut self, action: &str, request: Value) -> Result<Value, ApiError> {
        let caller = Caller { account: "111111111111".into(), region: "af-south-1".into(), origin: String::new() };
        self.world.ask_json(self.now, &caller, ("cloudwatch", action), request)
    }

    fn ok(&mut self, action: &str, request: Value) -> Value {
        self.call(action, request).unwrap_or_else(|error| panic!("{action}: {error:?}"))
    }

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn put(&mut self, name: &str, value: f64, resolution: i64) {
        let datum = json!({ "MetricName": name, "Value": value, "StorageResolution": resolution });
        self.ok("PutMetricData", json!({ "Namespace": "Drill", "MetricData": [datum] }));
    }

    fn state(&mut self) -> String {
        let told = self.ok("DescribeAlarms", json!({ "AlarmNames": ["fast"] }));
        told["MetricAlarms"][0]["StateValue"].as_str().expect("a state").to_owned()
    }
}

#[test]
fn an_alarm_of_ten_seconds_goes_off_and_ends_within_thirty() {
    for period in [10, 30] {
        let mut scene = Scene::new();
        scene.pass(7);
        let alarm = json!({ "AlarmName": "fast", "Namespace": "Drill", "MetricName": "m", "Statistic": "Maximum", "Period": period,
            "EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching" });
        scene.ok("PutMetricAlarm", alarm);
        let told = scene.ok("DescribeAlarms", json!({ "AlarmNames": ["fast"] }));
        assert_eq!(told["MetricAlarms"][0]["Period"], period);
        scene.put("m", 9.0, 1);
        scene.pass(i64::from(period));
        assert_eq!(scene.state(), "ALARM", "{period} s");
        scene.pass(3 * i64::from(period) + 10);
        assert_eq!(scene.state(), "OK", "{period} s");
    }
}

#[test]
fn what_is_put_with_a_resolution_of_a_second_is_read_by_seconds() {
    let mut scene = Scene::new();
    for second in 0..20 {
        scene.put("m", f64::from(second), 1);
        scene.put("coarse", f64::from(second), 60);
        scene.pass(1);
    }
    let end = scene.now.as_second() as f64;
    let read = |scene: &mut Scene, name: &str, period: i64| {
        let metric = json!({ "Namespace": "Drill", "MetricName": name });
        let query = json!({ "Id": "m", "MetricStat": { "Metric": metric, "Period": period, "Stat": "Maximum" } });
        let request = json!({ "MetricDataQueries": [query], "StartTime": end - 60.0, "EndTime": end, "ScanBy": "TimestampAscending" });
        scene.ok("GetMetricData", request)["MetricDataResults"][0]["Values"].take()
    };
    assert_eq!(read(&mut scene, "m", 10), json!([9.0, 19.0]));
    assert_eq!(read(&mut scene, "m", 60), json!([19.0]));
    assert_eq!(read(&mut scene, "coarse", 10), json!([]));
    let bad =
        json!({ "Namespace": "Drill", "MetricData": [{ "MetricName": "m", "Value": 1.0, "StorageResolution": 7 }] });
    assert_eq!(scene.call("PutMetricData", bad).expect_err("refused").code, "ValidationError");
}

#[test]
fn expressions_are_calculated_over_other_queries() {
    let mut scene = Scene::new();
    scene.put("bad", 3.0, 60);
    scene.put("all", 12.0, 60);
    scene.pass(60);
    let end = scene.now.as_second() as f64;
    let stat = |id: &str, name: &str| {
        let metric = json!({ "Namespace": "Drill", "MetricName": name });
        json!({ "Id": id, "MetricStat": { "Metric": metric, "Period": 60, "Stat": "Sum" }, "ReturnData": false })
    };
    let math = |id: &str, expression: &str| json!({ "Id": id, "Expression": expression, "Label": "percent" });
    let ask = |scene: &mut Scene, queries: Value| {
        scene.call("GetMetricData", json!({ "MetricDataQueries": queries, "StartTime": end - 60.0, "EndTime": end }))
    };
    let queries = json!([math("rate", "100 * share"), stat("m1", "bad"), stat("m2", "all"), math("share", "m1 / m2")]);
    let results = ask(&mut scene, queries).expect("an answer")["MetricDataResults"].take();
    assert_eq!(
        (&results[0]["Id"], &results[0]["Label"], &results[0]["Values"]),
        (&json!("rate"), &json!("percent"), &json!([25.0]))
    );
    assert_eq!(results[1]["Values"], json!([0.25]));
    for (expression, words) in
        [("m1 / m3", "m3 is not the id of a query"), ("rate + 1", "in a circle"), ("NO(m1)", "not known")]
    {
        let error = ask(&mut scene, json!([stat("m1", "bad"), math("rate", expression)])).expect_err(expression);
        assert!(error.code == "ValidationError" && error.message.contains(words), "{expression}: {}", error.message);
    }
}

#[test]
fn statistics_are_told_of_one_metric() {
    let mut scene = Scene::new();
    scene.put("m", 2.0, 60);
    scene.put("m", 4.0, 60);
    scene.pass(60);
    let end = scene.now.as_second() as f64;
    let request = |more: Value| {
        let mut request =
            json!({ "Namespace": "Drill", "MetricName": "m", "StartTime": end - 120.0, "EndTime": end, "Period": 60 });
        request.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        request
    };
    let statistics = json!({ "Statistics": ["Sum", "Average", "SampleCount"], "ExtendedStatistics": ["p99"] });
    let told = scene.ok("GetMetricStatistics", request(statistics));
    let point = &told["Datapoints"][0];
    assert_eq!((&told["Label"], &point["Sum"], &point["Average"]), (&json!("m"), &json!(6.0), &json!(3.0)));
    assert_eq!((&point["SampleCount"], &point["ExtendedStatistics"]["p99"]), (&json!(2.0), &json!(4.0)));
    let long = request(json!({ "Statistics": ["Sum"], "StartTime": end - 100_000.0 }));
    assert_eq!(
        scene.call("GetMetricStatistics", long).expect_err("too many").shown_code(),
        "InvalidParameterCombination"
    );
    assert_eq!(
        scene.call("GetMetricStatistics", request(json!({}))).expect_err("none").shown_code(),
        "MissingParameter"
    );
}
