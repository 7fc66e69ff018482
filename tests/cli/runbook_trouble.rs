//! Runs of runbooks in hard conditions: a full disk, throttled calls, two drivers, two machines, kills, a closed terminal.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use opsctl::sandbox::world::{Fault, FaultKind, PutMessage};

use super::{
    disk::limited,
    ground::{DEV, Ended, Ground, REGION, caller},
};
use crate::support::terminal::Terminal;

const DRAIN: &str = r#"# Drain

```toml runbook
owner = "us"
parameters.queue = { kind = "queue" }
```

## A few

```toml step
id = "few"
do = "redrive"
with = { queue = "{queue}", limit = 5, engine = "client" }
check = "few.done == 5"
```

## The rest

```toml step
do = "redrive"
with = { queue = "{queue}", engine = "client" }
check = "queue.messages == 0"
within = "2m"
```
"#;

fn write(ground: &Ground, text: &str) {
    let folder = ground.home.path().join("runbooks");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("drain.md"), text).expect("written");
}

fn ground(messages: u32) -> Ground {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    (0..messages).for_each(|number| ground.dead_letter("orders", &format!("body {number}")));
    write(&ground, DRAIN);
    ground
}

const RUN: [&str; 9] =
    ["--sandbox", "runbook", "run", "drain", "-e", "dev", "--set", "queue=orders-dlq", "--output=json"];

fn run(more: &[&'static str]) -> Vec<&'static str> {
    RUN.into_iter().chain(more.iter().copied()).collect()
}

/// The run that is open, if one is.
fn open(ground: &Ground) -> Option<serde_json::Value> {
    let listed = ground.opsctl(&["runbook", "list", "--open", "--output", "json"]).expect(0).json();
    listed["runs"].as_array().and_then(|runs| runs.first()).cloned()
}

/// Goes on with the open run until it has ended; what may have been sent is sent again where a step waits for a decision.
fn goes_on(ground: &Ground) -> (Ended, u32) {
    let mut resent = 0;
    for _ in 0..12 {
        let Some(open) = open(ground) else { break };
        let id = open["run"].as_str().expect("an id").to_owned();
        let mut words = vec!["runbook", "resume", &id, "--yes", "--output", "json"];
        if open["waits_for"].as_str().is_some_and(|waits| waits.contains("decision")) {
            resent += 1;
            words.extend(["--decide", "resend"]);
        }
        let ended = ground.opsctl(&words);
        if ended.code == Some(0) {
            return (ended, resent);
        }
        assert!(matches!(ended.code, Some(4 | 7)), "{ended:?}");
    }
    panic!("it does not end: {:?}", open(ground));
}

#[test]
fn a_full_disk_stops_a_run_loses_nothing_and_it_goes_on_when_there_is_room() {
    let mut stopped = 0;
    for blocks in [0, 4, 12, 20, 32] {
        let ground = ground(60);
        let ended = limited(&ground, blocks, &run(&["--yes"]));
        let (moved, left) = (ground.count("orders"), ground.count("orders-dlq"));
        assert_eq!(moved + left, 60, "{blocks}: lost or doubled: {ended:?}");
        if ended.code == Some(0) {
            continue;
        }
        stopped += 1;
        let says = format!("{}{}", ended.out, ended.err);
        assert!(says.contains("File too large") || ended.code == Some(7), "{blocks}: {ended:?}");
        let resent = match open(&ground) {
            Some(_) => goes_on(&ground).1,
            None => {
                // Nothing was begun.
                assert_eq!(moved, 0, "{blocks}: {ended:?}");
                ground.plain(&run(&["--yes"])).expect(0);
                0
            }
        };
        let (moved, left) = (ground.count("orders"), ground.count("orders-dlq"));
        assert!(left == 0 && moved >= 60 && (moved == 60 || resent > 0), "{blocks}: {moved} moved, {left} left");
    }
    assert!(stopped >= 3, "the disk is full in {stopped} of them only");
}

#[test]
fn with_every_second_call_throttled_it_ends_as_it_does_otherwise() {
    let ground = ground(40);
    ground.sandbox.with(|world, _| {
        for nth in (2..4_000).step_by(2) {
            world.faults.add(Fault { call: "*".into(), queue: None, nth, times: 1, kind: FaultKind::Throttled });
        }
    });
    let mut ended = ground.plain(&run(&["--yes"]));
    if ended.code == Some(7) {
        ended = goes_on(&ground).0;
    }
    assert_eq!((ended.code, ground.count("orders"), ground.count("orders-dlq")), (Some(0), 40, 0), "{ended:?}");
}

#[test]
fn one_state_folder_has_one_driver() {
    // Time passes as it does: the run is at work while the others are refused.
    let ground = Ground::new();
    ground.pair(DEV, "orders");
    (0..20).for_each(|number| ground.dead_letter("orders", &format!("body {number}")));
    write(
        &ground,
        &DRAIN.replace("engine = \"client\" }\ncheck = \"queue", "engine = \"client\", rate = 1 }\ncheck = \"queue"),
    );
    let mut first =
        ground.command(&run(&["--yes"])).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let id = loop {
        if let Some(open) = open(&ground)
            && ground.count("orders") > 5
        {
            assert_eq!(open["busy"], true, "{open}");
            break open["run"].as_str().expect("an id").to_owned();
        }
        assert!(first.try_wait().expect("our child").is_none(), "it is at work");
        std::thread::sleep(Duration::from_millis(50));
    };
    for words in [["runbook", "resume"], ["runbook", "take-over"]] {
        let second = ground.opsctl(&[words[0], words[1], &id, "--yes"]);
        assert_eq!(second.code, Some(3), "{second:?}");
        assert!(second.err.contains(&id), "{second:?}");
    }
    // `status` knows it, and that somebody is at it.
    let status = ground.opsctl(&["status", "-e", "dev"]);
    assert!(status.err.contains("is running"), "{status:?}");
    first.kill().expect("our child");
    first.wait().expect("our child");
    let (_, resent) = goes_on(&ground);
    let moved = ground.count("orders");
    assert!(ground.count("orders-dlq") == 0 && moved >= 20 && (moved == 20 || resent > 0), "{moved} moved");
}

#[test]
fn two_machines_with_copies_of_one_state_lose_and_double_nothing() {
    let ground = ground(60);
    let left = ground.plain(&run(&[]));
    assert_eq!(left.code, Some(7), "{left:?}");
    let id = left.json()["run"].as_str().expect("a run").to_owned();
    let (here, there) = (ground.home.path().join("state"), ground.home.path().join("elsewhere"));
    assert!(Command::new("cp").arg("-a").args([&here, &there]).status().expect("cp").success());
    let words = ["--sandbox", "runbook", "resume", &id, "--yes", "--output", "json"];
    let on = |state: &Path| {
        let mut command = ground.command(&words);
        command.env("XDG_STATE_HOME", state).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("starts")
    };
    let both = [on(&here), on(&there)].map(|child| ground.ended(child.wait_with_output().expect("our child")));
    let (moved, left) = (ground.count("orders"), ground.count("orders-dlq"));
    assert_eq!((moved, left), (60, 0), "{both:?}");
    // A limit counts by machine: the one that found fewer messages than it was to move says so, and nobody else's are counted as its own.
    assert!(both.iter().all(|ended| matches!(ended.code, Some(0 | 4 | 7))), "{both:?}");
}

/// Bodies of a FIFO queue's groups, in order.
fn groups(ground: &Ground, queue: &str) -> BTreeMap<String, Vec<String>> {
    ground.sandbox.with(|world, _| {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for message in world.messages(DEV, REGION, queue) {
            let group = message.group.map(ToString::to_string).unwrap_or_default();
            groups.entry(group).or_default().push(message.body.to_string());
        }
        groups
    })
}

#[test]
fn killed_again_and_again_a_fifo_queue_keeps_its_order() {
    const KILLS: u64 = 6;
    let ground = Ground::quick();
    ground.sandbox.with(|world, now| {
        let dlq = world.create(now, &caller(DEV), "orders-dlq.fifo", &[("FifoQueue", "true")]).expect("created");
        let policy = format!(r#"{{"deadLetterTargetArn":"{dlq}","maxReceiveCount":"3"}}"#);
        let attributes = [("FifoQueue", "true"), ("RedrivePolicy", policy.as_str())];
        world.create(now, &caller(DEV), "orders.fifo", &attributes).expect("created");
        for number in 0..40 {
            let message = PutMessage {
                body: format!("{number:03}"),
                group: Some(format!("group-{}", number % 4)),
                deduplication_id: Some(format!("d{number}")),
                receive_count: 3,
                dead_letter_source: Some(format!("arn:aws:sqs:{REGION}:{DEV}:orders.fifo")),
                ..PutMessage::default()
            };
            world.put(now, &caller(DEV), "orders-dlq.fifo", message).expect("put");
        }
    });
    write(&ground, DRAIN);
    let wanted = groups(&ground, "orders-dlq.fifo");
    let mut words: Vec<String> =
        run(&["--yes"]).iter().map(|word| word.replace("orders-dlq", "orders-dlq.fifo")).collect();
    let mut seed = 0x9e37_79b9_u64;
    for round in 0.. {
        assert!(round < 3 * KILLS, "it ends");
        let plain: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut child = ground.command(&plain).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        if round < KILLS {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            std::thread::sleep(Duration::from_millis(150 + (seed >> 33) % 1_500));
            let _ = child.kill();
        }
        match child.wait().expect("our child").code() {
            Some(0) => break,
            None | Some(4 | 7) => {}
            other => panic!("exit {other:?}"),
        }
        let Some(open) = open(&ground) else { continue };
        words =
            ["--sandbox", "runbook", "resume", open["run"].as_str().expect("an id"), "--yes"].map(str::to_owned).into();
        if open["waits_for"].as_str().is_some_and(|waits| waits.contains("decision")) {
            words.extend(["--decide".to_owned(), "resend".to_owned()]);
        }
    }
    assert_eq!(groups(&ground, "orders.fifo"), wanted, "each once, and in order");
    assert_eq!(ground.count("orders-dlq.fifo"), 0);
}

#[test]
fn what_a_step_did_is_said_in_the_words_of_its_verb() {
    let ground = ground(7);
    let text = r#"# Words

```toml runbook
owner = "us"
parameters.queue = { kind = "queue" }
```

## Two go back

```toml step
do = "redrive"
with = { queue = "{queue}", limit = 2, engine = "client" }
```

## The rest goes

```toml step
id = "gone"
do = "purge"
with = { queue = "{queue}" }
```

## And comes again

```toml step
do = "restore"
with = { run = "{gone.run}" }
```
"#;
    write(&ground, text);
    let ended = ground.plain(&run(&["--yes"])).expect(0);
    let report = ended.json();
    let because = |at: usize| report["steps"][at]["runs"][0]["summary"].as_str().unwrap_or_default().to_owned();
    assert_eq!([0, 1, 2].map(because), ["2 moved", "5 deleted", "5 moved"], "{report}");
    let timeline = ground.opsctl(&["runbook", "export", report["run"].as_str().expect("a run")]).expect(0).out;
    assert!(timeline.contains("5 deleted") && !timeline.contains("7 moved"), "{timeline}");
}

#[test]
fn a_run_that_waits_rings_says_so_in_the_title_and_in_status() {
    let ground = ground(3);
    let waits = DRAIN.replace("## A few", "## Look\n\nAt the errors.\n\n## A few");
    write(&ground, &waits);
    // A headless run in a terminal: nobody can be asked, for its input is none.
    let plain = ground.command(&run(&["--yes"]));
    let mut command = Command::new("sh");
    let script = "exec \"$0\" \"$@\" < /dev/null";
    command.arg("-c").arg(script).arg(plain.get_program()).args(plain.get_args()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(ground.home.path());
    let mut terminal = Terminal::start(&command, (100, 30));
    assert_eq!(terminal.end(), 7, "{}", terminal.screen());
    let raw = terminal.raw();
    assert!(raw.contains("\u{7}\u{1b}]2;opsctl: drain in dev waits for someone to do `Look`\u{7}"), "{raw:?}");
    let piped = ground.plain(&run(&["--yes"]));
    assert!(piped.code == Some(7) && !piped.err.contains('\u{7}') && !piped.err.contains("]2;"), "{piped:?}");
    let status = ground.opsctl(&["status", "-e", "dev"]);
    assert_eq!(status.code, Some(6), "an open run waits for somebody: {status:?}");
    assert!(
        status.err.contains("runbook drain in dev waits for someone to do `Look`: `opsctl runbook resume"),
        "{status:?}"
    );
    let json = ground.opsctl(&["status", "-e", "dev", "--output", "json"]).json();
    let open = &json["environments"][0]["open_runbooks"];
    assert_eq!(open.as_array().map(Vec::len), Some(2), "{json}");
    let elsewhere = ground.opsctl(&["status", "-e", "staging"]);
    assert!(!elsewhere.err.contains("waits for"), "{elsewhere:?}");
}

#[test]
fn a_run_about_the_same_goes_on_from_the_one_that_did_not_recover() {
    let ground = ground(6);
    write(
        &ground,
        &DRAIN.replace("few.done == 5", "few.done == 9").replace("id = \"few\"", "id = \"few\"\nwithin = \"2s\""),
    );
    let failed = ground.plain(&run(&["--yes"]));
    assert_eq!(failed.code, Some(7), "{failed:?}");
    let first = failed.json()["run"].as_str().expect("a run").to_owned();
    ground.opsctl(&["runbook", "resume", &first, "--decide", "stop"]).expect(4);
    write(&ground, &DRAIN.replace("limit = 5, ", "").replace("few.done == 5", "true"));
    let second = ground.plain(&run(&["--yes"])).expect(0);
    let report = second.json();
    assert_eq!(report["continues"], first.as_str(), "{report}");
    assert!(second.err.contains(&format!("it follows run {first}")), "{second:?}");
    let id = report["run"].as_str().expect("a run");
    let timeline = ground.opsctl(&["runbook", "export", id]).expect(0).out;
    assert!(timeline.contains(&format!("| Follows | run {first} |")), "{timeline}");
    let earlier = ground.opsctl(&["runbook", "export", &first]).expect(0).out;
    assert!(earlier.contains(&format!("| Followed by | run {id} |")), "{earlier}");
    // The one that recovered is not gone on from; another queue is another matter; and a person may say which.
    ground.dead_letter("orders", "one more");
    let third = ground.plain(&run(&["--yes"])).expect(0).json();
    assert_eq!(third["continues"], serde_json::Value::Null, "{third}");
    ground.dead_letter("orders", "and one more");
    let said: Vec<&str> = run(&["--yes", "--continues"]).into_iter().chain([first.as_str()]).collect();
    assert_eq!(ground.plain(&said).expect(0).json()["continues"], first.as_str());
    let wrong: Vec<&str> = run(&["--yes", "--continues"]).into_iter().chain(["20200101T000000-000000"]).collect();
    assert_ne!(ground.plain(&wrong).code, Some(0), "there is no such run");
}
