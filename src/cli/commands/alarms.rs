//! `opsctl alarms`.

use std::io;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::look::look;
use crate::{
    cli::{
        args::{Global, ListAlarms},
        error::CliError,
        exit::Exit,
        failed::{Failed, sort_out},
        output::{Output, Table},
        world::{Site, World},
    },
    cloud::alarms::History,
    domain::{Alarm, AlarmChange, EnvironmentName, Text, environment::glob},
    observe::{Look, Part, Wanted},
    operations::values::in_words,
};

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
struct Incomplete<'a> {
    environment: &'a EnvironmentName,
    why: &'a Text,
}

type Found<'a, T> = (&'a Site, T);

pub(super) async fn run(args: &ListAlarms, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    match &args.history {
        Some(name) => history(&world, name, global, out).await,
        None => list(&world, args, global, out).await,
    }
}

async fn list(world: &World, args: &ListAlarms, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let (mut found, failed) = sort_out(world, join_all(world.sites.iter().map(all)).await);
    if let Some(name) = args.pattern.as_deref().filter(|pattern| !pattern.contains('*'))
        && !found.is_empty()
        && failed.is_empty()
    {
        check_name(name, &found, global)?;
    }
    let in_state =
        |alarm: &Alarm| args.states.is_empty() || args.states.iter().any(|state| state.state() == alarm.state);
    let fits = |alarm: &Alarm| args.pattern.as_ref().is_none_or(|pattern| glob(pattern, &alarm.name));
    for (site, alarms) in &mut found {
        alarms.retain(|alarm| fits(alarm) && in_state(alarm));
        for unknown in &alarms.unknown {
            let what = if unknown.look == Look::Alarms { "some alarms are missing: " } else { "" };
            out.warning(&format!("{}: {what}{}", site.environment.name, unknown.words));
        }
    }
    show(&found, &failed, world.connect.clock.now(), out)?;
    failed.end(out)
}

async fn history(world: &World, name: &str, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let (found, failed) = sort_out(world, join_all(world.sites.iter().map(|site| changes(site, name))).await);
    if found.iter().all(|(_, history)| history.changes.is_empty()) && failed.is_empty() {
        let (known, _) = sort_out(world, join_all(world.sites.iter().map(all)).await);
        check_name(name, &known, global)?;
    }
    for (site, history) in &found {
        if let Some(why) = &history.incomplete {
            out.warning(&format!("{}: {why}; older ones are left out", site.environment.name));
        }
    }
    show_history(&found, &failed, name, world.connect.clock.now(), out)?;
    failed.end(out)
}

fn check_name(name: &str, known: &[Found<Part<Alarm>>], global: &Global) -> Result<(), CliError> {
    let names: Vec<&str> = known.iter().flat_map(|(_, alarms)| alarms.rows.iter()).map(|alarm| &*alarm.name).collect();
    match names.contains(&name) {
        true => Ok(()),
        false => Err(CliError::unknown(("alarm", name), names, &global.command("alarms"))),
    }
}

async fn all(site: &Site) -> Result<Part<Alarm>, CliError> {
    let wanted = Wanted { looks: &[Look::Alarms, Look::Mutes], ..Wanted::default() };
    Ok(look(site, &wanted, |snapshot| snapshot.estate.alarms.error.as_ref()).await?.snapshot.estate.alarms)
}

fn incomplete<'a>(site: &'a Site, alarms: &'a Part<Alarm>) -> impl Iterator<Item = Incomplete<'a>> {
    let environment = &site.environment.name;
    alarms.unknown.iter().map(move |unknown| Incomplete { environment, why: &unknown.words })
}

async fn changes(site: &Site, name: &str) -> Result<History, CliError> {
    let failed = |error| CliError::cloud(&error, &site.environment);
    site.read(|cloud| async move { cloud.alarms.history(name).await.map_err(failed) }).await
}

fn show(found: &[Found<Part<Alarm>>], failed: &Failed<'_>, now: Timestamp, out: &mut Output) -> io::Result<()> {
    let mut rows: Vec<Row> = Vec::new();
    for (site, alarms) in found {
        let environment = &site.environment.name;
        rows.extend(alarms.rows.iter().map(|alarm| Row { environment, alarm }));
    }
    // Stable: environments keep the configuration's order among equals, and names theirs.
    rows.sort_by_key(|row| (row.alarm.rank(), row.alarm.state));
    let nothing = (!found.is_empty()).then_some("no alarm fits");
    let document = || {
        let incomplete: Vec<_> = found.iter().flat_map(|(site, alarms)| incomplete(site, alarms)).collect();
        let data = json!({ "alarms": rows, "incomplete": incomplete, "unreachable": failed.unreachable() });
        ("opsctl/alarms/1", data)
    };
    out.rows(("opsctl/alarm/1", nothing), &rows, || table(&rows, now), document)
}

fn table(rows: &[Row], now: Timestamp) -> Table {
    let mut table = Table::new(&["ENV", "STATE", "NAME", "#SINCE", "WATCHES", "ALARMS WHEN", "REASON"]);
    for Row { environment, alarm } in rows {
        let muted = match (alarm.is_muted(), alarm.muted_until()) {
            (false, _) => String::new(),
            (true, Some(until)) => format!(", muted until {}", until.strftime("%F %H:%M UTC")),
            (true, None) => ", muted".to_owned(),
        };
        table.row([
            environment.0.clone(),
            format!("{}{muted}", alarm.state_words()),
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
) -> io::Result<()> {
    let mut rows: Vec<ChangeRow> = Vec::new();
    for (site, history) in found {
        let environment = &site.environment.name;
        rows.extend(history.changes.iter().map(|change| ChangeRow { environment, alarm: name, change }));
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.change.at));
    let table = || {
        let mut table = Table::new(&["ENV", "TIME", "#AGO", "WHAT", "SUMMARY"]);
        for ChangeRow { environment, change, .. } in &rows {
            let (ago, at) = (age(change.at, now), change.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
            table.row([environment.0.clone(), at, ago, change.kind.to_string(), change.summary.to_string()]);
        }
        table
    };
    let document = || {
        let incomplete = found.iter().filter_map(|(site, history)| {
            Some(Incomplete { environment: &site.environment.name, why: history.incomplete.as_ref()? })
        });
        let incomplete: Vec<_> = incomplete.collect();
        let data = json!({ "changes": rows, "incomplete": incomplete, "unreachable": failed.unreachable() });
        ("opsctl/alarm-history/1", data)
    };
    let nothing = (!found.is_empty()).then_some("nothing happened to it");
    out.rows(("opsctl/alarm-change/1", nothing), &rows, table, document)
}

fn age(at: Timestamp, now: Timestamp) -> String {
    in_words(u64::try_from(now.duration_since(at).as_secs()).unwrap_or(0))
}
