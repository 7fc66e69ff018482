//! What takes messages: columns of the list, and what stands in them.

use super::{
    columns::{Line, Listed, Shape, begin, listed, number},
    rows::Order,
};
use crate::{
    domain::{
        Text,
        consumer::{KafkaLag, Mapping, MappingState},
    },
    fit::Align::{Left, Right},
    table::Cell,
    theme::{Look, Role},
};

const STATE: usize = 3;
const KIND: usize = 4;
const TAKES: usize = 5;
const BEHIND: usize = 6;
const BEHIND_ROAD: usize = 7;
const BATCH: usize = 8;
const AT_ONCE: usize = 9;
const CHANGED: usize = 10;
const RESULT: usize = 11;

pub(super) fn columns() -> Vec<Listed> {
    let mut all = begin("CONSUMER");
    all.extend([
        listed(STATE, "STATE", Shape(11, 14, Left, 17), "state", ["worst state first", "best state first"]),
        listed(KIND, "KIND", Shape(6, 6, Left, 9), "kind", ["Kafka groups first", "Lambda functions first"]),
        listed(
            TAKES,
            "TAKES FROM",
            Shape(14, 44, Left, 16),
            "what it takes from",
            ["by source", "by source, last first"],
        ),
        listed(
            BEHIND,
            "BEHIND",
            Shape(8, 10, Right, 14),
            "how far it lies behind",
            ["furthest behind first", "least behind first"],
        ),
        listed(
            BEHIND_ROAD,
            " LAST HOUR",
            Shape(16, 16, Left, 5),
            "lag over the last hour",
            ["fastest rising lag first", "fastest falling lag first"],
        ),
        listed(
            BATCH,
            "BATCH",
            Shape(5, 5, Right, 6),
            "messages of one call",
            ["largest batches first", "smallest batches first"],
        ),
        listed(
            AT_ONCE,
            "+AT ONCE",
            Shape(7, 7, Right, 4),
            "calls at once",
            ["most calls at once first", "fewest calls at once first"],
        ),
        listed(
            CHANGED,
            "CHANGED",
            Shape(7, 8, Right, 8),
            "when it was changed",
            ["changed last first", "changed longest ago first"],
        ),
        listed(
            RESULT,
            "LAST RESULT",
            Shape(14, 80, Left, 12),
            "last result",
            ["by last result", "by last result, last first"],
        ),
    ]);
    all
}

/// Whether its last call went wrong.
pub(super) fn has_problem(mapping: &Mapping) -> bool {
    mapping.has_problem()
}

pub(super) fn order(mapping: &Mapping, column: usize) -> Option<Order> {
    match column {
        STATE => Some(Order::Number(mapping.state as i64)),
        KIND => Some(Order::text("lambda")),
        TAKES => Some(Order::text(&takes(mapping))),
        BATCH => mapping.batch_size.map(|size| Order::most(f64::from(size))),
        AT_ONCE => mapping.concurrency_max.map(|most| Order::most(f64::from(most))),
        CHANGED => mapping.changed_at.map(|at| Order::Number(at.as_second().saturating_neg())),
        RESULT => mapping.last_result.as_ref().map(|result| Order::text(result.as_str())),
        _ => None,
    }
}

pub(super) fn order_of_lag(lag: &KafkaLag, column: usize) -> Option<Order> {
    match column {
        STATE => Some(Order::Number(MappingState::Enabled as i64)),
        KIND => Some(Order::text("kafka")),
        TAKES => Some(Order::text(lag.topic.as_str())),
        BEHIND => Some(Order::most(lag.offsets.value)),
        BEHIND_ROAD => Some(Order::most(lag.offsets.value - lag.offsets.recent.first()?.1)),
        _ => None,
    }
}

pub(super) fn cell<'a>(line: &Line<'a>, mapping: &Mapping, column: usize) -> Cell<'a> {
    let count = |count: Option<u32>| count.map_or_else(|| line.dim("-"), |count| line.text(count.to_string()));
    match column {
        STATE => {
            let (sign, role) = sign(mapping, line.look);
            Cell::new(format!("{sign} {}", mapping.state.words()), line.role(role))
        }
        KIND => line.text("Lambda"),
        TAKES => line.text(takes(mapping)),
        BATCH => count(mapping.batch_size),
        AT_ONCE => count(mapping.concurrency_max),
        CHANGED => line.ago(mapping.changed_at),
        RESULT => match &mapping.last_result {
            Some(result) => {
                let role = if has_problem(mapping) { Role::Warning } else { Role::Text };
                Cell::new(Text::line(result.as_str()).to_string(), line.role(role))
            }
            None => line.dim("-"),
        },
        _ => line.dim("-"),
    }
}

pub(super) fn cell_of_lag<'a>(line: &Line<'a>, lag: &KafkaLag, column: usize) -> Cell<'a> {
    match column {
        STATE => line.dim("-"),
        KIND => line.text("Kafka"),
        TAKES => line.text(Text::line(&format!("{} in {}", lag.topic, lag.cluster)).to_string()),
        BEHIND => line.sample(&lag.offsets, number(lag.offsets.value.round()), Role::Text),
        BEHIND_ROAD => line.road(Some(&lag.offsets), None),
        _ => line.dim("-"),
    }
}

/// The queue, or the end of the ARN of whatever else it reads.
pub(super) fn takes(mapping: &Mapping) -> String {
    let source = match &mapping.queue {
        Some(queue) => queue.as_str(),
        None => mapping.source_arn.rsplit(':').next().unwrap_or(&mapping.source_arn),
    };
    Text::line(source).to_string()
}

/// A state's sign.
pub(super) fn sign(mapping: &Mapping, look: Look) -> (&'static str, Role) {
    match mapping.state {
        _ if has_problem(mapping) => (look.sign("▲", "*"), Role::Warning),
        MappingState::Disabled => (look.sign("○", "o"), Role::Warning),
        MappingState::Disabling | MappingState::Deleting => (look.sign("↻", "~"), Role::Warning),
        MappingState::Enabling | MappingState::Creating | MappingState::Updating => (look.sign("↻", "~"), Role::Accent),
        MappingState::Enabled => (look.sign("●", "+"), Role::Good),
        MappingState::Other => (look.sign("•", "?"), Role::Warning),
    }
}
