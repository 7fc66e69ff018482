//! Signals that stop a run, and what is said of them.

use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::exit::Exit,
    cloud::Cloud,
    domain::{AccountId, Environment, QueueName, RunId, Text},
    journal::{Paused, StateFolder},
    operations::{Pauses, plan::Plan},
    run,
};

/// What a run that ends at once may leave behind: consumers that it has paused.
pub(super) struct Left {
    state: StateFolder,
    account: AccountId,
    environment: std::sync::Arc<Environment>,
    resumed: Option<RunId>,
    since: Timestamp,
    /// Whether the run itself resumes what it pauses.
    comes_back: bool,
}

impl Left {
    /// Nothing where the plan pauses nobody.
    pub(super) fn of(plan: &Plan, state: &StateFolder, cloud: &Cloud, resumed: Option<RunId>) -> Option<Self> {
        let comes_back = match plan.operation.verb().pauses() {
            Pauses::Meanwhile => true,
            Pauses::ForGood => false,
            Pauses::Nobody => return None,
        };
        let (account, environment) = (plan.account.clone(), std::sync::Arc::new(cloud.environment().clone()));
        Some(Self { state: state.clone(), account, environment, resumed, since: cloud.clock().now(), comes_back })
    }

    /// What resumes those that are paused now, if any are; commands.
    fn commands(&self) -> Vec<String> {
        let Ok(paused) = Paused::read(&self.state, &self.account, &self.environment.region) else {
            return vec![self.environment.command("consumers resume")];
        };
        let ours = paused.all().map(|(_, pause)| pause);
        let ours = ours.filter(|pause| pause.at >= self.since || self.resumed.as_ref() == Some(&pause.run));
        let mut queues: Vec<&QueueName> = ours.map(|pause| &pause.queue).collect();
        queues.sort();
        queues.dedup();
        queues.iter().map(|queue| run::brings_back(queue, &self.environment)).collect()
    }

    fn first(&self) -> Option<String> {
        let commands = self.commands();
        if commands.is_empty() || !self.comes_back {
            return None;
        }
        let commands = commands.join("`, `");
        Some(format!(
            "stopping after what is in hand, then consumers are resumed; once more stops at once and leaves them paused until \
             `{commands}`"
        ))
    }

    fn second(&self) -> Option<String> {
        let commands = self.commands();
        (!commands.is_empty())
            .then(|| format!("CONSUMERS ARE STILL PAUSED; `{}` brings them back", commands.join("`, `")))
    }
}

/// The first Ctrl-C, SIGTERM or SIGHUP asks the run to stop between batches; the second ends the program there and then, which
/// loses nothing either: `--resume` picks it up. A terminal that goes away may say so twice, and means it once.
pub(super) fn on_signal(left: Option<Left>, notice: impl Fn(&str) + Send + 'static) -> CancellationToken {
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let say = move |words: Option<String>, otherwise: &str| {
        let words = words.unwrap_or_else(|| otherwise.to_owned());
        if !words.is_empty() {
            notice(Text::line(&words).as_str());
        }
    };
    // Here and not in the task: whoever stops it right away is heard.
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt()), listen(SignalKind::terminate()));
    let mut hangup = if hangups_are_ignored() { None } else { listen(SignalKind::hangup()) };
    tokio::spawn(async move {
        tokio::select! {
            () = signalled(&mut interrupt) => {}
            () = signalled(&mut terminate) => {}
            () = signalled(&mut hangup) => {}
        }
        token.cancel();
        say(left.as_ref().and_then(Left::first), "stopping after what is in hand; once more to stop at once");
        tokio::select! {
            () = signalled(&mut interrupt) => {}
            () = signalled(&mut terminate) => {}
        }
        say(left.as_ref().and_then(Left::second), "");
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
    cancel
}

/// Told once the terminal is gone, from now on: what was planned for a person who is no longer there is not done.
pub(super) fn hung_up() -> CancellationToken {
    let gone = CancellationToken::new();
    if let Some(mut hangup) = listen(SignalKind::hangup()).filter(|_| !hangups_are_ignored()) {
        let token = gone.clone();
        tokio::spawn(async move {
            hangup.recv().await;
            token.cancel();
        });
    }
    gone
}

fn listen(kind: SignalKind) -> Option<Signal> {
    signal(kind).ok()
}

async fn signalled(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Under `nohup` a run outlives its terminal. Linux tells which signals are ignored (proc_pid_status(5)); elsewhere nobody asks.
fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is number 1: the lowest bit.
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
