//! `opsctl services` and `opsctl tasks`.

use std::io;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::look::{look_at, not_all};
use crate::{
    cli::{
        args::{Global, Services, Tasks},
        complete,
        error::CliError,
        exit::Exit,
        failed::{Failed, sort_out},
        gauges::with_age,
        output::{Output, Table},
        world::{Site, World},
    },
    cloud::{
        Cloud,
        ecs::{Missing, Wanted as WantedTasks},
    },
    domain::{
        EnvironmentName, Gauge, Scaling, Service, ServiceEvent, ServiceId, Standing, Task, Text,
        service_rules::fits,
        words::{in_words, percent},
    },
    observe::{Estate, Lack, Look, Once, SeenService, Wanted},
};

#[derive(Serialize)]
struct Row<'a> {
    environment: &'a EnvironmentName,
    standing: Standing,
    #[serde(flatten)]
    service: &'a Service,
    /// None: no autoscaling, or it is not known; then `scaling_unknown` says why.
    scaling: Option<&'a Scaling>,
    scaling_unknown: Option<Text>,
    /// Percent of the CPU that its tasks reserved; none: CloudWatch has no sample.
    cpu: Option<&'a Gauge>,
    /// Percent of the memory that its tasks reserved.
    memory: Option<&'a Gauge>,
}

type Found<'a> = (&'a Site, Once);

const LOOKS: &[Look] = &[Look::Services, Look::Scaling, Look::ServiceGauges];
const LOOKS_WITHOUT_METRICS: &[Look] = &[Look::Services, Look::Scaling];

pub(super) async fn run(args: &Services, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let looks = if args.no_metrics { LOOKS_WITHOUT_METRICS } else { LOOKS };
    let wanted = Wanted { looks, ..Wanted::default() };
    let (mut found, failed) = look_at(&world, &wanted, |snapshot| snapshot.estate.services.error.as_ref()).await;
    let names_of =
        |seen: &Once| seen.snapshot.estate.services.rows.iter().map(|row| row.service.id.to_string()).collect();
    let names = found.iter().map(|(site, seen)| (site.environment.as_ref(), names_of(seen)));
    complete::remember(world.realm, complete::Kind::Service, names);
    for (site, seen) in &mut found {
        let estate = &mut seen.snapshot.estate;
        let is_wanted = |row: &SeenService| args.pattern.as_ref().is_none_or(|pattern| fits(pattern, &row.service.id));
        estate.services.retain(is_wanted);
        for unknown in unknown(estate) {
            out.warning(&format!("{}: {unknown}", site.environment.name));
        }
    }
    show(&found, &failed, world.connect.clock.now(), out)?;
    failed.end(out)
}

fn unknown(estate: &Estate) -> impl Iterator<Item = String> {
    let missing = |Missing { what, reason }: &Missing| format!("{what} is listed and cannot be described: {reason}");
    let lack = |lack: &Lack| match lack.look == Look::ServiceGauges {
        true => not_all("CPU and memory", lack),
        false => lack.words.to_string(),
    };
    estate.missing.iter().map(missing).chain(estate.services.lacks.iter().map(lack))
}

fn rows<'a>(found: &'a [Found]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row> = Vec::new();
    for (site, seen) in found {
        let services = &seen.snapshot.estate.services;
        let error = services.lacks.iter().find(|lack| lack.look == Look::Scaling).and_then(|lack| lack.error.as_ref());
        let scaling_unknown = error.map(|error| Text::line(&error.to_string()));
        rows.extend(services.rows.iter().map(|row| Row {
            environment: &site.environment.name,
            standing: row.service.standing(),
            service: &row.service,
            scaling: row.scaling.as_ref(),
            scaling_unknown: scaling_unknown.clone(),
            cpu: row.cpu.as_ref(),
            memory: row.memory.as_ref(),
        }));
    }
    // Stable: environments keep the configuration's order among equals.
    rows.sort_by(|left, right| (left.standing, &left.service.id).cmp(&(right.standing, &right.service.id)));
    rows
}

fn show(found: &[Found], failed: &Failed<'_>, now: Timestamp, out: &mut Output) -> io::Result<()> {
    let rows = rows(found);
    let nothing = (!found.is_empty()).then_some("no service fits");
    let document = || {
        let missing: Vec<&Missing> = found.iter().flat_map(|(_, seen)| seen.snapshot.estate.missing.iter()).collect();
        // As CloudWatch bills them.
        let metrics_asked: u64 = found.iter().map(|(_, seen)| seen.metrics_asked).sum();
        let unreachable = failed.unreachable();
        let data = json!({
            "services": rows, "missing": missing, "unreachable": unreachable, "metrics_asked": metrics_asked
        });
        ("opsctl/services/1", data)
    };
    out.rows(("opsctl/service/1", nothing), &rows, || table(&rows, now), document)
}

fn table(rows: &[Row], now: Timestamp) -> Table {
    let headings = [
        "ENV",
        "CLUSTER",
        "NAME",
        "STATE",
        "#RUNNING",
        "#DESIRED",
        "#PENDING",
        "#CPU",
        "#MEMORY",
        "SCALING",
        "TASK DEFINITION",
        "LAST EVENT",
    ];
    let mut table = Table::new(&headings);
    for Row { environment, standing, service, scaling, scaling_unknown, cpu, memory } in rows {
        let scaling = match (scaling, scaling_unknown) {
            _ if service.placement.is_daemon => "daemon".to_owned(),
            (Some(scaling), _) => bounds(scaling),
            (None, Some(_)) => "?".to_owned(),
            (None, None) => "-".to_owned(),
        };
        table.row([
            environment.0.clone(),
            service.id.cluster.0.clone(),
            service.id.name.0.clone(),
            standing.into_str().to_owned(),
            service.running.to_string(),
            service.desired.to_string(),
            service.pending.to_string(),
            with_age(*cpu, now, percent),
            with_age(*memory, now, percent),
            scaling,
            service.task_definition.0.clone(),
            service.events.first().map(|event: &ServiceEvent| event.message.to_string()).unwrap_or_default(),
        ]);
    }
    table
}

/// `1 to 4`, with what is suspended.
fn bounds(scaling: &Scaling) -> String {
    let Scaling { min, max, in_suspended, out_suspended, scheduled_suspended, .. } = scaling;
    let flags = [(in_suspended, "in"), (out_suspended, "out"), (scheduled_suspended, "schedule")];
    let suspended: Vec<&str> = flags.iter().filter(|(flag, _)| **flag).map(|(_, name)| *name).collect();
    match suspended.is_empty() {
        true => format!("{min} to {max}"),
        false => format!("{min} to {max}, suspended: {}", suspended.join(" ")),
    }
}

#[derive(Serialize)]
struct TaskRow<'a> {
    environment: &'a EnvironmentName,
    service: &'a ServiceId,
    #[serde(flatten)]
    task: &'a Task,
}

struct FoundTasks<'a> {
    environment: &'a EnvironmentName,
    service: ServiceId,
    tasks: Vec<Task>,
    missing: Vec<Missing>,
}

pub(super) async fn tasks(args: &Tasks, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let answers = join_all(world.sites.iter().map(|site| tasks_of(site, &args.service))).await;
    let (answers, failed) = sort_out(&world, answers);
    let mut found = Vec::new();
    let mut known: Vec<String> = Vec::new();
    for (_, (some, names)) in answers {
        found.extend(some);
        known.extend(names);
    }
    if found.is_empty() {
        let names = known.iter().map(String::as_str);
        let missing = || CliError::unknown(("service", &args.service), names, &global.command("services"));
        return Err(failed.into_error().unwrap_or_else(missing));
    }
    for missing in found.iter().flat_map(|one| &one.missing) {
        out.warning(&format!("{} is listed and cannot be described: {}", missing.what, missing.reason));
    }
    show_tasks(&found, &failed, world.connect.clock.now(), out)?;
    failed.end(out)
}

/// The tasks of the services of that name, and the names of all services.
async fn tasks_of<'a>(site: &'a Site, wanted: &str) -> Result<(Vec<FoundTasks<'a>>, Vec<String>), CliError> {
    site.read(|cloud| tasks_by(cloud, site, wanted)).await
}

async fn tasks_by<'a>(
    cloud: &Cloud,
    site: &'a Site,
    wanted: &str,
) -> Result<(Vec<FoundTasks<'a>>, Vec<String>), CliError> {
    let failed = |error| CliError::cloud(&error, &site.environment);
    let services = cloud.ecs.all().await.map_err(failed)?.found;
    let names = services.iter().map(|service| service.id.name.0.clone()).collect();
    let mut found = Vec::new();
    for service in services.iter().filter(|service| service.id.name.0 == wanted || service.id.to_string() == wanted) {
        let ecs = &cloud.ecs;
        let answers = tokio::try_join!(
            ecs.tasks(&service.id, WantedTasks::Running),
            ecs.tasks(&service.id, WantedTasks::Stopped)
        );
        let (running, stopped) = answers.map_err(failed)?;
        let tasks = running.found.into_iter().chain(stopped.found).collect();
        let missing = running.missing.into_iter().chain(stopped.missing).collect();
        found.push(FoundTasks { environment: &site.environment.name, service: service.id.clone(), tasks, missing });
    }
    Ok((found, names))
}

/// Those that ended by themselves first, then those on their way up, then those that run.
fn urgency(task: &Task) -> u8 {
    match (&task.stop_code, task.status.as_str()) {
        (Some(_), _) if task.stopped_by_itself() => 0,
        (Some(_), _) => 3,
        (None, "RUNNING") => 2,
        (None, _) => 1,
    }
}

fn show_tasks(found: &[FoundTasks], failed: &Failed<'_>, now: Timestamp, out: &mut Output) -> io::Result<()> {
    let mut rows: Vec<TaskRow> = Vec::new();
    for FoundTasks { environment, service, tasks, .. } in found {
        rows.extend(tasks.iter().map(|task| TaskRow { environment, service, task }));
    }
    rows.sort_by_key(|row| (urgency(row.task), std::cmp::Reverse(row.task.stopped_at.or(row.task.created_at))));
    let document = || {
        let missing: Vec<&Missing> = found.iter().flat_map(|one| &one.missing).collect();
        ("opsctl/tasks/1", json!({ "tasks": rows, "missing": missing, "unreachable": failed.unreachable() }))
    };
    out.rows(("opsctl/task/1", Some("it has no tasks")), &rows, || task_table(&rows, now), document)
}

fn task_table(rows: &[TaskRow], now: Timestamp) -> Table {
    let mut table = Table::new(&["ENV", "TASK", "STATUS", "HEALTH", "TASK DEFINITION", "#AGE", "STOPPED BECAUSE"]);
    for TaskRow { environment, task, .. } in rows {
        let age = task.created_at.map(|at| now.duration_since(at).as_secs().max(0) as u64);
        table.row([
            environment.0.clone(),
            task.arn.id().to_owned(),
            task.status.to_string(),
            task.health.as_ref().map_or("-", Text::as_str).to_owned(),
            task.task_definition.0.clone(),
            age.map_or_else(|| "-".to_owned(), in_words),
            task.stopped_words().unwrap_or_default(),
        ]);
    }
    table
}
