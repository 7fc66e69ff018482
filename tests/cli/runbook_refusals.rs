//! What is wrong with a runbook, with what is said to it, or with the files of its run: it is named, and nothing is done.

use std::{fs, path::PathBuf};

use super::ground::{DEV, Ended, Ground};

const HEAD: &str = "# T\n\n```toml runbook\nowner = \"us\"\nparameters.queue = { kind = \"queue\" }\n```\n\n";

fn ground() -> Ground {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    (0..4).for_each(|number| ground.dead_letter("orders", &format!("body {number}")));
    ground
}

fn write(ground: &Ground, text: impl AsRef<[u8]>) -> PathBuf {
    let folder = ground.home.path().join("runbooks");
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("drain.md");
    fs::write(&path, text).expect("written");
    path
}

fn run(ground: &Ground, more: &[&str]) -> Ended {
    let begin = ["runbook", "run", "drain", "-e", "dev", "--set", "queue=orders-dlq"];
    ground.opsctl(&[&begin, more].concat())
}

fn is_begun(ground: &Ground) -> bool {
    fs::read_dir(ground.runs()).is_ok_and(|mut runs| runs.next().is_some())
}

/// A step with a block.
fn step(name: &str, block: &str) -> String {
    format!("## {name}\n\n```toml step\n{block}\n```\n\n")
}

#[test]
fn every_mistake_of_a_file_is_named_in_its_place_and_nothing_is_begun() {
    let redrive = "do = \"redrive\"\nwith = { queue = \"{queue}\" }";
    let cases = [
        (String::new(), "no title"),
        ("# T\n\nNo step.\n".to_owned(), "no steps"),
        (format!("{HEAD}{}```toml step\nwait = \"5m\"\n```\n", step("A", redrive)), "a second `toml step` block"),
        (format!("{HEAD}{}", step("A", "this is no TOML")), "not TOML"),
        (format!("{HEAD}{}", step("A", "do = \"redrve\"")), "did you mean `redrive`?"),
        (format!("{HEAD}{}", step("A", "do = \"redrive\"\nwith = { que = \"{queue}\" }")), "has no input `que`"),
        (
            format!("{HEAD}{}", step("A", "do = \"redrive\"\nwith = { queue = \"{queue}\", limit = \"many\" }")),
            "redrive",
        ),
        (format!("{HEAD}{}", step("A", "check = \"queue.mesages == 0\"")), "did you mean messages"),
        (format!("{HEAD}{}", step("A", "check = \"qeue.messages == 0\"")), "not a condition"),
        (format!("{HEAD}{}", step("A", "check = \"queue.messages ==\"")), "not a condition"),
        (format!("{HEAD}{}", step("A", "wait = \"soon\"")), "`wait`"),
        (format!("{HEAD}{}", step("A", "ask = \"choice\"")), "a `choice` without choices"),
        (format!("{HEAD}{}", step("A", "ask = \"colour\"")), "`ask` cannot be `colour`"),
        // A step that refers to itself, to a later one, and two that refer to each other.
        (
            format!(
                "{HEAD}{}",
                step("A", "id = \"a\"\ndo = \"restore\"\nwith = { run = \"{a.run}\", to = \"{queue}\" }")
            ),
            "`{a.run}` is neither a parameter nor an earlier answer or step",
        ),
        (
            format!(
                "{HEAD}{}{}",
                step("A", "id = \"a\"\ndo = \"restore\"\nwith = { run = \"{b.run}\" }"),
                step("B", "id = \"b\"\ndo = \"restore\"\nwith = { run = \"{a.run}\" }")
            ),
            "`{b.run}` is neither a parameter nor an earlier answer or step",
        ),
        (
            format!(
                "{HEAD}{}{}",
                step("A", "id = \"a\"\nwhen = 'b.state == \"verified\"'\nby_hand = true"),
                step("B", "id = \"b\"\nwait = \"1m\"")
            ),
            "not a condition",
        ),
        (HEAD.replace("\"queue\" }", "\"qeue\" }") + "## A\n", "did you mean `queue`?"),
        (HEAD.replace("owner", "ownr") + "## A\n", "did you mean `owner`?"),
        (HEAD.replace("owner = \"us\"", "forbids = [\"failovr\"]") + "## A\n", "did you mean `failover`?"),
        (HEAD.replace("owner = \"us\"", "applies_when = [\"dead-letter\"]") + "## A\n", "did you mean `dead-letters`?"),
    ];
    let ground = ground();
    for (text, part) in cases {
        write(&ground, &text);
        let checked = ground.opsctl(&["runbook", "check", "drain"]);
        assert!(checked.code == Some(2) && checked.out.contains(part), "{part}: {checked:?}");
        assert!(checked.out.contains("drain.md:"), "{part} has a place: {checked:?}");
        let refused = run(&ground, &["--yes"]);
        assert!(refused.code == Some(2) && refused.err.contains(part), "{part}: {refused:?}");
        let listed = ground.opsctl(&["runbook", "list"]).expect(0).out;
        assert!(listed.contains("see `runbook check`"), "{part}: {listed}");
    }
    assert!(!is_begun(&ground));
}

#[test]
fn a_mistyped_kind_does_not_make_every_reference_a_mistake() {
    let ground = ground();
    let text =
        HEAD.replace("\"queue\" }", "\"qeue\" }") + &step("A", "do = \"redrive\"\nwith = { queue = \"{queue}\" }");
    write(&ground, text);
    let checked = ground.opsctl(&["runbook", "check", "drain"]).expect(2).out;
    assert_eq!(checked.matches("error: ").count(), 1, "{checked}");
}

#[test]
fn a_file_that_is_no_runbook_is_refused_by_name() {
    let ground = ground();
    let path = write(&ground, [b"# T\n\n## \xff\xfe\n".as_slice()].concat());
    let not_utf8 = ground.opsctl(&["runbook", "check", "drain"]);
    assert!(not_utf8.code == Some(2) && not_utf8.out.contains("not UTF-8"), "{not_utf8:?}");
    write(&ground, format!("# T\n\n## S\n\n{}", "x ".repeat(5_000_000)));
    let huge = run(&ground, &["--yes"]);
    assert!(huge.code == Some(2) && huge.err.contains("too large"), "{:?}", huge.code);
    fs::remove_file(&path).expect("removed");
    let folder = path.with_file_name("folder.md");
    fs::create_dir(&folder).expect("a folder");
    std::os::unix::fs::symlink("nowhere.md", path.with_file_name("dangling.md")).expect("a link");
    for name in ["runbooks/folder.md", "runbooks/dangling.md", "runbooks/missing.md"] {
        let refused = ground.opsctl(&["runbook", "run", name, "-e", "dev"]);
        assert!(refused.code == Some(2) && refused.err.contains(name), "{name}: {refused:?}");
    }
    // None of them hides the others.
    ground.opsctl(&["runbook", "list"]).expect(0);
    assert!(!is_begun(&ground));
}

#[test]
fn what_is_said_beforehand_is_of_its_kind_or_nothing_is_begun() {
    let cases = [
        ("number", "1.5", "not a whole number"),
        ("number", "", "not a whole number"),
        ("duration", "soon", "soon"),
        ("link", "ftp://x", "is not a link"),
        ("run", "yesterday", "a run is named like"),
        ("version", "", "empty"),
        ("text", "a\nb", "line breaks"),
        ("choice\"\nchoices = [\"a\", \"b\"]\nkeep = \"said", "c", "not one of the choices"),
    ];
    let ground = ground();
    for (kind, given, part) in cases {
        let block = step("Say", &format!("id = \"said\"\nask = \"{kind}\""));
        write(&ground, format!("{HEAD}{block}{}", step("A", "check = \"queue.messages >= 0\"")));
        let set = format!("said={given}");
        let refused = run(&ground, &["--set", &set]);
        assert!(refused.code == Some(2) && refused.err.contains(part), "{kind}: {refused:?}");
        let parameter = match kind.split_once('"') {
            Some(_) => "{ kind = \"choice\", choices = [\"a\", \"b\"] }".to_owned(),
            None => format!("{{ kind = \"{kind}\" }}"),
        };
        let head = HEAD.replace("parameters.queue", &format!("parameters.said = {parameter}\nparameters.queue"));
        write(&ground, format!("{head}## A\n"));
        let refused = run(&ground, &["--set", &set]);
        assert!(refused.code == Some(2) && refused.err.contains(part), "parameter, {kind}: {refused:?}");
    }
    write(&ground, format!("{HEAD}## A\n"));
    for (more, part) in [
        (&["--done", "b"][..], "step"),
        (&["--set", "qeue=x"], "did you mean"),
        (&["--decide", "again and again"], "skip=REASON"),
        (&["--decide", "skip"], "say why"),
        (&["--decide", "by-hand"], "say what was done"),
        (&["--set", "queue"], "NAME=VALUE"),
        (&["--set", "queue=no-such-queue"], "no queue"),
        (&["--continues", "20200101T000000-000000"], "20200101T000000-000000"),
    ] {
        let refused = run(&ground, more);
        // A run that is not there is a refusal, as everywhere.
        let code = if more[0] == "--continues" { 3 } else { 2 };
        assert!(refused.code == Some(code) && refused.err.contains(part), "{more:?}: {refused:?}");
    }
    assert!(!is_begun(&ground));
}

#[test]
fn what_the_environment_refuses_fails_its_step_and_the_rest_waits() {
    let ground = ground();
    let config = format!(
        "[environments.dev]\nendpoint = \"{}\"\nregion = \"af-south-1\"\naccount = \"{DEV}\"\nprotection = \"read-only\"\n",
        ground.url()
    );
    ground.file("opsctl.toml", &config);
    let redrive = "do = \"redrive\"\nwith = { queue = \"{queue}\" }\ncheck = \"queue.messages == 0\"";
    write(&ground, format!("{HEAD}{}", step("Move them", redrive)));
    let mut command = ground.command(&[
        "runbook",
        "run",
        "drain",
        "-e",
        "dev",
        "--set",
        "queue=orders-dlq",
        "--yes",
        "--output",
        "json",
    ]);
    let ended = ground
        .ended(command.env("AWS_ACCESS_KEY_ID", DEV).env("AWS_SECRET_ACCESS_KEY", "x").output().expect("started"));
    assert_eq!(ended.code, Some(7), "{ended:?}");
    let report = ended.json();
    assert_eq!(report["steps"][0]["state"], "failed", "{report}");
    assert!(report["steps"][0]["because"].as_str().is_some_and(|because| because.contains("read-only")), "{report}");
    assert_eq!((ground.count("orders"), ground.count("orders-dlq")), (0, 4));
}

/// A run that waits for its first step, and its folder.
fn left(ground: &Ground) -> (String, PathBuf) {
    let redrive = "do = \"redrive\"\nwith = { queue = \"{queue}\" }\ncheck = \"queue.messages == 0\"";
    write(ground, format!("{HEAD}## Look\n\n{}", step("Move them", redrive)));
    let left = run(ground, &["--output", "json"]).expect(7).json();
    let id = left["run"].as_str().expect("a run").to_owned();
    let folder = ground.runs().join(&id);
    (id, folder)
}

#[test]
fn a_journal_that_was_cut_or_edited_is_not_gone_on_with() {
    type Spoil = fn(&str) -> String;
    let cases: [(&str, Spoil); 4] = [
        ("its last line cut off", |text| {
            text.lines()
                .rev()
                .skip(1)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .fold(String::new(), |all, line| all + line + "\n")
        }),
        ("its first line cut off", |text| text.lines().skip(1).fold(String::new(), |all, line| all + line + "\n")),
        ("another queue in its first line", |text| text.replacen("orders-dlq", "others-dlq", 1)),
        ("another person in its first line", |text| text.replacen("tester", "nobody", 1)),
    ];
    for (what, spoil) in cases {
        let ground = ground();
        let (id, folder) = left(&ground);
        let journal = folder.join("journal.jsonl");
        let text = fs::read_to_string(&journal).expect("a journal");
        let spoilt = spoil(&text);
        assert_ne!(text, spoilt, "{what}");
        fs::write(&journal, &spoilt).expect("written");
        let refused = ground.opsctl(&["runbook", "resume", &id, "--yes", "--done", "look"]);
        assert!(!matches!(refused.code, Some(0 | 7)) && refused.err.contains("journal"), "{what}: {refused:?}");
        assert_eq!(ground.count("orders"), 0, "{what}: nothing is done");
        // As it was, it goes on.
        fs::write(&journal, &text).expect("written");
        ground.opsctl(&["runbook", "resume", &id, "--yes", "--done", "look"]).expect(0);
        assert_eq!(ground.count("orders"), 4, "{what}");
    }
}

#[test]
fn a_run_without_its_copy_of_the_runbook_is_refused() {
    let ground = ground();
    let (id, folder) = left(&ground);
    fs::remove_file(folder.join("runbook.md")).expect("removed");
    for words in [["runbook", "resume"], ["runbook", "take-over"], ["runbook", "export"], ["runbook", "show"]] {
        let refused = ground.opsctl(&[words[0], words[1], &id]);
        assert!(refused.code == Some(3) && refused.err.contains(&id), "{words:?}: {refused:?}");
    }
    // Runs of other operations, and none at all.
    ground.opsctl(&["redrive", "--queue", "orders-dlq", "-e", "dev", "--yes"]).expect(0);
    let runs = ground.opsctl(&["runs", "--output", "json"]).expect(0).json();
    let other = runs["runs"].as_array().expect("runs").iter().find(|run| run["operation"] == "redrive").expect("it");
    for (other, code) in [(other["run"].as_str().expect("an id"), 2), ("20200101T000000-000000", 3)] {
        let refused = ground.opsctl(&["runbook", "resume", other]);
        assert!(refused.code == Some(code) && refused.err.contains(other), "{refused:?}");
    }
}

#[test]
fn hostile_text_reaches_no_terminal_wherever_a_runbook_is_shown() {
    let ground = ground();
    let bad = "x\u{1b}[2J\u{202e}\u{1b}]0;y\u{7}\u{9b}31m";
    let text = format!(
        "# {bad}\n\n[{bad}]({bad}.md)\n\n```toml runbook\nowner = \"{bad}\"\nparameters.queue = {{ kind = \"queue\" }}\n```\n\n## {bad}\n\n\
         [{bad}](<{bad}>) `{bad}` | {bad} |\n\n## Ask\n\n```toml step\nid = \"ask\"\nask = \"text\"\n```\n\n## Count\n\n```toml step\ncheck = \"queue.messages >= 0\"\n```\n"
    )
    // In TOML control characters are escaped.
    .replace(&format!("owner = \"{bad}\""), "owner = \"x\\u001b[2J\\u202e\"");
    write(&ground, text);
    let begun = run(&ground, &["--reason", bad, "--output", "json"]);
    let id = begun.json()["run"].as_str().expect("a run").to_owned();
    let note = format!("x_2j_0_y_31m={bad}");
    let steps = ground.opsctl(&["runbook", "show", "drain", "--output", "json"]).expect(0).json();
    let first = steps["steps"][0]["id"].as_str().expect("an id").to_owned();
    let done = note.replacen("x_2j_0_y_31m", &first, 1);
    let lines: [&[&str]; 9] = [
        &["runbook", "list"],
        &["runbook", "list", "--open"],
        &["runbook", "show", "drain"],
        &["runbook", "show", "drain", "--raw"],
        &["runbook", "check", "drain"],
        &["runbook", "resume", &id, "--done", &done],
        &["runbook", "show", &id],
        &["runbook", "export", &id],
        &["status", "-e", "dev"],
    ];
    for words in lines {
        let shown = ground.opsctl(words);
        let all = format!("{}{}", shown.out, shown.err);
        assert!(!all.contains(['\u{1b}', '\u{202e}', '\u{7}', '\u{9b}']), "{words:?}: {shown:?}");
        assert!(!all.is_empty(), "{words:?} shows something");
    }
}
