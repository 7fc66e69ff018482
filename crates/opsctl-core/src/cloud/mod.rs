//! What the program asks of AWS, in our types: the only place that names an SDK type.
//!
//! Paging, batching, deadlines and error mapping live here; what a failure means for a message does not.

pub mod account;
pub mod alarms;
pub mod autoscaling;
pub mod ecs;
pub mod endpoint;
pub mod error;
pub mod events;
pub mod identity;
pub mod lambda;
pub mod load_balancers;
pub mod logs;
pub mod metrics;
pub mod parameters;
pub mod rds;
pub mod sqs;

pub mod connect;

mod attempts;
#[cfg(test)]
pub(crate) mod canned;
mod classify;
mod credentials;
pub mod mutes;
mod network;
mod pages;
mod skew;
#[cfg(test)]
mod tests;
mod thin;

use std::sync::Arc;

/// The client that goes to the network, for whoever makes clients of the SDK by themselves: the SDK's own is not compiled in.
pub fn network_client() -> aws_smithy_runtime_api::client::http::SharedHttpClient {
    network::client()
}

pub use account::Unverified;
pub use connect::Connect;
pub use endpoint::{Dial, Told};
pub use error::{CloudError, ErrorKind};

use crate::{clock::Clock, domain::Environment};

/// Clients for one environment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cloud {
    environment: Arc<Environment>,
    clock: Clock,
    pub sqs: sqs::Sqs,
    pub identity: identity::Identity,
    pub parameters: parameters::Parameters,
    pub metrics: metrics::Metrics,
    pub alarms: alarms::Alarms,
    pub ecs: ecs::Ecs,
    pub autoscaling: autoscaling::Autoscaling,
    pub rds: rds::Rds,
    pub lambda: lambda::Lambda,
    pub events: events::Events,
    /// Of databases. Nothing passive may ask them.
    pub endpoints: endpoint::Endpoints,
    pub logs: logs::Logs,
    pub load_balancers: load_balancers::LoadBalancers,
}

impl Cloud {
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }
}
