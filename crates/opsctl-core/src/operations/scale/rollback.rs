//! Rollback: a service runs the revision again that it ran before.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Begin, Change, Deploy, Direction, Set, TIMEOUT, ToScale,
    deploy::{self, Scene},
    members,
    revisions::{self, Before, Source},
};
use crate::{
    cloud::{Cloud, ErrorKind},
    domain::{Breaker, Definition, Deployment, Rollout, Service, TaskDefinition, Text, Try, words::counted},
    operations::{
        Bound, Counts, OperationError, Planned, Planner, Stopping, Verb,
        plan::{Plan, labels},
        values::Seconds,
    },
};

/// Let a service run the revision again that it ran before, and wait until its tasks are healthy
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Rollback {
    /// Service: name, or cluster/name
    #[arg(value_name = "SERVICE", required_unless_present = "resume", default_value = "", hide_default_value = true)]
    pub service: String,
    /// Go to this revision of its task definition; none: the one of the last completed deployment before
    #[arg(long, value_name = "REVISION")]
    pub to: Option<String>,
    /// Wait at most this long; what ECS has begun goes on
    #[arg(long, value_name = "TIME", default_value_t = TIMEOUT, value_parser = Seconds::between::<10, 86_400>)]
    pub timeout: Seconds,
}

impl Default for Rollback {
    fn default() -> Self {
        Self { service: String::new(), to: None, timeout: TIMEOUT }
    }
}

impl Verb for Rollback {
    fn subject(&self) -> &str {
        &self.service
    }

    fn subject_arguments(&self) -> &'static [&'static str] {
        &["service", "to"]
    }

    fn counts(&self) -> Counts {
        Counts::Services
    }

    fn stopping(&self) -> Stopping {
        Stopping::StopsWatching
    }

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(plan(self, cloud, planner))
    }
}

async fn plan(rollback: &Rollback, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    let found = cloud.ecs.all().await?;
    let service = members::find(&rollback.service, cloud.environment(), &found.found)?;
    let earlier = planner.taken_up()?.map(|(_, history)| history.deployed).unwrap_or_default();
    let scene = Scene { now: cloud.clock().now(), earlier };
    let mut plan = planner.draft();
    plan.resource = Text::line(&rollback.service);
    let asked_before = scene.earlier.get(&service.id);
    let change = if let Some(earlier) = asked_before {
        let (from, to) = (earlier.from.clone(), earlier.to.clone());
        describe(&mut plan, service, (&from, &to));
        scene.change(service, to)
    } else if let Some(back) = service.rolls_back() {
        watched(&mut plan, rollback, service, back)?
    } else {
        let Some(before) = target(rollback, service, cloud).await? else {
            let what = format!("nothing tells what {} ran before {}", service.id, service.task_definition.0);
            return Err(OperationError::usage(&what, Try::NameIt.says("name the revision with --to")));
        };
        describe(&mut plan, service, (&service.task_definition, &before.definition));
        plan.fact("known from", before.source.words(&before, scene.now));
        compare(&mut plan, service, &before, cloud).await?;
        warn(&mut plan, service, &before, scene.now);
        migrations(&mut plan, planner, cloud, before.finished_at.or_else(|| deployed_at(service)))?;
        scene.change(service, before.definition)
    };
    let deploy = change.deploy.as_ref();
    plan.empty = deploy.is_some_and(|deploy| deploy.is_restart() && !deploy.is_by_ecs());
    if let Some(Deploy { from, to, known, .. }) = deploy {
        let known = known.first().map_or("none", |id| &id.0);
        plan.observe(format!("service {}", service.id), format!("{} to {}, deployment {known}", from.0, to.0));
    }
    scene.describe(&mut plan, service);
    let changes = if plan.empty { Vec::new() } else { vec![change] };
    scene.calls(&mut plan, &[service], &changes);
    plan.messages_estimate = changes.len() as u64;
    let stages = if changes.is_empty() { Vec::new() } else { vec![changes] };
    let scale = ToScale { direction: Direction::Deploy, stages, set: Set::WhereOther, timeout: rollback.timeout };
    Ok(Planned { plan, bound: Bound::Scale(scale) })
}

async fn target(rollback: &Rollback, service: &Service, cloud: &Cloud) -> Result<Option<Before>, OperationError> {
    let Some(asked) = &rollback.to else { return revisions::before(service, cloud).await };
    let definition = revisions::named(asked, &service.task_definition)?;
    Ok(Some(Before { definition, finished_at: None, source: Source::Given }))
}

fn describe(plan: &mut Plan, service: &Service, (from, to): (&TaskDefinition, &TaskDefinition)) {
    plan.summary = Text::line(&format!("roll {} back from {} to {}", service.id, from.0, to.0));
    plan.fact(labels::FROM, &from.0);
    plan.fact(labels::TO, &to.0);
    plan.fact("tasks", counted(service.desired.into(), "task"));
    plan.change("the service alone is rolled back: no schema, no data, no other service");
}

/// ECS does it already: it is only watched.
fn watched(
    plan: &mut Plan,
    rollback: &Rollback,
    service: &Service,
    back: &Deployment,
) -> Result<Change, OperationError> {
    let failed = service.deployments.iter().find(|one| one.rollout == Some(Rollout::Failed));
    let from = failed.map_or_else(|| service.task_definition.clone(), |failed| failed.task_definition.clone());
    let to = back.task_definition.clone();
    if let Some(asked) = &rollback.to
        && revisions::named(asked, &to)? != to
    {
        plan.block((
            format!("ECS's circuit breaker rolls it back to {} just now", to.0),
            Try::WaitForOther.says(format!("wait until it has, then roll back to {asked}")),
        ));
    }
    describe(plan, service, (&from, &to));
    plan.summary = Text::line(&format!("watch ECS roll {} back from {} to {}", service.id, from.0, to.0));
    plan.change("nothing is called: ECS's circuit breaker rolls it back already, and opsctl only watches");
    let known = service.deployments.iter().map(|one| one.id.clone()).collect();
    let deploy = Deploy { from, to, known, asked: Begin::ByEcs(back.id.clone()) };
    let desired = service.desired;
    Ok(Change { deploy: Some(deploy), ..Change::count(service.id.clone(), desired, desired, desired) })
}

/// What differs between the revisions; one that can't run is a blocker.
async fn compare(plan: &mut Plan, service: &Service, before: &Before, cloud: &Cloud) -> Result<(), OperationError> {
    let (from, to) = (&service.task_definition, &before.definition);
    if from == to {
        return Ok(());
    }
    let (now, then) = tokio::join!(cloud.ecs.definition(&from.0), cloud.ecs.definition(&to.0));
    let then: Definition = then.map_err(|error| match error.kind {
        ErrorKind::NotFound => {
            let hint = format!("`{}` shows which it runs", cloud.environment().command("services"));
            OperationError::usage(&format!("there is no revision {}", to.0), Try::NameAnother.says(&hint))
        }
        ErrorKind::Denied
        | ErrorKind::Throttled
        | ErrorKind::CredentialsExpired
        | ErrorKind::CredentialsMissing
        | ErrorKind::Unreachable
        | ErrorKind::Unknown
        | ErrorKind::Invalid
        | ErrorKind::ClockSkew => error.into(),
    })?;
    if !then.is_active {
        plan.block((
            format!("{} was deregistered (INACTIVE), and ECS starts nothing by it", to.0),
            Try::ChangeSetting.says("register it anew first"),
        ));
    }
    let differences = revisions::differences(&now?, &then);
    if differences.is_empty() {
        plan.fact("differs in", "nothing: the same images, sizes, roles, commands, variables, secrets");
    }
    for difference in &differences {
        plan.fact("differs in", difference);
    }
    Ok(())
}

fn warn(plan: &mut Plan, service: &Service, before: &Before, now: Timestamp) {
    let (from, to) = (&service.task_definition, &before.definition);
    if let Source::Guess(because) = &before.source {
        let because = match because {
            Some(error) => format!("ECS's deployments could not be asked for: {error}"),
            None => "ECS tells of no completed deployment of another revision".to_owned(),
        };
        plan.warn(format!("{because}; {} is the active revision before, and may never have run", to.0));
    }
    if let (Some((_, running)), Some((_, wanted))) = (from.parts(), to.parts())
        && wanted > running
    {
        plan.warn(format!("{} is newer than {}: this goes forward, not back", to.0, from.0));
    }
    if let Some(because) = deploy::stops_others(service) {
        return plan.block(because);
    }
    let Some(primary) = service.primary().filter(|primary| primary.rollout == Some(Rollout::InProgress)) else {
        return;
    };
    let failed = counted(primary.failed.into(), "task");
    plan.warn(match service.replacing.breaker {
        Breaker::RollsBack if primary.failed > 0 => format!(
            "{failed} of the deployment failed: ECS's circuit breaker may roll it back by itself; wait for it or roll back, not both"
        ),
        Breaker::RollsBack | Breaker::Ends | Breaker::Off => {
            let ago = primary.created_at.map_or(0, |at| now.duration_since(at).as_mins());
            format!("the deployment of {} is under way since {ago} min ({failed} failed): it is given up", from.0)
        }
    });
}

fn deployed_at(service: &Service) -> Option<Timestamp> {
    service.primary().and_then(|primary| primary.created_at)
}

/// Migrations that this machine ran since the revision was deployed: their changes stay.
fn migrations(
    plan: &mut Plan,
    planner: &Planner,
    cloud: &Cloud,
    since: Option<Timestamp>,
) -> Result<(), OperationError> {
    let environment = cloud.environment();
    for summary in planner.state.list()? {
        let is_migration = summary.plan_text("/operation/operation") == Some("migrate")
            && summary.plan_text("/environment") == Some(&environment.name.0);
        let is_since = since.is_none_or(|since| summary.opened.at >= since);
        if is_migration && is_since {
            let name = summary.plan_text("/operation/migration").unwrap_or("?");
            plan.warn(format!(
                "the migration {name} ran since ({}): the schema is not rolled back; does it fit the older revision?",
                summary.run
            ));
        }
    }
    if !environment.services.migrations.is_empty() {
        plan.change("migrations that other machines ran are not known here");
    }
    Ok(())
}
