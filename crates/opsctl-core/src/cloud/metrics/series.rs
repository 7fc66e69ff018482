//! [`Series`]: which metric of which kind of resource, and how CloudWatch is asked for it.
//!
//! Names, dimensions and units are those of the services' own documentation ("CloudWatch metrics" of the ECS, Aurora, RDS, MSK
//! and Lambda guides).

use serde_json::{Value, json};

/// A metric that many resources of one kind have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// `AWS/SQS` for instance.
    pub namespace: &'static str,
    /// Dimensions that name a resource, in the order of its name's parts.
    pub dimensions: &'static [&'static str],
    pub metric: &'static str,
    pub statistic: Statistic,
    /// Length of a period; a multiple of 60.
    pub period_seconds: u32,
    /// How far back samples count.
    pub window_seconds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(const_into_str)]
pub enum Statistic {
    Maximum,
    Minimum,
    Sum,
    /// Their sum by their count.
    Average,
}

/// Age of each queue's oldest message, seconds. Leaves out messages received three times or more (standard queues); in a DLQ
/// it counts from the arrival there (SQS developer guide, "Available CloudWatch metrics").
pub const QUEUE_AGE: Series = Series {
    namespace: "AWS/SQS",
    dimensions: &["QueueName"],
    metric: "ApproximateAgeOfOldestMessage",
    statistic: Statistic::Maximum,
    period_seconds: 60,
    window_seconds: 600,
};

/// A series of which half an hour is looked at, minute by minute.
const fn half_hour(
    namespace: &'static str,
    dimensions: &'static [&'static str],
    metric: &'static str,
    statistic: Statistic,
) -> Series {
    Series { namespace, dimensions, metric, statistic, period_seconds: 60, window_seconds: 1_800 }
}

const OF_SERVICE: &[&str] = &["ClusterName", "ServiceName"];
const OF_INSTANCE: &[&str] = &["DBInstanceIdentifier"];
const OF_FUNCTION: &[&str] = &["FunctionName"];

/// Percent of the CPU that a service's tasks reserved; by `cluster/service`. No sample while no task runs.
pub const SERVICE_CPU: Series = half_hour("AWS/ECS", OF_SERVICE, "CPUUtilization", Statistic::Average);
/// Percent of the memory that a service's tasks reserved; by `cluster/service`. No sample while no task runs.
pub const SERVICE_MEMORY: Series = half_hour("AWS/ECS", OF_SERVICE, "MemoryUtilization", Statistic::Average);
pub const SERVICES: [Series; 2] = [SERVICE_CPU, SERVICE_MEMORY];

/// Percent of CPU, by instance.
pub const DATABASE_CPU: Series = half_hour("AWS/RDS", OF_INSTANCE, "CPUUtilization", Statistic::Average);
pub const DATABASE_CONNECTIONS: Series = half_hour("AWS/RDS", OF_INSTANCE, "DatabaseConnections", Statistic::Maximum);
/// Bytes of free storage, by instance; Aurora's have none.
pub const DATABASE_FREE_STORAGE: Series = half_hour("AWS/RDS", OF_INSTANCE, "FreeStorageSpace", Statistic::Minimum);
/// Milliseconds that a reader of Aurora lies behind, by instance.
pub const AURORA_REPLICA_LAG: Series = half_hour("AWS/RDS", OF_INSTANCE, "AuroraReplicaLag", Statistic::Maximum);
/// Seconds that another engine's reader lies behind, by instance; -1: replication does not run.
pub const REPLICA_LAG: Series = half_hour("AWS/RDS", OF_INSTANCE, "ReplicaLag", Statistic::Maximum);
/// Seconds of a read, by instance.
pub const DATABASE_READ_LATENCY: Series = half_hour("AWS/RDS", OF_INSTANCE, "ReadLatency", Statistic::Average);
/// Seconds of a write, by instance.
pub const DATABASE_WRITE_LATENCY: Series = half_hour("AWS/RDS", OF_INSTANCE, "WriteLatency", Statistic::Average);
pub const DATABASES: [Series; 7] = [
    DATABASE_CPU,
    DATABASE_CONNECTIONS,
    DATABASE_FREE_STORAGE,
    AURORA_REPLICA_LAG,
    REPLICA_LAG,
    DATABASE_READ_LATENCY,
    DATABASE_WRITE_LATENCY,
];

/// Offsets that a group has not read yet, summed over partitions; by `cluster/topic/group`: a group's name may have slashes.
pub const KAFKA_LAG: Series =
    half_hour("AWS/Kafka", &["Cluster Name", "Topic", "Consumer Group"], "SumOffsetLag", Statistic::Maximum);

/// Calls of a function that failed in each minute; by function.
pub const LAMBDA_ERRORS: Series = half_hour("AWS/Lambda", OF_FUNCTION, "Errors", Statistic::Sum);
/// Calls of a function in each minute; by function.
pub const LAMBDA_INVOCATIONS: Series = half_hour("AWS/Lambda", OF_FUNCTION, "Invocations", Statistic::Sum);

impl Series {
    /// Every resource, in one query; each answer's label is the resource's name.
    pub(super) fn search(&self, id: &str) -> Value {
        let Self { namespace, dimensions, metric, statistic, period_seconds, .. } = self;
        // Names with a space stand in double quotes (CloudWatch user guide, "Search expression syntax").
        let quoted = |name: &&str| if name.contains(' ') { format!("\"{name}\"") } else { (*name).to_owned() };
        let schema: Vec<String> = dimensions.iter().map(quoted).collect();
        let expression = format!(
            "SEARCH('{{{namespace},{}}} MetricName=\"{metric}\"', '{}', {period_seconds})",
            schema.join(","),
            statistic.into_str()
        );
        let label: Vec<String> = dimensions.iter().map(|dimension| format!("${{PROP('Dim.{dimension}')}}")).collect();
        json!({ "Id": id, "Expression": expression, "Label": label.join("/"), "ReturnData": true })
    }

    pub(super) fn named(&self, id: &str, name: &str) -> Value {
        // What follows the last separator that is needed belongs to the last dimension.
        let values = name.splitn(self.dimensions.len(), '/');
        let dimensions = self.dimensions.iter().zip(values);
        let dimensions: Vec<Value> = dimensions.map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
        let metric = json!({ "Namespace": self.namespace, "MetricName": self.metric, "Dimensions": dimensions });
        let stat = json!({ "Metric": metric, "Period": self.period_seconds, "Stat": self.statistic.into_str() });
        json!({ "Id": id, "MetricStat": stat, "ReturnData": true })
    }
}
