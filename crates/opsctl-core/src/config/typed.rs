//! The configuration file as typed. No rule lives here: the types say which keys there are and what they mean
//! (their comments become the JSON Schema, the example file and the reference), nothing else.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    domain::{Protection, Tls},
    files::Spot,
    keymap,
    outboxes::typed::Outbox,
};

/// Configuration of opsctl: which AWS accounts there are, how they are reached, how strictly a change is confirmed.
///
/// In every text `${env}` stands for the environment's name. Texts about queues may also be read from SSM parameters
/// of the environment's account: `ssm:/storo/${env}/sqs/orders`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Configuration")]
pub(super) struct File {
    /// What every environment has unless it says otherwise. Its lists are added to an environment's own.
    pub(super) defaults: Option<Defaults>,
    /// The environments by name: letters, digits, `-` and `_`.
    #[schemars(required)]
    pub(super) environments: Option<BTreeMap<Spot<String>, Environment>>,
    /// Keys of the console, over those of a shipped keymap: a table for each view, in which a key, or keys one after the other,
    /// stand for a command. `opsctl keys` lists all. "none" takes a key's meaning away.
    pub(super) keymap: Option<keymap::File>,
}

/// What every environment has unless it says otherwise.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Defaults {
    /// AWS region, `af-south-1` for instance.
    pub(super) region: Option<Spot<String>>,
    /// Profile of the AWS configuration files. It wins over access keys that happen to stand in the process environment.
    pub(super) profile: Option<Spot<String>>,
    /// Roles to assume one after the other, by ARN, starting with the profile's credentials.
    pub(super) role_chain: Option<Vec<Spot<String>>>,
    /// How strictly a change is confirmed. Where nothing is said, the strictest that still allows changes: `type-name`.
    pub(super) protection: Option<Spot<Protection>>,
    /// Which queues are looked at, and which belong together.
    pub(super) queues: Option<Queues>,
    /// Where a message's FIFO ids are found, by destination queue; the first queue pattern that matches wins.
    pub(super) keys: Option<Vec<Keys>>,
    /// What your teams wrap their messages in, besides what is known of AWS and of frameworks: the first that fits counts.
    pub(super) envelopes: Option<Vec<Wrapping>>,
    /// How closely it is watched, what that may cost, and from when on something needs somebody.
    pub(super) watch: Option<Watch>,
    /// What is expected of databases.
    pub(super) databases: Option<Databases>,
    /// How databases are reached to be read and changed, by name.
    pub(super) connections: Option<BTreeMap<Spot<String>, Connection>>,
    /// Which ECS services take which queues' messages: those that `opsctl consumers` pauses. Lambda's mappings say it themselves.
    pub(super) consumers: Option<Vec<Consumer>>,
}

/// One AWS account in one region.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Environment {
    /// Account id, twelve digits in quotes. Before every write the credentials are checked against it: another account
    /// is refused.
    #[schemars(required, regex(pattern = "^[0-9]{12}$"))]
    pub(super) account: Option<Spot<String>>,
    /// AWS region, `af-south-1` for instance. Required here or in `[defaults]`.
    pub(super) region: Option<Spot<String>>,
    /// Profile of the AWS configuration files. It wins over access keys that happen to stand in the process environment.
    pub(super) profile: Option<Spot<String>>,
    /// Roles to assume one after the other, by ARN, starting with the profile's credentials.
    pub(super) role_chain: Option<Vec<Spot<String>>>,
    /// How strictly a change is confirmed. Where nothing is said, the strictest that still allows changes: `type-name`.
    pub(super) protection: Option<Spot<Protection>>,
    /// Colour in which the environment is shown.
    pub(super) colour: Option<Spot<Colour>>,
    /// Endpoint in place of AWS's own: an emulator, or `opsctl sandbox serve`. Refused under `type-name` unless
    /// `endpoint_allowed` says the words.
    pub(super) endpoint: Option<Spot<String>>,
    /// Under `type-name`, the words that allow an endpoint: "this endpoint is not AWS".
    pub(super) endpoint_allowed: Option<Spot<String>>,
    /// Which queues are looked at, and which belong together.
    pub(super) queues: Option<Queues>,
    /// Where a message's FIFO ids are found, by destination queue; the first queue pattern that matches wins.
    pub(super) keys: Option<Vec<Keys>>,
    /// What its teams wrap their messages in; before what the defaults say.
    pub(super) envelopes: Option<Vec<Wrapping>>,
    /// How closely it is watched, what that may cost, and from when on something needs somebody.
    pub(super) watch: Option<Watch>,
    /// What is expected of databases; before what the defaults say.
    pub(super) databases: Option<Databases>,
    /// How databases are reached to be read and changed, by name. They take the place of the defaults' of the same name.
    pub(super) connections: Option<BTreeMap<Spot<String>, Connection>>,
    /// Which ECS services take which queues' messages, besides those of the defaults.
    pub(super) consumers: Option<Vec<Consumer>>,
    /// Groups of services that wake and sleep together, by name.
    pub(super) groups: Option<BTreeMap<Spot<String>, Group>>,
    /// Migrations, by name: tasks that `opsctl migrate NAME` starts once and waits for.
    pub(super) migrations: Option<BTreeMap<Spot<String>, Migration>>,
    /// Outboxes, by name: tables whose rows a relay publishes.
    pub(super) outboxes: Option<BTreeMap<Spot<String>, Outbox>>,
}

/// A task that is started once, changes a database and ends. One at a time runs in an environment.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Migration {
    /// ECS cluster that the task runs in.
    #[schemars(required)]
    pub(super) cluster: Option<Spot<String>>,
    /// Family of the task definition, of which the newest revision is pinned when it is planned; or `family:revision`.
    #[schemars(required)]
    pub(super) task_definition: Option<Spot<String>>,
    /// Service whose network is copied: a name in the same cluster, or `cluster/name`. Without it, `subnets` are needed.
    pub(super) network_of: Option<Spot<String>>,
    /// Subnets, where no service's network is copied (1 to 16).
    #[schemars(length(min = 1, max = 16))]
    pub(super) subnets: Option<Vec<Spot<String>>>,
    /// Security groups, where no service's network is copied (at most 5).
    #[schemars(length(max = 5))]
    pub(super) security_groups: Option<Vec<Spot<String>>>,
    /// Whether the task gets a public address, where no service's network is copied.
    pub(super) public_ip: Option<Spot<bool>>,
    /// Container whose exit code counts and whose command may be set. None: the only essential one.
    pub(super) container: Option<Spot<String>>,
    /// Commands that `--command NAME` may put in the place of the task definition's own. opsctl runs no others; IAM does not enforce
    /// that: whoever may start the task may start it with any command.
    pub(super) commands: Option<BTreeMap<Spot<String>, Vec<Spot<String>>>>,
    /// Log group that is followed. None: as the task definition says.
    pub(super) log_group: Option<Spot<String>>,
    /// Database that it changes: the plan says how it is.
    pub(super) database: Option<Spot<String>>,
    /// How long to wait for its end, in seconds (1 to 604,800); the task goes on after that. None: without limit.
    #[schemars(range(min = 1, max = 604_800))]
    pub(super) timeout_seconds: Option<Spot<i64>>,
}

/// Services that wake and sleep together. A pattern is of a service's name or of `cluster/name`; `*` stands for any characters.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    /// Stages, each a list of patterns. Waking goes through them in order, the services of a stage at once; a stage waits until the
    /// one before it is healthy. Sleeping goes the other way.
    #[schemars(required)]
    pub(super) stages: Option<Vec<Vec<Spot<String>>>>,
    /// Patterns of services that are woken first and never put to sleep.
    pub(super) always_on: Option<Vec<Spot<String>>>,
    /// Tasks of a service of which neither an earlier sleep nor autoscaling says how many (1 to 100). None: 1.
    #[schemars(range(min = 1, max = 100))]
    pub(super) size: Option<Spot<i64>>,
    /// Whether it may be put to sleep where names are typed (`type-name`).
    pub(super) sleep_allowed: Option<Spot<bool>>,
}

/// An ECS service that takes queues' messages.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Consumer {
    /// Pattern of the queue's name; `*` stands for any characters.
    #[schemars(required)]
    pub(super) queue: Option<Spot<String>>,
    /// Pattern of the service's name, or of `cluster/name`.
    #[schemars(required)]
    pub(super) service: Option<Spot<String>>,
}

/// Which queues are looked at, and which belong together. In a pattern `*` stands for any characters.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Queues {
    /// Patterns of the queues to look at. None: all.
    pub(super) include: Option<Vec<Spot<String>>>,
    /// Patterns of the queues not to look at.
    pub(super) exclude: Option<Vec<Spot<String>>>,
    /// DLQs told by their names, where no redrive policy says which queue they serve. The `*` stands for the same text
    /// in both.
    pub(super) pairs: Option<Vec<Pair>>,
    /// Tag of a DLQ whose value is the name of the queue it serves.
    pub(super) pair_tag: Option<Spot<String>>,
    /// A redrive of a whole queue of up to about so many messages keeps a snapshot, so that it can be undone (0 to 10,000,000). More
    /// than that SQS moves itself, without a snapshot, unless `--engine client` is given. None: 10,000.
    #[schemars(range(min = 0, max = 10_000_000))]
    pub(super) undo_messages_max: Option<Spot<i64>>,
}

/// A queue and its DLQ, by their names.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pair {
    /// Pattern of the queue's name, with one `*`.
    #[schemars(required)]
    pub(super) source: Option<Spot<String>>,
    /// Pattern of its DLQ's name, with one `*`.
    #[schemars(required)]
    pub(super) dead_letter: Option<Spot<String>>,
}

/// What is expected of databases.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Databases {
    /// How long databases may be without a writer; the first pattern that matches wins. A failover is held against it.
    pub(super) objectives: Option<Vec<Objective>>,
    /// How databases are asked after a failover whether they write; the first pattern that matches wins. None: it is only looked
    /// whether their endpoint takes connections.
    pub(super) checks: Option<Vec<Check>>,
}

/// How databases are asked by SQL, after a failover and never else, whether the server that answers writes: over one connection, read
/// only, bounded in time.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    /// Name or pattern of clusters and instances.
    #[schemars(required)]
    pub(super) database: Option<Spot<String>>,
    /// Who logs in. None: the `username` that stands in the secret.
    pub(super) user: Option<Spot<String>>,
    /// Where the password is found, never the password itself: "env:VARIABLE" of the process's environment, "ssm:/parameter",
    /// "secret:name" of Secrets Manager (plain, or JSON with `username` and `password`; read through SSM, which needs
    /// `ssm:GetParameters` and `secretsmanager:GetSecretValue`), or "iam" for a token made of the environment's credentials. None: no
    /// password.
    pub(super) password: Option<Spot<String>>,
    /// Database to connect to. None: `postgres`; with MySQL no database.
    pub(super) connect_to: Option<Spot<String>>,
    /// How far the server has to prove who it is: authority and name (`verify-full`, if nothing is said), the authority
    /// (`verify-ca`), nothing (`encrypt`), or not even encrypted (`off`).
    pub(super) tls: Option<Spot<Tls>>,
    /// PEM file of the authorities that are trusted besides the public ones, a path from the root. None: for names of RDS its own
    /// authorities, which opsctl brings along.
    pub(super) ca_file: Option<Spot<String>>,
    /// What is asked besides: one statement that begins with `select`, `show`, `values` or `with`.
    pub(super) sql: Option<Spot<String>>,
}

/// How a database is reached to be read and changed. It leads to one place: `database`, `host`, `url` or `cluster_arn`. What is secret is
/// read anew for each connection, so a rotation is followed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Connection {
    /// Cluster or instance of RDS, by its name: the endpoint that takes writes, as RDS says.
    pub(super) database: Option<Spot<String>>,
    /// Host: a name, an address, or an SSM parameter that has it ("ssm:/parameter"), such as an RDS Proxy's endpoint.
    pub(super) host: Option<Spot<String>>,
    /// Port of the host (1 to 65,535). None: 5432 for PostgreSQL, 3306 for MySQL.
    #[schemars(range(min = 1, max = 65_535))]
    pub(super) port: Option<Spot<i64>>,
    /// Where a URL is found, never the URL itself, for it holds the password: "env:VARIABLE" of the process's environment, or
    /// "file:/path". What stands here beside it wins over the URL.
    pub(super) url: Option<Spot<String>>,
    /// ARN of an Aurora cluster, to be reached by the RDS Data API: slower, without a way through the network.
    pub(super) cluster_arn: Option<Spot<String>>,
    /// Who logs in. None: the `username` that stands in the secret, or the one in the URL.
    pub(super) user: Option<Spot<String>>,
    /// Where the password is found, never the password itself: "env:VARIABLE" of the process's environment, "ssm:/parameter",
    /// "secret:name" of Secrets Manager (read through SSM) or "secret:arn:...", plain or JSON with `username` and `password`, or "iam"
    /// for a token made of the environment's credentials. None: the URL's, or no password.
    pub(super) password: Option<Spot<String>>,
    /// Database to connect to. None: the URL's, or `postgres`; with MySQL no database.
    pub(super) connect_to: Option<Spot<String>>,
    /// How far the server has to prove who it is: authority and name (`verify-full`, if nothing is said), the authority
    /// (`verify-ca`), nothing (`encrypt`), or not even encrypted (`off`).
    pub(super) tls: Option<Spot<Tls>>,
    /// PEM file of the authorities that are trusted besides the public ones, a path from the root. None: for names of RDS its own
    /// authorities, which opsctl brings along.
    pub(super) ca_file: Option<Spot<String>>,
    /// What SQL the server speaks, where neither RDS, nor the URL, nor the port says it.
    pub(super) dialect: Option<Spot<Sql>>,
}

/// What SQL a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Sql {
    /// PostgreSQL and Aurora PostgreSQL.
    Postgres,
    /// MySQL, MariaDB and Aurora MySQL.
    Mysql,
}

/// How long databases may be without a writer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Objective {
    /// Name or pattern of clusters and instances.
    #[schemars(required)]
    pub(super) database: Option<Spot<String>>,
    /// Recovery time objective, in seconds (1 to 86,400).
    #[schemars(required, range(min = 1, max = 86_400))]
    pub(super) rto_seconds: Option<Spot<i64>>,
}

/// How closely an environment is watched, what that may cost, and from when on something needs somebody.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Watch {
    /// Calls of SQS a minute, at most (10 to 60,000). Where that is too few, looking slows down, last of all for what is on the
    /// screen. The first look at each queue is not counted.
    #[schemars(range(min = 10, max = 60_000))]
    pub(super) calls_per_minute_max: Option<Spot<i64>>,
    /// What looking may cost an hour, in US dollars at list price (0 to 100): calls of SQS first, then CloudWatch metrics. A few
    /// calls a minute are always made.
    #[schemars(range(min = 0, max = 100))]
    pub(super) dollars_per_hour_max: Option<Spot<f64>>,
    /// More visible messages than this are a backlog.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub(super) backlog_messages: Option<Spot<i64>>,
    /// The same for some queues; the first pattern that matches wins.
    pub(super) backlogs: Option<Vec<Backlog>>,
    /// Messages that are deleted for their age within so many hours (1 to 336) expire soon. Where they live shorter than twice
    /// that, half their life counts.
    #[schemars(range(min = 1, max = 336))]
    pub(super) expires_soon_hours: Option<Spot<i64>>,
    /// A DLQ grows when at least so many messages came within `growth_minutes`.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub(super) growth_messages: Option<Spot<i64>>,
    /// How far back growth counts, in minutes (1 to 30).
    #[schemars(range(min = 1, max = 30))]
    pub(super) growth_minutes: Option<Spot<i64>>,
    /// A queue's consumer is absent when messages waited for so many minutes and none was taken (1 to 10,080).
    #[schemars(range(min = 1, max = 10_080))]
    pub(super) consumer_absent_minutes: Option<Spot<i64>>,
    /// Patterns of queues in which messages lie on purpose: they have no backlog and need no consumer.
    pub(super) parked: Option<Vec<Spot<String>>>,
    /// A service has too few tasks when fewer run than shall for so many minutes (0 to 1,440).
    #[schemars(range(min = 0, max = 1_440))]
    pub(super) service_below_minutes: Option<Spot<i64>>,
    /// More percent of the CPU that a service's tasks reserved are much (1 to 1,000).
    #[schemars(range(min = 1, max = 1_000))]
    pub(super) service_cpu_percent: Option<Spot<i64>>,
    /// More percent of the memory that a service's tasks reserved are much (1 to 1,000).
    #[schemars(range(min = 1, max = 1_000))]
    pub(super) service_memory_percent: Option<Spot<i64>>,
    /// More percent of a database instance's CPU are much (1 to 100).
    #[schemars(range(min = 1, max = 100))]
    pub(super) database_cpu_percent: Option<Spot<i64>>,
    /// More connections to a database instance are many.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub(super) database_connections: Option<Spot<i64>>,
    /// Less free storage of a database instance is little, in GiB (1 to 65,536). Aurora has no such thing.
    #[schemars(range(min = 1, max = 65_536))]
    pub(super) free_storage_gigabytes: Option<Spot<i64>>,
    /// A read or write of a database that takes more milliseconds takes long (1 to 60,000).
    #[schemars(range(min = 1, max = 60_000))]
    pub(super) database_latency_milliseconds: Option<Spot<i64>>,
    /// A reader of a database that lies more seconds behind lies far behind (1 to 86,400).
    #[schemars(range(min = 1, max = 86_400))]
    pub(super) replica_lag_seconds: Option<Spot<i64>>,
    /// More offsets that a group has not read of a Kafka topic yet are many.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub(super) kafka_lag_offsets: Option<Spot<i64>>,
}

/// What a backlog is in some queues.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Backlog {
    /// Pattern of the queue's name.
    #[schemars(required)]
    pub(super) queue: Option<Spot<String>>,
    /// More visible messages than this are a backlog.
    #[schemars(required, range(min = 1, max = 1_000_000_000))]
    pub(super) messages: Option<Spot<i64>>,
}

/// Where the ids are found that a message needs on a FIFO queue: each is a JSON pointer into the body (`/transferId`)
/// or the name of a message attribute.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    /// Pattern of the destination queue's name.
    #[schemars(required)]
    pub(super) queue: Option<Spot<String>>,
    /// Where the message group id is found.
    #[schemars(required)]
    pub(super) group_id: Option<Spot<String>>,
    /// Where the deduplication id is found.
    pub(super) deduplication_id: Option<Spot<String>>,
}

/// What a team wraps its messages in. Failure groups and filters look into it: a filter sees `.type`, `.error`, `.code` and `.content`.
///
/// A place is a JSON pointer into the body (`/meta/kind`), the name of a message attribute (`kind`), or an attribute and a pointer
/// into its text (`headers/kind`). A text in which JSON, base64 or gzip is encoded is decoded on the way.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wrapping {
    /// Name that is shown beside the type, `shop` for instance.
    #[schemars(required)]
    pub(super) name: Option<Spot<String>>,
    /// Messages that have something at each of these places are wrapped so; "/version=2*" if it has to be this text.
    #[schemars(required, length(min = 1, max = 10))]
    pub(super) when: Option<Vec<Spot<String>>>,
    /// Where the type of the event or job stands; what is found at several places is joined.
    #[serde(rename = "type")]
    pub(super) kind: Option<Vec<Spot<String>>>,
    /// Where in the body the content stands; the first place where something is.
    pub(super) content: Option<Vec<Spot<String>>>,
    /// Where the text of the error stands that a message failed with; the first place where some is.
    pub(super) error: Option<Vec<Spot<String>>>,
    /// Where the code of that error stands; the first place where some is.
    pub(super) code: Option<Vec<Spot<String>>>,
}

/// Colour of the terminal's palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub(super) enum Colour {
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    White,
}
