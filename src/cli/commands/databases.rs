//! `opsctl databases`.

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    cli::{
        args::{Databases, Format, Global},
        error::CliError,
        exit::Exit,
        output::{Output, Table},
        world::{Site, World},
    },
    databases::{self, Capacity, Look, Seen},
    domain::{
        EnvironmentName, Text,
        database::{Database, Member},
        environment::glob,
    },
    operations::values::in_words,
};

/// A database as JSON shows it.
#[derive(Serialize)]
struct Row<'a> {
    environment: &'a EnvironmentName,
    #[serde(flatten)]
    database: &'a Database,
    writer: Option<&'a str>,
    topology_words: String,
    capacity: Capacity,
    last_event: Option<&'a crate::domain::database::DatabaseEvent>,
}

/// An environment's databases.
struct Found<'a> {
    environment: &'a EnvironmentName,
    look: Look,
    now: Timestamp,
}

impl Found<'_> {
    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let Self { environment, look, now } = self;
        look.seen.iter().map(move |seen| Line { environment, seen, now: *now })
    }
}

/// A database as it is shown.
struct Line<'a> {
    environment: &'a EnvironmentName,
    seen: &'a Seen,
    now: Timestamp,
}

#[derive(Serialize)]
struct Answer<'a> {
    databases: Vec<Row<'a>>,
    /// Environments that could not be listed.
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

pub(super) async fn run(args: &Databases, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let answers = join_all(world.sites.iter().map(looked_at)).await;
    let mut found: Vec<Found> = Vec::new();
    let mut failed: Vec<(&EnvironmentName, CliError)> = Vec::new();
    for (site, answer) in world.sites.iter().zip(answers) {
        let environment = &site.environment.name;
        match answer {
            Ok(look) => found.push(Found { environment, look, now: world.connect.clock.now() }),
            Err(error) => failed.push((environment, error)),
        }
    }
    for Found { environment, look, .. } in &mut found {
        let fits = |name: &str| args.pattern.as_ref().is_none_or(|pattern| glob(pattern, name));
        look.seen.retain(|seen| fits(&seen.database.name));
        for unknown in &look.unknown {
            out.warning(&format!("{environment}: {unknown}"));
        }
    }
    show(&found, &failed, out)?;
    for (_, error) in &failed {
        out.warning(&error.to_string());
    }
    Ok(if found.is_empty() && !failed.is_empty() { Exit::Failed } else { Exit::Done })
}

async fn looked_at(site: &Site) -> Result<Look, CliError> {
    let cloud = site.cloud.as_ref().map_err(Clone::clone)?;
    databases::look(cloud).await.map_err(|error| CliError::cloud(&error, &site.environment))
}

fn show(found: &[Found], failed: &[(&EnvironmentName, CliError)], out: &mut Output) -> Result<(), CliError> {
    let mut all: Vec<Line> = found.iter().flat_map(Found::lines).collect();
    // Stable: environments keep the configuration's order among equals, and names theirs.
    all.sort_by_key(|line| line.seen.database.rank());
    match out.format {
        Format::Human => {
            let table = table(&all);
            if table.count() == 0 && !found.is_empty() {
                out.note("no database fits");
            } else if table.count() > 0 {
                out.table(&table)?;
            }
        }
        Format::Json => {
            let databases = all.iter().map(row).collect();
            let problem = |error: &CliError| Problem { what: error.what.clone(), hint: error.hint.clone() };
            let unreachable =
                failed.iter().map(|(environment, error)| Unreachable { environment, error: problem(error) }).collect();
            out.document("opsctl/databases/1", &Answer { databases, unreachable })?;
        }
        Format::Jsonl => {
            for line in &all {
                out.json_line("opsctl/database/1", &row(line))?;
            }
        }
    }
    Ok(())
}

fn row<'a>(line: &Line<'a>) -> Row<'a> {
    let Seen { database, capacity, last_event } = line.seen;
    Row {
        environment: line.environment,
        writer: database.writer().map(|writer| writer.name.as_str()),
        topology_words: database.words(),
        capacity: *capacity,
        last_event: last_event.as_ref(),
        database,
    }
}

fn table(all: &[Line]) -> Table {
    let mut table = Table::new(&["ENV", "NAME", "STATUS", "WRITER", "READERS", "CAPACITY", "TOPOLOGY", "TO KNOW"]);
    for Line { environment, seen, now } in all {
        let Seen { database, capacity, last_event } = seen;
        let readers: Vec<String> = database.readers().map(|reader| in_short(reader, database)).collect();
        let mut to_know: Vec<String> =
            database.pending.iter().map(|pending| format!("pending: {}", pending.action)).collect();
        to_know.extend(last_event.as_ref().map(|event| {
            let ago = now.duration_since(event.at).as_secs();
            format!("{} ago: {}", in_words(u64::try_from(ago).unwrap_or(0)), event.message)
        }));
        let none = || "-".to_owned();
        table.row([
            environment.0.clone(),
            database.name.clone(),
            database.status.to_string(),
            database.writer().map_or_else(|| "?".to_owned(), |writer| in_short(writer, database)),
            if readers.is_empty() { standby(database).unwrap_or_else(none) } else { readers.join(", ") },
            in_units(capacity, database).unwrap_or_else(none),
            database.words(),
            to_know.join("; "),
        ]);
    }
    table
}

fn standby(database: &Database) -> Option<String> {
    database.standby_zone.as_ref().map(|zone| format!("standby in {zone}"))
}

/// `orders-2 (db.r6g.large, af-south-1b, tier 1)`, and the status where it is not well.
fn in_short(member: &Member, database: &Database) -> String {
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

fn in_units(capacity: &Capacity, database: &Database) -> Option<String> {
    let limits = database.limits?;
    let range = format!("of {} to {} ACU", limits.minimum, limits.maximum);
    Some(match capacity {
        Capacity::None => return None,
        Capacity::Unknown => format!("? {range}"),
        Capacity::Paused { .. } => format!("paused, {range}"),
        Capacity::Units { units, .. } => format!("{units} {range}"),
    })
}
