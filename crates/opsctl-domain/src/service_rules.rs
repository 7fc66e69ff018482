//! What the configuration says about an environment's services: groups that wake and sleep together, migrations.

use super::{environment::glob, migration::Migration, service::ServiceId};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceRules {
    /// In the order of their names.
    pub groups: Vec<ServiceGroup>,
    /// In the order of their names.
    pub migrations: Vec<Migration>,
    /// Which services take which queues' messages: patterns of a queue's name, and of a service.
    pub consumers: Vec<(String, String)>,
}

/// Services that wake and sleep together. Patterns are of a service's name, or of `cluster/name`; `*` stands for any characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceGroup {
    pub name: String,
    /// Patterns of the services of each stage; a stage waits for the one before it.
    pub stages: Vec<Vec<String>>,
    /// Patterns of services that are never put to sleep.
    pub always_on: Vec<String>,
    /// Tasks of a service of which nothing else says how many.
    pub size: u32,
    /// Whether it may be put to sleep under `type-name`.
    pub sleep_allowed: bool,
}

impl ServiceRules {
    pub fn group(&self, name: &str) -> Option<&ServiceGroup> {
        self.groups.iter().find(|group| group.name == name)
    }

    pub fn migration(&self, name: &str) -> Option<&Migration> {
        self.migrations.iter().find(|migration| migration.name == name)
    }

    pub fn groups_of(&self, service: &ServiceId) -> impl Iterator<Item = &ServiceGroup> {
        self.groups.iter().filter(|group| group.is_always_on(service) || group.stage_of(service).is_some())
    }

    /// Whether any group says that it is never put to sleep.
    pub fn is_always_on(&self, service: &ServiceId) -> bool {
        self.groups.iter().any(|group| group.is_always_on(service))
    }

    /// Whether a service is configured to take a queue's messages.
    pub fn consumes(&self, service: &ServiceId, queue: &str) -> bool {
        self.consumers.iter().any(|(pattern, worker)| glob(pattern, queue) && fits(worker, service))
    }

    /// Whether any service is configured to take a queue's messages.
    pub fn has_consumers(&self, queue: &str) -> bool {
        self.consumers.iter().any(|(pattern, _)| glob(pattern, queue))
    }
}

impl ServiceGroup {
    pub fn is_always_on(&self, service: &ServiceId) -> bool {
        self.always_on.iter().any(|pattern| fits(pattern, service))
    }

    /// The first stage that names the service; from 0.
    pub fn stage_of(&self, service: &ServiceId) -> Option<usize> {
        self.stages.iter().position(|stage| stage.iter().any(|pattern| fits(pattern, service)))
    }
}

/// Whether a pattern is one of this service.
pub fn fits(pattern: &str, service: &ServiceId) -> bool {
    glob(pattern, &service.name.0) || glob(pattern, &service.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_in_the_first_stage_that_names_it() {
        let stages = vec![vec!["auth".to_owned()], vec!["dev/*".to_owned()]];
        let group = ServiceGroup { stages, always_on: vec!["kong".to_owned()], ..ServiceGroup::default() };
        let stage = |cluster, name| group.stage_of(&ServiceId::new(cluster, name));
        assert_eq!([stage("dev", "auth"), stage("dev", "api"), stage("prod", "api")], [Some(0), Some(1), None]);
        assert!(group.is_always_on(&ServiceId::new("dev", "kong")));
    }
}
