//! ECS: clusters, services, tasks; and two changes, a service's desired count and a task that is started by itself.
//!
//! Reads are in pipelines of a few calls at once: the throttles are shared with everybody in the account and region (ECS developer
//! guide: reads of services 100 at once, then 20 a second).

mod convert;
mod run;

use std::{fmt, future::Future, sync::Arc};

use aws_sdk_ecs::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{DesiredStatus, Failure},
};
use aws_smithy_runtime_api::http::Response;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

pub use run::{By, Launch, Launched};

use super::{
    CloudError, ErrorKind,
    attempts::{Attempts, Watch},
    classify,
    pages::Pages,
};
use crate::domain::{
    Text,
    service::{EcsClusterName, Service, ServiceId, ServiceName, Task},
};

/// Services of one `DescribeServices` (API reference).
pub const DESCRIBE_SERVICES_MAX: usize = 10;
/// Tasks of one `DescribeTasks`, and entries of a page (API reference).
const PAGE: usize = 100;
/// Pages followed in one listing.
const PAGES_MAX: usize = 200;
const AT_ONCE: usize = 6;

/// ECS of one environment. Cheap to clone.
#[derive(Clone)]
pub struct Ecs {
    clients: Arc<Clients>,
}

/// One client for each way to fail.
pub(super) struct Clients {
    /// Reads: three attempts.
    pub(super) read: Client,
    /// Writes: one attempt.
    pub(super) once: Client,
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

/// What could not be described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unseen {
    Arn(Text),
    /// All of an ECS cluster.
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

/// Which tasks to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// On their way up, or running.
    Running,
    /// Stopped within about the last hour.
    Stopped,
}

impl Ecs {
    pub(super) fn new(clients: Clients) -> Self {
        Self { clients: Arc::new(clients) }
    }

    /// Every cluster, all pages.
    pub async fn clusters(&self) -> Result<Vec<EcsClusterName>, CloudError> {
        const ACTION: &str = "ecs:ListClusters";
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let page = self.clients.read.list_clusters().set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
            pages.add(page.cluster_arns.unwrap_or_default(), page.next_token)?;
        }
        Ok(pages.found().iter().map(|arn| EcsClusterName(convert::last(arn).to_owned())).collect())
    }

    /// The names of a cluster's services, all pages.
    pub async fn service_names(&self, cluster: &EcsClusterName) -> Result<Vec<ServiceName>, CloudError> {
        const ACTION: &str = "ecs:ListServices";
        let first = self.clients.read.list_services().cluster(&cluster.0).max_results(PAGE as i32);
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let page = first.clone().set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
            pages.add(page.service_arns.unwrap_or_default(), page.next_token)?;
        }
        Ok(pages.found().iter().map(|arn| ServiceName(convert::last(arn).to_owned())).collect())
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
        let names = names.iter().map(|name| name.0.clone()).collect();
        let call = self.clients.read.describe_services().cluster(&cluster.0).set_services(Some(names));
        let answer = call.send().await.map_err(|error| classify::from_sdk(ACTION, error))?;
        let services = answer.services.unwrap_or_default().into_iter().map(convert::service);
        let found: Result<Vec<_>, _> = services.collect();
        let found = found.map_err(|what| classify::malformed(ACTION, &what))?;
        Ok(Found { found, missing: missing(answer.failures) })
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
        const LIST: &str = "ecs:ListTasks";
        const DESCRIBE: &str = "ecs:DescribeTasks";
        let status = match wanted {
            Wanted::Running => DesiredStatus::Running,
            Wanted::Stopped => DesiredStatus::Stopped,
        };
        let call = self.clients.read.list_tasks().cluster(&service.cluster.0).service_name(&service.name.0);
        let first = call.desired_status(status);
        let mut pages = Pages::new(LIST, PAGES_MAX);
        while pages.more()? {
            let page = first.clone().set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| classify::from_sdk(LIST, error))?;
            pages.add(page.task_arns.unwrap_or_default(), page.next_token)?;
        }
        let mut all = Found { found: Vec::new(), missing: Vec::new() };
        for some in pages.found().chunks(PAGE) {
            let call = self.clients.read.describe_tasks().cluster(&service.cluster.0).set_tasks(Some(some.to_vec()));
            let answer = call.send().await.map_err(|error| classify::from_sdk(DESCRIBE, error))?;
            for task in answer.tasks.unwrap_or_default() {
                all.found.push(convert::task(task).map_err(|what| classify::malformed(DESCRIBE, &what))?);
            }
            all.missing.extend(missing(answer.failures));
        }
        Ok(all)
    }

    /// Sets a service's desired count, in one attempt; answers the service as ECS shows it then. Makes no deployment.
    ///
    /// `UpdateService` has no client token. The count is absolute, so that setting it twice is the same as once, as long as nobody else
    /// sets another in between: that is why a lost answer is looked at before it is set again.
    pub async fn set_desired(&self, service: &ServiceId, count: u32) -> Result<Service, CloudError> {
        const ACTION: &str = "ecs:UpdateService";
        let count = i32::try_from(count)
            .map_err(|_| CloudError::new(ErrorKind::Invalid, ACTION, &format!("a desired count of {count}")))?;
        let answer = write(ACTION, |watch| {
            let call = self.clients.once.update_service().cluster(&service.cluster.0).service(&service.name.0);
            call.desired_count(count).customize().interceptor(watch).send()
        })
        .await?;
        let shown = answer.service.ok_or_else(|| classify::malformed(ACTION, "the answer has no service"))?;
        convert::service(shown).map_err(|what| classify::malformed(ACTION, &what))
    }
}

impl fmt::Debug for Ecs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ecs").finish_non_exhaustive()
    }
}

fn missing(failures: Option<Vec<Failure>>) -> Vec<Missing> {
    let text = |text: Option<String>| Text::line(&text.unwrap_or_default());
    let one = |failure: Failure| Missing { what: Unseen::Arn(text(failure.arn)), reason: text(failure.reason) };
    failures.unwrap_or_default().into_iter().map(one).collect()
}

/// Makes a write and judges its error by all its attempts.
async fn write<O, E, F>(action: &str, call: impl FnOnce(Watch<E>) -> F) -> Result<O, CloudError>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    F: Future<Output = Result<O, SdkError<E, Response>>>,
{
    let attempts = Attempts::new();
    call(attempts.watch()).await.map_err(|error| attempts.judge(classify::from_sdk(action, error)))
}
