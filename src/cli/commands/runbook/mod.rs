//! `opsctl runbook`.

mod check;
mod export;
mod list;
mod new;
pub(in crate::cli::commands) mod open;
mod person;
mod preview;
mod run;
mod show;
mod test;

use std::path::{Path, PathBuf};

use crate::{
    cli::{
        args::{Global, Runbook},
        error::CliError,
        exit::Exit,
        output::Output,
    },
    config::Places,
    domain::Try,
    files::{Paint, Problems},
    runbook::shelf::{FOLDER, Shelf, ShelfError, Shelved},
};

pub(super) async fn run(args: Runbook, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    match args {
        Runbook::List(args) => list::run(&args, global, out).await,
        Runbook::Show(args) => show::run(&args, global, out).await,
        Runbook::Check(args) => check::run(&args, global, out).await,
        Runbook::New(args) => new::run(&args, global, out),
        Runbook::Run(args) => run::run(&args, global, out).await,
        Runbook::Resume(args) => run::resume(&args, run::How::Resume, global, out).await,
        Runbook::TakeOver(args) => run::resume(&args, run::How::TakeOver, global, out).await,
        Runbook::Export(args) => export::run(&args, global, out).await,
        Runbook::Test(args) => test::run(&args, global, out).await,
        Runbook::Schema => check::schema(out),
    }
}

/// The runbooks that this command line sees.
pub(in crate::cli) fn shelf(global: &Global) -> Shelf {
    Shelf { folder: Places::of_process(global.config.clone()).beside(FOLDER) }
}

/// A drill that was passed with a runbook rehearsed it.
pub(super) fn rehearse(all: &mut [Shelved]) {
    let Ok(records) = super::drill::records() else { return };
    let in_drills = crate::drill::record::rehearsed(&records);
    for shelved in all {
        if let Some(runbook) = &mut shelved.checked.runbook {
            runbook.last_rehearsed = runbook.last_rehearsed.max(in_drills.get(&shelved.name).copied());
        }
    }
}

fn find(name: &str, global: &Global) -> Result<Shelved, CliError> {
    shelf(global).find(name).map_err(|error| not_found(&error, global))
}

fn not_found(error: &ShelfError, global: &Global) -> CliError {
    let hint = match error {
        ShelfError::Missing { near: Some(near), .. } => format!("did you mean {near}?"),
        ShelfError::Missing { near: None, .. } => format!("`{}` lists them", global.command("runbook list")),
        ShelfError::Read { .. } => "name a file that can be read".to_owned(),
    };
    CliError::usage(&error.to_string(), Try::NameAnother.says(&hint))
}

/// What is wrong with a runbook that was to be used.
fn refused(problems: &Problems) -> CliError {
    CliError::usage(&problems.render(Paint::Plain), Try::MendFile.says("fix the runbook"))
}

/// Whether a file that a runbook links to is there.
fn linked(shelved: &Shelved) -> impl Fn(&str) -> bool + use<> {
    let folder: Option<PathBuf> = match &shelved.origin {
        crate::runbook::Origin::File(path) => Some(path.parent().unwrap_or(Path::new(".")).to_owned()),
        crate::runbook::Origin::BuiltIn => None,
    };
    move |file| match &folder {
        Some(folder) => folder.join(file).exists(),
        None => crate::runbook::shelf::BUILT_IN.iter().any(|(name, _)| file.strip_suffix(".md") == Some(name)),
    }
}
