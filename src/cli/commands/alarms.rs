//! `opsctl alarms`.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;

use super::look::look;
use crate::{
    cli::{
        args::{Alarms, Format, Global},
        error::CliError,
        exit::Exit,
        failed::{Failed, Unreachable, sort_out},
        output::{Output, Table},
        world::{Site, World},
    },
    cloud::alarms::History,
    config::problem::nearest,
    domain::{
        EnvironmentName, Text,
        alarm::{Alarm, AlarmChange},
        environment::glob,
    },
    observe::{Look, Part, Wanted},
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

/// What an environment answered.
struct Found<'a, T> {
    environment: &'a EnvironmentName,
    answer: T,
}

pub(super) async fn run(args: &Alarms, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    match &args.history {
        Some(name) => history(&world, name, global, out).await,
        None => list(&world, args, global, out).await,
    }
}

async fn list(world: &World, args: &Alarms, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let (mut found, failed) = answers(world, join_all(world.sites.iter().map(all)).await);
    if let Some(name) = args.pattern.as_deref().filter(|pattern| !pattern.contains('*'))
        && !found.is_empty()
        && found.iter().all(|one| one.answer.rows.iter().all(|alarm| alarm.name != name))
        && failed.is_empty()
    {
        return Err(no_alarm(name, found.iter().flat_map(|one| one.answer.rows.iter()), global));
    }
    let in_state =
        |alarm: &Alarm| args.states.is_empty() || args.states.iter().any(|state| state.state() == alarm.state);
    let fits = |alarm: &Alarm| args.pattern.as_ref().is_none_or(|pattern| glob(pattern, &alarm.name));
    for one in &mut found {
        one.answer.retain(|alarm| fits(alarm) && in_state(alarm));
        for why in incomplete(&one.answer) {
            out.warning(&format!("{}: some alarms are missing: {why}", one.environment));
        }
    }
    show(&found, &failed, world.connect.clock.now(), out)?;
    Ok(failed.end(!found.is_empty(), out))
}

/// Shows what an alarm went through.
async fn history(world: &World, name: &str, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let (found, failed) = answers(world, join_all(world.sites.iter().map(|site| changes(site, name))).await);
    if found.iter().all(|one| one.answer.changes.is_empty()) && failed.is_empty() {
        let (known, _) = answers(world, join_all(world.sites.iter().map(all)).await);
        let alarms: Vec<&Arc<Alarm>> = known.iter().flat_map(|one| one.answer.rows.iter()).collect();
        if alarms.iter().all(|alarm| alarm.name != name) {
            return Err(no_alarm(name, alarms, global));
        }
    }
    for one in &found {
        if let Some(why) = &one.answer.incomplete {
            out.warning(&format!("{}: {why}; older ones are left out", one.environment));
        }
    }
    show_history(&found, &failed, name, world.connect.clock.now(), out)?;
    Ok(failed.end(!found.is_empty(), out))
}

async fn all(site: &Site) -> Result<Part<Alarm>, CliError> {
    let wanted = Wanted { looks: &[Look::Alarms], ..Wanted::default() };
    Ok(look(site, &wanted, |snapshot| snapshot.estate.alarms.error.as_ref()).await?.snapshot.estate.alarms)
}

/// Why not all of them came.
fn incomplete(alarms: &Part<Alarm>) -> impl Iterator<Item = &Text> {
    alarms.unknown.iter().map(|unknown| &unknown.words)
}

async fn changes(site: &Site, name: &str) -> Result<History, CliError> {
    let failed = |error| CliError::cloud(&error, &site.environment);
    site.read(|cloud| async move { cloud.alarms().history(name).await.map_err(failed) }).await
}

fn answers<T>(world: &World, answers: Vec<Result<T, CliError>>) -> (Vec<Found<'_, T>>, Failed<'_>) {
    let (found, failed) = sort_out(world, answers);
    let found = found.into_iter().map(|(site, answer)| Found { environment: &site.environment.name, answer });
    (found.collect(), failed)
}

fn no_alarm<'a>(wanted: &str, known: impl IntoIterator<Item = &'a Arc<Alarm>>, global: &Global) -> CliError {
    let known: Vec<&str> = known.into_iter().map(|alarm| alarm.name.as_str()).collect();
    let hint = match nearest(wanted, &known) {
        Some(near) => format!("did you mean {}?", Text::line(near)),
        None => format!("`{}` lists them", global.command("alarms")),
    };
    CliError::usage(&format!("there is no alarm {}", Text::line(wanted)), &hint)
}

fn show(found: &[Found<Part<Alarm>>], failed: &Failed<'_>, now: Timestamp, out: &mut Output) -> Result<(), CliError> {
    let mut rows: Vec<Row> = found
        .iter()
        .flat_map(|one| one.answer.rows.iter().map(|alarm| Row { environment: one.environment, alarm }))
        .collect();
    // Stable: environments keep the configuration's order among equals, and names theirs.
    rows.sort_by_key(|row| row.alarm.state);
    match out.format {
        Format::Human if rows.is_empty() && !found.is_empty() => out.note("no alarm fits"),
        Format::Human if rows.is_empty() => {}
        Format::Human => out.table(&table(&rows, now))?,
        Format::Json => {
            let incomplete = found
                .iter()
                .flat_map(|one| incomplete(&one.answer).map(|why| Incomplete { environment: one.environment, why }));
            let incomplete = incomplete.collect();
            out.document("opsctl/alarms/1", &Answer { alarms: rows, incomplete, unreachable: failed.unreachable() })?;
        }
        Format::Jsonl => {
            for row in &rows {
                out.json_line("opsctl/alarm/1", row)?;
            }
            failed.json_lines(out)?;
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
    failed: &Failed<'_>,
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
            let answer = HistoryAnswer { changes: rows, incomplete, unreachable: failed.unreachable() };
            out.document("opsctl/alarm-history/1", &answer)?;
        }
        Format::Jsonl => {
            for row in &rows {
                out.json_line("opsctl/alarm-change/1", row)?;
            }
            failed.json_lines(out)?;
        }
    }
    Ok(())
}

fn age(at: Timestamp, now: Timestamp) -> String {
    in_words(u64::try_from(now.duration_since(at).as_secs()).unwrap_or(0))
}
