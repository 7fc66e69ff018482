//! Whose health checks fail, and what ECS does about it: it replaces the task, after the grace period.

use super::{
    Ecs, PlaceKey,
    life::{Due, Who},
    model::{Service, Stage, Task},
    targets::{CHECKED_AFTER, TargetCheck},
};

/// From a program's first silence to its load balancer calling it unhealthy: two checks of five seconds, milliseconds.
pub(super) const TARGET_FAILS_AFTER: i64 = 10_000;
/// The same of a container's own health check: three of thirty seconds.
const CONTAINER_FAILS_AFTER: i64 = 90_000;

/// Which health checks a task has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checks {
    Container,
    Targets,
}

impl Task {
    /// When ECS stops it because of its health checks, and because of which; none: it passes them, or nobody looks.
    pub(super) fn failing(&self, service: &Service) -> Option<(i64, Checks)> {
        let started_at = self.started_at?;
        let targets = match self.target_check {
            TargetCheck::Passes => self.ailing_since.map(|since| since + TARGET_FAILS_AFTER),
            TargetCheck::Fails { .. } => Some(started_at + CHECKED_AFTER),
        };
        let targets = targets.filter(|_| !service.balancers.is_empty());
        let ailing = self.ailing_since.filter(|_| self.healthy_at.is_some()).map(|since| since + CONTAINER_FAILS_AFTER);
        let container = self.unhealthy_at.into_iter().chain(ailing).min();
        let found = [(container, Checks::Container), (targets, Checks::Targets)];
        let (at, checks) =
            found.into_iter().filter_map(|(at, checks)| Some((at?, checks))).min_by_key(|(at, _)| *at)?;
        Some((at.max(started_at + i64::from(service.grace_seconds) * 1_000), checks))
    }

    /// It begins to run, and is checked by whoever stands before it.
    pub(super) fn meet_checks(&mut self, service: Option<&Service>) {
        if service.is_none_or(|service| service.balancers.is_empty()) {
            self.target_check = TargetCheck::Passes;
        }
        self.note_next(service);
    }

    /// When it ends by itself, or ECS stops it.
    pub(super) fn note_next(&mut self, service: Option<&Service>) {
        let ends = self.ends.as_ref().map(|(at, _)| *at);
        let failing = service.and_then(|service| self.failing(service)).map(|(at, _)| at);
        self.next_at = ends.into_iter().chain(failing).min();
    }
}

impl Ecs {
    /// Stops a task of a service that has failed its checks, and says so.
    pub(super) fn fail_checks(&mut self, at: i64, due: &Due, id: &str, name: &str, checks: Checks) {
        let Some(cluster) = self.cluster(due) else { return };
        let Some(service) = cluster.services.get(name) else { return };
        let balancer = service.balancers.first().cloned();
        let Some(task) = cluster.tasks.get(id).cloned() else { return };
        match (checks, balancer) {
            (Checks::Targets, Some(balancer)) => {
                let (port, arn) = (balancer.container_port, &balancer.target_group_arn);
                let why = task.target_check.why();
                self.note(
                    at,
                    due,
                    name,
                    format!(
                        "(service {name}) (port {port}) is unhealthy in (target-group {arn}) due to (reason {why})."
                    ),
                );
                let reason = format!("Task failed ELB health checks in (target-group {arn})");
                self.stop_task(at, due, id, "ServiceSchedulerInitiated", reason);
                self.note(at, due, name, format!("(service {name}) has stopped 1 running tasks: (task {id})."));
                self.note_targets(at, due, name, "deregistered", 1);
            }
            (Checks::Container | Checks::Targets, _) => {
                self.note(at, due, name, format!("(service {name}) (task {id}) failed container health checks."));
                let reason = "Task failed container health checks".to_owned();
                self.stop_task(at, due, id, "ServiceSchedulerInitiated", reason);
            }
        }
        self.note_failure(at, due, name, &task);
        self.step_service(at, due, name);
    }

    /// Says whether a task's program answers its health checks from now on.
    pub(in crate::world) fn set_ailing(&mut self, at: i64, service: &ServiceKey<'_>, id: &str, is_ailing: bool) {
        let place = service.place();
        let known = self.places.get_mut(&place).and_then(|region| region.clusters.get_mut(service.cluster));
        let Some(cluster) = known else { return };
        let Some(task) = cluster.tasks.get_mut(id).filter(|task| task.stage == Stage::Running) else { return };
        if task.ailing_since.is_some() == is_ailing {
            return;
        }
        task.ailing_since = is_ailing.then_some(at);
        task.note_next(cluster.services.get(service.name));
        if let Some(next) = task.next_at {
            self.wake_at(next, &place, service.cluster, Who::Task(id.to_owned()));
        }
        // A deployment may have waited for it.
        self.wake_at(at, &place, service.cluster, Who::Service(service.name.to_owned()));
    }

    /// The running tasks of a service, the oldest first: id, and when it began to run.
    pub(in crate::world) fn running_tasks(&self, service: &ServiceKey<'_>) -> Vec<(String, i64)> {
        let cluster = self.places.get(&service.place()).and_then(|region| region.clusters.get(service.cluster));
        let tasks = cluster.into_iter().flat_map(|cluster| cluster.tasks_of(service.name));
        let mut found: Vec<(String, i64)> = tasks
            .filter(|(_, task)| task.is_running())
            .filter_map(|(id, task)| Some((id.clone(), task.started_at?)))
            .collect();
        found.sort_by(|left, right| (left.1, &left.0).cmp(&(right.1, &right.0)));
        found
    }

    /// Lets the program of a task that runs die.
    pub(in crate::world) fn crash(&mut self, at: i64, service: &ServiceKey<'_>, id: &str, code: i32) {
        let place = service.place();
        let cluster = self.places.get_mut(&place).and_then(|region| region.clusters.get_mut(service.cluster));
        let task = cluster.and_then(|cluster| cluster.tasks.get_mut(id));
        let Some(task) = task.filter(|task| task.stage == Stage::Running) else { return };
        task.ends = Some((at, super::start::exited(code, None)));
        task.next_at = Some(at);
        self.wake_at(at, &place, service.cluster, Who::Task(id.to_owned()));
    }
}

/// A service of the world.
#[derive(Debug, Clone, Copy)]
pub(in crate::world) struct ServiceKey<'a> {
    pub(in crate::world) account: &'a str,
    pub(in crate::world) region: &'a str,
    pub(in crate::world) cluster: &'a str,
    pub(in crate::world) name: &'a str,
}

impl ServiceKey<'_> {
    pub(super) fn place(&self) -> PlaceKey {
        (self.account.into(), self.region.into())
    }
}
