//! Lambda event source mappings.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map::Entry},
};

use jiff::Timestamp;

use super::{Found, Look, PartName, Spec};
use crate::{
    domain::{
        Mapping, MappingState, QueueName, Text, Thresholds,
        environment::glob,
        words::{about_messages, some_of, span, thousands},
    },
    observe::{
        estate::{Row, settle},
        register::Register,
        snapshot::Seen,
        verdict::{Finding, Kind, NAMED, Scene, Severity, Subject, Verdict},
    },
};

pub(super) const MAPPINGS: Spec = Spec::listing(PartName::Mappings, 60, |_, asking| {
    let cloud = asking.cloud.clone();
    Some(Box::pin(async move {
        let mappings = cloud.lambda.mappings().await?;
        Ok(Found::put(move |register, at| register.mappings(at, mappings)))
    }))
});

impl Row for Mapping {
    type Kept = Self;

    fn order(&self, other: &Self) -> Ordering {
        (&self.function, &self.id).cmp(&(&other.function, &other.id))
    }

    fn keep(&self) -> Self {
        self.clone()
    }

    fn names(&self) -> Vec<&str> {
        let queue = self.queue.as_ref().map(|queue| queue.as_str());
        [self.id.0.as_str(), self.source_arn.as_str()].into_iter().chain(queue).collect()
    }
}

impl Register {
    pub(in crate::observe) fn mappings(&mut self, at: Timestamp, mappings: Vec<Mapping>) {
        let is_new = settle(&mut self.estate.mappings, mappings);
        self.came(Look::Mappings, at, is_new);
        self.note_unknown(Look::Mappings, Vec::new());
    }
}

/// Says what is wrong with mappings. What is said about a queue only because its consumer is paused goes: the consumer's verdict says
/// it, and why.
pub(super) fn judge(scene: &Scene<'_>, all: &mut Vec<Verdict>) {
    let snapshot = scene.snapshot;
    let queues: BTreeMap<&QueueName, &Seen> = snapshot.queues.iter().map(|seen| (&seen.name, &**seen)).collect();
    let mappings = &snapshot.estate.mappings;
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for mapping in &*mappings.rows {
        *times.entry(mapping.function.as_str()).or_default() += 1;
    }
    // One function may have several mappings, each with a queue of its own.
    let name_of = |mapping: &Mapping| match times.get(mapping.function.as_str()) {
        Some(0 | 1) | None => mapping.function.to_string(),
        Some(_) => mapping.function_and_source(),
    };
    let mut found: BTreeMap<String, Finding> = BTreeMap::new();
    let mut note = |name: String, finding: Finding| match found.entry(name) {
        Entry::Vacant(vacant) => drop(vacant.insert(finding)),
        Entry::Occupied(mut known) if finding.order() < known.get().order() => {
            known.insert(finding);
        }
        Entry::Occupied(_) => {}
    };
    for mapping in &*mappings.rows {
        let is_alone = || {
            let others = mappings.rows.iter().filter(|other| other.queue == mapping.queue && other.id != mapping.id);
            !others.into_iter().any(|other| other.takes())
        };
        let queue = mapping.queue.as_ref().and_then(|queue| queues.get(queue)).filter(|_| !mapping.takes());
        let paused =
            queue.filter(|_| is_alone()).and_then(|seen| paused(scene.thresholds, mapping, seen, all, scene.now));
        if let Some(finding) = paused {
            let queue = mapping.queue.clone().map(Subject::Queue);
            let is_same = |verdict: &Verdict| matches!(verdict.kind, Kind::ConsumerAbsent | Kind::Backlog);
            all.retain(|verdict| Some(&verdict.subject) != queue.as_ref() || !is_same(verdict));
            note(name_of(mapping), finding);
        } else if let Some(finding) = problem(mapping) {
            note(name_of(mapping), finding);
        }
    }
    if mappings.at.is_some() && mappings.error.is_none() {
        say_who_is_absent(scene, all);
    }
    all.extend(found.into_iter().map(|(name, finding)| scene.said_of(Subject::Consumer(name), finding, mappings.at)));
}
/// Adds to what is said of a queue that nobody takes from who should: no one, as far as is known, or who does not.
fn say_who_is_absent(scene: &Scene<'_>, all: &mut [Verdict]) {
    let rows = &scene.snapshot.estate.mappings.rows;
    let rules = &scene.environment.services;
    for verdict in all.iter_mut().filter(|verdict| verdict.kind == Kind::ConsumerAbsent) {
        let Subject::Queue(queue) = &verdict.subject else { continue };
        let mut who: Vec<String> = rows
            .iter()
            .filter(|mapping| mapping.queue.as_ref() == Some(queue))
            .map(|mapping| format!("{} ({})", mapping.function, mapping.state.words()))
            .collect();
        let workers = rules.consumers.iter().filter(|(pattern, _)| glob(pattern, queue.as_str()));
        who.extend(workers.map(|(_, worker)| format!("service {worker}")));
        let said = match who.is_empty() {
            true => "no event source mapping takes from it, and opsctl.toml names no consumer of it".to_owned(),
            false => format!("{} should", some_of(who.iter().map(String::as_str), NAMED)),
        };
        verdict.reason = Text::line(&format!("{}; {said}", verdict.reason));
    }
}

fn paused(thresholds: &Thresholds, mapping: &Mapping, seen: &Seen, all: &[Verdict], now: Timestamp) -> Option<Finding> {
    let visible = seen.queue.as_ref()?.counts.visible;
    let is_parked = thresholds.is_parked(seen.name.as_str()) || seen.dead_letters.is_some();
    if visible == 0 || is_parked || mapping.state == MappingState::Deleting {
        return None;
    }
    let since = mapping.changed_at.map(|at| format!(" since {}", span(now.duration_since(at)))).unwrap_or_default();
    let why = mapping.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let waiting = about_messages(visible);
    let wait = if visible == 1 { "waits" } else { "wait" };
    let state = mapping.state.words();
    let mut reason = format!("it is {state}{since}{why} while {waiting} {wait} in {}", seen.name);
    let backlog = thresholds.backlog_of(seen.name.as_str());
    let subject = Subject::Queue(seen.name.clone());
    let expires = all.iter().any(|verdict| verdict.kind == Kind::Expires && verdict.subject == subject);
    if visible > backlog {
        reason = format!("{reason}, over the threshold of {}", thousands(backlog));
    }
    let severity = if expires || visible > backlog { Severity::Critical } else { Severity::Warning };
    Some(Finding(Kind::ConsumerPaused, severity, reason))
}

fn problem(mapping: &Mapping) -> Option<Finding> {
    let result = mapping.last_result.as_ref().filter(|_| mapping.has_problem())?;
    mapping.takes().then(|| Finding(Kind::ConsumerProblem, Severity::Warning, format!("its last call: {result}")))
}
