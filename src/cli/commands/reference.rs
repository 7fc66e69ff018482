//! `opsctl completions`, `man`, `docs`: what is made from the command line's own description.

use std::{fs, path::Path};

use crate::{
    cli::{
        args::{self, Shell},
        error::CliError,
        exit::Exit,
        output::Output,
    },
    domain::{Text, Try},
    messages::Filter,
};

/// The line that registers completion: the shell then asks the program itself, so that names are always fresh.
pub(super) fn completions(shell: Shell, out: &mut Output) -> Result<Exit, CliError> {
    use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};
    let completer: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
        Shell::Elvish => &Elvish,
        Shell::Powershell => &Powershell,
    };
    let mut script = Vec::new();
    completer.write_registration("COMPLETE", "opsctl", "opsctl", "opsctl", &mut script)?;
    out.raw(&script)?;
    Ok(Exit::Done)
}

/// Whether a filter is one; without one, what the language is.
pub(super) fn filter(filter: Option<&str>, out: &mut Output) -> Result<Exit, CliError> {
    match filter {
        Some(text) => {
            Filter::compile(text)?;
            out.note("the filter is good");
        }
        None => out.line(args::FILTER_HELP)?,
    }
    Ok(Exit::Done)
}

pub(super) fn man(folder: &Path, out: &mut Output) -> Result<Exit, CliError> {
    let cannot = |error: std::io::Error| {
        let what = format!("cannot write man pages to {}: {error}", Text::line(&folder.display().to_string()));
        CliError::failed(&what, Try::MendFile.says("name a folder that you may write to"))
    };
    fs::create_dir_all(folder).map_err(cannot)?;
    clap_mangen::generate_to(args::command(), folder).map_err(cannot)?;
    out.note(&format!("man pages are in {}", Text::line(&folder.display().to_string())));
    Ok(Exit::Done)
}

pub(super) fn docs(out: &mut Output) -> Result<Exit, CliError> {
    let mut command = args::command().term_width(100);
    command.build();
    out.line("# Commands\n")?;
    out.line("Made by `opsctl docs` from the command line's own description.\n")?;
    write_command(&command, Globals::Shown, out)?;
    Ok(Exit::Done)
}

/// Options of every command are told once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Globals {
    Shown,
    Hidden,
}

fn write_command(command: &clap::Command, globals: Globals, out: &mut Output) -> Result<(), CliError> {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let is_told_before = |argument: &clap::Arg| {
        let is_common =
            argument.is_global_set() || matches!(argument.get_id().as_str(), args::ENVIRONMENT | "help" | "version");
        globals == Globals::Hidden && is_common
    };
    let hide = |argument: clap::Arg| if is_told_before(&argument) { argument.hide(true) } else { argument };
    let help = command.clone().mut_args(hide).render_long_help().to_string();
    let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    out.line(&format!("## `{name}`\n\n```text\n{}\n```\n", help.join("\n")))?;
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
        write_command(inner, Globals::Hidden, out)?;
    }
    Ok(())
}
