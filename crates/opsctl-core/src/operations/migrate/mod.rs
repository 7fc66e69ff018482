//! Migrate: a task is started once, followed, and judged by its container's exit code.

mod others;
mod plan;
mod scene;
mod secrets;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{
    Bound, Calls, Counts, Left, OperationError, Planned, Planner, Stopping, Verb, recorded, resolve::did_you_mean,
    values::Seconds,
};
use crate::{
    cloud::{Cloud, ecs::Launch},
    domain::{EcsClusterName, LogDestination, Migration, Try},
    journal::History,
};
pub use others::{Other, others};

/// Start a migration's task once, follow its log, and end with its exit code
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Migrate {
    /// Migration, as the configuration names it
    #[arg(value_name = "NAME", required_unless_present = "resume", default_value = "", hide_default_value = true)]
    pub migration: String,
    /// Run this one of the commands that the configuration allows; none: the one of the task definition
    #[arg(long, value_name = "NAME")]
    pub command: Option<String>,
    /// Start this revision of the task definition; none: the newest, or the one that the configuration names
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub revision: Option<u32>,
    /// Wait for its end no longer than this, `90s` or `1h 30m`; the task goes on
    #[arg(long, value_name = "TIME", value_parser = Seconds::between::<1, 86_400>)]
    pub timeout: Option<Seconds>,
    /// Wait for its end, which is done anyway
    #[arg(long, hide = true, conflicts_with = "detach")]
    #[serde(skip)]
    pub wait: bool,
    /// Do not wait for its end: come back as soon as ECS has taken it
    #[arg(long)]
    pub detach: bool,
}

/// A migration to be, or one that was asked for; as such it stands in the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToMigrate {
    pub migration: String,
    /// What is started. Token and group are the run's to fill in.
    pub launch: Launch,
    /// Where the container's log goes; none: nowhere that can be read.
    pub log: Option<LogDestination>,
    /// Other containers that are essential: the task ends with the first of all of them, whatever the migration's own does then.
    pub essential_beside: Vec<String>,
    /// Clusters in which others may migrate this environment.
    pub clusters: Vec<EcsClusterName>,
    /// How long to wait; none: without limit.
    pub timeout_seconds: Option<u64>,
    #[serde(skip)]
    pub detach: bool,
}

impl ToMigrate {
    /// The family of the task definition.
    pub fn family(&self) -> &str {
        let name = self.launch.definition.rsplit('/').next().unwrap_or_default();
        name.rsplit_once(':').map_or(name, |(family, _)| family)
    }
}

impl Verb for Migrate {
    fn subject(&self) -> &str {
        &self.migration
    }

    fn subject_arguments(&self) -> &'static [&'static str] {
        &["migration"]
    }

    fn counts(&self) -> Counts {
        Counts::One
    }

    fn stopping(&self) -> Stopping {
        Stopping::StopsWatching
    }

    fn resume_help(&self) -> &'static str {
        "Look again at a migration whose run ended early, follow it on; starts nothing that was started"
    }

    fn left(&self, history: &History) -> Left {
        let migration = &self.migration;
        match (&history.migration_asked, &history.migration_task) {
            (None, _) => Left::AsPlanned,
            (Some(_), Some(task)) => {
                let summary = format!("look how far {migration} is ({task}); nothing is started");
                Left::Look { summary, calls: Calls::None }
            }
            (Some(_), None) => {
                let summary = format!("find the task of {migration}, or start it if it never was");
                Left::Look { summary, calls: Calls::Perhaps }
            }
        }
    }

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(plan(self, cloud, planner))
    }
}

/// Observes and plans. A run that has asked for its task already is bound to what it asked for.
async fn plan(migrate: &Migrate, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    if let Some((run, history)) = planner.taken_up()?
        && let Some((_, asked)) = &history.migration_asked
    {
        let bound = Bound::Migrate(Box::new(recorded((run, "migration"), asked, "look at its tasks")?));
        return Ok(Planned { plan: recorded((run, "plan"), &history.plan, "look at its tasks")?, bound });
    }
    let migration = resolve(migrate, cloud)?;
    let scene = Box::pin(scene::Scene::look(migrate, migration, cloud)).await?;
    let (mut plan, bound) = plan::make(migrate, migration, &scene, cloud, planner.draft());
    let others = Box::pin(others(&bound, cloud)).await?;
    let now = cloud.clock().now();
    for other in &others {
        plan.block(format!("another migration runs, and one at a time is enough: {}", other.words(now)));
    }
    if others.is_empty() {
        let nobody = "nobody: no task with the mark of this environment's migrations, none of the same family";
        plan.fact("who else migrates", nobody);
    }
    Ok(Planned { plan, bound: Bound::Migrate(Box::new(bound)) })
}

fn resolve<'a>(migrate: &Migrate, cloud: &'a Cloud) -> Result<&'a Migration, OperationError> {
    let environment = cloud.environment();
    let given = migrate.migration.trim();
    if let Some(migration) = environment.services.migration(given) {
        return Ok(migration);
    }
    let names: Vec<String> = environment.services.migrations.iter().map(|migration| migration.name.clone()).collect();
    let hint = did_you_mean(given, &names).unwrap_or_else(|| match names.is_empty() {
        false => format!("there are: {}", names.join(", ")),
        true => format!("add [environments.{}.migrations.NAME]; `opsctl config example` shows one", environment.name),
    });
    let what = match given.is_empty() {
        true => "no migration was named".to_owned(),
        false => format!("{} has no migration {given}", environment.name),
    };
    Err(OperationError::usage(&what, Try::NameAnother.says(&hint)))
}

/// The mark by which tasks of an environment's migrations are found, whoever started them.
pub fn mark(environment: &crate::domain::EnvironmentName) -> String {
    format!("opsctl-migrate/{environment}")
}

/// The task group of a run: by it the run knows its own task.
pub fn group_of(run: &crate::domain::RunId) -> String {
    format!("opsctl-{run}")
}
