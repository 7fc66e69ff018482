//! `opsctl alarms`.

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    cli::{
        args::{Alarms, Format, Global},
        error::CliError,
        exit::Exit,
        output::{Output, Table},
        world::{Site, World},
    },
    cloud::alarms::{AllAlarms, History},
    config::problem::nearest,
    domain::{
        EnvironmentName, Text,
        alarm::{Alarm, AlarmChange},
        environment::glob,
    },
    operations::values::in_words,
};

/// An alarm as JSON shows it.
#[derive(Serialize)]
struct Row<'a> {
    environment: &'a EnvironmentName,
    #[serde(flatten)]
    alarm: &'a Alarm,
}

/// A line of an alarm's history as JSON shows it.
#[derive(Serialize)]
struct ChangeRow<'a> {
    environment: &'a EnvironmentName,
    alarm: &'a str,
    #[serde(flatten)]
    change: &'a AlarmChange,
}

#[derive(Serialize)]
struct Answer<'a> {
    alarms: Vec<Row<'a>>,
    /// Environments with more alarms than were read.
    incomplete: Vec<Incomplete<'a>>,
    /// Environments that could not be listed.
    unreachable: Vec<Unreachable<'a>>,
}

#[derive(Serialize)]
struct HistoryAnswer<'a> {
    changes: Vec<ChangeRow<'a>>,
    /// Environments in which the alarm went through more than was read.
    incomplete: Vec<Incomplete<'a>>,
    /// Environments that could not be asked.
    unreachable: Vec<Unreachable<'a>>,
}

#[derive(Serialize)]
struct Incomplete<'a> {
    environment: &'a EnvironmentName,
    why: &'a Text,
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

/// What an environment answered.
struct Found<'a, T> {
    environment: &'a EnvironmentName,
    answer: T,
}

/// Environments that answered, and those that did not.
type Answers<'a, T> = (Vec<Found<'a, T>>, Vec<(&'a EnvironmentName, CliError)>);

pub(super) async fn run(args: &Alarms, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let failed = match &args.history {
        Some(name) => history(&world, name, out).await?,
        None => list(&world, args, out).await?,
    };
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// Lists alarms; answers whether no environment could be listed.
async fn list(world: &World, args: &Alarms, out: &mut Output) -> Result<bool, CliError> {
    let (mut found, failed) = sort_out(world, join_all(world.sites.iter().map(all)).await);
    if let Some(name) = args.pattern.as_deref().filter(|pattern| !pattern.contains('*'))
        && !found.is_empty()
        && found.iter().all(|one| one.answer.list.iter().all(|alarm| alarm.name != name))
        && failed.is_empty()
    {
        return Err(no_alarm(name, found.iter().flat_map(|one| &one.answer.list)));
    }
    let in_state =
        |alarm: &Alarm| args.states.is_empty() || args.states.iter().any(|state| state.state() == alarm.state);
    let fits = |alarm: &Alarm| args.pattern.as_ref().is_none_or(|pattern| glob(pattern, &alarm.name));
    for one in &mut found {
        one.answer.list.retain(|alarm| fits(alarm) && in_state(alarm));
        if let Some(why) = &one.answer.incomplete {
            out.warning(&format!("{}: some alarms are missing: {why}", one.environment));
        }
    }
    show(&found, &failed, world.connect.clock.now(), out)?;
    failed.iter().for_each(|(_, error)| out.warning(&error.to_string()));
    Ok(found.is_empty() && !failed.is_empty())
}

/// Shows what an alarm went through; answers whether no environment could be asked.
async fn history(world: &World, name: &str, out: &mut Output) -> Result<bool, CliError> {
    let (found, failed) = sort_out(world, join_all(world.sites.iter().map(|site| changes(site, name))).await);
    if found.iter().all(|one| one.answer.changes.is_empty()) && failed.is_empty() {
        let (known, _) = sort_out(world, join_all(world.sites.iter().map(all)).await);
        let alarms: Vec<&Alarm> = known.iter().flat_map(|one| &one.answer.list).collect();
        if alarms.iter().all(|alarm| alarm.name != name) {
            return Err(no_alarm(name, alarms));
        }
    }
    for one in &found {
        if let Some(why) = &one.answer.incomplete {
            out.warning(&format!("{}: {why}; older ones are left out", one.environment));
        }
    }
    show_history(&found, &failed, name, world.connect.clock.now(), out)?;
    failed.iter().for_each(|(_, error)| out.warning(&error.to_string()));
    Ok(found.is_empty() && !failed.is_empty())
}

async fn all(site: &Site) -> Result<AllAlarms, CliError> {
    let cloud = site.cloud.as_ref().map_err(Clone::clone)?;
    cloud.alarms().all().await.map_err(|error| CliError::cloud(&error, &site.environment))
}

async fn changes(site: &Site, name: &str) -> Result<History, CliError> {
    let cloud = site.cloud.as_ref().map_err(Clone::clone)?;
    cloud.alarms().history(name).await.map_err(|error| CliError::cloud(&error, &site.environment))
}

fn sort_out<T>(world: &World, answers: Vec<Result<T, CliError>>) -> Answers<'_, T> {
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for (site, answer) in world.sites.iter().zip(answers) {
        let environment = &site.environment.name;
        match answer {
            Ok(answer) => found.push(Found { environment, answer }),
            Err(error) => failed.push((environment, error)),
        }
    }
    (found, failed)
}

fn no_alarm<'a>(wanted: &str, known: impl IntoIterator<Item = &'a Alarm>) -> CliError {
    let known: Vec<&str> = known.into_iter().map(|alarm| alarm.name.as_str()).collect();
    let hint = match nearest(wanted, &known) {
        Some(near) => format!("did you mean {}?", Text::line(near)),
        None => "`opsctl alarms` lists them".to_owned(),
    };
    CliError::usage(&format!("there is no alarm {}", Text::line(wanted)), &hint)
}

fn unreachable<'a>(failed: &[(&'a EnvironmentName, CliError)]) -> Vec<Unreachable<'a>> {
    let problem = |error: &CliError| Problem { what: error.what.clone(), hint: error.hint.clone() };
    failed.iter().map(|(environment, error)| Unreachable { environment, error: problem(error) }).collect()
}

fn show(
    found: &[Found<AllAlarms>],
    failed: &[(&EnvironmentName, CliError)],
    now: Timestamp,
    out: &mut Output,
) -> Result<(), CliError> {
    let mut rows: Vec<Row> = found
        .iter()
        .flat_map(|one| one.answer.list.iter().map(|alarm| Row { environment: one.environment, alarm }))
        .collect();
    // Stable: environments keep the configuration's order among equals, and names theirs.
    rows.sort_by_key(|row| row.alarm.state);
    match out.format {
        Format::Human if rows.is_empty() && !found.is_empty() => out.note("no alarm fits"),
        Format::Human if rows.is_empty() => {}
        Format::Human => out.table(&table(&rows, now))?,
        Format::Json => {
            let incomplete = found.iter().filter_map(|one| {
                Some(Incomplete { environment: one.environment, why: one.answer.incomplete.as_ref()? })
            });
            let incomplete = incomplete.collect();
            out.document("opsctl/alarms/1", &Answer { alarms: rows, incomplete, unreachable: unreachable(failed) })?;
        }
        Format::Jsonl => {
            for row in &rows {
                out.json_line("opsctl/alarm/1", row)?;
            }
        }
    }
    Ok(())
}

fn table(rows: &[Row], now: Timestamp) -> Table {
    let mut table = Table::new(&["ENV", "STATE", "NAME", "#SINCE", "WATCHES", "ALARMS WHEN", "REASON"]);
    for Row { environment, alarm } in rows {
        let muted = if alarm.actions_enabled { "" } else { ", muted" };
        table.row([
            environment.0.clone(),
            format!("{}{muted}", alarm.state.words()),
            alarm.name.clone(),
            alarm.since.map_or_else(|| "-".to_owned(), |at| age(at, now)),
            alarm.watches.subject().to_string(),
            alarm.watches.condition().to_string(),
            alarm.reason.to_string(),
        ]);
    }
    table
}

fn show_history(
    found: &[Found<History>],
    failed: &[(&EnvironmentName, CliError)],
    name: &str,
    now: Timestamp,
    out: &mut Output,
) -> Result<(), CliError> {
    let mut rows: Vec<ChangeRow> = Vec::new();
    for one in found {
        let changes = one.answer.changes.iter();
        rows.extend(changes.map(|change| ChangeRow { environment: one.environment, alarm: name, change }));
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.change.at));
    match out.format {
        Format::Human if rows.is_empty() && !found.is_empty() => out.note("nothing happened to it"),
        Format::Human if rows.is_empty() => {}
        Format::Human => {
            let mut table = Table::new(&["ENV", "TIME", "#AGO", "WHAT", "SUMMARY"]);
            for ChangeRow { environment, change, .. } in &rows {
                let (ago, at) = (age(change.at, now), change.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
                table.row([environment.0.clone(), at, ago, change.kind.to_string(), change.summary.to_string()]);
            }
            out.table(&table)?;
        }
        Format::Json => {
            let incomplete = found.iter().filter_map(|one| {
                Some(Incomplete { environment: one.environment, why: one.answer.incomplete.as_ref()? })
            });
            let incomplete = incomplete.collect();
            let answer = HistoryAnswer { changes: rows, incomplete, unreachable: unreachable(failed) };
            out.document("opsctl/alarm-history/1", &answer)?;
        }
        Format::Jsonl => {
            for row in &rows {
                out.json_line("opsctl/alarm-change/1", row)?;
            }
        }
    }
    Ok(())
}

fn age(at: Timestamp, now: Timestamp) -> String {
    in_words(u64::try_from(now.duration_since(at).as_secs()).unwrap_or(0))
}
