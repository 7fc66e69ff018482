//! `opsctl queues`.

use futures_util::future::join_all;
use serde::Serialize;

use crate::{
    cli::{
        args::{Format, Global, Queues},
        complete,
        error::CliError,
        exit::Exit,
        output::{Output, Table},
        world::{Site, World},
    },
    domain::{EnvironmentName, QueueKind, Text, environment::glob},
    observe::queues::{self, DeadLetters, KnownBy, Listed, Scope},
};

/// Names shown of a dead-letter queue's sources.
const SOURCES_SHOWN: usize = 3;

/// A queue as JSON shows it.
#[derive(Serialize)]
struct Row<'a> {
    environment: &'a EnvironmentName,
    name: &'a str,
    url: &'a str,
    arn: Option<&'a str>,
    kind: QueueKind,
    /// Approximate, all three.
    visible: Option<u64>,
    in_flight: Option<u64>,
    delayed: Option<u64>,
    feeds: Option<&'a str>,
    receives_max: Option<u32>,
    dead_letters: Option<&'a DeadLetters>,
    error: Option<Problem>,
}

/// Why something could not be seen.
#[derive(Serialize)]
struct Problem {
    what: Text,
    hint: Option<Text>,
}

#[derive(Serialize)]
struct Answer<'a> {
    queues: Vec<Row<'a>>,
    /// Environments that could not be listed.
    unreachable: Vec<Unreachable<'a>>,
}

#[derive(Serialize)]
struct Unreachable<'a> {
    environment: &'a EnvironmentName,
    error: Problem,
}

pub(super) async fn run(args: &Queues, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let scope = if args.all { Scope::All } else { Scope::Configured };
    let answers = join_all(world.sites.iter().map(|site| listed(site, scope))).await;
    let mut found: Vec<(&EnvironmentName, Vec<Listed>)> = Vec::new();
    let mut failed: Vec<(&EnvironmentName, CliError)> = Vec::new();
    for (site, answer) in world.sites.iter().zip(answers) {
        match answer {
            Ok(queues) => found.push((&site.environment.name, queues)),
            Err(error) => failed.push((&site.environment.name, error)),
        }
    }
    let names =
        found.iter().map(|(name, queues)| (name.0.clone(), queues.iter().map(|queue| queue.name.0.clone()).collect()));
    complete::remember(world.realm, names);
    for (_, queues) in &mut found {
        queues.retain(|queue| wanted(queue, args));
    }
    show(&found, &failed, out)?;
    for (_, error) in &failed {
        out.warning(&error.to_string());
    }
    Ok(if found.is_empty() && !failed.is_empty() { Exit::Failed } else { Exit::Done })
}

async fn listed(site: &Site, scope: Scope) -> Result<Vec<Listed>, CliError> {
    let cloud = site.cloud.as_ref().map_err(Clone::clone)?;
    queues::list(cloud, scope).await.map_err(|error| CliError::cloud(&error, &site.environment))
}

fn wanted(queue: &Listed, args: &Queues) -> bool {
    let name_fits = args.pattern.as_ref().is_none_or(|pattern| glob(pattern, queue.name.as_str()));
    name_fits && (!args.dlq || queue.dead_letters.is_some())
}

fn show(
    found: &[(&EnvironmentName, Vec<Listed>)],
    failed: &[(&EnvironmentName, CliError)],
    out: &mut Output,
) -> Result<(), CliError> {
    let mut all: Vec<(&EnvironmentName, &Listed)> =
        found.iter().flat_map(|(name, queues)| queues.iter().map(move |queue| (*name, queue))).collect();
    // Stable: environments keep the configuration's order among equals.
    all.sort_by(|left, right| queues::worst_first(left.1, right.1));
    match out.format {
        Format::Human => {
            let table = table(&all);
            if table.count() == 0 && !found.is_empty() {
                out.note("no queue fits");
            } else if table.count() > 0 {
                out.table(&table)?;
            }
        }
        Format::Json => {
            let queues = all.iter().map(|(environment, queue)| row(environment, queue)).collect();
            let problem = |error: &CliError| Problem { what: error.what.clone(), hint: error.hint.clone() };
            let unreachable =
                failed.iter().map(|(environment, error)| Unreachable { environment, error: problem(error) }).collect();
            out.document("opsctl/queues/1", &Answer { queues, unreachable })?;
        }
        Format::Jsonl => {
            for (environment, queue) in &all {
                out.json_line("opsctl/queue/1", &row(environment, queue))?;
            }
        }
    }
    Ok(())
}

fn row<'a>(environment: &'a EnvironmentName, queue: &'a Listed) -> Row<'a> {
    let seen = queue.described.as_ref().ok();
    Row {
        environment,
        name: queue.name.as_str(),
        url: queue.url.as_str(),
        arn: seen.map(|seen| seen.arn.as_str()),
        kind: queue.name.kind(),
        visible: seen.map(|seen| seen.counts.visible),
        in_flight: seen.map(|seen| seen.counts.in_flight),
        delayed: seen.map(|seen| seen.counts.delayed),
        feeds: queue.feeds().map(|arn| arn.as_str()),
        receives_max: seen.and_then(|seen| seen.redrive.as_ref()).map(|policy| policy.receives_max),
        dead_letters: queue.dead_letters.as_ref(),
        error: queue.described.as_ref().err().map(|error| Problem { what: Text::line(&error.to_string()), hint: None }),
    }
}

/// Rows for people.
pub(super) fn table(all: &[(&EnvironmentName, &Listed)]) -> Table {
    let mut table = Table::new(&["ENV", "NAME", "TYPE", "~VISIBLE", "~IN FLIGHT", "~DELAYED", "DEAD LETTERS"]);
    for (environment, queue) in all {
        let count = |pick: fn(&crate::domain::Counts) -> u64| match &queue.described {
            Ok(seen) => format!("~{}", pick(&seen.counts)),
            Err(_) => "?".to_owned(),
        };
        table.row([
            environment.0.clone(),
            queue.name.0.clone(),
            queue.name.kind().to_string(),
            count(|counts| counts.visible),
            count(|counts| counts.in_flight),
            count(|counts| counts.delayed),
            relation(queue),
        ]);
    }
    table
}

/// `of orders, payments`, `go to orders-dlq after 5 receives`, or why it could not be looked at.
fn relation(queue: &Listed) -> String {
    let mut parts = Vec::new();
    if let Some(DeadLetters { sources, known_by }) = &queue.dead_letters {
        let mut names: Vec<&str> = sources.iter().take(SOURCES_SHOWN).map(|name| name.as_str()).collect();
        let more = format!("{} more", sources.len().saturating_sub(SOURCES_SHOWN));
        if sources.len() > SOURCES_SHOWN {
            names.push(&more);
        }
        parts.push(match (known_by, names.is_empty()) {
            (KnownBy::RedrivePolicy, _) => format!("of {}", names.join(", ")),
            (KnownBy::Tag, _) => format!("of {} (by tag)", names.join(", ")),
            (KnownBy::Pattern, _) => format!("of {} (by name)", names.join(", ")),
            (KnownBy::Name, _) => "of no queue (by its name)".to_owned(),
        });
    }
    match &queue.described {
        Err(error) => parts.push(error.to_string()),
        Ok(seen) => parts.extend(seen.redrive.as_ref().map(|policy| {
            let times =
                if policy.receives_max == 1 { "1 receive" } else { &format!("{} receives", policy.receives_max) };
            format!("go to {} after {times}", policy.dead_letter.name())
        })),
    }
    parts.join("; ")
}
