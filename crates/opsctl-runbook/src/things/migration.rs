//! A migration as conditions see it: its tasks, running and stopped.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    look::{Looking, of},
    service,
};
use crate::{
    cloud::ecs::{By, Wanted},
    domain::{Task, Text},
};

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Migration {
    /// Its name in the configuration
    #[schemars(with = "String")]
    pub name: Text,
    /// Tasks of its family that have not stopped, whoever started them
    pub running: usize,
    /// Tasks of its family that stopped within about an hour, the newest first
    pub stopped: Vec<MigrationTask>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MigrationTask {
    /// Seconds since it stopped
    pub age_seconds: Option<i64>,
    /// Exit code of the container that counts; unknown where it never ran
    pub exit_code: Option<i32>,
    /// Whether it ended by itself with exit code 0
    pub is_done: bool,
    /// Why it stopped, in ECS's words
    #[schemars(with = "Option<String>")]
    pub reason: Option<Text>,
    /// `EssentialContainerExited`, `TaskFailedToStart`, ...
    #[schemars(with = "Option<String>")]
    pub stop_code: Option<Text>,
    /// Revision of its task definition
    #[schemars(with = "String")]
    pub revision: Text,
}

pub(super) async fn see(looking: &Looking<'_>) -> Result<Migration, Text> {
    let cloud = looking.cloud;
    let environment = cloud.environment();
    let migration = environment.services.migration(looking.name).ok_or_else(|| {
        Text::line(&format!("there is no migration {} in the configuration of {}", looking.name, environment.name))
    })?;
    let definition = &migration.task_definition;
    let family = By::Family(definition.rsplit_once(':').map_or(definition.as_str(), |(family, _)| family));
    let tasks = |wanted| cloud.ecs.tasks_by(&migration.cluster, family, wanted);
    let (running, stopped) = tokio::join!(tasks(Wanted::Running), tasks(Wanted::Stopped));
    let (running, stopped) = (running.map_err(|error| of(&error))?, stopped.map_err(|error| of(&error))?);
    // A task that is told to stop is listed with those that stopped.
    let (ended, ending): (Vec<Task>, Vec<Task>) =
        stopped.found.into_iter().partition(|task| task.status.as_str() == "STOPPED");
    Ok(Migration {
        name: Text::line(&migration.name),
        running: running.found.len() + running.missing.len() + ending.len(),
        stopped: service::newest(ended)
            .iter()
            .map(|task| ended_of(looking, task, migration.container.as_deref()))
            .collect(),
    })
}

fn ended_of(looking: &Looking<'_>, task: &Task, container: Option<&str>) -> MigrationTask {
    let stopped = service::stopped_of(looking, task);
    let own = task.containers.iter().find(|found| Some(found.name.as_str()) == container);
    let exit_code = own.map_or(stopped.exit_code, |own| own.exit_code);
    let by_itself = stopped.stop_code.as_ref().is_some_and(|code| code.as_str() == "EssentialContainerExited");
    MigrationTask {
        age_seconds: stopped.age_seconds,
        exit_code,
        is_done: by_itself && exit_code == Some(0),
        reason: stopped.reason,
        stop_code: stopped.stop_code,
        revision: stopped.revision,
    }
}
