//! Metrics of ECS services, and those of Container Insights.

use super::{Things, hash, noise};
use crate::world::{
    cloudwatch::{notes::MINUTE, request::MetricName},
    ecs::Load,
};

/// Namespace of a service's use of what its tasks reserved.
pub(super) const METRICS: &str = "AWS/ECS";
/// Namespace of Container Insights, which count tasks.
pub(super) const INSIGHTS: &str = "ECS/ContainerInsights";

const USED: [&str; 2] = ["CPUUtilization", "MemoryUtilization"];
const COUNTED: [&str; 4] = ["DesiredTaskCount", "RunningTaskCount", "PendingTaskCount", "DeploymentCount"];

impl Things {
    pub(super) fn service_sample(&self, metric: &MetricName, minute: i64) -> Option<f64> {
        if metric.dimensions.len() != 2 {
            return None;
        }
        let (cluster, name) = (metric.dimension("ClusterName")?, metric.dimension("ServiceName")?);
        let key = (cluster.to_owned(), name.to_owned());
        let load = self.services.get(&key)?.at(minute + MINUTE)?;
        if metric.namespace == INSIGHTS {
            return counted(&metric.metric_name, load);
        }
        if load.running == 0 {
            return None;
        }
        let thing = format!("{cluster}/{name}");
        let hash = hash(&metric.metric_name, &thing);
        let (value, spread) = match metric.metric_name.as_str() {
            "CPUUtilization" => {
                // Fewer tasks than wanted have more to do each.
                let wanted = f64::from(load.desired.max(load.running));
                let strain = self.demand.get(&key).copied().unwrap_or(wanted) / f64::from(load.running);
                (self.usual(&thing, "CPUUtilization", (14.0, 46.0)) * strain, 6.0)
            }
            "MemoryUtilization" => (self.usual(&thing, "MemoryUtilization", (32.0, 64.0)), 1.5),
            _ => return None,
        };
        Some((value + spread * noise(hash, minute)).clamp(0.5, 100.0))
    }

    pub(super) fn service_names(&self) -> Vec<MetricName> {
        let mut names = Vec::new();
        for ((cluster, name), track) in &self.services {
            let dimensions = [("ClusterName", cluster.as_str()), ("ServiceName", name.as_str())];
            if track.ring.iter().any(|(_, load)| load.running > 0) {
                names.extend(USED.map(|metric| MetricName::of(METRICS, metric, &dimensions)));
            }
            names.extend(COUNTED.map(|metric| MetricName::of(INSIGHTS, metric, &dimensions)));
        }
        names
    }
}

fn counted(metric: &str, load: Load) -> Option<f64> {
    let count = match metric {
        "DesiredTaskCount" => load.desired,
        "RunningTaskCount" => load.running,
        "PendingTaskCount" => load.pending,
        "DeploymentCount" => load.deployments,
        _ => return None,
    };
    Some(count.into())
}
