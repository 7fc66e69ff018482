//! Tasks that are started by themselves: their definitions, starting, finding and stopping them.
//!
//! `RunTask` with a client token is idempotent in a cluster: with the same parameters it answers the tasks that it has started, with
//! other ones a `ConflictException` that names them. ECS remembers a token for 24 hours, or for as long as the task lives and an hour
//! more, whichever is less (API reference, "Ensuring idempotency").

use aws_smithy_types::error::ErrorMetadata;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Ecs, Found, Missing, PAGE, RESOURCES, Request, Told as _, Wanted, convert, from_json, missing};
use crate::{
    cloud::{CloudError, ErrorKind, classify},
    domain::{Definition, EcsClusterName, Network, Placement, ServiceId, Task, TaskArn},
};

/// A task to be started; the same launch twice is one task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    pub cluster: String,
    /// ARN of the task definition, with its revision.
    pub definition: String,
    pub container: String,
    /// Command; none: the task definition's own.
    pub command: Option<Vec<String>>,
    pub network: Network,
    /// What it runs on; where nothing is said, Fargate.
    #[serde(default)]
    pub placement: Placement,
    /// Who starts it: the mark by which others find it (letters, digits, `-`, `_`, `/`; at most 128).
    pub started_by: String,
    pub group: String,
    /// Client token: at most 64 visible ASCII characters.
    pub token: String,
}

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
    /// Their task definition's family. Tasks of services are left out: nobody started those by themselves.
    Family(&'a str),
}

impl Ecs {
    /// The revision of a task definition: of a family the newest active one, of `family:revision` or an ARN that one.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none: ECS says `ClientException` then.
    pub async fn definition(&self, name: &str) -> Result<Definition, CloudError> {
        const ACTION: &str = "ecs:DescribeTaskDefinition";
        let answer = self.ask(ACTION, json!({ "taskDefinition": name })).await.map_err(|error| {
            let is_missing = error.code.as_deref() == Some("ClientException");
            if is_missing { CloudError { kind: ErrorKind::NotFound, ..error } } else { error }
        })?;
        let found = answer.get("taskDefinition").ok_or_else(|| classify::malformed(ACTION, "no task definition"))?;
        convert::definition(found).map_err(|what| classify::malformed(ACTION, &what))
    }

    /// The families that have an active revision, by name.
    pub async fn families(&self) -> Result<Vec<String>, CloudError> {
        let given = json!({ "status": "ACTIVE", "maxResults": PAGE });
        let arns = self.all_arns("ecs:ListTaskDefinitions", "taskDefinitionArns", given).await?;
        let family = |arn: &String| {
            let name = convert::last(arn);
            name.rsplit_once(':').map_or(name, |(family, _)| family).to_owned()
        };
        let mut families: Vec<String> = arns.iter().map(family).collect();
        families.sort();
        families.dedup();
        Ok(families)
    }

    /// The network that a service's tasks are in, none where it has none of its own (another mode than `awsvpc`), and what they run on.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is no such service.
    pub async fn surroundings(&self, id: &ServiceId) -> Result<(Option<Network>, Placement), CloudError> {
        const ACTION: &str = "ecs:DescribeServices";
        let answer = self.ask(ACTION, json!({ "cluster": id.cluster.0, "services": [id.name.0] })).await?;
        let service = answer.list("services").first();
        let Some(service) = service.filter(|service| service.word("status") != Some("INACTIVE")) else {
            return Err(CloudError::new(ErrorKind::NotFound, ACTION, &format!("{id}: MISSING")));
        };
        Ok((convert::network(service), convert::placement(service)))
    }

    /// Tasks that somebody started or of a family, and that are not (or are) told to stop, with what is known of each. Those that are
    /// listed and not described are in `missing`: reads are eventually consistent.
    pub async fn tasks_by(
        &self,
        cluster: &EcsClusterName,
        by: By<'_>,
        wanted: Wanted,
    ) -> Result<Found<Task>, CloudError> {
        // `startedBy` must be the only filter besides the status.
        match by {
            By::StartedBy(mark) => self.tasks_listed(cluster, "startedBy", mark, wanted).await,
            By::Family(family) => {
                let mut tasks = self.tasks_listed(cluster, "family", family, wanted).await?;
                tasks.found.retain(|task| !task.is_of_service());
                Ok(tasks)
            }
        }
    }

    /// One task; none: ECS does not show it (not yet, or no longer: stopped ones for about an hour).
    ///
    /// # Errors
    /// `failures[]` with another reason than `MISSING`, too.
    pub async fn task(&self, cluster: &str, arn: &TaskArn) -> Result<Option<Task>, CloudError> {
        let answer = self.describe_tasks(cluster, std::slice::from_ref(&arn.0)).await?;
        if let Some(task) = answer.found.into_iter().next() {
            return Ok(Some(task));
        }
        match answer.missing.into_iter().find(|failure| failure.reason.as_str() != "MISSING") {
            Some(failure) => Err(CloudError::new(ErrorKind::Invalid, "ecs:DescribeTasks", failure.reason.as_str())),
            None => Ok(None),
        }
    }

    /// Starts a task, in one attempt. Safe to be repeated by the caller as long as ECS remembers the token, which is the caller's: a
    /// repetition below the caller could come later than that.
    ///
    /// # Errors
    /// [`CloudError::may_have_been_applied`]: the same launch once more tells.
    pub async fn run_task(&self, launch: &Launch) -> Result<Launched, CloudError> {
        const ACTION: &str = "ecs:RunTask";
        let answer_of = |error: &ErrorMetadata| {
            let tasks = error.extra(RESOURCES).filter(|_| error.code() == Some("ConflictException"))?;
            Some(json!({ RESOURCES: tasks.split('\n').collect::<Vec<_>>() }))
        };
        let answer = self.once.write_or(ACTION, Request::Json(launch.request()), from_json, answer_of).await?;
        if answer.get(RESOURCES).is_some() {
            return Ok(Launched::Conflict(answer.words(RESOURCES).into_iter().map(TaskArn).collect()));
        }
        let refused = missing(&answer);
        match answer.list("tasks").first() {
            Some(task) => {
                let task = convert::task(task).map_err(|what| classify::malformed(ACTION, &what))?;
                Ok(Launched::Started(Box::new(task)))
            }
            None if !refused.is_empty() => Ok(Launched::Refused(refused)),
            None => Err(classify::malformed(ACTION, "the answer has neither a task nor a failure")),
        }
    }

    /// Tells a task to stop: SIGTERM, and after 30 s (or its stop timeout) SIGKILL. Twice is the same as once.
    pub async fn stop_task(&self, cluster: &str, arn: &TaskArn, reason: &str) -> Result<(), CloudError> {
        let given = json!({ "cluster": cluster, "task": arn.0, "reason": reason });
        self.once.write("ecs:StopTask", Request::Json(given), from_json).await.map(|_| ())
    }
}

impl Launch {
    fn request(&self) -> Value {
        let Network { subnets, security_groups, public_ip } = &self.network;
        let mut network =
            json!({ "subnets": subnets, "assignPublicIp": if *public_ip { "ENABLED" } else { "DISABLED" } });
        if !security_groups.is_empty() {
            network["securityGroups"] = json!(security_groups);
        }
        let overrides = self
            .command
            .as_ref()
            .map(|command| json!({ "containerOverrides": [{ "name": self.container, "command": command }] }));
        // RunTask takes one of the two.
        let providers = self.placement.providers.iter();
        let providers: Vec<Value> = providers
            .map(|one| json!({ "capacityProvider": one.name, "base": one.base, "weight": one.weight }))
            .collect();
        let launch_type = self.placement.launch_type.as_ref().map_or("FARGATE", |launch_type| launch_type.as_str());
        let mut request = json!({
            "cluster": self.cluster,
            "taskDefinition": self.definition,
            "count": 1,
            "networkConfiguration": { "awsvpcConfiguration": network },
            "overrides": overrides,
            "startedBy": self.started_by,
            "group": self.group,
            "clientToken": self.token,
        });
        match providers.is_empty() {
            true => request["launchType"] = json!(launch_type),
            false => request["capacityProviderStrategy"] = json!(providers),
        }
        request
    }
}
