//! [`Estate`]: what is known of an environment beside its queues.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use crate::{
    cloud::CloudError,
    databases,
    domain::{
        Text,
        alarm::Alarm,
        consumer::{KafkaLag, Mapping},
        gauge::Gauge,
        service::{Scaling, Service, Standing, Task},
    },
};

pub use crate::domain::gauge::DatabaseGauges;

/// Services, databases, alarms and consumers of an environment. Cheap to clone: parts that did not change are shared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estate {
    /// ECS services, by ECS cluster and name.
    pub services: Part<SeenService>,
    /// Databases, by name.
    pub databases: Part<SeenDatabase>,
    /// CloudWatch alarms, by name.
    pub alarms: Part<Alarm>,
    /// Lambda event source mappings, by function.
    pub mappings: Part<Mapping>,
    /// Groups that read Kafka, by MSK cluster, group and topic.
    pub lags: Part<KafkaLag>,
}

/// All things of one sort in an environment, as they were last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<T> {
    /// When all of it last came; none: not yet.
    pub at: Option<Timestamp>,
    /// Whether it is being asked for now.
    pub busy: bool,
    /// Why it did not come since; the rows are older then.
    pub error: Option<CloudError>,
    /// What of it could not be known, and why: "capacity in use is not known: ...".
    pub unknown: Vec<Text>,
    /// The same as far as looks at it failed, or were held back: for those who look at no list.
    pub lacks: Vec<Lack>,
    /// The things.
    pub rows: Arc<[Arc<T>]>,
}

/// Something that the looks at a part could not tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Lack {
    /// What: "autoscaling", "services of cluster main".
    pub what: Text,
    /// The same with the reason, safe to show.
    pub words: Text,
    /// Since when it could not be told.
    pub since: Timestamp,
    /// Why; none: what looking may cost holds it back, or the answer was not whole.
    pub error: Option<CloudError>,
    /// Whether things themselves are missing or old, not figures about them.
    pub hides_rows: bool,
}

/// A service, as it was last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenService {
    /// What ECS says.
    pub service: Service,
    /// When, where its ECS cluster did not answer since; none: when the part came.
    pub seen_at: Option<Timestamp>,
    /// Its autoscaling; none: it has none, or [`Part::unknown`] says why it is not known.
    pub scaling: Option<Scaling>,
    /// Since when it stands as it does; none: since before it was first seen.
    pub since: Option<(Standing, Timestamp)>,
    /// Percent of the CPU that its tasks reserved.
    pub cpu: Option<Gauge>,
    /// Percent of the memory that its tasks reserved.
    pub memory: Option<Gauge>,
    /// Tasks of it that stopped within the hour, the newest first; asked for only where something is wrong or somebody looks.
    pub stopped: Vec<Task>,
}

/// A database, as it was last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenDatabase {
    /// What RDS says, what it uses, what happened to it last.
    pub seen: databases::Seen,
    /// Metrics of its instances, by their names. What has none is absent.
    pub gauges: BTreeMap<String, DatabaseGauges>,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self { at: None, busy: false, error: None, unknown: Vec::new(), lacks: Vec::new(), rows: Arc::from([]) }
    }
}

impl<T> Part<T> {
    /// Whether all of it was seen at least once.
    pub fn is_known(&self) -> bool {
        self.at.is_some()
    }
}

impl Part<SeenService> {
    /// When a service of it was last seen.
    pub fn seen_at(&self, seen: &SeenService) -> Option<Timestamp> {
        seen.seen_at.or(self.at)
    }

    /// When the oldest of it was last seen.
    pub fn oldest_at(&self) -> Option<Timestamp> {
        self.rows.iter().filter_map(|row| row.seen_at).chain(self.at).min()
    }
}
