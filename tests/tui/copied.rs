//! Command lines that the console copies or shows: pasted, they act in the world that the console is of.

use opsctl::{
    domain::Invocation,
    tui::{state::effect::Effect, state::event::Event},
};

use super::{
    estate::{KEYS, at_night},
    letters::looked,
    plans::{self, plan},
    scenes::night,
};
use crate::support::{console::Console, letters::failed};

const SIZE: (u16, u16) = (200, 60);

fn copied(console: &mut Console, keys: &str) -> Vec<String> {
    console.take_effects();
    console.keys(keys);
    let of_copies = |effect| match effect {
        Effect::Copy(text) => Some(text),
        _ => None,
    };
    console.take_effects().into_iter().filter_map(of_copies).collect()
}

/// Every command line that a console of this world copies.
fn all(invocation: &Invocation) -> Vec<String> {
    let mut lines = copied(night(SIZE).within(invocation), "2 Y");
    for (_, key) in KEYS {
        lines.extend(copied(at_night(SIZE).within(invocation), &format!("{key} Y")));
    }
    let mut letters = looked(SIZE, 40, failed());
    lines.extend(copied(letters.within(invocation), "Y"));
    lines.extend(copied(&mut letters, "m Y"));
    lines.extend(copied(&mut letters, "enter Y"));
    let mut flow = plans::console(SIZE);
    let ticket = plans::ask(&mut flow, "dev");
    flow.within(invocation).event(Event::Planned(ticket, Ok(Box::new(plan("dev")))));
    lines.extend(copied(&mut flow, "Y"));
    let text = flow.text();
    let shown = text.lines().find_map(|line| Some(&line[line.find("opsctl redrive")?..]));
    lines.push(shown.expect("the plan shows its command").trim_end_matches([' ', '│', '|']).trim_end().to_owned());
    assert!(lines.len() >= 9, "{lines:?}");
    lines
}

#[test]
fn a_command_line_says_which_world_it_is_for() {
    for line in all(&Invocation::Sandbox) {
        assert!(line.starts_with("opsctl ") && line.ends_with(" --sandbox"), "{line}");
    }
    for line in all(&Invocation::Named("/etc/ours.toml".to_owned())) {
        assert!(line.starts_with("opsctl ") && line.ends_with(" --config /etc/ours.toml"), "{line}");
    }
    for line in all(&Invocation::Found) {
        assert!(!line.contains("--sandbox") && !line.contains("--config") && line.contains(" --env "), "{line}");
    }
}
