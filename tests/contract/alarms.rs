//! CloudWatch alarms.

use std::time::Duration;

use aws_sdk_cloudwatch::{
    Client,
    operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder,
    types::{ComparisonOperator, Dimension, MetricDatum, StateValue, Statistic},
};
use jiff::SignedDuration;
use opsctl::{
    cloud::mutes::own_rule,
    domain::{Alarm, AlarmState, RunId, Watches},
};

use super::{
    Check,
    ground::{Ground, Peer},
};

const NAMESPACE: &str = "OpsctlContract";

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("an alarm tells what it watches, and nothing more at first", told),
        Check::new("an alarm goes off by its metric", goes_off),
        Check::new("composite alarms come along and follow the others", composite),
        Check::new("230 alarms come page by page", pages),
        Check::new("an alarm's history is told, the newest first", history),
        Check::new("an alarm's history begins with its creation", creation),
        Check::new("an alarm that is muted says so", muted),
        Check::new("an alarm is muted by a rule of its own, and unmuted", mute_rules),
        Check::new("an alarm that is not there has no history", no_history),
        Check::new("text of an alarm that is hostile comes as safe text", hostile),
    ]
}

fn client(ground: &Ground) -> Client {
    Client::new(&ground.raw)
}

fn name(ground: &Ground, name: &str) -> String {
    format!("{}-{name}", ground.prefix())
}

/// Above 10, by the minute; a metric of its own, for ministack looks at a metric's name only.
fn put(ground: &Ground, name: &str) -> PutMetricAlarmFluentBuilder {
    let dimension = Dimension::builder().name("Thing").value(name).build();
    client(ground)
        .put_metric_alarm()
        .alarm_name(name)
        .namespace(NAMESPACE)
        .metric_name(metric(name))
        .dimensions(dimension)
        .statistic(Statistic::Maximum)
        .period(60)
        .evaluation_periods(1)
        .threshold(10.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
}

fn metric(name: &str) -> String {
    format!("Heat-{name}")
}

async fn set(ground: &Ground, name: &str, state: StateValue) {
    let call = client(ground).set_alarm_state().alarm_name(name).state_value(state).state_reason("a test says so");
    call.send().await.expect("set");
}

async fn find(ground: &Ground, name: &str) -> Option<Alarm> {
    let all = ground.cloud.alarms.all().await.expect("alarms");
    assert_eq!(all.incomplete, None);
    all.list.into_iter().find(|alarm| alarm.name == name)
}

async fn told(ground: Ground) {
    let name = name(&ground, "hot");
    put(&ground, &name).alarm_description("too hot").send().await.expect("put");
    let alarm = find(&ground, &name).await.expect("there");
    assert_eq!((alarm.state, alarm.actions_enabled), (AlarmState::InsufficientData, true));
    assert!(alarm.since.is_some());
    assert_eq!(alarm.description.as_ref().map(|text| text.as_str()), Some("too hot"));
    assert_eq!(alarm.watches.subject().as_str(), format!("{NAMESPACE} {} Thing={name}", metric(&name)));
    assert_eq!(alarm.watches.condition().as_str(), "maximum > 10 in 1m");
}

async fn goes_off(ground: Ground) {
    let name = name(&ground, "hot");
    put(&ground, &name).send().await.expect("put");
    // Of this minute and of the next ones: whoever evaluates meets one that has ended.
    let looks = if ground.peer == Peer::Sandbox { 30 } else { 10 };
    for _ in 0..looks {
        let dimension = Dimension::builder().name("Thing").value(&name).build();
        let datum = MetricDatum::builder().metric_name(metric(&name)).dimensions(dimension).value(42.0).build();
        client(&ground).put_metric_data().namespace(NAMESPACE).metric_data(datum).send().await.expect("put");
        let alarm = find(&ground, &name).await.expect("there");
        if alarm.state == AlarmState::Alarm {
            assert!(!alarm.reason.is_empty());
            return;
        }
        ground.clock().sleep(Duration::from_secs(10)).await;
    }
    panic!("it did not go off");
}

async fn composite(ground: Ground) {
    let (one, two, all) = (name(&ground, "one"), name(&ground, "two"), name(&ground, "all"));
    for name in [&one, &two] {
        put(&ground, name).send().await.expect("put");
    }
    let rule = format!("ALARM(\"{one}\") AND NOT OK(\"{two}\")");
    let call = client(&ground).put_composite_alarm().alarm_name(&all).alarm_rule(&rule);
    call.send().await.expect("put");
    let alarm = find(&ground, &all).await.expect("composite alarms are asked for");
    assert!(matches!(&alarm.watches, Watches::Rule { rule: told } if told.as_str() == rule), "{alarm:?}");
    set(&ground, &one, StateValue::Alarm).await;
    for _ in 0..10 {
        if find(&ground, &all).await.expect("there").state == AlarmState::Alarm {
            return;
        }
        ground.clock().sleep(Duration::from_secs(1)).await;
    }
    panic!("it did not follow");
}

async fn pages(ground: Ground) {
    for number in 0..230 {
        put(&ground, &name(&ground, &format!("{number:03}"))).send().await.expect("put");
    }
    let all = ground.cloud.alarms.all().await.expect("alarms");
    let own = all.list.iter().filter(|alarm| alarm.name.starts_with(ground.prefix()));
    assert_eq!((own.count(), all.incomplete), (230, None));
    let first = client(&ground).describe_alarms().max_records(100).send().await.expect("a page");
    assert_eq!((first.metric_alarms().len(), first.next_token().is_some()), (100, true));
}

async fn history(ground: Ground) {
    let name = name(&ground, "hot");
    put(&ground, &name).send().await.expect("put");
    for state in [StateValue::Ok, StateValue::Alarm] {
        ground.wait(2).await;
        set(&ground, &name, state).await;
    }
    let history = ground.cloud.alarms.history(&name).await.expect("a history");
    assert_eq!(history.incomplete, None);
    let states: Vec<&str> = history
        .changes
        .iter()
        .filter(|change| change.kind.as_str() == "StateUpdate")
        .map(|change| change.summary.as_str())
        .collect();
    let set = ["Alarm updated from OK to ALARM", "Alarm updated from INSUFFICIENT_DATA to OK"];
    // Where alarms are evaluated in real time, a look at the metric, which has no data, may come between the two.
    let evaluated = [
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        "Alarm updated from OK to INSUFFICIENT_DATA",
        "Alarm updated from INSUFFICIENT_DATA to OK",
    ];
    assert!(states == set || states == evaluated, "{states:?}");
    assert!(history.changes.is_sorted_by_key(|change| std::cmp::Reverse(change.at)));
}

async fn creation(ground: Ground) {
    let name = name(&ground, "hot");
    put(&ground, &name).send().await.expect("put");
    let history = ground.cloud.alarms.history(&name).await.expect("a history");
    let kinds: Vec<&str> = history.changes.iter().map(|change| change.kind.as_str()).collect();
    assert_eq!(kinds, ["ConfigurationUpdate"]);
}

async fn muted(ground: Ground) {
    let name = name(&ground, "hot");
    put(&ground, &name).send().await.expect("put");
    client(&ground).disable_alarm_actions().alarm_names(&name).send().await.expect("disabled");
    assert!(!find(&ground, &name).await.expect("there").actions_enabled);
    client(&ground).delete_alarms().alarm_names(&name).send().await.expect("deleted");
    assert_eq!(find(&ground, &name).await, None);
}

async fn mute_rules(ground: Ground) {
    let name = name(&ground, "hot");
    put(&ground, &name).send().await.expect("put");
    let (alarms, own) = (&ground.cloud.alarms, own_rule(&name));
    let now = ground.cloud.clock().now();
    let from = now - SignedDuration::from_secs(now.as_second().rem_euclid(60));
    let until = from + SignedDuration::from_hours(1);
    let until = until - SignedDuration::from_nanos(until.subsec_nanosecond().into());
    let run = RunId::new(now, 7);
    for _ in 0..2 {
        alarms.mute(&name, (from, until), &run).await.expect("a mute");
    }
    let rule = alarms.mute_rule(&own).await.expect("an answer").expect("a rule");
    assert_eq!((rule.is_active, rule.until), (true, Some(until)));
    assert_eq!(alarms.active_mutes(&name).await.expect("rules"), std::slice::from_ref(&own));
    let raw = client(&ground).get_alarm_mute_rule().alarm_mute_rule_name(&own).send().await.expect("a rule");
    assert_eq!(raw.mute_targets().expect("targets").alarm_names(), std::slice::from_ref(&name));
    for _ in 0..2 {
        alarms.unmute(&name).await.expect("unmuted");
    }
    assert_eq!(alarms.mute_rule(&own).await.expect("an answer"), None);
    assert_eq!(alarms.active_mutes(&name).await.expect("rules"), Vec::<String>::new());
}

async fn no_history(ground: Ground) {
    let history = ground.cloud.alarms.history(&name(&ground, "gone")).await.expect("an answer");
    assert_eq!(history.changes, []);
}

async fn hostile(ground: Ground) {
    let name = name(&ground, "hot");
    put(&ground, &name).alarm_description("a\u{1b}[2Jb\u{202e}c").send().await.expect("put");
    let call = client(&ground).set_alarm_state().alarm_name(&name).state_value(StateValue::Alarm);
    call.state_reason("x\u{1b}]0;gone\u{7}").send().await.expect("set");
    let alarm = find(&ground, &name).await.expect("there");
    assert_eq!(alarm.description.expect("one").as_str(), "a␛[2Jb\u{fffd}c");
    assert_eq!(alarm.reason.as_str(), "x␛]0;gone␇");
}
