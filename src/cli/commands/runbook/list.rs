//! `opsctl runbook list`.

use serde::Serialize;
use serde_json::json;

use super::{not_found, open, rehearse, shelf};
use crate::{
    cli::{
        args::{Global, ListRunbooks},
        error::CliError,
        exit::Exit,
        output::{Output, Table},
    },
    domain::Text,
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

pub(super) async fn run(args: &ListRunbooks, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    if args.open {
        return open::list(global, out).await;
    }
    let mut all = shelf(global).all().map_err(|error| not_found(&error, global))?;
    rehearse(&mut all);
    let rows: Vec<Row> = all.iter().map(row).collect();
    let table = || {
        let mut table = Table::new(&["NAME", "TITLE", "STEPS", "BY HAND", "PARAMETERS", "FROM"]);
        for row in &rows {
            let (steps, by_hand) = (row.steps.to_string(), (row.steps - row.typed).to_string());
            let from = match (&row.problems, &row.file) {
                (Some(problems), _) => format!("{problems}: see `runbook check`"),
                (None, Some(_)) => "yours".to_owned(),
                (None, None) => "opsctl".to_owned(),
            };
            table.row([row.name.clone(), row.title.to_string(), steps, by_hand, row.parameters.join(", "), from]);
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
