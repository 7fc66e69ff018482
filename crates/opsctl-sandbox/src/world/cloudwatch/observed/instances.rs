//! Metrics of database instances.

use super::{Things, hash, noise};
use crate::world::{
    cloudwatch::{notes::MINUTE, request::MetricName},
    rds::{self, Kind, Load},
};

const DIMENSION: &str = "DBInstanceIdentifier";
const GIBIBYTE: f64 = 1_073_741_824.0;
const METRICS: [&str; 7] = [
    "CPUUtilization",
    "DatabaseConnections",
    "FreeStorageSpace",
    "ReadLatency",
    "WriteLatency",
    "AuroraReplicaLag",
    "ReplicaLag",
];

impl Things {
    pub(super) fn instance_sample(&self, metric: &MetricName, minute: i64) -> Option<f64> {
        let name = metric.only(DIMENSION)?;
        let load = self.instances.get(name)?.at(minute + MINUTE)?;
        self.of_instance(name, &metric.metric_name, load, minute)
    }

    /// Nothing while it fails over; a paused one is idle. Latency tells nothing of one that is idle.
    fn of_instance(&self, name: &str, metric: &str, load: Load, minute: i64) -> Option<f64> {
        if !load.is_up || !tells(metric, load) {
            return None;
        }
        if load.is_paused {
            return matches!(metric, "CPUUtilization" | "DatabaseConnections").then_some(0.0);
        }
        let noise = noise(hash(metric, name), minute);
        // A reader has less to do.
        let part = if load.writes { 1.0 } else { 0.55 };
        let usual = |range| self.usual(name, metric, range);
        let value = match metric {
            "CPUUtilization" => {
                let counted = load.pressure.busy.map(|percent| f64::from(percent) + noise);
                counted.unwrap_or_else(|| usual((18.0, 42.0)) * part + 5.0 * noise).clamp(1.0, 100.0)
            }
            "DatabaseConnections" => match load.pressure.connections {
                Some(counted) => counted.into(),
                None => (usual((22.0, 58.0)) * part + 4.0 * noise).max(1.0).round(),
            },
            "FreeStorageSpace" => {
                let gibibytes = usual((0.35 * f64::from(load.storage), 0.75 * f64::from(load.storage)));
                ((gibibytes + 0.02 * noise) * GIBIBYTE).max(0.0).round()
            }
            "ReadLatency" => usual((0.000_4, 0.001_6)) * (1.0 + 0.3 * noise),
            "WriteLatency" => usual((0.001, 0.004)) * (1.0 + 0.3 * noise),
            // Milliseconds.
            "AuroraReplicaLag" => (usual((11.0, 21.0)) + 4.0 * noise).max(1.0) + 1_000.0 * f64::from(load.lag_seconds),
            // Seconds.
            "ReplicaLag" => (usual((0.0, 0.4)) + 0.5 * noise).max(0.0).round() + f64::from(load.lag_seconds),
            _ => return None,
        };
        Some(value)
    }

    pub(super) fn instance_names(&self) -> Vec<MetricName> {
        let mut names = Vec::new();
        for (name, track) in &self.instances {
            let told = METRICS.into_iter().filter(|metric| track.ring.iter().any(|(_, load)| tells(metric, *load)));
            names.extend(told.map(|metric| MetricName::of(rds::METRICS, metric, &[(DIMENSION, name)])));
        }
        names
    }
}

fn tells(metric: &str, load: Load) -> bool {
    match metric {
        "FreeStorageSpace" => load.kind != Kind::Aurora,
        "AuroraReplicaLag" => load.kind == Kind::Aurora && !load.writes,
        "ReplicaLag" => load.kind == Kind::Member && !load.writes,
        _ => true,
    }
}
