//! Runbooks in the console: the list, one as it is read, the form, a run that asks, and what is answered.

use std::{fs, sync::Arc};

use jiff::SignedDuration;
use opsctl::{
    domain::{EnvironmentName, RunId, Text},
    gate::Answer,
    operations::{plan::Plan, values::Uncertain},
    runbook::{
        Ask, Course, Decision, Kind, Runbook, StepState,
        drive::{By, Reply, StepReport, Why, steps},
        shelf::{Shelf, Shelved},
    },
    tui::state::{
        effect::Effect,
        event::Event,
        run::Subject,
        runbook::{Asked, Begin, Heard, Moved, Question, Said, Stood},
        ticket::Ticket,
        view::{Overlay, View},
    },
};

use super::{plans, scenes::night};
use crate::support::console::{Console, now};

const DRAIN: &str = r#"# Drain a dead-letter queue after a fix

Messages that a consumer could not handle wait in a dead-letter queue.

```toml runbook
owner = "payments"
last_rehearsed = 2026-11-12
recovery_time = "30m"
applies_when = ["dead-letters", "expires", "growing"]
parameters.queue = { kind = "queue", help = "The dead-letter queue" }
parameters.canary = { kind = "number", default = 5 }
```

## Find the cause

Read the **errors** of the messages.

## Is the fix out?

```toml step
ask = "choice"
choices = ["yes", "partly"]
keep = "fix"
```

## Try a few

A few of them show whether it helps.

```toml step
do = "redrive"
with = { queue = "{queue}", limit = "{canary}" }
check = "queue.messages >= 0"
within = "5m"
```
"#;

fn shelved() -> Vec<Shelved> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("drain.md"), DRAIN).expect("written");
    fs::write(folder.path().join("wrong.md"), "# Wrong\n\n## A step\n\n```toml step\ndo = \"nothing\"\n```\n")
        .expect("written");
    let all = Shelf { folder: Some(folder.path().to_owned()) }.all().expect("read");
    // What opsctl brings is looked at elsewhere.
    all.into_iter().filter(|shelved| ["drain", "wrong"].contains(&shelved.name.as_str())).collect()
}

fn drain() -> Arc<Runbook> {
    Arc::new(shelved()[0].runbook().expect("it is good").clone())
}

fn console(size: (u16, u16)) -> Console {
    let mut console = night(size);
    console.event(Event::Runbooks(Ok(Arc::new(shelved()))));
    console.take_effects();
    console
}

/// Steps of which this many are done, and the next is at work.
fn standing(done: usize) -> Vec<StepReport> {
    let runbook = drain();
    let mut all = steps(&runbook, &Course::new(&runbook));
    all.iter_mut().take(done).for_each(|step| (step.state, step.seconds) = (StepState::Verified, Some(4.0)));
    if let Some(step) = all.get_mut(done) {
        step.state = StepState::Running;
    }
    all
}

fn run_id() -> RunId {
    "20261121T031244-4f7a9c".parse().expect("a run")
}

/// Begins a run from Home, on the queue that stands first there.
fn begun(console: &mut Console) -> Ticket {
    console.keys("B enter");
    let effects = console.take_effects();
    let begun = effects.iter().find_map(|effect| match effect {
        Effect::CarryOut(ticket, _) => Some(*ticket),
        _ => None,
    });
    begun.unwrap_or_else(|| panic!("nothing was begun: {effects:?}\n{}", console.text()))
}

fn heard(console: &mut Console, ticket: Ticket, index: usize, number: u64, question: Question) {
    let moved = Some(Moved { steps: standing(index), index, is_stopping: false });
    let asked = Some(Box::new(Asked { number, index, question }));
    let deadline = Some(Text::from("the oldest of ~4,812 messages in payments-dlq expires within 20 h"));
    let heard = Heard { run: Some(run_id()), moved, asked, deadline, ..Heard::default() };
    console.event(Event::RunbookHeard(ticket, Box::new(heard)));
}

fn agree() -> Question {
    Question::Agree { plan: Box::new(plan()), why: Why::Step, part: None }
}

fn plan() -> Plan {
    plans::plan("prod")
}

fn said(console: &mut Console) -> (u64, Said) {
    let effects = console.take_effects();
    let said = effects.into_iter().find_map(|effect| match effect {
        Effect::Answer(_, number, said) => Some((number, *said)),
        _ => None,
    });
    said.unwrap_or_else(|| panic!("nothing was answered:\n{}", console.text()))
}

#[test]
fn the_list_one_as_it_is_read_and_the_form() {
    for size in [(80, 24), (120, 40)] {
        let name = |what: &str| format!("runbooks-{what}-{}x{}", size.0, size.1);
        let mut shown = console(size);
        shown.keys("9");
        insta::assert_snapshot!(name("list"), shown.content());
        shown.keys("enter");
        insta::assert_snapshot!(name("read"), shown.content());
        shown.keys("R");
        shown.event(Event::Names(EnvironmentName("prod".to_owned()), Kind::Queue, Ok(vec!["late".to_owned()])));
        shown.keys("space down");
        let names = ["orders", "orders-dlq", "payments-dlq"].map(str::to_owned).to_vec();
        shown.event(Event::Names(EnvironmentName("dev".to_owned()), Kind::Queue, Ok(names)));
        shown.keys("d l q");
        insta::assert_snapshot!(name("form"), shown.content());
    }
}

#[test]
fn a_run_that_asks() {
    for size in [(80, 24), (120, 40)] {
        let name = |what: &str| format!("runbooks-{what}-{}x{}", size.0, size.1);
        let mut shown = console(size);
        let ticket = begun(&mut shown);
        heard(&mut shown, ticket, 0, 0, Question::Hand);
        insta::assert_snapshot!(name("hand"), shown.content());
        let because = Text::from("came back: 3 of 5");
        heard(&mut shown, ticket, 2, 1, Question::Decide { because, left: Some(run_id()), check_failed: true });
        shown.keys("enter");
        insta::assert_snapshot!(name("decide"), shown.content());
        shown.keys("esc");
        heard(&mut shown, ticket, 2, 2, agree());
        shown.keys("enter");
        insta::assert_snapshot!(name("plan"), shown.content());
    }
}

#[test]
fn a_list_without_runbooks_says_how_to_write_one() {
    let mut console = night((80, 24));
    console.event(Event::Runbooks(Ok(Arc::new(Vec::new())))).keys("9");
    assert!(console.text().contains("opsctl runbook new"), "{}", console.text());
    assert!(console.keys("R").text().contains("there is no runbook"));
}

#[test]
fn homes_verdict_fills_in_what_it_is_about() {
    let mut console = console((120, 40));
    assert!(console.text().contains("B runbook drain"), "{}", console.text());
    console.keys("B");
    console.event(Event::Paste("why not".to_owned()));
    console.keys("enter");
    let effects = console.take_effects();
    let begin = effects.iter().find_map(|effect| match effect {
        Effect::CarryOut(_, begin) => Some(begin),
        _ => None,
    });
    let Some(begin) = begin else { panic!("{effects:?}") };
    let Begin::New { runbook, parameters, environment, reason } = &**begin else { panic!("{begin:?}") };
    assert_eq!((runbook.name.as_str(), environment.0.as_str()), ("drain", "prod"));
    assert_eq!(parameters.get("queue").and_then(|queue| queue.as_str()), Some("payments-dlq"));
    assert_eq!(parameters.get("canary").and_then(serde_json::Value::as_i64), Some(5));
    assert_eq!(reason.as_ref().map(Text::as_str), Some("why not"));
    assert!(matches!(console.model.view(), View::RunbookRun(_)));
}

#[test]
fn what_is_missing_or_unknown_begins_nothing() {
    let mut console = console((120, 40));
    console.keys("9 R enter");
    assert!(console.text().contains("required"));
    console.keys("space down");
    console.event(Event::Names(EnvironmentName("dev".to_owned()), Kind::Queue, Ok(vec!["orders-dlq".to_owned()])));
    console.take_effects();
    console.event(Event::Paste("order-dlq".to_owned())).keys("enter");
    assert!(console.text().contains("did you mean orders-dlq?"), "{}", console.text());
    console.keys("9 R");
    assert!(console.take_effects().is_empty(), "nothing was begun");
    assert!(matches!(console.model.overlay, Some(Overlay::Values(_))));
}

#[test]
fn who_looks_elsewhere_is_called_and_finds_the_question_again() {
    let mut console = console((120, 40));
    let ticket = begun(&mut console);
    heard(&mut console, ticket, 0, 0, Question::Hand);
    assert!(console.take_effects().is_empty(), "it is on the screen");
    console.keys("1");
    console.take_effects();
    heard(&mut console, ticket, 1, 1, Question::Answer(ask()));
    let effects = console.take_effects();
    assert!(matches!(effects.as_slice(), [Effect::Attention(Some(_))]), "{effects:?}");
    let words = "runbook drain in prod waits for an answer to `Is the fix out?`";
    assert!(console.text().contains(words), "{}", console.text());
    console.keys("6");
    assert!(console.text().contains("1 of 3 steps: waits for an answer"), "{}", console.text());
    console.keys("enter enter right enter");
    let (number, answer) = said(&mut console);
    assert!(number == 1 && matches!(answer, Said::Answered(Reply::Said(value)) if value == "partly"));
    assert!(!console.text().contains(words));
}

fn ask() -> Ask {
    let choices = ["yes", "partly"].map(str::to_owned).to_vec();
    Ask { kind: Kind::Choice, choices, several: false, keep: "fix".to_owned() }
}

#[test]
fn consent_is_as_strict_as_the_environment_asks() {
    let mut console = console((120, 40));
    let ticket = begun(&mut console);
    heard(&mut console, ticket, 2, 7, agree());
    console.keys("enter y");
    console.keys("n o enter");
    assert!(console.take_effects().is_empty(), "a wrong name is no consent: {}", console.text());
    console.keys("ctrl-u");
    let phrase = opsctl::gate::phrase(&plan());
    console.event(Event::Paste(phrase.clone())).keys("enter d r i l l enter");
    let (number, answer) = said(&mut console);
    let Said::Agreed(Reply::Said(consent)) = answer else { panic!("{answer:?}") };
    assert_eq!((number, consent.answer), (7, Answer::Typed(phrase)));
    assert_eq!(consent.reason.as_ref().map(Text::as_str), Some("drill"));
    assert!(console.model.runs.is_empty(), "the run itself carries it out");
}

#[test]
fn a_plan_that_is_too_old_is_made_anew_by_the_run() {
    let mut console = console((120, 40));
    let ticket = begun(&mut console);
    heard(&mut console, ticket, 2, 7, agree());
    console.keys("enter");
    console.event(Event::Tick(now() + SignedDuration::from_mins(6)));
    console.keys("y");
    console.event(Event::Paste(opsctl::gate::phrase(&plan()))).keys("enter d enter");
    let (number, answer) = said(&mut console);
    assert!(number == 7 && matches!(answer, Said::Agreed(Reply::Again)));
    heard(&mut console, ticket, 2, 8, agree());
    assert!(console.text().contains("it is made anew"), "{}", console.text());
    assert!(matches!(console.model.overlay, Some(Overlay::Flow(_))), "the new plan is shown in its place");
}

#[test]
fn each_way_out_of_a_failed_step_is_told_to_the_run() {
    let because = || Text::from("came back");
    let decide = || Question::Decide { because: because(), left: None, check_failed: true };
    let cases = [
        ("enter", Decision::CheckAgain {}),
        ("down enter", Decision::Again { uncertain: Uncertain::Leave }),
        ("down down m e enter", Decision::ByHand { note: Text::from("me") }),
        ("down down down l a t e r enter", Decision::Skip { reason: Text::from("later") }),
        ("up enter", Decision::Stop {}),
    ];
    for (keys, expected) in cases {
        let mut console = console((80, 24));
        let ticket = begun(&mut console);
        heard(&mut console, ticket, 2, 3, decide());
        console.keys("enter").keys(keys);
        let (_, answer) = said(&mut console);
        assert!(matches!(&answer, Said::Decided(Reply::Said(decision)) if *decision == expected), "{keys}: {answer:?}");
    }
    let mut console = console((80, 24));
    let ticket = begun(&mut console);
    heard(&mut console, ticket, 2, 3, decide());
    console.keys("enter down down enter");
    assert!(console.take_effects().is_empty(), "nobody says what was done");
    assert!(console.text().contains("say why, or what was done"), "{}", console.text());
}

#[test]
fn to_say_no_takes_a_reason() {
    let mut console = console((80, 24));
    let ticket = begun(&mut console);
    heard(&mut console, ticket, 2, 3, agree());
    console.keys("D enter");
    assert!(console.take_effects().is_empty());
    console.keys("n o t space n o w enter");
    let (_, answer) = said(&mut console);
    assert!(matches!(&answer, Said::Agreed(Reply::No(because)) if because.as_str() == "not now"), "{answer:?}");
}

#[test]
fn a_question_that_is_gone_is_answered_by_nobody() {
    let mut console = console((80, 24));
    let ticket = begun(&mut console);
    heard(&mut console, ticket, 0, 0, Question::Hand);
    console.keys("enter");
    heard(&mut console, ticket, 1, 1, Question::Answer(ask()));
    assert!(console.model.overlay.is_none(), "what was asked before is closed");
    console.take_effects();
    console.keys("enter enter");
    assert_eq!(said(&mut console).0, 1);
}

#[test]
fn leaving_leaves_the_run_open() {
    let mut console = console((80, 24));
    let ticket = begun(&mut console);
    heard(&mut console, ticket, 0, 0, Question::Hand);
    console.keys("Q");
    assert!(console.text().contains("runbook drain in prod"), "{}", console.text());
    console.keys("y");
    assert!(matches!(console.take_effects().as_slice(), [Effect::Cancel(cancelled)] if *cancelled == ticket));
    let failure = opsctl::run::Failure::new("stopped before it began: nothing was done", None);
    console.event(Event::RunbookFinished(ticket, Err(failure)));
    assert!(matches!(console.take_effects().as_slice(), [Effect::Quit]));
}

#[test]
fn somebody_elses_run_is_taken_over_only_when_asked_for_twice() {
    let mut console = console((120, 40));
    console.model.open(View::RunbookRun(Box::new(opsctl::tui::state::RunbookRunView::new(Subject::Past(run_id())))));
    console.keys("ctrl-r");
    let effects = console.take_effects();
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::ReadStanding(ticket, _) => Some(*ticket),
        _ => None,
    });
    let stood = Stood {
        run: run_id(),
        runbook: drain(),
        environment: EnvironmentName("dev".to_owned()),
        begun_by: Text::from("omar"),
        begun_at: now(),
        driver: Text::from("omar"),
        steps: standing(1),
        timeline: Vec::new(),
        continues: None,
        held: Vec::new(),
        end: None,
    };
    console.event(Event::Stood(asked.expect("it is read"), Ok(Box::new(stood))));
    console.keys("R");
    assert!(console.text().contains("omar runs it: O takes it over"), "{}", console.text());
    console.keys("O");
    assert!(console.take_effects().is_empty(), "it was asked for once");
    console.keys("O");
    let effects = console.take_effects();
    let taken = effects.iter().find_map(|effect| match effect {
        Effect::CarryOut(_, begin) => Some(begin.clone()),
        _ => None,
    });
    let Some(Begin::Again { run, by, .. }) = taken.map(|begin| *begin) else { panic!("{effects:?}") };
    assert_eq!((run, by), (run_id(), By::Anybody));
}
