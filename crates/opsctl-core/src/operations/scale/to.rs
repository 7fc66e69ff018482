//! Scale: the desired count of one service.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{Asked, Direction, TIMEOUT, plan};
use crate::{
    cloud::Cloud,
    operations::{Counts, OperationError, Planned, Planner, Verb, values::Seconds},
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
    #[arg(long, value_name = "N", required_unless_present = "resume", value_parser = clap::value_parser!(u32).range(0..=TASKS_MAX))]
    pub to: Option<u32>,
    /// Wait at most this long; what ECS has begun goes on
    #[arg(long, value_name = "TIME", default_value_t = TIMEOUT, value_parser = Seconds::between::<10, 86_400>)]
    pub timeout: Seconds,
}

impl Default for Scale {
    fn default() -> Self {
        Self { service: String::new(), to: None, timeout: TIMEOUT }
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

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(async move {
            let hint = "give the service's name, and --to N";
            let to = self.to.ok_or_else(|| OperationError::usage("nothing says how many tasks are to run", hint))?;
            let services = std::slice::from_ref(&self.service);
            let asked = Asked { direction: Direction::To(to), group: None, services, timeout: self.timeout };
            plan::plan(asked, cloud, planner).await
        })
    }
}
