//! `opsctl runs`, `journal`.

use serde::Serialize;

use super::change::state;
use crate::{
    cli::{
        args::{Format, Global, Journal},
        error::CliError,
        exit::Exit,
        output::{Output, Table},
    },
    domain::{RunId, words::counted},
    journal::{self, Entry, JournalError, Lines, RunSummary, StateFolder, Verdict},
};

#[derive(Serialize)]
struct Row<'a> {
    run: &'a RunId,
    at: jiff::Timestamp,
    operation: Option<&'a str>,
    environment: Option<&'a str>,
    resource: Option<&'a str>,
    end: Option<&'a str>,
    unfinished: bool,
}

#[derive(Serialize)]
struct Runs<'a> {
    runs: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Checked {
    run: RunId,
    #[serde(flatten)]
    verdict: Option<Verdict>,
    problem: Option<String>,
}

#[derive(Serialize)]
struct AllChecked<'a> {
    journals: &'a [Checked],
}

#[derive(Serialize)]
struct Shown {
    entries: Vec<Entry>,
}

fn cannot(error: &JournalError) -> CliError {
    match error {
        JournalError::Missing { .. } => CliError::usage(&error.to_string(), error.hint()),
        JournalError::Io { .. }
        | JournalError::Busy { .. }
        | JournalError::Broken { .. }
        | JournalError::Stopped { .. } => CliError::failed(&error.to_string(), error.hint()),
    }
}

pub(super) async fn list(global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let mut runs = state(global).await?.list().map_err(|error| cannot(&error))?;
    let wanted = global.environment.as_deref();
    runs.retain(|run| wanted.is_none() || run.plan_text("/environment") == wanted);
    let rows: Vec<Row<'_>> = runs.iter().map(row).collect();
    match out.format {
        Format::Human if rows.is_empty() => out.note("no run yet"),
        Format::Human => {
            let mut table = Table::new(&["RUN", "ENV", "OPERATION", "QUEUE", "END"]);
            for row in &rows {
                let end = row.end.unwrap_or("broke off");
                let end = if row.unfinished { format!("{end} (--resume {})", row.run) } else { end.to_owned() };
                let say = |text: Option<&str>| text.unwrap_or("-").to_owned();
                table.row([row.run.to_string(), say(row.environment), say(row.operation), say(row.resource), end]);
            }
            out.table(&table)?;
        }
        Format::Json => out.document("opsctl/runs/1", &Runs { runs: rows })?,
        Format::Jsonl => rows.iter().try_for_each(|row| out.json_line("opsctl/run/1", row))?,
    }
    Ok(Exit::Done)
}

fn row(summary: &RunSummary) -> Row<'_> {
    Row {
        run: &summary.run,
        at: summary.opened.at,
        operation: summary.plan_text("/operation/operation"),
        environment: summary.plan_text("/environment"),
        resource: summary.plan_text("/resource"),
        end: summary.end(),
        unfinished: summary.is_unfinished(),
    }
}

pub(super) async fn journal(args: &Journal, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let folder = state(global).await?;
    match args {
        Journal::Show { run } => show(&folder, run, out),
        Journal::Verify { run } => verify(&folder, run.as_ref(), out),
        Journal::Export { run } => {
            let path = folder.open(run).map_err(|error| cannot(&error))?.journal();
            let mut file = std::fs::File::open(&path)
                .map_err(|error| CliError::failed(&format!("cannot read {}: {error}", path.display()), ""))?;
            std::io::copy(&mut file, out.data())?;
            Ok(Exit::Done)
        }
    }
}

fn show(folder: &StateFolder, run: &RunId, out: &mut Output) -> Result<Exit, CliError> {
    let path = folder.open(run).map_err(|error| cannot(&error))?.journal();
    let lines = Lines::open(&path).map_err(|error| cannot(&error))?;
    if out.format == Format::Json {
        let entries: Result<Vec<Entry>, JournalError> = lines.map(|line| line.map(|line| line.entry)).collect();
        let entries = entries.map_err(|error| cannot(&error))?;
        out.document("opsctl/journal/1", &Shown { entries })?;
        return Ok(Exit::Done);
    }
    for line in lines {
        let entry = line.map_err(|error| cannot(&error))?.entry;
        match out.format {
            Format::Human => out.line(&format!("{}  {}", entry.at.strftime("%F %T%.3f"), entry.record.words()))?,
            Format::Json | Format::Jsonl => out.json_line("opsctl/journal-entry/1", &entry)?,
        }
    }
    Ok(Exit::Done)
}

fn verify(folder: &StateFolder, run: Option<&RunId>, out: &mut Output) -> Result<Exit, CliError> {
    let runs = match run {
        Some(run) => vec![run.clone()],
        None => folder.list().map_err(|error| cannot(&error))?.into_iter().map(|summary| summary.run).collect(),
    };
    let mut checked = Vec::new();
    for run in runs {
        let path = folder.open(&run).map_err(|error| cannot(&error))?.journal();
        checked.push(match journal::verify(&path) {
            Ok(verdict) => Checked { run, verdict: Some(verdict), problem: None },
            Err(error) => Checked { run, verdict: None, problem: Some(error.to_string()) },
        });
    }
    match out.format {
        Format::Human => {
            for Checked { run, verdict, problem } in &checked {
                out.line(&match (verdict, problem) {
                    (Some(verdict), _) => {
                        let torn = if verdict.torn { ", a last line was cut off by a crash" } else { "" };
                        format!("{run}  good: {}{torn}, head {}", counted(verdict.lines, "line"), verdict.head)
                    }
                    (None, problem) => {
                        let problem = crate::domain::Text::line(problem.as_deref().unwrap_or_default());
                        format!("{run}  BROKEN: {problem}")
                    }
                })?;
            }
            if checked.is_empty() {
                out.note("no run yet");
            }
        }
        Format::Json => out.document("opsctl/journal-check/1", &AllChecked { journals: &checked })?,
        Format::Jsonl => checked.iter().try_for_each(|one| out.json_line("opsctl/journal-checked/1", one))?,
    }
    let is_broken = checked.iter().any(|one| one.problem.is_some());
    Ok(if is_broken { Exit::Failed } else { Exit::Done })
}
