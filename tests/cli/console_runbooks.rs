//! Runbooks in the console, in a real terminal.

use std::fs;

use super::{
    console::{agree, console},
    ground::{DEV, Ground},
};
use crate::support::terminal::Terminal;

const CAREFUL: &str = r#"# Drain with care

Messages wait in a dead-letter queue.

```toml runbook
owner = "payments"
applies_when = ["dead-letters"]
parameters.queue = { kind = "queue", help = "The dead-letter queue" }
```

## Read the errors

What do they have in common?

## Which cause?

```toml step
id = "which"
ask = "choice"
choices = ["bug", "outage"]
keep = "cause"
```

## Keep them for longer

```toml step
id = "longer"
do = "retention"
with = { queue = "{queue}", to = "14d" }
check = "queue.retention_seconds == 1209600"
undo = { do = "retention", with = { queue = "{queue}", restore = true, accept_loss = true } }
```

## In parts

```toml step
id = "parts"
do = "redrive"
with = { queue = "{queue}", engine = "client" }
repeat = { shares = [50, 100], of = "queue.messages", input = "limit" }
check = "queue.messages < 100"
```

## Nothing is left

```toml step
id = "emptied"
check = "queue.messages == LEFT"
within = "3s"
```

## Resume the consumers

```toml step
id = "resumed"
do = "consumers resume"
with = { queue = "{queue}" }
always = true
```
"#;

fn ground(left: u32) -> Ground {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    (0..6).for_each(|number| ground.dead_letter("orders", &format!(r#"{{"orderId":{number}}}"#)));
    let folder = ground.home.path().join("runbooks");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("careful.md"), CAREFUL.replace("LEFT", &left.to_string())).expect("written");
    ground
}

/// Begins the runbook that Home offers, up to the first question about its steps.
fn begin(terminal: &Terminal) {
    terminal.wait("orders-dlq").send("/orders-dlq\r").wait("runbook careful").send("B").wait("Run careful");
    assert!(terminal.screen().contains("orders-dlq"), "it is filled in: {}", terminal.screen());
    terminal.send("\r").wait("Read the errors").wait("waits for you");
}

/// Does the first step by hand and answers the second.
fn answer(terminal: &Terminal) {
    terminal.send("\r").wait("It is done").send("\r").wait("an answer to");
    terminal.send("\r").wait("bug").send("\r").wait("approval of");
}

/// Agrees to the plan that a step waits for, until the next thing shows.
fn consent<'t>(terminal: &'t Terminal, then: &str) -> &'t Terminal {
    terminal.wait("approval of").send("\r").wait("[ No ]");
    agree(terminal).wait(then)
}

/// Leaves the console while the run is open.
fn leave(terminal: &Terminal) {
    terminal.send("\u{3}").wait("it stays open");
    std::thread::sleep(std::time::Duration::from_millis(500));
    terminal.send("y");
}

#[test]
fn chosen_on_home_filled_in_answered_agreed_to_part_by_part_and_verified() {
    let ground = ground(0);
    let mut terminal = console(&ground, (80, 24));
    begin(&terminal);
    answer(&terminal);
    consent(&terminal, "In parts");
    assert_eq!(ground.count("orders"), 0, "the first part waits for consent");
    consent(&terminal, "3 moved").wait("approval of");
    assert_eq!(ground.count("orders"), 3, "half of them");
    consent(&terminal, "done");
    terminal.wait("outcome");
    assert_eq!((ground.count("orders"), ground.count("orders-dlq")), (6, 0));
    // The retention is set still, and the end says so.
    terminal.wait("not undone").send("J").wait("answered: bug").send("\u{3}");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.is_sane());
}

#[test]
fn one_leaves_looks_elsewhere_and_comes_back_to_the_same_question() {
    let ground = ground(0);
    let mut terminal = console(&ground, (80, 24));
    begin(&terminal);
    terminal.send("1").wait("waits for").wait("orders-dlq");
    terminal.send("2").wait("~VISIBLE").send("9").wait("waits for").send("\r").wait("Read the errors");
    answer(&terminal);
    // The console ends: the run stays open, and the next one says so on Home.
    leave(&terminal);
    assert_eq!(terminal.end(), 0, "{}", terminal.screen());
    let next = console(&ground, (80, 24));
    next.wait("orders-dlq")
        .wait("careful is open")
        .send("9")
        .wait("REHEARSED")
        .wait("left open")
        .send("\r")
        .wait("ran it last");
    next.send("R");
    consent(&next, "In parts");
}

#[test]
fn a_check_that_fails_waits_for_a_decision_and_stop_takes_back_and_puts_back() {
    let ground = ground(7);
    let terminal = console(&ground, (80, 24));
    begin(&terminal);
    answer(&terminal);
    consent(&terminal, "In parts");
    consent(&terminal, "3 moved").wait("approval of");
    consent(&terminal, "a decision on");
    terminal.send("\r").wait("Check again without repeating the step").wait("Stop the run");
    terminal.send(&"\u{1b}[B".repeat(4)).wait("▌ Stop the run").send("\r").wait("retention");
    consent(&terminal, "outcome").wait("partly");
    let retention = ground.opsctl(&["queues", "orders-dlq", "-e", "dev", "--output", "json"]).expect(0).json();
    assert_eq!(retention["queues"][0]["name"], "orders-dlq");
    let timeline = ground.opsctl(&["runs", "--output", "json"]).expect(0).json();
    let run = timeline["runs"].as_array().expect("runs").iter().find(|run| run["operation"] == "runbook");
    let run = run.expect("the run")["run"].as_str().expect("an id").to_owned();
    let text = ground.opsctl(&["runbook", "export", &run]).expect(0).out;
    assert!(text.contains("undone by run"), "{text}");
    assert!(!text.contains("## Not undone"), "what was taken back is not held back: {text}");
}

#[test]
fn a_change_that_needs_a_second_person_is_agreed_to_by_another_one() {
    let ground = ground(0);
    let path = ground.home.path().join("runbooks/careful.md");
    let text = fs::read_to_string(&path).expect("readable");
    fs::write(&path, text.replace("do = \"retention\"\nwith", "do = \"retention\"\nsecond_person = true\nwith"))
        .expect("written");
    let begun_by = |name: &str| {
        let mut command = ground.command(&["--sandbox"]);
        command.env("USER", name);
        Terminal::start(&command, (80, 24))
    };
    let mut first = begun_by("anna");
    begin(&first);
    first.send("\r").wait("It is done").send("\r").wait("an answer to").send("\r").wait("bug").send("\r");
    // Nobody here can agree to it: the run is left open, and leaving asks nothing.
    first.wait("someone other than anna").send("\u{3}");
    assert_eq!(first.end(), 0);
    let second = begun_by("ben");
    second
        .wait("orders-dlq")
        .send("9")
        .wait("REHEARSED")
        .wait("someone other than anna")
        .send("\r")
        .wait("ran it last");
    second.send("O").wait("O").send("O");
    consent(&second, "In parts");
}

#[test]
fn a_terminal_that_is_closed_in_mid_step_leaves_a_run_that_goes_on() {
    let ground = ground(0);
    let path = ground.home.path().join("runbooks/careful.md");
    let text = fs::read_to_string(&path).expect("readable");
    fs::write(&path, text.replace("engine = \"client\"", "engine = \"client\", rate = 1")).expect("written");
    let mut terminal = console(&ground, (80, 24));
    begin(&terminal);
    answer(&terminal);
    consent(&terminal, "In parts");
    terminal.wait("approval of").send("\r").wait("[ No ]");
    agree(&terminal).wait("of ~3");
    terminal.hang_up();
    terminal.close();
    terminal.end();
    let open = ground.opsctl(&["runbook", "list", "--open", "--output", "json"]).expect(0).json();
    let run = open["runs"][0]["run"].as_str().expect("it is open").to_owned();
    let done = ground.opsctl(&["runbook", "resume", &run, "--yes"]);
    assert_eq!((done.code, ground.count("orders"), ground.count("orders-dlq")), (Some(0), 6, 0), "{done:?}");
}
