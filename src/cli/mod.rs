//! The command line: clap arguments, tables and JSON, prompts, completions. It has no rule of its own about what is
//! allowed.

pub mod args;
mod attention;
pub mod commands;
pub mod complete;
pub mod error;
pub mod exit;
mod failed;
mod gauges;
pub mod hooks;
pub mod output;
pub mod paths;
pub mod progress;
pub mod prompt;
pub mod show;
pub mod world;
mod wrap;

use std::process::ExitCode;

use args::Cli;
use error::CliError;
use exit::Exit;
use output::Output;

/// The program: parses, installs hooks, runs, exits.
pub fn main() -> ExitCode {
    // Answers and exits where a shell asks for completions.
    clap_complete::CompleteEnv::with_factory(args::command).complete();
    let matches = args::command().get_matches();
    let cli = Cli::of(&matches).unwrap_or_else(|error| error.exit());
    if let Err(error) = hooks::install(&cli) {
        // Nothing depends on the hooks: without them a panic is only less well told.
        tracing::warn!(%error, "hooks");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(_) => return Exit::Failed.into(),
    };
    let exit = runtime.block_on(run(cli));
    // Whatever still waits (a call that nobody needs) must not hold up the end.
    runtime.shutdown_background();
    exit.into()
}

pub async fn run(cli: Cli) -> Exit {
    let mut out = Output::of_process(cli.global.output, cli.global.color);
    let ended = commands::run(cli, &mut out).await;
    let ended = ended.and_then(|exit| match out.flush() {
        // How it ended matters more than that nobody reads it.
        Err(error) if exit == Exit::Done => Err(CliError::from(error)),
        Err(_) | Ok(()) => Ok(exit),
    });
    match ended {
        Ok(exit) => exit,
        Err(error) => {
            if !error.is_quiet() {
                out.error(&error.to_string());
            }
            error.exit
        }
    }
}
