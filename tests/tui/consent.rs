//! A yes counts once the plan was seen, and only when somebody presses a key for it.

use std::time::Duration;

use opsctl::{keymap::keys, tui::event::Event};

use super::plans::{ask, begun, console, plan};
use crate::support::console::Console;

#[test]
fn who_said_yes_before_the_plan_was_there_says_it_once_more() {
    let mut console = console((80, 24));
    let ticket = ask(&mut console, "dev");
    console.keys("y y");
    console.event(Event::Planned(ticket, Ok(Box::new(plan("dev")))));
    console.keys("y");
    assert!(console.model.runs.is_empty(), "typed ahead by hand");
    let text = console.text();
    assert!(text.contains("[ Yes ]") && text.contains("here is the plan: y once more does it"), "{text}");
    console.keys("y");
    begun(&mut console);
}

#[test]
fn a_key_that_is_held_down_does_not_agree() {
    let mut console = console((80, 24));
    let ticket = ask(&mut console, "dev");
    console.event(Event::Planned(ticket, Ok(Box::new(plan("dev")))));
    let hold = |console: &mut Console, milliseconds: u64| {
        console.model.frames += 1;
        console.model.moment += Duration::from_millis(milliseconds);
        console.event(Event::Key(keys("y")[0].clone()));
    };
    // It was pressed when the plan came, and repeats as terminals do.
    hold(&mut console, 250);
    for _ in 0..200 {
        hold(&mut console, 30);
        assert!(console.model.runs.is_empty(), "{}", console.text());
    }
    assert!(console.text().contains("a key held down does not count"), "{}", console.text());
    hold(&mut console, 399);
    assert!(console.model.runs.is_empty());
    hold(&mut console, 400);
    begun(&mut console);
}
