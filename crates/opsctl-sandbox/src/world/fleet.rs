//! The fleet: the queues, messages, parameters and actors that a fresh sandbox holds, described by `fleet/fleet.toml`,
//! its metrics and alarms by `fleet/alarms.toml`, its outboxes by `fleet/outboxes.toml`.

mod databases;
mod file;
mod metrics;
mod migrations;
mod outboxes;
mod services;
mod settle;

pub use outboxes::FleetOutbox;
use std::collections::BTreeMap;

use crate::domain::{
    AccountId, CredentialSource, DatabaseRules, Environment, EnvironmentName, Invocation, QueueRules, WatchRules,
};
use file::File;

use super::template::{Place, Template};

const BUILT_IN: &str =
    concat!(include_str!("fleet/fleet.toml"), include_str!("fleet/alarms.toml"), include_str!("fleet/outboxes.toml"));

#[derive(Debug)]
pub struct Fleet {
    file: File,
    templates: BTreeMap<String, MessageTemplate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// As the file says.
    Full,
    /// At most so many into each queue at a time: tests need no 100,000.
    AtMost(u64),
}

#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// No TOML, or not of this shape; shows the place.
    #[error("the fleet file cannot be read: {0}")]
    Unreadable(#[from] toml::de::Error),
    /// A name, template or number that does not fit the others.
    #[error("the fleet file's {item} is wrong: {problem}")]
    Wrong { item: String, problem: String },
    #[error("the sandbox refuses the fleet file's {item}: {code}: {message}")]
    Refused { item: String, code: &'static str, message: String },
}

#[derive(Debug, Clone)]
pub struct MessageTemplate {
    /// Values that several of the others share.
    pub variables: Vec<Template>,
    pub body: Template,
    /// Name, type label and value of each attribute.
    pub attributes: Vec<(String, String, Template)>,
    pub group: Option<Template>,
    pub deduplication: Option<Template>,
}

impl Fleet {
    /// The fleet of the five systems, compiled in.
    ///
    /// # Errors
    /// None as shipped: a test reads it.
    pub fn built_in() -> Result<Self, FleetError> {
        Self::parse(BUILT_IN)
    }

    /// The built-in fleet with additions: entries by name are merged into those of the same name, others are new.
    ///
    /// # Errors
    /// Additions of another shape than a fleet file's, or that do not fit.
    pub fn with(additions: &toml::Table) -> Result<Self, FleetError> {
        let mut table: toml::Table = toml::from_str(BUILT_IN)?;
        additions.iter().for_each(|(key, value)| add(&mut table, key, value));
        Self::checked(table.try_into()?)
    }

    /// Reads and checks a fleet file.
    ///
    /// # Errors
    /// Unreadable, or with names and templates that do not fit together.
    pub fn parse(text: &str) -> Result<Self, FleetError> {
        Self::checked(toml::from_str(text)?)
    }

    fn checked(file: File) -> Result<Self, FleetError> {
        let mut templates = BTreeMap::new();
        for template in &file.templates {
            let checked = template.check().map_err(file::wrong("template", &template.name))?;
            templates.insert(template.name.clone(), checked);
        }
        file.check(&templates)?;
        Ok(Self { file, templates })
    }

    /// The fleet's environments, with the keys that name their accounts and no endpoint.
    pub fn environments(&self) -> Vec<Environment> {
        let rules = QueueRules {
            pairs: self.file.pairs.iter().map(|[source, dead_letter]| (source.clone(), dead_letter.clone())).collect(),
            keys: self.file.keys.clone(),
            ..QueueRules::default()
        };
        let objectives = self.file.objectives.iter();
        let objectives = objectives.map(|entry| (entry.database.clone(), entry.rto_seconds)).collect();
        let databases = DatabaseRules { objectives, ..DatabaseRules::default() };
        let environment = |entry: &file::EnvironmentEntry| Environment {
            name: EnvironmentName(entry.name.clone()),
            account: Some(AccountId(entry.account.clone())),
            region: self.file.region.clone(),
            credentials: CredentialSource::Keys { access_key: entry.account.clone(), secret_key: "sandbox".to_owned() },
            role_chain: Vec::new(),
            protection: entry.protection,
            colour: Some(entry.colour.clone()),
            endpoint: None,
            queues: rules.clone(),
            watch: WatchRules::default(),
            services: self.groups(&entry.name),
            databases: databases.clone(),
            invocation: Invocation::Sandbox,
            login: Default::default(),
        };
        self.file.environments.iter().map(environment).collect()
    }

    /// The outboxes of an environment, by name.
    pub fn outboxes(&self, environment: &str) -> Vec<FleetOutbox> {
        let Some(place) = self.places().find(|place| place.environment == environment) else { return Vec::new() };
        let mut found: Vec<FleetOutbox> = self.file.outboxes.iter().filter_map(|entry| entry.known(&place)).collect();
        found.sort_by(|left, right| left.name.cmp(&right.name));
        found
    }

    pub fn queues<'a>(&'a self, environment: &'a str) -> impl Iterator<Item = &'a str> {
        self.file.queues.iter().filter(move |queue| queue.is_in(environment)).map(|queue| queue.name.as_str())
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        self.file.environments.iter().map(|entry| Place {
            environment: entry.name.clone(),
            account: entry.account.clone(),
            region: self.file.region.clone(),
        })
    }
}

fn add(table: &mut toml::Table, key: &str, value: &toml::Value) {
    match (table.get_mut(key), value) {
        (Some(toml::Value::Array(known)), toml::Value::Array(new)) => {
            for entry in new {
                let name = entry.get("name");
                let same = known.iter_mut().filter(|_| name.is_some()).find(|known| known.get("name") == name);
                match (same.and_then(toml::Value::as_table_mut), entry.as_table()) {
                    (Some(known), Some(entry)) => known.extend(entry.clone()),
                    (None, _) | (_, None) => known.push(entry.clone()),
                }
            }
        }
        (Some(_) | None, _) => drop(table.insert(key.to_owned(), value.clone())),
    }
}

/// The outboxes of the built-in fleet in an environment.
pub fn outboxes(environment: &str) -> Vec<FleetOutbox> {
    Fleet::built_in().expect("the fleet is compiled in, and a test reads it").outboxes(environment)
}

/// The built-in fleet's environments: dev, staging and prod, with the keys that name their accounts and no endpoint.
pub fn environments() -> Vec<Environment> {
    Fleet::built_in().expect("the fleet is compiled in, and a test reads it").environments()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Protection;

    #[test]
    fn the_built_in_fleet_is_sound_and_large_enough() {
        let fleet = Fleet::built_in().expect("a fleet");
        let queues: usize = ["dev", "staging", "prod"].iter().map(|name| fleet.queues(name).count()).sum();
        assert!(queues >= 60, "{queues}");
    }

    #[test]
    fn environments_carry_account_protection_and_keys() {
        let environments = environments();
        let prod = environments.last().expect("three");
        assert_eq!((prod.name.0.as_str(), prod.protection), ("prod", Protection::TypeName));
        assert_eq!(prod.account, Some(AccountId("333333333333".to_owned())));
        let keys = prod.queues.keys_for("events-transfers.fifo").expect("keys");
        assert_eq!((keys.group_id.as_str(), keys.deduplication_id.as_deref()), ("/transferId", Some("/eventId")));
        assert_eq!(
            prod.queues.sources_by_name("events-transfers-subscription-dlq").next().as_deref(),
            Some("events-transfers.fifo")
        );
    }

    #[test]
    fn mistakes_are_named() {
        let head = "region = 'r'\npairs = []\n[[environment]]\nname = 'dev'\naccount = '111111111111'\nprotection = 'confirm'\ncolour = 'red'\n";
        for (text, words) in [
            ("[[queue]]\nname = 'a'\nsystem = 's'\ndead_letter = 'b'\n", "dead-letter queue \"b\" is not in the file"),
            ("[[queue]]\nname = 'a'\nsystem = 's'\nenvironments = ['qa']\n", "environment \"qa\" is not in the file"),
            (
                "[[queue]]\nname = 'a'\nsystem = 's'\nmessages = [{ template = 't', count = 1, newest = '1h', oldest = '1h' }]\n",
                "template \"t\"",
            ),
            ("[[template]]\nname = 't'\nbody = '${nothing}'\n", "${nothing}"),
            ("[[queue]]\nname = 'a'\ncolour = 's'\n", "unknown field `colour`"),
        ] {
            let error = Fleet::parse(&format!("{head}{text}")).expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
