//! Each exit code, once: scripts depend on them.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::ground::{DEV, Ground, caller};

fn ground(account: &str, messages: usize) -> Ground {
    let ground = Ground::new();
    ground.pair(account, "orders");
    (0..messages).for_each(|number| ground.dead_letter_of(account, "orders", &format!("message {number}")));
    ground
}

#[test]
fn the_help_has_the_table() {
    let help = Ground::new().plain(&["--help"]).expect(0).out;
    for line in ["  0  done, or nothing to do", "  4  partly done, or not known to be done", "130  interrupted"] {
        assert!(help.contains(line), "{help}");
    }
}

#[test]
fn done_is_0() {
    ground(DEV, 3).opsctl(&["redrive", "-e", "dev", "--queue", "orders-dlq", "--yes"]).expect(0);
}

#[test]
fn failed_is_1() {
    let ground = ground(DEV, 0);
    let run = "20261121T031500-4f7a9c";
    let folder = ground.runs().join(run);
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join("journal.jsonl"), "not what was written\n").expect("written");
    let broken = ground.opsctl(&["journal", "verify", run]).expect(1);
    assert!(broken.out.contains("BROKEN"), "{broken:?}");
}

#[test]
fn a_wrong_line_or_configuration_is_2() {
    let ground = Ground::new();
    ground.opsctl(&["redrive", "--limit", "none"]).expect(2);
    ground.pair(DEV, "orders");
    let short = ground.opsctl(&["redrive", "-e", "dev", "--queue", "orders-dlq", "--visibility", "29s"]).expect(2);
    assert!(short.err.contains("a slow send could outlast it") && short.err.contains("30s or more"), "{short:?}");
    let none = ground.plain(&["queues"]).expect(2);
    assert!(none.err.contains("try: run `opsctl init`"), "{none:?}");
    let file = ground.file("bad.toml", "[environments.dev]\nacount = \"1\"\n");
    let file = file.to_str().expect("UTF-8");
    let bad = ground.plain(&["queues", "--config", file]).expect(2);
    assert!(bad.err.contains("acount") && bad.err.contains("account"), "{bad:?}");
    ground.plain(&["config", "check", "--config", file]).expect(2);
}

#[test]
fn a_refusal_is_3_and_a_yes_is_not_enough_where_names_are_typed() {
    let ground = ground("333333333333", 2);
    let words = ["redrive", "-e", "prod", "--queue", "orders-dlq", "--ramp", "all"];
    let refused = ground.opsctl(&[&words[..], &["--yes", "--reason", "test"]].concat()).expect(3);
    assert!(refused.err.contains("type `prod orders-dlq`"), "{refused:?}");
    let plan = ground.opsctl(&[&words[..], &["--dry-run", "--output", "json"]].concat()).expect(0).json();
    let fingerprint = plan["fingerprint"].as_str().expect("a fingerprint");
    ground.opsctl(&[&words[..], &["--approve", fingerprint]].concat()).expect(3);
    ground.opsctl(&[&words[..], &["--approve", fingerprint, "--reason", "mended"]].concat()).expect(0);
}

#[test]
fn partly_done_is_4_and_says_what_was_left() {
    let ground = Ground::new();
    let dlq = ground.queue("small-dlq", &[]);
    let policy = format!(r#"{{"deadLetterTargetArn":"{dlq}","maxReceiveCount":"3"}}"#);
    ground.queue("small", &[("RedrivePolicy", &policy), ("MaximumMessageSize", "1024")]);
    ground.dead_letter("small", "fits");
    ground.dead_letter("small", &"x".repeat(2_000));
    let ended =
        ground.opsctl(&["redrive", "-e", "dev", "--queue", "small-dlq", "--engine", "client", "--yes"]).expect(4);
    assert!(ended.out.contains("1 moved") && ended.out.contains("1 left: "), "{ended:?}");
    assert_eq!((ground.count("small"), ground.count("small-dlq")), (1, 1));
}

#[test]
fn a_stale_plan_is_5() {
    let ground = ground(DEV, 2);
    let path = ground.home.path().join("plan.json");
    let path = path.to_str().expect("UTF-8");
    ground
        .opsctl(&["redrive", "-e", "dev", "--queue", "orders-dlq", "--engine", "client", "--plan-out", path])
        .expect(0);
    let other = ground.queue("other-dlq", &[]);
    ground.sandbox.with(|world, now| {
        let policy = format!(r#"{{"deadLetterTargetArn":"{other}","maxReceiveCount":"3"}}"#);
        let url = format!("http://sandbox/{DEV}/orders");
        let body = serde_json::json!({ "QueueUrl": url, "Attributes": { "RedrivePolicy": policy } });
        world.ask(now, &caller(DEV), ("sqs", "SetQueueAttributes"), body).expect("set");
    });
    let stale = ground.opsctl(&["apply", path, "--yes"]).expect(5);
    assert!(stale.err.contains("nothing was done"), "{stale:?}");
    assert_eq!(ground.count("orders-dlq"), 2);
}

#[test]
fn an_interrupt_is_130_and_what_is_left_can_be_resumed() {
    let ground = ground(DEV, 30);
    let words =
        ["--sandbox", "redrive", "-e", "dev", "--queue", "orders-dlq", "--engine", "client", "--rate", "5", "--yes"];
    let child = ground.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let deadline = Instant::now() + Duration::from_secs(20);
    while ground.count("orders") == 0 {
        assert!(Instant::now() < deadline, "nothing was moved");
        std::thread::sleep(Duration::from_millis(20));
    }
    let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(signalled.success());
    let ended = ground.ended(child.wait_with_output().expect("ended")).expect(130);
    let next = ended.out.lines().find_map(|line| line.trim().strip_prefix("next: opsctl ")).expect("what to do next");
    let resume: Vec<&str> = next.split(' ').chain(["--yes"]).collect();
    // The same plan, so the same rate: the rest takes its time.
    ground.opsctl(&resume).expect(0);
    assert_eq!((ground.count("orders-dlq"), ground.count("orders")), (0, 30));
}
