//! What a migration would do, in words.

use super::{Migrate, ToMigrate, mark, scene::Scene, secrets::shown_command};
use crate::{
    cloud::{Cloud, ecs::Launch},
    databases::Capacity,
    domain::{LogDestination, Migration, NetworkSource, Text, Try},
    operations::{plan::Plan, values::in_words},
};

/// Characters of a task's overrides (API reference).
const OVERRIDES_MAX: usize = 8_192;

/// The plan but for who else migrates, and what it is bound to.
pub(super) fn make(
    migrate: &Migrate,
    migration: &Migration,
    scene: &Scene,
    cloud: &Cloud,
    mut plan: Plan,
) -> (Plan, ToMigrate) {
    let bound = bind(migrate, migration, scene, cloud);
    plan.resource = Text::line(&migration.name);
    observe(&mut plan, migration, scene, &bound);
    facts(&mut plan, migration, scene, &bound);
    block(&mut plan, migration, scene, &bound);
    warn(&mut plan, migration, scene, &bound, cloud);
    (plan, bound)
}

fn bind(migrate: &Migrate, migration: &Migration, scene: &Scene, cloud: &Cloud) -> ToMigrate {
    let environment = cloud.environment();
    let mut clusters: Vec<_> = environment.services.migrations.iter().map(|other| other.cluster.clone()).collect();
    clusters.sort();
    clusters.dedup();
    let log = scene
        .container
        .log
        .clone()
        .map(|log| LogDestination { group: migration.log_group.clone().unwrap_or(log.group), ..log });
    ToMigrate {
        migration: migration.name.clone(),
        launch: Launch {
            cluster: migration.cluster.0.clone(),
            definition: scene.definition.arn.clone(),
            container: scene.container.name.clone(),
            command: scene.command.clone(),
            network: scene.network.clone().unwrap_or_default(),
            placement: scene.placement.clone(),
            started_by: mark(&environment.name),
            group: String::new(),
            token: String::new(),
        },
        log,
        essential_beside: essential_beside(scene),
        clusters,
        timeout_seconds: migrate.timeout.map(|timeout| u64::from(timeout.0)).or(migration.timeout_seconds),
        detach: migrate.detach,
    }
}

fn essential_beside(scene: &Scene) -> Vec<String> {
    let others = scene.definition.essential().filter(|other| other.name != scene.container.name);
    others.map(|other| other.name.clone()).collect()
}

fn observe(plan: &mut Plan, migration: &Migration, scene: &Scene, bound: &ToMigrate) {
    plan.observe("cluster", &migration.cluster.0);
    plan.observe("task definition", &scene.definition.arn);
    plan.observe("image", &scene.container.image);
    plan.observe("container", &scene.container.name);
    plan.observe("command", shown_command(scene.command.as_ref().unwrap_or(&scene.container.command)));
    plan.observe("network", bound.launch.network.words());
    if let Some(words) = scene.placement.words().filter(|words| words != "FARGATE") {
        plan.observe("runs on", words);
    }
    plan.observe("role", scene.definition.role.as_ref().map_or("none", Text::as_str));
}

fn facts(plan: &mut Plan, migration: &Migration, scene: &Scene, bound: &ToMigrate) {
    let Scene { definition, container, .. } = scene;
    plan.summary = Text::line(&format!("start {} once in {}", definition.name.0, migration.cluster.0));
    plan.fact("migration", &migration.name);
    plan.fact("ECS cluster", &migration.cluster.0);
    plan.fact("task definition", format!("{} (pinned)", definition.name.0));
    plan.fact("image", container.image.as_str());
    plan.fact("container", &container.name);
    let runs = match (&scene.command, container.command.is_empty()) {
        (Some(command), _) => format!("{} (in place of the task definition's own)", shown_command(command)),
        (None, false) => shown_command(&container.command),
        (None, true) => "the image's own command".to_owned(),
    };
    plan.fact("runs", runs);
    let from = match &migration.network {
        NetworkSource::Service(service) => format!(" (copied from {service})"),
        NetworkSource::Given(_) => " (configured)".to_owned(),
    };
    plan.fact("network", format!("{}{from}", bound.launch.network.words()));
    let on = scene.placement.words().unwrap_or_else(|| "FARGATE".to_owned());
    plan.fact("runs on", format!("{on}{}", if scene.placement.words().is_some() { from } else { "".to_owned() }));
    plan.fact("role", definition.role.as_ref().map_or("none", Text::as_str));
    plan.fact("log", bound.log.as_ref().map_or("goes nowhere that can be read", |log| &log.group));
    plan.fact("database", database_words(migration, scene));
    let waits = match (bound.detach, bound.timeout_seconds) {
        (true, _) => "not at all: it is only started".to_owned(),
        (false, Some(seconds)) => format!("{} at most; the task goes on after that", in_words(seconds)),
        (false, None) => "until it ends, without limit".to_owned(),
    };
    plan.fact("waits", waits);
    plan.change("one task is started, with the role above; it runs until it ends by itself");
    plan.change("what it changes in the database is not taken back by opsctl, whatever becomes of the run");
    plan.call("ecs:RunTask", Some(&definition.name.0), 1);
    if let Some(role) = definition.role.iter().chain(&definition.execution_role).next() {
        plan.call("iam:PassRole", Some(role.as_str()), 1);
    }
    if let Some(log) = bound.log.as_ref().filter(|_| !bound.detach) {
        plan.call("logs:GetLogEvents", Some(&log.group), 1);
    }
}

fn database_words(migration: &Migration, scene: &Scene) -> String {
    let secrets = scene.container.secrets.iter().map(Text::as_str).collect::<Vec<_>>().join(" ");
    let secrets = if secrets.is_empty() { String::new() } else { format!("; secrets {secrets}") };
    let hosts: Vec<String> = scene.container.hosts.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let hosts = if hosts.is_empty() { String::new() } else { format!("; {}", hosts.join(" ")) };
    let name = match (&migration.database, &scene.database) {
        (Some(_), Some(Ok((database, _)))) => {
            format!("{} ({} {}), {}", database.name, database.engine, database.version, database.status)
        }
        (Some(name), _) => format!("{name}, of unknown status"),
        (None, _) => "not configured".to_owned(),
    };
    format!("{name}{hosts}{secrets}")
}

/// What makes it impossible, but for others that migrate.
fn block(plan: &mut Plan, migration: &Migration, scene: &Scene, bound: &ToMigrate) {
    let Scene { definition, .. } = scene;
    if !definition.is_active {
        plan.block(format!("{} is INACTIVE: no task can be started of it", definition.name.0));
    }
    if let Some(mode) = definition.network_mode.as_ref().filter(|mode| mode.as_str() != "awsvpc") {
        plan.block(format!("{} has the network mode {mode}; a task on Fargate needs awsvpc", definition.name.0));
    }
    let network = &bound.launch.network;
    if let (NetworkSource::Service(service), None) = (&migration.network, &scene.network) {
        plan.block((
            format!("{service} has no network of its own to copy"),
            Try::Configure.says("give the migration `subnets` in opsctl.toml"),
        ));
    } else if network.subnets.is_empty() {
        plan.block("there are no subnets");
    }
    for (count, most, what) in
        [(network.subnets.len(), 16, "subnets"), (network.security_groups.len(), 5, "security groups")]
    {
        if count > most {
            plan.block(format!("{count} {what}, of which ECS takes {most}"));
        }
    }
    // Names and braces of the document take some more.
    let characters: usize = scene.command.iter().flatten().map(|word| word.chars().count() + 4).sum();
    if characters + 200 > OVERRIDES_MAX {
        plan.block(format!("the command is too long: overrides take {OVERRIDES_MAX} characters"));
    }
}

fn warn(plan: &mut Plan, migration: &Migration, scene: &Scene, bound: &ToMigrate, cloud: &Cloud) {
    let container = &scene.container;
    plan.warn(
        "which commands are allowed is opsctl's own rule, and IAM does not enforce it: whoever may start this task may start it \
         with any command and its role",
    );
    let image = container.image.as_str();
    let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map(|(_, tag)| tag);
    if !image.contains("@sha256:") && tag.is_none_or(|tag| tag == "latest") {
        plan.warn(format!("the image {image} is not pinned by a tag: what runs is what the name stands for then"));
    }
    if !bound.essential_beside.is_empty() {
        plan.warn(format!(
            "the task ends when {} ends, too: the exit code of {} counts only where those end cleanly",
            bound.essential_beside.join(", "),
            container.name
        ));
    }
    if let Some(what) = scene.placement.may_wait_for() {
        plan.warn(format!("the task may wait for {what}"));
    }
    warn_of_the_log(plan, scene, bound, cloud);
    warn_of_the_database(plan, migration, scene);
}

fn warn_of_the_log(plan: &mut Plan, scene: &Scene, bound: &ToMigrate, cloud: &Cloud) {
    let Some(log) = &bound.log else {
        let driver = scene.container.log_driver.as_ref().map_or("no log driver", Text::as_str);
        return plan.warn(format!("its log cannot be followed: {driver}, where awslogs is needed"));
    };
    if log.prefix.is_none() {
        plan.warn("its log cannot be followed: without awslogs-stream-prefix the stream's name is not known");
    }
    let region = &cloud.environment().region;
    if let Some(other) = log.region.as_ref().filter(|other| *other != region) {
        plan.warn(format!("its log cannot be followed: it goes to {other}, not {region}"));
    }
    match &scene.has_log_group {
        Some(Ok(false)) if log.creates_group => {}
        Some(Ok(false)) => {
            plan.warn(format!("the log group {} is not there: the task will not start without it", log.group))
        }
        Some(Err(error)) => plan.warn(format!("whether the log group is there is not known: {error}")),
        Some(Ok(true)) | None => {}
    }
    if !log.is_blocking {
        plan.warn("its log driver does not wait (non-blocking): lines may be lost, and a missing line proves nothing");
    }
}

fn warn_of_the_database(plan: &mut Plan, migration: &Migration, scene: &Scene) {
    let Some(name) = &migration.database else { return };
    match &scene.database {
        Some(Ok((database, capacity))) => {
            if !database.is_available() {
                plan.warn(format!("{name} is {}: a migration now may fail half way", database.status));
            }
            if let Capacity::Paused { .. } = capacity {
                plan.warn(format!("{name} has paused: the migration wakes it, which takes 15 to 30 s or more"));
            }
        }
        Some(Err(error)) => plan.warn(format!("how {name} is, is not known: {error}")),
        None => {}
    }
}
