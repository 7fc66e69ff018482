//! Questions and progress in a real terminal.

use std::{path::Path, process::Command};

use super::ground::{DEV, Ended, Ground};

const PROD: &str = "333333333333";

fn ground(account: &str, messages: usize) -> Ground {
    let ground = Ground::new();
    ground.pair(account, "orders");
    (0..messages).for_each(|number| ground.dead_letter_of(account, "orders", &format!(r#"{{"orderId":{number}}}"#)));
    ground
}

/// The binary in a terminal of 80x24, with steps as `terminal.py` takes them.
fn play(ground: &Ground, steps: &[&str], words: &[&str]) -> Ended {
    play_plain(ground, steps, &[&["--sandbox"], words].concat())
}

/// The same with these words alone.
pub(super) fn play_plain(ground: &Ground, steps: &[&str], words: &[&str]) -> Ended {
    let plain = ground.command(words);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/terminal.py");
    let mut command = Command::new("python3");
    command.arg(script).args(["80", "24"]).args(steps).arg("--").arg(plain.get_program()).args(plain.get_args());
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
    ground.ended(command.current_dir(ground.home.path()).output().expect("python3 starts"))
}

const REDRIVE: [&str; 6] = ["redrive", "-e", "dev", "--queue", "orders-dlq", "--engine"];

#[test]
fn a_yes_does_it_and_the_safe_answer_does_not() {
    let ground = ground(DEV, 5);
    let words = [&REDRIVE[..], &["client"]].concat();
    let refused =
        play(&ground, &["wait:redrive orders-dlq in dev (111111111111): ~5 messages? [y/N]", "type:\\r"], &words)
            .expect(3);
    assert!(refused.out.contains("nothing was done"), "{refused:?}");
    assert_eq!(ground.count("orders-dlq"), 5);
    let done = play(&ground, &["wait:[y/N]", "type:y\\r", "wait:5 moved"], &words).expect(0);
    assert_eq!((ground.count("orders-dlq"), ground.count("orders")), (0, 5), "{done:?}");
}

#[test]
fn where_names_are_typed_the_right_name_and_a_reason_are_asked() {
    let ground = ground(PROD, 3);
    let words = ["redrive", "-e", "prod", "--queue", "orders-dlq", "--ramp", "all"];
    let mistyped = play(&ground, &["wait:prod orders-dlq", "type:prod orders\\r"], &words).expect(3);
    assert!(!mistyped.out.contains("moved"), "{mistyped:?}");
    let steps = ["wait:Type", "type:prod orders-dlq\\r", "wait:Why", "type:consumer is mended\\r", "wait:3 moved"];
    play(&ground, &steps, &words).expect(0);
    let runs = ground.opsctl(&["runs", "--output", "json"]).expect(0).json();
    let run = runs["runs"][0]["run"].as_str().expect("a run");
    let journal = ground.opsctl(&["journal", "export", run]).expect(0);
    assert!(journal.out.contains("consumer is mended"), "{journal:?}");
}

#[test]
fn ctrl_c_stops_a_run_and_the_terminal_stays_sane() {
    let ground = ground(DEV, 400);
    let words = [&REDRIVE[..], &["client", "--rate", "20", "--yes"]].concat();
    let stopped = play(&ground, &["wait:10 of ~400", "type:\\x03", "wait:--resume"], &words).expect(130);
    assert!(!stopped.out.contains("\u{1b}[?1049h"), "no other screen is opened: {stopped:?}");
    let (left, moved) = (ground.count("orders-dlq"), ground.count("orders"));
    assert!(left > 0 && left + moved == 400, "{left} {moved}");
}
