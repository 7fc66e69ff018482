//! [`Kind`]: what a parameter or an answer can be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a parameter or an answer is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Kind {
    /// An environment of the configuration.
    Environment,
    /// An SQS queue, by name.
    Queue,
    /// An ECS service, `cluster/name`.
    Service,
    /// A group of services of the configuration.
    Group,
    /// An RDS or Aurora database, by name.
    Database,
    /// An outbox of the configuration.
    Outbox,
    /// A CloudWatch alarm, by name.
    Alarm,
    /// A Lambda function, by name.
    Function,
    /// An EventBridge rule, by name.
    Rule,
    /// A migration of the configuration.
    Migration,
    /// A whole number.
    Number,
    /// A length of time, `90s`, `5m`, `1h 30m`.
    Duration,
    /// One of the words in `choices`.
    Choice,
    /// Any text of one line.
    Text,
    /// A URL that begins with `https://` or `http://`.
    Link,
    /// A version of software, such as `1.4.2` or a commit.
    Version,
    /// A run of opsctl.
    Run,
}
