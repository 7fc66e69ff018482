//! Services: columns of their list, and what stands in them.

use jiff::Timestamp;

use super::{
    columns::{Line, Listed, Shape, ago, begin, listed},
    rows::Order,
};
use crate::{
    domain::{
        Text,
        service::{Rollout, Scaling, Standing},
    },
    fit::Align::{Left, Right},
    observe::{Estate, SeenService},
    page::bar,
    table::Cell,
    theme::{Look, Role},
};

/// CPU or memory in use that is worth a look, percent (alarms of system 4).
const MUCH: f64 = 80.0;
/// Columns of the bar of running tasks.
const BAR: usize = 4;

const STATE: usize = 3;
const TASKS: usize = 4;
const PENDING: usize = 5;
const CPU: usize = 6;
const CPU_ROAD: usize = 7;
const MEMORY: usize = 8;
const MEMORY_ROAD: usize = 9;
const SCALING: usize = 10;
const DEPLOYED: usize = 11;
const REVISION: usize = 12;
const CLUSTER: usize = 13;
const EVENT: usize = 14;

pub(super) fn columns() -> Vec<Listed> {
    let mut all = begin("SERVICE");
    all.extend([
        listed(STATE, "STATE", Shape(15, 15, Left, 17), "state", ["worst state first", "best state first"]),
        listed(TASKS, "TASKS", Shape(9, 13, Left, 16), "running tasks", ["most tasks first", "fewest tasks first"]),
        listed(
            PENDING,
            "PENDING",
            Shape(7, 7, Right, 4),
            "pending tasks",
            ["most pending first", "fewest pending first"],
        ),
        listed(CPU, "CPU", Shape(5, 5, Right, 13), "CPU", ["most CPU first", "least CPU first"]),
        listed(
            CPU_ROAD,
            " LAST HOUR",
            Shape(16, 16, Left, 5),
            "CPU over the last hour",
            ["fastest rising CPU first", "fastest falling CPU first"],
        ),
        listed(MEMORY, "MEMORY", Shape(6, 6, Right, 12), "memory", ["most memory first", "least memory first"]),
        listed(
            MEMORY_ROAD,
            "+ LAST HOUR",
            Shape(16, 16, Left, 3),
            "memory over the last hour",
            ["fastest rising memory first", "fastest falling memory first"],
        ),
        listed(
            SCALING,
            "SCALES",
            Shape(8, 13, Left, 10),
            "bounds of autoscaling",
            ["largest maximum first", "smallest maximum first"],
        ),
        listed(
            DEPLOYED,
            "DEPLOYED",
            Shape(8, 8, Right, 8),
            "time of the deployment",
            ["deployed last first", "deployed longest ago first"],
        ),
        listed(
            REVISION,
            "REVISION",
            Shape(12, 30, Left, 4),
            "task definition",
            ["by task definition", "by task definition, last first"],
        ),
        listed(
            CLUSTER,
            "+CLUSTER",
            Shape(12, 30, Left, 4),
            "ECS cluster",
            ["by ECS cluster", "by ECS cluster, last first"],
        ),
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

/// When the newest deployment was made.
fn deployed_at(seen: &SeenService) -> Option<Timestamp> {
    seen.service.primary()?.created_at
}

fn latest(at: Timestamp) -> Order {
    Order::Number(at.as_second().saturating_neg())
}

fn rise(gauge: Option<&crate::domain::gauge::Gauge>) -> Option<Order> {
    let gauge = gauge?;
    let (_, first) = gauge.recent.first()?;
    Some(Order::most(gauge.value - first))
}

pub(super) fn order(seen: &SeenService, column: usize) -> Option<Order> {
    let service = &seen.service;
    match column {
        STATE => Some(Order::Number(service.standing() as i64)),
        TASKS => Some(Order::most(f64::from(service.running))),
        PENDING => Some(Order::most(f64::from(service.pending))),
        CPU => seen.cpu.as_ref().map(|gauge| Order::most(gauge.value)),
        CPU_ROAD => rise(seen.cpu.as_ref()),
        MEMORY => seen.memory.as_ref().map(|gauge| Order::most(gauge.value)),
        MEMORY_ROAD => rise(seen.memory.as_ref()),
        SCALING => seen.scaling.as_ref().map(|scaling| Order::most(f64::from(scaling.max))),
        DEPLOYED => deployed_at(seen).map(latest),
        REVISION => Some(Order::text(&service.task_definition.0)),
        CLUSTER => Some(Order::text(&service.id.cluster.0)),
        _ => service.events.first().map(|event| latest(event.at)),
    }
}

pub(super) fn cell<'a>(line: &Line<'a>, seen: &SeenService, estate: &Estate, column: usize) -> Cell<'a> {
    let service = &seen.service;
    match column {
        STATE => {
            let (sign, role) = sign(service.standing(), line.look);
            Cell::new(format!("{sign} {}", service.standing().words()), line.role(role))
        }
        TASKS => {
            let role = match service.standing() {
                Standing::Failing | Standing::Below => Role::Warning,
                Standing::Deploying => Role::Text,
                // What is as it shall be stays in the background.
                Standing::Asleep | Standing::Steady => Role::Dim,
            };
            let coming = if service.pending > 0 { format!(" +{}", service.pending) } else { String::new() };
            let counts = tasks(service.running, service.desired, line.look);
            Cell::new(format!("{counts}{coming}"), line.role(role))
        }
        PENDING if service.pending == 0 => line.dim("0"),
        PENDING => Cell::new(service.pending.to_string(), line.role(Role::Accent)),
        CPU => line.percent(seen.cpu.as_ref(), MUCH),
        CPU_ROAD => line.road(seen.cpu.as_ref(), Some(100.0)),
        MEMORY => line.percent(seen.memory.as_ref(), MUCH),
        MEMORY_ROAD => line.road(seen.memory.as_ref(), Some(100.0)),
        SCALING => match &seen.scaling {
            Some(scaling) if scaling.in_suspended || scaling.out_suspended || scaling.scheduled_suspended => {
                Cell::new(format!("{}-{} held", scaling.min, scaling.max), line.role(Role::Warning))
            }
            Some(scaling) => line.text(format!("{}-{}", scaling.min, scaling.max)),
            None if estate.services.is_scaling_unknown() => line.unknown(),
            None => line.dim("-"),
        },
        DEPLOYED => line.ago(deployed_at(seen)),
        REVISION => line.text(Text::line(&service.task_definition.0).to_string()),
        CLUSTER => line.text(Text::line(&service.id.cluster.0).to_string()),
        _ => match service.events.first() {
            Some(event) => line.text(format!("{} ago: {}", ago(event.at, line.now), event_words(&event.message))),
            None => line.dim("-"),
        },
    }
}

/// `██░░ 2/4`.
pub(super) fn tasks(running: u32, desired: u32, look: Look) -> String {
    if desired == 0 {
        return format!("{:BAR$} {running}/0", "");
    }
    let (done, open) = bar(f64::from(running) / f64::from(desired), BAR, look);
    format!("{done}{open} {running}/{desired}")
}

/// `1 to 4`, with what is suspended.
pub(super) fn bounds(scaling: &Scaling) -> String {
    let Scaling { min, max, in_suspended, out_suspended, scheduled_suspended, .. } = scaling;
    let flags = [(in_suspended, "in"), (out_suspended, "out"), (scheduled_suspended, "schedule")];
    let suspended: Vec<&str> = flags.iter().filter(|(flag, _)| **flag).map(|(_, name)| *name).collect();
    match suspended.is_empty() {
        true => format!("{min} to {max}"),
        false => format!("{min} to {max}, suspended: {}", suspended.join(" ")),
    }
}

/// An event without the name that its row has anyway: `(service api) has reached a steady state.`
pub(super) fn event_words(message: &Text) -> String {
    let text = Text::line(message.as_str()).to_string();
    match text.strip_prefix("(service ").and_then(|rest| rest.split_once(") ")) {
        Some((_, rest)) => rest.to_owned(),
        None => text,
    }
}

/// A state's sign.
pub(super) fn sign(standing: Standing, look: Look) -> (&'static str, Role) {
    match standing {
        Standing::Failing => (look.sign("✖", "!"), Role::Critical),
        Standing::Below => (look.sign("▲", "*"), Role::Warning),
        Standing::Asleep => (look.sign("○", "o"), Role::Dim),
        Standing::Deploying => (look.sign("↻", "~"), Role::Accent),
        Standing::Steady => (look.sign("●", "+"), Role::Good),
    }
}

/// How far a deployment is, in words.
pub(super) fn rollout(state: Option<Rollout>) -> (&'static str, Role) {
    match state {
        Some(Rollout::Completed) => ("completed", Role::Good),
        Some(Rollout::InProgress) => ("in progress", Role::Accent),
        Some(Rollout::Failed) => ("failed", Role::Critical),
        Some(Rollout::Other) => ("in a state unknown here", Role::Warning),
        None => ("without a state", Role::Dim),
    }
}
