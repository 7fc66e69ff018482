//! Dead letters once more: edits that outlast a look, answers that come late, hostile text.

use insta::assert_snapshot;
use opsctl::{
    domain::{EnvironmentName, MessageId, Payload, QueueName},
    operations::Operation,
    run::End,
    tui::state::{effect::Effect, event::Event, letters::Letters, ticket::Ticket, view::View},
};

use super::letters::{asked, drafts, edit, looked, opened, planned, view};
use crate::support::{
    console::{Console, Picture, SIZES, redrive_to},
    letters::{failed, look, message, with},
};

/// A console in which the first message was edited and the edit kept, and a new look brings all but that one.
fn edited_and_looked_past() -> Console {
    let mut console = looked((120, 40), 4_812, failed());
    console.keys("m");
    edit(&mut console, "");
    console.keys("y ctrl-r");
    let ticket = asked(&mut console).expect("asked").0;
    console.event(Event::Looked(ticket, Ok(Box::new(look("dev", failed().split_off(1))))));
    console.take_effects();
    console
}

/// That the redrive begun carries the edit of the first message, and no ids.
fn carries_the_edit(console: &mut Console) {
    let (ticket, files) = drafts(console).expect("a program");
    let edits: Vec<&str> = files.iter().filter(|file| file.0 == "edit.jq").map(|file| file.1.as_str()).collect();
    assert!(edits.len() == 1 && edits[0].contains("000000000000"), "{files:?}");
    assert!(files.iter().all(|file| file.0 != "ids.txt"), "{files:?}");
    let paths = files.iter().map(|file| format!("/state/choices/x/{}", file.0).into()).collect();
    console.event(Event::Saved(ticket, Ok(paths)));
    let redrive = planned(console).expect("planned");
    assert_eq!((redrive.queue.as_str(), redrive.edit.as_deref()), ("orders-dlq", Some("/state/choices/x/edit.jq")));
    console.model.overlay = None;
}

#[test]
fn kept_edits_go_with_a_redrive_though_the_last_look_lacks_their_messages() {
    let mut console = edited_and_looked_past();
    console.keys("R");
    carries_the_edit(&mut console);
    console.keys("esc R");
    carries_the_edit(&mut console);
}

#[test]
fn kept_edits_go_with_a_redrive_from_every_view() {
    let mut console = edited_and_looked_past();
    console.keys("esc esc");
    assert!(matches!(console.model.view(), View::Home(_)));
    console.keys("R");
    carries_the_edit(&mut console);
    console.keys("d R");
    carries_the_edit(&mut console);
}

#[test]
fn a_filter_begun_among_the_groups_is_for_all_messages() {
    for leave in ["esc", "m"] {
        let mut console = looked((80, 24), 4_812, failed());
        console.keys("enter").keys(leave).keys("j / c a r d enter");
        let asked = console.take_effects().into_iter().rev().find_map(|effect| match effect {
            Effect::Match(ticket, code, ..) => Some((ticket, code)),
            _ => None,
        });
        let (ticket, code) = asked.expect("tried");
        console.event(Event::Matched(ticket, Ok((0..40).map(|at| Some(at % 8 == 5)).collect::<Vec<_>>().into())));
        assert_eq!((view(&console).group, view(&console).rows.len()), (None, 5), "{leave}");
        console.keys("R");
        assert_eq!(planned(&mut console).expect("planned").filter, Some(code), "{leave}");
    }
}

#[test]
fn a_filters_answer_goes_to_the_view_that_asked() {
    let mut console = looked((80, 24), 4_812, failed());
    console.keys("m / c a r d");
    let found = console.take_effects().into_iter().rev().find_map(|effect| match effect {
        Effect::Match(ticket, ..) => Some(ticket),
        _ => None,
    });
    let ticket = found.expect("tried");
    // Another letters' view lies over it.
    let mut other = view(&console).clone();
    (other.filter, other.typing) = (None, None);
    console.model.views.push(View::Letters(Box::new(other)));
    console.event(Event::Matched(ticket, Ok((0..40).map(|at| Some(at % 8 == 5)).collect::<Vec<_>>().into())));
    console.model.views.pop();
    assert_eq!(view(&console).rows.len(), 5);
}

#[test]
fn more_is_not_asked_for_where_the_gate_refuses() {
    let mut console = Console::new((80, 24));
    let picture = Picture::of("dev").queue_with("orders-dlq", 12, |seen| {
        seen.dead_letters = Some(opsctl::observe::queues::DeadLetters {
            sources: vec![QueueName("orders".to_owned())],
            known_by: opsctl::observe::queues::KnownBy::RedrivePolicy,
        });
        seen.queue.as_mut().expect("described").redrive = Some(redrive_to("orders-dlq-dlq", 3));
    });
    console.seen(picture.queue("orders-dlq-dlq", 0).done()).keys("enter + F");
    assert_eq!(asked(&mut console).map(|(_, messages, _)| messages), Some(200));
}

#[test]
fn a_queue_that_is_opened_again_awaits_the_look_under_way() {
    let (mut console, ticket) = opened((80, 24), 4_812);
    console.keys("esc enter");
    assert_eq!(asked(&mut console), None, "each look costs every message a receive");
    assert!(view(&console).letters.is_waiting());
    console.event(Event::Looked(ticket, Ok(Box::new(look("dev", failed())))));
    assert_eq!(view(&console).letters.shown().map(|letters| letters.messages.len()), Some(40));
    console.keys("ctrl-r");
    assert!(asked(&mut console).is_some(), "it has ended");
}

/// A console in which the last three of forty messages are selected, and the ticket of a new look.
fn three_selected() -> (Console, Ticket) {
    let mut console = looked((120, 40), 4_812, failed());
    console.keys("m G k k space space space ctrl-r");
    let ticket = asked(&mut console).expect("asked").0;
    assert_eq!(view(&console).selected.len(), 3);
    (console, ticket)
}

fn first(messages: usize) -> Letters {
    look("dev", failed().into_iter().take(messages).collect())
}

#[test]
fn what_a_look_that_broke_off_does_not_bring_stays_selected() {
    let (mut console, ticket) = three_selected();
    console.event(Event::Looked(ticket, Ok(Box::new(Letters { is_whole: false, ..first(10) }))));
    assert_eq!(view(&console).selected.len(), 3);
    console.keys("R");
    let (_, files) = drafts(&mut console).expect("a file of ids");
    assert_eq!(files[0].1.lines().count(), 3);
}

#[test]
fn a_redrive_is_refused_once_where_all_that_was_selected_is_gone() {
    let (mut console, ticket) = three_selected();
    console.event(Event::Looked(ticket, Ok(Box::new(first(38)))));
    assert_eq!(view(&console).selected.len(), 1);
    assert!(console.text().contains("no longer in the queue: 2 selected messages; still selected: 1"));
    console.keys("ctrl-r");
    let ticket = asked(&mut console).expect("asked").0;
    console.event(Event::Looked(ticket, Ok(Box::new(first(10)))));
    assert_eq!(view(&console).selected.len(), 0);
    console.keys("R");
    assert_eq!(planned(&mut console), None);
    assert!(console.text().contains("what was selected is gone from the queue"), "{}", console.text());
    console.keys("R");
    assert!(planned(&mut console).is_some(), "it was said");
}

/// Letters in which every text from outside is hostile.
fn hostile() -> (Letters, Vec<String>) {
    let texts: Vec<String> = [
        "\u{1b}[2J\u{1b}]0;owned\u{7}".to_owned(),
        "\u{202e}gnp.exe\u{2066}".to_owned(),
        "one\ntwo\r\tthree".to_owned(),
        "日本語のメッセージ".repeat(40),
        "x".repeat(4_000),
    ]
    .into_iter()
    .collect();
    let mut messages = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let json = serde_json::json!({ text.as_str(): text, "error": { "message": text } }).to_string();
        let mut odd = with(message(at, &json), text, "String", Payload::Text(text.clone()));
        odd = with(odd, "ErrorCode", text, Payload::Text(text.chars().take(20).collect()));
        odd.id.0 = text.clone();
        odd.system.group = Some(text.clone());
        odd.system.sender = Some(text.clone());
        odd.system.deduplication_id = Some(text.clone());
        odd.system.trace_header = Some(text.clone());
        odd.system.dead_letter_source.as_mut().expect("a source").0 = format!("arn:aws:sqs:x:1:{text}");
        messages.push(odd);
        messages.push(message(at + 100, text));
    }
    (look("dev", messages), texts)
}

#[test]
fn hostile_text_is_harmless_in_every_list() {
    let is_safe = |screen: &str| {
        let bad = |character: char| {
            (character.is_control() && character != '\n') || ('\u{202a}'..='\u{202e}').contains(&character)
        };
        !screen.contains(bad)
    };
    for size in SIZES {
        let (mut console, ticket) = opened(size, 10);
        console.event(Event::Looked(ticket, Ok(Box::new(hostile().0))));
        for keys in ["d", "d m", "*", "c", "esc j j", "enter", "x", "W l l", "esc R"] {
            console.keys(keys);
            assert!(is_safe(&console.text()), "{size:?} {keys}: {}", console.text());
        }
    }
    let (mut console, ticket) = opened((80, 24), 10);
    console.event(Event::Looked(ticket, Ok(Box::new(hostile().0))));
    assert_snapshot!("letters_hostile_groups_80", console.content());
    console.keys("m");
    assert_snapshot!("letters_hostile_messages_80", console.content());
}

#[test]
fn what_was_sent_needs_its_edit_no_more() {
    let mut console = edited_and_looked_past();
    let kept = |console: &Console| {
        console.model.edits.count(&EnvironmentName("dev".to_owned()), &QueueName("orders-dlq".to_owned()))
    };
    let before = kept(&console);
    assert!(before > 0, "an edit is kept");
    let run = super::plans::run(&mut console, "dev");
    let state = console.model.runs.iter_mut().find(|state| state.ticket == run).expect("it runs");
    if let Operation::Redrive(redrive) = &mut state.plan.operation {
        redrive.edit = Some("/state/choices/x/edit.jq".to_owned());
    }
    console.take_effects();
    console.event(Event::Finished(run, Ok(Box::new(super::plans::report("dev", End::Done, super::plans::tally(1))))));
    let asks = console.take_effects().into_iter().find_map(|effect| match effect {
        Effect::ReadSent(ticket, _) => Some(ticket),
        _ => None,
    });
    assert_eq!(asks, Some(run));
    console.event(Event::Sent(run, Ok(vec![MessageId("another".to_owned())])));
    assert_eq!(kept(&console), before, "what was not sent keeps its edit");
    let ids: Vec<MessageId> = (0..40).map(|number| message(number, "").id).collect();
    console.event(Event::Sent(run, Ok(ids)));
    assert_eq!(kept(&console), 0);
    assert_eq!(console.model.edits, Default::default(), "nothing is left of it");
}
