//! `opsctl runbook export`.

use super::run::cannot_open;
use crate::{
    cli::{
        args::{ExportRunbook, Format, Global},
        commands::change::state,
        error::CliError,
        exit::Exit,
        output::Output,
    },
    domain::Text,
    runbook::{
        drive::standing,
        export::{export, later, timeline},
    },
};

pub(super) async fn run(args: &ExportRunbook, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let state = state(global).await?;
    let folder = state.open(&args.run).map_err(|error| cannot_open(&error.into(), global))?;
    let standing = standing(&folder).map_err(|error| cannot_open(&error, global))?;
    if out.format != Format::Human {
        let lines: Vec<_> =
            timeline(&standing).into_iter().map(|(at, text)| serde_json::json!({ "at": at, "text": text })).collect();
        out.document("opsctl/runbook-timeline/1", &serde_json::json!({ "run": args.run, "timeline": lines }))?;
        return Ok(Exit::Done);
    }
    let later = later(&state, &args.run).map_err(|error| CliError::from(&error))?;
    Text::block(&export(&standing, &later, &global.invocation()))
        .as_str()
        .lines()
        .try_for_each(|line| out.whole(line))?;
    Ok(Exit::Done)
}
