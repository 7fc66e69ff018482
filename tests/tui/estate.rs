//! Services, databases, alarms and consumers.

use opsctl::{
    cloud::{CloudError, ErrorKind},
    domain::{AlarmState, Gauge, Outbox, Relay, ServiceGroup, Text},
    keymap::Scope,
    observe::{Estate, Source},
    operations::Operation,
    outboxes::preset,
    sandbox::fleet,
    tui::state::{
        effect::Effect,
        list::Topic,
        view::{Overlay, View},
    },
};

use super::scenes::{denied, expired};
use crate::support::{
    console::{Console, Picture, SIZES},
    estate::{alarm, aurora, changed, minutes_ago, night, part, service, sleeping, unknown},
};

/// The key of each topic's list.
pub(super) const KEYS: [(Topic, &str); 5] = [
    (Topic(Scope::Services), "3"),
    (Topic(Scope::Databases), "4"),
    (Topic(Scope::Alarms), "5"),
    (Topic(Scope::Consumers), "7"),
    (Topic(Scope::Outboxes), "8"),
];

pub(super) fn with(environment: &str, estate: Estate) -> Picture {
    Picture::of(environment).queue("orders", 3).with(|snapshot| snapshot.estate = estate)
}

/// What is configured of the outboxes of [`night`].
fn outboxes() -> Vec<Outbox> {
    let mapping = preset("outbox-transfers").expect("a preset").mapping.clone();
    let relay = |name: &str| match name {
        "ledger" => Relay::Function {
            function: "ledger-outbox-worker".to_owned(),
            rule: Some("ledger-outbox-every-minute".to_owned()),
        },
        _ => Relay::Service("nucleus/directory".to_owned()),
    };
    let outbox = |name: &str| Outbox {
        name: name.to_owned(),
        connection: "ledger".to_owned(),
        preset: Some("outbox-transfers".to_owned()),
        mapping: mapping.clone(),
        relay: relay(name),
        fifo: true,
        lag_seconds: 300,
    };
    ["directory", "ledger", "recon"].map(outbox).to_vec()
}

/// On the sandbox's environments, `dev` having a group of services.
pub(super) fn console(size: (u16, u16)) -> Console {
    let mut environments = fleet::environments();
    environments[0].services.groups = vec![ServiceGroup {
        name: "shop".to_owned(),
        stages: vec![vec!["auth".to_owned()], vec!["offers".to_owned()], vec!["*-worker".to_owned()]],
        always_on: vec!["kong".to_owned()],
        size: 1,
        sleep_allowed: true,
    }];
    environments[2].databases.outboxes = outboxes();
    Console::on(environments, size)
}

pub(super) fn at_night(size: (u16, u16)) -> Console {
    let mut console = console(size);
    console.seen(with("dev", sleeping()).done()).seen(with("prod", night()).done());
    let refused = Estate {
        services: changed(part(Vec::new()), |part| {
            (part.at, part.error) = (None, Some(denied("ecs:ListClusters")));
        }),
        databases: changed(part(vec![aurora("reports")]), |part| {
            part.at = Some(minutes_ago(12));
            part.error = Some(CloudError::new(ErrorKind::Throttled, "rds:DescribeDBClusters", "Rate exceeded"));
        }),
        alarms: changed(part(vec![alarm("old", AlarmState::Ok, 70)]), |part| part.at = Some(minutes_ago(30))),
        mappings: changed(part(Vec::new()), |part| part.unknown = vec![unknown("last results are not known")]),
        lags: part(Vec::new()),
        ..Estate::default()
    };
    console.seen(with("staging", refused).done());
    console
}

/// Nothing is known yet but the queues.
fn loading(size: (u16, u16)) -> Console {
    let mut console = console(size);
    console.seen(with("dev", Estate::default()).done());
    console
}

/// Nothing may be looked at, or no credentials.
fn refused(size: (u16, u16)) -> Console {
    fn no<T>() -> opsctl::observe::Part<T> {
        changed(part(Vec::new()), |part| (part.at, part.error) = (None, Some(denied("rds:DescribeDBClusters"))))
    }
    let estate = || Estate {
        services: no(),
        databases: no(),
        alarms: no(),
        mappings: no(),
        lags: no(),
        outboxes: no(),
        ..Estate::default()
    };
    let mut console = console(size);
    console.seen(with("dev", estate()).done()).seen(with("staging", estate()).done());
    console.seen(with("prod", Estate::default()).with(|snapshot| snapshot.listing.error = Some(expired())).done());
    console
}

/// There is nothing of the sort.
fn empty(size: (u16, u16)) -> Console {
    let none = || Estate {
        services: part(Vec::new()),
        databases: part(Vec::new()),
        alarms: part(Vec::new()),
        mappings: part(Vec::new()),
        lags: part(Vec::new()),
        outboxes: part(Vec::new()),
        ..Estate::default()
    };
    let mut console = console(size);
    for environment in ["dev", "staging", "prod"] {
        console.seen(with(environment, none()).done());
    }
    console
}

/// All is from an earlier session.
fn stale(size: (u16, u16)) -> Console {
    let mut console = console(size);
    let mut estate = night();
    let at = Some(minutes_ago(7 * 60));
    (estate.services.at, estate.databases.at, estate.alarms.at) = (at, at, at);
    (estate.mappings.at, estate.lags.at) = (at, at);
    console.seen(with("prod", estate).with(|snapshot| snapshot.source = Source::Cache).done());
    console
}

pub(super) fn under(console: &Console) -> String {
    let View::List(view) = console.model.view() else { panic!("no list: {}", console.text()) };
    console
        .text()
        .lines()
        .nth(2 + 1 + view.gaps.len().min(3) + 1 + view.cursor.at - view.cursor.top)
        .unwrap_or_default()
        .to_owned()
}

/// Puts the cursor on the row that says this.
pub(super) fn to<'a>(console: &'a mut Console, text: &str) -> &'a mut Console {
    console.keys("g g");
    for _ in 0..400 {
        if under(console).contains(text) {
            return console;
        }
        console.keys("j");
    }
    panic!("{text} is in no row: {}", console.text());
}

pub(super) fn planned(console: &mut Console) -> (String, Operation) {
    let effects = console.take_effects();
    let plan = effects.into_iter().find_map(|effect| match effect {
        Effect::Plan(_, environment, operation) => Some((environment.0, *operation)),
        _ => None,
    });
    plan.expect("an operation is planned")
}

#[test]
fn every_list_in_every_state_and_size() {
    type Scene = (&'static str, fn((u16, u16)) -> Console);
    let scenes: [Scene; 5] =
        [("night", at_night), ("loading", loading), ("refused", refused), ("empty", empty), ("stale", stale)];
    for (topic, key) in KEYS {
        for (name, scene) in scenes {
            for size in SIZES {
                let name = format!("{}-{name}-{}x{}", topic.list().head().nouns[1], size.0, size.1);
                insta::assert_snapshot!(name, scene(size).keys(key).content());
            }
        }
    }
}

#[test]
fn every_sheet_in_every_size() {
    for (name, keys, row) in [
        ("service-failing", "3", "ledger"),
        ("service-asleep", "3", "offers "),
        ("database-failing-over", "4", "ledger"),
        ("database-paused", "4", "shop"),
        ("database-instance", "4", "recon"),
        ("alarm", "5", "ledger-cpu"),
        ("alarm-composite", "5", "payments"),
        ("mapping", "7", "replay"),
        ("lag", "7", "wallet-ledger"),
    ] {
        for size in SIZES {
            let mut console = at_night(size);
            console.keys(keys);
            to(&mut console, row).keys("<enter>");
            assert!(matches!(console.model.overlay, Some(Overlay::Sheet(_))), "{name}");
            insta::assert_snapshot!(format!("sheet-{name}-{}x{}", size.0, size.1), console.content());
        }
    }
}

#[test]
fn what_is_old_is_dimmed_though_the_rest_of_its_list_is_fresh() {
    let mut console = console((200, 60));
    let late = changed(service("main", "late", 2), |seen| seen.seen_at = Some(minutes_ago(600)));
    let old = changed(service("main", "old", 2), |seen| {
        seen.cpu = Some(Gauge { value: 93.0, at: minutes_ago(20), recent: Vec::new() });
    });
    let estate = Estate {
        services: part(vec![late, old, service("main", "well", 2)]),
        databases: part(vec![
            changed(aurora("secondary"), |row| {
                let database = &mut row.seen.database;
                (database.members[0].is_writer, database.written_elsewhere) = (false, Some(true));
                database.global = Some(Text::from("wallet"));
            }),
            changed(aurora("halted"), |row| {
                let reader = row.gauges.get_mut("halted-2").expect("a reader");
                reader.lag = Some(Gauge { value: -1_000.0, at: minutes_ago(3), recent: Vec::new() });
            }),
        ]),
        ..Estate::default()
    };
    console.seen(with("prod", estate).done()).keys("3");
    let is_dim = |console: &Console, row, text| {
        let style = console.style_of(row, text).unwrap_or_else(|| panic!("{row}, {text}: {}", console.text()));
        style.add_modifier.contains(ratatui::style::Modifier::DIM)
    };
    assert!(is_dim(&console, " late ", "steady"), "its cluster does not answer");
    assert!(!is_dim(&console, " well ", "steady") && !is_dim(&console, " old ", "steady"));
    assert!(is_dim(&console, " old ", "93 %"), "an old sample says nothing about now");
    assert!(!is_dim(&console, " well ", "28 %"));
    assert!(console.text().contains("seen 10 h ago"), "{}", console.text());
    console.keys("4");
    let row = |name: &str| console.text().lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
    assert!(row(" secondary ").contains("in another region"), "{}", row(" secondary "));
    assert!(row(" halted ").contains(" stopped "), "{}", row(" halted "));
}
