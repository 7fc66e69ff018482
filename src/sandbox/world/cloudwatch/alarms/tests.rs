//! Alarms, with explicit times.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::sandbox::world::{ApiError, Caller, World};

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

/// An alarm on a custom metric: above 10, two of three minutes.
fn alarm(name: &str) -> Value {
    json!({
        "AlarmName": name, "Namespace": "Mine", "MetricName": "Work", "Statistic": "Maximum", "Period": 60,
        "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": 10.0, "ComparisonOperator": "GreaterThanThreshold",
    })
}

impl Scene {
    fn call(&mut self, action: &str, request: Value) -> Result<Value, ApiError> {
        self.world.cloudwatch(self.now, &self.caller, action, request)
    }

    fn done(&mut self, action: &str, request: Value) {
        self.call(action, request).unwrap_or_else(|error| panic!("{action}: {error:?}"));
    }

    /// An alarm with something else than usual.
    fn put(&mut self, name: &str, other: &[(&str, Value)]) {
        let mut request = alarm(name);
        other.iter().for_each(|(member, value)| request[*member] = value.clone());
        self.done("PutMetricAlarm", request);
    }

    /// A minute with this value, or without one.
    fn minute(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            let data = json!([{ "MetricName": "Work", "Value": value }]);
            self.done("PutMetricData", json!({ "Namespace": "Mine", "MetricData": data }));
        }
        self.now += SignedDuration::from_secs(60);
    }

    fn minutes(&mut self, values: &[Option<f64>]) {
        values.iter().for_each(|value| self.minute(*value));
    }

    fn states(&mut self) -> Vec<(String, String)> {
        let request = json!({ "AlarmTypes": ["MetricAlarm", "CompositeAlarm"] });
        let answer = self.call("DescribeAlarms", request).expect("alarms");
        let both = ["MetricAlarms", "CompositeAlarms"].map(|sort| answer[sort].as_array().cloned().expect("a list"));
        let state = |alarm: Value| (text(&alarm["AlarmName"]), text(&alarm["StateValue"]));
        both.concat().into_iter().map(state).collect()
    }

    fn state(&mut self, name: &str) -> String {
        let found = self.states().into_iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no {name}")).1
    }

    fn described(&mut self, name: &str) -> Value {
        let answer = self.call("DescribeAlarms", json!({ "AlarmNames": [name] })).expect("alarms");
        answer["MetricAlarms"][0].clone()
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[test]
fn an_alarm_can_tell_nothing_at_first_then_goes_by_its_datapoints() {
    let mut scene = scene();
    scene.put("busy", &[]);
    assert_eq!(scene.described("busy")["StateReason"], "Unchecked: Initial alarm creation");
    assert_eq!(scene.state("busy"), "INSUFFICIENT_DATA");
    scene.minutes(&[Some(5.0), Some(5.0)]);
    assert_eq!(scene.state("busy"), "OK", "the first minute can be seen");
    scene.minutes(&[Some(20.0), Some(5.0), Some(30.0)]);
    assert_eq!(scene.state("busy"), "OK", "one of three, and one that can't be seen yet");
    scene.minute(Some(5.0));
    let shown = scene.described("busy");
    assert_eq!(shown["StateValue"], "ALARM");
    let reason = "Threshold Crossed: 2 out of the last 3 datapoints [30.0 (21/11/26 03:04:00), 20.0 (21/11/26 03:02:00)] were \
                  greater than the threshold (10.0) (minimum 2 datapoints for OK -> ALARM transition).";
    assert_eq!(shown["StateReason"], reason);
    assert_eq!(shown["StateTransitionedTimestamp"].as_f64(), Some(scene.now.as_second() as f64));
    scene.minutes(&[Some(5.0), Some(5.0)]);
    assert_eq!(scene.state("busy"), "OK");
}
