//! ECS: clusters, services, tasks; and what changes them: a service's desired count, a new deployment, a task that is started by itself.
//!
//! Reads are in pipelines of a few calls at once: the throttles are shared with everybody in the account and region (ECS developer
//! guide: reads of services 100 at once, then 20 a second).

mod convert;
mod deployments;
mod run;

use std::fmt;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_types::timeout::TimeoutConfig;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use deployments::Completed;
pub use run::{By, Launch, Launched};

use super::{
    CloudError, ErrorKind, classify,
    pages::Pages,
    thin::{Protocol, RESOURCES, Request, Service as Api, Thin, Told, from_json},
};
use crate::domain::{EcsClusterName, Service, ServiceId, ServiceName, Task, Text};

/// Services of one `DescribeServices` (API reference).
pub const DESCRIBE_SERVICES_MAX: usize = 10;
/// Tasks of one `DescribeTasks`, and entries of a page (API reference).
const PAGE: usize = 100;
/// Pages followed in one listing.
const PAGES_MAX: usize = 200;
const AT_ONCE: usize = 6;

const ECS: Api = Api {
    name: "ecs",
    host: "ecs",
    signing_name: "ecs",
    protocol: Protocol::Json { version: "1.1", target: "AmazonEC2ContainerServiceV20141113" },
};

/// ECS of one environment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ecs {
    /// Three attempts.
    read: Thin,
    /// Writes: one attempt.
    once: Thin,
}

/// What a describing call found, and what it did not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Found<T> {
    /// In no order that means something.
    pub found: Vec<T>,
    /// `failures[]`: they come with HTTP 200.
    pub missing: Vec<Missing>,
}

/// An entry of `failures[]`; or a cluster that could not be listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    pub what: Unseen,
    /// `MISSING`, ...
    pub reason: Text,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unseen {
    Arn(Text),
    Cluster(EcsClusterName),
}

impl fmt::Display for Unseen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arn(arn) => write!(formatter, "{arn}"),
            Self::Cluster(cluster) => write!(formatter, "{}", Text::line(&format!("cluster {}", cluster.0))),
        }
    }
}

impl Unseen {
    /// The parts of its ARN from the last on; none of a cluster.
    pub fn parts_from_last(&self) -> impl Iterator<Item = &str> {
        let arn = match self {
            Self::Arn(arn) => Some(arn.as_str()),
            Self::Cluster(_) => None,
        };
        arn.into_iter().flat_map(|arn| arn.rsplit('/'))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE", const_into_str)]
pub enum Wanted {
    Running,
    /// Stopped within about the last hour.
    Stopped,
}

impl Ecs {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition, once: TimeoutConfig) -> Self {
        Self { read: Thin::new(&ECS, shared, partition.clone()), once: Thin::once(&ECS, shared, partition, once) }
    }

    pub async fn clusters(&self) -> Result<Vec<EcsClusterName>, CloudError> {
        let arns = self.all_arns("ecs:ListClusters", "clusterArns", json!({})).await?;
        Ok(arns.iter().map(|arn| EcsClusterName(convert::last(arn).to_owned())).collect())
    }

    pub async fn service_names(&self, cluster: &EcsClusterName) -> Result<Vec<ServiceName>, CloudError> {
        let given = json!({ "cluster": cluster.0, "maxResults": PAGE });
        let arns = self.all_arns("ecs:ListServices", "serviceArns", given).await?;
        Ok(arns.iter().map(|arn| ServiceName(convert::last(arn).to_owned())).collect())
    }

    async fn all_arns(&self, action: &'static str, list: &str, mut given: Value) -> Result<Vec<String>, CloudError> {
        let mut pages = Pages::new(action, PAGES_MAX);
        while pages.more()? {
            given["nextToken"] = pages.token().into();
            let page = self.ask(action, given.clone()).await?;
            pages.add(page.words(list), page.word("nextToken").map(str::to_owned))?;
        }
        Ok(pages.found())
    }

    async fn ask(&self, action: &'static str, given: Value) -> Result<Value, CloudError> {
        self.read.call(action, Request::Json(given), from_json).await
    }

    /// Describes services of one cluster, ten to a call, some calls at once.
    pub async fn describe(
        &self,
        cluster: &EcsClusterName,
        names: &[ServiceName],
    ) -> Result<Found<Service>, CloudError> {
        let calls = names.chunks(DESCRIBE_SERVICES_MAX).map(|some| self.describe_ten(cluster, some));
        // Made here: a stream of closures over borrows is not known to be Send.
        let calls: Vec<_> = calls.collect();
        let mut answers = stream::iter(calls).buffered(AT_ONCE);
        let mut all = Found { found: Vec::new(), missing: Vec::new() };
        while let Some(answer) = answers.try_next().await? {
            all.found.extend(answer.found);
            all.missing.extend(answer.missing);
        }
        Ok(all)
    }

    async fn describe_ten(
        &self,
        cluster: &EcsClusterName,
        names: &[ServiceName],
    ) -> Result<Found<Service>, CloudError> {
        const ACTION: &str = "ecs:DescribeServices";
        let answer = self.ask(ACTION, json!({ "cluster": cluster.0, "services": names })).await?;
        found(ACTION, &answer, "services", convert::service)
    }

    /// One service; [`ErrorKind::NotFound`] where ECS says that it is missing.
    pub async fn service(&self, id: &ServiceId) -> Result<Service, CloudError> {
        let answer = self.describe_ten(&id.cluster, std::slice::from_ref(&id.name)).await?;
        answer.found.into_iter().next().ok_or_else(|| {
            let why = answer.missing.first().map_or("MISSING", |missing| missing.reason.as_str()).to_owned();
            CloudError::new(ErrorKind::NotFound, "ecs:DescribeServices", &format!("{id}: {why}"))
        })
    }

    /// Every service of every cluster; a cluster's names are being described while others are still listed.
    ///
    /// A cluster that is denied, or was deleted meanwhile, is among what is missing.
    ///
    /// # Errors
    /// The clusters can't be listed, or none of them can be looked at.
    pub async fn all(&self) -> Result<Found<Service>, CloudError> {
        let clusters = self.clusters().await?;
        let each: Vec<_> = clusters.iter().map(|cluster| self.of_cluster(cluster)).collect();
        let mut answers = stream::iter(clusters.iter()).zip(stream::iter(each).buffered(AT_ONCE));
        let mut all = Found { found: Vec::new(), missing: Vec::new() };
        let mut denied = Vec::new();
        while let Some((cluster, answer)) = answers.next().await {
            match answer {
                Ok(answer) => {
                    all.found.extend(answer.found);
                    all.missing.extend(answer.missing);
                }
                Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::NotFound) => {
                    let what = Unseen::Cluster(cluster.clone());
                    all.missing.push(Missing { what, reason: Text::line(&error.to_string()) });
                    denied.push(error);
                }
                // Credentials, network, throttles: of the environment, not of a cluster.
                Err(error) => return Err(error),
            }
        }
        match denied.pop() {
            Some(error) if denied.len() + 1 == clusters.len() => Err(error),
            _ => Ok(all),
        }
    }

    async fn of_cluster(&self, cluster: &EcsClusterName) -> Result<Found<Service>, CloudError> {
        let names = self.service_names(cluster).await?;
        self.describe(cluster, &names).await
    }

    /// A service's tasks: listed by pages, described by hundreds. Tasks that vanish in between are in `missing`.
    pub async fn tasks(&self, service: &ServiceId, wanted: Wanted) -> Result<Found<Task>, CloudError> {
        self.tasks_listed(&service.cluster, "serviceName", &service.name.0, wanted).await
    }

    async fn tasks_listed(
        &self,
        cluster: &EcsClusterName,
        by: &str,
        name: &str,
        wanted: Wanted,
    ) -> Result<Found<Task>, CloudError> {
        let given = json!({ "cluster": cluster.0, "desiredStatus": wanted.into_str(), by: name });
        let arns = self.all_arns("ecs:ListTasks", "taskArns", given).await?;
        let mut all = Found { found: Vec::new(), missing: Vec::new() };
        for some in arns.chunks(PAGE) {
            let some = self.describe_tasks(&cluster.0, some).await?;
            all.found.extend(some.found);
            all.missing.extend(some.missing);
        }
        Ok(all)
    }

    async fn describe_tasks(&self, cluster: &str, arns: &[String]) -> Result<Found<Task>, CloudError> {
        const ACTION: &str = "ecs:DescribeTasks";
        let answer = self.ask(ACTION, json!({ "cluster": cluster, "tasks": arns })).await?;
        found(ACTION, &answer, "tasks", convert::task)
    }
}

/// What a describing call found in the list of that name.
fn found<T>(
    action: &str,
    answer: &Value,
    list: &str,
    convert: fn(&Value) -> Result<T, String>,
) -> Result<Found<T>, CloudError> {
    let found = answer.list(list).iter().map(convert).collect::<Result<_, _>>();
    Ok(Found { found: found.map_err(|what| classify::malformed(action, &what))?, missing: missing(answer) })
}

fn missing(answer: &Value) -> Vec<Missing> {
    let one = |failure: &Value| Missing { what: Unseen::Arn(failure.text("arn")), reason: failure.text("reason") };
    answer.list("failures").iter().map(one).collect()
}
