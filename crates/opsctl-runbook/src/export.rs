//! The timeline of a run as Markdown: who, what, when, evidence, times.

use jiff::Timestamp;

use crate::operations::values::Uncertain;
use crate::{
    Decision, StepEvent,
    course::Kept,
    domain::{Invocation, RunId, Text, words::duration},
    drive::{Standing, recovery},
    journal::{HeldBack, JournalError, StateFolder},
};

/// Runs that went on from a run, oldest first.
///
/// # Errors
/// The folder of runs can't be read.
pub fn later(state: &StateFolder, run: &RunId) -> Result<Vec<RunId>, JournalError> {
    let went_on = state.list()?.into_iter().filter(|later| later.continues() == Some(run));
    let mut later: Vec<RunId> = went_on.map(|later| later.run).collect();
    later.reverse();
    Ok(later)
}

/// A run as a document for people who were not there.
///
/// `later` are runs that went on from it.
pub fn export(standing: &Standing, later: &[RunId], invocation: &Invocation) -> String {
    let Standing { run, runbook, environment, begun_by, begun_at, reason, .. } = standing;
    let mut text = format!("# {}\n\n", markdown(&runbook.title));
    let row = |label: &str, value: &str| format!("| {label} | {} |\n", cell(value));
    text.push_str("| | |\n| --- | --- |\n");
    text.push_str(&row("Runbook", &format!("{} ({})", runbook.name, &runbook.digest[..12.min(runbook.digest.len())])));
    text.push_str(&row("Run", run.as_str()));
    text.push_str(&row("Environment", &environment.0));
    text.push_str(&row("Started", &format!("{} by {begun_by}", at(*begun_at))));
    if let Some(reason) = reason {
        text.push_str(&row("Reason", reason.as_str()));
    }
    if let Some(earlier) = &standing.continues {
        text.push_str(&row("Follows", &format!("run {earlier}")));
    }
    for later in later {
        text.push_str(&row("Followed by", &format!("run {later}")));
    }
    for (name, value) in &standing.parameters.0 {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.push_str(&row(&markdown(&Text::line(name)), &value));
    }
    let last = standing.events.last().map(|(at, ..)| *at).or(standing.people.last().map(|(at, _)| *at));
    let took = last.unwrap_or(*begun_at).duration_since(*begun_at).as_secs_f64();
    let outcome = standing.end.map_or("open", |end| end.words());
    text.push_str(&row("Outcome", &format!("{outcome}, after {}", duration(took))));
    if let Some(allowed) = runbook.recovery_time {
        let met = recovery(standing.end, took, allowed);
        text.push_str(&row("Recovery time", &format!("{allowed}: {met}")));
    }
    text.push_str("\n## Steps\n\n| Step | State | Took | |\n| --- | --- | --- | --- |\n");
    for (step, progress) in runbook.steps.iter().zip(standing.course.steps()) {
        let took = progress.seconds().map(duration).unwrap_or_default();
        let because = progress.because.as_ref().map_or("", Text::as_str);
        let cells = [step.name.as_str(), progress.state.words(), &took, because].map(cell);
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text.push_str("\n## Timeline\n\n");
    for (time, line) in timeline(standing) {
        text.push_str(&format!("- {} {}\n", at(time), markdown(&line)));
    }
    held_back(standing, invocation, &mut text);
    evidence(standing, &mut text);
    text
}

/// What nobody has put back.
fn held_back(standing: &Standing, invocation: &Invocation, text: &mut String) {
    if standing.held.is_empty() {
        return;
    }
    text.push_str("\n## Not undone\n\n");
    for HeldBack { what, back } in &standing.held {
        let back = back.as_ref().map(|words| format!(": `{}`", invocation.command(words.as_str())));
        text.push_str(&format!("- {}{}\n", markdown(what), back.unwrap_or_default()));
    }
}

/// What happened, in order, each in a line.
pub fn timeline(standing: &Standing) -> Vec<(Timestamp, Text)> {
    let mut lines: Vec<(Timestamp, Text)> =
        vec![(standing.begun_at, Text::line(&format!("{} started the run", standing.begun_by)))];
    for (time, id, event) in &standing.events {
        let name = standing.runbook.steps.iter().find(|step| step.id == *id).map_or("?", |step| step.name.as_str());
        if let Some(words) = words(event) {
            lines.push((*time, Text::line(&format!("{name}: {words}"))));
        }
    }
    lines.extend(standing.people.iter().cloned());
    lines.sort_by_key(|(time, _)| *time);
    lines
}

fn words(event: &StepEvent) -> Option<String> {
    Some(match event {
        StepEvent::Begun {} => "started".to_owned(),
        StepEvent::GuardUnknown { because } => because.to_string(),
        StepEvent::NotNeeded { saw } => format!("not needed ({saw})"),
        StepEvent::Collected { evidence } => format!("{} pieces of evidence", evidence.len()),
        StepEvent::Measured { whole } => match whole {
            serde_json::Value::Array(all) => format!("{} in all", all.len()),
            other => format!("{other} in all"),
        },
        StepEvent::Ran { run, end, seconds, summary, by, .. } => {
            let (by, end) = (approved(by.as_ref()), end.words());
            format!("run {run}{by}, {end} after {}: {summary}", duration(*seconds))
        }
        StepEvent::NothingToDo { summary } => format!("nothing to do ({summary})"),
        StepEvent::NotDone { because } => format!("not done: {because}"),
        StepEvent::Answered { value, by } => {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{by} answered: {value}")
        }
        StepEvent::HandDone { by, note: Some(note) } => format!("{by} did it by hand: {note}"),
        StepEvent::HandDone { by, note: None } => format!("{by} did it by hand"),
        StepEvent::Waited {} => return None,
        StepEvent::Checked { held, saw, seconds } => {
            let how = if *held { "verified" } else { "not verified" };
            format!("{how} after {}: {saw}", duration(*seconds))
        }
        StepEvent::Decided { by, decision } => match decision {
            Decision::Again { uncertain: Uncertain::Leave } => format!("{by} tried again"),
            Decision::Again { uncertain: Uncertain::Resend } => {
                format!("{by} tried again, resending messages that may have been sent already")
            }
            Decision::CheckAgain {} => format!("{by} checked again"),
            Decision::ByHand { note } => format!("{by} did it by hand: {note}"),
            Decision::Skip { reason } => format!("{by} skipped it: {reason}"),
            Decision::Stop {} => format!("{by} stopped the run"),
        },
        StepEvent::Undone { run, end, summary, by } => {
            format!("undone by run {run}{}, {}: {summary}", approved(by.as_ref()), end.words())
        }
        StepEvent::NotUndone { because } => format!("not undone: {because}"),
    })
}

fn approved(by: Option<&Text>) -> String {
    by.map(|by| format!(", approved by {by}")).unwrap_or_default()
}

fn evidence(standing: &Standing, text: &mut String) {
    let all: Vec<&Kept> = standing.course.steps().iter().flat_map(|progress| &progress.evidence).collect();
    if all.is_empty() {
        return;
    }
    text.push_str("\n## Evidence\n\n");
    for Kept { about, file, sha256, lost } in all {
        let file = match (file, sha256) {
            (Some(file), Some(sha256)) => format!(": `{file}` (SHA-256 {sha256})"),
            _ => String::new(),
        };
        let lost = lost.as_ref().map(|lost| format!(": {}", markdown(lost))).unwrap_or_default();
        text.push_str(&format!("- {}{file}{lost}\n", markdown(about)));
    }
}

fn at(time: Timestamp) -> String {
    time.strftime("%F %T UTC").to_string()
}

/// Text that Markdown does not read as its own.
fn markdown(text: &Text) -> String {
    let mut shown = String::new();
    for letter in text.as_str().chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#') {
            shown.push('\\');
        }
        shown.push(letter);
    }
    shown
}

fn cell(text: &str) -> String {
    markdown(&Text::line(text))
}
