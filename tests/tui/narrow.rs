//! Narrowing down: what is typed is what is acted on. Acknowledging: what is left out is counted, and comes back.

use jiff::SignedDuration;
use opsctl::{
    domain::Text,
    keymap::Scope,
    observe::acknowledged::Book,
    run::Failure,
    tui::state::{
        effect::Effect,
        event::Event,
        list::Topic,
        view::{Overlay, View},
    },
};

use crate::support::console::{Console, Picture, now};

/// A bad night in production, and the queue that somebody means in dev.
fn console() -> Console {
    let mut console = Console::new((120, 40));
    console.seen(
        Picture::of("prod")
            .dead_letters("recon-statements-dlq", "recon-statements", 100_000)
            .dead_letters("contracts-dlq", "contracts", 4_000)
            .done(),
    );
    console.seen(
        Picture::of("dev")
            .dead_letters("cts-dlq", "cts", 3)
            .dead_letters("cts-dlq-archive", "cts-archive", 900)
            .queue("cts", 0)
            .done(),
    );
    console
}

fn typed<'a>(console: &'a mut Console, text: &str) -> &'a mut Console {
    console.event(Event::Paste(text.to_owned()))
}

/// What the list of queues shows, in its order.
fn listed(console: &Console) -> Vec<String> {
    let text = console.text();
    let names = ["recon-statements-dlq", "contracts-dlq", "cts-dlq-archive", "cts-dlq"];
    let row = |line: &str| line.split_whitespace().find(|word| names.contains(word)).map(str::to_owned);
    let found: Vec<String> = text.lines().filter_map(row).collect();
    // The details below name what is under the cursor once more.
    found[..found.len().saturating_sub(1)].to_vec()
}

fn opened(console: &Console) -> String {
    match console.model.view() {
        View::Letters(view) => format!("{} {}", view.environment, view.queue),
        _ => panic!("no dead letters are shown:\n{}", console.text()),
    }
}

#[test]
fn enter_acts_on_what_was_typed_in_lists_home_and_palette() {
    for begin in ["2 /", "/", ":"] {
        for text in ["cts-dlq", "dev cts-dlq", "/^cts-dlq$/", "cts-dlq !archive !prod"] {
            let mut console = console();
            typed(console.keys(begin), text);
            if begin == ":" {
                console.keys("<enter>")
            } else {
                console.keys("<enter> <enter>")
            };
            assert_eq!(opened(&console), "dev cts-dlq", "{begin}{text}");
        }
    }
}

#[test]
fn what_is_typed_whole_stays_on_top_in_every_order() {
    for sorted in ["", "S", "s j <enter>", "s j j j j j <enter>"] {
        let mut console = console();
        typed(console.keys("2").keys(sorted).keys("/"), "cts-dlq");
        assert_eq!(listed(&console).first().map(String::as_str), Some("cts-dlq"), "{sorted}: {}", console.text());
    }
}

#[test]
fn among_equals_the_worst_comes_first_and_scattered_letters_are_asked_for() {
    let mut console = console();
    typed(console.keys("2 /"), "dlq");
    assert_eq!(listed(&console), ["recon-statements-dlq", "contracts-dlq", "cts-dlq-archive", "cts-dlq"]);
    typed(console.keys("<ctrl-u>"), "ctsdlq");
    assert!(console.text().contains("~ctsdlq finds its letters scattered"), "{}", console.text());
    typed(console.keys("<ctrl-u>"), "~ctsdlq");
    assert_eq!(listed(&console).len(), 4, "{}", console.text());
}

#[test]
fn an_expression_that_is_none_yet_says_so_calmly() {
    for begin in ["2 /", "/", "3 /"] {
        let mut console = console();
        typed(console.keys(begin), "/(cts/");
        assert!(console.text().contains("not a regular expression"), "{begin}: {}", console.text());
        typed(&mut console, " ");
        console.keys("<esc>");
        assert!(!console.text().contains("not a regular expression"), "{begin}: {}", console.text());
    }
    let mut console = console();
    typed(console.keys(":"), "/(cts/");
    assert!(console.text().contains("not a regular expression"), "{}", console.text());
}

#[test]
fn a_filter_is_remembered_by_its_list_and_shown_from_afar() {
    let mut console = console();
    typed(console.keys("2 /"), "cts-dlq");
    console.keys("<enter> 3 /");
    typed(&mut console, "worker").keys("<enter> 1");
    let title = console.text().lines().next().unwrap_or_default().to_owned();
    assert!(title.contains("Queues/") && title.contains("Services/") && !title.contains("Alarms/"), "{title}");
    console.keys("2");
    assert!(console.text().contains("fit \"cts-dlq\""), "{}", console.text());
    console.keys("3");
    assert!(
        matches!(console.model.view(), View::List(view) if view.topic == Topic(Scope::Services) && view.filter == "worker")
    );
    console.keys("2 <esc> 1 2");
    assert!(!console.text().contains("fit \""), "taken away is taken away: {}", console.text());
}

#[test]
fn production_comes_first_and_home_says_why() {
    let console = console();
    let View::Home(view) = console.model.view() else { panic!("not at home") };
    let first = &view.rows[0];
    assert_eq!((first.environment.0.as_str(), first.messages), ("prod", 100_000), "{:?}", view.rows);
    assert_eq!(first.severity, opsctl::observe::Severity::Critical);
    assert!(console.text().contains("ranked by: prod, ~100,000 messages"), "{}", console.text());
}

fn acknowledge(console: &mut Console, text: &str) -> Book {
    typed(console.keys("a"), text);
    console.take_effects();
    console.keys("<enter>");
    let line = console.take_effects().into_iter().find_map(|effect| match effect {
        Effect::Acknowledge(line) => Some(*line),
        _ => None,
    });
    Book::of([line.expect("it is to be kept")])
}

#[test]
fn what_is_acknowledged_is_left_out_once_it_is_on_disk_and_comes_back() {
    let mut console = console();
    let before = console.text();
    let book = acknowledge(&mut console, "4h known, fixed in the next release");
    assert!(console.text().contains("recon-statements-dlq"), "nothing is left out before it is kept");
    let failure = Failure { what: Text::from("no room"), hint: Text::from("make room"), advice: None };
    console.event(Event::Acknowledged(Err(failure)));
    assert!(
        console.text().contains("recon-statements-dlq") && console.text().contains("no room"),
        "{}",
        console.text()
    );
    console.event(Event::Acknowledged(Ok(book)));
    assert!(!console.text().contains("recon-statements-dlq"), "{}", console.text());
    assert!(console.text().contains("1 acknowledged (A shows them)"), "{}", console.text());
    console.keys("A");
    let text = console.text();
    assert!(text.contains("recon-statements-dlq") && !text.contains("contracts-dlq"), "{text}");
    assert!(text.contains("acknowledged by nina for 4 h more: known, fixed in the next release"), "{text}");
    console.keys("A");
    // Twice as many are news, before the end.
    let worse = Picture::of("prod").with(|snapshot| snapshot.number = 2);
    console.seen(worse.dead_letters("recon-statements-dlq", "recon-statements", 200_000).done());
    assert!(
        console.text().contains("was acknowledged by nina at ~100000 messages, and got worse"),
        "{}",
        console.text()
    );
    let calmer = Picture::of("prod").with(|snapshot| snapshot.number = 3);
    console.seen(calmer.dead_letters("recon-statements-dlq", "recon-statements", 100_000).done());
    assert!(!console.text().contains("recon-statements-dlq"), "{}", console.text());
    console.event(Event::Tick(now() + SignedDuration::from_hours(5)));
    assert!(console.text().contains("recon-statements-dlq"), "its end was reached: {}\n{before}", console.text());
}

#[test]
fn without_a_reason_nothing_is_acknowledged() {
    let mut console = console();
    for text in ["", "4h", "40d too long"] {
        typed(console.keys("a"), text);
        console.take_effects();
        console.keys("<enter>");
        assert!(console.take_effects().is_empty(), "{text}");
        assert!(matches!(&console.model.overlay, Some(Overlay::Acknowledge(_))), "{text}");
        console.keys("<esc>");
        assert!(console.model.overlay.is_none());
    }
}

#[test]
fn home_is_sorted_and_filtered() {
    let mut console = console();
    console.keys("s s");
    assert!(console.text().contains("most messages first"), "{}", console.text());
    console.keys("s s");
    typed(console.keys("/"), "dev");
    let View::Home(view) = console.model.view() else { panic!("not at home") };
    assert!(!view.rows.is_empty() && view.rows.iter().all(|row| row.environment.0 == "dev"), "{:?}", view.rows);
    console.keys("<esc>");
    let View::Home(view) = console.model.view() else { panic!("not at home") };
    assert!(view.rows.iter().any(|row| row.environment.0 == "prod"));
}
