//! Verdicts on what takes messages: Lambda event source mappings, groups that read Kafka.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Finding, Kind, Severity, Subject, Verdict, aged, is_fresh, said_of};
use crate::{
    domain::{
        Environment, QueueName, Thresholds,
        consumer::{KafkaLag, Mapping, MappingState},
    },
    observe::{
        snapshot::{Seen, Snapshot},
        words::{about_messages, span, thousands},
    },
};

/// Says what is wrong with consumers. What `all` says about a queue only because its consumer is paused goes: the consumer's verdict
/// says it, and why.
pub(super) fn verdicts(
    environment: &Environment,
    thresholds: &Thresholds,
    snapshot: &Snapshot,
    all: &mut Vec<Verdict>,
    now: Timestamp,
) -> Vec<Verdict> {
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
    let mut note = |name: String, finding: Finding| {
        let known = found.get(&name);
        if known.is_none_or(|known| (finding.1, finding.0) < (known.1, known.0)) {
            found.insert(name, finding);
        }
    };
    for mapping in &*mappings.rows {
        let is_alone = || {
            let others = mappings.rows.iter().filter(|other| other.queue == mapping.queue && other.id != mapping.id);
            !others.into_iter().any(|other| takes(other.state))
        };
        let queue = mapping.queue.as_ref().and_then(|queue| queues.get(queue)).filter(|_| !takes(mapping.state));
        if let Some(finding) = queue.filter(|_| is_alone()).and_then(|seen| paused(thresholds, mapping, seen, all, now))
        {
            let queue = mapping.queue.clone().map(Subject::Queue);
            let is_same = |verdict: &Verdict| matches!(verdict.kind, Kind::ConsumerAbsent | Kind::Backlog);
            all.retain(|verdict| Some(&verdict.subject) != queue.as_ref() || !is_same(verdict));
            note(name_of(mapping), finding);
        } else if let Some(finding) = problem(mapping) {
            note(name_of(mapping), finding);
        }
    }
    let mut said: Vec<Verdict> = Vec::new();
    for (name, Finding(kind, severity, reason)) in found {
        let finding = Finding(kind, severity, aged(reason, mappings.at, now));
        said.push(said_of(environment, Subject::Consumer(name), finding));
    }
    let lags = snapshot.estate.lags.rows.iter().filter_map(|lag| behind(thresholds, lag, now));
    said.extend(lags.map(|(name, finding)| said_of(environment, Subject::Consumer(name), finding)));
    said
}

/// Whether messages are taken, or soon will be.
fn takes(state: MappingState) -> bool {
    match state {
        MappingState::Disabled | MappingState::Disabling | MappingState::Deleting => false,
        MappingState::Enabling
        | MappingState::Creating
        | MappingState::Updating
        | MappingState::Enabled
        | MappingState::Other => true,
    }
}

/// It takes nothing while messages wait.
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
    takes(mapping.state).then(|| Finding(Kind::ConsumerProblem, Severity::Warning, format!("its last call: {result}")))
}

fn behind(thresholds: &Thresholds, lag: &KafkaLag, now: Timestamp) -> Option<(String, Finding)> {
    let (offsets, most) = (&lag.offsets, thresholds.kafka_lag_offsets);
    if !is_fresh(offsets, now) || offsets.value <= most as f64 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; more than the threshold")]
    let behind = offsets.value as u64;
    let grown = offsets.recent.first().filter(|(_, value)| *value < offsets.value).map(|(at, value)| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; positive")]
        let more = (offsets.value - value) as u64;
        format!(", +{} in {}", thousands(more), span(offsets.at.duration_since(*at)))
    });
    let ago = span(now.duration_since(offsets.at));
    let (behind, most) = (thousands(behind), thousands(most));
    let reason =
        format!("{behind} offsets behind, over the threshold of {most}{} ({ago} ago)", grown.unwrap_or_default());
    let name = format!("{}/{}/{}", lag.cluster, lag.group, lag.topic);
    Some((name, Finding(Kind::KafkaLag, Severity::Warning, reason)))
}
