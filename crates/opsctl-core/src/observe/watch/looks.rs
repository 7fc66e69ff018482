//! Looks at what there is beside queues: each as a future of its own, as polite as the throttles ask that all in the account share.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::stream::{self, StreamExt};
use tokio::sync::mpsc::UnboundedSender;

use super::questions::{Answer, Question, outcome};
use crate::{
    clock::Clock,
    cloud::{
        Cloud, CloudError, ErrorKind,
        alarms::AllAlarms,
        ecs::{DESCRIBE_SERVICES_MAX, Wanted},
        metrics::{self, Gauges, Samples},
        rds::CAPACITY,
    },
    databases,
    domain::{
        consumer::Mapping,
        service::{EcsClusterName, Scaling, Service, ServiceId, ServiceName, Task},
    },
    observe::{
        register::{DatabaseMetrics, FoundServices, StoppedTasks},
        schedule::{Look, Outcome, Share},
    },
};

/// Clusters looked at at once, and calls at once in each.
const CLUSTERS_AT_ONCE: usize = 4;
const CALLS_AT_ONCE: usize = 8;
/// Services on a page of a listing (ECS API reference).
const PAGE: usize = 100;

/// Our shares of the throttles of one account and region.
#[derive(Debug)]
pub(super) struct Shares {
    services: Mutex<Share>,
    tasks: Mutex<Share>,
}

impl Default for Shares {
    fn default() -> Self {
        Self { services: Mutex::new(Share::of_service_reads()), tasks: Mutex::new(Share::of_task_reads()) }
    }
}

/// What a look is made with.
#[derive(Clone)]
pub(super) struct Glass {
    pub(super) cloud: Cloud,
    pub(super) clock: Clock,
    pub(super) shares: Arc<Shares>,
}

/// Some services, before the look at all of them has ended.
pub(super) type Slices = UnboundedSender<Vec<Service>>;

/// What a look came to.
pub(super) enum Found {
    Services(FoundServices),
    Scaling(BTreeMap<ServiceId, Scaling>),
    Stopped(StoppedTasks),
    Databases(databases::Look),
    Alarms(AllAlarms),
    Mappings(Vec<Mapping>),
    Lags(Gauges),
    /// Metrics, and which services they were asked of.
    ServiceGauges(Vec<ServiceId>, Gauges),
    /// The same of databases' instances, and serverless databases' capacity.
    DatabaseGauges(DatabaseMetrics, Gauges, Samples),
}

/// What came of a look, as the schedule takes it: a part that is throttled slows down, though the rest of it came.
pub(super) fn outcome_of(found: &Result<Found, CloudError>) -> Outcome {
    match found {
        Err(error) => outcome(Some(error)),
        Ok(Found::Services(found)) => {
            let errors = found.failed.iter().map(|(_, error)| error);
            errors.clone().find(|error| error.kind == ErrorKind::Throttled).map_or_else(
                || match errors.map(|error| outcome(Some(error))).find(|outcome| *outcome == Outcome::Unreachable) {
                    Some(unreachable) => unreachable,
                    None => Outcome::Done,
                },
                |error| outcome(Some(error)),
            )
        }
        Ok(Found::Stopped(answers)) => {
            let failed = answers.iter().filter_map(|(_, answer)| answer.as_ref().err());
            outcome(failed.max_by_key(|error| error.kind == ErrorKind::Throttled))
        }
        Ok(
            Found::Scaling(_)
            | Found::Databases(_)
            | Found::Alarms(_)
            | Found::Mappings(_)
            | Found::Lags(_)
            | Found::ServiceGauges(..)
            | Found::DatabaseGauges(..),
        ) => Outcome::Done,
    }
}

fn ask(look: Look, found: impl Future<Output = Result<Found, CloudError>> + Send + 'static) -> Question {
    Box::pin(async move { Answer::Looked(look, Box::new(found.await)) })
}

/// Every service of every cluster; the first look tells some as soon as they came.
pub(super) fn services(glass: &Glass, slices: Option<Slices>) -> Question {
    let glass = glass.clone();
    ask(Look::Services, async move {
        let clusters = glass.cloud.ecs().clusters().await?;
        // Made here: a stream of closures over borrows is not known to be Send.
        let each: Vec<_> = clusters.iter().map(|cluster| glass.of_cluster(cluster, slices.as_ref())).collect();
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
                Ok(Found::Services(all))
            }
        }
    })
}

impl Glass {
    async fn of_cluster(&self, cluster: &EcsClusterName, slices: Option<&Slices>) -> Result<FoundServices, CloudError> {
        self.service_reads(1).await;
        let names = self.noted(self.cloud.ecs().service_names(cluster).await)?;
        let pages = names.len().div_ceil(PAGE).saturating_sub(1);
        self.service_reads(u32::try_from(pages).unwrap_or(u32::MAX)).await;
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
        self.service_reads(1).await;
        let found = self.noted(self.cloud.ecs().describe(cluster, names).await)?;
        if let Some(slices) = slices {
            // Whoever listened is gone: so will this look be.
            drop(slices.send(found.found.clone()));
        }
        Ok(FoundServices { services: found.found, missing: found.missing, failed: Vec::new() })
    }

    async fn service_reads(&self, calls: u32) {
        let wait = locked(&self.shares.services).take(self.clock.now(), calls);
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }

    /// A throttled read slows the next ones down.
    fn noted<T>(&self, answer: Result<T, CloudError>) -> Result<T, CloudError> {
        if answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Throttled) {
            locked(&self.shares.services).throttled(self.clock.now());
        }
        answer
    }

    async fn stopped(&self, id: &ServiceId) -> Result<Vec<Task>, CloudError> {
        // Listed, and described.
        let wait = locked(&self.shares.tasks).take(self.clock.now(), 2);
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        let answer = self.cloud.ecs().tasks(id, Wanted::Stopped).await;
        if answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Throttled) {
            locked(&self.shares.tasks).throttled(self.clock.now());
        }
        Ok(answer?.found)
    }
}

/// A share is plain numbers, sound whoever panicked while it was held.
fn locked(share: &Mutex<Share>) -> std::sync::MutexGuard<'_, Share> {
    share.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Autoscaling of all services.
pub(super) fn scaling(glass: &Glass) -> Question {
    let glass = glass.clone();
    ask(Look::Scaling, async move { Ok(Found::Scaling(glass.cloud.autoscaling().services().await?)) })
}

/// Stopped tasks of a few services.
pub(super) fn stopped(glass: &Glass, services: Vec<ServiceId>) -> Question {
    let glass = glass.clone();
    ask(Look::Stopped, async move {
        let each: Vec<_> = services.iter().map(|id| glass.stopped(id)).collect();
        let answers: Vec<_> = stream::iter(each).buffered(CLUSTERS_AT_ONCE).collect().await;
        Ok(Found::Stopped(services.into_iter().zip(answers).collect()))
    })
}

/// Databases, by Describe calls only.
pub(super) fn databases(glass: &Glass) -> Question {
    let glass = glass.clone();
    ask(Look::Databases, async move { Ok(Found::Databases(databases::look_unmetered(&glass.cloud).await?)) })
}

/// Alarms, composite ones included.
pub(super) fn alarms(glass: &Glass) -> Question {
    let glass = glass.clone();
    ask(Look::Alarms, async move { Ok(Found::Alarms(glass.cloud.alarms().all().await?)) })
}

/// Event source mappings.
pub(super) fn mappings(glass: &Glass) -> Question {
    let glass = glass.clone();
    ask(Look::Mappings, async move { Ok(Found::Mappings(glass.cloud.lambda().mappings().await?)) })
}

/// How far readers of Kafka lie behind: one search finds them.
pub(super) fn lags(glass: &Glass) -> Question {
    let glass = glass.clone();
    ask(Look::Lags, async move { Ok(Found::Lags(glass.cloud.metrics().gauges(&[metrics::KAFKA_LAG]).await?)) })
}

/// CPU and memory of these services.
pub(super) fn service_gauges(glass: &Glass, services: Vec<ServiceId>) -> Question {
    let glass = glass.clone();
    ask(Look::ServiceGauges, async move {
        let names: Vec<String> = services.iter().map(ToString::to_string).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let gauges = glass.cloud.metrics().gauges_named(&metrics::SERVICES, &names).await?;
        Ok(Found::ServiceGauges(services, gauges))
    })
}

/// What these databases use, by metrics only.
pub(super) fn database_gauges(glass: &Glass, wanted: DatabaseMetrics) -> Question {
    let glass = glass.clone();
    ask(Look::DatabaseGauges, async move {
        let client = glass.cloud.metrics();
        let mut gauges = Gauges::default();
        for (series, names) in wanted.by_series() {
            gauges.merge(client.gauges_named(series, &names).await?);
        }
        let serverless: Vec<&str> = wanted.serverless.iter().map(String::as_str).collect();
        let capacity =
            if serverless.is_empty() { Samples::default() } else { client.named(&CAPACITY, &serverless).await? };
        Ok(Found::DatabaseGauges(wanted, gauges, capacity))
    })
}
