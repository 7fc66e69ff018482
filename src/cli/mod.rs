//! The command line.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::sandbox::{join, serve};

#[derive(Debug, Parser)]
#[command(name = "opsctl", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Work with the simulated AWS
    Sandbox {
        #[command(subcommand)]
        command: SandboxCommand,
    },
}

#[derive(Debug, Subcommand)]
enum SandboxCommand {
    Serve(serve::Serve),
}

/// Does what the command line says; answers the exit code.
pub fn main() -> ExitCode {
    let Arguments { command: Command::Sandbox { command: SandboxCommand::Serve(args) } } = Arguments::parse();
    match serve_sandbox(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where not even that can be written, the exit code says it.
            drop(writeln!(io::stderr(), "opsctl: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn serve_sandbox(args: &serve::Serve) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    serve::run(args, &join::state_file()?, &mut io::stdout(), shutdown).await?;
    Ok(())
}
