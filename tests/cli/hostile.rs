//! Text from outside reaches a terminal only made safe, through every command and every form of output.

use opsctl::domain::Text;

use super::ground::{DEV, Ended, Ground, caller};

/// Moves the cursor, clears the screen, sets the title, reorders, hides.
const HOSTILE: &str = "a\u{1b}[2J\u{1b}]0;gone\u{7}\u{9b}31m\u{202e}evil\u{200b}\u{7f}\r\u{e0041}";

fn assert_safe(ended: &Ended, what: &str) {
    for text in [&ended.out, &ended.err] {
        for line in text.lines() {
            let unsafe_character = line.chars().find(|character| {
                *character != '\t' && !Text::line(&character.to_string()).as_str().starts_with(*character)
            });
            assert_eq!(unsafe_character, None, "{what}: {line:?}");
        }
    }
}

#[test]
fn bodies_reach_no_terminal_as_they_are() {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    ground.dead_letter("orders", HOSTILE);
    ground.dead_letter("orders", &format!("Error: {HOSTILE}"));
    ground.dead_letter("orders", &serde_json::json!({ "error": HOSTILE, HOSTILE: 1 }).to_string());
    let sample = ["-e", "dev", "--queue", "orders-dlq"];
    for form in ["human", "json", "jsonl"] {
        for words in [
            &["peek"][..],
            &["peek", "--full"],
            &["groups"],
            &["redrive", "--dry-run", "--engine", "client"],
            &["redrive", "--engine", "client", "--where", ".text | test(\"never\")", "--yes"],
        ] {
            let ended = ground.opsctl(&[words, &sample, &["--output", form]].concat());
            assert_safe(&ended, &format!("{words:?} {form}"));
            assert!(ended.code == Some(0) || words[0] == "redrive", "{words:?} {form} {ended:?}");
        }
        for words in [&["queues"][..], &["runs"], &["journal", "verify"], &["doctor"]] {
            assert_safe(&ground.opsctl(&[words, &["--output", form]].concat()), &format!("{words:?} {form}"));
        }
    }
    let json = ground.opsctl(&[&["peek", "--output", "json"][..], &sample].concat()).expect(0).json();
    let bodies: Vec<&str> =
        json["messages"].as_array().expect("messages").iter().filter_map(|message| message["body"].as_str()).collect();
    assert!(bodies.contains(&HOSTILE), "JSON keeps the body as it is, escaped: {bodies:?}");
}

#[test]
fn events_and_stop_reasons_reach_no_terminal_as_they_are() {
    let ground = Ground::quick();
    for name in ["api", "worker"] {
        super::services::service(&ground, name, 2);
    }
    ground.sandbox.with(|world, now| {
        // Nothing starts again, so that these stay the last words.
        world.ecs.fill_until(&caller(DEV), "main", now + jiff::SignedDuration::from_hours(9));
        world.ecs.put_event(now, &caller(DEV), "main", "api", HOSTILE);
        world.ecs.stop_all(now, &caller(DEV), "main", "worker", HOSTILE);
        world.ecs.set_desired(now, &caller(DEV), "main", "worker", 0);
    });
    for form in ["human", "json", "jsonl"] {
        for words in [&["services", "-e", "dev"][..], &["tasks", "-e", "dev", "--service", "worker"]] {
            let ended = ground.opsctl(&[words, &["--output", form]].concat()).expect(0);
            assert!(ended.out.contains("evil"), "{words:?} {form} {ended:?}");
            assert_safe(&ended, &format!("{words:?} {form}"));
        }
    }
    assert_safe(&ground.opsctl(&["tasks", "-e", "dev", "--service", HOSTILE]), "tasks");
    assert_safe(&ground.opsctl(&["wake", "-e", "dev", "--service", HOSTILE]), "wake");
    let wake = ["wake", "-e", "dev", "--service", "worker", "--timeout", "10s", "--yes"];
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                ground.sandbox.with(|world, now| world.ecs.put_event(now, &caller(DEV), "main", "worker", HOSTILE));
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        });
        let ended = ground.opsctl(&wake);
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        ended.expect(4)
    });
    assert!(ended.err.contains("evil"), "what is told on the way: {ended:?}");
    assert_safe(&ended, "wake");
}

#[test]
fn names_and_reasons_of_alarms_reach_no_terminal_as_they_are() {
    let ground = Ground::new();
    super::alarms::alarm(&ground, HOSTILE);
    super::alarms::set(&ground, HOSTILE, "ALARM", HOSTILE);
    for form in ["human", "json", "jsonl"] {
        for (words, code) in [
            (&["alarms", "-e", "dev"][..], 0),
            (&["alarms", "-e", "dev", "--history", HOSTILE], 0),
            (&["status", "-e", "dev"], 6),
        ] {
            let ended = ground.opsctl(&[words, &["--output", form]].concat()).expect(code);
            assert!(ended.out.contains("evil"), "{words:?} {form} {ended:?}");
            assert_safe(&ended, &format!("{words:?} {form}"));
        }
    }
    assert_safe(&ground.opsctl(&["alarms", "-e", "dev", &format!("{HOSTILE}x")]).expect(2), "alarms");
}

#[test]
fn arguments_are_repeated_safely() {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    for words in [
        &["queues", "--env", HOSTILE][..],
        &["peek", "-e", "dev", "--queue", HOSTILE],
        &["peek", "-e", "dev", "--queue", "orders-dlq", "--where", HOSTILE],
        &["redrive", "-e", "dev", "--queue", HOSTILE, "--yes"],
        &["redrive", "-e", "dev", "--queue", "orders-dlq", "--edit", HOSTILE, "--yes"],
        &["redrive", "-e", "dev", "--queue", "orders-dlq", "--ids", HOSTILE, "--yes"],
        &["failover", "-e", "dev", HOSTILE, "--yes"],
        &["failover", "-e", "dev", "orders", "--to", HOSTILE, "--yes"],
        &["apply", HOSTILE],
        &["queues", "--config", HOSTILE],
    ] {
        assert_safe(&ground.opsctl(words), &format!("{words:?}"));
    }
}

#[test]
fn a_plan_in_somebody_elses_file_is_shown_safely() {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    ground.dead_letter("orders", "x");
    let path = ground.home.path().join("plan.json");
    let name = path.to_str().expect("UTF-8").to_owned();
    ground.opsctl(&["redrive", "-e", "dev", "--queue", "orders-dlq", "--plan-out", &name]).expect(0);
    let plan = std::fs::read_to_string(&path).expect("a plan");
    let mut plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    plan["region"] = HOSTILE.into();
    plan["summary"] = HOSTILE.into();
    plan["calls"][0]["action"] = HOSTILE.into();
    plan["facts"][0]["label"] = HOSTILE.into();
    std::fs::write(&path, plan.to_string()).expect("written");
    let shown = ground.opsctl(&["apply", &name]).expect(3);
    assert!(shown.err.contains("move ~1 message from orders-dlq") && !shown.err.contains("evil"), "{shown:?}");
    assert_safe(&shown, "apply");
}
