//! Activity: what is being done, and what journals tell of.

use jiff::SignedDuration;
use opsctl::{
    domain::{MessageId, Text},
    journal::RunSummary,
    operations::{Operation, transfer::Tally},
    run::End,
    tui::{state::effect::Effect, state::event::Event, state::view::View},
};

use super::plans::{self, console, failure, progress, report, run, summary, tally};
use crate::support::console::{Console, Picture, SIZES, now};

fn screens(name: &str, stage: impl Fn(&mut Console)) {
    for size in SIZES {
        let mut console = console(size);
        stage(&mut console);
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), console.content());
    }
}

fn history() -> Vec<RunSummary> {
    let uncertain = Tally { uncertain: vec![MessageId("9a1b77aa".to_owned())], ..tally(1_175) };
    let mut nothing = report("dev", End::Nothing, Tally::default());
    nothing.snapshot = None;
    let mut busy = summary("staging", 5, None);
    busy.busy = true;
    vec![
        busy,
        summary("prod", 12, None),
        summary("prod", 40, Some(report("prod", End::Partly, uncertain))),
        summary("dev", 3_000, Some(report("dev", End::Done, tally(42)))),
        summary("dev", 3_001, Some(nothing)),
        summary("staging", 3_002, Some(report("staging", End::Stale, Tally::default()))),
    ]
}

/// Opens it and answers its question.
fn listed(console: &mut Console, runs: Vec<RunSummary>) {
    console.keys("6");
    let effects = console.take_effects();
    let ticket = effects.iter().find_map(|effect| match effect {
        Effect::ReadRuns(ticket) => Some(*ticket),
        _ => None,
    });
    console.event(Event::Runs(ticket.expect("a question"), Ok(runs)));
}

#[test]
fn unfinished_runs_stand_out_with_the_key_that_goes_on() {
    let mut console = console((120, 40));
    listed(&mut console, history());
    let text = console.text();
    for expected in [
        "▲ broke off: R goes on",
        "▲ partly done, 1 uncertain: R goes on",
        "another process works on it",
        "6 runs, 2 unfinished",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
}

#[test]
fn a_broken_run_is_gone_on_with_after_consent() {
    let mut console = console((120, 40));
    listed(&mut console, history());
    console.keys("R");
    assert!(console.text().contains("resume: another process works on it"), "{}", console.text());
    console.keys("j R");
    let effects = console.take_effects();
    let Some(Effect::PlanResume(ticket, id)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(*id, history()[1].run);
    console.event(Event::Planned(*ticket, Ok(Box::new(plans::plan("prod")))));
    assert!(console.text().contains(&format!("go on with {id}: redrive orders-dlq")), "{}", console.text());
    console.keys("p r o d space o r d e r s - d l q enter x enter");
    let effects = console.take_effects();
    assert!(matches!(effects.first(), Some(Effect::Resume(_, resumed, _)) if resumed == id), "{effects:?}");
}

#[test]
fn messages_in_doubt_are_decided_on_anew_each_time() {
    let mut console = console((120, 40));
    listed(&mut console, history());
    console.keys("j R");
    let ticket = plans::asked(&mut console);
    console.event(Event::Planned(ticket, Ok(Box::new(plans::plan("prod")))));
    console.keys("o space enter");
    assert!(console.take_effects().is_empty(), "nothing is asked of AWS for it");
    console.keys("Y");
    let effects = console.take_effects();
    let Some(Effect::Copy(line)) = effects.first() else { panic!("{effects:?}") };
    assert!(line.contains("--uncertain resend"), "{line}");
    console.keys("p r o d space o r d e r s - d l q enter x enter");
    let effects = console.take_effects();
    let Some(Effect::Resume(_, _, approved)) = effects.first() else { panic!("{effects:?}") };
    let Operation::Redrive(redrive) = &approved.plan().operation else { panic!("a redrive") };
    assert_eq!(redrive.uncertain, opsctl::operations::values::Uncertain::Resend);
}

#[test]
fn what_a_run_took_is_put_back_by_a_plan() {
    let mut console = console((120, 40));
    listed(&mut console, history());
    console.keys("j j j U");
    let effects = console.take_effects();
    let Some(Effect::Plan(_, environment, operation)) = effects.first() else { panic!("{effects:?}") };
    let Operation::Restore(restore) = operation.as_ref() else { panic!("{operation:?}") };
    assert_eq!((environment.0.as_str(), &restore.run), ("dev", &history()[3].run));
    console.keys("esc j U");
    assert!(console.text().contains("it kept no snapshot"), "{}", console.text());
}

#[test]
fn a_past_run_is_read_step_by_step() {
    let mut console = console((120, 40));
    listed(&mut console, history());
    console.keys("j enter");
    let effects = console.take_effects();
    let Some(Effect::ReadJournal(ticket, _)) = effects.iter().find(|effect| matches!(effect, Effect::ReadJournal(..)))
    else {
        panic!("{effects:?}")
    };
    console.event(Event::JournalRead(*ticket, Ok(plans::journal())));
    let text = console.text();
    assert!(text.contains("It broke off") && text.contains("Journal, 5 records"), "{text}");
    console.keys("esc");
    assert!(matches!(console.model.view(), View::Activity(view) if view.cursor.at == 1));
}

#[test]
fn the_cursor_stays_on_its_run() {
    let mut console = console((120, 40));
    listed(&mut console, history());
    console.keys("j j");
    let mut more = history();
    more.insert(0, summary("dev", 1, Some(report("dev", End::Done, tally(1)))));
    listed(&mut console, more);
    assert!(matches!(console.model.view(), View::Activity(view) if view.cursor.at == 3));
}

#[test]
fn a_run_of_this_console_stands_once() {
    let mut console = console((120, 40));
    let ticket = run(&mut console, "dev");
    console.event(Event::Progress(ticket, Box::new(progress(3, tally(100)))));
    let mut same = summary("dev", 0, None);
    same.run = plans::run_id(7);
    listed(&mut console, vec![same]);
    assert!(matches!(console.model.view(), View::Activity(view) if view.rows.len() == 1));
    assert!(console.text().contains("2 %"), "{}", console.text());
    console.keys("X");
    assert!(matches!(console.take_effects().as_slice(), [Effect::Cancel(cancelled)] if *cancelled == ticket));
}

#[test]
fn what_was_gone_on_with_stands_once_as_it_is_now() {
    let mut console = console((120, 40));
    let ticket = run(&mut console, "dev");
    console.event(Event::Progress(ticket, Box::new(progress(3, tally(100)))));
    let mut broken = report("dev", End::Partly, tally(100));
    broken.next = Some(Text::from("opsctl redrive --resume it"));
    console.event(Event::Finished(ticket, Ok(Box::new(broken)))).take_effects();
    console.keys("R");
    let asked = plans::asked(&mut console);
    console.event(Event::Planned(asked, Ok(Box::new(plans::plan("dev"))))).keys("y");
    let again = plans::begun(&mut console);
    console.event(Event::Finished(again, Ok(Box::new(report("dev", End::Done, tally(4_200))))));
    console.take_effects();
    listed(&mut console, Vec::new());
    let text = console.text();
    assert!(text.contains("1 run") && !text.contains("unfinished") && !text.contains("partly"), "{text}");
}

/// Rows of the list, wherever it lies.
fn rows(console: &mut Console) -> &mut Vec<opsctl::tui::state::run::Row> {
    let list = console.model.views.iter_mut().find_map(|view| match view {
        View::Activity(view) => Some(&mut view.rows),
        _ => None,
    });
    list.expect("a list of runs")
}

#[test]
fn ten_thousand_runs_are_read_once_and_listed_when_they_change() {
    let mut console = console((120, 40));
    let ticket = run(&mut console, "dev");
    console.event(Event::Progress(ticket, Box::new(progress(3, tally(100)))));
    let ended = || Some(report("dev", End::Done, tally(42)));
    let many = (0..10_000).map(|at| {
        let mut summary = summary("dev", 10 + at, ended());
        summary.run = plans::run_id(100 + at as u32);
        summary
    });
    listed(&mut console, many.collect());
    assert_eq!(rows(&mut console).len(), 10_001);
    // Whoever makes the list again brings this one back.
    rows(&mut console).pop();
    for second in 4..104 {
        console.event(Event::Progress(ticket, Box::new(progress(second, tally(1_311)))));
    }
    assert!(console.text().contains("31 %"), "{}", console.text());
    console.event(Event::Tick(now() + SignedDuration::from_secs(1))).seen(Picture::of("dev").queue("orders", 0).done());
    assert_eq!(rows(&mut console).len(), 10_000);
    console.keys("g g enter");
    assert!(matches!(console.model.view(), View::Run(_)));
    console.event(Event::Progress(ticket, Box::new(progress(105, tally(1_400)))));
    console.event(Event::Tick(now() + SignedDuration::from_secs(2))).seen(Picture::of("dev").queue("orders", 1).done());
    assert_eq!(rows(&mut console).len(), 10_000, "it lies below");
    // What is known of past runs is not read out of their records again, even where all are listed anew.
    let opsctl::tui::state::ticket::Load::Here(past) = &mut console.model.history else { panic!("they were read") };
    past[0].known.standing = opsctl::tui::state::run::Standing::BrokeOff;
    console.keys("esc");
    assert_eq!(rows(&mut console).len(), 10_001);
    assert!(console.text().contains("1 unfinished"), "{}", console.text());
}

#[test]
fn an_old_answer_does_not_take_a_newer_ones_place() {
    let mut console = console((120, 40));
    console.keys("6 ctrl-r");
    let tickets: Vec<_> = console
        .take_effects()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::ReadRuns(ticket) => Some(ticket),
            _ => None,
        })
        .collect();
    console.event(Event::Runs(tickets[1], Ok(history())));
    console.event(Event::Runs(tickets[0], Ok(Vec::new())));
    assert!(matches!(console.model.view(), View::Activity(view) if view.rows.len() == 6));
}

#[test]
fn the_states() {
    screens("activity_loading", |console| {
        console.keys("6");
    });
    screens("activity_empty", |console| listed(console, Vec::new()));
    screens("activity_error", |console| {
        console.keys("6");
        let effects = console.take_effects();
        let Some(Effect::ReadRuns(ticket)) = effects.iter().find(|effect| matches!(effect, Effect::ReadRuns(_))) else {
            panic!("{effects:?}")
        };
        console.event(Event::Runs(*ticket, Err(failure("read folder: permission denied", "mend the permissions"))));
    });
    screens("activity_stale", |console| {
        listed(console, history());
        console.event(Event::Tick(now() + SignedDuration::from_mins(2)));
        console.keys("ctrl-r");
        let effects = console.take_effects();
        let Some(Effect::ReadRuns(ticket)) = effects.iter().find(|effect| matches!(effect, Effect::ReadRuns(_))) else {
            panic!("{effects:?}")
        };
        console.event(Event::Runs(*ticket, Err(failure("read folder: permission denied", "mend the permissions"))));
    });
    screens("activity", |console| {
        let first = run(console, "dev");
        console.event(Event::Progress(first, Box::new(progress(3, Tally { step: 2, steps: 4, ..tally(1_311) }))));
        // Once seen there, it stays under the cursor.
        console.keys("6");
        run(console, "prod");
        listed(console, history());
    });
    screens("past_run", |console| {
        listed(console, history());
        console.keys("j enter");
        let effects = console.take_effects();
        let Some(Effect::ReadJournal(ticket, _)) =
            effects.iter().find(|effect| matches!(effect, Effect::ReadJournal(..)))
        else {
            panic!("{effects:?}")
        };
        console.event(Event::JournalRead(*ticket, Ok(plans::journal())));
    });
}
