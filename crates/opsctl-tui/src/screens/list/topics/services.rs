//! Services: columns of their list, what is said of one, what wakes it and puts it to sleep.

use jiff::Timestamp;

use crate::{
    domain::{
        Deployment, Environment, Rollout, Scaling, Service, ServiceId, Standing, Strategy, Task, Text,
        invocation::quoted,
    },
    keymap::{Command, Scope},
    observe::{Estate, PartName, SeenService, Snapshot, Subject},
    operations::OperationKind,
    screens::{
        list::{
            column::{Column, Line, Order, environment, falling, name, rising, shape, wide, worst},
            gaps,
            listed::{Head, List, Manner, OwnGroups, scan},
            thing::{LABEL, LINES_MAX, Meant, PartState, Thing, gauge, line_of, sampled, shown},
            topics::scaling::{meant, restarted, rolled_back, some, to_a_count},
        },
        screen::{Able, Tab},
    },
    state::{Look, Model, Page, Role, Site},
    widgets::{
        Cell,
        fit::Align::{Left, Right},
        page::bar,
        words::{ago, percent},
    },
};

const BAR: usize = 4;
const EVENTS_MAX: usize = 20;

pub(super) static LIST: List<SeenService> = List {
    head: Head {
        scope: Scope::Services,
        tab: Tab { command: Command::Services, title: "Services", short: "Services" },
        nouns: ["service", "services"],
        wanted: &[
            Command::Open,
            Command::Operate(OperationKind::Wake),
            Command::Operate(OperationKind::Sleep),
            Command::Operate(OperationKind::Migrate),
            Command::Filter,
            Command::Operate(OperationKind::Restart),
            Command::Operate(OperationKind::Rollback),
            Command::Select,
            Command::Group,
            Command::Sort,
            Command::Wide,
        ],
        sheet_ways: WAYS,
        tallies: [("failing or below desired", Role::Warning), ("asleep", Role::Text)],
        parts: &[PartName::Services],
        known: |estate| {
            vec![PartState { oldest: estate.services.oldest_at(), ..PartState::of("services", &estate.services) }]
        },
        is_about: |subject| matches!(subject, Subject::Service(_)),
        manner: Manner {
            groups: Some(OwnGroups {
                short: "by group",
                words: "grouped by what wakes and sleeps together",
                none: "in no group",
                per_environment: true,
                lone: true,
            }),
            selects: true,
            ..gaps::USUAL
        },
    },
    columns: &COLUMNS,
    count: |snapshot| snapshot.estate.services.rows.len(),
    at: |snapshot, row| snapshot.estate.services.rows.get(row).map(AsRef::as_ref),
    thing: |seen| seen,
    find: |snapshot, name| scan(rows(snapshot), name),
    meant,
};

const WAYS: &[(Command, &str)] = &[
    (Command::Operate(OperationKind::Wake), "wake"),
    (Command::Operate(OperationKind::Sleep), "sleep"),
    (Command::Operate(OperationKind::Restart), "restart"),
    (Command::Operate(OperationKind::Rollback), "roll back"),
];

static COLUMNS: [Column<SeenService>; 15] = [
    worst(),
    environment(),
    name("SERVICE", 14),
    Column {
        title: rising("state", ["worst state first", "best state first"]),
        shape: shape("STATE", 15, 15, Left, 17),
        order: |_, seen| Some(Order::Number(seen.service.standing() as i64)),
        cell: |line, seen| {
            let (sign, role) = sign(seen.service.standing(), line.look);
            line.told(format!("{sign} {}", seen.service.standing().into_str()), role)
        },
    },
    Column {
        title: falling("running tasks", ["most tasks first", "fewest tasks first"]),
        shape: shape("TASKS", 9, 13, Left, 16),
        order: |_, seen| Some(Order::most(f64::from(seen.service.running))),
        cell: running,
    },
    Column {
        title: falling("pending tasks", ["most pending first", "fewest pending first"]),
        shape: shape("PENDING", 7, 7, Right, 4),
        order: |_, seen| Some(Order::most(f64::from(seen.service.pending))),
        cell: |line, seen| match seen.service.pending {
            0 => line.dim("0"),
            pending => line.told(pending.to_string(), Role::Accent),
        },
    },
    Column {
        title: falling("CPU", ["most CPU first", "least CPU first"]),
        shape: shape("CPU", 5, 5, Right, 13),
        order: |_, seen| seen.cpu.as_ref().map(|gauge| Order::most(gauge.value)),
        cell: |line, seen| line.percent(seen.cpu.as_ref(), line.thresholds().service_cpu_percent),
    },
    Column {
        title: falling("CPU over the last hour", ["fastest rising CPU first", "fastest falling CPU first"]),
        shape: shape(" LAST HOUR", 16, 16, Left, 5),
        order: |_, seen| Order::rise(seen.cpu.as_ref()),
        cell: |line, seen| line.road(seen.cpu.as_ref(), Some(100.0)),
    },
    Column {
        title: falling("memory", ["most memory first", "least memory first"]),
        shape: shape("MEMORY", 6, 6, Right, 12),
        order: |_, seen| seen.memory.as_ref().map(|gauge| Order::most(gauge.value)),
        cell: |line, seen| line.percent(seen.memory.as_ref(), line.thresholds().service_memory_percent),
    },
    Column {
        title: wide(falling(
            "memory over the last hour",
            ["fastest rising memory first", "fastest falling memory first"],
        )),
        shape: shape(" LAST HOUR", 16, 16, Left, 3),
        order: |_, seen| Order::rise(seen.memory.as_ref()),
        cell: |line, seen| line.road(seen.memory.as_ref(), Some(100.0)),
    },
    Column {
        title: falling("bounds of autoscaling", ["largest maximum first", "smallest maximum first"]),
        shape: shape("SCALES", 8, 13, Left, 10),
        order: |_, seen| seen.scaling.as_ref().map(|scaling| Order::most(f64::from(scaling.max))),
        cell: scales,
    },
    Column {
        title: falling("time of the deployment", ["deployed last first", "deployed longest ago first"]),
        shape: shape("DEPLOYED", 8, 8, Right, 8),
        order: |_, seen| deployed_at(seen).map(Order::latest),
        cell: |line, seen| line.ago(deployed_at(seen)),
    },
    Column {
        title: rising("task definition", ["by task definition", "by task definition, last first"]),
        shape: shape("REVISION", 12, 30, Left, 4),
        order: |_, seen| Some(Order::text(&seen.service.task_definition.0)),
        cell: |line, seen| line.text(shown(&seen.service.task_definition.0)),
    },
    Column {
        title: wide(rising("ECS cluster", ["by ECS cluster", "by ECS cluster, last first"])),
        shape: shape("CLUSTER", 12, 30, Left, 4),
        order: |_, seen| Some(Order::text(&seen.service.id.cluster.0)),
        cell: |line, seen| line.text(shown(&seen.service.id.cluster.0)),
    },
    Column {
        title: falling("last event", ["latest event first", "oldest event first"]),
        shape: shape("LAST EVENT", 20, 120, Left, 7),
        order: |_, seen| seen.service.events.first().map(|event| Order::latest(event.at)),
        cell: |line, seen| {
            let event = seen.service.events.first();
            line.or_dash(event.map(|event| format!("{} ago: {}", ago(event.at, line.now), event_words(&event.message))))
        },
    },
];

fn rows(snapshot: &Snapshot) -> impl Iterator<Item = &SeenService> {
    snapshot.estate.services.rows.iter().map(AsRef::as_ref)
}

fn running<'a>(line: &Line<'a>, seen: &'a SeenService) -> Cell<'a> {
    let service = &seen.service;
    let role = match service.standing() {
        Standing::Failing | Standing::Below => Role::Warning,
        Standing::Deploying => Role::Text,
        // What is as it shall be stays in the background.
        Standing::Asleep | Standing::Steady => Role::Dim,
    };
    let coming = if service.pending > 0 { format!(" +{}", service.pending) } else { String::new() };
    line.told(format!("{}{coming}", tasks(service.running, service.desired, line.look)), role)
}

fn scales<'a>(line: &Line<'a>, seen: &'a SeenService) -> Cell<'a> {
    match &seen.scaling {
        Some(scaling) if scaling.in_suspended || scaling.out_suspended || scaling.scheduled_suspended => {
            line.told(format!("{}-{} held", scaling.min, scaling.max), Role::Warning)
        }
        Some(scaling) => line.text(format!("{}-{}", scaling.min, scaling.max)),
        None if scaling_is_unknown(line.site) => line.unknown(),
        None => line.dim("-"),
    }
}

fn deployed_at(seen: &SeenService) -> Option<Timestamp> {
    seen.service.primary()?.created_at
}

/// Whether autoscaling could not be asked for: then none is not the same as there being none.
fn scaling_is_unknown(site: &Site) -> bool {
    site.snapshot.as_ref().is_some_and(|snapshot| snapshot.estate.services.is_scaling_unknown())
}

/// `██░░ 2/4`.
fn tasks(running: u32, desired: u32, look: Look) -> String {
    if desired == 0 {
        return format!("{:BAR$} {running}/0", "");
    }
    let (done, open) = bar(f64::from(running) / f64::from(desired), BAR, look);
    format!("{done}{open} {running}/{desired}")
}

/// `1 to 4`, with what is suspended.
fn bounds(scaling: &Scaling) -> String {
    let Scaling { min, max, .. } = scaling;
    let suspended = suspended(scaling, ["in", "out", "schedule"]);
    match suspended.is_empty() {
        true => format!("{min} to {max}"),
        false => format!("{min} to {max}, suspended: {}", suspended.join(" ")),
    }
}

/// What of it is suspended, by these names: scaling in, out, scheduled actions.
fn suspended(scaling: &Scaling, names: [&'static str; 3]) -> Vec<&'static str> {
    let flags = [scaling.in_suspended, scaling.out_suspended, scaling.scheduled_suspended];
    names.into_iter().zip(flags).filter(|(_, flag)| *flag).map(|(name, _)| name).collect()
}

/// An event without the name that its row has anyway: `(service api) has reached a steady state.`
fn event_words(message: &Text) -> String {
    let text = shown(message.as_str());
    match text.strip_prefix("(service ").and_then(|rest| rest.split_once(") ")) {
        Some((_, rest)) => rest.to_owned(),
        None => text,
    }
}

fn sign(standing: Standing, look: Look) -> (&'static str, Role) {
    match standing {
        Standing::Failing => (look.sign("✖", "!"), Role::Critical),
        Standing::Below => (look.sign("▲", "*"), Role::Warning),
        Standing::Asleep => (look.sign("○", "o"), Role::Dim),
        Standing::Deploying => (look.sign("↻", "~"), Role::Accent),
        Standing::Steady => (look.sign("●", "+"), Role::Good),
    }
}

fn rollout(state: Option<Rollout>) -> (&'static str, Role) {
    match state {
        Some(Rollout::Completed) => ("completed", Role::Good),
        Some(Rollout::InProgress) => ("in progress", Role::Accent),
        Some(Rollout::Failed) => ("failed", Role::Critical),
        Some(Rollout::Other) => ("in a state unknown here", Role::Warning),
        None => ("without a state", Role::Dim),
    }
}

impl Thing for SeenService {
    fn id(&self) -> String {
        self.service.id.to_string()
    }

    fn is(&self, id: &str) -> bool {
        let service = &self.service.id;
        let rest = id.strip_prefix(service.cluster.0.as_str()).and_then(|rest| rest.strip_prefix('/'));
        rest == Some(service.name.0.as_str())
    }

    fn name(&self) -> &str {
        &self.service.id.name.0
    }

    fn whole_name(&self) -> String {
        shown(&self.id())
    }

    fn searched(&self) -> [String; 2] {
        [self.id(), self.service.standing().into_str().to_owned()]
    }

    fn rank(&self) -> i64 {
        self.service.standing() as i64
    }

    fn tallies(&self) -> [u64; 2] {
        let standing = self.service.standing();
        let is_unwell = matches!(standing, Standing::Failing | Standing::Below);
        [u64::from(is_unwell), u64::from(standing == Standing::Asleep)]
    }

    fn group<'a>(&'a self, environment: &'a Environment) -> Option<&'a str> {
        environment.services.groups_of(&self.service.id).next().map(|group| group.name.as_str())
    }

    fn part<'a>(&self, estate: &'a Estate) -> Option<PartState<'a>> {
        let part = PartState::of("services", &estate.services);
        // Its cluster may not have answered, though others did.
        Some(PartState { at: part.at.filter(|_| self.seen_at.is_none()), ..part })
    }

    fn in_short(&self, model: &Model, site: &Site) -> Vec<String> {
        let service = &self.service;
        let mut parts = Vec::new();
        let failed = service.deployments.iter().filter(|deployment| deployment.rollout == Some(Rollout::Failed));
        let reason = failed.filter_map(|deployment| deployment.rollout_reason.as_ref()).next();
        parts.extend(reason.map(|reason| shown(reason.as_str())));
        if let Some(stopped) = self.stopped.first() {
            parts
                .push(shown(&format!("a task stopped: {}", stopped.stopped_words().unwrap_or_else(|| "?".to_owned()))));
        }
        for group in site.environment.services.groups_of(&service.id) {
            let always = if group.is_always_on(&service.id) { ", always on" } else { "" };
            parts.push(shown(&format!("group {}{always}", group.name)));
        }
        if let Some((standing, since)) = self.since {
            parts.push(format!("{} for {}", standing.into_str(), ago(since, model.now)));
        }
        parts.extend(sampled("CPU", self.cpu.as_ref(), percent, model));
        parts.extend(sampled("memory", self.memory.as_ref(), percent, model));
        if let Some(event) = service.events.first() {
            parts.push(format!("{} ago: {}", ago(event.at, model.now), shown(event.message.as_str())));
        }
        parts
    }

    fn page(&self, page: &mut Page, model: &Model, site: &Site) {
        let service = &self.service;
        let (sign, role) = sign(service.standing(), model.look);
        let since = self.since.map(|(_, at)| format!(", for {}", ago(at, model.now))).unwrap_or_default();
        page.pair("state", LABEL, &format!("{sign} {}{since}", service.standing().into_str()), role);
        let running = tasks(service.running, service.desired, model.look);
        page.pair("tasks", LABEL, &format!("{running} run, {} pending", service.pending), Role::Strong);
        if service.status.as_str() != "ACTIVE" {
            page.pair("status", LABEL, &shown(service.status.as_str()), Role::Warning);
        }
        gauge(page, model, "CPU", self.cpu.as_ref(), percent, Some(100.0));
        gauge(page, model, "memory", self.memory.as_ref(), percent, Some(100.0));
        page.pair("revision", LABEL, &shown(&service.task_definition.0), Role::Text);
        for group in site.environment.services.groups_of(&service.id) {
            let always = if group.is_always_on(&service.id) { ": always on" } else { "" };
            page.pair("group", LABEL, &shown(&format!("{}{always}", group.name)), Role::Text);
        }
        surroundings(page, service);
        scaling(page, site, self);
        page.blank();
        page.heading("Deployments");
        for deployment in service.deployments.iter().take(LINES_MAX) {
            of_deployment(page, model, deployment);
        }
        stopped(page, model, &self.stopped);
        page.blank();
        page.heading("Events");
        for event in service.events.iter().take(EVENTS_MAX) {
            let at = event.at.strftime("%m-%d %H:%M:%S").to_string();
            page.pair(&at, LABEL, &shown(event.message.as_str()), Role::Text);
        }
        if service.events.is_empty() {
            page.text("ECS tells of none.", Role::Dim);
        }
        if service.events.len() > EVENTS_MAX {
            page.text(&format!("and {} older", service.events.len() - EVENTS_MAX), Role::Dim);
        }
    }

    fn meant(&self, site: &Site, command: Command) -> Result<Meant, Able> {
        match command {
            Command::Operate(OperationKind::Wake) | Command::Operate(OperationKind::Sleep) => {
                some(site, command, &[self])
            }
            Command::Operate(OperationKind::Scale) => to_a_count(site, self),
            Command::Operate(OperationKind::Restart) => restarted(site, &[self]),
            Command::Operate(OperationKind::Rollback) => rolled_back(site, self),
            _ => Err(Able::NotHere),
        }
    }

    fn ways(&self) -> &'static [(Command, &'static str)] {
        WAYS
    }

    fn lines(&self, site: &Site) -> Vec<String> {
        let woken = match self.service.desired {
            0 => some(site, Command::Operate(OperationKind::Wake), &[self]),
            _ => Err(Able::NotHere),
        };
        vec![line_of(site, woken, &format!("services {}", quoted(&self.id())))]
    }

    fn service(&self) -> Option<ServiceId> {
        Some(self.service.id.clone())
    }
}

/// How ECS runs and deploys it, as far as that is not what everybody expects.
fn surroundings(page: &mut Page, service: &Service) {
    if !service.is_active() {
        page.pair("status", LABEL, &shown(service.status.as_str()), Role::Warning);
    }
    if service.placement.is_daemon {
        page.pair("scheduling", LABEL, "DAEMON: one task on each container instance", Role::Text);
    }
    if let Some(words) = service.placement.words().filter(|words| words != "FARGATE") {
        page.pair("runs on", LABEL, &shown(&words), Role::Text);
    }
    if let Some(controller) = &service.replacing.controller {
        page.pair("deployed by", LABEL, &shown(controller.as_str()), Role::Text);
    }
    if service.replacing.strategy != Strategy::Rolling {
        let bake = service.replacing.bake_minutes;
        let bake = if bake > 0 { format!(", bake time {bake} min") } else { String::new() };
        page.pair("strategy", LABEL, &format!("{}{bake}", service.replacing.strategy), Role::Text);
    }
}

fn scaling(page: &mut Page, site: &Site, seen: &SeenService) {
    let Some(scaling) = &seen.scaling else {
        let words = match scaling_is_unknown(site) {
            true => "not known: it could not be asked for",
            false => "none: the count stays as it is set",
        };
        return page.pair("autoscaling", LABEL, words, Role::Dim);
    };
    page.pair("autoscaling", LABEL, &bounds(scaling), Role::Text);
    let suspended = suspended(scaling, ["scaling in", "scaling out", "scheduled actions"]);
    if !suspended.is_empty() {
        page.pair("suspended", LABEL, &suspended.join(", "), Role::Warning);
    }
    for action in scaling.actions.iter().take(LINES_MAX) {
        let bound = |name: &str, count: Option<u32>| count.map(|count| format!(", {name} {count}")).unwrap_or_default();
        let zone = action.timezone.as_ref().map_or("UTC", Text::as_str);
        let (least, most) = (bound("minimum", action.min), bound("maximum", action.max));
        let words = format!("{}: {} {zone}{least}{most}", action.name, action.schedule);
        page.pair("scheduled", LABEL, &shown(&words), Role::Text);
    }
}

fn of_deployment(page: &mut Page, model: &Model, deployment: &Deployment) {
    let (words, role) = rollout(deployment.rollout);
    let place = if deployment.is_primary { "newest" } else { "earlier" };
    let made = deployment.created_at.map(|at| format!(", made {} ago", ago(at, model.now))).unwrap_or_default();
    let failed = if deployment.failed > 0 { format!(", {} failed to start", deployment.failed) } else { String::new() };
    let counts = format!("{}/{} run, {} pending{failed}", deployment.running, deployment.desired, deployment.pending);
    let text = format!("{words}: {}, {counts}{made}", deployment.task_definition.0);
    page.pair(place, LABEL, &shown(&text), role);
    if let Some(reason) = deployment.rollout_reason.as_ref().filter(|reason| !reason.is_empty()) {
        page.pair("", LABEL, &shown(reason.as_str()), Role::Dim);
    }
}

fn stopped(page: &mut Page, model: &Model, tasks: &[Task]) {
    if tasks.is_empty() {
        return;
    }
    page.blank();
    page.heading("Tasks that stopped within the hour");
    for task in tasks.iter().take(LINES_MAX) {
        let when = task.stopped_at.map_or("-".to_owned(), |at| format!("{} ago", ago(at, model.now)));
        page.pair(&when, LABEL, &shown(&task.stopped_words().unwrap_or_else(|| "?".to_owned())), Role::Text);
    }
}
