use serde_json::json;

use super::{Scene, queue, service};

/// Twenty orders a second for ten workers, who together do forty a second with up to sixty in hand.
fn scene(limits: &str, hands: &str) -> Scene {
    let consumer =
        format!("rate_per_second = 40.0\nservice = \"main/worker\"\ndatabase = {{ prod = \"orders\" }}\n{hands}");
    let producer =
        "visibility_seconds = 120\nreceives_max = 1000\nproducer = { template = \"order\", rate_per_second = 20.0 }";
    Scene::new(limits, &format!("{}{}", service("worker", 10, ""), queue("work", producer, &consumer)))
}

fn burst(scene: &mut Scene) {
    let change = json!({ "producers": { "queue": "work", "rate_per_second": 200.0 } });
    scene.world.schedule(scene.now(), serde_json::from_value(change).expect("a change"));
    scene.pass(60);
    let change = json!({ "producers": { "queue": "work", "rate_per_second": 20.0 } });
    scene.world.schedule(scene.now(), serde_json::from_value(change).expect("a change"));
}

/// What is done in a minute.
fn done(scene: &mut Scene) -> u64 {
    let before = scene.deleted("work");
    scene.pass(60);
    scene.deleted("work") - before
}

#[test]
fn a_burst_leaves_a_consumer_in_a_bad_state_until_less_is_offered() {
    for (limits, hands) in [
        ("", "hands = { per_task = 40, knee = 60 }"),
        ("limits = { work_per_second = 40.0, knee = 60 }", "hands = { per_task = 40, knee = 1000 }"),
    ] {
        let mut scene = scene(limits, hands);
        scene.pass(300);
        assert!(done(&mut scene) >= 1_150, "{limits}: it keeps up");
        assert!(scene.counts("work").visible < 100);
        burst(&mut scene);
        scene.pass(1_800);
        let slow = done(&mut scene);
        assert!(slow < 600, "{limits}: half an hour after the burst {slow} a minute");
        let backlog = scene.counts("work").visible;
        assert!(backlog > 20_000, "{limits}: and the backlog grows: {backlog}");
        if !limits.is_empty() {
            assert!(scene.metric("CPUUtilization") > 95.0, "{}", scene.metric("CPUUtilization"));
        }
        // The trap.
        scene.scale("worker", 20);
        scene.pass(120);
        assert!(done(&mut scene) < slow, "{limits}: more workers do less");
        // Less in hand: one worker does what ten could not.
        scene.scale("worker", 1);
        scene.pass(180);
        let fast = done(&mut scene);
        assert!(fast > 2_200, "{limits}: {fast} a minute");
        // Paused and parked: the good state holds with all of them.
        scene.scale("worker", 0);
        scene.pass(180);
        let caller = super::caller();
        let url = format!("{}/{}/work", caller.origin, caller.account);
        scene.ok("sqs", "PurgeQueue", json!({ "QueueUrl": url }));
        scene.scale("worker", 1);
        scene.pass(120);
        scene.scale("worker", 10);
        scene.pass(600);
        assert!(done(&mut scene) >= 1_150, "{limits}: {:?}", scene.counts("work"));
        assert!(scene.counts("work").visible < 200, "{limits}: {:?}", scene.counts("work"));
    }
}

#[test]
fn consumers_of_one_database_share_what_it_does() {
    let consumer = "rate_per_second = 100.0\ndatabase = { prod = \"orders\" }\nhands = { per_task = 30, knee = 1000 }";
    let full =
        "visibility_seconds = 600\nmessages = [{ template = \"order\", count = 5000, newest = '1m', oldest = '5m' }]";
    let queues = [queue("one", full, consumer), queue("two", full, consumer)].concat();
    let mut scene = Scene::new("limits = { work_per_second = 20.0, knee = 60 }", &queues);
    scene.pass(100);
    let (one, two) = (scene.deleted("one"), scene.deleted("two"));
    assert!(one.abs_diff(two) < 20 && (1_900..=2_010).contains(&(one + two)), "{one} + {two}");
}

#[test]
fn a_function_that_may_not_run_burns_receives_unless_its_mapping_asks_for_less() {
    let full = "visibility_seconds = 5\nreceives_max = 3\nmessages = [{ template = \"order\", count = 300, newest = '1m', oldest = '5m' }]";
    let mapped = queue("work", full, "rate_per_second = 100.0\nfunction = \"worker\"");
    let reserve = |scene: &mut Scene, reserved: Option<u32>| {
        let at = scene.now().as_millisecond();
        scene.world.lambda.reserve(super::ACCOUNT, super::REGION, "worker", at, reserved);
    };
    let throttles = |scene: &mut Scene| {
        let end = scene.now().as_second();
        let told = scene.ok("cloudwatch", "GetMetricStatistics", json!({ "Namespace": "AWS/Lambda", "MetricName": "Throttles",
            "Dimensions": [{ "Name": "FunctionName", "Value": "worker" }], "StartTime": end - 600, "EndTime": end, "Period": 600,
            "Statistics": ["Sum"] }));
        told["Datapoints"].as_array().expect("a list").iter().filter_map(|point| point["Sum"].as_f64()).sum::<f64>()
    };
    let mut free = Scene::new("", &mapped);
    free.pass(60);
    assert_eq!((free.deleted("work"), free.counts("work-dlq").visible), (300, 0));
    let mut none = Scene::new("", &mapped);
    reserve(&mut none, Some(0));
    none.pass(180);
    assert_eq!(
        (none.deleted("work"), none.counts("work-dlq").visible),
        (0, 300),
        "each was received three times in vain"
    );
    assert!(throttles(&mut none) >= 90.0, "{}", throttles(&mut none));
    let mut few = Scene::new("", &mapped);
    reserve(&mut few, Some(1));
    few.pass(180);
    let (done, dead) = (few.deleted("work"), few.counts("work-dlq").visible);
    assert!(done > 0 && dead > 0 && done + dead as u64 == 300, "{done} done, {dead} dead");
    // No more at once than may run: nothing is lost, all takes longer.
    let mut gentle = Scene::new("", &mapped);
    reserve(&mut gentle, Some(2));
    let id = gentle.world.lambda.of_queue(super::ACCOUNT, super::REGION, "work").remove(0);
    gentle.world.lambda.mapping(super::start(), super::ACCOUNT, super::REGION, &id).expect("there").concurrency_max =
        Some(2);
    gentle.pass(60);
    assert_eq!((gentle.deleted("work"), gentle.counts("work-dlq").visible, throttles(&mut gentle)), (300, 0, 0.0));
}
