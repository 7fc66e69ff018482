//! Services and one-off tasks of a fleet.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Fleet,
    file::{File, QueueEntry, check_environments, default, lists},
};
use crate::{
    domain::{ServiceGroup, ServiceRules},
    world::{
        World,
        actors::Worker,
        autoscaling::{Action, Suspended, Target},
        ecs::{Breaker, LogConfig, Outcome, Program, ServiceFixture},
        logs::Line,
        strain::{Pool, TableUse},
        template::Place,
    },
};

/// Lines that a task has written in the last hour when the sandbox starts.
const LINES: i64 = 40;
const LINES_BACK: i64 = 3_600_000;
/// How long a log group has been there.
const SETTLED_AGO: i64 = 200 * 86_400_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceEntry {
    pub(super) name: String,
    pub(super) system: String,
    /// ECS cluster; `{environment}` stands for the environment's name.
    cluster: String,
    /// Tasks by environment; it is in these only.
    tasks: BTreeMap<String, u32>,
    #[serde(default)]
    scaling: BTreeMap<String, [u32; 2]>,
    /// A policy of target tracking, where it has `scaling`.
    tracking: Option<TrackingEntry>,
    #[serde(default)]
    scheduled: Vec<ScheduledEntry>,
    #[serde(default = "default::<1>")]
    revision: u32,
    /// Environments in which a deployment is under way whose image is missing.
    #[serde(default)]
    failing: Vec<String>,
    #[serde(default)]
    breaker: bool,
    /// By environment, the database that its tasks work on: while any runs, it keeps that awake.
    #[serde(default)]
    database: BTreeMap<String, String>,
    /// Connections of its tasks to that.
    pool: Option<Pool>,
    /// A table of that which its tasks use as long as they run.
    table: Option<TableUse>,
    #[serde(default = "default::<9>")]
    pull_seconds: u32,
    healthy_after_seconds: Option<u32>,
    /// Port behind a load balancer, in a target group of its name and the environment's.
    load_balancer_port: Option<u16>,
}

/// What autoscaling keeps a metric of its tasks at: with the count that it begins with, the metric is as usual.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackingEntry {
    metric: TrackedMetric,
    /// Percent.
    target: f64,
    #[serde(default = "default::<300>")]
    out_cooldown_seconds: u32,
    #[serde(default = "default::<300>")]
    in_cooldown_seconds: u32,
}

#[derive(Debug, Clone, Copy, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
enum TrackedMetric {
    #[strum(serialize = "ECSServiceAverageCPUUtilization")]
    Cpu,
    #[strum(serialize = "ECSServiceAverageMemoryUtilization")]
    Memory,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduledEntry {
    name: String,
    schedule: String,
    min: Option<u32>,
    max: Option<u32>,
    environments: Vec<String>,
}

/// Services that wake and sleep together; `{environment}` stands for the environment's name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupEntry {
    name: String,
    environments: Vec<String>,
    stages: Vec<Vec<String>>,
    always_on: Vec<String>,
}

impl Fleet {
    pub(super) fn groups(&self, environment: &str) -> ServiceRules {
        let here = self.file.groups.iter().filter(|group| group.environments.iter().any(|name| name == environment));
        let of_environment = |patterns: &Vec<String>| -> Vec<String> {
            patterns.iter().map(|pattern| pattern.replace("{environment}", environment)).collect()
        };
        let group = |group: &GroupEntry| ServiceGroup {
            name: group.name.clone(),
            stages: group.stages.iter().map(of_environment).collect(),
            always_on: of_environment(&group.always_on),
            size: 1,
            sleep_allowed: false,
        };
        let migrations = self.file.migrations.iter().filter(|entry| lists(&entry.environments, environment));
        let migrations = migrations.map(|entry| entry.bind(environment)).collect();
        let named = |entry: &QueueEntry| {
            let service = entry.consumer.as_ref()?.service.as_ref()?;
            Some((entry.name.clone(), service.replace("{environment}", environment)))
        };
        let consumers = self.file.queues.iter().filter(|queue| queue.is_in(environment)).filter_map(named).collect();
        ServiceRules { groups: here.map(group).collect(), migrations, consumers }
    }

    /// Names of an environment's services, as `cluster/name`.
    pub fn services<'a>(&'a self, environment: &'a str) -> impl Iterator<Item = String> + use<'a> {
        let here = self.file.services.iter().filter(move |service| service.tasks.contains_key(environment));
        here.map(move |service| format!("{}/{}", service.cluster_in(environment), service.name))
    }

    pub(super) fn settle_services(&self, world: &mut World, now: Timestamp, place: &Place) {
        for job in &self.file.jobs {
            job.settle(world, now, place);
        }
        for database in self.file.tables(&place.environment) {
            world.actors.add_tables(now, place.clone(), &database);
        }
        for service in &self.file.services {
            if let Some(tasks) = service.tasks.get(&place.environment) {
                service.settle(world, now, place, *tasks);
            }
        }
    }
}

impl TrackingEntry {
    fn request(&self, service: &str, resource: &str) -> Value {
        let metric: &str = self.metric.into();
        json!({
            "PolicyName": format!("{service}-tracking"), "ServiceNamespace": "ecs", "ResourceId": resource,
            "ScalableDimension": "ecs:service:DesiredCount", "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": self.target, "PredefinedMetricSpecification": { "PredefinedMetricType": metric },
                "ScaleOutCooldown": self.out_cooldown_seconds, "ScaleInCooldown": self.in_cooldown_seconds,
            },
        })
    }
}

impl ServiceEntry {
    pub(super) fn check(&self, file: &File, environments: &[&str]) -> Result<(), String> {
        if self.tracking.as_ref().is_some_and(|tracking| tracking.target <= 0.0 || self.scaling.is_empty()) {
            return Err("its tracking needs a target above zero, and scaling".to_owned());
        }
        let mut needed = self.database.iter();
        if let Some((environment, name)) = needed.find(|(place, name)| !file.has_database(place, name)) {
            return Err(format!("its database {name:?} is not in {environment} of the file"));
        }
        if self.pool.as_ref().is_some_and(|pool| pool.connections_max < pool.connections) {
            return Err("its pool has fewer connections at most than when it is warm".to_owned());
        }
        if self.database.is_empty() && (self.pool.is_some() || self.table.is_some()) {
            return Err("its pool or table needs a database".to_owned());
        }
        let scheduled = self.scheduled.iter().flat_map(|entry| &entry.environments);
        let named = self.tasks.keys().chain(self.scaling.keys()).chain(&self.failing).chain(scheduled);
        check_environments(named, environments)
    }

    /// The database a table of which its tasks use.
    pub(super) fn database_of_table(&self, environment: &str) -> Option<String> {
        self.table.as_ref()?;
        self.database.get(environment).cloned()
    }

    /// Whether it is `cluster/name`, as the file writes it.
    pub(super) fn is_named(&self, name: &str) -> bool {
        format!("{}/{}", self.cluster, self.name) == name
    }

    fn cluster_in(&self, environment: &str) -> String {
        self.cluster.replace("{environment}", environment)
    }

    fn settle(&self, world: &mut World, now: Timestamp, place: &Place, tasks: u32) {
        let caller = place.caller();
        let environment = place.environment.as_str();
        let cluster = self.cluster_in(environment);
        let image = format!("{}.dkr.ecr.{}.amazonaws.com/{}", place.account, place.region, self.name);
        let healthy_after_seconds = self.healthy_after_seconds;
        let program = Program { pull_seconds: self.pull_seconds, healthy_after_seconds, ..Program::default() };
        let tags = [("Project", self.system.as_str()), ("Environment", environment), ("Owner", "on-call")];
        let fixture = ServiceFixture {
            cluster: cluster.clone(),
            name: self.name.clone(),
            family: self.name.clone(),
            image: format!("{image}:{}", self.revision),
            revision: self.revision,
            program,
            desired: tasks,
            breaker: if self.breaker { Breaker::RollsBack } else { Breaker::Off },
            tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        };
        world.ecs.settle(now, &caller, &fixture);
        if let Some(port) = self.load_balancer_port {
            world.balance(&caller, &cluster, &self.name, &format!("{}-{environment}", self.name), port);
        }
        self.settle_logs(world, now, place, &cluster);
        if let Some(database) = self.database.get(environment) {
            let worker = Worker::Service { cluster: cluster.clone(), name: self.name.clone() };
            world.actors.add_caller(now, place.clone(), worker, database);
            if let Some(pool) = &self.pool {
                world.pool(now, place, (&cluster, &self.name), database, pool.clone());
            }
            if let Some(table) = &self.table {
                world.ecs.use_table(&caller, &self.name, database, table);
            }
        }
        if let Some([min, max]) = self.scaling.get(environment) {
            let here = self.scheduled.iter().filter(|entry| entry.environments.iter().any(|name| name == environment));
            let action = |entry: &ScheduledEntry| Action {
                name: entry.name.clone(),
                schedule: entry.schedule.clone(),
                min: entry.min,
                max: entry.max,
            };
            let (min, max, actions) = (*min, *max, here.map(action).collect());
            let target = Target { min, max, suspended: Suspended::default(), created_at: now, actions };
            let resource = format!("service/{cluster}/{}", self.name);
            world.autoscaling.put(&caller, &resource, target);
            if let Some(tracking) = &self.tracking {
                let put = ("application-autoscaling", "PutScalingPolicy");
                // The target is there, and a target value above zero was checked.
                drop(world.ask(now, &caller, put, tracking.request(&self.name, &resource)));
            }
        }
        if self.failing.iter().any(|name| name == environment) {
            let program = Program { outcome: Outcome::CannotPull, ..program };
            let next = self.revision + 1;
            let definition = world.ecs.define(&caller, &self.name, &format!("{image}:{next}"), next, program);
            world.ecs.deploy(now, &caller, &cluster, &self.name, &definition);
        }
    }

    /// What its tasks wrote in the last hour, and what those write that start later.
    fn settle_logs(&self, world: &mut World, now: Timestamp, place: &Place, cluster: &str) {
        let (caller, now) = (place.caller(), now.as_millisecond());
        let log =
            LogConfig { group: format!("/aws/ecs/{}", self.name), prefix: "ecs".to_owned(), ..LogConfig::default() };
        let begins = [(0.4, format!("{} starting", self.name)), (1.9, "listening on 0.0.0.0:8080".to_owned())];
        world.ecs.log_to(&caller, &self.name, &log, &begins);
        world.logs.create_group(now - SETTLED_AGO, &place.account, &place.region, &log.group);
        for (number, task) in world.ecs.tasks_of_family(&caller, cluster, &self.name).into_iter().enumerate() {
            let line = |index: i64| {
                let took = 3 + (index * 7 + number as i64 * 13) % 90;
                let text = match index % 9 {
                    8 => format!("WARN slow request took={}ms", took * 20),
                    _ => format!("INFO request handled status=200 took={took}ms"),
                };
                Line { at: now - LINES_BACK + index * LINES_BACK / LINES, text }
            };
            let stream = format!("ecs/{}/{task}", self.name);
            world.logs.write(&place.account, &place.region, &log.group, &stream, (0..LINES).map(line).collect());
        }
    }
}
