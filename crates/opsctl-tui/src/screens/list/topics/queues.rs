//! Queues: columns of their list, what can be done with one.

use jiff::{SignedDuration, Timestamp};
use ratatui::text::Span;

use crate::{
    cloud::ErrorKind,
    domain::{Counts, Environment, QueueKind, Text, invocation::option},
    keymap::{Command, Scope},
    observe::{
        Seen, Subject, leaving,
        queues::{DeadLetters, KnownBy},
        verdict::says_age,
        words::span,
    },
    operations::{Operation, OperationKind, Purge, Retention, values::Seconds},
    screens::{
        list::{
            column::{Column, Line, Order, Shown, Title, environment, falling, name, rising, shape, wide, worst},
            gaps,
            listed::{Head, Here, List, Listed, Manner, Narrowing, OwnGroups, Said, one},
            thing::{Meant, Opens, Thing, changes, is_cached, shown},
            topics::{
                consumers::paused,
                queue_sheet::{self, dead_letter_queue},
            },
        },
        screen::{Able, Tab},
    },
    state::{ListView, Look, Model, Needs, Page, Role, Site},
    widgets::{
        Cell, busy_sign, expires_seconds, filter,
        fit::Align::{Left, Right},
        is_soon, oldest_seconds,
        sign::{self, short, standing},
        spark,
        words::{self, count},
    },
};

/// Figures older than this are shown as old: thrice the time within which each queue is looked at.
const STALE: SignedDuration = SignedDuration::from_mins(3);
/// What a key sets; the plan's options have other times, and the way back.
const RETENTION_SECONDS_MAX: u32 = 1_209_600;

pub(super) static LIST: List<Seen> = List {
    head: Head {
        scope: Scope::Queues,
        tab: Tab { command: Command::Queues, title: "Queues", short: "Queues" },
        nouns: ["queue", "queues"],
        wanted: &[
            Command::Open,
            Command::Operate(OperationKind::Redrive),
            Command::Filter,
            Command::Sort,
            Command::Group,
            Command::DeadLettersOnly,
            Command::Details,
            Command::Wide,
        ],
        sheet_ways: &[(Command::Open, "open"), (Command::Operate(OperationKind::Redrive), "redrive")],
        tallies: [("may not be looked at", Role::Warning), ("did not answer", Role::Warning)],
        parts: &[],
        known: |_| Vec::new(),
        is_about: |subject| matches!(subject, Subject::Queue(_)),
        manner: Manner {
            group_tallies: Some([("~", "dead letters"), ("", "may not be looked at")]),
            groups: Some(OwnGroups {
                short: "by system",
                words: "grouped by system: the beginning of the name",
                none: "others",
                per_environment: false,
                lone: false,
            }),
            narrow: Some(Narrowing {
                command: Command::DeadLettersOnly,
                words: ["dead-letter queues only", "all queues"],
            }),
            beside: awaited,
            nothing,
            // Ages are made as they are drawn; nothing else of it changes by time alone.
            by_name: true,
            ages: false,
            name_share: (2, 5),
            detail_rows_max: 4,
            ..gaps::USUAL
        },
    },
    columns: &COLUMNS,
    count: |snapshot| snapshot.queues.len(),
    at: |snapshot, row| snapshot.queues.get(row).map(AsRef::as_ref),
    thing: |seen| seen,
    // Snapshots hold queues by name.
    find: |snapshot, name| snapshot.queues.binary_search_by(|seen| seen.name.as_str().cmp(name)).into_iter().collect(),
    meant,
};

static COLUMNS: [Column<Seen>; 12] = [
    worst(),
    environment(),
    name("QUEUE", 18),
    Column {
        title: wide(rising("type", ["standard queues first", "FIFO queues first"])),
        shape: shape("TYPE", 8, 8, Left, 3),
        order: |_, seen| Some(Order::Number(i64::from(seen.kind() == QueueKind::Fifo))),
        cell: |line, seen| line.text(seen.kind().into_str()),
    },
    Column {
        title: falling("visible messages", ["most visible first", "fewest visible first"]),
        shape: shape("~VISIBLE", 9, 11, Right, 9),
        order: |_, seen| counted(seen).map(|counts| most(counts.visible)),
        cell: |line, seen| match counted(seen).map(|counts| counts.visible) {
            Some(visible) if is_backlog(line, seen, visible) => line.told(words::about(visible), Role::Warning),
            visible => number(line, visible),
        },
    },
    Column {
        title: falling("messages in flight", ["most in flight first", "fewest in flight first"]),
        shape: shape("~IN FLIGHT", 10, 11, Right, 5),
        order: |_, seen| counted(seen).map(|counts| most(counts.in_flight)),
        cell: |line, seen| number(line, counted(seen).map(|counts| counts.in_flight)),
    },
    Column {
        title: wide(falling("delayed messages", ["most delayed first", "fewest delayed first"])),
        shape: shape("~DELAYED", 8, 10, Right, 3),
        order: |_, seen| counted(seen).map(|counts| most(counts.delayed)),
        cell: |line, seen| number(line, counted(seen).map(|counts| counts.delayed)),
    },
    Column {
        title: falling("age of the oldest message", ["oldest message first", "youngest message first"]),
        shape: shape("OLDEST", 7, 8, Right, 7),
        order: |spot, seen| oldest_seconds(seen, spot.now).map(most),
        cell: |line, seen| {
            line.or_dash(oldest_seconds(seen, line.now).map(|seconds| words::short(seconds.cast_signed())))
        },
    },
    Column {
        title: rising("time until it expires", ["what expires soonest first", "what expires last first"]),
        shape: shape("EXPIRES IN", 11, 11, Right, 8),
        order: |spot, seen| expires_seconds(seen, spot.now).map(|seconds| Order::Number(seconds.max(0))),
        cell: expires,
    },
    Column {
        title: falling("trend", ["fastest growing first", "fastest shrinking first"]),
        shape: shape(" LAST 30 MIN", 16, 16, Left, 6),
        order: |_, seen| spark::rise(&seen.trend).map(|rise| Order::Number(rise.saturating_neg())),
        cell: |line, seen| {
            let road = spark::line(&spark::levels(&seen.trend, line.now), line.look);
            line.told(format!(" {road}"), Role::Accent)
        },
    },
    Column {
        title: rising("dead letters of", ["dead-letter queues first", "dead-letter queues last"]),
        shape: shape("DEAD LETTERS", 18, 50, Left, 4),
        order: |_, seen| match (&seen.dead_letters, seen.feeds()) {
            (Some(_), _) => Some(Order::Number(0)),
            (None, Some(_)) => Some(Order::Number(1)),
            (None, None) => None,
        },
        cell: related,
    },
    Column {
        title: Title { shown: Shown::Old, ..rising("when it was seen", ["seen longest ago first", "seen last first"]) },
        shape: shape("SEEN", 7, 8, Right, 2),
        order: |_, seen| Some(Order::Number(seen.at.map_or(0, |at| at.as_second().max(0)))),
        cell: |line, seen| match seen.at {
            Some(at) => {
                let role = if line.is_stale { Role::Warning } else { Role::Dim };
                Cell::new(span(line.now.duration_since(at)), line.look.style(role))
            }
            None => line.dim("never"),
        },
    },
];

fn counted(seen: &Seen) -> Option<Counts> {
    seen.queue.as_ref().map(|queue| queue.counts)
}

fn most(number: u64) -> Order {
    Order::Number(i64::try_from(number).unwrap_or(i64::MAX).saturating_neg())
}

/// Whether so many messages wait that it is a backlog, as configured.
fn is_backlog(line: &Line<'_>, seen: &Seen, visible: u64) -> bool {
    let (thresholds, name) = (line.thresholds(), seen.name.as_str());
    seen.dead_letters.is_none() && !thresholds.is_parked(name) && visible > thresholds.backlog_of(name)
}

fn number<'a>(line: &Line<'a>, number: Option<u64>) -> Cell<'a> {
    match number {
        None => line.dim("-"),
        Some(0) if !line.is_stale => line.dim("~0"),
        Some(number) => line.text(words::about(number)),
    }
}

fn expires<'a>(line: &Line<'a>, seen: &'a Seen) -> Cell<'a> {
    let look = line.look;
    match expires_seconds(seen, line.now) {
        None => line.dim(if seen.dead_letters.is_some() { "-" } else { "" }),
        Some(seconds) if seconds <= 0 => Cell::new("now", look.style(Role::Critical)),
        Some(seconds) => {
            let retention = seen.queue.as_ref().map_or(0, |queue| queue.retention_seconds);
            let is_soon = is_soon(&line.site.environment, retention, seconds);
            let style = if is_soon { look.style(Role::Critical) } else { line.base() };
            let most = if seen.kind() == QueueKind::Standard { look.sign("≤ ", "<= ") } else { "" };
            Cell::new(format!("{most}{}", words::short(seconds)), style)
        }
    }
}

fn related<'a>(line: &Line<'a>, seen: &'a Seen) -> Cell<'a> {
    let relation = relation(seen, line.look);
    match &seen.error {
        Some(error) => {
            let words = short(error);
            let text = if relation.is_empty() { words } else { format!("{relation}; {words}") };
            Cell::new(text, line.look.style(Role::Warning))
        }
        None => match seen.leaving.as_ref().and_then(|leaving| leaving.task.as_ref()) {
            Some(task) => line.told(format!("{}; {relation}", leaving::in_words(task)), Role::Warning),
            None => line.text(relation),
        },
    }
}

/// `of orders`, `→ orders-dlq after 5`.
pub(super) fn relation(seen: &Seen, look: Look) -> String {
    let mut parts = Vec::new();
    if let Some(DeadLetters { sources, known_by }) = &seen.dead_letters {
        let first = sources.first().map(|name| shown(name.as_str())).unwrap_or_default();
        let more = match sources.len() {
            0 | 1 => String::new(),
            many => format!(" and {} more", many - 1),
        };
        parts.push(match known_by {
            KnownBy::RedrivePolicy => format!("of {first}{more}"),
            KnownBy::Tag => format!("of {first}{more}, by tag"),
            KnownBy::Pattern => format!("of {first}{more}, by name"),
            KnownBy::Name => "by its name only".to_owned(),
        });
    }
    if let Some(policy) = seen.queue.as_ref().and_then(|queue| queue.redrive.as_ref()) {
        let name = shown(policy.dead_letter.name().as_str());
        parts.push(format!("{} {name} after {}", look.arrow(), policy.receives_max));
    }
    parts.join("; ")
}

/// The system that a queue belongs to: its name up to the first `-`, `_` or `.`. An environment's name or `dlq` in front of
/// it says nothing about that.
fn system<'a>(name: &'a str, environment: &str) -> &'a str {
    let mut rest = name;
    loop {
        let end = rest.find(['-', '_', '.']).unwrap_or(rest.len());
        let part = &rest[..end];
        let says_nothing =
            part.eq_ignore_ascii_case(environment) || part.eq_ignore_ascii_case("dlq") || part.is_empty();
        match rest.get(end + 1..).filter(|after| says_nothing && !after.is_empty()) {
            Some(after) => rest = after,
            None => return part,
        }
    }
}

fn awaited(model: &Model, _: &Head) -> Vec<Span<'static>> {
    if !model.shown_sites().any(|site| standing(site, model.now).busy) {
        return Vec::new();
    }
    let unseen: usize = model.shown_sites().filter_map(|site| Some(site.snapshot.as_ref()?.listing.unseen)).sum();
    let words = match unseen {
        0 => "listing".to_owned(),
        _ => format!("{} to look at", count(unseen as u64)),
    };
    vec![Span::styled(format!("  {} {words}", busy_sign(model)), model.look.style(Role::Accent))]
}

fn nothing(model: &Model, view: &ListView, list: &dyn Listed) -> Said {
    let look = model.look;
    let head = list.head();
    let mut lines = Said::new();
    let key = |command: Command| model.keymap.key_for(head.scope, command).unwrap_or("?").to_owned();
    let mut awaited = 0;
    for site in model.shown_sites() {
        let standing = standing(site, model.now);
        let name = sign::environment(site, look);
        awaited += usize::from(standing.busy);
        match &standing.needs {
            Needs::Credentials(hint) | Needs::Reaching(hint) => {
                lines.push((format!("{name}: {}", standing.words), standing.role));
                lines.push((format!("  try: {hint}"), Role::Text));
            }
            Needs::Nothing if standing.busy => {
                lines.push((format!("{} {name}: {} …", busy_sign(model), standing.words), Role::Dim));
            }
            Needs::Nothing => lines.push((format!("{name}: {}", head.counted(list.count(site))), Role::Dim)),
        }
    }
    let title = if view.totals.all > 0 && !view.filter.is_empty() {
        filter::nothing("queue", &view.filter, &key(Command::Back))
    } else if view.totals.all > 0 {
        format!("None of them is a dead-letter queue: {} shows all queues", key(Command::DeadLettersOnly))
    } else if awaited > 0 {
        "No queue is known yet".to_owned()
    } else {
        format!("There are no queues here: check region and account, and `queues` in {}", model.origin)
    };
    lines.insert(0, (title, Role::Strong));
    lines.insert(1, (String::new(), Role::Text));
    lines
}

impl Thing for Seen {
    fn id(&self) -> String {
        self.name.0.clone()
    }

    fn is(&self, id: &str) -> bool {
        self.name.as_str() == id
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn rank(&self) -> i64 {
        0
    }

    /// What could not be looked at comes first, then dead-letter queues.
    fn calm_rank(&self) -> i64 {
        match (&self.error, &self.dead_letters) {
            (Some(_), _) => 0,
            (None, Some(_)) => 1,
            (None, None) => 2,
        }
    }

    fn messages(&self) -> u64 {
        Seen::messages(self).unwrap_or(0)
    }

    fn tallies(&self) -> [u64; 2] {
        let is_denied = self.error.as_ref().map(|error| error.kind == ErrorKind::Denied);
        [u64::from(is_denied == Some(true)), u64::from(is_denied == Some(false))]
    }

    fn group_tallies(&self) -> [u64; 2] {
        let dead_letters = if self.dead_letters.is_some() { Thing::messages(self) } else { 0 };
        [dead_letters, u64::from(self.queue.is_none() && self.error.is_some())]
    }

    fn group<'a>(&'a self, environment: &'a Environment) -> Option<&'a str> {
        Some(system(self.name.as_str(), &environment.name.0))
    }

    fn is_narrow(&self) -> bool {
        self.dead_letters.is_some()
    }

    fn is_stale(&self, site: &Site, now: Timestamp) -> bool {
        is_cached(site) || self.at.is_some_and(|at| now.duration_since(at) > STALE)
    }

    fn has_age(&self) -> bool {
        self.at.is_some()
    }

    fn instead(&self) -> Option<(String, Role)> {
        if self.queue.is_some() {
            return None;
        }
        Some(match &self.error {
            Some(error) => (short(error), Role::Warning),
            None => ("not looked at yet".to_owned(), Role::Dim),
        })
    }

    fn trouble(&self) -> Option<String> {
        self.error.as_ref().map(|error| shown(&error.to_string()))
    }

    fn in_short(&self, model: &Model, site: &Site) -> Vec<String> {
        let relation = Some(relation(self, model.look)).filter(|relation| !relation.is_empty());
        // A reason says it too where figures are old.
        let has_reason = self.error.is_none()
            && site
                .verdicts
                .iter()
                .any(|verdict| matches!(&verdict.subject, Subject::Queue(name) if *name == self.name));
        let at = self.at.filter(|at| !(has_reason && says_age(*at, model.now)));
        let seen = at.map(|at| format!("seen {} ago", span(model.now.duration_since(at))));
        relation.into_iter().chain(seen).collect()
    }

    fn page(&self, page: &mut Page, model: &Model, site: &Site) {
        queue_sheet::page(page, model, site, self);
    }

    fn meant(&self, site: &Site, command: Command) -> Result<Meant, Able> {
        match command {
            Command::Operate(OperationKind::Redrive) => {
                changes(site)?;
                let queue = match (dead_letter_queue(site, self), self.feeds()) {
                    (Some(dead), _) if Seen::messages(dead) == Some(0) && dead.name == self.name => {
                        return Err(Able::no("no messages lie in it"));
                    }
                    (Some(dead), _) if Seen::messages(dead) == Some(0) => {
                        return Err(Able::no(&format!(
                            "no messages lie in its dead-letter queue {}",
                            shown(dead.name.as_str())
                        )));
                    }
                    (Some(dead), _) => dead.name.clone(),
                    // It is not among those seen: the plan says where it is, or that it is gone.
                    (None, Some(_)) => self.name.clone(),
                    (None, None) => return Err(Able::no("not a dead-letter queue, and it has none")),
                };
                Ok(Meant::Redrive(site.environment.name.clone(), queue))
            }
            Command::Operate(OperationKind::Purge) => {
                changes(site)?;
                let purge = Purge { queue: self.name.0.clone(), ..Purge::default() };
                Ok(Meant::plan(site, Operation::Purge(purge)))
            }
            Command::Operate(OperationKind::Retention) => {
                changes(site)?;
                let (queue, to) = (self.name.0.clone(), Some(Seconds(RETENTION_SECONDS_MAX)));
                Ok(Meant::plan(site, Operation::Retention(Retention { queue, to, ..Retention::default() })))
            }
            _ => paused(site, command, Some(self.name.0.clone())),
        }
    }

    fn ways(&self) -> &'static [(Command, &'static str)] {
        match self.dead_letters {
            Some(_) => &[(Command::Open, "look at why"), (Command::Operate(OperationKind::Redrive), "redrive")],
            None => &[],
        }
    }

    fn lines(&self, site: &Site) -> Vec<String> {
        let verbs: &[&str] = match (&self.dead_letters, dead_letter_queue(site, self)) {
            (Some(_), _) => &["redrive", "groups", "peek"],
            // Of its dead letters.
            (None, Some(_)) => &["peek", "groups", "redrive"],
            (None, None) => &["peek"],
        };
        let queue = option("queue", self.name.as_str());
        let line = |verb: &&str| Text::line(&site.environment.command(&format!("{verb} {queue}"))).to_string();
        verbs.iter().map(line).collect()
    }

    fn opens(&self) -> Opens {
        if self.dead_letters.is_some() { Opens::Letters } else { Opens::Sheet }
    }
}

fn meant(here: &Here<'_, Seen>, command: Command) -> Result<Meant, Able> {
    match command {
        Command::Select | Command::SelectAll => {
            Err(Able::no("an operation is for one queue: the one under the cursor"))
        }
        Command::Force => Err(Able::no("open the queue first: it is for looking at messages")),
        _ => one(here, command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_what_names_begin_with() {
        for (name, meant) in [
            ("orders-dlq", "orders"),
            ("orders", "orders"),
            ("orders.fifo", "orders"),
            ("orders_refunds_dlq", "orders"),
            ("prod-orders-dlq", "orders"),
            ("dlq-orders", "orders"),
            ("prod", "prod"),
            ("-", ""),
            ("", ""),
            ("ördner-x", "ördner"),
        ] {
            assert_eq!(system(name, "prod"), meant, "{name}");
        }
    }
}
