//! Long polls.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{super::SERVICE, Scene, scene};
use crate::world::{Answer, Fate, Fault, FaultKind, Request};

fn poll(scene: &mut Scene, until: Option<Timestamp>) -> Result<Value, Timestamp> {
    let input = &json!({"QueueUrl": "orders", "WaitTimeSeconds": 20}).into();
    let request = Request { service: &SERVICE, action: "ReceiveMessage", caller: &scene.caller, access_key: "", input };
    let answer = match until {
        None => match scene.world.call(scene.now, &request) {
            Fate::Answered { answer, .. } => answer,
            other => panic!("{other:?}"),
        },
        Some(until) => scene.world.again(scene.now, &request, until),
    };
    match answer.expect("a receive") {
        Answer::Body(body) => Ok(serde_json::from_slice(&body).expect("JSON")),
        Answer::Wait { until } => Err(until),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_poll_waits_and_then_answers_nothing() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    let until = poll(&mut scene, None).expect_err("nothing there");
    assert_eq!(until, scene.now + SignedDuration::from_secs(20));
    scene.pass(10);
    assert_eq!(poll(&mut scene, Some(until)), Err(until), "the end stays");
    scene.pass(10);
    assert_eq!(poll(&mut scene, Some(until)), Ok(json!({})));
}

#[test]
fn a_poll_ends_with_the_first_message() {
    let mut scene = scene();
    scene.create("orders", json!({"ReceiveMessageWaitTimeSeconds": "5"}));
    scene.ok("SendMessage", json!({"QueueUrl": "orders", "MessageBody": "a", "DelaySeconds": 3}));
    let until = poll(&mut scene, None).expect_err("delayed");
    assert_eq!(scene.world.next_due(), Some(scene.now + SignedDuration::from_secs(3)), "look again then");
    scene.pass(3);
    assert_eq!(poll(&mut scene, Some(until)).expect("there")["Messages"][0]["Body"], "a");
}

#[test]
fn asking_again_counts_for_no_fault() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    let kind = FaultKind::VisibilityExpired;
    scene.world.faults.add(Fault { call: "ReceiveMessage".into(), queue: None, nth: 2, times: 1, kind });
    let until = poll(&mut scene, None).expect_err("nothing there");
    scene.send("orders", "a");
    poll(&mut scene, Some(until)).expect("there");
    assert_eq!(scene.counts("orders"), (0, 1, 0));
}

#[test]
fn a_queue_may_poll_by_itself() {
    let mut scene = scene();
    scene.create("orders", json!({"ReceiveMessageWaitTimeSeconds": "5"}));
    let answer = scene.answer("ReceiveMessage", &json!({"QueueUrl": "orders"})).expect("a receive");
    assert_eq!(answer, Answer::Wait { until: scene.now + SignedDuration::from_secs(5) });
    let answer = scene.ok("ReceiveMessage", json!({"QueueUrl": "orders", "WaitTimeSeconds": 0}));
    assert_eq!(answer, json!({}));
}
