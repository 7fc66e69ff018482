//! Who else migrates: one migration at a time runs in an environment.

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use super::ToMigrate;
use crate::{
    cloud::{
        Cloud, CloudError, ErrorKind,
        ecs::{By, Wanted},
    },
    domain::{EcsClusterName, Task, TaskArn},
    operations::values::duration,
};

const CLUSTERS_AT_ONCE: usize = 8;

#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    pub cluster: EcsClusterName,
    pub arn: TaskArn,
    /// What is known of it; none: ECS lists it, and does not (yet) show it.
    pub task: Option<Task>,
}

impl Other {
    pub fn words(&self, now: Timestamp) -> String {
        let Self { cluster, arn, task } = self;
        let Some(task) = task else {
            return format!("a task in {} that ECS lists and does not show (task {})", cluster.0, arn.id());
        };
        let ago = task.created_at.map(|at| duration(now.duration_since(at).as_secs_f64()));
        let ago = ago.map(|ago| format!(" for {ago}")).unwrap_or_default();
        let run = task.group.as_ref().and_then(|group| group.as_str().strip_prefix("opsctl-"));
        let by = match (run, &task.started_by) {
            (Some(run), _) => format!(", run {run}"),
            (None, Some(by)) => format!(", started by {by}"),
            (None, None) => ", started by hand".to_owned(),
        };
        format!("{} is {} in {}{ago} (task {}{by})", task.task_definition.0, task.status, cluster.0, arn.id())
    }

    pub fn is_of(&self, group: &str) -> bool {
        let has = self.task.as_ref().and_then(|task| task.group.as_ref());
        !group.is_empty() && has.is_some_and(|has| has.as_str() == group)
    }
}

/// Tasks of migrations that have not stopped, though they may have been told to: those with the environment's mark in any of its clusters, and those of the same family,
/// which somebody may have started by hand.
///
/// # Errors
/// Of the first call that fails; a cluster that is not there has no tasks.
pub async fn others(bound: &ToMigrate, cloud: &Cloud) -> Result<Vec<Other>, CloudError> {
    let mut all: Vec<Other> = Vec::new();
    let own = EcsClusterName(bound.launch.cluster.clone());
    let marked = bound.clusters.iter().map(|cluster| (cluster, By::StartedBy(&bound.launch.started_by)));
    let asked: Vec<_> = marked.chain([(&own, By::Family(bound.family()))]).collect();
    let looks: Vec<_> = asked.iter().map(|(cluster, by)| alive(cluster, *by, cloud)).collect();
    let answers: Vec<_> = stream::iter(looks).buffered(CLUSTERS_AT_ONCE).collect().await;
    for ((cluster, _), answer) in asked.into_iter().zip(answers) {
        match answer {
            Ok(others) => {
                for other in others {
                    if all.iter().all(|known| known.arn != other.arn) {
                        all.push(other);
                    }
                }
            }
            Err(error) if error.kind == ErrorKind::NotFound && *cluster != own => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// A task that is told to stop is listed among the stopped ones at once, and runs on for its stop timeout. In this order, so that one
/// that is told to stop in between is in the second listing.
async fn alive(cluster: &EcsClusterName, by: By<'_>, cloud: &Cloud) -> Result<Vec<Other>, CloudError> {
    let running = cloud.ecs.tasks_by(cluster, by, Wanted::Running).await?;
    let stopping = cloud.ecs.tasks_by(cluster, by, Wanted::Stopped).await?;
    // What is gone from the stopped ones was stopped an hour ago; what was just started may not be shown yet.
    let unseen = running.missing.into_iter().map(|missing| Other {
        cluster: cluster.clone(),
        arn: TaskArn(missing.what.to_string()),
        task: None,
    });
    let seen = running.found.into_iter().chain(stopping.found).filter(|task| task.status.as_str() != "STOPPED");
    let seen = seen.map(|task| Other { cluster: cluster.clone(), arn: task.arn.clone(), task: Some(task) });
    Ok(seen.chain(unseen).collect())
}
