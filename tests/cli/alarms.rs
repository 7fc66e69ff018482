//! `opsctl alarms`, and metrics beside services and databases.

use opsctl::sandbox::world::{
    Denial,
    rds::{Cluster, Instance},
};
use serde_json::{Value, json};

use super::{
    ground::{DEV, Ground, REGION, caller},
    services::service,
};

fn cloudwatch(ground: &Ground, action: &str, request: Value) {
    let done = ground.sandbox.with(|world, now| world.ask(now, &caller(DEV), ("cloudwatch", action), request));
    done.unwrap_or_else(|error| panic!("{action}: {error:?}"));
}

/// An alarm on a service's CPU.
pub(super) fn alarm(ground: &Ground, name: &str) {
    let dimensions = json!([{ "Name": "ClusterName", "Value": "main" }, { "Name": "ServiceName", "Value": "api" }]);
    let request = json!({
        "AlarmName": name, "Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Dimensions": dimensions,
        "Statistic": "Average", "Period": 300, "EvaluationPeriods": 3, "Threshold": 80.0,
        "ComparisonOperator": "GreaterThanThreshold",
    });
    cloudwatch(ground, "PutMetricAlarm", request);
}

pub(super) fn set(ground: &Ground, name: &str, state: &str, reason: &str) {
    cloudwatch(ground, "SetAlarmState", json!({ "AlarmName": name, "StateValue": state, "StateReason": reason }));
}

fn deny(ground: &Ground, action: &str) {
    let denial = Denial { account: DEV.to_owned(), queue: "*".to_owned(), action: action.to_owned() };
    ground.sandbox.with(|world, _| world.denials.push(denial));
}

fn scene() -> Ground {
    let ground = Ground::new();
    ["api-cpu", "api-memory", "api-new"].iter().for_each(|name| alarm(&ground, name));
    set(&ground, "api-memory", "ALARM", "Threshold Crossed: 3 datapoints");
    set(&ground, "api-cpu", "OK", "fine");
    cloudwatch(&ground, "PutCompositeAlarm", json!({ "AlarmName": "api", "AlarmRule": "ALARM(api-memory)" }));
    cloudwatch(&ground, "DisableAlarmActions", json!({ "AlarmNames": ["api-new"] }));
    ground
}

#[test]
fn alarms_are_listed_the_worst_first_and_say_what_they_watch() {
    let ground = scene();
    let table = ground.opsctl(&["alarms", "-e", "dev"]).expect(0).out;
    // How long ago it was is measured by a clock that runs.
    let words =
        |line: &str| line.split("  ").map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let rows: Vec<Vec<String>> = table.lines().map(words).collect();
    assert_eq!(rows[0], ["ENV", "STATE", "NAME", "SINCE", "WATCHES", "ALARMS WHEN", "REASON"]);
    assert_eq!((&*rows[1][1], &*rows[1][2], &*rows[1][4]), ("alarm", "api", "ALARM(api-memory)"));
    assert!(rows[1][5].contains(":alarm:api-memory transitioned to ALARM at Saturday 21 November, 2026"), "{table}");
    assert_eq!(rows[2][..3], ["dev", "alarm", "api-memory"]);
    let watches = "AWS/ECS CPUUtilization ClusterName=main ServiceName=api";
    assert_eq!(rows[2][4..], [watches, "average > 80 in 5m", "Threshold Crossed: 3 datapoints"]);
    assert_eq!(rows[3][1..3], ["no data, muted", "api-new"]);
    assert_eq!(rows[4][1..3], ["ok", "api-cpu"]);
    let names = |words: &[&str]| {
        let ended = ground.opsctl(&[&["alarms", "-e", "dev", "--output", "json"], words].concat()).expect(0);
        let alarms = ended.json()["alarms"].as_array().cloned().expect("alarms");
        alarms.iter().map(|alarm| alarm["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["--state", "alarm"]), ["api", "api-memory"]);
    assert_eq!(names(&["--state", "ok", "--state", "no-data"]), ["api-new", "api-cpu"]);
    assert_eq!(names(&["api-c*"]), ["api-cpu"]);
    assert_eq!(names(&["api"]), ["api"]);
    assert_eq!(names(&["x*"]), [""; 0]);
    let lines = ground.opsctl(&["alarms", "-e", "dev", "--output", "jsonl"]).expect(0);
    let first: Value = serde_json::from_str(lines.out.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&first["schema"], &first["state"]), (&json!("opsctl/alarm/1"), &json!("ALARM")));
    assert_eq!(first["watches"]["rule"], "ALARM(api-memory)");
}

#[test]
fn an_alarm_s_history_is_shown_newest_first() {
    let ground = scene();
    let table = ground.opsctl(&["alarms", "--history", "api-memory", "-e", "dev"]).expect(0);
    let lines: Vec<&str> = table.out.lines().collect();
    assert!(lines[1].contains("StateUpdate") && lines[1].contains("from INSUFFICIENT_DATA to ALARM"), "{table:?}");
    assert!(lines[2].contains("Alarm \"api-memory\" created"), "{table:?}");
    let answer = ground.opsctl(&["alarms", "--history", "api-memory", "--output", "json"]).expect(0).json();
    assert_eq!(
        (&answer["schema"], answer["changes"].as_array().map(Vec::len)),
        (&json!("opsctl/alarm-history/1"), Some(2))
    );
}

#[test]
fn a_misspelt_alarm_is_suggested_and_a_denied_environment_is_named() {
    let ground = scene();
    for words in [&["alarms", "-e", "dev", "api-mem0ry"][..], &["alarms", "-e", "dev", "--history", "api-mem0ry"]] {
        let ended = ground.opsctl(words).expect(2);
        assert!(ended.err.contains("there is no alarm api-mem0ry") && ended.err.contains("api-memory?"), "{ended:?}");
    }
    ground.opsctl(&["alarms", "--state", "broken"]).expect(2);
    deny(&ground, "cloudwatch:DescribeAlarms");
    let ended = ground.opsctl(&["alarms", "-e", "dev"]).expect(1);
    assert!(ended.err.contains("cloudwatch:DescribeAlarms"), "{ended:?}");
    let answer = ground.opsctl(&["alarms", "--output", "json"]).expect(1).json();
    assert_eq!(answer["unreachable"][0]["environment"], "dev");
}

#[test]
fn services_have_cpu_and_memory_with_their_age_and_unknown_is_no_zero() {
    let ground = Ground::new();
    service(&ground, "api", 2);
    service(&ground, "asleep", 0);
    ground.sandbox.with(|world, now| world.begin_metrics(now));
    let table = ground.opsctl(&["services", "-e", "dev"]).expect(0).out;
    let of =
        |name: &str| table.lines().find(|line| line.contains(&format!("main     {name}"))).expect("a row").to_owned();
    assert!(of("api").contains(" % (120 s)") && !of("asleep").contains('%'), "{table}");
    let answer = ground.opsctl(&["services", "-e", "dev", "--output", "json"]).expect(0).json();
    assert_eq!(answer["metrics_asked"], 2);
    let row = |name: &str| {
        let rows = answer["services"].as_array().expect("services");
        rows.iter().find(|row| row["id"]["name"] == name).expect("a row").clone()
    };
    assert!(row("api")["cpu"]["value"].as_f64().is_some_and(|cpu| cpu > 0.0), "{answer}");
    assert!(row("api")["memory"]["recent"].as_array().is_some_and(|recent| recent.len() > 20), "{answer}");
    assert_eq!((&row("asleep")["cpu"], &row("asleep")["memory"]), (&Value::Null, &Value::Null));
    let answer = ground.opsctl(&["services", "-e", "dev", "--no-metrics", "--output", "json"]).expect(0).json();
    assert_eq!((&answer["metrics_asked"], &answer["services"][0]["cpu"]), (&json!(0), &Value::Null));
    deny(&ground, "cloudwatch:*");
    let ended = ground.opsctl(&["services", "-e", "dev"]).expect(0);
    assert!(ended.err.contains("CPU and memory are not all known") && ended.err.contains("GetMetricData"), "{ended:?}");
}

#[test]
fn databases_have_the_worst_of_their_instances() {
    let ground = Ground::new();
    ground.sandbox.with(|world, now| {
        let of = |name: &str, engine| Instance::new(name, "db.r6g.large", engine, "8.0", "af-south-1a", now);
        let instance = |name: &str| of(name, "aurora-mysql");
        let cluster = Cluster::new("orders", "aurora-mysql", "8.0", &["orders-1", "orders-2"], now);
        world.put_cluster(DEV, REGION, cluster, vec![instance("orders-1"), instance("orders-2")]);
        world.put_instance(DEV, REGION, of("single", "postgres"));
        world.put_usual(DEV, REGION, "orders-1", "CPUUtilization", 91.0);
        world.put_usual(DEV, REGION, "single", "FreeStorageSpace", 3.0);
        world.begin_metrics(now);
    });
    let table = ground.opsctl(&["databases", "-e", "dev"]).expect(0).out;
    let of =
        |name: &str| table.lines().find(|line| line.starts_with(&format!("dev  {name}"))).expect("a row").to_owned();
    assert!(of("single").contains("3.0 GiB (120 s)") && of("orders").contains(" ms (120 s)"), "{table}");
    let answer = ground.opsctl(&["databases", "-e", "dev", "--output", "json"]).expect(0).json();
    let metrics = &answer["databases"][0]["metrics"];
    assert!(metrics["orders-1"]["cpu"]["value"].as_f64().is_some_and(|cpu| cpu > 80.0), "{answer}");
    assert_eq!((&metrics["orders-1"]["lag"], &metrics["orders-1"]["free_storage"]), (&Value::Null, &Value::Null));
    assert!(metrics["orders-2"]["lag"]["value"].is_number() && answer["metrics_asked"].as_u64() > Some(10), "{answer}");
}
