//! How far a FIFO queue looks for groups that are free.

use std::collections::BTreeSet;

use fastrand::Rng;
use serde_json::json;

use super::{Got, Scene, scene};

/// A FIFO queue that looks at its first so many messages.
fn queue(looks_at: usize) -> Scene {
    let mut scene = scene();
    scene.world.settings.fifo_looks_at = looks_at;
    scene.create("q.fifo", json!({"FifoQueue": "true"}));
    scene
}

fn bodies(got: &[Got]) -> Vec<&str> {
    got.iter().map(|message| message.body.as_str()).collect()
}

#[test]
fn a_blocked_group_in_front_hides_the_groups_behind_it() {
    let mut scene = queue(20);
    for number in 0..20 {
        scene.send_fifo("q.fifo", &format!("a{number}"), "a", &format!("a{number}"));
    }
    for number in 0..3 {
        scene.send_fifo("q.fifo", &format!("b{number}"), "b", &format!("b{number}"));
    }
    let head = scene.receive_one("q.fifo");
    assert_eq!(head.body, "a0");
    assert_eq!(scene.exact("q.fifo").visible, 22, "many are visible,");
    assert!(scene.receive("q.fifo").is_empty(), "and none is handed out, without any error");
    scene.delete("q.fifo", &head).expect("deleted");
    let more = scene.receive_with("q.fifo", json!({"MaxNumberOfMessages": 1}));
    assert_eq!(bodies(&more), ["b0"], "a group that was not served comes first, as far as the queue looks");
    scene.delete("q.fifo", &more[0]).expect("deleted");
    assert_eq!(bodies(&scene.receive_with("q.fifo", json!({"MaxNumberOfMessages": 1}))), ["a1"]);
    let got = scene.receive("q.fifo");
    assert_eq!(bodies(&got), ["b1"], "of b it sees one more only");
}

#[test]
fn a_queue_that_is_shorter_hides_nothing() {
    let mut scene = queue(20);
    for (body, group) in [("a0", "a"), ("a1", "a"), ("b0", "b"), ("c0", "c")] {
        scene.send_fifo("q.fifo", body, group, body);
    }
    scene.receive_with("q.fifo", json!({"MaxNumberOfMessages": 1}));
    assert_eq!(bodies(&scene.receive_with("q.fifo", json!({"MaxNumberOfMessages": 1}))), ["b0"]);
    assert_eq!(bodies(&scene.receive_with("q.fifo", json!({"MaxNumberOfMessages": 1}))), ["c0"]);
}

/// Against a queue that is a plain list: whatever is handed out stands among the first so many, and nothing that does is left.
#[test]
fn what_is_handed_out_stands_among_the_first() {
    const LOOKS_AT: usize = 12;
    for seed in 0..40 {
        let mut random = Rng::with_seed(seed);
        let mut scene = queue(LOOKS_AT);
        let (mut list, mut held) = (Vec::<(u64, u64)>::new(), Vec::<Got>::new());
        for number in 0..400_u64 {
            match random.u32(..10) {
                0..5 => {
                    let group = random.u64(..6);
                    scene.send_fifo("q.fifo", &number.to_string(), &group.to_string(), &number.to_string());
                    list.push((number, group));
                }
                5..8 => {
                    let held_numbers: BTreeSet<u64> =
                        held.iter().map(|one| one.body.parse().expect("a number")).collect();
                    let seen = &list[..list.len().min(LOOKS_AT)];
                    let blocked = |group: u64| {
                        list.iter().find(|(_, of)| *of == group).is_some_and(|(head, _)| held_numbers.contains(head))
                    };
                    let free: BTreeSet<u64> =
                        seen.iter().filter(|(_, group)| !blocked(*group)).map(|(number, _)| *number).collect();
                    let got =
                        scene.receive_with("q.fifo", json!({"MaxNumberOfMessages": 3, "VisibilityTimeout": 40_000}));
                    let numbers: BTreeSet<u64> = got.iter().map(|one| one.body.parse().expect("a number")).collect();
                    assert!(numbers.is_subset(&free), "seed {seed}: {numbers:?} of {free:?}");
                    assert_eq!(numbers.is_empty(), free.is_empty(), "seed {seed}: {free:?}");
                    held.extend(got);
                }
                _ if held.is_empty() => {}
                _ => {
                    let one = held.remove(random.usize(..held.len()));
                    scene.delete("q.fifo", &one).expect("deleted");
                    list.retain(|(number, _)| number.to_string() != one.body);
                }
            }
        }
    }
}
