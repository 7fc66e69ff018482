//! Messages that expire: nothing tells of it, for nothing changes in the state of an alarm that went off before.

use serde_json::{Value, json};

use super::{Scene, queue};

const HOUR: i64 = 3_600;

/// A dead letter a day old with four days to live, and an alarm on it.
fn scene() -> Scene {
    let consumer = "rate_per_second = 1.0\nfailing_on = \"order\"";
    let queues = queue("work", "retention_hours = 336\nvisibility_seconds = 30\nreceives_max = 1", consumer);
    let alarm = r#"
[[alarm]]
name = "work-dlq-not-empty"
system = "shop"
metric = ["AWS/SQS", "ApproximateNumberOfMessagesVisible"]
dimensions = { QueueName = "work-dlq" }
statistic = "Maximum"
above = 0.0
periods = 1
"#;
    Scene::new("", &format!("{queues}{alarm}"))
}

fn put(scene: &mut Scene, hours_ago: i64) {
    let sent_at = Some(scene.now() - jiff::SignedDuration::from_hours(hours_ago));
    let message = crate::world::PutMessage { sent_at, ..crate::world::PutMessage::new("{\"order\":1}".to_owned()) };
    scene.world.put(scene.now(), &super::caller(), "work", message).expect("put");
}

fn history(scene: &mut Scene, kind: &str) -> Vec<Value> {
    let told = scene.ok(
        "cloudwatch",
        "DescribeAlarmHistory",
        json!({ "AlarmName": "work-dlq-not-empty", "HistoryItemType": kind,
        "ScanBy": "TimestampAscending" }),
    );
    told["AlarmHistoryItems"].as_array().expect("a list").clone()
}

fn state(scene: &mut Scene) -> String {
    let told = scene.ok("cloudwatch", "DescribeAlarms", json!({ "AlarmNames": ["work-dlq-not-empty"] }));
    told["MetricAlarms"][0]["StateValue"].as_str().expect("a state").to_owned()
}

fn pass_hours(scene: &mut Scene, hours: i64) {
    for _ in 0..hours {
        scene.pass(HOUR);
        state(scene);
    }
}

#[test]
fn an_alarm_that_stays_in_alarm_pages_once_and_messages_vanish_in_silence() {
    let mut scene = scene();
    pass_hours(&mut scene, 1);
    assert_eq!(state(&mut scene), "OK");
    let actions = history(&mut scene, "Action").len();
    // Three days in the source: one day is left of the four of the dead-letter queue.
    put(&mut scene, 72);
    pass_hours(&mut scene, 1);
    assert_eq!((state(&mut scene), scene.counts("work-dlq").visible), ("ALARM".to_owned(), 1));
    assert_eq!(history(&mut scene, "Action").len(), actions + 1, "a page");
    let told = history(&mut scene, "StateUpdate").len();
    for _ in 0..10 {
        pass_hours(&mut scene, 2);
        put(&mut scene, 0);
    }
    pass_hours(&mut scene, 2);
    assert_eq!(scene.counts("work-dlq").visible, 11);
    pass_hours(&mut scene, 2);
    assert_eq!(scene.counts("work-dlq").visible, 10, "the first is gone, a day after it came");
    assert_eq!(state(&mut scene), "ALARM");
    assert_eq!((history(&mut scene, "Action").len(), history(&mut scene, "StateUpdate").len()), (actions + 1, told));
    let view = scene.world.queue_view(super::ACCOUNT, super::REGION, "work-dlq").expect("there");
    assert_eq!((view.totals.expired, view.totals.deleted), (1, 0));
    pass_hours(&mut scene, 100);
    assert_eq!(scene.counts("work-dlq").visible, 0);
    assert_ne!(state(&mut scene), "ALARM");
}
