//! A yes counts once the plan was seen, and only when somebody presses a key for it.

use std::time::Duration;

use jiff::SignedDuration;
use opsctl::{
    keymap::keys,
    observe::{
        Oldest,
        queues::{DeadLetters, KnownBy},
    },
    tui::state::event::Event,
};

use super::plans::{ask, begun, console, plan};
use crate::support::console::{Console, Picture, now};

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
        console.event(Event::Key(keys("y")[0]));
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

#[test]
fn a_plan_says_the_sooner_of_what_its_look_and_cloudwatch_know() {
    for (age_hours, said) in
        [(330, "6 h, by CloudWatch; the oldest in the look: 9 h"), (300, "9 h (oldest of 10 sampled)")]
    {
        let mut console = console((120, 40));
        let ticket = ask(&mut console, "dev");
        let picture = Picture::of("dev").queue_with("orders-dlq", 4_200, |seen| {
            let sources = vec!["orders".into()];
            seen.dead_letters = Some(DeadLetters { sources, known_by: KnownBy::RedrivePolicy });
            seen.oldest = Some(Oldest { seconds: age_hours * 3_600, at: now() });
        });
        console.seen(picture.with(|snapshot| snapshot.number = 9).done());
        let mut plan = plan("dev");
        plan.expires_at = Some(now() + SignedDuration::from_hours(9));
        console.event(Event::Planned(ticket, Ok(Box::new(plan))));
        assert!(console.text().contains(said), "{}", console.text());
    }
}
