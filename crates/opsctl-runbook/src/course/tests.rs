use std::path::Path;

use super::*;
use crate::{Origin, check};

fn runbook(steps: &str) -> Runbook {
    let text = format!("# T\n\n```toml runbook\nparameters.queue = {{ kind = \"queue\" }}\n```\n\n{steps}");
    let checked = check("t", Path::new("t.md"), Origin::BuiltIn, &text);
    checked.runbook.unwrap_or_else(|| panic!("{}", checked.problems.render(crate::files::Paint::Plain)))
}

fn step(name: &str, toml: &str) -> String {
    format!("## {name}\n\n```toml step\n{toml}\n```\n\n")
}

const REDRIVE: &str = "do = \"redrive\"\nwith = { queue = \"{queue}\" }";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
}

fn ran(end: End, is_left: bool) -> StepEvent {
    let run = "20260101T000000-000000".parse().expect("a run");
    StepEvent::Ran { run, end, done: 3, seconds: 1.0, summary: Text::from("3 moved"), is_left, by: None }
}

fn checked(held: bool) -> StepEvent {
    StepEvent::Checked { held, saw: Text::from("queue.messages = 2"), seconds: 1.0 }
}

fn decided(decision: Decision) -> StepEvent {
    StepEvent::Decided { by: Text::from("anna"), decision }
}

/// A course after events, each with the step it is of.
fn after(runbook: &Runbook, events: &[(usize, StepEvent)]) -> Course {
    let mut course = Course::new(runbook);
    for (number, (index, event)) in events.iter().enumerate() {
        course.on(runbook, *index, event, at(number as i64));
    }
    course
}

#[test]
fn a_step_is_guarded_done_and_checked_and_then_the_next_is_reached() {
    let runbook =
        runbook(&format!("{}## By hand\n", step("A", &format!("{REDRIVE}\ncheck = \"queue.messages == 0\""))));
    let mut events = vec![(0, StepEvent::Begun {})];
    assert_eq!(after(&runbook, &[]).next(&runbook), Next::Guard(0));
    assert_eq!(after(&runbook, &events).next(&runbook), Next::Act(0));
    events.push((0, ran(End::Done, false)));
    assert_eq!(after(&runbook, &events).next(&runbook), Next::Check(0));
    events.push((0, checked(true)));
    assert_eq!(after(&runbook, &events).next(&runbook), Next::Guard(1));
    events.extend([(1, StepEvent::Begun {}), (1, StepEvent::HandDone { by: Text::from("anna"), note: None })]);
    let course = after(&runbook, &events);
    assert_eq!(course.next(&runbook), Next::Finished);
    assert_eq!(
        course.steps().iter().map(|step| step.state).collect::<Vec<_>>(),
        [StepState::Verified, StepState::ByHand]
    );
    assert_eq!(course.end(), End::Done);
}

#[test]
fn a_failed_step_waits_for_a_decision_and_each_decision_leads_on() {
    let toml = format!("{REDRIVE}\ncheck = \"queue.messages == 0\"");
    let runbook = runbook(&step("A", &toml));
    let failed = [(0, StepEvent::Begun {}), (0, ran(End::Done, false)), (0, checked(false))];
    assert_eq!(after(&runbook, &failed).next(&runbook), Next::Decide(0));
    let next = |decision: Decision| {
        let events: Vec<_> = failed.iter().cloned().chain([(0, decided(decision))]).collect();
        let course = after(&runbook, &events);
        (course.next(&runbook), course.steps()[0].state)
    };
    let text = Text::from("why");
    assert_eq!(next(Decision::Again { uncertain: Uncertain::Leave }), (Next::Act(0), StepState::Running));
    assert_eq!(next(Decision::CheckAgain {}), (Next::Check(0), StepState::Running));
    assert_eq!(next(Decision::ByHand { note: text.clone() }), (Next::Check(0), StepState::Running));
    assert_eq!(next(Decision::Skip { reason: text }), (Next::Finished, StepState::Skipped));
    assert_eq!(next(Decision::Stop {}), (Next::Finished, StepState::Failed));
}

#[test]
fn what_is_always_done_is_done_when_a_run_stops_and_changes_are_offered_back() {
    let steps = [
        step("A", &format!("{REDRIVE}\nundo = {{ do = \"restore\", with = {{ run = \"20260101T000000-000000\" }} }}")),
        step("B", &format!("{REDRIVE}\non_failure = \"stop\"")),
        step("C", REDRIVE),
        step("D", &format!("{REDRIVE}\nalways = true")),
    ];
    let runbook = runbook(&steps.concat());
    let mut events = vec![(0, StepEvent::Begun {}), (0, ran(End::Done, false)), (1, StepEvent::Begun {})];
    events.push((1, StepEvent::NotDone { because: Text::from("refused") }));
    assert_eq!(after(&runbook, &events).next(&runbook), Next::Undo(0));
    events.push((0, StepEvent::NotUndone { because: Text::from("declined") }));
    assert_eq!(after(&runbook, &events).next(&runbook), Next::Guard(3), "C is left out");
    events.extend([(3, StepEvent::Begun {}), (3, StepEvent::NothingToDo { summary: Text::from("as it was") })]);
    let course = after(&runbook, &events);
    assert_eq!(course.next(&runbook), Next::Finished);
    assert_eq!(course.end(), End::Partly);
    assert_eq!(course.steps()[2].state, StepState::Waiting);
}

#[test]
fn a_step_that_may_fail_is_followed_by_the_next_and_the_run_is_partly_done() {
    let steps = [step("A", &format!("{REDRIVE}\non_failure = \"continue\"")), step("B", REDRIVE)];
    let runbook = runbook(&steps.concat());
    let mut events = vec![(0, StepEvent::Begun {}), (0, StepEvent::NotDone { because: Text::from("refused") })];
    assert_eq!(after(&runbook, &events).next(&runbook), Next::Guard(1), "nobody is asked");
    events.extend([(1, StepEvent::Begun {}), (1, ran(End::Done, false))]);
    let course = after(&runbook, &events);
    assert_eq!((course.next(&runbook), course.end()), (Next::Finished, End::Partly));
    assert_eq!(course.steps()[0].because, Some(Text::from("refused")));
}

#[test]
fn parts_are_checked_one_after_the_other() {
    let toml = format!(
        "{REDRIVE}\ncheck = \"queue.messages == 0\"\nrepeat = {{ shares = [10, 100], of = \"queue.messages\", input = \"limit\" }}"
    );
    let runbook = runbook(&step("A", &toml));
    let mut events = vec![(0, StepEvent::Begun {})];
    assert_eq!(after(&runbook, &events).next(&runbook), Next::Measure(0));
    events.push((0, StepEvent::Measured { whole: json!(200) }));
    for part in 0..2 {
        assert_eq!(after(&runbook, &events).next(&runbook), Next::Act(0), "part {part}");
        events.push((0, ran(End::Done, false)));
        assert_eq!(after(&runbook, &events).next(&runbook), Next::Check(0));
        events.push((0, checked(true)));
    }
    assert_eq!(after(&runbook, &events).next(&runbook), Next::Finished);
}

#[test]
fn what_a_run_left_is_gone_on_with() {
    let runbook = runbook(&step("A", REDRIVE));
    let events = [
        (0, StepEvent::Begun {}),
        (0, ran(End::Partly, true)),
        (0, decided(Decision::Again { uncertain: Uncertain::Leave })),
    ];
    let course = after(&runbook, &events);
    assert_eq!(course.next(&runbook), Next::Act(0));
    assert!(course.steps()[0].left().is_some());
    let events: Vec<_> = events.into_iter().chain([(0, ran(End::Done, false))]).collect();
    let course = after(&runbook, &events);
    assert_eq!((course.steps()[0].runs.len(), course.steps()[0].state), (1, StepState::Verified));
}

#[test]
fn answers_and_outcomes_are_values_for_what_comes_after() {
    let steps = [step("Q", "ask = \"version\"\nkeep = \"fix\""), step("A", REDRIVE)];
    let runbook = runbook(&steps.concat());
    let events = [
        (0, StepEvent::Begun {}),
        (0, StepEvent::Answered { value: json!("1.4.2"), by: Text::from("anna") }),
        (1, StepEvent::Begun {}),
        (1, ran(End::Done, false)),
    ];
    let values = after(&runbook, &events).values(&runbook, &Values::default());
    assert_eq!(values.get("fix"), Some(&json!("1.4.2")));
    assert_eq!(values.get("a.done"), Some(&json!(3)));
    assert_eq!(values.get("a.state"), Some(&json!("verified")));
}

#[test]
fn a_guard_that_could_not_be_judged_is_judged_again_and_a_run_that_was_left_goes_on() {
    let runbook = runbook(&step("A", &format!("{REDRIVE}\nwhen = \"queue.messages > 0\"")));
    let unknown = StepEvent::GuardUnknown { because: Text::from("queue.messages is not known") };
    let events = [(0, unknown), (0, decided(Decision::Again { uncertain: Uncertain::Leave }))];
    assert_eq!(after(&runbook, &events[..1]).next(&runbook), Next::Decide(0));
    assert_eq!(after(&runbook, &events).next(&runbook), Next::Guard(0));
    let left = after(&runbook, &[(0, StepEvent::Begun {}), (0, ran(End::Interrupted, true))]);
    assert_eq!(left.next(&runbook), Next::Act(0));
    assert!(left.steps()[0].left().is_some());
}
