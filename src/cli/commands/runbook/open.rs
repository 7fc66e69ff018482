//! Runs of runbooks that are open: `runbook list --open`, and what `status` says of them.

use serde::Serialize;
use serde_json::json;

use crate::{
    cli::{
        args::Global,
        commands::change::state,
        error::CliError,
        exit::Exit,
        output::{Output, Table},
    },
    domain::{Invocation, RunId, Text},
    journal::{JournalError, Record, RunSummary, StateFolder},
};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::cli::commands) struct Open {
    pub(in crate::cli::commands) run: RunId,
    at: jiff::Timestamp,
    pub(in crate::cli::commands) runbook: Text,
    pub(in crate::cli::commands) environment: Option<String>,
    waits_for: Option<Text>,
    /// Whether a process carries it out now.
    pub(in crate::cli::commands) busy: bool,
}

impl Open {
    fn of(summary: &RunSummary) -> Self {
        let waits_for = match &summary.last.record {
            Record::RunbookLeft { waits_for, .. } => Some(waits_for.clone()),
            _ => None,
        };
        Self {
            run: summary.run.clone(),
            at: summary.opened.at,
            runbook: summary.runbook().cloned().unwrap_or_default(),
            environment: summary.environment().map(str::to_owned),
            waits_for,
            busy: summary.busy,
        }
    }

    fn waits(&self) -> String {
        match (&self.waits_for, self.busy) {
            (_, true) => "is running".to_owned(),
            (Some(waits_for), false) => format!("waits for {waits_for}"),
            (None, false) => "was interrupted".to_owned(),
        }
    }

    /// What goes on with it.
    fn command(&self, invocation: &Invocation) -> String {
        invocation.command(&format!("runbook resume {}", self.run))
    }

    /// In a line, with what goes on with it.
    pub(in crate::cli::commands) fn words(&self, invocation: &Invocation) -> String {
        let (environment, waits) = (self.environment.as_deref().unwrap_or("?"), self.waits());
        format!("runbook {} in {environment} {waits}: `{}`", self.runbook, self.command(invocation))
    }
}

/// Runs that are open, newest first.
pub(in crate::cli::commands) fn all(state: &StateFolder) -> Result<Vec<Open>, JournalError> {
    Ok(state.open_runbooks()?.iter().map(Open::of).collect())
}

pub(super) async fn list(global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let mut rows = all(&state(global).await?).map_err(|error| CliError::from(&error))?;
    let wanted = &global.environments;
    rows.retain(|run| {
        wanted.is_empty() || run.environment.as_ref().is_some_and(|name| wanted.iter().any(|wanted| wanted == name))
    });
    let table = || {
        let mut table = Table::new(&["RUN", "ENV", "RUNBOOK", "WAITS FOR"]);
        for row in &rows {
            let waits = match (&row.waits_for, row.busy) {
                (Some(waits_for), false) => waits_for.to_string(),
                (None, false) | (_, true) => row.waits(),
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
