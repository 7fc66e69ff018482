//! RDS: databases as they are, what happened to them, and the two calls that let another instance write.
//!
//! Looking is Describe calls only: nothing here opens a connection, reads a log file or runs SQL, so that a paused cluster stays
//! paused. The calls that change something have no idempotency token: they are sent once, and an answer that does not come is
//! [`ErrorKind::Unknown`].

mod convert;
mod globals;
mod proxies;

use std::{borrow::Cow, collections::BTreeMap};

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_types::timeout::TimeoutConfig;

use super::{
    CloudError, ErrorKind,
    metrics::Series,
    metrics::Statistic,
    pages::Pages,
    thin::{Element, Protocol, Request, Service, Thin},
};
use crate::domain::{Database, DatabaseEvent, Pending, SourceKind};

const CLUSTERS: &str = "rds:DescribeDBClusters";
const INSTANCES: &str = "rds:DescribeDBInstances";
const EVENTS: &str = "rds:DescribeEvents";
const PENDING: &str = "rds:DescribePendingMaintenanceActions";
const FAILOVER: &str = "rds:FailoverDBCluster";
const REBOOT: &str = "rds:RebootDBInstance";
/// Records of a page (RDS's limit).
const RECORDS: &str = "100";
const PAGES_MAX: usize = 50;
/// How far back events are kept, in minutes (RDS API reference, DescribeEvents).
const MINUTES_MAX: u32 = 14 * 24 * 60;

const RDS: Service =
    Service { name: "rds", host: "rds", signing_name: "rds", protocol: Protocol::Query { version: "2014-10-31" } };

type Given = Vec<(Cow<'static, str>, String)>;

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
#[derive(Debug, Clone)]
pub struct Rds {
    read: Thin,
    once: Thin,
}

/// What was asked for, and what of it could not be known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Databases {
    pub list: Vec<Database>,
    pub pending_unknown: Option<CloudError>,
}

impl Rds {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition, once: TimeoutConfig) -> Self {
        Self { read: Thin::new(&RDS, shared, partition.clone()), once: Thin::once(&RDS, shared, partition, once) }
    }

    /// The same of another region: a global cluster has members there.
    pub fn in_region(&self, region: &str) -> Self {
        Self { read: self.read.in_region(region), once: self.once.in_region(region) }
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
                let members = cluster.list("DBClusterMembers").iter();
                let names: Vec<&str> = members.filter_map(|member| member.word("DBInstanceIdentifier")).collect();
                self.instances(Some(&names)).await?
            }
            None => {
                let instances = self.instances(Some(&[name])).await.or_else(none_is_there)?;
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
        match self.instances(Some(&[instance])).await {
            Ok(found) => Ok(found.iter().find_map(|instance| convert::cluster_of(instance).map(str::to_owned))),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What happened in the last minutes (at most 14 days), to one thing or to all, the oldest first.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn events(&self, of: Option<(SourceKind, &str)>, minutes: u32) -> Result<Vec<DatabaseEvent>, CloudError> {
        let mut given = vec![("Duration".into(), minutes.min(MINUTES_MAX).to_string())];
        if let Some((kind, name)) = of {
            given.push(("SourceType".into(), convert::source_type(kind).to_owned()));
            given.push(("SourceIdentifier".into(), name.to_owned()));
        }
        let mut events = self.all(EVENTS, "Events", given, convert::event).await?;
        events.sort_by_key(|event| event.at);
        Ok(events)
    }

    /// Lets `target` write in place of the cluster's writer. Sent once.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`]: it may have begun. Look, don't repeat.
    pub async fn fail_over_cluster(&self, cluster: &str, target: Option<&str>) -> Result<(), CloudError> {
        let mut given = vec![("DBClusterIdentifier".into(), cluster.to_owned())];
        given.extend(target.map(|target| ("TargetDBInstanceIdentifier".into(), target.to_owned())));
        self.change(FAILOVER, given).await
    }

    /// Lets a Multi-AZ instance's standby take over. Sent once.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`]: it may have begun. Look, don't repeat.
    pub async fn fail_over_instance(&self, instance: &str) -> Result<(), CloudError> {
        let given =
            vec![("DBInstanceIdentifier".into(), instance.to_owned()), ("ForceFailover".into(), "true".to_owned())];
        self.change(REBOOT, given).await
    }

    async fn clusters(&self, name: Option<&str>) -> Result<Vec<Element>, CloudError> {
        let given = name.map(|name| ("DBClusterIdentifier".into(), name.to_owned()));
        self.all(CLUSTERS, "DBClusters", given.into_iter().collect(), as_it_is).await
    }

    /// All, the one that is named, or of several names those that are there.
    async fn instances(&self, names: Option<&[&str]>) -> Result<Vec<Element>, CloudError> {
        let given = match names {
            None => Vec::new(),
            Some([]) => return Ok(Vec::new()),
            Some([one]) => vec![("DBInstanceIdentifier".into(), (*one).to_owned())],
            Some(names) => filter("db-instance-id", names),
        };
        self.all(INSTANCES, "DBInstances", given, as_it_is).await
    }

    /// What AWS means to change, by ARN.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn pending(&self) -> Result<BTreeMap<String, Vec<Pending>>, CloudError> {
        let all = self.all(PENDING, "PendingMaintenanceActions", Vec::new(), convert::pending).await?;
        Ok(all.into_iter().collect())
    }

    /// What `read` makes of the entries of the list of that name, all pages.
    async fn all<T>(
        &self,
        action: &'static str,
        list: &str,
        given: Given,
        read: impl Fn(&Element) -> Option<T>,
    ) -> Result<Vec<T>, CloudError> {
        let mut pages = Pages::new(action, PAGES_MAX);
        while pages.more()? {
            let mut given = given.clone();
            given.push(("MaxRecords".into(), RECORDS.to_owned()));
            given.extend(pages.token().map(|marker| ("Marker".into(), marker)));
            let page = self.read.call(action, Request::Query(given), Element::result).await?;
            pages.add(page.list(list).iter().filter_map(&read), page.said("Marker").map(str::to_owned))?;
        }
        Ok(pages.found())
    }

    async fn change(&self, action: &'static str, given: Given) -> Result<(), CloudError> {
        self.once.write(action, Request::Query(given), Element::result).await.map(|_| ())
    }
}

fn filter(name: &str, values: &[&str]) -> Given {
    let value =
        |(at, value): (usize, &&str)| (format!("Filters.Filter.1.Values.Value.{}", at + 1).into(), (*value).to_owned());
    let name = ("Filters.Filter.1.Name".into(), name.to_owned());
    std::iter::once(name).chain(values.iter().enumerate().map(value)).collect()
}

fn as_it_is(element: &Element) -> Option<Element> {
    Some(element.clone())
}

/// No such thing is an empty list here.
fn none_is_there<T>(error: CloudError) -> Result<Vec<T>, CloudError> {
    if error.kind == ErrorKind::NotFound { Ok(Vec::new()) } else { Err(error) }
}
