//! A queue's dead letters.

use insta::assert_snapshot;
use opsctl::{
    domain::{Counts, EnvironmentName, Message, Protection, QueueName, Text},
    leave::Force,
    operations::{Operation, Redrive},
    run::Failure,
    sandbox::fleet,
    tui::state::{
        effect::Effect,
        event::Event,
        letters::{LettersView, Level},
        ticket::Ticket,
        view::{Overlay, View},
    },
};

use crate::support::{
    console::{Console, Picture, SIZES, redrive_to},
    letters::{failed, look, message},
};

fn picture(environment: &str, messages: u64) -> Picture {
    Picture::of(environment).queue("orders", 3).dead_letters("orders-dlq", "orders", messages)
}

/// A console in which `orders-dlq` of dev was just opened, and the look's ticket.
pub(super) fn opened(size: (u16, u16), messages: u64) -> (Console, Ticket) {
    let mut console = Console::new(size);
    console.seen(picture("dev", messages).done());
    console.keys("enter");
    let ticket = asked(&mut console).expect("a look is asked for").0;
    (console, ticket)
}

/// The look that was asked for last: ticket, messages at most, whether somebody insists.
pub(super) fn asked(console: &mut Console) -> Option<(Ticket, usize, Force)> {
    console.take_effects().into_iter().rev().find_map(|effect| match effect {
        Effect::Look(ticket, look) => Some((ticket, look.messages_max, look.force)),
        _ => None,
    })
}

/// The same, with an answer.
pub(super) fn looked(size: (u16, u16), count: u64, messages: Vec<Message>) -> Console {
    let (mut console, ticket) = opened(size, count);
    console.event(Event::Looked(ticket, Ok(Box::new(look("dev", messages)))));
    console.take_effects();
    console
}

pub(super) fn view(console: &Console) -> &LettersView {
    let found = console.model.views.iter().rev().find_map(|view| match view {
        View::Letters(view) => Some(view),
        _ => None,
    });
    found.expect("the letters are open")
}

/// The redrive that was asked to be planned.
pub(super) fn planned(console: &mut Console) -> Option<Redrive> {
    console.take_effects().into_iter().find_map(|effect| match effect {
        Effect::Plan(_, _, operation) => match *operation {
            Operation::Redrive(redrive) => Some(redrive),
            _ => None,
        },
        _ => None,
    })
}

/// What is to be written, and its ticket.
pub(super) fn drafts(console: &mut Console) -> Option<(Ticket, Vec<(&'static str, String)>)> {
    console.take_effects().into_iter().find_map(|effect| match effect {
        Effect::Save(ticket, drafts) => {
            Some((ticket, drafts.into_iter().map(|draft| (draft.name, draft.text)).collect()))
        }
        _ => None,
    })
}

fn failure(what: &str, hint: &str) -> Failure {
    Failure { what: Text::line(what), hint: Text::line(hint), advice: None }
}

#[test]
fn opening_looks_at_two_hundred_and_says_what_that_costs() {
    for size in SIZES {
        let (console, _) = opened(size, 4_812);
        assert_snapshot!(format!("letters_loading_{}", size.0), console.content());
    }
    let mut console = Console::new((80, 24));
    console.seen(picture("dev", 4_812).done()).keys("enter");
    assert_eq!(asked(&mut console).map(|(_, messages, force)| (messages, force)), Some((200, Force::No)));
}

#[test]
fn groups_come_first() {
    for size in SIZES {
        let mut console = looked(size, 4_812, failed());
        assert_snapshot!(format!("letters_groups_{}", size.0), console.content());
        console.keys("d");
        assert_snapshot!(format!("letters_groups_details_{}", size.0), console.content());
    }
}

#[test]
fn messages_have_the_telling_columns() {
    for size in SIZES {
        let mut console = looked(size, 40, failed());
        console.keys("m space j space s");
        assert_snapshot!(format!("letters_messages_{}", size.0), console.content());
    }
}

#[test]
fn a_groups_messages_are_listed_and_back_leads_to_the_groups() {
    let mut console = looked((80, 24), 4_812, failed());
    console.keys("j enter");
    assert_eq!((view(&console).group, view(&console).rows.len()), (Some(1), 10));
    console.keys("esc");
    assert_eq!(view(&console).level, Level::Groups);
    console.keys("k k k enter");
    assert_eq!((view(&console).group, view(&console).rows.len()), (None, 40));
    console.keys("esc esc");
    assert!(matches!(console.model.view(), View::Home(_)));
}

#[test]
fn an_empty_queue_says_so_and_one_that_only_seems_full_explains_itself() {
    for (name, count) in [("empty", 0), ("hidden", 12)] {
        for size in SIZES {
            let mut console = Console::new(size);
            let counts = Counts { visible: count, in_flight: count / 4, delayed: 0 };
            let known = picture("dev", 7).done();
            console.seen(known).keys("enter");
            let ticket = asked(&mut console).expect("asked").0;
            let now = Picture::of("dev").queue("orders", 0).queue_with("orders-dlq", count, |seen| {
                if let Some(queue) = &mut seen.queue {
                    queue.counts = counts;
                }
            });
            console.seen(now.with(|snapshot| snapshot.number = 2).done());
            console.event(Event::Looked(ticket, Ok(Box::new(look("dev", Vec::new())))));
            assert_snapshot!(format!("letters_{name}_{}", size.0), console.content());
        }
    }
}

#[test]
fn a_look_that_failed_keeps_what_was_seen_and_says_what_to_do() {
    let expired = failure("the credentials of dev have expired", "run `aws sso login --profile dev`, then look again");
    for size in SIZES {
        let (mut console, ticket) = opened(size, 4_812);
        console.event(Event::Looked(ticket, Err(expired.clone())));
        assert_snapshot!(format!("letters_failed_{}", size.0), console.content());
        console.keys("ctrl-r");
        let ticket = asked(&mut console).expect("asked again").0;
        console.event(Event::Looked(ticket, Ok(Box::new(look("dev", failed())))));
        console.keys("ctrl-r");
        let ticket = asked(&mut console).expect("asked again").0;
        console.event(Event::Looked(ticket, Err(expired.clone())));
        assert_snapshot!(format!("letters_stale_{}", size.0), console.content());
    }
}

#[test]
fn a_look_that_would_kill_is_refused_until_somebody_insists() {
    for size in SIZES {
        let mut console = Console::new(size);
        let policy = redrive_to("orders-dlq-dlq", 3);
        let picture = Picture::of("dev").queue_with("orders-dlq", 12, |seen| {
            seen.dead_letters = Some(opsctl::observe::queues::DeadLetters {
                sources: vec![QueueName("orders".to_owned())],
                known_by: opsctl::observe::queues::KnownBy::RedrivePolicy,
            });
            seen.queue.as_mut().expect("described").redrive = Some(policy);
        });
        console.seen(picture.queue("orders-dlq-dlq", 0).done()).keys("enter");
        assert_eq!(asked(&mut console), None, "the gate refuses");
        assert_snapshot!(format!("letters_refused_{}", size.0), console.content());
        console.keys("F");
        assert_eq!(asked(&mut console).map(|(_, messages, force)| (messages, force)), Some((200, Force::Yes)));
    }
    let mut console = looked((80, 24), 7, failed());
    console.keys("F");
    assert_eq!(asked(&mut console), None);
    assert!(console.text().contains("force: nothing stands in the way"), "{}", console.text());
}

#[test]
fn a_read_only_environment_is_not_looked_at() {
    let mut environments = fleet::environments();
    environments[0].protection = Protection::ReadOnly;
    let name = environments[0].name.clone();
    let mut console = Console::on(environments, (80, 24));
    console.seen(picture(&name.0, 12).done()).keys("enter");
    assert_eq!(asked(&mut console), None);
    assert_snapshot!("letters_read_only_80", console.content());
    for key in ["F", "+", "R", "D D"] {
        console.keys(key);
        assert!(console.text().contains("is read-only"), "{key}: {}", console.text());
        assert!(asked(&mut console).is_none() && planned(&mut console).is_none(), "{key}");
    }
}

#[test]
fn more_are_looked_at_only_on_a_key_and_a_thousand_at_most() {
    let mut console = looked((80, 24), 4_812, failed());
    for messages in [500, 1_000] {
        console.keys("+");
        let (ticket, asked_for, _) = asked(&mut console).expect("asked");
        assert_eq!(asked_for, messages);
        console.keys("+ ctrl-r");
        assert_eq!(asked(&mut console), None, "one look at a time");
        console.event(Event::Looked(ticket, Ok(Box::new(look("dev", failed())))));
    }
    console.keys("+");
    assert_eq!(asked(&mut console), None);
    assert!(console.text().contains("1000 is the most") || console.text().contains("1,000 is the most"));
}

#[test]
fn a_new_look_leaves_the_person_where_they_are() {
    let mut console = looked((80, 24), 4_812, failed());
    console.keys("m j j j j j j space");
    let under = |console: &Console| {
        let view = view(console);
        view.letters.shown().map(|letters| letters.messages[view.rows[view.cursor.at]].id.clone())
    };
    let (before, selected) = (under(&console), view(&console).selected.clone());
    console.keys("ctrl-r");
    let ticket = asked(&mut console).expect("asked").0;
    let mut other = failed();
    other.reverse();
    other.truncate(34);
    console.event(Event::Looked(Ticket(ticket.0 - 1), Ok(Box::new(look("dev", Vec::new())))));
    assert_eq!(under(&console), before, "an answer to an old question");
    console.event(Event::Looked(ticket, Ok(Box::new(look("dev", other)))));
    assert_eq!((under(&console), &view(&console).selected), (before, &selected));
}

#[test]
fn words_are_searched_for_at_once_and_jq_when_it_is_whole() {
    let mut console = looked((80, 24), 40, failed());
    console.keys("m /");
    let matches = |console: &mut Console| {
        console.take_effects().into_iter().rev().find_map(|effect| match effect {
            Effect::Match(ticket, code, messages, _) => Some((ticket, code, messages.len())),
            _ => None,
        })
    };
    console.keys("c");
    let (_, code, messages) = matches(&mut console).expect("tried at once");
    assert_eq!(
        (code.as_str(), messages),
        (r#"([.text, (.content | tostring)] | any(ascii_downcase | contains("c")))"#, 40)
    );
    console.keys("a r d");
    let (ticket, ..) = matches(&mut console).expect("tried at once");
    let answers = |fits: fn(usize) -> Option<bool>| (0..40).map(fits).collect::<Vec<_>>();
    console.event(Event::Matched(ticket, Ok(answers(|at| Some(at % 8 == 5)).into())));
    assert_snapshot!("letters_filter_words_80", console.content());
    console.keys("enter");
    assert_eq!((view(&console).typing.is_none(), view(&console).rows.len()), (true, 5));
    console.keys("/ ctrl-u").event(Event::Paste(".body.error == TIMEOUT\n".to_owned()));
    assert!(matches(&mut console).is_none(), "half a program may run for ever");
    console.keys("enter");
    let (ticket, code, _) = matches(&mut console).expect("tried");
    assert_eq!(code, ".body.error == TIMEOUT");
    let error = "cannot use the filter: there is no filter `TIMEOUT`\n  .body.error == TIMEOUT\n                 ^^^^^^^\n\
                 try: a text needs double quotes (\"TIMEOUT\")";
    console
        .event(Event::Matched(ticket, Err(Failure { what: Text::block(error), hint: Text::default(), advice: None })));
    assert_snapshot!("letters_filter_error_80", console.content());
    console.keys("R");
    assert!(planned(&mut console).is_none(), "a filter that can't be used chooses nothing");
    console.keys("esc");
    assert_eq!((view(&console).filter.is_none(), view(&console).rows.len()), (true, 40));
}

#[test]
fn a_redrive_takes_the_group_the_filter_the_selected_or_all() {
    let mut console = looked((80, 24), 4_812, failed());
    console.keys("R");
    // A group's filter is made of messages' text: it is given by a file, and only the path stands in plan and journal.
    let (ticket, files) = drafts(&mut console).expect("a file with the filter");
    let group = view(&console).letters.shown().and_then(|letters| letters.groups.groups[0].filter.clone());
    assert_eq!(files, [("filter.jq", group.expect("a filter"))]);
    console.event(Event::Saved(ticket, Ok(vec!["/state/choices/x/filter.jq".into()])));
    let redrive = planned(&mut console).expect("planned");
    let filter = Some("file:/state/choices/x/filter.jq");
    assert_eq!((redrive.queue.as_str(), redrive.filter.as_deref(), &redrive.ids), ("orders-dlq", filter, &None));
    console.model.overlay = None;
    console.keys("k R");
    let all = Redrive { queue: "orders-dlq".to_owned(), ..Redrive::default() };
    assert_eq!(planned(&mut console), Some(all), "the first row stands for the whole queue");
    console.model.overlay = None;
    console.keys("m space space R");
    let (ticket, files) = drafts(&mut console).expect("a file of ids");
    let ids = "6f1d3f1e-0000-4000-8000-000000000000\n6f1d3f1e-0000-4000-8000-000000000001\n";
    assert_eq!(files, [("ids.txt", ids.to_owned())]);
    assert!(planned(&mut console).is_none(), "nothing is planned before the file is there");
    console.keys("R");
    assert!(drafts(&mut console).is_none(), "it is being planned");
    console.event(Event::Saved(ticket, Ok(vec!["/state/choices/x/ids.txt".into()])));
    let redrive = planned(&mut console).expect("planned");
    assert_eq!((redrive.ids, redrive.filter), (Some("/state/choices/x/ids.txt".into()), None));
    assert!(matches!(console.model.overlay, Some(Overlay::Flow(_))));
}

#[test]
fn a_filter_chooses_what_a_redrive_takes_within_the_group_that_is_open() {
    for (keys, group) in [("m / c a r d enter", None), ("enter / c a r d enter", Some(0))] {
        let mut console = looked((80, 24), 4_812, failed());
        console.keys(keys);
        let asked = console.take_effects().into_iter().rev().find_map(|effect| match effect {
            Effect::Match(ticket, code, ..) => Some((ticket, code)),
            _ => None,
        });
        let (ticket, code) = asked.expect("tried");
        console.event(Event::Matched(ticket, Ok((0..40).map(|at| Some(at % 8 < 2)).collect::<Vec<_>>().into())));
        console.keys("R");
        match group {
            None => assert_eq!(planned(&mut console).expect("planned").filter, Some(code)),
            Some(group) => {
                let (_, mut files) = drafts(&mut console).expect("a file with the filter");
                let (_, filter) = files.pop().expect("one file");
                let groups = &view(&console).letters.shown().expect("looked").groups.groups;
                assert_eq!(filter, format!("({}) and ({code})", groups[group].filter.as_deref().expect("a filter")));
            }
        }
    }
}

#[test]
fn what_a_whole_look_does_not_bring_is_selected_no_more() {
    let mut console = looked((80, 24), 40, failed());
    console.keys("m space space ctrl-r");
    let ticket = asked(&mut console).expect("asked").0;
    console.event(Event::Looked(ticket, Ok(Box::new(look("dev", failed().split_off(1))))));
    assert_eq!(view(&console).selected.len(), 1);
}

#[test]
fn a_redrive_does_not_go_on_where_its_files_could_not_be_written() {
    let mut console = looked((80, 24), 4_812, failed());
    console.keys("m space R");
    let (ticket, _) = drafts(&mut console).expect("a file of ids");
    console.event(Event::Saved(ticket, Err(failure("the choice could not be written: disk full", "make room"))));
    assert!(planned(&mut console).is_none() && console.text().contains("disk full"));
    console.keys("R");
    assert!(drafts(&mut console).is_some(), "it can be tried again");
}

/// Presses `e` and lets the editor answer with this text.
pub(super) fn edit(console: &mut Console, text: &str) {
    console.keys("e");
    let asked = console.take_effects().into_iter().find_map(|effect| match effect {
        Effect::Edit(ticket, edit) => Some((ticket, edit)),
        _ => None,
    });
    let (ticket, edit) = asked.expect("the editor is asked for");
    assert_eq!(edit.suffix, ".json");
    assert!(edit.text.starts_with("{\n  \"orderId\": \"o-0\",\n"), "{}", edit.text);
    let text = if text.is_empty() { edit.text.replace("\"acme\"", "\"zeta\"") } else { text.to_owned() };
    console.event(Event::Edited(ticket, Ok((text != edit.text).then_some(text))));
}

#[test]
fn an_edit_is_shown_kept_and_carried_by_a_redrive() {
    for size in SIZES {
        let mut console = looked(size, 4_812, failed());
        console.keys("m");
        edit(&mut console, "");
        assert_snapshot!(format!("letters_diff_{}", size.0), console.content());
    }
    let mut console = looked((120, 40), 4_812, failed());
    console.keys("m");
    edit(&mut console, "");
    console.keys("y");
    assert_snapshot!("letters_edited_120", console.content());
    console.keys("k R");
    let (ticket, files) = drafts(&mut console).expect("a program");
    assert_eq!(files.len(), 1, "all messages, of which one is edited");
    assert_eq!(files[0].0, "edit.jq");
    assert!(files[0].1.contains(r#"\"tenant\":\"zeta\""#) && !files[0].1.contains("000000000001"), "{}", files[0].1);
    console.event(Event::Saved(ticket, Ok(vec!["/state/choices/x/edit.jq".into()])));
    let redrive = planned(&mut console).expect("planned");
    assert_eq!((redrive.edit.as_deref(), redrive.ids), (Some("/state/choices/x/edit.jq"), None));
    console.model.overlay = None;
    console.keys("j space R");
    let (_, files) = drafts(&mut console).expect("files");
    assert_eq!(
        files.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["ids.txt"],
        "the edited one is not among them"
    );
}

#[test]
fn an_edit_that_is_discarded_or_changes_nothing_leaves_nothing() {
    let mut console = looked((80, 24), 4_812, failed());
    let edits = |console: &Console| {
        console.model.edits.count(&EnvironmentName("dev".to_owned()), &QueueName("orders-dlq".to_owned()))
    };
    console.keys("m");
    edit(&mut console, "");
    console.keys("esc");
    assert_eq!((edits(&console), console.model.overlay.is_none()), (0, true));
    edit(&mut console, "no JSON");
    assert!(console.text().contains("it is no JSON any more"), "{}", console.text());
    console.keys("tab enter");
    assert_eq!(edits(&console), 0);
    edit(&mut console, "");
    console.keys("enter");
    assert_eq!(edits(&console), 1);
    let original = failed()[0].body.clone();
    edit(&mut console, &original);
    assert_eq!((edits(&console), console.model.overlay.is_none()), (0, true), "it reads as it did");
}

#[test]
fn columns_are_chosen_from_what_the_messages_hold() {
    for size in SIZES {
        let mut console = looked(size, 4_812, failed());
        console.keys("m c");
        assert_snapshot!(format!("letters_columns_{}", size.0), console.content());
    }
    let mut console = looked((120, 40), 4_812, failed());
    console.keys("m c t e n");
    console.keys("space ctrl-u / e r r o r / m e s s a g e enter");
    let titles = |console: &Console| -> Vec<String> {
        view(console).columns.iter().map(|place| place.title.to_string()).collect()
    };
    assert!(titles(&console).contains(&"error/message".to_owned()), "{:?}", titles(&console));
    console.keys("c / c a r d enter");
    assert!(titles(&console).contains(&"card".to_owned()), "{:?}", titles(&console));
    let before = titles(&console);
    console.keys("c space esc");
    assert_eq!(titles(&console), before, "escape leaves them");
    console.keys("c ctrl-r");
    assert_eq!(titles(&console), titles(&looked((80, 24), 1, failed())), "the telling ones again");
}

#[test]
fn secrets_and_escapes_are_not_copied_or_shown() {
    let mut console = looked((200, 60), 40, failed());
    console.keys("m");
    assert!(!console.text().contains("tok_1234567890"));
    let mut console = looked((200, 60), 1, vec![message(0, "a\u{1b}[2J\u{202e}b")]);
    console.keys("m y");
    let copied = console.take_effects().into_iter().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text),
        _ => None,
    });
    assert_eq!(copied.as_deref(), Some("a␛[2J\u{fffd}b"));
}

#[test]
fn selecting_goes_by_one_by_group_and_all() {
    let mut console = looked((80, 24), 4_812, failed());
    console.keys("space");
    assert_eq!(view(&console).selected.len(), 25, "a group's row stands for its messages");
    console.keys("k space");
    assert_eq!(view(&console).selected.len(), 0, "a second time takes them back");
    console.keys("m *");
    assert_eq!(view(&console).selected.len(), 25);
    console.keys("a");
    assert_eq!(view(&console).selected.len(), 40);
    console.keys("a");
    assert_eq!(view(&console).selected.len(), 0);
}
