//! A database in full.

use super::{LABEL, LINES_MAX, ago, gauge, in_bytes, in_percent, sampled, whole};
use crate::{
    databases::Capacity,
    domain::{
        Text,
        database::{Member, SourceKind},
    },
    estate::databases::{capacity, capacity_at, lag, milliseconds, state, writers},
    model::{Model, Site},
    observe::{DatabaseGauges, SeenDatabase},
    operations::values::in_words,
    page::Page,
    theme::Role,
};

pub(super) fn in_short(model: &Model, seen: &SeenDatabase) -> Vec<String> {
    let database = &seen.seen.database;
    let mut parts = vec![database.words()];
    let at = capacity_at(seen).map(|at| format!(" at {}", at.strftime("%H:%M"))).unwrap_or_default();
    parts.extend(capacity(seen).map(|capacity| format!("capacity {capacity}{at}")));
    parts.extend(sampled("CPU", writers(seen).and_then(|gauges| gauges.cpu.as_ref()), in_percent, model));
    parts.extend(sampled("lag", lag(seen), milliseconds, model));
    parts.extend(database.pending.iter().map(|pending| format!("pending: {}", pending.action)));
    if let Some(event) = &seen.seen.last_event {
        parts.push(format!("{} ago: {}", ago(event.at, model.now), event.message));
    }
    parts.into_iter().map(|part| Text::line(&part).to_string()).collect()
}

pub(super) fn page(page: &mut Page, model: &Model, site: &Site, seen: &SeenDatabase) {
    let database = &seen.seen.database;
    let (sign, words, role) = state(seen, model.look);
    page.pair("state", LABEL, Text::line(&format!("{sign} {words}")).as_str(), role);
    if words != database.status.as_str() {
        page.pair("AWS says", LABEL, Text::line(database.status.as_str()).as_str(), Role::Text);
    }
    page.pair("topology", LABEL, &database.words(), Role::Text);
    page.pair("engine", LABEL, Text::line(&format!("{} {}", database.engine, database.version)).as_str(), Role::Text);
    capacity_line(page, model, seen);
    if let Some(zone) = &database.standby_zone {
        page.pair("standby", LABEL, Text::line(&format!("in {zone}")).as_str(), Role::Text);
    }
    if let Some(global) = &database.global {
        page.pair("global cluster", LABEL, Text::line(global.as_str()).as_str(), Role::Text);
    }
    let rto = site.environment.databases.rto_seconds(&database.name);
    page.pair(
        "RTO",
        LABEL,
        &rto.map_or("none configured".to_owned(), in_words),
        if rto.is_some() { Role::Text } else { Role::Dim },
    );
    page.blank();
    page.heading(if database.topology.kind() == SourceKind::Cluster { "Members" } else { "Instance" });
    for member in database.members.iter().take(LINES_MAX) {
        of_member(page, model, member, seen.gauges.get(&member.name), database.topology.kind());
    }
    if database.members.is_empty() {
        page.text("RDS names none.", Role::Warning);
    }
    if !database.pending.is_empty() {
        page.blank();
        page.heading("Pending maintenance");
        for pending in database.pending.iter().take(LINES_MAX) {
            page.pair(
                Text::line(pending.action.as_str()).as_str(),
                LABEL,
                Text::line(pending.description.as_str()).as_str(),
                Role::Warning,
            );
        }
    }
    page.blank();
    page.heading("Last event, within a day");
    match &seen.seen.last_event {
        Some(event) => {
            let words = format!("{} {}: {}", event.kind, event.source, event.message);
            page.pair(&event.at.strftime("%m-%d %H:%M:%S").to_string(), LABEL, Text::line(&words).as_str(), Role::Text);
        }
        None => page.text("RDS tells of none.", Role::Dim),
    }
}

fn capacity_line(page: &mut Page, model: &Model, seen: &SeenDatabase) {
    let Some(words) = capacity(seen) else { return };
    let at = capacity_at(seen).map(|at| format!(", by the sample of {} ago", ago(at, model.now))).unwrap_or_default();
    let (more, role) = match seen.seen.capacity {
        Capacity::Unknown => (": CloudWatch has no sample, which is not the same as zero", Role::Dim),
        Capacity::Paused { .. } => (": the next connection wakes it, in 15 to 30 s or more", Role::Accent),
        Capacity::None | Capacity::Units { .. } => ("", Role::Text),
    };
    page.pair("capacity", LABEL, &format!("{words}{at}{more}"), role);
}

fn of_member(page: &mut Page, model: &Model, member: &Member, gauges: Option<&DatabaseGauges>, kind: SourceKind) {
    let text = |text: &Option<Text>| text.as_ref().map_or("?", Text::as_str).to_owned();
    let role = match kind {
        SourceKind::Instance => "instance",
        SourceKind::Cluster if member.is_writer => "writer",
        SourceKind::Cluster => "reader",
    };
    let tier =
        member.tier.filter(|_| kind == SourceKind::Cluster).map(|tier| format!(", tier {tier}")).unwrap_or_default();
    let words =
        format!("{}: {}, {}, {}{tier}", member.name, text(&member.class), text(&member.zone), text(&member.status));
    let shown = if member.is_available() { Role::Strong } else { Role::Warning };
    page.pair(role, LABEL, Text::line(&words).as_str(), shown);
    let Some(gauges) = gauges else {
        return page.pair("", LABEL, "no metrics: CloudWatch has no recent sample", Role::Dim);
    };
    let DatabaseGauges { cpu, connections, free_storage, lag, read_latency, write_latency } = gauges;
    gauge(page, model, "  CPU", cpu.as_ref(), in_percent, Some(100.0));
    gauge(page, model, "  connections", connections.as_ref(), whole, None);
    for (label, one, words) in [
        ("  behind by", lag, milliseconds as fn(f64) -> String),
        ("  free storage", free_storage, in_bytes),
        ("  reads take", read_latency, latency),
        ("  writes take", write_latency, latency),
    ] {
        if one.is_some() {
            gauge(page, model, label, one.as_ref(), words, None);
        }
    }
}

fn latency(seconds: f64) -> String {
    milliseconds(seconds * 1e3)
}
