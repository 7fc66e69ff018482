//! What a task's program does outside of ECS: it writes lines, and needs its database.

use super::{
    Outside, PlaceKey,
    model::{Definition, LogConfig, Outcome},
};
use crate::world::{
    logs::{Line, Logs},
    rds::Connected,
    strain::TableMode,
};

/// From the first line until a program without its database gives up, milliseconds.
const GIVES_UP_AFTER: i64 = 3_000;

/// Whether the log driver finds its group; it makes it where it shall.
pub(super) fn has_log_group(place: &PlaceKey, definition: &Definition, at: i64, outside: &mut Outside<'_>) -> bool {
    let Some(log) = &definition.log else { return true };
    if log.creates_group {
        outside.logs.create_group(at, &place.0, &place.1, &log.group);
    }
    outside.logs.has_group(&place.0, &place.1, &log.group)
}

/// A command that is understood begins: what it writes is written down, each line at its own time.
pub(super) fn say(
    place: &PlaceKey,
    task: &str,
    definition: &Definition,
    at: i64,
    lines: &[(i64, String)],
    logs: &mut Logs,
) {
    let lines = lines.iter().map(|(after, text)| Line { at: at + after, text: text.clone() });
    write(place, task, definition, lines.collect(), logs);
}

/// The program begins: its lines are written down, each at its own time. Answers when it ends by itself, and with which code.
pub(super) fn begin(
    place: &PlaceKey,
    task: &str,
    definition: &Definition,
    at: i64,
    outside: &mut Outside<'_>,
) -> Option<(i64, i32)> {
    let database = definition.database.as_deref();
    let connected = database.map(|name| (name, outside.rds.connect_by_name(at, &place.0, &place.1, name)));
    let (delay, trouble) = match connected {
        None | Some((_, Connected::Writer)) => (0, None),
        Some((_, Connected::Wakes(up))) => ((up.as_millisecond() - at).max(0), None),
        Some((name, Connected::Reader)) => {
            (0, Some(format!("ERROR: cannot execute in a read-only transaction ({name})")))
        }
        Some((name, Connected::Refused)) => (0, Some(format!("Error: connect ECONNREFUSED {name}:5432"))),
        Some((name, Connected::Unknown)) => (0, Some(format!("Error: getaddrinfo ENOTFOUND {name}"))),
    };
    let line = |after: i64, text: &str| Line { at: at + after, text: text.to_owned() };
    if let (Some(trouble), Outcome::Exits { .. }) = (&trouble, definition.program.outcome) {
        let first = definition.script.first().map(|(after, text)| line(*after, text));
        let lines = first.into_iter().chain([line(GIVES_UP_AFTER - 500, trouble)]);
        write(place, task, definition, lines.collect(), outside.logs);
        return Some((at + GIVES_UP_AFTER, 1));
    }
    let mut lines: Vec<Line> = definition
        .script
        .iter()
        .enumerate()
        .map(|(index, (after, text))| match index {
            0 => line(*after, text),
            _ => line(*after + delay, text),
        })
        .collect();
    if delay > 0 {
        lines.insert(lines.len().min(1), line(1_000.min(delay), "waiting for the database, which wakes"));
    }
    write(place, task, definition, lines, outside.logs);
    match definition.program.outcome {
        Outcome::Exits { after_seconds, code } => Some((at + delay + i64::from(after_seconds) * 1_000, code)),
        Outcome::Serves | Outcome::Unhealthy | Outcome::CannotPull | Outcome::CannotInitialize => None,
    }
}

/// The program has ended: what it would have written later is not written.
pub(super) fn end(place: &PlaceKey, task: &str, definition: &Definition, at: i64, outside: &mut Outside<'_>) {
    if let Some(log) = &definition.log {
        outside.logs.cut(&place.0, &place.1, &log.group, &stream(log, definition, task), at);
    }
}

/// Whether it is to alter a table, and is connected: then the database says when it goes on.
pub(super) fn waits_for_table(place: &PlaceKey, definition: &Definition, at: i64, outside: &mut Outside<'_>) -> bool {
    definition.table.as_ref().is_some_and(|(database, table)| {
        let mut connected = || outside.rds.connect_by_name(at, &place.0, &place.1, database);
        table.mode == TableMode::Alters && connected() == Connected::Writer
    })
}

fn write(place: &PlaceKey, task: &str, definition: &Definition, lines: Vec<Line>, logs: &mut Logs) {
    if let Some(log) = definition.log.as_ref().filter(|_| !lines.is_empty()) {
        logs.write(&place.0, &place.1, &log.group, &stream(log, definition, task), lines);
    }
}

/// `prefix/container/task-id` (ECS developer guide).
pub(super) fn stream(log: &LogConfig, definition: &Definition, task: &str) -> String {
    format!("{}/{}/{task}", log.prefix, definition.container)
}
