//! The way in for fixtures and tests, without a protocol.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    Breaker, Caller, Ecs, Outcome, Program, key,
    life::{Due, Who},
    model::{Definition, Deployment, LogConfig, Rollout, Service, Stage, Task},
    uuid,
};

use crate::world::{strain::TableUse, timeline::matching};

/// Names and values.
type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A service to set up, as if it had been there for long.
#[derive(Debug, Clone)]
pub struct ServiceFixture {
    /// Cluster; made where it is not there.
    pub cluster: String,
    pub name: String,
    /// Task definition's family; a revision is added.
    pub family: String,
    pub image: String,
    /// Which revision of the family this is; those before it are alike.
    pub revision: u32,
    pub program: Program,
    /// Tasks that it has, running.
    pub desired: u32,
    pub breaker: Breaker,
    pub tags: BTreeMap<String, String>,
}

/// A task definition whose tasks do one thing and end.
#[derive(Debug, Clone, Default)]
pub struct JobFixture {
    /// Family; the container is called so, too.
    pub family: String,
    /// Which revision this is; those before it are alike.
    pub revision: u32,
    pub image: String,
    pub program: Program,
    /// Command; empty: the image's own.
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub secrets: Vec<(String, String)>,
    pub log: Option<LogConfig>,
    /// Lines: after so many seconds, which text.
    pub script: Vec<(f64, String)>,
    /// The database without which it fails.
    pub database: Option<String>,
    /// A table of that which it reads or alters.
    pub table: Option<TableUse>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceView {
    pub desired: u32,
    pub running: usize,
    /// Events, the newest first.
    pub events: Vec<String>,
    /// Deployments' ids, the primary first.
    pub deployments: Vec<String>,
    /// Task definitions of every deployment that it ever had, the newest first.
    pub deployed: Vec<String>,
}

/// From one deployment of a service that has been there for long to the next, milliseconds.
const BEFORE: i64 = 30 * 86_400_000;

fn milliseconds(script: &[(f64, String)]) -> Vec<(i64, String)> {
    script.iter().map(|(seconds, text)| ((seconds * 1_000.0) as i64, text.clone())).collect()
}

/// The deployment of the revision before, a month earlier. Its id comes from the later one's, so that no chance is spent on it.
fn before(service: &Service, fixture: &ServiceFixture) -> Option<Deployment> {
    let (family, revision) = service.primary().definition.rsplit_once(':')?;
    let earlier = revision.parse::<u32>().ok()?.checked_sub(1).filter(|earlier| *earlier > 0)?;
    let at = service.created_at - BEFORE;
    let number: u64 = service.primary().id.rsplit('/').next()?.parse().ok()?;
    Some(Deployment {
        id: format!("ecs-svc/{:019}", number / 2 + u64::from(fixture.revision)),
        definition: format!("{family}:{earlier}"),
        created_at: at,
        updated_at: at + 120_000,
        ..service.primary().clone()
    })
}

impl Ecs {
    /// Sets a service up: steady, its tasks running for some days.
    pub fn settle(&mut self, now: Timestamp, caller: &Caller, fixture: &ServiceFixture) {
        let at = (now - SignedDuration::from_hours(60)).as_millisecond();
        let definition = self.define(caller, &fixture.family, &fixture.image, fixture.revision, fixture.program);
        let mut deployment = self.new_deployment(at, &definition);
        deployment.rollout = Rollout::Completed;
        deployment.reason = format!("ECS deployment {} completed.", deployment.id);
        let ids: Vec<String> = (0..fixture.desired).map(|_| self.task_id()).collect();
        let event = uuid(&mut self.rng);
        let cluster = self.region(caller).clusters.entry(fixture.cluster.clone()).or_default();
        for id in ids {
            let mut task = Task::of_service(at, (0, 0), &fixture.name, &deployment);
            task.stage = Stage::Running;
            task.started_at = Some(at);
            task.pull_at = Some(at);
            task.subnet = Some("subnet-0a1b2c3d4e5f60718".to_owned());
            task.healthy_at = fixture.program.healthy_after_seconds.map(|_| at);
            task.next_at = None;
            cluster.tasks.insert(id, task);
        }
        let mut service = Service {
            desired: fixture.desired,
            breaker: fixture.breaker,
            network: json!({ "awsvpcConfiguration": {
                "subnets": ["subnet-0a1b2c3d4e5f60718", "subnet-08172635445362718"],
                "securityGroups": ["sg-0123456789abcdef0"], "assignPublicIp": "DISABLED",
            } }),
            tags: fixture.tags.clone(),
            is_steady: true,
            good_definition: Some(definition),
            ..Service::new(at, deployment)
        };
        service.note(event, at, format!("(service {}) has reached a steady state.", fixture.name));
        service.past.extend(before(&service, fixture));
        cluster.services.insert(fixture.name.clone(), service);
    }

    /// Registers revisions of a family up to `revision`; answers `family:revision` of the last.
    pub fn define(&mut self, caller: &Caller, family: &str, image: &str, revision: u32, program: Program) -> String {
        let definition = Definition {
            container: family.to_owned(),
            image: image.to_owned(),
            program,
            network_mode: Some("awsvpc".to_owned()),
            ..Definition::default()
        };
        self.register(caller, revision, definition)
    }

    /// Registers a definition at least once, and as often as it takes until it is that revision.
    fn register(&mut self, caller: &Caller, revision: u32, definition: Definition) -> String {
        let family = definition.container.clone();
        let revisions = self.region(caller).families.entry(family.clone()).or_default();
        let count = (revision as usize).saturating_sub(revisions.len()).max(1);
        revisions.extend(std::iter::repeat_n(definition, count));
        format!("{family}:{}", revisions.len())
    }

    /// Registers a revision of a family whose tasks do one thing and end; answers `family:revision`.
    pub fn define_job(&mut self, caller: &Caller, job: &JobFixture) -> String {
        let role = |name: &str| format!("arn:aws:iam::{}:role/{}-{name}", caller.account, job.family);
        let definition = Definition {
            container: job.family.clone(),
            image: job.image.clone(),
            program: job.program,
            command: job.command.clone(),
            network_mode: Some("awsvpc".to_owned()),
            role: Some(role("task")),
            execution_role: Some(role("execution")),
            environment: job.environment.clone(),
            secrets: job.secrets.clone(),
            log: job.log.clone(),
            script: milliseconds(&job.script),
            database: job.database.clone(),
            table: job.database.clone().zip(job.table.clone()),
            ..Definition::default()
        };
        self.register(caller, job.revision, definition)
    }

    /// Lets tasks that begin by a revision from now on go on like this.
    pub fn break_revision(&mut self, caller: &Caller, definition: &str, outcome: Outcome) {
        if let Some(found) = self.revision_mut(caller, definition) {
            found.program.outcome = outcome;
        }
    }

    /// What is between a revision's `ACTIVE` and its being forgotten.
    pub fn deregister(&mut self, caller: &Caller, definition: &str) {
        if let Some(found) = self.revision_mut(caller, definition) {
            found.is_inactive = true;
        }
    }

    /// Minimum healthy percent and maximum percent of a service's deployments.
    pub fn set_percents(&mut self, caller: &Caller, cluster: &str, service: &str, (min, max): (u32, u32)) {
        if let Some(found) = self.service(caller, cluster, service) {
            (found.percent_min, found.percent_max) = (min, max);
        }
    }

    fn revision_mut(&mut self, caller: &Caller, definition: &str) -> Option<&mut Definition> {
        let (family, revision) = definition.rsplit_once(':')?;
        let index = revision.parse::<usize>().ok()?.checked_sub(1)?;
        self.region(caller).families.get_mut(family)?.get_mut(index)
    }

    /// Changes a revision of a family: its image, its plain variables, its secrets.
    pub fn amend(
        &mut self,
        caller: &Caller,
        definition: &str,
        (image, environment, secrets): (&str, Pairs<'_>, Pairs<'_>),
    ) {
        let Some(found) = self.revision_mut(caller, definition) else { return };
        let pairs = |pairs: Pairs<'_>| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        image.clone_into(&mut found.image);
        (found.environment, found.secrets) = (pairs(environment), pairs(secrets));
    }

    /// Lets every revision of a family write its lines there.
    pub fn log_to(&mut self, caller: &Caller, family: &str, log: &LogConfig, script: &[(f64, String)]) {
        for definition in self.region(caller).families.entry(family.to_owned()).or_default() {
            definition.log = Some(log.clone());
            definition.script = milliseconds(script);
        }
    }

    /// Lets the tasks of every revision of a family warm up: their health checks fail until the world says otherwise.
    pub(in crate::world) fn start_cold(&mut self, caller: &Caller, family: &str) {
        for definition in self.region(caller).families.entry(family.to_owned()).or_default() {
            definition.starts_cold = true;
        }
    }

    /// Lets the tasks of every revision of a family use a table of a database.
    pub fn use_table(&mut self, caller: &Caller, family: &str, database: &str, table: &TableUse) {
        for definition in self.region(caller).families.entry(family.to_owned()).or_default() {
            definition.table = Some((database.to_owned(), table.clone()));
        }
    }

    /// `RunTask` places no task in a cluster for this reason (`RESOURCE:MEMORY`, ...); none: it does again.
    pub fn refuse_tasks(&mut self, caller: &Caller, cluster: &str, reason: Option<&str>) {
        self.region(caller).clusters.entry(cluster.to_owned()).or_default().refuses = reason.map(str::to_owned);
    }

    /// `DescribeTasks` calls tasks of this age, in seconds, `MISSING`, as it may right after `RunTask`; none: it shows all.
    pub fn hide_tasks(&mut self, caller: &Caller, cluster: &str, age_seconds: Option<std::ops::Range<u32>>) {
        let millis = |seconds: u32| i64::from(seconds) * 1_000;
        self.region(caller).clusters.entry(cluster.to_owned()).or_default().hides =
            age_seconds.map(|age| millis(age.start)..millis(age.end));
    }

    /// Ids of a cluster's tasks that are of a family, stopped ones too, the oldest first.
    pub fn tasks_of_family(&self, caller: &Caller, cluster: &str, family: &str) -> Vec<String> {
        let cluster = self.places.get(&key(caller)).and_then(|region| region.clusters.get(cluster));
        let mut tasks: Vec<(i64, &String)> = cluster
            .into_iter()
            .flat_map(|cluster| &cluster.tasks)
            .filter(|(_, task)| super::family(&task.definition) == family)
            .map(|(id, task)| (task.created_at, id))
            .collect();
        tasks.sort();
        tasks.into_iter().map(|(_, id)| id.clone()).collect()
    }

    /// Starts a deployment of another revision, as a pipeline does.
    pub fn deploy(&mut self, now: Timestamp, caller: &Caller, cluster: &str, service: &str, definition: &str) {
        let at = now.as_millisecond();
        let deployment = self.new_deployment(at, definition);
        let Some(found) = self.service(caller, cluster, service) else { return };
        found.deployments.insert(0, deployment);
        found.is_steady = false;
        self.wake_at(at, &key(caller), cluster, Who::Service(service.to_owned()));
    }

    /// Registers a service's next revision, whose tasks go on like this, and starts its deployment.
    pub(in crate::world) fn deploy_next(
        &mut self,
        now: Timestamp,
        caller: &Caller,
        cluster: &str,
        service: &str,
        outcome: Outcome,
    ) {
        let place = key(caller);
        let region = self.places.get(&place).and_then(|region| region.clusters.get(cluster));
        let running = region.and_then(|cluster| cluster.services.get(service)?.deployments.first());
        let Some(running) = running.map(|deployment| deployment.definition.clone()) else { return };
        let Some(mut definition) = self.definition(&place, &running).cloned() else { return };
        definition.program.outcome = outcome;
        let family = super::family(&running);
        let revisions = self.region(caller).families.entry(family.to_owned()).or_default();
        let next = revisions.len() + 1;
        if let Some((image, _)) = definition.image.clone().rsplit_once(':') {
            definition.image = format!("{image}:{next}");
        }
        revisions.push(definition);
        self.deploy(now, caller, cluster, service, &format!("{family}:{next}"));
    }

    /// Services by globs of account and `cluster/name`: who acts in their place, cluster, name.
    pub(in crate::world) fn matching(&self, account: &str, service: &str) -> Vec<(Caller, String, String)> {
        let mut found = Vec::new();
        for ((of_account, region), place) in &self.places {
            for (cluster, name) in place
                .clusters
                .iter()
                .flat_map(|(cluster, known)| known.services.keys().map(move |name| (cluster, name)))
            {
                let caller = matching(account, service, (of_account, region), &format!("{cluster}/{name}"));
                found.extend(caller.map(|caller| (caller, cluster.clone(), name.clone())));
            }
        }
        found
    }

    /// No task can be placed in a cluster until a time.
    pub fn fill_until(&mut self, caller: &Caller, cluster: &str, until: Timestamp) {
        self.region(caller).clusters.entry(cluster.to_owned()).or_default().full_until = until.as_millisecond();
    }

    /// Others in the account use up the updates of services.
    pub fn drain_updates(&mut self, now: Timestamp, caller: &Caller) {
        self.region(caller).buckets.drain("UpdateService", now.as_millisecond());
    }

    pub fn put_event(&mut self, now: Timestamp, caller: &Caller, cluster: &str, service: &str, message: &str) {
        let due = Due::of_service(caller, cluster, service);
        self.note(now.as_millisecond(), &due, service, message.to_owned());
    }

    /// Stops a service's tasks from outside, with this reason.
    pub fn stop_all(&mut self, now: Timestamp, caller: &Caller, cluster: &str, service: &str, reason: &str) {
        let due = Due::of_service(caller, cluster, service);
        let known = self.region(caller).clusters.get(cluster);
        let ids: Vec<String> =
            known.into_iter().flat_map(|found| found.tasks_of(service)).map(|(id, _)| id.clone()).collect();
        for id in ids {
            self.stop_task(now.as_millisecond(), &due, &id, "UserInitiated", reason.to_owned());
        }
    }

    /// Sets the desired count behind everybody's back; false: no such service.
    pub fn set_desired(&mut self, now: Timestamp, caller: &Caller, cluster: &str, service: &str, count: u32) -> bool {
        let at = now.as_millisecond();
        let Some(found) = self.service(caller, cluster, service) else { return false };
        found.set_desired(at, count);
        self.wake_at(at, &key(caller), cluster, Who::Service(service.to_owned()));
        true
    }

    pub fn running(&self, account: &str, region: &str, cluster: &str, service: &str) -> usize {
        let place = self.places.get(&(account.into(), region.into()));
        let tasks = place.and_then(|place| place.clusters.get(cluster)).into_iter();
        tasks.flat_map(|cluster| cluster.tasks_of(service)).filter(|(_, task)| task.is_running()).count()
    }

    pub fn view(&self, caller: &Caller, cluster: &str, service: &str) -> Option<ServiceView> {
        let cluster = self.places.get(&key(caller))?.clusters.get(cluster)?;
        let found = cluster.services.get(service)?;
        Some(ServiceView {
            desired: found.desired,
            running: cluster.tasks_of(service).filter(|(_, task)| task.is_running()).count(),
            events: found.events.iter().map(|event| event.message.clone()).collect(),
            deployments: found.deployments.iter().map(|deployment| deployment.id.clone()).collect(),
            deployed: found.all_deployments().map(|deployment| deployment.definition.clone()).collect(),
        })
    }
}
