//! Restart: a new deployment of the revision that runs, so that every task is replaced.

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Begin, Direction, Set, TIMEOUT, ToScale,
    deploy::{self, Scene},
    members,
};
use crate::{
    cloud::Cloud,
    domain::{Rollout, Service, Text, Try, words::counted},
    journal::History,
    operations::{
        Bound, Calls, Counts, Left, OperationError, Planned, Planner, Stopping, Verb, plan::Plan, values::Seconds,
    },
};

/// A deployment that began so long ago, and still has tasks to start, may be one that gets nowhere.
const STUCK_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Replace every task of services by a new one of the same revision, and wait until those are healthy
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Restart {
    /// Service: name, or cluster/name; several at once
    #[arg(value_name = "SERVICE", required_unless_present = "resume")]
    pub service: Vec<String>,
    /// Wait at most this long; what ECS has begun goes on
    #[arg(long, value_name = "TIME", default_value_t = TIMEOUT, value_parser = Seconds::between::<10, 86_400>)]
    pub timeout: Seconds,
}

impl Default for Restart {
    fn default() -> Self {
        Self { service: Vec::new(), timeout: TIMEOUT }
    }
}

impl Verb for Restart {
    fn subject(&self) -> &str {
        self.service.first().map_or("", String::as_str)
    }

    fn subject_arguments(&self) -> &'static [&'static str] {
        &["service"]
    }

    fn typed(&self) -> Option<&str> {
        // Of several it is their names, which only the plan joins.
        Some(super::super::verb::last_part(self.subject())).filter(|name| self.service.len() == 1 && !name.is_empty())
    }

    fn counts(&self) -> Counts {
        Counts::Services
    }

    fn stopping(&self) -> Stopping {
        Stopping::StopsWatching
    }

    fn left(&self, history: &History) -> Left {
        if history.deployed.is_empty() {
            return Left::AsPlanned;
        }
        let summary = "look for the deployments it asked for, and ask only for those that never began".to_owned();
        Left::Look { summary, calls: Calls::Perhaps }
    }

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(plan(self, cloud, planner))
    }
}

async fn plan(restart: &Restart, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    if restart.service.is_empty() {
        return Err(OperationError::usage("no service was named", Try::NameIt.says("name one or several")));
    }
    let found = cloud.ecs.all().await?;
    let earlier = planner.taken_up()?.map(|(_, history)| history.deployed).unwrap_or_default();
    let scene = Scene { now: cloud.clock().now(), earlier };
    let mut services: Vec<&Service> = Vec::new();
    for name in &restart.service {
        let service = members::find(name, cloud.environment(), &found.found)?;
        if !services.iter().any(|other| other.id == service.id) {
            services.push(service);
        }
    }
    let mut plan = planner.draft();
    let (awake, asleep): (Vec<&Service>, Vec<&Service>) = services.into_iter().partition(|one| one.desired > 0);
    let awake = taken(&mut plan, awake);
    plan.resource = Text::line(&restart.service.join(" "));
    plan.summary = Text::line(&match awake.as_slice() {
        [only] => format!("restart {}: replace {}", only.id, counted(only.desired.into(), "task")),
        several => format!("restart {}", counted(several.len() as u64, "service")),
    });
    plan.empty = awake.is_empty();
    let mut changes = Vec::new();
    for service in &awake {
        let change = scene.change(service, service.task_definition.clone());
        let deploy = change.deploy.as_ref().map(|deploy| (&deploy.from, deploy.known.first()));
        let before = deploy.map_or_else(String::new, |(from, known)| {
            format!("{}, deployment {}", from.0, known.map_or("none", |id| &id.0))
        });
        plan.observe(format!("service {}", service.id), before);
        plan.fact(
            &service.id.to_string(),
            format!("{} of {}", counted(service.desired.into(), "task"), service.task_definition.0),
        );
        scene.describe(&mut plan, service);
        if change.deploy.as_ref().is_some_and(|deploy| deploy.asked == Begin::Not) {
            under_way(&mut plan, service, scene.now);
        }
        changes.push(change);
    }
    if !asleep.is_empty() {
        let names: Vec<String> = asleep.iter().map(|service| service.id.to_string()).collect();
        plan.fact("nothing to restart", format!("{}: at zero", names.join(", ")));
    }
    if !plan.empty {
        plan.change("every task is replaced by a new one of the same revision; counts and task definitions stay");
    }
    scene.calls(&mut plan, &awake, &changes);
    plan.messages_estimate = changes.len() as u64;
    let stages = if changes.is_empty() { Vec::new() } else { vec![changes] };
    let scale = ToScale { direction: Direction::Deploy, stages, set: Set::WhereOther, timeout: restart.timeout };
    Ok(Planned { plan, bound: Bound::Scale(scale) })
}

/// Those that ECS deploys; where others were named, the rest is left out, before anything is asked for.
fn taken<'a>(plan: &mut Plan, services: Vec<&'a Service>) -> Vec<&'a Service> {
    let (taken, refused): (Vec<&Service>, Vec<&Service>) =
        services.iter().copied().partition(|service| service.refuses_deployment().is_none());
    if taken.is_empty() {
        // The plan says why of each.
        return services;
    }
    for service in refused {
        let because = service.refuses_deployment().unwrap_or_default();
        plan.warn(format!("{} is left out: {because}", service.id));
    }
    taken
}

/// What a deployment that is under way means for another one.
fn under_way(plan: &mut Plan, service: &Service, now: Timestamp) {
    let id = &service.id;
    if let Some(back) = service.rolls_back() {
        return plan.block((
            format!("{id}: ECS's circuit breaker rolls it back to {} just now", back.task_definition.0),
            Try::WaitForOther.says("wait until it has"),
        ));
    }
    if let Some(because) = deploy::stops_others(service) {
        return plan.block(because);
    }
    let Some(primary) = service.primary() else { return };
    let definition = &primary.task_definition.0;
    match primary.rollout {
        Some(Rollout::InProgress) => {
            let is_old = primary.created_at.is_some_and(|at| now.duration_since(at) >= STUCK_AFTER);
            let run = format!("{} of {} run", primary.running, primary.desired);
            if primary.failed > 0 || is_old {
                plan.warn(format!(
                    "{id}: the deployment of {definition} gets nowhere ({run}, {} failed): a new one takes its place and \
                     begins its tries anew, with the same revision",
                    counted(primary.failed.into(), "task")
                ));
            } else {
                plan.block((
                    format!("{id}: a deployment of {definition} is under way ({run})"),
                    Try::WaitForOther.says("wait until it has ended"),
                ));
            }
        }
        Some(Rollout::Failed) => {
            plan.warn(format!(
                "{id}: its last deployment, of {definition}, failed: a new one may fail in the same way"
            ));
        }
        Some(Rollout::Completed | Rollout::Other) | None => {}
    }
}
