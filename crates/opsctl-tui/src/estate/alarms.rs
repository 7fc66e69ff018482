//! CloudWatch alarms: columns of their list, and what stands in them.

use super::{
    columns::{Line, Listed, Shape, begin, listed, number},
    rows::Order,
};
use crate::{
    domain::{
        Text,
        alarm::{Alarm, AlarmState, Watches},
    },
    fit::Align::{Left, Right},
    table::Cell,
    theme::{Look, Role},
};

const STATE: usize = 3;
const WATCHES: usize = 4;
const THRESHOLD: usize = 5;
const SINCE: usize = 6;
const MUTED: usize = 7;
const REASON: usize = 8;

pub(super) fn columns() -> Vec<Listed> {
    let mut all = begin("ALARM");
    all.extend([
        listed(STATE, "STATE", Shape(9, 9, Left, 17), "state", ["worst state first", "best state first"]),
        listed(WATCHES, "WATCHES", Shape(14, 44, Left, 14), "what it watches", ["by metric", "by metric, last first"]),
        listed(
            THRESHOLD,
            "THRESHOLD",
            Shape(9, 12, Left, 15),
            "threshold",
            ["highest threshold first", "lowest threshold first"],
        ),
        listed(
            SINCE,
            "SINCE",
            Shape(7, 8, Right, 16),
            "since when",
            ["changed last first", "changed longest ago first"],
        ),
        listed(
            MUTED,
            "TELLS",
            Shape(5, 5, Left, 6),
            "whether it tells anybody",
            ["muted ones first", "muted ones last"],
        ),
        listed(REASON, "REASON", Shape(16, 140, Left, 9), "reason", ["by reason", "by reason, last first"]),
    ]);
    all
}

pub(super) fn order(alarm: &Alarm, column: usize) -> Option<Order> {
    match column {
        STATE => Some(Order::Number(alarm.state as i64)),
        WATCHES => Some(Order::text(&watches(alarm))),
        THRESHOLD => match &alarm.watches {
            Watches::Metric { threshold, .. } => threshold.map(Order::most),
            Watches::Rule { .. } => None,
        },
        SINCE => alarm.since.map(|at| Order::Number(at.as_second().saturating_neg())),
        MUTED => Some(Order::Number(i64::from(alarm.actions_enabled))),
        _ => Some(Order::text(alarm.reason.as_str())),
    }
}

pub(super) fn cell<'a>(line: &Line<'a>, alarm: &Alarm, column: usize) -> Cell<'a> {
    match column {
        STATE => {
            let (sign, role) = sign(alarm.state, line.look);
            Cell::new(format!("{sign} {}", alarm.state.words()), line.role(role))
        }
        WATCHES => line.text(watches(alarm)),
        THRESHOLD => match threshold(alarm) {
            Some(words) => line.text(words),
            None => line.dim("-"),
        },
        SINCE => line.ago(alarm.since),
        MUTED if alarm.actions_enabled => line.dim("yes"),
        MUTED => Cell::new("muted", line.role(Role::Warning)),
        _ => line.text(Text::line(alarm.reason.as_str()).to_string()),
    }
}

/// A state's sign. That CloudWatch can't tell is not the same as well.
pub(super) fn sign(state: AlarmState, look: Look) -> (&'static str, Role) {
    match state {
        AlarmState::Alarm => (look.sign("✖", "!"), Role::Critical),
        AlarmState::InsufficientData => (look.sign("○", "?"), Role::Warning),
        AlarmState::Ok => (look.sign("●", "+"), Role::Good),
    }
}

/// What it watches: `CPUUtilization of api`, or the rule of a composite one.
pub(super) fn watches(alarm: &Alarm) -> String {
    let text = match &alarm.watches {
        Watches::Metric { metric, dimensions, .. } => {
            // The last tells them apart: AWS names what holds the others first.
            let of = dimensions.last().map(|(_, value)| format!(" of {value}")).unwrap_or_default();
            format!("{metric}{of}")
        }
        Watches::Rule { rule } => rule.to_string(),
    };
    Text::line(&text).to_string()
}

/// `> 80`, in CloudWatch's unit; none: a band of normal values, or a composite one.
pub(super) fn threshold(alarm: &Alarm) -> Option<String> {
    match &alarm.watches {
        Watches::Metric { threshold: Some(threshold), comparison, .. } => {
            Some(format!("{} {}", compares(comparison.as_str()), number(*threshold)))
        }
        Watches::Metric { threshold: None, .. } => Some("a band".to_owned()),
        Watches::Rule { .. } => None,
    }
}

/// A comparison's sign; one that is not known stays as it is.
pub(super) fn compares(comparison: &str) -> &str {
    match comparison {
        "GreaterThanThreshold" => ">",
        "GreaterThanOrEqualToThreshold" => ">=",
        "LessThanThreshold" => "<",
        "LessThanOrEqualToThreshold" => "<=",
        other => other,
    }
}
