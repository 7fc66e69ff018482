//! What is refused whatever the plan says is refused before anything is received.

use super::ground::{Ground, REGION};

const PROD: &str = "333333333333";

fn receive_counts(ground: &Ground) -> Vec<u32> {
    ground
        .sandbox
        .with(|world, _| world.messages(PROD, REGION, "orders-dlq").map(|message| message.receive_count).collect())
}

#[test]
fn consent_that_is_not_enough_costs_no_receive() {
    let ground = Ground::quick();
    ground.pair(PROD, "orders");
    (0..6).for_each(|number| ground.dead_letter_of(PROD, "orders", &format!("message {number}")));
    let operations: [&[&str]; 5] = [
        &["redrive", "-e", "prod", "--queue", "orders-dlq"],
        &["redrive", "-e", "prod", "--queue", "orders-dlq", "--where", "true", "--ramp", "all"],
        &["redrive", "-e", "prod", "--queue", "orders", "--limit", "3"],
        &["purge", "-e", "prod", "--queue", "orders-dlq"],
        &["purge", "-e", "prod", "--queue", "orders-dlq", "--where", "true"],
    ];
    let answers: [(&[&str], &str); 5] = [
        (&[], "nobody confirmed"),
        (&["--yes"], "nobody confirmed"),
        (&["--yes", "--reason", "test"], "nobody confirmed"),
        (&["--approve", "0123456789abcdef"], "asks for a reason"),
        (&["--approve", "0123456789abcdef", "--reason", "test"], "the approved fingerprint is"),
    ];
    for operation in operations {
        for (answer, because) in answers {
            let refused = ground.opsctl(&[operation, answer].concat()).expect(3);
            assert!(refused.err.contains(because), "{operation:?} {answer:?}: {refused:?}");
            assert_eq!(receive_counts(&ground), [3; 6], "{operation:?} {answer:?} received");
        }
    }
    // Who looks is told, and what was looked at is agreed to without another look.
    let words = ["redrive", "-e", "prod", "--queue", "orders-dlq", "--ramp", "all"];
    let shown = ground.opsctl(&[&words[..], &["--dry-run", "--output", "json"]].concat()).expect(0).json();
    assert_eq!(receive_counts(&ground), [4; 6]);
    let fingerprint = shown["fingerprint"].as_str().expect("a fingerprint");
    ground.opsctl(&[&words[..], &["--approve", fingerprint, "--reason", "test"]].concat()).expect(0);
}

#[test]
fn other_operations_are_refused_at_once_as_well() {
    let ground = Ground::quick();
    for operation in [
        &["wake", "-e", "prod", "--service", "nothing"][..],
        &["sleep", "-e", "prod", "--service", "nothing"],
        &["failover", "nothing", "-e", "prod"],
        &["migrate", "nothing", "-e", "prod"],
        &["consumers", "pause", "-e", "prod", "--queue", "nothing"],
        &["consumers", "resume", "-e", "prod", "--queue", "nothing"],
    ] {
        // None of these exists: nobody got as far as asking for it.
        let refused = ground.opsctl(&[operation, &["--yes"]].concat()).expect(3);
        assert!(refused.err.contains("nobody confirmed"), "{operation:?}: {refused:?}");
    }
}
