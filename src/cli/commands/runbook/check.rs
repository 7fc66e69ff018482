//! `opsctl runbook check`, `schema`.

use serde_json::json;

use super::{find, linked, not_found, shelf};
use crate::{
    cli::{
        args::{CheckRunbook, Format, Global},
        error::CliError,
        exit::Exit,
        output::Output,
        world::World,
    },
    clock::Clock,
    domain::Text,
    files::{
        Paint, Problem, Problems,
        problem::nearest,
        shape::{Subschemas, schema_of},
    },
    runbook::{Runbook, lint::lint, things, typed},
};

pub(super) async fn run(args: &CheckRunbook, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let all = match args.runbook.as_slice() {
        [] => shelf(global).all().map_err(|error| not_found(&error, global))?,
        names => names.iter().map(|name| find(name, global)).collect::<Result<_, _>>()?,
    };
    let world = match global.environments.as_slice() {
        [] => None,
        _ => Some(World::open(global, out).await?),
    };
    let today = Clock::system().now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut reports = Vec::new();
    for shelved in &all {
        let mut list = shelved.checked.problems.list.clone();
        if let Some(runbook) = shelved.runbook() {
            list.extend(lint(runbook, today, linked(shelved)));
            if let Some(world) = &world {
                list.extend(unknown_names(runbook, world).await?);
            }
        }
        let Problems { file, text, .. } = &shelved.checked.problems;
        reports.push(Problems::new(std::path::Path::new(file.as_str()), text.clone(), list));
    }
    tell(&reports, out)
}

/// Defaults of parameters that name nothing that the environment has.
async fn unknown_names(runbook: &Runbook, world: &World) -> Result<Vec<Problem>, CliError> {
    let cloud = world.to_look().await?;
    let mut problems = Vec::new();
    for parameter in &runbook.parameters {
        let Some(name) = parameter.default.as_ref().and_then(|value| value.as_str()) else { continue };
        if !things::is_thing(parameter.kind) {
            continue;
        }
        let known =
            things::names(parameter.kind, cloud).await.map_err(|error| CliError::cloud(&error, cloud.environment()))?;
        if !known.iter().any(|known| known == name) {
            let at = runbook.text.find(name).map_or(0..0, |at| at..at + name.len());
            let environment = &cloud.environment().name;
            let message = format!("{environment} has no {} `{name}`", parameter.kind.into_str());
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let problem = Problem::warning(at, message);
            problems.push(match nearest(name, &known) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem,
            });
        }
    }
    Ok(problems)
}

fn tell(reports: &[Problems], out: &mut Output) -> Result<Exit, CliError> {
    let errors: usize = reports.iter().map(Problems::errors).sum();
    if out.format == Format::Human {
        for report in reports {
            if report.list.is_empty() {
                out.line(&format!("{}: no problem", report.file))?;
                continue;
            }
            for line in report.render(Paint::Plain).lines() {
                out.whole(line)?;
            }
            out.line(&format!("{}: {report}", report.file))?;
        }
    } else {
        let located: Vec<_> = reports.iter().flat_map(Problems::located).collect();
        out.document("opsctl/runbook-check/1", &json!({ "problems": located }))?;
    }
    Ok(if errors > 0 { Exit::Usage } else { Exit::Done })
}

pub(super) fn schema(out: &mut Output) -> Result<Exit, CliError> {
    let schema = json!({
        "runbook": schema_of::<typed::Header>(Subschemas::Named),
        "step": schema_of::<typed::StepBlock>(Subschemas::Named),
    });
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    Text::block(&text).as_str().lines().try_for_each(|line| out.whole(line))?;
    Ok(Exit::Done)
}
