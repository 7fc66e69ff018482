//! `make screenshots`: the pictures of the README, of the real binary in a real terminal on the demo's world.

use std::{path::Path, process::Command};

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
        let picture = terminal.look(|screen| svg(screen, title));
        std::fs::write(folder.join(format!("{name}.svg")), picture).expect("written");
    };
    terminal.wait("orders-dlq");
    shoot(&terminal, "home", "Home: what needs you, worst first");
    terminal.send("2").wait("VISIBLE");
    shoot(&terminal, "queues", "Queues: every queue of every environment");
    terminal.send("\u{3}");
    terminal.end();
}
