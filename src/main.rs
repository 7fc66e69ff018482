//! The thin binary: parse, install hooks, run, exit.

use std::process::ExitCode;

use clap::FromArgMatches;
use opsctl::cli::{self, args};

fn main() -> ExitCode {
    // Answers and exits where a shell asks for completions.
    clap_complete::CompleteEnv::with_factory(args::command).complete();
    let matches = args::command().get_matches();
    let cli = args::Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Err(error) = cli::hooks::install(&cli) {
        // Nothing depends on the hooks: without them a panic is only less well told.
        tracing::warn!(%error, "hooks");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(_) => return cli::exit::Exit::Failed.into(),
    };
    let exit = runtime.block_on(cli::run(cli));
    // Whatever still waits (a call that nobody needs) must not hold up the end.
    runtime.shutdown_background();
    exit.into()
}
