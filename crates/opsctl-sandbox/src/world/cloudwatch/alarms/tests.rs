//! Alarms, with explicit times.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{ApiError, Caller, World};

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
        self.world.ask_json(self.now, &self.caller, ("cloudwatch", action), request)
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

#[test]
fn missing_data_counts_as_it_is_told_to() {
    // Newest last; what is missing is none. States after: missing, ignore, breaching, notBreaching, from `OK`.
    let (low, high, none) = (Some(5.0), Some(20.0), None);
    for (values, expected) in [
        ([none, none, none, none, none], ["INSUFFICIENT_DATA", "OK", "ALARM", "OK"]),
        ([low, none, high, none, high], ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ([low, low, high, low, high], ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ([low, none, high, none, none], ["OK", "OK", "ALARM", "OK"]),
        ([none, none, none, none, low], ["OK", "OK", "ALARM", "OK"]),
        ([none, none, none, high, none], ["ALARM", "OK", "ALARM", "OK"]),
    ] {
        for (treat, expected) in ["missing", "ignore", "breaching", "notBreaching"].into_iter().zip(expected) {
            let mut scene = scene();
            scene.put("busy", &[("TreatMissingData", json!(treat))]);
            scene.done("SetAlarmState", json!({ "AlarmName": "busy", "StateValue": "OK", "StateReason": "set" }));
            scene.minutes(&values);
            // The last one can be seen a minute later, and is the newest that is looked at.
            scene.minute(None);
            assert_eq!(scene.state("busy"), expected, "{treat} {values:?}");
        }
    }
}

#[test]
fn a_state_that_is_set_by_hand_lasts_until_the_next_look_at_the_metric() {
    let mut scene = scene();
    scene.put("busy", &[("AlarmActions", json!(["arn:aws:sns:eu-west-1:111111111111:on-call"]))]);
    scene.minutes(&[Some(5.0), Some(5.0)]);
    assert_eq!(scene.state("busy"), "OK");
    let set = json!({ "AlarmName": "busy", "StateValue": "ALARM", "StateReason": "a drill \u{1b}[2J" });
    scene.done("SetAlarmState", set);
    assert_eq!(scene.described("busy")["StateReason"], "a drill \u{1b}[2J");
    scene.minute(Some(5.0));
    assert_eq!(scene.state("busy"), "OK");
    let history = scene.call("DescribeAlarmHistory", json!({ "AlarmName": "busy" })).expect("a history");
    let summaries: Vec<String> = history["AlarmHistoryItems"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| text(&item["HistorySummary"]))
        .collect();
    assert_eq!(
        summaries,
        [
            "Alarm updated from ALARM to OK",
            "Successfully executed action arn:aws:sns:eu-west-1:111111111111:on-call",
            "Alarm updated from OK to ALARM",
            "Alarm updated from INSUFFICIENT_DATA to OK",
            "Alarm \"busy\" created",
        ]
    );
    let page = json!({ "AlarmName": "busy", "MaxRecords": 2, "HistoryItemType": "StateUpdate" });
    let first = scene.call("DescribeAlarmHistory", page).expect("a page");
    assert_eq!((first["AlarmHistoryItems"].as_array().map(Vec::len), &first["NextToken"]), (Some(2), &json!("2")));
}

#[test]
fn a_composite_alarm_follows_the_others_at_once() {
    let mut scene = scene();
    ["a", "b"].iter().for_each(|name| scene.put(name, &[]));
    let rule = |text: &str| json!({ "AlarmName": "both", "AlarmRule": text });
    let error =
        scene.call("PutCompositeAlarm", rule("ALARM(a) AND ALARM(gone)")).expect_err("names one that is not there");
    assert_eq!(error.code, "ValidationError");
    scene.done("PutCompositeAlarm", rule("ALARM(a) AND NOT OK(\"b\")"));
    scene.done("PutCompositeAlarm", json!({ "AlarmName": "above", "AlarmRule": "ALARM(both)" }));
    assert_eq!(scene.state("above"), "INSUFFICIENT_DATA");
    scene.done("SetAlarmState", json!({ "AlarmName": "a", "StateValue": "ALARM", "StateReason": "set" }));
    assert_eq!((scene.state("both"), scene.state("above")), ("ALARM".to_owned(), "ALARM".to_owned()));
    let answer = scene.call("DescribeAlarms", json!({})).expect("alarms");
    assert_eq!(answer["CompositeAlarms"], json!([]), "only when asked");
    let children = scene.call("DescribeAlarms", json!({ "ChildrenOfAlarmName": "both" })).expect("alarms");
    assert_eq!(children["MetricAlarms"].as_array().map(Vec::len), Some(2));
    scene.done("SetAlarmState", json!({ "AlarmName": "b", "StateValue": "OK", "StateReason": "set" }));
    assert_eq!(scene.state("above"), "OK");
}

#[test]
fn an_expression_is_counted_from_its_parts() {
    let mut scene = scene();
    let stat =
        |metric: &str| json!({ "Metric": { "Namespace": "Mine", "MetricName": metric }, "Period": 60, "Stat": "Sum" });
    let queries = json!([
        { "Id": "bad", "MetricStat": stat("Bad"), "ReturnData": false },
        { "Id": "all", "MetricStat": stat("All"), "ReturnData": false },
        { "Id": "rate", "Expression": "100 * bad / all", "Label": "percent" },
    ]);
    let alarm = json!({
        "AlarmName": "rate", "Metrics": queries, "EvaluationPeriods": 1, "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    });
    scene.done("PutMetricAlarm", alarm);
    let data = json!([{ "MetricName": "Bad", "Value": 1.0 }, { "MetricName": "All", "Value": 20.0 }]);
    scene.done("PutMetricData", json!({ "Namespace": "Mine", "MetricData": data }));
    scene.minutes(&[None, None]);
    assert_eq!(scene.state("rate"), "ALARM");
    assert_eq!(scene.described("rate")["Metrics"][2]["Label"], "percent");
}

#[test]
fn pages_of_a_hundred_and_what_is_asked_for() {
    let mut scene = scene();
    (0..130).for_each(|number| scene.put(&format!("a-{number:03}"), &[]));
    scene.done("PutCompositeAlarm", json!({ "AlarmName": "a-all", "AlarmRule": "ALARM(a-000)" }));
    let first = scene.call("DescribeAlarms", json!({})).expect("a page");
    assert_eq!(first["MetricAlarms"].as_array().map(Vec::len), Some(50), "fifty unless told");
    let mut request = json!({ "MaxRecords": 100, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"] });
    let mut counts = Vec::new();
    loop {
        let page = scene.call("DescribeAlarms", request.clone()).expect("a page");
        let count = |sort: &str| page[sort].as_array().map_or(0, Vec::len);
        counts.push((count("MetricAlarms"), count("CompositeAlarms")));
        let Some(token) = page["NextToken"].as_str() else { break };
        request["NextToken"] = json!(token);
    }
    assert_eq!(counts, [(100, 0), (30, 1)]);
    let some = scene.call("DescribeAlarms", json!({ "AlarmNamePrefix": "a-01", "StateValue": "INSUFFICIENT_DATA" }));
    assert_eq!(some.expect("a page")["MetricAlarms"].as_array().map(Vec::len), Some(10));
}

#[test]
fn what_cloudwatch_refuses_of_alarms() {
    let mut scene = scene();
    scene.put("busy", &[]);
    let with = |member: &str, value: Value| {
        let mut request = alarm("other");
        request[member] = value;
        request
    };
    for (action, request) in [
        ("PutMetricAlarm", with("Period", json!(61))),
        ("PutMetricAlarm", with("DatapointsToAlarm", json!(4))),
        ("PutMetricAlarm", with("ComparisonOperator", json!("Near"))),
        ("PutMetricAlarm", with("TreatMissingData", json!("guess"))),
        ("PutMetricAlarm", with("EvaluationPeriods", json!(2_000))),
        ("PutMetricAlarm", with("AlarmName", json!("x".repeat(256)))),
        ("PutMetricAlarm", with("ExtendedStatistic", json!("p99"))),
        ("PutCompositeAlarm", json!({ "AlarmName": "busy", "AlarmRule": "ALARM(busy)" })),
        ("PutCompositeAlarm", json!({ "AlarmName": "rule", "AlarmRule": "busy" })),
        ("DescribeAlarms", json!({ "MaxRecords": 101 })),
        ("DescribeAlarms", json!({ "StateValue": "FINE" })),
        ("DescribeAlarmHistory", json!({ "HistoryItemType": "Gossip" })),
        ("SetAlarmState", json!({ "AlarmName": "busy", "StateValue": "FINE", "StateReason": "" })),
    ] {
        let error = scene.call(action, request.clone()).expect_err("refused");
        assert_eq!(error.code, "ValidationError", "{action} {request}");
    }
    for (action, request, code) in [
        ("DeleteAlarms", json!({ "AlarmNames": ["busy", "gone"] }), "ResourceNotFound"),
        ("SetAlarmState", json!({ "AlarmName": "gone", "StateValue": "OK", "StateReason": "" }), "ResourceNotFound"),
        ("DescribeAlarms", json!({ "NextToken": "x" }), "InvalidNextToken"),
        ("PutMetricAlarm", json!({ "AlarmName": "x" }), "MissingParameter"),
    ] {
        assert_eq!(scene.call(action, request).expect_err("refused").shown_code(), code, "{action}");
    }
    assert_eq!(scene.states(), [], "what is there is deleted, whatever else was named");
}

#[test]
fn muted_alarms_do_nothing() {
    let mut scene = scene();
    scene.put("busy", &[("AlarmActions", json!(["arn:aws:sns:eu-west-1:111111111111:on-call"]))]);
    scene.done("DisableAlarmActions", json!({ "AlarmNames": ["busy", "gone"] }));
    scene.done("SetAlarmState", json!({ "AlarmName": "busy", "StateValue": "ALARM", "StateReason": "set" }));
    let actions = json!({ "AlarmName": "busy", "HistoryItemType": "Action" });
    let history = scene.call("DescribeAlarmHistory", actions).expect("a history");
    assert_eq!(
        (&history["AlarmHistoryItems"], &scene.described("busy")["ActionsEnabled"]),
        (&json!([]), &json!(false))
    );
    scene.done("EnableAlarmActions", json!({ "AlarmNames": ["busy"] }));
    assert_eq!(scene.described("busy")["ActionsEnabled"], true);
}

/// A thousand alarms that nobody looked at for a day.
#[test]
fn a_long_absence_is_caught_up_with_in_no_time() {
    let mut scene = scene();
    (0..1_000).for_each(|number| scene.put(&format!("a-{number:04}"), &[]));
    scene.minute(Some(20.0));
    scene.now += SignedDuration::from_hours(24);
    let started_at = std::time::Instant::now();
    assert_eq!(scene.described("a-0500")["StateValue"], "INSUFFICIENT_DATA");
    assert!(started_at.elapsed().as_secs() < 5, "{:?}", started_at.elapsed());
}

/// How often an alarm has taken an action.
fn acted(scene: &mut Scene, name: &str) -> usize {
    let request = json!({ "AlarmName": name, "HistoryItemType": "Action" });
    let history = scene.call("DescribeAlarmHistory", request).expect("a history");
    history["AlarmHistoryItems"].as_array().expect("a list").len()
}

fn mute(name: &str, at: &str, lasts: &str, alarms: &[&str]) -> Value {
    let schedule = json!({ "Expression": at, "Duration": lasts, "Timezone": "UTC" });
    json!({ "Name": name, "Rule": { "Schedule": schedule }, "MuteTargets": { "AlarmNames": alarms } })
}

#[test]
fn a_mute_rule_holds_actions_back_until_its_window_ends_or_it_is_deleted() {
    for is_deleted in [true, false] {
        let mut scene = scene();
        scene.put("busy", &[("AlarmActions", json!(["arn:aws:sns:eu-west-1:1:x"]))]);
        scene.done("PutAlarmMuteRule", mute("quiet", "at(2026-11-21T03:02)", "PT10M", &["busy"]));
        let status = |scene: &mut Scene| {
            let rule = scene.call("GetAlarmMuteRule", json!({ "AlarmMuteRuleName": "quiet" })).expect("a rule");
            text(&rule["Status"])
        };
        assert_eq!(status(&mut scene), "SCHEDULED");
        scene.minutes(&[Some(50.0); 6]);
        assert_eq!(
            (scene.state("busy"), status(&mut scene), acted(&mut scene, "busy")),
            ("ALARM".into(), "ACTIVE".into(), 0)
        );
        let listed = json!({ "AlarmName": "busy", "Statuses": ["ACTIVE"] });
        let listed = scene.call("ListAlarmMuteRules", listed).expect("rules");
        assert_eq!(listed["AlarmMuteRuleSummaries"].as_array().map(Vec::len), Some(1));
        if is_deleted {
            scene.done("DeleteAlarmMuteRule", json!({ "AlarmMuteRuleName": "quiet" }));
            scene.done("DeleteAlarmMuteRule", json!({ "AlarmMuteRuleName": "quiet" }));
        } else {
            scene.minutes(&[Some(50.0); 8]);
            assert_eq!(status(&mut scene), "EXPIRED");
        }
        assert_eq!((scene.state("busy"), acted(&mut scene, "busy")), ("ALARM".into(), 1), "deleted: {is_deleted}");
    }
}

#[test]
fn mute_rules_that_make_no_sense_are_refused() {
    let mut scene = scene();
    scene.put("busy", &[]);
    for bad in [
        mute("", "at(2026-11-21T03:02)", "PT10M", &["busy"]),
        mute("x", "at(2026-11-21T03:02)", "PT10M", &["nothing"]),
        mute("x", "at(2026-11-21T03:02:30)", "PT10M", &["busy"]),
        mute("x", "at(2026-11-21T03:02)", "PT30S", &["busy"]),
        mute("x", "at(2026-11-21T03:02)", "P16D", &["busy"]),
        mute("x", "soon", "PT1H", &["busy"]),
    ] {
        assert!(scene.call("PutAlarmMuteRule", bad.clone()).is_err(), "{bad}");
    }
    let error = scene.call("GetAlarmMuteRule", json!({ "AlarmMuteRuleName": "x" })).expect_err("none");
    assert_eq!(error.code, "ResourceNotFoundException");
}
