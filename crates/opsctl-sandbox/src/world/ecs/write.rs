//! What changes something: services, tasks, and what tests make them of.

use serde_json::{Value, json};

use super::{
    ApiError, Ecs, PlaceKey, READS_LAG, error, family, invalid, key,
    life::{CAPACITY, Due, SCHEDULER_PAUSE, Who},
    model::{Breaker, Cluster, Definition, LogConfig, Service, Standing, Task, Token},
    read::{cluster_name, last_part, missing, no_cluster},
    request::{
        CreateCluster, CreateService, DeleteService, DeploymentConfiguration, DescribeTaskDefinition, LogConfiguration,
        Placement, RegisterTaskDefinition, RunTask, StopTask, UpdateService, Variable,
    },
    show,
    task::haste,
};
use crate::world::call::{Answered, Call};

/// Characters of `overrides` (API reference).
const OVERRIDES_MAX: usize = 8_192;
/// Characters of a client token (API reference).
const TOKEN_MAX: usize = 64;
/// How long a token lives at most, milliseconds (API reference: 24 hours, or the task's life and an hour).
const TOKEN_LIVES: i64 = 86_400_000;
/// Of a task's network, and of `startedBy` (API reference).
const SUBNETS_MAX: usize = 16;
const SECURITY_GROUPS_MAX: usize = 5;
const STARTED_BY_MAX: usize = 128;
/// Tasks of one `RunTask`.
const RUN_MAX: u32 = 10;
/// Container instances of a cluster, which is how many tasks a DAEMON service has (an assumption: instances are not simulated).
const DAEMON_INSTANCES: u32 = 2;
/// Tasks of a service (quota).
const DESIRED_MAX: i64 = 5_000;

impl Ecs {
    pub(super) fn create_cluster(&mut self, call: Call, request: CreateCluster) -> Answered<Value> {
        let name = request.cluster_name.unwrap_or_else(|| "default".to_owned());
        let place = key(call.caller);
        let cluster = self.region(call.caller).clusters.entry(name.clone()).or_default();
        Ok(json!({ "cluster": show::cluster(&place, &name, cluster) }))
    }

    pub(super) fn register_task_definition(
        &mut self,
        call: Call,
        request: RegisterTaskDefinition,
        registered: Value,
    ) -> Answered<Value> {
        let Some(container) = request.container_definitions.into_iter().next() else {
            return Err(error("ClientException", "Container list cannot be empty."));
        };
        let is_fargate = request.requires_compatibilities.iter().any(|one| one == "FARGATE");
        if is_fargate && !container.secrets.is_empty() && request.execution_role_arn.is_none() {
            let message = "When you are specifying container secrets, and using Fargate, you must also specify a value for \
                           'executionRoleArn'.";
            return Err(error("ClientException", message));
        }
        let pairs = |variables: Vec<Variable>| variables.into_iter().map(|one| (one.name, one.value)).collect();
        let definition = Definition {
            container: container.name.unwrap_or_else(|| "app".to_owned()),
            image: container.image.unwrap_or_default(),
            entry_point: container.entry_point,
            command: container.command,
            health: container.health_check,
            registered: Some(registered),
            network_mode: request.network_mode,
            role: request.task_role_arn,
            execution_role: request.execution_role_arn,
            environment: pairs(container.environment),
            secrets: pairs(container.secrets),
            log: container.log_configuration.and_then(log_config),
            cpu: request.cpu,
            memory: request.memory,
            registered_at: call.now,
            ..Definition::default()
        };
        let place = key(call.caller);
        let revisions = self.region(call.caller).families.entry(request.family.clone()).or_default();
        revisions.push(definition);
        let (revision, definition) = (revisions.len(), &revisions[revisions.len() - 1]);
        Ok(json!({ "taskDefinition": show::definition(&place, &request.family, revision, definition) }))
    }

    /// What runs by it goes on; nothing new begins by it.
    pub(super) fn deregister_task_definition(
        &mut self,
        call: Call,
        request: DescribeTaskDefinition,
    ) -> Answered<Value> {
        let place = key(call.caller);
        let name = self.resolve_definition(&place, &request.task_definition)?;
        let unable = || error("ClientException", "Unable to describe task definition.");
        let (family, revision) = name.rsplit_once(':').ok_or_else(unable)?;
        let revision: usize = revision.parse().map_err(|_| unable())?;
        let revisions = self.region(call.caller).families.get_mut(family).ok_or_else(unable)?;
        let definition = revisions.get_mut(revision - 1).ok_or_else(unable)?;
        definition.is_inactive = true;
        Ok(json!({ "taskDefinition": show::definition(&place, family, revision, definition) }))
    }

    /// An active task definition, by which something new can begin.
    fn active_definition(&self, place: &PlaceKey, wanted: &str) -> Answered<String> {
        let name = self.resolve_definition(place, wanted)?;
        match self.definition(place, &name) {
            Some(definition) if definition.is_inactive => Err(error("ClientException", "TaskDefinition is inactive")),
            Some(_) | None => Ok(name),
        }
    }

    pub(super) fn create_service(&mut self, call: Call, request: CreateService) -> Answered<Value> {
        let Call { caller, now, .. } = call;
        let place = key(caller);
        let cluster_name = cluster_name(request.cluster.as_deref()).to_owned();
        let wanted = request.task_definition.as_deref().ok_or_else(|| invalid("TaskDefinition can not be blank."))?;
        let definition = self.active_definition(&place, wanted)?;
        let deployment = self.new_deployment(now, &definition);
        let configuration = &request.deployment_configuration;
        check_placement(&request)?;
        let desired = if request.placement.is_daemon() { DAEMON_INSTANCES } else { request.desired_count.unwrap_or(1) };
        let service = Service {
            desired,
            breaker: breaker(configuration).unwrap_or(Breaker::Off),
            percent_max: configuration.maximum_percent.unwrap_or(200),
            percent_min: configuration.minimum_healthy_percent.unwrap_or(100),
            strategy: configuration.strategy.clone().unwrap_or_else(|| "ROLLING".to_owned()),
            bake_minutes: configuration.bake_time_in_minutes.unwrap_or(0),
            placement: request.placement,
            network: request.network_configuration.unwrap_or_else(|| json!({})),
            balancers: request.load_balancers,
            grace_seconds: request.health_check_grace_period_seconds.unwrap_or(0),
            tags: request.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
            ..Service::new(now, deployment)
        };
        let cluster = self.region(caller).clusters.get_mut(&cluster_name).ok_or_else(no_cluster)?;
        match cluster.services.get(&request.service_name).map(|service| service.standing) {
            Some(Standing::Active) => return Err(invalid("Creation of service was not idempotent.")),
            Some(Standing::Draining) => return Err(invalid("Unable to Start a service that is still Draining.")),
            Some(Standing::Inactive) | None => {}
        }
        let name = request.service_name;
        cluster.services.insert(name.clone(), service);
        let shown = show::service(&place, &cluster_name, &name, cluster, &cluster.services[&name]);
        self.wake_at(now + SCHEDULER_PAUSE, &place, &cluster_name, Who::Service(name));
        Ok(json!({ "service": shown }))
    }

    pub(super) fn update_service(&mut self, call: Call, request: UpdateService) -> Answered<Value> {
        let Call { caller, now, .. } = call;
        let place = key(caller);
        let cluster_name = cluster_name(request.cluster.as_deref()).to_owned();
        let name = last_part(&request.service).to_owned();
        let definition = match &request.task_definition {
            Some(wanted) => Some(self.active_definition(&place, wanted)?),
            None => None,
        };
        if request.desired_count.is_some_and(|count| !(0..=DESIRED_MAX).contains(&count)) {
            return Err(invalid(format!("desiredCount must be between 0 and {DESIRED_MAX}")));
        }
        let cluster = self.region(caller).clusters.get_mut(&cluster_name).ok_or_else(no_cluster)?;
        let not_found = || error("ServiceNotFoundException", "Service not found.");
        let service = cluster.services.get(&name).ok_or_else(not_found)?;
        if service.standing != Standing::Active {
            return Err(error("ServiceNotActiveException", "Service was not ACTIVE."));
        }
        check_update(service, &request)?;
        let before = show::service(&place, &cluster_name, &name, cluster, service);
        let primary = service.primary().definition.clone();
        let definition = definition.or_else(|| request.force_new_deployment.then(|| primary.clone()));
        let deploys = definition.filter(|definition| request.force_new_deployment || *definition != primary);
        let deployment = deploys.map(|definition| self.new_deployment(now, &definition));
        let cluster = self.region(caller).clusters.get_mut(&cluster_name).ok_or_else(no_cluster)?;
        let service = cluster.services.get_mut(&name).ok_or_else(not_found)?;
        if let Some(configuration) = &request.deployment_configuration {
            service.breaker = breaker(configuration).unwrap_or(service.breaker);
            service.percent_max = configuration.maximum_percent.unwrap_or(service.percent_max);
            service.percent_min = configuration.minimum_healthy_percent.unwrap_or(service.percent_min);
            service.strategy = configuration.strategy.clone().unwrap_or_else(|| service.strategy.clone());
            service.bake_minutes = configuration.bake_time_in_minutes.unwrap_or(service.bake_minutes);
        }
        if let Some(count) = request.desired_count.and_then(|count| u32::try_from(count).ok()) {
            service.set_desired(now, count);
        }
        if let Some(deployment) = deployment {
            service.deployments.insert(0, deployment);
            service.is_steady = false;
            service.failures_in_a_row = 0;
            service.rests_until = 0;
        }
        service.stale = Some((now + READS_LAG, before));
        let shown = show::service(&place, &cluster_name, &name, cluster, &cluster.services[&name]);
        self.wake_at(now + SCHEDULER_PAUSE, &place, &cluster_name, Who::Service(name));
        Ok(json!({ "service": shown }))
    }

    pub(super) fn delete_service(&mut self, call: Call, request: DeleteService) -> Answered<Value> {
        let Call { caller, now, .. } = call;
        let place = key(caller);
        let cluster_name = cluster_name(request.cluster.as_deref()).to_owned();
        let name = last_part(&request.service).to_owned();
        let cluster = self.region(caller).clusters.get_mut(&cluster_name).ok_or_else(no_cluster)?;
        let not_found = || error("ServiceNotFoundException", "Service not found.");
        let service = cluster.services.get_mut(&name).ok_or_else(not_found)?;
        if service.standing != Standing::Active {
            return Err(error("ServiceNotActiveException", "Service was not ACTIVE."));
        }
        if service.desired > 0 && !request.force {
            return Err(invalid("The service cannot be stopped while it is scaled above 0."));
        }
        service.set_desired(now, 0);
        service.standing = Standing::Draining;
        let shown = show::service(&place, &cluster_name, &name, cluster, &cluster.services[&name]);
        self.wake_at(now + SCHEDULER_PAUSE, &place, &cluster_name, Who::Service(name));
        Ok(json!({ "service": shown }))
    }

    pub(super) fn run_task(&mut self, call: Call, request: RunTask) -> Answered<Value> {
        let Call { caller, now, .. } = call;
        let place = key(caller);
        let cluster_name = cluster_name(request.cluster.as_deref()).to_owned();
        let definition = self.active_definition(&place, &request.task_definition)?;
        let overrides = request.overrides.clone().unwrap_or_else(|| json!({}));
        let mode = self.definition(&place, &definition).and_then(|definition| definition.network_mode.clone());
        check_run(&request, &overrides, mode.as_deref())?;
        let network = format!("{:?}", request.network_configuration);
        let parameters =
            (&definition, request.count, &request.started_by, &request.group, &overrides, &network, &request.rest);
        let digest = format!("{parameters:?}");
        let cluster = self.region(caller).clusters.get_mut(&cluster_name).ok_or_else(no_cluster)?;
        cluster.tokens.retain(|_, token| token.used_at + TOKEN_LIVES > now);
        let known = request.client_token.as_ref().and_then(|token| cluster.tokens.get(token)).cloned();
        if let Some(token) = known {
            if token.digest != digest {
                let arns = token.tasks.iter().map(|id| show::arn(&place, &format!("task/{cluster_name}/{id}")));
                let arns: Vec<String> = arns.collect();
                let message = format!("The client token was used with other parameters. Tasks: {}", arns.join(" "));
                let more = Some(Box::new(("resourceIds", json!(arns))));
                return Err(ApiError { more, ..error("ConflictException", message) });
            }
            return Ok(json!({ "tasks": self.show_tasks(now, &place, &cluster_name, &token.tasks), "failures": [] }));
        }
        let refuses = cluster.refuses.clone().or((cluster.full_until > now).then(|| CAPACITY.to_owned()));
        if let Some(reason) = refuses {
            return Ok(json!({ "tasks": [], "failures": [{ "reason": reason }] }));
        }
        let due = Due { place: place.clone(), cluster: cluster_name.clone(), who: Who::Service(String::new()) };
        let provision = self.program(&due, &definition).provision_seconds;
        let ids: Vec<String> = (0..request.count.unwrap_or(1)).map(|_| self.task_id()).collect();
        let network = request.network_configuration.as_ref().and_then(|network| network.awsvpc_configuration.as_ref());
        let subnet = network.and_then(|network| network.subnets.first()).cloned();
        for (index, id) in ids.iter().enumerate() {
            let mut task = Task::new(now, (provision, haste(index, id)), &definition);
            task.subnet.clone_from(&subnet);
            let provisioned_at = now + task.takes(provision);
            task.started_by.clone_from(&request.started_by);
            task.group = request.group.clone().unwrap_or_else(|| format!("family:{}", family(&definition)));
            task.overrides = overrides.clone();
            task.tags.clone_from(&request.tags);
            self.wake_at(provisioned_at, &place, &cluster_name, Who::Task(id.clone()));
            if let Some(cluster) = self.region(caller).clusters.get_mut(&cluster_name) {
                cluster.tasks.insert(id.clone(), task);
            }
        }
        if let (Some(token), Some(cluster)) =
            (&request.client_token, self.region(caller).clusters.get_mut(&cluster_name))
        {
            cluster.tokens.insert(token.clone(), Token { digest, tasks: ids.clone(), used_at: now });
        }
        Ok(json!({ "tasks": self.show_tasks(now, &place, &cluster_name, &ids), "failures": [] }))
    }

    pub(super) fn stop_one_task(&mut self, call: Call, request: StopTask) -> Answered<Value> {
        let Call { caller, now, .. } = call;
        let place = key(caller);
        let cluster_name = cluster_name(request.cluster.as_deref()).to_owned();
        let id = last_part(&request.task).to_owned();
        let cluster = self.region(caller).clusters.get(&cluster_name).ok_or_else(no_cluster)?;
        if !cluster.tasks.contains_key(&id) {
            return Err(invalid("The referenced task was not found."));
        }
        let due = Due { place: place.clone(), cluster: cluster_name.clone(), who: Who::Task(id.clone()) };
        let reason = request.reason.unwrap_or_else(|| "Task stopped by user".to_owned());
        self.stop_task(now, &due, &id, "UserInitiated", reason);
        let shown = self.show_tasks(now, &place, &cluster_name, &[id]);
        Ok(json!({ "task": shown.into_iter().next() }))
    }

    fn show_tasks(&self, now: i64, place: &PlaceKey, cluster_name: &str, ids: &[String]) -> Vec<Value> {
        let cluster: Option<&Cluster> = self.places.get(place).and_then(|region| region.clusters.get(cluster_name));
        let shown = |id: &String| {
            let task = cluster?.tasks.get(id)?;
            Some(show::task(place, cluster_name, id, task, self.definition(place, &task.definition)?, now))
        };
        ids.iter().map(|id| shown(id).unwrap_or_else(|| missing(place, &format!("task/{cluster_name}/{id}")))).collect()
    }
}

impl Service {
    pub(super) fn set_desired(&mut self, now: i64, count: u32) {
        if self.desired != count {
            self.desired = count;
            self.is_steady = false;
            self.primary_mut().updated_at = now;
        }
    }
}

/// What AWS refuses of a service that is to be made (API reference, `CreateService`).
fn check_placement(request: &CreateService) -> Answered<()> {
    let Placement { launch_type, capacity_provider_strategy, .. } = &request.placement;
    if launch_type.is_some() && !capacity_provider_strategy.is_empty() {
        return Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    if request.placement.is_daemon() && request.desired_count.is_some() {
        return Err(invalid("The daemon scheduling strategy does not support a desired count for a service."));
    }
    let runs_on_fargate = launch_type.as_deref() == Some("FARGATE")
        || capacity_provider_strategy
            .iter()
            .any(|one| matches!(one["capacityProvider"].as_str(), Some("FARGATE" | "FARGATE_SPOT")));
    if request.placement.is_daemon() && runs_on_fargate {
        return Err(invalid("The daemon scheduling strategy is not supported for FARGATE launch type."));
    }
    match request.placement.controller() {
        "ECS" | "CODE_DEPLOY" | "EXTERNAL" => Ok(()),
        _ => Err(invalid("Invalid deployment controller type.")),
    }
}

/// What it refuses of one that is there (API reference, `UpdateService`).
fn check_update(service: &Service, request: &UpdateService) -> Answered<()> {
    if service.placement.is_daemon() && request.desired_count.is_some() {
        return Err(invalid("The daemon scheduling strategy does not support a desired count for a service."));
    }
    let controller = service.placement.controller();
    if controller == "ECS" {
        return Ok(());
    }
    let hint = if controller == "CODE_DEPLOY" { " Use AWS CodeDeploy to trigger a new deployment." } else { "" };
    if request.task_definition.is_some() {
        return Err(invalid(format!(
            "Unable to update task definition on services with a {controller} deployment controller.{hint}"
        )));
    }
    if request.force_new_deployment {
        return Err(invalid(format!(
            "Cannot force a new deployment on services with a {controller} deployment controller.{hint}"
        )));
    }
    Ok(())
}

fn check_run(request: &RunTask, overrides: &Value, network_mode: Option<&str>) -> Answered<()> {
    let network = request.network_configuration.as_ref().and_then(|network| network.awsvpc_configuration.as_ref());
    match (network_mode, network) {
        (Some("awsvpc"), None) => {
            return Err(invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."));
        }
        (_, Some(network)) if network.subnets.is_empty() => return Err(invalid("subnets can not be empty.")),
        (_, Some(network)) if network.subnets.len() > SUBNETS_MAX => {
            return Err(invalid(format!("subnets can have at most {SUBNETS_MAX} items.")));
        }
        (_, Some(network)) if network.security_groups.len() > SECURITY_GROUPS_MAX => {
            return Err(invalid(format!("securityGroups can have at most {SECURITY_GROUPS_MAX} items.")));
        }
        (_, Some(network)) if !matches!(network.assign_public_ip.as_deref(), None | Some("ENABLED" | "DISABLED")) => {
            return Err(invalid("assignPublicIp must be ENABLED or DISABLED."));
        }
        _ => {}
    }
    let mark = request.started_by.as_deref().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte);
    if mark.len() > STARTED_BY_MAX || !mark.bytes().all(plain) {
        return Err(invalid("startedBy can be up to 128 letters, numbers, hyphens, forward slashes and underscores."));
    }
    if !(1..=RUN_MAX).contains(&request.count.unwrap_or(1)) {
        return Err(invalid(format!("Task count must be between 1 and {RUN_MAX}.")));
    }
    if overrides.to_string().len() > OVERRIDES_MAX {
        return Err(invalid(format!("Overrides length must be at most {OVERRIDES_MAX}.")));
    }
    let visible = |byte: u8| (33..=126).contains(&byte);
    if request.client_token.as_ref().is_some_and(|token| token.len() > TOKEN_MAX || !token.bytes().all(visible)) {
        return Err(invalid(format!("Client token length must be at most {TOKEN_MAX}.")));
    }
    Ok(())
}

fn log_config(configuration: LogConfiguration) -> Option<LogConfig> {
    let option = |name: &str| configuration.options.get(name).cloned();
    let group = option("awslogs-group").filter(|_| configuration.log_driver == "awslogs")?;
    Some(LogConfig {
        group,
        prefix: option("awslogs-stream-prefix").unwrap_or_default(),
        creates_group: option("awslogs-create-group").as_deref() == Some("true"),
        is_blocking: option("mode").as_deref() == Some("blocking"),
    })
}

fn breaker(configuration: &DeploymentConfiguration) -> Option<Breaker> {
    let breaker = configuration.deployment_circuit_breaker?;
    Some(match (breaker.enable, breaker.rollback) {
        (false, _) => Breaker::Off,
        (true, false) => Breaker::Fails,
        (true, true) => Breaker::RollsBack,
    })
}
