//! `kill -9` of the real binary in the middle of what it does, at random points, then `--resume` until it is done.
//!
//! [`scenario::SCENARIOS`] says what is killed, [`check`] what must hold then. Printed is a table of it.
//!
//! | Variable | Does |
//! | --- | --- |
//! | `OPSCTL_TEST_KILLS` | kills so often in all; `make kills` says 3,000 |
//! | `OPSCTL_TEST_SEED` | repeats a seed, which is printed |
//! | `OPSCTL_TEST_ONLY` | only scenarios whose names contain this |
//! | `OPSCTL_TEST_ROUND` | of each only the round with this number |
//! | `OPSCTL_TEST_KEEP` | keeps the folders of rounds with a fault |
//!
//! Most points are lengths of the journal, not times: so they lie inside of the run on any machine.

mod account;
mod check;
mod found;
mod program;
mod queues;
mod round;
mod scenario;
mod services;
mod settings;

use std::{
    env,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::{StreamExt, stream};

use self::{
    found::{Fault, Found, table},
    round::{Round, Sizes},
    scenario::{SCENARIOS, Scenario},
};
use crate::served::Served;

const ACCOUNT: &str = "111111111111";
/// Of the sandbox's environments.
const REGION: &str = "af-south-1";
/// How many times as fast as real time the sandbox's clock runs, and that of the programs that join it: hiding ends sooner.
const SPEED: u32 = 5;
const KILLS: usize = 100;
/// Further rounds of a scenario in which nothing was killed.
const MORE_ROUNDS_MAX: usize = 20;
/// Rounds at once: most of their time they wait.
const ROUNDS_AT_ONCE: usize = 16;
/// ChangeMessageVisibility on these queues is answered late.
const FAULTS: &str = r#"
[[fault]]
call = "ChangeMessageVisibility*"
queue = "slow-*"
times = 1_000_000_000
kind = { slow = "1s" }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn killed_on_the_sandbox_nothing_is_lost() {
    let faults = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(faults.path(), FAULTS).expect("the faults");
    let served = Served::start_at_with(SPEED, faults.path());
    let at = At {
        endpoint: served.url.clone(),
        joins: Some(served.runtime_folder().to_owned()),
        runs: format!("state/opsctl/sandbox/{}/runs", served.pid()),
        speed: SPEED,
        resumes_are_killed: true,
        waits_are_bound: true,
    };
    let only = env::var("OPSCTL_TEST_ONLY").unwrap_or_default();
    let scenarios: Vec<&Scenario> = SCENARIOS.iter().filter(|scenario| scenario.name.contains(&only)).collect();
    assert!(!scenarios.is_empty(), "no scenario is called {only}");
    campaign(&at, &scenarios, number("OPSCTL_TEST_KILLS").map_or(KILLS, |kills| kills as usize)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 5)]
async fn killed_on_ministack_nothing_is_lost() {
    let Some(endpoint) = crate::served::peer("OPSCTL_TEST_MINISTACK") else { return };
    let at = At {
        endpoint: endpoint.to_string_lossy().into_owned(),
        joins: None,
        runs: "state/opsctl/runs".to_owned(),
        speed: 1,
        // A resume hides uncertain messages for minutes. AWS and the sandbox let a later one show them by an older receipt
        // handle; ministack knows the newest handle only, and the test would wait for minutes.
        resumes_are_killed: false,
        waits_are_bound: false,
    };
    campaign(&at, &[&SCENARIOS[0]], 6).await;
}

/// Where the queues are.
#[derive(Debug, Clone)]
struct At {
    endpoint: String,
    /// `XDG_RUNTIME_DIR` of the sandbox that is joined; none: an endpoint in a configuration.
    joins: Option<PathBuf>,
    /// Where journals lie, in a round's own folder.
    runs: String,
    speed: u32,
    resumes_are_killed: bool,
    waits_are_bound: bool,
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// Plays rounds of all scenarios in turn until so many processes were killed; prints what was found.
///
/// # Panics
/// Something did not hold.
async fn campaign(at: &At, scenarios: &[&'static Scenario], kills: usize) {
    let seed = number("OPSCTL_TEST_SEED").unwrap_or_else(|| fastrand::u64(..));
    say(&format!("seed {seed}"));
    let mut rows: Vec<(&str, Found)> = scenarios.iter().map(|scenario| (scenario.name, Found::default())).collect();
    let whole: Vec<(Found, Sizes)> =
        stream::iter(scenarios.iter().map(|scenario| spawn(at, scenario, usize::MAX, seed, None)))
            .buffered(ROUNDS_AT_ONCE)
            .collect()
            .await;
    let killed = AtomicUsize::new(0);
    let only = number("OPSCTL_TEST_ROUND").map(|number| number as usize);
    let jobs = (only.unwrap_or(0)..only.map_or(usize::MAX, |only| only + 1))
        .flat_map(|number| (0..scenarios.len()).map(move |row| (row, number)));
    let rounds = stream::iter(jobs.take_while(|_| killed.load(Ordering::Relaxed) < kills)).map(|(row, number)| {
        let round = spawn(at, scenarios[row], number, seed, Some(whole[row].1));
        async move { (row, round.await.0) }
    });
    let mut rounds = Box::pin(rounds.buffer_unordered(ROUNDS_AT_ONCE));
    while let Some((row, found)) = rounds.next().await {
        killed.fetch_add(found.kills + found.resume_kills, Ordering::Relaxed);
        rows[row].1.add(&found);
    }
    // Few rounds may have met no kill in some scenario: it has more of them until one does.
    for (row, scenario) in scenarios.iter().enumerate().filter(|(_, scenario)| scenario.kills() && only.is_none()) {
        for number in 1_000..1_000 + MORE_ROUNDS_MAX {
            if rows[row].1.kills > 0 {
                break;
            }
            let round = spawn(at, scenario, number, seed, Some(whole[row].1));
            rows[row].1.add(&round.await.0);
        }
    }
    rows.iter_mut().zip(&whole).for_each(|((_, found), (of_whole, _))| found.add(of_whole));
    say(&table(&rows));
    let faults: Vec<&String> = rows.iter().flat_map(|(_, found)| &found.faults).collect();
    assert!(faults.is_empty(), "{} rounds found faults; they are printed above", faults.len());
    let killable = || scenarios.iter().zip(&rows).filter(|(scenario, _)| scenario.kills()).map(|(_, row)| row);
    let (kills, rounds) = killable().fold((0, 0), |sum, (_, found)| (sum.0 + found.kills, sum.1 + found.rounds));
    assert!(rounds * 2 <= kills * 5 + 5, "only {kills} kills in {rounds} rounds");
    for (scenario, (_, found)) in scenarios.iter().zip(&rows).filter(|(scenario, _)| scenario.kills()) {
        assert!(only.is_some() || found.kills > 0, "{}: nothing was killed", scenario.name);
    }
}

/// A round in a task of its own, so that one that panics is a fault among others.
async fn spawn(at: &At, scenario: &'static Scenario, number: usize, seed: u64, sizes: Option<Sizes>) -> (Found, Sizes) {
    let mut hasher = DefaultHasher::new();
    (seed, scenario.name, number).hash(&mut hasher);
    let (own, at) = (hasher.finish(), at.clone());
    let shown = if number == usize::MAX { "whole".to_owned() } else { number.to_string() };
    let again = format!(
        "OPSCTL_TEST_SEED={seed} OPSCTL_TEST_ONLY='{}' OPSCTL_TEST_ROUND={number} cargo test --test main killed_on_the_sandbox",
        scenario.name
    );
    let task = tokio::spawn({
        let (again, shown) = (again.clone(), shown.clone());
        async move {
            let mut round = Round::new(&at, scenario, &shown, own).await;
            let sizes = round.play(sizes).await;
            (round.end(&again), sizes)
        }
    });
    let (found, sizes) = task.await.unwrap_or_else(|error| {
        let mut found = Found { rounds: 1, ..Found::default() };
        found.blame(Fault::Wrong, 1, &format!("{}: {error}\n  again: {again}", scenario.name));
        (found, Sizes::default())
    });
    found.faults.iter().for_each(|fault| say(&format!("FAULT in round {shown} of {fault}")));
    (found, sizes)
}

/// At once, so that who waits for thousands of kills sees what was found so far.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads it: nothing to do about that.
    drop(writeln!(out, "{text}"));
}
