//! Who takes a queue's messages, and who of them is to be paused or resumed.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use super::{Consumers, READS_LAG, Switch, Turn};
use crate::{
    cloud::{
        Cloud, CloudError, ErrorKind,
        ecs::{Missing, Unseen},
    },
    domain::{
        ConsumerId, EcsClusterName, Mapping, MappingId, MappingState, QueueArn, QueueName, RunId, Scaling, Service,
        ServiceId, ServiceRules, Setting, Toggle, environment::glob,
    },
    journal::{History, Pause, Paused, TurnedOff},
    operations::{OperationError, Planner, scale, values::Seconds},
};

const AT_ONCE: usize = 6;

#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    None,
    All,
    /// Those that were paused: for this queue, or for any.
    Paused(Option<&'a QueueName>),
}

pub(super) struct Scene {
    pub(super) mappings: Result<Vec<Mapping>, CloudError>,
    pub(super) services: Vec<Service>,
    missing: Vec<Missing>,
    /// Paused services of which it can't be known how they are.
    unknown: Vec<(ServiceId, CloudError)>,
    /// None: not known.
    pub(super) scaling: Option<BTreeMap<ServiceId, Scaling>>,
    pub(super) paused: Paused,
    /// Settings that opsctl has set for their own sake.
    turned_off: TurnedOff,
    /// What the run has done already, where it is taken up again.
    history: History,
    run: Option<RunId>,
    now: Timestamp,
}

pub(super) struct Found {
    pub(super) bound: Consumers,
    /// Of the bound's services, those before each other: the services themselves.
    pub(super) services: Vec<Service>,
    pub(super) left: Vec<String>,
    pub(super) always_on: Vec<ServiceId>,
    /// What could not be seen and may be a consumer.
    pub(super) unseen: Vec<String>,
}

impl Scene {
    pub(super) async fn look(cloud: &Cloud, planner: &Planner, which: Which<'_>) -> Result<Self, OperationError> {
        let caller = cloud.identity.caller().await?;
        let history = planner.taken_up()?.map(|(_, history)| history).unwrap_or_default();
        let (account, region) = (&caller.account, &cloud.environment().region);
        let paused = Paused::read(&planner.state, account, region)?;
        let turned_off = TurnedOff::read(&planner.state, account, region)?;
        let mut scene = Self {
            mappings: Ok(Vec::new()),
            services: Vec::new(),
            missing: Vec::new(),
            unknown: Vec::new(),
            scaling: None,
            paused,
            turned_off,
            history,
            run: planner.resuming.clone(),
            now: cloud.clock().now(),
        };
        let (mappings, services) = tokio::join!(cloud.lambda.mappings(), scene.look_at_services(cloud, which));
        services?;
        scene.mappings = mappings;
        Ok(scene)
    }

    async fn look_at_services(&mut self, cloud: &Cloud, which: Which<'_>) -> Result<(), CloudError> {
        match which {
            Which::None => {}
            Which::All => {
                let (services, scaling) = tokio::join!(cloud.ecs.all(), cloud.autoscaling.services());
                let services = services?;
                (self.services, self.missing, self.scaling) = (services.found, services.missing, scaling.ok());
            }
            // Each by itself: who is not in a listing is not gone, its cluster may only be denied.
            Which::Paused(queue) => {
                let wanted: Vec<ServiceId> = self
                    .remembered(queue)
                    .into_keys()
                    .filter_map(|id| match id {
                        ConsumerId::Service(service) => Some(service),
                        ConsumerId::Mapping(_) => None,
                    })
                    .collect();
                let looks: Vec<_> = wanted.iter().map(|id| cloud.ecs.service(id)).collect();
                let answers: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
                for (id, answer) in wanted.iter().zip(answers) {
                    match answer {
                        // A service that was deleted is described for a while.
                        Ok(service) if service.status.as_str() == "INACTIVE" => {}
                        Ok(service) => self.services.push(service),
                        Err(error) if error.kind == ErrorKind::NotFound => {}
                        Err(error) => self.unknown.push((id.clone(), error)),
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the run that is taken up again has paused it, and nobody has resumed it since.
    fn is_paused_by_run(&self, id: &ConsumerId) -> bool {
        self.run.is_some() && self.paused.of(id).map(|pause| &pause.run) == self.run.as_ref()
    }

    /// Whether it was paused so short a time ago that reads may show what was before.
    fn is_just_paused(&self, id: &ConsumerId) -> bool {
        self.paused.of(id).is_some_and(|pause| self.now.duration_since(pause.at) < READS_LAG)
    }

    /// Those that take messages of these queues.
    pub(super) fn to_pause(&self, cloud: &Cloud, queues: &[QueueArn], timeout: Seconds) -> Found {
        let mut found = Found::new(Turn::Pause, timeout);
        let reads = |mapping: &&Mapping| queues.iter().any(|queue| queue.as_str() == mapping.source_arn);
        for mapping in self.mappings.iter().flatten().filter(reads) {
            // What this run has paused itself is no change of the world.
            let id = ConsumerId::Mapping(mapping.id.clone());
            let is_ours = self.history.mappings.get(&mapping.id) == Some(&false) && self.is_paused_by_run(&id);
            match (mapping.state.is_on() || is_ours, &mapping.queue) {
                (true, Some(queue)) => found.switch(mapping, queue, false),
                _ => found.left.push(self.left(&id, mapping.function.as_str(), mapping.state.words())),
            }
        }
        let rules = &cloud.environment().services;
        for service in &self.services {
            let queue = queues.iter().map(QueueArn::name).find(|queue| rules.consumes(&service.id, queue.as_str()));
            let Some(queue) = queue else { continue };
            let id = ConsumerId::Service(service.id.clone());
            let ours = self.history.desired.get(&service.id).filter(|(_, to)| *to == 0 && service.desired == 0);
            let ours = ours.filter(|_| self.is_paused_by_run(&id));
            let from = ours.map_or(service.desired, |(from, _)| *from);
            if from == 0 {
                found.left.push(self.left(&id, &service.id.to_string(), "at zero"));
                continue;
            }
            if rules.is_always_on(&service.id) {
                found.always_on.push(service.id.clone());
            }
            let change = scale::Change::count(service.id.clone(), from, service.desired, 0);
            found.services.push(service.clone());
            found.bound.services.push((queue, change));
        }
        let concerning = self.missing.iter().filter(|one| may_be_a_consumer(one, rules, queues));
        found.unseen = concerning.map(|Missing { what, reason }| format!("{what} ({reason})")).collect();
        found
    }

    /// Those that opsctl has paused: for this queue, or for any.
    pub(super) fn to_resume(&self, queue: Option<&QueueName>, timeout: Seconds) -> Found {
        let mut found = Found::new(Turn::Resume, timeout);
        for (id, pause) in self.remembered(queue) {
            match &id {
                ConsumerId::Mapping(mapping) => self.resume_mapping(&id, mapping, &mut found),
                ConsumerId::Service(service) => self.resume_service(&id, service, pause, &mut found),
            }
        }
        found
    }

    /// Who was paused, and who the run that is taken up again was about to resume.
    fn remembered(&self, queue: Option<&QueueName>) -> BTreeMap<ConsumerId, Option<&Pause>> {
        let ours = self.history.mappings.keys().cloned().map(ConsumerId::Mapping);
        let ours = ours.chain(self.history.desired.keys().cloned().map(ConsumerId::Service));
        let known = self.paused.all().filter(|(_, pause)| queue.is_none_or(|queue| pause.queue == *queue));
        let mut wanted: BTreeMap<ConsumerId, Option<&Pause>> = ours.map(|id| (id, None)).collect();
        wanted.extend(known.map(|(id, pause)| (id, Some(pause))));
        wanted
    }

    fn resume_mapping(&self, id: &ConsumerId, mapping: &MappingId, found: &mut Found) {
        let Ok(mappings) = &self.mappings else { return };
        let Some(shown) = mappings.iter().find(|shown| shown.id == *mapping) else {
            found.left.push(format!("{id} is gone"));
            return found.bound.forget.push(id.clone());
        };
        let is_ours = self.history.mappings.get(mapping) == Some(&true);
        let is_wanted = match shown.state {
            MappingState::Deleting => false,
            state if state.is_on() => is_ours || self.is_just_paused(id),
            // Once it is forgotten, it was resumed: somebody else has paused it since.
            _ => self.paused.of(id).is_some(),
        };
        match &shown.queue {
            Some(queue) if is_wanted => {
                if shown.state.is_on() && self.is_just_paused(id) {
                    found.bound.set = scale::Set::Always;
                }
                found.switch(shown, queue, true);
            }
            Some(_) | None => {
                found.left.push(format!("{} ({})", shown.function, shown.state.words()));
                found.bound.forget.push(id.clone());
            }
        }
    }

    fn resume_service(&self, id: &ConsumerId, service: &ServiceId, pause: Option<&Pause>, found: &mut Found) {
        if let Some((_, error)) = self.unknown.iter().find(|(unknown, _)| unknown == service) {
            return found.unseen.push(format!("{id} ({error})"));
        }
        let Some(shown) = self.services.iter().find(|shown| shown.id == *service) else {
            found.left.push(format!("{id} is gone"));
            return found.bound.forget.push(id.clone());
        };
        let queue = pause.map_or_else(|| QueueName(String::new()), |pause| pause.queue.clone());
        if let Some(to) = pause.and_then(|pause| pause.desired)
            && shown.desired > 0
            && self.is_just_paused(id)
        {
            found.bound.set = scale::Set::Always;
            found.services.push(shown.clone());
            let change = scale::Change::count(service.clone(), 0, 0, to);
            return found.bound.services.push((queue, change));
        }
        let ours = self.history.desired.get(service).filter(|(_, to)| *to == shown.desired);
        let from = ours.map_or(shown.desired, |(from, _)| *from);
        let size = pause.and_then(|pause| pause.desired).or(ours.map(|(_, to)| *to));
        let (0, Some(to)) = (from, size) else {
            found.left.push(format!("{service} ({} of {} run)", shown.running, shown.desired));
            return found.bound.forget.push(id.clone());
        };
        found.services.push(shown.clone());
        found.bound.services.push((queue, scale::Change::count(service.clone(), from, shown.desired, to)));
    }

    /// Words for a consumer that takes nothing already.
    fn left(&self, id: &ConsumerId, name: &str, how: &str) -> String {
        if let Some(pause) = self.paused.of(id) {
            return format!("{name} ({how}, by {} for {})", pause.run, pause.queue);
        }
        let set = match id {
            ConsumerId::Mapping(mapping) => self.turned_off.of(&Toggle::Mapping(mapping.clone())),
            ConsumerId::Service(_) => None,
        };
        match set.filter(|set| set.is_still_so(Setting::Enabled(false))) {
            Some(set) => format!("{name} (disabled by {})", set.run),
            None => format!("{name} ({how}, not by opsctl)"),
        }
    }
}

impl Found {
    fn new(turn: Turn, timeout: Seconds) -> Self {
        let (mappings, services, forget) = (Vec::new(), Vec::new(), Vec::new());
        let bound = Consumers { turn, mappings, services, forget, set: scale::Set::WhereOther, timeout };
        Self { bound, services: Vec::new(), left: Vec::new(), always_on: Vec::new(), unseen: Vec::new() }
    }

    fn switch(&mut self, mapping: &Mapping, queue: &QueueName, enabled: bool) {
        let (id, function, queue) = (mapping.id.clone(), mapping.function.clone(), queue.clone());
        self.bound.mappings.push(Switch { id, function, queue, enabled });
    }
}

/// Whether what ECS did not show may take messages of these queues.
fn may_be_a_consumer(missing: &Missing, rules: &ServiceRules, queues: &[QueueArn]) -> bool {
    let names: Vec<QueueName> = queues.iter().map(QueueArn::name).collect();
    if let Unseen::Cluster(EcsClusterName(cluster)) = &missing.what {
        let workers = rules.consumers.iter().filter(|(queue, _)| names.iter().any(|name| glob(queue, name.as_str())));
        let mut clusters = workers.map(|(_, worker)| worker.split_once('/').map_or("*", |(cluster, _)| cluster));
        return clusters.any(|pattern| glob(pattern, cluster));
    }
    // It was deleted while they were listed.
    if missing.reason.as_str() == "MISSING" {
        return false;
    }
    let mut parts = missing.what.parts_from_last();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(cluster), Some(_)) => {
            names.iter().any(|queue| rules.consumes(&ServiceId::new(cluster, name), queue.as_str()))
        }
        // Older ARNs do not say the cluster.
        _ => true,
    }
}
