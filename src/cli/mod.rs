//! The command line: clap arguments, tables and JSON, prompts, completions. It has no rule of its own about what is
//! allowed.

pub mod args;
pub mod commands;
pub mod complete;
pub mod error;
pub mod exit;
pub mod hooks;
pub mod output;
pub mod paths;
pub mod progress;
pub mod prompt;
pub mod show;
pub mod world;
mod wrap;

use args::Cli;
use error::CliError;
use exit::Exit;
use output::Output;

/// Runs a command and says what went wrong.
pub async fn run(cli: Cli) -> Exit {
    let mut out = Output::of_process(cli.global.output, cli.global.color);
    let ended = commands::run(cli, &mut out).await;
    let ended = ended.and_then(|exit| out.flush().map(|()| exit).map_err(CliError::from));
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
