//! One file per command.

mod config;
mod demo;
mod doctor;
mod init;
mod queues;
mod reference;
mod sandbox;

use super::{
    args::{Cli, Command},
    error::CliError,
    exit::Exit,
    output::Output,
};

/// Runs a command.
///
/// # Errors
/// What went wrong, with how the program ends.
pub async fn run(cli: Cli, out: &mut Output) -> Result<Exit, CliError> {
    let global = &cli.global;
    match cli.command {
        Command::Demo => demo::run(global, out).await,
        Command::Queues(args) => queues::run(&args, global, out).await,
        Command::Config(args) => config::run(&args, global, out),
        Command::Init(args) => init::run(&args, global, out).await,
        Command::Doctor => doctor::run(global, out).await,
        Command::Sandbox(args) => sandbox::run(&args, out).await,
        Command::Completions { shell } => reference::completions(shell, out),
        Command::Man { folder } => reference::man(&folder, out),
        Command::Docs => reference::docs(out),
        Command::Peek(_) | Command::Groups(_) | Command::Redrive(_) | Command::Purge(_) | Command::Restore(_)
        | Command::Apply(_) | Command::Runs | Command::Journal(_) => Err(CliError::failed("this is still to come", "")),
    }
}
