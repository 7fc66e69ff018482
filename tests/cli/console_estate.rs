//! Services and databases in the console, in a real terminal: from a key to the journal's last line.

use opsctl::sandbox::world::Denial;

use super::{
    console::{agree, console},
    databases::cluster,
    ground::{DEV, Ground},
    services::service_of,
};

/// How the only run ended, by its journal, which is verified.
fn ended(ground: &Ground) -> String {
    let runs = ground.opsctl(&["runs", "--output", "json"]).expect(0).json();
    let run = runs["runs"][0]["run"].as_str().expect("a run").to_owned();
    ground.opsctl(&["journal", "verify", &run]).expect(0);
    runs["runs"][0]["end"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_sleeps_is_woken_from_zero_to_the_journals_last_line() {
    let ground = Ground::quick();
    service_of(&ground, "shop-dev", "kong", 1);
    for name in ["auth", "offers", "offers-worker"] {
        service_of(&ground, "shop-dev", name, 0);
    }
    let mut terminal = console(&ground, (120, 36));
    terminal.wait("dev").send("3").wait("3 asleep").send("/asleep\r").wait("3 fit").send("a").wait("3 selected");
    terminal.send("W").wait("wake 3 services").wait("[ No ]");
    agree(&terminal).wait("Stage 1 of 1").wait("done").wait("offers-worker: 2 as desired");
    terminal.send("\u{3}");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.is_sane());
    assert_eq!(ended(&ground), "done");
    let seen = ground.opsctl(&["services", "-e", "dev", "--output", "json"]).expect(0).json();
    let running: Vec<u64> =
        seen["services"].as_array().expect("services").iter().filter_map(|row| row["running"].as_u64()).collect();
    assert!(running.len() == 4 && running.iter().all(|count| *count > 0), "{seen}");
}

#[test]
fn an_aurora_cluster_fails_over_from_a_key_to_the_journals_last_line() {
    let ground = Ground::quick();
    cluster(&ground, "orders", |_| {});
    let mut terminal = console(&ground, (120, 36));
    terminal.wait("dev").send("4").wait("orders-1 (1a)").send("F").wait("let orders-2 write").wait("[ No ]");
    agree(&terminal).wait("new writer").wait("orders-1 → orders-2");
    terminal.send("4").wait("orders-2 (1b)").send("\u{3}");
    assert_eq!(terminal.end(), 0);
    assert_eq!(ended(&ground), "done");
}

#[test]
fn a_part_that_is_denied_says_so_and_blinds_nothing_else() {
    let ground = Ground::quick();
    service_of(&ground, "main", "api", 2);
    cluster(&ground, "orders", |_| {});
    ground.sandbox.with(|world, _| {
        let (account, action) = (DEV.to_owned(), "ecs:ListClusters".to_owned());
        world.denials.push(Denial { account, queue: "*".to_owned(), action });
    });
    let mut terminal = console(&ground, (120, 36));
    terminal.wait("dev").send("3").wait("dev: services not known: denied: ecs:ListClusters");
    terminal.send("4").wait("orders-1 (1a)").send("\u{3}");
    assert_eq!(terminal.end(), 0);
}
