//! `opsctl runbook show`.

use super::{find, run::cannot_open};
use crate::{
    cli::{
        args::{Format, Global, ShowRunbook},
        commands::change::state,
        error::CliError,
        exit::Exit,
        output::Output,
    },
    domain::{RunId, Text, Try},
    files::Paint,
    runbook::{Runbook, drive, preview::said, show},
};

pub(super) async fn run(args: &ShowRunbook, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    if let Ok(run) = args.runbook.parse::<RunId>() {
        return of_run(&run, global, out).await;
    }
    let shelved = find(&args.runbook, global)?;
    if args.raw {
        let text = shelved.runbook().map_or(shelved.checked.problems.text.as_str(), |runbook| runbook.text.as_str());
        Text::block(text).as_str().lines().try_for_each(|line| out.whole(line))?;
        return Ok(Exit::Done);
    }
    let Some(runbook) = shelved.runbook() else {
        let rendered = shelved.checked.problems.render(Paint::Plain);
        return Err(CliError::usage(&rendered, Try::MendFile.says("fix the runbook, or read it with --raw")));
    };
    if out.format != Format::Human {
        out.document("opsctl/runbook-text/1", &document(runbook))?;
        return Ok(Exit::Done);
    }
    out.heading(runbook.title.as_str())?;
    introduction(runbook, out)?;
    for (number, step) in runbook.steps.iter().enumerate() {
        out.line("")?;
        out.heading(&format!("{}. {}", number + 1, step.name))?;
        text(runbook.body_of(step), out)?;
        out.line(&format!("  {} {}", "▸", said(step)))?;
    }
    Ok(Exit::Done)
}

fn introduction(runbook: &Runbook, out: &mut Output) -> Result<(), CliError> {
    text(runbook.text.get(runbook.introduction.clone()).unwrap_or_default(), out)?;
    for parameter in &runbook.parameters {
        let default = parameter.default.as_ref().map(|value| format!(" [{value}]")).unwrap_or_default();
        out.line(&format!("  {} ({}){default}  {}", parameter.name, parameter.kind.into_str(), parameter.help))?;
    }
    let owner = runbook.owner.as_ref().map(|owner| format!("owner {owner}"));
    let rehearsed = runbook.last_rehearsed.map(|date| format!("last rehearsed {date}"));
    let recovery = runbook.recovery_time.map(|time| format!("recovery time {time}"));
    let facts: Vec<String> = [owner, rehearsed, recovery].into_iter().flatten().collect();
    if !facts.is_empty() {
        out.line(&format!("  {}", facts.join(", ")))?;
    }
    Ok(())
}

fn text(markdown: &str, out: &mut Output) -> Result<(), CliError> {
    show::plain(markdown).lines().try_for_each(|line| out.line(&format!("  {line}")))?;
    Ok(())
}

fn document(runbook: &Runbook) -> serde_json::Value {
    let steps: Vec<_> = runbook
        .steps
        .iter()
        .map(|step| serde_json::json!({ "id": step.id, "name": step.name, "what": step.what(), "does": said(step) }))
        .collect();
    serde_json::json!({
        "name": runbook.name,
        "title": runbook.title,
        "digest": runbook.digest,
        "owner": runbook.owner,
        "last_rehearsed": runbook.last_rehearsed,
        "steps": steps,
    })
}

/// Where a run stands.
async fn of_run(run: &RunId, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let folder = state(global).await?.open(run).map_err(|error| cannot_open(&error.into(), global))?;
    let standing = drive::standing(&folder).map_err(|error| cannot_open(&error, global))?;
    let steps = drive::steps(&standing.runbook, &standing.course);
    if out.format != Format::Human {
        let document = serde_json::json!({
            "run": run,
            "runbook": standing.runbook.name,
            "environment": standing.environment,
            "driver": standing.driver,
            "end": standing.end,
            "steps": steps,
        });
        out.document("opsctl/runbook-run/1", &document)?;
        return Ok(Exit::Done);
    }
    let how = standing.end.map_or("open", |end| end.words());
    out.heading(&format!("{} in {}: {how}, run by {}", standing.runbook.name, standing.environment, standing.driver))?;
    for (number, step) in steps.iter().enumerate() {
        let because = step.because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
        out.line(&format!("  {:>2}  {:13}  {}{because}", number + 1, step.state.words(), step.name))?;
    }
    Ok(Exit::Done)
}
