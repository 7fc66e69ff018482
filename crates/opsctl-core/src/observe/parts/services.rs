//! ECS services: as ECS has them, their autoscaling, why their tasks stopped, their CPU and memory.

mod crashing;
mod reads;
mod verdict;

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub(in crate::observe) use reads::FoundServices;
pub(super) use verdict::judge;

use super::{Begins, Found, Look, Next, PartName, Spec};
use crate::{
    cloud::{
        CloudError, ErrorKind,
        ecs::Missing,
        metrics::{Gauges, SERVICE_CPU, SERVICE_MEMORY, SERVICES as SERVICE_GAUGES},
    },
    domain::{Gauge, Scaling, Service, ServiceId, Standing, Task, Text},
    observe::{
        board::Change,
        estate::{Part, Row, replace, settle},
        register::{EVERY_METRIC, Register, is_held_long, lacks, newer},
    },
};

/// Events kept of a service: AWS tells the last hundred of each.
const EVENTS_MAX: usize = 20;
/// Events and deployments of a service that are kept on disk.
const EVENTS_KEPT: usize = 3;
const DEPLOYMENTS_KEPT: usize = 5;
/// Stopped tasks kept of a service.
const STOPPED_MAX: usize = 20;
/// Services whose stopped tasks are asked for in one look.
const STOPPED_AT_ONCE: usize = 10;
/// How often a service's are.
const STOPPED_EVERY: Duration = Duration::from_secs(55);
const STOPPED_EVERY_SHOWN: Duration = Duration::from_secs(10);
/// Over a longer pause nobody knows how things stood.
const GAP: SignedDuration = SignedDuration::from_mins(10);

pub(super) const SERVICES: Spec = Spec::listing(PartName::Services, 15, |register, asking| {
    // The first look tells some as soon as they came.
    let slices = asking.slices.filter(|_| !register.are_services_known()).cloned();
    let reads = reads::Reads::new(asking);
    Some(Box::pin(async move {
        let found = reads.all(slices).await?;
        let outcome = found.outcome();
        let put = move |register: &mut Register, at| {
            register.services(at, found);
            let hurry = register.is_stopped_unknown().then_some(Next::Hurry(Look::Stopped));
            [Next::Want(Look::Stopped), Next::Want(Look::ServiceGauges)].into_iter().chain(hurry).collect()
        };
        Ok(Found { outcome, metrics: 0, put: Box::new(put) })
    }))
});

pub(super) const SCALING: Spec = Spec {
    begins: Begins::After(Duration::ZERO),
    ..Spec::more(PartName::Services, ("autoscaling", "is"), |_, asking| {
        let cloud = asking.cloud.clone();
        Some(Box::pin(async move {
            let scaling = cloud.autoscaling.services().await?;
            Ok(Found::put(move |register, _| register.scaling(scaling)))
        }))
    })
};

pub(super) const STOPPED: Spec = Spec {
    is_hastened: true,
    ..Spec::more(PartName::Services, ("stopped tasks", "are"), |register, asking| {
        let wanted = register.stopped_wanted(asking.now, asking.shown);
        let reads = reads::Reads::new(asking);
        (!wanted.is_empty()).then(|| -> super::Question {
            Box::pin(async move {
                let (outcome, answers) = reads.stopped(wanted).await;
                Ok(Found { outcome, ..Found::put(move |register, at| register.stopped(at, answers)) })
            })
        })
    })
};

pub(super) const GAUGES: Spec = Spec::more(PartName::Services, ("CPU and memory", "are"), |register, asking| {
    let services = register.service_metrics_wanted(asking.at, asking.now, asking.metrics_max);
    let cloud = asking.cloud.clone();
    (!services.is_empty()).then(|| -> super::Question {
        Box::pin(async move {
            let names: Vec<String> = services.iter().map(ToString::to_string).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let gauges = cloud.metrics.gauges_named(&SERVICE_GAUGES, &names).await?;
            Ok(Found::put_gauges(gauges, move |register, at, gauges| register.service_metrics(at, &services, gauges)))
        })
    })
});

#[derive(Debug, Clone, PartialEq)]
pub struct SeenService {
    pub service: Service,
    /// When, where its ECS cluster did not answer since; none: when the part came.
    pub seen_at: Option<Timestamp>,
    /// Its autoscaling; none: it has none, or [`Part::unknown`] says why it is not known.
    pub scaling: Option<Scaling>,
    /// Since when it stands as it does; none: since before it was first seen.
    pub since: Option<(Standing, Timestamp)>,
    /// Percent of the CPU that its tasks reserved.
    pub cpu: Option<Gauge>,
    /// Percent of the memory that its tasks reserved.
    pub memory: Option<Gauge>,
    /// Tasks of it that stopped within the hour, the newest first; asked for only where something seems wrong or somebody looks.
    pub stopped: Vec<Task>,
}

impl SeenService {
    /// As one look at ECS shows it.
    pub fn of(service: Service) -> Self {
        Self { service, seen_at: None, scaling: None, since: None, cpu: None, memory: None, stopped: Vec::new() }
    }
}

/// On disk: a service, its autoscaling, since when it stands as it does, when it was seen where that was before the others.
#[derive(Serialize, Deserialize)]
pub(in crate::observe) struct Kept(Service, Option<Scaling>, Option<(Standing, Timestamp)>, Option<Timestamp>);

#[derive(Debug, Default)]
pub(in crate::observe) struct Memory {
    scaling: BTreeMap<ServiceId, Scaling>,
    /// When stopped tasks of a service were last asked for.
    stopped_at: BTreeMap<ServiceId, Duration>,
    /// When its CPU and memory were.
    metrics_at: BTreeMap<ServiceId, Duration>,
}

pub(in crate::observe) type StoppedTasks = Vec<(ServiceId, Result<Vec<Task>, CloudError>)>;

impl Part<SeenService> {
    pub fn seen_at(&self, seen: &SeenService) -> Option<Timestamp> {
        seen.seen_at.or(self.at)
    }

    pub fn oldest_at(&self) -> Option<Timestamp> {
        self.rows.iter().filter_map(|row| row.seen_at).chain(self.at).min()
    }

    /// Whether autoscaling could not be asked for: then none is not the same as there being none.
    pub fn is_scaling_unknown(&self) -> bool {
        self.unknown.iter().any(|unknown| unknown.look == Look::Scaling)
    }
}

impl From<Kept> for SeenService {
    fn from(Kept(service, scaling, since, seen_at): Kept) -> Self {
        Self { service, seen_at, scaling, since, cpu: None, memory: None, stopped: Vec::new() }
    }
}

impl Row for SeenService {
    type Kept = Kept;

    fn order(&self, other: &Self) -> Ordering {
        self.service.id.cmp(&other.service.id)
    }

    fn keep(&self) -> Kept {
        let mut service = self.service.clone();
        service.events.truncate(EVENTS_KEPT);
        service.deployments.truncate(DEPLOYMENTS_KEPT);
        Kept(service, self.scaling.clone(), self.since, self.seen_at)
    }

    fn after(self, at: Timestamp, now: Timestamp) -> Self {
        let seen_at = self.seen_at.map(|seen| seen.min(at));
        let is_gap = now.duration_since(seen_at.unwrap_or(at)) > GAP;
        Self { seen_at, since: self.since.filter(|_| !is_gap), ..self }
    }

    fn names(&self) -> Vec<&str> {
        let Service { id, task_definition, .. } = &self.service;
        vec![&id.cluster.0, &id.name.0, &task_definition.0]
    }
}

/// Whether tasks that stopped may say why.
fn stands_badly(standing: Standing) -> bool {
    matches!(standing, Standing::Failing | Standing::Below)
}

impl Register {
    fn are_services_known(&self) -> bool {
        self.estate.services.is_known() && !self.is_restored(PartName::Services)
    }

    /// Some services, before the look has ended: shown at once, while the part is not known yet.
    pub(in crate::observe) fn some_services(&mut self, at: Timestamp, services: Vec<Service>) {
        if self.are_services_known() {
            return;
        }
        let came: BTreeSet<&ServiceId> = services.iter().map(|service| &service.id).collect();
        let others = self.estate.services.rows.iter().filter(|row| !came.contains(&row.service.id));
        let mut rows: Vec<Arc<SeenService>> = others.map(Arc::clone).collect();
        rows.extend(services.into_iter().map(|service| Arc::new(self.seen_service(at, service))));
        rows.sort_by(|left, right| left.order(right));
        self.estate.services.rows = rows.into();
        self.raise(Change::Content);
    }

    /// Services came. Those of clusters that did not answer stay as they were.
    pub(in crate::observe) fn services(&mut self, at: Timestamp, found: FoundServices) {
        let FoundServices { services, missing, failed } = found;
        let mut unknown = lacks::of_clusters(&failed);
        if let Some(Missing { what, reason }) = missing.first() {
            let more = missing.len() - 1;
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            unknown.push(Text::line(&format!("{what} is listed and cannot be described: {reason}{more}")));
        }
        let mut rows: Vec<SeenService> = services.into_iter().map(|service| self.seen_service(at, service)).collect();
        let is_silent = |row: &Arc<SeenService>| failed.iter().any(|(cluster, _)| *cluster == row.service.id.cluster);
        let stay = self.estate.services.rows.iter().filter(|row| is_silent(row));
        let before = self.estate.services.at.unwrap_or(at);
        rows.extend(stay.map(|row| SeenService { seen_at: row.seen_at.or(Some(before)), ..SeenService::clone(row) }));
        let is_new = settle(&mut self.estate.services, rows) | replace(&mut self.estate.missing, missing);
        self.came(Look::Services, at, is_new);
        self.note_lacks(Look::Services, lacks::rows_of_clusters(at, &failed));
        self.note_unknown(Look::Services, unknown);
    }

    /// A service with what else is known of it.
    fn seen_service(&self, at: Timestamp, mut service: Service) -> SeenService {
        service.events.truncate(EVENTS_MAX);
        let standing = service.standing();
        let before = self.service(&service.id);
        let since = match before {
            None => None,
            Some(before) if before.service.standing() == standing => before.since,
            Some(_) => Some((standing, at)),
        };
        let scaling = match self.is_told(Look::Scaling) {
            false => before.and_then(|before| before.scaling.clone()),
            true => self.memory.services.scaling.get(&service.id).cloned(),
        };
        // What stopped before says nothing about a service that is well again.
        let is_asked_for = stands_badly(standing) || crashing::is_suspect(&service, at);
        let stopped = before.filter(|_| is_asked_for).map(|before| before.stopped.clone());
        let (cpu, memory) = before.map(|before| (before.cpu.clone(), before.memory.clone())).unwrap_or_default();
        SeenService { seen_at: None, scaling, since, cpu, memory, stopped: stopped.unwrap_or_default(), service }
    }

    pub(in crate::observe) fn service(&self, id: &ServiceId) -> Option<&Arc<SeenService>> {
        let rows = &self.estate.services.rows;
        rows.binary_search_by(|row| row.service.id.cmp(id)).ok().map(|index| &rows[index])
    }

    pub(in crate::observe) fn scaling(&mut self, scaling: BTreeMap<ServiceId, Scaling>) {
        self.memory.services.scaling = scaling;
        let scaling = &self.memory.services.scaling;
        let is_new = self.estate.services.change(|seen| {
            let own = scaling.get(&seen.service.id);
            (seen.scaling.as_ref() != own).then(|| SeenService { scaling: own.cloned(), ..seen.clone() })
        });
        self.raise(if is_new { Change::Content } else { Change::Fresher });
        self.note_told(Look::Scaling);
    }

    /// Services whose stopped tasks are to be asked for now, a few: those on the screen first, then those that stand badly or whose
    /// events tell of tasks that are started again and again, of
    /// these the ones that waited longest.
    pub(in crate::observe) fn stopped_wanted(&mut self, now: Duration, shown: &[ServiceId]) -> Vec<ServiceId> {
        let mut wanted: Vec<(bool, Option<Duration>, ServiceId)> = Vec::new();
        let (mut is_any_meant, listed_at) = (false, self.estate.services.at);
        for row in &*self.estate.services.rows {
            let id = &row.service.id;
            let is_shown = shown.contains(id);
            let is_suspect = || listed_at.is_some_and(|at| crashing::is_suspect(&row.service, at));
            if !is_shown && !stands_badly(row.service.standing()) && !is_suspect() {
                continue;
            }
            is_any_meant = true;
            let last = self.memory.services.stopped_at.get(id).copied();
            let every = if is_shown { STOPPED_EVERY_SHOWN } else { STOPPED_EVERY };
            if last.is_none_or(|last| last + every <= now) {
                wanted.push((!is_shown, last, id.clone()));
            }
        }
        if !is_any_meant {
            self.note_told(Look::Stopped);
        }
        wanted.sort();
        wanted.truncate(STOPPED_AT_ONCE);
        let wanted: Vec<ServiceId> = wanted.into_iter().map(|(_, _, id)| id).collect();
        let stopped_at = &mut self.memory.services.stopped_at;
        stopped_at.retain(|_, last| *last + STOPPED_EVERY * 10 > now);
        stopped_at.extend(wanted.iter().map(|id| (id.clone(), now)));
        wanted
    }

    /// Whether something stands badly whose stopped tasks were never asked for.
    pub(in crate::observe) fn is_stopped_unknown(&self) -> bool {
        let mut bad = self.estate.services.rows.iter().filter(|row| stands_badly(row.service.standing()));
        bad.any(|row| !self.memory.services.stopped_at.contains_key(&row.service.id))
    }

    pub(in crate::observe) fn stopped(&mut self, at: Timestamp, answers: StoppedTasks) {
        let (mut unknown, mut why) = (Vec::new(), Vec::new());
        let mut by_service = BTreeMap::new();
        for (id, answer) in answers {
            match answer {
                Ok(mut tasks) => {
                    tasks.sort_by_key(|task| Reverse(task.stopped_at));
                    tasks.truncate(STOPPED_MAX);
                    by_service.insert(id, tasks);
                }
                Err(error) if unknown.is_empty() => {
                    unknown.push(Text::line(&format!("stopped tasks of {id} are not known: {error}")));
                    // Whatever else went wrong once may never be asked again: nobody is told of it later.
                    why.extend((error.kind == ErrorKind::Denied).then(|| lacks::of_look(Look::Stopped, at, error)));
                }
                Err(_) => {}
            }
        }
        let is_new = self.estate.services.change(|seen| {
            let stopped = by_service.remove(&seen.service.id)?;
            (seen.stopped != stopped).then(|| SeenService { stopped, ..seen.clone() })
        });
        self.raise(if is_new { Change::Content } else { Change::None });
        self.note_lacks(Look::Stopped, why);
        self.note_unknown(Look::Stopped, unknown);
    }

    /// Services whose CPU and memory are worth their price now, at most so many metrics: those that stand badly first, then the
    /// ones that waited longest. What sleeps has none.
    pub(in crate::observe) fn service_metrics_wanted(
        &mut self,
        at: Timestamp,
        now: Duration,
        metrics_max: usize,
    ) -> Vec<ServiceId> {
        let asked = &self.memory.services.metrics_at;
        let rows = self.estate.services.rows.iter().map(|row| &row.service);
        let due = rows.filter(|service| service.running > 0).filter_map(|service| {
            let last = asked.get(&service.id).copied();
            let is_due = last.is_none_or(|last| last + EVERY_METRIC <= now);
            is_due.then(|| (!stands_badly(service.standing()), last, service.id.clone()))
        });
        let mut wanted: Vec<_> = due.collect();
        if self.estate.services.rows.iter().all(|row| row.service.running == 0) {
            self.note_told(Look::ServiceGauges);
        }
        wanted.sort();
        let left = wanted.split_off((metrics_max / SERVICE_GAUGES.len()).min(wanted.len()));
        let is_long = left.iter().any(|(_, last, _)| is_held_long(*last, now));
        let mut wanted: Vec<ServiceId> = wanted.into_iter().map(|(_, _, id)| id).collect();
        wanted.sort();
        let rows = &self.estate.services.rows;
        let asked = &mut self.memory.services.metrics_at;
        asked.retain(|id, _| rows.binary_search_by(|row| row.service.id.cmp(id)).is_ok());
        asked.extend(wanted.iter().map(|id| (id.clone(), now)));
        self.note_bound(Look::ServiceGauges, at, left.len(), is_long);
        wanted
    }

    /// CPU and memory of these services, which are in order, came; what has no sample now has no gauge.
    pub(in crate::observe) fn service_metrics(&mut self, at: Timestamp, services: &[ServiceId], gauges: &Gauges) {
        let is_whole = gauges.incomplete.is_none();
        let is_new = self.estate.services.change(|seen| {
            services.binary_search(&seen.service.id).is_ok().then_some(())?;
            let name = seen.service.id.to_string();
            let cpu = newer(&seen.cpu, gauges.get(&SERVICE_CPU, &name), is_whole);
            let memory = newer(&seen.memory, gauges.get(&SERVICE_MEMORY, &name), is_whole);
            (seen.cpu != cpu || seen.memory != memory).then(|| SeenService { cpu, memory, ..seen.clone() })
        });
        self.metrics_came(Look::ServiceGauges, at, is_new, gauges.incomplete.as_ref());
    }
}
