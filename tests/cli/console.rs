//! The console in a real terminal.

use std::time::{Duration, Instant};

use opsctl::sandbox::world::Denial;

use super::ground::{DEV, Ground, caller};
use crate::support::terminal::Terminal;

const PROD: &str = "333333333333";

fn console(ground: &Ground, size: (u16, u16)) -> Terminal {
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
    terminal.resize(120, 40).send("?").wait("ctrl-c").send("\u{1b}");
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
    terminal.wait("750");
    terminal.send("G").wait("shut-1499");
}
