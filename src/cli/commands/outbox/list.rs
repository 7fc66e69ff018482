//! `opsctl outbox list`.

use std::io;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::{
    cli::{
        args::{Global, ListOutboxes},
        commands::look::look_at,
        error::CliError,
        exit::Exit,
        failed::Failed,
        output::{Output, Table},
        world::{Site, World},
    },
    domain::{
        Backlog, EnvironmentName, Outbox, RowState, SeenOutbox, Trouble,
        environment::glob,
        words::{bytes, span, thousands},
    },
    observe::{
        Look, Once, Wanted,
        parts::outboxes::{Relaying, relay},
    },
};

#[derive(Serialize)]
struct Row<'a> {
    environment: &'a EnvironmentName,
    #[serde(flatten)]
    outbox: &'a SeenOutbox,
    /// Rows that still have to be published.
    pending: Option<crate::domain::RowCount>,
    lag_seconds: Option<i64>,
    published_per_minute: Option<f64>,
    relay: &'static str,
    relay_words: String,
    /// The command line that wakes the relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    wake: Option<String>,
    #[serde(skip)]
    relaying: Relaying,
}

pub(super) async fn run(args: &ListOutboxes, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let wanted = Wanted { looks: &[Look::Outboxes, Look::Services], ..Wanted::default() };
    let (found, failed) = look_at(&world, &wanted, |snapshot| snapshot.estate.outboxes.error.as_ref()).await;
    let now = world.connect.clock.now();
    let mut rows: Vec<Row> = found.iter().flat_map(|(site, seen)| of_site(site, seen, now)).collect();
    rows.retain(|row| args.pattern.as_ref().is_none_or(|pattern| glob(pattern, &row.outbox.name)));
    let unseen =
        rows.iter().filter(|row| row.outbox.trouble.as_ref().is_some_and(|trouble| *trouble != Trouble::Paused));
    let unseen = unseen.count();
    for row in &rows {
        let trouble = row.outbox.trouble.iter();
        trouble
            .for_each(|trouble| out.warning(&format!("{}: {}: {}", row.environment, row.outbox.name, trouble.words())));
    }
    show(&rows, &failed, !found.is_empty(), now, out)?;
    for row in &rows {
        if let Some(command) = &row.wake {
            out.note(&format!("{}: {}: `{command}` wakes the relay", row.environment, row.outbox.name));
        }
    }
    let ended = failed.end(out)?;
    // Where a table could not be read, not all of it was shown.
    Ok(if ended == Exit::Done && unseen > 0 { Exit::Partly } else { ended })
}

fn of_site<'a>(site: &'a Site, seen: &'a Once, now: Timestamp) -> Vec<Row<'a>> {
    let estate = &seen.snapshot.estate;
    let row = |outbox: &'a SeenOutbox| {
        let configured: Option<&Outbox> = site.environment.databases.outbox(&outbox.name);
        let relaying = match configured {
            Some(configured) => relay(configured, outbox, &estate.services),
            None => Relaying::Unknown("it is not configured".to_owned()),
        };
        let backlog = outbox.backlog.as_ref();
        Row {
            environment: &site.environment.name,
            outbox,
            pending: backlog.map(Backlog::pending),
            lag_seconds: backlog.and_then(|backlog| backlog.lag(now)).map(|lag| lag.as_secs()),
            published_per_minute: backlog.and_then(Backlog::rate),
            relay: relaying.state(),
            relay_words: relaying.words().to_owned(),
            wake: relaying.wakes(&site.environment),
            relaying,
        }
    };
    estate.outboxes.rows.iter().map(|outbox| row(outbox)).collect()
}

fn show(rows: &[Row], failed: &Failed<'_>, is_known: bool, now: Timestamp, out: &mut Output) -> io::Result<()> {
    let nothing = is_known.then_some("no outbox is configured; `opsctl outbox detect` proposes some");
    let document = || {
        let data = json!({ "outboxes": rows, "unreachable": failed.unreachable() });
        ("opsctl/outboxes/1", data)
    };
    out.rows(("opsctl/outbox/1", nothing), rows, || table(rows, now), document)
}

fn table(rows: &[Row], now: Timestamp) -> Table {
    let mut table =
        Table::new(&["ENV", "OUTBOX", "#READY", "#LAG", "#FAILED", "#STUCK", "#PENDING", "#PER MIN", "RELAY", "TABLE"]);
    for row in rows {
        let backlog = row.outbox.backlog.as_ref();
        let none = || if backlog.is_some() { "-" } else { "?" }.to_owned();
        let count = |state| backlog.and_then(|backlog| backlog.count(state)).map_or_else(none, |count| count.words());
        let lag = backlog.and_then(|backlog| backlog.lag(now));
        // What a relay that reads the log has not read yet.
        let behind = backlog.and_then(|backlog| backlog.slot.as_ref()).and_then(|slot| slot.bytes);
        let behind = behind.map(|behind| bytes(behind as f64));
        let sign = if row.relaying.is_asleep() { "ASLEEP: " } else { "" };
        table.row([
            row.environment.0.clone(),
            row.outbox.name.clone(),
            count(RowState::Ready),
            lag.map(span).or(behind).unwrap_or_else(none),
            count(RowState::Failed),
            count(RowState::Stuck),
            row.pending.map_or_else(none, |pending| pending.words()),
            row.published_per_minute.map_or_else(none, |rate| thousands(rate.round() as u64)),
            format!("{sign}{}", row.relaying.words()),
            row.outbox.what.to_string(),
        ]);
    }
    table
}
