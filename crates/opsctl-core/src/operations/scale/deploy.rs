//! What the plans of deployments have in common.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Begin, Change, Deploy};
use crate::{
    domain::{Breaker, Rollout, Service, ServiceId, Strategy, TaskDefinition, Try, words::counted},
    journal::Deployed,
    operations::plan::Plan,
};

/// Looks a minute while waiting, ten services in each.
const LOOKS_A_MINUTE: u64 = 30;
/// Looks at each target group.
const TARGET_LOOKS: u64 = 15;

pub(super) struct Scene {
    pub(super) now: Timestamp,
    /// Deployments that the run has asked for, or was about to.
    pub(super) earlier: BTreeMap<ServiceId, Deployed>,
}

impl Scene {
    /// The deployment of a revision, as far as an earlier try of the run has come with it.
    pub(super) fn change(&self, service: &Service, to: TaskDefinition) -> Change {
        let desired = service.desired;
        let deploy = match self.earlier.get(&service.id) {
            None => {
                let mut known: Vec<_> = service.primary().map(|primary| primary.id.clone()).into_iter().collect();
                let others = service.deployments.iter().filter(|one| !one.is_primary);
                known.extend(others.map(|one| one.id.clone()));
                Deploy { from: service.task_definition.clone(), to, known, asked: Begin::Not }
            }
            Some(earlier) => {
                // The first that is newer than those of before; a later one took its place.
                let newer = || service.deployments.iter().rev().find(|one| !earlier.known.contains(&one.id));
                let begun = earlier.deployment.clone().or_else(|| newer().map(|one| one.id.clone()));
                let asked = begun.map_or(Begin::Perhaps(earlier.at), Begin::Begun);
                let Deployed { from, to, known, .. } = earlier.clone();
                Deploy { from, to, known, asked }
            }
        };
        Change { deploy: Some(deploy), ..Change::count(service.id.clone(), desired, desired, desired) }
    }

    /// How its tasks are replaced, and what speaks against it.
    pub(super) fn describe(&self, plan: &mut Plan, service: &Service) {
        let (id, replacing) = (&service.id, &service.replacing);
        let (least, most) = replacing.bounds(service.desired);
        if let Some(because) = service.refuses_deployment() {
            plan.block(format!("{id}: {because}"));
        }
        if let Some(words) = service.placement.words().filter(|words| words != "FARGATE") {
            plan.fact("runs on", format!("{id}: {words}"));
        }
        if let Some(what) = service.placement.may_wait_for() {
            plan.warn(format!("{id}: new tasks may wait for {what}"));
        }
        if replacing.strategy != Strategy::Rolling {
            return beside(plan, service);
        }
        let percent = |percent: Option<u32>| percent.map_or("?".to_owned(), |percent| percent.to_string());
        let (min, max) = (percent(replacing.percent_min), percent(replacing.percent_max));
        plan.fact("meanwhile", format!("{least} to {most} tasks run (minimum healthy {min} %, maximum {max} %)"));
        plan.fact(
            "circuit breaker",
            match replacing.breaker {
                Breaker::Off => "off: ECS tries for ever to start tasks that fail",
                Breaker::Ends => "on: ECS ends a deployment whose tasks fail, and does not roll it back",
                Breaker::RollsBack => "on: ECS rolls a deployment back whose tasks fail",
            },
        );
        if service.desired > 0 && least == 0 {
            plan.warn(format!(
                "{id}: its minimum healthy percent is {min}: all of its tasks may stop before new ones run"
            ));
        }
        if service.desired > 0 && least >= service.desired && most <= service.desired {
            plan.block(format!(
                "{id}: minimum healthy {min} % and maximum {max} % of {} leave ECS no room: it can neither stop a task \
                 nor start one",
                service.desired
            ));
        }
    }

    pub(super) fn calls(&self, plan: &mut Plan, services: &[&Service], changes: &[Change]) {
        let called = changes.iter().filter_map(|change| change.deploy.as_ref()).filter(|deploy| match deploy.asked {
            Begin::Not | Begin::Perhaps(_) => true,
            Begin::Begun(_) | Begin::ByEcs(_) => false,
        });
        let called = called.count() as u64;
        if called > 0 {
            plan.call("ecs:UpdateService", None, called);
        }
        plan.call("ecs:DescribeServices", None, LOOKS_A_MINUTE * 2 * (changes.len() as u64).div_ceil(10));
        let groups: u64 = services.iter().map(|service| service.target_groups.len() as u64).sum();
        if groups > 0 {
            plan.call("elasticloadbalancing:DescribeTargetHealth", None, TARGET_LOOKS * groups);
        }
    }
}

/// A strategy in which new tasks start beside the old ones, which stay until the traffic has shifted and for the bake time.
fn beside(plan: &mut Plan, service: &Service) {
    let (strategy, bake) = (service.replacing.strategy, u64::from(service.replacing.bake_minutes));
    plan.fact("strategy", format!("{}: {strategy}", service.id));
    let tasks = counted(service.desired.into(), "new task");
    let stay = if bake == 0 { String::new() } else { format!(" and for {bake} min more (bake time)") };
    plan.fact("meanwhile", format!("{tasks} start beside the old ones, which stay until traffic has shifted{stay}"));
    if bake > 0 {
        plan.warn((
            format!("{}: the deployment ends {bake} min after traffic has shifted", service.id),
            Try::GiveOther.says("wait longer with --timeout"),
        ));
    }
}

/// A deployment that ECS carries out by such a strategy takes no other beside it: it is waited for, or stopped at AWS.
pub(super) fn stops_others(service: &Service) -> Option<String> {
    let is_under_way = service.primary().is_some_and(|primary| primary.rollout == Some(Rollout::InProgress));
    (is_under_way && service.replacing.strategy != Strategy::Rolling).then(|| {
        format!(
            "{}: a {} deployment is under way: wait until it has ended, or end it with `aws ecs stop-service-deployment`, \
             whose `--stop-type ROLLBACK` goes back",
            service.id, service.replacing.strategy
        )
    })
}
