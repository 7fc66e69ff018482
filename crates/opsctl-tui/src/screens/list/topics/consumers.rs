//! What takes messages: Lambda's event source mappings, groups that read Kafka. Columns of their list, and what is said of one.

use crate::{
    domain::{Gauge, KafkaLag, Mapping, MappingState, Text},
    keymap::{Command, Scope},
    observe::{Estate, PartName, Snapshot, Subject},
    operations::{DisableConsumers, EnableConsumers, Operation, OperationKind, PauseConsumers, ResumeConsumers},
    screens::{
        list::{
            column::{Column, Order, environment, falling, name, rising, shape, wide, worst},
            gaps,
            listed::{Head, List, one, scan},
            thing::{LABEL, Meant, PartState, Thing, changes, gauge, sampled, shown, whole},
        },
        screen::{Able, Tab},
    },
    state::{Look, Model, Page, Role, Site},
    widgets::{
        fit::Align::{Left, Right},
        words::{ago, number},
    },
};

/// What both sorts of consumers have, as far as they have it.
pub(super) trait Consumer: Thing {
    fn state(&self) -> Option<&Mapping> {
        None
    }
    fn kind(&self) -> &'static str;
    /// What it takes from, for the list.
    fn source(&self) -> String;
    fn behind(&self) -> Option<&Gauge> {
        None
    }
}

pub(super) static LIST: List<dyn Consumer> = List {
    head: Head {
        scope: Scope::Consumers,
        tab: Tab { command: Command::Consumers, title: "Consumers", short: "Consumers" },
        nouns: ["consumer", "consumers"],
        wanted: &[
            Command::Open,
            Command::Operate(OperationKind::PauseConsumers),
            Command::Operate(OperationKind::ResumeConsumers),
            Command::Operate(OperationKind::EnableConsumers),
            Command::Operate(OperationKind::DisableConsumers),
            Command::Filter,
            Command::Sort,
            Command::Wide,
        ],
        sheet_ways: &[],
        tallies: [("with a problem", Role::Warning), ("paused", Role::Text)],
        parts: &[PartName::Mappings, PartName::Lags],
        known: |estate| {
            vec![PartState::of("Lambda consumers", &estate.mappings), PartState::of("Kafka groups", &estate.lags)]
        },
        is_about: |subject| matches!(subject, Subject::Consumer(_)),
        manner: gaps::USUAL,
    },
    columns: &COLUMNS,
    count: |snapshot| snapshot.estate.mappings.rows.len() + snapshot.estate.lags.rows.len(),
    at,
    thing: |consumer| consumer,
    find: |snapshot, name| scan((0..).map_while(|row| at(snapshot, row)), name),
    meant: one,
};

static COLUMNS: [Column<dyn Consumer>; 12] = [
    worst(),
    environment(),
    name("CONSUMER", 14),
    Column {
        title: rising("state", ["worst state first", "best state first"]),
        shape: shape("STATE", 11, 14, Left, 17),
        order: |_, one| Some(Order::Number(one.state().map_or(MappingState::Enabled, |of| of.state) as i64)),
        cell: |line, one| match one.state() {
            Some(mapping) => {
                let (sign, role) = sign(mapping, line.look);
                line.told(format!("{sign} {}", mapping.state.words()), role)
            }
            None => line.dim("-"),
        },
    },
    Column {
        title: rising("kind", ["Kafka groups first", "Lambda functions first"]),
        shape: shape("KIND", 6, 6, Left, 9),
        order: |_, one| Some(Order::text(one.kind())),
        cell: |line, one| line.text(one.kind()),
    },
    Column {
        title: rising("what it takes from", ["by source", "by source, last first"]),
        shape: shape("TAKES FROM", 14, 44, Left, 16),
        order: |_, one| Some(Order::text(&one.source())),
        cell: |line, one| line.text(one.source()),
    },
    Column {
        title: falling("how far it lies behind", ["furthest behind first", "least behind first"]),
        shape: shape("BEHIND", 8, 10, Right, 14),
        order: |_, one| one.behind().map(|offsets| Order::most(offsets.value)),
        cell: |line, one| {
            let many = line.thresholds().kafka_lag_offsets as f64;
            line.figure(one.behind(), whole, |value| value > many)
        },
    },
    Column {
        title: falling("lag over the last hour", ["fastest rising lag first", "fastest falling lag first"]),
        shape: shape(" LAST HOUR", 16, 16, Left, 5),
        order: |_, one| Order::rise(one.behind()),
        cell: |line, one| match one.behind() {
            Some(offsets) => line.road(Some(offsets), None),
            None => line.dim("-"),
        },
    },
    Column {
        title: falling("messages of one call", ["largest batches first", "smallest batches first"]),
        shape: shape("BATCH", 5, 5, Right, 6),
        order: |_, one| one.state()?.batch_size.map(|size| Order::most(f64::from(size))),
        cell: |line, one| line.or_dash(one.state().and_then(|of| of.batch_size).map(|size| size.to_string())),
    },
    Column {
        title: wide(falling("calls at once", ["most calls at once first", "fewest calls at once first"])),
        shape: shape("AT ONCE", 7, 7, Right, 4),
        order: |_, one| one.state()?.concurrency_max.map(|most| Order::most(f64::from(most))),
        cell: |line, one| line.or_dash(one.state().and_then(|of| of.concurrency_max).map(|most| most.to_string())),
    },
    Column {
        title: falling("when it was changed", ["changed last first", "changed longest ago first"]),
        shape: shape("CHANGED", 7, 8, Right, 8),
        order: |_, one| one.state()?.changed_at.map(Order::latest),
        cell: |line, one| line.ago(one.state().and_then(|of| of.changed_at)),
    },
    Column {
        title: rising("last result", ["by last result", "by last result, last first"]),
        shape: shape("LAST RESULT", 14, 80, Left, 12),
        order: |_, one| one.state()?.last_result.as_ref().map(|result| Order::text(result.as_str())),
        cell: |line, one| match one.state().and_then(|of| Some((of, of.last_result.as_ref()?))) {
            Some((of, result)) => line.told(shown(result.as_str()), result_role(of)),
            None => line.dim("-"),
        },
    },
];

fn at(snapshot: &Snapshot, row: usize) -> Option<&(dyn Consumer + 'static)> {
    let (mappings, lags) = (&snapshot.estate.mappings.rows, &snapshot.estate.lags.rows);
    match mappings.get(row) {
        Some(mapping) => Some(mapping.as_ref()),
        None => Some(lags.get(row - mappings.len())?.as_ref()),
    }
}

/// The queue, or the end of the ARN of whatever else it reads.
fn takes(mapping: &Mapping) -> String {
    let source = match &mapping.queue {
        Some(queue) => queue.as_str(),
        None => mapping.source_arn.rsplit(':').next().unwrap_or(&mapping.source_arn),
    };
    shown(source)
}

fn result_role(mapping: &Mapping) -> Role {
    if mapping.has_problem() { Role::Warning } else { Role::Text }
}

fn sign(mapping: &Mapping, look: Look) -> (&'static str, Role) {
    match mapping.state {
        _ if mapping.has_problem() => (look.sign("▲", "*"), Role::Warning),
        MappingState::Disabled => (look.sign("○", "o"), Role::Warning),
        MappingState::Disabling | MappingState::Deleting => (look.sign("↻", "~"), Role::Warning),
        MappingState::Enabling | MappingState::Creating | MappingState::Updating => (look.sign("↻", "~"), Role::Accent),
        MappingState::Enabled => (look.sign("●", "+"), Role::Good),
        MappingState::Other => (look.sign("•", "?"), Role::Warning),
    }
}

impl Consumer for Mapping {
    fn state(&self) -> Option<&Mapping> {
        Some(self)
    }

    fn kind(&self) -> &'static str {
        "Lambda"
    }

    fn source(&self) -> String {
        takes(self)
    }
}

impl Consumer for KafkaLag {
    fn kind(&self) -> &'static str {
        "Kafka"
    }

    fn source(&self) -> String {
        shown(&format!("{} in {}", self.topic, self.cluster))
    }

    fn behind(&self) -> Option<&Gauge> {
        Some(&self.offsets)
    }
}

impl Thing for Mapping {
    fn id(&self) -> String {
        self.id.0.clone()
    }

    fn is(&self, id: &str) -> bool {
        self.id.0 == id
    }

    fn is_meant_by(&self, name: &str) -> bool {
        self.function.as_str() == name || self.id.0 == name || self.function_and_source() == name
    }

    fn name(&self) -> &str {
        self.function.as_str()
    }

    fn whole_name(&self) -> String {
        format!("{} takes {}", shown(self.function.as_str()), takes(self))
    }

    fn searched(&self) -> [String; 2] {
        let source = self.queue.as_ref().map_or(self.source_arn.as_str(), |queue| queue.as_str());
        [source.to_owned(), self.state.words().to_owned()]
    }

    fn rank(&self) -> i64 {
        if self.has_problem() { 0 } else { 1 + self.state as i64 }
    }

    fn tallies(&self) -> [u64; 2] {
        let is_paused = matches!(self.state, MappingState::Disabled | MappingState::Disabling);
        [u64::from(self.has_problem()), u64::from(is_paused)]
    }

    fn part<'a>(&self, estate: &'a Estate) -> Option<PartState<'a>> {
        Some(PartState::of("Lambda consumers", &estate.mappings))
    }

    fn in_short(&self, _: &Model, _: &Site) -> Vec<String> {
        let result = self.last_result.as_ref().map(|result| format!("last result: {}", shown(result.as_str())));
        let why = self.reason.as_ref().map(|reason| format!("{}: {}", self.state.words(), shown(reason.as_str())));
        why.into_iter().chain(result).collect()
    }

    fn page(&self, page: &mut Page, model: &Model, _: &Site) {
        let (sign, role) = sign(self, model.look);
        let changed = self.changed_at.map(|at| format!(", changed {} ago", ago(at, model.now))).unwrap_or_default();
        page.pair("state", LABEL, &format!("{sign} {}{changed}", self.state.words()), role);
        if let Some(reason) = &self.reason {
            page.pair("because", LABEL, &shown(reason.as_str()), Role::Text);
        }
        if let Some(result) = &self.last_result {
            page.pair("last result", LABEL, &shown(result.as_str()), result_role(self));
        }
        page.pair("function", LABEL, &shown(self.function.as_str()), Role::Strong);
        page.pair("takes from", LABEL, &takes(self), Role::Text);
        page.pair("source", LABEL, &shown(&self.source_arn), Role::Text);
        let count = |count: Option<u32>, none: &str| count.map_or(none.to_owned(), |count| count.to_string());
        page.pair("batch", LABEL, &count(self.batch_size, "as Lambda sets it"), Role::Text);
        page.pair("calls at once", LABEL, &count(self.concurrency_max, "not limited by the mapping"), Role::Text);
        page.pair("mapping", LABEL, &shown(&self.id.0), Role::Text);
    }

    /// A pause is for all consumers of the queue that it takes from: one alone would let the others go on.
    fn meant(&self, site: &Site, command: Command) -> Result<Meant, Able> {
        let mapping = vec![self.id.0.clone()];
        let operation = match command {
            Command::Operate(OperationKind::EnableConsumers) => {
                Some(Operation::EnableConsumers(EnableConsumers { mapping, queue: None }))
            }
            Command::Operate(OperationKind::DisableConsumers) => {
                Some(Operation::DisableConsumers(DisableConsumers { mapping, queue: None }))
            }
            _ => None,
        };
        if let Some(operation) = operation {
            changes(site)?;
            return Ok(Meant::plan(site, operation));
        }
        let queue = self.queue.as_ref().map(|queue| queue.0.clone());
        paused(site, command, queue)
    }

    fn lines(&self, site: &Site) -> Vec<String> {
        lines(site)
    }
}

impl Thing for KafkaLag {
    fn id(&self) -> String {
        format!("{}/{}/{}", self.cluster, self.group, self.topic)
    }

    fn is_meant_by(&self, name: &str) -> bool {
        self.group.as_str() == name || self.is(name)
    }

    fn name(&self) -> &str {
        self.group.as_str()
    }

    fn whole_name(&self) -> String {
        shown(&format!("{} reads {} in {}", self.group, self.topic, self.cluster))
    }

    fn searched(&self) -> [String; 2] {
        [self.topic.to_string(), String::new()]
    }

    fn rank(&self) -> i64 {
        1 + MappingState::Enabled as i64
    }

    fn tallies(&self) -> [u64; 2] {
        [0, 0]
    }

    fn part<'a>(&self, estate: &'a Estate) -> Option<PartState<'a>> {
        Some(PartState::of("Kafka groups", &estate.lags))
    }

    fn in_short(&self, model: &Model, _: &Site) -> Vec<String> {
        sampled("behind", Some(&self.offsets), |value| number(value.round()), model).into_iter().collect()
    }

    fn page(&self, page: &mut Page, model: &Model, _: &Site) {
        gauge(page, model, "behind", Some(&self.offsets), whole, None);
        page.text("Offsets that were not read yet, summed over the partitions (AWS/Kafka, SumOffsetLag).", Role::Dim);
        page.pair("group", LABEL, &shown(self.group.as_str()), Role::Strong);
        page.pair("topic", LABEL, &shown(self.topic.as_str()), Role::Text);
        page.pair("MSK cluster", LABEL, &shown(self.cluster.as_str()), Role::Text);
    }

    fn meant(&self, site: &Site, command: Command) -> Result<Meant, Able> {
        match command {
            Command::Operate(OperationKind::EnableConsumers | OperationKind::DisableConsumers) => {
                Err(Able::no("only Lambda's mappings can be enabled and disabled"))
            }
            _ => paused(site, command, None),
        }
    }

    fn lines(&self, site: &Site) -> Vec<String> {
        lines(site)
    }
}

/// Pauses what takes from a queue, or resumes what was paused for it.
pub(super) fn paused(site: &Site, command: Command, queue: Option<String>) -> Result<Meant, Able> {
    let operation = match command {
        Command::Operate(OperationKind::ResumeConsumers) => {
            Operation::ResumeConsumers(ResumeConsumers { queue: queue.clone(), ..ResumeConsumers::default() })
        }
        Command::Operate(OperationKind::PauseConsumers) => Operation::PauseConsumers(PauseConsumers {
            queue: queue.clone().unwrap_or_default(),
            ..PauseConsumers::default()
        }),
        _ => return Err(Able::NotHere),
    };
    changes(site)?;
    match queue {
        Some(_) => Ok(Meant::plan(site, operation)),
        None => Err(Able::no("it takes from no queue of SQS")),
    }
}

fn lines(site: &Site) -> Vec<String> {
    vec![Text::line(&site.environment.command("consumers")).to_string()]
}
