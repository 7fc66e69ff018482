//! `opsctl consumers`: who takes messages of which queue.

use std::{io, sync::Arc};

use futures_util::future::join_all;
use serde::Serialize;
use serde_json::json;

use super::{change, look::look};
use crate::{
    cli::{
        args::{Format, Global, ListConsumers},
        error::CliError,
        exit::Exit,
        failed::{Failed, Problem, Unreachable, sort_out},
        output::{Output, Table},
        world::{Site, World},
    },
    cloud::CloudError,
    domain::{
        ConsumerId, EnvironmentName, Mapping, MappingState, QueueName, RunId, Service, ServiceId, Text,
        environment::glob,
    },
    journal::{Paused, StateFolder},
    observe::{Look, Once, Scope, Wanted},
};

#[derive(Serialize)]
struct Row<'a> {
    environment: &'a EnvironmentName,
    /// None: it reads something else than a queue of SQS.
    queue: Option<QueueName>,
    /// Whether it takes messages now, as far as AWS says.
    takes: bool,
    /// The run of opsctl that paused it, where it is paused.
    paused_by: Option<RunId>,
    #[serde(flatten)]
    who: Who<'a>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Who<'a> {
    Mapping { mapping: &'a Mapping },
    Service { service: &'a ServiceId, desired: u32, running: u32 },
}

struct Found<'a> {
    site: &'a Site,
    mappings: Arc<[Arc<Mapping>]>,
    /// With the queues that they take messages of.
    workers: Vec<(QueueName, Service)>,
    paused: Option<Paused>,
    unknown: Vec<Problem>,
}

pub(super) async fn list(args: &ListConsumers, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let state = change::state(global).await?;
    let world = World::open(global, out).await?;
    let answers = join_all(world.sites.iter().map(|site| found(site, &state))).await;
    let (found, failed) = sort_out(&world, answers);
    let found: Vec<Found> = found.into_iter().map(|(_, one)| one).collect();
    for Found { site, unknown, .. } in &found {
        for Problem { what, hint } in unknown {
            let hint = hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            out.warning(&format!("{}: consumers are not all known: {what}{hint}", site.environment.name));
        }
    }
    show(args, &found, &failed, out)?;
    failed.end(out)
}

/// Mappings, and workers where the configuration names any; what is denied is told, and the rest shown.
async fn found<'a>(site: &'a Site, state: &StateFolder) -> Result<Found<'a>, CliError> {
    let rules = &site.environment.services;
    let wanted = match rules.consumers.is_empty() {
        true => Wanted { looks: &[Look::Mappings], ..Wanted::default() },
        false => Wanted { queues: Some(Scope::Names), looks: &[Look::Mappings, Look::Services], ..Wanted::default() },
    };
    let (caller, seen) = tokio::join!(site.caller(Exit::Failed), look(site, &wanted, |_| None));
    let (caller, Once { snapshot, .. }) = (caller?, seen?);
    let estate = &snapshot.estate;
    let problem = |error: &CloudError| Problem {
        what: Text::line(&error.to_string()),
        hint: Some(error.hint(&site.environment).text().clone()),
    };
    let denied = [&estate.mappings.error, &snapshot.listing.error, &estate.services.error];
    let lacks = estate.services.lacks.iter().filter_map(|lack| lack.error.as_ref());
    let mut unknown: Vec<Problem> = denied.into_iter().flatten().chain(lacks).map(problem).collect();
    unknown.extend(estate.missing.iter().map(|one| {
        let what = format!("ECS does not show {}: {}", one.what, one.reason);
        Problem { what: Text::line(&what), hint: None }
    }));
    let workers = estate.services.rows.iter().flat_map(|row| {
        let of_it = snapshot.queues.iter().filter(|queue| rules.consumes(&row.service.id, queue.name.as_str()));
        of_it.map(|queue| (queue.name.clone(), row.service.clone())).collect::<Vec<_>>()
    });
    let workers = workers.collect();
    let paused = Paused::read(state, &caller.account, &site.environment.region).map_err(|error| {
        let what = format!("which of them opsctl paused is not known: {error}");
        unknown.push(Problem { what: Text::line(&what), hint: Some(error.hint().text().clone()) });
    });
    Ok(Found { site, mappings: Arc::clone(&estate.mappings.rows), workers, paused: paused.ok(), unknown })
}

fn rows<'a>(args: &ListConsumers, found: &'a [Found]) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for one in found {
        let environment = &one.site.environment.name;
        let paused_by =
            |id: &ConsumerId| one.paused.as_ref().and_then(|paused| paused.of(id)).map(|pause| pause.run.clone());
        rows.extend(one.mappings.iter().map(|mapping| {
            let takes = mapping.state.is_on() || mapping.state == MappingState::Disabling;
            let paused_by = paused_by(&ConsumerId::Mapping(mapping.id.clone())).filter(|_| !mapping.state.is_on());
            Row { environment, queue: mapping.queue.clone(), takes, paused_by, who: Who::Mapping { mapping } }
        }));
        rows.extend(one.workers.iter().map(|(queue, service)| {
            let Service { id, desired, running, .. } = service;
            let paused_by = paused_by(&ConsumerId::Service(id.clone())).filter(|_| *desired == 0);
            let who = Who::Service { service: id, desired: *desired, running: *running };
            Row { environment, queue: Some(queue.clone()), takes: *running > 0, paused_by, who }
        }));
    }
    let fits = |row: &Row| match (&args.pattern, &row.queue) {
        (None, _) => true,
        (Some(pattern), Some(queue)) => glob(pattern, queue.as_str()),
        (Some(_), None) => false,
    };
    rows.retain(fits);
    // Stable: environments keep the configuration's order; who takes nothing comes first.
    rows.sort_by(|left, right| (left.takes, &left.queue).cmp(&(right.takes, &right.queue)));
    rows
}

fn show(args: &ListConsumers, found: &[Found], failed: &Failed<'_>, out: &mut Output) -> io::Result<()> {
    let rows = rows(args, found);
    let unknown: Vec<Unreachable> = unknown(found).collect();
    let nothing = (!found.is_empty()).then_some("no consumer is known");
    let document = || {
        let data = json!({ "consumers": rows, "unreachable": failed.unreachable(), "unknown": unknown });
        ("opsctl/consumers/1", data)
    };
    out.rows(("opsctl/consumer/1", nothing), &rows, || table(&rows), document)?;
    if out.format == Format::Jsonl {
        unknown.iter().try_for_each(|problem| out.json_line("opsctl/consumers-unknown/1", problem))?;
    }
    Ok(())
}

fn unknown<'a>(found: &'a [Found]) -> impl Iterator<Item = Unreachable<'a>> {
    found.iter().flat_map(|one| {
        let environment = &one.site.environment.name;
        one.unknown.iter().map(move |error| Unreachable { environment, error: error.clone() })
    })
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&["ENV", "QUEUE", "CONSUMER", "STATE", "LAST RESULT", "TO KNOW"]);
    for row in rows {
        let none = || "-".to_owned();
        let (consumer, state, last, mut to_know) = match &row.who {
            Who::Mapping { mapping } => (
                format!("lambda {}", mapping.function),
                mapping.state.words().to_owned(),
                mapping.last_result.as_ref().map_or_else(none, ToString::to_string),
                why(mapping),
            ),
            Who::Service { service, desired, running } => {
                let state = if *desired == 0 && *running == 0 {
                    "at zero".to_owned()
                } else {
                    format!("{running} of {desired} run")
                };
                (format!("service {service}"), state, none(), Vec::new())
            }
        };
        to_know.extend(row.paused_by.iter().map(|run| format!("paused by {run}")));
        let queue = row.queue.as_ref().map_or_else(none, ToString::to_string);
        table.row([row.environment.0.clone(), queue, consumer, state, last, to_know.join("; ")]);
    }
    table
}

/// Why a mapping is as it is, where that is out of the ordinary.
fn why(mapping: &Mapping) -> Vec<String> {
    let reason = mapping.reason.as_ref().map(Text::as_str).filter(|reason| *reason != "USER_INITIATED");
    let source = (mapping.queue.is_none() && !mapping.source_arn.is_empty())
        .then(|| Text::line(&mapping.source_arn).to_string());
    reason.map(str::to_owned).into_iter().chain(source).collect()
}
