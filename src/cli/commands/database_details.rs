//! `opsctl databases --events`: each database by itself, with what waits to be applied and what happened to it.

use std::io;

use super::databases::{Line, in_short, in_units};
use crate::{
    cli::output::Output,
    databases::events_of,
    domain::{DatabaseEvent, Text},
    observe::SeenDatabase,
    operations::values::in_words,
};

pub(super) fn show(all: &[Line], out: &mut Output) -> io::Result<()> {
    for line in all {
        for text in lines(line) {
            out.line(Text::line(&text).as_str())?;
        }
    }
    Ok(())
}

fn lines(line: &Line) -> Vec<String> {
    let Line { environment, events, row, now } = line;
    let SeenDatabase { seen, .. } = row;
    let database = &seen.database;
    let mut lines = vec![
        format!("{environment}  {}  {}", database.name, database.status),
        format!("  {} ({} {})", database.words(), database.engine, database.version),
    ];
    for member in &database.members {
        let role = database.role_of(member);
        lines.push(format!("  {role}   {}", in_short(member, database)));
    }
    lines.extend(database.standby_zone.as_ref().map(|zone| format!("  standby  in {zone}")));
    lines.extend(in_units(&seen.capacity, database).map(|units| format!("  capacity {units}")));
    lines.extend(database.endpoint.as_ref().map(|endpoint| format!("  endpoint {endpoint}")));
    lines.extend(database.source.as_ref().map(|source| format!("  copies   {source}")));
    lines.extend(database.replicas.iter().map(|replica| format!("  replica  {replica}")));
    lines.extend(database.global.as_ref().map(|global| format!("  global   {global}")));
    lines.extend(seen.proxies.iter().map(|proxy| format!("  proxy    {}", proxy.words())));
    lines.extend(database.pending.iter().map(|pending| format!("  pending  {}", pending.words())));
    let events: Vec<&DatabaseEvent> = events_of(events, database).collect();
    if events.is_empty() {
        lines.push("  no events".to_owned());
    }
    lines.extend(events.into_iter().rev().map(|event| {
        let ago = u64::try_from(now.duration_since(event.at).as_secs()).unwrap_or(0);
        let categories: Vec<&str> = event.categories.iter().map(Text::as_str).collect();
        let when = format!("{} ({} ago)", event.at.strftime("%F %T"), in_words(ago));
        format!("  event    {when} {} [{}]: {}", Text::line(&event.source), categories.join(", "), event.message)
    }));
    lines
}
