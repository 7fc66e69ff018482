//! `opsctl databases`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::{
    database_details,
    look::{look_at, not_all},
};
use crate::{
    cli::{
        args::{Databases, Format, Global},
        complete,
        error::CliError,
        exit::Exit,
        failed::Failed,
        gauges::{count, with_age},
        output::{Output, Table},
        world::{Site, World},
    },
    databases::{self, Capacity, Seen},
    domain::{
        Database, DatabaseEvent, DatabaseGauges, EnvironmentName, Gauge, GlobalChange, GlobalCluster, GlobalMember,
        Member, Proxy, Text,
        environment::glob,
        words::{bytes, in_words, milliseconds, percent},
    },
    observe::{Estate, Look, Once, Part, SeenDatabase, Wanted},
};

#[derive(Serialize)]
struct Row<'a> {
    environment: &'a EnvironmentName,
    #[serde(flatten)]
    database: &'a Database,
    writer: Option<&'a str>,
    topology_words: String,
    capacity: Capacity,
    last_event: Option<&'a DatabaseEvent>,
    /// By instance; one without samples is absent.
    metrics: BTreeMap<&'a str, &'a DatabaseGauges>,
    proxies: &'a [Proxy],
    /// With `--events`.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<&'a DatabaseEvent>>,
}

#[derive(Serialize)]
struct GlobalRow<'a> {
    environment: &'a EnvironmentName,
    #[serde(flatten)]
    global: &'a GlobalCluster,
}

type Found<'a> = (&'a Site, Once);

pub(super) struct Line<'a> {
    pub(super) environment: &'a EnvironmentName,
    /// Of all databases of the environment.
    pub(super) events: &'a [DatabaseEvent],
    pub(super) row: &'a SeenDatabase,
    pub(super) now: Timestamp,
}

pub(super) async fn run(args: &Databases, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let wanted = Wanted {
        looks: &[Look::Databases, Look::DatabaseGauges],
        event_minutes: args.days * 24 * 60,
        without_instances: args.no_metrics,
        ..Wanted::default()
    };
    let (mut found, failed) = look_at(&world, &wanted, |snapshot| snapshot.estate.databases.error.as_ref()).await;
    let names = found.iter().map(|(site, seen)| (site.environment.as_ref(), names_of(&seen.snapshot.estate)));
    complete::remember(world.realm, complete::Kind::Database, names);
    let fits = |name: &str| args.pattern.as_ref().is_none_or(|pattern| glob(pattern, name));
    for (site, seen) in &mut found {
        let estate = &mut seen.snapshot.estate;
        estate.databases.retain(|row| fits(&row.seen.database.name));
        estate.globals = estate.globals.iter().filter(|global| fits(&global.name)).cloned().collect();
        for unknown in unknown(estate) {
            out.warning(&format!("{}: {unknown}", site.environment.name));
        }
    }
    show(args, &found, &failed, world.connect.clock.now(), out)?;
    failed.end(out)
}

fn names_of(estate: &Estate) -> Vec<String> {
    let databases = estate.databases.rows.iter().map(|row| row.seen.database.name.clone());
    databases.chain(estate.globals.iter().map(|global| global.name.clone())).collect()
}

fn unknown(estate: &Estate) -> impl Iterator<Item = String> {
    let Part { unknown, lacks, .. } = &estate.databases;
    let listed = unknown.iter().filter(|unknown| unknown.look == Look::Databases);
    let metrics = lacks.iter().filter(|lack| lack.look == Look::DatabaseGauges);
    let listed = listed.map(|unknown| unknown.words.to_string());
    listed.chain(metrics.map(|lack| not_all("metrics of instances", lack)))
}

fn show(
    args: &Databases,
    found: &[Found],
    failed: &Failed<'_>,
    now: Timestamp,
    out: &mut Output,
) -> Result<(), CliError> {
    let mut all: Vec<Line> = Vec::new();
    for (site, seen) in found {
        let (environment, estate) = (&site.environment.name, &seen.snapshot.estate);
        let line = |row| Line { environment, events: &estate.events, row, now };
        all.extend(estate.databases.rows.iter().map(|row| line(&**row)));
    }
    // Stable: environments keep the configuration's order among equals, and names theirs.
    all.sort_by_key(|line| line.row.seen.database.rank());
    match out.format {
        Format::Human => {
            let globals = globals_table(found);
            if all.is_empty() && globals.count() == 0 && !found.is_empty() {
                out.note("no database fits");
            }
            if args.events {
                database_details::show(&all, out)?;
            } else if !all.is_empty() {
                out.table(&table(&all))?;
            }
            if globals.count() > 0 {
                out.table(&globals)?;
            }
        }
        Format::Json => {
            let databases: Vec<Row> = all.iter().map(|line| row(line, args)).collect();
            let globals: Vec<GlobalRow> = globals(found).collect();
            let unreachable = failed.unreachable();
            // As CloudWatch bills them.
            let metrics_asked: u64 = found.iter().map(|(_, seen)| seen.metrics_asked).sum();
            let data = json!({
                "databases": databases, "globals": globals, "unreachable": unreachable, "metrics_asked": metrics_asked
            });
            out.document("opsctl/databases/1", &data)?;
        }
        Format::Jsonl => {
            for line in &all {
                out.json_line("opsctl/database/1", &row(line, args))?;
            }
            for global in globals(found) {
                out.json_line("opsctl/global-cluster/1", &global)?;
            }
        }
    }
    Ok(())
}

fn globals<'a>(found: &'a [Found<'a>]) -> impl Iterator<Item = GlobalRow<'a>> {
    found.iter().flat_map(|(site, seen)| {
        let environment = &site.environment.name;
        seen.snapshot.estate.globals.iter().map(move |global| GlobalRow { environment, global })
    })
}

fn globals_table(found: &[Found]) -> Table {
    let mut table = Table::new(&["ENV", "GLOBAL CLUSTER", "STATUS", "WRITER", "SECONDARIES", "TO KNOW"]);
    for GlobalRow { environment, global } in globals(found) {
        let secondary = |member: &GlobalMember| match &member.synchronization {
            Some(state) if state.as_str() != "connected" => format!("{member} {state}"),
            Some(_) | None => member.to_string(),
        };
        let secondaries: Vec<String> = global.secondaries().map(secondary).collect();
        let to = |change: &GlobalChange| {
            let to = change.to.as_ref().map_or("?", Text::as_str).to_owned();
            format!("{} to {to}", change.status)
        };
        table.row([
            environment.0.clone(),
            global.name.clone(),
            global.status.to_string(),
            global.writer().map_or_else(|| "?".to_owned(), ToString::to_string),
            if secondaries.is_empty() { "-".to_owned() } else { secondaries.join(", ") },
            global.change.as_ref().map(to).unwrap_or_default(),
        ]);
    }
    table
}

fn row<'a>(line: &Line<'a>, args: &Databases) -> Row<'a> {
    let Seen { database, capacity, last_event, proxies } = &line.row.seen;
    Row {
        environment: line.environment,
        writer: database.writer().map(|writer| writer.name.as_str()),
        topology_words: database.words(),
        capacity: *capacity,
        last_event: last_event.as_ref(),
        metrics: members(line).collect(),
        events: args.events.then(|| databases::events_of(line.events, database).collect()),
        proxies,
        database,
    }
}

fn table(all: &[Line]) -> Table {
    let headings = [
        "ENV",
        "NAME",
        "STATUS",
        "WRITER",
        "READERS",
        "CAPACITY",
        "#CPU",
        "#CONNECTIONS",
        "#FREE",
        "#LAG",
        "TOPOLOGY",
        "TO KNOW",
    ];
    let mut table = Table::new(&headings);
    for line in all {
        let Line { environment, row, now, .. } = line;
        let Seen { database, capacity, last_event, proxies } = &row.seen;
        let readers: Vec<String> = database.readers().map(|reader| in_short(reader, database)).collect();
        let mut to_know: Vec<String> =
            database.pending.iter().map(|pending| format!("pending: {}", pending.action)).collect();
        to_know.extend(database.replicas.iter().map(|replica| format!("read replica {replica}")));
        to_know.extend(proxies.iter().map(|proxy| format!("proxy {}", proxy.words())));
        to_know.extend(last_event.as_ref().map(|event| {
            let ago = now.duration_since(event.at).as_secs();
            format!("{} ago: {}", in_words(u64::try_from(ago).unwrap_or(0)), event.message)
        }));
        let none = || "-".to_owned();
        table.row([
            environment.0.clone(),
            database.name.clone(),
            database.status.to_string(),
            match database.writer() {
                Some(writer) => in_short(writer, database),
                None if database.is_secondary() => "in another region".to_owned(),
                None if let Some(source) = &database.source => format!("replica of {source}"),
                None => "?".to_owned(),
            },
            if readers.is_empty() { standby(database).unwrap_or_else(none) } else { readers.join(", ") },
            in_units(capacity, database).unwrap_or_else(none),
            with_age(worst(line, |gauges| gauges.cpu.as_ref(), f64::max), *now, percent),
            with_age(worst(line, |gauges| gauges.connections.as_ref(), f64::max), *now, count),
            with_age(worst(line, |gauges| gauges.free_storage.as_ref(), f64::min), *now, bytes),
            with_age(worst(line, |gauges| gauges.lag.as_ref(), worse_lag), *now, milliseconds),
            database.words(),
            to_know.join("; "),
        ]);
    }
    table
}

fn members<'a>(line: &Line<'a>) -> impl Iterator<Item = (&'a str, &'a DatabaseGauges)> {
    let gauges = &line.row.gauges;
    let names = line.row.seen.database.members.iter().map(|member| member.name.as_str());
    names.filter_map(move |name| Some((name, gauges.get(name)?)))
}

/// Below zero, replication does not run, which is worse than any lag.
fn worse_lag(one: f64, other: f64) -> f64 {
    if one < 0.0 || other < 0.0 { one.min(other) } else { one.max(other) }
}

/// The worst of a database's instances: the one whose value `worse` keeps.
fn worst<'a>(
    line: &Line<'a>,
    which: fn(&'a DatabaseGauges) -> Option<&'a Gauge>,
    worse: fn(f64, f64) -> f64,
) -> Option<&'a Gauge> {
    let gauges = members(line).filter_map(|(_, gauges)| which(gauges));
    gauges.reduce(|one, other| if worse(one.value, other.value) == one.value { one } else { other })
}

fn standby(database: &Database) -> Option<String> {
    database.standby_zone.as_ref().map(|zone| format!("standby in {zone}"))
}

/// `orders-2 (db.r6g.large, af-south-1b, tier 1)`, and the status where it is not well.
pub(super) fn in_short(member: &Member, database: &Database) -> String {
    let unknown = || "?".to_owned();
    let text = |text: &Option<Text>| text.as_ref().map_or_else(unknown, ToString::to_string);
    let mut parts = vec![text(&member.class), text(&member.zone)];
    parts.extend(member.tier.map(|tier| format!("tier {tier}")));
    if !member.is_available() {
        parts.push(text(&member.status));
    }
    let parts = parts.join(", ");
    if member.name == database.name { parts } else { format!("{} ({parts})", member.name) }
}

pub(super) fn in_units(capacity: &Capacity, database: &Database) -> Option<String> {
    let limits = database.limits?;
    let range = format!("of {} to {} ACU", limits.minimum, limits.maximum);
    Some(match capacity {
        Capacity::None => return None,
        Capacity::Unknown => format!("? {range}"),
        Capacity::Paused { .. } => format!("paused, {range}"),
        Capacity::Units { units, .. } => format!("{units} {range}"),
    })
}
