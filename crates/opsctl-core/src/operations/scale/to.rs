//! Scale: the desired count of one service.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{
    Asking, Direction, TIMEOUT,
    bounds::{Back, Bounding},
    members, plan,
};
use crate::{
    cloud::Cloud,
    domain::{Service, Try},
    operations::{Counts, OperationError, OperationKind, Planned, Planner, Verb, values::Seconds},
};

/// Tasks of a service at most, by default (Amazon ECS service quotas, "Tasks per service").
const TASKS_MAX: i64 = 5_000;

/// Set how many tasks of a service run, and wait until they do
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Scale {
    /// Service: name, or cluster/name
    #[arg(value_name = "SERVICE", required_unless_present = "resume", default_value = "", hide_default_value = true)]
    pub service: String,
    /// Run this many tasks; 0 puts it to sleep, and remembers how large it was
    #[arg(long, value_name = "N", required_unless_present_any = ["resume", "restore"], value_parser = clap::value_parser!(u32).range(0..=TASKS_MAX))]
    pub to: Option<u32>,
    /// Remember count and bounds, and move autoscaling's minimum or maximum where it does not hold N
    #[arg(long)]
    pub move_bounds: bool,
    /// Put count and bounds back as they were before --move-bounds; where nothing is remembered there is nothing to do
    #[arg(long, conflicts_with_all = ["to", "move_bounds"])]
    pub restore: bool,
    /// Wait at most this long; what ECS has begun goes on
    #[arg(long, value_name = "TIME", default_value_t = TIMEOUT, value_parser = Seconds::between::<10, 86_400>)]
    pub timeout: Seconds,
}

impl Default for Scale {
    fn default() -> Self {
        Self { service: String::new(), to: None, move_bounds: false, restore: false, timeout: TIMEOUT }
    }
}

impl Verb for Scale {
    fn subject(&self) -> &str {
        &self.service
    }

    fn subject_arguments(&self) -> &'static [&'static str] {
        &["service"]
    }

    fn counts(&self) -> Counts {
        Counts::Services
    }

    fn put_back_by(&self) -> Option<OperationKind> {
        self.move_bounds.then_some(OperationKind::Scale)
    }

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(async move {
            let (direction, bounding) = match self.wanted(cloud, planner).await? {
                Wanted::Scaled(direction, bounding) => (direction, bounding),
                Wanted::NothingRemembered(service) => return Ok(plan::nothing_remembered(&service, planner)),
            };
            let services = std::slice::from_ref(&self.service);
            let asked = Asking { direction, group: None, services, timeout: self.timeout, bounding: &bounding };
            plan::plan(asked, cloud, planner).await
        })
    }
}

enum Wanted {
    Scaled(Direction, Bounding),
    /// It is to be put back, and there is nothing to put back.
    NothingRemembered(Box<Service>),
}

impl Scale {
    async fn wanted(&self, cloud: &Cloud, planner: &Planner) -> Result<Wanted, OperationError> {
        let bounding = if self.move_bounds { Bounding::Move } else { Bounding::Keep };
        match (self.to, self.restore) {
            (Some(to), false) => Ok(Wanted::Scaled(Direction::To(to), bounding)),
            (None, false) => {
                let hint = "give the service's name, and --to N";
                Err(OperationError::usage("nothing says how many tasks are to run", Try::NameIt.says(hint)))
            }
            (Some(_), true) => {
                let what = "a count and --restore were both given";
                Err(OperationError::usage(
                    what,
                    Try::LeaveOut.says("--restore puts the remembered count back: give one of them"),
                ))
            }
            (None, true) => {
                let caller = cloud.identity.caller().await?;
                let services = cloud.ecs.all().await?.found;
                let service = members::find(&self.service, cloud.environment(), &services)?;
                Ok(match Back::of(&service.id, &caller.account, cloud, planner)? {
                    Some(back) => Wanted::Scaled(Direction::To(back.desired), Bounding::Back(Box::new(back))),
                    None => Wanted::NothingRemembered(Box::new(service.clone())),
                })
            }
        }
    }
}
