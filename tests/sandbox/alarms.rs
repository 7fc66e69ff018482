//! Alarms as `cloud/` meets them: paging, faults, speed.

use std::{sync::Arc, time::Duration};

use opsctl::{
    cloud::{Cloud, Connect, ErrorKind, metrics},
    domain::{AlarmState, Protection},
    sandbox::{
        Options, Sandbox,
        world::{
            Caller, Fault, FaultKind,
            fleet::{Amount, Fleet},
        },
    },
};
use serde_json::json;

use super::{ACCOUNT, sandbox, sandbox_with};
use crate::support::stage::environment;

async fn cloud(sandbox: &Sandbox) -> Cloud {
    let connect = Connect::through(sandbox.clock(), sandbox.http_client());
    connect.cloud(Arc::new(environment(Protection::Confirm))).await.expect("clients")
}

fn alarms(sandbox: &Sandbox, count: usize) {
    let caller = Caller { account: ACCOUNT.into(), region: "af-south-1".into(), origin: "http://localhost".into() };
    sandbox.with(|world, now| {
        for number in 0..count {
            let request = json!({
                "AlarmName": format!("a-{number:05}"), "Namespace": "Mine", "MetricName": "Work", "Statistic": "Sum",
                "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "LessThanThreshold",
            });
            world.ask(now, &caller, ("cloudwatch", "PutMetricAlarm"), request).expect("put");
        }
        let rule = json!({ "AlarmName": "all", "AlarmRule": "ALARM(a-00000)" });
        world.ask(now, &caller, ("cloudwatch", "PutCompositeAlarm"), rule).expect("put");
    });
}

fn inject(sandbox: &Sandbox, call: &str, times: u64, kind: FaultKind) {
    sandbox.with(|world, _| world.faults.add(Fault { call: call.to_owned(), queue: None, nth: 1, times, kind }));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_alarms_come_within_half_a_second_at_ten_milliseconds_a_call() {
    let sandbox = sandbox_with(Options { latency: Duration::from_millis(10), ..Options::default() });
    alarms(&sandbox, 1_000);
    sandbox.clock().sleep(Duration::from_secs(3_600)).await;
    let cloud = cloud(&sandbox).await;
    let (began, really) = (sandbox.clock().now(), std::time::Instant::now());
    let all = cloud.alarms.all().await.expect("alarms");
    assert_eq!((all.list.len(), all.incomplete), (1_001, None));
    let took = sandbox.clock().now().duration_since(began).as_millis();
    assert!(took <= 500, "{took} ms");
    assert!(really.elapsed() < Duration::from_secs(10), "{:?}", really.elapsed());
}

#[tokio::test(start_paused = true)]
async fn reads_are_tried_again_and_what_stays_wrong_is_told() {
    let sandbox = sandbox();
    alarms(&sandbox, 3);
    let cloud = cloud(&sandbox).await;
    for kind in [FaultKind::Throttled, FaultKind::LostAfter, FaultKind::ServerError(503)] {
        inject(&sandbox, "cloudwatch:DescribeAlarms", 1, kind);
        assert_eq!(cloud.alarms.all().await.expect("tried again").list.len(), 4, "{kind:?}");
    }
    inject(&sandbox, "cloudwatch:DescribeAlarms", 1, FaultKind::Denied);
    let error = cloud.alarms.all().await.expect_err("denied");
    assert_eq!((error.kind, error.action.as_str()), (ErrorKind::Denied, "cloudwatch:DescribeAlarms"));
    inject(&sandbox, "cloudwatch:DescribeAlarmHistory", 1, FaultKind::Denied);
    let error = cloud.alarms.history("all").await.expect_err("denied");
    assert_eq!((error.kind, error.action.as_str()), (ErrorKind::Denied, "cloudwatch:DescribeAlarmHistory"));
    inject(&sandbox, "cloudwatch:GetMetricData", 1, FaultKind::Throttled);
    cloud.metrics.gauges(&metrics::SERVICES).await.expect("tried again");
}

#[tokio::test(start_paused = true)]
async fn a_history_longer_than_its_pages_says_so() {
    let sandbox = sandbox();
    alarms(&sandbox, 1);
    let caller = Caller { account: ACCOUNT.into(), region: "af-south-1".into(), origin: "http://localhost".into() };
    sandbox.with(|world, now| {
        for number in 0..600 {
            let state = ["OK", "ALARM"][number % 2];
            let request = json!({ "AlarmName": "a-00000", "StateValue": state, "StateReason": "again" });
            world.ask(now, &caller, ("cloudwatch", "SetAlarmState"), request).expect("set");
        }
    });
    let cloud = cloud(&sandbox).await;
    let history = cloud.alarms.history("a-00000").await.expect("a history");
    assert_eq!((history.changes.len(), history.incomplete), (250, None), "the sandbox keeps so many");
    assert_eq!(history.changes[0].summary.as_str(), "Alarm updated from OK to ALARM");
}

#[tokio::test(start_paused = true)]
async fn one_call_tells_all_gauges_of_the_fleet() {
    let sandbox = sandbox();
    let seed = Options::default().seed;
    sandbox
        .with(|world, now| Fleet::built_in().expect("a fleet").settle(world, now, seed, Amount::AtMost(5)))
        .expect("settled");
    let cloud = cloud(&sandbox).await;
    let all: Vec<_> = [
        &metrics::SERVICES[..],
        &metrics::DATABASES,
        &[metrics::KAFKA_LAG],
        &[metrics::LAMBDA_ERRORS, metrics::LAMBDA_INVOCATIONS],
    ]
    .concat();
    inject(&sandbox, "cloudwatch:GetMetricData", 1, FaultKind::Slow(Duration::from_secs(1)));
    let began = sandbox.clock().now();
    let gauges = cloud.metrics.gauges(&all).await.expect("an answer");
    assert_eq!(sandbox.clock().now().duration_since(began).as_secs(), 1, "one call");
    let cpu = gauges.get(&metrics::SERVICE_CPU, "nucleus-dev/cts").expect("it runs");
    assert!(cpu.recent.len() >= 28 && cpu.recent.last() == Some(&(cpu.at, cpu.value)), "{cpu:?}");
    assert_eq!(gauges.get(&metrics::SERVICE_CPU, "tsdevstack-dev/auth-service"), None, "it sleeps");
    assert!(gauges.get(&metrics::DATABASE_CONNECTIONS, "nexusstream-dev-1").is_some());
    assert!(gauges.asked > 20 && gauges.incomplete.is_none(), "{} {:?}", gauges.asked, gauges.incomplete);
    let alarms = cloud.alarms.all().await.expect("alarms");
    assert!(alarms.list.iter().any(|alarm| alarm.state == AlarmState::Alarm));
}
