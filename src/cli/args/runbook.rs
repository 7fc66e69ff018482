//! What runbooks are asked for.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use clap_complete::engine::ArgValueCompleter;

use crate::{cli::complete, domain::RunId};

/// `runbook`.
#[derive(Debug, Clone, Subcommand)]
pub enum Runbook {
    /// List runbooks: those that opsctl brings, and yours
    List(ListRunbooks),
    /// Show a runbook, or how one of its runs stands
    Show(ShowRunbook),
    /// Find errors in a runbook, and what it lacks
    Check(CheckRunbook),
    /// Write a runbook to start from
    New(NewRunbook),
    /// Run a runbook: each change is planned, shown and confirmed when its step is reached
    Run(RunRunbook),
    /// Resume a run at the step where it stopped
    Resume(ResumeRunbook),
    /// Take over a run from another person
    TakeOver(ResumeRunbook),
    /// Write what happened in a run as Markdown: who, what, when, evidence, times
    Export(ExportRunbook),
    /// Run the tests of runbooks, `NAME.test.toml`, on a sandbox whose time passes at once
    Test(TestRunbook),
    /// Print the JSON Schema of a runbook's blocks, for editors
    Schema,
}

/// Options of `runbook list`.
#[derive(Debug, Clone, Default, Args)]
pub struct ListRunbooks {
    /// List open runs instead
    #[arg(long)]
    pub open: bool,
}

/// Options of `runbook show`.
#[derive(Debug, Clone, Args)]
pub struct ShowRunbook {
    /// Runbook: name or file; or a run
    #[arg(value_name = "RUNBOOK", add = ArgValueCompleter::new(complete::runbooks))]
    pub runbook: String,
    /// Print the Markdown as it is
    #[arg(long)]
    pub raw: bool,
}

/// Options of `runbook check`.
#[derive(Debug, Clone, Args)]
pub struct CheckRunbook {
    /// Runbook: name or file; none: every runbook
    #[arg(value_name = "RUNBOOK", add = ArgValueCompleter::new(complete::runbooks))]
    pub runbook: Vec<String>,
}

/// Options of `runbook new`.
#[derive(Debug, Clone, Args)]
pub struct NewRunbook {
    /// File to write, `drain-orders.md` for instance
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Replace the file where it exists
    #[arg(long)]
    pub force: bool,
}

/// Options of `runbook run`.
#[derive(Debug, Clone, Args)]
pub struct RunRunbook {
    /// Runbook: name or file
    #[arg(value_name = "RUNBOOK", add = ArgValueCompleter::new(complete::runbooks))]
    pub runbook: String,
    /// Show what every step would do, as far as it is known by now, and stop
    #[arg(long)]
    pub dry_run: bool,
    /// The earlier run that this one follows; none: the last run with the same parameters, if it did not recover
    #[arg(long, value_name = "RUN", add = ArgValueCompleter::new(complete::runs))]
    pub continues: Option<RunId>,
    /// What is said beforehand.
    #[command(flatten)]
    pub said: Said,
}

/// Options of `runbook resume` and `runbook take-over`.
#[derive(Debug, Clone, Args)]
pub struct ResumeRunbook {
    /// Run
    #[arg(value_name = "RUN", add = ArgValueCompleter::new(complete::runs))]
    pub run: RunId,
    /// What is said beforehand.
    #[command(flatten)]
    pub said: Said,
}

/// What is said beforehand, for where nobody can be asked.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Answers")]
pub struct Said {
    /// Set a parameter, or answer a question, by its name; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Mark a step as done by hand, with an optional note; may be given several times
    #[arg(long, value_name = "STEP[=NOTE]", value_parser = perhaps_pair)]
    pub done: Vec<(String, Option<String>)>,
    /// Decide on the step that failed, or that a resumed run waits for: again, resend, check, skip=REASON, by-hand=NOTE or stop
    #[arg(long, value_name = "DECISION")]
    pub decide: Option<String>,
    /// Reason, for the journal
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Approve the plan with this fingerprint; may be given several times; without a fingerprint the same as --yes
    #[arg(long, value_name = "FINGERPRINT", num_args = 0..=1, default_missing_value = "")]
    pub approve: Vec<String>,
    /// Approve every plan without being asked; never enough where names are typed
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// Options of `runbook export`.
#[derive(Debug, Clone, Args)]
pub struct ExportRunbook {
    /// Run
    #[arg(value_name = "RUN", add = ArgValueCompleter::new(complete::runs))]
    pub run: RunId,
}

/// Options of `runbook test`.
#[derive(Debug, Clone, Args)]
pub struct TestRunbook {
    /// Runbook: name or file; none: every runbook that has tests
    #[arg(value_name = "RUNBOOK", add = ArgValueCompleter::new(complete::runbooks))]
    pub runbook: Vec<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`: write NAME=VALUE"))?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "a parser of clap's")]
fn perhaps_pair(text: &str) -> Result<(String, Option<String>), String> {
    Ok(match text.split_once('=') {
        Some((name, note)) => (name.trim().to_owned(), Some(note.to_owned())),
        None => (text.trim().to_owned(), None),
    })
}
