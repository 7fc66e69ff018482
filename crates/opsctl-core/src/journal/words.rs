//! Records as people read them.

use super::{Did, Record, RowsOutcome};
use crate::domain::{
    DeploymentId, MessageId, Text,
    words::{counted, duration, thousands},
};

impl Did {
    /// In a few words, for lists.
    pub fn words(&self) -> String {
        let as_asked =
            |done: u64, all: u64, what: &str| format!("{} of {} as asked", thousands(done), counted(all, what));
        match self {
            Self::Nothing => "nothing was done".to_owned(),
            Self::Messages { done, .. } => format!("{} moved", thousands(*done)),
            Self::Services { done, all } => as_asked(*done, *all, "service"),
            Self::Consumers { done, all } => as_asked(*done, *all, "consumer"),
            Self::Failover { writer: Some(writer), seconds: Some(seconds) } => {
                Text::line(&format!("{writer} writes after {}", duration(*seconds))).to_string()
            }
            Self::Failover { .. } => "no new writer was seen".to_owned(),
            Self::Rows { done, in_doubt: 0 } => format!("{} re-armed", counted(*done, "row")),
            Self::Rows { done, in_doubt } => {
                format!("{} re-armed, {} in doubt", counted(*done, "row"), thousands(*in_doubt))
            }
            Self::Settings { done, all } => as_asked(*done, *all, "setting"),
            Self::Steps { done, all } => format!("{done} of {}", counted(*all, "step")),
            Self::Migration { exit_code, reason } => {
                let code = exit_code.map_or("no exit code is known".to_owned(), |code| format!("exit code {code}"));
                format!("{code}{}", reason.as_ref().map(|reason| format!(", {reason}")).unwrap_or_default())
            }
        }
    }
}

impl Record {
    /// In one line, safe to show.
    pub fn words(&self) -> Text {
        let because = |reason: &Option<Text>| reason.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
        let text = match self {
            Record::Opened { version, by, how, reason, .. } => {
                format!("opened by {by} ({how}), opsctl {version}{}", because(reason))
            }
            Record::RunbookOpened { version, runbook, by, reason, .. } => {
                format!("runbook {runbook} begun by {by}, opsctl {version}{}", because(reason))
            }
            Record::RunbookStep { step, event } => stepped(step, event),
            Record::RunbookLeft { step, waits_for, .. } => format!("left open at step {step}: waits for {waits_for}"),
            Record::TakenOver { from, by } => format!("taken over by {by} from {from}"),
            Record::Resumed { by, reason, .. } => format!("resumed by {by}{}", because(reason)),
            Record::Verified { account, arn } => format!("verified: account {account}, {arn}"),
            Record::Intent { batch, to, messages } => about_to_move(*batch, to.as_deref(), messages.len()),
            Record::Sent { batch, messages } => format!("batch {batch}: sent {}", messages.len()),
            Record::Unknown { batch, ids } => {
                format!("batch {batch}: {} may or may not have been sent: {}", ids.len(), names(ids))
            }
            Record::Kept { ids, reason, .. } => format!("left {}: {reason}: {}", ids.len(), names(ids)),
            Record::Deleted { ids } => format!("deleted {}", ids.len()),
            Record::Gone { ids } => format!("{} are no longer there", ids.len()),
            Record::Step { step, sent, bounced, verdict } => {
                format!("step {step}: {sent} sent, {bounced} came back: {verdict}")
            }
            Record::TaskIntent { source, to, .. } => {
                format!(
                    "about to start a move task from {source} to {}",
                    to.as_deref().unwrap_or("each message's own source")
                )
            }
            Record::Task { status, moved, .. } => format!("move task {status}: {moved} moved"),
            Record::DesiredIntent { service, from, to } => {
                format!("about to set the desired count of {service} from {from} to {to}")
            }
            Record::Desired { service, to, .. } => format!("the desired count of {service} is {to}"),
            Record::DeploymentIntent { service, from, to, .. } => about_to_deploy(service, &from.0, &to.0),
            Record::Deployment { service, deployment } => begun(service, deployment.as_ref()),
            Record::BoundsIntent { service, from, to } => {
                format!("about to move the bounds of {service} from {from} to {to}")
            }
            Record::Bounds { service, to } => format!("autoscaling keeps {service} at {to}"),
            Record::MappingIntent { mapping, function, enabled } => {
                let verb = if *enabled { "resume" } else { "pause" };
                format!("about to {verb} the mapping {mapping} of {function}")
            }
            Record::Mapping { mapping, status } => format!("mapping {mapping}: {status}"),
            Record::SettingIntent { toggle, from, to } => {
                format!("about to set {toggle}: {} to {}", from.words(), to.words())
            }
            Record::Setting { toggle, status } => format!("{toggle}: {status}"),
            Record::Refused {} => "refused: nothing was begun".to_owned(),
            Record::FailoverIntent { what } => {
                let text = |name: &str| what.get(name).and_then(serde_json::Value::as_str).unwrap_or("its standby");
                format!("about to fail over {} to {}", text("database"), text("target"))
            }
            Record::Failover { status } => format!("failover: {status}"),
            Record::MigrationIntent { what } => about_to_migrate(what),
            Record::Migration { task: Some(task), status } => format!("migration: {status} ({task})"),
            Record::Migration { task: None, status } => format!("migration: {status}"),
            Record::RowsIntent { batch, rows, transaction, .. } => {
                let transaction = transaction.map(|id| format!(" (transaction {id})")).unwrap_or_default();
                format!("batch {batch}: about to commit {rows} rows{transaction}")
            }
            Record::Rows { batch, rows, outcome } => format!("batch {batch}: {}", became(*rows, *outcome)),
            Record::Ended { end, .. } => format!("ended: {}", end.into_str()),
        };
        Text::line(&text)
    }
}

fn about_to_deploy(service: &str, from: &str, to: &str) -> String {
    match from == to {
        true => format!("about to deploy {to} of {service} again"),
        false => format!("about to deploy {to} of {service} instead of {from}"),
    }
}

fn begun(service: &str, deployment: Option<&DeploymentId>) -> String {
    format!("{} of {service} is begun", deployment.map_or("a deployment", |id| &id.0))
}

fn about_to_migrate(what: &serde_json::Value) -> String {
    let text = |name: &str| what.pointer(name).and_then(serde_json::Value::as_str).unwrap_or("?").to_owned();
    let (definition, token) = (text("/launch/definition"), text("/launch/token"));
    let definition = definition.rsplit('/').next().unwrap_or_default();
    format!("about to start {definition} in {} (token {token})", text("/launch/cluster"))
}

fn became(rows: u64, outcome: RowsOutcome) -> String {
    match outcome {
        RowsOutcome::Committed => format!("{rows} rows changed"),
        RowsOutcome::Undone => format!("rolled back, {rows} rows are as they were"),
        RowsOutcome::InDoubt => format!("{rows} rows may or may not have been changed"),
    }
}

fn names(ids: &[MessageId]) -> String {
    ids.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(" ")
}

fn stepped(step: &str, event: &serde_json::Value) -> String {
    format!("step {step}: {}", event["what"].as_str().unwrap_or_default())
}

fn about_to_move(batch: u64, to: Option<&str>, messages: usize) -> String {
    match to {
        Some(to) => format!("batch {batch}: about to send {messages} to {to}"),
        None => format!("batch {batch}: about to delete {messages}"),
    }
}
