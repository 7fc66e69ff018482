//! `opsctl runbook check`, `schema`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{find, linked, not_found, rehearse, shelf};
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
    runbook::{
        Kind, Runbook,
        lint::{Named, lint, named},
        things, typed,
    },
};

pub(super) async fn run(args: &CheckRunbook, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let mut all: Vec<crate::runbook::shelf::Shelved> = match args.runbook.as_slice() {
        [] => shelf(global).all().map_err(|error| not_found(&error, global))?,
        names => names.iter().map(|name| find(name, global)).collect::<Result<_, _>>()?,
    };
    rehearse(&mut all);
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

/// Names in the runbook's own text of things that none of the environments has.
async fn unknown_names(runbook: &Runbook, world: &World) -> Result<Vec<Problem>, CliError> {
    let mut known: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
    let named = named(runbook);
    for kind in named.iter().map(|named| named.kind).collect::<BTreeSet<_>>() {
        for site in &world.sites {
            let listed = site.read(|cloud| async move {
                let listed = things::names(kind, cloud).await;
                listed.map_err(|error| CliError::cloud(&error, cloud.environment()))
            });
            known.entry(kind).or_default().extend(listed.await?);
        }
    }
    let environments: Vec<&str> = world.sites.iter().map(|site| site.environment.name.0.as_str()).collect();
    let mut problems = Vec::new();
    for Named { kind, name, span } in named {
        let all: Vec<&str> = known.get(&kind).into_iter().flatten().map(String::as_str).collect();
        // A service may be named without its cluster.
        let is_it = |known: &&str| *known == name || (kind == Kind::Service && known.rsplit('/').next() == Some(&name));
        if all.iter().any(is_it) {
            continue;
        }
        let message = match environments.as_slice() {
            [one] => format!("{one} has no {} `{name}`", kind.into_str()),
            several => format!("none of {} has {} `{name}`", several.join(", "), kind.with_article()),
        };
        let problem = Problem::warning(span, message);
        problems.push(match nearest(&name, &all) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        });
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
