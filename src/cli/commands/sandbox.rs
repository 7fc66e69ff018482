//! `opsctl sandbox`.

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    cli::{args::Sandbox, error::CliError, exit::Exit, output::Output},
    domain::Try,
    sandbox::{join, serve},
};

pub(super) async fn run(args: &Sandbox, out: &mut Output) -> Result<Exit, CliError> {
    let Sandbox::Serve(args) = args;
    let state_file = join::state_file().map_err(|error| {
        CliError::failed(
            &format!("there is no place for the sandbox's state file: {error}"),
            Try::SetVariable.says("set HOME"),
        )
    })?;
    let mut terminate = signal(SignalKind::terminate())
        .map_err(|error| CliError::failed(&format!("the sandbox cannot wait for signals: {error}"), None))?;
    let interrupted = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    serve::run(args, &state_file, &mut out.data(), interrupted)
        .await
        .map_err(|error| CliError::failed(&error.to_string(), None))?;
    Ok(Exit::Done)
}
