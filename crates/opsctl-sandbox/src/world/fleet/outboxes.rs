//! Outboxes of the fleet file: tables, rows, the functions and rules of their relays; and secrets.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fastrand::Rng;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Amount, Fleet, FleetError, MessageTemplate,
    file::{File, age, check_environments, default, lists, wrong},
};
use crate::domain::{self, Connection, Password, Relay};
use crate::world::{
    World,
    actors::{Behaviour, Predicate, Worker},
    eventbridge::Rule,
    hash,
    outboxes::{Outbox, RowState, Rows, Table},
    sql::Key,
    template::{Fill, Place, Template},
};

/// A table, its service and its relay; `${env}` in the server's name is the environment's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutboxEntry {
    pub(super) database: String,
    /// Cluster or instance.
    server: String,
    /// Secret by whose login it is reached over the Data API; none: over the network.
    #[serde(default)]
    data_api: Option<String>,
    #[serde(default)]
    environments: Vec<String>,
    table: Table,
    template: String,
    #[serde(default = "event")]
    event_type: String,
    queue: String,
    /// Whether a row waits for the older ones of its group.
    #[serde(default)]
    ordered: bool,
    /// Events of the service by environment; where it is not named it writes none.
    #[serde(default)]
    rate_per_second: BTreeMap<String, f64>,
    relay: RelayEntry,
    /// Service by whose name CloudWatch has backlog and lag, while the database never pauses.
    measured: Option<String>,
    #[serde(default)]
    rows: Vec<RowsEntry>,
}

/// A function that a rule calls each minute, or the tasks of a service, `cluster/name`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RelayEntry {
    function: Option<String>,
    rule: Option<String>,
    service: Option<String>,
    #[serde(default = "default::<60>")]
    period_seconds: u32,
    /// Rows of a run at most.
    #[serde(default = "default::<500>")]
    rows: u32,
    /// Environments in which its rule is disabled.
    #[serde(default)]
    disabled: Vec<String>,
    /// Environments in which its function's reserved concurrency is 0.
    #[serde(default)]
    throttled: Vec<String>,
    /// By environment, how many seconds it takes for a row.
    #[serde(default)]
    slow: BTreeMap<String, u32>,
    /// Text in an event that it can't publish, and what it then writes down.
    failing_on: Option<String>,
    #[serde(default)]
    error: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowsEntry {
    state: RowState,
    #[serde(default)]
    environments: Vec<String>,
    count: u64,
    #[serde(deserialize_with = "age")]
    newest: Duration,
    #[serde(deserialize_with = "age")]
    oldest: Duration,
    error: Option<String>,
}

/// An outbox of the fleet, as a configuration would name it.
#[derive(Debug, Clone)]
pub struct FleetOutbox {
    pub name: String,
    pub connection: Connection,
    /// Name of the preset that its table is of.
    pub preset: &'static str,
    pub relay: Relay,
    pub fifo: bool,
    /// Whether the relay sends nothing more of a group while an older row of it has failed.
    pub group_blocks: bool,
}

/// A secret of Secrets Manager; name and value are templates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretEntry {
    name: String,
    value: String,
    /// SSM parameter that holds its ARN.
    parameter: Option<String>,
}

impl OutboxEntry {
    /// How the outbox is reached and read in an environment; none: it is not there.
    pub(super) fn known(&self, place: &Place) -> Option<FleetOutbox> {
        let Place { environment, account, region } = place;
        if !lists(&self.environments, environment) {
            return None;
        }
        let name = self.database.rsplit('_').next().unwrap_or(&self.database).to_owned();
        let server = self.server.replace("${env}", environment);
        let relay = match (&self.relay.function, &self.relay.service) {
            (Some(function), _) => Relay::Function { function: function.clone(), rule: self.relay.rule.clone() },
            (None, Some(service)) => Relay::Service(service.replace("{environment}", environment)),
            (None, None) => Relay::Unknown,
        };
        let (reached, password) = match &self.data_api {
            Some(secret) => {
                let arn = format!("arn:aws:rds:{region}:{account}:cluster:{server}");
                (domain::Place::DataApi(arn), Password::Secret(secret.replace("${env}", environment)))
            }
            None => (domain::Place::Database(server), Password::None),
        };
        let connection = Connection {
            name: self.database.clone(),
            place: reached,
            user: None,
            password,
            database: Some(self.database.clone()),
            tls: None,
            ca_file: None,
            dialect: None,
        };
        let preset = match self.table {
            Table::Transfers => "outbox-transfers",
            Table::OpenOutbox => "openoutbox",
            Table::Modulith => "modulith-v1",
        };
        let (fifo, group_blocks) = (self.queue.ends_with(".fifo"), self.ordered);
        Some(FleetOutbox { name, connection, preset, relay, fifo, group_blocks })
    }
}

impl SecretEntry {
    pub(super) fn settle(
        &self,
        world: &mut World,
        now: Timestamp,
        place: &Place,
        random: &mut Rng,
    ) -> Result<(), FleetError> {
        let mut render = |text: &str| {
            let template = Template::parse(text, &[]).map_err(wrong("secret", &self.name))?;
            Ok::<_, FleetError>(template.render(random, &Fill { count: 0, at: now, place, variables: &[] }))
        };
        let (name, value, plain) = (render(&self.name)?, render(&self.value)?, render("${hex 6}")?);
        let parameter = self.parameter.as_deref().map(render).transpose()?;
        let Place { account, region, .. } = place;
        let arn = parameter.and_then(|parameter| world.ssm.value(account, region, &parameter));
        let suffix = arn.and_then(|arn| arn.rsplit('-').next()).unwrap_or(&plain).to_owned();
        world.secrets.put(now, (account, region), &name, &suffix, &value);
        Ok(())
    }
}

fn event() -> String {
    "event".to_owned()
}

impl OutboxEntry {
    pub(super) fn check(
        &self,
        file: &File,
        environments: &[&str],
        templates: &BTreeMap<String, MessageTemplate>,
    ) -> Result<(), String> {
        let RelayEntry { disabled, throttled, slow, .. } = &self.relay;
        let rows = self.rows.iter().flat_map(|rows| &rows.environments);
        let named = self.environments.iter().chain(disabled).chain(throttled).chain(slow.keys()).chain(rows);
        check_environments(named.chain(self.rate_per_second.keys()), environments)?;
        if !templates.contains_key(&self.template) {
            return Err(format!("its template {:?} is not in the file", self.template));
        }
        if !file.queues.iter().any(|queue| queue.name == self.queue) {
            return Err(format!("its queue {:?} is not in the file", self.queue));
        }
        if let Some(name) = self.relay.service.as_ref().filter(|name| !file.services.iter().any(|it| it.is_named(name)))
        {
            return Err(format!("its relay {name:?} is no service of the file"));
        }
        let missing = |environment: &&&str| {
            lists(&self.environments, environment)
                && !file.has_database(environment, &self.server.replace("${env}", environment))
        };
        match environments.iter().find(missing) {
            Some(environment) => Err(format!("its server {:?} is not in {environment} of the file", self.server)),
            None => Ok(()),
        }
    }

    fn worker(&self, world: &mut World, now: Timestamp, place: &Place) -> Worker {
        let Place { environment, account, region } = place;
        let RelayEntry { function, rule, service, disabled, throttled, .. } = &self.relay;
        if let Some(function) = function {
            let reserved = throttled.contains(environment).then_some(0);
            world.lambda.reserve(account, region, function, now.as_millisecond(), reserved);
            if let Some(name) = rule {
                let arn = format!("arn:aws:lambda:{region}:{account}:function:{function}");
                let rule = Rule {
                    pattern: None,
                    schedule: "rate(1 minute)".to_owned(),
                    description: Some(format!("Publishes the outbox of {}", self.database)),
                    is_enabled: !disabled.contains(environment),
                    targets: vec![(function.clone(), arn)],
                    managed_by: None,
                };
                world.events.put(account, region, name, rule);
                return Worker::Schedule { rule: name.clone() };
            }
        }
        let service = service.as_ref().map(|service| service.replace("{environment}", environment));
        match service.as_ref().and_then(|service| service.split_once('/')) {
            Some((cluster, name)) => Worker::Service { cluster: cluster.to_owned(), name: name.to_owned() },
            None => Worker::Unseen,
        }
    }

    fn behaviour(&self, environment: &str) -> Behaviour {
        match (self.relay.slow.get(environment), &self.relay.failing_on) {
            (Some(seconds), _) => Behaviour::Slow { seconds: *seconds },
            (None, Some(text)) => Behaviour::Failing(Predicate::BodyContains(text.clone())),
            (None, None) => Behaviour::Healthy,
        }
    }

    fn settle(&self, fleet: &Fleet, world: &mut World, now: Timestamp, place: &Place, (seed, amount): (u64, Amount)) {
        if !lists(&self.environments, &place.environment) {
            return;
        }
        let Place { environment, account, region } = place;
        let key = Key {
            account: account.clone(),
            region: region.clone(),
            server: self.server.replace("${env}", environment),
            name: self.database.clone(),
        };
        let own = hash(account.bytes().chain(key.server.bytes()).chain(key.name.bytes()));
        let outbox = Arc::new(Outbox {
            place: place.clone(),
            table: self.table,
            template: fleet.templates[&self.template].clone(),
            event_type: self.event_type.clone(),
            queue: self.queue.clone(),
            worker: self.worker(world, now, place),
            period_seconds: self.relay.period_seconds,
            rows_max: self.relay.rows,
            is_ordered: self.ordered,
            error: self.relay.error.clone(),
            seed: seed ^ own,
            key: key.clone(),
        });
        let rows = self.rows.iter().filter(|rows| lists(&rows.environments, environment)).map(|rows| Rows {
            state: rows.state,
            count: match amount {
                Amount::Full => rows.count,
                Amount::AtMost(most) => rows.count.min(most),
            },
            newest: rows.newest,
            oldest: rows.oldest,
            error: rows.error.clone(),
        });
        world.sql.declare(key, outbox.contents(now, rows.collect()));
        if let Some(service) = self.measured.as_ref().filter(|_| self.rate_per_second.contains_key(environment)) {
            world.measure_outbox(service, &outbox);
        }
        let rate_per_second = self.rate_per_second.get(environment).copied().unwrap_or_default();
        world.actors.add_outbox(now, &outbox, self.behaviour(environment), rate_per_second);
    }
}

impl Fleet {
    /// Makes the outboxes and secrets of a place. Their texts have seeds of their own, so that another one changes no other text.
    ///
    /// # Errors
    /// A secret's template is wrong.
    pub(super) fn settle_outboxes(
        &self,
        world: &mut World,
        now: Timestamp,
        place: &Place,
        (seed, amount): (u64, Amount),
    ) -> Result<(), FleetError> {
        self.file.outboxes.iter().for_each(|outbox| outbox.settle(self, world, now, place, (seed, amount)));
        let mut random = Rng::with_seed(seed ^ hash(place.account.bytes()));
        self.file.secrets.iter().try_for_each(|secret| secret.settle(world, now, place, &mut random))
    }
}
