//! The console in a real terminal.

use std::time::{Duration, Instant};

use opsctl::sandbox::world::Denial;

use super::ground::{DEV, Ground, caller};
use crate::support::terminal::Terminal;

const PROD: &str = "333333333333";
/// Shown as long as a plan waits for an answer.
pub(super) const QUESTION: &str = "y yes   n no";
/// Around a plan.
const FRAME: &str = "╭─ ";
/// Shown as long as the name that a plan asks for is not typed yet.
const TO_TYPE: &str = "y type the name";
/// Shown while the name that a plan asks for is typed.
const TYPING: &str = "enter on ";
/// Shown by a run that waits for what comes back; a plan says it in other words.
const WATCHING: &str = "watching whether";

pub(super) fn console(ground: &Ground, size: (u16, u16)) -> Terminal {
    Terminal::start(&ground.command(&["--sandbox"]), size)
}

fn ground(messages: usize) -> Ground {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    ground.pair(PROD, "payouts");
    (0..messages).for_each(|number| ground.dead_letter_of(DEV, "orders", &format!(r#"{{"orderId":{number}}}"#)));
    ground.dead_letter_of(PROD, "payouts", r#"{"payoutId":1}"#);
    ground
}

#[test]
fn it_starts_draws_resizes_and_leaves_the_terminal_sane() {
    let ground = ground(5);
    let mut terminal = console(&ground, (80, 24));
    terminal.wait("orders-dlq").wait("PROD");
    terminal.resize(120, 50).send("?").wait("ctrl-c").send("\u{1b}");
    terminal.resize(30, 8).wait("opsctl needs").resize(80, 24).wait("orders-dlq");
    terminal.send("\u{3}");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.is_sane(), "{}", terminal.screen());
}

#[test]
fn sigterm_ends_it_as_calmly() {
    let ground = ground(1);
    let mut terminal = console(&ground, (80, 24));
    terminal.wait("orders-dlq");
    terminal.terminate();
    assert_eq!(terminal.end(), 0);
    assert!(terminal.is_sane());
}

#[test]
fn a_panic_gives_the_terminal_back_and_then_says_what_happened() {
    let ground = ground(1);
    for place in ["draw", "task"] {
        let mut command = ground.command(&["--sandbox"]);
        command.env("OPSCTL_PANIC", place);
        let mut terminal = Terminal::start(&command, (100, 30));
        assert_eq!(terminal.end(), if place == "draw" { 101 } else { 1 }, "{}", terminal.screen());
        assert!(terminal.is_sane(), "{place}: {}", terminal.raw());
        assert!(terminal.screen().contains("This is a mistake in opsctl"), "{place}: {}", terminal.screen());
    }
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let ground = ground(1);
    let ended = ground.opsctl(&[]).expect(2);
    assert!(ended.err.contains("the console needs a terminal"), "{ended:?}");
}

#[test]
fn a_terminal_that_can_not_move_its_cursor_is_told_what_serves_instead() {
    let ground = ground(1);
    for term in ["dumb", ""] {
        for command in [&["--sandbox"][..], &["demo"]] {
            let mut command = ground.command(command);
            command.env("TERM", term);
            let mut terminal = Terminal::start(&command, (80, 24));
            let code = terminal.end();
            let raw = terminal.raw();
            assert!(!raw.contains("\u{1b}[?1049h") && raw.len() < 6_000, "{term}: {raw}");
            assert!(raw.contains("opsctl status") || raw.contains("opsctl queues"), "{term} {code}: {raw}");
        }
    }
}

#[test]
fn keys_are_answered_while_every_call_hangs() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    // Connections are taken and never answered.
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    let ground = Ground::new();
    let config = ground.home.path().join("opsctl.toml");
    let text = format!(
        "[environments.dev]\nendpoint = \"http://{address}\"\nregion = \"af-south-1\"\naccount = \"{DEV}\"\nprotection = \"confirm\"\n"
    );
    std::fs::write(&config, text).expect("written");
    let mut command = ground.command(&[]);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    let mut terminal = Terminal::start(&command, (80, 24));
    terminal.wait("dev");
    for _ in 0..20 {
        let asked = Instant::now();
        terminal.send("?").wait("Keys");
        assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
        terminal.send("?").gone("Keys");
    }
    terminal.send("\u{3}");
    let asked = Instant::now();
    assert_eq!(terminal.end(), 0);
    assert!(asked.elapsed() < Duration::from_secs(3), "a hanging call holds up the end: {:?}", asked.elapsed());
}

#[test]
fn of_1500_queues_half_of_them_denied_none_is_missing() {
    let ground = Ground::quick();
    ground.sandbox.with(|world, now| {
        for number in 0..1_500 {
            let sort = if number % 2 == 0 { "open" } else { "shut" };
            world.create(now, &caller(DEV), &format!("{sort}-{number:04}"), &[]).expect("created");
        }
        let (account, action) = (DEV.to_owned(), "GetQueueAttributes".to_owned());
        world.denials.push(Denial { account, queue: "shut-*".to_owned(), action });
    });
    let terminal = console(&ground, (120, 30));
    terminal.wait("dev").send("2").wait("1,500");
    // Not "750 of 1,500", on the way there.
    terminal.wait("750 may not be looked at");
    terminal.send("G").wait("open-1498").send("/shut-1499\r").wait("AccessDenied");
}

/// Opens the dead letters of `orders-dlq` in `dev`.
fn open_orders(terminal: &Terminal) {
    terminal.wait("orders-dlq").send("2").wait("~VISIBLE").send("/").send("orders-dlq\r").gone("payouts").send("\r");
    terminal.wait("looked at");
}

/// Agrees to the plan in sight as a person does: not within the first moments, and again where the console says that the first
/// answer came too early. A plan that is made anew takes its question away for a moment; its frame stays until it is agreed to.
pub(super) fn agree(terminal: &Terminal) -> &Terminal {
    terminal.wait(QUESTION);
    let shows = |what: &str| terminal.screen().contains(what);
    answer(terminal, "y", || shows(FRAME), || shows(QUESTION));
    terminal
}

/// The same where the plan asks for a name and a reason.
fn agree_by_name<'a>(terminal: &'a Terminal, name: &str, reason: &str) -> &'a Terminal {
    begin_to_type(terminal, name);
    terminal.send(name).send("\r").send(reason).send("\r")
}

/// Goes to the field in which a plan's name is typed: what is typed before that are commands.
fn begin_to_type(terminal: &Terminal, name: &str) {
    terminal.wait(&format!("type {name}")).wait(TO_TYPE);
    answer(terminal, "y", || terminal.screen().contains(TO_TYPE), || true);
    terminal.wait(TYPING);
}

/// Presses a key where it is asked for, again every now and then, until what it was pressed for has come.
fn answer(terminal: &Terminal, key: &str, is_left: impl Fn() -> bool, is_asked: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while is_left() {
        assert!(Instant::now() < end, "no answer counts; the terminal shows:\n{}", terminal.screen());
        std::thread::sleep(Duration::from_millis(500));
        if !(is_left() && is_asked()) {
            continue;
        }
        terminal.send(key);
        let answered = Instant::now() + Duration::from_secs(1);
        while is_left() && Instant::now() < answered {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn from_the_worst_queue_to_the_journals_last_line() {
    let ground = ground(5);
    let mut terminal = console(&ground, (100, 30));
    open_orders(&terminal);
    terminal.send("R").wait("redrive orders-dlq in dev").wait(QUESTION);
    assert_eq!(ground.count("orders"), 0, "nothing before consent");
    agree(&terminal).wait("5 moved");
    assert_eq!((ground.count("orders-dlq"), ground.count("orders")), (0, 5));
    terminal.send("6").wait("redrive").wait("orders-dlq").send("\u{3}");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.is_sane());
    let runs = ground.opsctl(&["runs", "--output", "json"]).expect(0).json();
    assert_eq!(runs["runs"][0]["end"], "done", "{runs}");
    let run = runs["runs"][0]["run"].as_str().expect("a run");
    let journal = ground.opsctl(&["journal", "verify", run]).expect(0);
    assert!(journal.out.contains(run), "{journal:?}");
}

#[test]
fn where_names_are_typed_a_yes_is_not_enough() {
    let ground = ground(1);
    let mut terminal = console(&ground, (100, 30));
    terminal.wait("payouts-dlq").send("2").wait("~VISIBLE").send("/").send("payouts-dlq\r").gone("orders").send("R");
    begin_to_type(&terminal, "prod payouts-dlq");
    terminal.send("prod payouts\r").send("\u{3}");
    terminal.gone(FRAME).send("R");
    agree_by_name(&terminal, "prod payouts-dlq", "consumer is mended").wait(WATCHING);
    // A run is active: leaving asks, and staying is what has the focus.
    terminal.send("\u{3}").wait("Leave?").send("\r").gone("Leave?");
    terminal.send("\u{3}").wait("Leave?").send("y");
    assert_eq!(terminal.end(), 0);
    let runs = ground.opsctl(&["runs", "--output", "json"]).expect(0).json();
    assert_eq!(runs["runs"][0]["end"], "interrupted", "{runs}");
}

#[test]
fn ctrl_c_closes_what_lies_on_top_and_leaves_only_from_a_view() {
    let ground = ground(3);
    let mut terminal = console(&ground, (100, 30));
    open_orders(&terminal);
    for (open, shown) in [("?", "Keys"), (":", "Commands"), ("R", "redrive orders-dlq in dev")] {
        terminal.send(open).wait(shown).send("\u{3}").gone(shown).wait("looked at");
    }
    terminal.send("\u{3}");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_message_is_edited_in_the_persons_editor_and_goes_back_edited() {
    let ground = ground(1);
    let editor = ground.home.path().join("my editor");
    std::fs::write(&editor, "#!/bin/sh\nls -l \"$1\" > ls.txt\nsed -i 's/\"orderId\": 0/\"orderId\": 7/' \"$1\"\n")
        .expect("written");
    std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("allowed");
    let mut command = ground.command(&["--sandbox"]);
    command.env("EDITOR", format!("'{}'", editor.display()));
    let mut terminal = Terminal::start(&command, (100, 30));
    open_orders(&terminal);
    terminal.send("m").wait("AGE").send("e").wait("+").wait("\"orderId\": 7").send("y");
    terminal.send("R").wait("redrive orders-dlq in dev").wait("[ No ]");
    agree(&terminal).wait("1 moved").send("\u{3}");
    assert_eq!(terminal.end(), 0);
    let bodies: Vec<String> = ground
        .sandbox
        .with(|world, _| world.messages(DEV, "af-south-1", "orders").map(|message| message.body.to_string()).collect());
    assert!(bodies.len() == 1 && bodies[0].contains("7"), "{bodies:?}");
    let listed = std::fs::read_to_string(ground.home.path().join("ls.txt")).expect("the editor ran here");
    assert!(listed.starts_with("-rw-------"), "{listed}");
}

#[test]
fn a_window_that_is_closed_lets_the_run_finish_what_is_in_hand() {
    let ground = ground(1);
    let mut terminal = console(&ground, (100, 30));
    terminal.wait("payouts-dlq").send("2").wait("~VISIBLE").send("/").send("payouts-dlq\r").gone("orders").send("R");
    agree_by_name(&terminal, "prod payouts-dlq", "consumer is mended").wait(WATCHING);
    terminal.hang_up();
    assert_eq!(terminal.end(), 1);
    assert!(terminal.is_sane(), "{}", terminal.screen());
    let runs = ground.opsctl(&["runs", "--output", "json"]).expect(0).json();
    assert_eq!(runs["runs"][0]["end"], "interrupted", "the journal has its last line: {runs}");
}

#[test]
fn what_is_acknowledged_stays_so_over_restarts_and_is_counted() {
    let ground = ground(5);
    let mut terminal = console(&ground, (100, 30));
    terminal.wait("orders-dlq").wait("payouts-dlq").send("/").send("orders-dlq\r").gone("payouts-dlq");
    terminal.send("a").wait("for how long").send("4h consumers are being mended\r").wait("1 acknowledged");
    terminal.send("\u{1b}").wait("payouts-dlq").gone("orders-dlq").send("\u{3}");
    assert_eq!(terminal.end(), 0);
    let kept = ground.runs().parent().expect("the state folder").join("acknowledged.jsonl");
    let kept = std::fs::read_to_string(kept).expect("kept");
    assert!(kept.contains("consumers are being mended") && kept.contains("tester"), "{kept}");
    let mut terminal = console(&ground, (100, 30));
    terminal.wait("payouts-dlq").wait("1 acknowledged").gone("orders-dlq");
    terminal.send("A").wait("acknowledged by tester").wait("orders-dlq").send("a").wait("Nothing is acknowledged");
    terminal.send("A").wait("payouts-dlq").wait("orders-dlq").send("\u{3}");
    assert_eq!(terminal.end(), 0);
}
