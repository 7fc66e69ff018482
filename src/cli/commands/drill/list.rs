//! `opsctl drill list`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::json;

use super::{all, records};
use crate::{
    cli::{
        args::Global,
        commands::runbook,
        error::CliError,
        exit::Exit,
        output::{Output, Table},
    },
    domain::Text,
    drill::{
        record::{self, PlayResult},
        shelf::Shelved,
    },
};

#[derive(Serialize)]
struct Row {
    name: String,
    title: Text,
    system: Option<Text>,
    environment: Option<String>,
    runbook: Option<String>,
    /// When its runbook was carried out last, in a drill or as its owner wrote down.
    rehearsed: Option<Date>,
    /// Points of the last time that it was played.
    last_score: Option<f64>,
    file: Option<String>,
    problems: Option<String>,
    /// Whether its runbook was not rehearsed for longest.
    suggested: bool,
}

pub(super) fn run(global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let played = record::results(&records()?);
    let mut runbooks = runbook::shelf(global).all().unwrap_or_default();
    runbook::rehearse(&mut runbooks);
    let rehearsed: BTreeMap<String, Date> = runbooks
        .into_iter()
        .filter_map(|shelved| {
            let date = shelved.runbook()?.last_rehearsed?;
            Some((shelved.name, date))
        })
        .collect();
    let mut rows: Vec<Row> = all(global)?.into_iter().map(|shelved| row(shelved, &played, &rehearsed)).collect();
    // One that was never played comes before one that was, then the one whose runbook has waited longest.
    let next = rows
        .iter_mut()
        .filter(|row| row.problems.is_none())
        .min_by_key(|row| (row.last_score.is_some(), row.rehearsed));
    if let Some(next) = next {
        next.suggested = true;
    }
    let table = || {
        let mut table = Table::new(&["", "NAME", "TITLE", "RUNBOOK", "REHEARSED", "LAST SCORE"]);
        for row in &rows {
            let score = row.last_score.map(|score| format!("{score}")).unwrap_or_else(|| "not played".to_owned());
            let title = row
                .problems
                .clone()
                .map_or_else(|| row.title.to_string(), |problems| format!("{problems}: see `drill check`"));
            let rehearsed = row.rehearsed.map(|date| date.to_string()).unwrap_or_default();
            let mark = if row.suggested { "next" } else { "" };
            table.row([
                mark.to_owned(),
                row.name.clone(),
                title,
                row.runbook.clone().unwrap_or_default(),
                rehearsed,
                score,
            ]);
        }
        table
    };
    let document = || ("opsctl/drills/1", json!({ "drills": rows }));
    out.rows(("opsctl/drill-row/1", Some("no drill yet")), &rows, table, document)?;
    Ok(Exit::Done)
}

fn row(shelved: Shelved, played: &[PlayResult], rehearsed: &BTreeMap<String, Date>) -> Row {
    let scenario = shelved.checked.scenario.as_ref();
    let runbook = scenario.and_then(|scenario| scenario.runbook.clone());
    Row {
        title: scenario.map(|scenario| scenario.title.clone()).unwrap_or_default(),
        system: scenario.and_then(|scenario| scenario.system.clone()),
        environment: scenario.map(|scenario| scenario.environment.clone()),
        rehearsed: runbook.as_ref().and_then(|name| rehearsed.get(name)).copied(),
        last_score: played.iter().rev().find(|result| result.drill == shelved.name).map(|result| result.score),
        file: shelved.file.as_ref().map(|file| Text::line(&file.display().to_string()).to_string()),
        problems: scenario.is_none().then(|| shelved.checked.problems.to_string()),
        suggested: false,
        runbook,
        name: shelved.name,
    }
}
