//! The terminal, or whoever reads the output, goes away in the middle: a run finishes what is in hand, and the program ends
//! by itself.

use std::{
    io::Read,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use opsctl::sandbox::world::lambda::State;

use super::{
    console::{QUESTION, agree},
    ground::{DEV, Ended, Ground, REGION},
};
use crate::support::terminal::Terminal;

const MESSAGES: usize = 300;
const REDRIVE: [&str; 9] =
    ["--sandbox", "redrive", "-e", "dev", "--queue", "orders-dlq", "--engine", "client", "--rate=40"];
/// What ends at all ends within this time.
const ENDS_WITHIN: Duration = Duration::from_secs(15);

fn ground() -> Ground {
    let ground = Ground::with_latency(Duration::from_millis(20));
    ground.pair(DEV, "orders");
    (0..MESSAGES).for_each(|number| ground.dead_letter("orders", &format!(r#"{{"orderId":{number}}}"#)));
    ground
}

/// Neither lost nor doubled nor left in hand, and the journal tells how the run ended.
fn nothing_is_left_half_done(ground: &Ground, what: &str) {
    let (left, moved) = (ground.count("orders-dlq"), ground.count("orders"));
    assert_eq!(left + moved, MESSAGES, "{what}: lost or doubled");
    assert!(left > 0 && moved > 0, "{what}: it was not stopped in the middle: {left} left, {moved} moved");
    let in_flight =
        ground.sandbox.with(|world, _| world.queue_view(DEV, REGION, "orders-dlq").expect("there").counts.in_flight);
    assert_eq!(in_flight, 0, "{what}: messages are left in hand");
    let runs = ground.opsctl(&["runs", "--output", "json"]).expect(0).json();
    assert_eq!(runs["runs"][0]["end"], "interrupted", "{what}: {runs}");
    ground.opsctl(&["journal", "verify", runs["runs"][0]["run"].as_str().expect("a run")]).expect(0);
}

fn until_some_moved(ground: &Ground) {
    let begun = Instant::now();
    while ground.count("orders") < 20 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the run does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The console, a run of 40 messages a second under way.
fn console_with_a_run(ground: &Ground, editor: &str) -> Terminal {
    let mut command = ground.command(&["--sandbox"]);
    command.env("EDITOR", editor);
    let terminal = Terminal::start(&command, (100, 30));
    terminal.wait("orders-dlq").send("2").wait("~VISIBLE").send("/").send("orders-dlq\r").send("\r").wait("looked at");
    terminal.send("R").wait("redrive orders-dlq in dev").wait(QUESTION);
    terminal.send("o").wait("limit").send("\t\t\t\t").send("40\r").wait(QUESTION);
    agree(&terminal).wait("running");
    until_some_moved(ground);
    terminal
}

#[test]
fn a_console_whose_terminal_goes_finishes_what_its_run_has_in_hand() {
    let ground = ground();
    let mut terminal = console_with_a_run(&ground, "true");
    let gone = Instant::now();
    terminal.close();
    assert_eq!(terminal.end(), 1);
    assert!(gone.elapsed() < ENDS_WITHIN, "{:?}", gone.elapsed());
    nothing_is_left_half_done(&ground, "the console");
}

#[test]
fn the_terminal_goes_while_an_editor_has_it() {
    let ground = ground();
    let editor = ground.file("editor", "#!/bin/sh\ntrap '' HUP\necho EDITING\nsleep 60\n");
    std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("allowed");
    let mut terminal = console_with_a_run(&ground, &editor.display().to_string());
    terminal.send("\u{1b}").wait("looked at").send("m").wait("AGE").send("e").wait("EDITING");
    let gone = Instant::now();
    terminal.close();
    assert_eq!(terminal.end(), 1);
    assert!(gone.elapsed() < ENDS_WITHIN, "{:?}", gone.elapsed());
    nothing_is_left_half_done(&ground, "an editor");
}

#[test]
fn a_terminal_that_goes_while_nothing_runs_ends_the_console_at_once() {
    let ground = ground();
    for wait in [0, 3, 30, 300] {
        let mut terminal = Terminal::start(&ground.command(&["--sandbox"]), (100, 30));
        terminal.wait("orders-dlq").send("2");
        std::thread::sleep(Duration::from_millis(wait));
        let gone = Instant::now();
        terminal.close();
        assert_eq!(terminal.end(), 1, "after {wait} ms");
        assert!(gone.elapsed() < Duration::from_secs(5), "{:?}", gone.elapsed());
    }
}

#[test]
fn a_panic_that_nobody_can_be_told_of_is_a_panic_and_no_abort() {
    let ground = ground();
    for place in ["draw", "task"] {
        let mut command = ground.command(&["--sandbox"]);
        command.env("OPSCTL_PANIC", place);
        let mut hardy = std::process::Command::new("sh");
        hardy
            .arg("-c")
            .arg("trap '' HUP; exec \"$0\" \"$@\"")
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .current_dir(ground.home.path());
        hardy.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut terminal = Terminal::start(&hardy, (100, 30));
        // It panics soon: what is shown first may be the report already.
        while terminal.screen().trim().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        terminal.close();
        let code = terminal.end();
        assert!(code == 101 || code == 1, "{place}: {code}");
    }
}

#[test]
fn a_run_of_the_command_line_ends_as_by_ctrl_c_when_its_terminal_goes() {
    for hangs_up in [false, true] {
        let ground = ground();
        let id = super::consumers::mapping(&ground, "orders-processor", "orders", State::Enabled);
        let words = [&REDRIVE[..], &["--yes", "--ramp", "all", "--pause-consumers"]].concat();
        let mut terminal = Terminal::start(&ground.command(&words), (100, 30));
        until_some_moved(&ground);
        let gone = Instant::now();
        if hangs_up {
            terminal.close()
        } else {
            terminal.send("\u{3}");
        }
        assert_eq!(terminal.end(), 130, "hung up: {hangs_up}");
        assert!(gone.elapsed() < ENDS_WITHIN, "{:?}", gone.elapsed());
        let state = ground.sandbox.with(|world, now| world.lambda.mapping(now, DEV, REGION, &id).expect("there").state);
        assert_eq!(state, State::Enabled, "consumers are brought back; hung up: {hangs_up}");
        let runs = ground.opsctl(&["runs", "--output", "json"]).expect(0).json();
        assert_eq!(runs["runs"][0]["end"], "interrupted", "hung up: {hangs_up}: {runs}");
    }
}

#[test]
fn a_terminal_that_goes_at_the_question_is_no_yes() {
    let ground = ground();
    let mut terminal = Terminal::start(&ground.command(&REDRIVE), (100, 30));
    terminal.wait("[y/N]");
    terminal.close();
    let code = terminal.end();
    assert!([3, 130].contains(&code), "{code}");
    assert_eq!(ground.count("orders-dlq"), MESSAGES);
}

fn start(ground: &Ground, words: &[&str], out: Stdio, err: Stdio) -> Child {
    ground.command(words).stdout(out).stderr(err).spawn().expect("started")
}

/// Waits for the end; what standard error says, where it is read.
fn ended(ground: &Ground, mut child: Child) -> Ended {
    let mut err = String::new();
    if let Some(stderr) = &mut child.stderr {
        stderr.read_to_string(&mut err).expect("read");
    }
    let status = child.wait().expect("waited for");
    ground.ended(std::process::Output { status, stdout: Vec::new(), stderr: err.into_bytes() })
}

#[test]
fn whoever_stops_reading_the_data_is_no_error() {
    let ground = ground();
    for words in [
        &["status"][..],
        &["status", "--output", "jsonl"],
        &["queues"],
        &["queues", "--output", "json"],
        &["queues", "--output", "jsonl"],
        &["peek", "-e", "dev", "--queue", "orders-dlq"],
        &["groups", "-e", "dev", "--queue", "orders-dlq"],
        &["services"],
        &["databases"],
        &["alarms"],
        &["consumers"],
        &["runs"],
        &["doctor"],
        &["demo"],
        &["reference"],
        &["keys"],
        &["config", "schema"],
        &["--help"],
        &["redrive", "--help"],
        &["redrive", "-e", "dev", "--queue", "orders-dlq", "--dry-run"],
    ] {
        let words = [&["--sandbox"], words].concat();
        let mut child = start(&ground, &words, Stdio::piped(), Stdio::piped());
        // As `head -0` does.
        drop(child.stdout.take());
        let ended = ended(&ground, child);
        assert!(!ended.err.contains("mistake in opsctl") && !ended.err.contains("os error"), "{words:?}: {ended:?}");
        assert!([Some(0), Some(1), Some(2)].contains(&ended.code), "{words:?}: {ended:?}");
    }
}

#[test]
fn a_run_does_not_need_anybody_who_listens() {
    for (closes, output) in [("both", "human"), ("both", "jsonl"), ("err", "human"), ("out", "jsonl")] {
        let ground = ground();
        let words = [&REDRIVE[..8], &["--limit", "50", "--yes", "--output", output, "-vv"]].concat();
        let mut child = start(&ground, &words, Stdio::piped(), Stdio::piped());
        until_some_moved(&ground);
        let (out, err) = (child.stdout.take(), child.stderr.take());
        match closes {
            "both" => drop((out, err)),
            "err" => {
                drop(err);
                child.stdout = out;
            }
            _ => {
                drop(out);
                child.stderr = err;
            }
        }
        let ended = ended(&ground, child);
        assert_eq!((ended.code, ground.count("orders")), (Some(0), 50), "{closes}, {output}: {ended:?}");
    }
}

#[test]
fn a_report_that_nobody_reads_keeps_its_exit_code() {
    let ground = ground();
    let words = [&REDRIVE[..], &["--yes", "--output", "json"]].concat();
    let mut child = start(&ground, &words, Stdio::piped(), Stdio::null());
    drop(child.stdout.take());
    until_some_moved(&ground);
    let pid = rustix::process::Pid::from_raw(child.id().cast_signed()).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    assert_eq!(ended(&ground, child).code, Some(130));
    nothing_is_left_half_done(&ground, "SIGTERM");
}
