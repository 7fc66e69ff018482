//! `restore` and `journal verify` on what a kill, a crash or an editor left behind.

use std::{fs, process::Stdio, time::Duration};

use super::ground::{DEV, Ended, Ground, caller};

fn ground(messages: usize) -> Ground {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    (0..messages).for_each(|number| ground.dead_letter("orders", &format!(r#"{{"orderId":{number}}}"#)));
    ground
}

/// Starts the binary and kills it when a journal has so many bytes; answers its run, or none where it ended before.
fn killed(ground: &Ground, words: &[&str], bytes: u64) -> Option<String> {
    let known = runs(ground);
    let mut command = ground.command(&[&["--sandbox"], words].concat());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    loop {
        let run = runs(ground).into_iter().find(|run| !known.contains(run));
        let length = run.as_ref().and_then(|run| fs::metadata(ground.runs().join(run).join("journal.jsonl")).ok());
        if length.is_some_and(|length| length.len() >= bytes) {
            child.kill().expect("SIGKILL");
            child.wait().expect("ended");
            return run;
        }
        if child.try_wait().expect("a child").is_some() {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn runs(ground: &Ground) -> Vec<String> {
    let Ok(entries) = fs::read_dir(ground.runs()) else { return Vec::new() };
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn bodies(ground: &Ground, queue: &str) -> Vec<String> {
    let mut bodies = ground.sandbox.with(|world, _| {
        world.messages(DEV, super::ground::REGION, queue).map(|message| message.body.to_owned()).collect::<Vec<_>>()
    });
    bodies.sort();
    bodies
}

/// Goes on as the report says, until it says that all is done.
fn follow(ground: &Ground, first: Ended) -> usize {
    let mut ended = first;
    for rounds in 0..6 {
        if ended.code == Some(0) {
            return rounds;
        }
        assert_eq!(ended.code, Some(4), "{ended:?}");
        let report = ended.json();
        let next = report["next"].as_str().unwrap_or_else(|| panic!("no way on: {report:#}"));
        let words: Vec<&str> = next.split(' ').skip(1).filter(|word| *word != "--sandbox").collect();
        ended = ground.opsctl(&[&words[..], &["--yes", "--output", "json"]].concat());
    }
    panic!("it has no end: {ended:?}");
}

#[test]
fn a_purge_killed_anywhere_is_undone_whole() {
    let (mut kills, mut left_out) = (0, 0);
    for bytes in [4_000, 12_000, 20_000, 28_000, 36_000, 44_000] {
        let ground = ground(165);
        let before = bodies(&ground, "orders-dlq");
        let words = ["purge", "-e", "dev", "--queue", "orders-dlq", "--yes"];
        let Some(run) = killed(&ground, &words, bytes) else { continue };
        kills += 1;
        let restored = ground.opsctl(&["restore", &run, "--yes", "--output", "json"]);
        left_out += usize::from(restored.code == Some(4));
        follow(&ground, restored);
        // What the first restore left out comes back with the next one; what the purge had not taken is there.
        let resumed = ground.opsctl(&["purge", "--resume", &run, "--yes", "--output", "json"]);
        follow(&ground, resumed);
        follow(&ground, ground.opsctl(&["restore", &run, "--yes", "--output", "json"]));
        assert_eq!(bodies(&ground, "orders-dlq"), before, "{bytes} bytes: whole, and once");
        let verified = ground.opsctl(&["journal", "verify"]).expect(0);
        assert!(!verified.out.contains("BROKEN"), "{verified:?}");
    }
    assert!(kills >= 3 && left_out >= 1, "killed {kills} times, left something out {left_out} times");
}

#[test]
fn a_fifo_restore_killed_anywhere_is_finished_by_its_resume() {
    let mut kills = 0;
    for bytes in [3_000, 5_000, 7_000, 9_000] {
        let ground = Ground::quick();
        ground.queue("events.fifo", &[("FifoQueue", "true")]);
        for number in 0..60 {
            ground.sandbox.with(|world, now| {
                let group = Some(format!("group-{}", number % 4));
                let message = opsctl::sandbox::world::PutMessage { group, ..Default::default() };
                let message = opsctl::sandbox::world::PutMessage { body: format!("{number:03}"), ..message };
                world.put(now, &caller(DEV), "events.fifo", message).expect("put");
            });
        }
        let before = bodies(&ground, "events.fifo");
        let purged = ground.opsctl(&["purge", "-e", "dev", "--queue", "events.fifo", "--yes", "--output", "json"]);
        let run = purged.expect(0).json()["run"].as_str().expect("a run").to_owned();
        let Some(restore) = killed(&ground, &["restore", &run, "-e", "dev", "--yes"], bytes) else { continue };
        kills += 1;
        let resumed = ground.opsctl(&["restore", "--resume", &restore, "--yes", "--output", "json"]).expect(0).json();
        assert_eq!(bodies(&ground, "events.fifo"), before, "{bytes} bytes: {resumed:#}");
    }
    assert!(kills >= 2, "killed {kills} times");
}

#[test]
fn a_damaged_snapshot_is_told_by_verify_and_refused_by_restore() {
    let ground = ground(40);
    let report = ground.opsctl(&["purge", "-e", "dev", "--queue", "orders-dlq", "--yes", "--output", "json"]);
    let report = report.expect(0).json();
    let run = report["run"].as_str().expect("a run");
    let good = ground.opsctl(&["journal", "verify", run]).expect(0);
    assert!(good.out.contains(", anchored, snapshot of 40 messages"), "{good:?}");
    let path = ground.runs().join(run).join("snapshot.jsonl");
    let text = fs::read_to_string(&path).expect("a snapshot");
    let cut: String = text.lines().take(20).map(|line| format!("{line}\n")).collect();
    let edited = text.replacen("orderId", "orderNo", 1);
    for (how, harmed) in [("20 messages have no intact line", cut), ("1 line was changed (line 1)", edited)] {
        fs::write(&path, harmed).expect("written");
        let verified = ground.opsctl(&["journal", "verify", run]).expect(1);
        assert!(verified.out.contains("BROKEN") && verified.out.contains(how), "{verified:?}");
        let refused = ground.opsctl(&["restore", run, "--yes"]).expect(3);
        assert!(refused.err.contains("--intact") || refused.out.contains("--intact"), "{refused:?}");
        assert_eq!(ground.count("orders-dlq"), 0, "{how}");
    }
    let partly = ground.opsctl(&["restore", run, "--intact", "--yes"]).expect(4);
    assert!(partly.out.contains("1 message left out") || partly.err.contains("1 message left out"), "{partly:?}");
    assert_eq!(ground.count("orders-dlq"), 39);
}

#[test]
fn a_journal_that_lost_its_end_is_told_and_not_taken_for_whole() {
    let ground = ground(40);
    let report = ground.opsctl(&["purge", "-e", "dev", "--queue", "orders-dlq", "--yes", "--output", "json"]);
    let report = report.expect(0).json();
    let run = report["run"].as_str().expect("a run");
    let path = ground.runs().join(run).join("journal.jsonl");
    let text = fs::read_to_string(&path).expect("a journal");
    let lines: Vec<&str> = text.lines().collect();
    fs::write(&path, format!("{}\n", lines[..lines.len() - 3].join("\n"))).expect("written");
    let verified = ground.opsctl(&["journal", "verify", run]).expect(1);
    assert!(verified.out.contains("3 lines were cut off after it"), "{verified:?}");
    ground.opsctl(&["restore", run, "--yes"]).expect(3);
    ground.opsctl(&["purge", "--resume", run, "--yes"]).expect(3);
    assert_eq!(ground.count("orders-dlq"), 0);
}
