//! Tasks that are started by themselves: their definitions, starting, finding and stopping them.
//!
//! `RunTask` with a client token is idempotent in a cluster: with the same parameters it answers the tasks that it has started, with
//! other ones a `ConflictException` that names them. ECS remembers a token for 24 hours, or for as long as the task lives and an hour
//! more, whichever is less (API reference, "Ensuring idempotency").

use aws_sdk_ecs::{
    error::SdkError,
    operation::run_task::RunTaskError,
    types::{AssignPublicIp, AwsVpcConfiguration, ContainerOverride, DesiredStatus, LaunchType, NetworkConfiguration},
    types::{TaskDefinitionStatus, TaskOverride},
};
use aws_smithy_runtime_api::http::Response;
use serde::{Deserialize, Serialize};

use super::{Ecs, Found, Missing, PAGE, PAGES_MAX, Wanted, convert, missing, write};
use crate::{
    cloud::{CloudError, ErrorKind, attempts::Attempts, classify, pages::Pages},
    domain::{
        migration::{Definition, Network},
        service::{EcsClusterName, ServiceId, Task, TaskArn},
    },
};

const DESCRIBE: &str = "ecs:DescribeTasks";

/// A task to be started; the same launch twice is one task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    pub cluster: String,
    /// ARN of the task definition, with its revision.
    pub definition: String,
    /// Container whose command is set.
    pub container: String,
    /// Command; none: the task definition's own.
    pub command: Option<Vec<String>>,
    pub network: Network,
    /// Who starts it: the mark by which others find it (letters, digits, `-`, `_`, `/`; at most 128).
    pub started_by: String,
    pub group: String,
    /// Client token: at most 64 visible ASCII characters.
    pub token: String,
}

/// What became of a launch.
#[derive(Debug, Clone, PartialEq)]
pub enum Launched {
    /// The task: started now, or by an earlier call with the same token.
    Started(Box<Task>),
    /// ECS refused to place it, with HTTP 200: no task was started.
    Refused(Vec<Missing>),
    /// The token was used with other parameters, for these tasks.
    Conflict(Vec<TaskArn>),
}

/// By what tasks are looked for; ECS takes one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By<'a> {
    /// The mark of who started them.
    StartedBy(&'a str),
    /// The family of their task definition.
    Family(&'a str),
}

impl Ecs {
    /// The revision of a task definition: of a family the newest active one, of `family:revision` or an ARN that one.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none: ECS says `ClientException` then.
    pub async fn definition(&self, name: &str) -> Result<Definition, CloudError> {
        const ACTION: &str = "ecs:DescribeTaskDefinition";
        let answer = self.clients.read.describe_task_definition().task_definition(name).send().await;
        let answer = answer.map_err(|error| {
            let error = classify::from_sdk(ACTION, error);
            let is_missing = error.code.as_deref() == Some("ClientException");
            if is_missing { CloudError { kind: ErrorKind::NotFound, ..error } } else { error }
        })?;
        let found = answer.task_definition.ok_or_else(|| classify::malformed(ACTION, "no task definition"))?;
        convert::definition(found).map_err(|what| classify::malformed(ACTION, &what))
    }

    /// The families that have an active revision, by name.
    pub async fn families(&self) -> Result<Vec<String>, CloudError> {
        const ACTION: &str = "ecs:ListTaskDefinitions";
        let first = self.clients.read.list_task_definitions().status(TaskDefinitionStatus::Active);
        let first = first.max_results(PAGE as i32);
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let page = first.clone().set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
            pages.add(page.task_definition_arns.unwrap_or_default(), page.next_token)?;
        }
        let family = |arn: &String| {
            let name = convert::last(arn);
            name.rsplit_once(':').map_or(name, |(family, _)| family).to_owned()
        };
        let mut families: Vec<String> = pages.found().iter().map(family).collect();
        families.sort();
        families.dedup();
        Ok(families)
    }

    /// The network that a service's tasks are in; none where it has none of its own (another mode than `awsvpc`).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is no such service.
    pub async fn network(&self, id: &ServiceId) -> Result<Option<Network>, CloudError> {
        const ACTION: &str = "ecs:DescribeServices";
        let call = self.clients.read.describe_services().cluster(&id.cluster.0).services(&id.name.0);
        let answer = call.send().await.map_err(|error| classify::from_sdk(ACTION, error))?;
        let service = answer.services.unwrap_or_default().into_iter().next();
        let service = service.filter(|service| service.status.as_deref() != Some("INACTIVE"));
        let Some(service) = service else {
            return Err(CloudError::new(ErrorKind::NotFound, ACTION, &format!("{id}: MISSING")));
        };
        Ok(service.network_configuration.and_then(convert::network))
    }

    /// Tasks that somebody started or of a family, and that are not (or are) told to stop, with what is known of each. Those that are
    /// listed and not described are in `missing`: reads are eventually consistent.
    pub async fn tasks_by(
        &self,
        cluster: &EcsClusterName,
        by: By<'_>,
        wanted: Wanted,
    ) -> Result<Found<Task>, CloudError> {
        const ACTION: &str = "ecs:ListTasks";
        let call = self.clients.read.list_tasks().cluster(&cluster.0);
        // `startedBy` must be the only filter besides the status.
        let call = match by {
            By::StartedBy(mark) => call.started_by(mark),
            By::Family(family) => call.family(family),
        };
        let first = match wanted {
            Wanted::Running => call.desired_status(DesiredStatus::Running),
            Wanted::Stopped => call.desired_status(DesiredStatus::Stopped),
        };
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let page = first.clone().set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
            pages.add(page.task_arns.unwrap_or_default(), page.next_token)?;
        }
        let mut all = Found { found: Vec::new(), missing: Vec::new() };
        for some in pages.found().chunks(PAGE) {
            let some = self.describe_tasks(&cluster.0, some.to_vec()).await?;
            all.found.extend(some.found);
            all.missing.extend(some.missing);
        }
        Ok(all)
    }

    /// One task; none: ECS does not show it (not yet, or no longer: stopped ones for about an hour).
    ///
    /// # Errors
    /// `failures[]` with another reason than `MISSING`, too.
    pub async fn task(&self, cluster: &str, arn: &TaskArn) -> Result<Option<Task>, CloudError> {
        let answer = self.describe_tasks(cluster, vec![arn.0.clone()]).await?;
        if let Some(task) = answer.found.into_iter().next() {
            return Ok(Some(task));
        }
        match answer.missing.into_iter().find(|failure| failure.reason.as_str() != "MISSING") {
            Some(failure) => Err(CloudError::new(ErrorKind::Invalid, DESCRIBE, failure.reason.as_str())),
            None => Ok(None),
        }
    }

    async fn describe_tasks(&self, cluster: &str, arns: Vec<String>) -> Result<Found<Task>, CloudError> {
        let call = self.clients.read.describe_tasks().cluster(cluster).set_tasks(Some(arns));
        let answer = call.send().await.map_err(|error| classify::from_sdk(DESCRIBE, error))?;
        let tasks = answer.tasks.unwrap_or_default().into_iter().map(convert::task);
        let found = tasks.collect::<Result<_, _>>().map_err(|what| classify::malformed(DESCRIBE, &what))?;
        Ok(Found { found, missing: missing(answer.failures) })
    }

    /// Starts a task, in one attempt. Safe to be repeated by the caller as long as ECS remembers the token, which is the caller's: a
    /// repetition below the caller could come later than that.
    ///
    /// # Errors
    /// [`CloudError::may_have_been_applied`]: the same launch once more tells.
    pub async fn run_task(&self, launch: &Launch) -> Result<Launched, CloudError> {
        const ACTION: &str = "ecs:RunTask";
        let call = self.run_task_call(launch).map_err(|what| CloudError::new(ErrorKind::Invalid, ACTION, &what))?;
        let attempts = Attempts::new();
        let answer = match call.customize().interceptor(attempts.watch::<RunTaskError>()).send().await {
            Ok(answer) => answer,
            Err(error) => {
                return conflict(&error).map_or_else(
                    || Err(attempts.judge(classify::from_sdk(ACTION, error))),
                    |tasks| Ok(Launched::Conflict(tasks)),
                );
            }
        };
        match answer.tasks.unwrap_or_default().into_iter().next() {
            Some(task) => {
                let task = convert::task(task).map_err(|what| classify::malformed(ACTION, &what))?;
                Ok(Launched::Started(Box::new(task)))
            }
            None if answer.failures.as_ref().is_some_and(|failures| !failures.is_empty()) => {
                Ok(Launched::Refused(missing(answer.failures)))
            }
            None => Err(classify::malformed(ACTION, "the answer has neither a task nor a failure")),
        }
    }

    fn run_task_call(
        &self,
        launch: &Launch,
    ) -> Result<aws_sdk_ecs::operation::run_task::builders::RunTaskFluentBuilder, String> {
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(launch.network.subnets.clone()))
            .set_security_groups(Some(launch.network.security_groups.clone()).filter(|groups| !groups.is_empty()))
            .assign_public_ip(match launch.network.public_ip {
                true => AssignPublicIp::Enabled,
                false => AssignPublicIp::Disabled,
            })
            .build()
            .map_err(|error| error.to_string())?;
        let overrides = launch.command.as_ref().map(|command| {
            let container = ContainerOverride::builder().name(&launch.container).set_command(Some(command.clone()));
            TaskOverride::builder().container_overrides(container.build()).build()
        });
        let call = self.clients.once.run_task().cluster(&launch.cluster).task_definition(&launch.definition);
        Ok(call
            .launch_type(LaunchType::Fargate)
            .count(1)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build())
            .set_overrides(overrides)
            .started_by(&launch.started_by)
            .group(&launch.group)
            .client_token(&launch.token))
    }

    /// Tells a task to stop: SIGTERM, and after 30 s (or its stop timeout) SIGKILL. Twice is the same as once.
    pub async fn stop_task(&self, cluster: &str, arn: &TaskArn, reason: &str) -> Result<(), CloudError> {
        write("ecs:StopTask", |watch| {
            let call = self.clients.once.stop_task().cluster(cluster).task(&arn.0).reason(reason);
            call.customize().interceptor(watch).send()
        })
        .await
        .map(|_| ())
    }
}

/// The tasks that a token stands for already.
fn conflict(error: &SdkError<RunTaskError, Response>) -> Option<Vec<TaskArn>> {
    match error.as_service_error()? {
        RunTaskError::ConflictException(conflict) => {
            Some(conflict.resource_ids().iter().cloned().map(TaskArn).collect())
        }
        _ => None,
    }
}
