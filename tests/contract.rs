//! The contract: one list of behaviours, through the same `cloud/` code, on the sandbox and on emulators that others
//! wrote. Where a peer is known to be unlike AWS, [`differences`] says so, why and by which failure, and the check must fail there,
//! and so: a difference that is gone leaves the table, and excuses no other failure of its check.
//!
//! `OPSCTL_TEST_MINISTACK` and `OPSCTL_TEST_LOCALSTACK` name the emulators' endpoints; without one its checks are
//! skipped, in words, unless `OPSCTL_TEST_REQUIRE_PEERS=1`.

mod accounts;
mod alarms;
mod databases;
mod dead_letters;
mod differences;
mod fifo;
mod ground;
mod mappings;
mod messages;
mod metrics;
mod migrations;
mod move_tasks;
mod process;
mod queues;
mod services;
mod targets;
mod transport;
mod visibility;

use std::{
    env,
    future::Future,
    panic::{AssertUnwindSafe, resume_unwind},
    pin::Pin,
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream};

use ground::{Ground, Peer};

/// Checks at once on an emulator.
const AT_ONCE: usize = 6;
/// How long one check may take on an emulator; on the sandbox, whose hours pass at once, a day.
const CHECK_SECONDS_MAX: u64 = 120;

/// What a check does; it panics where the behaviour is another.
type Run = Box<dyn Fn(Ground) -> Pin<Box<dyn Future<Output = ()>>>>;

/// One behaviour.
struct Check {
    name: &'static str,
    run: Run,
}

impl Check {
    fn new<F: Future<Output = ()> + 'static>(name: &'static str, run: impl Fn(Ground) -> F + 'static) -> Self {
        Self { name, run: Box::new(move |ground| Box::pin(run(ground))) }
    }

    /// Why it failed, if it did.
    async fn fails(&self, peer: &Peer) -> Option<String> {
        let ground = Ground::new(peer, self.name).await;
        let clock = ground.clock();
        let seconds_max = if *peer == Peer::Sandbox { 86_400 } else { CHECK_SECONDS_MAX };
        tokio::select! {
            ended = AssertUnwindSafe((self.run)(ground)).catch_unwind() => ended.err().map(words),
            () = clock.sleep(Duration::from_secs(seconds_max)) => Some(format!("not done after {seconds_max} s")),
        }
    }
}

fn words(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(words) => *words,
        Err(panic) => match panic.downcast::<&str>() {
            Ok(words) => (*words).to_owned(),
            Err(panic) => resume_unwind(panic),
        },
    }
}

fn checks() -> Vec<Check> {
    [
        queues::checks(),
        messages::checks(),
        visibility::checks(),
        fifo::checks(),
        dead_letters::checks(),
        move_tasks::checks(),
        accounts::checks(),
        metrics::checks(),
        alarms::checks(),
        services::checks(),
        targets::checks(),
        migrations::checks(),
        databases::checks(),
        mappings::checks(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Runs every check; what fails unexpectedly, or does not fail although a difference says so, is a failure.
async fn hold(peer: Peer, at_once: usize) {
    let checks = checks();
    let findings: Vec<Option<String>> = stream::iter(&checks)
        .map(|check| {
            let peer = &peer;
            async move {
                let failure = check.fails(peer).await;
                let known = differences::of(peer, check.name);
                let finding = match (failure, known) {
                    (None, None) => return None,
                    (Some(failure), None) => failure,
                    (Some(failure), Some(known)) if known.excuses(&failure) => return None,
                    (Some(failure), Some(known)) => {
                        format!("fails, and not because {peer:?} {}: {failure}", known.because)
                    }
                    (None, Some(known)) => format!("passes, so strike the difference ({})", known.because),
                };
                Some(format!("{}: {finding}", check.name))
            }
        })
        .buffer_unordered(at_once)
        .collect()
        .await;
    let findings: Vec<String> = findings.into_iter().flatten().collect();
    assert!(findings.is_empty(), "{} of {} checks:\n{}", findings.len(), checks.len(), findings.join("\n"));
}

/// The endpoint that `variable` names; `None` is a skip.
#[expect(clippy::print_stderr, reason = "a skip is said to whoever runs the tests")]
fn endpoint(variable: &str) -> Option<String> {
    let endpoint = env::var(variable).ok().filter(|endpoint| !endpoint.is_empty());
    if endpoint.is_none() {
        let required = env::var("OPSCTL_TEST_REQUIRE_PEERS").is_ok_and(|value| value == "1");
        assert!(!required, "{variable} is not set, and OPSCTL_TEST_REQUIRE_PEERS=1");
        eprintln!("skipped: {variable} is not set; `make test` starts every peer");
    }
    endpoint
}

#[tokio::test(start_paused = true)]
async fn sandbox() {
    hold(Peer::Sandbox, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ministack() {
    let Some(endpoint) = endpoint("OPSCTL_TEST_MINISTACK") else { return };
    hold(Peer::Ministack(endpoint), AT_ONCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn localstack() {
    let Some(endpoint) = endpoint("OPSCTL_TEST_LOCALSTACK") else { return };
    hold(Peer::Localstack(endpoint), AT_ONCE).await;
}

#[test]
fn every_check_has_a_name_of_its_own_and_every_difference_a_check() {
    let mut names: Vec<&str> = checks().iter().map(|check| check.name).collect();
    names.sort_unstable();
    let doubles: Vec<&[&str]> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(doubles.is_empty(), "{doubles:?}");
    assert!(names.len() >= 30, "{} checks", names.len());
    differences::all_name_one_of(&names);
}
