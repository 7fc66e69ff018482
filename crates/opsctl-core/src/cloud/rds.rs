//! RDS: databases as they are, what happened to them, and the two calls that let another instance write.
//!
//! Looking is Describe calls only: nothing here opens a connection, reads a log file or runs SQL, so that a paused cluster stays
//! paused. The calls that change something have no idempotency token: they are sent once, and an answer that does not come is
//! [`ErrorKind::Unknown`].

mod convert;
mod globals;
mod proxies;

use std::{collections::BTreeMap, fmt};

use aws_config::SdkConfig;
use aws_sdk_rds::{
    Client,
    config::{
        Region,
        retry::{RetryConfig, RetryPartition},
        timeout::TimeoutConfig,
    },
    operation::{failover_db_cluster::FailoverDBClusterError, reboot_db_instance::RebootDBInstanceError},
    types::{DbCluster, DbInstance, SourceType},
};

use super::{CloudError, ErrorKind, attempts::Attempts, classify, metrics::Series, metrics::Statistic};
use crate::domain::database::{Database, DatabaseEvent, Pending, SourceKind};

const CLUSTERS: &str = "rds:DescribeDBClusters";
const INSTANCES: &str = "rds:DescribeDBInstances";
const EVENTS: &str = "rds:DescribeEvents";
const PENDING: &str = "rds:DescribePendingMaintenanceActions";
const FAILOVER: &str = "rds:FailoverDBCluster";
const REBOOT: &str = "rds:RebootDBInstance";
/// Records of a page (RDS's limit).
const RECORDS: i32 = 100;
/// Pages followed in one question.
const PAGES_MAX: usize = 50;
/// How far back events are kept, in minutes (RDS API reference, DescribeEvents).
const MINUTES_MAX: u32 = 14 * 24 * 60;

/// Aurora capacity units in use, by cluster. A paused cluster has 0.
pub const CAPACITY: Series = Series {
    namespace: "AWS/RDS",
    dimensions: &["DBClusterIdentifier"],
    metric: "ServerlessDatabaseCapacity",
    statistic: Statistic::Maximum,
    period_seconds: 60,
    window_seconds: 600,
};

/// RDS of one environment. Cheap to clone.
#[derive(Clone)]
pub struct Rds {
    read: Client,
    once: Client,
}

/// What was asked for, and what of it could not be known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Databases {
    pub list: Vec<Database>,
    /// Why pending maintenance is not known.
    pub pending_unknown: Option<CloudError>,
}

impl Rds {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition, once: TimeoutConfig) -> Self {
        let base = aws_sdk_rds::config::Builder::from(shared).retry_partition(partition);
        Self {
            read: Client::from_conf(base.clone().build()),
            once: Client::from_conf(base.retry_config(RetryConfig::disabled()).timeout_config(once).build()),
        }
    }

    /// The same of another region: a global cluster has members there.
    pub fn in_region(&self, region: &str) -> Self {
        let moved = |client: &Client| {
            Client::from_conf(client.config().to_builder().region(Region::new(region.to_owned())).build())
        };
        Self { read: moved(&self.read), once: moved(&self.once) }
    }

    /// Every database, by name. DocumentDB's and Neptune's clusters, which answer here as well, are left out.
    ///
    /// # Errors
    /// Of the first call that fails; but of pending maintenance the answer says that it is not known.
    pub async fn databases(&self) -> Result<Databases, CloudError> {
        let (clusters, instances, pending) = tokio::join!(self.clusters(None), self.instances(None), self.pending());
        let (clusters, instances) = (clusters?, instances?);
        let (pending, pending_unknown) = match pending {
            Ok(pending) => (pending, None),
            Err(error) => (BTreeMap::new(), Some(error)),
        };
        Ok(Databases { list: convert::databases(clusters, instances, &pending), pending_unknown })
    }

    /// The cluster of that name, with its instances, or the instance that is of no cluster; none: neither is there.
    /// Pending maintenance is not asked for.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn database(&self, name: &str) -> Result<Option<Database>, CloudError> {
        let clusters = self.clusters(Some(name)).await.or_else(none_is_there)?;
        let instances = match clusters.first() {
            Some(cluster) => {
                let names = cluster.db_cluster_members().iter().filter_map(|member| member.db_instance_identifier());
                self.instances(Some(&names.map(str::to_owned).collect::<Vec<_>>())).await?
            }
            None => {
                let instances = self.instances(Some(&[name.to_owned()])).await.or_else(none_is_there)?;
                // An instance of a cluster is no database by itself.
                instances.into_iter().filter(|instance| convert::cluster_of(instance).is_none()).collect()
            }
        };
        Ok(convert::databases(clusters, instances, &BTreeMap::new()).into_iter().find(|database| database.name == name))
    }

    /// The cluster that the instance of that name is of; none: there is no such instance, or it is of none.
    ///
    /// # Errors
    /// Of the call.
    pub async fn cluster_of(&self, instance: &str) -> Result<Option<String>, CloudError> {
        match self.instances(Some(&[instance.to_owned()])).await {
            Ok(found) => Ok(found.iter().find_map(convert::cluster_of)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What happened in the last minutes (at most 14 days), to one thing or to all, the oldest first.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn events(&self, of: Option<(SourceKind, &str)>, minutes: u32) -> Result<Vec<DatabaseEvent>, CloudError> {
        let mut events = Vec::new();
        let mut marker = None;
        for _ in 0..PAGES_MAX {
            let mut call = self.read.describe_events().max_records(RECORDS).set_marker(marker);
            call = call.duration(i32::try_from(minutes.min(MINUTES_MAX)).unwrap_or(i32::MAX));
            if let Some((kind, name)) = of {
                let source_type = match kind {
                    SourceKind::Cluster => SourceType::DbCluster,
                    SourceKind::Instance => SourceType::DbInstance,
                };
                call = call.source_type(source_type).source_identifier(name);
            }
            let answer = call.send().await.map_err(|error| classify::from_sdk(EVENTS, error))?;
            events.extend(answer.events.unwrap_or_default().into_iter().filter_map(convert::event));
            marker = answer.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                events.sort_by_key(|event| event.at);
                return Ok(events);
            }
        }
        Err(too_many(EVENTS))
    }

    /// Lets `target` write in place of the cluster's writer. Sent once.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`]: it may have begun. Look, don't repeat.
    pub async fn fail_over_cluster(&self, cluster: &str, target: Option<&str>) -> Result<(), CloudError> {
        let attempts = Attempts::new();
        let call = self.once.failover_db_cluster().db_cluster_identifier(cluster);
        let call = call.set_target_db_instance_identifier(target.map(str::to_owned));
        let sent = call.customize().interceptor(attempts.watch::<FailoverDBClusterError>()).send().await;
        sent.map(|_| ()).map_err(|error| attempts.judge(classify::from_sdk(FAILOVER, error)))
    }

    /// Lets a Multi-AZ instance's standby take over. Sent once.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`]: it may have begun. Look, don't repeat.
    pub async fn fail_over_instance(&self, instance: &str) -> Result<(), CloudError> {
        let attempts = Attempts::new();
        let call = self.once.reboot_db_instance().db_instance_identifier(instance).force_failover(true);
        let sent = call.customize().interceptor(attempts.watch::<RebootDBInstanceError>()).send().await;
        sent.map(|_| ()).map_err(|error| attempts.judge(classify::from_sdk(REBOOT, error)))
    }

    async fn clusters(&self, name: Option<&str>) -> Result<Vec<DbCluster>, CloudError> {
        let mut clusters = Vec::new();
        let mut marker = None;
        for _ in 0..PAGES_MAX {
            let call = self.read.describe_db_clusters().set_db_cluster_identifier(name.map(str::to_owned));
            let call = call.max_records(RECORDS).set_marker(marker);
            let answer = call.send().await.map_err(|error| classify::from_sdk(CLUSTERS, error))?;
            clusters.extend(answer.db_clusters.unwrap_or_default());
            marker = answer.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(clusters);
            }
        }
        Err(too_many(CLUSTERS))
    }

    /// All, the one that is named, or of several names those that are there.
    async fn instances(&self, names: Option<&[String]>) -> Result<Vec<DbInstance>, CloudError> {
        let (one, some) = match names {
            None => (None, None),
            Some([]) => return Ok(Vec::new()),
            Some([one]) => (Some(one.clone()), None),
            Some(names) => (None, Some(convert::filter("db-instance-id", names))),
        };
        let mut instances = Vec::new();
        let mut marker = None;
        for _ in 0..PAGES_MAX {
            let call = self.read.describe_db_instances().set_db_instance_identifier(one.clone());
            let call = call.set_filters(some.clone().map(|filter| vec![filter]));
            let call = call.max_records(RECORDS).set_marker(marker);
            let answer = call.send().await.map_err(|error| classify::from_sdk(INSTANCES, error))?;
            instances.extend(answer.db_instances.unwrap_or_default());
            marker = answer.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(instances);
            }
        }
        Err(too_many(INSTANCES))
    }

    /// What AWS means to change, by ARN.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn pending(&self) -> Result<BTreeMap<String, Vec<Pending>>, CloudError> {
        let mut pending = BTreeMap::new();
        let mut marker = None;
        for _ in 0..PAGES_MAX {
            let call = self.read.describe_pending_maintenance_actions().max_records(RECORDS).set_marker(marker);
            let answer = call.send().await.map_err(|error| classify::from_sdk(PENDING, error))?;
            pending.extend(
                answer.pending_maintenance_actions.unwrap_or_default().into_iter().filter_map(convert::pending),
            );
            marker = answer.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(pending);
            }
        }
        Err(too_many(PENDING))
    }
}

/// No such thing is an empty list here.
fn none_is_there<T>(error: CloudError) -> Result<Vec<T>, CloudError> {
    if error.kind == ErrorKind::NotFound { Ok(Vec::new()) } else { Err(error) }
}

/// A list without an end, or one far longer than what is looked after here.
fn too_many(action: &str) -> CloudError {
    CloudError::new(ErrorKind::Invalid, action, &format!("more than {PAGES_MAX} pages of {RECORDS}"))
}

impl fmt::Debug for Rds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rds").finish_non_exhaustive()
    }
}
