//! `kill -9` while settings are set and put back, and `--resume` until it is done: in the end each is as it was to be, and what
//! puts it back is known.

use super::{
    At, SPEED,
    program::{Desk, Ended, Point},
};
use crate::served::Served;

/// A setting of the sandbox's environment dev: how it is set, and how it is put back.
struct Pair {
    set: &'static [&'static str],
    back: &'static [&'static str],
}

const PAIRS: &[Pair] = &[
    Pair {
        set: &["rule", "enable", "cts-outbox-worker-every-minute"],
        back: &["rule", "disable", "cts-outbox-worker-every-minute"],
    },
    Pair { set: &["concurrency", "stop", "cts-outbox-worker"], back: &["concurrency", "restore", "cts-outbox-worker"] },
    Pair {
        set: &["retention", "--queue", "cts-commands", "--to", "13d"],
        back: &["retention", "--queue", "cts-commands", "--restore", "--accept-loss"],
    },
    Pair { set: &["consumers", "disable", "MAPPING"], back: &["consumers", "enable", "MAPPING"] },
    Pair {
        set: &["alarms", "mute", "auth-db-free-storage", "--for", "23h"],
        back: &["alarms", "unmute", "auth-db-free-storage"],
    },
];

/// Bytes of the journal after which it is killed: before, between and after the intent and what came of it.
const POINTS: [u64; 3] = [1, 2_600, 3_200];
const RESUMES_MAX: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_is_set_a_setting_is_what_was_wanted_and_comes_back() {
    let served = Served::with_fleet_at(SPEED);
    let at = At {
        endpoint: served.url.clone(),
        joins: Some(served.runtime_folder().to_owned()),
        runs: format!("state/opsctl/sandbox/{}/runs", served.pid()),
        speed: SPEED,
        resumes_are_killed: true,
        waits_are_bound: true,
    };
    let mut kills = 0;
    for pair in PAIRS {
        let desk = Desk::new(&at);
        let name = mapping(&desk).await;
        let words = |line: &[&str]| line.iter().map(|word| word.replace("MAPPING", &name)).collect::<Vec<_>>();
        let (set, back) = (words(pair.set), words(pair.back));
        let before = now(&desk, &set).await;
        for point in POINTS {
            kills += carry_out(&desk, &set, point).await;
            let plan = plan(&desk, &back).await;
            assert_eq!(plan["empty"], false, "{set:?} at {point}: it is set, and can be put back: {plan:#}");
            kills += carry_out(&desk, &back, point).await;
            assert_eq!(now(&desk, &set).await, before, "{back:?} at {point}");
        }
    }
    assert!(kills >= PAIRS.len() * POINTS.len(), "only {kills} processes were killed");
}

/// Gives a command, kills it, and goes on with it until it is done; answers how often it was killed.
async fn carry_out(desk: &Desk, line: &[String], point: u64) -> usize {
    let known = desk.runs();
    let agreed = with(line, &["--yes"]);
    let mut ended = desk.run(&agreed, Some(Point::Bytes(point, 0))).await;
    let kills = usize::from(ended.code.is_none());
    for _ in 0..RESUMES_MAX {
        if ended.code == Some(0) {
            return kills;
        }
        ended = match desk.runs().difference(&known).next() {
            Some(run) => desk.run(&with(&line[..operation(line)], &["--resume", run, "--yes"]), None).await,
            // Nothing had begun.
            None => desk.run(&agreed, None).await,
        };
    }
    panic!("{line:?} killed at {point} does not come to its end: {}", ended.said)
}

/// Words of the operation's name.
fn operation(line: &[String]) -> usize {
    if line[0] == "retention" { 1 } else { 2 }
}

fn with(line: &[String], more: &[&str]) -> Vec<String> {
    line.iter().cloned().chain(more.iter().map(|word| (*word).to_owned())).collect()
}

async fn plan(desk: &Desk, line: &[String]) -> serde_json::Value {
    let Ended { document, said, .. } = desk.run(&with(line, &["--dry-run"]), None).await;
    assert!(document.is_object(), "{line:?}: {said}");
    let plan = &document["plan"];
    if plan.is_object() { plan.clone() } else { document }
}

/// How it stands, as the plan says that would set it.
async fn now(desk: &Desk, line: &[String]) -> String {
    let plan = plan(desk, line).await;
    let facts = plan["facts"].as_array().cloned().unwrap_or_default();
    let now = facts.iter().find(|fact| fact["label"] == "now");
    now.unwrap_or_else(|| panic!("{line:?}: {plan:#}"))["value"].to_string()
}

/// A mapping that takes messages.
async fn mapping(desk: &Desk) -> String {
    let listed = desk.run(&["consumers".to_owned()], None).await;
    let rows = listed.document["consumers"].as_array().or(listed.document.as_array()).cloned().unwrap_or_default();
    let on = rows.iter().find(|row| row["kind"] == "mapping" && row["takes"] == true);
    let on = on.unwrap_or_else(|| panic!("no mapping is enabled: {}", listed.said));
    on["mapping"]["id"].as_str().expect("an id").to_owned()
}
