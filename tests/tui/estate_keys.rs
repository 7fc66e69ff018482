//! Services, databases, alarms and consumers: what keys do there.

use opsctl::{
    cloud::alarms::History,
    domain::{
        AlarmChange, AlarmState, EcsClusterName, EnvironmentName, MappingState, Migration, NetworkSource, Protection,
        ServiceId, Text,
    },
    keymap::{Command, Scope},
    observe::{Estate, Kind, Severity, Subject, Verdict},
    operations::{Operation, OperationKind},
    run::Failure,
    sandbox::fleet,
    tui::{
        able::able,
        screens::screen::Able,
        state::{
            effect::Effect,
            event::{Event, Mouse, MouseWhat},
            list::{ListRow, ListView, Topic},
            look::{Symbols, Theme},
            ticket::Ticket,
            view::{Overlay, View},
        },
    },
};

use super::{
    estate::{KEYS, at_night, console, planned, to, under, with},
    scenes::{HOSTILE, assert_harmless},
};
use crate::support::{
    console::Console,
    estate::{
        alarm, asleep, aurora, changed, composite, failing, lag, mapping, night, part, service, sleeping, unknown,
    },
};

pub(super) fn no(console: &Console, command: Command) -> String {
    match able(&console.model, command) {
        Able::No(because) => because.to_string(),
        other => panic!("{}: {other:?}", command.name()),
    }
}

fn view(console: &Console) -> &ListView {
    console.model.view().list().expect("a list")
}

#[test]
fn each_list_has_its_key_and_is_taken_up_as_it_was_left() {
    let mut console = at_night((120, 40));
    for (topic, key) in KEYS {
        console.keys(key);
        assert_eq!(view(&console).topic, topic);
        assert_eq!(console.model.views.len(), 2, "home stays below, nothing else");
    }
    for ((topic, _), key) in KEYS.into_iter().zip(["g s", "g d", "g l", "g c"]) {
        console.keys(key);
        assert_eq!(view(&console).topic, topic);
    }
    console.keys("7 s j <enter> 7");
    assert_eq!(view(&console).sort, 1, "the same list");
    console.keys("<esc>");
    assert!(matches!(console.model.view(), View::Home(_)));
}

#[test]
fn the_worst_comes_first_and_columns_sort_both_ways_with_the_unknown_last() {
    let mut console = at_night((200, 60));
    console.keys("3");
    let first = |console: &Console| console.text().lines().nth(5).unwrap_or_default().to_owned();
    assert!(first(&console).contains("✖ failing"), "{}", console.text());
    let names = |console: &Console| {
        let text = console.text();
        let rows = text.lines().skip(5).take(9).map(|row| row.trim_start_matches(['▌', ' ', '✖', '▲', '•']).to_owned());
        rows.map(|row| row.split_whitespace().nth(1).unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    // CPU is the sixth column that can be chosen.
    console.keys("s j j j j j j <enter>");
    let by_cpu = names(&console);
    console.keys("S");
    assert!(console.text().contains("least CPU first"), "{}", console.text());
    let reversed = names(&console);
    assert_ne!(by_cpu[0], reversed[0]);
    assert_eq!(by_cpu[5..], reversed[5..], "what is not known stays last: {by_cpu:?} {reversed:?}");
}

#[test]
fn a_filter_narrows_and_goes_by_back() {
    let mut console = at_night((120, 40));
    console.keys("3 / o f f e r s <enter>");
    assert_eq!(view(&console).totals.fitting, 2, "{}", console.text());
    assert!(console.text().contains("2 fit \"offers\""), "{}", console.text());
    console.keys("<esc>");
    assert_eq!(view(&console).filter, "");
    console.keys("/ z z z z <enter>");
    assert!(console.text().contains("No service fits \"zzzz\": esc takes the filter away"), "{}", console.text());
}

#[test]
fn the_cursor_stays_on_its_service_when_others_become_worse() {
    let mut console = at_night((120, 40));
    console.keys("3");
    to(&mut console, "directory");
    let mut worse = night();
    worse.services = part(vec![failing("nucleus", "a"), failing("nucleus", "b"), service("nucleus", "directory", 2)]);
    console.seen(with("prod", worse).with(|snapshot| snapshot.number = 2).done());
    assert!(under(&console).contains("directory"), "{}", console.text());
}

#[test]
fn a_group_is_woken_from_its_heading() {
    let mut console = at_night((120, 40));
    console.keys("3 z z");
    to(&mut console, "shop  4 services, 3 asleep").keys("W");
    let (environment, operation) = planned(&mut console);
    assert!(matches!(&operation, Operation::Wake(wake) if wake.group.as_deref() == Some("shop")), "{operation:?}");
    assert_eq!(environment, "dev");
    console.keys("<esc>");
    to(&mut console, "in no group");
    assert!(no(&console, Command::Operate(OperationKind::Wake)).contains("in no group"));
    // A heading is folded by what opens.
    console.keys("<enter>");
    assert!(!view(&console).rows.iter().skip(view(&console).cursor.at + 1).any(|row| matches!(row, ListRow::Thing(_))));
}

#[test]
fn what_is_selected_is_woken_together_in_one_environment_only() {
    let mut console = at_night((120, 40));
    console.keys("3 / d e v <enter> a");
    assert_eq!(view(&console).selected.len(), 4);
    console.keys("W");
    let (_, operation) = planned(&mut console);
    assert!(matches!(&operation, Operation::Wake(wake) if wake.service.len() == 4), "{operation:?}");
    console.keys("<esc>");
    console.keys("<esc>");
    assert!(view(&console).selected.is_empty(), "back takes the selection away first");
    console.keys("<esc> a");
    assert_eq!(view(&console).selected.len(), 9, "{}", console.text());
    assert!(no(&console, Command::Operate(OperationKind::Wake)).contains("several environments"));
}

#[test]
fn what_was_selected_and_is_not_shown_is_not_acted_on() {
    let mut console = at_night((120, 40));
    console.keys("3 / d e v <enter> a");
    assert_eq!(view(&console).selected.len(), 4);
    console.keys("/ a u t h <enter>");
    assert!(
        no(&console, Command::Operate(OperationKind::Wake)).contains("of those selected are not shown here"),
        "{}",
        console.text()
    );
    console.keys("E");
    assert!(view(&console).selected.is_empty(), "other environments, other things");
}

#[test]
fn when_the_row_under_the_cursor_goes_its_neighbour_is_not_meant() {
    let mut console = at_night((120, 40));
    console.keys("3");
    to(&mut console, "directory");
    let mut gone = night();
    gone.services = part(vec![service("nucleus", "a", 2), service("nucleus", "b", 2)]);
    console.seen(with("prod", gone).with(|snapshot| snapshot.number = 2).done());
    console.keys("Z");
    assert!(console.text().contains("no longer listed"), "{}", console.text());
}

fn migration(name: &str) -> Migration {
    Migration {
        name: name.to_owned(),
        cluster: EcsClusterName("shop".to_owned()),
        task_definition: format!("{name}-migration"),
        network: NetworkSource::Service(ServiceId::new("shop", "kong")),
        container: None,
        commands: Default::default(),
        log_group: None,
        database: None,
        timeout_seconds: None,
    }
}

#[test]
fn a_migration_is_the_environments_only_one_or_is_picked_by_name() {
    let mut environments = fleet::environments();
    environments[2].services.migrations.clear();
    environments[0].services.migrations = vec![migration("wallet")];
    environments[1].services.migrations = vec![migration("wallet"), migration("ledger")];
    let mut console = Console::on(environments, (120, 40));
    for environment in ["dev", "staging", "prod"] {
        console.seen(with(environment, sleeping()).done());
    }
    console.keys("3");
    to(&mut console, "PROD");
    assert!(no(&console, Command::Operate(OperationKind::Migrate)).contains("no migration is configured for prod"));
    to(&mut console, "dev ").keys("M");
    let (environment, operation) = planned(&mut console);
    assert!(matches!(&operation, Operation::Migrate(migrate) if migrate.migration == "wallet"), "{operation:?}");
    assert_eq!(environment, "dev");
    console.keys("<esc>");
    to(&mut console, "staging").keys("M");
    assert!(matches!(console.model.overlay, Some(Overlay::Palette(_))), "which one is asked");
    console.keys("space l e d g <enter>");
    let (environment, operation) = planned(&mut console);
    assert!(matches!(&operation, Operation::Migrate(migrate) if migrate.migration == "ledger"), "{operation:?}");
    assert_eq!(environment, "staging");
}

#[test]
fn read_only_environments_and_what_nothing_can_take_over_say_so() {
    let mut environments = fleet::environments();
    environments[0].protection = Protection::ReadOnly;
    let mut console = Console::on(environments, (120, 40));
    let mut estate = sleeping();
    let single = changed(aurora("lonely"), |seen| {
        seen.seen.database.members.truncate(1);
    });
    estate.databases = part(vec![single]);
    console.seen(with("dev", estate.clone()).done()).seen(with("staging", estate).done());
    console.keys("3");
    to(&mut console, "dev ");
    assert!(no(&console, Command::Operate(OperationKind::Wake)).contains("read-only"));
    console.keys("4");
    to(&mut console, "staging");
    assert!(no(&console, Command::Operate(OperationKind::Failover)).contains("no reader"));
    console.keys("F");
    assert!(console.text().contains("failover: it has no reader"), "{}", console.text());
    assert_eq!(able(&console.model, Command::Operate(OperationKind::Wake)), Able::NotHere);
}

#[test]
fn a_database_fails_over_from_the_list_and_from_its_sheet() {
    let mut console = at_night((120, 40));
    console.keys("4");
    to(&mut console, "directory").keys("F");
    let (environment, operation) = planned(&mut console);
    assert!(matches!(&operation, Operation::Failover(failover) if failover.database == "directory"), "{operation:?}");
    assert_eq!(environment, "prod");
    console.keys("<esc>");
    to(&mut console, "directory").keys("<enter> F");
    assert!(matches!(planned(&mut console).1, Operation::Failover(_)));
    assert!(matches!(console.model.overlay, Some(Overlay::Flow(_))), "the sheet makes way for the plan");
    // The reader that shall write is an option of it.
    console.keys("o");
    assert!(console.text().contains("reader"), "{}", console.text());
}

#[test]
fn a_sheet_scrolls_copies_and_closes() {
    let mut console = at_night((80, 24));
    console.keys("3");
    to(&mut console, "ledger").keys("<enter>");
    let top = |console: &Console| match &console.model.overlay {
        Some(Overlay::Sheet(sheet)) => sheet.top,
        other => panic!("{other:?}"),
    };
    console.keys("j j");
    assert_eq!(top(&console), 2);
    console.keys("G");
    assert!(console.text().contains("opsctl services nucleus/ledger --env prod"), "{}", console.text());
    console.take_effects();
    console.keys("y");
    assert!(matches!(console.take_effects().last(), Some(Effect::Copy(name)) if name == "ledger"));
    console.keys("Y");
    assert!(matches!(console.take_effects().last(), Some(Effect::Copy(line)) if line.contains("nucleus/ledger")));
    console.keys("<esc>");
    assert!(console.model.overlay.is_none());
}

fn verdict(environment: &str, subject: Subject) -> Verdict {
    Verdict {
        severity: Severity::Critical,
        environment: EnvironmentName(environment.to_owned()),
        subject,
        kind: Kind::Growing,
        reason: Text::from("something about it"),
        messages: 0,
        rank: Default::default(),
    }
}

#[test]
fn home_leads_to_the_thing_that_needs_somebody_and_offers_what_fits() {
    for (subject, topic, row, key) in [
        (Subject::Service(ServiceId::new("shop-dev", "offers")), Topic(Scope::Services), "offers", Some("W")),
        (Subject::Database("shop".to_owned()), Topic(Scope::Databases), "shop", Some("F")),
    ] {
        let mut console = at_night((120, 40));
        console.model.sites[0].verdicts = vec![verdict("dev", subject)];
        console.event(Event::Resize(120, 40));
        // What else needs somebody is elsewhere.
        console.keys("E g g");
        assert!(console.text().contains("something about it"), "{}", console.text());
        if let Some(key) = key {
            assert!(console.text().contains(&format!("{key} ")), "{}", console.text());
            console.take_effects();
            console.keys(key);
            assert!(matches!(console.model.overlay, Some(Overlay::Flow(_))), "{}", console.text());
            console.keys("<esc>");
        }
        console.keys("d");
        assert!(matches!(&console.model.overlay, Some(Overlay::Sheet(sheet)) if sheet.topic == topic));
        console.keys("<esc> <enter>");
        assert_eq!(view(&console).topic, topic);
        assert!(under(&console).contains(row), "{}", under(&console));
    }
}

#[test]
fn home_says_what_sleeps_fails_and_is_in_alarm() {
    for (size, words) in [((120, 40), "4 svcs · 3 asleep"), ((200, 60), "4 services · 3 asleep")] {
        let text = at_night(size).text();
        assert!(text.contains(words), "{text}");
        assert!(text.contains("failing") && text.contains("1 in alarm") && text.contains("1 paused"), "{text}");
    }
}

#[test]
fn the_palette_finds_things_by_name_and_wakes_groups() {
    let mut console = at_night((120, 40));
    console.keys(": z i m s w i t c h <enter>");
    assert!(under(&console).contains("zimswitch"), "{}", console.text());
    console.take_effects();
    console.keys(": w a k e space s h o p <enter>");
    let (_, operation) = planned(&mut console);
    assert!(matches!(&operation, Operation::Wake(wake) if wake.group.as_deref() == Some("shop")), "{operation:?}");
}

#[test]
fn the_mouse_sorts_selects_opens_and_scrolls() {
    let mut console = at_night((120, 40));
    console.keys("3");
    let gaps = view(&console).gaps.len().min(3) as u16;
    let mouse = |console: &mut Console, column, row, what| {
        console.event(Event::Mouse(Mouse { column, row, what }));
    };
    let titles = console.text().lines().nth(3 + usize::from(gaps)).expect("titles").to_owned();
    let column = titles.find("STATE").expect("a title") as u16;
    mouse(&mut console, column, 3 + gaps, MouseWhat::Click);
    assert_eq!(view(&console).sort, 3, "{titles}");
    mouse(&mut console, 30, 6 + gaps, MouseWhat::Click);
    assert_eq!(view(&console).cursor.at, 2);
    mouse(&mut console, 30, 6 + gaps, MouseWhat::Click);
    assert!(matches!(console.model.overlay, Some(Overlay::Sheet(_))));
    mouse(&mut console, 30, 10, MouseWhat::Scroll(2));
    mouse(&mut console, 30, 10, MouseWhat::Click);
    assert!(console.model.overlay.is_none());
}

#[test]
fn nothing_hostile_reaches_the_screen_the_clipboard_or_a_sheet() {
    let long = "x".repeat(4_000);
    for text in HOSTILE.iter().copied().chain([long.as_str()]) {
        let mut estate = Estate {
            services: part(vec![
                changed(failing(text, text), |seen| {
                    seen.service.status = Text::from(text);
                    seen.service.events[0].message = Text::from(text);
                    seen.service.deployments[0].rollout_reason = Some(Text::from(text));
                    seen.stopped[0].stopped_reason = Some(Text::from(text));
                    seen.stopped[0].containers[0].name = Text::from(text);
                }),
                asleep("cluster", text),
            ]),
            databases: part(vec![changed(aurora(text), |seen| {
                let database = &mut seen.seen.database;
                (database.status, database.engine, database.version) =
                    (Text::from(text), Text::from(text), Text::from(text));
                database.global = Some(Text::from(text));
                database.members[0].zone = Some(Text::from(text));
                database.members[1].class = Some(Text::from(text));
            })]),
            alarms: part(vec![
                changed(alarm(text, AlarmState::Alarm, 3), |alarm| {
                    (alarm.reason, alarm.description) = (Text::from(text), Some(Text::from(text)));
                }),
                changed(composite("rule"), |alarm| {
                    alarm.watches = opsctl::domain::alarm::Watches::Rule { rule: Text::from(text) };
                }),
            ]),
            mappings: part(vec![changed(mapping(text, text, MappingState::Disabled), |mapping| {
                (mapping.reason, mapping.last_result) = (Some(Text::from(text)), Some(Text::from(text)));
            })]),
            lags: part(vec![lag(text, text, &[1.0])]),
            ..Estate::default()
        };
        estate.services.unknown = vec![unknown(text)];
        let mut console = console((120, 40));
        console.seen(with("dev", estate).done());
        for (_, key) in KEYS {
            console.keys(key).keys("g g");
            assert_harmless(&console);
            for keys in
                ["w", "z", "j", "<enter>", "j", "G", "y", "Y", "<esc>", "j", "<enter>", "G", "<esc>", "s", "<esc>"]
            {
                console.keys(keys);
                assert_harmless(&console);
            }
        }
        for effect in console.take_effects() {
            if let Effect::Copy(copied) = effect {
                assert!(!copied.contains(|character: char| character.is_control()), "{copied:?}");
            }
        }
    }
}

#[test]
fn any_size_is_drawn_without_colour_and_in_ascii_too() {
    for columns in [1, 20, 39, 40, 41, 60, 79, 300] {
        for rows in [1, 5, 9, 10, 11, 13, 17, 90] {
            let mut console = at_night((columns, rows));
            for keys in ["3", "j", "z", "<enter>", "<esc>", "4", "s", "<esc>", "5", "w", "l", "7", "/", "x", "<esc>"] {
                console.keys(keys);
                assert!(!console.screen().is_empty());
            }
        }
    }
    for (_, key) in KEYS {
        let mut console = at_night((100, 30));
        console.model.look.theme = Theme::None;
        console.model.look.symbols = Symbols::Ascii;
        console.keys(key);
        assert!(console.text().is_ascii(), "{}", console.text());
        console.keys("j <enter>");
        assert!(console.text().is_ascii(), "{}", console.text());
    }
}

#[test]
fn of_nine_hundred_services_the_screen_shows_its_own() {
    let mut console = console((120, 40));
    for environment in ["dev", "staging", "prod"] {
        let services = (0..300).map(|number| service("main", &format!("service-{number:03}"), 2)).collect();
        console.seen(with(environment, Estate { services: part(services), ..Estate::default() }).done());
    }
    let asked = std::time::Instant::now();
    console.keys("3 G k k z z s j j <enter>");
    assert!(console.text().contains("900 services"), "{}", console.text());
    assert!(asked.elapsed() < std::time::Duration::from_secs(2), "{:?}", asked.elapsed());
}

#[test]
fn an_alarms_sheet_tells_what_it_went_through() {
    let mut console = at_night((120, 40));
    console.keys("5 <enter>");
    assert!(console.text().contains("asking CloudWatch"), "{}", console.text());
    let asked = console.take_effects().into_iter().find_map(|effect| match effect {
        Effect::ReadAlarm(ticket, environment, name) => Some((ticket, environment, name)),
        _ => None,
    });
    let (ticket, environment, name) = asked.expect("asked for");
    assert!(under(&console).contains(&name) && !environment.0.is_empty(), "{name}");
    let change = AlarmChange {
        at: "2026-11-21T02:41:00Z".parse().expect("a time"),
        kind: Text::from("StateUpdate"),
        summary: Text::line("Alarm updated from OK to ALARM \u{1b}[31m\u{202e}"),
    };
    let history = History { changes: vec![change], incomplete: None };
    console.event(Event::AlarmHistory(Ticket(ticket.0 + 1), Ok(History::default())));
    assert!(console.text().contains("asking CloudWatch"), "an answer to another question is dropped");
    console.event(Event::AlarmHistory(ticket, Ok(history)));
    let text = console.text();
    assert!(text.contains("11-21 02:41:00") && text.contains("Alarm updated from OK to ALARM"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    console.keys("<esc> <enter>");
    let Some(Effect::ReadAlarm(ticket, ..)) =
        console.take_effects().into_iter().find(|effect| matches!(effect, Effect::ReadAlarm(..)))
    else {
        panic!("asked for anew")
    };
    let failure = Failure { what: Text::from("it is denied"), hint: Text::from("allow it"), advice: None };
    console.event(Event::AlarmHistory(ticket, Err(failure)));
    assert!(console.text().contains("it can't be read: it is denied; allow it"), "{}", console.text());
}
