//! `opsctl drill`: checked, played by scripts and by people in several terminals, killed, reported.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    ground::{Ended, Ground},
    terminal::play_plain,
};

const DRILL: &str = "messages-expire";

/// A drill that runs, as its own process, and goes with this value.
struct Running {
    child: Child,
}

impl Running {
    /// Begins a drill that nobody plays here; answers when others can join.
    fn begin(ground: &Ground, more: &[&str]) -> Self {
        let words = [&["drill", "run", DRILL, "--serve", "--seed", "5", "--port", "0"], more].concat();
        let mut child = ground.command(&words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let out = child.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("AWS_ENDPOINT_URL=http://127.0.0.1")), "it says how to join");
        // Read on, so that it never waits for this.
        std::thread::spawn(move || lines.for_each(drop));
        let running = Self { child };
        let until = Instant::now() + Duration::from_secs(20);
        while ground.plain(&["drill", "control", "status"]).code != Some(0) {
            assert!(Instant::now() < until, "it never answers");
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }

    fn ended(mut self) -> Option<i32> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                return status.code();
            }
            assert!(Instant::now() < until, "it never ends");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A home without a sandbox that somebody else serves.
fn home() -> Ground {
    let ground = Ground::new();
    fs::remove_file(ground.home.path().join("run/opsctl/sandbox.json")).expect("there");
    ground
}

/// What a person of this name gets.
fn as_person(ground: &Ground, name: &str, words: &[&str]) -> Ended {
    ground.ended(ground.command(words).env("USER", name).output().expect("started"))
}

fn write(ground: &Ground, name: &str, text: &str) -> PathBuf {
    let folder = ground.home.path().join("drills");
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    fs::write(&path, text).expect("written");
    path
}

#[test]
fn every_player_of_every_drill_gets_the_score_that_is_expected() {
    let tested = home().plain(&["drill", "test"]);
    assert_eq!(tested.code, Some(0), "{}\n{}", tested.out, tested.err);
    assert!(tested.out.contains("ok      messages-expire: good: "), "{}", tested.out);
}

#[test]
fn every_drill_is_sound_and_has_the_players_that_show_it() {
    let ground = home();
    ground.plain(&["drill", "check"]).expect(0);
    for (name, _, players) in opsctl::drill::shelf::BUILT_IN {
        for player in ["good", "does nothing"] {
            assert!(players.contains(&format!("name = \"{player}\"")), "{name} has no player `{player}`");
        }
        assert!(players.matches("[[player]]").count() >= 4, "{name} has no player who walks into the trap");
        assert!(players.contains("runbook run"), "{name} is not solved by its runbook");
    }
}

#[test]
fn what_a_player_has_to_find_out_is_told_to_facilitators_only() {
    let ground = home();
    let truth = "SQS deletes them silently";
    for (words, tells) in [
        (vec!["drill", "show", DRILL], false),
        (vec!["drill", "show", DRILL, "--output", "json"], false),
        (vec!["drill", "list"], false),
        (vec!["drill", "show", DRILL, "--truth"], true),
        (vec!["drill", "show", DRILL, "--truth", "--output", "json"], true),
    ] {
        let shown = ground.plain(&words).expect(0);
        assert_eq!(shown.out.replace('\n', " ").contains(truth), tells, "{words:?}: {}", shown.out);
    }
    let running = Running::begin(&ground, &[]);
    assert!(!ground.plain(&["drill", "control", "status"]).expect(0).out.contains(truth));
    assert!(ground.plain(&["drill", "control"]).expect(0).out.replace('\n', " ").contains(truth));
    drop(running);
}

#[test]
fn the_same_seed_makes_the_same_incident() {
    let ground = home();
    let seen = |seed: &str| {
        let words = ["drill", "run", DRILL, "--serve", "--seed", seed];
        let mut running = ground.command(&words).stdout(Stdio::null()).spawn().expect("it starts");
        let peek = ["--sandbox", "peek", "--queue", "valid_orders_dlq", "-e", "prod", "-n", "3", "--output", "json"];
        let until = Instant::now() + Duration::from_secs(20);
        let bodies = loop {
            let peeked = ground.plain(&peek);
            let json: Value = serde_json::from_str(&peeked.out).unwrap_or_default();
            if let Some(messages) = json["messages"].as_array().filter(|_| peeked.code == Some(0))
                && peeked.err.contains(&format!("seed {seed}"))
            {
                break messages.iter().map(|message| message["body"].to_string()).collect::<Vec<_>>();
            }
            assert!(Instant::now() < until, "{peeked:?}");
            std::thread::sleep(Duration::from_millis(50));
        };
        running.kill().expect("our child");
        running.wait().expect("our child");
        // Times of day differ, for a drill begins when it is begun.
        bodies
            .into_iter()
            .map(|body| body.split("externalOrderId").nth(1).unwrap_or_default()[..20].to_owned())
            .collect::<Vec<_>>()
    };
    let (first, again, other) = (seen("5"), seen("5"), seen("6"));
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn a_team_plays_one_drill_in_several_terminals_and_each_is_named() {
    let ground = home();
    let running = Running::begin(&ground, &["--speed", "20"]);
    as_person(&ground, "ann", &["--sandbox", "peek", "--queue", "valid_orders_dlq", "-e", "prod", "-n", "1"]).expect(0);
    let hint = as_person(&ground, "ben", &["drill", "control", "hint"]).expect(0);
    assert!(hint.out.contains("(cost "), "{}", hint.out);
    as_person(&ground, "cleo", &["drill", "control", "note", "a customer calls"]).expect(0);
    let words =
        ["--sandbox", "retention", "--queue", "valid_orders_dlq", "--to", "14d", "-e", "prod", "--output", "json"];
    let plan = as_person(&ground, "ann", &[&words[..], &["--dry-run"]].concat()).expect(0).json();
    let fingerprint = plan["fingerprint"].as_str().expect("a fingerprint");
    as_person(&ground, "ann", &[&words[..], &["--approve", fingerprint, "--reason", "to buy time"]].concat()).expect(0);
    as_person(&ground, "ben", &["drill", "control", "over"]).expect(0);
    let again = as_person(&ground, "ben", &["drill", "control", "hint"]);
    assert!(again.code == Some(0) || again.err.contains("ended"), "{again:?}");
    assert_eq!(running.ended(), Some(1), "it was not over");
    let report = ground.plain(&["drill", "report", "--output", "json"]).expect(0).json();
    let players: Vec<&str> = report["players"].as_array().expect("players").iter().filter_map(Value::as_str).collect();
    assert_eq!(players, ["tester", "ben", "cleo", "ann"], "{report:#}");
    let timeline = report["timeline"].to_string();
    for part in [
        "ben takes hint 1",
        "cleo: a customer calls",
        "ann: retention valid_orders_dlq in prod",
        "found: sqs:ReceiveMessage",
    ] {
        assert!(timeline.contains(part), "no {part}: {timeline}");
    }
    assert!(!timeline.contains("externalOrderId"), "no message's text stands in a report");
}

#[test]
fn a_report_comes_in_every_form_and_replaces_nothing() {
    let ground = home();
    let running = Running::begin(&ground, &["--speed", "20"]);
    ground.plain(&["drill", "control", "stop"]).expect(0);
    assert_eq!(running.ended(), Some(1), "nothing was mended");
    for (form, part) in
        [("markdown", "## Points lost"), ("html", "<svg viewBox"), ("junit", "<testsuite name=\"messages-expire\"")]
    {
        let file = format!("report.{form}");
        ground.plain(&["drill", "report", "--form", form, "--out", &file]).expect(0);
        let text = fs::read_to_string(ground.home.path().join(&file)).expect("written");
        assert!(text.contains(part), "{form}: {text}");
        let again = ground.plain(&["drill", "report", "--form", form, "--out", &file]).expect(1);
        assert!(again.err.contains("--force"), "{}", again.err);
        ground.plain(&["drill", "report", "--form", form, "--out", &file, "--force"]).expect(0);
    }
    let html = fs::read_to_string(ground.home.path().join("report.html")).expect("written");
    assert!(!html.contains("http"), "one file: it fetches nothing");
    ground.plain(&["drill", "report", "--compare"]).expect(0);
    let list = ground.plain(&["drill", "report", "--list"]).expect(0);
    assert!(list.out.contains("stopped"), "{}", list.out);
    let unknown = ground.plain(&["drill", "report", "none"]).expect(2);
    assert!(unknown.err.contains("drill report --list"), "{}", unknown.err);
}

#[test]
fn a_drill_that_is_killed_leaves_a_record_that_says_so() {
    let ground = home();
    let mut running = Running::begin(&ground, &[]);
    ground.plain(&["drill", "control", "hint"]).expect(0);
    running.child.kill().expect("our child");
    running.child.wait().expect("our child");
    let report = ground.plain(&["drill", "report", "--output", "json"]).expect(0).json();
    assert_eq!(report["ended"], Value::Null);
    assert!(report["score"]["hints"].as_f64() > Some(0.0), "what was noted stands: {report:#}");
    let control = ground.plain(&["drill", "control"]).expect(1);
    assert!(control.err.contains("no drill runs"), "{}", control.err);
    drop(running);
    // Another one is not held up.
    drop(Running::begin(&ground, &[]));
}

#[test]
fn a_change_in_another_environment_ends_the_drill() {
    let ground = home();
    let running = Running::begin(&ground, &[]);
    ground
        .plain(&["--sandbox", "retention", "--queue", "valid_orders_dlq", "--to", "13d", "-e", "staging", "--yes"])
        .expect(0);
    assert_eq!(running.ended(), Some(1));
    let report = ground.plain(&["drill", "report"]).expect(0).out;
    assert!(report.contains("wrong environment") && report.contains("| harm avoided | 0 | 40 |"), "{report}");
}

#[test]
fn a_player_at_a_terminal_plays_leaves_the_console_and_says_that_it_is_over() {
    let ground = home();
    let steps = [
        "wait:enter begins",
        "type:\\r",
        "wait:prod",
        "type:Q",
        "wait:it is over",
        "type:h\\r",
        "wait:(cost",
        "type:x\\r",
        "wait:type one of",
        "type:s\\r",
        "wait:hints: 1 of",
        "type:c\\r",
        "wait:prod",
        "type:Q",
        "wait:it is over",
        "type:o\\r",
        "wait:not passed",
    ];
    let played = play_plain(&ground, &steps, &["drill", "run", DRILL, "--seed", "5", "--speed", "60"]).expect(1);
    assert!(played.out.contains("next: opsctl drill report"), "{}", played.out);
    let left = play_plain(&ground, &["wait:enter begins", "type:q\\r"], &["drill", "run", DRILL]).expect(0);
    assert!(!left.out.contains("of 100"), "nothing was played: {}", left.out);
}

#[test]
fn a_drill_of_ones_own_is_written_checked_and_wins_over_a_built_in_one() {
    let ground = home();
    ground.file("opsctl.toml", "[environments.dev]\nregion = \"eu-west-1\"\naccount = \"111111111111\"\n");
    fs::create_dir_all(ground.home.path().join("drills")).expect("a folder");
    ground.plain(&["drill", "new", "drills/mine.toml"]).expect(0);
    ground.plain(&["drill", "new", "drills/mine.toml"]).expect(1);
    ground.plain(&["drill", "check", "mine"]).expect(0);
    fs::copy(ground.home.path().join("drills/mine.toml"), ground.home.path().join("drills/messages-expire.toml"))
        .expect("copied");
    let shown = ground.plain(&["drill", "show", DRILL]).expect(0);
    assert!(shown.out.contains("The orders that do not arrive"), "{}", shown.out);
}

#[test]
fn a_drill_is_made_from_a_run_without_the_names_of_real_things() {
    let ground = Ground::quick();
    ground.pair("111111111111", "secret-orders");
    ground.dead_letter("secret-orders", "body");
    ground.opsctl(&["redrive", "-e", "dev", "--queue", "secret-orders-dlq", "--yes"]).expect(0);
    let runs = ground.opsctl(&["runs", "--output", "json"]).expect(0).json();
    let run = runs["runs"][0]["run"].as_str().expect("a run");
    ground.opsctl(&["drill", "new", "from-run.toml", "--from", run]).expect(0);
    let text = fs::read_to_string(ground.home.path().join("from-run.toml")).expect("written");
    assert!(text.contains("redrive") && !text.contains("secret-orders"), "{text}");
    ground.opsctl(&["drill", "check", "./from-run.toml"]).expect(0);
}

#[test]
fn every_mistake_in_a_drill_is_told_at_once_and_in_its_place() {
    let ground = home();
    let text = r#"title = "Broken"
environment = "qa"
colour = "red"
[brief]
situation = "x"
may = "y"
[things]
dlq = { kind = "queue", name = "no-such-queue" }
if = { kind = "queue", name = "orders-dlq" }
n = { kind = "number", name = "7" }
[[cause]]
name = "a"
truth = "b"
at = [{ after = "soon", do = "expire-sessions" }]
found = ["ReceiveMessage"]
right = ["sqs:SendMessage"]
better = "c"
[goals]
mitigated = "dlq.mesages == 0"
recovered = "dlq.messages =="
[par]
detect = "2 minuten"
act = "5m"
mitigate = "6m"
"#;
    let path = write(&ground, "broken.toml", text);
    let checked = ground.plain(&["drill", "check", &path.display().to_string()]).expect(2);
    for part in ["qa", "colour", "soon", "a call is written", "mesages", "2 minuten", "recover", "plain value"] {
        assert!(checked.out.contains(part), "no {part}: {}", checked.out);
    }
    let run = ground.plain(&["drill", "run", &path.display().to_string(), "--serve"]).expect(2);
    assert!(run.err.contains("mend the drill"), "{}", run.err);
}

#[test]
fn what_cannot_be_played_is_refused_with_what_to_do() {
    let ground = home();
    write(&ground, "binary.toml", "\u{0}\u{1}\u{2}");
    write(&ground, "large.toml", &"# x\n".repeat(600_000));
    for (words, code, part) in [
        (vec!["drill", "run", "mesages-expire"], 2, "did you mean messages-expire?"),
        (vec!["drill", "run", DRILL, "--cause", "nothing"], 2, "it can be one of: retention"),
        (vec!["drill", "run", DRILL, "--speed", "0"], 2, "0.001"),
        (vec!["drill", "show", "drills/none.toml"], 2, "cannot read"),
        (vec!["drill", "show", "drills/large.toml"], 2, "too large"),
        (vec!["drill", "check", "drills/binary.toml"], 2, "error"),
        (vec!["drill", "control"], 1, "no drill runs"),
        (vec!["drill", "report"], 2, "no drill was played yet"),
        (vec!["drill", "new", "a.toml", "--from", "20261121T031500-4f7a9c"], 2, "20261121T031500-4f7a9c"),
    ] {
        let refused = ground.plain(&words);
        let told = format!("{}{}", refused.out, refused.err);
        assert!(refused.code.is_some_and(|code| code != 0) && told.contains(part), "{words:?} ({code}): {refused:?}");
    }
    let served = Ground::new();
    let control = served.plain(&["drill", "control"]).expect(1);
    assert!(control.err.contains("no drill is played"), "a sandbox without a drill: {}", control.err);
}

#[test]
fn hostile_text_in_a_drill_reaches_no_terminal() {
    let ground = home();
    let hostile = opsctl::drill::shelf::BUILT_IN[0].1.replace("title = \"", "title = \"\\u001b]0;owned\\u0007");
    let path = write(&ground, "hostile.toml", &hostile).display().to_string();
    for words in
        [vec!["drill", "show", &path], vec!["drill", "check", &path], vec!["drill", "show", &path, "--output", "json"]]
    {
        let shown = ground.plain(&words);
        assert!(!shown.out.contains('\u{1b}') && !shown.err.contains('\u{1b}'), "{words:?}: {shown:?}");
    }
}
