//! `opsctl init`.

use crate::{
    cli::{
        args::{Global, Init},
        error::CliError,
        exit::Exit,
        output::Output,
    },
    clock::Clock,
    cloud::{Connect, Shell},
    config::{Places, init, profiles},
    domain::Try,
};

pub(super) async fn run(args: &Init, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let Some(target) = Places::of_process(global.config.clone()).target() else {
        return Err(CliError::usage(
            "there is no folder to write a configuration to",
            Try::MendFile.says("name a file with --config FILE"),
        ));
    };
    let candidates = init::candidates(&profiles::read(&Shell::of_process()));
    out.note(&format!("asking {} who they are and which queues they see", count(candidates.len())));
    let discovered = init::discover(candidates, &Connect::network(Clock::system()), init::DEADLINE).await;
    let text = init::render(&discovered);
    if args.print {
        out.raw(text.as_bytes())?;
        return Ok(Exit::Done);
    }
    if discovered.is_empty() {
        return Err(CliError::usage(
            "there is no AWS profile to ask, so nothing was written",
            Try::GiveCredentials.says("make one with `aws configure sso`, or write opsctl.toml by hand: `opsctl config example` shows every key"),
        ));
    }
    init::write(&target, &text).map_err(|error| CliError::usage(&error.to_string(), error.hint()))?;
    out.note(&init::summary(&target, &discovered));
    Ok(Exit::Done)
}

fn count(profiles: usize) -> String {
    if profiles == 1 { "1 profile".to_owned() } else { format!("{profiles} profiles") }
}
