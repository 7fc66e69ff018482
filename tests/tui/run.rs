//! A run: progress, report, journal; several at once; leaving.

use std::sync::Arc;

use jiff::SignedDuration;
use opsctl::{
    domain::{MessageId, Text},
    operations::transfer::Tally,
    run::{Details, End},
    tui::{
        state::effect::Effect, state::event::Event, state::event::Mouse, state::event::MouseWhat,
        state::ticket::Ticket, state::view::View,
    },
};

use super::plans::{self, HOSTILE, asked, begun, console, expired, failure, plan, progress, report, run, tally};
use crate::support::console::{Console, SIZES, now};

fn screens(name: &str, stage: impl Fn(&mut Console)) {
    for size in SIZES {
        let mut console = console(size);
        stage(&mut console);
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), console.content());
    }
}

/// Moves 60 messages a second up to the 20th.
fn going(console: &mut Console, ticket: Ticket, tally: impl Fn(u64) -> Tally) {
    for second in 1..=20_u64 {
        let moved = second * 60 - if second % 4 == 0 { 25 } else { 0 };
        console.event(Event::Tick(now() + SignedDuration::from_secs(second as i64)));
        console.event(Event::Progress(ticket, Box::new(progress(second as i64, tally(moved)))));
    }
}

fn ramped(moved: u64) -> Tally {
    let kept = [("not selected".to_owned(), 12)].into();
    Tally { sent: moved, moved, bounced: 3, step: 3, steps: 4, throttled: 2, kept, ..Tally::default() }
}

fn watching(moved: u64) -> Tally {
    Tally { watching: true, ..ramped(moved) }
}

fn partly() -> opsctl::run::Report {
    let tally = Tally {
        sent: 1_180,
        moved: 1_175,
        bounced: 96,
        kept: [("came back".to_owned(), 96), ("may have been sent by an earlier try".to_owned(), 1)].into(),
        kept_named: vec![(MessageId("5f0c2a1e".to_owned()), Text::from("came back"))],
        uncertain: vec![MessageId("9a1b77aa".to_owned())],
        ..Tally::default()
    };
    let mut report = report("prod", End::Partly, tally);
    report.failure = Some(failure(
        "stopped: 96 of 1180 messages came back",
        "mend what they fail on first; `opsctl groups` shows it",
    ));
    report.notes.push(Text::from("1 message may or may not have been sent; look for it at the destination"));
    report
}

#[test]
fn a_run_can_be_stopped_and_says_so() {
    let mut console = console((80, 24));
    let ticket = run(&mut console, "dev");
    console.event(Event::Progress(ticket, Box::new(progress(3, tally(100)))));
    console.keys("X");
    assert!(matches!(console.take_effects().as_slice(), [Effect::Cancel(cancelled)] if *cancelled == ticket));
    assert!(console.text().contains("stopping after what is in hand"), "{}", console.text());
    console.keys("X");
    assert!(console.take_effects().is_empty());
    assert!(console.text().contains("it is stopping already"), "{}", console.text());
    console.event(Event::Finished(ticket, Ok(Box::new(report("dev", End::Interrupted, tally(100))))));
    assert!(console.text().contains("▲ interrupted"), "{}", console.text());
}

#[test]
fn a_run_goes_on_when_its_view_is_left_and_a_notice_tells_its_end() {
    let mut console = console((120, 40));
    let ticket = run(&mut console, "dev");
    console.keys("esc");
    assert!(matches!(console.model.view(), View::Activity(_)));
    console.event(Event::Progress(ticket, Box::new(progress(3, tally(100)))));
    console.event(Event::Finished(ticket, Ok(Box::new(report("dev", End::Done, tally(4_200))))));
    assert!(console.text().contains("redrive orders-dlq in dev: done, 4,200 moved; 6 shows it"), "{}", console.text());
}

#[test]
fn two_runs_at_once_do_not_mix() {
    let mut console = console((120, 40));
    let first = run(&mut console, "dev");
    console.keys("1");
    let second = run(&mut console, "staging");
    assert_ne!(first, second);
    console.event(Event::Progress(second, Box::new(progress(3, tally(42)))));
    console.event(Event::Progress(first, Box::new(progress(3, tally(100)))));
    assert!(console.text().contains("42 of ~4,200"), "{}", console.text());
    console.event(Event::Finished(first, Ok(Box::new(report("dev", End::Done, tally(100))))));
    assert!(console.model.runs[1].is_active() && !console.model.runs[0].is_active());
    // What comes after the end changes nothing.
    console.event(Event::Progress(first, Box::new(progress(9, tally(7)))));
    console.event(Event::Finished(first, Err(expired())));
    assert!(matches!(&console.model.runs[0].end, Some(Ok(report)) if report.details.tally().moved == 100));
}

#[test]
fn a_stale_plan_is_made_anew_with_one_key() {
    let mut console = console((80, 24));
    let ticket = run(&mut console, "dev");
    let mut stale = report("dev", End::Stale, Tally::default());
    stale.failure = Some(failure("nothing was done: the world has changed since the plan", "make a new plan"));
    console.event(Event::Finished(ticket, Ok(Box::new(stale))));
    assert!(console.text().contains("R plans it anew"), "{}", console.text());
    console.take_effects();
    console.keys("R");
    let again = asked(&mut console);
    console.event(Event::Planned(again, Ok(Box::new(plan("dev")))));
    console.keys("y");
    begun(&mut console);
}

#[test]
fn credentials_that_expire_in_a_run_leave_a_key_that_goes_on() {
    let mut console = console((80, 24));
    let ticket = run(&mut console, "dev");
    let mut partly = report("dev", End::Partly, tally(100));
    partly.failure = Some(expired());
    console.event(Event::Finished(ticket, Ok(Box::new(partly))));
    assert!(console.text().contains("aws sso login --profile nucleus-dev"), "{}", console.text());
    console.take_effects();
    console.keys("R");
    let effects = console.take_effects();
    let Some(Effect::PlanResume(asked, resumed)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(*resumed, plans::run_id(7));
    console.event(Event::Planned(*asked, Ok(Box::new(plan("dev")))));
    console.keys("y");
    let effects = console.take_effects();
    assert!(matches!(effects.first(), Some(Effect::Resume(_, resumed, _)) if *resumed == plans::run_id(7)));
}

#[test]
fn what_a_run_could_not_begin_is_planned_again() {
    let mut console = console((80, 24));
    let ticket = run(&mut console, "dev");
    console.event(Event::Finished(ticket, Err(expired())));
    assert!(console.text().contains("It was not begun: nothing was done."), "{}", console.text());
    console.take_effects();
    console.keys("R");
    asked(&mut console);
}

#[test]
fn leaving_asks_while_a_run_is_active() {
    let mut console = console((80, 24));
    let ticket = run(&mut console, "dev");
    console.keys("ctrl-c");
    assert!(console.text().contains("A run is active"), "{}", console.text());
    console.keys("enter");
    assert!(console.take_effects().is_empty() && !console.model.leaving, "to stay has the focus");
    console.keys("ctrl-c ctrl-c");
    assert!(console.take_effects().is_empty(), "pressed twice by mistake, it stays");
    console.keys("ctrl-c tab enter");
    assert!(matches!(console.take_effects().as_slice(), [Effect::Cancel(cancelled)] if *cancelled == ticket));
    assert!(console.model.leaving);
    console.event(Event::Finished(ticket, Ok(Box::new(report("dev", End::Interrupted, tally(9))))));
    assert!(matches!(console.take_effects().as_slice(), [Effect::Quit]));
}

#[test]
fn a_run_is_not_suspended_in_the_middle() {
    let mut console = console((80, 24));
    let ticket = run(&mut console, "dev");
    console.keys("ctrl-z");
    assert!(console.take_effects().is_empty());
    assert!(console.text().contains("a run is active: it would stop in the middle"), "{}", console.text());
    let asked = plans::ask(&mut console, "staging");
    console.keys("ctrl-z");
    assert!(console.take_effects().is_empty(), "nor over a plan");
    console.event(Event::Planned(asked, Err(expired()))).keys("esc");
    console.event(Event::Finished(ticket, Ok(Box::new(report("dev", End::Done, tally(9)))))).take_effects();
    console.keys("ctrl-z");
    assert!(matches!(console.take_effects().as_slice(), [Effect::Suspend]));
}

#[test]
fn a_sequence_of_keys_ends_where_something_else_takes_the_keys() {
    let mut console = console((80, 24));
    let click = Event::Mouse(Mouse { what: MouseWhat::Click, column: 40, row: 12 });
    console.keys("g");
    assert_eq!(console.model.pending.len(), 1);
    console.event(click);
    assert!(console.model.pending.is_empty(), "a click");
    console.keys("g");
    plans::ask(&mut console, "dev");
    console.keys("esc g");
    console.keys("esc");
    console.keys("g ?");
    console.keys("esc");
    assert!(console.model.pending.is_empty());
}

#[test]
fn asked_twice_it_leaves_at_once() {
    let mut console = console((80, 24));
    run(&mut console, "dev");
    console.keys("ctrl-c y").take_effects();
    console.keys("ctrl-c");
    assert!(console.text().contains("Leave at once"), "{}", console.text());
    console.keys("y");
    assert!(matches!(console.take_effects().as_slice(), [Effect::Quit]));
}

#[test]
fn a_signal_stops_runs_and_ends_after_the_last() {
    let mut console = console((80, 24));
    let first = run(&mut console, "dev");
    console.keys("1");
    let second = run(&mut console, "staging");
    console.event(Event::Terminate);
    let cancelled = console.take_effects();
    assert!(
        matches!(cancelled.as_slice(), [Effect::Cancel(one), Effect::Cancel(other)] if *one == first && *other == second)
    );
    console.event(Event::Finished(first, Ok(Box::new(report("dev", End::Interrupted, tally(9))))));
    assert!(!console.take_effects().iter().any(|effect| matches!(effect, Effect::Quit)));
    console.event(Event::Finished(second, Ok(Box::new(report("staging", End::Interrupted, tally(9))))));
    assert!(matches!(console.take_effects().as_slice(), [Effect::Quit]));
    let mut idle = self::console((80, 24));
    idle.event(Event::Terminate);
    assert!(matches!(idle.take_effects().as_slice(), [Effect::Quit]));
}

#[test]
fn the_question_goes_when_the_last_run_has_ended() {
    let mut console = console((80, 24));
    let ticket = run(&mut console, "dev");
    console.keys("ctrl-c");
    console.event(Event::Finished(ticket, Ok(Box::new(report("dev", End::Done, tally(9))))));
    assert!(console.model.overlay.is_none());
}

#[test]
fn the_journal_of_a_run_is_read_on_a_key() {
    let mut console = console((120, 40));
    let ticket = run(&mut console, "dev");
    console.keys("J");
    assert!(console.text().contains("it has no journal yet"), "{}", console.text());
    console.event(Event::Progress(ticket, Box::new(progress(3, tally(100)))));
    console.keys("J");
    let effects = console.take_effects();
    let Some(Effect::ReadJournal(asked, id)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(*id, plans::run_id(7));
    console.event(Event::JournalRead(Ticket(0), Err(expired())));
    console.event(Event::JournalRead(*asked, Ok(plans::journal())));
    let text = console.text();
    assert!(text.contains("opened by nina (typed), opsctl 0.1.0: INC-4711"), "{text}");
    assert!(text.contains("batch 1: 1 may or may not have been sent"), "{text}");
}

#[test]
fn a_journal_is_put_in_words_once() {
    let mut console = console((120, 40));
    let ticket = run(&mut console, "dev");
    console.event(Event::Progress(ticket, Box::new(progress(3, tally(100)))));
    console.keys("J");
    let effects = console.take_effects();
    let Some(Effect::ReadJournal(asked, _)) = effects.first() else { panic!("{effects:?}") };
    console.event(Event::JournalRead(*asked, Ok(plans::journal())));
    let words = |console: &Console| match console.model.view() {
        View::Run(view) => view.worded.as_ref().expect("a journal").page.clone(),
        _ => panic!("a run is shown"),
    };
    let before = words(&console);
    console.event(Event::Progress(ticket, Box::new(progress(4, tally(1_311)))));
    console.event(Event::Tick(now() + SignedDuration::from_secs(4)));
    assert!(Arc::ptr_eq(&before, &words(&console)));
    assert!(console.text().contains("1,311 of"), "{}", console.text());
    console.event(Event::Resize(80, 24));
    assert!(!Arc::ptr_eq(&before, &words(&console)), "another width");
    let narrow = words(&console);
    console.keys("ctrl-r");
    let effects = console.take_effects();
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::ReadJournal(ticket, _) => Some(*ticket),
        _ => None,
    });
    console.event(Event::JournalRead(asked.expect("a question"), Ok(Vec::new())));
    assert!(!Arc::ptr_eq(&narrow, &words(&console)), "another journal");
    console.keys("G");
    assert!(console.text().contains("Journal, 0 records"), "{}", console.text());
}

#[test]
fn the_journal_comes_into_sight_once_and_then_the_place_is_the_persons() {
    let mut console = console((80, 24));
    let ticket = run(&mut console, "dev");
    console.event(Event::Finished(ticket, Ok(Box::new(partly()))));
    console.take_effects();
    console.keys("J");
    let effects = console.take_effects();
    let Some(Effect::ReadJournal(asked, _)) = effects.first() else { panic!("{effects:?}") };
    let entries: Vec<_> = plans::journal().into_iter().cycle().take(40).collect();
    console.event(Event::JournalRead(*asked, Ok(entries)));
    assert!(
        console.text().lines().nth(4).is_some_and(|line| line.contains("Journal, 40 records")),
        "{}",
        console.text()
    );
    console.keys("g g");
    console.event(Event::Tick(now() + SignedDuration::from_secs(1)));
    assert!(!console.text().contains("Journal, 40"), "{}", console.text());
}

#[test]
fn hostile_text_is_only_shown() {
    for hostile in HOSTILE {
        let mut console = console((80, 24));
        let ticket = run(&mut console, "dev");
        let mut report = partly();
        report.notes = vec![Text::line(hostile)];
        report.details = Details::Messages(Box::new(Tally {
            kept: [(hostile.to_owned(), 3)].into(),
            kept_named: vec![(MessageId(hostile.to_owned()), Text::line(hostile))],
            ..Tally::default()
        }));
        console.event(Event::Finished(ticket, Ok(Box::new(report))));
        let text = console.text();
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\t']), "{text}");
    }
}

#[test]
fn the_stages() {
    screens("run_begun", |console| {
        run(console, "prod");
    });
    screens("run_moving", |console| {
        let ticket = run(console, "prod");
        going(console, ticket, ramped);
    });
    screens("run_watching", |console| {
        let ticket = run(console, "prod");
        going(console, ticket, watching);
    });
    screens("run_stopping", |console| {
        let ticket = run(console, "dev");
        going(console, ticket, tally);
        console.keys("X");
    });
    screens("run_done", |console| {
        let ticket = run(console, "prod");
        going(console, ticket, ramped);
        console.event(Event::Finished(ticket, Ok(Box::new(report("prod", End::Done, tally(4_200))))));
    });
    screens("run_partly", |console| {
        let ticket = run(console, "prod");
        console.event(Event::Finished(ticket, Ok(Box::new(partly()))));
    });
    screens("run_not_begun", |console| {
        let ticket = run(console, "prod");
        console.event(Event::Finished(ticket, Err(expired())));
    });
    screens("quitting", |console| {
        let first = run(console, "dev");
        going(console, first, tally);
        run(console, "staging");
        console.keys("ctrl-c");
    });
}
