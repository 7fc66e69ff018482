//! `opsctl consumers`: who takes messages of which queue.

use futures_util::future::join_all;
use serde::Serialize;

use super::change;
use crate::{
    cli::{
        args::{Format, Global, ListConsumers},
        error::CliError,
        exit::Exit,
        output::{Output, Table},
        world::{Site, World},
    },
    cloud::CloudError,
    domain::{
        EnvironmentName, QueueName, RunId, Text,
        consumer::{ConsumerId, Mapping, MappingState},
        environment::glob,
        service::{Service, ServiceId},
    },
    journal::{Paused, StateFolder},
};

/// A consumer as JSON shows it.
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

#[derive(Serialize)]
struct Answer<'a> {
    consumers: Vec<Row<'a>>,
    /// Environments of which nothing is known.
    unreachable: Vec<Unreachable<'a>>,
}

#[derive(Serialize)]
struct Unreachable<'a> {
    environment: &'a EnvironmentName,
    error: Problem,
}

/// Why something could not be seen.
#[derive(Serialize)]
struct Problem {
    what: Text,
    hint: Option<Text>,
}

/// An environment's consumers.
struct Found<'a> {
    site: &'a Site,
    mappings: Vec<Mapping>,
    /// With the queues that they take messages of.
    workers: Vec<(QueueName, Service)>,
    paused: Option<Paused>,
    /// What is not known.
    unknown: Vec<CloudError>,
}

pub(super) async fn list(args: &ListConsumers, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let state = change::state(global).await?;
    let world = World::open(global, out).await?;
    let answers = join_all(world.sites.iter().map(|site| look(site, &state))).await;
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for (site, answer) in world.sites.iter().zip(answers) {
        match answer {
            Ok(one) => found.push(one),
            Err(error) => failed.push((&site.environment.name, error)),
        }
    }
    for Found { site, unknown, .. } in &found {
        for error in unknown {
            let (name, hint) = (&site.environment.name, error.hint(&site.environment));
            out.warning(&format!("{name}: consumers are not all known: {error} ({hint})"));
        }
    }
    show(args, &found, &failed, out)?;
    for (_, error) in &failed {
        out.warning(&error.to_string());
    }
    Ok(if found.is_empty() && !failed.is_empty() { Exit::Failed } else { Exit::Done })
}

/// Mappings, and workers where the configuration names any; what is denied is told, and the rest shown.
async fn look<'a>(site: &'a Site, state: &StateFolder) -> Result<Found<'a>, CliError> {
    let cloud = site.cloud.as_ref().map_err(Clone::clone)?;
    let mut unknown = Vec::new();
    let workers = async {
        if site.environment.services.consumers.is_empty() {
            return (Ok(Vec::new()), Ok(Vec::new()));
        }
        let (queues, services) = tokio::join!(cloud.sqs().list(None), cloud.ecs().all());
        (queues, services.map(|all| all.found))
    };
    let (caller, mappings, (queues, services)) =
        tokio::join!(cloud.identity().caller(), cloud.lambda().mappings(), workers);
    let caller = caller.map_err(|error| CliError::cloud(&error, &site.environment))?;
    let mut known = |error| {
        unknown.push(error);
        Vec::new()
    };
    let mappings = mappings.unwrap_or_else(&mut known);
    let queues: Vec<QueueName> = queues.map_or_else(
        |error| {
            known(error);
            Vec::new()
        },
        |urls| urls.iter().map(|url| url.name()).collect(),
    );
    let services = services.unwrap_or_else(|error| {
        unknown.push(error);
        Vec::new()
    });
    let rules = &site.environment.services;
    let workers = services.iter().flat_map(|service| {
        let of_it = queues.iter().filter(|queue| rules.consumes(&service.id, queue.as_str()));
        of_it.map(|queue| (queue.clone(), service.clone())).collect::<Vec<_>>()
    });
    let workers = workers.collect();
    let paused = Paused::read(state, &caller.account, &site.environment.region).ok();
    Ok(Found { site, mappings, workers, paused, unknown })
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

fn show(
    args: &ListConsumers,
    found: &[Found],
    failed: &[(&EnvironmentName, CliError)],
    out: &mut Output,
) -> Result<(), CliError> {
    let rows = rows(args, found);
    match out.format {
        Format::Human if rows.is_empty() && !found.is_empty() => out.note("no consumer is known"),
        Format::Human => out.table(&table(&rows))?,
        Format::Json => {
            let problem = |error: &CliError| Problem { what: error.what.clone(), hint: error.hint.clone() };
            let unreachable =
                failed.iter().map(|(environment, error)| Unreachable { environment, error: problem(error) }).collect();
            out.document("opsctl/consumers/1", &Answer { consumers: rows, unreachable })?;
        }
        Format::Jsonl => {
            for row in &rows {
                out.json_line("opsctl/consumer/1", row)?;
            }
        }
    }
    Ok(())
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
