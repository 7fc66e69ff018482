//! The list of queues.

use jiff::SignedDuration;
use opsctl::{
    keymap::{Command, Scope},
    observe::Oldest,
    operations::{Operation, OperationKind},
    tui::state::{
        effect::Effect,
        event::{Event, Mouse, MouseWhat},
        list::{ListRow, ListView},
        look::{Symbols, Theme},
        view::{Overlay, View},
    },
};

use super::scenes::{assert_harmless, broken, cached, denied, hostile, night};
use crate::support::console::{Console, Picture, SIZES, now};

// Places of columns.
const NAME: usize = 2;
const VISIBLE: usize = 4;
const IN_FLIGHT: usize = 5;
const DELAYED: usize = 6;

fn list(console: &Console) -> &ListView {
    match console.model.view() {
        View::List(view) => view,
        other => panic!("{other:?}"),
    }
}

/// Rows in words: `prod payments-dlq`, `[orders]`.
fn rows(console: &Console) -> Vec<String> {
    let view = list(console);
    let row = |row: &ListRow| match row {
        ListRow::Heading(at) => format!("[{}]", view.groups[*at as usize].name.as_deref().unwrap_or_default()),
        ListRow::Thing(at) => {
            let site = &console.model.sites[usize::from(at.site)];
            let snapshot = site.snapshot.as_ref().expect("seen");
            format!("{} {}", site.environment.name, snapshot.queues[at.row as usize].name)
        }
    };
    view.rows.iter().map(row).collect()
}

fn under(console: &Console) -> String {
    rows(console)[list(console).cursor.at].clone()
}

#[test]
fn every_state_in_every_size() {
    type Scene = (&'static str, fn((u16, u16)) -> Console);
    let scenes: [Scene; 4] = [("loading", Console::new), ("night", night), ("broken", broken), ("cached", cached)];
    for (name, scene) in scenes {
        for size in SIZES {
            let mut console = scene(size);
            console.keys("2");
            insta::assert_snapshot!(format!("queues-{name}-{}x{}", size.0, size.1), console.content());
        }
    }
}

#[test]
fn grouped_filtered_wide_and_empty() {
    let screen = |size: (u16, u16), keys: &str| {
        let mut console = night(size);
        console.keys("2").keys(keys);
        console.content()
    };
    insta::assert_snapshot!("queues-by-environment", screen((120, 40), "z"));
    insta::assert_snapshot!("queues-by-system", screen((120, 40), "z z"));
    insta::assert_snapshot!("queues-typing", screen((80, 24), "/ d l q"));
    insta::assert_snapshot!("queues-filtered", screen((80, 24), "/ d l q <enter>"));
    insta::assert_snapshot!("queues-none-fits", screen((80, 24), "/ x y z <enter>"));
    insta::assert_snapshot!("queues-wide", screen((200, 60), "w"));
    insta::assert_snapshot!("queues-shifted", screen((80, 24), "w l l"));
    let mut console = Console::new((80, 24));
    console.seen(Picture::of("dev").done()).seen(Picture::of("staging").done()).seen(Picture::of("prod").done());
    console.keys("2");
    insta::assert_snapshot!("queues-empty", console.content());
}

#[test]
fn it_is_readable_in_ascii_and_without_colours() {
    let mut console = broken((100, 30));
    console.model.look.theme = Theme::None;
    console.model.look.symbols = Symbols::Ascii;
    console.keys("2 z");
    insta::assert_snapshot!("queues-ascii-no-colour", console.content());
    assert!(console.text().is_ascii(), "{}", console.text());
}

#[test]
fn the_worst_comes_first_and_any_column_sorts_both_ways() {
    let mut console = night((120, 40));
    console.keys("2");
    assert_eq!(rows(&console)[..2], ["prod payments-dlq", "prod checkout"]);
    for by in 0..12 {
        let view = console.model.view_mut().list_mut().expect("the list");
        (view.sort, view.reversed) = (by, false);
        console.keys("S S");
        let forward = rows(&console);
        console.keys("S");
        let backward = rows(&console);
        assert_eq!(forward.len(), 11);
        assert_ne!(forward, backward, "{by}");
        let known = |row: &&String| **row != "dev secrets";
        let unknown_last = matches!(by, VISIBLE | IN_FLIGHT | DELAYED);
        if unknown_last {
            assert_eq!(
                (forward.iter().rfind(|row| !known(row)), forward.last().map(String::as_str)),
                (forward.last(), Some("dev secrets"))
            );
            assert_eq!(backward.last().map(String::as_str), Some("dev secrets"), "unknown is not zero");
        }
    }
    console.keys("S s <home> j j <enter>");
    assert_eq!(list(&console).sort, NAME);
    assert_eq!(rows(&console)[..3], ["prod checkout", "prod ledger-postings-reconciliation-dlq.fifo", "dev orders"]);
}

#[test]
fn a_click_on_a_title_sorts_and_a_second_one_turns_it_round() {
    let mut console = night((120, 40));
    console.keys("2");
    let text = console.text();
    let (row, line) = text.lines().enumerate().find(|(_, line)| line.contains("~VISIBLE")).expect("titles");
    let click = Event::Mouse(Mouse {
        column: line.find("~VISIBLE").expect("a title") as u16 + 2,
        row: row as u16,
        what: MouseWhat::Click,
    });
    console.event(click.clone());
    assert_eq!(rows(&console)[0], "prod checkout");
    console.event(click);
    assert!(list(&console).reversed);
    assert_eq!(list(&console).sort, VISIBLE);
}

#[test]
fn the_filter_narrows_down_as_one_types_and_esc_takes_it_away() {
    let mut console = night((80, 24));
    console.keys("2 / ~ o r d d l q");
    assert_eq!(rows(&console), ["dev orders-dlq", "staging orders-dlq"]);
    console.keys("<down>");
    assert_eq!(under(&console), "staging orders-dlq");
    console.keys("<enter>");
    assert!(list(&console).typing.is_none());
    console.keys("<esc>");
    assert_eq!(rows(&console).len(), 11);
    assert_eq!(under(&console), "staging orders-dlq", "it stays on what was found");
    console.keys("/ p r o d <esc>");
    assert_eq!(list(&console).filter, "");
    console.event(Event::Key("/".parse().expect("a key"))).event(Event::Paste("staging\nrep".to_owned()));
    assert_eq!(rows(&console), ["staging reports"]);
}

#[test]
fn the_cursor_stays_on_its_queue_when_the_list_changes_under_it() {
    let mut console = night((120, 40));
    console.keys("2 j j j");
    let before = under(&console);
    let mut picture = Picture::of("staging");
    for number in 0..50 {
        picture = picture.dead_letters(&format!("aaa-{number}-dlq"), "a", 90_000);
    }
    console.seen(picture.with(|snapshot| snapshot.number = 2).done());
    assert_eq!(under(&console), before);
    let View::List(view) = console.model.view() else { panic!("not the list") };
    assert!((view.cursor.top..view.cursor.top + 30).contains(&view.cursor.at), "on the screen");
}

#[test]
fn groups_fold_and_come_up_by_what_is_worst_in_them() {
    let mut console = night((120, 40));
    console.keys("2 z z");
    let all = rows(&console);
    assert_eq!(all[0], "[payments]");
    assert!(all.contains(&"[orders]".to_owned()) && all.contains(&"[]".to_owned()), "{all:?}");
    console.keys("g g <enter>");
    assert_eq!(rows(&console).len(), all.len() - 2);
    assert_eq!(under(&console), "[payments]");
    console.keys("<enter>");
    assert_eq!(rows(&console), all);
}

#[test]
fn dead_letter_queues_only_and_one_environment_only() {
    let mut console = night((120, 40));
    console.keys("2 o");
    assert_eq!(rows(&console).len(), 4);
    console.keys("E E");
    assert_eq!(rows(&console), ["staging orders-dlq"]);
}

#[test]
fn what_is_denied_is_a_row_with_its_reason_and_counts_nothing() {
    let mut console = Console::new((80, 24));
    let mut picture = Picture::of("dev");
    for number in 0..1_500 {
        let name = format!("queue-{number:04}");
        picture = picture.queue_with(&name, 1, |seen| {
            if number % 2 == 1 {
                (seen.queue, seen.at) = (None, None);
                seen.error = Some(denied("sqs:GetQueueAttributes"));
            }
        });
    }
    console.seen(picture.done()).keys("2");
    assert!(console.text().contains("1,500 queues, 750 may not be looked at"), "{}", console.text());
    console.keys("/ 0 0 0 1 <enter>");
    let text = console.text();
    let row = text.lines().find(|line| line.contains("queue-0001")).expect("a row");
    assert!(row.contains("denied: sqs:GetQueueAttributes"), "{row}");
    assert!(!row.contains('0') || !row.contains("~0"), "{row}");
}

#[test]
fn a_standard_dead_letter_queue_expires_at_the_latest_by_its_age() {
    let mut console = Console::new((120, 40));
    let aged = |seconds: u64| Some(Oldest { seconds, at: now() - SignedDuration::from_secs(60) });
    let picture = Picture::of("dev").queue_with("orders", 5, |seen| seen.oldest = aged(86_400)).queue_with(
        "orders-dlq",
        5,
        |seen| {
            seen.oldest = aged(10 * 86_400);
            seen.dead_letters = Some(opsctl::observe::queues::DeadLetters {
                sources: vec!["orders".into()],
                known_by: opsctl::observe::queues::KnownBy::RedrivePolicy,
            });
        },
    );
    console.seen(picture.done()).keys("2");
    let text = console.text();
    let row = |name: &str| text.lines().find(|line| line.contains(name)).expect("a row").to_owned();
    assert!(row("orders-dlq").contains("≤ 3 d"), "{text}");
    assert!(row(" orders  ").contains("24 h"), "{text}");
}

#[test]
fn a_dead_letter_queue_says_its_command_line_and_its_name() {
    let mut console = night((120, 40));
    console.keys("2");
    console.take_effects();
    console.keys("y Y");
    let copied: Vec<String> = console
        .take_effects()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Copy(text) => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(copied, ["payments-dlq", "opsctl redrive --queue payments-dlq --env prod"]);
}

#[test]
fn enter_on_a_plain_queue_shows_its_details() {
    let mut console = night((120, 40));
    console.keys("2 / c h e c k <enter> <enter>");
    assert!(matches!(&console.model.overlay, Some(Overlay::Sheet(sheet)) if sheet.id == "checkout"));
}

#[test]
fn nothing_hostile_reaches_the_screen() {
    for size in SIZES {
        let mut console = hostile(size);
        console.keys("2 w");
        for keys in ["j", "j", "j", "z", "z", "G", "/ x", "<enter>", "d", "<esc>", "s"] {
            console.keys(keys);
            assert_harmless(&console);
        }
    }
}

#[test]
fn a_removed_queue_leaves_the_cursor_where_it_was() {
    let mut console = night((120, 40));
    console.keys("2 G");
    let at = list(&console).cursor.at;
    console.seen(Picture::of("staging").with(|snapshot| snapshot.number = 2).done());
    assert!(list(&console).cursor.at < at && list(&console).cursor.at == rows(&console).len() - 1);
}

/// What an operation's key plans on a row of this name in `dev`.
fn planned(row: &str, kind: OperationKind) -> Option<Operation> {
    let mut console = night((120, 40));
    console.keys("2");
    while under(&console) != format!("dev {row}") {
        console.keys("j");
    }
    console.take_effects();
    let key = console.model.keymap.key_for(Scope::Queues, Command::Operate(kind)).expect("a key").to_owned();
    console.keys(&key);
    console.take_effects().into_iter().find_map(|effect| match effect {
        Effect::Plan(_, _, operation) => Some(*operation),
        _ => None,
    })
}

#[test]
fn an_operation_on_a_row_is_about_the_queue_that_the_command_line_would_take() {
    // The command line takes a source queue's name for its DLQ in a redrive, and for itself elsewhere.
    for (row, redriven) in [("orders", "orders-dlq"), ("orders-dlq", "orders-dlq")] {
        for kind in [
            OperationKind::Redrive,
            OperationKind::Purge,
            OperationKind::Retention,
            OperationKind::PauseConsumers,
            OperationKind::ResumeConsumers,
        ] {
            let operation = planned(row, kind).unwrap_or_else(|| panic!("{kind:?} plans nothing on {row}"));
            let expected = if kind == OperationKind::Redrive { redriven } else { row };
            assert_eq!(operation.named(), expected, "{kind:?} on {row}: {operation:?}");
        }
    }
    assert_eq!(planned("orders-retry.fifo", OperationKind::Redrive), None, "it has no DLQ");
}
