//! `opsctl drill new`.

use jiff::SignedDuration;

use crate::{
    cli::{
        args::{Global, NewDrill},
        commands::change::state,
        error::CliError,
        exit::Exit,
        output::Output,
    },
    domain::{Text, invocation::quoted},
    files::output,
    journal::RunSummary,
};

/// What a drill begins with: it is right as it stands.
pub(super) const BEGINNING: &str = include_str!("beginning.toml");

pub(super) async fn run(args: &NewDrill, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let text = match &args.from {
        None => BEGINNING.to_owned(),
        Some(run) => {
            let folder = state(global).await?.open(run).map_err(|error| CliError::from(&error))?;
            made_from(&folder.summary().map_err(|error| CliError::from(&error))?)
        }
    };
    let path = args.file.display().to_string();
    let written = output::write(&args.file, text.as_bytes(), args.force);
    written.map_err(|error| CliError::failed(&format!("no drill is written: {error}"), error.hint()))?;
    let check = global.command(&format!("drill check {}", quoted(&path)));
    out.note(&format!("{} is a drill now; `{check}` finds mistakes in it", Text::line(&path)));
    Ok(Exit::Done)
}

/// The beginning with what is known of a run: which operation it was, when, and how long it took. Names of real things are not carried
/// over: the sandbox has its own.
fn made_from(run: &RunSummary) -> String {
    let what = run.operation().map_or_else(|| "a runbook".to_owned(), str::to_owned);
    let took = run.last.at.duration_since(run.opened.at).max(SignedDuration::from_mins(1));
    let recover = took.as_mins() + 5;
    let title = format!("title = \"What led to {what} on {}\"", run.opened.at.strftime("%Y-%m-%d"));
    let ended = run.end().map_or("broke off", |end| crate::journal::End::into_str(&end));
    let head = format!(
        "# Made from a run of `{what}` that took {took:#} and ended `{ended}`. Write down how the incident showed, and what was\n\
         # really wrong. Names are the sandbox's.\n"
    );
    let par = format!("recover = \"{recover}m\"");
    let mut text = BEGINNING.replacen("title = \"The orders that do not arrive\"", &title, 1);
    text = text.replacen("recover = \"15m\"", &par, 1);
    head + &text
}
