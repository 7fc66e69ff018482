//! `make screenshots`: the pictures of the README, of the real binary in a real terminal on the demo's world.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::support::{picture::svg, terminal::Terminal};

const SIZE: (u16, u16) = (110, 30);

/// Draws every picture. Ignored in the test run: the demo's world lives, so that each time they differ a little.
#[test]
#[ignore = "writes docs/pictures; run by `make screenshots`"]
fn pictures() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    std::fs::create_dir_all(&folder).expect("made");
    let mut command = Command::new(env!("CARGO_BIN_EXE_opsctl"));
    command.arg("demo").env("HOME", home.path()).env("USER", "you").current_dir(home.path());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("COLORTERM", "truecolor");
    let mut terminal = Terminal::start(&command, SIZE);
    let shoot = |terminal: &Terminal, name: &str, title: &str| {
        // A frame is written in several pieces.
        std::thread::sleep(Duration::from_millis(700));
        let picture = terminal.look(|screen| svg(screen, title));
        std::fs::write(folder.join(format!("{name}.svg")), picture).expect("written");
    };
    terminal.wait("11 DLQs").wait("critical");
    shoot(&terminal, "home", "Home: what needs you, worst first, with the reason in words");
    terminal.send("2").wait("~VISIBLE");
    shoot(&terminal, "queues", "Queues: every queue of every environment");
    terminal.send("/orders-dlq\r").gone("compliance").send("\r").wait("looked at").wait("ERROR");
    shoot(&terminal, "letters", "A dead-letter queue: why its messages failed, counted");
    terminal.send("\r").wait("AGE").send("\r").wait("Body");
    shoot(&terminal, "message", "One message: history, attributes, body");
    terminal.send("\u{1b}").wait("RECEIVES").send("\u{1b}").wait("ERROR").send("R").wait("Yes");
    shoot(&terminal, "plan", "The plan: what would happen, what it costs, and the question");
    terminal.send("y").wait("done");
    shoot(&terminal, "report", "The report: what was done, and the command line that does the same");
    terminal.send("1").wait("SINCE").send(":").send("red");
    terminal.wait("redrive");
    shoot(&terminal, "palette", "The palette: any command, queue or environment by name");
    terminal.send("\u{3}").send("\u{3}");
    terminal.end();
}

/// A DLQ in alarm, from the runbook that fits to the end, on the demo's world, five times as fast: a canary is watched for minutes.
#[test]
#[ignore = "writes docs/pictures; run by `make screenshots`"]
fn pictures_of_a_runbook() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    let command = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opsctl"));
        command.args(words).env("HOME", home.path()).env("USER", "you").current_dir(home.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("COLORTERM", "truecolor");
        command
    };
    let mut serve = command(&["sandbox", "serve", "--port", "0", "--speed", "5"]);
    let mut served = serve.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(served.stdout.take().expect("a pipe")).lines();
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.starts_with("export AWS_ENDPOINT_URL=")));
    let mut terminal = Terminal::start(&command(&["--sandbox"]), SIZE);
    let shoot = |terminal: &Terminal, name: &str, title: &str| {
        std::thread::sleep(Duration::from_millis(700));
        let picture = terminal.look(|screen| svg(screen, title));
        std::fs::write(folder.join(format!("{name}.svg")), picture).expect("written");
    };
    let agree = |terminal: &Terminal| {
        until(terminal, "approval of");
        terminal.send("\r").wait("[ No ]");
        std::thread::sleep(Duration::from_millis(700));
        terminal.send("y").gone("[ No ]");
    };
    terminal.wait("11 DLQs").wait("critical").send("/orders-dlq dev !valid\r").wait("runbook dlq-drain").send("B");
    terminal.wait("Run dlq-drain");
    shoot(&terminal, "runbook-offered", "A runbook that fits, with its queue filled in");
    terminal.send("\r").wait("Find the cause").wait("waits for you").send("\r").wait("It is done");
    terminal.send("\r").wait("an answer to").send("\r").wait("fix").send("1.4.2\r");
    agree(&terminal);
    until(&terminal, "watching");
    shoot(&terminal, "runbook-canary", "The canary: a few messages first, and a look whether they come back");
    agree(&terminal);
    until(&terminal, "outcome");
    shoot(&terminal, "runbook-verified", "Verified: what was done, measured, and in how long");
    terminal.send("J").wait("Timeline").wait("started the run").send("e").wait("dlq-drain-");
    shoot(&terminal, "runbook-timeline", "The timeline: who did what, and when");
    terminal.send("\u{3}");
    terminal.end();
    served.kill().expect("our own child");
    served.wait().expect("ended");
}

/// A drill from its brief to its score, led in one terminal and played in others, twenty times as fast; and the timeline of its report.
#[test]
#[ignore = "writes docs/pictures; run by `make screenshots`"]
fn pictures_of_a_drill() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    let command = |by: &str, words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opsctl"));
        command.args(words).env("HOME", home.path()).env("USER", by).current_dir(home.path());
        command.env("XDG_RUNTIME_DIR", home.path().join("run"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("COLORTERM", "truecolor");
        command
    };
    let play = |by: &str, words: &[&str]| {
        let output = command(by, words).output().expect("it starts");
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let drill = ["drill", "run", "messages-expire", "--serve", "--seed", "5", "--speed", "20"];
    let terminal = Terminal::start(&command("ann", &drill), (110, 40));
    terminal.wait("no call of the drill");
    std::thread::sleep(Duration::from_secs(2));
    play("ben", &["--sandbox", "peek", "--queue", "valid_orders_dlq", "--env", "prod", "-n", "2"]);
    let change = |by: &str, words: &[&str]| {
        let plan = play(by, &[words, &["--dry-run", "--output", "json"]].concat());
        let plan: serde_json::Value = serde_json::from_str(&plan).expect("a plan");
        let fingerprint = plan["fingerprint"].as_str().expect("a fingerprint");
        play(by, &[words, &["--approve", fingerprint, "--reason", "the drill"]].concat());
    };
    let retention = ["--sandbox", "retention", "--queue", "valid_orders_dlq", "--env", "prod"];
    change("ben", &[&retention[..], &["--to", "14d"]].concat());
    change("cleo", &["--sandbox", "redrive", "--queue", "valid_orders_dlq", "--env", "prod", "--ramp", "2,all"]);
    change("ben", &[&retention[..], &["--restore"]].concat());
    std::thread::sleep(Duration::from_secs(8));
    play("ann", &["drill", "control", "over"]);
    until(&terminal, "of 100");
    std::thread::sleep(Duration::from_millis(700));
    let picture = terminal.look(|screen| svg(screen, "A drill: the brief, and what it came to"));
    std::fs::write(folder.join("drill.svg"), picture).expect("written");
    let html = play("ann", &["drill", "report", "--form", "html"]);
    let (start, end) = (html.find("<svg").expect("a drawing"), html.find("</svg>").expect("its end"));
    let drawing = html[start..end].replacen(
        "<svg ",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" style=\"background:#fff;color:#1b1f24\" font-family=\"sans-serif\" ",
        1,
    );
    std::fs::write(folder.join("drill-timeline.svg"), format!("{drawing}</svg>\n")).expect("written");
}

/// Waits for what takes minutes.
fn until(terminal: &Terminal, text: &str) {
    for _ in 0..600 {
        if terminal.screen().contains(text) {
            return;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    panic!("waited in vain for {text:?}: {}", terminal.screen());
}
