//! Migrations: one-off ECS tasks that change a database, as configured, and what ECS says of their task definitions.

use std::{
    collections::BTreeMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Text,
    invocation::quoted,
    service::{EcsClusterName, ServiceId, TaskDefinition},
};

/// A migration as configured: which task is started where, with which network, and what it may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    pub name: String,
    pub cluster: EcsClusterName,
    /// Family of the task definition, or `family:revision`.
    pub task_definition: String,
    pub network: NetworkSource,
    /// Container whose command may be set and whose exit code counts; none: the only essential one.
    pub container: Option<String>,
    /// Commands that may take the place of the task definition's own, by name.
    pub commands: BTreeMap<String, Vec<String>>,
    /// Log group; none: as the task definition says.
    pub log_group: Option<String>,
    /// The database that it changes: looked at before, for a warning.
    pub database: Option<String>,
    /// How long to wait for its end; none: without limit.
    pub timeout_seconds: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkSource {
    /// Copied from this service, as it is at the time.
    Service(ServiceId),
    Given(Network),
}

/// A task's place in a VPC (`awsvpcConfiguration`): at most 16 subnets and 5 security groups (API reference).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    pub subnets: Vec<String>,
    /// Security groups' ids; none: the VPC's default one.
    pub security_groups: Vec<String>,
    /// Whether it gets a public address.
    pub public_ip: bool,
}

impl Network {
    pub fn words(&self) -> String {
        let groups = match self.security_groups.is_empty() {
            true => "the default security group".to_owned(),
            false => self.security_groups.join(" "),
        };
        let address = if self.public_ip { "public address" } else { "no public address" };
        format!("{}; {groups}; {address}", self.subnets.join(" "))
    }
}

/// A revision of a task definition, as `DescribeTaskDefinition` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// ARN, with the revision.
    pub arn: String,
    /// `family:revision`.
    pub name: TaskDefinition,
    pub is_active: bool,
    /// `awsvpc`, ...
    pub network_mode: Option<Text>,
    /// Role that the program has.
    pub role: Option<Text>,
    /// Role by which ECS pulls the image and writes logs.
    pub execution_role: Option<Text>,
    pub containers: Vec<ContainerDefinition>,
    /// CPU units and MiB of memory of a task; none: only its containers say.
    pub cpu: Option<Text>,
    pub memory: Option<Text>,
    pub registered_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerDefinition {
    pub name: String,
    pub image: Text,
    /// Whether the task ends with it.
    pub is_essential: bool,
    /// Command; empty: the image's own.
    pub command: Vec<String>,
    /// Log driver, `awslogs` for instance.
    pub log_driver: Option<Text>,
    /// Where the driver `awslogs` writes.
    pub log: Option<LogDestination>,
    /// Plain variables whose names tell of a database host, with their values.
    pub hosts: Vec<(Text, Text)>,
    /// Names of variables that come from secrets; never their values.
    pub secrets: Vec<Text>,
    /// CPU units and MiB of memory that are reserved for it; none: nothing is.
    pub cpu: Option<i64>,
    pub memory: Option<i64>,
    /// Plain variables by name.
    pub variables: BTreeMap<Text, Mark>,
    /// Where its secrets lie, by the variables' names.
    pub secret_places: BTreeMap<Text, Mark>,
}

/// Tells whether two values are the same, and holds neither.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mark(u64);

impl Mark {
    pub fn of(value: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Mark")
    }
}

/// Where the log driver `awslogs` writes (ECS developer guide): the stream is `prefix/container/task-id`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogDestination {
    pub group: String,
    /// Prefix of streams; without one a stream's name cannot be known.
    pub prefix: Option<String>,
    /// Region; none: the task's own.
    pub region: Option<String>,
    pub creates_group: bool,
    /// Whether it waits when lines cannot be delivered; the default since June 2025 is not to.
    pub is_blocking: bool,
}

impl LogDestination {
    pub fn stream(&self, container: &str, task_id: &str) -> Option<String> {
        self.prefix.as_ref().map(|prefix| format!("{prefix}/{container}/{task_id}"))
    }
}

impl Definition {
    pub fn family(&self) -> &str {
        self.name.0.rsplit_once(':').map_or(self.name.0.as_str(), |(family, _)| family)
    }

    pub fn container(&self, name: &str) -> Option<&ContainerDefinition> {
        self.containers.iter().find(|container| container.name == name)
    }

    pub fn essential(&self) -> impl Iterator<Item = &ContainerDefinition> {
        self.containers.iter().filter(|container| container.is_essential)
    }
}

/// A command as a shell would be told it, for showing.
pub fn shell_words(command: &[String]) -> String {
    command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_by_prefix_container_and_task() {
        let log = LogDestination { prefix: Some("ecs".to_owned()), ..LogDestination::default() };
        assert_eq!(log.stream("app", "0123").as_deref(), Some("ecs/app/0123"));
        assert_eq!(LogDestination::default().stream("app", "0123"), None);
    }

    #[test]
    fn commands_are_quoted() {
        let command = ["npm", "run", "it's", ""].map(str::to_owned);
        assert_eq!(shell_words(&command), r"npm run 'it'\''s' ''");
    }
}
