//! Home.

use opsctl::{
    keymap::Command,
    observe::{PartName, Snapshot, Subject},
    operations::OperationKind,
    tui::{
        able::able,
        screens::screen::Able,
        state::{
            effect::Effect,
            event::{Event, Mouse, MouseWhat},
            look::{Symbols, Theme},
            view::{Overlay, View},
        },
    },
};

use super::scenes::{assert_harmless, broken, cached, calm, denied, dev, hostile, night, prod};
use crate::support::console::{Console, Picture, SIZES};

fn under(console: &Console) -> String {
    let View::Home(view) = console.model.view() else { panic!("not at home") };
    let row = &view.rows[view.cursor.at];
    format!("{} {:?}", row.environment, row.subject)
}

#[test]
fn an_older_snapshot_does_not_take_a_newer_ones_place() {
    let mut console = Console::new((80, 24));
    console.seen(Picture::of("dev").queue("orders", 7).with(|snapshot| snapshot.number = 5).done());
    console.seen(Picture::of("dev").with(|snapshot| snapshot.number = 4).done());
    assert_eq!(console.model.sites[0].snapshot.as_ref().map(|snapshot| snapshot.queues.len()), Some(1));
}

#[test]
fn every_state_in_every_size() {
    type Scene = (&'static str, fn((u16, u16)) -> Console);
    let scenes: [Scene; 5] =
        [("loading", Console::new), ("night", night), ("calm", calm), ("broken", broken), ("cached", cached)];
    for (name, scene) in scenes {
        for size in SIZES {
            insta::assert_snapshot!(format!("home-{name}-{}x{}", size.0, size.1), scene(size).content());
        }
    }
}

#[test]
fn what_needs_somebody_is_there_in_words_without_colour_and_in_ascii() {
    let mut console = broken((100, 30));
    console.model.look.theme = Theme::None;
    console.model.look.symbols = Symbols::Ascii;
    insta::assert_snapshot!("home-broken-ascii-no-colour", console.content());
    let text = console.text();
    assert!(text.is_ascii(), "{text}");
}

#[test]
fn the_cursor_stays_on_its_queue_when_something_worse_comes_up() {
    let mut console = Console::new((120, 40));
    console.seen(dev().done());
    console.keys("j k");
    let before = under(&console);
    assert!(before.contains("orders-dlq"), "{before}");
    console.seen(prod().done());
    assert_eq!(under(&console), before);
    let View::Home(view) = console.model.view() else { panic!("not at home") };
    assert!(view.cursor.at > 0, "what is worse stands above");
}

#[test]
fn what_is_denied_is_called_by_what_it_is_not_by_words_in_its_reason() {
    let refused = |name: &str, picture: Picture| {
        picture.queue_with(name, 0, |seen| (seen.queue, seen.error) = (None, Some(denied("sqs:GetQueueAttributes"))))
    };
    let mut console = Console::new((120, 30));
    console.seen(refused("alarms-out", refused("alarms-in", Picture::of("dev"))).done());
    let text = console.text();
    assert!(text.contains("several queues") && text.contains("alarms-in, alarms-out"), "{text}");
    let mut console = Console::new((120, 30));
    let part = |snapshot: &mut Snapshot| snapshot.estate.alarms.error = Some(denied("cloudwatch:DescribeAlarms"));
    console.seen(Picture::of("dev").with(part).done());
    let (text, View::Home(view)) = (console.text(), console.model.view()) else { panic!("not at home") };
    assert_eq!(view.rows[0].subject, Subject::Parts(vec![PartName::Alarms]));
    assert!(!text.contains("several queues"), "{text}");
}

#[test]
fn before_anybody_moves_the_worst_is_under_the_cursor() {
    let mut console = Console::new((120, 40));
    console.seen(dev().done()).seen(prod().done());
    assert!(under(&console).contains("payments-dlq"), "{}", under(&console));
}

#[test]
fn details_open_on_a_queue_and_redrive_says_why_not() {
    let mut console = night((120, 40));
    console.keys("d");
    assert!(matches!(&console.model.overlay, Some(Overlay::Sheet(sheet)) if sheet.id == "payments-dlq"));
    console.keys("<esc>");
    // The backlog is of no dead-letter queue.
    while !under(&console).contains("checkout") {
        console.keys("j");
    }
    assert!(matches!(able(&console.model, Command::Operate(OperationKind::Redrive)), Able::No(_)));
    console.keys("R");
    assert!(console.text().contains("not a dead-letter queue, and it has none"), "{}", console.text());
}

#[test]
fn expired_credentials_say_what_to_run_until_they_are_healed() {
    let mut console = broken((120, 40));
    let title = |console: &Console| console.text().lines().nth(1).unwrap_or_default().to_owned();
    assert!(title(&console).contains("PROD: credentials expired"), "{}", title(&console));
    while !under(&console).contains("prod Environment") {
        console.keys("j");
    }
    console.keys("<enter>");
    assert!(console.text().lines().nth(38).is_some_and(|line| line.contains("prod: ")), "{}", console.text());
    console.seen(prod().with(|snapshot| snapshot.number = 3).done());
    assert!(!title(&console).contains("credentials"), "{}", title(&console));
}

#[test]
fn a_verdict_on_an_environment_leads_to_its_queues() {
    let mut console = Console::new((120, 40));
    let mut picture = Picture::of("staging");
    for name in ["a", "b"] {
        picture = picture.queue_with(name, 0, |seen| {
            seen.queue = None;
            seen.error = Some(denied("sqs:GetQueueAttributes"));
        });
    }
    console.seen(picture.done()).keys("<enter>");
    assert!(matches!(console.model.view(), View::List(_)));
    assert_eq!(console.model.only.as_ref().map(|only| only.0.as_str()), Some("staging"));
    assert!(console.text().contains("2 queues, 2 may not be looked at"), "{}", console.text());
}

#[test]
fn a_click_selects_a_second_one_opens_and_chips_and_tabs_are_there_too() {
    let mut console = night((120, 40));
    let click = |console: &mut Console, column, row| {
        console.event(Event::Mouse(Mouse { column, row, what: MouseWhat::Click }));
    };
    let rows = console.text().lines().position(|line| line.contains("checkout")).expect("shown") as u16;
    click(&mut console, 30, rows);
    assert!(under(&console).contains("checkout"));
    click(&mut console, 30, rows);
    assert!(matches!(console.model.overlay, Some(Overlay::Sheet(_))));
    console.keys("<esc>");
    let title = console.text().lines().next().expect("a title").to_owned();
    let column = |word: &str| title.find(word).expect("in the title") as u16;
    click(&mut console, column("PROD"), 0);
    assert_eq!(console.model.only.as_ref().map(|only| only.0.as_str()), Some("prod"));
    click(&mut console, column("PROD"), 0);
    assert_eq!(console.model.only, None);
    click(&mut console, column("Queues"), 0);
    assert!(matches!(console.model.view(), View::List(_)));
}

#[test]
fn only_queues_on_the_screen_are_watched_closely() {
    let mut console = Console::new((80, 24));
    let mut picture = Picture::of("dev");
    for number in 0..100 {
        picture = picture.dead_letters(&format!("queue-{number:03}-dlq"), "source", 5);
    }
    console.seen(picture.done());
    console.take_effects();
    console.keys("j");
    let effects = console.take_effects();
    let Some(Effect::Focus(focus)) = effects.last() else { panic!("{effects:?}") };
    assert!((4..12).contains(&focus.queues.len()), "{}", focus.queues.len());
}

#[test]
fn nothing_hostile_reaches_the_screen() {
    for size in SIZES {
        let mut console = hostile(size);
        for keys in ["j", "j", "j", "j", "G", "d"] {
            console.keys(keys);
            assert_harmless(&console);
        }
    }
}

#[test]
fn any_size_is_drawn() {
    for columns in [1, 5, 20, 39, 40, 41, 60, 79, 300] {
        for rows in [1, 2, 5, 9, 10, 11, 13, 17, 90] {
            let mut console = broken((columns, rows));
            for keys in ["j", "d", "<esc>", "2", "j", "s", "<esc>", "?", "<esc>", ":", "x"] {
                console.keys(keys);
                assert!(!console.screen().is_empty());
            }
        }
    }
}
