//! Databases: columns of their list, and what stands in them.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::{
    columns::{Line, Listed, Shape, ago, begin, bytes, listed, number},
    rows::Order,
};
use crate::{
    databases::Capacity,
    domain::{
        Text,
        database::{Database, Topology},
        gauge::Gauge,
    },
    fit::Align::{Left, Right},
    observe::{DatabaseGauges, SeenDatabase},
    table::Cell,
    theme::{Look, Role},
};

/// CPU that is worth a look, percent; connections, free bytes, seconds of lag (alarms of systems 4 and 5).
const MUCH_CPU: f64 = 80.0;
const FEW_BYTES: f64 = 2e9;
const MUCH_LAG: f64 = 1_000.0;

const STATE: usize = 3;
const TOPOLOGY: usize = 4;
const WRITER: usize = 5;
const READERS: usize = 6;
const CAPACITY: usize = 7;
const CPU: usize = 8;
const CPU_ROAD: usize = 9;
const CONNECTIONS: usize = 10;
const LAG: usize = 11;
const FREE: usize = 12;
const ENGINE: usize = 13;
const EVENT: usize = 14;

pub(super) fn columns() -> Vec<Listed> {
    let mut all = begin("DATABASE");
    all.extend([
        listed(STATE, "STATE", Shape(13, 16, Left, 17), "state", ["worst state first", "best state first"]),
        listed(TOPOLOGY, "TOPOLOGY", Shape(8, 10, Left, 10), "topology", ["by topology", "by topology, last first"]),
        listed(WRITER, "WRITER (ZONE)", Shape(14, 34, Left, 15), "writer", ["by writer", "by writer, last first"]),
        listed(READERS, "READERS", Shape(7, 7, Right, 14), "readers", ["fewest readers first", "most readers first"]),
        listed(
            CAPACITY,
            "CAPACITY",
            Shape(12, 18, Left, 9),
            "capacity in use",
            ["most capacity first", "least capacity first"],
        ),
        listed(CPU, "CPU", Shape(5, 5, Right, 13), "CPU of the writer", ["most CPU first", "least CPU first"]),
        listed(
            CPU_ROAD,
            " LAST HOUR",
            Shape(16, 16, Left, 4),
            "CPU over the last hour",
            ["fastest rising CPU first", "fastest falling CPU first"],
        ),
        listed(
            CONNECTIONS,
            "CONNS",
            Shape(6, 6, Right, 11),
            "connections to the writer",
            ["most connections first", "fewest connections first"],
        ),
        listed(LAG, "LAG", Shape(7, 8, Right, 12), "lag of the slowest reader", ["most lag first", "least lag first"]),
        listed(
            FREE,
            "FREE",
            Shape(7, 8, Right, 8),
            "free storage",
            ["least free storage first", "most free storage first"],
        ),
        listed(ENGINE, "+ENGINE", Shape(16, 28, Left, 3), "engine", ["by engine", "by engine, last first"]),
        listed(
            EVENT,
            "LAST EVENT",
            Shape(20, 120, Left, 7),
            "last event",
            ["latest event first", "oldest event first"],
        ),
    ]);
    all
}

/// Metrics of who writes.
pub(super) fn writers(seen: &SeenDatabase) -> Option<&DatabaseGauges> {
    seen.gauges.get(&seen.seen.database.writer()?.name)
}

/// The most that a reader lies behind; below zero: one whose replication does not run, which is worse than any lag.
pub(super) fn lag(seen: &SeenDatabase) -> Option<&Gauge> {
    let lags = seen.seen.database.readers().filter_map(|reader| seen.gauges.get(&reader.name)?.lag.as_ref());
    lags.max_by(|left, right| {
        (left.value < 0.0, left.value).partial_cmp(&(right.value < 0.0, right.value)).unwrap_or(Ordering::Equal)
    })
}

pub(super) fn order(seen: &SeenDatabase, column: usize) -> Option<Order> {
    let database = &seen.seen.database;
    let writer = writers(seen);
    let most = |gauge: Option<&Gauge>| gauge.map(|gauge| Order::most(gauge.value));
    match column {
        STATE => Some(Order::Number(i64::from(database.rank()))),
        TOPOLOGY => Some(Order::text(topology(database))),
        WRITER => database.writer().map(|writer| Order::text(&writer.name)),
        READERS => Some(Order::Number(database.readers().count() as i64)),
        CAPACITY => match seen.seen.capacity {
            Capacity::None | Capacity::Unknown => None,
            Capacity::Paused { .. } => Some(Order::most(0.0)),
            Capacity::Units { units, .. } => Some(Order::most(units)),
        },
        CPU => most(writer?.cpu.as_ref()),
        CPU_ROAD => {
            let gauge = writer?.cpu.as_ref()?;
            Some(Order::most(gauge.value - gauge.recent.first()?.1))
        }
        CONNECTIONS => most(writer?.connections.as_ref()),
        LAG => lag(seen).map(|gauge| Order::most(if gauge.value < 0.0 { f64::MAX } else { gauge.value })),
        FREE => writer?.free_storage.as_ref().map(|gauge| Order::most(-gauge.value)),
        ENGINE => Some(Order::text(database.engine.as_str())),
        _ => seen.seen.last_event.as_ref().map(|event| Order::Number(event.at.as_second().saturating_neg())),
    }
}

pub(super) fn cell<'a>(line: &Line<'a>, seen: &SeenDatabase, column: usize) -> Cell<'a> {
    let database = &seen.seen.database;
    let writer = writers(seen);
    match column {
        STATE => {
            let (sign, words, role) = state(seen, line.look);
            Cell::new(format!("{sign} {words}"), line.role(role))
        }
        TOPOLOGY => line.text(topology(database)),
        WRITER => match database.writer() {
            Some(writer) => line.text(match &writer.zone {
                Some(zone) => format!("{} ({})", Text::line(&writer.name), short_zone(zone)),
                None => Text::line(&writer.name).to_string(),
            }),
            None if database.is_secondary() => line.dim("in another region"),
            None if database.may_be_secondary() => line.unknown(),
            None => Cell::new("nobody", line.role(Role::Critical)),
        },
        READERS => readers(line, database),
        CAPACITY => capacity_cell(line, seen),
        CPU => line.percent(writer.and_then(|gauges| gauges.cpu.as_ref()), MUCH_CPU),
        CPU_ROAD => line.road(writer.and_then(|gauges| gauges.cpu.as_ref()), Some(100.0)),
        CONNECTIONS => match writer.and_then(|gauges| gauges.connections.as_ref()) {
            Some(gauge) => line.sample(gauge, number(gauge.value.round()), Role::Text),
            None => line.dim("-"),
        },
        LAG => match lag(seen) {
            Some(gauge) if gauge.value < 0.0 || gauge.value >= MUCH_LAG => {
                line.sample(gauge, milliseconds(gauge.value), Role::Warning)
            }
            Some(gauge) => line.sample(gauge, milliseconds(gauge.value), Role::Text),
            None => line.dim("-"),
        },
        FREE => match writer.and_then(|gauges| gauges.free_storage.as_ref()) {
            Some(gauge) if gauge.value < FEW_BYTES => line.sample(gauge, bytes(gauge.value), Role::Warning),
            Some(gauge) => line.sample(gauge, bytes(gauge.value), Role::Text),
            None => line.dim("-"),
        },
        ENGINE => line.text(format!("{} {}", database.engine, database.version)),
        _ => match &seen.seen.last_event {
            Some(event) => {
                line.text(format!("{} ago: {}", ago(event.at, line.now), Text::line(event.message.as_str())))
            }
            None => line.dim("-"),
        },
    }
}

fn readers<'a>(line: &Line<'a>, database: &Database) -> Cell<'a> {
    match (database.topology, database.readers().count()) {
        (Topology::MultiAzInstance, _) => line.text("standby"),
        (Topology::Single, _) => line.dim("none"),
        (Topology::Aurora | Topology::MultiAzCluster, 0) => Cell::new("none", line.role(Role::Warning)),
        (Topology::Aurora | Topology::MultiAzCluster, readers) => line.text(readers.to_string()),
    }
}

fn capacity_cell<'a>(line: &Line<'a>, seen: &SeenDatabase) -> Cell<'a> {
    match (capacity(seen), seen.seen.capacity) {
        (None, _) => line.dim("-"),
        (Some(words), Capacity::Unknown) => line.dim(words),
        (Some(words), Capacity::Paused { .. }) => Cell::new(words, line.role(Role::Accent)),
        (Some(words), Capacity::None | Capacity::Units { .. }) => line.text(words),
    }
}

/// Capacity in use of what it may be: `2.5 of 0.5-4 ACU`; none where it has no such thing.
pub(super) fn capacity(seen: &SeenDatabase) -> Option<String> {
    let limits = seen.seen.database.limits?;
    let range = format!("of {}-{} ACU", number(limits.minimum), number(limits.maximum));
    Some(match seen.seen.capacity {
        Capacity::None => return None,
        Capacity::Unknown => format!("? {range}"),
        Capacity::Paused { .. } => format!("paused, {range}"),
        Capacity::Units { units, .. } => format!("{} {range}", number(units)),
    })
}

/// When the figure of its capacity is of.
pub(super) fn capacity_at(seen: &SeenDatabase) -> Option<Timestamp> {
    match seen.seen.capacity {
        Capacity::None | Capacity::Unknown => None,
        Capacity::Paused { at } | Capacity::Units { at, .. } => Some(at),
    }
}

/// Sign, AWS's word, meaning. That it has paused is a fact of its own: AWS says `available` then.
pub(super) fn state(seen: &SeenDatabase, look: Look) -> (&'static str, String, Role) {
    let database = &seen.seen.database;
    let well = |member: &crate::domain::database::Member| {
        member.status.as_ref().filter(|status| status.as_str() != "available").map(ToString::to_string)
    };
    let words = match (database.status.as_str(), database.members.iter().find_map(well)) {
        ("available", Some(member)) => member,
        (status, _) => status.to_owned(),
    };
    let is_paused = matches!(seen.seen.capacity, Capacity::Paused { .. });
    match database.rank() {
        0 => (look.sign("✖", "!"), "no writer".to_owned(), Role::Critical),
        1 => (look.sign("✖", "!"), words, Role::Critical),
        2 => (look.sign("▲", "*"), words, Role::Warning),
        _ if is_paused => (look.sign("○", "o"), "paused".to_owned(), Role::Dim),
        3 => (look.sign("•", "-"), words, Role::Text),
        _ => (look.sign("●", "+"), words, Role::Good),
    }
}

/// In a word.
fn topology(database: &Database) -> &'static str {
    match database.topology {
        Topology::Aurora => "Aurora",
        Topology::MultiAzCluster => "DB cluster",
        Topology::MultiAzInstance => "Multi-AZ",
        Topology::Single => "single",
    }
}

/// `1a` of `af-south-1a`: the region is the environment's.
fn short_zone(zone: &Text) -> String {
    zone.as_str().rsplit('-').next().unwrap_or_default().to_owned()
}

/// `12 ms`, `1.5 s`; `stopped` where replication does not run, which RDS tells as a lag below zero.
pub(super) fn milliseconds(value: f64) -> String {
    match value {
        ..0.0 => "stopped".to_owned(),
        0.0..1_000.0 => format!("{value:.0} ms"),
        _ => format!("{:.1} s", value / 1e3),
    }
}
