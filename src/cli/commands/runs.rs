//! `opsctl runs`, `journal`.

use serde::Serialize;
use serde_json::json;

use super::change::state;
use crate::{
    cli::{
        args::{Format, Global, Journal},
        error::CliError,
        exit::Exit,
        output::{Output, Table},
    },
    domain::{RunId, Text, words::counted},
    journal::{self, Anchor, Entry, Heads, JournalError, Lines, RunSummary, StateFolder, Verdict},
};

#[derive(Serialize)]
struct Row<'a> {
    run: &'a RunId,
    at: jiff::Timestamp,
    operation: Option<&'a str>,
    environment: Option<&'a str>,
    resource: Option<&'a str>,
    end: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'a RunId>,
    unfinished: bool,
    #[serde(skip)]
    is_runbook: bool,
}

#[derive(Serialize)]
struct Checked {
    run: RunId,
    #[serde(flatten)]
    verdict: Option<Verdict>,
    problem: Option<String>,
}

impl Checked {
    fn is_broken(&self) -> bool {
        self.problem.is_some() || self.verdict.as_ref().is_some_and(|verdict| !verdict.damage.is_empty())
    }

    fn words(&self) -> String {
        let Self { run, verdict, problem } = self;
        let Some(verdict) = verdict else {
            let problem = Text::line(problem.as_deref().unwrap_or_default());
            return format!("{run}  BROKEN: {problem}");
        };
        if !verdict.damage.is_empty() {
            let damage: Vec<&str> = verdict.damage.iter().map(Text::as_str).collect();
            return format!("{run}  BROKEN: the snapshot is not as the journal has it: {}", damage.join("; "));
        }
        let anchored = match verdict.anchored {
            Anchor::Whole => "anchored".to_owned(),
            Anchor::Lines(lines) => format!("anchored to line {lines}: what follows can't be proven"),
            Anchor::Nothing => "not anchored: its last line and its end can't be proven".to_owned(),
        };
        let saved = verdict.saved.map(|saved| format!(", snapshot of {}", counted(saved, "message")));
        let torn = if verdict.torn { ", a last line was cut off by a crash" } else { "" };
        let (lines, saved) = (counted(verdict.lines, "line"), saved.unwrap_or_default());
        format!("{run}  good: {lines}, {anchored}{saved}{torn}, head {}", verdict.head)
    }
}

#[derive(Serialize)]
struct AllChecked<'a> {
    journals: &'a [Checked],
    /// Line of the index of heads that is not what was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    heads_broken_at: Option<u64>,
}

fn cannot(error: &JournalError, global: &Global) -> CliError {
    match error {
        JournalError::Missing { .. } => CliError::usage(&error.to_string(), error.hint_in(&global.invocation())),
        JournalError::Io { .. }
        | JournalError::Busy { .. }
        | JournalError::Broken { .. }
        | JournalError::Stopped { .. } => CliError::failed(&error.to_string(), error.hint()),
    }
}

pub(super) async fn list(global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let mut runs = state(global).await?.list().map_err(|error| cannot(&error, global))?;
    let wanted = &global.environments;
    let is_of = |run: &RunSummary| run.environment().is_some_and(|name| wanted.iter().any(|one| one == name));
    runs.retain(|run| wanted.is_empty() || is_of(run));
    let rows: Vec<Row<'_>> = runs.iter().map(row).collect();
    let table = || {
        let mut table = Table::new(&["RUN", "ENV", "OPERATION", "QUEUE", "END"]);
        for row in &rows {
            let end = match (row.end, row.unfinished, row.is_runbook) {
                (None, _, true) => format!("open (runbook resume {})", row.run),
                (end, true, _) => format!("{} (--resume {})", end.unwrap_or("broke off"), row.run),
                (end, false, _) => end.unwrap_or("broke off").to_owned(),
            };
            let say = |text: Option<&str>| text.unwrap_or("-").to_owned();
            table.row([row.run.to_string(), say(row.environment), say(row.operation), say(row.resource), end]);
        }
        table
    };
    let document = || ("opsctl/runs/1", json!({ "runs": rows }));
    out.rows(("opsctl/run/1", Some("no run yet")), &rows, table, document)?;
    Ok(Exit::Done)
}

fn row(summary: &RunSummary) -> Row<'_> {
    Row {
        run: &summary.run,
        at: summary.opened.at,
        operation: summary.operation(),
        environment: summary.environment(),
        resource: summary.resource(),
        end: summary.end().map(Into::into),
        parent: summary.parent(),
        unfinished: summary.is_unfinished(),
        is_runbook: summary.runbook().is_some(),
    }
}

pub(super) async fn journal(args: &Journal, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let folder = state(global).await?;
    match args {
        Journal::Show { run } => show((&folder, global), run, out),
        Journal::Verify { run } => verify((&folder, global), run.as_ref(), out),
        Journal::Export { run } => {
            let path = folder.open(run).map_err(|error| cannot(&error, global))?.journal();
            let mut file = std::fs::File::open(&path)
                .map_err(|error| CliError::failed(&format!("cannot read {}: {error}", path.display()), None))?;
            std::io::copy(&mut file, out.data())?;
            Ok(Exit::Done)
        }
    }
}

fn show((folder, global): (&StateFolder, &Global), run: &RunId, out: &mut Output) -> Result<Exit, CliError> {
    let path = folder.open(run).map_err(|error| cannot(&error, global))?.journal();
    let lines = Lines::open(&path).map_err(|error| cannot(&error, global))?;
    if out.format == Format::Json {
        let entries: Result<Vec<Entry>, JournalError> = lines.map(|line| line.map(|line| line.entry)).collect();
        let entries = entries.map_err(|error| cannot(&error, global))?;
        out.document("opsctl/journal/1", &json!({ "entries": entries }))?;
        return Ok(Exit::Done);
    }
    for line in lines {
        let entry = line.map_err(|error| cannot(&error, global))?.entry;
        match out.format {
            Format::Human => out.line(&format!("{}  {}", entry.at.strftime("%F %T%.3f"), entry.record.words()))?,
            Format::Json | Format::Jsonl => out.json_line("opsctl/journal-entry/1", &entry)?,
        }
    }
    Ok(Exit::Done)
}

fn verify((folder, global): (&StateFolder, &Global), run: Option<&RunId>, out: &mut Output) -> Result<Exit, CliError> {
    let runs = match run {
        Some(run) => vec![run.clone()],
        // Also those whose first line is no longer one. A run that ended before it had a journal has nothing to check.
        None => {
            let runs = folder.run_ids().map_err(|error| cannot(&error, global))?;
            runs.into_iter().filter(|run| folder.open(run).is_ok()).collect()
        }
    };
    let heads = Heads::read(folder.path()).map_err(|error| cannot(&error, global))?;
    let mut checked = Vec::new();
    for run in runs {
        let opened = folder.open(&run).map_err(|error| cannot(&error, global))?;
        checked.push(match journal::verify(&opened, &heads) {
            Ok(verdict) => Checked { run, verdict: Some(verdict), problem: None },
            Err(error) => Checked { run, verdict: None, problem: Some(error.to_string()) },
        });
    }
    let heads_broken_at = heads.broken_at;
    match out.format {
        Format::Human => {
            checked.iter().try_for_each(|one| out.line(&one.words()))?;
            if let Some(line) = heads_broken_at {
                out.line(&format!("heads.jsonl  BROKEN: line {line}; what it says from there on counts for nothing"))?;
            }
            if checked.is_empty() {
                out.note("no run yet");
            }
        }
        Format::Json => out.document("opsctl/journal-check/1", &AllChecked { journals: &checked, heads_broken_at })?,
        Format::Jsonl => checked.iter().try_for_each(|one| out.json_line("opsctl/journal-checked/1", one))?,
    }
    let is_broken = heads_broken_at.is_some() || checked.iter().any(Checked::is_broken);
    Ok(if is_broken { Exit::Failed } else { Exit::Done })
}
