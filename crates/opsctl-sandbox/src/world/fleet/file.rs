//! The fleet file as written, and its checks.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Deserializer, de::Error};

use super::{
    FleetError, MessageTemplate,
    databases::{DatabaseEntry, GlobalEntry, ObjectiveEntry},
    metrics::{AlarmEntry, KafkaEntry, LevelEntry, UsualEntry},
    migrations::{JobEntry, MigrationEntry},
    outboxes::{OutboxEntry, SecretEntry},
    services::{GroupEntry, ServiceEntry},
};
use crate::{
    domain::{MessageKeys, Protection},
    world::{At, WorldSettings, strain::Hands, template::Template},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) region: String,
    #[serde(default)]
    pub(super) settings: WorldSettings,
    pub(super) pairs: Vec<[String; 2]>,
    #[serde(default)]
    pub(super) keys: Vec<MessageKeys>,
    #[serde(rename = "environment")]
    pub(super) environments: Vec<EnvironmentEntry>,
    #[serde(default, rename = "parameter")]
    pub(super) parameters: Vec<ParameterEntry>,
    #[serde(default, rename = "template")]
    pub(super) templates: Vec<TemplateEntry>,
    #[serde(default, rename = "queue")]
    pub(super) queues: Vec<QueueEntry>,
    #[serde(default, rename = "service")]
    pub(super) services: Vec<ServiceEntry>,
    #[serde(default, rename = "group")]
    pub(super) groups: Vec<GroupEntry>,
    #[serde(default, rename = "job")]
    pub(super) jobs: Vec<JobEntry>,
    #[serde(default, rename = "migration")]
    pub(super) migrations: Vec<MigrationEntry>,
    #[serde(default, rename = "objective")]
    pub(super) objectives: Vec<ObjectiveEntry>,
    #[serde(default, rename = "database")]
    pub(super) databases: Vec<DatabaseEntry>,
    #[serde(default)]
    pub(super) kafka: Vec<KafkaEntry>,
    #[serde(default)]
    pub(super) usual: Vec<UsualEntry>,
    #[serde(default, rename = "level")]
    pub(super) levels: Vec<LevelEntry>,
    #[serde(default, rename = "alarm")]
    pub(super) alarms: Vec<AlarmEntry>,
    #[serde(default, rename = "global")]
    pub(super) globals: Vec<GlobalEntry>,
    #[serde(default, rename = "outbox")]
    pub(super) outboxes: Vec<OutboxEntry>,
    #[serde(default, rename = "secret")]
    pub(super) secrets: Vec<SecretEntry>,
    #[serde(default, rename = "at")]
    pub(super) timeline: Vec<At>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvironmentEntry {
    pub(super) name: String,
    pub(super) account: String,
    pub(super) protection: Protection,
    pub(super) colour: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParameterEntry {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateEntry {
    pub(super) name: String,
    #[serde(default)]
    variables: Vec<[String; 2]>,
    body: String,
    group: Option<String>,
    deduplication: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, AttributeEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttributeEntry {
    #[serde(rename = "type")]
    label: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueueEntry {
    pub(super) name: String,
    /// Which of the systems it belongs to: a tag.
    pub(super) system: String,
    #[serde(default)]
    environments: Vec<String>,
    #[serde(default = "default::<30>")]
    pub(super) visibility_seconds: u32,
    #[serde(default = "default::<96>")]
    pub(super) retention_hours: u32,
    pub(super) dead_letter: Option<String>,
    #[serde(default = "default::<5>")]
    pub(super) receives_max: u32,
    #[serde(default)]
    pub(super) messages: Vec<MessagesEntry>,
    pub(super) producer: Option<ProducerEntry>,
    pub(super) consumer: Option<ConsumerEntry>,
}

/// What stands for a number that is not written.
pub(super) fn default<const NUMBER: u32>() -> u32 {
    NUMBER
}

/// Messages that lie in a queue from the start.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessagesEntry {
    pub(super) template: String,
    #[serde(default)]
    pub(super) environments: Vec<String>,
    pub(super) count: u64,
    #[serde(deserialize_with = "age")]
    pub(super) newest: Duration,
    #[serde(deserialize_with = "age")]
    pub(super) oldest: Duration,
    #[serde(default)]
    pub(super) receives: u32,
    /// Queues that SQS moved them from, in turn; none: sent here directly.
    #[serde(default)]
    pub(super) sources: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProducerEntry {
    pub(super) template: String,
    pub(super) rate_per_second: f64,
    #[serde(default)]
    pub(super) environments: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsumerEntry {
    pub(super) rate_per_second: f64,
    /// Text in a body that it cannot work on.
    pub(super) failing_on: Option<String>,
    /// Text in a body that kills the task that receives it.
    pub(super) crashing_on: Option<String>,
    /// How many messages it has in hand at once, while it works on them; none: each is done as it comes.
    pub(super) hands: Option<Hands>,
    /// It is this Lambda function, with an event source mapping.
    pub(super) function: Option<String>,
    /// It is the tasks of this service, `cluster/name`; `{environment}` stands for the environment's name. Neither: a program
    /// outside of AWS.
    pub(super) service: Option<String>,
    /// By environment, the database without which all its work fails.
    #[serde(default)]
    pub(super) database: BTreeMap<String, String>,
    /// Environments in which it fails on that; healthy in the others. Empty means all.
    #[serde(default)]
    pub(super) environments: Vec<String>,
}

impl TemplateEntry {
    pub(super) fn check(&self) -> Result<MessageTemplate, String> {
        let names: Vec<&str> = self.variables.iter().map(|[name, _]| name.as_str()).collect();
        let parse = |text: &String| Template::parse(text, &names);
        // A variable may use those before it.
        let variable = |(count, [_, text]): (usize, &[String; 2])| Template::parse(text, &names[..count]);
        let attribute =
            |(name, entry): (&String, &AttributeEntry)| Ok((name.clone(), entry.label.clone(), parse(&entry.value)?));
        Ok(MessageTemplate {
            variables: self.variables.iter().enumerate().map(variable).collect::<Result<_, _>>()?,
            body: parse(&self.body)?,
            attributes: self.attributes.iter().map(attribute).collect::<Result<_, String>>()?,
            group: self.group.as_ref().map(parse).transpose()?,
            deduplication: self.deduplication.as_ref().map(parse).transpose()?,
        })
    }
}

impl QueueEntry {
    pub(super) fn is_in(&self, environment: &str) -> bool {
        lists(&self.environments, environment)
    }

    fn named_environments(&self) -> impl Iterator<Item = &String> {
        let messages = self.messages.iter().flat_map(|entry| &entry.environments);
        let producer = self.producer.iter().flat_map(|entry| &entry.environments);
        let consumer = self.consumer.iter().flat_map(|entry| &entry.environments);
        self.environments.iter().chain(messages).chain(producer).chain(consumer)
    }
}

pub(super) fn lists(environments: &[String], environment: &str) -> bool {
    environments.is_empty() || environments.iter().any(|listed| listed == environment)
}

/// What is wrong with an item of the file.
pub(super) fn wrong(kind: &str, name: &str) -> impl FnOnce(String) -> FleetError {
    let item = format!("{kind} {name:?}");
    move |problem| FleetError::Wrong { item, problem }
}

/// Checks that environments that an item names are in the file.
pub(super) fn check_environments<'a>(
    named: impl IntoIterator<Item = &'a String>,
    known: &[&str],
) -> Result<(), String> {
    match named.into_iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("its environment {name:?} is not in the file")),
        None => Ok(()),
    }
}

impl File {
    pub(super) fn check(&self, templates: &BTreeMap<String, MessageTemplate>) -> Result<(), FleetError> {
        let names: Vec<&str> = self.environments.iter().map(|entry| entry.name.as_str()).collect();
        for queue in &self.queues {
            self.check_queue(queue, &names, templates).map_err(wrong("queue", &queue.name))?;
        }
        for service in &self.services {
            service.check(self, &names).map_err(wrong("service", &service.name))?;
        }
        for alarm in &self.alarms {
            alarm.check(&names).map_err(wrong("alarm", &alarm.name))?;
        }
        for database in &self.databases {
            database.check(&names).map_err(wrong("database", &database.name))?;
        }
        for global in &self.globals {
            global.check(&self.databases).map_err(wrong("global cluster", &global.name))?;
        }
        for outbox in &self.outboxes {
            outbox.check(self, &names, templates).map_err(wrong("outbox", &outbox.database))?;
        }
        Ok(())
    }

    pub(super) fn has_database(&self, environment: &str, name: &str) -> bool {
        self.databases.iter().any(|database| database.is_named(environment, name))
    }

    /// The databases of an environment whose tables tasks use.
    pub(super) fn tables(&self, environment: &str) -> BTreeSet<String> {
        let of_services = self.services.iter().filter_map(|service| service.database_of_table(environment));
        let of_jobs = self.jobs.iter().filter_map(|job| job.database_of_table(environment));
        of_services.chain(of_jobs).collect()
    }

    fn check_queue(
        &self,
        queue: &QueueEntry,
        names: &[&str],
        templates: &BTreeMap<String, MessageTemplate>,
    ) -> Result<(), String> {
        let is_queue = |name: &String| self.queues.iter().any(|other| other.name == *name);
        if let Some(name) = queue.dead_letter.as_ref().filter(|name| !is_queue(name)) {
            return Err(format!("its dead-letter queue {name:?} is not in the file"));
        }
        check_environments(queue.named_environments(), names)?;
        if queue
            .consumer
            .as_ref()
            .and_then(|entry| entry.hands)
            .is_some_and(|hands| hands.per_task == 0 || hands.knee == 0)
        {
            return Err("its consumer has nothing in hand: per_task and knee are at least 1".to_owned());
        }
        let service = queue.consumer.as_ref().and_then(|entry| entry.service.as_ref());
        if let Some(name) = service.filter(|name| !self.services.iter().any(|service| service.is_named(name))) {
            return Err(format!("its consumer {name:?} is no service of the file"));
        }
        let needed = queue.consumer.iter().flat_map(|entry| &entry.database);
        if let Some((environment, name)) = needed.into_iter().find(|(place, name)| !self.has_database(place, name)) {
            return Err(format!("its consumer's database {name:?} is not in {environment} of the file"));
        }
        if let Some(name) = queue.messages.iter().flat_map(|entry| &entry.sources).find(|name| !is_queue(name)) {
            return Err(format!("the source {name:?} of its messages is not in the file"));
        }
        let producer = queue.producer.iter().map(|entry| &entry.template);
        let used = queue.messages.iter().map(|entry| &entry.template).chain(producer);
        if let Some(name) = used.into_iter().find(|name| !templates.contains_key(*name)) {
            return Err(format!("its template {name:?} is not in the file"));
        }
        match queue.messages.iter().find(|entry| entry.newest > entry.oldest) {
            Some(entry) => Err(format!("its newest message ({:?}) is older than its oldest", entry.newest)),
            None => Ok(()),
        }
    }
}

pub(super) fn age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed: jiff::SignedDuration = text.parse().map_err(D::Error::custom)?;
    Duration::try_from(parsed).map_err(D::Error::custom)
}
