//! Databases: columns of their list, what is said of one, what fails it over.

use std::cmp::Ordering;

use jiff::Timestamp;

use crate::{
    databases::Capacity,
    domain::{Database, Gauge, Member, SourceKind, Text, Topology, invocation::quoted},
    keymap::{Command, Scope},
    observe::{DatabaseGauges, Estate, PartName, SeenDatabase, Snapshot, Subject},
    operations::{Failover, Operation, OperationKind, values::in_words},
    screens::{
        list::{
            column::{Column, Line, Order, environment, falling, name, rising, shape, wide, worst},
            gaps,
            listed::{Head, List, one, scan},
            thing::{LABEL, LINES_MAX, Meant, PartState, Thing, changes, gauge, line_of, sampled, shown, whole},
        },
        screen::{Able, Tab},
    },
    state::{Look, Model, Page, Role, Site},
    widgets::{
        Cell,
        fit::Align::{Left, Right},
        words::{ago, bytes, milliseconds, number, percent},
    },
};

pub(super) static LIST: List<SeenDatabase> = List {
    head: Head {
        scope: Scope::Databases,
        tab: Tab { command: Command::Databases, title: "Databases", short: "DBs" },
        nouns: ["database", "databases"],
        wanted: &[
            Command::Open,
            Command::Operate(OperationKind::Failover),
            Command::Filter,
            Command::Sort,
            Command::Group,
            Command::Wide,
        ],
        sheet_ways: WAYS,
        tallies: [("not available", Role::Warning), ("paused", Role::Text)],
        parts: &[PartName::Databases],
        known: |estate| vec![PartState::of("databases", &estate.databases)],
        is_about: |subject| matches!(subject, Subject::Database(_)),
        manner: gaps::USUAL,
    },
    columns: &COLUMNS,
    count: |snapshot| snapshot.estate.databases.rows.len(),
    at: |snapshot, row| snapshot.estate.databases.rows.get(row).map(AsRef::as_ref),
    thing: |seen| seen,
    find: |snapshot, name| scan(rows(snapshot), name),
    meant: one,
};

const WAYS: &[(Command, &str)] = &[(Command::Operate(OperationKind::Failover), "failover")];

static COLUMNS: [Column<SeenDatabase>; 15] = [
    worst(),
    environment(),
    name("DATABASE", 14),
    Column {
        title: rising("state", ["worst state first", "best state first"]),
        shape: shape("STATE", 13, 16, Left, 17),
        order: |_, seen| Some(Order::Number(i64::from(seen.seen.database.rank()))),
        cell: |line, seen| {
            let (sign, words, role) = state(seen, line.look);
            line.told(format!("{sign} {words}"), role)
        },
    },
    Column {
        title: rising("topology", ["by topology", "by topology, last first"]),
        shape: shape("TOPOLOGY", 8, 10, Left, 10),
        order: |_, seen| Some(Order::text(topology(&seen.seen.database))),
        cell: |line, seen| line.text(topology(&seen.seen.database)),
    },
    Column {
        title: rising("writer", ["by writer", "by writer, last first"]),
        shape: shape("WRITER (ZONE)", 14, 34, Left, 15),
        order: |_, seen| seen.seen.database.writer().map(|writer| Order::text(&writer.name)),
        cell: writer,
    },
    Column {
        title: rising("readers", ["fewest readers first", "most readers first"]),
        shape: shape("READERS", 7, 7, Right, 14),
        order: |_, seen| Some(Order::Number(seen.seen.database.readers().count() as i64)),
        cell: readers,
    },
    Column {
        title: falling("capacity in use", ["most capacity first", "least capacity first"]),
        shape: shape("CAPACITY", 12, 18, Left, 9),
        order: |_, seen| match seen.seen.capacity {
            Capacity::None | Capacity::Unknown => None,
            Capacity::Paused { .. } => Some(Order::most(0.0)),
            Capacity::Units { units, .. } => Some(Order::most(units)),
        },
        cell: |line, seen| match (capacity(seen), seen.seen.capacity) {
            (None, _) => line.dim("-"),
            (Some(words), Capacity::Unknown) => line.dim(words),
            (Some(words), Capacity::Paused { .. }) => line.told(words, Role::Accent),
            (Some(words), Capacity::None | Capacity::Units { .. }) => line.text(words),
        },
    },
    Column {
        title: falling("CPU of the writer", ["most CPU first", "least CPU first"]),
        shape: shape("CPU", 5, 5, Right, 13),
        order: |_, seen| most(cpu(seen)),
        cell: |line, seen| line.percent(cpu(seen), line.thresholds().database_cpu_percent),
    },
    Column {
        title: falling("CPU over the last hour", ["fastest rising CPU first", "fastest falling CPU first"]),
        shape: shape(" LAST HOUR", 16, 16, Left, 4),
        order: |_, seen| Order::rise(cpu(seen)),
        cell: |line, seen| line.road(cpu(seen), Some(100.0)),
    },
    Column {
        title: falling("connections to the writer", ["most connections first", "fewest connections first"]),
        shape: shape("CONNS", 6, 6, Right, 11),
        order: |_, seen| most(writers(seen)?.connections.as_ref()),
        cell: |line, seen| {
            let many = line.thresholds().database_connections as f64;
            line.figure(writers(seen).and_then(|gauges| gauges.connections.as_ref()), whole, |value| value > many)
        },
    },
    Column {
        title: falling("lag of the slowest reader", ["most lag first", "least lag first"]),
        shape: shape("LAG", 7, 8, Right, 12),
        order: |_, seen| lag(seen).map(|gauge| Order::most(if gauge.value < 0.0 { f64::MAX } else { gauge.value })),
        cell: |line, seen| {
            let far = line.thresholds().replica_lag.as_secs_f64() * 1e3;
            line.figure(lag(seen), milliseconds, |value| value < 0.0 || value > far)
        },
    },
    Column {
        title: rising("free storage", ["least free storage first", "most free storage first"]),
        shape: shape("FREE", 7, 8, Right, 8),
        order: |_, seen| writers(seen)?.free_storage.as_ref().map(|gauge| Order::most(-gauge.value)),
        cell: |line, seen| {
            let little = line.thresholds().free_storage_bytes();
            line.figure(writers(seen).and_then(|gauges| gauges.free_storage.as_ref()), bytes, |value| value < little)
        },
    },
    Column {
        title: wide(rising("engine", ["by engine", "by engine, last first"])),
        shape: shape("ENGINE", 16, 28, Left, 3),
        order: |_, seen| Some(Order::text(seen.seen.database.engine.as_str())),
        cell: |line, seen| line.text(format!("{} {}", seen.seen.database.engine, seen.seen.database.version)),
    },
    Column {
        title: falling("last event", ["latest event first", "oldest event first"]),
        shape: shape("LAST EVENT", 20, 120, Left, 7),
        order: |_, seen| seen.seen.last_event.as_ref().map(|event| Order::latest(event.at)),
        cell: |line, seen| line.event(seen.seen.last_event.as_ref().map(|event| (event.at, &event.message))),
    },
];

fn rows(snapshot: &Snapshot) -> impl Iterator<Item = &SeenDatabase> {
    snapshot.estate.databases.rows.iter().map(AsRef::as_ref)
}

fn most(gauge: Option<&Gauge>) -> Option<Order> {
    gauge.map(|gauge| Order::most(gauge.value))
}

fn writers(seen: &SeenDatabase) -> Option<&DatabaseGauges> {
    seen.gauges.get(&seen.seen.database.primary()?.name)
}

fn cpu(seen: &SeenDatabase) -> Option<&Gauge> {
    writers(seen)?.cpu.as_ref()
}

/// The most that a reader lies behind; below zero: one whose replication does not run, which is worse than any lag.
fn lag(seen: &SeenDatabase) -> Option<&Gauge> {
    let lags = seen.seen.database.readers().filter_map(|reader| seen.gauges.get(&reader.name)?.lag.as_ref());
    lags.max_by(|left, right| {
        (left.value < 0.0, left.value).partial_cmp(&(right.value < 0.0, right.value)).unwrap_or(Ordering::Equal)
    })
}

fn writer<'a>(line: &Line<'a>, seen: &'a SeenDatabase) -> Cell<'a> {
    let database = &seen.seen.database;
    match database.writer() {
        Some(writer) => line.text(match &writer.zone {
            Some(zone) => format!("{} ({})", shown(&writer.name), short_zone(zone)),
            None => shown(&writer.name),
        }),
        None if database.is_secondary() => line.dim("in another region"),
        None if let Some(source) = &database.source => line.dim(shown(&format!("replica of {}", source.name))),
        None if database.may_be_secondary() => line.unknown(),
        None => line.told("nobody", Role::Critical),
    }
}

fn readers<'a>(line: &Line<'a>, seen: &'a SeenDatabase) -> Cell<'a> {
    let database = &seen.seen.database;
    match (database.topology, database.readers().count()) {
        (Topology::MultiAzInstance, _) => line.text("standby"),
        (Topology::Single, _) => line.dim("none"),
        (Topology::Aurora | Topology::MultiAzCluster, 0) => line.told("none", Role::Warning),
        (Topology::Aurora | Topology::MultiAzCluster, readers) => line.text(readers.to_string()),
    }
}

/// Capacity in use of what it may be: `2.5 of 0.5-4 ACU`; none where it has no such thing.
fn capacity(seen: &SeenDatabase) -> Option<String> {
    let limits = seen.seen.database.limits?;
    let range = format!("of {}-{} ACU", number(limits.minimum), number(limits.maximum));
    Some(match seen.seen.capacity {
        Capacity::None => return None,
        Capacity::Unknown => format!("? {range}"),
        Capacity::Paused { .. } => format!("paused, {range}"),
        Capacity::Units { units, .. } => format!("{} {range}", number(units)),
    })
}

fn capacity_at(seen: &SeenDatabase) -> Option<Timestamp> {
    match seen.seen.capacity {
        Capacity::None | Capacity::Unknown => None,
        Capacity::Paused { at } | Capacity::Units { at, .. } => Some(at),
    }
}

/// Sign, AWS's word, meaning. That it has paused is a fact of its own: AWS says `available` then.
fn state(seen: &SeenDatabase, look: Look) -> (&'static str, String, Role) {
    let database = &seen.seen.database;
    let unwell = |member: &Member| {
        member.status.as_ref().filter(|status| status.as_str() != "available").map(ToString::to_string)
    };
    let words = match (database.status.as_str(), database.members.iter().find_map(unwell)) {
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

fn topology(database: &Database) -> &'static str {
    match database.topology {
        _ if database.source.is_some() => "replica",
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

impl Thing for SeenDatabase {
    fn id(&self) -> String {
        self.seen.database.name.clone()
    }

    fn is(&self, id: &str) -> bool {
        self.seen.database.name == id
    }

    fn name(&self) -> &str {
        &self.seen.database.name
    }

    fn searched(&self) -> [String; 2] {
        [self.seen.database.status.to_string(), self.seen.database.topology.words().to_owned()]
    }

    fn rank(&self) -> i64 {
        i64::from(self.seen.database.rank())
    }

    fn tallies(&self) -> [u64; 2] {
        let is_paused = matches!(self.seen.capacity, Capacity::Paused { .. });
        [u64::from(self.seen.database.rank() < 3), u64::from(is_paused)]
    }

    fn part<'a>(&self, estate: &'a Estate) -> Option<PartState<'a>> {
        Some(PartState::of("databases", &estate.databases))
    }

    fn in_short(&self, model: &Model, _: &Site) -> Vec<String> {
        let database = &self.seen.database;
        let mut parts = vec![database.words()];
        let at = capacity_at(self).map(|at| format!(" at {}", at.strftime("%H:%M"))).unwrap_or_default();
        parts.extend(capacity(self).map(|capacity| format!("capacity {capacity}{at}")));
        parts.extend(sampled("CPU", cpu(self), percent, model));
        parts.extend(sampled("lag", lag(self), milliseconds, model));
        parts.extend(database.pending.iter().map(|pending| format!("pending: {}", pending.action)));
        if let Some(event) = &self.seen.last_event {
            parts.push(format!("{} ago: {}", ago(event.at, model.now), event.message));
        }
        parts.into_iter().map(|part| shown(&part)).collect()
    }

    fn page(&self, page: &mut Page, model: &Model, site: &Site) {
        let database = &self.seen.database;
        let (sign, words, role) = state(self, model.look);
        page.pair("state", LABEL, &shown(&format!("{sign} {words}")), role);
        if words != database.status.as_str() {
            page.pair("AWS says", LABEL, &shown(database.status.as_str()), Role::Text);
        }
        page.pair("topology", LABEL, &database.words(), Role::Text);
        page.pair("engine", LABEL, &shown(&format!("{} {}", database.engine, database.version)), Role::Text);
        capacity_line(page, model, self);
        if let Some(zone) = &database.standby_zone {
            page.pair("standby", LABEL, &shown(&format!("in {zone}")), Role::Text);
        }
        if let Some(source) = &database.source {
            page.pair("replica of", LABEL, &shown(&source.to_string()), Role::Text);
        }
        if !database.replicas.is_empty() {
            let names: Vec<&str> = database.replicas.iter().map(Text::as_str).collect();
            page.pair("read replicas", LABEL, &shown(&names.join(", ")), Role::Text);
        }
        if let Some(global) = &database.global {
            page.pair("global cluster", LABEL, &shown(global.as_str()), Role::Text);
        }
        let rto = site.environment.databases.rto_seconds(&database.name);
        let role = if rto.is_some() { Role::Text } else { Role::Dim };
        page.pair("RTO", LABEL, &rto.map_or("none configured".to_owned(), in_words), role);
        page.blank();
        page.heading(if database.topology.kind() == SourceKind::Cluster { "Members" } else { "Instance" });
        for member in database.members.iter().take(LINES_MAX) {
            of_member(page, model, member, self.gauges.get(&member.name), database);
        }
        if database.members.is_empty() {
            page.text("RDS names none.", Role::Warning);
        }
        if !database.pending.is_empty() {
            page.blank();
            page.heading("Pending maintenance");
            for pending in database.pending.iter().take(LINES_MAX) {
                let (action, words) = (shown(pending.action.as_str()), shown(pending.description.as_str()));
                page.pair(&action, LABEL, &words, Role::Warning);
            }
        }
        page.blank();
        page.heading("Last event, within a day");
        match &self.seen.last_event {
            Some(event) => {
                let words = format!("{} {}: {}", event.kind, event.source, event.message);
                page.pair(&event.at.strftime("%m-%d %H:%M:%S").to_string(), LABEL, &shown(&words), Role::Text);
            }
            None => page.text("RDS tells of none.", Role::Dim),
        }
    }

    fn meant(&self, site: &Site, command: Command) -> Result<Meant, Able> {
        if command != Command::Operate(OperationKind::Failover) {
            return Err(Able::NotHere);
        }
        changes(site)?;
        let database = &self.seen.database;
        if database.source.is_some() {
            return Err(Able::no("it is a read replica: nobody writes here; fail over what it copies"));
        }
        match database.topology {
            Topology::Single => return Err(Able::no("it is a single instance: nothing could take over")),
            Topology::Aurora | Topology::MultiAzCluster if database.readers().next().is_none() => {
                return Err(Able::no("it has no reader: nothing could take over"));
            }
            Topology::Aurora | Topology::MultiAzCluster | Topology::MultiAzInstance => {}
        }
        let failover = Failover { database: database.name.clone(), to: None };
        Ok(Meant::plan(site, Operation::Failover(failover)))
    }

    fn ways(&self) -> &'static [(Command, &'static str)] {
        WAYS
    }

    fn lines(&self, site: &Site) -> Vec<String> {
        let otherwise = format!("databases {}", quoted(&self.seen.database.name));
        vec![line_of(site, self.meant(site, Command::Operate(OperationKind::Failover)), &otherwise)]
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

fn of_member(page: &mut Page, model: &Model, member: &Member, gauges: Option<&DatabaseGauges>, database: &Database) {
    let kind = database.topology.kind();
    let text = |text: &Option<Text>| text.as_ref().map_or("?", Text::as_str).to_owned();
    let role = match kind {
        SourceKind::Instance => "instance".to_owned(),
        SourceKind::Cluster => database.role_of(member).to_string(),
    };
    let tier =
        member.tier.filter(|_| kind == SourceKind::Cluster).map(|tier| format!(", tier {tier}")).unwrap_or_default();
    let words =
        format!("{}: {}, {}, {}{tier}", member.name, text(&member.class), text(&member.zone), text(&member.status));
    let is_well = if member.is_available() { Role::Strong } else { Role::Warning };
    page.pair(&role, LABEL, &shown(&words), is_well);
    let Some(gauges) = gauges else {
        return page.pair("", LABEL, "no metrics: CloudWatch has no recent sample", Role::Dim);
    };
    let DatabaseGauges { cpu, connections, free_storage, lag, read_latency, write_latency } = gauges;
    gauge(page, model, "  CPU", cpu.as_ref(), percent, Some(100.0));
    gauge(page, model, "  connections", connections.as_ref(), whole, None);
    for (label, one, words) in [
        ("  behind by", lag, milliseconds as fn(f64) -> String),
        ("  free storage", free_storage, bytes),
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
