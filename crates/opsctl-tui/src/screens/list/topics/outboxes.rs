//! Outboxes: columns of their list, and what is said of one.

use crate::{
    domain::{
        Backlog, Gauge, Outbox, Rearm, Release as Freeing, RowCount, RowState, SeenOutbox, Trouble,
        invocation::quoted,
        words::{bytes, span},
    },
    keymap::{Command, Scope},
    observe::{
        Estate, PartName, Subject,
        parts::outboxes::{Relaying, Waking, relay},
    },
    operations::{EnableRule, Operation, OperationKind, Park, Release, Replay, RestoreConcurrency, Wake},
    screens::{
        list::{
            column::{Column, Line, Order, environment, falling, name, rising, shape, wide, worst},
            gaps,
            listed::{Head, List, one, scan},
            thing::{LABEL, LINES_MAX, Meant, PartState, Thing, changes, line_of, shown},
        },
        screen::{Able, Tab},
    },
    state::{Model, Page, Role, Site},
    widgets::{
        Cell,
        fit::Align::{Left, Right},
        page::{bar, part},
        spark,
        words::{ago, number},
    },
};

/// What can be done with an outbox from its sheet.
const WAYS: &[(Command, &str)] = &[
    (Command::Operate(OperationKind::Replay), "replay"),
    (Command::Operate(OperationKind::Park), "park"),
    (Command::Operate(OperationKind::Release), "release"),
    (Command::WakeRelay, "wake relay"),
];
/// Columns of a bar.
const BAR: usize = 12;

pub(super) static LIST: List<SeenOutbox> = List {
    head: Head {
        scope: Scope::Outboxes,
        tab: Tab { command: Command::Outboxes, title: "Outboxes", short: "Outboxes" },
        nouns: ["outbox", "outboxes"],
        wanted: &[
            Command::Open,
            Command::Operate(OperationKind::Replay),
            Command::Operate(OperationKind::Park),
            Command::Operate(OperationKind::Release),
            Command::WakeRelay,
            Command::Filter,
            Command::Sort,
            Command::Wide,
        ],
        sheet_ways: WAYS,
        tallies: [("with failed rows", Role::Warning), ("with stuck rows", Role::Warning)],
        parts: &[PartName::Outboxes, PartName::Services],
        known: |estate| vec![PartState::of("outboxes", &estate.outboxes)],
        is_about: |subject| matches!(subject, Subject::Outbox(_)),
        manner: gaps::USUAL,
    },
    columns: &COLUMNS,
    count: |snapshot| snapshot.estate.outboxes.rows.len(),
    at: |snapshot, row| snapshot.estate.outboxes.rows.get(row).map(AsRef::as_ref),
    thing: |outbox| outbox,
    find: |snapshot, name| {
        let rows = snapshot.estate.outboxes.rows.iter();
        scan(rows.map(|row| row.as_ref() as &SeenOutbox), name)
    },
    meant: one,
};

static COLUMNS: [Column<SeenOutbox>; 12] = [
    worst(),
    environment(),
    name("OUTBOX", 14),
    Column {
        title: falling("ready rows", ["most ready first", "fewest ready first"]),
        shape: shape("READY", 7, 9, Right, 17),
        order: |_, seen| order(seen, RowState::Ready),
        cell: |line, seen| figure(line, seen, RowState::Ready, Role::Text),
    },
    Column {
        title: falling("age of the oldest ready row", ["longest lag first", "shortest lag first"]),
        shape: shape("LAG", 7, 8, Right, 16),
        order: |spot, seen| {
            let lag = seen.backlog.as_ref()?.lag(spot.now)?;
            Some(Order::most(lag.as_secs_f64()))
        },
        cell: |line, seen| match seen.backlog.as_ref().map(|backlog| backlog.lag(line.now)) {
            None => line.unknown(),
            Some(None) if behind(seen).is_some() => line.text(behind(seen).unwrap_or_default()),
            Some(None) => line.dim("-"),
            Some(Some(lag)) => {
                let limit =
                    line.outbox(seen).map_or(i64::MAX, |outbox| i64::try_from(outbox.lag_seconds).unwrap_or(i64::MAX));
                line.told(span(lag), if lag.as_secs() > limit { Role::Critical } else { Role::Text })
            }
        },
    },
    Column {
        title: falling("failed rows", ["most failed first", "fewest failed first"]),
        shape: shape("FAILED", 7, 9, Right, 15),
        order: |_, seen| order(seen, RowState::Failed),
        cell: |line, seen| figure(line, seen, RowState::Failed, Role::Warning),
    },
    Column {
        title: falling("stuck rows", ["most stuck first", "fewest stuck first"]),
        shape: shape("STUCK", 7, 9, Right, 13),
        order: |_, seen| order(seen, RowState::Stuck),
        cell: |line, seen| figure(line, seen, RowState::Stuck, Role::Warning),
    },
    Column {
        title: falling("rows published a minute", ["fastest first", "slowest first"]),
        shape: shape("PER MIN", 7, 8, Right, 12),
        order: |_, seen| Some(Order::most(seen.backlog.as_ref()?.rate()?)),
        cell: |line, seen| line.or_dash(seen.backlog.as_ref().and_then(Backlog::rate).map(|rate| number(rate.round()))),
    },
    Column {
        title: falling("pending rows over the last hour", ["fastest rising first", "fastest falling first"]),
        shape: shape(" LAST HOUR", 16, 16, Left, 5),
        order: |_, seen| Order::rise(gauge(seen).as_ref()),
        cell: |line, seen| match gauge(seen) {
            Some(gauge) => {
                line.told(format!(" {}", spark::road(&gauge.recent, line.now, None, line.look)), Role::Accent)
            }
            None => line.dim("-"),
        },
    },
    Column {
        title: rising("relay", ["asleep first", "awake first"]),
        shape: shape("RELAY", 9, 48, Left, 14),
        order: |spot, seen| Some(Order::Number(i64::from(!relaying(spot.site, seen).is_asleep()))),
        cell: |line, seen| {
            let relaying = relaying(line.site, seen);
            let (sign, state, role) = match &relaying {
                Relaying::Asleep(..) => (line.look.sign("○", "o"), "asleep", Role::Warning),
                Relaying::Awake(_) => (line.look.sign("●", "+"), "awake", Role::Good),
                Relaying::Unknown(_) => (line.look.sign("•", "?"), "not known", Role::Dim),
            };
            line.told(format!("{sign} {state}: {}", shown(relaying.words())), role)
        },
    },
    Column {
        title: wide(falling("blocked groups", ["most blocked first", "fewest blocked first"])),
        shape: shape("BLOCKED", 7, 8, Right, 6),
        order: |_, seen| Some(Order::most(seen.backlog.as_ref()?.blocked.len() as f64)),
        cell: |line, seen| line.or_dash(seen.backlog.as_ref().map(|backlog| backlog.blocked.len().to_string())),
    },
    Column {
        title: wide(rising("table", ["by table", "by table, last first"])),
        shape: shape("TABLE", 14, 60, Left, 4),
        order: |_, seen| Some(Order::text(seen.what.as_str())),
        cell: |line, seen| line.text(shown(seen.what.as_str())),
    },
];

/// What a relay that reads the database's log has not read yet.
fn behind(seen: &SeenOutbox) -> Option<String> {
    let slot = seen.backlog.as_ref()?.slot.as_ref()?;
    Some(bytes(slot.bytes? as f64))
}

fn order(seen: &SeenOutbox, state: RowState) -> Option<Order> {
    Some(Order::most(seen.backlog.as_ref()?.count(state)?.figure()? as f64))
}

fn figure<'a>(line: &Line<'a>, seen: &SeenOutbox, state: RowState, role: Role) -> Cell<'a> {
    let Some(backlog) = &seen.backlog else { return line.unknown() };
    match backlog.count(state) {
        None => line.dim("-"),
        Some(RowCount::Exactly(0)) if backlog.may_hide => line.dim("hidden?"),
        Some(RowCount::Exactly(0)) => line.dim("0"),
        Some(count) if count.figure() == Some(0) => line.dim(count.words()),
        Some(count) => line.told(count.words(), role),
    }
}

/// Rows to be published, as a road.
fn gauge(seen: &SeenOutbox) -> Option<Gauge> {
    let recent = seen.backlog.as_ref()?.recent.clone();
    let (at, value) = *recent.last()?;
    Some(Gauge { value, at, recent })
}

fn relaying(site: &Site, seen: &SeenOutbox) -> Relaying {
    let configured = site.environment.databases.outboxes.iter().find(|outbox| outbox.name == seen.name);
    match (configured, &site.snapshot) {
        (Some(outbox), Some(snapshot)) => relay(outbox, seen, &snapshot.estate.services),
        _ => Relaying::Unknown("not seen yet".to_owned()),
    }
}

/// What wakes the relay of an outbox.
fn wake(site: &Site, seen: &SeenOutbox) -> Result<Meant, Able> {
    let relaying = relaying(site, seen);
    let operation = match &relaying {
        Relaying::Asleep(_, Waking::Service(service)) => {
            Operation::Wake(Wake { service: vec![service.to_string()], ..Wake::default() })
        }
        Relaying::Asleep(_, Waking::Rule(rule)) => Operation::EnableRule(EnableRule { rule: rule.clone() }),
        Relaying::Asleep(_, Waking::Concurrency(function)) => {
            Operation::RestoreConcurrency(RestoreConcurrency { function: function.clone() })
        }
        Relaying::Asleep(_, Waking::Other) | Relaying::Awake(_) | Relaying::Unknown(_) => {
            return Err(Able::no(&shown(relaying.words())));
        }
    };
    changes(site)?;
    Ok(Meant::plan(site, operation))
}

impl<'a> Line<'a> {
    fn outbox(&self, seen: &SeenOutbox) -> Option<&'a Outbox> {
        self.site.environment.databases.outboxes.iter().find(|outbox| outbox.name == seen.name)
    }
}

/// A replay of all that failed; how much of it is chosen in the plan's options.
fn replay(site: &Site, seen: &SeenOutbox) -> Result<Meant, Able> {
    changes(site)?;
    let configured = site.environment.databases.outbox(&seen.name);
    if let Some(Rearm::Refused(refused)) = configured.map(|outbox| &outbox.mapping.rearm) {
        return Err(Able::no(&format!("rows of {} can't be replayed: {}", shown(&seen.name), refused.because)));
    }
    Ok(Meant::plan(site, Operation::Replay(Replay { outbox: seen.name.clone(), ..Replay::default() })))
}

/// All that failed is set aside; which of it, and other states, are chosen in the plan's options.
fn park(site: &Site, seen: &SeenOutbox) -> Result<Meant, Able> {
    changes(site)?;
    let mapping = site.environment.databases.outbox(&seen.name).map(|outbox| &outbox.mapping);
    if let Some(mapping) = mapping.filter(|mapping| mapping.parkable().is_empty())
        && let Some(stays) = &mapping.park.stays
    {
        return Err(Able::no(&format!("rows of {} can't be parked: {}", shown(&seen.name), stays.because)));
    }
    Ok(Meant::plan(site, Operation::Park(Park { outbox: seen.name.clone(), ..Park::default() })))
}

/// All claims that have run out are freed.
fn release(site: &Site, seen: &SeenOutbox) -> Result<Meant, Able> {
    changes(site)?;
    let configured = site.environment.databases.outbox(&seen.name);
    if let Some(Freeing::Refused(refused)) = configured.map(|outbox| &outbox.mapping.release) {
        return Err(Able::no(&format!("rows of {} can't be released: {}", shown(&seen.name), refused.because)));
    }
    Ok(Meant::plan(site, Operation::Release(Release { outbox: seen.name.clone(), ..Release::default() })))
}

impl Thing for SeenOutbox {
    fn id(&self) -> String {
        self.name.clone()
    }

    fn is(&self, id: &str) -> bool {
        self.name == id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn searched(&self) -> [String; 2] {
        [self.what.to_string(), self.connection.clone()]
    }

    fn rank(&self) -> i64 {
        match &self.backlog {
            Some(backlog) => {
                1 + i64::from(backlog.count(RowState::Failed).and_then(RowCount::figure).unwrap_or(0) == 0)
            }
            None => 0,
        }
    }

    fn tallies(&self) -> [u64; 2] {
        let any = |state| {
            let count = self.backlog.as_ref().and_then(|backlog| backlog.count(state)).and_then(RowCount::figure);
            u64::from(count.unwrap_or(0) > 0)
        };
        [any(RowState::Failed), any(RowState::Stuck)]
    }

    fn part<'a>(&self, estate: &'a Estate) -> Option<PartState<'a>> {
        Some(PartState::of("outboxes", &estate.outboxes))
    }

    fn instead(&self) -> Option<(String, Role)> {
        let trouble = self.trouble.as_ref().filter(|_| self.backlog.is_none())?;
        let role = if *trouble == Trouble::Paused { Role::Dim } else { Role::Warning };
        Some((trouble.words(), role))
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.as_ref().map(Trouble::words)
    }

    fn in_short(&self, _: &Model, site: &Site) -> Vec<String> {
        let backlog = self.backlog.as_ref();
        let counts = backlog.map(|backlog| {
            let counts = backlog.counts.iter().filter(|(_, count)| **count != RowCount::Exactly(0));
            counts.map(|(state, count)| format!("{} {state}", count.words())).collect::<Vec<_>>().join(", ")
        });
        let kind = backlog.and_then(|backlog| backlog.failed_kinds.first());
        let kind = kind.map(|(kind, count)| format!("most failed type: {kind} ({count})"));
        counts.into_iter().chain(kind).chain([shown(relaying(site, self).words())]).collect()
    }

    fn page(&self, page: &mut Page, model: &Model, site: &Site) {
        page.pair("table", LABEL, &shown(self.what.as_str()), Role::Strong);
        page.pair("connection", LABEL, &shown(&self.connection), Role::Text);
        let relaying = relaying(site, self);
        let role = if relaying.is_asleep() { Role::Warning } else { Role::Text };
        page.pair("relay", LABEL, &shown(relaying.words()), role);
        if let Some(trouble) = &self.trouble {
            page.pair("trouble", LABEL, &trouble.words(), Role::Warning);
        }
        let Some(backlog) = &self.backlog else { return };
        page.pair("server", LABEL, backlog.server.as_str(), Role::Text);
        page.pair("seen", LABEL, &format!("{} ago", ago(backlog.at, model.now)), Role::Dim);
        states(page, backlog, model);
        kinds(page, backlog);
        errors(page, backlog);
        groups(page, backlog);
        if let Some(index) = &backlog.index_wanted {
            page.blank();
            page.text("Estimates, because no index serves the count. This one would:", Role::Warning);
            page.text(&shown(index), Role::Text);
        }
    }

    fn meant(&self, site: &Site, command: Command) -> Result<Meant, Able> {
        match command {
            Command::WakeRelay | Command::Operate(OperationKind::Wake) => wake(site, self),
            Command::Operate(OperationKind::Replay) => replay(site, self),
            Command::Operate(OperationKind::Park) => park(site, self),
            Command::Operate(OperationKind::Release) => release(site, self),
            _ => Err(Able::NotHere),
        }
    }

    fn ways(&self) -> &'static [(Command, &'static str)] {
        WAYS
    }

    fn lines(&self, site: &Site) -> Vec<String> {
        vec![line_of(site, wake(site, self), &format!("outbox show {}", quoted(&self.name)))]
    }
}

/// Each state with its rows, a bar and what it means.
fn states(page: &mut Page, backlog: &Backlog, model: &Model) {
    let (now, look) = (model.now, model.look);
    page.blank();
    let most = backlog.counts.iter().filter(|(state, _)| **state != RowState::Published);
    let most = most.filter_map(|(_, count)| count.figure()).max().unwrap_or(0).max(1);
    for (state, count) in &backlog.counts {
        let rows = count.figure().unwrap_or(0);
        let role = match (state, rows) {
            (_, 0) => Role::Dim,
            (RowState::Failed | RowState::Stuck | RowState::Unaccounted, _) => Role::Warning,
            _ => Role::Text,
        };
        let share = if *state == RowState::Published { 0.0 } else { rows as f64 / most as f64 };
        let (bar, _) = bar(share, BAR, look);
        page.line(vec![
            part(format!("{:LABEL$}  ", state.words()), Role::Dim),
            part(format!("{:>10}  ", count.words()), role),
            part(bar, Role::Accent),
        ]);
    }
    let lag =
        backlog.lag(now).map_or_else(|| "no ready row".to_owned(), |lag| format!("oldest ready row {} old", span(lag)));
    page.pair("lag", LABEL, &lag, Role::Text);
    if let Some(slot) = &backlog.slot {
        page.pair("log", LABEL, &slot.words(), if slot.is_left() { Role::Warning } else { Role::Text });
    }
    if let Some(parked) = backlog.parked.filter(|rows| *rows != RowCount::Exactly(0)) {
        page.pair("set aside", LABEL, &format!("{} rows in the table beside it", parked.words()), Role::Text);
    }
    for words in backlog.upkeep.words() {
        page.pair("upkeep", LABEL, &words, Role::Warning);
    }
    if let Some(rate) = backlog.rate() {
        page.pair("published", LABEL, &format!("{}/min over the last 5 min", number(rate.round())), Role::Text);
    }
}

fn kinds(page: &mut Page, backlog: &Backlog) {
    if backlog.failed_kinds.is_empty() {
        return;
    }
    page.blank();
    page.text("Failed rows by type", Role::Strong);
    for (kind, count) in backlog.failed_kinds.iter().take(LINES_MAX) {
        page.pair(&number(*count as f64), LABEL, kind.as_str(), Role::Text);
    }
}

fn errors(page: &mut Page, backlog: &Backlog) {
    let Some(errors) = backlog.failed_errors.as_ref().filter(|errors| !errors.groups.is_empty()) else { return };
    page.blank();
    page.text(&format!("Failed rows by error, {} sampled", number(errors.sampled as f64)), Role::Strong);
    for (error, rows) in errors.groups.iter().take(LINES_MAX) {
        page.pair(&number(*rows as f64), LABEL, error.as_str(), Role::Text);
    }
}

fn groups(page: &mut Page, backlog: &Backlog) {
    if backlog.blocked.is_empty() {
        return;
    }
    page.blank();
    let what = if backlog.group_blocks {
        "Groups held by their oldest row"
    } else {
        "Groups whose order is lost behind a failed row"
    };
    page.text(what, Role::Strong);
    for blocked in backlog.blocked.iter().take(LINES_MAX) {
        let words = format!("{}: {} {}, {} younger", blocked.group, blocked.head_state, blocked.head, blocked.held);
        page.text(&words, Role::Text);
    }
}
