//! Who else migrates: one migration at a time runs in an environment.

use jiff::Timestamp;

use super::ToMigrate;
use crate::{
    cloud::{
        Cloud, CloudError, ErrorKind,
        ecs::{By, Wanted},
    },
    domain::service::{EcsClusterName, Task},
    operations::values::duration,
};

/// A task that is in the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    /// ECS cluster.
    pub cluster: EcsClusterName,
    /// Task.
    pub task: Task,
}

impl Other {
    /// In one line.
    pub fn words(&self, now: Timestamp) -> String {
        let Self { cluster, task } = self;
        let ago = task.created_at.map(|at| duration(now.duration_since(at).as_secs_f64()));
        let ago = ago.map(|ago| format!(" for {ago}")).unwrap_or_default();
        let run = task.group.as_ref().and_then(|group| group.as_str().strip_prefix("opsctl-"));
        let by = match (run, &task.started_by) {
            (Some(run), _) => format!(", run {run}"),
            (None, Some(by)) => format!(", started by {by}"),
            (None, None) => ", started by hand".to_owned(),
        };
        format!("{} is {} in {}{ago} (task {}{by})", task.task_definition.0, task.status, cluster.0, task.arn.id())
    }
}

/// Tasks of migrations that have not stopped: those with the environment's mark in any of its clusters, and those of the same family,
/// which somebody may have started by hand.
///
/// # Errors
/// Of the first call that fails; a cluster that is not there has no tasks.
pub async fn others(bound: &ToMigrate, cloud: &Cloud) -> Result<Vec<Other>, CloudError> {
    let mut all: Vec<Other> = Vec::new();
    let own = EcsClusterName(bound.launch.cluster.clone());
    let marked = bound.clusters.iter().map(|cluster| (cluster, By::StartedBy(&bound.launch.started_by)));
    for (cluster, by) in marked.chain([(&own, By::Family(bound.family()))]) {
        match cloud.ecs().tasks_by(cluster, by, Wanted::Running).await {
            Ok(tasks) => {
                for task in tasks.into_iter().filter(|task| task.status.as_str() != "STOPPED") {
                    if all.iter().all(|other| other.task.arn != task.arn) {
                        all.push(Other { cluster: cluster.clone(), task });
                    }
                }
            }
            Err(error) if error.kind == ErrorKind::NotFound && *cluster != own => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}
