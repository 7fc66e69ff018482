//! Verdicts on CloudWatch alarms, as far as nothing else says the same.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::rule;
use crate::{
    domain::{
        Alarm, AlarmState, ServiceId, Standing, Text, Watches,
        words::{some_of, span},
    },
    observe::{
        snapshot::Snapshot,
        verdict::{Finding, Kind, NAMED, Scene, Severity, Subject, Verdict},
    },
};

/// An alarm that has had no data for longer has none as a rule: nobody is told any more.
const BLIND_NEW: SignedDuration = SignedDuration::from_hours(1);

/// Says which alarms fire. One about something that `all` speaks of already is named there; those that a composite alarm is made
/// of are named with it.
pub(in crate::observe::parts) fn judge(scene: &Scene<'_>, all: &mut Vec<Verdict>) {
    let Scene { snapshot, now, .. } = *scene;
    let part = &snapshot.estate.alarms;
    let firing: Vec<&Alarm> = part.rows.iter().map(|row| &**row).filter(|row| row.is_trouble()).collect();
    let told = told_by_rules(&firing);
    let about = About::new(snapshot);
    let mut beside: BTreeMap<Subject, Vec<&Alarm>> = BTreeMap::new();
    let mut said = Vec::new();
    for alarm in &firing {
        let is_said = |subject: &Subject| all.iter().any(|verdict| verdict.subject == *subject);
        match about.subjects(alarm).into_iter().find(is_said) {
            Some(subject) => beside.entry(subject).or_default().push(alarm),
            None if told.contains(alarm.name.as_str()) => {}
            None => said.push((alarm.name.clone(), fires(alarm, &firing, now))),
        }
    }
    for verdict in all.iter_mut() {
        if let Some(alarms) = beside.get(&verdict.subject) {
            tell_beside(verdict, alarms);
        }
    }
    let said = said.into_iter().map(|(name, finding)| scene.said_of(Subject::Alarm(name), finding, part.at));
    all.extend(said.chain(blind(scene, &about)));
}

/// Alarms that fire and of which a composite alarm that fires is made. One that tells nobody tells of no alarm that does.
fn told_by_rules<'a>(firing: &[&'a Alarm]) -> BTreeSet<&'a str> {
    let mut told = BTreeSet::new();
    // Composites of composites: only what is no rule is folded, so that two that name each other are both told.
    let children: Vec<&'a Alarm> =
        firing.iter().copied().filter(|alarm| matches!(alarm.watches, Watches::Metric { .. })).collect();
    for composite in firing {
        let Watches::Rule { rule: text } = &composite.watches else { continue };
        let names = rule::alarms_in(text.as_str());
        let is_told =
            |child: &&&Alarm| (!composite.is_muted() || child.is_muted()) && names.contains(child.name.as_str());
        told.extend(children.iter().filter(is_told).map(|alarm| alarm.name.as_str()));
    }
    told
}

fn fires(alarm: &Alarm, firing: &[&Alarm], now: Timestamp) -> Finding {
    let since = alarm.since.map(|at| format!(" since {}", span(now.duration_since(at)))).unwrap_or_default();
    let what = match &alarm.watches {
        Watches::Metric { .. } => {
            let (subject, condition) = (alarm.watches.subject(), alarm.watches.condition());
            if condition.is_empty() { subject.to_string() } else { format!("{subject}, {condition}") }
        }
        Watches::Rule { rule: text } => {
            let names = rule::alarms_in(text.as_str());
            let children: Vec<&str> = firing
                .iter()
                .filter(|child| child.name != alarm.name && names.contains(child.name.as_str()))
                .map(|child| child.name.as_str())
                .collect();
            if children.is_empty() { text.to_string() } else { some_of(children.into_iter(), NAMED) }
        }
    };
    let what = Text::capped(&what, 200);
    if !alarm.is_muted() {
        return Finding(Kind::Alarm, Severity::Warning, format!("in alarm{since}: {what}"));
    }
    let until = alarm.muted_until().map(|until| format!(" until {}", until.strftime("%H:%M UTC"))).unwrap_or_default();
    Finding(Kind::Alarm, Severity::Notice, format!("in alarm{since}, muted{until}: it tells nobody: {what}"))
}

/// Names alarms where something is said about the same thing.
fn tell_beside(verdict: &mut Verdict, alarms: &[&Alarm]) {
    let fire = if alarms.len() == 1 { "fires" } else { "fire" };
    let word = if alarms.len() == 1 { "alarm" } else { "alarms" };
    let muted = if alarms.iter().all(|alarm| alarm.is_muted()) { ", muted" } else { "" };
    let names = some_of(alarms.iter().map(|alarm| alarm.name.as_str()), NAMED);
    verdict.reason = Text::line(&format!("{}; {word} {names} {fire}{muted}", verdict.reason));
    // What somebody has set an alarm on is more than something to know.
    if alarms.iter().any(|alarm| !alarm.is_muted()) {
        verdict.severity = verdict.severity.min(Severity::Warning);
    }
}

struct About<'a> {
    snapshot: &'a Snapshot,
    databases: BTreeMap<&'a str, &'a str>,
    asleep: BTreeSet<&'a ServiceId>,
}

impl<'a> About<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        let databases = snapshot.estate.databases.rows.iter().map(|row| &row.seen.database);
        let asleep = snapshot.estate.services.rows.iter().map(|row| &row.service);
        Self {
            snapshot,
            databases: databases
                .flat_map(|database| {
                    let members = database.members.iter().map(|member| member.name.as_str());
                    members.chain([database.name.as_str()]).map(|name| (name, database.name.as_str()))
                })
                .collect(),
            asleep: asleep
                .filter(|service| service.standing() == Standing::Asleep)
                .map(|service| &service.id)
                .collect(),
        }
    }

    /// What it may be about, the first of which something is said.
    fn subjects(&self, alarm: &Alarm) -> Vec<Subject> {
        match self.subject(alarm) {
            // Where a function has several mappings, verdicts say which.
            Some(Subject::Consumer(function)) => {
                let mappings = self.snapshot.estate.mappings.rows.iter();
                let own = mappings.filter(|mapping| mapping.function.as_str() == function);
                let each: Vec<Subject> = own.map(|mapping| Subject::Consumer(mapping.function_and_source())).collect();
                [Subject::Consumer(function)].into_iter().chain(each).collect()
            }
            subject => subject.into_iter().collect(),
        }
    }

    fn subject(&self, alarm: &Alarm) -> Option<Subject> {
        let Watches::Metric { dimensions, .. } = &alarm.watches else { return None };
        let dimension =
            |wanted: &str| dimensions.iter().find(|(name, _)| name.as_str() == wanted).map(|(_, value)| value.as_str());
        if let Some(queue) = dimension("QueueName") {
            return Some(Subject::Queue(queue.into()));
        }
        if let (Some(cluster), Some(service)) = (dimension("ClusterName"), dimension("ServiceName")) {
            return Some(Subject::Service(ServiceId::new(cluster, service)));
        }
        if let Some(name) = dimension("DBInstanceIdentifier").or_else(|| dimension("DBClusterIdentifier")) {
            return self.databases.get(name).map(|database| Subject::Database((*database).to_owned()));
        }
        let function = dimension("FunctionName")?;
        let mut mappings = self.snapshot.estate.mappings.rows.iter();
        mappings.find(|mapping| mapping.function.as_str() == function).map(|_| Subject::Consumer(function.to_owned()))
    }

    /// A service that sleeps has no metrics.
    fn is_asleep(&self, alarm: &Alarm) -> bool {
        match self.subject(alarm) {
            Some(Subject::Service(id)) => self.asleep.contains(&id),
            _ => false,
        }
    }
}

/// Alarms that have just lost sight of what they watch: one verdict for all.
fn blind(scene: &Scene<'_>, about: &About<'_>) -> Option<Verdict> {
    let Scene { snapshot, now, .. } = *scene;
    let is_new = |alarm: &&Alarm| {
        alarm.state == AlarmState::InsufficientData
            && alarm.since.is_some_and(|since| now.duration_since(since) < BLIND_NEW)
            && matches!(alarm.watches, Watches::Metric { .. })
            && !alarm.scales_only
            && !about.is_asleep(alarm)
    };
    let part = &snapshot.estate.alarms;
    let blind: Vec<&Alarm> = part.rows.iter().map(|row| &**row).filter(is_new).collect();
    let newest = blind.iter().filter_map(|alarm| alarm.since).min()?;
    let since = span(now.duration_since(newest));
    let (subject, reason) = match &blind[..] {
        [one] => (
            Subject::Alarm(one.name.clone()),
            format!("it can't tell since {since}: no data, or too few: {}", one.watches.subject()),
        ),
        some => {
            let names = some_of(some.iter().map(|alarm| alarm.name.as_str()), NAMED);
            (
                Subject::Environment,
                format!("{} alarms can't tell since {since} at most: no data, or too few: {names}", some.len()),
            )
        }
    };
    Some(scene.said_of(subject, Finding(Kind::AlarmBlind, Severity::Notice, reason), part.at))
}
