//! ECS by itself: tasks go through their stages, services start and stop tasks, deployments end, the circuit breaker acts.

use super::{
    Caller, Ecs, PlaceKey, key,
    model::{BRIEF, Breaker, Cluster, Deployment, Rollout, Service, Stage, Standing, Stop, Task},
    program,
    start::{self, NEVER},
    task::{first_subnet, haste},
    uuid,
};
use crate::world::{fault::Denial, logs::Logs, rds::Rds, secrets::Secrets, ssm::Parameters};

/// Tasks that a service starts in one step (ECS developer guide: at most so many at a time).
const STARTS_MAX: usize = 10;
/// From told to stop to `DEPROVISIONING`, milliseconds; the program obeys SIGTERM.
pub(super) const STOPPING: i64 = 2_000;
/// The same for a program that does not: SIGKILL comes (ECS developer guide: 30 seconds, unless the task definition says another).
const KILLED_AFTER: i64 = 30_000;
const DEPROVISIONING: i64 = 2_000;
/// How long a stopped task can be seen (API reference: about an hour).
const STOPPED_SHOWN: i64 = 3_600_000;
/// How long a load balancer lets connections end, milliseconds (AWS: as its target group says, 300 seconds unless set).
const DRAINING: i64 = 5_000;
/// Longest pause between starts that fail (ECS developer guide: 27 minutes).
const PAUSE_MAX: i64 = 1_620_000;
/// Until it is known that a secret can't be read, milliseconds.
const SECRETS_READ: i64 = 1_000;
/// Between tries where there is no capacity.
const CAPACITY_PAUSE: i64 = 10_000;
/// A scheduler looks this long after a change.
pub(super) const SCHEDULER_PAUSE: i64 = 1_000;
/// Failures in a row until the pauses grow.
const FAILURES_PATIENT: u32 = 3;

pub(super) const CAPACITY: &str =
    "Capacity is unavailable at this time. Please try again later or in a different availability zone";
const GUIDE: &str = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";

pub struct Outside<'a> {
    pub logs: &'a mut Logs,
    pub rds: &'a mut Rds,
    pub secrets: &'a Secrets,
    pub ssm: &'a Parameters,
    pub denials: &'a [Denial],
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) place: PlaceKey,
    pub(super) cluster: String,
    pub(super) who: Who,
}

impl Due {
    pub(super) fn of_service(caller: &Caller, cluster: &str, service: &str) -> Self {
        Self { place: key(caller), cluster: cluster.to_owned(), who: Who::Service(service.to_owned()) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Task(String),
    Service(String),
}

impl Ecs {
    pub(in crate::world) fn advance(&mut self, now: i64, outside: &mut Outside<'_>) {
        while let Some((at, _)) = self.due.first().filter(|(at, _)| *at <= now) {
            let at = *at;
            let Some((_, due)) = self.due.pop_first() else { return };
            match &due.who {
                Who::Task(id) => self.step_task(at, &due, id, outside),
                Who::Service(name) => self.step_service(at, &due, name),
            }
        }
    }

    pub(super) fn wake_at(&mut self, at: i64, place: &PlaceKey, cluster: &str, who: Who) {
        self.due.insert((at, Due { place: place.clone(), cluster: cluster.to_owned(), who }));
    }

    pub(super) fn cluster(&mut self, due: &Due) -> Option<&mut Cluster> {
        self.places.get_mut(&due.place)?.clusters.get_mut(&due.cluster)
    }

    fn service_of(&mut self, due: &Due, name: &str) -> Option<&mut Service> {
        self.cluster(due)?.services.get_mut(name)
    }

    fn wake_service(&mut self, at: i64, due: &Due, name: &str) {
        self.wake_at(at, &due.place, &due.cluster, Who::Service(name.to_owned()));
    }

    fn step_task(&mut self, at: i64, due: &Due, id: &str, outside: &mut Outside<'_>) {
        let Some(definition) = self.task_definition(due, id) else { return };
        let Some(cluster) = self.cluster(due) else { return };
        let Some(task) = cluster.tasks.get_mut(id) else { return };
        if task.next_at.is_some_and(|next| next > at) {
            return;
        }
        let program = definition.program;
        task.next_at = None;
        match task.stage {
            Stage::Provisioning => {
                task.stage = Stage::Pending;
                let takes = match start::secrets(&due.place, id, &definition, outside) {
                    Some(_) => SECRETS_READ,
                    None => task.takes(program.pull_seconds),
                };
                task.next_at = Some(at + takes);
                task.pull_at = Some(at);
            }
            Stage::Pending => {
                let trouble = start::secrets(&due.place, id, &definition, outside);
                match trouble.or_else(|| start::trouble(&due.place, &definition, at, outside)) {
                    Some(stop) => task.halt(at, stop),
                    None => {
                        task.begin(at, due, id, &definition, outside);
                        if task.is_running() {
                            let service = task.service.as_ref().and_then(|name| cluster.services.get(name));
                            task.meet_checks(service);
                        }
                    }
                }
            }
            Stage::Running => {
                let service = task.service.as_ref().and_then(|name| cluster.services.get(name));
                let failed = service.and_then(|service| task.failing(service)).filter(|(fails_at, _)| *fails_at <= at);
                match (task.ends.take_if(|(ends_at, _)| *ends_at <= at), failed, task.service.clone()) {
                    (Some((_, stop)), ..) => task.halt(at, stop),
                    (None, Some((_, checks)), Some(name)) => return self.fail_checks(at, due, id, &name, checks),
                    (None, ..) => task.note_next(service),
                }
            }
            Stage::Deactivating => {
                task.stage = Stage::Stopping;
                task.stopping_at = Some(at);
                task.next_at = Some(at + if program.ignores_sigterm { KILLED_AFTER } else { STOPPING });
            }
            Stage::Stopping => {
                program::end(&due.place, id, &definition, at, outside);
                task.stage = Stage::Deprovisioning;
                task.next_at = Some(at + DEPROVISIONING);
            }
            Stage::Deprovisioning => {
                task.stage = Stage::Stopped;
                task.stopped_at = Some(at);
                task.next_at = Some(at + STOPPED_SHOWN);
            }
            Stage::Stopped => {
                cluster.tasks.remove(id);
                // A token lives as long as its tasks and an hour more.
                cluster.tokens.retain(|_, token| token.tasks.iter().any(|task| task != id));
                return;
            }
        }
        self.after_step(at, due, id);
    }

    /// Notes when the task changes next, and lets its service look.
    fn after_step(&mut self, at: i64, due: &Due, id: &str) {
        let Some(task) = self.cluster(due).and_then(|cluster| cluster.tasks.get(id)).cloned() else { return };
        if let Some(next) = task.next_at {
            self.wake_at(next, &due.place, &due.cluster, Who::Task(id.to_owned()));
        }
        let Some(service) = &task.service else { return };
        if let Some(healthy_at) = task.healthy_at.filter(|healthy_at| *healthy_at > at && *healthy_at < NEVER) {
            self.wake_service(healthy_at, due, service);
        }
        if task.started_at == Some(at) && task.is_running() {
            self.note_targets(at, due, service, "registered", 1);
        }
        // It went by itself.
        if task.stage == Stage::Stopping && !task.is_unwanted {
            self.note_failure(at, due, service, &task);
        }
        self.step_service(at, due, service);
    }

    pub(super) fn note_failure(&mut self, at: i64, due: &Due, name: &str, task: &Task) {
        let id = uuid(&mut self.rng);
        let Some(service) = self.service_of(due, name) else { return };
        service.is_steady = false;
        // A task that ran for a while did start: those before it are forgotten.
        let has_run = task.started_at.is_some_and(|started_at| at - started_at >= BRIEF);
        service.failures_in_a_row = if has_run { 1 } else { service.failures_in_a_row + 1 };
        let by = task.started_by.as_deref();
        if let Some(deployment) = service.deployments.iter_mut().find(|deployment| Some(&*deployment.id) == by) {
            deployment.failed += 1;
            deployment.updated_at = at;
        }
        let failures = service.failures_in_a_row;
        let pause = match failures.checked_sub(FAILURES_PATIENT) {
            None | Some(0) => SCHEDULER_PAUSE,
            Some(more) => (5_000_i64 << more.min(9)).min(PAUSE_MAX),
        };
        service.rests_until = at + pause;
        if failures == FAILURES_PATIENT + 1 {
            let text = format!("(service {name}) is unable to consistently start tasks successfully. {GUIDE}");
            service.note(id, at, text);
        }
        self.wake_service(at + pause, due, name);
    }

    /// A service looks at what it has and what it shall have.
    pub(super) fn step_service(&mut self, at: i64, due: &Due, name: &str) {
        self.trip_breaker(at, due, name);
        self.start_missing(at, due, name);
        self.stop_excess(at, due, name);
        self.stop_old(at, due, name);
        self.end_deployments(at, due, name);
        let is_empty = self.cluster(due).is_some_and(|cluster| cluster.tasks_of(name).next().is_none());
        if let Some(service) = self.service_of(due, name).filter(|_| is_empty)
            && service.standing == Standing::Draining
        {
            service.standing = Standing::Inactive;
        }
    }

    fn start_missing(&mut self, at: i64, due: &Due, name: &str) {
        let Some(cluster) = self.cluster(due) else { return };
        let Some(service) = cluster.services.get(name) else { return };
        let primary = service.primary();
        let alive = cluster.tasks_by(&primary.id).filter(|(_, task)| task.is_alive()).count() as u32;
        let all = cluster.tasks_of(name).filter(|(_, task)| task.is_alive()).count() as u32;
        let room = (service.desired * service.percent_max / 100).max(service.desired).saturating_sub(all);
        let missing = service.desired.saturating_sub(alive).min(room) as usize;
        if missing == 0 || primary.rollout == Rollout::Failed {
            return;
        }
        if service.rests_until > at {
            let until = service.rests_until;
            return self.wake_service(until, due, name);
        }
        if cluster.full_until > at {
            let text = format!("(service {name}) was unable to place a task. Reason: {CAPACITY}. {GUIDE}");
            self.note(at, due, name, text);
            if let Some(service) = self.service_of(due, name) {
                service.rests_until = at + CAPACITY_PAUSE;
            }
            return self.wake_service(at + CAPACITY_PAUSE, due, name);
        }
        let primary = primary.clone();
        let provision = self.program(due, &primary.definition).provision_seconds;
        let mut started = Vec::new();
        let subnet = self.service_of(due, name).and_then(|service| first_subnet(&service.network));
        for index in 0..missing.min(STARTS_MAX) {
            let id = self.task_id();
            let haste = haste(index, &id);
            let task = Task { subnet: subnet.clone(), ..Task::of_service(at, (provision, haste), name, &primary) };
            self.wake_at(at + task.takes(provision), &due.place, &due.cluster, Who::Task(id.clone()));
            if let Some(cluster) = self.cluster(due) {
                cluster.tasks.insert(id.clone(), task);
            }
            started.push(id);
        }
        let text = format!("(service {name}) has started {} tasks: {}.", started.len(), listed(&started));
        self.note(at, due, name, text);
        if missing > STARTS_MAX {
            self.wake_service(at + SCHEDULER_PAUSE, due, name);
        }
    }

    /// More than desired: the newest go.
    fn stop_excess(&mut self, at: i64, due: &Due, name: &str) {
        let Some(cluster) = self.cluster(due) else { return };
        let Some(service) = cluster.services.get(name) else { return };
        let primary = service.primary().id.clone();
        let desired = service.desired as usize;
        let mut alive: Vec<(i64, String)> = cluster
            .tasks_by(&primary)
            .filter(|(_, task)| task.is_alive())
            .map(|(id, task)| (task.created_at, id.clone()))
            .collect();
        alive.sort();
        let excess: Vec<String> = alive.into_iter().skip(desired).map(|(_, id)| id).collect();
        self.stop_tasks(at, due, name, &primary, &excess);
    }

    /// A rolling deployment: old tasks go as new ones are ready.
    fn stop_old(&mut self, at: i64, due: &Due, name: &str) {
        let Some(cluster) = self.cluster(due) else { return };
        let Some(service) = cluster.services.get(name) else { return };
        let primary = service.primary().id.clone();
        let ready = cluster.tasks_of(name).filter(|(_, task)| task.is_alive() && task.is_ready(at)).count() as u32;
        let least = service.desired * service.percent_min / 100;
        let may_stop = ready.saturating_sub(least) as usize;
        let old = cluster.tasks_of(name).filter(|(_, task)| task.started_by.as_deref() != Some(&*primary));
        let old: Vec<(bool, String)> =
            old.filter(|(_, task)| task.is_alive()).map(|(id, task)| (task.is_ready(at), id.clone())).collect();
        // Those that serve nobody may always go.
        let (serving, idle): (Vec<_>, Vec<_>) = old.into_iter().partition(|(ready, _)| *ready);
        let chosen: Vec<String> =
            idle.into_iter().chain(serving.into_iter().take(may_stop)).map(|(_, id)| id).collect();
        self.stop_tasks(at, due, name, &primary, &chosen);
    }

    fn stop_tasks(&mut self, at: i64, due: &Due, name: &str, deployment: &str, ids: &[String]) {
        if ids.is_empty() {
            return;
        }
        for id in ids {
            let reason = format!("Scaling activity initiated by (deployment {deployment})");
            self.stop_task(at, due, id, "ServiceSchedulerInitiated", reason);
        }
        let text = format!("(service {name}) has stopped {} running tasks: {}.", ids.len(), listed(ids));
        self.note(at, due, name, text);
        self.note_targets(at, due, name, "deregistered", ids.len());
    }

    pub(super) fn stop_task(&mut self, at: i64, due: &Due, id: &str, code: &'static str, reason: String) {
        let ignores_sigterm =
            self.task_definition(due, id).is_some_and(|definition| definition.program.ignores_sigterm);
        let Some(task) = self.cluster(due).and_then(|cluster| cluster.tasks.get_mut(id)) else { return };
        if task.stage > Stage::Running {
            return;
        }
        task.is_unwanted = true;
        // SIGTERM ends most programs with 143, SIGKILL all with 137.
        let (lasts, exit_code) = if ignores_sigterm { (KILLED_AFTER, 137) } else { (STOPPING, 143) };
        let was_running = task.is_running();
        let exit_code = was_running.then_some(exit_code);
        task.halt(at, Stop { code, reason, exit_code, container_reason: None });
        task.next_at = Some(at + lasts);
        let service = task.service.clone();
        let drains = was_running && service.is_some_and(|name| self.has_targets(due, &name));
        let lasts = if drains { DRAINING } else { lasts };
        if let Some(task) = self.cluster(due).and_then(|cluster| cluster.tasks.get_mut(id)).filter(|_| drains) {
            task.stage = Stage::Deactivating;
            task.stopping_at = None;
            task.next_at = Some(at + lasts);
        }
        self.wake_at(at + lasts, &due.place, &due.cluster, Who::Task(id.to_owned()));
    }

    fn has_targets(&mut self, due: &Due, name: &str) -> bool {
        self.service_of(due, name).is_some_and(|service| !service.balancers.is_empty())
    }

    /// What a service says of its load balancers' targets.
    pub(super) fn note_targets(&mut self, at: i64, due: &Due, name: &str, what: &str, count: usize) {
        let Some(service) = self.service_of(due, name) else { return };
        let groups: Vec<String> = service.balancers.iter().map(|one| one.target_group_arn.clone()).collect();
        for arn in &groups {
            self.note(at, due, name, format!("(service {name}) {what} {count} targets in (target-group {arn})"));
        }
        if what == "deregistered" && !groups.is_empty() {
            self.note(at, due, name, format!("(service {name}) has begun draining connections on {count} tasks."));
        }
    }

    fn trip_breaker(&mut self, at: i64, due: &Due, name: &str) {
        let Some(service) = self.service_of(due, name) else { return };
        let tripped = service.primary().rollout == Rollout::InProgress
            && service.breaker != Breaker::Off
            && service.primary().failed >= service.failures_max();
        if !tripped {
            return;
        }
        let (breaker, good) = (service.breaker, service.good_definition.clone());
        let failed = service.primary_mut();
        failed.rollout = Rollout::Failed;
        failed.reason = "ECS deployment circuit breaker: tasks failed to start.".to_owned();
        failed.updated_at = at;
        let id = failed.id.clone();
        service.failures_in_a_row = 0;
        service.rests_until = at;
        let text = format!("(service {name}) (deployment {id}) deployment failed: tasks failed to start.");
        self.note(at, due, name, text);
        let Some(good) = good.filter(|_| breaker == Breaker::RollsBack) else { return };
        let back = self.new_deployment(at, &good);
        let words = format!("ECS deployment circuit breaker: rolling back to deploymentId {}.", back.id);
        self.note(at, due, name, format!("(service {name}) rolling back to deployment {}.", back.id));
        if let Some(service) = self.service_of(due, name) {
            service.deployments.insert(0, Deployment { reason: words, is_rollback: true, ..back });
        }
    }

    fn end_deployments(&mut self, at: i64, due: &Due, name: &str) {
        let Some(cluster) = self.cluster(due) else { return };
        let Some(service) = cluster.services.get(name) else { return };
        let primary = service.primary().clone();
        let ready = cluster.tasks_by(&primary.id).filter(|(_, task)| task.is_alive() && task.is_ready(at)).count();
        let others =
            cluster.tasks_of(name).any(|(_, task)| task.is_alive() && task.started_by.as_deref() != Some(&*primary.id));
        if ready as u32 != service.desired || others || primary.rollout == Rollout::Failed {
            return;
        }
        let was_steady = service.is_steady;
        if primary.rollout == Rollout::InProgress {
            let text = format!("(service {name}) (deployment {}) deployment completed.", primary.id);
            self.note(at, due, name, text);
        }
        if !was_steady {
            self.note(at, due, name, format!("(service {name}) has reached a steady state."));
        }
        let Some(service) = self.service_of(due, name) else { return };
        service.is_steady = true;
        service.failures_in_a_row = 0;
        service.retire();
        let deployment = service.primary_mut();
        if deployment.rollout == Rollout::InProgress {
            deployment.rollout = Rollout::Completed;
            deployment.reason = format!("ECS deployment {} completed.", deployment.id);
            deployment.updated_at = at;
        }
        service.good_definition = Some(service.primary().definition.clone());
    }

    pub(super) fn note(&mut self, at: i64, due: &Due, name: &str, text: String) {
        let id = uuid(&mut self.rng);
        if let Some(service) = self.service_of(due, name) {
            service.note(id, at, text);
        }
    }
}

/// `(task a) (task b)`, as events name tasks.
fn listed(ids: &[String]) -> String {
    ids.iter().map(|id| format!("(task {id})")).collect::<Vec<_>>().join(" ")
}
