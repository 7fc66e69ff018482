//! `opsctl runbook list`.

use serde::Serialize;
use serde_json::json;

use super::{not_found, shelf};
use crate::{
    cli::{
        args::{Global, ListRunbooks},
        commands::change::state,
        error::CliError,
        exit::Exit,
        output::{Output, Table},
    },
    domain::{RunId, Text},
    journal::{Record, RunSummary},
    runbook::{Origin, shelf::Shelved},
};

#[derive(Serialize)]
struct Row {
    name: String,
    title: Text,
    /// Of steps that have a block.
    typed: usize,
    steps: usize,
    owner: Option<Text>,
    last_rehearsed: Option<jiff::civil::Date>,
    parameters: Vec<String>,
    file: Option<String>,
    /// What is wrong with it: `2 errors`.
    problems: Option<String>,
}

#[derive(Serialize)]
struct Open {
    run: RunId,
    at: jiff::Timestamp,
    runbook: Text,
    environment: Option<String>,
    waits_for: Option<Text>,
    busy: bool,
}

pub(super) async fn run(args: &ListRunbooks, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    if args.open {
        return open(global, out).await;
    }
    let all = shelf(global).all().map_err(|error| not_found(&error, global))?;
    let rows: Vec<Row> = all.iter().map(row).collect();
    let table = || {
        let mut table = Table::new(&["NAME", "TITLE", "STEPS", "PARAMETERS", "FROM"]);
        for row in &rows {
            let steps = format!("{} ({} typed)", row.steps, row.typed);
            let from = match (&row.problems, &row.file) {
                (Some(problems), _) => format!("{problems}: see `runbook check`"),
                (None, Some(_)) => "yours".to_owned(),
                (None, None) => "opsctl".to_owned(),
            };
            table.row([row.name.clone(), row.title.to_string(), steps, row.parameters.join(", "), from]);
        }
        table
    };
    let document = || ("opsctl/runbooks/1", json!({ "runbooks": rows }));
    out.rows(("opsctl/runbook/1", Some("no runbook yet")), &rows, table, document)?;
    Ok(Exit::Done)
}

fn row(shelved: &Shelved) -> Row {
    let runbook = shelved.runbook();
    let file = match &shelved.origin {
        Origin::File(path) => Some(Text::line(&path.display().to_string()).to_string()),
        Origin::BuiltIn => None,
    };
    let steps = || runbook.into_iter().flat_map(|runbook| &runbook.steps);
    Row {
        name: shelved.name.clone(),
        title: runbook.map(|runbook| runbook.title.clone()).unwrap_or_default(),
        typed: steps().filter(|step| !matches!(step.action, crate::runbook::Action::ByHand)).count(),
        steps: steps().count(),
        owner: runbook.and_then(|runbook| runbook.owner.clone()),
        last_rehearsed: runbook.and_then(|runbook| runbook.last_rehearsed),
        parameters: runbook
            .into_iter()
            .flat_map(|runbook| &runbook.parameters)
            .map(|parameter| parameter.name.clone())
            .collect(),
        file,
        problems: runbook.is_none().then(|| shelved.checked.problems.to_string()),
    }
}

async fn open(global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let runs = state(global).await?.list().map_err(|error| CliError::from(&error))?;
    let wanted = &global.environments;
    let is_of = |run: &RunSummary| {
        wanted.is_empty() || run.environment().is_some_and(|name| wanted.iter().any(|wanted| wanted == name))
    };
    let open = runs.iter().filter(|run| run.runbook().is_some() && run.end().is_none());
    let rows: Vec<Open> = open.filter(|run| is_of(run)).map(open_row).collect();
    let table = || {
        let mut table = Table::new(&["RUN", "ENV", "RUNBOOK", "WAITS FOR"]);
        for row in &rows {
            let waits = match (&row.waits_for, row.busy) {
                (_, true) => "is being carried out".to_owned(),
                (Some(waits_for), false) => waits_for.to_string(),
                (None, false) => "broke off".to_owned(),
            };
            let environment = row.environment.clone().unwrap_or_default();
            table.row([row.run.to_string(), environment, row.runbook.to_string(), waits]);
        }
        table
    };
    let document = || ("opsctl/open-runbooks/1", json!({ "runs": rows }));
    out.rows(("opsctl/open-runbook/1", Some("no runbook is open")), &rows, table, document)?;
    Ok(Exit::Done)
}

fn open_row(summary: &RunSummary) -> Open {
    let waits_for = match &summary.last.record {
        Record::RunbookLeft { waits_for, .. } => Some(waits_for.clone()),
        _ => None,
    };
    Open {
        run: summary.run.clone(),
        at: summary.opened.at,
        runbook: summary.runbook().cloned().unwrap_or_default(),
        environment: summary.environment().map(str::to_owned),
        waits_for,
        busy: summary.busy,
    }
}
