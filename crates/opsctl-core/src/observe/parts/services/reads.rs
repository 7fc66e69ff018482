//! How services are read: as politely as the throttles ask that all in the account share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream::{self, StreamExt};
use tokio::sync::mpsc::UnboundedSender;

use super::StoppedTasks;
use crate::{
    cloud::{
        Cloud, CloudError, ErrorKind,
        ecs::{DESCRIBE_SERVICES_MAX, Missing, Wanted},
    },
    domain::{EcsClusterName, Service, ServiceId, ServiceName, Task},
    observe::{
        parts::Asking,
        schedule::{Outcome, Share, Shares},
    },
};

/// Clusters looked at at once, and calls at once in each.
const CLUSTERS_AT_ONCE: usize = 4;
const CALLS_AT_ONCE: usize = 8;
/// Services on a page of a listing (ECS API reference).
const PAGE: usize = 100;

#[derive(Debug, Clone, Default)]
pub(in crate::observe) struct FoundServices {
    pub(in crate::observe) services: Vec<Service>,
    /// Listed, and not described.
    pub(in crate::observe) missing: Vec<Missing>,
    pub(in crate::observe) failed: Vec<(EcsClusterName, CloudError)>,
}

impl FoundServices {
    pub(super) fn outcome(&self) -> Outcome {
        let is_met = |wanted: &Outcome| self.failed.iter().any(|(_, error)| Outcome::of(Some(error)) == *wanted);
        [Outcome::Throttled, Outcome::Unreachable].into_iter().find(is_met).unwrap_or(Outcome::Done)
    }
}

/// Some services, before the look at all of them has ended.
pub(super) type Slices = UnboundedSender<Vec<Service>>;

pub(super) struct Reads {
    cloud: Cloud,
    shares: Arc<Shares>,
}

impl Reads {
    pub(super) fn new(asking: &Asking<'_>) -> Self {
        Self { cloud: asking.cloud.clone(), shares: Arc::clone(asking.shares) }
    }

    pub(super) async fn all(&self, slices: Option<Slices>) -> Result<FoundServices, CloudError> {
        let clusters = self.cloud.ecs.clusters().await?;
        // Made here: a stream of closures over borrows is not known to be Send.
        let each: Vec<_> = clusters.iter().map(|cluster| self.of_cluster(cluster, slices.as_ref())).collect();
        let answers: Vec<_> = stream::iter(each).buffered(CLUSTERS_AT_ONCE).collect().await;
        let mut all = FoundServices::default();
        for (cluster, answer) in clusters.into_iter().zip(answers) {
            match answer {
                Ok(found) => {
                    all.services.extend(found.services);
                    all.missing.extend(found.missing);
                }
                Err(error) => all.failed.push((cluster, error)),
            }
        }
        // What all clusters have in common is said once.
        match all.failed.pop() {
            Some((_, error)) if all.services.is_empty() => Err(error),
            last => {
                all.failed.extend(last);
                Ok(all)
            }
        }
    }

    async fn of_cluster(&self, cluster: &EcsClusterName, slices: Option<&Slices>) -> Result<FoundServices, CloudError> {
        self.wait(&self.shares.services, 1).await;
        let names = self.noted(&self.shares.services, self.cloud.ecs.service_names(cluster).await)?;
        let pages = names.len().div_ceil(PAGE).saturating_sub(1);
        self.wait(&self.shares.services, u32::try_from(pages).unwrap_or(u32::MAX)).await;
        let some: Vec<_> = names.chunks(DESCRIBE_SERVICES_MAX).map(|some| self.some(cluster, some, slices)).collect();
        let mut answers = stream::iter(some).buffered(CALLS_AT_ONCE);
        let mut all = FoundServices::default();
        while let Some(answer) = answers.next().await {
            let found = answer?;
            all.services.extend(found.services);
            all.missing.extend(found.missing);
        }
        Ok(all)
    }

    async fn some(
        &self,
        cluster: &EcsClusterName,
        names: &[ServiceName],
        slices: Option<&Slices>,
    ) -> Result<FoundServices, CloudError> {
        self.wait(&self.shares.services, 1).await;
        let found = self.noted(&self.shares.services, self.cloud.ecs.describe(cluster, names).await)?;
        if let Some(slices) = slices {
            // Whoever listened is gone: so will this look be.
            drop(slices.send(found.found.clone()));
        }
        Ok(FoundServices { services: found.found, missing: found.missing, failed: Vec::new() })
    }

    pub(super) async fn stopped(&self, services: Vec<ServiceId>) -> (Outcome, StoppedTasks) {
        let each: Vec<_> = services.iter().map(|id| self.stopped_of(id)).collect();
        let answers: Vec<_> = stream::iter(each).buffered(CLUSTERS_AT_ONCE).collect().await;
        let failed = answers.iter().filter_map(|answer| answer.as_ref().err());
        let outcome = Outcome::of(failed.max_by_key(|error| error.kind == ErrorKind::Throttled));
        (outcome, services.into_iter().zip(answers).collect())
    }

    async fn stopped_of(&self, id: &ServiceId) -> Result<Vec<Task>, CloudError> {
        // Listed, and described.
        self.wait(&self.shares.tasks, 2).await;
        Ok(self.noted(&self.shares.tasks, self.cloud.ecs.tasks(id, Wanted::Stopped).await)?.found)
    }

    async fn wait(&self, share: &Mutex<Share>, calls: u32) {
        let clock = self.cloud.clock();
        let wait = locked(share).take(clock.now(), calls);
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
    }

    /// A throttled read slows the next ones down.
    fn noted<T>(&self, share: &Mutex<Share>, answer: Result<T, CloudError>) -> Result<T, CloudError> {
        if answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Throttled) {
            locked(share).throttled(self.cloud.clock().now());
        }
        answer
    }
}

/// A share is plain numbers, sound whoever panicked while it was held.
fn locked(share: &Mutex<Share>) -> MutexGuard<'_, Share> {
    share.lock().unwrap_or_else(PoisonError::into_inner)
}
