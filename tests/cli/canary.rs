//! What messages say stands in snapshots alone: not in a journal, not in a plan file, in nothing else of the state folder.

use std::path::{Path, PathBuf};

use opsctl::sandbox::world::{Attribute, PutMessage, Value};

use super::ground::{DEV, Ground, REGION, caller};

const CANARY: &str = "canary@example.com";

fn put(ground: &Ground, number: usize) {
    let text = |name: &str, text: String| Attribute {
        name: name.into(),
        label: "String".into(),
        value: Value::Text(text.into()),
    };
    let body = match number % 3 {
        0 => format!(
            r#"{{"n":{number},"transferId":"{CANARY}","eventId":"{CANARY}{number}","error":{{"message":"Rejected: {CANARY}"}}}}"#
        ),
        1 => format!(r#"{{"{CANARY}":{number},"transferId":"t","eventId":"{CANARY}{number}"}}"#),
        _ => format!("ValueError: no such user {CANARY}"),
    };
    let attributes = match number % 4 {
        0 => vec![text("ErrorMessage", format!("user {CANARY} was refused"))],
        1 => vec![text("ErrorCode", CANARY.to_owned())],
        2 => vec![text("exceptionReason", format!("Error for {CANARY}")), text("tenant", CANARY.to_owned())],
        _ => Vec::new(),
    };
    let message = PutMessage {
        body,
        attributes,
        sent_at: "2026-11-21T02:00:00Z".parse().ok(),
        receive_count: 3,
        dead_letter_source: Some(format!("arn:aws:sqs:{REGION}:{DEV}:orders")),
        ..PutMessage::default()
    };
    ground.sandbox.with(|world, now| world.put(now, &caller(DEV), "orders-dlq", message)).expect("put");
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => files(&path, found),
            path => found.push(path),
        }
    }
}

fn assert_silent(ground: &Ground, after: &[&str]) {
    let mut found = Vec::new();
    files(ground.home.path(), &mut found);
    assert!(found.iter().any(|path| path.ends_with("journal.jsonl")) || after.contains(&"--plan-out"), "{after:?}");
    for path in found {
        if path.file_name().is_some_and(|name| name == "snapshot.jsonl") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("read");
        let text = String::from_utf8_lossy(&bytes);
        for part in [CANARY, "canary"] {
            assert!(!text.contains(part), "after {after:?}, {} says {part}:\n{text}", path.display());
        }
    }
}

#[test]
fn nothing_that_a_message_says_is_written_down_outside_a_snapshot() {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    ground.queue("events-transfers.fifo", &[("FifoQueue", "true")]);
    let small = ground.queue("small", &[("MaximumMessageSize", "1024")]);
    assert!(!small.is_empty());
    let plan = ground.home.path().join("plan.json").to_str().expect("UTF-8").to_owned();
    let queue = ["-e", "dev", "--queue", "orders-dlq"];
    let commands: [&[&str]; 11] = [
        &["redrive", "--plan-out", &plan],
        &["redrive", "--where", ".body.n < 100", "--plan-out", &plan, "--force"],
        &["purge", "--where", "true", "--plan-out", &plan, "--force"],
        &["redrive", "--engine", "managed", "--yes"],
        &["redrive", "--yes"],
        &["redrive", "--where", ".receive_count > 0", "--ramp", "1,all", "--wait-bounce", "1s", "--yes"],
        // Some have no group id there, some are no JSON, some share one.
        &["redrive", "--to", "events-transfers.fifo", "--yes"],
        &["redrive", "--to", "small", "--mark", "--yes"],
        &["redrive", "--edit", "mend.jq", "--yes"],
        &["purge", "--limit", "4", "--yes"],
        &["purge", "--where", "true", "--yes"],
    ];
    ground.file("mend.jq", "if .body.n? then . else error(.text) end");
    for command in commands {
        (0..12).for_each(|number| put(&ground, number));
        let ended = ground.opsctl(&[&command[..1], &queue, &command[1..]].concat());
        assert!(matches!(ended.code, Some(0 | 1 | 4)), "{command:?}: {ended:?}");
        assert_silent(&ground, command);
    }
    let runs = ground.opsctl(&["runs", "--output", "json"]).expect(0).json();
    let purge = runs["runs"][0]["run"].as_str().expect("a run").to_owned();
    for command in [&["restore", &purge, "--yes"][..], &["restore", &purge, "--again", "--plan-out", &plan, "--force"]]
    {
        ground.opsctl(command).expect(0);
        assert_silent(&ground, command);
    }
    for command in [&["peek"][..], &["groups"]] {
        ground.opsctl(&[command, &queue].concat()).expect(0);
        assert_silent(&ground, command);
    }
}
