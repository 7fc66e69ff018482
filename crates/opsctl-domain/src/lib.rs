//! Nouns of the field as plain data: no I/O, no clock, no SDK type.

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )*};
}

pub mod alarm;
pub mod clock;
pub mod consumer;
pub mod database;
pub mod endpoint;
pub mod environment;
pub mod gauge;
pub mod global_cluster;
pub mod invocation;
pub mod log;
pub mod message;
pub mod migration;
pub mod proxy;
pub mod queue;
pub mod run_id;
pub mod service;
pub mod service_rules;
pub mod sql;
pub mod target;
pub mod text;
pub mod watch;
pub mod words;

pub use environment::{AccountId, Environment, EnvironmentName, Protection};
pub use invocation::Invocation;
pub use message::{AttributeValue, ContentHash, Message, MessageId, Outgoing, Payload, ReceiptHandle};
pub use queue::{Counts, Queue, QueueArn, QueueKind, QueueName, QueueUrl};
pub use run_id::RunId;
pub use text::Text;
pub use watch::{Dollars, Thresholds, WatchRules};
