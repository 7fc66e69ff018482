//! What services are like at a moment, for CloudWatch.

use std::collections::BTreeMap;

use super::Ecs;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::world) struct Load {
    pub(in crate::world) desired: u32,
    pub(in crate::world) running: u32,
    pub(in crate::world) pending: u32,
    pub(in crate::world) deployments: u32,
}

impl Ecs {
    /// Tells every service: account and region, ECS cluster and name, load.
    pub(in crate::world) fn loads(&self, mut tell: impl FnMut([&str; 2], [&str; 2], Load)) {
        for ((account, region), place) in &self.places {
            for (cluster_name, cluster) in &place.clusters {
                let mut counts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
                for task in cluster.tasks.values() {
                    let Some(service) = task.service.as_deref() else { continue };
                    let count = counts.entry(service).or_default();
                    count.0 += u32::from(task.is_running());
                    count.1 += u32::from(task.is_pending());
                }
                for (name, service) in &cluster.services {
                    let (running, pending) = counts.get(name.as_str()).copied().unwrap_or_default();
                    let deployments = u32::try_from(service.deployments.len()).unwrap_or(u32::MAX);
                    let load = Load { desired: service.desired, running, pending, deployments };
                    tell([account, region], [cluster_name, name], load);
                }
            }
        }
    }
}
