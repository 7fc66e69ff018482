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

pub mod advice;
pub mod alarm;
pub mod clock;
pub mod connection;
pub mod consumer;
pub mod database;
pub mod dead_letter_names;
pub mod endpoint;
pub mod envelope;
pub mod environment;
pub mod gauge;
pub mod global_cluster;
pub mod invocation;
pub mod log;
pub mod message;
pub mod migration;
pub mod outbox;
pub mod placement;
pub mod proxy;
pub mod queue;
pub mod run_id;
pub mod service;
pub mod service_rules;
pub mod sql;
pub mod target;
pub mod task;
pub mod template;
pub mod text;
pub mod toggle;
pub mod watch;
pub mod words;

pub use advice::{Advice, Try};
pub use alarm::{Alarm, AlarmChange, AlarmState, Mute, Watches};
pub use connection::{Connection, Place, Server, Target};
pub use consumer::{ConsumerId, KafkaLag, Mapping, MappingId, MappingState};
pub use database::{
    CapacityLimits, Database, DatabaseEvent, Member, MemberRole, Pending, ReplicaSource, SourceKind, Topology,
};
pub use endpoint::{
    Answerer, Answering, Ask, Because, Dialect, Endpoint, Password, Reached, SqlCheck, Tls, Told, Unanswered,
};
pub use envelope::{Envelope, Pointer, Sign};
pub use environment::{
    AccountId, CredentialSource, DatabaseRules, Environment, EnvironmentName, Login, MessageKeys, Protection,
    QueueRules,
};
pub use gauge::{DatabaseGauges, Gauge};
pub use global_cluster::{GlobalChange, GlobalCluster, GlobalMember, Loss};
pub use invocation::Invocation;
pub use log::LogLine;
pub use message::{
    AttributeValue, ContentHash, Message, MessageId, Outgoing, Payload, ReceiptHandle, SystemAttributes,
};
pub use migration::{ContainerDefinition, Definition, LogDestination, Mark, Migration, Network, NetworkSource};
pub use outbox::{
    Attempts, AttemptsMax, Backlog, Becomes, Blocked, Body, Change, Dead, DeadRows, ErrorGroups, Field, In, Lease,
    Literal, Move, Offset, Outbox, PUBLISHED_WITHIN, Park, Primitive, Rearm, Refusal, Relay, RelayLock, Release,
    RowCount, RowMapping, RowState, Satellite, Scope, SeenFunction, SeenLock, SeenOutbox, Slot, SlotState, Snapshot,
    TableName, Times, Trouble, Upkeep,
};
pub use placement::{CapacityProvider, Placement, Strategy};
pub use proxy::{Proxy, ProxyTarget};
pub use queue::{Counts, Queue, QueueArn, QueueKind, QueueName, QueueUrl, RedrivePolicy};
pub use run_id::RunId;
pub use service::{
    Breaker, Deployment, DeploymentId, EcsClusterName, Replacing, Rollout, Scaling, ScheduledAction, Service,
    ServiceEvent, ServiceId, ServiceName, Standing, TaskArn, TaskBounds, TaskDefinition,
};
pub use service_rules::{ServiceGroup, ServiceRules};
pub use sql::{Bounds, Rows, SqlError, SqlKind, Statement, Value};
pub use target::{TargetGroup, TargetGroupArn, TargetHealth, TargetState};
pub use task::{Container, Task};
pub use text::Text;
pub use toggle::{Setting, Toggle};
pub use watch::{Dollars, Thresholds, WatchRules};
