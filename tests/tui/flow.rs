//! From a key to consent.

use jiff::SignedDuration;
use opsctl::{
    domain::{EnvironmentName, Protection, Text},
    gate::Answer,
    operations::{Operation, Purge, plan::Plan},
    run::End,
    sandbox::fleet,
    tui::{
        screens::flow::planning::begin,
        state::{
            effect::Effect,
            event::Event,
            look::{Look, Symbols, Theme},
            ticket::Ticket,
            view::View,
        },
    },
};

use super::plans::{self, HOSTILE, ask, asked, begun, console, expired, plan, plan_of, seal, tally};
use crate::support::console::{Console, Picture, SIZES, now};

fn is_closed(console: &Console) -> bool {
    console.model.overlay.is_none()
}

/// Every screen of a stage, at every size.
fn screens(name: &str, stage: impl Fn(&mut Console)) {
    for size in SIZES {
        let mut console = console(size);
        stage(&mut console);
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), console.content());
    }
}

fn planned(console: &mut Console, environment: &str, change: impl Fn(&mut Plan)) {
    let ticket = ask(console, environment);
    let mut plan = plan(environment);
    change(&mut plan);
    seal(&mut plan);
    console.event(Event::Planned(ticket, Ok(Box::new(plan))));
}

#[test]
fn from_a_key_to_the_report() {
    let mut console = Console::new((80, 24));
    console.seen(Picture::of("dev").queue("orders", 0).dead_letters("orders-dlq", "orders", 4_200).done());
    console.take_effects();
    console.keys("R");
    let ticket = asked(&mut console);
    assert!(console.text().contains("planning: redrive orders-dlq"), "{}", console.text());
    console.event(Event::Planned(ticket, Ok(Box::new(plan("dev")))));
    assert!(console.text().contains("redrive orders-dlq in dev (111111111111)?"), "{}", console.text());
    console.keys("y");
    let run = begun(&mut console);
    assert!(is_closed(&console));
    assert!(matches!(console.model.view(), View::Run(_)));
    console.event(Event::Progress(run, Box::new(plans::progress(3, tally(1_311)))));
    assert!(console.text().contains("31 %  1,311 of ~4,200"), "{}", console.text());
    let report = plans::report("dev", End::Done, tally(4_200));
    console.event(Event::Finished(run, Ok(Box::new(report))));
    let text = console.text();
    for expected in ["✓ done", "4,200 moved", "journal.jsonl", "opsctl redrive --queue orders-dlq --env dev"] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
}

#[test]
fn a_yes_is_consent_to_exactly_this_plan_by_this_person_now() {
    let mut console = console((80, 24));
    planned(&mut console, "dev", |_| {});
    console.keys("y");
    let effects = console.take_effects();
    let Some(Effect::Run(_, approved)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(*approved.plan(), plan("dev"));
    assert_eq!(approved.consent().answer, Answer::Yes);
    assert_eq!(approved.consent().by, Text::from("nina"));
    assert_eq!(approved.approved_at(), now());
}

#[test]
fn no_has_the_focus_and_enter_takes_it() {
    let mut console = console((80, 24));
    planned(&mut console, "dev", |_| {});
    assert!(console.text().contains("[ No ]"), "{}", console.text());
    console.keys("enter");
    assert!(is_closed(&console) && console.model.runs.is_empty());
    planned(&mut console, "dev", |_| {});
    console.keys("tab enter");
    begun(&mut console);
}

#[test]
fn nothing_is_agreed_to_before_the_plan_is_there() {
    let mut console = console((80, 24));
    let ticket = ask(&mut console, "dev");
    console.keys("y enter tab enter y");
    assert!(console.take_effects().is_empty());
    console.event(Event::Planned(ticket, Ok(Box::new(plan("dev")))));
    assert!(console.model.runs.is_empty(), "keys that came before the plan count for nothing");
}

#[test]
fn where_a_name_is_asked_a_yes_is_not_enough_and_mistakes_are_said() {
    let mut console = console((80, 24));
    planned(&mut console, "prod", |_| {});
    console.keys("y");
    assert!(console.model.runs.is_empty());
    console.keys("p r o d space o r d e r s enter");
    assert!(console.text().contains("what was typed is not `prod orders-dlq`"), "{}", console.text());
    console.keys("- d l q enter");
    assert!(console.text().contains("prod asks for a reason"), "{}", console.text());
    console.keys("enter");
    assert!(console.model.runs.is_empty(), "no reason, no run");
    console.keys("I N C - 4 7 1 1 enter");
    let effects = console.take_effects();
    let Some(Effect::Run(_, approved)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(approved.consent().answer, Answer::Typed("prod orders-dlq".to_owned()));
    assert_eq!(approved.consent().reason, Some(Text::from("INC-4711")));
}

#[test]
fn who_just_types_the_name_is_understood() {
    let mut console = console((80, 24));
    planned(&mut console, "prod", |_| {});
    console.keys("p r o d space o r d e r s - d l q tab w h y enter");
    begun(&mut console);
}

#[test]
fn escape_leads_back_a_step_at_a_time_and_does_nothing() {
    let mut console = console((80, 24));
    ask(&mut console, "prod");
    console.keys("esc");
    assert!(is_closed(&console), "while planning");
    planned(&mut console, "prod", |_| {});
    console.keys("o 9 esc");
    assert!(!is_closed(&console), "from the options to the plan");
    console.keys("y p r esc");
    assert!(!is_closed(&console), "from typing to the plan");
    console.keys("esc");
    assert!(is_closed(&console));
    let done: Vec<_> = console.take_effects();
    assert!(!done.iter().any(|effect| matches!(effect, Effect::Run(..))), "{done:?}");
}

#[test]
fn ctrl_c_gives_up_every_overlay_and_never_leaves_or_runs() {
    let stages: [&dyn Fn(&mut Console); 5] = [
        &|console| {
            ask(console, "dev");
        },
        &|console| planned(console, "dev", |_| {}),
        &|console| planned(console, "prod", |_| {}),
        &|console| {
            planned(console, "prod", |_| {});
            console.keys("y p r");
        },
        &|console| {
            planned(console, "dev", |_| {});
            console.keys("o");
        },
    ];
    for (number, stage) in stages.iter().enumerate() {
        let mut console = console((80, 24));
        stage(&mut console);
        console.take_effects();
        console.keys("ctrl-c ctrl-c");
        let effects = console.take_effects();
        let is_done = effects.iter().any(|effect| matches!(effect, Effect::Run(..)));
        assert!(!is_done && console.model.runs.is_empty(), "{number}: {effects:?}");
        assert!(is_closed(&console), "{number}");
    }
}

#[test]
fn an_answer_to_an_old_question_is_dropped() {
    let mut console = console((80, 24));
    let old = ask(&mut console, "dev");
    console.keys("esc");
    let new = ask(&mut console, "dev");
    console.event(Event::Planned(old, Ok(Box::new(plan("dev")))));
    assert!(console.text().contains("planning: redrive"), "{}", console.text());
    console.event(Event::Planned(new, Ok(Box::new(plan("dev")))));
    console.event(Event::Planned(old, Err(expired())));
    assert!(console.text().contains("[ No ]"), "{}", console.text());
    console.keys("esc");
    console.event(Event::Planned(new, Ok(Box::new(plan("dev")))));
    assert!(is_closed(&console), "nobody waits for it any more");
}

#[test]
fn an_empty_plan_asks_nothing() {
    let mut console = console((80, 24));
    planned(&mut console, "dev", |plan| plan.empty = true);
    assert!(console.text().contains("There is nothing to do."), "{}", console.text());
    console.keys("y tab y");
    assert!(console.model.runs.is_empty());
    console.keys("enter");
    assert!(is_closed(&console));
    planned(&mut console, "prod", |plan| plan.empty = true);
    console.keys("y p tab enter");
    assert!(console.model.runs.is_empty() && is_closed(&console));
}

#[test]
fn blockers_and_read_only_say_why_and_there_is_no_way_on() {
    let mut console = console((80, 24));
    planned(&mut console, "dev", |plan| plan.blockers.push("a move task is running on this DLQ".into()));
    assert!(console.text().contains("✗ a move task is running"), "{}", console.text());
    console.keys("y tab enter");
    assert!(console.model.runs.is_empty());

    let mut environments = fleet::environments();
    environments.iter_mut().for_each(|environment| environment.protection = Protection::ReadOnly);
    let mut console = Console::on(environments, (80, 24));
    begin(&mut console.model, &EnvironmentName("dev".to_owned()), plans::operation());
    console.event(Event::Planned(Ticket(1), Ok(Box::new(plan("dev")))));
    assert!(console.text().contains("dev is read-only"), "{}", console.text());
    console.keys("y tab enter y");
    assert!(console.model.runs.is_empty());
}

#[test]
fn an_old_plan_is_made_anew_before_it_is_agreed_to() {
    let mut console = console((80, 24));
    planned(&mut console, "dev", |_| {});
    console.event(Event::Tick(now() + SignedDuration::from_mins(6)));
    console.keys("y");
    assert!(console.model.runs.is_empty(), "the world has gone on");
    let again = asked(&mut console);
    assert!(console.text().contains("The plan was 6 min old"), "{}", console.text());
    let mut fresh = plan("dev");
    fresh.observed.insert("to orders: type".to_owned(), "fifo".to_owned());
    seal(&mut fresh);
    console.event(Event::Planned(again, Ok(Box::new(fresh.clone()))));
    assert!(console.text().contains("differs now: to orders: type: absent then, fifo now"), "{}", console.text());
    console.keys("y");
    let effects = console.take_effects();
    let Some(Effect::Run(_, approved)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(*approved.plan(), fresh);
}

#[test]
fn what_was_typed_for_one_plan_is_no_consent_to_the_next() {
    let mut console = console((80, 24));
    planned(&mut console, "prod", |_| {});
    console.keys("p r o d space o r d e r s - d l q tab w h y");
    console.event(Event::Tick(now() + SignedDuration::from_mins(6)));
    console.keys("enter");
    let again = asked(&mut console);
    let mut fresh = plan("prod");
    fresh.observed.insert("to orders: type".to_owned(), "fifo".to_owned());
    seal(&mut fresh);
    console.event(Event::Planned(again, Ok(Box::new(fresh))));
    console.keys("enter enter enter");
    assert!(console.model.runs.is_empty(), "{}", console.text());
    assert!(console.text().contains("what was typed is not"), "{}", console.text());
    assert!(console.text().contains("why   why"), "the reason stays: {}", console.text());
    // The same where it is planned again by hand, or what is typed comes while the plan is awaited.
    console.keys("p r o d space o r d e r s - d l q esc ctrl-r");
    let again = asked(&mut console);
    console.keys("y p r o d space o r d e r s - d l q");
    console.event(Event::Planned(again, Ok(Box::new(plan("prod")))));
    console.keys("enter enter enter");
    assert!(console.model.runs.is_empty(), "{}", console.text());
}

#[test]
fn what_cannot_be_seen_is_not_agreed_to() {
    for (environment, enough) in [("dev", 14), ("prod", 17)] {
        let mut console = console((80, 24));
        planned(&mut console, environment, |_| {});
        if environment == "prod" {
            console.keys("p r o d space o r d e r s - d l q tab w h y");
        }
        let key = if environment == "prod" { "enter" } else { "y" };
        for rows in (1..enough).rev() {
            console.event(Event::Resize(80, rows)).keys(key);
            assert!(console.model.runs.is_empty() && !is_closed(&console), "{environment} at {rows} rows");
        }
        console.event(Event::Resize(80, enough - 1)).keys(key);
        assert!(console.text().contains("make the terminal larger"), "{}", console.text());
        console.event(Event::Resize(80, enough)).keys(key);
        begun(&mut console);
    }
}

#[test]
fn where_nothing_is_seen_keys_only_give_up() {
    let mut console = console((80, 24));
    planned(&mut console, "dev", |_| {});
    console.event(Event::Resize(39, 24)).keys("tab enter y o ctrl-r p");
    assert!(console.take_effects().iter().all(|effect| matches!(effect, Effect::Focus(_))));
    console.event(Event::Resize(80, 24));
    assert!(console.text().contains("[ No ]"), "{}", console.text());
    console.event(Event::Resize(80, 9)).keys("ctrl-c");
    assert!(is_closed(&console));
}

#[test]
fn nothing_is_begun_once_it_is_about_to_end() {
    let mut console = console((80, 24));
    let run = plans::run(&mut console, "dev");
    planned(&mut console, "staging", |_| {});
    console.event(Event::Terminate).keys("y");
    assert_eq!(console.model.runs.len(), 1, "{}", console.text());
    assert!(console.text().contains("nothing is begun any more"), "{}", console.text());
    console.event(Event::Finished(run, Ok(Box::new(plans::report("dev", End::Interrupted, tally(9))))));
    assert!(console.take_effects().iter().any(|effect| matches!(effect, Effect::Quit)));
}

#[test]
fn options_are_read_as_on_the_command_line_and_plan_anew() {
    let mut console = console((120, 40));
    planned(&mut console, "prod", |_| {});
    console.keys("y p r o d esc o");
    console.keys("down 0");
    assert!(console.text().contains("it is 1 or more"), "{}", console.text());
    console.keys("enter");
    assert!(console.take_effects().is_empty(), "what is wrong is not planned");
    console.keys("backspace 5 down . b o d y down down 2 0 down 1 , a l l enter");
    let effects = console.take_effects();
    let Some(Effect::Plan(ticket, _, operation)) = effects.first() else { panic!("{effects:?}") };
    let Operation::Redrive(redrive) = operation.as_ref() else { panic!("{operation:?}") };
    assert_eq!((redrive.limit, redrive.filter.as_deref(), redrive.rate), (Some(5), Some(".body"), Some(20)));
    assert_eq!(redrive.ramp.as_ref().map(ToString::to_string), Some("1,all".to_owned()));
    console.event(Event::Planned(*ticket, Ok(Box::new(plan_of("prod", operation.as_ref().clone())))));
    console.keys("enter enter");
    assert!(console.text().contains("what was typed is not"), "another plan asks for its own consent");
}

#[test]
fn options_that_change_nothing_ask_for_no_plan() {
    let mut console = console((120, 40));
    planned(&mut console, "dev", |_| {});
    console.keys("o enter");
    assert!(console.take_effects().is_empty());
    assert!(console.text().contains("[ No ]"), "{}", console.text());
}

#[test]
fn expired_credentials_say_what_to_run_and_the_wish_survives() {
    let mut console = console((80, 24));
    let ticket = ask(&mut console, "dev");
    console.event(Event::Planned(ticket, Err(expired())));
    assert!(console.text().contains("aws sso login --profile nucleus-dev"), "{}", console.text());
    console.keys("ctrl-r");
    let again = asked(&mut console);
    console.event(Event::Planned(again, Ok(Box::new(plan("dev")))));
    console.keys("y");
    begun(&mut console);
}

#[test]
fn a_purge_asks_in_the_same_way() {
    let mut console = console((80, 24));
    let purge = Operation::Purge(Purge { queue: "orders-dlq".to_owned(), ..Purge::default() });
    let effects = begin(&mut console.model, &EnvironmentName("prod".to_owned()), purge.clone());
    let Some(Effect::Plan(ticket, ..)) = effects.first() else { panic!("{effects:?}") };
    console.event(Event::Planned(*ticket, Ok(Box::new(plan_of("prod", purge)))));
    assert!(console.text().contains("purge orders-dlq in prod (333333333333)?"), "{}", console.text());
    console.keys("y p r o d space o r d e r s - d l q enter");
    assert!(console.model.runs.is_empty());
    console.keys("o l d enter");
    begun(&mut console);
}

#[test]
fn the_command_line_is_copied() {
    let mut console = console((80, 24));
    planned(&mut console, "dev", |_| {});
    console.keys("Y");
    let effects = console.take_effects();
    let Some(Effect::Copy(text)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(text, "opsctl redrive --queue orders-dlq --env dev");
}

#[test]
fn pasting_never_answers() {
    let mut console = console((80, 24));
    planned(&mut console, "prod", |_| {});
    console.event(Event::Paste("prod orders-dlq\nbecause\n".to_owned()));
    assert!(console.model.runs.is_empty());
    console.keys("y").event(Event::Paste("prod orders-dlq\n".to_owned()));
    assert!(console.model.runs.is_empty(), "a pasted line feed is no enter");
}

#[test]
fn hostile_text_is_only_shown() {
    let long = "x".repeat(4_000);
    for hostile in HOSTILE.into_iter().chain([long.as_str()]) {
        for size in SIZES {
            let mut console = console(size);
            planned(&mut console, "prod", |plan| {
                plan.resource = Text::line(hostile);
                plan.summary = Text::line(hostile);
                plan.warnings.push(Text::line(hostile).into());
                plan.facts.iter_mut().for_each(|fact| fact.value = Text::line(hostile));
                plan.groups.iter_mut().for_each(|group| group.title = Text::line(hostile));
            });
            console.keys("y x enter");
            let text = console.text();
            assert!(!text.contains(['\u{1b}', '\u{202e}', '\t']), "{text}");
            assert!(text.lines().count() >= usize::from(size.1) - 1, "{text}");
        }
    }
}

#[test]
fn the_longest_name_is_seen_whole_before_it_is_typed() {
    let name = format!("{}-dlq", "n".repeat(76));
    let mut console = console((80, 24));
    planned(&mut console, "prod", |plan| plan.resource = Text::line(&name));
    let text: String = console.text().lines().map(|line| line.trim_matches(['│', ' '])).collect();
    assert!(text.contains(&name), "{}", console.text());
}

#[test]
fn without_colours_and_in_ascii_the_words_say_where_it_is() {
    let mut console = console((80, 24));
    console.model.look = Look { theme: Theme::None, symbols: Symbols::Ascii };
    planned(&mut console, "prod", |_| {});
    insta::assert_snapshot!("plan_name_plain", console.content());
    assert!(console.text().is_ascii(), "{}", console.text());
}

#[test]
fn what_does_not_fit_is_told() {
    let mut console = console((80, 24));
    planned(&mut console, "prod", |_| {});
    assert!(console.text().contains("↓ "), "{}", console.text());
    console.keys("G");
    assert!(console.text().contains("↑ ") && console.text().contains("opsctl redrive --queue"), "{}", console.text());
}

#[test]
fn the_stages() {
    screens("planning", |console| {
        ask(console, "prod");
    });
    screens("plan_yes", |console| planned(console, "dev", |_| {}));
    screens("plan_name", |console| planned(console, "prod", |_| {}));
    screens("plan_mistyped", |console| {
        planned(console, "prod", |_| {});
        console.keys("y p r o d enter");
    });
    screens("plan_blocked", |console| {
        planned(console, "prod", |plan| {
            plan.blockers.push("a move task is running on this DLQ: wait for it, or cancel it".into())
        });
    });
    screens("plan_empty", |console| planned(console, "dev", |plan| plan.empty = true));
    screens("plan_failed", |console| {
        let ticket = ask(console, "prod");
        console.event(Event::Planned(ticket, Err(expired())));
    });
    screens("plan_again", |console| {
        planned(console, "prod", |_| {});
        console.event(Event::Tick(now() + SignedDuration::from_mins(6)));
        console.keys("y p r o d space o r d e r s - d l q enter");
    });
    screens("options", |console| {
        planned(console, "prod", |_| {});
        console.keys("o down 0 down . b o d y down down down");
    });
}
