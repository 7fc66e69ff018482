//! ECS services, their deployments, tasks and autoscaling.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Text,
    placement::{Placement, Strategy},
    target::TargetGroup,
};

text_ids! {
    EcsClusterName,
    ServiceName,
    /// A deployment's id, `ecs-svc/...`.
    DeploymentId,
    TaskArn,
    /// A revision of a task definition, `family:revision`.
    TaskDefinition,
}

/// A service: its ECS cluster and its name, which tell it from all others of an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceId {
    pub cluster: EcsClusterName,
    pub name: ServiceName,
}

impl ServiceId {
    pub fn new(cluster: &str, name: &str) -> Self {
        Self { cluster: EcsClusterName(cluster.to_owned()), name: ServiceName(name.to_owned()) }
    }

    /// Of `cluster/name`, as [`ServiceId`] is shown.
    pub fn parse(text: &str) -> Option<Self> {
        let (cluster, name) = text.split_once('/')?;
        (!cluster.is_empty() && !name.is_empty()).then(|| Self::new(cluster, name))
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&format!("{}/{}", self.cluster.0, self.name.0))
    }
}

impl TaskArn {
    /// What stands behind the last slash.
    pub fn id(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl TaskDefinition {
    /// Family and revision; none: it is no name of a revision.
    pub fn parts(&self) -> Option<(&str, u32)> {
        let (family, revision) = self.0.rsplit_once(':')?;
        Some((family, revision.parse().ok()?))
    }

    /// Of an ARN, or of a name.
    pub fn of_arn(arn: &str) -> Self {
        Self(arn.rsplit('/').next().unwrap_or(arn).to_owned())
    }
}

/// A service as `DescribeServices` tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    pub id: ServiceId,
    /// `ACTIVE`, `DRAINING`, `INACTIVE`.
    pub status: Text,
    pub desired: u32,
    pub running: u32,
    pub pending: u32,
    pub task_definition: TaskDefinition,
    /// Deployments, as AWS orders them.
    pub deployments: Vec<Deployment>,
    /// Events, the newest first; AWS keeps the last hundred.
    pub events: Vec<ServiceEvent>,
    #[serde(default)]
    pub target_groups: Vec<TargetGroup>,
    #[serde(default)]
    pub replacing: Replacing,
    #[serde(default)]
    pub placement: Placement,
}

/// How a service replaces its tasks when it is deployed (`deploymentConfiguration`, `deploymentController`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacing {
    /// `minimumHealthyPercent` of the desired count; none: AWS does not say.
    pub percent_min: Option<u32>,
    /// `maximumPercent` of the desired count.
    pub percent_max: Option<u32>,
    pub breaker: Breaker,
    /// Who deploys it instead of ECS: `CODE_DEPLOY`, `EXTERNAL`.
    pub controller: Option<Text>,
    #[serde(default)]
    pub strategy: Strategy,
    /// How long tasks of before stay beside the new ones, in minutes, where the strategy is not rolling.
    #[serde(default)]
    pub bake_minutes: u32,
}

/// What ECS's circuit breaker does about a deployment whose tasks fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Breaker {
    /// Nothing: it tries for ever.
    #[default]
    Off,
    /// It ends the deployment.
    Ends,
    /// It ends the deployment and rolls it back.
    RollsBack,
}

impl Replacing {
    /// How many of so many tasks run at least and at most meanwhile: ECS rounds the minimum up and the maximum down (API reference).
    pub fn bounds(&self, desired: u32) -> (u32, u32) {
        let share = |percent: Option<u32>, other: u32| u64::from(desired) * u64::from(percent.unwrap_or(other));
        let (least, most) = (share(self.percent_min, 100).div_ceil(100), share(self.percent_max, 200) / 100);
        (least.try_into().unwrap_or(u32::MAX), most.try_into().unwrap_or(u32::MAX))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    pub id: DeploymentId,
    pub is_primary: bool,
    pub task_definition: TaskDefinition,
    pub desired: u32,
    pub running: u32,
    pub pending: u32,
    pub failed: u32,
    /// How far it has got; none where AWS does not say (other controllers than ECS).
    pub rollout: Option<Rollout>,
    pub rollout_reason: Option<Text>,
    pub created_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rollout {
    InProgress,
    Completed,
    /// The circuit breaker ended it.
    Failed,
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEvent {
    pub id: String,
    pub at: Timestamp,
    pub message: Text,
}

/// How a service stands, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Standing {
    /// Its newest deployment failed, or fails tasks.
    Failing,
    /// Fewer tasks run than shall.
    #[strum(serialize = "below desired")]
    Below,
    /// At zero on purpose: whoever calls it gets an error.
    Asleep,
    /// A deployment is under way, or tasks are being stopped.
    Deploying,
    Steady,
}

impl Service {
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.is_primary)
    }

    /// The deployment that ECS's circuit breaker brings back just now, because another one has failed.
    pub fn rolls_back(&self) -> Option<&Deployment> {
        let has_failed = self.deployments.iter().any(|one| !one.is_primary && one.rollout == Some(Rollout::Failed));
        self.primary().filter(|primary| has_failed && primary.rollout == Some(Rollout::InProgress))
    }

    /// Whether ECS still works on it: not on one that is being deleted (`DRAINING`) or was (`INACTIVE`).
    pub fn is_active(&self) -> bool {
        matches!(self.status.as_str(), "ACTIVE" | "")
    }

    /// Why ECS would refuse another desired count; none: it takes one, whoever deploys the service (API reference, `UpdateService`).
    pub fn refuses_count(&self) -> Option<String> {
        if !self.is_active() {
            return Some(format!("its status is {}: ECS no longer changes it", self.status));
        }
        let daemon = "a DAEMON service: ECS runs one task on each container instance and takes no desired count";
        self.placement.is_daemon.then(|| daemon.to_owned())
    }

    /// Why ECS would refuse to deploy it; none: it deploys.
    pub fn refuses_deployment(&self) -> Option<String> {
        if !self.is_active() {
            return Some(format!("its status is {}: ECS no longer changes it", self.status));
        }
        let controller = self.replacing.controller.as_ref()?;
        Some(match controller.as_str() {
            "CODE_DEPLOY" => format!("{controller} deploys it, not ECS: `aws deploy create-deployment` does"),
            "EXTERNAL" => format!("{controller}: a system of its owner deploys it with task sets, not ECS"),
            _ => format!("{controller} deploys it, not ECS"),
        })
    }

    pub fn standing(&self) -> Standing {
        let primary = self.primary();
        let rollout = primary.and_then(|primary| primary.rollout);
        let fails = primary.is_some_and(|primary| primary.failed > 0 && primary.running < primary.desired);
        let was_rolled_back = self.deployments.iter().any(|deployment| deployment.rollout == Some(Rollout::Failed));
        if was_rolled_back || fails {
            Standing::Failing
        } else if self.running < self.desired {
            Standing::Below
        } else if self.desired == 0 && self.running == 0 && !self.placement.is_daemon {
            Standing::Asleep
        } else if rollout == Some(Rollout::InProgress) || self.deployments.len() > 1 || self.running > self.desired {
            Standing::Deploying
        } else {
            Standing::Steady
        }
    }
}

/// Autoscaling of a service, as Application Auto Scaling has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scaling {
    pub min: u32,
    pub max: u32,
    pub in_suspended: bool,
    pub out_suspended: bool,
    pub scheduled_suspended: bool,
    pub actions: Vec<ScheduledAction>,
}

/// Between which counts autoscaling keeps a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskBounds {
    pub min: u32,
    pub max: u32,
}

impl TaskBounds {
    pub fn hold(&self, count: u32) -> bool {
        (self.min..=self.max).contains(&count)
    }

    /// Moved so far that they hold a count.
    pub fn around(&self, count: u32) -> Self {
        Self { min: self.min.min(count), max: self.max.max(count) }
    }
}

impl fmt::Display for TaskBounds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} to {}", self.min, self.max)
    }
}

impl Scaling {
    pub fn bounds(&self) -> TaskBounds {
        TaskBounds { min: self.min, max: self.max }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledAction {
    pub name: Text,
    /// `cron(..)`, `rate(..)` or `at(..)`.
    pub schedule: Text,
    /// Time zone of the schedule; none: UTC.
    pub timezone: Option<Text>,
    pub min: Option<u32>,
    pub max: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(rollout: Rollout, desired: u32, running: u32) -> Deployment {
        Deployment {
            id: DeploymentId("ecs-svc/1".to_owned()),
            is_primary: true,
            task_definition: TaskDefinition("api:3".to_owned()),
            desired,
            running,
            pending: 0,
            failed: 0,
            rollout: Some(rollout),
            rollout_reason: None,
            created_at: None,
        }
    }

    fn service(desired: u32, running: u32, deployments: Vec<Deployment>) -> Service {
        Service {
            id: ServiceId::new("main", "api"),
            status: Text::from("ACTIVE"),
            desired,
            running,
            pending: 0,
            task_definition: TaskDefinition("api:3".to_owned()),
            deployments,
            events: Vec::new(),
            target_groups: Vec::new(),
            replacing: Replacing::default(),
            placement: Placement::default(),
        }
    }

    #[test]
    fn a_service_stands_as_its_worst_part() {
        for (service, standing) in [
            (service(2, 2, vec![deployment(Rollout::Completed, 2, 2)]), Standing::Steady),
            (service(2, 2, vec![deployment(Rollout::InProgress, 2, 2)]), Standing::Deploying),
            (service(2, 1, vec![deployment(Rollout::Completed, 2, 1)]), Standing::Below),
            (service(0, 0, vec![deployment(Rollout::Completed, 0, 0)]), Standing::Asleep),
            (service(0, 2, vec![deployment(Rollout::Completed, 0, 2)]), Standing::Deploying),
            (service(2, 2, vec![deployment(Rollout::Failed, 2, 2)]), Standing::Failing),
        ] {
            assert_eq!(service.standing(), standing, "{service:?}");
        }
        assert!(Standing::Failing < Standing::Below && Standing::Below < Standing::Asleep);
    }

    #[test]
    fn as_many_run_meanwhile_as_the_percents_say() {
        let replacing = |percent_min, percent_max| Replacing {
            percent_min: Some(percent_min),
            percent_max: Some(percent_max),
            ..Replacing::default()
        };
        let bounds = [(100, 200, 2), (50, 100, 1), (50, 150, 3), (0, 100, 2)]
            .map(|(percent_min, percent_max, desired)| replacing(percent_min, percent_max).bounds(desired));
        assert_eq!(bounds, [(2, 4), (1, 1), (2, 4), (0, 2)]);
        assert_eq!(Replacing::default().bounds(3), (3, 6), "as AWS has it where it says nothing");
    }

    #[test]
    fn what_ecs_refuses_is_known_before_it_is_asked() {
        let of = |status: &str, is_daemon: bool, controller: Option<&str>| {
            let controller = controller.map(Text::from);
            Service {
                status: Text::from(status),
                replacing: Replacing { controller, ..Replacing::default() },
                placement: Placement { is_daemon, ..Placement::default() },
                ..service(0, 0, Vec::new())
            }
        };
        for (service, count, deploys, standing) in [
            (of("ACTIVE", false, None), true, true, Standing::Asleep),
            (of("DRAINING", false, None), false, false, Standing::Asleep),
            (of("INACTIVE", false, None), false, false, Standing::Asleep),
            (of("ACTIVE", true, None), false, true, Standing::Steady),
            (of("ACTIVE", false, Some("CODE_DEPLOY")), true, false, Standing::Asleep),
            (of("ACTIVE", false, Some("EXTERNAL")), true, false, Standing::Asleep),
            (of("ACTIVE", false, Some("LATER")), true, false, Standing::Asleep),
        ] {
            let taken = (service.refuses_count().is_none(), service.refuses_deployment().is_none(), service.standing());
            assert_eq!(taken, (count, deploys, standing), "{service:?}");
        }
    }

    #[test]
    fn names_are_read_from_arns() {
        let arn = "arn:aws:ecs:eu-west-1:111111111111:task-definition/api:3";
        assert_eq!(TaskDefinition::of_arn(arn).0, "api:3");
        assert_eq!(ServiceId::parse("main/api"), Some(ServiceId::new("main", "api")));
        assert_eq!([ServiceId::parse("api"), ServiceId::parse("/api")], [None, None]);
    }
}
