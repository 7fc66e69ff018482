//! `opsctl drill`.

mod check;
mod control;
mod list;
mod new;
mod report;
mod run;
mod show;
mod test;

use std::path::PathBuf;

use crate::{
    cli::{
        args::{Console, Drill, Global},
        error::CliError,
        exit::Exit,
        output::Output,
        paths,
    },
    config::Places,
    domain::Try,
    drill::{
        Scenario,
        shelf::{self, FOLDER, ShelfError, Shelved},
    },
    files::Paint,
};

pub(super) async fn run(args: Drill, global: &Global, console: &Console, out: &mut Output) -> Result<Exit, CliError> {
    match args {
        Drill::List(_) => list::run(global, out),
        Drill::Show(args) => show::run(&args, global, out),
        Drill::Check(args) => check::run(&args, global, out),
        Drill::New(args) => new::run(&args, global, out).await,
        Drill::Run(args) => run::run(&args, global, console, out).await,
        Drill::Control(args) => control::run(args, global, out).await,
        Drill::Report(args) => report::run(&args, global, out),
        Drill::Test(args) => test::run(&args, global, out).await,
        Drill::Schema => check::schema(out),
    }
}

/// The user's folder of drills.
fn folder(global: &Global) -> Option<PathBuf> {
    Places::of_process(global.config.clone()).beside(FOLDER)
}

/// Where records lie.
pub(super) fn records() -> Result<PathBuf, CliError> {
    let state = paths::state();
    let state = state.ok_or_else(|| {
        CliError::usage("there is no folder for records", Try::SetVariable.says("set HOME or XDG_STATE_HOME"))
    })?;
    Ok(state.join("drills"))
}

fn find(name: &str, global: &Global) -> Result<Shelved, CliError> {
    shelf::find(name, folder(global).as_deref()).map_err(|error| not_found(&error, global))
}

fn all(global: &Global) -> Result<Vec<Shelved>, CliError> {
    shelf::all(folder(global).as_deref()).map_err(|error| not_found(&error, global))
}

/// A drill without a mistake.
fn sound(shelved: Shelved) -> Result<Scenario, CliError> {
    let problems = shelved.checked.problems;
    shelved
        .checked
        .scenario
        .ok_or_else(|| CliError::usage(&problems.render(Paint::Plain), Try::MendFile.says("mend the drill")))
}

fn not_found(error: &ShelfError, global: &Global) -> CliError {
    let hint = match error {
        ShelfError::Missing { near: Some(near), .. } => format!("did you mean {near}?"),
        ShelfError::Missing { near: None, .. } => format!("`{}` lists them", global.command("drill list")),
        ShelfError::Read { .. } => "name a file that can be read".to_owned(),
    };
    CliError::usage(&error.to_string(), Try::NameAnother.says(&hint))
}
