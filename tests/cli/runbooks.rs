//! `opsctl runbook`: read, checked, carried out, left, killed, resumed, taken over, exported.

use std::{fs, path::PathBuf, process::Stdio, time::Duration};

use serde_json::Value;

use super::ground::{DEV, Ended, Ground};

const DRAIN: &str = r#"# Drain a queue

```toml runbook
owner = "us"
parameters.queue = { kind = "queue" }
```

## Look

Look at the errors.

## Is the fix out?

```toml step
ask = "version"
keep = "fix"
```

## A few

```toml step
id = "few"
do = "redrive"
with = { queue = "{queue}", limit = 2 }
check = 'few.done == 2'
```

## The rest

```toml step
do = "redrive"
with = { queue = "{queue}" }
check = 'queue.messages == 0'
within = "1m"
```
"#;

pub(super) fn ground(messages: u32) -> Ground {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    (0..messages).for_each(|number| ground.dead_letter("orders", &format!("body {number}")));
    write(&ground, "drain", DRAIN);
    ground
}

fn write(ground: &Ground, name: &str, text: &str) -> PathBuf {
    let folder = ground.home.path().join("runbooks");
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(format!("{name}.md"));
    fs::write(&path, text).expect("written");
    path
}

/// What a person of this name gets.
pub(super) fn as_person(ground: &Ground, name: &str, words: &[&str]) -> Ended {
    let words: Vec<&str> = ["--sandbox"].iter().chain(words).copied().collect();
    ground.ended(ground.command(&words).env("USER", name).output().expect("started"))
}

/// Files of this name in the folders of runs.
pub(super) fn files(ground: &Ground, name: &str) -> Vec<PathBuf> {
    let folders = fs::read_dir(ground.runs()).into_iter().flatten().flatten();
    folders.map(|folder| folder.path().join(name)).filter(|path| path.is_file()).collect()
}

/// Arguments that begin a run in `dev`.
pub(super) fn run<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let begin = ["runbook", "run", "runbooks/drain.md", "-e", "dev", "--set", "queue=orders-dlq", "--output", "json"];
    begin.iter().chain(more).copied().collect()
}

fn states(report: &Value) -> Vec<&str> {
    report["steps"].as_array().expect("steps").iter().filter_map(|step| step["state"].as_str()).collect()
}

pub(super) const ALL: [&str; 5] = ["--yes", "--set", "fix=1.4.2", "--done", "look=deploy"];

#[test]
fn it_is_carried_out_without_a_terminal_and_its_timeline_exported() {
    let ground = ground(5);
    let ended = ground.opsctl(&run(&ALL));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report = ended.json();
    assert_eq!(states(&report), ["by-hand", "verified", "verified", "verified"]);
    assert_eq!(ground.count("orders"), 5);
    let id = report["run"].as_str().expect("a run");
    // All steps are listed before the first is begun.
    let ahead = ended.err.split("1/4").next().unwrap_or_default();
    assert!(ahead.contains("redrive   The rest") && ahead.contains("by hand   Look"), "{ended:?}");
    let timeline = ground.opsctl(&["runbook", "export", id]);
    assert_eq!(timeline.code, Some(0), "{timeline:?}");
    for part in ["# Drain a queue", "deploy", "1.4.2", "| A few | verified |", "2 moved"] {
        assert!(timeline.out.contains(part), "{part}: {}", timeline.out);
    }
}

#[test]
fn where_nobody_can_be_asked_it_is_left_open_and_resumed_at_the_same_step() {
    let ground = ground(5);
    let left = ground.opsctl(&run(&[]));
    assert_eq!(left.code, Some(7), "{left:?}");
    let report = left.json();
    let id = report["run"].as_str().expect("a run").to_owned();
    assert!(report["waits_for"].as_str().expect("words").contains("Look"), "{report}");
    let open = ground.opsctl(&["runbook", "list", "--open"]);
    assert!(open.out.contains(&id), "{open:?}");
    // The next question is the version, then consent.
    let resume = |more: &[&str]| {
        let begin = ["runbook", "resume", &id, "--output", "json"];
        ground.opsctl(&begin.iter().chain(more).copied().collect::<Vec<_>>())
    };
    let asked = resume(&["--done", "look"]);
    assert_eq!((asked.code, states(&asked.json())[..2].to_vec()), (Some(7), vec!["by-hand", "running"]), "{asked:?}");
    let consent = resume(&["--set", "fix=2"]);
    assert_eq!(consent.code, Some(7), "{consent:?}");
    assert!(consent.json()["waits_for"].as_str().expect("words").contains("approval"), "{consent:?}");
    assert_eq!(ground.count("orders"), 0, "nothing is done unasked");
    let done = resume(&["--yes"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(ground.count("orders"), 5);
    let again = resume(&["--yes"]);
    assert_eq!(again.code, Some(2), "it has ended: {again:?}");
}

#[test]
fn another_person_takes_over_in_words() {
    let ground = ground(3);
    let left = as_person(&ground, "anna", &run(&[]));
    let id = left.json()["run"].as_str().expect("a run").to_owned();
    let refused = as_person(&ground, "ben", &["runbook", "resume", &id, "--yes"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.err.contains("anna") && refused.err.contains("runbook take-over"), "{refused:?}");
    let line: Vec<&str> = ["runbook", "take-over", &id].into_iter().chain(ALL).collect();
    let taken = as_person(&ground, "ben", &line);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    let timeline = ground.opsctl(&["runbook", "export", &id]).out;
    assert!(timeline.contains("ben took over from anna"), "{timeline}");
    assert_eq!(timeline.matches(", approved by ben, done").count(), 2, "{timeline}");
}

#[test]
fn a_run_that_is_killed_at_any_point_loses_no_message_and_doubles_none_unsaid() {
    const KILLS: u64 = 8;
    let ground = ground(40);
    let mut arguments: Vec<String> = run(&ALL).into_iter().map(str::to_owned).collect();
    let (mut seed, mut resent) = (0x9e37_79b9_u64, 0);
    for round in 0.. {
        assert!(round < 2 * KILLS, "it ends");
        let words: Vec<&str> = ["--sandbox"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        let mut child = ground.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        if round < KILLS {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            std::thread::sleep(Duration::from_millis(200 + (seed >> 33) % 2_500));
            let _ = child.kill();
        }
        match child.wait().expect("our child").code() {
            Some(0) => break,
            None | Some(7) => {}
            other => panic!("exit {other:?}"),
        }
        let open = ground.opsctl(&["runbook", "list", "--open", "--output", "json"]).json();
        let Some(open) = open["runs"].as_array().and_then(|runs| runs.first()) else { continue };
        let mut resumed: Vec<&str> =
            ["runbook", "resume", open["run"].as_str().expect("a run")].into_iter().chain(ALL).collect();
        if open["waits_for"].as_str().is_some_and(|waits| waits.contains("decision")) {
            // What may have been sent is sent again only where somebody says so.
            resent += 1;
            resumed.extend(["--decide", "resend"]);
        }
        arguments = resumed.into_iter().map(str::to_owned).collect();
    }
    let sent = ground.count("orders");
    assert!(sent >= 40 && (sent == 40 || resent > 0), "{sent} sent, {resent} times said to send again");
    assert_eq!(ground.count("orders-dlq"), 0, "none is left");
}

#[test]
fn a_changed_file_changes_nothing_in_mid_run_and_a_changed_copy_is_refused() {
    let ground = ground(3);
    let left = ground.opsctl(&run(&[]));
    let id = left.json()["run"].as_str().expect("a run").to_owned();
    write(&ground, "drain", &DRAIN.replace("limit = 2", "limit = 1"));
    let line: Vec<&str> = ["runbook", "resume", &id].into_iter().chain(ALL).collect();
    let copies = files(&ground, "runbook.md");
    let copy = copies.first().expect("a copy");
    let text = fs::read_to_string(copy).expect("readable");
    fs::write(copy, text.replace("limit = 2", "limit = 3")).expect("written");
    let refused = ground.opsctl(&line);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    fs::write(copy, text).expect("written");
    let done = ground.opsctl(&line);
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[test]
fn what_a_runbook_forbids_is_refused_until_its_run_has_ended() {
    let ground = ground(3);
    write(&ground, "drain", &DRAIN.replace("owner = \"us\"", "owner = \"us\"\nforbids = [\"purge\"]"));
    let left = ground.opsctl(&run(&[]));
    let id = left.json()["run"].as_str().expect("a run").to_owned();
    let purge = ["purge", "--queue", "orders-dlq", "-e", "dev", "--yes"];
    let refused = ground.opsctl(&purge);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.err.contains("the runbook drain forbids `purge`"), "{refused:?}");
    let stopped: Vec<&str> = ["runbook", "resume", &id].into_iter().chain(ALL).collect();
    assert_eq!(ground.opsctl(&stopped).code, Some(0));
    assert_eq!(ground.opsctl(&purge).code, Some(0), "nothing is left to purge, and nothing forbids it");
}

#[test]
fn a_step_that_fails_waits_for_a_decision_and_each_leads_on() {
    for (decision, code, last) in
        [("skip=not today", 4, "skipped"), ("stop", 4, "failed"), ("by-hand=moved", 4, "failed")]
    {
        let ground = ground(3);
        write(
            &ground,
            "drain",
            &DRAIN.replace("queue.messages == 0", "queue.messages == 7").replace("\"1m\"", "\"5s\""),
        );
        let failed = ground.opsctl(&run(&ALL));
        assert_eq!(failed.code, Some(7), "{failed:?}");
        let id = failed.json()["run"].as_str().expect("a run").to_owned();
        let decided = ground.opsctl(&["runbook", "resume", &id, "--decide", decision, "--output", "json"]);
        let report = decided.json();
        assert_eq!(states(&report).last(), Some(&last), "{decision}: {decided:?}");
        // Done by hand is checked all the same.
        let code = if decision.starts_with("by-hand") { 7 } else { code };
        assert_eq!(decided.code, Some(code), "{decision}: {decided:?}");
    }
}

/// A run that waits for somebody can be ended, or its step left out, where nobody can be asked.
#[test]
fn what_a_resumed_run_waits_for_is_decided_too() {
    let cases: [(&[&str], &str, &str, i32); 6] = [
        // Waits for a step by hand, for an answer, for approval.
        (&[], "stop", "failed", 1),
        (&[], "skip=known already", "skipped", 7),
        (&["--done", "look"], "stop", "failed", 4),
        (&["--done", "look", "--set", "fix=2"], "stop", "failed", 4),
        (&["--done", "look", "--set", "fix=2"], "skip=somebody else does", "skipped", 7),
        (&["--done", "look", "--set", "fix=2"], "again", "running", 7),
    ];
    for (said, decision, state, code) in cases {
        let ground = ground(3);
        let left = ground.opsctl(&run(said)).expect(7).json();
        let (id, at) = (left["run"].as_str().expect("a run"), said.len() / 2);
        let ended = ground.opsctl(&["runbook", "resume", id, "--decide", decision, "--output", "json"]);
        assert_eq!((ended.code, states(&ended.json())[at]), (Some(code), state), "{said:?} {decision}: {ended:?}");
        assert_eq!(ground.count("orders"), 0, "{decision}: nothing is done");
    }
    let ground = ground(3);
    let left = ground.opsctl(&run(&[])).expect(7).json();
    let id = left["run"].as_str().expect("a run");
    let other = ground.opsctl(&["runbook", "resume", id, "--set", "queue=orders"]);
    assert!(other.code == Some(2) && other.err.contains("queue = orders-dlq"), "{other:?}");
    let same: Vec<&str> = ["runbook", "resume", id, "--set", "queue=orders-dlq"].into_iter().chain(ALL).collect();
    ground.opsctl(&same).expect(0);
}

#[test]
fn mistakes_are_shown_in_their_places_and_nothing_is_begun() {
    let ground = ground(1);
    write(&ground, "drain", &DRAIN.replace("do = \"redrive\"", "do = \"redrve\""));
    let refused = ground.opsctl(&run(&ALL));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("did you mean `redrive`?") && refused.err.contains("drain.md:"), "{refused:?}");
    let checked = ground.opsctl(&["runbook", "check", "drain"]);
    assert_eq!(checked.code, Some(2), "{checked:?}");
    for (line, part) in [
        (vec!["runbook", "run", "drian", "-e", "dev"], "did you mean drain?"),
        (vec!["runbook", "run", "runbooks/drain.md", "-e", "dev", "--set", "qeue=x"], "redrve"),
    ] {
        let refused = ground.opsctl(&line);
        assert!(refused.code == Some(2) && refused.err.contains(part), "{line:?}: {refused:?}");
    }
    write(&ground, "drain", DRAIN);
    for (set, part) in [("queue=no-such-queue", "no queue"), ("qeue=x", "parameter or question")] {
        let refused = ground.opsctl(&["runbook", "run", "drain", "-e", "dev", "--set", set]);
        assert!(refused.code == Some(2) && refused.err.contains(part), "{set}: {refused:?}");
    }
    assert!(files(&ground, "journal.jsonl").is_empty(), "nothing is begun");
}

#[test]
fn what_is_lost_if_nothing_is_done_is_told_from_the_start() {
    let ground = ground(5);
    for _ in 0..40 {
        // How old the oldest message is, CloudWatch knows minutes later.
        let shown = ground.opsctl(&run(&["--dry-run"])).expect(0);
        if shown.err.contains("deadline: the oldest of ~5 messages in orders-dlq expires within 3 d") {
            return;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    panic!("no deadline is told");
}

#[test]
fn names_that_no_environment_has_are_warned_of() {
    let ground = ground(1);
    let text = DRAIN
        .replace("kind = \"queue\" }", "kind = \"queue\", default = \"order-dlq\" }")
        .replace("queue = \"{queue}\", limit = 2", "queue = \"orders-dlq\", to = \"nowhere\", limit = 2");
    write(&ground, "drain", &text);
    let plain = ground.opsctl(&["runbook", "check", "drain"]).expect(0).out;
    assert!(!plain.contains("has no queue"), "without an environment nothing is asked: {plain}");
    let checked = ground.opsctl(&["runbook", "check", "drain", "-e", "dev"]).expect(0).out;
    for part in
        ["dev has no queue `order-dlq`", "did you mean `orders-dlq`?", "dev has no queue `nowhere`", "drain.md:5:"]
    {
        assert!(checked.contains(part), "{part}: {checked}");
    }
    assert!(!checked.contains("`orders-dlq`\n"), "what is there is not warned of: {checked}");
    let both = ground.opsctl(&["runbook", "check", "drain", "-e", "dev", "-e", "staging"]).expect(0).out;
    assert!(both.contains("none of dev, staging has a queue `nowhere`") && !both.contains("`orders-dlq` "), "{both}");
}

#[test]
fn hostile_and_huge_files_are_refused_or_shown_safely() {
    let ground = ground(1);
    write(&ground, "huge", &format!("# T\n\n## S\n\n{}", "x ".repeat(5_000_000)));
    let huge = ground.opsctl(&["runbook", "check", "huge"]);
    assert!(huge.code == Some(2) && huge.out.contains("too large"), "{:?}", huge.code);
    write(&ground, "hostile", "# \u{1b}[2JTitle\n\n## Step \u{202e}\u{1b}]0;x\u{7}\n\n[a](\u{1b}[31m.md)\n");
    let shown = ground.opsctl(&["runbook", "show", "hostile"]);
    assert!(!shown.out.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{shown:?}");
}

#[test]
fn a_step_acts_in_another_environment_where_a_parameter_names_it() {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    ground.pair("222222222222", "orders");
    ground.dead_letter_of("222222222222", "orders", "body");
    let elsewhere = DRAIN
        .replace("parameters.queue", "parameters.other = { kind = \"environment\" }\nparameters.queue")
        .replace("limit = 2 }", "limit = 2 }\nenvironment = \"{other}\"")
        .replace("'few.done == 2'", "'few.done == 1'");
    write(&ground, "drain", &elsewhere);
    let there: Vec<&str> = ["--set", "other=staging"].into_iter().chain(ALL).collect();
    let ended = ground.opsctl(&run(&there));
    let moved = ground.sandbox.with(|world, _| world.messages("222222222222", super::ground::REGION, "orders").count());
    assert_eq!((ended.code, moved), (Some(0), 1), "{ended:?}");
    let unknown: Vec<&str> = ["--set", "other=nowhere"].into_iter().chain(ALL).collect();
    assert_eq!(ground.opsctl(&run(&unknown)).code, Some(7), "the step fails, and a person decides");
}
