//! Whatever is done, every message is somewhere, and where the counts say.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::json;

use super::{ACCOUNT, Got, REGION, Scene, arn, scene};
use crate::world::{Counts, State, Totals};

#[derive(Debug, Clone)]
enum Step {
    Send { queue: usize, group: u8, delay_seconds: i64 },
    Receive { queue: usize, messages_max: u8, visibility_seconds: i64 },
    Delete { handle: usize },
    Change { handle: usize, seconds: i64 },
    Purge { queue: usize },
    Move { queue: usize, rate: i64 },
    Pass { seconds: i64 },
}

const QUEUES: [&str; 4] = ["s", "s-dlq", "f.fifo", "f-dlq.fifo"];

fn step() -> impl Strategy<Value = Step> {
    let queue = 0..QUEUES.len();
    prop_oneof![
        6 => (queue.clone(), 0..3_u8, 0..20_i64)
            .prop_map(|(queue, group, delay_seconds)| Step::Send { queue, group, delay_seconds }),
        6 => (queue.clone(), 1..=10_u8, 0..40_i64)
            .prop_map(|(queue, messages_max, visibility_seconds)| Step::Receive { queue, messages_max, visibility_seconds }),
        4 => any::<usize>().prop_map(|handle| Step::Delete { handle }),
        3 => (any::<usize>(), 0..60_i64).prop_map(|(handle, seconds)| Step::Change { handle, seconds }),
        1 => queue.clone().prop_map(|queue| Step::Purge { queue }),
        1 => (queue, 1..=500_i64).prop_map(|(queue, rate)| Step::Move { queue, rate }),
        4 => (0..100_i64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

#[derive(Default)]
struct Seen {
    handles: Vec<(usize, Got)>,
    sends: u32,
}

fn take(scene: &mut Scene, seen: &mut Seen, step: &Step) {
    match *step {
        Step::Send { queue, group, delay_seconds } => {
            seen.sends += 1;
            let mut request = json!({"QueueUrl": QUEUES[queue], "MessageBody": seen.sends.to_string()});
            if QUEUES[queue].ends_with(".fifo") {
                request["MessageGroupId"] = group.to_string().into();
                // Some are duplicates.
                request["MessageDeduplicationId"] = (seen.sends / 3).to_string().into();
            } else {
                request["DelaySeconds"] = delay_seconds.into();
            }
            scene.ok("SendMessage", request);
        }
        Step::Receive { queue, messages_max, visibility_seconds } => {
            let more = json!({"MaxNumberOfMessages": messages_max, "VisibilityTimeout": visibility_seconds});
            let got = scene.receive_with(QUEUES[queue], more);
            seen.handles.extend(got.into_iter().map(|message| (queue, message)));
        }
        Step::Delete { handle } if !seen.handles.is_empty() => {
            let (queue, message) = seen.handles[handle % seen.handles.len()].clone();
            let _ = scene.delete(QUEUES[queue], &message);
        }
        Step::Change { handle, seconds } if !seen.handles.is_empty() => {
            let (queue, message) = seen.handles[handle % seen.handles.len()].clone();
            let _ = scene.change(QUEUES[queue], &message, seconds);
        }
        Step::Delete { .. } | Step::Change { .. } => {}
        Step::Purge { queue } => {
            let _ = scene.call("PurgeQueue", json!({"QueueUrl": QUEUES[queue]}));
        }
        Step::Move { queue, rate } => {
            let request = json!({"SourceArn": arn(QUEUES[queue]), "MaxNumberOfMessagesPerSecond": rate});
            let _ = scene.call("StartMessageMoveTask", request);
        }
        Step::Pass { seconds } => scene.pass(seconds),
    }
}

/// Every queue's books balance, and its counts are those of its messages.
fn check(scene: &mut Scene) -> Result<(), TestCaseError> {
    let now = scene.now;
    scene.world.advance(now);
    let (mut moved_in, mut moved_out) = (0, 0);
    for queue in QUEUES {
        let view = scene.world.queue_view(ACCOUNT, REGION, queue).expect("a queue");
        let (Counts { visible, in_flight, delayed }, totals) = (view.counts, view.totals);
        let mut states: HashMap<State, usize> = HashMap::new();
        for message in scene.world.messages(ACCOUNT, REGION, queue) {
            *states.entry(message.state).or_default() += 1;
        }
        let counted = |state| states.get(&state).copied().unwrap_or_default();
        prop_assert_eq!(visible, counted(State::Visible), "{} visible", queue);
        prop_assert_eq!(in_flight, counted(State::InFlight), "{} in flight", queue);
        prop_assert_eq!(delayed, counted(State::Delayed), "{} delayed", queue);
        let Totals { sent, deleted, purged, expired, .. } = totals;
        let there = (visible + in_flight + delayed) as u64;
        prop_assert_eq!(sent + totals.moved_in, there + deleted + purged + expired + totals.moved_out, "{}", queue);
        moved_in += totals.moved_in;
        moved_out += totals.moved_out;
    }
    prop_assert_eq!(moved_in, moved_out, "what left one queue came to another");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_message_is_somewhere(steps in prop::collection::vec(step(), 1..120)) {
        let mut scene = scene();
        scene.create_pair("s", "", 3);
        scene.create_pair("f", ".fifo", 3);
        for queue in QUEUES {
            scene.ok("SetQueueAttributes", json!({"QueueUrl": queue, "Attributes": {"MessageRetentionPeriod": "600"}}));
        }
        let mut seen = Seen::default();
        for step in &steps {
            take(&mut scene, &mut seen, step);
            check(&mut scene)?;
        }
        // At last everything can be received, or its time is over.
        scene.pass(3_600);
        for queue in QUEUES {
            prop_assert_eq!(scene.exact(queue).in_flight + scene.exact(queue).visible + scene.exact(queue).delayed,
                            scene.world.messages(ACCOUNT, REGION, queue).count());
        }
        check(&mut scene)?;
        for queue in QUEUES {
            prop_assert_eq!(scene.exact(queue), Counts::default(), "{} after its retention", queue);
        }
    }

    #[test]
    fn a_fifo_group_is_received_in_order(sends in prop::collection::vec((0..4_u8, 1..=10_u8, any::<bool>()), 1..60)) {
        let mut scene = scene();
        scene.create("q.fifo", json!({"FifoQueue": "true"}));
        let mut received: HashMap<String, Vec<u32>> = HashMap::new();
        let drain = |scene: &mut Scene, received: &mut HashMap<String, Vec<u32>>, messages_max: u8, deletes: bool| {
            for message in scene.receive_with("q.fifo", json!({"MaxNumberOfMessages": messages_max})) {
                if deletes {
                    scene.delete("q.fifo", &message).expect("in flight");
                    let group = message.attributes["MessageGroupId"].as_str().expect("a group").to_owned();
                    received.entry(group).or_default().push(message.body.parse().expect("a number"));
                }
            }
            if !deletes {
                scene.pass(30);
            }
        };
        for (n, (group, messages_max, deletes)) in sends.iter().enumerate() {
            scene.send_fifo("q.fifo", &n.to_string(), &group.to_string(), &n.to_string());
            drain(&mut scene, &mut received, *messages_max, *deletes);
        }
        for _ in 0..sends.len() {
            drain(&mut scene, &mut received, 10, true);
        }
        prop_assert_eq!(received.values().map(Vec::len).sum::<usize>(), sends.len());
        for numbers in received.values() {
            prop_assert!(numbers.is_sorted(), "{:?}", numbers);
        }
    }
}
