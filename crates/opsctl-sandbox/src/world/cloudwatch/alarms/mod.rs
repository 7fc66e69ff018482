//! Alarms: on metrics, and composite ones.
//!
//! An alarm is evaluated once a minute, or every ten seconds where its period is shorter than a minute, on what could be seen then: whoever looks lets pass the time since the last
//! look, at most three hours of it. Composite alarms follow at once. Not simulated: anomaly bands, suppressors, log queries;
//! actions on scaling policies scale; others do nothing but stand in the history. Mute rules hold them back. A percentile is taken for the maximum: single samples are not kept.

mod acting;
mod describe;
mod evaluate;
mod history;
mod mute;
mod put;
mod request;
mod rule;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

pub(in crate::world) use acting::Acting;
use history::Change;
use mute::Mute;
use request::PutAlarm;
use rule::Rule;

use super::{math::Expression, notes::MINUTE, request::MetricName};
use crate::world::{Caller, World, call::Call};

/// Alarms of an account and region (CloudWatch quota).
const ALARMS_MAX: usize = 5_000;

#[derive(Debug, Default)]
pub(super) struct Alarms {
    by_place: BTreeMap<(String, String), Place>,
}

#[derive(Debug, Default)]
pub(super) struct Place {
    alarms: BTreeMap<String, Alarm>,
    mutes: BTreeMap<String, Mute>,
    /// Until when they were evaluated.
    evaluated_at: i64,
}

/// An alarm; times are milliseconds since 1970.
#[derive(Debug)]
struct Alarm {
    name: String,
    arn: String,
    description: Option<String>,
    actions_enabled: bool,
    /// By a mute rule.
    is_muted: bool,
    /// Whether its state changed while it was muted.
    is_held: bool,
    /// What is done on `OK`, `ALARM`, `INSUFFICIENT_DATA`.
    actions: [Vec<String>; 3],
    configured_at: i64,
    state: State,
    reason: String,
    reason_data: Option<Value>,
    /// When state or reason was written last.
    updated_at: i64,
    changed_at: i64,
    /// The oldest first; bounded.
    history: VecDeque<Change>,
    looks_at: LooksAt,
}

#[derive(Debug)]
enum LooksAt {
    Metric(Box<Watch>),
    Rule { text: String, rule: Rule },
}

#[derive(Debug)]
struct Watch {
    /// As asked for: told as it came.
    request: PutAlarm,
    source: Source,
    period: i64,
    evaluation_periods: usize,
    datapoints: usize,
    threshold: f64,
    comparison: Comparison,
    gaps: Gaps,
}

#[derive(Debug, Clone)]
enum Source {
    One(Stat),
    /// Named metrics, and what is made of them.
    Math {
        parts: Vec<(String, Stat)>,
        expression: Expression,
    },
}

#[derive(Debug, Clone)]
struct Stat {
    metric: MetricName,
    statistic: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", const_into_str)]
enum State {
    Ok,
    Alarm,
    InsufficientData,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "camelCase")]
enum Gaps {
    Missing,
    Ignore,
    Breaching,
    NotBreaching,
}

impl Comparison {
    const ALL: [(&'static str, &'static str, Self); 4] = [
        ("GreaterThanThreshold", "greater than", Self::Above),
        ("GreaterThanOrEqualToThreshold", "greater than or equal to", Self::AtLeast),
        ("LessThanThreshold", "less than", Self::Below),
        ("LessThanOrEqualToThreshold", "less than or equal to", Self::AtMost),
    ];

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, ..)| *known == name).map(|(_, _, comparison)| *comparison)
    }

    fn words(self) -> &'static str {
        Self::ALL.iter().find(|(.., comparison)| *comparison == self).map_or("", |(_, words, _)| words)
    }

    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Above => value > threshold,
            Self::AtLeast => value >= threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
        }
    }
}

impl Alarm {
    fn kind(&self) -> &'static str {
        match self.looks_at {
            LooksAt::Metric(_) => "MetricAlarm",
            LooksAt::Rule { .. } => "CompositeAlarm",
        }
    }

    /// Takes a state, with its reason; another one than before goes into the history, and so do its actions.
    fn turn(&mut self, at: i64, state: State, reason: String, data: Option<Value>) {
        let before = std::mem::replace(&mut self.state, state);
        self.reason = reason;
        self.reason_data = data;
        self.updated_at = at;
        if before != state {
            self.changed_at = at;
            self.note_change(at, before);
        }
    }
}

impl World {
    /// The alarms of the caller's place, evaluated up to now.
    pub(super) fn alarms(&mut self, call: Call<'_>) -> &mut Place {
        self.evaluate_alarms(call.now, call.caller);
        self.cloudwatch.alarms.place(call.now, call.caller)
    }

    /// Lets the alarms of a place look as if they had been there at `since` and evaluated from then on.
    pub(in crate::world) fn backdate_alarms(&mut self, caller: &Caller, since: jiff::Timestamp) {
        let at = since.as_millisecond();
        let place = self.cloudwatch.alarms.place(at, caller);
        place.evaluated_at = at.div_euclid(MINUTE) * MINUTE;
        for alarm in place.alarms.values_mut() {
            (alarm.configured_at, alarm.updated_at, alarm.changed_at) = (at, at, at);
            alarm.history.iter_mut().for_each(|change| change.at = at);
        }
    }
}

impl Alarms {
    fn place(&mut self, now: i64, caller: &Caller) -> &mut Place {
        let key = (caller.account.clone(), caller.region.clone());
        let minute = now.div_euclid(MINUTE) * MINUTE;
        self.by_place.entry(key).or_insert_with(|| Place { evaluated_at: minute, ..Place::default() })
    }
}
