//! Who takes a queue's messages, and who of them is to be paused or resumed.

use std::collections::BTreeMap;

use super::{Consumers, Switch, Turn};
use crate::{
    cloud::{Cloud, CloudError},
    domain::{
        QueueArn, QueueName,
        consumer::{ConsumerId, Mapping, MappingId, MappingState},
        service::{Scaling, Service, ServiceId},
    },
    journal::{History, Pause, Paused},
    operations::{OperationError, Planner, scale},
};

/// What was seen.
pub(super) struct Scene {
    pub(super) mappings: Result<Vec<Mapping>, CloudError>,
    pub(super) services: Vec<Service>,
    /// None: not known.
    pub(super) scaling: Option<BTreeMap<ServiceId, Scaling>>,
    pub(super) paused: Paused,
    /// What the run has done already, where it is taken up again.
    history: History,
}

/// Consumers, sorted.
pub(super) struct Found {
    pub(super) bound: Consumers,
    /// Of the bound's services, those before each other: the services themselves.
    pub(super) services: Vec<Service>,
    /// Consumers that stay as they are, and why.
    pub(super) left: Vec<String>,
    /// Services that may not be put to zero.
    pub(super) always_on: Vec<ServiceId>,
}

impl Scene {
    pub(super) async fn look(cloud: &Cloud, planner: &Planner, needs_services: bool) -> Result<Self, OperationError> {
        let caller = cloud.identity().caller().await?;
        let services = async {
            if !needs_services {
                return (Ok(Vec::new()), None);
            }
            let (services, scaling) = tokio::join!(cloud.ecs().all(), cloud.autoscaling().services());
            (services.map(|all| all.found), scaling.ok())
        };
        let (mappings, (services, scaling)) = tokio::join!(cloud.lambda().mappings(), services);
        let history = match &planner.resuming {
            Some(run) => History::read(&planner.state.open(run)?)?,
            None => History::default(),
        };
        let paused = Paused::read(&planner.state, &caller.account, &cloud.environment().region)?;
        Ok(Self { mappings, services: services?, scaling, paused, history })
    }

    /// Those that take messages of these queues.
    pub(super) fn to_pause(&self, cloud: &Cloud, queues: &[QueueArn], timeout_seconds: u32) -> Found {
        let mut found = Found::new(Turn::Pause, timeout_seconds);
        let reads = |mapping: &&Mapping| queues.iter().any(|queue| queue.as_str() == mapping.source_arn);
        for mapping in self.mappings.iter().flatten().filter(reads) {
            // What this run has paused itself is no change of the world.
            let is_ours = self.history.mappings.get(&mapping.id) == Some(&false);
            let id = ConsumerId::Mapping(mapping.id.clone());
            match (mapping.state.is_on() || is_ours, &mapping.queue) {
                (true, Some(queue)) => found.switch(mapping, queue, false),
                _ => found.left.push(self.left(&id, mapping.function.as_str(), mapping.state.words())),
            }
        }
        let rules = &cloud.environment().services;
        for service in &self.services {
            let queue = queues.iter().map(QueueArn::name).find(|queue| rules.consumes(&service.id, queue.as_str()));
            let Some(queue) = queue else { continue };
            let ours = self.history.desired.get(&service.id).filter(|(_, to)| *to == 0 && service.desired == 0);
            let from = ours.map_or(service.desired, |(from, _)| *from);
            let id = ConsumerId::Service(service.id.clone());
            if from == 0 {
                found.left.push(self.left(&id, &service.id.to_string(), "at zero"));
                continue;
            }
            if rules.is_always_on(&service.id) {
                found.always_on.push(service.id.clone());
            }
            let change = scale::Change { service: service.id.clone(), from, now: service.desired, to: 0 };
            found.services.push(service.clone());
            found.bound.services.push((queue, change));
        }
        found
    }

    /// Those that opsctl has paused: for this queue, or for any.
    pub(super) fn to_resume(&self, queue: Option<&QueueName>, timeout_seconds: u32) -> Found {
        let mut found = Found::new(Turn::Resume, timeout_seconds);
        let ours = self.history.mappings.keys().cloned().map(ConsumerId::Mapping);
        let ours = ours.chain(self.history.desired.keys().cloned().map(ConsumerId::Service));
        let known = self.paused.all().filter(|(_, pause)| queue.is_none_or(|queue| pause.queue == *queue));
        let mut wanted: BTreeMap<ConsumerId, Option<&Pause>> = ours.map(|id| (id, None)).collect();
        wanted.extend(known.map(|(id, pause)| (id, Some(pause))));
        for (id, pause) in wanted {
            match &id {
                ConsumerId::Mapping(mapping) => self.resume_mapping(&id, mapping, &mut found),
                ConsumerId::Service(service) => self.resume_service(&id, service, pause, &mut found),
            }
        }
        found
    }

    fn resume_mapping(&self, id: &ConsumerId, mapping: &MappingId, found: &mut Found) {
        let Ok(mappings) = &self.mappings else { return };
        let Some(shown) = mappings.iter().find(|shown| shown.id == *mapping) else {
            found.left.push(format!("{id} is gone"));
            return found.bound.forget.push(id.clone());
        };
        let is_ours = self.history.mappings.get(mapping) == Some(&true);
        match (&shown.queue, shown.state.is_on() && !is_ours, shown.state) {
            (Some(queue), false, state) if state != MappingState::Deleting => found.switch(shown, queue, true),
            _ => {
                found.left.push(format!("{} ({})", shown.function, shown.state.words()));
                found.bound.forget.push(id.clone());
            }
        }
    }

    fn resume_service(&self, id: &ConsumerId, service: &ServiceId, pause: Option<&Pause>, found: &mut Found) {
        let Some(shown) = self.services.iter().find(|shown| shown.id == *service) else {
            found.left.push(format!("{id} is gone"));
            return found.bound.forget.push(id.clone());
        };
        let ours = self.history.desired.get(service).filter(|(_, to)| *to == shown.desired);
        let from = ours.map_or(shown.desired, |(from, _)| *from);
        let size = pause.and_then(|pause| pause.desired).or(ours.map(|(_, to)| *to));
        let (0, Some(to)) = (from, size) else {
            found.left.push(format!("{service} ({} of {} run)", shown.running, shown.desired));
            return found.bound.forget.push(id.clone());
        };
        let queue = pause.map_or_else(|| QueueName(String::new()), |pause| pause.queue.clone());
        found.services.push(shown.clone());
        found.bound.services.push((queue, scale::Change { service: service.clone(), from, now: shown.desired, to }));
    }

    /// Words for a consumer that takes nothing already.
    fn left(&self, id: &ConsumerId, name: &str, how: &str) -> String {
        match self.paused.of(id) {
            Some(pause) => format!("{name} ({how}, by {} for {})", pause.run, pause.queue),
            None => format!("{name} ({how}, not by opsctl)"),
        }
    }
}

impl Found {
    fn new(turn: Turn, timeout_seconds: u32) -> Self {
        let bound = Consumers { turn, mappings: Vec::new(), services: Vec::new(), forget: Vec::new(), timeout_seconds };
        Self { bound, services: Vec::new(), left: Vec::new(), always_on: Vec::new() }
    }

    fn switch(&mut self, mapping: &Mapping, queue: &QueueName, enabled: bool) {
        let (id, function, queue) = (mapping.id.clone(), mapping.function.clone(), queue.clone());
        self.bound.mappings.push(Switch { id, function, queue, enabled });
    }
}
