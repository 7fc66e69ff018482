//! ECS tasks, and why they stopped.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Text,
    service::{TaskArn, TaskDefinition},
};

/// A task as `DescribeTasks` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub arn: TaskArn,
    /// `PROVISIONING` to `STOPPED`.
    pub status: Text,
    /// `RUNNING` or `STOPPED`.
    pub desired_status: Text,
    pub task_definition: TaskDefinition,
    /// Who started it: a deployment's id, or what was given.
    pub started_by: Option<Text>,
    /// Task group: `service:name`, `family:name`, or what was given.
    #[serde(default)]
    pub group: Option<Text>,
    /// `HEALTHY`, `UNHEALTHY`; none where it is unknown.
    pub health: Option<Text>,
    pub zone: Option<Text>,
    /// When it was asked for.
    pub created_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
    /// `EssentialContainerExited`, `TaskFailedToStart`, ...
    pub stop_code: Option<Text>,
    pub stopped_reason: Option<Text>,
    pub containers: Vec<Container>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    pub name: Text,
    /// `PENDING`, `RUNNING`, `STOPPED`.
    pub status: Text,
    /// Exit code; none: it runs, never ran, or AWS does not know.
    pub exit_code: Option<i32>,
    pub reason: Option<Text>,
}

/// Characters of a task's reason.
const WHY_MAX: usize = 240;

impl Container {
    /// `exit code 137, OutOfMemoryError: Container killed due to memory usage`: the code, and what ECS says beside it; none: neither.
    pub fn end_words(&self) -> Option<String> {
        let code = self.exit_code.map(|code| format!("exit code {code}"));
        let reason = self.reason.as_ref().filter(|reason| !reason.is_empty());
        let reason = reason.map(|reason| Text::capped(reason.as_str(), WHY_MAX).to_string());
        let parts: Vec<String> = code.into_iter().chain(reason).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

impl Task {
    /// Whether a service started it (`group` is `service:<name>`), and nobody by hand, by a schedule or by a migration.
    pub fn is_of_service(&self) -> bool {
        self.group.as_ref().is_some_and(|group| group.as_str().starts_with("service:"))
    }

    /// Why it stopped: `CannotPullContainerError: ...`, `Essential container in task exited (app: exit code 137, OutOfMemoryError: ...)`.
    pub fn why(&self) -> Option<String> {
        self.reason_with(|container| container.exit_code != Some(0) || container.reason.is_some())
    }

    /// The same with the stop code before it and every exit code, 0 too: `EssentialContainerExited: ... (app: exit code 0)`.
    pub fn stopped_words(&self) -> Option<String> {
        let reason = self.reason_with(|_| true);
        match (&self.stop_code, reason) {
            (Some(code), Some(reason)) => Some(format!("{code}: {reason}")),
            (Some(code), None) => Some(code.to_string()),
            (None, reason) => reason,
        }
    }

    fn reason_with(&self, is_told: impl Fn(&Container) -> bool) -> Option<String> {
        let reason = self.stopped_reason.as_ref().map(|reason| Text::capped(reason.as_str(), WHY_MAX).to_string());
        // ECS gives the reason of a container that never started as the task's, too.
        let is_repeated = |container: &Container| {
            let own = container.reason.as_ref().zip(reason.as_ref());
            container.exit_code.is_none() && own.is_some_and(|(own, reason)| reason.contains(own.as_str()))
        };
        let told = self.containers.iter().filter(|container| is_told(container) && !is_repeated(container));
        let ends = told.filter_map(|container| Some(format!("{}: {}", container.name, container.end_words()?)));
        let ends = ends.collect::<Vec<_>>().join("; ");
        match reason {
            Some(reason) if ends.is_empty() => Some(reason),
            Some(reason) => Some(format!("{reason} ({ends})")),
            None => (!ends.is_empty()).then_some(ends),
        }
    }

    /// Whether it stopped by itself: neither the scheduler wanted fewer, nor a deployment others, nor a person.
    ///
    /// ECS gives failed health checks the stop code of its scheduler as well, so that its words decide.
    pub fn stopped_by_itself(&self) -> bool {
        let reason = self.stopped_reason.as_ref().map_or("", Text::as_str);
        match self.stop_code.as_ref().map(Text::as_str) {
            None | Some("UserInitiated") => false,
            Some("ServiceSchedulerInitiated") => {
                !reason.is_empty() && !reason.starts_with("Scaling activity initiated by")
            }
            Some(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_s_reason_stands_beside_its_exit_code() {
        let container = |exit_code, reason: Option<&str>| Container {
            name: Text::from("app"),
            status: Text::from("STOPPED"),
            exit_code,
            reason: reason.map(Text::from),
        };
        let memory = "OutOfMemoryError: Container killed due to memory usage";
        let exited = "Essential container in task exited";
        let pull = "CannotPullContainerError: pull image manifest: not found";
        for (reason, container, why) in [
            (
                Some(exited),
                container(Some(137), Some(memory)),
                Some(format!("{exited} (app: exit code 137, {memory})")),
            ),
            (Some(exited), container(Some(1), None), Some(format!("{exited} (app: exit code 1)"))),
            (Some(exited), container(Some(0), None), Some(exited.to_owned())),
            (Some(exited), container(None, Some(memory)), Some(format!("{exited} (app: {memory})"))),
            (Some(pull), container(None, Some(pull)), Some(pull.to_owned())),
            (None, container(Some(137), Some(memory)), Some(format!("app: exit code 137, {memory}"))),
            (None, container(None, None), None),
        ] {
            let task = Task { stopped_reason: reason.map(Text::from), containers: vec![container], ..task() };
            assert_eq!(task.why(), why);
        }
        let clean =
            Task { stopped_reason: Some(Text::from(exited)), containers: vec![container(Some(0), None)], ..task() };
        assert_eq!(
            clean.stopped_words().as_deref(),
            Some("EssentialContainerExited: Essential container in task exited (app: exit code 0)")
        );
    }

    fn task() -> Task {
        Task {
            arn: TaskArn("arn:aws:ecs:eu-west-1:1:task/main/0123".to_owned()),
            status: Text::from("STOPPED"),
            desired_status: Text::from("STOPPED"),
            task_definition: TaskDefinition("api:3".to_owned()),
            started_by: None,
            group: None,
            health: None,
            zone: None,
            created_at: None,
            started_at: None,
            stopped_at: None,
            stop_code: Some(Text::from("EssentialContainerExited")),
            stopped_reason: None,
            containers: Vec::new(),
        }
    }
}
