//! The register: what is known of one environment beside its queues; what came of looks goes in, an [`Estate`] comes out. No I/O.

mod lacks;
mod metrics;
#[cfg(test)]
mod tests;

pub(super) use metrics::DatabaseMetrics;

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use super::{
    board::Change,
    estate::{Estate, Lack, Part, SeenDatabase, SeenService},
    focus::PartName,
    schedule::Look,
};
use crate::{
    cloud::{CloudError, ErrorKind, ecs::Missing},
    databases::{self, Capacity},
    domain::{
        Text,
        alarm::Alarm,
        consumer::Mapping,
        service::{EcsClusterName, Scaling, Service, ServiceId, Standing, Task},
    },
};

/// Events kept of a service: AWS tells the last hundred of each.
const EVENTS_MAX: usize = 20;
/// Stopped tasks kept of a service.
const STOPPED_MAX: usize = 20;
/// Services whose stopped tasks are asked for in one look.
const STOPPED_AT_ONCE: usize = 10;
/// How often a service's are.
const STOPPED_EVERY: Duration = Duration::from_secs(55);
const STOPPED_EVERY_SHOWN: Duration = Duration::from_secs(10);

/// What a look at services came to.
#[derive(Debug, Clone, Default)]
pub(super) struct FoundServices {
    pub(super) services: Vec<Service>,
    /// Listed, and not described.
    pub(super) missing: Vec<Missing>,
    /// Clusters whose services are not known.
    pub(super) failed: Vec<(EcsClusterName, CloudError)>,
}

/// Stopped tasks of some services.
pub(super) type StoppedTasks = Vec<(ServiceId, Result<Vec<Task>, CloudError>)>;

/// What is known beside queues.
#[derive(Debug, Default)]
pub(super) struct Register {
    estate: Estate,
    /// What each look could not tell.
    unknown: BTreeMap<Look, Vec<Text>>,
    /// What the bound on what looking may cost holds back.
    held: BTreeMap<Look, Text>,
    /// What Home is told of all that.
    lacks: BTreeMap<Look, Vec<Lack>>,
    /// As it last came.
    scaling: BTreeMap<ServiceId, Scaling>,
    /// When stopped tasks of a service were last asked for.
    stopped_at: BTreeMap<ServiceId, Duration>,
    /// When metrics of services and databases were last asked for, and what Kafka's cost.
    asked: metrics::Asked,
    /// Parts that an earlier session saw, and this one did not yet.
    restored: BTreeSet<PartName>,
    change: Change,
}

impl Register {
    /// Begins with what an earlier session saw, as far as nothing was seen yet.
    pub(super) fn restore(&mut self, earlier: Estate) {
        let Estate { services, databases, alarms, mappings, lags } = earlier;
        let restored = &mut self.restored;
        take_earlier(&mut self.estate.services, services, restored, PartName::Services);
        take_earlier(&mut self.estate.databases, databases, restored, PartName::Databases);
        take_earlier(&mut self.estate.alarms, alarms, restored, PartName::Alarms);
        take_earlier(&mut self.estate.mappings, mappings, restored, PartName::Mappings);
        take_earlier(&mut self.estate.lags, lags, restored, PartName::Lags);
        self.raise(Change::Content);
    }

    /// How much changed since it was last asked.
    pub(super) fn take_change(&mut self) -> Change {
        std::mem::take(&mut self.change)
    }

    /// How much changed.
    pub(super) fn change(&self) -> Change {
        self.change
    }

    /// What is known. Costs a few pointers.
    pub(super) fn estate(&self) -> Estate {
        self.estate.clone()
    }

    /// A look is being made, or ended.
    pub(super) fn busy(&mut self, look: Look, is_busy: bool) {
        if !look.is_listing() {
            return;
        }
        let part = self.part(look.part());
        *part.busy = is_busy;
        // Where all is well a look is over before anybody has seen that it is being made.
        if part.at.is_none() || part.error.is_some() {
            self.raise(Change::Fresher);
        }
    }

    /// Whether this session has seen all services.
    pub(super) fn are_services_known(&self) -> bool {
        self.estate.services.is_known() && !self.restored.contains(&PartName::Services)
    }

    /// Some services, before the look has ended: shown at once, while the part is not known yet.
    pub(super) fn some_services(&mut self, at: Timestamp, services: Vec<Service>) {
        if self.are_services_known() {
            return;
        }
        let came: BTreeSet<&ServiceId> = services.iter().map(|service| &service.id).collect();
        let others = self.estate.services.rows.iter().filter(|row| !came.contains(&row.service.id));
        let mut rows: Vec<Arc<SeenService>> = others.map(Arc::clone).collect();
        rows.extend(services.into_iter().map(|service| Arc::new(self.seen_service(at, service))));
        rows.sort_by(|left, right| left.service.id.cmp(&right.service.id));
        self.estate.services.rows = rows.into();
        self.raise(Change::Content);
    }

    /// Services came. Those of clusters that did not answer stay as they were.
    pub(super) fn services(&mut self, at: Timestamp, found: FoundServices) {
        let FoundServices { services, missing, failed } = found;
        let mut unknown = lacks::of_clusters(&failed);
        if let Some(first) = missing.first() {
            let more = missing.len() - 1;
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            let Missing { arn, reason } = first;
            unknown.push(Text::line(&format!("{arn} is listed and cannot be described: {reason}{more}")));
        }
        let mut rows: Vec<SeenService> = services.into_iter().map(|service| self.seen_service(at, service)).collect();
        let is_silent = |row: &Arc<SeenService>| failed.iter().any(|(cluster, _)| *cluster == row.service.id.cluster);
        let stay = self.estate.services.rows.iter().filter(|row| is_silent(row));
        let before = self.estate.services.at.unwrap_or(at);
        rows.extend(stay.map(|row| SeenService { seen_at: row.seen_at.or(Some(before)), ..SeenService::clone(row) }));
        self.settle_services(rows);
        self.came(PartName::Services, at);
        self.note_lacks(Look::Services, lacks::rows_of_clusters(at, &failed));
        self.note_unknown(Look::Services, unknown);
    }

    fn settle_services(&mut self, mut rows: Vec<SeenService>) {
        rows.sort_by(|left, right| left.service.id.cmp(&right.service.id));
        rows.dedup_by(|left, right| left.service.id == right.service.id);
        let is_new = settle(&mut self.estate.services, rows, |left, right| left.service.id.cmp(&right.service.id));
        self.raise(if is_new { Change::Content } else { Change::Fresher });
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
        let scaling = match self.unknown.get(&Look::Scaling).is_some_and(|why| !why.is_empty()) {
            true => before.and_then(|before| before.scaling.clone()),
            false => self.scaling.get(&service.id).cloned(),
        };
        // What stopped before says nothing about a service that is well again.
        let stopped = before.filter(|_| stands_badly(standing)).map(|before| before.stopped.clone());
        let (cpu, memory) = before.map(|before| (before.cpu.clone(), before.memory.clone())).unwrap_or_default();
        SeenService { seen_at: None, scaling, since, cpu, memory, stopped: stopped.unwrap_or_default(), service }
    }

    fn service(&self, id: &ServiceId) -> Option<&Arc<SeenService>> {
        let rows = &self.estate.services.rows;
        rows.binary_search_by(|row| row.service.id.cmp(id)).ok().map(|index| &rows[index])
    }

    /// Autoscaling came.
    pub(super) fn scaling(&mut self, scaling: BTreeMap<ServiceId, Scaling>) {
        self.scaling = scaling;
        let scaling = &self.scaling;
        let is_new = change(&mut self.estate.services, |seen| {
            let own = scaling.get(&seen.service.id);
            (seen.scaling.as_ref() != own).then(|| SeenService { scaling: own.cloned(), ..seen.clone() })
        });
        self.raise(if is_new { Change::Content } else { Change::Fresher });
        self.note_lacks(Look::Scaling, Vec::new());
        self.note_unknown(Look::Scaling, Vec::new());
    }

    /// Services whose stopped tasks are to be asked for now, a few: those on the screen first, then those that stand badly, of
    /// these the ones that waited longest.
    pub(super) fn stopped_wanted(&mut self, now: Duration, shown: &[ServiceId]) -> Vec<ServiceId> {
        let mut wanted: Vec<(bool, Option<Duration>, ServiceId)> = Vec::new();
        let mut is_any_meant = false;
        for row in &*self.estate.services.rows {
            let id = &row.service.id;
            let is_shown = shown.contains(id);
            if !is_shown && !stands_badly(row.service.standing()) {
                continue;
            }
            is_any_meant = true;
            let last = self.stopped_at.get(id).copied();
            let every = if is_shown { STOPPED_EVERY_SHOWN } else { STOPPED_EVERY };
            if last.is_none_or(|last| last + every <= now) {
                wanted.push((!is_shown, last, id.clone()));
            }
        }
        if !is_any_meant {
            self.note_lacks(Look::Stopped, Vec::new());
            self.note_unknown(Look::Stopped, Vec::new());
        }
        wanted.sort();
        wanted.truncate(STOPPED_AT_ONCE);
        let wanted: Vec<ServiceId> = wanted.into_iter().map(|(_, _, id)| id).collect();
        self.stopped_at.retain(|_, last| *last + STOPPED_EVERY * 10 > now);
        self.stopped_at.extend(wanted.iter().map(|id| (id.clone(), now)));
        wanted
    }

    /// Whether something stands badly whose stopped tasks were never asked for.
    pub(super) fn is_stopped_unknown(&self) -> bool {
        let mut bad = self.estate.services.rows.iter().filter(|row| stands_badly(row.service.standing()));
        bad.any(|row| !self.stopped_at.contains_key(&row.service.id))
    }

    /// Stopped tasks of some services came.
    pub(super) fn stopped(&mut self, at: Timestamp, answers: StoppedTasks) {
        let (mut unknown, mut why) = (Vec::new(), Vec::new());
        let mut by_service = BTreeMap::new();
        for (id, answer) in answers {
            match answer {
                Ok(mut tasks) => {
                    tasks.sort_by_key(|task| std::cmp::Reverse(task.stopped_at));
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
        let is_new = change(&mut self.estate.services, |seen| {
            let stopped = by_service.remove(&seen.service.id)?;
            (seen.stopped != stopped).then(|| SeenService { stopped, ..seen.clone() })
        });
        self.raise(if is_new { Change::Content } else { Change::None });
        self.note_lacks(Look::Stopped, why);
        self.note_unknown(Look::Stopped, unknown);
    }

    /// Databases came, without metrics.
    pub(super) fn databases(&mut self, at: Timestamp, look: databases::Look) {
        let databases::Look { seen, unknown, .. } = look;
        let mut rows: Vec<SeenDatabase> = Vec::with_capacity(seen.len());
        for mut seen in seen {
            let before = self.estate.databases.rows.iter().find(|row| row.seen.database.name == seen.database.name);
            if let (Capacity::Unknown, Some(before)) = (seen.capacity, before)
                && before.seen.capacity != Capacity::None
            {
                seen.capacity = lacks::still(before.seen.capacity, at);
            }
            let mut gauges = before.map(|before| before.gauges.clone()).unwrap_or_default();
            gauges.retain(|name, _| seen.database.members.iter().any(|member| member.name == *name));
            rows.push(SeenDatabase { seen, gauges });
        }
        let name = |row: &SeenDatabase| row.seen.database.name.clone();
        rows.sort_by_key(name);
        rows.dedup_by_key(|row| name(row));
        let by_name =
            |left: &SeenDatabase, right: &SeenDatabase| left.seen.database.name.cmp(&right.seen.database.name);
        let is_new = settle(&mut self.estate.databases, rows, by_name);
        self.raise(if is_new { Change::Content } else { Change::Fresher });
        self.came(PartName::Databases, at);
        self.note_unknown(Look::Databases, unknown);
    }

    /// Alarms came, by name; `incomplete` says why not all did.
    pub(super) fn alarms(&mut self, at: Timestamp, alarms: Vec<Alarm>, incomplete: Option<Text>) {
        let is_new = settle(&mut self.estate.alarms, alarms, |left, right| left.name.cmp(&right.name));
        self.raise(if is_new { Change::Content } else { Change::Fresher });
        self.came(PartName::Alarms, at);
        self.note_unknown(Look::Alarms, incomplete.into_iter().collect());
    }

    /// Event source mappings came.
    pub(super) fn mappings(&mut self, at: Timestamp, mut mappings: Vec<Mapping>) {
        let order = |left: &Mapping, right: &Mapping| (&left.function, &left.id).cmp(&(&right.function, &right.id));
        mappings.sort_by(order);
        let is_new = settle(&mut self.estate.mappings, mappings, order);
        self.raise(if is_new { Change::Content } else { Change::Fresher });
        self.came(PartName::Mappings, at);
        self.note_unknown(Look::Mappings, Vec::new());
    }

    /// All of a part came.
    fn came(&mut self, name: PartName, at: Timestamp) {
        self.restored.remove(&name);
        let part = self.part(name);
        *part.at = Some(at);
        let was_wrong = part.error.take().is_some();
        self.raise(if was_wrong { Change::Content } else { Change::Fresher });
    }

    fn part(&mut self, name: PartName) -> Named<'_> {
        let Estate { services, databases, alarms, mappings, lags } = &mut self.estate;
        match name {
            PartName::Services => Named::of(services),
            PartName::Databases => Named::of(databases),
            PartName::Alarms => Named::of(alarms),
            PartName::Mappings => Named::of(mappings),
            PartName::Lags => Named::of(lags),
        }
    }

    fn raise(&mut self, change: Change) {
        self.change = self.change.max(change);
    }
}

/// What a part says as long as all that it shows was seen by an earlier session.
const EARLIER: &str = "what is shown was seen by an earlier session";

/// A part, whatever it is of.
struct Named<'a> {
    at: &'a mut Option<Timestamp>,
    busy: &'a mut bool,
    error: &'a mut Option<CloudError>,
    unknown: &'a mut Vec<Text>,
    lacks: &'a mut Vec<Lack>,
}

impl<'a> Named<'a> {
    fn of<T>(part: &'a mut Part<T>) -> Self {
        let Part { at, busy, error, unknown, lacks, rows: _ } = part;
        Self { at, busy, error, unknown, lacks }
    }
}

fn take_earlier<T>(part: &mut Part<T>, earlier: Part<T>, restored: &mut BTreeSet<PartName>, name: PartName) {
    if part.at.is_none() && earlier.at.is_some() {
        *part = Part { unknown: vec![Text::from(EARLIER)], busy: part.busy, error: part.error.take(), ..earlier };
        restored.insert(name);
    }
}

/// Whether tasks that stopped may say why.
fn stands_badly(standing: Standing) -> bool {
    match standing {
        Standing::Failing | Standing::Below => true,
        Standing::Asleep | Standing::Deploying | Standing::Steady => false,
    }
}

/// Puts rows, which are in order, in place of those before. A row that is the same stays the same, and so does the whole part;
/// answers whether anything is new.
fn settle<T: PartialEq>(part: &mut Part<T>, rows: Vec<T>, order: impl Fn(&T, &T) -> Ordering) -> bool {
    let mut old = part.rows.iter().peekable();
    let mut is_new = rows.len() != part.rows.len();
    let mut settled: Vec<Arc<T>> = Vec::with_capacity(rows.len());
    for row in rows {
        while old.next_if(|old| order(old, &row) == Ordering::Less).is_some() {}
        match old.next_if(|old| order(old, &row) == Ordering::Equal) {
            Some(same) if **same == row => settled.push(Arc::clone(same)),
            Some(_) | None => {
                is_new = true;
                settled.push(Arc::new(row));
            }
        }
    }
    if is_new {
        part.rows = settled.into();
    }
    is_new
}

/// Changes some rows; answers whether it did.
fn change<T>(part: &mut Part<T>, mut change: impl FnMut(&T) -> Option<T>) -> bool {
    let changed: Vec<(usize, T)> =
        part.rows.iter().enumerate().filter_map(|(index, row)| Some((index, change(row)?))).collect();
    if changed.is_empty() {
        return false;
    }
    let mut rows: Vec<Arc<T>> = part.rows.to_vec();
    for (index, row) in changed {
        rows[index] = Arc::new(row);
    }
    part.rows = rows.into();
    true
}
