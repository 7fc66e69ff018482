//! `opsctl sandbox serve`: the sandbox on loopback, for other terminals, clients and test-suites.

use std::{
    future::Future,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use tokio::net::TcpListener;

use super::{
    Options, Reset, Sandbox,
    join::{State, StateFile},
    world::{At, Denial, Fault, World, fleet},
};
use crate::clock::Clock;

/// How often the world moves on while nobody calls, in real time.
const TICK: Duration = Duration::from_millis(200);

/// Serve a simulated AWS on this machine
#[derive(Debug, Clone, clap::Args)]
pub struct Serve {
    /// Listen on this port of 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 4_100)]
    pub port: u16,
    /// Answer every call after this long, on the sandbox's clock
    #[arg(long, default_value = "0ms", value_parser = duration)]
    pub latency: Duration,
    /// Let the sandbox's clock run this many times as fast as real time
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,
    /// Choose the world: the same seed makes the same queues and messages
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Start without the fleet: no queue, no message
    #[arg(long)]
    pub empty: bool,
    /// Let callers empty the world with POST /moto-api/reset, as test-suites do
    #[arg(long)]
    pub allow_reset: bool,
    /// Read faults to inject, now or later, from this TOML file
    #[arg(long, value_name = "FILE")]
    pub fault: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port is taken, or may not be used.
    #[error("cannot listen on 127.0.0.1:{port}: {source}; try --port 0, which picks a free port")]
    Listen { port: u16, source: io::Error },
    /// The fault file cannot be read, or is wrong.
    #[error("the fault file {file} cannot be used: {problem}")]
    Faults {
        file: String,
        /// What about it; shows the place.
        problem: String,
    },
    #[error(transparent)]
    Fleet(#[from] fleet::FleetError),
    /// The state file or standard output cannot be written.
    #[error("cannot write {what}: {source}")]
    Write { what: String, source: io::Error },
}

/// Serves until `shutdown` completes. Writes the lines that let other programs join to `out`, and `state_file`, by which
/// `--sandbox` finds it.
///
/// # Errors
/// The port is taken; the fault file is wrong; `out` or the state file cannot be written.
pub async fn run(
    args: &Serve,
    state_file: &Path,
    out: &mut impl Write,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let sandbox = build(args)?;
    let Listening { listener, url, _state_file } = listen(args.port, &sandbox, state_file).await?;
    out.write_all(joining_lines(sandbox.options(), &url).as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| ServeError::Write { what: "standard output".to_owned(), source })?;
    tokio::select! {
        () = sandbox.serve(listener, shutdown) => {}
        () = sandbox.live() => {}
    }
    Ok(())
}

/// A sandbox's place on loopback. Other programs find it for as long as this lives.
#[derive(Debug)]
pub struct Listening {
    pub listener: TcpListener,
    /// `http://127.0.0.1:4100`.
    pub url: String,
    pub _state_file: StateFile,
}

/// Takes a port of loopback, and writes `state_file`, by which `--sandbox` finds it.
///
/// # Errors
/// The port is taken; the state file cannot be written.
pub async fn listen(port: u16, sandbox: &Sandbox, state_file: &Path) -> Result<Listening, ServeError> {
    let listening = |source| ServeError::Listen { port, source };
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.map_err(listening)?;
    let url = format!("http://{}", listener.local_addr().map_err(listening)?);
    let Options { seed, speed, .. } = *sandbox.options();
    let state = State { url: url.clone(), pid: std::process::id(), seed, speed };
    let what = state_file.display().to_string();
    let _state_file = StateFile::write(state_file, state).map_err(|source| ServeError::Write { what, source })?;
    Ok(Listening { listener, url, _state_file })
}

/// The sandbox that the arguments describe.
///
/// # Errors
/// The fleet's description or the fault file is wrong.
pub fn build(args: &Serve) -> Result<Sandbox, ServeError> {
    let clock = Clock::virtual_from(Clock::system().now(), args.speed);
    let mut world = World::new(args.seed, clock.now());
    if !args.empty {
        fleet::Fleet::built_in()?.settle(&mut world, clock.now(), args.seed, fleet::Amount::Full)?;
    }
    if let Some(file) = &args.fault {
        let FaultFile { faults, denials, timeline } = read_faults(file)?;
        faults.into_iter().for_each(|fault| world.faults.add(fault));
        world.denials.extend(denials);
        world.schedule_all(clock.now(), &timeline).map_err(|problem| wrong(file, problem))?;
    }
    let reset = if args.allow_reset { Reset::Allowed } else { Reset::Refused };
    let options = Options { latency: args.latency, seed: args.seed, speed: args.speed, reset, ..Options::default() };
    Ok(Sandbox::new(world, clock, options))
}

/// What goes wrong, as people write it: `[[fault]]` and `[[denial]]` tables, and `[[at]]` for what happens later.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    #[serde(default, rename = "fault")]
    faults: Vec<Fault>,
    #[serde(default, rename = "denial")]
    denials: Vec<Denial>,
    #[serde(default, rename = "at")]
    timeline: Vec<At>,
}

fn read_faults(file: &Path) -> Result<FaultFile, ServeError> {
    let text = std::fs::read_to_string(file).map_err(|error| wrong(file, error.to_string()))?;
    toml::from_str(&text).map_err(|error| wrong(file, error.to_string()))
}

fn wrong(file: &Path, problem: String) -> ServeError {
    ServeError::Faults { file: file.display().to_string(), problem }
}

impl Sandbox {
    /// Lets the world move on while nobody calls: producers produce, timeouts pass. Never ends.
    pub async fn live(&self) {
        loop {
            tokio::time::sleep(TICK).await;
            self.with(|world, now| world.advance(now));
        }
    }
}

/// Lines for a shell: `eval` them, or paste them into another terminal.
pub fn joining_lines(options: &Options, url: &str) -> String {
    let Options { seed, speed, .. } = options;
    let latency = jiff::SignedDuration::try_from(options.latency).unwrap_or_default();
    let environments = fleet::environments();
    let accounts: Vec<String> = environments
        .iter()
        .map(|environment| {
            let account = environment.account.as_ref().map_or("", |account| account.0.as_str());
            format!("{account} {}", environment.name)
        })
        .collect();
    let region = environments.first().map_or("us-east-1", |environment| environment.region.as_str());
    format!(
        "# sandbox: seed {seed}, speed {speed}, latency {latency:#}; stop it with Ctrl-C\n\
         # accounts: {}; the access key id chooses\n\
         unset AWS_PROFILE AWS_SESSION_TOKEN\n\
         export AWS_ENDPOINT_URL={url}\n\
         export AWS_ACCESS_KEY_ID=111111111111 AWS_SECRET_ACCESS_KEY=sandbox\n\
         export AWS_REGION={region} AWS_DEFAULT_REGION={region}\n\
         # version 1 of the AWS CLI overlooks AWS_ENDPOINT_URL where it comes to SQS\n\
         alias aws='aws --endpoint-url \"$AWS_ENDPOINT_URL\"'\n",
        accounts.join(", ")
    )
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    let fit = parsed.ok().and_then(|parsed| Duration::try_from(parsed).ok());
    fit.filter(|duration| *duration <= Duration::from_secs(60))
        .ok_or_else(|| "write a time of at most a minute, like 10ms".to_owned())
}

/// How many times as fast as real time a clock may run.
///
/// # Errors
/// What it may be.
pub fn speed(text: &str) -> Result<f64, String> {
    let parsed: Option<f64> = text.parse().ok();
    parsed
        .filter(|speed| (0.001..=100_000.0).contains(speed))
        .ok_or_else(|| "write a number from 0.001 to 100000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_speeds_have_bounds() {
        assert_eq!(duration("10ms"), Ok(Duration::from_millis(10)));
        assert!(duration("2h").is_err() && duration("-1s").is_err() && duration("soon").is_err());
        assert!(speed("0").is_err() && speed("NaN").is_err() && speed("10").is_ok());
    }
}
