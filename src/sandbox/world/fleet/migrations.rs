//! Migrations of the fleet file: what the configuration of its environments says.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::{
    migration::{Migration, NetworkSource},
    service::{EcsClusterName, ServiceId},
};

/// A migration; `{environment}` stands for the environment's name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MigrationEntry {
    name: String,
    /// Empty means all.
    #[serde(default)]
    pub(super) environments: Vec<String>,
    cluster: String,
    task_definition: String,
    /// Service of the same cluster.
    network_of: String,
    database: Option<String>,
    #[serde(default)]
    commands: BTreeMap<String, Vec<String>>,
}

impl MigrationEntry {
    pub(super) fn bind(&self, environment: &str) -> Migration {
        let filled = |text: &str| text.replace("{environment}", environment);
        let cluster = filled(&self.cluster);
        Migration {
            name: self.name.clone(),
            network: NetworkSource::Service(ServiceId::new(&cluster, &self.network_of)),
            cluster: EcsClusterName(cluster),
            task_definition: self.task_definition.clone(),
            container: None,
            commands: self.commands.clone(),
            log_group: None,
            database: self.database.as_deref().map(filled),
            timeout_seconds: None,
        }
    }
}
